//! The checkpoint: moving the log into the database, outside the path of a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::Connection;

/// After how many new pages in the log (4 KiB each) a checkpoint is asked for. A page that
/// many commits have changed is moved once, so that seldom is cheaper than often.
const EVERY_PAGES: usize = 16_000;

/// From which size of the log on the writer lets a checkpoint catch up with it: 256 MiB.
const LOG_PAGES_MAX: usize = 64_000;

/// How near a checkpoint must have come for the writer to wait for the rest of it.
const NEARLY_PAGES: usize = 4_000;

/// The writer's hold on the thread that checkpoints.
pub(super) struct Checkpointer {
    wanted: SyncSender<Option<SyncSender<()>>>,
    moved: Arc<AtomicUsize>,
    asked_at: usize,
}

/// The thread's end: what it is asked for, perhaps with someone who waits for its end, and where it says
/// how many pages of the log it has moved.
pub(super) struct Wanted {
    requests: Receiver<Option<SyncSender<()>>>,
    moved: Arc<AtomicUsize>,
}

/// What the writer does about its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Ask,
    Wait,
}

/// A checkpoint that runs beside the writer never quite catches up with it, and the log starts again
/// from its beginning only when it has. So, once the log is large, the writer waits for a pass that has
/// little left to move; only when none comes near it waits for one that has much.
fn next(log: usize, moved: usize, asked_at: usize) -> Next {
    let behind = log.saturating_sub(moved);
    if log >= LOG_PAGES_MAX && (behind < NEARLY_PAGES || log >= LOG_PAGES_MAX.saturating_mul(2)) {
        return Next::Wait;
    }
    if log >= LOG_PAGES_MAX || log.saturating_sub(asked_at) >= EVERY_PAGES {
        return Next::Ask;
    }
    Next::GoOn
}

impl Checkpointer {
    pub(super) fn new() -> (Self, Wanted) {
        let (wanted, requests) = sync_channel(1);
        let moved = Arc::new(AtomicUsize::new(0));
        (
            Self {
                wanted,
                moved: Arc::clone(&moved),
                asked_at: 0,
            },
            Wanted { requests, moved },
        )
    }

    /// Asks for a checkpoint, or waits for one, if the log has grown enough.
    pub(super) fn after_commit(&mut self, log: usize) {
        if log < self.asked_at {
            self.asked_at = 0;
        }
        match next(log, self.moved.load(Ordering::Relaxed), self.asked_at) {
            Next::GoOn => {}
            Next::Ask => {
                self.asked_at = log;
                match self.wanted.try_send(None) {
                    Ok(()) | Err(TrySendError::Full(_)) => {}
                    Err(TrySendError::Disconnected(_)) => {
                        tracing::error!("the checkpointing thread has ended")
                    }
                }
            }
            Next::Wait => {
                self.asked_at = log;
                let (done, end) = sync_channel(1);
                if self.wanted.send(Some(done)).is_ok() {
                    // An end that never comes means that the thread has ended, which is said above.
                    let _ = end.recv();
                }
            }
        }
    }
}

/// Serves until the writer has ended.
pub(super) fn run(connection: &Connection, wanted: &Wanted) {
    while let Ok(waiting) = wanted.requests.recv() {
        // The pragma answers: was it kept from its work, pages in the log, pages moved.
        match connection.query_row("pragma wal_checkpoint(passive)", [], |row| row.get::<_, i64>(2)) {
            Ok(moved) => wanted
                .moved
                .store(usize::try_from(moved).unwrap_or(0), Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "could not checkpoint the log; it grows until it can be"),
        }
        if let Some(waiting) = waiting {
            let _ = waiting.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_waits_only_for_a_checkpoint_that_has_nearly_caught_up() {
        assert_eq!(next(100, 0, 0), Next::GoOn);
        assert_eq!(next(EVERY_PAGES, 0, 0), Next::Ask);
        assert_eq!(next(EVERY_PAGES + 1, 0, EVERY_PAGES), Next::GoOn);
        assert_eq!(next(LOG_PAGES_MAX, 0, LOG_PAGES_MAX), Next::Ask);
        assert_eq!(next(LOG_PAGES_MAX, LOG_PAGES_MAX - 100, 0), Next::Wait);
        assert_eq!(next(2 * LOG_PAGES_MAX, 0, 0), Next::Wait);
    }

    #[test]
    fn a_pass_moves_all_of_the_log_when_nobody_writes() {
        let path = std::env::temp_dir().join(format!("fenqi-checkpoint-{}.db", std::process::id()));
        let writing = Connection::open(&path).unwrap();
        writing
            .execute_batch("pragma journal_mode=wal; pragma wal_autocheckpoint=0")
            .unwrap();
        writing
            .execute_batch("drop table if exists t; create table t (a); insert into t values (1)")
            .unwrap();
        let moving = Connection::open(&path).unwrap();
        let (checkpointer, wanted) = Checkpointer::new();
        let moved = Arc::clone(&checkpointer.moved);
        let (done, end) = sync_channel(1);
        checkpointer.wanted.send(Some(done)).unwrap();
        drop(checkpointer);
        run(&moving, &wanted);
        end.recv().unwrap();
        let pages: i64 = writing
            .query_row("pragma wal_checkpoint(passive)", [], |row| row.get(1))
            .unwrap();
        assert!(pages > 0);
        assert_eq!(i64::try_from(moved.load(Ordering::Relaxed)).unwrap(), pages);
        drop((writing, moving));
        std::fs::remove_file(&path).unwrap();
    }
}
