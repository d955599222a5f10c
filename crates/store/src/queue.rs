//! What waits for a writer: batches with the callers that expect an answer.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::batch::Batch;
use crate::fault::{CommitError, Fault};

/// How long a caller who met a full queue is asked to wait.
pub(crate) const RETRY_AFTER_MS: u32 = 200;

/// A batch with the one who waits for it.
pub(crate) struct Pending {
    pub(crate) batch: Batch,
    reply: oneshot::Sender<Result<(), CommitError>>,
    _place: OwnedSemaphorePermit,
}

impl Pending {
    /// Answers the caller; one who has left is not missed.
    pub(crate) fn answer(self, answer: Result<(), CommitError>) {
        let _ = self.reply.send(answer);
    }
}

/// The callers' end of a writer's queue.
///
/// It is bounded, so that a slow disk makes callers try later and not the process grow; urgent
/// batches have places of their own, so that purchases cannot fill the queue against repayments.
pub(crate) struct Entrance {
    sender: mpsc::UnboundedSender<Pending>,
    places: Arc<Semaphore>,
    urgent_places: Arc<Semaphore>,
}

impl Entrance {
    pub(crate) fn new(places: usize) -> (Self, mpsc::UnboundedReceiver<Pending>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let urgent_places = Arc::new(Semaphore::new(places));
        (
            Self {
                sender,
                places: Arc::new(Semaphore::new(places)),
                urgent_places,
            },
            receiver,
        )
    }

    /// Hands the batch over and waits for its answer.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        batch.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        let places = if batch.is_urgent() {
            &self.urgent_places
        } else {
            &self.places
        };
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            return Err(Fault::Busy {
                retry_after_ms: RETRY_AFTER_MS,
            }
            .into());
        };
        let (reply, answer) = oneshot::channel();
        let stopped = || CommitError::Fault(Fault::Unavailable("the writer has stopped".to_owned()));
        self.sender
            .send(Pending {
                batch,
                reply,
                _place: place,
            })
            .map_err(|_| stopped())?;
        // A writer that dies with our batch in its hands leaves the outcome open.
        answer.await.unwrap_or(Err(CommitError::Fault(Fault::Lost)))
    }
}

/// What a writer has taken from its queue and not yet begun.
pub(crate) struct Backlog {
    urgent: VecDeque<Pending>,
    others: VecDeque<Pending>,
    arrived: Vec<Pending>,
}

/// How many arrivals are taken from the channel at once.
const TAKEN_AT_ONCE: usize = 1024;

impl Backlog {
    pub(crate) fn new() -> Self {
        Self {
            urgent: VecDeque::new(),
            others: VecDeque::new(),
            arrived: Vec::new(),
        }
    }

    /// Takes all that has arrived, and blocks the thread for a first one if there is nothing to do.
    /// False when the queue is closed and empty.
    pub(crate) fn fill_blocking(&mut self, receiver: &mut mpsc::UnboundedReceiver<Pending>) -> bool {
        if self.is_empty() && receiver.blocking_recv_many(&mut self.arrived, TAKEN_AT_ONCE) == 0 {
            return false;
        }
        self.take_arrived(receiver);
        true
    }

    /// As [`Backlog::fill_blocking`], waiting without a thread.
    pub(crate) async fn fill(&mut self, receiver: &mut mpsc::UnboundedReceiver<Pending>) -> bool {
        if self.is_empty() && receiver.recv_many(&mut self.arrived, TAKEN_AT_ONCE).await == 0 {
            return false;
        }
        self.take_arrived(receiver);
        true
    }

    /// The next batches to commit together, at most `most`, the urgent ones first.
    pub(crate) fn next_group(&mut self, most: usize) -> Vec<Pending> {
        let urgent = self.urgent.len().min(most);
        let others = self.others.len().min(most.saturating_sub(urgent));
        self.urgent
            .drain(..urgent)
            .chain(self.others.drain(..others))
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.others.is_empty()
    }

    fn take_arrived(&mut self, receiver: &mut mpsc::UnboundedReceiver<Pending>) {
        while let Ok(pending) = receiver.try_recv() {
            self.arrived.push(pending);
        }
        for pending in self.arrived.drain(..) {
            if pending.batch.is_urgent() {
                self.urgent.push_back(pending);
            } else {
                self.others.push_back(pending);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Statement;

    static NOTHING: Statement = Statement {
        name: "nothing.do",
        sql: "-- nothing.do\nselect 1",
        params: &[],
        columns: &[],
    };

    fn batch(owner: &str, urgent: bool) -> Batch {
        let mut batch = Batch::new(owner);
        batch.put(&NOTHING, vec![]);
        if urgent {
            batch.urgent();
        }
        batch
    }

    #[tokio::test]
    async fn a_repayment_goes_before_the_purchases_that_came_earlier() {
        let (entrance, mut receiver) = Entrance::new(8);
        let all = async {
            tokio::join!(
                entrance.commit(batch("a", false)),
                entrance.commit(batch("b", false)),
                entrance.commit(batch("c", true)),
            )
        };
        let writer = async {
            let mut backlog = Backlog::new();
            assert!(backlog.fill(&mut receiver).await);
            let group = backlog.next_group(2);
            let lanes: Vec<u64> = group.iter().map(|pending| pending.batch.lane()).collect();
            assert_eq!(lanes, vec![Batch::new("c").lane(), Batch::new("a").lane()]);
            group
                .into_iter()
                .chain(backlog.next_group(2))
                .for_each(|pending| pending.answer(Ok(())));
        };
        let (answers, ()) = tokio::join!(all, writer);
        assert_eq!(answers, (Ok(()), Ok(()), Ok(())));
    }

    #[tokio::test]
    async fn a_full_queue_asks_purchases_to_wait_and_still_takes_repayments() {
        let (entrance, mut receiver) = Entrance::new(1);
        let busy = CommitError::Fault(Fault::Busy {
            retry_after_ms: RETRY_AFTER_MS,
        });
        let all = async {
            tokio::join!(
                entrance.commit(batch("a", false)),
                entrance.commit(batch("b", false)),
                entrance.commit(batch("c", true)),
            )
        };
        let writer = async {
            let mut backlog = Backlog::new();
            assert!(backlog.fill(&mut receiver).await);
            backlog
                .next_group(9)
                .into_iter()
                .for_each(|pending| pending.answer(Ok(())));
        };
        let (answers, ()) = tokio::join!(all, writer);
        assert_eq!(answers, (Ok(()), Err(busy), Ok(())));
    }

    #[tokio::test]
    async fn a_writer_that_dies_with_a_batch_leaves_its_outcome_unknown() {
        let (entrance, mut receiver) = Entrance::new(8);
        let writer = async {
            let mut backlog = Backlog::new();
            assert!(backlog.fill(&mut receiver).await);
            drop(backlog);
        };
        let (answer, ()) = tokio::join!(entrance.commit(batch("a", false)), writer);
        assert_eq!(answer, Err(CommitError::Fault(Fault::Lost)));
        drop(receiver);
        let answer = entrance.commit(batch("a", false)).await;
        assert!(matches!(answer, Err(CommitError::Fault(Fault::Unavailable(_)))));
    }
}
