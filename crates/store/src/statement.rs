//! A statement: one named SQL text, written once for both databases.

use crate::fault::Fault;
use crate::value::{Kind, Value};

/// One SQL text with its name and the kinds of what goes in and comes out.
///
/// The text starts with a line `-- name`, so that it is found in a server's log; it is lower case
/// and portable (no clock, no `lateral`, no `any(array)`: see the ADR on SQL), and its parameters
/// are written `$1`, `$2` … The drivers derive from it what their database needs: SQLite's `?1`,
/// PostgreSQL's form with arrays.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// The name, as `aggregate.verb`; it is unique in the registry.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
    /// The kind of each parameter, in order.
    pub params: &'static [Kind],
    /// The kind of each column of the answer, in order; empty for a write.
    pub columns: &'static [Kind],
}

impl Statement {
    /// Whether `values` may be given to this statement: as many as it has parameters, each of its kind.
    ///
    /// Errors: [`Fault::Misused`], a mistake in our own code, with the position.
    pub fn accepts(&self, values: &[Value]) -> Result<(), Fault> {
        if values.len() != self.params.len() {
            let what = format!(
                "{} parameters given, {} declared",
                values.len(),
                self.params.len()
            );
            return Err(Fault::Misused {
                statement: self.name,
                what,
            });
        }
        let wrong = values
            .iter()
            .zip(self.params)
            .position(|(value, kind)| !value.fits(*kind));
        let Some(index) = wrong else { return Ok(()) };
        let what = format!(
            "parameter ${} is not of the kind declared",
            index.saturating_add(1)
        );
        Err(Fault::Misused {
            statement: self.name,
            what,
        })
    }

    /// Whether the text is a question (`select` or `with … select`) and not a write.
    #[must_use]
    pub fn is_question(&self) -> bool {
        !self.columns.is_empty() && matches!(self.first_word(), "select" | "with")
    }

    /// Two statements are the same when they are the same text in the program.
    ///
    /// A constant may be copied to several places, so it is the text and not the struct that counts.
    #[must_use]
    pub fn identity(&self) -> Identity {
        (self.sql.as_ptr().addr(), self.sql.len())
    }

    fn first_word(&self) -> &'static str {
        let body = self
            .sql
            .lines()
            .find(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty());
        body.unwrap_or("").split_whitespace().next().unwrap_or("")
    }
}

/// What tells one statement's text from another's: where it lies in the program, and its length.
pub type Identity = (usize, usize);

/// A statement with its parameters, to be read.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is asked.
    pub statement: &'static Statement,
    /// With which parameters.
    pub params: Vec<Value>,
}

impl Query {
    /// Asks `statement` with `params`.
    #[must_use]
    pub fn new(statement: &'static Statement, params: Vec<Value>) -> Self {
        Self { statement, params }
    }
}
