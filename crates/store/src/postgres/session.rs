//! A connection with the statements it has prepared.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use tokio_postgres::error::SqlState;

use super::connect::{Address, Connected, Purpose, unavailable};
use super::wire::{Param, Sent, type_of};
use crate::fault::Fault;
use crate::statement::{Identity, Statement};

/// Which text of a statement is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// The text itself.
    Plain,
    /// The form with arrays of a write or a guard; whether it tells who passed.
    Arrays { guarded: bool },
    /// The form with arrays of an insert that takes it for granted that its keys are free.
    Bold,
    /// The form of a guard that asks and changes nothing.
    Probe,
    /// The form that answers many askers.
    Asked,
}

/// What came back.
pub(super) enum Reply {
    /// Nothing that counts.
    Done,
    /// How many rows were touched.
    Touched(u64),
    /// Rows.
    Rows(Vec<tokio_postgres::Row>),
}

pub(super) type Answer = Result<Reply, tokio_postgres::Error>;

/// A connection and its prepared statements.
pub(super) struct Session {
    connected: Connected,
    prepared: HashMap<(Identity, Form), tokio_postgres::Statement>,
}

/// How long an answer is waited for. The server's own patience is much shorter; this one is for a
/// network that swallows packets.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

impl Session {
    pub(super) async fn open(address: &Address, purpose: Purpose) -> Result<Self, Fault> {
        Ok(Self {
            connected: address.connect(purpose).await?,
            prepared: HashMap::new(),
        })
    }

    /// Prepares the text of this form unless it is prepared already.
    pub(super) async fn prepare(
        &mut self,
        statement: &'static Statement,
        form: Form,
        text: &str,
    ) -> Result<(), tokio_postgres::Error> {
        let one = [(statement, form, text)];
        self.prepare_all(&one).await.map_err(|(_, error)| error)
    }

    /// As [`Session::prepare`] for many, in one flight: a new connection does not wait for each. The place of the first that
    /// failed comes with its error.
    pub(super) async fn prepare_all(
        &mut self,
        wanted: &[(&'static Statement, Form, &str)],
    ) -> Result<(), (usize, tokio_postgres::Error)> {
        let known = |(statement, form, _): &(&'static Statement, Form, &str)| {
            self.prepared.contains_key(&(statement.identity(), *form))
        };
        let missing: Vec<usize> = (0..wanted.len())
            .filter(|place| wanted.get(*place).is_some_and(|one| !known(one)))
            .collect();
        let client = &self.connected.client;
        let answers = missing.iter().filter_map(|place| {
            let (statement, form, text) = *wanted.get(*place)?;
            let types: Vec<_> = statement
                .params
                .iter()
                .map(|kind| type_of(*kind, form != Form::Plain))
                .collect();
            Some(async move {
                let prepared = client.prepare_typed(text, &types).await;
                (*place, (statement.identity(), form), prepared)
            })
        });
        for (place, key, prepared) in join_all(answers).await {
            let prepared = prepared.map_err(|error| (place, error))?;
            self.prepared.insert(key, prepared);
        }
        Ok(())
    }

    /// The prepared statement of this form.
    pub(super) fn prepared(
        &self,
        statement: &'static Statement,
        form: Form,
    ) -> Option<&tokio_postgres::Statement> {
        self.prepared.get(&(statement.identity(), form))
    }

    /// Something without parameters or an answer.
    pub(super) fn control<'a>(&'a self, sql: &'static str) -> Sent<'a, Answer> {
        Box::pin(async move {
            self.connected
                .client
                .batch_execute(sql)
                .await
                .map(|()| Reply::Done)
        })
    }

    /// The rows that a prepared statement returns.
    pub(super) fn rows<'a>(
        &'a self,
        prepared: &'a tokio_postgres::Statement,
        params: Vec<Param<'a>>,
    ) -> Sent<'a, Answer> {
        Box::pin(async move {
            let rows = self.connected.client.query_raw(prepared, params).await?;
            Ok(Reply::Rows(rows.try_collect().await?))
        })
    }

    /// How many rows a prepared statement touches.
    pub(super) fn touch<'a>(
        &'a self,
        prepared: &'a tokio_postgres::Statement,
        params: Vec<Param<'a>>,
    ) -> Sent<'a, Answer> {
        Box::pin(async move {
            self.connected
                .client
                .execute_raw(prepared, params)
                .await
                .map(Reply::Touched)
        })
    }

    /// Whether the connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.connected.client.is_closed()
    }

    /// Whether the server said, as its last word, that it ended the transaction before its commit.
    pub(super) async fn was_ended_before_its_commit(mut self) -> bool {
        let last = tokio::time::timeout(Duration::from_secs(1), self.connected.serving.join_next()).await;
        let Ok(Some(Ok(Err(error)))) = last else {
            return false;
        };
        error.code() == Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT)
    }
}

/// What the failure of one statement means, when the connection itself is whole.
pub(super) fn fault_of(statement: &'static Statement, error: &tokio_postgres::Error) -> Fault {
    match error.as_db_error() {
        Some(db) if is_of_the_server(db.code()) => Fault::Unavailable(db.to_string()),
        Some(db) => Fault::Rejected {
            statement: statement.name,
            what: db.to_string(),
        },
        None => unavailable(error),
    }
}

/// Whether the failure says something about the server and nothing about the statement: no space, no
/// memory, shutting down, broken.
fn is_of_the_server(code: &SqlState) -> bool {
    ["53", "57P", "58", "XX"]
        .iter()
        .any(|class| code.code().starts_with(class))
}
