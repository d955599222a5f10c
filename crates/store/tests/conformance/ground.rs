//! The ground that a test stands on: a fresh store on one of the databases, with the real schema.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fenqi_store::tables::{agreements, books, credit, requests, settings, work};
use fenqi_store::{
    Batch, CommitError, Driver, Guard, Kind, Postgres, PostgresOptions, Query, Sqlite, Statement, Value,
    create_schema, drop_schema,
};

/// A fresh store.
pub struct Ground {
    pub driver: Arc<dyn Driver>,
    postgres: Option<PostgresOptions>,
}

impl Ground {
    pub async fn sqlite() -> Ground {
        let store = Sqlite::temporary().unwrap();
        store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
        Ground {
            driver: Arc::new(store),
            postgres: None,
        }
    }

    /// `None` when no server was named, which is said aloud.
    pub async fn postgres() -> Option<Ground> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
            println!("skipped on PostgreSQL: FENQI_TEST_POSTGRES does not name a server");
            return None;
        };
        let schema = format!(
            "conformance_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        drop_schema(&url, &schema).await.unwrap();
        create_schema(&url, &schema).await.unwrap();
        let options = PostgresOptions::new(url).in_schema(schema);
        let store = Postgres::connect(&options).await.unwrap();
        store.migrate(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        Some(Ground {
            driver: Arc::new(store),
            postgres: Some(options),
        })
    }

    /// How the PostgreSQL store of this ground is reached by another process.
    pub fn options(&self) -> &PostgresOptions {
        self.postgres.as_ref().unwrap()
    }

    pub async fn clear(self) {
        drop(self.driver);
        if let Some(options) = self.postgres {
            drop_schema(&options.url, &options.schema.unwrap()).await.unwrap();
        }
    }

    /// The only number that a statement returns.
    pub async fn number(&self, statement: &'static Statement, params: Vec<Value>) -> i64 {
        number(&*self.driver, statement, params).await
    }

    pub async fn line(&self, shopper: &str, limit: i64) {
        let mut batch = Batch::new(shopper);
        batch.put(
            &credit::LINE_INSERT,
            vec![shopper.into(), "bank".into(), limit.into(), "2030-01-01".into()],
        );
        self.driver.commit(batch).await.unwrap();
    }

    /// The bank's line of a shopper: what is held of it.
    pub async fn held(&self, shopper: &str) -> i64 {
        let query = Query::new(&credit::LINE, vec![shopper.into(), "bank".into()]);
        self.driver.read(vec![query]).await.unwrap()[0][0].int(3).unwrap()
    }
}

pub async fn number(driver: &dyn Driver, statement: &'static Statement, params: Vec<Value>) -> i64 {
    driver.read(vec![Query::new(statement, params)]).await.unwrap()[0][0]
        .int(0)
        .unwrap()
}

/// What a test counts, for which the trade has no question.
pub static AGREEMENTS: Statement = Statement {
    name: "test.agreements",
    sql: "-- test.agreements\nselect count(*) from agreement",
    params: &[],
    columns: &[Kind::Int],
};

pub static REQUESTS: Statement = Statement {
    name: "test.requests",
    sql: "-- test.requests\nselect count(*) from request",
    params: &[],
    columns: &[Kind::Int],
};

/// Everything that a purchase leaves behind, over all tables it writes to.
pub static TRACES: Statement = Statement {
    name: "test.traces",
    sql: "-- test.traces\nselect (select count(*) from request) + (select count(*) from agreement) + (select count(*) from entry) \
          + (select count(*) from event) + (select count(*) from work) + (select count(*) from order_reference) as traces",
    params: &[],
    columns: &[Kind::Int],
};

/// How many rows one purchase leaves in those tables.
pub const TRACES_OF_ONE: i64 = 7;

/// One purchase as the platform writes it: request, facts, limit, agreement, order number, event, work, entries.
pub struct Purchase<'a> {
    pub shopper: &'a str,
    pub key: &'a str,
    /// Names the new rows; a repeated request brings new ones.
    pub id: &'a str,
    pub amount: i64,
    pub hash: &'a [u8],
}

impl<'a> Purchase<'a> {
    pub fn new(shopper: &'a str, key: &'a str, id: &'a str, amount: i64) -> Self {
        Self {
            shopper,
            key,
            id,
            amount,
            hash: b"one",
        }
    }

    pub fn batch(&self) -> Batch {
        let Self {
            shopper,
            key,
            id,
            amount,
            hash,
        } = *self;
        let mut batch = Batch::new(shopper);
        batch.require(
            Guard::RequestUnused,
            &requests::INSERT,
            vec![
                shopper.into(),
                shopper.into(),
                key.into(),
                hash.into(),
                id.into(),
                1_i64.into(),
            ],
        );
        batch.require(
            Guard::Fact("settings_unchanged"),
            &settings::GENERATION_IS,
            vec![1_i64.into()],
        );
        batch.require(
            Guard::Quantity("credit_available"),
            &credit::LINE_HOLD,
            vec![shopper.into(), "bank".into(), amount.into()],
        );
        batch.require(
            Guard::Quantity("quote_unused"),
            &agreements::INSERT,
            self.agreement(),
        );
        batch.require(
            Guard::Quantity("order_unused"),
            &agreements::REFERENCE_INSERT,
            vec!["shop".into(), id.into(), shopper.into(), id.into()],
        );
        self.follows(&mut batch);
        batch
    }

    fn agreement(&self) -> Vec<Value> {
        let Self {
            shopper, id, amount, ..
        } = *self;
        let mut agreement: Vec<Value> = vec![shopper.into(), id.into(), id.into(), id.into(), amount.into()];
        agreement.extend(["bank", "shop", "plan"].map(Value::from));
        agreement.push(1_i64.into());
        agreement.push("CNY".into());
        agreement.extend([amount, 0, amount].map(Value::from));
        agreement.extend(["confirmed", "{}", "{}", "[]", "[]", "digest"].map(Value::from));
        agreement.push(1_i64.into());
        agreement.push("2026-01-01".into());
        agreement
    }

    /// What cannot be refused once the guards before it passed.
    fn follows(&self, batch: &mut Batch) {
        let Self {
            shopper, id, amount, ..
        } = *self;
        batch.put(
            &agreements::EVENT_INSERT,
            vec![
                shopper.into(),
                id.into(),
                1_i64.into(),
                "agreement.confirmed".into(),
                "{}".into(),
                1_i64.into(),
            ],
        );
        batch.put(
            &work::PUT,
            vec![shopper.into(), "fund".into(), id.into(), "2026-01-01".into()],
        );
        for (number, credited) in [("1", "payable"), ("2", "fee")] {
            batch.put(
                &books::INSERT,
                vec![
                    shopper.into(),
                    format!("{id}-{number}").into(),
                    id.into(),
                    "receivable".into(),
                    credited.into(),
                    amount.into(),
                    "CNY".into(),
                    "test".into(),
                    "2026-01-01".into(),
                    1_i64.into(),
                ],
            );
        }
    }
}

pub const REQUEST_UNUSED: Result<(), CommitError> = Err(CommitError::Refused(Guard::RequestUnused));
pub const CREDIT_AVAILABLE: Result<(), CommitError> =
    Err(CommitError::Refused(Guard::Quantity("credit_available")));

/// Commits all at once and gives the answers in order.
pub async fn at_once(driver: &Arc<dyn Driver>, batches: Vec<Batch>) -> Vec<Result<(), CommitError>> {
    let mut tasks = tokio::task::JoinSet::new();
    for (index, batch) in batches.into_iter().enumerate() {
        let driver = Arc::clone(driver);
        tasks.spawn(async move { (index, driver.commit(batch).await) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
