//! Handing money back (还款退回): what was allocated last is taken back first, in the reverse order of allocation.

use alloc::vec::Vec;

use super::buckets::{Owed, counts_from};
use crate::loan::Parts;
use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;
use crate::servicing::{Bucket, Credit, Servicing, Timing};

/// Takes an amount back from what rows were paid, by the buckets of a payment from the last to the first, and in each from
/// the last row on; says what is left and what was taken back.
///
/// What was paid ahead by any rule is taken back from the last row on, so that the next instalments stay paid. (As in
/// Apache Fineract: of 160.00 paid ahead and handed back the last rows owe all; without buckets principal, then interest, of
/// the row paid last.)
pub(crate) fn take_back(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
) -> Result<(Amount, Parts), OutOfRange> {
    let mut turn = Turn {
        left: amount,
        taken: Parts::default(),
    };
    let buckets = servicing.rule(Credit::Payment).map_or(&[][..], |r| &r.buckets);
    let mut done: Vec<Timing> = Vec::new();
    for bucket in buckets.iter().rev() {
        if !servicing.row_by_row {
            turn.take(state, bucket.timing, &[bucket.component])?;
        } else if !done.contains(&bucket.timing) {
            done.push(bucket.timing);
            let together = buckets.iter().rev().filter(|b| b.timing == bucket.timing);
            let components: Vec<Component> = together.map(|b: &Bucket| b.component).collect();
            turn.take(state, bucket.timing, &components)?;
        }
    }
    state.principal = state.principal.plus(turn.taken.principal)?;
    if let Some(accrual) = &mut state.accrual {
        accrual.ask_again()?;
    }
    state.follow()?;
    Ok((turn.left, turn.taken))
}

/// An amount on its way back through the buckets.
struct Turn {
    /// What is left of it.
    left: Amount,
    /// What it took back so far.
    taken: Parts,
}

impl Turn {
    /// Takes some components back from the rows of one timing, the last row first.
    fn take(
        &mut self,
        state: &mut State<'_>,
        timing: Timing,
        components: &[Component],
    ) -> Result<(), OutOfRange> {
        let day = state.day;
        let is_meant = |s: &Standing| s.timing(day) == timing;
        for place in (0..state.rows.len()).rev() {
            if !state.rows.get(place).is_some_and(is_meant) {
                continue;
            }
            for component in components {
                let taken = take_from(state, place, *component, self.left)?;
                self.taken.add(*component, taken)?;
                self.left = self.left.minus(taken)?;
            }
        }
        Ok(())
    }
}

/// Takes one component of one row back, at most so much. From the day on its principal earns again: what is overdue is
/// counted from then, and what is not is in the balance.
fn take_from(
    state: &mut State<'_>,
    place: usize,
    component: Component,
    most: Amount,
) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let recalculation = state.terms.conventions.recalculation();
    let Some(standing) = state.rows.get_mut(place) else {
        return Ok(Amount::ZERO);
    };
    let is_followed =
        matches!(component, Component::Principal | Component::Interest) && standing.is_regular();
    let Some(accrual) = state.accrual.as_mut().filter(|_| is_followed) else {
        return standing.untake(component, most);
    };
    let beside = Owed::met_beside(accrual, standing, component)?;
    let due_on = standing.row.due_on;
    let taken = standing.untake(component, most)?;
    let planned = Amount::ZERO.minus(taken.minus_or_zero(beside)?)?;
    if component == Component::Interest {
        accrual.pay_interest(due_on, planned)?;
    } else if let Some(recalculation) = recalculation {
        accrual.pay_principal(due_on, counts_from(standing, recalculation.until, day), planned)?;
        if due_on < day && taken.is_positive() {
            accrual.overdue_to = accrual.overdue_to.max(Some(day));
        }
    }
    Ok(taken)
}

impl Standing {
    /// Takes back what was paid of one component, at most `left`: what came after the row's day first, then what came on
    /// it, and last what came before.
    fn untake(&mut self, component: Component, left: Amount) -> Result<Amount, OutOfRange> {
        let before = self.row.paid()?.total()?;
        let figures = self.row.figures_mut(component);
        let taken = figures.paid.min(left).max(Amount::ZERO);
        figures.paid = figures.paid.minus(taken)?;
        let late = self.late_paid.min(taken);
        let on_the_day = before.minus_or_zero(self.ahead)?.minus_or_zero(self.late_paid)?;
        self.late_paid = self.late_paid.minus(late)?;
        let early = taken.minus(late)?.minus_or_zero(on_the_day)?;
        self.ahead = self.ahead.minus_or_zero(early)?;
        Ok(taken)
    }
}
