//! Accounts and limits: who may, who must be two, and what stays on record.

use fenqi_app::operations::approve::{self, Outcome};
use fenqi_app::operations::freeze::{self, Freeze, Unfreeze};
use fenqi_app::operations::limit::{self, SetLimit, SetOwnLimit};
use fenqi_app::operations::{dispute, standing, timeline};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::{Change, Denied};
use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::State;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_domain::standing::FreezeReason;
use fenqi_sim::{OPENING, market, shop, staff, yuan};

use crate::{WHY, day, decide, is_clean, line, proposed, refused, set_limit};

#[tokio::test]
async fn a_large_change_of_a_limit_needs_another_person_who_carries_it_out() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let proposal = proposed(&shop, &ann, 30_000).await;
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000), "nothing yet");
    let key = shop.key().unwrap();
    let approved = approve::approve(&shop.app, &staff("checker"), &key, decide(proposal))
        .await
        .unwrap();
    assert!(matches!(approved, Change::Made(_)));
    assert_eq!(line(&shop, &ann).await.limit, yuan(30_000));
    // The same approval again is the same approval, and another one comes too late.
    let again = approve::approve(&shop.app, &staff("checker"), &key, decide(proposal))
        .await
        .unwrap();
    assert_eq!(again, Change::AlreadyMade(approved.reply()));
    let late = approve::approve(&shop.app, &staff("third"), &shop.key().unwrap(), decide(proposal)).await;
    assert_eq!(
        refused(late),
        Refusal::ProposalClosed {
            state: "approved".into()
        }
    );
    is_clean(&shop).await;
}

#[tokio::test]
async fn whoever_proposed_may_not_approve() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let proposal = proposed(&shop, &ann, 30_000).await;
    for verb in ["approve", "reject"] {
        let key = shop.key().unwrap();
        let answer = match verb {
            "approve" => approve::approve(&shop.app, &staff("maker"), &key, decide(proposal)).await,
            _ => approve::reject(&shop.app, &staff("maker"), &key, decide(proposal)).await,
        };
        assert_eq!(refused(answer), Refusal::SamePerson, "{verb}");
    }
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000));
}

#[tokio::test]
async fn a_proposal_is_rejected_or_runs_out() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let rejected = proposed(&shop, &ann, 30_000).await;
    let key = shop.key().unwrap();
    approve::reject(&shop.app, &staff("checker"), &key, decide(rejected))
        .await
        .unwrap();
    let forgotten = proposed(&shop, &ann, 40_000).await;
    shop.moves_to(day(4), 10);
    let late = approve::approve(
        &shop.app,
        &staff("checker"),
        &shop.key().unwrap(),
        decide(forgotten),
    )
    .await;
    assert_eq!(
        refused(late),
        Refusal::ProposalClosed {
            state: "expired".into()
        }
    );
    assert_eq!(approve::expire(&shop.app).await.unwrap(), 1);
    assert_eq!(
        approve::expire(&shop.app).await.unwrap(),
        0,
        "twice does nothing more"
    );
    let states: Vec<String> = approve::proposals(&shop.app, &staff("checker"))
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.state)
        .collect();
    assert_eq!(states, ["rejected", "expired"]);
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000));
}

#[tokio::test]
async fn every_command_of_staff_is_on_record_with_its_reason() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    set_limit(&shop, "kim", &ann, 13_000).await.unwrap();
    let records = shop.app.store.audit().await.unwrap();
    let opened = records.first().unwrap();
    assert_eq!(
        (opened.who.as_str(), opened.what.as_str()),
        ("staff:sim", "market.configure")
    );
    let last = records.last().unwrap();
    assert_eq!(
        (last.who.as_str(), last.what.as_str(), last.reason.as_str()),
        ("staff:kim", "limit.set", WHY)
    );
    assert!(last.detail.contains("1300000"), "{}", last.detail);
    // Without a reason nothing is done.
    let silent = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(14_000),
        reason: " ".to_owned(),
    };
    let answer = limit::set_limit(&shop.app, &staff("kim"), &shop.key().unwrap(), silent).await;
    assert!(matches!(answer, Err(Denied::Invalid(_))));
    assert_eq!(shop.app.store.audit().await.unwrap().len(), records.len());
}

#[tokio::test]
async fn staff_without_the_scope_are_told_that_it_does_not_exist() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let clerk = Actor::Staff {
        name: "clerk".to_owned(),
        scopes: vec![Scope::Offer, Scope::Care],
    };
    let command = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(13_000),
        reason: WHY.to_owned(),
    };
    for actor in [clerk, ann.actor(), fenqi_sim::store(market::SELLER)] {
        let answer = limit::set_limit(&shop.app, &actor, &shop.key().unwrap(), command.clone()).await;
        assert_eq!(answer, Err(Denied::NotFound), "{actor:?}");
    }
}

// R24: a freeze stops new credit, and a payment succeeds.
#[tokio::test]
async fn a_frozen_account_may_still_repay() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let command = Freeze {
        shopper: ann.id,
        why: FreezeReason::SuspectedMisuse,
        reason: WHY.to_owned(),
    };
    let key = shop.key().unwrap();
    freeze::freeze(&shop.app, &staff("kim"), &key, command.clone())
        .await
        .unwrap();
    let again = freeze::freeze(&shop.app, &staff("kim"), &key, command.clone())
        .await
        .unwrap();
    assert!(
        matches!(again, Change::AlreadyMade(_)),
        "the same key is the same freeze"
    );
    let twice = freeze::freeze(&shop.app, &staff("kim"), &shop.key().unwrap(), command).await;
    assert_eq!(refused(twice), Refusal::exists(What::Freeze));
    let since = OPENING;
    assert_eq!(
        refused(shop.buys(&ann, yuan(500)).await),
        Refusal::AccountFrozen { since }
    );

    let paying = Pay {
        shopper: ann.id,
        payer: ann.id,
        agreements: vec![agreement],
        amount: yuan(50),
        card: ann.card,
    };
    let paid = pay::pay(&shop.app, &ann.actor(), &shop.key().unwrap(), paying)
        .await
        .unwrap()
        .reply();
    assert_eq!(paid.state, State::Succeeded);
    let lift = Unfreeze {
        shopper: ann.id,
        reason: WHY.to_owned(),
    };
    freeze::unfreeze(&shop.app, &staff("kim"), &shop.key().unwrap(), lift)
        .await
        .unwrap();
    shop.buys(&ann, yuan(500)).await.unwrap();
    is_clean(&shop).await;
}

// R24, R25: a dispute stops new credit until it is settled, and is named.
#[tokio::test]
async fn an_open_dispute_stops_new_credit_until_it_is_settled() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let command = dispute::Open {
        shopper: ann.id,
        agreement,
        claim: "the fee is not what was shown".to_owned(),
    };
    let opened = dispute::open(&shop.app, &ann.actor(), &shop.key().unwrap(), command.clone()).await;
    let opened = opened.unwrap().reply();
    let id = opened.id.to_string();
    let twice = dispute::open(&shop.app, &ann.actor(), &shop.key().unwrap(), command).await;
    assert_eq!(
        refused(twice),
        Refusal::AlreadyExists {
            what: What::Dispute,
            which: Some(id.to_string())
        }
    );
    assert_eq!(
        refused(shop.buys(&ann, yuan(500)).await),
        Refusal::OpenDispute { dispute: id.clone() }
    );
    let stands = standing::standing(&shop.app, &ann.actor(), ann.id).await.unwrap();
    assert_eq!(stands.open_disputes, [id]);
    let settle = dispute::Settle {
        shopper: ann.id,
        dispute: opened.id,
        outcome: "the fee was shown; explained by phone".to_owned(),
    };
    dispute::settle(&shop.app, &staff("care"), &shop.key().unwrap(), settle)
        .await
        .unwrap();
    shop.buys(&ann, yuan(500)).await.unwrap();
    let told = dispute::disputes(&shop.app, &ann.actor(), ann.id).await.unwrap();
    assert!(told[0].settled.is_some());
    let bo = shop.bo().await.unwrap();
    let spied = dispute::disputes(&shop.app, &bo.actor(), ann.id).await;
    assert_eq!(spied, Err(Denied::NotFound));
}

// R19, R20, R22, H2: what is left and why; -2,000.00 after a cut, and repaid principal is free again.
#[tokio::test]
async fn a_limit_lowered_below_what_is_used_leaves_less_than_nothing_and_the_timeline_says_why() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    shop.buys(&ann, yuan(6_000)).await.unwrap();
    shop.confirms(&ann, yuan(1_000)).await.unwrap();
    let Outcome::Done(cut) = set_limit(&shop, "kim", &ann, 5_000).await.unwrap() else {
        panic!("7,000 is within one person's reach");
    };
    assert_eq!(
        cut.available,
        Amount::from_minor(-200_000),
        "5,000 less 6,000 used and 1,000 held"
    );
    let short = refused(shop.confirms(&ann, yuan(100)).await);
    assert_eq!(
        short,
        Refusal::LimitExhausted {
            limit: yuan(5_000),
            gap: yuan(2_100),
            used: yuan(6_000),
        }
    );
    shop.passes_until(day(32)).await.unwrap();

    let own = SetOwnLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: Some(yuan(4_000)),
    };
    limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), own.clone())
        .await
        .unwrap();
    set_limit(&shop, "kim", &ann, 9_000).await.unwrap();
    let told = timeline::timeline(&shop.app, &ann.actor(), ann.id, market::INSTITUTION)
        .await
        .unwrap();
    let steps: Vec<(&str, i64, i64)> = told
        .iter()
        .map(|m| (m.what.as_str(), m.amount.minor(), m.available.minor()))
        .collect();
    assert_eq!(
        steps,
        [
            ("granted", 1_200_000, 1_200_000),
            ("committed", -600_000, 600_000),
            ("commitment_released", 600_000, 1_200_000),
            ("disbursed", -600_000, 600_000),
            ("committed", -100_000, 500_000),
            ("lowered", -700_000, -200_000),
            ("commitment_released", 100_000, -100_000),
            ("principal_repaid", 50_000, -50_000),
            ("lowered", -100_000, -150_000),
            ("raised", 0, -150_000),
        ]
    );
    assert_eq!(
        told.last().unwrap().available,
        line(&shop, &ann).await.available().unwrap()
    );
    let lifted = SetOwnLimit { limit: None, ..own };
    limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), lifted)
        .await
        .unwrap();
    assert_eq!(line(&shop, &ann).await.available().unwrap(), yuan(9_000 - 5_500));
    is_clean(&shop).await;
}

// R28: a limit of one's own lies between nothing and the institution's.
#[tokio::test]
async fn an_own_limit_is_never_above_the_institutions() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let own = SetOwnLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: Some(yuan(12_001)),
    };
    let answer = limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), own).await;
    assert!(matches!(refused(answer), Refusal::OutsideBounds { maximum, .. } if maximum == yuan(12_000)));
}
