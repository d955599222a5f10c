//! New schedules for a running loan (重组): spreading what is overdue, new rows, other dates, and the end of patience.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::{add_days, add_months};
use crate::loan::interest::to_multiple;
use crate::loan::life::Origin;
use crate::loan::scheduled;
use crate::loan::state::{Standing, State};
use crate::loan::{Broken, Parts};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;
use crate::servicing::{ChargeOff, Period, Servicing, Unit};

/// The date so many periods after another.
///
/// # Errors
/// [`OutOfRange`] outside the years −9999 to 9999.
pub(crate) fn after(start: Date, period: Period, count: u16) -> Result<Date, OutOfRange> {
    let steps = u32::from(period.every).saturating_mul(u32::from(count));
    match period.unit {
        Unit::Days => add_days(start, i64::from(steps)),
        Unit::Weeks => add_days(start, i64::from(steps).saturating_mul(7)),
        Unit::Months => add_months(start, i32::try_from(steps).map_err(|_| OutOfRange("a date"))?),
    }
}

/// Spreads the principal that is due and open over the rows to come, in equal shares; the last takes the rest.
pub(crate) fn reamortise(state: &mut State<'_>, servicing: &Servicing) -> Result<Parts, Broken> {
    let day = state.day;
    let is_ahead = |s: &Standing| s.is_regular() && s.row.due_on > day;
    let count = state.rows.iter().filter(|s| is_ahead(s)).count();
    let Ok(parts) = i64::try_from(count) else {
        return Err(OutOfRange("the number of rows").into());
    };
    if parts == 0 {
        return Err(Broken::Inconsistent {
            transaction: 0,
            what: "spreads what is overdue though no row is to come",
        });
    }
    let mut all = Amount::ZERO;
    for standing in state.rows.iter_mut().filter(|s| s.row.due_on <= day) {
        all = all.plus(standing.release()?)?;
    }
    let each = to_multiple(all.share(1, parts, Rounding::HalfEven)?, servicing.multiple)?;
    let mut left = all;
    let mut place = 0usize;
    for standing in state.rows.iter_mut().filter(|s| is_ahead(s)) {
        place = place.saturating_add(1);
        let part = if place == count { left } else { each };
        left = left.minus(part)?;
        let principal = &mut standing.row.principal;
        principal.charged = principal.charged.plus(part)?;
    }
    Ok(Parts {
        principal: all,
        ..Parts::default()
    })
}

/// New rows: when the first is due, how far apart they are, how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// When the first is due.
    pub start_on: Date,
    /// How far apart they are.
    pub period: Period,
    /// How many there are.
    pub count: u16,
}

/// Spreads all principal that is open over new rows, in equal shares; the last takes the rest. Interest that has accrued
/// by the day is spread alike, and nothing more is earned.
pub(crate) fn reage(state: &mut State<'_>, servicing: &Servicing, plan: Plan) -> Result<Parts, OutOfRange> {
    let mut all = Parts::default();
    let day = state.day;
    if let Some(accrual) = state.accrual.take() {
        all.interest = accrual.accrued_at(day)?;
        for standing in &mut state.rows {
            let interest = &mut standing.row.interest;
            all.interest = all.interest.minus(interest.paid)?;
            interest.charged = interest.charged.minus(interest.open()?)?;
        }
        all.interest = all.interest.max(Amount::ZERO);
        // The period that is under way ends now, and those after it never come.
        let due = state.rows.partition_point(|s| s.row.due_on <= day);
        for standing in state.rows.iter_mut().skip(due).take(1) {
            standing.row.due_on = day;
        }
    }
    state.is_fixed = true;
    for standing in &mut state.rows {
        all.principal = all.principal.plus(standing.release()?)?;
    }
    // Rows that were to come after the new ones begin are done with.
    state
        .rows
        .retain(|s| s.row.due_on <= day || s.row.due_on < plan.start_on || s.came_to_something());
    let parts = i64::from(plan.count.max(1));
    let each = to_multiple(
        all.principal.share(1, parts, Rounding::HalfEven)?,
        servicing.multiple,
    )?;
    let each_interest = all.interest.share(1, parts, Rounding::HalfEven)?;
    let (mut left, mut left_interest) = (all.principal, all.interest);
    let mut from = state.rows.last().map_or(day, |s| s.row.due_on);
    for place in 0..plan.count {
        let due_on = after(plan.start_on, plan.period, place)?;
        let is_last = place.saturating_add(1) == plan.count;
        let mut row = Standing::empty(from, due_on, Origin::Reaged);
        row.row.principal.charged = if is_last { left } else { each };
        row.row.interest.charged = if is_last { left_interest } else { each_interest };
        left = left.minus(row.row.principal.charged)?;
        left_interest = left_interest.minus(row.row.interest.charged)?;
        state.insert(row);
        from = due_on;
    }
    Ok(all)
}

/// Due dates after those that were moved: each change moves a date, and those after it keep their distance from it.
///
/// A move is known from the start, whenever it was entered: what was late by the old date is not by the new one.
pub(crate) fn moved(
    servicing: &Servicing,
    due_dates: &[Date],
    moves: impl Iterator<Item = (Date, Date)>,
) -> Result<Vec<Date>, OutOfRange> {
    let mut dates = due_dates.to_vec();
    for (from, to) in moves {
        let ahead = dates.iter_mut().filter(|d| **d >= from);
        for (steps, date) in (0u16..).zip(ahead) {
            *date = after(to, servicing.period, steps)?;
        }
    }
    Ok(dates)
}

/// What a reschedule changes beside due dates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    /// The due date from which on it holds.
    pub from: Date,
    /// How many rows more.
    pub extra: u16,
    /// In how many rows no principal is due; as many are added.
    pub grace: u16,
    /// The interest of how many rows is put off.
    pub interest_grace: u16,
}

/// Adds rows at the end, and lets some owe no principal or no interest yet.
pub(crate) fn reschedule(
    state: &mut State<'_>,
    servicing: &Servicing,
    changes: Changes,
) -> Result<(), OutOfRange> {
    for _ in 0..changes.extra.saturating_add(changes.grace) {
        let regular = state.rows.iter().rfind(|s| s.is_regular());
        let last = regular.map_or(changes.from, |s| s.row.due_on);
        let due_on = after(last, servicing.period, 1)?;
        state.insert(Standing::empty(last, due_on, Origin::Agreed));
        if let Some(accrual) = &mut state.accrual {
            accrual.add_period(last, due_on);
        }
    }
    if let Some(accrual) = &mut state.accrual {
        accrual.reschedule(changes)?;
        return state.follow();
    }
    if scheduled::builds(state, servicing) {
        return scheduled::reschedule(state, servicing, changes);
    }
    if changes.extra > 0 {
        respread(state, servicing, changes.from)?;
    }
    for _ in 0..changes.grace {
        let mut carried = Amount::ZERO;
        let moves = |s: &&mut Standing| s.is_regular() && s.row.due_on >= changes.from;
        for standing in state.rows.iter_mut().filter(moves) {
            let open = standing.release()?;
            let principal = &mut standing.row.principal;
            principal.charged = principal.charged.plus(carried)?;
            carried = open;
        }
    }
    Ok(())
}

/// Makes the rows from a date on equal.
fn respread(state: &mut State<'_>, servicing: &Servicing, from: Date) -> Result<(), OutOfRange> {
    let is_open = |s: &Standing| s.is_regular() && s.row.due_on >= from;
    let count = state.rows.iter().filter(|s| is_open(s)).count();
    let parts = i64::try_from(count).map_err(|_| OutOfRange("the number of rows"))?;
    let mut all = Amount::ZERO;
    for standing in state.rows.iter().filter(|s| is_open(s)) {
        all = all.plus(standing.row.principal.charged)?;
    }
    let each = to_multiple(
        all.share(1, parts.max(1), Rounding::HalfEven)?,
        servicing.multiple,
    )?;
    let mut left = all;
    let mut place = 0usize;
    for standing in state.rows.iter_mut().filter(|s| is_open(s)) {
        place = place.saturating_add(1);
        let part = if place == count { left } else { each };
        standing.row.principal.charged = part;
        left = left.minus(part)?;
    }
    Ok(())
}

/// Writes the loan off as the agreement says.
pub(crate) fn charge_off(state: &mut State<'_>, how: ChargeOff) -> Result<Parts, OutOfRange> {
    match how {
        ChargeOff::Regular => {}
        ChargeOff::ZeroInterest => {
            let day = state.day;
            if let Some(accrual) = &mut state.accrual {
                accrual.stop(day)?;
            }
            state.follow()?;
        }
        ChargeOff::Accelerate => accelerate(state)?,
    }
    state.is_charged_off = true;
    state
        .rows
        .iter()
        .try_fold(Parts::default(), |sum, s| sum.plus(&s.row.open()?))
}

/// Waives everything that is open; nothing more is earned.
pub(crate) fn write_off(state: &mut State<'_>) -> Result<Parts, OutOfRange> {
    let mut all = Parts::default();
    for standing in &mut state.rows {
        for component in Component::ALL {
            let open = standing.open_of(component)?;
            all.add(component, standing.waive(component, open)?)?;
        }
    }
    state.accrual = None;
    (state.is_charged_off, state.is_fixed) = (true, true);
    Ok(all)
}

/// Lets everything fall due on the state's day, in the row of that day: all principal, and interest up to now.
pub(crate) fn accelerate(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let day = state.day;
    let (mut principal, mut paid) = (Amount::ZERO, Amount::ZERO);
    let mut interest = Amount::ZERO;
    if let Some(accrual) = &state.accrual {
        interest = accrual.accrued_at(day)?;
    }
    let Some(place) = state
        .rows
        .iter()
        .position(|s| s.is_regular() && s.row.due_on >= day)
    else {
        return Ok(());
    };
    for standing in state.rows.iter().skip(place) {
        principal = principal.plus(standing.row.principal.charged)?;
        paid = paid.plus(standing.row.principal.paid)?;
    }
    for standing in state.rows.iter().take(place) {
        interest = interest.minus(standing.row.interest.charged)?;
    }
    state.rows.truncate(place.saturating_add(1));
    if let Some(standing) = state.rows.last_mut() {
        standing.row.principal.charged = principal;
        standing.row.principal.paid = paid;
        standing.row.interest.charged = interest.max(Amount::ZERO);
        standing.row.due_on = day;
    }
    // The rows are what they are now: no balance behind them changes them any more.
    state.accrual = None;
    state.is_fixed = true;
    state.renumber();
    Ok(())
}

impl Standing {
    /// Cuts the row to what was paid of its principal; says what was open.
    fn release(&mut self) -> Result<Amount, OutOfRange> {
        let principal = &mut self.row.principal;
        let open = principal.open()?;
        principal.charged = principal.charged.minus(open)?;
        Ok(open)
    }

    /// Whether the row shows any figure.
    fn came_to_something(&self) -> bool {
        let row = &self.row;
        [&row.principal, &row.interest, &row.fee, &row.penalty]
            .iter()
            .any(|f| !f.charged.is_zero())
    }
}
