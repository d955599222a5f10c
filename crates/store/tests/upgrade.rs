//! A store that an older version left behind, carried over to the newest schema on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test that cannot go on says so, and why it was skipped"
)]

use fenqi_store::migrate::{Dialect, MIGRATIONS};
use fenqi_store::tables::{agreements, books, credit, requests, work};
use fenqi_store::{
    Driver, Kind, Postgres, PostgresOptions, Query, Sqlite, Statement, create_schema, drop_schema,
};

/// What stores that were left behind hold, by the number of their last migration.
static FIXTURES: &[(usize, &str)] = &[(1, include_str!("fixtures/0001_foundation.sql"))];

static INSTALMENTS: Statement = Statement {
    name: "test.instalments",
    sql: "-- test.instalments\nselect number, due_on, principal, fee, outstanding from installment \
          where shopper = $1 and agreement = $2 order by number",
    params: &[Kind::Text, Kind::Text],
    columns: &[Kind::Int, Kind::Text, Kind::Int, Kind::Int, Kind::Int],
};

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
        Dialect::Postgres => text.push_str(&data.replace("x'01ff'", "'\\x01ff'")),
    }
    text
}

async fn is_whole(store: &dyn Driver) {
    let key = || vec!["shp_ann".into(), "agr_1".into()];
    let rows = store
        .read(vec![
            Query::new(
                &requests::FIND,
                vec!["shp_ann".into(), "shp_ann".into(), "k1".into()],
            ),
            Query::new(&credit::LINE, vec!["shp_ann".into(), "bank".into()]),
            Query::new(&credit::LINE, vec!["shp_bob".into(), "bank".into()]),
            Query::new(&agreements::FIND, key()),
            Query::new(
                &agreements::REFERENCE_FIND,
                vec!["shop".into(), "2026-0001".into()],
            ),
            Query::new(&books::OF_SHOPPER, vec!["shp_ann".into()]),
            Query::new(&agreements::EVENTS, key()),
            Query::new(
                &work::DUE,
                vec![
                    "fund".into(),
                    "2026-01-01".into(),
                    "".into(),
                    "".into(),
                    "".into(),
                    9_i64.into(),
                ],
            ),
            Query::new(&INSTALMENTS, key()),
        ])
        .await
        .unwrap();
    assert_eq!(rows[0][0].blob(0).unwrap(), [1, 255]);
    assert_eq!(rows[1][0].int(3).unwrap(), 399_900);
    assert_eq!(rows[2][0].opt_int(2).unwrap(), Some(300_000));
    assert_eq!(rows[3].len(), 1);
    assert_eq!(rows[4][0].text(1).unwrap(), "agr_1");
    assert_eq!(rows[5][0].int(3).unwrap(), 399_900);
    assert_eq!(rows[6][0].text(1).unwrap(), "agreement.confirmed");
    assert_eq!(rows[7][0].text(1).unwrap(), "agr_1");
    let instalments: Vec<(i64, &str, i64, i64, i64)> = rows[8]
        .iter()
        .map(|row| {
            let int = |position| row.int(position).unwrap();
            (int(0), row.text(1).unwrap(), int(2), int(3), int(4))
        })
        .collect();
    let expected = [
        (1, "2026-02-05", 133_300, 100, 133_400),
        (2, "2026-03-05", 133_300, 100, 133_400),
        (3, "2026-04-05", 133_300, 100, 133_400),
    ];
    assert_eq!(instalments, expected, "the view shows one row an instalment");
}

#[tokio::test]
async fn a_sqlite_store_that_was_left_behind_is_carried_over() {
    for (number, data) in FIXTURES {
        let store = Sqlite::temporary().unwrap();
        let operator = rusqlite::Connection::open(store.path()).unwrap();
        operator
            .execute_batch(&left_behind(*number, data, Dialect::Sqlite))
            .unwrap();
        let applied = store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(applied.len(), MIGRATIONS.len() - number);
        is_whole(&store).await;
    }
}

#[tokio::test]
async fn a_postgres_store_that_was_left_behind_is_carried_over() {
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
        is_whole(&store).await;
        drop(store);
        drop_schema(&url, &schema).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_whose_migration_was_edited_is_refused() {
    let store = Sqlite::temporary().unwrap();
    store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
    let operator = rusqlite::Connection::open(store.path()).unwrap();
    operator
        .execute("update migration set hash = 'other' where number = 1", [])
        .unwrap();
    let fault = store
        .migrate(jiff::Timestamp::UNIX_EPOCH)
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("0001_foundation was changed after it was applied"),
        "{fault}"
    );
}
