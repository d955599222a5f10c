//! What can go wrong below the rules, and what a commit may answer.

use std::fmt;

use crate::batch::Guard;

/// Something broke. It is not a business answer: the caller may try again, or an operator must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too much to do at this moment, or others held the same rows for too long. Nothing was written.
    Busy {
        /// When to try again, in milliseconds from now.
        retry_after_ms: u32,
    },
    /// The connection broke while a batch was being committed, and whether it was cannot be known
    /// from here: read the state, or repeat the request under the same key.
    Lost,
    /// The database cannot be reached, or its disk refuses to write. Nothing was written.
    Unavailable(String),
    /// A stored row is not what we write: read by hand, or tampered with.
    Corrupt {
        /// The name of the statement that read it.
        statement: &'static str,
        /// Which column, what was expected and what was found.
        what: String,
    },
    /// The database refused a statement: a constraint of the schema, which the guards should have
    /// kept, or an error in the text. Nothing of the batch was written.
    Rejected {
        /// The name of the statement.
        statement: &'static str,
        /// The database's words.
        what: String,
    },
    /// A statement was given parameters it does not take: a mistake in our own code.
    Misused {
        /// The name of the statement.
        statement: &'static str,
        /// What does not fit.
        what: String,
    },
    /// Another process writes to this store.
    Held {
        /// The lock file.
        path: String,
        /// The process that holds it, if it could be read.
        by: Option<u32>,
    },
    /// The database is set so that acknowledged writes could be lost, or is otherwise not usable as it is.
    Unsafe(String),
    /// The schema and this program do not fit, or a migration failed.
    Schema(String),
    /// Sealed data could not be opened: another key, another place, or tampered with.
    Sealed(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { retry_after_ms } => {
                write!(out, "the store is busy; try again in {retry_after_ms} ms")
            }
            Self::Lost => write!(
                out,
                "the connection broke during a commit and its outcome is unknown"
            ),
            Self::Unavailable(what) => write!(out, "the store is unavailable: {what}"),
            Self::Corrupt { statement, what } => write!(out, "a stored row is wrong ({statement}): {what}"),
            Self::Rejected { statement, what } => write!(out, "the store rejected {statement}: {what}"),
            Self::Misused { statement, what } => write!(out, "{statement} was called wrongly: {what}"),
            Self::Held { path, by: Some(pid) } => write!(
                out,
                "process {pid} writes to this store (lock {path}); stop it first"
            ),
            Self::Held { path, by: None } => {
                write!(out, "another process writes to this store (lock {path})")
            }
            Self::Unsafe(what) => write!(out, "refusing to start: {what}"),
            Self::Schema(what) => write!(out, "the schema does not fit: {what}"),
            Self::Sealed(what) => write!(out, "sealed data could not be opened: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why a batch was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// This guard, the first in the order of the batch, did not hold. Nothing was written.
    Refused(Guard),
    /// Something broke; see [`Fault`] for what is known.
    Fault(Fault),
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(guard) => write!(out, "the guard did not hold: {guard:?}"),
            Self::Fault(fault) => fault.fmt(out),
        }
    }
}

impl std::error::Error for CommitError {}
