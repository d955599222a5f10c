//! Allocation (冲账): what a payment is for.
//!
//! Within an agreement the signed waterfall decides (民法典 561: costs, then interest, then principal, the oldest
//! instalment first), and what is over follows the prepayment rule. Across agreements the payer chooses (民法典 560).

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::loan::state::{Standing, State};
use crate::loan::{Broken, Event, Intent, Parts, PostingKind, Preview, Transaction, preview as any_preview};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::{Component, Prepayment, Settlement, Terms, Waterfall};
use crate::servicing::{Credit, Servicing};

mod across;
mod back;
mod buckets;

pub use across::{Debt, Share, across};
pub(crate) use back::take_back;
pub(crate) use buckets::{spread, waive};

/// What a payment would do (还款试算): shown to the payer before they confirm it.
///
/// # Errors
/// [`Broken`] as the fold.
pub fn preview(
    terms: &Terms,
    transactions: &[Transaction],
    amount: Amount,
    intent: Intent,
    on: Date,
) -> Result<Preview, Broken> {
    any_preview(terms, transactions, Event::Repaid { amount, intent }, on)
}

/// Takes in money: what is due first, then the next instalment if a bill was issued for it, then the prepayment rule, and
/// what is over is owed to the payer.
pub(crate) fn receive(state: &mut State<'_>, amount: Amount, is_billed: bool) -> Result<(), OutOfRange> {
    let short = short(state, amount)?;
    if let Some(servicing) = state.terms.conventions.servicing.as_deref() {
        return credit(state, servicing, Credit::Payment, amount);
    }
    let (left, due) = pay_due(state, amount.minus(short)?)?;
    let (left, billed) = if is_billed {
        pay_billed(state, left)?
    } else {
        (left, Parts::default())
    };
    let (left, ahead) = pay_ahead(state, left)?;
    state.post_paid(&due.plus(&billed)?.plus(&ahead)?);
    owe(state, left.plus(short)?)
}

/// Takes in a credit by the buckets of the agreement's servicing; what is over is owed to the payer.
pub(crate) fn credit(
    state: &mut State<'_>,
    servicing: &Servicing,
    kind: Credit,
    amount: Amount,
) -> Result<(), OutOfRange> {
    crate::loan::overdue::count(state)?;
    let short = short(state, amount)?;
    let (left, _) = spread(state, servicing, kind, amount.minus(short)?)?;
    owe(state, left.plus(short)?)
}

/// Takes in money for what is due, and keeps the rest for the payer: nobody asked to pay ahead with it.
pub(crate) fn keep(state: &mut State<'_>, amount: Amount) -> Result<(), OutOfRange> {
    let short = short(state, amount)?;
    let (left, due) = pay_due(state, amount.minus(short)?)?;
    state.post_paid(&due);
    owe(state, left.plus(short)?)
}

/// The part of a payment that a negative credit balance takes: what had been paid out, and then bounced.
fn short(state: &State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    Ok(Amount::ZERO.minus(state.credit)?.max(Amount::ZERO).min(amount))
}

/// Owes the payer what was over.
fn owe(state: &mut State<'_>, over: Amount) -> Result<(), OutOfRange> {
    state.credit = state.credit.plus(over)?;
    state.post(PostingKind::Overpaid, over);
    Ok(())
}

/// Lets a credit balance meet what is due.
pub(crate) fn apply_credit(state: &mut State<'_>) -> Result<(), OutOfRange> {
    if let Some(servicing) = state.terms.conventions.servicing.as_deref() {
        return crate::loan::charges::apply_credit(state, servicing);
    }
    let credit = state.credit.max(Amount::ZERO);
    let (left, paid) = pay_due(state, credit)?;
    let used = credit.minus(left)?;
    state.credit = state.credit.minus(used)?;
    state.post(PostingKind::CreditApplied, used);
    state.post_paid(&paid);
    Ok(())
}

/// Pays what is due by the waterfall; says what is left and what was paid.
pub(crate) fn pay_due(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    if waterfall.row_by_row {
        for standing in state.due_rows() {
            if !left.is_positive() {
                break;
            }
            for component in waterfall.components() {
                left = pay(standing, component, left, &mut paid)?;
            }
        }
    } else {
        for component in waterfall.components() {
            for standing in state.due_rows() {
                left = pay(standing, component, left, &mut paid)?;
            }
        }
    }
    state.principal = state.principal.minus(paid.principal)?;
    Ok((left, paid))
}

/// Pays one component of one row; says what is left.
fn pay(
    standing: &mut Standing,
    component: Component,
    left: Amount,
    paid: &mut Parts,
) -> Result<Amount, OutOfRange> {
    if !left.is_positive() {
        return Ok(left);
    }
    let amount = standing.pay(component, left)?;
    paid.add(component, amount)?;
    left.minus(amount)
}

impl Waterfall {
    /// The components in their order; what the order leaves out comes last, so that nothing can never be paid.
    pub fn components(&self) -> impl Iterator<Item = Component> {
        let rest = Component::ALL.into_iter().filter(|c| !self.order.contains(c));
        self.order.iter().copied().chain(rest)
    }
}

/// Pays the next instalment as it is, fee and interest included; says what is left and what was paid.
fn pay_billed(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    if let Some(standing) = state.ahead_rows().next() {
        for component in waterfall.components() {
            left = pay(standing, component, left, &mut paid)?;
        }
    }
    state.principal = state.principal.minus(paid.principal)?;
    state.charge(PostingKind::InterestCharged, paid.interest)?;
    state.charge(PostingKind::FeeCharged, paid.fee)?;
    Ok((left, paid))
}

/// Pays what is not due yet by the prepayment rule; says what is left and what was paid.
///
/// Principal that is paid before its day no longer earns: its fee falls away, except for the share that the settlement
/// method keeps, and interest is reckoned anew on what is left. Instalments paid ahead as they are keep their price.
fn pay_ahead(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    if !amount.is_positive() || state.due >= state.rows.len() {
        return Ok((amount, Parts::default()));
    }
    crate::settlement::accrue(state)?;
    let (left, paid) = match state.terms.conventions.prepayment {
        Prepayment::NextFirst => next_first(state, amount)?,
        Prepayment::ShorterTerm => {
            let share = kept_share(state);
            let mut out = (amount, Parts::default());
            for standing in state.ahead_rows().rev() {
                out.0 = free(standing, out.0, share, &mut out.1)?;
            }
            out
        }
        Prepayment::LowerInstalment => lower(state, amount)?,
    };
    state.principal = state.principal.minus(paid.principal)?;
    if state.terms.conventions.prepayment != Prepayment::NextFirst {
        crate::settlement::reprice(state)?;
    }
    state.charge(PostingKind::InterestCharged, paid.interest)?;
    state.charge(PostingKind::FeeCharged, paid.fee)?;
    Ok((left, paid))
}

/// Pays the next instalments ahead as they are.
fn next_first(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    for standing in state.ahead_rows() {
        if !left.is_positive() {
            break;
        }
        for component in waterfall.components() {
            left = pay(standing, component, left, &mut paid)?;
        }
    }
    Ok((left, paid))
}

/// Makes all remaining instalments smaller.
fn lower(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let share = kept_share(state);
    let mut wanted = Vec::with_capacity(state.rows.len());
    for standing in state.ahead_rows() {
        wanted.push(price(standing, share)?.0);
    }
    let all = Amount::sum(wanted.iter().copied())?;
    let used = amount.min(all);
    let (mut left, mut paid) = (amount.minus(used)?, Parts::default());
    for (standing, part) in state.ahead_rows().zip(used.by_weights(&wanted)?) {
        left = left.plus(free(standing, part, share, &mut paid)?)?;
    }
    Ok((left, paid))
}

/// The share of a fee that is paid although its principal is paid before its day, in 10⁻⁹.
fn kept_share(state: &State<'_>) -> i64 {
    match state.terms.conventions.settlement {
        Settlement::RemainingFee { share } => share.ppb().clamp(0, crate::money::Rate::ONE.ppb()),
        _ => 0,
    }
}

/// What freeing all of a row costs, and the fee in it.
fn price(standing: &Standing, share: i64) -> Result<(Amount, Amount), OutOfRange> {
    let fee = standing
        .row
        .fee
        .open()?
        .share(share, crate::money::Rate::ONE.ppb(), Rounding::Down)?;
    Ok((standing.row.principal.open()?.plus(fee)?, fee))
}

/// Pays principal of a row before its day, with the kept share of its fee; says what is left.
fn free(standing: &mut Standing, left: Amount, share: i64, paid: &mut Parts) -> Result<Amount, OutOfRange> {
    let (all, kept) = price(standing, share)?;
    if !left.is_positive() || !all.is_positive() {
        return Ok(left);
    }
    let used = left.min(all);
    let fee = standing.pay(
        Component::Fee,
        kept.share(used.minor(), all.minor(), Rounding::Down)?,
    )?;
    let principal = standing.pay(Component::Principal, used.minus(fee)?)?;
    standing.freed = standing.freed.plus(principal)?;
    paid.add(Component::Fee, fee)?;
    paid.add(Component::Principal, principal)?;
    left.minus(fee)?.minus(principal)
}
