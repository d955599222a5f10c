//! The books that `fenqi bench day` measures on are books that could be: `verify` finds no difference in them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]
#![expect(
    clippy::disallowed_macros,
    reason = "a test without a server says that it is skipped"
)]

use fenqi_app::verify::verify;
use fenqi_server::bench::day::{self, Size};
use fenqi_server::data::{Data, Files, load};
use fenqi_server::wiring::{Database, Opening, clock, open, sandbox};
use fenqi_store::{Store, create_schema, drop_schema};

const SIZE: Size = Size {
    agreements: 250,
    due: 20,
};

/// What differs in a store.
async fn differences(store: &Store, data: &Data) -> Vec<String> {
    let business = clock(store).await.unwrap();
    let (app, _) = sandbox(store.clone(), business, data, 1).await.unwrap();
    let found = verify(&app).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

async fn agree_before_and_after(store: Store) {
    let data = load(&Files::embedded()).unwrap();
    day::fill(store.clone(), &data, SIZE).await.unwrap();
    assert_eq!(differences(&store, &data).await, Vec::<String>::new());
    let again = day::fill(store.clone(), &data, SIZE).await.unwrap_err();
    assert!(again.contains("name an empty one"), "{again}");
    let figures = day::run(store.clone(), &data).await.unwrap();
    for job in ["age", "bill", "debit", "remind"] {
        assert_eq!(figures.jobs.get(job).copied(), Some(20), "{job}: {figures:?}");
    }
    for job in ["expire", "fund", "pay_out"] {
        assert_eq!(figures.jobs.get(job).copied(), Some(0), "{job}: {figures:?}");
    }
    assert_eq!(differences(&store, &data).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_books_of_the_bench_agree_on_sqlite() {
    let store = open(&Database::Temporary, &Opening::default()).await.unwrap();
    agree_before_and_after(store).await;
}

#[tokio::test]
async fn the_books_of_the_bench_agree_on_postgres() {
    let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
        eprintln!("skipped: FENQI_TEST_POSTGRES names no server");
        return;
    };
    let schema = format!("bench_day_{}", std::process::id());
    drop_schema(&url, &schema).await.unwrap();
    create_schema(&url, &schema).await.unwrap();
    let opening = Opening {
        schema: Some(schema.clone()),
        ..Opening::default()
    };
    let store = open(&Database::Postgres(url.clone()), &opening).await.unwrap();
    agree_before_and_after(store).await;
    drop_schema(&url, &schema).await.unwrap();
}
