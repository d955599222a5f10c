//! The only crate that knows SQL.
//!
//! A use case reads with [`Query`] values, decides, and commits a [`Batch`]. Two drivers stand behind
//! the seam [`Driver`]: [`Sqlite`] and [`Postgres`].

mod batch;
mod driver;
mod fault;
pub mod migrate;
mod postgres;
mod queue;
pub mod saboteur;
mod sqlite;
mod statement;
pub mod tables;
mod value;
pub mod vault;

pub use batch::{Batch, Guard, Step};
pub use driver::{BoxFuture, Driver};
pub use fault::{CommitError, Fault};
pub use postgres::{Postgres, PostgresOptions, create_schema, drop_schema};
pub use sqlite::{Sqlite, SqliteOptions};
pub use statement::{Identity, Query, Statement};
pub use tables::Store;
pub use value::{Kind, Row, Value};
