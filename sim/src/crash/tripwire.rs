//! A driver that does one harm to one commit, counted from when it was armed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fenqi_store::{Batch, BoxFuture, CommitError, Driver, Fault, Query, Row};

/// What is done to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitHarm {
    /// It fails, and nothing is written.
    Before,
    /// It is written, and the answer is lost.
    After,
    /// It is given twice if it takes a request's key first; if not, what gave it is run again (see
    /// [`Tripwire::was_struck`]).
    Twice,
}

/// The driver. Until it is armed it counts nothing, so that the opening of the market is not a point.
pub struct Tripwire {
    inner: Arc<dyn Driver>,
    at: Option<(u64, CommitHarm)>,
    is_armed: AtomicBool,
    commits: AtomicU64,
    struck: AtomicBool,
}

impl Tripwire {
    /// Stands before `inner`, and does its harm to the commit of this number, from 1.
    pub fn new(inner: Arc<dyn Driver>, at: Option<(u64, CommitHarm)>) -> Tripwire {
        Tripwire {
            inner,
            at,
            is_armed: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            struck: AtomicBool::new(false),
        }
    }

    /// From now on commits are counted.
    pub fn arm(&self) {
        self.is_armed.store(true, Ordering::Release);
    }

    /// How many commits there were.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Whether the harm was done.
    pub fn was_struck(&self) -> bool {
        self.struck.load(Ordering::Acquire)
    }

    /// The harm for the next commit, if it is its turn.
    fn next(&self) -> Option<CommitHarm> {
        if !self.is_armed.load(Ordering::Acquire) {
            return None;
        }
        let number = self.commits.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let (_, harm) = self.at.filter(|(at, _)| *at == number)?;
        self.struck.store(true, Ordering::Release);
        Some(harm)
    }
}

impl Driver for Tripwire {
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>> {
        self.inner.read(queries)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        let harm = self.next();
        Box::pin(async move {
            match harm {
                None => self.inner.commit(batch).await,
                Some(CommitHarm::Before) => Err(Fault::Unavailable("it fails here on purpose".into()).into()),
                Some(CommitHarm::After) => {
                    self.inner.commit(batch).await?;
                    Err(Fault::Lost.into())
                }
                Some(CommitHarm::Twice) => {
                    let again = batch.may_be_repeated().then(|| batch.clone());
                    let first = self.inner.commit(batch).await;
                    match again {
                        // The first must have taken the key, so that the second changes nothing.
                        Some(again) if first.is_ok() => match self.inner.commit(again).await {
                            Ok(()) => Err(Fault::Rejected {
                                statement: "request.insert",
                                what: "a batch that takes a key was committed twice".into(),
                            }
                            .into()),
                            Err(CommitError::Refused(_)) => first,
                            Err(fault) => Err(fault),
                        },
                        _ => first,
                    }
                }
            }
        })
    }
}
