//! One suite for every driver: what a use case may rely on, whichever database stands behind the seam.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test that cannot go on says so, and why it was skipped"
)]

#[path = "conformance/ground.rs"]
mod ground;
#[path = "conformance/proxy.rs"]
mod proxy;
#[path = "conformance/registry.rs"]
mod registry;
#[path = "conformance/saboteur.rs"]
mod saboteur;
#[path = "conformance/server.rs"]
mod server;

use std::sync::Arc;

use fenqi_store::tables::{credit, requests, settings};
use fenqi_store::{Batch, CommitError, Fault, Guard, Query};
use ground::{
    AGREEMENTS, CREDIT_AVAILABLE, Ground, Purchase, REQUEST_UNUSED, REQUESTS, TRACES, TRACES_OF_ONE, at_once,
};

/// Runs each of these on both databases, as two tests with one name.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let ground = super::Ground::sqlite().await;
                super::$name(&ground).await;
                ground.clear().await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(ground) = super::Ground::postgres().await else { return };
                super::$name(&ground).await;
                ground.clear().await;
            })*
        }
    };
}

on_both! {
    a_replayed_key_is_refused_and_the_stored_reply_is_there
    a_key_with_another_body_is_refused_and_shows_the_first_ones_hash
    a_purchase_that_used_up_the_limit_is_still_a_replay
    a_purchase_over_the_limit_leaves_nothing_behind
    the_first_guard_in_the_order_of_the_batch_answers
    three_hundred_purchases_against_a_limit_for_a_hundred
    purchases_of_many_shoppers_share_a_group_and_each_gets_his_own_answer
    a_refused_batch_leaves_the_others_of_its_group_committed
    a_batch_that_breaks_the_schema_fails_alone
    concurrent_requests_of_one_key_take_effect_once
    a_slice_of_a_budget_is_not_overdrawn_by_different_shoppers
    a_version_lets_one_of_many_through
    a_refusal_caused_by_one_that_was_undone_is_no_answer
    a_reader_never_sees_half_a_batch
    what_was_acknowledged_is_read_at_once
    ten_thousand_batches_from_two_hundred_callers_are_each_acknowledged_once
    many_who_ask_the_same_each_get_their_own_rows_in_order
    what_a_statement_does_not_take_is_said_before_anything_is_written
    values_of_every_kind_come_back_as_they_went
}

async fn commit(ground: &Ground, purchase: &Purchase<'_>) -> Result<(), CommitError> {
    ground.driver.commit(purchase.batch()).await
}

async fn a_replayed_key_is_refused_and_the_stored_reply_is_there(ground: &Ground) {
    ground.line("ann", 1_000).await;
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a1", 100)).await,
        Ok(())
    );
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a2", 100)).await,
        REQUEST_UNUSED
    );
    let query = Query::new(&requests::FIND, vec!["ann".into(), "ann".into(), "k".into()]);
    let reply = ground.driver.read(vec![query]).await.unwrap();
    assert_eq!(reply[0][0].text(1).unwrap(), "a1");
    assert_eq!(ground.held("ann").await, 100);
    assert_eq!(ground.number(&TRACES, vec![]).await, TRACES_OF_ONE);
}

async fn a_key_with_another_body_is_refused_and_shows_the_first_ones_hash(ground: &Ground) {
    ground.line("ann", 1_000).await;
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a1", 100)).await,
        Ok(())
    );
    let other = Purchase {
        hash: b"two",
        ..Purchase::new("ann", "k", "a2", 999_999)
    };
    assert_eq!(
        commit(ground, &other).await,
        REQUEST_UNUSED,
        "the key answers before the limit does"
    );
    let query = Query::new(&requests::FIND, vec!["ann".into(), "ann".into(), "k".into()]);
    assert_eq!(
        ground.driver.read(vec![query]).await.unwrap()[0][0]
            .blob(0)
            .unwrap(),
        b"one"
    );
}

async fn a_purchase_that_used_up_the_limit_is_still_a_replay(ground: &Ground) {
    ground.line("ann", 100).await;
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a1", 100)).await,
        Ok(())
    );
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a2", 100)).await,
        REQUEST_UNUSED
    );
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k2", "a3", 100)).await,
        CREDIT_AVAILABLE
    );
}

async fn a_purchase_over_the_limit_leaves_nothing_behind(ground: &Ground) {
    ground.line("ann", 99).await;
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a1", 100)).await,
        CREDIT_AVAILABLE
    );
    assert_eq!(ground.number(&TRACES, vec![]).await, 0);
    assert_eq!(ground.held("ann").await, 0);
    assert_eq!(
        commit(ground, &Purchase::new("ann", "k", "a1", 99)).await,
        Ok(()),
        "the key is free"
    );
}

async fn the_first_guard_in_the_order_of_the_batch_answers(ground: &Ground) {
    ground.line("ann", 100).await;
    let mut batch = Batch::new("ann");
    batch.require(
        Guard::Fact("settings_unchanged"),
        &settings::GENERATION_IS,
        vec![2_i64.into()],
    );
    batch.require(
        Guard::Quantity("credit_available"),
        &credit::LINE_HOLD,
        vec!["ann".into(), "bank".into(), 101_i64.into()],
    );
    let answer = ground.driver.commit(batch).await;
    assert_eq!(
        answer,
        Err(CommitError::Refused(Guard::Fact("settings_unchanged")))
    );
}

async fn three_hundred_purchases_against_a_limit_for_a_hundred(ground: &Ground) {
    ground.line("ann", 1_000).await;
    let names: Vec<String> = (0..300).map(|n| format!("a{n}")).collect();
    let batches = names
        .iter()
        .map(|name| Purchase::new("ann", name, name, 10).batch())
        .collect();
    let answers = at_once(&ground.driver, batches).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(())).count(), 100);
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == CREDIT_AVAILABLE)
            .count(),
        200
    );
    assert_eq!(ground.held("ann").await, 1_000);
    assert_eq!(ground.number(&TRACES, vec![]).await, 100 * TRACES_OF_ONE);
}

async fn purchases_of_many_shoppers_share_a_group_and_each_gets_his_own_answer(ground: &Ground) {
    // Every third shopper has no credit, every fifth repeats a key that was used.
    let names: Vec<String> = (0..200).map(|n| format!("s{n:03}")).collect();
    for (n, name) in names.iter().enumerate() {
        ground.line(name, if n % 3 == 0 { 5 } else { 20 }).await;
        if n % 5 == 0 && n % 3 != 0 {
            commit(ground, &Purchase::new(name, "k", &format!("{name}-old"), 10))
                .await
                .unwrap();
        }
    }
    let ids: Vec<String> = names.iter().map(|name| format!("{name}-new")).collect();
    let batches = names
        .iter()
        .zip(&ids)
        .map(|(name, id)| Purchase::new(name, "k", id, 10).batch())
        .collect();
    let answers = at_once(&ground.driver, batches).await;
    for (n, answer) in answers.iter().enumerate() {
        let expected = match (n % 3, n % 5) {
            (0, _) => CREDIT_AVAILABLE,
            (_, 0) => REQUEST_UNUSED,
            _ => Ok(()),
        };
        assert_eq!(*answer, expected, "shopper {n}");
        assert_eq!(
            ground.held(&names[n]).await,
            if n % 3 == 0 { 0 } else { 10 },
            "shopper {n}"
        );
    }
}

async fn a_refused_batch_leaves_the_others_of_its_group_committed(ground: &Ground) {
    for name in ["ann", "bob", "cai"] {
        ground.line(name, if name == "bob" { 1 } else { 100 }).await;
    }
    let batches = ["ann", "bob", "cai"].map(|name| Purchase::new(name, "k", name, 50).batch());
    let answers = at_once(&ground.driver, batches.into()).await;
    assert_eq!(answers, vec![Ok(()), CREDIT_AVAILABLE, Ok(())]);
    assert_eq!(ground.number(&TRACES, vec![]).await, 2 * TRACES_OF_ONE);
}

async fn a_batch_that_breaks_the_schema_fails_alone(ground: &Ground) {
    for name in ["ann", "bob", "cai"] {
        ground.line(name, 100).await;
    }
    // The second has a line for this institution already, and no guard that says so.
    let mut broken = Batch::new("bob");
    let line = vec!["bob".into(), "bank".into(), 100_i64.into(), "2030-01-01".into()];
    let other = vec!["bob".into(), "other".into(), 100_i64.into(), "2030-01-01".into()];
    broken.put(&credit::LINE_INSERT, other);
    broken.put(&credit::LINE_INSERT, line);
    let good = |name: &'static str| Purchase::new(name, "k", name, 50).batch();
    let answers = at_once(&ground.driver, vec![good("ann"), broken, good("cai")]).await;
    assert_eq!((&answers[0], &answers[2]), (&Ok(()), &Ok(())));
    let Err(CommitError::Fault(Fault::Rejected { statement, .. })) = &answers[1] else {
        panic!("{:?}", answers[1]);
    };
    assert_eq!(*statement, "credit_line.insert");
    let query = Query::new(&credit::LINES, vec!["bob".into()]);
    assert_eq!(
        ground.driver.read(vec![query]).await.unwrap()[0].len(),
        1,
        "nothing of it was written"
    );
}

async fn concurrent_requests_of_one_key_take_effect_once(ground: &Ground) {
    ground.line("ann", 1_000).await;
    let ids: Vec<String> = (0..64).map(|n| format!("a{n}")).collect();
    let batches = ids
        .iter()
        .map(|id| Purchase::new("ann", "k", id, 10).batch())
        .collect();
    let answers = at_once(&ground.driver, batches).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(())).count(), 1);
    assert_eq!(
        answers.iter().filter(|answer| **answer == REQUEST_UNUSED).count(),
        63
    );
    assert_eq!(ground.held("ann").await, 10);
    assert_eq!(ground.number(&TRACES, vec![]).await, TRACES_OF_ONE);
}

async fn a_slice_of_a_budget_is_not_overdrawn_by_different_shoppers(ground: &Ground) {
    let mut batch = Batch::new("campaign");
    batch.put(
        &settings::BUDGET_PUT,
        vec!["spring".into(), 0_i64.into(), 45_i64.into()],
    );
    ground.driver.commit(batch).await.unwrap();
    let taking = |n: usize| {
        let name = format!("s{n}");
        let mut batch = Batch::new(&name);
        batch.require(
            Guard::Quantity("budget_left"),
            &settings::BUDGET_TAKE,
            vec!["spring".into(), 0_i64.into(), 10_i64.into()],
        );
        batch
    };
    let answers = at_once(&ground.driver, (0..40).map(taking).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
    let query = Query::new(&settings::BUDGET_SLICES, vec!["spring".into()]);
    assert_eq!(
        ground.driver.read(vec![query]).await.unwrap()[0][0]
            .int(1)
            .unwrap(),
        5
    );
}

async fn a_version_lets_one_of_many_through(ground: &Ground) {
    ground.line("ann", 100).await;
    let raise = |limit: i64| {
        let mut batch = Batch::new("ann");
        batch.require(
            Guard::Unchanged,
            &credit::LINE_SET,
            vec![
                "ann".into(),
                "bank".into(),
                limit.into(),
                None::<i64>.into(),
                "2030-01-01".into(),
                1_i64.into(),
            ],
        );
        batch
    };
    let answers = at_once(&ground.driver, (200..232).map(raise).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(
        answers
            .iter()
            .filter(|a| **a == Err(CommitError::Refused(Guard::Unchanged)))
            .count(),
        31
    );
}

async fn a_refusal_caused_by_one_that_was_undone_is_no_answer(ground: &Ground) {
    // Each of these takes all of the limit, and only the one with a fresh order number may keep it. The
    // others are refused for their number, so that none of them may have used up the limit.
    ground.line("bob", 10).await;
    commit(ground, &Purchase::new("bob", "k", "used", 10))
        .await
        .unwrap();
    for round in 0..20 {
        let shopper = format!("ann{round}");
        ground.line(&shopper, 10).await;
        let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
        let fresh = format!("{shopper}-fresh");
        let id = |n: usize| if n == round % 8 { fresh.as_str() } else { "used" };
        let batches = keys
            .iter()
            .enumerate()
            .map(|(n, key)| Purchase::new(&shopper, key, id(n), 10).batch())
            .collect();
        let answers = at_once(&ground.driver, batches).await;
        for (n, answer) in answers.iter().enumerate() {
            let number = Err(CommitError::Refused(Guard::Quantity("order_unused")));
            // Behind the one that keeps the limit, the limit is what is missing.
            let is_right = if n == round % 8 {
                *answer == Ok(())
            } else {
                *answer == number || *answer == CREDIT_AVAILABLE
            };
            assert!(is_right, "{n} of round {round}: {answer:?}");
        }
        assert_eq!(ground.held(&shopper).await, 10);
    }
}

async fn a_reader_never_sees_half_a_batch(ground: &Ground) {
    ground.line("ann", 1_000_000).await;
    let driver = Arc::clone(&ground.driver);
    let mut writer = tokio::task::JoinSet::new();
    writer.spawn(async move {
        for n in 0..150 {
            let id = format!("a{n}");
            driver
                .commit(Purchase::new("ann", &id, &id, 10).batch())
                .await
                .unwrap();
        }
    });
    let mut seen = Vec::new();
    while writer.try_join_next().is_none() {
        let line = Query::new(&credit::LINE, vec!["ann".into(), "bank".into()]);
        let queries = vec![Query::new(&TRACES, vec![]), line, Query::new(&AGREEMENTS, vec![])];
        let rows = ground.driver.read(queries).await.unwrap();
        let count = rows[2][0].int(0).unwrap();
        assert_eq!(
            rows[0][0].int(0).unwrap(),
            count * TRACES_OF_ONE,
            "all tables at one moment"
        );
        assert_eq!(
            rows[1][0].int(3).unwrap(),
            count * 10,
            "the limit at the same moment"
        );
        seen.push(count);
    }
    assert!(seen.is_sorted(), "time does not run backwards");
    assert!(
        seen.first() < seen.last(),
        "it was read while it was written: {seen:?}"
    );
}

async fn what_was_acknowledged_is_read_at_once(ground: &Ground) {
    ground.line("ann", 1_000_000).await;
    for n in 1..=50 {
        let id = format!("a{n}");
        commit(ground, &Purchase::new("ann", &id, &id, 1)).await.unwrap();
        assert_eq!(ground.held("ann").await, n);
    }
}

async fn ten_thousand_batches_from_two_hundred_callers_are_each_acknowledged_once(ground: &Ground) {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..200 {
        let driver = Arc::clone(&ground.driver);
        tasks.spawn(async move {
            let owner = format!("s{caller}");
            for n in 0..50_i64 {
                let mut batch = Batch::new(&owner);
                let key = format!("k{n}");
                batch.require(
                    Guard::RequestUnused,
                    &requests::INSERT,
                    vec![
                        owner.as_str().into(),
                        owner.as_str().into(),
                        key.into(),
                        vec![0_u8; 32].into(),
                        "r".into(),
                        n.into(),
                    ],
                );
                driver.commit(batch).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(ground.number(&REQUESTS, vec![]).await, 10_000);
}

async fn many_who_ask_the_same_each_get_their_own_rows_in_order(ground: &Ground) {
    for n in 0..40_i64 {
        let mut batch = Batch::new("campaign");
        for slice in (0..n % 5).rev() {
            batch.put(
                &settings::BUDGET_PUT,
                vec![format!("c{n}").into(), slice.into(), n.into()],
            );
        }
        ground.driver.commit(batch).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..400_i64 {
        let driver = Arc::clone(&ground.driver);
        tasks.spawn(async move {
            let n = n % 40;
            let slices = Query::new(&settings::BUDGET_SLICES, vec![format!("c{n}").into()]);
            let queries = if n % 7 == 0 {
                vec![slices.clone(), slices]
            } else {
                vec![slices]
            };
            for rows in driver.read(queries).await.unwrap() {
                let found: Vec<(i64, i64)> = rows
                    .iter()
                    .map(|row| (row.int(0).unwrap(), row.int(1).unwrap()))
                    .collect();
                assert_eq!(found, (0..n % 5).map(|slice| (slice, n)).collect::<Vec<_>>());
            }
        });
    }
    tasks.join_all().await;
}

async fn what_a_statement_does_not_take_is_said_before_anything_is_written(ground: &Ground) {
    let mut batch = Batch::new("ann");
    batch.put(
        &credit::LINE_INSERT,
        vec!["ann".into(), "bank".into(), 1_i64.into(), "2030-01-01".into()],
    );
    batch.put(&credit::LINE_INSERT, vec![1_i64.into()]);
    let answer = ground.driver.commit(batch).await;
    assert!(matches!(
        answer,
        Err(CommitError::Fault(Fault::Misused {
            statement: "credit_line.insert",
            ..
        }))
    ));
    let lines = ground
        .driver
        .read(vec![Query::new(&credit::LINES, vec!["ann".into()])])
        .await
        .unwrap();
    assert!(lines[0].is_empty());
    let wrong = ground
        .driver
        .read(vec![Query::new(&credit::LINES, vec![1_i64.into()])])
        .await;
    assert!(matches!(wrong, Err(Fault::Misused { .. })));
}

async fn values_of_every_kind_come_back_as_they_went(ground: &Ground) {
    let texts = ["", "分期 '付款' $1 ?1 \\ \u{1F600}", "line\nbreak"];
    let batches = texts.iter().enumerate().map(|(n, text)| {
        let mut batch = Batch::new("ann");
        let hash: Vec<u8> = (0..=255).collect();
        let key = format!("k{n}");
        let at = if n == 0 { i64::MIN } else { i64::MAX };
        batch.put(
            &requests::INSERT,
            vec![
                "ann".into(),
                "ann".into(),
                key.into(),
                hash.into(),
                (*text).into(),
                at.into(),
            ],
        );
        batch
    });
    at_once(&ground.driver, batches.collect())
        .await
        .into_iter()
        .for_each(|answer| answer.unwrap());
    for (n, text) in texts.iter().enumerate() {
        let query = Query::new(
            &requests::FIND,
            vec!["ann".into(), "ann".into(), format!("k{n}").into()],
        );
        let rows = ground.driver.read(vec![query]).await.unwrap();
        assert_eq!(rows[0][0].text(1).unwrap(), *text);
        assert_eq!(rows[0][0].blob(0).unwrap(), (0..=255).collect::<Vec<u8>>());
    }
    // Texts are ordered byte by byte, and so by code point, on every database.
    for key in ["Z", "a", "z", "é", "B", "_"] {
        let mut batch = Batch::new("campaign");
        batch.put(
            &settings::PUT,
            vec!["order".into(), key.into(), 1_i64.into(), "{}".into()],
        );
        ground.driver.commit(batch).await.unwrap();
    }
    let rows = ground
        .driver
        .read(vec![Query::new(&settings::ALL, vec![])])
        .await
        .unwrap();
    let codes: Vec<&str> = rows[0].iter().map(|row| row.text(1).unwrap()).collect();
    assert_eq!(codes, ["B", "Z", "_", "a", "z", "é"]);
}
