//! A driver that wraps another and does it harm, by seed: what a network and a crowd do by chance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::batch::Batch;
use crate::driver::{BoxFuture, Driver};
use crate::fault::{CommitError, Fault};
use crate::statement::Query;
use crate::value::Row;

/// How often each harm is done, in so many of a thousand calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Harm {
    /// A commit takes effect, and its answer is lost ([`Fault::Lost`]).
    pub lost_after_effect: u64,
    /// A commit or a read fails before it does anything ([`Fault::Lost`] for a commit, so that its
    /// caller cannot tell it from the one above).
    pub lost_before_effect: u64,
    /// A commit meets others' locks ([`Fault::Busy`]), or a read a server that is not there.
    pub busy: u64,
    /// A call is held up before it goes on.
    pub stalled: u64,
    /// For how long at most, in milliseconds.
    pub stall_ms_max: u64,
}

impl Harm {
    /// A bad day: every kind of harm, a third of all calls.
    pub const BAD_DAY: Harm = Harm {
        lost_after_effect: 80,
        lost_before_effect: 80,
        busy: 80,
        stalled: 100,
        stall_ms_max: 5,
    };
}

/// A driver that fails by seed. The same seed and the same order of calls give the same failures.
pub struct Saboteur {
    inner: Arc<dyn Driver>,
    harm: Harm,
    state: AtomicU64,
}

/// What is done to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    LoseAfter,
    LoseBefore,
    Busy,
    Stall(u64),
    Nothing,
}

impl Saboteur {
    /// Stands between the callers and `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Driver>, seed: u64, harm: Harm) -> Self {
        Self {
            inner,
            harm,
            state: AtomicU64::new(seed),
        }
    }

    fn next(&self) -> Deed {
        let drawn = mixed(self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed));
        let mut left = drawn % 1_000;
        let deeds = [
            (self.harm.lost_after_effect, Deed::LoseAfter),
            (self.harm.lost_before_effect, Deed::LoseBefore),
            (self.harm.busy, Deed::Busy),
            (
                self.harm.stalled,
                Deed::Stall((drawn >> 32) % self.harm.stall_ms_max.saturating_add(1)),
            ),
        ];
        for (share, deed) in deeds {
            if left < share {
                return deed;
            }
            left = left.saturating_sub(share);
        }
        Deed::Nothing
    }
}

/// SplitMix64: the next of a sequence that looks like chance.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl Driver for Saboteur {
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>> {
        Box::pin(async move {
            let gone = || Err(Fault::Unavailable("sabotage".to_owned()));
            match self.next() {
                Deed::LoseBefore | Deed::Busy => return gone(),
                Deed::Stall(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Deed::LoseAfter => {
                    let _ = self.inner.read(queries).await;
                    return gone();
                }
                Deed::Nothing => {}
            }
            self.inner.read(queries).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            match self.next() {
                Deed::LoseBefore => return Err(Fault::Lost.into()),
                Deed::Busy => return Err(Fault::Busy { retry_after_ms: 1 }.into()),
                Deed::Stall(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Deed::LoseAfter => {
                    let _ = self.inner.commit(batch).await;
                    return Err(Fault::Lost.into());
                }
                Deed::Nothing => {}
            }
            self.inner.commit(batch).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deeds(seed: u64, harm: Harm) -> Vec<Deed> {
        let inner: Arc<dyn Driver> = Arc::new(crate::Sqlite::temporary().unwrap());
        let saboteur = Saboteur::new(inner, seed, harm);
        (0..1_000).map(|_| saboteur.next()).collect()
    }

    #[test]
    fn a_seed_decides_what_is_done() {
        assert_eq!(deeds(7, Harm::BAD_DAY), deeds(7, Harm::BAD_DAY));
        assert_ne!(deeds(7, Harm::BAD_DAY), deeds(8, Harm::BAD_DAY));
    }

    #[test]
    fn every_harm_is_done_about_as_often_as_asked() {
        let deeds = deeds(1, Harm::BAD_DAY);
        let count = |of: fn(&Deed) -> bool| deeds.iter().filter(|deed| of(deed)).count();
        for found in [
            count(|deed| *deed == Deed::LoseAfter),
            count(|deed| *deed == Deed::LoseBefore),
            count(|deed| *deed == Deed::Busy),
        ] {
            assert!((50..110).contains(&found), "{found}");
        }
        assert!((70..130).contains(&count(|deed| matches!(deed, Deed::Stall(_)))));
    }
}
