//! The driver for PostgreSQL, and what speaks its dialect: lanes of grouped commits, shared reads.

mod arrays;
mod connect;
mod group;
mod lane;
mod lexer;
mod reader;
mod session;
mod text;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::batch::Batch;
use crate::driver::{BoxFuture, Driver};
use crate::fault::{CommitError, Fault};
use crate::migrate::{self, Applied, Dialect, Found, MIGRATIONS, Memory};
use crate::queue::Entrance;
use crate::statement::{Query, Statement};
use crate::value::Row;
use connect::{Address, Purpose, check_name};
use group::Forms;
use lane::Lane;
use reader::{Asked, Reader};
use tokio_postgres::GenericClient;

/// How a PostgreSQL store is opened.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The connection URL. `sslmode` may be `disable`, `prefer`, `require` or `verify-full` (with
    /// `sslrootcert=FILE`).
    pub url: String,
    /// The schema to work in; `None` for the server's default.
    pub schema: Option<String>,
    /// How many connections write; at least 1. Batches of one owner always go to the same.
    pub lanes: usize,
    /// How many connections read; at least 1.
    pub readers: usize,
    /// How many batches share one commit at most; 1 commits each by itself.
    pub group_max: usize,
    /// How many batches may wait in a lane before callers are told to try later; urgent ones are
    /// counted apart.
    pub queue_max: usize,
    /// Whether every transaction is one that only reads: the server refuses to write.
    pub read_only: bool,
}

impl PostgresOptions {
    /// The usual options for the server at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
            lanes: 2,
            readers: 2,
            group_max: 256,
            queue_max: 8_192,
            read_only: false,
        }
    }

    /// The same in a schema of its own.
    #[must_use]
    pub fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }
}

/// A store in a PostgreSQL database.
pub struct Postgres {
    address: Address,
    lanes: Vec<Entrance>,
    questions: mpsc::UnboundedSender<Asked>,
    // The lanes and readers live as long as the store: dropped, the set ends them.
    _tasks: JoinSet<()>,
}

impl Postgres {
    /// Reaches the server and opens the connections as they are needed.
    ///
    /// Errors: [`Fault::Unsafe`] when the server would lose acknowledged writes or the address is wrong,
    /// [`Fault::Unavailable`] when it cannot be reached.
    pub async fn connect(options: &PostgresOptions) -> Result<Self, Fault> {
        let address = Address::parse(&options.url, options.schema.clone())?.only_reading(options.read_only);
        address.check_durability().await?;
        let mut tasks = JoinSet::new();
        let mut lanes = Vec::new();
        for _ in 0..options.lanes.max(1) {
            let (entrance, receiver) = Entrance::new(options.queue_max);
            let lane = Lane {
                address: address.clone(),
                receiver,
                group_max: options.group_max.max(1),
                session: None,
                forms: Forms::default(),
                wary: 0,
            };
            tasks.spawn(lane.run());
            lanes.push(entrance);
        }
        let (questions, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let readers = options.readers.max(1);
        for _ in 0..readers {
            let reader = Reader {
                address: address.clone(),
                questions: Arc::clone(&receiver),
                readers,
                session: None,
                forms: HashMap::new(),
            };
            tasks.spawn(reader.run());
        }
        Ok(Self {
            address,
            lanes,
            questions,
            _tasks: tasks,
        })
    }

    /// The address in a connection URL as one may read it aloud: user, hosts, database, encryption, and no password.
    ///
    /// Errors: [`Fault::Unsafe`] when it is no address.
    pub fn shown(url: &str) -> Result<String, Fault> {
        connect::shown(url)
    }

    /// Applies the migrations that the store does not have, and names them. `at` is kept beside each.
    ///
    /// Errors: [`Fault::Schema`] when the store and this program do not fit.
    pub async fn migrate(&self, at: jiff::Timestamp) -> Result<Vec<&'static str>, Fault> {
        let mut connected = self.address.connect(Purpose::Schema).await?;
        let failed = |error: tokio_postgres::Error| Fault::Schema(words(&error));
        let transaction = connected.client.transaction().await.map_err(failed)?;
        transaction.batch_execute(migrate::MEMORY).await.map_err(failed)?;
        // Two that migrate at one time do so one after the other.
        transaction
            .batch_execute("lock table migration in exclusive mode")
            .await
            .map_err(failed)?;
        let found = found(&transaction).await.map_err(failed)?;
        let missing = migrate::needed(MIGRATIONS, Dialect::Postgres, &found)?;
        for migration in missing {
            let failed = |error: tokio_postgres::Error| {
                Fault::Schema(format!(
                    "migration {:04}_{}: {}",
                    migration.number,
                    migration.name,
                    words(&error)
                ))
            };
            transaction
                .batch_execute(&migration.text_for(Dialect::Postgres))
                .await
                .map_err(failed)?;
            let (hash, at) = (migration.hash(), at.to_string());
            transaction
                .execute(
                    migrate::REMEMBER,
                    &[&migration.number, &migration.name, &hash, &at],
                )
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(missing.iter().map(|migration| migration.name).collect())
    }

    /// Whether the store's schema is this program's. Nothing is written.
    ///
    /// Errors: [`Fault::Schema`] when it is not, with what to do.
    pub async fn check_schema(&self) -> Result<(), Fault> {
        let connected = self.address.connect(Purpose::Schema).await?;
        let unavailable = |error: tokio_postgres::Error| connect::unavailable(&error);
        let found = found(&connected.client).await.map_err(unavailable)?;
        migrate::is_current(Dialect::Postgres, &found)
    }

    /// How many parameters and columns the database sees in a statement.
    ///
    /// Errors: when it cannot be prepared, or when a column cannot be read as the kind declared.
    pub async fn counts(&self, statement: &'static Statement) -> Result<(usize, usize), Fault> {
        let connected = self.address.connect(Purpose::Schema).await?;
        let types: Vec<_> = statement
            .params
            .iter()
            .map(|kind| wire::type_of(*kind, false))
            .collect();
        let prepared = connected.client.prepare_typed(statement.sql, &types).await;
        let prepared = prepared.map_err(|error| session::fault_of(statement, &error))?;
        for (column, kind) in prepared.columns().iter().zip(statement.columns) {
            if !wire::may_be_read(*kind, column.type_()) {
                let what = format!(
                    "column {} is {} and not {kind:?}; cast it",
                    column.name(),
                    column.type_()
                );
                return Err(Fault::Rejected {
                    statement: statement.name,
                    what,
                });
            }
        }
        Ok((prepared.params().len(), prepared.columns().len()))
    }

    /// Whether the statement has a form with arrays that the database takes, as a put and as a guard.
    ///
    /// Errors: [`Fault::Rejected`] when the derived text is not taken.
    pub async fn has_arrays(&self, statement: &'static Statement) -> Result<(bool, bool), Fault> {
        let connected = self.address.connect(Purpose::Schema).await?;
        let types: Vec<_> = statement
            .params
            .iter()
            .map(|kind| wire::type_of(*kind, true))
            .collect();
        let mut found = [false, false];
        for (found, guarded) in found.iter_mut().zip([false, true]) {
            let Some(form) = arrays::arrays(statement, guarded) else {
                continue;
            };
            let prepared = connected.client.prepare_typed(&form.text, &types).await;
            prepared.map_err(|error| session::fault_of(statement, &error))?;
            *found = true;
        }
        let others = [
            arrays::probe(statement).filter(|_| found[1]),
            arrays::bold(statement),
        ];
        for form in others.into_iter().flatten() {
            let prepared = connected.client.prepare_typed(&form.text, &types).await;
            prepared.map_err(|error| session::fault_of(statement, &error))?;
        }
        if let Some(text) = arrays::asked_by_many(statement) {
            let prepared = connected.client.prepare_typed(&text, &types).await;
            prepared.map_err(|error| session::fault_of(statement, &error))?;
        }
        Ok((found[0], found[1]))
    }
}

/// Makes an empty schema in the database at `url`. Errors: [`Fault::Schema`] when there is one already.
pub async fn create_schema(url: &str, schema: &str) -> Result<(), Fault> {
    in_database(url, schema, "create schema").await
}

/// Drops a schema with all that is in it, if it is there. Errors: a [`Fault`].
pub async fn drop_schema(url: &str, schema: &str) -> Result<(), Fault> {
    in_database(
        url,
        schema,
        "set client_min_messages = warning; drop schema if exists",
    )
    .await
}

async fn in_database(url: &str, schema: &str, verb: &str) -> Result<(), Fault> {
    check_name(schema)?;
    let connected = Address::parse(url, None)?.connect(Purpose::Schema).await?;
    let tail = if verb.ends_with("exists") { " cascade" } else { "" };
    let text = format!("{verb} \"{schema}\"{tail}");
    connected
        .client
        .batch_execute(&text)
        .await
        .map_err(|error| Fault::Schema(words(&error)))
}

/// The server's own words, which its error hides behind a general one.
fn words(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// What is in the schema that is worked in.
async fn found(client: &impl GenericClient) -> Result<Found, tokio_postgres::Error> {
    let columns = "select count(*) from information_schema.columns where table_schema = current_schema() \
                   and table_name = 'migration' and column_name in ('number', 'hash')";
    let columns: i64 = client.query_one(columns, &[]).await?.get(0);
    let exists = "select to_regclass('migration') is not null";
    let exists: bool = client.query_one(exists, &[]).await?.get(0);
    let memory = match (exists, columns) {
        (false, _) => Memory::None,
        (true, 2) => {
            let rows = client.query(migrate::RECALL, &[]).await?;
            Memory::Ours(rows.iter().map(applied).collect())
        }
        (true, _) => Memory::OfAnother,
    };
    let listed = "select relname::text from pg_class where relnamespace = current_schema()::regnamespace \
                  and relkind in ('r', 'p', 'v', 'i', 'I')";
    let rows = client.query(listed, &[]).await?;
    Ok(Found {
        memory,
        names: rows.iter().map(|row| row.get(0)).collect(),
        // Others may have tables of theirs in the same schema.
        is_own: false,
    })
}

/// A migration as the server's row remembers it.
fn applied(row: &tokio_postgres::Row) -> Applied {
    Applied {
        number: row.get(0),
        hash: row.get(1),
    }
}

impl Driver for Postgres {
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>> {
        Box::pin(async move {
            queries
                .iter()
                .try_for_each(|query| query.statement.accepts(&query.params))?;
            let stopped = || Fault::Unavailable("the readers have stopped".to_owned());
            let (reply, answer) = oneshot::channel();
            self.questions
                .send(Asked { queries, reply })
                .map_err(|_| stopped())?;
            answer.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let count = u64::try_from(self.lanes.len()).unwrap_or(1);
            let lane = batch
                .lane()
                .checked_rem(count)
                .and_then(|lane| usize::try_from(lane).ok());
            match lane.and_then(|lane| self.lanes.get(lane)) {
                Some(entrance) => entrance.commit(batch).await,
                None => Err(Fault::Unavailable("the store has no lanes".to_owned()).into()),
            }
        })
    }
}
