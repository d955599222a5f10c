//! A store that an older version left behind, carried over to the newest schema on both databases, and found whole: the
//! check of the whole store agrees, and what was owed is still owed.
//!
//! A fixture is what a scenario left behind, as SQL. Until a migration is released its fixture is written anew after each
//! edit: `cargo nextest run -p fenqi-sim --test upgrade --run-ignored only`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test that cannot go on says so, and why it was skipped"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fenqi_app::clock::machine_now;
use fenqi_app::verify::verify;
use fenqi_app::{App, Clock};
use fenqi_domain::actor::Actor;
use fenqi_server::data::{Files, load};
use fenqi_server::story::play_on;
use fenqi_server::wiring;
use fenqi_store::migrate::{Dialect, MIGRATIONS};
use fenqi_store::{
    Driver, Postgres, PostgresOptions, Sqlite, SqliteOptions, Store, create_schema, drop_schema,
};
use rusqlite::types::ValueRef;

/// What stores that were left behind hold, by the number of their last migration.
static FIXTURES: &[(usize, &str)] = &[(
    1,
    include_str!("../../crates/store/tests/fixtures/0001_foundation.sql"),
)];

/// The scenario that leaves the store behind: a loan with payments, a return and money that goes back.
const SCENARIO: &str = include_str!("../scenarios/return-after-three-paid.txt");

/// What made the store of a fixture: the schema up to its migration, remembered, and the data.
fn left_behind(number: usize, data: &str, dialect: Dialect) -> String {
    let mut text = String::from(
        "create table migration (number bigint primary key, name text not null, hash text not null, \
         applied_at text not null);\n",
    );
    for migration in &MIGRATIONS[..number] {
        text.push_str(&migration.text_for(dialect));
        text.push_str(&format!(
            "insert into migration (number, name, hash, applied_at) values ({}, '{}', '{}', '2026-01-01T00:00:00Z');\n",
            migration.number,
            migration.name,
            migration.hash()
        ));
    }
    // The one way in which the two write bytes differently.
    match dialect {
        Dialect::Sqlite => text.push_str(data),
        Dialect::Postgres => text.push_str(&data.replace(", x'", ", '\\x")),
    }
    text
}

async fn is_whole(driver: Arc<dyn Driver>) {
    let store = Store::new(driver, Arc::new(wiring::keys().unwrap()));
    let owners = store.owners_after("", 10).await.unwrap();
    let data = load(&Files::embedded()).unwrap();
    let clock = Clock::standing(machine_now());
    let (app, _): (App, _) = wiring::sandbox(store, clock, &data, 1).await.unwrap();
    assert_eq!(verify(&app).await.unwrap(), []);
    assert_eq!(owners.len(), 1, "one shopper");
    let ann = owners[0].parse().unwrap();
    let person = app.store.identity(ann).await.unwrap().unwrap();
    assert_eq!(
        person.name.unwrap().reveal(),
        "张安",
        "what is sealed can be opened"
    );
    let owed = fenqi_app::repayment::bills::bills(&app, &Actor::Shopper { id: ann }, ann)
        .await
        .unwrap();
    assert!(owed.agreements.len() == 1 && owed.bills.len() >= 3 && owed.payments.len() >= 4);
}

#[tokio::test]
async fn a_sqlite_store_that_was_left_behind_is_carried_over_whole() {
    for (number, data) in FIXTURES {
        let store = Sqlite::temporary().unwrap();
        let operator = rusqlite::Connection::open(store.path()).unwrap();
        operator
            .execute_batch(&left_behind(*number, data, Dialect::Sqlite))
            .unwrap();
        let applied = store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(applied.len(), MIGRATIONS.len() - number);
        let shown: i64 = operator
            .query_row("select count(*) from installment", [], |row| row.get(0))
            .unwrap();
        assert_eq!(shown, 12, "the view shows one row an instalment");
        is_whole(Arc::new(store)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_store_that_was_left_behind_is_carried_over_whole() {
    let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
        println!("skipped on PostgreSQL: FENQI_TEST_POSTGRES does not name a server");
        return;
    };
    for (number, data) in FIXTURES {
        let schema = format!("upgrade_{}_{number}", std::process::id());
        drop_schema(&url, &schema).await.unwrap();
        create_schema(&url, &schema).await.unwrap();
        let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(connection);
        let text = left_behind(*number, data, Dialect::Postgres);
        operator
            .batch_execute(&format!("set search_path to {schema}; {text}"))
            .await
            .unwrap();
        let store = Postgres::connect(&PostgresOptions::new(&url).in_schema(&schema))
            .await
            .unwrap();
        let applied = store.migrate(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(applied.len(), MIGRATIONS.len() - number);
        is_whole(Arc::new(store)).await;
        drop_schema(&url, &schema).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "writes the fixture of the newest migration, which must not be released yet"]
async fn the_fixture_of_the_newest_migration_is_written() {
    let newest = MIGRATIONS.last().unwrap();
    let released = include_str!("../../crates/store/schema/released.txt");
    assert!(!released.contains(&format!("{:04}_{}", newest.number, newest.name)));
    let path = std::env::temp_dir().join(format!("fenqi-fixture-{}.db", std::process::id()));
    let sqlite = Sqlite::open(&path, SqliteOptions::default()).unwrap();
    sqlite.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
    let store = Store::new(Arc::new(sqlite), Arc::new(wiring::keys().unwrap()));
    let data = load(&Files::embedded()).unwrap();
    let played = play_on(&data, "fixture.txt", SCENARIO, store).await.unwrap();
    assert_eq!(played.troubles, [""; 0]);
    let mut text = format!(
        "-- A store as a scenario left it at migration {:04}; a later migration must carry it over. Written by\n\
         -- sim/tests/upgrade.rs; once the migration is released it is never changed.\n",
        newest.number
    );
    text.push_str(&dumped(&path));
    let file = format!("{:04}_{}.sql", newest.number, newest.name);
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/store/tests/fixtures");
    std::fs::write(fixtures.join(file), text).unwrap();
    for end in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.clone().into_os_string();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
}

/// Every row of a store as SQL that both databases read but for bytes.
fn dumped(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' \
                  and name <> 'migration' order by name";
    let mut statement = connection.prepare(tables).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut text = String::new();
    for table in tables {
        let table = table.unwrap();
        // What the database itself reckons out of other columns is not among these.
        let columns = "select group_concat(name, ', ') from pragma_table_info($1)";
        let columns: String = connection.query_row(columns, [&table], |row| row.get(0)).unwrap();
        let mut rows = connection
            .prepare(&format!("select {columns} from {table}"))
            .unwrap();
        let count = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        // A migration may have made a row, as that of the clock.
        text.push_str(&format!("delete from {table};\n"));
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..count).map(|at| literal(row.get_ref(at).unwrap())).collect();
            let values = values.join(", ");
            text.push_str(&format!("insert into {table} ({columns}) values ({values});\n"));
        }
    }
    text
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''")),
        ValueRef::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}
