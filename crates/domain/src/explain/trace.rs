//! What the fold tells while it walks: which figure of which row moved when, why, and by which numbers.
//!
//! Nothing is told unless somebody asks, so that a loan that is only read costs no more.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::explain::{Cause, Explanation, Name};
use crate::late::Counted;
use crate::loan::Amendment;
use crate::loan::state::{Standing, State};
use crate::loan::{Event, Figures, Transaction};
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;

/// Everything that was told so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// The figures of each row that was ever there, when they were last looked at, by its mark.
    seen: Vec<[Figures; 4]>,
    /// What moved.
    pub moves: Vec<Move>,
    /// What was owed to the payer when it was last looked at.
    credit_seen: Amount,
    /// What came to be owed to the payer, and what was taken of it.
    pub credit: (Vec<Explanation>, Vec<Explanation>),
    /// What the transaction at hand said of a figure.
    told: Vec<Told>,
    /// The amounts that were lent over schedules.
    pub lent: Vec<Lent>,
    /// The days that counted as late.
    pub late: Vec<LateDays>,
    /// How the interest of the current period accrued so far.
    pub accrued: Vec<Explanation>,
}

/// Which of the four numbers of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// What it came to.
    Charged,
    /// What was paid.
    Paid,
    /// What was waived.
    Waived,
    /// What fell away.
    Cancelled,
}

/// One number that moved.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    /// The mark of its row.
    pub row: u32,
    /// The component.
    pub component: Component,
    /// The number.
    pub number: Number,
    /// By how much; negative if it fell.
    pub amount: Amount,
    /// Why.
    pub cause: Cause,
    /// When.
    pub on: Date,
    /// By which transaction, if it was one.
    pub transaction: Option<u32>,
    /// Which amount that was lent made it, and the row's place in its schedule.
    pub lent: Option<(usize, usize)>,
    /// What was told of it.
    pub why: Option<Explanation>,
}

/// A figure that a rule set.
#[derive(Debug, Clone)]
struct Told {
    row: u32,
    component: Component,
    number: Number,
    why: Explanation,
}

/// An amount that was lent over a schedule of its own.
#[derive(Debug, Clone)]
pub(crate) struct Lent {
    /// How much.
    pub amount: Amount,
    /// The day from which its interest counts.
    pub from: Date,
    /// The due dates of its rows.
    pub dates: Vec<Date>,
    /// The marks of its rows.
    pub rows: Vec<u32>,
    /// When.
    pub on: Date,
}

/// Days that counted as late for a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LateDays {
    /// The mark of the row.
    pub row: u32,
    /// The evening on which they begin.
    pub from: Date,
    /// The evening on which they end.
    pub until: Date,
    /// What was overdue.
    pub base: Amount,
    /// How they counted.
    pub counted: Counted,
}

impl Trace {
    /// Says where a number of a row comes from, before it is looked at.
    pub fn tell(&mut self, row: u32, component: Component, number: Number, why: Explanation) {
        self.told.push(Told {
            row,
            component,
            number,
            why,
        });
    }

    /// What was told of a number, if what was told is what happened.
    fn take(
        &mut self,
        row: u32,
        component: Component,
        number: Number,
        amount: Amount,
    ) -> Option<Explanation> {
        let mut told = self.told.iter();
        let place = told.position(|t| (t.row, t.component, t.number) == (row, component, number))?;
        Some(self.told.swap_remove(place).why).filter(|why| why.value == amount)
    }

    /// Gives a row that is new its mark.
    pub fn mark(&mut self, standing: &mut Standing) -> Option<&mut [Figures; 4]> {
        if standing.mark == 0 {
            self.seen.push([Figures::default(); 4]);
            standing.mark = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        }
        let place = usize::try_from(standing.mark).ok()?.checked_sub(1)?;
        self.seen.get_mut(place)
    }

    /// Notes what moved in a row since it was last looked at.
    fn look(&mut self, standing: &mut Standing, event: Moved, lent: Option<usize>) -> Result<(), OutOfRange> {
        let now = Component::ALL.map(|component| *standing.row.figures(component));
        let Some(seen) = self.mark(standing) else {
            return Ok(());
        };
        let before = core::mem::replace(seen, now);
        let row = standing.mark;
        let place = lent.and_then(|at| self.lent.get(at)?.rows.iter().position(|r| *r == row));
        for (component, (now, before)) in Component::ALL.into_iter().zip(now.iter().zip(&before)) {
            let numbers = [
                (Number::Charged, now.charged, before.charged),
                (Number::Paid, now.paid, before.paid),
                (Number::Waived, now.waived, before.waived),
                (Number::Cancelled, now.cancelled, before.cancelled),
            ];
            for (number, now, before) in numbers.into_iter().filter(|(_, now, before)| now != before) {
                let amount = now.minus(before)?;
                let why = self.take(row, component, number, amount);
                let is_price = number == Number::Charged && component != Component::Penalty;
                // Nobody pays by borrowing: what is paid then is met by what the payer was owed.
                let cause = match (event.cause, number) {
                    (Cause::Lent, Number::Paid) => Cause::CreditMet,
                    (cause, _) => cause,
                };
                self.moves.push(Move {
                    row,
                    component,
                    number,
                    amount,
                    cause,
                    on: event.on,
                    transaction: event.transaction,
                    lent: lent.zip(place).filter(|_| is_price),
                    why,
                });
            }
        }
        Ok(())
    }

    /// Notes by how much what is owed to the payer moved since it was last looked at.
    fn look_at_credit(&mut self, credit: Amount, event: Moved) -> Result<(), OutOfRange> {
        let before = core::mem::replace(&mut self.credit_seen, credit);
        let Moved { on, transaction, .. } = event;
        let name = |cause| Name::Moved {
            cause,
            on,
            transaction,
        };
        if credit > before {
            let why = Explanation::given(name(event.cause), credit.minus(before)?);
            self.credit.0.push(why);
        } else if credit < before {
            // Nobody is paid by being lent to: what they were owed meets it.
            let cause = match event.cause {
                Cause::Lent => Cause::CreditMet,
                cause => cause,
            };
            let why = Explanation::given(name(cause), before.minus(credit)?);
            self.credit.1.push(why);
        }
        Ok(())
    }
}

/// What moves figures.
#[derive(Debug, Clone, Copy)]
struct Moved {
    cause: Cause,
    on: Date,
    transaction: Option<u32>,
}

impl State<'_> {
    /// Lets the fold tell from now on.
    pub(crate) fn listen(&mut self) -> Result<(), OutOfRange> {
        self.trace = Some(alloc::boxed::Box::default());
        if let Some(accrual) = &mut self.accrual {
            accrual.leveled = Some(Vec::new());
        }
        self.look(Cause::Other, None)
    }

    /// Notes what moved, if somebody asks.
    pub(crate) fn look(&mut self, cause: Cause, by: Option<&Transaction>) -> Result<(), OutOfRange> {
        let Some(mut trace) = self.trace.take() else {
            return Ok(());
        };
        let event = Moved {
            cause,
            on: self.day,
            transaction: by.map(|t| t.number),
        };
        let is_lent = by.is_some_and(|t| matches!(t.event, Event::Disbursed { .. }));
        let lent = trace.lent.len().checked_sub(1).filter(|_| is_lent);
        for standing in &mut self.rows {
            trace.look(standing, event, lent)?;
        }
        trace.look_at_credit(self.credit, event)?;
        trace.told.clear();
        self.trace = Some(trace);
        Ok(())
    }

    /// Notes that an amount was lent over the rows to come.
    pub(crate) fn tell_lent(&mut self, amount: Amount, from: Date, dates: &[Date]) {
        let due = self.due;
        let rows = self.rows.iter().skip(due).map(|s| s.mark).collect();
        let on = self.day;
        if let Some(trace) = &mut self.trace {
            trace.lent.push(Lent {
                amount,
                from,
                dates: dates.into(),
                rows,
                on,
            });
        }
    }
}

impl Cause {
    /// What an event does.
    pub(crate) const fn of(event: &Event) -> Cause {
        match event {
            Event::Disbursed { .. } => Cause::Lent,
            Event::Repaid { .. } => Cause::Repaid,
            Event::Refunded { .. } => Cause::Refunded,
            Event::Waived { .. } => Cause::Waived,
            Event::Amended { by } => match by {
                Amendment::Credited { .. } | Amendment::ChargeAdjusted { .. } => Cause::Credited,
                Amendment::Charged { .. } | Amendment::Surcharged { .. } | Amendment::FeeTaken { .. } => {
                    Cause::Charged
                }
                Amendment::ChargeWaived { .. } => Cause::Waived,
                Amendment::ChargedBack { .. } => Cause::ChargedBack,
                Amendment::HandedBack { .. } => Cause::HandedBack,
                Amendment::Reamortised { .. }
                | Amendment::Reaged { .. }
                | Amendment::Rescheduled { .. }
                | Amendment::RateChanged { .. }
                | Amendment::InterestPaused { .. } => Cause::Rescheduled,
                Amendment::ChargedOff | Amendment::WrittenOff | Amendment::Terminated => Cause::Ended,
            },
            Event::Reversed { .. }
            | Event::Paused
            | Event::Resumed
            | Event::Excused { .. }
            | Event::Deferred { .. } => Cause::Other,
            Event::PaidOut { .. } => Cause::PaidOut,
        }
    }
}
