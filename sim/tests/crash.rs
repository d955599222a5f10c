//! A part of `cargo xtask crash-steps` for the test run: some scenarios, some of their points.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_connect::script::Misbehaviour;
use fenqi_server::data::{Data, Files, load};
use fenqi_server::story::Place;
use fenqi_sim::crash::{Blow, CommitHarm, Played, blows, differences, play};
use fenqi_story::Scenario;

fn data() -> Data {
    load(&Files::embedded()).unwrap()
}

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/scenarios/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    Scenario::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn played(scenario: &Scenario, data: &Data, blow: Option<(&Blow, &Played)>) -> Played {
    play(scenario, data, &Place::Sqlite, blow, "test").await.unwrap()
}

/// Every so-manieth blow leaves the end as it is.
async fn ends_the_same(name: &str, every: usize) {
    let (scenario, data) = (scenario(name), data());
    let undisturbed = played(&scenario, &data, None).await;
    assert!(
        undisturbed.ending.troubles.is_empty(),
        "{:?}",
        undisturbed.ending.troubles
    );
    let all = blows(&undisturbed);
    assert!(all.len() > 300, "{} blows", all.len());
    for blow in all.iter().step_by(every) {
        let with_it = played(&scenario, &data, Some((blow, &undisturbed))).await;
        let found = differences(&undisturbed, blow, &with_it);
        assert!(found.is_empty(), "{name}: {blow}:\n{}", found.join("\n"));
    }
}

// Strides are prime to 3 and 4, so that every harm is dealt.
#[tokio::test]
async fn a_first_purchase_ends_the_same() {
    ends_the_same("000-why-instalments-are-not-offered", 13).await;
}

#[tokio::test]
async fn repaying_by_hand_ends_the_same() {
    ends_the_same("002-repaying-while-checkout-is-off", 17).await;
}

#[tokio::test]
async fn a_debit_that_fails_ends_the_same() {
    ends_the_same("card-with-too-little-money", 29).await;
}

#[tokio::test]
async fn a_partial_return_ends_the_same() {
    ends_the_same("partial-return-before-and-after-the-bill", 19).await;
}

/// A debit that fails is no less told of for its answer being lost on the way: the reminder of its day is given, too.
#[tokio::test]
async fn a_lost_answer_costs_no_reminder() {
    let (scenario, data) = (scenario("late-forty-days"), data());
    let undisturbed = played(&scenario, &data, None).await;
    for at in (36..=60).filter(|at| !undisturbed.awry.contains(at)) {
        let blow = Blow::Call(at, Misbehaviour::LostReply);
        let with_it = played(&scenario, &data, Some((&blow, &undisturbed))).await;
        let found = differences(&undisturbed, &blow, &with_it);
        assert!(found.is_empty(), "{blow}:\n{}", found.join("\n"));
    }
}

#[tokio::test]
async fn two_ends_that_differ_are_told_apart() {
    let data = data();
    let one = played(&scenario("paid-early-the-day-before"), &data, None).await;
    let other = played(&scenario("thirty-first-of-january"), &data, None).await;
    let found = one.ending.differences(&other.ending);
    for part in ["books", "agreements", "limits", "shown", "messages"] {
        assert!(
            found.iter().any(|line| line.starts_with(part)),
            "{part}: {found:?}"
        );
    }
    // A point that the scenario does not have is not passed over in silence.
    let beyond = Blow::Commit(one.commits + 1, CommitHarm::Before);
    let same = played(
        &scenario("paid-early-the-day-before"),
        &data,
        Some((&beyond, &one)),
    )
    .await;
    assert_eq!(differences(&one, &beyond, &same), ["it was never dealt"]);
}
