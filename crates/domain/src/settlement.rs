//! Early settlement (提前结清): what it costs on a day to owe nothing more, by the five agreed methods.
//!
//! Due is due: open principal, interest, fee and penalty of instalments whose day has come are always part of it. The
//! methods differ in what is charged for the instalments to come. Whatever they say, the whole cost of the loan stays
//! under its annual cap: all remaining fees of a 7.2 % plan settled after three of twelve would be 30.78 % a year, so the
//! charge is lowered to what the cap allows.

use jiff::civil::Date;

use crate::calendar::days_between;
use crate::loan::state::{Flow, State};
use crate::loan::{Broken, Parts, Payoff, PostingKind, Transaction};
use crate::money::{Amount, OutOfRange};
use crate::plan::{Component, FeeTiming, Pricing, Settlement, Terms};
use crate::present_value::{Monthly, Timed, discount, grown, months_and_days};
use crate::{allocation, late};

pub(crate) mod told;

// R52: what settling costs, part by part
/// What settling on a day would cost (提前结清报价), after everything that is known of that day.
///
/// # Errors
/// [`Broken`] as the fold.
pub fn payoff(terms: &Terms, transactions: &[Transaction], on: Date) -> Result<Payoff, Broken> {
    let mut state = crate::loan::fold::run(terms, transactions, on)?;
    late::charge(&mut state)?;
    accrue(&mut state)?;
    Ok(quote(&state)?)
}

/// Settles the loan if the amount reaches the settlement figure of the day; a smaller one is taken as a payment of what
/// is due, and what is over follows the prepayment rule.
pub(crate) fn settle(state: &mut State<'_>, amount: Amount) -> Result<(), OutOfRange> {
    accrue(state)?;
    // The flow of this very payment is in the state; the quote is for the moment before it.
    let flow = state.flows.pop();
    let quote = quote(state)?;
    state.flows.extend(flow);
    if amount < quote.total {
        return allocation::receive(state, amount, false);
    }
    let credit = state.credit;
    let (_, due) = allocation::pay_due(state, quote.parts.total()?)?;
    let charged = Parts {
        interest: quote.parts.interest.minus(due.interest)?,
        fee: quote.parts.fee.minus(due.fee)?,
        ..Parts::default()
    };
    let ahead = end_ahead(state, &charged)?;
    state.charge(PostingKind::InterestCharged, ahead.interest)?;
    state.charge(PostingKind::FeeCharged, ahead.fee)?;
    state.post(PostingKind::CreditApplied, quote.credit);
    state.post_paid(&due.plus(&ahead)?);
    // Whatever came beyond the figure is owed to the payer; a shortfall of an earlier surplus is made good first.
    let over = amount.minus(quote.total)?;
    let short = Amount::ZERO.minus(credit)?.max(Amount::ZERO);
    state.credit = credit.minus(quote.credit)?.plus(over)?.plus(short)?;
    state.post(PostingKind::Overpaid, over.plus(short)?);
    Ok(())
}

/// Ends the instalments to come: their principal is paid, the charge is paid out of their interest and fees, and the
/// rest of these falls away. Says what was paid.
fn end_ahead(state: &mut State<'_>, charged: &Parts) -> Result<Parts, OutOfRange> {
    let mut paid = Parts::default();
    let (mut interest, mut fee) = (charged.interest, charged.fee);
    for standing in state.ahead_rows() {
        let principal = standing.pay(Component::Principal, standing.row.principal.open()?)?;
        let interest_part = standing.pay(Component::Interest, interest)?;
        interest = interest.minus(interest_part)?;
        let fee_part = standing.pay(Component::Fee, fee)?;
        fee = fee.minus(fee_part)?;
        for component in [Component::Interest, Component::Fee] {
            standing.cancel(component, standing.row.figures(component).open()?)?;
        }
        standing.row.subsidy = Amount::ZERO;
        standing.subsidy_agreed = Amount::ZERO;
        paid.add(Component::Principal, principal)?;
        paid.add(Component::Interest, interest_part)?;
        paid.add(Component::Fee, fee_part)?;
    }
    // A settlement fee may be more than the fees to come were: the next instalment then comes to so much more.
    if let Some(standing) = state.ahead_rows().next() {
        for (component, more) in [(Component::Interest, interest), (Component::Fee, fee)] {
            let figures = standing.row.figures_mut(component);
            figures.charged = figures.charged.plus(more)?;
            figures.paid = figures.paid.plus(more)?;
            paid.add(component, more)?;
        }
    }
    state.principal = state.principal.minus(paid.principal)?;
    Ok(paid)
}

/// The settlement figure of the state's day. Interest has been accrued to the day.
fn quote(state: &State<'_>) -> Result<Payoff, OutOfRange> {
    let (mut due, mut ahead) = (Parts::default(), Parts::default());
    for (place, standing) in state.rows.iter().enumerate() {
        let open = standing.row.open()?;
        if place < state.due {
            due = due.plus(&open)?;
        } else {
            ahead = ahead.plus(&open)?;
        }
    }
    let agreed = charge(state, &ahead)?;
    let base = due.total()?.plus(ahead.principal)?;
    let wanted = agreed.interest.plus(agreed.fee)?;
    let allowed = allowed(state)?.minus_or_zero(base)?;
    let lowered = wanted.minus_or_zero(allowed)?;
    // A fee gives way before interest does, since interest is for time that really passed.
    let fee_less = lowered.min(agreed.fee);
    let parts = Parts {
        principal: due.principal.plus(ahead.principal)?,
        interest: due
            .interest
            .plus(agreed.interest)?
            .minus(lowered.minus(fee_less)?)?,
        fee: due.fee.plus(agreed.fee)?.minus(fee_less)?,
        penalty: due.penalty,
    };
    let all = parts.total()?;
    // A negative credit is owed by the payer, and so part of what settles.
    let credit = state.credit.min(all);
    let total = all.minus(credit)?;
    let last = Flow {
        on: state.day,
        amount: total,
    };
    let flows = state.flows.iter().copied().chain(core::iter::once(last));
    let annual = Timed::new(start(state), flows)?.internal_rate()?.annual()?;
    Ok(Payoff {
        on: state.day,
        parts,
        credit: credit.max(Amount::ZERO),
        total,
        lowered,
        saved: due.plus(&ahead)?.total()?.minus_or_zero(all)?,
        annual,
    })
}

/// What the agreed method charges for the instalments to come; `ahead` is what is open of them.
fn charge(state: &State<'_>, ahead: &Parts) -> Result<Parts, OutOfRange> {
    let rounding = state.terms.conventions.rounding;
    let paid_ahead = state.rows.iter().skip(state.due).take(1);
    let paid_ahead = Amount::sum(paid_ahead.map(|s| s.row.interest.paid))?;
    let accrued = state.accrued.minus_or_zero(paid_ahead)?.min(ahead.interest);
    let to_come = ahead.interest.minus(accrued)?;
    let (interest, fee) = match state.terms.conventions.settlement {
        Settlement::WaiveUnaccrued => (accrued, Amount::ZERO),
        Settlement::Actuarial => (accrued, actuarial(state, ahead)?),
        Settlement::RemainingFee { share } => (
            accrued.plus(to_come.at(share, rounding)?)?,
            ahead.fee.at(share, rounding)?,
        ),
        Settlement::Flat { fee } if ahead.principal.is_positive() => (accrued, fee),
        Settlement::Flat { .. } => (accrued, Amount::ZERO),
        Settlement::RuleOf78 => (
            rule_of_78(state, Component::Interest)?.min(ahead.interest),
            rule_of_78(state, Component::Fee)?.min(ahead.fee),
        ),
    };
    Ok(Parts {
        interest,
        fee,
        ..Parts::default()
    })
}

/// By how much the present value of the instalments to come, at the plan's own internal rate, passes their principal.
fn actuarial(state: &State<'_>, ahead: &Parts) -> Result<Amount, OutOfRange> {
    if !ahead.fee.is_positive() {
        return Ok(Amount::ZERO);
    }
    let terms = state.terms;
    let plan = crate::schedule::schedule(
        &terms.pricing,
        terms.principal,
        &terms.due_dates,
        terms.signed_on,
        terms.borne_by_seller,
        &terms.conventions,
    )?;
    let lent = Flow {
        on: terms.signed_on,
        amount: Amount::ZERO.minus(terms.principal)?,
    };
    let mut flows = alloc::vec![lent];
    for row in &plan {
        flows.push(Flow {
            on: row.due_on,
            amount: row.principal.plus(row.fee)?.plus(row.interest)?,
        });
    }
    let rate = Timed::new(terms.signed_on, flows.into_iter())?.internal_rate()?;
    let mut to_come = alloc::vec::Vec::with_capacity(state.rows.len());
    for standing in state.rows.iter().skip(state.due) {
        to_come.push(Flow {
            on: standing.row.due_on,
            amount: standing.row.principal.open()?.plus(standing.row.fee.open()?)?,
        });
    }
    let value = Timed::new(state.day, to_come.into_iter())?.value(rate)?;
    let value = crate::money::divide(value, discount(rate, 0, 0)?, terms.conventions.rounding)?;
    Ok(Amount::from_minor(value)
        .minus_or_zero(ahead.principal)?
        .min(ahead.fee))
}

/// What of a component is earned by the rule of 78 and not charged yet: the first of n periods earns n parts, the last 1.
fn rule_of_78(state: &State<'_>, component: Component) -> Result<Amount, OutOfRange> {
    let (mut all, mut charged) = (Amount::ZERO, Amount::ZERO);
    for (place, standing) in state.rows.iter().enumerate() {
        let figures = standing.row.figures(component);
        let came_to = figures.charged.minus(figures.cancelled)?;
        all = all.plus(came_to)?;
        charged = charged.plus(if place < state.due { came_to } else { figures.paid })?;
    }
    let left = triangle(state.rows.len().saturating_sub(state.due))?;
    let whole = triangle(state.rows.len())?;
    let rebate = all.share(left, whole, state.terms.conventions.rounding)?;
    all.minus(rebate)?.minus_or_zero(charged)
}

/// Twice the sum of the numbers up to one.
fn triangle(n: usize) -> Result<i64, OutOfRange> {
    i64::try_from(n)
        .ok()
        .and_then(|n| n.checked_mul(n.checked_add(1)?))
        .ok_or(OutOfRange("the rule of 78"))
}

/// The most that may be paid on the day for the whole cost to stay under the cap.
fn allowed(state: &State<'_>) -> Result<Amount, OutOfRange> {
    let rate = Monthly::of_annual(state.terms.conventions.late.annual_cap)?;
    let from = start(state);
    let value = Timed::new(from, state.flows.iter().copied())?.value(rate)?;
    let owed = 0i128.checked_sub(value).ok_or(OutOfRange("the cap"))?;
    let (months, days) = months_and_days(from, state.day)?;
    grown(owed, rate, months, days)
}

/// The day of the first flow.
fn start(state: &State<'_>) -> Date {
    state.flows.first().map_or(state.day, |flow| flow.on)
}

/// Counts the interest of the current period up to the state's day, on the principal as it is before a change of it.
pub(crate) fn accrue(state: &mut State<'_>) -> Result<(), OutOfRange> {
    if let Some(end) = state.rows.get(state.due).map(|s| s.row.due_on) {
        let period = (period_begin(state), end);
        let part = (state.accrued_to, state.day);
        let balance = ahead_principal(state)?;
        let interest = interest_for(state.terms, period, part, balance)?;
        state.accrued = state.accrued.plus(interest)?;
        if let Some(trace) = &mut state.trace {
            trace
                .accrued
                .extend(told::interest(state.terms, period, part, balance)?);
        }
    }
    state.accrued_to = state.day.max(state.accrued_to);
    Ok(())
}

/// Makes the price of the instalments to come fit the principal that is left: fees and subsidy in proportion to what was
/// not freed, interest on what is outstanding from now on. Never more than before.
pub(crate) fn reprice(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let upfront = matches!(
        state.terms.pricing,
        Pricing::FlatFee {
            timing: FeeTiming::WithFirst,
            ..
        }
    );
    let all_freed = Amount::sum(state.rows.iter().map(|s| s.freed))?;
    let (rounding, disbursed) = (state.terms.conventions.rounding, state.disbursed);
    let mut trace = state.trace.take();
    for standing in state.ahead_rows() {
        let (whole, freed) = if upfront {
            (disbursed, all_freed)
        } else {
            (standing.row.principal.charged, standing.freed)
        };
        if !whole.is_positive() || freed.is_zero() {
            continue;
        }
        let left = whole.minus(freed)?.minor();
        let charged = standing.row.fee.charged;
        let fee = charged.share(left, whole.minor(), rounding)?;
        if let Some(trace) = &mut trace {
            let price = told::fee(charged, (left, whole.minor()), rounding)?;
            told::lowered(trace, standing, Component::Fee, price)?;
        }
        standing.lower(Component::Fee, fee)?;
        standing.row.subsidy = standing
            .subsidy_agreed
            .share(left, whole.minor(), rounding)?
            .min(standing.row.subsidy);
    }
    state.trace = trace;
    reprice_interest(state)
}

/// Interest of the instalments to come, on what is outstanding from now on.
fn reprice_interest(state: &mut State<'_>) -> Result<(), OutOfRange> {
    if state.terms.pricing.interest().is_none() {
        return Ok(());
    }
    let mut balance = ahead_principal(state)?;
    let (mut begin, mut from) = (period_begin(state), state.accrued_to);
    let mut accrued = state.accrued;
    let terms = state.terms;
    let mut trace = state.trace.take();
    for standing in state.ahead_rows() {
        let due_on = standing.row.due_on;
        let rest = interest_for(terms, (begin, due_on), (from, due_on), balance)?;
        let all = accrued.plus(rest)?;
        let subsidy = all.at(terms.borne_by_seller, terms.conventions.rounding)?;
        if let Some(trace) = &mut trace {
            let rest = told::interest(terms, (begin, due_on), (from, due_on), balance)?;
            let price = told::price(terms, accrued, rest)?;
            told::lowered(trace, standing, Component::Interest, price)?;
        }
        standing.lower(Component::Interest, all.minus(subsidy)?)?;
        standing.row.subsidy = standing.row.subsidy.min(subsidy);
        balance = balance.minus(standing.row.principal.open()?)?;
        (begin, from) = (due_on, due_on);
        accrued = Amount::ZERO;
    }
    state.trace = trace;
    Ok(())
}

/// Principal of the instalments to come that is open.
fn ahead_principal(state: &State<'_>) -> Result<Amount, OutOfRange> {
    state
        .rows
        .iter()
        .skip(state.due)
        .try_fold(Amount::ZERO, |sum, s| sum.plus(s.row.principal.open()?))
}

/// The day on which the current period began: the last due date, or the day of signing.
fn period_begin(state: &State<'_>) -> Date {
    let last = state.due.checked_sub(1).and_then(|place| state.rows.get(place));
    last.map_or(state.terms.signed_on, |s| s.row.due_on)
}

/// Interest on a balance for a part of a period, in the convention of the plan; both as (from, until).
fn interest_for(
    terms: &Terms,
    (begin, end): (Date, Date),
    (from, until): (Date, Date),
    balance: Amount,
) -> Result<Amount, OutOfRange> {
    let Some((annual, day_count)) = terms.pricing.interest() else {
        return Ok(Amount::ZERO);
    };
    if until <= from || !balance.is_positive() {
        return Ok(Amount::ZERO);
    }
    let period = day_count.period(begin, end);
    let error = OutOfRange("interest");
    let days = period.days.checked_mul(days_between(from, until)).ok_or(error)?;
    let year = period
        .year_days
        .checked_mul(days_between(begin, end).max(1))
        .ok_or(error)?;
    balance.interest(annual, days, year, terms.conventions.rounding)
}
