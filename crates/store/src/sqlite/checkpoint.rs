//! The checkpoint: moving the log into the database, outside the path of a commit.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::Connection;

/// After how many new pages in the log (4 KiB each) a checkpoint is asked for. A page that
/// many commits have changed is moved once, so that seldom is cheaper than often.
const EVERY_PAGES: usize = 16_000;

/// How long the log may grow while the writer does not wait: 256 MiB.
const LOG_PAGES_MAX: usize = 64_000;

/// The writer's hold on the thread that checkpoints.
pub(super) struct Checkpointer {
    wanted: SyncSender<Option<SyncSender<()>>>,
    asked_at: usize,
}

/// What the thread waits for: a request, perhaps with someone who waits for its end.
pub(super) type Wanted = Receiver<Option<SyncSender<()>>>;

impl Checkpointer {
    pub(super) fn new() -> (Self, Wanted) {
        let (wanted, receiver) = sync_channel(1);
        (Self { wanted, asked_at: 0 }, receiver)
    }

    /// Asks for a checkpoint if the log has grown enough, and waits for it if it has grown too much.
    ///
    /// A checkpoint that runs beside the writer never quite catches up with it, and the log starts
    /// again from its beginning only when it has; so once in 256 MiB the writer lets it finish.
    pub(super) fn after_commit(&mut self, log_pages: usize) {
        if log_pages < self.asked_at {
            self.asked_at = 0;
        }
        if log_pages.saturating_sub(self.asked_at) < EVERY_PAGES {
            return;
        }
        self.asked_at = log_pages;
        if log_pages < LOG_PAGES_MAX {
            match self.wanted.try_send(None) {
                Ok(()) | Err(TrySendError::Full(_)) => {}
                Err(TrySendError::Disconnected(_)) => tracing::error!("the checkpointing thread has ended"),
            }
            return;
        }
        let (done, end) = sync_channel(1);
        if self.wanted.send(Some(done)).is_ok() {
            // An end that never comes means that the thread has ended, which is said above.
            let _ = end.recv();
        }
    }
}

/// Serves until the writer has ended.
pub(super) fn run(connection: &Connection, wanted: &Wanted) {
    while let Ok(waiting) = wanted.recv() {
        let done = connection.query_row("pragma wal_checkpoint(passive)", [], |row| row.get::<_, i64>(0));
        if let Err(error) = done {
            tracing::warn!(%error, "could not checkpoint the log; it grows until it can be");
        }
        if let Some(waiting) = waiting {
            let _ = waiting.send(());
        }
    }
}
