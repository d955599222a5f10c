//! The readers: each has a connection of its own and takes its share of the questions that wait.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::text::{Prepared, unavailable};
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::Row;

/// Questions to be answered from one snapshot.
pub(super) struct Asked {
    pub(super) queries: Vec<Query>,
    pub(super) reply: oneshot::Sender<Answer>,
}

pub(super) type Answer = Result<Vec<Vec<Row>>, Fault>;

/// The queue that all readers share; whoever holds it waits for the next question.
pub(super) type Questions = Arc<Mutex<mpsc::UnboundedReceiver<Asked>>>;

/// How many callers' questions one transaction answers at most, so that the log can be checkpointed.
const SHARED_MAX: usize = 64;

/// Serves until the queue is closed. `readers` is how many there are to share the work.
pub(super) fn run(connection: &Connection, questions: &Questions, readers: usize) {
    let mut prepared = Prepared::new(connection);
    let mut taken = Vec::new();
    while take(questions, readers, &mut taken) {
        let begun = connection
            .prepare_cached("begin")
            .and_then(|mut begin| begin.raw_execute());
        for asked in taken.drain(..) {
            let answer = match &begun {
                Ok(_) => asked
                    .queries
                    .iter()
                    .map(|query| prepared.rows(query.statement, &query.params))
                    .collect(),
                Err(error) => Err(unavailable(error)),
            };
            let _ = asked.reply.send(answer);
        }
        let ended = connection
            .prepare_cached("commit")
            .and_then(|mut commit| commit.raw_execute());
        if let Err(error) = ended {
            tracing::warn!(%error, "could not end a read transaction");
        }
    }
}

/// Takes a share of what waits. All of it was asked before the snapshot that answers it begins.
fn take(questions: &Questions, readers: usize, taken: &mut Vec<Asked>) -> bool {
    let mut queue = questions.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(first) = queue.blocking_recv() else {
        return false;
    };
    taken.push(first);
    let share = queue.len().checked_div(readers).unwrap_or(0).min(SHARED_MAX);
    for _ in 0..share {
        let Ok(next) = queue.try_recv() else { break };
        taken.push(next);
    }
    true
}
