//! The seam to the database: two methods.

use std::future::Future;
use std::pin::Pin;

use crate::batch::Batch;
use crate::fault::{CommitError, Fault};
use crate::statement::Query;
use crate::value::Row;

/// A future in a box, so that a driver can stand behind `dyn Driver`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A database that answers questions and commits batches.
///
/// It is one of the two seams of the product (the other is the outside parties' ports). A driver
/// holds no transaction open while business code runs: a decision is made first, and handed over
/// whole. Dropping a returned future does not undo what it began.
pub trait Driver: Send + Sync {
    /// Answers all queries from one snapshot, each with its rows, in order.
    ///
    /// What was acknowledged before the call is seen. Errors: a [`Fault`].
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>>;

    /// Commits the batch whole, or not at all, and answers when it is durable.
    ///
    /// Errors: [`CommitError::Refused`] with the first guard that did not hold, or a [`Fault`];
    /// only after [`Fault::Lost`] is it unknown whether the batch was committed.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>>;
}
