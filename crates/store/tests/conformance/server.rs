//! What only a server can do to us: other processes, locks that others hold, connections that break.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fenqi_store::tables::settings;
use fenqi_store::{Batch, CommitError, Driver, Fault, Guard, Postgres, PostgresOptions, Query};
use tokio_postgres::NoTls;

use super::ground::{
    AGREEMENTS, CREDIT_AVAILABLE, Ground, Purchase, REQUEST_UNUSED, TRACES, TRACES_OF_ONE, at_once,
};
use super::proxy::{Cut, Proxy};

/// Buys 150 times, each for a hundredth of the limit, and says how often it was let through.
async fn buy(driver: &Arc<dyn Driver>, who: &str) -> usize {
    let ids: Vec<String> = (0..150).map(|n| format!("{who}{n}")).collect();
    let batches = ids
        .iter()
        .map(|id| Purchase::new("ann", id, id, 10).batch())
        .collect();
    let answers = at_once(driver, batches).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(()) || *answer == CREDIT_AVAILABLE),
        "{answers:?}"
    );
    answers.iter().filter(|answer| answer.is_ok()).count()
}

const BUYER: &str = "FENQI_TEST_BUYER_SCHEMA";

/// The test runs itself as the second process, which buys in the schema that it is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_let_exactly_a_hundred_of_three_hundred_through() {
    if let Ok(schema) = std::env::var(BUYER) {
        let url = std::env::var("FENQI_TEST_POSTGRES").unwrap();
        let store = Postgres::connect(&PostgresOptions::new(url).in_schema(schema))
            .await
            .unwrap();
        let driver: Arc<dyn Driver> = Arc::new(store);
        println!("let through: {}.", buy(&driver, "child").await);
        return;
    }
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    ground.line("ann", 1_000).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "server::two_processes_let_exactly_a_hundred_of_three_hundred_through",
            "--nocapture",
        ])
        .env(BUYER, ground.options().schema.as_ref().unwrap())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let own = buy(&ground.driver, "parent").await;
    let said = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
        assert!(child.wait().unwrap().success(), "{said}");
        said
    });
    let said = said.await.unwrap();
    let others: usize = said
        .split("let through: ")
        .nth(1)
        .unwrap()
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(own + others, 100);
    assert_eq!(ground.held("ann").await, 1_000);
    assert_eq!(ground.number(&AGREEMENTS, vec![]).await, 100);
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stopped_before_its_commit_holds_up_the_same_shopper_for_less_than_two_seconds() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    ground.line("ann", 1_000).await;
    ground.line("bob", 1_000).await;
    // The other process: it has the settings of ours, has taken the shopper's row, and does not go on.
    let stopped = connect(&ground).await;
    stopped
        .batch_execute("set idle_in_transaction_session_timeout = 500")
        .await
        .unwrap();
    stopped
        .batch_execute("begin; update credit_line set held = held + 1 where shopper = 'ann'")
        .await
        .unwrap();
    let began = tokio::time::Instant::now();
    let batches = vec![
        Purchase::new("ann", "k", "a1", 10).batch(),
        Purchase::new("bob", "k", "b1", 10).batch(),
    ];
    let answers = tokio::time::timeout(Duration::from_secs(2), at_once(&ground.driver, batches)).await;
    assert_eq!(answers.expect("held up for two seconds"), vec![Ok(()), Ok(())]);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "the row was not held at all"
    );
    assert_eq!(
        ground.held("ann").await,
        10,
        "what the stopped process did is undone"
    );
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_stays_locked_is_answered_with_busy_and_nothing_is_written() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    ground.line("ann", 1_000).await;
    let stopped = connect(&ground).await;
    stopped
        .batch_execute("begin; update credit_line set held = held + 1 where shopper = 'ann'")
        .await
        .unwrap();
    let answer = ground
        .driver
        .commit(Purchase::new("ann", "k", "a1", 10).batch())
        .await;
    assert!(
        matches!(answer, Err(CommitError::Fault(Fault::Busy { .. }))),
        "{answer:?}"
    );
    stopped.batch_execute("rollback").await.unwrap();
    assert_eq!(ground.number(&TRACES, vec![]).await, 0);
    assert_eq!(
        ground
            .driver
            .commit(Purchase::new("ann", "k", "a1", 10).batch())
            .await,
        Ok(())
    );
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_no_acknowledged_purchase_and_double_none() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    ground.line("ann", 1_000_000).await;
    let operator = connect(&ground).await;
    let mut cutter = tokio::task::JoinSet::new();
    cutter.spawn(async move {
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(15)).await;
            let cut = "select pg_terminate_backend(a.pid) from pg_stat_activity a \
                       join pg_locks l on l.pid = a.pid join pg_class c on c.oid = l.relation \
                       join pg_namespace n on n.oid = c.relnamespace \
                       where a.application_name = 'fenqi' and a.pid <> pg_backend_pid() and n.nspname = current_schema()";
            operator.query(cut, &[]).await.unwrap();
        }
    });
    let mut acknowledged = 0;
    let mut round = 0;
    while cutter.try_join_next().is_none() {
        let ids: Vec<String> = (0..20).map(|n| format!("a{round}-{n}")).collect();
        let batches = ids
            .iter()
            .map(|id| Purchase::new("ann", id, id, 1).batch())
            .collect();
        let answers = at_once(&ground.driver, batches).await;
        for (id, answer) in ids.iter().zip(answers) {
            let mut answer = answer;
            // What a client does: repeat the request under its key until it has an answer.
            while let Err(CommitError::Fault(_)) = answer {
                answer = ground
                    .driver
                    .commit(Purchase::new("ann", id, id, 1).batch())
                    .await;
            }
            assert!(answer == Ok(()) || answer == REQUEST_UNUSED, "{answer:?}");
            acknowledged += 1;
        }
        round += 1;
    }
    assert_eq!(ground.number(&AGREEMENTS, vec![]).await, acknowledged);
    assert_eq!(ground.number(&TRACES, vec![]).await, acknowledged * TRACES_OF_ONE);
    assert_eq!(ground.held("ann").await, acknowledged);
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_came_too_late_did_not_happen_and_is_tried_again() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let mut batch = Batch::new("campaign");
    batch.put(
        &settings::BUDGET_PUT,
        vec!["spring".into(), 0_i64.into(), 100_i64.into()],
    );
    ground.driver.commit(batch).await.unwrap();
    let proxy = Proxy::before(ground.options()).await;
    let beyond = Postgres::connect(&proxy.options).await.unwrap();
    let mut batch = Batch::new("campaign");
    let taken = vec!["spring".into(), 0_i64.into(), 10_i64.into()];
    batch.require(Guard::Quantity("budget_left"), &settings::BUDGET_TAKE, taken);
    proxy.arm(Cut::TooLate);
    assert_eq!(
        beyond.commit(batch).await,
        Ok(()),
        "the server had ended the transaction, so it may be repeated"
    );
    let query = Query::new(&settings::BUDGET_SLICES, vec!["spring".into()]);
    assert_eq!(
        ground.driver.read(vec![query]).await.unwrap()[0][0]
            .int(1)
            .unwrap(),
        90
    );
    drop(beyond);
    ground.clear().await;
}

#[tokio::test]
async fn a_server_that_does_not_wait_for_its_disk_is_refused() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let sign = if ground.options().url.contains('?') {
        '&'
    } else {
        '?'
    };
    let url = format!(
        "{}{sign}options=-c%20synchronous_commit%3Doff",
        ground.options().url
    );
    let Err(fault) = Postgres::connect(&PostgresOptions::new(url)).await else {
        panic!("it was not refused")
    };
    assert!(
        fault
            .to_string()
            .starts_with("refusing to start: the server has synchronous_commit = off"),
        "{fault}"
    );
    ground.clear().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let nowhere = PostgresOptions::new("postgres://nobody@127.0.0.1:1/none");
    let Err(fault) = Postgres::connect(&nowhere).await else {
        panic!("connected to nothing")
    };
    assert!(matches!(fault, Fault::Unavailable(_)), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_whose_commit_lost_its_connection_is_answered_for_certain() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    ground.line("ann", 1_000).await;
    let proxy = Proxy::before(ground.options()).await;
    let beyond = Postgres::connect(&proxy.options).await.unwrap();
    let expected = [
        (Cut::BeforeCommit, Ok(())),
        (Cut::BeforeReply, REQUEST_UNUSED),
        (Cut::TooLate, Ok(())),
    ];
    for (n, (cut, expected)) in (1..).zip(expected) {
        let id = format!("a{n}");
        proxy.arm(cut);
        let answer = beyond.commit(Purchase::new("ann", &id, &id, 10).batch()).await;
        assert_eq!(answer, expected, "{cut:?}");
        assert_eq!(ground.held("ann").await, n * 10, "{cut:?}: once");
        assert_eq!(
            ground.number(&TRACES, vec![]).await,
            n * TRACES_OF_ONE,
            "{cut:?}: once"
        );
    }
    drop(beyond);
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_without_a_key_whose_commit_lost_its_connection_is_lost_and_not_repeated() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let mut batch = Batch::new("campaign");
    batch.put(
        &settings::BUDGET_PUT,
        vec!["spring".into(), 0_i64.into(), 100_i64.into()],
    );
    ground.driver.commit(batch).await.unwrap();
    let proxy = Proxy::before(ground.options()).await;
    let beyond = Postgres::connect(&proxy.options).await.unwrap();
    for (cut, left) in [(Cut::BeforeCommit, 100), (Cut::BeforeReply, 90)] {
        let mut batch = Batch::new("campaign");
        let taken = vec!["spring".into(), 0_i64.into(), 10_i64.into()];
        batch.require(Guard::Quantity("budget_left"), &settings::BUDGET_TAKE, taken);
        proxy.arm(cut);
        assert_eq!(
            beyond.commit(batch).await,
            Err(CommitError::Fault(Fault::Lost)),
            "{cut:?}"
        );
        let query = Query::new(&settings::BUDGET_SLICES, vec!["spring".into()]);
        let rows = ground.driver.read(vec![query]).await.unwrap();
        assert_eq!(rows[0][0].int(1).unwrap(), left, "{cut:?}");
    }
    drop(beyond);
    ground.clear().await;
}

/// A connection of the test's own, in the ground's schema.
async fn connect(ground: &Ground) -> tokio_postgres::Client {
    let options = ground.options();
    let (client, connection) = tokio_postgres::connect(&options.url, NoTls).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the connection ends with the test")]
    tokio::spawn(connection);
    let path = format!("set search_path to {}", options.schema.as_ref().unwrap());
    client.batch_execute(&path).await.unwrap();
    client
}
