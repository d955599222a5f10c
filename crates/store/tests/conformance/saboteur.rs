//! What holds on a bad day: lost answers, lost requests, conflicts, stalls.

use std::sync::Arc;

use fenqi_store::saboteur::{Harm, Saboteur};
use fenqi_store::{CommitError, Driver};

use super::ground::{AGREEMENTS, CREDIT_AVAILABLE, Ground, Purchase, REQUEST_UNUSED, TRACES, TRACES_OF_ONE};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_purchase_that_is_repeated_until_answered_happens_once() {
    let ground = Ground::sqlite().await;
    repeated_until_answered(&ground).await;
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_every_purchase_that_is_repeated_until_answered_happens_once() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    repeated_until_answered(&ground).await;
    ground.clear().await;
}

/// 300 clients repeat their purchase under its key until they have an answer; the limit is for a hundred.
async fn repeated_until_answered(ground: &Ground) {
    ground.line("ann", 1_000).await;
    for seed in [1, 2, 3] {
        ground.line(&format!("ann{seed}"), 1_000).await;
        let saboteur: Arc<dyn Driver> =
            Arc::new(Saboteur::new(Arc::clone(&ground.driver), seed, Harm::BAD_DAY));
        let mut clients = tokio::task::JoinSet::new();
        for n in 0..300 {
            let driver = Arc::clone(&saboteur);
            clients.spawn(async move {
                let (shopper, id) = (format!("ann{seed}"), format!("a{seed}-{n}"));
                loop {
                    let answer = driver.commit(Purchase::new(&shopper, &id, &id, 10).batch()).await;
                    let Err(CommitError::Fault(_)) = answer else {
                        return answer;
                    };
                }
            });
        }
        let answers = clients.join_all().await;
        let made = answers
            .iter()
            .filter(|answer| **answer == Ok(()) || **answer == REQUEST_UNUSED)
            .count();
        let refused = answers
            .iter()
            .filter(|answer| **answer == CREDIT_AVAILABLE)
            .count();
        assert_eq!((made, refused), (100, 200), "seed {seed}");
        assert!(
            answers.contains(&REQUEST_UNUSED),
            "seed {seed}: no answer was lost after its effect"
        );
        assert_eq!(ground.held(&format!("ann{seed}")).await, 1_000);
    }
    assert_eq!(ground.number(&AGREEMENTS, vec![]).await, 300);
    assert_eq!(ground.number(&TRACES, vec![]).await, 300 * TRACES_OF_ONE);
}
