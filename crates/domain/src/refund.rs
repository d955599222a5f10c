//! Refunds (退款): goods went back, and the loan gets smaller. A refund is neither a repayment nor a change of what was
//! lent: both would lose the history.
//!
//! The returned principal leaves the rows that the strategy names; the fee, interest and subsidy that it had not yet
//! earned fall away with it. Fees that were paid go back only if asked (a full return, or the store's fault), in
//! proportion. What is more than was owed becomes a credit balance and goes back to its source; what had been waived of it is
//! the institution's again.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::loan::state::State;
use crate::loan::{Broken, Event, Loan, PostingKind, Preview, Transaction, preview as any_preview};
use crate::money::{Amount, OutOfRange};
use crate::plan::{Component, RefundStrategy, Terms};
use crate::refusal::Refusal;
use crate::{allocation, settlement};

// H3: what a refund changes, and whether the bill is still due
/// What a refund would do: shown to the shopper before they return the goods.
///
/// # Errors
/// [`Broken`] as the fold, and if more goes back than was lent: ask [`check`] first.
pub fn preview(
    terms: &Terms,
    transactions: &[Transaction],
    amount: Amount,
    with_paid_fees: bool,
    on: Date,
) -> Result<Preview, Broken> {
    let event = Event::Refunded {
        amount,
        strategy: terms.conventions.refund,
        with_paid_fees,
    };
    any_preview(terms, transactions, event, on)
}

/// Whether so much can go back.
///
/// # Errors
/// [`Refusal::RefundTooLarge`] with what can.
pub fn check(loan: &Loan, amount: Amount) -> Result<(), Refusal> {
    // Both are sums of amounts that were lent, so their difference fits.
    let left = loan
        .disbursed
        .minus_or_zero(loan.refunded)
        .unwrap_or(Amount::ZERO);
    if amount.is_positive() && amount <= left {
        Ok(())
    } else {
        Err(Refusal::RefundTooLarge { left })
    }
}

/// Lets goods for so much go back.
pub(crate) fn apply(
    state: &mut State<'_>,
    amount: Amount,
    strategy: RefundStrategy,
    with_paid_fees: bool,
) -> Result<(), OutOfRange> {
    settlement::accrue(state)?;
    let removed = match strategy {
        RefundStrategy::LastFirst => remove_last_first(state, amount)?,
        RefundStrategy::NextFirst => remove_next_first(state, amount)?,
        RefundStrategy::Proportional => remove_proportional(state, amount)?,
        RefundStrategy::OverdueFirst => {
            let due = remove_due(state, amount)?;
            due.plus(remove_last_first(state, amount.minus(due)?)?)?
        }
    };
    // Where not enough was left to come, what is due goes next, the oldest first.
    let removed = removed.plus(remove_due(state, amount.minus(removed)?)?)?;
    state.principal = state.principal.minus(removed)?;
    let over = amount.minus(removed)?;
    let recovered = recover_waived(state, over)?;
    settlement::reprice(state)?;
    let over = over.minus(recovered)?;
    state.refunded = state.refunded.plus(amount)?;
    state.credit = state.credit.plus(over)?;
    state.post(PostingKind::PrincipalRefunded, removed);
    state.post(PostingKind::WaivedRecovered, recovered);
    state.post(PostingKind::RefundedToCredit, over);
    if with_paid_fees {
        let with_fees = state.refunded_with_fees.plus(amount)?;
        // With the last of the goods nothing is left that the fees kept from earlier returns could be for.
        let is_all = state.refunded == state.disbursed;
        state.refunded_with_fees = if is_all { state.refunded } else { with_fees };
        give_back(state)?;
    }
    if state.credit.is_positive() {
        allocation::apply_credit(state)?;
    }
    Ok(())
}

/// What was waived of the price of goods that went back was waived by the institution, and is its own again; the rows to
/// come earn no fee for it any more. Says how much. So no more goes back to the payer than came from them.
fn recover_waived(state: &mut State<'_>, over: Amount) -> Result<Amount, OutOfRange> {
    let waived = Amount::sum(state.rows.iter().map(|s| s.row.principal.waived))?;
    let recovered = over.min(waived.minus(state.recovered)?);
    let mut left = recovered;
    for standing in state.ahead_rows().rev() {
        let principal = standing.row.principal;
        let held = principal.charged.minus(principal.paid)?.minus(standing.freed)?;
        let part = left.min(held.max(Amount::ZERO));
        standing.freed = standing.freed.plus(part)?;
        left = left.minus(part)?;
    }
    state.recovered = state.recovered.plus(recovered)?;
    Ok(recovered)
}

/// From the rows to come, the last first; says how much.
fn remove_last_first(state: &mut State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    let mut left = amount;
    for standing in state.ahead_rows().rev() {
        let part = standing.cancel(Component::Principal, left)?;
        standing.freed = standing.freed.plus(part)?;
        left = left.minus(part)?;
    }
    amount.minus(left)
}

/// From the rows to come, the next first; says how much.
fn remove_next_first(state: &mut State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    let mut left = amount;
    for standing in state.ahead_rows() {
        let part = standing.cancel(Component::Principal, left)?;
        standing.freed = standing.freed.plus(part)?;
        left = left.minus(part)?;
    }
    amount.minus(left)
}

/// From all rows to come in proportion to what is open; says how much.
fn remove_proportional(state: &mut State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    let mut open = Vec::with_capacity(state.rows.len());
    for standing in state.ahead_rows() {
        open.push(standing.row.principal.open()?);
    }
    let used = Amount::sum(open.iter().copied())?.min(amount);
    for (standing, part) in state.ahead_rows().zip(used.by_weights(&open)?) {
        standing.cancel(Component::Principal, part)?;
        standing.freed = standing.freed.plus(part)?;
    }
    Ok(used)
}

/// From the rows that are due, the oldest first; says how much.
fn remove_due(state: &mut State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    let mut left = amount;
    for standing in state.due_rows() {
        left = left.minus(standing.cancel(Component::Principal, left)?)?;
    }
    amount.minus(left)
}

/// Gives back interest, fee and subsidy that had been charged, in the proportion of all that went back to all that was
/// lent, so that returns in parts give back what one return of all does. What is not paid yet falls away first.
fn give_back(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let interest = give_back_of(state, Component::Interest, state.returned.interest)?;
    state.returned.interest = interest.all;
    state.post(PostingKind::InterestCancelled, interest.unpaid);
    state.post(PostingKind::InterestReturned, interest.paid);
    let fee = give_back_of(state, Component::Fee, state.returned.fee)?;
    state.returned.fee = fee.all;
    state.post(PostingKind::FeeCancelled, fee.unpaid);
    state.post(PostingKind::FeeReturned, fee.paid);
    state.credit = state.credit.plus(interest.paid)?.plus(fee.paid)?;
    let subsidy = state
        .returned
        .subsidy_charged
        .share(
            state.refunded_with_fees.minor(),
            state.disbursed.minor(),
            state.terms.conventions.rounding,
        )?
        .minus_or_zero(state.returned.subsidy)?;
    state.returned.subsidy = state.returned.subsidy.plus(subsidy)?;
    state.post(PostingKind::SubsidyReturned, subsidy);
    Ok(())
}

/// What went back of one component.
struct GivenBack {
    /// With all earlier refunds.
    all: Amount,
    /// Of this refund, what had not been paid.
    unpaid: Amount,
    /// Of this refund, what had been paid.
    paid: Amount,
}

/// Gives back one component; `before` is what went back of it by earlier refunds.
fn give_back_of(
    state: &mut State<'_>,
    component: Component,
    before: Amount,
) -> Result<GivenBack, OutOfRange> {
    let mut gross = before;
    let due = state.due;
    for (place, standing) in state.rows.iter().enumerate() {
        let figures = standing.row.figures(component);
        gross = gross.plus(figures.paid)?;
        if place < due {
            gross = gross.plus(figures.open()?)?;
        }
    }
    let (part, whole) = (state.refunded_with_fees.minor(), state.disbursed.minor());
    let target = gross.share(part, whole, state.terms.conventions.rounding)?;
    let wanted = target.minus_or_zero(before)?;
    let mut left = wanted;
    for standing in state.due_rows() {
        left = left.minus(standing.cancel(component, left)?)?;
    }
    let unpaid = wanted.minus(left)?;
    for standing in state.rows.iter_mut().rev() {
        left = left.minus(standing.give_back(component, left)?)?;
    }
    Ok(GivenBack {
        all: before.plus(wanted)?.minus(left)?,
        unpaid,
        paid: wanted.minus(unpaid)?.minus(left)?,
    })
}
