//! The fold: terms and transactions, walked day by day that matters, up to a day.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::add_days;
use crate::explain::Cause;
use crate::loan::state::{Flow, Span, State};
use crate::loan::{
    Amendment, Broken, Event, Intent, Loan, Parts, Posting, PostingKind, ROWS_MAX, Transaction, charges,
    disbursement, restructure, restructure::Move, scheduled,
};
use crate::money::{Amount, OutOfRange};
use crate::plan::{Component, Terms};
use crate::servicing::Credit;
use crate::{allocation, late, refund, settlement};

/// The loan on a day.
///
/// Transactions may come in any order; they count by effective day and then by number. Reversed ones are left out and
/// everything is replayed, whatever the day of the reversal; what lies after `as_of` is left out as well.
///
/// # Errors
/// [`Broken`] if the transactions contradict each other or a figure does not fit.
pub fn fold(terms: &Terms, transactions: &[Transaction], as_of: Date) -> Result<Loan, Broken> {
    Ok(run(terms, transactions, as_of)?.into_loan()?)
}

/// Everything that the books must show for the loan up to a day, ascending by day and kind.
///
/// What stands for a past day does not depend on `as_of`: moving it forward only adds later movements. Interest and fees
/// are posted when their instalment falls due, or when they are paid or waived before; penalties on the days that
/// [`late`] names.
///
/// # Errors
/// As [`fold`].
pub fn postings(terms: &Terms, transactions: &[Transaction], as_of: Date) -> Result<Vec<Posting>, Broken> {
    let mut postings = run(terms, transactions, as_of)?.postings;
    postings.sort_unstable();
    Ok(postings)
}

/// What [`fold`] and [`postings`] say, in one walk of the days.
///
/// # Errors
/// As [`fold`].
pub fn booked(
    terms: &Terms,
    transactions: &[Transaction],
    as_of: Date,
) -> Result<(Loan, Vec<Posting>), Broken> {
    let mut state = run(terms, transactions, as_of)?;
    let mut postings = core::mem::take(&mut state.postings);
    postings.sort_unstable();
    Ok((state.into_loan()?, postings))
}

/// What one more event would do (试算), shown before anybody confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The loan as it stands.
    pub before: Loan,
    /// The loan as it would stand.
    pub after: Loan,
    /// What it would pay, by component.
    pub paid: Parts,
    /// What would no longer have to be paid: cancelled, waived or freed by it, without what was paid.
    pub cancelled: Parts,
    /// What would be left over for the payer; negative if a credit balance is used.
    pub credit: Amount,
}

impl Preview {
    /// The instalments that it changes: as they stand, and as they would stand.
    pub fn changed_rows(&self) -> impl Iterator<Item = (&crate::loan::Row, &crate::loan::Row)> {
        self.before
            .rows
            .iter()
            .zip(self.after.rows.iter())
            .filter(|(before, after)| before != after)
    }
}

/// What an event would do on a day, after everything that is known of that day.
///
/// # Errors
/// As [`fold`]; an event that cannot stand is [`Broken::Inconsistent`] with the number 0.
pub fn preview(
    terms: &Terms,
    transactions: &[Transaction],
    event: Event,
    on: Date,
) -> Result<Preview, Broken> {
    let mut state = run(terms, transactions, on)?;
    let before = state.clone().into_loan()?;
    // On the last day of the fold nothing of the day is left to do but the event itself.
    state.apply(&Transaction {
        number: 0,
        effective_on: on,
        event,
    })?;
    let after = state.into_loan()?;
    let gone = before.outstanding()?.minus(&after.outstanding()?)?;
    let paid = paid(&after)?.minus(&paid(&before)?)?;
    Ok(Preview {
        cancelled: gone.minus(&paid)?,
        paid,
        credit: after.credit_balance.minus(before.credit_balance)?,
        before,
        after,
    })
}

/// What was paid of all rows.
fn paid(loan: &Loan) -> Result<Parts, OutOfRange> {
    loan.rows
        .iter()
        .try_fold(Parts::default(), |parts, row| parts.plus(&row.paid()?))
}

/// Walks the days up to `as_of`.
pub(crate) fn run<'a>(
    terms: &'a Terms,
    transactions: &[Transaction],
    as_of: Date,
) -> Result<State<'a>, Broken> {
    walk(terms, transactions, as_of, false)
}

/// The same, and tells on the way what moves and why.
pub(crate) fn told<'a>(
    terms: &'a Terms,
    transactions: &[Transaction],
    as_of: Date,
) -> Result<State<'a>, Broken> {
    walk(terms, transactions, as_of, true)
}

/// More rows than [`ROWS_MAX`] that are agreed, or than can be numbered.
const TOO_MANY_ROWS: OutOfRange = OutOfRange("the number of instalments");

/// See [`run`] and [`told`].
fn walk<'a>(
    terms: &'a Terms,
    transactions: &[Transaction],
    as_of: Date,
    tells: bool,
) -> Result<State<'a>, Broken> {
    if terms.due_dates.len() > usize::from(ROWS_MAX) {
        return Err(TOO_MANY_ROWS.into());
    }
    let live = live(transactions)?;
    let first = live.first().map_or(as_of, |t| t.effective_on);
    let moved = moved(terms, &live, as_of)?;
    let due_dates = moved.as_deref().unwrap_or(&terms.due_dates);
    let mut state = State::new(
        terms,
        due_dates,
        first.min(terms.signed_on).min(as_of),
        excused(&live),
    );
    if tells {
        state.listen()?;
    }
    for transaction in live.iter().take_while(|t| t.effective_on <= as_of) {
        state.walk_to(transaction.effective_on)?;
        state.apply(transaction)?;
        // Rows that come one on top of the other are numbered, too.
        if state.rows.len() > usize::from(u16::MAX) {
            return Err(TOO_MANY_ROWS.into());
        }
    }
    state.walk_to(as_of)?;
    Ok(state)
}

/// The due dates after changes that were entered by a day, if there are any.
fn moved(terms: &Terms, live: &[&Transaction], as_of: Date) -> Result<Option<Vec<Date>>, OutOfRange> {
    let Some(servicing) = terms.conventions.servicing.as_deref() else {
        return Ok(None);
    };
    let moves = live.iter().filter(|t| t.effective_on <= as_of);
    let mut moves = moves
        .filter_map(|t| match t.event {
            Event::Amended {
                by: Amendment::Rescheduled { from, to, .. },
            } => Some(Move::To { from, to: to? }),
            Event::Deferred { days } => Some(Move::By {
                after: t.effective_on,
                days,
            }),
            _ => None,
        })
        .peekable();
    if moves.peek().is_none() {
        return Ok(None);
    }
    restructure::moved(servicing, &terms.due_dates, moves).map(Some)
}

/// The transactions that stand, in the order in which they count.
///
/// A reversal can itself be reversed, and then what it had undone stands again; so the last entered decide first.
pub(crate) fn live(transactions: &[Transaction]) -> Result<Vec<&Transaction>, Broken> {
    let mut sorted: Vec<&Transaction> = transactions.iter().collect();
    let has_reversals = transactions
        .iter()
        .any(|t| matches!(t.event, Event::Reversed { .. }));
    if has_reversals {
        sorted.sort_unstable_by_key(|t| t.number);
        let mut stands = vec![true; sorted.len()];
        for (place, transaction) in sorted.iter().enumerate().rev() {
            let Event::Reversed { of } = transaction.event else {
                continue;
            };
            let target = sorted.binary_search_by_key(&of, |t| t.number).ok();
            let target = target.filter(|t| *t < place).ok_or(Broken::Inconsistent {
                transaction: transaction.number,
                what: "reverses one that was not entered before it",
            })?;
            if stands.get(place) == Some(&true)
                && let Some(stand) = stands.get_mut(target)
            {
                *stand = false;
            }
        }
        let mut stands = stands.into_iter();
        sorted.retain(|t| stands.next() == Some(true) && !matches!(t.event, Event::Reversed { .. }));
    }
    sorted.sort_unstable_by_key(|t| (t.effective_on, t.number));
    Ok(sorted)
}

// R29: days that nobody could pay on do not count as late; due dates stay
/// The excused days of all transactions, merged. One whose days are the wrong way round excuses none: it has no length.
fn excused(live: &[&Transaction]) -> Vec<Span> {
    let mut spans: Vec<Span> = live
        .iter()
        .filter_map(|t| match t.event {
            Event::Excused { from, until } => Some(Span { from, until }),
            _ => None,
        })
        .collect();
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

impl State<'_> {
    /// Walks to a day: what falls due on the way falls due, and penalties are posted on their days.
    pub(crate) fn walk_to(&mut self, to: Date) -> Result<(), Broken> {
        loop {
            let due_on = self.rows.get(self.due).map(|r| r.row.due_on);
            let next = late::next_day(self)?.into_iter().chain(due_on).min();
            let Some(next) = next.filter(|n| *n <= to) else {
                break;
            };
            self.advance(next)?;
            late::post(self)?;
            self.fall_due()?;
            self.book(None)?;
        }
        Ok(self.advance(to)?)
    }

    /// The rows whose day has come fall due: their interest, fee and subsidy are charged, and a credit balance meets them.
    fn fall_due(&mut self) -> Result<(), OutOfRange> {
        let (mut interest, mut fee, mut subsidy) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        let before = self.due;
        while let Some(standing) = self.rows.get(self.due)
            && standing.row.due_on <= self.day
        {
            interest = interest.plus(standing.row.interest.open()?)?;
            fee = fee.plus(standing.row.fee.open()?)?;
            subsidy = subsidy.plus(standing.row.subsidy)?;
            self.accrued = Amount::ZERO;
            if let Some(trace) = &mut self.trace {
                trace.accrued.clear();
            }
            self.accrued_to = standing.row.due_on;
            self.due = self.due.saturating_add(1);
        }
        if self.due == before {
            return Ok(());
        }
        self.charge(PostingKind::InterestCharged, interest)?;
        self.charge(PostingKind::FeeCharged, fee)?;
        self.post(PostingKind::SubsidyCharged, subsidy);
        self.returned.subsidy_charged = self.returned.subsidy_charged.plus(subsidy)?;
        if self.credit.is_positive() {
            allocation::apply_credit(self)?;
            self.mark_cleared()?;
            self.look(Cause::CreditMet, None)?;
        }
        Ok(())
    }

    /// Lets one transaction of the state's day happen.
    fn apply(&mut self, transaction: &Transaction) -> Result<(), Broken> {
        let broken = |what| Broken::Inconsistent {
            transaction: transaction.number,
            what,
        };
        if transaction.event.amount().is_some_and(|a| !a.is_positive()) {
            return Err(broken("is of nothing or less"));
        }
        let comes_first = self.terms.conventions.servicing.is_some() && self.disbursed.is_zero();
        if comes_first && transaction.event.needs_loan() {
            return Err(broken("comes before anything was lent"));
        }
        let numbered = |error: Broken| error.of(transaction.number);
        late::post(self)?;
        let before = self.noted()?;
        match transaction.event {
            Event::Disbursed { amount } => {
                self.disburse(amount).map_err(numbered)?;
                self.charge_shares(transaction)?;
            }
            Event::Repaid { amount, intent } => {
                self.flows.push(Flow { on: self.day, amount });
                self.repay(amount, intent)?;
            }
            Event::Refunded {
                amount,
                strategy,
                with_paid_fees,
            } => {
                if self.refunded.plus(amount)? > self.disbursed {
                    return Err(broken("gives back more than was lent"));
                }
                self.flows.push(Flow { on: self.day, amount });
                if let Some(servicing) = self.terms.conventions.servicing.as_deref() {
                    // Where the agreement says how a seller's refund is spread, it says so whatever the goods were.
                    self.refunded = self.refunded.plus(amount)?;
                    self.take_in(amount)?;
                    allocation::credit(self, servicing, Credit::MerchantRefund, amount)?;
                } else {
                    refund::apply(self, amount, strategy, with_paid_fees)?;
                }
            }
            // Left out by `live`, with what it reverses.
            Event::Reversed { .. } => {}
            Event::Waived { component, amount } if self.terms.conventions.servicing.is_some() => {
                self.told = Some((allocation::waive(self, component, amount)?, Amount::ZERO));
            }
            Event::Waived { component, amount } => self.waive(component, amount)?,
            Event::Paused => self.pauses = self.pauses.saturating_add(1),
            Event::Resumed => self.pauses = self.pauses.saturating_sub(1),
            // Known from the start, since it may excuse days before its own.
            Event::Excused { .. } => {}
            // Known from the start, where the agreement says how dates move.
            Event::Deferred { .. } if self.terms.conventions.servicing.is_some() => {}
            Event::Deferred { days } => {
                for standing in self.ahead_rows() {
                    standing.row.due_on = add_days(standing.row.due_on, i64::from(days))?;
                }
            }
            Event::Amended { ref by } => self.amend(transaction.number, by).map_err(numbered)?,
            Event::PaidOut { amount } if self.terms.conventions.servicing.is_some() => {
                charges::pay_out(self, amount)?;
            }
            Event::PaidOut { amount } => self.pay_out(amount)?,
        }
        self.book(Some(&transaction.event))?;
        self.note(transaction, before)?;
        self.look(Cause::of(&transaction.event), Some(transaction))?;
        Ok(self.mark_cleared()?)
    }

    /// Takes in a payment, as it was meant. An agreement's own buckets take every payment, and what is over stays the
    /// payer's.
    pub(crate) fn repay(&mut self, amount: Amount, intent: Intent) -> Result<(), OutOfRange> {
        if self.terms.conventions.servicing.is_some() {
            self.take_in(amount)?;
            return allocation::receive(self, amount, false);
        }
        match intent {
            Intent::Due => allocation::receive(self, amount, false),
            Intent::Bill => allocation::receive(self, amount, true),
            Intent::Settle => settlement::settle(self, amount),
            Intent::Keep => allocation::keep(self, amount),
        }
    }

    /// Pays what is owed to the payer back to its source.
    fn pay_out(&mut self, amount: Amount) -> Result<(), OutOfRange> {
        self.credit = self.credit.minus(amount)?;
        self.flows.push(Flow {
            on: self.day,
            amount: Amount::ZERO.minus(amount)?,
        });
        self.post(PostingKind::PaidOut, amount);
        Ok(())
    }

    /// Reckons scheduled interest anew with a payment, where the agreement says so.
    pub(crate) fn take_in(&mut self, amount: Amount) -> Result<(), OutOfRange> {
        let servicing = self.terms.conventions.servicing.as_deref();
        servicing.map_or(Ok(()), |servicing| scheduled::take_in(self, servicing, amount))
    }

    /// Lends so much over the rows that are not yet due.
    ///
    /// Interest counts from the day of signing if no instalment was due since, as the agreed schedule says, and from
    /// the day of lending otherwise.
    fn disburse(&mut self, amount: Amount) -> Result<(), Broken> {
        let inconsistent = |what| Broken::Inconsistent { transaction: 0, what };
        self.disbursed = self.disbursed.plus(amount)?;
        if self.disbursed > self.terms.principal {
            return Err(inconsistent("lends more than was signed for"));
        }
        if let Some(servicing) = self.terms.conventions.servicing.as_deref() {
            return disbursement::lend(self, servicing, amount);
        }
        let dates: Vec<Date> = self.rows.iter().skip(self.due).map(|r| r.row.due_on).collect();
        if dates.is_empty() {
            return Err(inconsistent("lends after the last due date"));
        }
        let terms = self.terms;
        let from = if self.due == 0 { terms.signed_on } else { self.day };
        settlement::accrue(self)?;
        let parts = crate::schedule::schedule(
            &terms.pricing,
            amount,
            &dates,
            from,
            terms.borne_by_seller,
            &terms.conventions,
        )?;
        self.tell_lent(amount, from, &dates);
        for (standing, part) in self.ahead_rows().zip(&parts) {
            let row = &mut standing.row;
            row.principal.charged = row.principal.charged.plus(part.principal)?;
            row.interest.charged = row.interest.charged.plus(part.interest)?;
            row.fee.charged = row.fee.charged.plus(part.fee)?;
            row.subsidy = row.subsidy.plus(part.subsidy)?;
            standing.subsidy_agreed = standing.subsidy_agreed.plus(part.subsidy)?;
            row.cleared_on = None;
        }
        self.principal = self.principal.plus(amount)?;
        let out = Amount::ZERO.minus(amount)?;
        self.flows.push(Flow {
            on: self.day,
            amount: out,
        });
        self.post(PostingKind::Disbursed, amount);
        // What the platform owes the payer meets only what is due, so a new amount does not touch it.
        Ok(())
    }

    /// Waives at most so much of a component: what is due first, oldest first, then what is to come.
    fn waive(&mut self, component: Component, amount: Amount) -> Result<(), OutOfRange> {
        let (mut left, mut ahead) = (amount, Amount::ZERO);
        settlement::accrue(self)?;
        for standing in self.due_rows() {
            left = left.minus(standing.waive(component, left)?)?;
        }
        for standing in self.ahead_rows() {
            let waived = standing.waive(component, left)?;
            left = left.minus(waived)?;
            ahead = ahead.plus(waived)?;
        }
        let waived = amount.minus(left)?;
        self.post_waived(component, waived, ahead);
        if component == Component::Principal {
            self.principal = self.principal.minus(waived)?;
            settlement::reprice(self)?;
        }
        Ok(())
    }

    /// Writes what was waived; what was not due yet is charged first.
    fn post_waived(&mut self, component: Component, waived: Amount, ahead: Amount) {
        match component {
            Component::Principal => self.post(PostingKind::PrincipalWaived, waived),
            Component::Interest => {
                self.post(PostingKind::InterestCharged, ahead);
                self.post(PostingKind::InterestWaived, waived);
            }
            Component::Fee => {
                self.post(PostingKind::FeeCharged, ahead);
                self.post(PostingKind::FeeWaived, waived);
            }
            Component::Penalty => self.post(PostingKind::PenaltyWaived, waived),
        }
    }
}
