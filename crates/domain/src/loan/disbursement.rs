//! Lending under agreements that say more on servicing: a row for the down payment, and equal shares or level instalments
//! of the rest.

use jiff::civil::Date;

use crate::loan::factor::to_multiple;
use crate::loan::life::Origin;
use crate::loan::scheduled;
use crate::loan::state::{Standing, State};
use crate::loan::{Broken, Parts};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;
use crate::servicing::{Credit, Servicing};

mod told;

/// Lends so much over the rows to come.
pub(crate) fn lend(state: &mut State<'_>, servicing: &Servicing, amount: Amount) -> Result<(), Broken> {
    let inconsistent = |what| Broken::Inconsistent { transaction: 0, what };
    let down = servicing.due_at_once(amount)?;
    let rest = amount.minus(down)?;
    let day = state.day;
    let count = state.rows.iter().filter(|s| takes(s, day)).count();
    if state.is_charged_off {
        return Err(inconsistent("lends on a loan that was given up or ended"));
    }
    let is_over = state.accrual.as_ref().is_some_and(|a| !a.covers(day));
    if is_over && rest.is_positive() {
        return Err(inconsistent("lends after the last due date"));
    }
    if count == 0 && rest.is_positive() && !scheduled::builds(state, servicing) {
        return Err(inconsistent("lends after the last due date"));
    }
    if down.is_positive() {
        let mut row = Standing::empty(day, day, Origin::DownPayment);
        row.row.principal.charged = down;
        if servicing.whole {
            let place = state.rows.partition_point(|s| s.row.due_on < day);
            state.rows.insert(place, row);
            state.renumber();
        } else {
            state.insert(row);
        }
        told::down_payment(state, servicing, amount)?;
    }
    if let Some(accrual) = &mut state.accrual {
        accrual.lend(day, rest)?;
        state.follow()?;
    } else if scheduled::builds(state, servicing) {
        scheduled::lend(state, servicing, rest)?;
    } else {
        share(state, servicing, rest, count)?;
    }
    // What had been paid up owes again, and is paid up on this day at the earliest.
    state.mark_cleared()?;
    state.principal = state.principal.plus(amount)?;
    // A credit balance meets what is lent now: nobody borrows what is owed to them.
    let credit = state.credit.max(Amount::ZERO);
    let (left, _) = crate::allocation::spread(state, servicing, Credit::Payment, credit)?;
    let used = credit.minus(left)?;
    state.credit = state.credit.minus(used)?;
    Ok(())
}

/// Whether a row takes a part of what is lent on a day: agreed rows to come, and those that were spread anew.
fn takes(standing: &Standing, day: Date) -> bool {
    matches!(standing.origin, Origin::Agreed | Origin::Reaged) && standing.row.due_on > day
}

/// Adds an equal share of the amount to every row to come, as multiples; the last takes what is left over. What the rows
/// owed before is not shared anew: 279.17 and 279.16, spread anew before, and 75.00 are 316.67 and 316.66. (Apache Fineract,
/// `LoanReAgingIntegrationTest`; its calculator alone, at a rate of nought that no loan asks it for, shares both together.)
fn share(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
    count: usize,
) -> Result<(), OutOfRange> {
    let day = state.day;
    let parts = i64::try_from(count).map_err(|_| OutOfRange("the number of instalments"))?;
    let each = amount.share(1, parts.max(1), Rounding::HalfEven)?;
    let mut left = amount;
    let mut place = 0usize;
    for standing in &mut state.rows {
        if !takes(standing, day) {
            continue;
        }
        place = place.saturating_add(1);
        let principal = &mut standing.row.principal;
        let before = principal.charged;
        let wanted = to_multiple(before.plus(each)?, servicing.multiple)?;
        let part = if place == count {
            left
        } else {
            // Rows that are rounded up may leave nothing for those after them.
            wanted.minus(before)?.min(left)
        };
        if let Some(trace) = &mut state.trace {
            let shared = told::Share {
                amount,
                on: day,
                parts,
                before,
                left,
                is_last: place == count,
            };
            shared.tell(trace, standing.mark, servicing.multiple)?;
        }
        left = left.minus(part)?;
        principal.charged = principal.charged.plus(part)?;
    }
    Ok(())
}

impl State<'_> {
    /// Lets the rows owe what the interest on their balances makes of them.
    pub(crate) fn follow(&mut self) -> Result<(), OutOfRange> {
        let Some(accrual) = &self.accrual else {
            return Ok(());
        };
        for standing in &mut self.rows {
            let term = accrual
                .terms
                .iter()
                .find(|t| standing.is_regular() && t.until == standing.row.due_on);
            let Some(term) = term else {
                continue;
            };
            let principal = term.principal.plus(standing.added.principal)?;
            standing.row.principal.charged = principal.minus(term.credited)?;
            standing.row.interest.charged = term.interest.plus(standing.added.interest)?;
        }
        // Where interest is as scheduled, rows that were paid do not know it; a change may leave them paid beyond it.
        match self.terms.conventions.servicing.as_deref() {
            Some(servicing) if servicing.recalculation.is_none() => scheduled::spread_anew(self, servicing),
            _ => Ok(()),
        }
    }

    /// Puts a row in its place: after those that are due on its day.
    pub(crate) fn insert(&mut self, standing: Standing) {
        let due_on = standing.row.due_on;
        let place = self.rows.partition_point(|s| s.row.due_on <= due_on);
        self.rows.insert(place, standing);
        self.renumber();
    }

    /// Counts the rows anew, and those whose day has come.
    pub(crate) fn renumber(&mut self) {
        for (number, standing) in (1..=u16::MAX).zip(&mut self.rows) {
            standing.row.number = number;
        }
        let day = self.day;
        self.due = self.rows.iter().take_while(|s| s.row.due_on <= day).count();
    }
}

impl Standing {
    /// What is open of one component.
    pub(crate) fn open_of(&self, component: Component) -> Result<Amount, OutOfRange> {
        self.row.figures(component).open()
    }

    /// Adds to what the row came to, beside the plan.
    pub(crate) fn add(&mut self, more: &Parts) -> Result<(), OutOfRange> {
        for component in Component::ALL {
            let figures = self.row.figures_mut(component);
            figures.charged = figures.charged.plus(more.of(component))?;
        }
        self.added = self.added.plus(more)?;
        Ok(())
    }
}
