//! The state that the fold carries from day to day, and the moves that all rules are made of.

use alloc::boxed::Box;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::{add_days, days_between};
use crate::explain::trace::{LateDays, Trace};
use crate::late::Late;
use crate::loan::booking::Booked;
use crate::loan::charges::{Charge, LeftOver};
use crate::loan::interest::Accrual;
use crate::loan::life::{Origin, Record};
use crate::loan::scheduled::Course;
use crate::loan::{Figures, Loan, Parts, Posting, PostingKind, Row};
use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::{Component, Terms};
use crate::servicing::Method;

/// A row and what the rules keep beside it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The row as everybody sees it.
    pub row: Row,
    /// How its lateness was counted so far.
    pub late: Late,
    /// The part of its principal that went away before its due date and took its share of the price along.
    pub freed: Amount,
    /// What of it had been paid and was given back with refunds; it stands among the cancelled.
    pub returned: Parts,
    /// What the seller bears by the terms, before anything was freed.
    pub subsidy_agreed: Amount,
    /// Why the row is there.
    pub origin: Origin,
    /// The day on which its period began.
    pub from: Date,
    /// Whether its period ended early, as what was open was spread anew.
    pub is_cut: bool,
    /// What was charged beside the plan: charges, chargebacks.
    pub added: Parts,
    /// What the plan makes it owe, where interest is scheduled.
    pub planned: Parts,
    /// What was paid before its day.
    pub ahead: Amount,
    /// What was paid after its day.
    pub late_paid: Amount,
    /// What of it was paid or waived when it was last looked at.
    pub met: Amount,
    /// Which row it is where its figures are explained, whatever its number becomes; 0 elsewhere.
    pub mark: u32,
}

/// A span of days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

/// Money in (positive, from the payer's side) or out, for the annual cost of what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    /// When.
    pub on: Date,
    /// Positive if the payer paid or returned goods, negative if the payer received.
    pub amount: Amount,
}

/// A loan on its way through the days.
#[derive(Debug, Clone)]
pub(crate) struct State<'a> {
    /// What was signed.
    pub terms: &'a Terms,
    /// The day up to which everything is counted.
    pub day: Date,
    /// All rows, by due date.
    pub rows: Vec<Standing>,
    /// How many of them have fallen due.
    pub due: usize,
    /// How many of those, from the first on, are cleared for good; none where servicing can open a row again.
    pub settled: usize,
    /// What was lent.
    pub disbursed: Amount,
    /// What went back by refunds.
    pub refunded: Amount,
    /// The part of it for which paid fees go back as well.
    pub refunded_with_fees: Amount,
    /// What was waived of principal and came back with refunds.
    pub recovered: Amount,
    /// Interest, fee and subsidy that went back so far.
    pub returned: Returned,
    /// What is owed to the payer; see [`Loan::credit_balance`].
    pub credit: Amount,
    /// Principal that is open.
    pub principal: Amount,
    /// How many pauses are open.
    pub pauses: u32,
    /// Days that do not count as late, merged and ascending.
    pub excused: Vec<Span>,
    /// Open principal × days, for the cap on all costs.
    pub principal_days: i128,
    /// What the payer was charged so far beside principal. What is given back or waived makes no room for penalties.
    pub cost: Amount,
    /// Interest of the current period that had accrued by `accrued_to`.
    pub accrued: Amount,
    /// See `accrued`.
    pub accrued_to: Date,
    /// Money that moved, for the annual cost.
    pub flows: Vec<Flow>,
    /// What the schedule is built from, where interest is scheduled.
    pub course: Course,
    /// What the books must show.
    pub postings: Vec<Posting>,
    /// The figures that they show, where [`State::book`] writes them.
    pub booked: Booked,
    /// The rate that holds on the day.
    pub rate: Rate,
    /// Interest that follows the balance, of agreements that say so.
    pub accrual: Option<Accrual<'a>>,
    /// The charges that stand.
    pub charges: Vec<Charge>,
    /// The shares of every instalment that are charged, each with the number of its transaction.
    pub surcharges: Vec<(u32, Rate)>,
    /// What each transaction did so far.
    pub records: Vec<Record>,
    /// What payments left over so far.
    pub left_over: Vec<LeftOver>,
    /// What the transaction at hand let earlier payments pay.
    pub met_before: Parts,
    /// What was charged back so far: of which transaction, how much.
    pub chargebacks: Vec<(u32, Amount)>,
    /// What the transaction at hand says of itself: its parts, and what was over.
    pub told: Option<(Parts, Amount)>,
    /// Whether the loan was charged off.
    pub is_charged_off: bool,
    /// Whether its rows are what they are now, whatever they were built from.
    pub is_fixed: bool,
    /// What the fold tells, if somebody asks why.
    pub trace: Option<Box<Trace>>,
}

/// What was given back with refunds, by what it had been.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Returned {
    /// Interest.
    pub interest: Amount,
    /// Fees.
    pub fee: Amount,
    /// The seller's share.
    pub subsidy: Amount,
    /// The seller's share that was charged so far, gross.
    pub subsidy_charged: Amount,
}

impl<'a> State<'a> {
    /// A loan on the evening before anything happens.
    pub fn new(terms: &'a Terms, due_dates: &[Date], day: Date, excused: Vec<Span>) -> State<'a> {
        let starts = core::iter::once(&terms.signed_on).chain(due_dates);
        let rows = (1..=u16::MAX)
            .zip(starts.zip(due_dates))
            .map(|(number, (from, due_on))| {
                let mut standing = Standing::empty(*from, *due_on, Origin::Agreed);
                standing.row.number = number;
                standing
            })
            .collect();
        let accrual = terms.conventions.servicing.as_deref().and_then(|servicing| {
            let annual = terms.pricing.rate();
            let follows = annual > Rate::ZERO && servicing.method == Method::Balance;
            let mut accrual = Accrual::new(servicing, annual, terms.signed_on, due_dates);
            accrual.is_moved = due_dates != terms.due_dates;
            follows.then_some(accrual)
        });
        let mut state = State {
            terms,
            day,
            rows,
            due: 0,
            settled: 0,
            disbursed: Amount::ZERO,
            refunded: Amount::ZERO,
            refunded_with_fees: Amount::ZERO,
            recovered: Amount::ZERO,
            returned: Returned::default(),
            credit: Amount::ZERO,
            principal: Amount::ZERO,
            pauses: 0,
            excused,
            principal_days: 0,
            cost: Amount::ZERO,
            accrued: Amount::ZERO,
            accrued_to: day,
            flows: Vec::new(),
            course: Course::default(),
            postings: Vec::new(),
            booked: Booked::default(),
            rate: terms.pricing.rate(),
            accrual,
            charges: Vec::new(),
            surcharges: Vec::new(),
            records: Vec::new(),
            left_over: Vec::new(),
            met_before: Parts::default(),
            chargebacks: Vec::new(),
            told: None,
            is_charged_off: false,
            is_fixed: false,
            trace: None,
        };
        state.due = state.rows.iter().take_while(|r| r.row.due_on <= day).count();
        state
    }

    /// The rows that have fallen due and may still be open.
    pub fn due_rows(&mut self) -> impl Iterator<Item = &mut Standing> {
        let (settled, due) = (self.settled, self.due);
        self.rows
            .iter_mut()
            .take(due)
            .skip(settled)
            .filter(|s| s.is_open())
    }

    /// The rows that have not.
    pub fn ahead_rows(&mut self) -> impl DoubleEndedIterator<Item = &mut Standing> {
        let due = self.due;
        self.rows.iter_mut().skip(due)
    }

    /// Writes a movement of the day, if there is one. Of agreements with servicing [`State::book`] writes them all.
    pub fn post(&mut self, kind: PostingKind, amount: Amount) {
        if self.terms.conventions.servicing.is_none() {
            self.write(kind, amount);
        }
    }

    /// Writes what was paid of each component.
    pub fn post_paid(&mut self, paid: &Parts) {
        self.post(PostingKind::PenaltyRepaid, paid.penalty);
        self.post(PostingKind::FeeRepaid, paid.fee);
        self.post(PostingKind::InterestRepaid, paid.interest);
        self.post(PostingKind::PrincipalRepaid, paid.principal);
    }

    /// Writes a charge to the payer and counts it among the costs.
    pub fn charge(&mut self, kind: PostingKind, amount: Amount) -> Result<(), OutOfRange> {
        self.post(kind, amount);
        self.cost = self.cost.plus(amount)?;
        Ok(())
    }

    /// Days of `(self.day, to]` that count as late where something is overdue.
    pub fn counted_days(&self, to: Date) -> i64 {
        if self.pauses > 0 {
            return 0;
        }
        let all = days_between(self.day, to);
        self.excused.iter().fold(all, |left, span| {
            let before = days_between(span.from, self.day).saturating_add(1).max(0);
            let length = days_between(span.from, span.until.min(to)).saturating_add(1);
            left.saturating_sub(length.saturating_sub(before).max(0))
        })
    }

    /// The day on which the `count`-th late day after `self.day` is counted, if nothing is paused until then.
    pub fn nth_counted_day(&self, count: i64) -> Result<Date, OutOfRange> {
        let mut day = add_days(self.day, count)?;
        for span in &self.excused {
            if span.until > self.day && span.from <= day {
                let first = span.from.max(add_days(self.day, 1)?);
                day = add_days(day, days_between(first, span.until).saturating_add(1))?;
            }
        }
        Ok(day)
    }

    /// Moves the day on: principal-days and late days are counted, nothing is posted.
    pub fn advance(&mut self, to: Date) -> Result<(), OutOfRange> {
        let days = days_between(self.day, to);
        if days <= 0 {
            return Ok(());
        }
        let error = OutOfRange("principal days");
        let principal_days = i128::from(self.principal.minor())
            .checked_mul(i128::from(days))
            .ok_or(error)?;
        self.principal_days = self.principal_days.checked_add(principal_days).ok_or(error)?;
        // Nothing can be late where everything that fell due is cleared.
        let counted = if self.settled < self.due {
            self.counted_days(to)
        } else {
            0
        };
        if counted > 0 {
            let policy = &self.terms.conventions.late;
            let due = self.rows.iter_mut().take(self.due).skip(self.settled);
            for standing in due.filter(|s| s.is_open()) {
                let base = standing.base()?;
                if !base.is_positive() {
                    continue;
                }
                let counted = standing.late.count(base, counted, policy)?;
                if let Some(trace) = &mut self.trace {
                    trace.late.push(LateDays {
                        row: standing.mark,
                        from: self.day,
                        until: to,
                        base,
                        counted,
                    });
                }
            }
        }
        self.day = to;
        Ok(())
    }

    /// Notes for each row whether nothing is left of it, and since when.
    pub fn mark_cleared(&mut self) -> Result<(), OutOfRange> {
        let day = self.day;
        // What was cleared stays so until more is lent on it.
        if self.terms.conventions.servicing.is_some() {
            return self.mark_settled();
        }
        let rows = self.rows.iter_mut().skip(self.settled);
        for Standing { row, .. } in rows.filter(|s| s.is_open()) {
            // Of most rows that are open principal is open, and nothing else need be looked at.
            if !row.principal.open()?.is_zero() {
                continue;
            }
            let came_to = row
                .principal
                .charged
                .plus(row.interest.charged)?
                .plus(row.fee.charged)?;
            if came_to.is_positive() && row.open()?.total()?.is_zero() {
                row.cleared_on = Some(day);
            }
        }
        let due = self.rows.iter().take(self.due).skip(self.settled);
        let cleared = due.take_while(|s| !s.is_open()).count();
        self.settled = self.settled.saturating_add(cleared);
        Ok(())
    }

    /// The same where rows may owe more again: then they are open again.
    fn mark_settled(&mut self) -> Result<(), OutOfRange> {
        let day = self.day;
        // In a schedule that is built as a whole, a row in which nothing is due was clear from the beginning.
        let servicing = self.terms.conventions.servicing.as_deref();
        let is_whole = servicing.is_some_and(|s| s.whole) && !self.is_fixed;
        let is_lent = self.disbursed.is_positive();
        for Standing { row, met, .. } in &mut self.rows {
            let is_settled = is_lent && row.open()?.total()?.is_zero();
            let is_empty = Component::ALL
                .iter()
                .all(|component| row.figures(*component).charged.is_zero());
            let mut met_now = row.paid()?.total()?;
            for component in Component::ALL {
                met_now = met_now.plus(row.figures(component).waived)?;
            }
            // What came to be due in it and was met at once was not met before.
            if met_now > core::mem::replace(met, met_now) {
                row.cleared_on = None;
            }
            let since = if is_whole && is_empty {
                self.terms.signed_on
            } else {
                row.cleared_on.unwrap_or(day)
            };
            row.cleared_on = is_settled.then_some(since);
        }
        Ok(())
    }

    /// The loan as it stands on the day; penalty since the last posting is shown in the rows and told apart.
    pub fn into_loan(mut self) -> Result<Loan, OutOfRange> {
        let penalty_posts_on = crate::late::next_day(&self)?;
        let penalty_unposted = crate::late::charge(&mut self)?;
        let mut days_past_due = 0;
        for standing in self.rows.iter().take(self.due) {
            if standing.late.is_late && standing.base()?.is_positive() {
                days_past_due = standing.late.days.max(days_past_due);
            }
        }
        Ok(Loan {
            as_of: self.day,
            disbursed: self.disbursed,
            rows: self.rows.into_iter().map(|standing| standing.row).collect(),
            refunded: self.refunded,
            credit_balance: self.credit,
            is_paused: self.pauses > 0,
            days_past_due,
            penalty_unposted,
            penalty_posts_on,
        })
    }
}

impl Standing {
    /// A row of nothing.
    pub const fn empty(from: Date, due_on: Date, origin: Origin) -> Standing {
        const NOTHING: Figures = Figures {
            charged: Amount::ZERO,
            paid: Amount::ZERO,
            waived: Amount::ZERO,
            cancelled: Amount::ZERO,
        };
        const NO_PARTS: Parts = Parts {
            principal: Amount::ZERO,
            interest: Amount::ZERO,
            fee: Amount::ZERO,
            penalty: Amount::ZERO,
        };
        Standing {
            row: Row {
                number: 0,
                due_on,
                principal: NOTHING,
                interest: NOTHING,
                fee: NOTHING,
                penalty: NOTHING,
                subsidy: Amount::ZERO,
                cleared_on: None,
            },
            late: Late::NONE,
            freed: Amount::ZERO,
            returned: NO_PARTS,
            subsidy_agreed: Amount::ZERO,
            origin,
            from,
            is_cut: false,
            added: NO_PARTS,
            planned: NO_PARTS,
            ahead: Amount::ZERO,
            late_paid: Amount::ZERO,
            met: Amount::ZERO,
            mark: 0,
        }
    }

    /// Whether it is a row of the agreed plan.
    pub fn is_regular(&self) -> bool {
        self.origin == Origin::Agreed
    }

    /// Whether something may be left of it.
    pub const fn is_open(&self) -> bool {
        self.row.cleared_on.is_none()
    }

    /// What penalty interest counts on: open principal, interest and fee, never penalties.
    pub fn base(&self) -> Result<Amount, OutOfRange> {
        self.row
            .principal
            .open()?
            .plus(self.row.interest.open()?)?
            .plus(self.row.fee.open()?)
    }

    /// Lets a component's price fall to a figure, as far as it is not paid.
    ///
    /// Says how much fell away.
    pub fn lower(&mut self, component: Component, price: Amount) -> Result<Amount, OutOfRange> {
        let figures = self.row.figures(component);
        let freed = figures.cancelled.minus(self.returned.of(component))?;
        let less = figures.charged.minus(freed)?.minus_or_zero(price)?;
        self.cancel(component, less)
    }

    /// Gives back what was paid of one component, at most `left`; says how much that was.
    pub fn give_back(&mut self, component: Component, left: Amount) -> Result<Amount, OutOfRange> {
        let figures = self.row.figures_mut(component);
        let back = figures.paid.min(left);
        figures.paid = figures.paid.minus(back)?;
        figures.cancelled = figures.cancelled.plus(back)?;
        self.returned.add(component, back)?;
        Ok(back)
    }

    /// Pays what is open of one component, at most `left`; says how much that was.
    pub fn pay(&mut self, component: Component, left: Amount) -> Result<Amount, OutOfRange> {
        let figures = self.row.figures_mut(component);
        let amount = figures.open()?.min(left).max(Amount::ZERO);
        figures.paid = figures.paid.plus(amount)?;
        Ok(amount)
    }

    /// Waives what is open of one component, at most `left`; says how much that was.
    pub fn waive(&mut self, component: Component, left: Amount) -> Result<Amount, OutOfRange> {
        let figures = self.row.figures_mut(component);
        let amount = figures.open()?.min(left).max(Amount::ZERO);
        figures.waived = figures.waived.plus(amount)?;
        Ok(amount)
    }

    /// Cancels what is open of one component, at most `left`; says how much that was.
    pub fn cancel(&mut self, component: Component, left: Amount) -> Result<Amount, OutOfRange> {
        let figures = self.row.figures_mut(component);
        let amount = figures.open()?.min(left).max(Amount::ZERO);
        figures.cancelled = figures.cancelled.plus(amount)?;
        Ok(amount)
    }
}
