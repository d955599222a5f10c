//! The one writer: what arrived during the last fsync shares the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc::UnboundedReceiver;

use super::checkpoint::Checkpointer;
use super::text::{Prepared, unavailable};
use crate::batch::Batch;
use crate::fault::{CommitError, Fault};
use crate::queue::{Backlog, Pending};

/// The writing connection with what it serves.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) receiver: UnboundedReceiver<Pending>,
    pub(super) group_max: usize,
    pub(super) checkpointer: Checkpointer,
    /// The size of the write-ahead log after the last commit, in pages.
    pub(super) log_pages: Arc<AtomicUsize>,
}

/// What a batch came to within its group.
type Outcome = Result<(), CommitError>;

/// How batches are kept apart within their group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoints {
    /// Not at all: if one must be undone after it has written, so must the group. A savepoint copies
    /// every page that a batch touches, which is a third of the work.
    None,
    /// Each in its own, so that it can be undone alone.
    Each,
}

/// For how many groups savepoints are set after one was needed: refusals come in crowds.
const WARY_GROUPS: u32 = 64;

/// Why a group was not committed.
enum GroupFailed {
    /// A batch without a savepoint must be undone after it has written: run again with one for each.
    WantsSavepoints,
    /// Nothing was written.
    NotBegun(Fault),
    /// The disk refused the commit itself: whether it will be found after a restart is unknown.
    Unknown(String),
}

impl Writer {
    /// Serves until the queue is closed.
    pub(super) fn run(mut self) {
        let mut backlog = Backlog::new();
        let mut prepared = Prepared::new(&self.connection);
        let mut broken: Option<String> = None;
        let mut wary: u32 = 0;
        while backlog.fill_blocking(&mut self.receiver) {
            let group = backlog.next_group(self.group_max);
            if let Some(why) = &broken {
                refuse_all(
                    group,
                    &Fault::Unavailable(format!("the disk failed; restart when it is mended: {why}")),
                );
                continue;
            }
            match commit_group(&self.connection, &mut prepared, &group, &mut wary) {
                Ok(outcomes) => group
                    .into_iter()
                    .zip(outcomes)
                    .for_each(|(one, outcome)| one.answer(outcome)),
                Err(GroupFailed::Unknown(why)) => {
                    refuse_all(group, &Fault::Lost);
                    broken = Some(why);
                }
                Err(GroupFailed::NotBegun(fault)) => refuse_all(group, &fault),
                Err(GroupFailed::WantsSavepoints) => {
                    refuse_all(
                        group,
                        &Fault::Busy {
                            retry_after_ms: crate::queue::RETRY_AFTER_MS,
                        },
                    );
                }
            }
            self.checkpointer
                .after_commit(self.log_pages.load(Ordering::Relaxed));
        }
    }
}

fn refuse_all(group: Vec<Pending>, fault: &Fault) {
    group
        .into_iter()
        .for_each(|one| one.answer(Err(CommitError::Fault(fault.clone()))));
}

fn commit_group(
    connection: &Connection,
    prepared: &mut Prepared<'_>,
    group: &[Pending],
    wary: &mut u32,
) -> Result<Vec<Outcome>, GroupFailed> {
    if *wary == 0 {
        match try_group(connection, prepared, group, Savepoints::None) {
            Err(GroupFailed::WantsSavepoints) => *wary = WARY_GROUPS,
            other => return other,
        }
    }
    *wary = wary.saturating_sub(1);
    try_group(connection, prepared, group, Savepoints::Each)
}

fn try_group(
    connection: &Connection,
    prepared: &mut Prepared<'_>,
    group: &[Pending],
    savepoints: Savepoints,
) -> Result<Vec<Outcome>, GroupFailed> {
    let begun = control(connection, "begin immediate");
    begun.map_err(|error| GroupFailed::NotBegun(unavailable(&error)))?;
    let outcomes = run_batches(connection, prepared, group, savepoints);
    if outcomes.is_err() {
        // SQLite may have rolled back by itself, and then there is nothing to roll back.
        let _ = control(connection, "rollback");
        return outcomes;
    }
    match control(connection, "commit") {
        Ok(()) => outcomes,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
            // The log may hold the commit although its fsync failed, and a second fsync would say
            // nothing about the first: only a restart tells.
            Err(GroupFailed::Unknown(error.to_string()))
        }
        Err(error) => {
            let _ = control(connection, "rollback");
            Err(GroupFailed::NotBegun(unavailable(&error)))
        }
    }
}

fn run_batches(
    connection: &Connection,
    prepared: &mut Prepared<'_>,
    group: &[Pending],
    savepoints: Savepoints,
) -> Result<Vec<Outcome>, GroupFailed> {
    let mut outcomes = Vec::with_capacity(group.len());
    for one in group {
        let outcome = match savepoints {
            Savepoints::Each => run_in_savepoint(connection, prepared, &one.batch)?,
            Savepoints::None => match run_steps(prepared, &one.batch) {
                Ok(()) => Ok(()),
                Err(stopped) if connection.is_autocommit() => {
                    return Err(GroupFailed::NotBegun(whole_group(stopped.why)));
                }
                Err(stopped) if stopped.has_written => return Err(GroupFailed::WantsSavepoints),
                Err(stopped) => Err(stopped.why),
            },
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Runs the batch; what it wrote is undone if a guard or a statement failed.
fn run_in_savepoint(
    connection: &Connection,
    prepared: &mut Prepared<'_>,
    batch: &Batch,
) -> Result<Outcome, GroupFailed> {
    let lost = |error: rusqlite::Error| GroupFailed::NotBegun(unavailable(&error));
    control(connection, "savepoint batch").map_err(lost)?;
    let done = run_steps(prepared, batch);
    if let Err(stopped) = &done {
        if connection.is_autocommit() {
            return Err(GroupFailed::NotBegun(whole_group(stopped.why.clone())));
        }
        control(connection, "rollback to batch").map_err(lost)?;
    }
    control(connection, "release batch").map_err(lost)?;
    Ok(done.map_err(|stopped| stopped.why))
}

/// Where a batch stopped.
struct Stopped {
    why: CommitError,
    has_written: bool,
}

fn run_steps(prepared: &mut Prepared<'_>, batch: &Batch) -> Result<(), Stopped> {
    let mut has_written = false;
    for step in batch.steps() {
        let touched = match prepared.touch(step.statement, &step.params) {
            Ok(touched) => touched,
            Err(fault) => {
                return Err(Stopped {
                    why: fault.into(),
                    has_written,
                });
            }
        };
        has_written |= touched > 0 && !step.statement.is_question();
        if let Some(guard) = step.guard.filter(|_| touched != 1) {
            return Err(Stopped {
                why: CommitError::Refused(guard),
                has_written,
            });
        }
    }
    Ok(())
}

/// What all of a group are told when SQLite gave up the whole transaction (a full disk, an I/O error).
fn whole_group(error: CommitError) -> Fault {
    match error {
        CommitError::Fault(fault @ (Fault::Unavailable(_) | Fault::Busy { .. })) => fault,
        other => Fault::Unavailable(other.to_string()),
    }
}

/// Begins, ends or marks a transaction.
fn control(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(|_| ())
}
