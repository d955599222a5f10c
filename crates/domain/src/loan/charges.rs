//! Charges, chargebacks and what is paid back to the payer (收费、拒付与退款): what comes to be owed beside the plan.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::allocation;
use crate::explain::Cause;
use crate::loan::life::Origin;
use crate::loan::state::{Flow, Standing, State};
use crate::loan::{Broken, Parts, Transaction, scheduled};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{Credit, Servicing};

/// A charge that stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    /// The number of its transaction.
    pub number: u32,
    /// A fee or a penalty.
    pub component: Component,
    /// When it is due.
    pub due_on: Date,
    /// How much is left of it after waivers.
    pub amount: Amount,
}

/// Puts a charge into the row of its day: the one whose period it falls into, or one after the last.
pub(crate) fn charge(state: &mut State<'_>, servicing: &Servicing, charge: Charge) -> Result<(), OutOfRange> {
    let mut more = Parts::default();
    more.add(charge.component, charge.amount)?;
    let place = row_of(state, charge.due_on);
    if let Some(standing) = place.and_then(|p| state.rows.get_mut(p)) {
        standing.add(&more)?;
    } else {
        extra(state, charge.due_on)?.add(&more)?;
        state.renumber();
    }
    state.charges.push(charge);
    meet_from_payments(state, charge)?;
    apply_credit(state, servicing)
}

/// What a payment left over for the payer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeftOver {
    /// The number of its transaction.
    pub number: u32,
    /// Its day.
    pub on: Date,
    /// How much nobody used yet.
    pub amount: Amount,
}

/// Lets payments that left something over pay a charge that came after them, each as of its own day, the oldest first.
/// (Apache Fineract, `AdvancedPaymentScheduleTransactionProcessor.processOverpaidTransactions`.)
fn meet_from_payments(state: &mut State<'_>, charge: Charge) -> Result<(), OutOfRange> {
    let place = row_of(state, charge.due_on).or_else(|| state.rows.len().checked_sub(1));
    let Some(standing) = place.and_then(|p| state.rows.get_mut(p)) else {
        return Ok(());
    };
    for left in &mut state.left_over {
        let open = standing.open_of(charge.component)?.min(charge.amount);
        let amount = left.amount.min(state.credit).min(open);
        if !amount.is_positive() {
            continue;
        }
        standing.take(left.on, charge.component, amount)?;
        // The row is clear since that day, not since the one on which this is noticed.
        standing.met = standing.met.plus(amount)?;
        if standing.row.open()?.total()?.is_zero() {
            standing.row.cleared_on = Some(left.on);
        }
        left.amount = left.amount.minus(amount)?;
        state.credit = state.credit.minus(amount)?;
        state.met_before.add(charge.component, amount)?;
        if let Some(record) = state.records.iter_mut().find(|r| r.number == left.number) {
            record.parts.add(charge.component, amount)?;
            record.over = record.over.minus(amount)?;
        }
    }
    Ok(())
}

/// Charges a share of every instalment as a fee, of those that lending makes later as well.
pub(crate) fn surcharge(state: &mut State<'_>, number: u32, share: Rate) -> Result<(), OutOfRange> {
    state.surcharges.push((number, share));
    surcharge_more(state)
}

/// Lets every share of the instalments be one of what they have grown to since it was charged.
fn surcharge_more(state: &mut State<'_>) -> Result<(), OutOfRange> {
    for (number, share) in state.surcharges.clone() {
        for standing in state.rows.iter_mut().filter(|s| s.is_regular()) {
            let row = &standing.row;
            let due_on = row.due_on;
            let whole = row.principal.charged.plus(row.interest.charged)?;
            let fee = whole.at(share, Rounding::HalfEven)?;
            let is_of_row = |c: &&mut Charge| c.number == number && c.due_on == due_on;
            let known = state.charges.iter_mut().find(is_of_row);
            let more = fee.minus_or_zero(known.as_ref().map_or(Amount::ZERO, |c| c.amount))?;
            standing.add(&Parts {
                fee: more,
                ..Parts::default()
            })?;
            match known {
                Some(charge) => charge.amount = charge.amount.plus(more)?,
                None => state.charges.push(Charge {
                    number,
                    component: Component::Fee,
                    due_on,
                    amount: more,
                }),
            }
        }
    }
    Ok(())
}

/// Waives what is open of a charge, at most so much; says what.
pub(crate) fn waive(state: &mut State<'_>, of: u32, most: Amount) -> Result<Parts, OutOfRange> {
    let mut waived = Parts::default();
    let charges: Vec<Charge> = state.charges.iter().filter(|c| c.number == of).copied().collect();
    for charge in charges {
        let left = most.minus(waived.total()?)?.min(charge.amount);
        let place = row_of(state, charge.due_on).or_else(|| state.rows.len().checked_sub(1));
        if let Some(standing) = place.and_then(|p| state.rows.get_mut(p)) {
            waived.add(charge.component, standing.waive(charge.component, left)?)?;
        }
    }
    Ok(waived)
}

/// Lets money that was paid be owed again (拒付). `paid` is what is left of the payment it takes back, by component.
///
/// Without an order of its own a chargeback is met by a credit balance first, and only the rest is owed, as principal.
pub(crate) fn charge_back(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
    paid: &Parts,
) -> Result<(Parts, Amount), OutOfRange> {
    let met = state.credit.max(Amount::ZERO).min(amount);
    if servicing.chargeback.is_empty() {
        let over = amount.minus(met)?;
        state.give_back(met)?;
        let parts = Parts {
            principal: over,
            ..Parts::default()
        };
        owe_again(state, &parts, met)?;
        return Ok((parts, met));
    }
    let (mut left, mut parts) = (amount, Parts::default());
    for component in &servicing.chargeback {
        // A payment that let others pay more of a component paid less than nothing of it.
        let part = paid.of(*component).max(Amount::ZERO).min(left);
        parts.add(*component, part)?;
        left = left.minus(part)?;
    }
    // What the payment left over for the payer goes back the same way, and what is not there any more is owed.
    let kept = state.credit.max(Amount::ZERO).min(left);
    state.give_back(kept)?;
    parts.add(Component::Principal, left.minus(kept)?)?;
    owe_again(state, &parts, Amount::ZERO)?;
    apply_credit(state, servicing)?;
    Ok((parts, met))
}

/// Pays money out; what passes the credit balance is owed as principal again.
pub(crate) fn pay_out(state: &mut State<'_>, amount: Amount) -> Result<Parts, OutOfRange> {
    let met = state.credit.max(Amount::ZERO).min(amount);
    state.give_back(met)?;
    let parts = Parts {
        principal: amount.minus(met)?,
        ..Parts::default()
    };
    owe_again(state, &parts, Amount::ZERO)?;
    Ok(parts)
}

/// Hands money back (还款退回): what is left over for the payer first, then what was allocated last. Says what was taken back
/// and what a credit balance met.
pub(crate) fn hand_back(
    state: &mut State<'_>,
    servicing: &Servicing,
    number: u32,
    amount: Amount,
) -> Result<(Parts, Amount), Broken> {
    crate::loan::overdue::count(state)?;
    let met = state.credit.max(Amount::ZERO).min(amount);
    state.give_back(met)?;
    let (left, taken) = allocation::take_back(state, servicing, amount.minus(met)?)?;
    if left.is_positive() {
        return Err(Broken::Inconsistent {
            transaction: number,
            what: "hands back more than was paid",
        });
    }
    scheduled::hand_back(state, servicing, taken.total()?)?;
    Ok((taken, met))
}

/// Adds to what is owed in the first row that is due after the day; after the last due date in a row of its own. What a
/// credit balance met of a partly met amount passes through the row.
fn owe_again(state: &mut State<'_>, parts: &Parts, met: Amount) -> Result<(), OutOfRange> {
    if parts.total()?.is_zero() {
        return Ok(());
    }
    let day = state.day;
    let later = state
        .rows
        .iter()
        .position(|s| s.origin != Origin::Extra && s.row.due_on > day);
    let last = state.rows.len().checked_sub(1);
    let same = last.filter(|p| state.rows.get(*p).is_some_and(|s| s.row.due_on == day));
    let mut through = *parts;
    through.add(Component::Principal, met)?;
    if let Some(standing) = later.or(same).and_then(|p| state.rows.get_mut(p)) {
        standing.add(&through)?;
        standing.take(day, Component::Principal, met)?;
        let (due_on, is_regular) = (standing.row.due_on, standing.is_regular());
        let follows = state.terms.conventions.recalculation().is_some() && is_regular;
        if let Some(accrual) = state.accrual.as_mut().filter(|_| follows) {
            accrual.owe_again(due_on, day, parts.principal)?;
            state.follow()?;
        }
    } else {
        let standing = extra(state, day)?;
        standing.add(&through)?;
        standing.take(day, Component::Principal, met)?;
        state.renumber();
    }
    state.principal = state.principal.plus(parts.principal)?;
    Ok(())
}

/// Lets a credit balance meet what came to be owed.
pub(crate) fn apply_credit(state: &mut State<'_>, servicing: &Servicing) -> Result<(), OutOfRange> {
    let credit = state.credit.max(Amount::ZERO);
    if credit.is_zero() {
        return Ok(());
    }
    let (left, _) = allocation::spread(state, servicing, Credit::Payment, credit)?;
    state.credit = state.credit.minus(credit.minus(left)?)?;
    Ok(())
}

/// What is open of the charges of a row whose own day has come, though the row's has not.
pub(crate) fn due_alone(state: &State<'_>, place: usize, component: Component) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let Some(standing) = state.rows.get(place).filter(|s| s.row.due_on > day) else {
        return Ok(Amount::ZERO);
    };
    let charges = state.charges.iter().filter(|c| c.component == component);
    let due = charges.filter(|c| c.due_on <= day && row_of(state, c.due_on) == Some(place));
    let due = Amount::sum(due.map(|c| c.amount))?;
    let paid = standing.row.figures(component).paid;
    Ok(due.minus_or_zero(paid)?.min(standing.open_of(component)?))
}

/// The row whose period a day falls into: the first that is not due before it. What is due before the first period belongs
/// to the first as well.
fn row_of(state: &State<'_>, day: Date) -> Option<usize> {
    let takes = |s: &Standing| s.origin != Origin::DownPayment && day <= s.row.due_on;
    state.rows.iter().position(takes)
}

/// The row after the last due date, up to a day: the one that is there, or a new one.
fn extra<'s>(state: &'s mut State<'_>, day: Date) -> Result<&'s mut Standing, OutOfRange> {
    let is_there = state.rows.last().is_some_and(|s| s.origin == Origin::Extra);
    if !is_there {
        let from = state.rows.last().map_or(state.terms.signed_on, |s| s.row.due_on);
        state.rows.push(Standing::empty(from, day, Origin::Extra));
    }
    let standing = state.rows.last_mut().ok_or(OutOfRange("a row"))?;
    standing.row.due_on = standing.row.due_on.max(day);
    Ok(standing)
}

impl State<'_> {
    /// Charges shares of the instalments on what was lent now as well. They are charges, whatever made them.
    pub(crate) fn charge_shares(&mut self, lent: &Transaction) -> Result<(), OutOfRange> {
        let servicing = self.terms.conventions.servicing.as_deref();
        let Some(servicing) = servicing.filter(|_| !self.surcharges.is_empty()) else {
            return Ok(());
        };
        self.look(Cause::Lent, Some(lent))?;
        surcharge_more(self)?;
        self.look(Cause::Charged, None)?;
        apply_credit(self, servicing)
    }

    /// Takes so much of the credit balance back to where it came from.
    fn give_back(&mut self, amount: Amount) -> Result<(), OutOfRange> {
        let on = self.day;
        self.credit = self.credit.minus(amount)?;
        self.course.gone.push(Flow { on, amount });
        Ok(())
    }
}

/// What a payment paid, less what earlier chargebacks took back of it in their order.
pub(crate) fn left_of(
    servicing: &Servicing,
    paid: &Parts,
    earlier: impl Iterator<Item = Amount>,
) -> Result<Parts, Broken> {
    let mut paid = *paid;
    for amount in earlier {
        let mut left = amount;
        for component in &servicing.chargeback {
            let part = paid.of(*component).max(Amount::ZERO).min(left);
            paid.add(*component, Amount::ZERO.minus(part)?)?;
            left = left.minus(part)?;
        }
    }
    Ok(paid)
}
