//! A store whose schema does not fit this program is refused, and told what to do. That one which an older version left
//! behind is carried over is tested with what a scenario left, in `sim/tests/upgrade.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test that cannot go on says so, and why it was skipped"
)]

use fenqi_store::{Postgres, PostgresOptions, Sqlite, SqliteOptions, create_schema, drop_schema};
use jiff::Timestamp;

/// What a store in which somebody did this is told, by a program that writes and by one that reads.
fn after(spoiled: &str) -> String {
    let store = Sqlite::temporary().unwrap();
    store.migrate(Timestamp::UNIX_EPOCH).unwrap();
    let operator = rusqlite::Connection::open(store.path()).unwrap();
    operator.execute_batch(spoiled).unwrap();
    told(&store)
}

fn told(store: &Sqlite) -> String {
    let writing = store.migrate(Timestamp::UNIX_EPOCH).unwrap_err().to_string();
    let reading = Sqlite::open_to_read(store.path(), SqliteOptions::default()).unwrap();
    assert_eq!(reading.check_schema().unwrap_err().to_string(), writing);
    assert!(writing.len() < 400, "{writing}");
    writing
}

#[tokio::test]
async fn a_store_of_another_build_is_refused_with_what_an_operator_can_do() {
    let fault = after("update migration set hash = 'other' where number = 1");
    assert!(
        fault.contains("another build of fenqi made this store") && fault.contains("the build that made it"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_store_that_lost_a_table_is_not_up_to_date() {
    let fault = after("drop table bill");
    assert!(
        fault.contains("`bill` is missing from the store") && fault.contains("from a backup"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_store_that_forgot_its_migrations_is_told_so_and_not_migrated_again() {
    for spoiled in ["delete from migration", "drop table migration"] {
        let fault = after(spoiled);
        assert!(fault.contains("does not remember the migration"), "{fault}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_left_as_it_is() {
    for (foreign, expected) in [
        ("create table customers (id integer)", "it holds `customers`"),
        ("create table migration (id integer)", "other columns than ours"),
    ] {
        let store = Sqlite::temporary().unwrap();
        let operator = rusqlite::Connection::open(store.path()).unwrap();
        operator.execute_batch(foreign).unwrap();
        let fault = told(&store);
        assert!(
            fault.contains("no store of fenqi") && fault.contains(expected),
            "{fault}"
        );
        let tables = "select count(*) from sqlite_master";
        let tables: i64 = operator.query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_the_same_is_told() {
    let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
        println!("skipped: FENQI_TEST_POSTGRES names no server");
        return;
    };
    for (spoiled, expected) in [
        ("drop table bill", "`bill` is missing from the store"),
        ("delete from migration", "does not remember the migration"),
        (
            "alter table migration rename column hash to sum",
            "other columns than ours",
        ),
        (
            "update migration set hash = 'other'",
            "another build of fenqi made this store",
        ),
    ] {
        let schema = format!("upgrade_{}", std::process::id());
        drop_schema(&url, &schema).await.unwrap();
        create_schema(&url, &schema).await.unwrap();
        let options = PostgresOptions::new(url.as_str()).in_schema(schema.as_str());
        let store = Postgres::connect(&options).await.unwrap();
        store.migrate(Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(store.check_schema().await, Ok(()));
        spoil(&url, &schema, spoiled).await;
        let reading = store.check_schema().await.unwrap_err().to_string();
        let writing = store
            .migrate(Timestamp::UNIX_EPOCH)
            .await
            .unwrap_err()
            .to_string();
        drop_schema(&url, &schema).await.unwrap();
        assert_eq!(reading, writing);
        assert!(reading.contains(expected), "{spoiled}: {reading}");
    }
}

async fn spoil(url: &str, schema: &str, text: &str) {
    let (operator, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(connection);
    let text = format!("set search_path to \"{schema}\"; {text}");
    operator.batch_execute(&text).await.unwrap();
}
