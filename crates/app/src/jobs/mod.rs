//! Jobs (后台任务): reconcilers that look at the state, act, and may run twice.
//!
//! A job takes no input but the day. It finds its work by an index (what was planned, by kind and day), so that its cost
//! grows with what is due and not with what exists; one piece that fails is counted and holds back no other.

use std::future::Future;

use fenqi_domain::id::ShopperId;
use fenqi_store::Fault;
use fenqi_store::tables::agenda::Task;
use fenqi_store::tables::messages::Waiting;
use fenqi_store::tables::payments::OpenPayment;
use fenqi_store::tables::work::{Page, Place, Work};
use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::App;
use crate::outcome::Denied;

pub mod age;
pub mod ask;
pub mod bill;
pub mod day;
pub mod debit;
pub mod deliver;
pub mod expire;
pub mod forget;
pub mod fund;
pub mod pay_out;
pub mod publish;
pub mod remind;
pub mod roll_up;

/// What a job did.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Report {
    /// Pieces that were looked at.
    pub seen: u64,
    /// Pieces on which it acted.
    pub acted: u64,
    /// Pieces that failed, each with what was wrong.
    pub failed: Vec<String>,
}

impl Report {
    /// The same with pieces that another job did on the way.
    fn and(self, acted: u64) -> Report {
        Report {
            seen: self.seen.saturating_add(acted),
            acted: self.acted.saturating_add(acted),
            failed: self.failed,
        }
    }

    /// Both together.
    pub(crate) fn with(mut self, other: Report) -> Report {
        self.failed.extend(other.failed);
        Report {
            seen: self.seen.saturating_add(other.seen),
            acted: self.acted.saturating_add(other.acted),
            failed: self.failed,
        }
    }

    /// Pieces that were all acted on.
    fn all(pieces: usize) -> Report {
        let pieces = u64::try_from(pieces).unwrap_or(u64::MAX);
        Report::default().and(pieces)
    }

    /// A job that could not go on is a failure of its own.
    fn of(ended: Result<Report, Denied>) -> Report {
        ended.unwrap_or_else(|error| Report {
            failed: vec![error.to_string()],
            ..Report::default()
        })
    }

    fn count(&mut self, piece: &Work, done: Result<bool, Denied>) {
        self.note(&format_args!("{} of {}", piece.subject, piece.shopper), done);
    }

    /// Counts a piece by its name.
    pub(crate) fn note(&mut self, piece: &dyn std::fmt::Display, done: Result<bool, Denied>) {
        self.seen = self.seen.saturating_add(1);
        match done {
            Ok(true) => self.acted = self.acted.saturating_add(1),
            Ok(false) => {}
            Err(error) => self.failed.push(format!("{piece}: {error}")),
        }
    }
}

/// How many pieces of work are read at once.
const PAGE: i64 = 2_000;

/// How many shoppers are worked on at once, so that their commits share an fsync.
const AT_ONCE: usize = 128;

/// How many pieces are read, decided and committed together: enough to share a snapshot, and few enough that reading,
/// deciding and committing overlap.
const ROUND: usize = 128;

/// How many rounds are under way at once. What waits for a commit fills the next group, so that many small rounds make
/// groups as large as few large ones do, and begin sooner.
const ROUNDS_AT_ONCE: usize = 6;

/// Where a job finds its work: page by page, so that what is read does not grow with what there is.
pub(crate) enum Pages {
    /// What was planned of a kind up to a day, in the order of days.
    Planned {
        kind: &'static str,
        until: Date,
        after: Option<Place>,
    },
    /// The agreements of which a task is due up to a day.
    Agreements {
        task: Task,
        until: Date,
        after: Option<Place>,
    },
    /// Payments that have no outcome yet.
    OpenPayments { after: Option<OpenPayment> },
    /// Messages whose time has come.
    Messages {
        until: Timestamp,
        after: Option<Waiting>,
    },
}

impl Pages {
    /// What was planned of a kind up to a day.
    pub(crate) fn of(kind: &'static str, until: Date) -> Pages {
        let after = None;
        Pages::Planned { kind, until, after }
    }

    /// The agreements of which a task is due up to a day.
    pub(crate) fn due(task: Task, until: Date) -> Pages {
        let after = None;
        Pages::Agreements { task, until, after }
    }

    /// The next page; none after the last. What is no work although it stands there is noted and passed over.
    async fn next(&mut self, app: &App, report: &mut Report) -> Result<Option<Vec<Work>>, Fault> {
        let page: Vec<Work> = match self {
            Pages::Planned { kind, until, after } => {
                let page = app.store.work_due(kind, *until, after.as_ref(), PAGE).await?;
                return Ok(readable(page, after, report));
            }
            Pages::Agreements { task, until, after } => {
                let page = app
                    .store
                    .agreements_due(*task, *until, after.as_ref(), PAGE)
                    .await?;
                return Ok(readable(page, after, report));
            }
            Pages::OpenPayments { after } => {
                let page = app.store.open_payments(after.as_ref(), PAGE).await?;
                *after = page.last().cloned();
                let today = app.day_of(app.clock.now());
                let piece = |open: OpenPayment| Work {
                    shopper: open.shopper,
                    subject: open.payment,
                    due_on: today,
                };
                page.into_iter().map(piece).collect()
            }
            Pages::Messages { until, after } => {
                let mut page = app.store.messages_due(*until, after.as_ref(), PAGE).await?;
                *after = page.last().cloned();
                // What one shopper is told lies side by side, in the order in which it happened.
                page.sort_by(|a, b| a.shopper.cmp(&b.shopper));
                let piece = |waiting: Waiting| Work {
                    due_on: app.day_of(waiting.send_after),
                    shopper: waiting.shopper,
                    subject: waiting.id,
                };
                page.into_iter().map(piece).collect()
            }
        };
        Ok(Some(page).filter(|page| !page.is_empty()))
    }
}

/// The pieces of a page of work, whose end is remembered; none after the last. Those whose day cannot be read are noted.
fn readable(page: Page, after: &mut Option<Place>, report: &mut Report) -> Option<Vec<Work>> {
    *after = Some(page.last?);
    for place in page.unreadable {
        let what = format!("due_on: `{}` is no day", place.due_on);
        let statement = "work.due";
        report.note(&place, Err(Fault::Corrupt { statement, what }.into()));
    }
    Some(page.pieces)
}

/// Does every piece of work that is found. Pieces of one shopper are done one after the other, those of different shoppers
/// side by side.
pub(crate) async fn each<F, Fut>(app: &App, mut pages: Pages, act: F) -> Result<Report, Denied>
where
    F: Fn(Work) -> Fut,
    Fut: Future<Output = Result<bool, Denied>>,
{
    let mut report = Report::default();
    while let Some(page) = pages.next(app, &mut report).await? {
        let shoppers = page.chunk_by(|a, b| a.shopper == b.shopper).map(<[Work]>::to_vec);
        let act = &act;
        let mut done = stream::iter(shoppers)
            .map(|pieces| async move {
                let mut outcomes = Vec::with_capacity(pieces.len());
                for piece in pieces {
                    let outcome = act(piece.clone()).await;
                    outcomes.push((piece, outcome));
                }
                outcomes
            })
            .buffer_unordered(AT_ONCE);
        while let Some(outcomes) = done.next().await {
            for (piece, outcome) in outcomes {
                report.count(&piece, outcome);
            }
        }
    }
    Ok(report)
}

/// A piece of work with its identifiers read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<I> {
    /// Whose.
    pub shopper: ShopperId,
    /// About what.
    pub subject: I,
    /// The day for which it was planned.
    pub planned: Date,
}

impl<I: Copy> Due<I> {
    /// What is read for it.
    pub fn keys(all: &[Due<I>]) -> Vec<(ShopperId, I)> {
        all.iter().map(|due| (due.shopper, due.subject)).collect()
    }
}

/// Does every piece of work that is found, in rounds: all of a round is read at once, and what is decided is committed
/// at once. `round` answers for each of its pieces in their order. The pieces of one shopper that lie side by side are in
/// one round.
pub(crate) async fn in_rounds<I, F, Fut>(app: &App, mut pages: Pages, round: F) -> Result<Report, Denied>
where
    I: std::str::FromStr + Copy,
    F: Fn(Vec<Due<I>>) -> Fut,
    Fut: Future<Output = Vec<Result<bool, Denied>>>,
{
    let mut report = Report::default();
    while let Some(page) = pages.next(app, &mut report).await? {
        let round = &round;
        // One round is read and decided while the ones before it are committed.
        let mut done = stream::iter(rounds_of(page))
            .map(|pieces| async move {
                // A piece whose identifiers cannot be read fails by itself.
                let named: Vec<Result<Due<I>, Denied>> = pieces.iter().map(due).collect();
                let readable = named.iter().filter_map(|due| due.as_ref().ok().copied());
                let mut done = round(readable.collect()).await.into_iter();
                let outcomes: Vec<_> = named
                    .into_iter()
                    .map(|due| due.and_then(|_| done.next().unwrap_or(Err(Denied::NotFound))))
                    .collect();
                (pieces, outcomes)
            })
            .buffered(ROUNDS_AT_ONCE);
        while let Some((pieces, outcomes)) = done.next().await {
            for (piece, outcome) in pieces.iter().zip(outcomes) {
                report.count(piece, outcome);
            }
        }
    }
    Ok(report)
}

/// Carries out what the pieces of a round came to: those of one shopper one after the other, those of different shoppers
/// side by side. The outcomes come in the order of the pieces.
pub(crate) async fn side_by_side<I, T, F, Fut>(pieces: Vec<(Due<I>, T)>, act: F) -> Vec<Result<bool, Denied>>
where
    F: Fn(Due<I>, T) -> Fut,
    Fut: Future<Output = Result<bool, Denied>>,
{
    let mut shoppers: Vec<Vec<(Due<I>, T)>> = Vec::new();
    for piece in pieces {
        let own = shoppers.last_mut().filter(|own| {
            let last = own.last();
            last.is_some_and(|(due, _)| due.shopper == piece.0.shopper)
        });
        match own {
            Some(own) => own.push(piece),
            None => shoppers.push(vec![piece]),
        }
    }
    let act = &act;
    let done = stream::iter(shoppers).map(|own| async move {
        let mut outcomes = Vec::with_capacity(own.len());
        for (due, piece) in own {
            outcomes.push(act(due, piece).await);
        }
        outcomes
    });
    done.buffered(AT_ONCE).flat_map(stream::iter).collect().await
}

/// A page of work in rounds; what lies side by side for one shopper is not torn apart.
fn rounds_of(page: Vec<Work>) -> Vec<Vec<Work>> {
    let mut rounds: Vec<Vec<Work>> = Vec::new();
    for piece in page {
        let open = rounds.last_mut().filter(|round| {
            let same = round.last().is_some_and(|last| last.shopper == piece.shopper);
            round.len() < ROUND || same
        });
        match open {
            Some(round) => round.push(piece),
            None => rounds.push(vec![piece]),
        }
    }
    rounds
}

fn due<I: std::str::FromStr>(piece: &Work) -> Result<Due<I>, Denied> {
    Ok(Due {
        shopper: named(&piece.shopper)?,
        subject: named(&piece.subject)?,
        planned: piece.due_on,
    })
}

/// Reads an identifier out of a piece of work.
pub(crate) fn named<I: std::str::FromStr>(text: &str) -> Result<I, Denied> {
    let what = || format!("`{text}` is no identifier");
    text.parse().map_err(|_| {
        Denied::Fault(fenqi_store::Fault::Corrupt {
            statement: "work.due",
            what: what(),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn one_shoppers_pieces_wait_for_each_other_and_outcomes_keep_their_order() {
        let due = |shopper: u128, subject: u32| Due {
            shopper: ShopperId::from_bits(shopper),
            subject,
            planned: Date::constant(2026, 1, 5),
        };
        let pieces = vec![(due(1, 1), true), (due(1, 2), false), (due(2, 3), true)];
        let seen = Mutex::new(Vec::new());
        let seen = &seen;
        let outcomes = side_by_side(pieces, |due, is_done| async move {
            seen.lock().map(|mut seen| seen.push(due.subject)).ok();
            tokio::task::yield_now().await;
            seen.lock().map(|mut seen| seen.push(due.subject + 10)).ok();
            Ok(is_done)
        })
        .await;
        assert_eq!(outcomes, [Ok(true), Ok(false), Ok(true)]);
        let seen = seen.lock().unwrap_or_else(|e| e.into_inner());
        let place = |what: u32| seen.iter().position(|one| *one == what);
        assert!(
            place(11) < place(2),
            "the second begins when the first has ended: {seen:?}"
        );
        assert!(
            place(3) < place(11),
            "the other shopper waits for neither: {seen:?}"
        );
    }
}
