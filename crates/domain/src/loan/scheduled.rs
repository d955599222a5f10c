//! Interest as scheduled (按计划计息): reckoned when money is lent, whatever is paid later, or anew with every payment.
//!
//! Instalments may be multiples, rows at the beginning may owe interest alone or nothing, and the last row takes what
//! rounding left. These are the schedules of core systems that quote whole units. Where the agreement says that interest is
//! reckoned anew, the schedule is built from the days on which money was lent and paid: what comes before a due date is
//! principal from its day on, what is overdue earns until it is paid, and what goes beyond an instalment does what
//! [`Excess`] says. (Apache Fineract, cumulative schedules: `LoanRepayment.feature`, RP01 to RP16.)

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::add_days;
use crate::loan::Parts;
use crate::loan::build::Builder;
use crate::loan::life::Origin;
use crate::loan::restructure::Changes;
use crate::loan::state::{Flow, Span, Standing, State};
use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::Component;
use crate::servicing::{Credit, Method, Servicing};

/// What the schedule is built from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course {
    /// What was lent without down payments.
    pub lent: Vec<Flow>,
    /// What came in, where interest is reckoned anew; less than nothing where it was handed back.
    pub paid: Vec<Flow>,
    /// What of a credit balance was paid out or charged back.
    pub gone: Vec<Flow>,
    /// Rates that followed the agreed one, each from its evening.
    pub rates: Vec<(Date, Rate)>,
    /// Evenings between which nothing is earned.
    pub pauses: Vec<Span>,
    /// Due dates from which on instalments are level anew.
    pub releveled: Vec<Date>,
    /// From a due date on, so many rows more for the same principal.
    pub extra: Vec<(Date, u16)>,
    /// From a due date on, so many rows without principal.
    pub without_principal: Vec<(Date, u16)>,
    /// From a due date on, so many rows whose interest is put off.
    pub without_interest: Vec<(Date, u16)>,
    /// Rows that are not needed while so much was paid.
    pub set_aside: Vec<Standing>,
    /// The row that ended when everything was paid in it.
    pub ended_early: Option<EndedEarly>,
}

/// A row that ended before its day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedEarly {
    /// When its period begins.
    from: Date,
    /// Its agreed due date.
    due_on: Date,
}

/// Lends so much.
pub(crate) fn lend(state: &mut State<'_>, servicing: &Servicing, amount: Amount) -> Result<(), OutOfRange> {
    let on = state.day;
    state.course.lent.push(Flow { on, amount });
    reckon(state, servicing)
}

/// Takes in a payment, where interest is reckoned anew with it.
pub(crate) fn take_in(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
) -> Result<(), OutOfRange> {
    if servicing.excess.is_none() {
        return Ok(());
    }
    let on = state.day;
    state.course.paid.push(Flow { on, amount });
    reckon(state, servicing)
}

/// Takes note that money was handed back, where interest is reckoned anew with it.
pub(crate) fn hand_back(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
) -> Result<(), OutOfRange> {
    take_in(state, servicing, Amount::ZERO.minus(amount)?)
}

/// Lets another rate hold from a day on, in instalments that are level anew.
pub(crate) fn change_rate(
    state: &mut State<'_>,
    servicing: &Servicing,
    annual: Rate,
) -> Result<(), OutOfRange> {
    let day = state.day;
    state.course.rates.push((add_days(day, -1)?, annual));
    state.course.rates.sort_by_key(|(from, _)| *from);
    state.course.releveled.push(day);
    reckon(state, servicing)
}

/// Lets some days earn nothing, both included.
pub(crate) fn pause(
    state: &mut State<'_>,
    servicing: &Servicing,
    from: Date,
    until: Date,
) -> Result<(), OutOfRange> {
    let from = add_days(from, -1)?;
    state.course.pauses.push(Span { from, until });
    reckon(state, servicing)
}

/// Rows without principal, or whose interest is put off, from a due date on; rows that were added are there already.
pub(crate) fn reschedule(
    state: &mut State<'_>,
    servicing: &Servicing,
    changes: Changes,
) -> Result<(), OutOfRange> {
    let course = &mut state.course;
    if changes.extra > 0 {
        course.releveled.push(changes.from);
        course.extra.push((changes.from, changes.extra));
    }
    course.without_principal.push((changes.from, changes.grace));
    course
        .without_interest
        .push((changes.from, changes.interest_grace));
    reckon(state, servicing)
}

/// Whether the rows of a loan are built here.
pub(crate) fn builds(state: &State<'_>, servicing: &Servicing) -> bool {
    let is_scheduled = servicing.method != Method::Balance && state.terms.pricing.rate() > Rate::ZERO;
    !state.is_fixed && (servicing.whole || is_scheduled)
}

/// Lets the rows owe what the money that moved up to the state's day makes of them, where interest is scheduled.
pub(crate) fn reckon(state: &mut State<'_>, servicing: &Servicing) -> Result<(), OutOfRange> {
    if state.course.lent.is_empty() || state.is_fixed {
        return Ok(());
    }
    put_back(state);
    let built = Builder::new(state, servicing)?.build()?;
    let count = built.len();
    let mut rows = built.into_iter();
    for standing in state.rows.iter_mut().filter(|s| s.is_regular()) {
        standing.planned = Parts::default();
        let Some(row) = rows.next() else {
            continue;
        };
        if row.until != standing.row.due_on {
            state.course.ended_early = Some(EndedEarly {
                from: standing.from,
                due_on: standing.row.due_on,
            });
        }
        standing.row.due_on = row.until;
        standing.planned = row.planned;
    }
    for row in rows {
        let mut standing = Standing::empty(row.from, row.until, Origin::Agreed);
        standing.planned = row.planned;
        state.insert(standing);
    }
    for standing in state.rows.iter_mut().filter(|s| s.is_regular()) {
        let row = &mut standing.row;
        row.principal.charged = standing.planned.principal.plus(standing.added.principal)?;
        row.interest.charged = standing.planned.interest.plus(standing.added.interest)?;
    }
    state.renumber();
    waive_anew(state)?;
    spread_anew(state, servicing)?;
    set_aside(state, count);
    Ok(())
}

/// Lets what rows waived beyond what they come to now be waived elsewhere. What finds no place had been owed, and still is
/// shown as owed and waived.
fn waive_anew(state: &mut State<'_>) -> Result<(), OutOfRange> {
    for component in [Component::Principal, Component::Interest] {
        let mut over = Amount::ZERO;
        for standing in &mut state.rows {
            let figures = standing.row.figures_mut(component);
            let more = figures
                .waived
                .minus_or_zero(figures.charged.minus(figures.cancelled)?.max(Amount::ZERO))?;
            figures.waived = figures.waived.minus(more)?;
            over = over.plus(more)?;
        }
        for standing in &mut state.rows {
            over = over.minus(standing.waive(component, over)?)?;
        }
        if let Some(standing) = state.rows.last_mut() {
            let figures = standing.row.figures_mut(component);
            figures.charged = figures.charged.plus(over)?;
            figures.waived = figures.waived.plus(over)?;
        }
    }
    Ok(())
}

/// Sets rows aside that are not needed: those after the ones that were built, unless something else is owed in them.
fn set_aside(state: &mut State<'_>, built: usize) {
    let mut place = 0usize;
    let all = core::mem::take(&mut state.rows);
    for standing in all {
        let is_needed = !standing.is_regular() || place < built || standing.came_to_something();
        place = place.saturating_add(usize::from(standing.is_regular()));
        if is_needed {
            state.rows.push(standing);
        } else {
            state.course.set_aside.push(standing);
        }
    }
    state.renumber();
}

/// Lets what rows paid more than they come to now meet what is open elsewhere.
pub(crate) fn spread_anew(state: &mut State<'_>, servicing: &Servicing) -> Result<(), OutOfRange> {
    let (mut over, mut principal) = (Amount::ZERO, Amount::ZERO);
    for standing in state.rows.iter_mut().filter(|s| s.is_regular()) {
        let mut of_row = Amount::ZERO;
        for component in [Component::Principal, Component::Interest] {
            let figures = standing.row.figures_mut(component);
            let left = figures.charged.minus(figures.waived)?.minus(figures.cancelled)?;
            let more = figures.paid.minus_or_zero(left)?;
            figures.paid = figures.paid.minus(more)?;
            of_row = of_row.plus(more)?;
            if component == Component::Principal {
                principal = principal.plus(more)?;
            }
        }
        let early = standing.ahead.min(of_row);
        standing.ahead = standing.ahead.minus(early)?;
        standing.late_paid = standing.late_paid.minus_or_zero(of_row.minus(early)?)?;
        over = over.plus(of_row)?;
    }
    if over.is_zero() {
        return Ok(());
    }
    state.principal = state.principal.plus(principal)?;
    let (left, _) = crate::allocation::spread(state, servicing, Credit::Payment, over)?;
    state.credit = state.credit.plus(left)?;
    Ok(())
}

/// Puts back the rows that were not needed, and the day of the row in which everything was paid.
pub(crate) fn put_back(state: &mut State<'_>) {
    let aside = core::mem::take(&mut state.course.set_aside);
    if let Some(ended) = state.course.ended_early.take() {
        let mut rows = state.rows.iter_mut().filter(|s| s.is_regular());
        if let Some(standing) = rows.find(|s| s.from == ended.from) {
            standing.row.due_on = ended.due_on;
        }
    }
    for standing in aside {
        state.insert(standing);
    }
}
