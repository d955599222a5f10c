//! What is stored, aggregate by aggregate: the statements, the questions, and the writes.
//!
//! Questions are methods of [`Store`], named as the trade would ask them. Writes are functions that add statements to
//! a [`Batch`]; they decide nothing.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::Batch;
use crate::driver::Driver;
use crate::fault::{CommitError, Fault};
use crate::statement::{Query, Statement};
use crate::value::{Row, Value};
use crate::vault::Vault;

pub mod agenda;
pub mod agreements;
pub mod bills;
pub mod books;
pub mod channel;
pub mod clocks;
pub mod credit;
pub mod feed;
pub mod messages;
mod packed;
pub mod payments;
pub mod purchases;
pub mod quotes;
pub mod requests;
pub mod returns;
pub mod servicing;
pub mod settings;
pub mod shoppers;
pub mod staff;
pub mod work;

/// Declares named statements: the parameters' kinds, the columns' kinds, and the text.
macro_rules! statements {
    ($($(#[$meta:meta])* $constant:ident = $name:literal, ($($param:ident),* $(,)?) -> ($($column:ident),* $(,)?), $sql:expr;)*) => {
        $(
            #[doc = concat!("The statement `", $name, "`.")]
            $(#[$meta])*
            pub static $constant: $crate::statement::Statement = $crate::statement::Statement {
                name: $name,
                sql: concat!("-- ", $name, "\n", $sql),
                params: &[$($crate::value::Kind::$param),*],
                columns: &[$($crate::value::Kind::$column),*],
            };
        )*
        /// The statements of this aggregate.
        pub static STATEMENTS: &[&$crate::statement::Statement] = &[$(&$constant),*];
    };
}
pub(crate) use statements;

/// Every statement of the platform, for the test that prepares each on both databases.
pub fn registry() -> Vec<&'static Statement> {
    [
        agenda::STATEMENTS,
        agreements::STATEMENTS,
        bills::STATEMENTS,
        books::STATEMENTS,
        channel::STATEMENTS,
        clocks::STATEMENTS,
        credit::STATEMENTS,
        feed::STATEMENTS,
        messages::STATEMENTS,
        payments::STATEMENTS,
        purchases::STATEMENTS,
        quotes::STATEMENTS,
        requests::STATEMENTS,
        returns::STATEMENTS,
        settings::STATEMENTS,
        shoppers::STATEMENTS,
        staff::STATEMENTS,
        work::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
}

/// The store: a driver, and the vault that seals what is personal.
#[derive(Clone)]
pub struct Store {
    driver: Arc<dyn Driver>,
    vault: Arc<Vault>,
}

impl Store {
    /// A store over a driver.
    pub fn new(driver: Arc<dyn Driver>, vault: Arc<Vault>) -> Store {
        Store { driver, vault }
    }

    /// The vault that seals what is personal.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Commits a batch whole or not at all.
    pub async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.driver.commit(batch).await
    }

    /// Answers several queries from one snapshot.
    pub(crate) async fn read(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, Fault> {
        self.driver.read(queries).await
    }

    /// The rows of one query.
    pub(crate) async fn rows(
        &self,
        statement: &'static Statement,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        Ok(self
            .read(vec![Query::new(statement, params)])
            .await?
            .pop()
            .unwrap_or_default())
    }

    /// The only row of one query, if there is one.
    pub(crate) async fn row(
        &self,
        statement: &'static Statement,
        params: Vec<Value>,
    ) -> Result<Option<Row>, Fault> {
        Ok(self.rows(statement, params).await?.into_iter().next())
    }
}

/// A detail as JSON text. What we store is ours, so that writing it cannot fail but for a mistake in our own types.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Value {
    // An empty text cannot be read back, so that such a mistake shows at once as a corrupt row and never as a wrong one.
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}

/// A detail from its JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row, position: usize) -> Result<T, Fault> {
    serde_json::from_str(row.text(position)?).map_err(|e| row.corrupt(position, e.to_string()))
}

/// A value that is stored as its text: an identifier, a date, a code.
pub(crate) fn parsed<T: std::str::FromStr>(row: &Row, position: usize) -> Result<T, Fault> {
    row.text(position)?
        .parse()
        .map_err(|_| row.corrupt(position, "is not of the form that is stored here"))
}

/// An instant from its microseconds.
pub(crate) fn instant(row: &Row, position: usize) -> Result<jiff::Timestamp, Fault> {
    jiff::Timestamp::from_microsecond(row.int(position)?).map_err(|e| row.corrupt(position, e.to_string()))
}
