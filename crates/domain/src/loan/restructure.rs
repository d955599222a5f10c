//! New schedules for a running loan (重组): spreading what is overdue, new rows, other dates, and the end of patience.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::{add_days, add_months, days_between};
use crate::explain::Name;
use crate::loan::factor::to_multiple;
use crate::loan::interest::Accrual;
use crate::loan::life::{Origin, interest_open};
use crate::loan::scheduled;
use crate::loan::state::{Standing, State};
use crate::loan::{Broken, Parts, ROWS_MAX, Reaging, Reamortising};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{ChargeOff, Period, Servicing, Unit};

mod told;

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

/// Spreads the principal that is due and open over the rows to come, in equal shares; the last takes the rest. Overdue
/// interest is spread like that only where it is asked for.
pub(crate) fn reamortise(
    state: &mut State<'_>,
    servicing: &Servicing,
    interest: Reamortising,
) -> Result<Parts, Broken> {
    if !is_overdue(state)? {
        // The rows to come stay as they are.
        return Ok(Parts::default());
    }
    let principal = spread_principal(state, servicing)?;
    let mut parts = Parts {
        principal,
        ..Parts::default()
    };
    if interest == Reamortising::Alike {
        parts.interest = spread_interest(state)?;
    }
    Ok(parts)
}

/// Whether anything is open of the rows whose day has come.
fn is_overdue(state: &State<'_>) -> Result<bool, OutOfRange> {
    let mut due = state.rows.iter().filter(|s| s.row.due_on <= state.day);
    due.try_fold(false, |is, s| Ok(is || !s.row.open()?.total()?.is_zero()))
}

/// Spreads overdue interest in equal shares over the rows to come, beside what their balance makes them owe; says how much.
fn spread_interest(state: &mut State<'_>) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let mut all = Amount::ZERO;
    if let Some(accrual) = &mut state.accrual {
        all = all.plus(accrual.release_overdue(day)?)?;
    }
    for standing in state.rows.iter_mut().filter(|s| s.row.due_on <= day) {
        let interest = &mut standing.row.interest;
        let open = interest.open()?;
        interest.charged = interest.charged.minus(open)?;
        standing.added.interest = standing.added.interest.minus_or_zero(open)?;
        all = all.plus(open)?;
    }
    let is_ahead = |s: &&mut Standing| s.is_regular() && s.row.due_on > day;
    let count = state.rows.iter_mut().filter(is_ahead).count();
    let parts = i64::try_from(count).map_err(|_| OutOfRange("the number of rows"))?;
    let each = all.share(1, parts.max(1), Rounding::HalfEven)?;
    let mut left = all;
    for (place, standing) in (1i64..).zip(state.rows.iter_mut().filter(is_ahead)) {
        let interest = if place == parts { left } else { each.min(left) };
        left = left.minus(interest)?;
        standing.add(&Parts {
            interest,
            ..Parts::default()
        })?;
    }
    state.follow()?;
    Ok(all)
}

/// Spreads the principal that is due and open over the rows to come; says how much.
fn spread_principal(state: &mut State<'_>, servicing: &Servicing) -> Result<Amount, Broken> {
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
    if state.accrual.is_some() {
        return reamortise_accrual(state);
    }
    state.is_fixed = true;
    let mut all = Amount::ZERO;
    for standing in state.rows.iter_mut().filter(|s| s.row.due_on <= day) {
        all = all.plus(standing.release()?)?;
    }
    let each = to_multiple(all.share(1, parts, Rounding::HalfEven)?, servicing.multiple)?;
    let mut left = all;
    let mut place = 0usize;
    for standing in state.rows.iter_mut().filter(|s| is_ahead(s)) {
        place = place.saturating_add(1);
        let is_last = place == count;
        let part = if is_last { left } else { each };
        let spread = told::Spread {
            all,
            left,
            parts,
            is_last,
            multiple: servicing.multiple,
        };
        spread.tell(state.trace.as_deref_mut(), standing, Component::Principal)?;
        left = left.minus(part)?;
        let principal = &mut standing.row.principal;
        principal.charged = principal.charged.plus(part)?;
    }
    Ok(all)
}

/// The same where interest follows the balance: what is overdue is cut to what was paid, its interest moves to the next
/// row, and the rows to come are level anew.
fn reamortise_accrual(state: &mut State<'_>) -> Result<Amount, Broken> {
    let day = state.day;
    let (mut principal, mut beside) = (Amount::ZERO, Amount::ZERO);
    for standing in state.rows.iter_mut().filter(|s| s.row.due_on <= day) {
        let open = if standing.is_regular() {
            standing.open_of(Component::Principal)?
        } else {
            let open = standing.release()?;
            beside = beside.plus(open)?;
            open
        };
        principal = principal.plus(open)?;
    }
    let follows = state.terms.conventions.recalculation().is_some();
    if let Some(accrual) = &mut state.accrual {
        // Interest that does not follow payments knows nothing of them yet.
        for standing in state.rows.iter().filter(|s| s.is_regular() && !follows) {
            let met = |component| {
                let figures = standing.row.figures(component);
                let met = figures.paid.plus(figures.waived)?;
                met.minus_or_zero(standing.added.of(component))
            };
            let (principal, interest) = (met(Component::Principal)?, met(Component::Interest)?);
            accrual.note_paid(standing.row.due_on, principal, interest)?;
        }
        accrual.spread_overdue(day, beside)?;
    }
    state.follow()?;
    Ok(principal)
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
    /// What becomes of interest.
    pub interest: Reaging,
}

/// Spreads all principal that is open over new rows, and interest as the plan says.
pub(crate) fn reage(state: &mut State<'_>, servicing: &'_ Servicing, plan: Plan) -> Result<Parts, Broken> {
    let day = state.day;
    if plan.start_on < day {
        return Err(Broken::Inconsistent {
            transaction: 0,
            what: "spreads what is open over rows that are past",
        });
    }
    if !(1..=ROWS_MAX).contains(&plan.count) {
        return Err(Broken::Inconsistent {
            transaction: 0,
            what: "spreads what is open over no rows, or over more than 1,200",
        });
    }
    let interest = release_interest(state, plan.interest)?;
    let bears_interest = state.accrual.take().is_some();
    if bears_interest {
        end_period(state);
    }
    state.is_fixed = true;
    let mut principal = Amount::ZERO;
    for standing in &mut state.rows {
        principal = principal.plus(standing.release()?)?;
        if standing.is_regular() {
            standing.origin = Origin::Reaged;
        }
    }
    // Rows that were to come after the new ones begin are done with.
    state
        .rows
        .retain(|s| s.row.due_on <= day || s.row.due_on < plan.start_on || s.came_to_something());
    let all = Parts {
        principal,
        interest,
        ..Parts::default()
    };
    if plan.interest == Reaging::Anew && state.terms.pricing.rate() > Rate::ZERO {
        level_anew(state, plan, &all)?;
    } else {
        spread_alike(state, servicing, plan, &all)?;
    }
    Ok(all)
}

/// Ends the period that is under way now; those after it never come. One that ended early before, for nothing, is part of it,
/// so that who spreads anew day after day gets one row for all those days, and none for a period of no days. (As
/// Apache Fineract has it.)
fn end_period(state: &mut State<'_>) {
    let day = state.day;
    let mut begun = None;
    state.rows.retain(|s| {
        let is_for_nothing = s.is_cut && !s.came_to_something();
        if is_for_nothing {
            begun = begun.or(Some(s.from));
        }
        !is_for_nothing
    });
    let due = state.rows.partition_point(|s| s.row.due_on <= day);
    for standing in state.rows.iter_mut().skip(due).take(1) {
        standing.from = begun.unwrap_or(standing.from);
        standing.row.due_on = day;
        standing.is_cut = true;
    }
    state
        .rows
        .retain(|s| !s.is_cut || s.from < s.row.due_on || s.came_to_something());
}

/// Takes interest out of the rows: what has accrued by the day, or all of it; what was paid or waived stays.
fn release_interest(state: &mut State<'_>, how: Reaging) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let accrued = match &state.accrual {
        Some(_) if how != Reaging::All => Some(interest_open(state, day)?),
        _ => None,
    };
    let mut all = Amount::ZERO;
    for standing in &mut state.rows {
        let (part, whole) = standing.elapsed(day);
        let interest = &mut standing.row.interest;
        let open = interest.open()?;
        interest.charged = interest.charged.minus(open)?;
        // What is owed again does not come about with the days.
        let beside = standing.added.interest.min(open);
        let payable = if how == Reaging::All {
            open
        } else {
            let planned = open.minus(beside)?;
            planned.share(part, whole, Rounding::HalfEven)?.plus(beside)?
        };
        all = all.plus(payable)?;
    }
    Ok(accrued.unwrap_or(all))
}

/// New rows that are level and earn; what has accrued is due with the first of them.
fn level_anew(state: &mut State<'_>, plan: Plan, all: &Parts) -> Result<(), OutOfRange> {
    let Some(servicing) = state.terms.conventions.servicing.as_deref() else {
        return Ok(());
    };
    let day = state.day;
    let dates = (0..plan.count)
        .map(|place| after(plan.start_on, plan.period, place))
        .collect::<Result<Vec<Date>, OutOfRange>>()?;
    let annual = state.rate;
    let mut accrual = Accrual::new(servicing, annual, day, &dates);
    (accrual.period, accrual.carried) = (plan.period, all.interest);
    accrual.leveled = state.trace.as_ref().map(|_| Vec::new());
    accrual.lend(day, all.principal)?;
    for made in accrual.leveled.iter_mut().flatten() {
        let until = dates.last().copied().unwrap_or(day);
        made.name = Name::Balance { from: day, until };
    }
    let mut from = day;
    for due_on in dates {
        state.insert(Standing::empty(from, due_on, Origin::Agreed));
        from = due_on;
    }
    state.accrual = Some(accrual);
    state.follow()
}

/// New rows of equal shares; the last takes the rest.
fn spread_alike(
    state: &mut State<'_>,
    servicing: &Servicing,
    plan: Plan,
    all: &Parts,
) -> Result<(), OutOfRange> {
    let parts = i64::from(plan.count.max(1));
    let share = all.principal.share(1, parts, Rounding::HalfEven)?;
    let each = to_multiple(share, servicing.multiple)?;
    let each_interest = all.interest.share(1, parts, Rounding::HalfEven)?;
    let (mut left, mut left_interest) = (all.principal, all.interest);
    let mut from = state.rows.last().map_or(state.day, |s| s.row.due_on);
    for place in 0..plan.count {
        let due_on = after(plan.start_on, plan.period, place)?;
        let is_last = place.saturating_add(1) == plan.count;
        let mut row = Standing::empty(from, due_on, Origin::Reaged);
        let of_principal = told::Spread {
            all: all.principal,
            left,
            parts,
            is_last,
            multiple: servicing.multiple,
        };
        let of_interest = told::Spread {
            all: all.interest,
            left: left_interest,
            multiple: Amount::ZERO,
            ..of_principal
        };
        of_principal.tell(state.trace.as_deref_mut(), &mut row, Component::Principal)?;
        of_interest.tell(state.trace.as_deref_mut(), &mut row, Component::Interest)?;
        row.row.principal.charged = if is_last { left } else { each.min(left) };
        row.row.interest.charged = if is_last {
            left_interest
        } else {
            each_interest.min(left_interest)
        };
        left = left.minus(row.row.principal.charged)?;
        left_interest = left_interest.minus(row.row.interest.charged)?;
        state.insert(row);
        from = due_on;
    }
    Ok(())
}

/// How due dates move.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Move {
    /// A due date, and those after it, which keep their distance from it.
    To {
        /// The first date that is moved.
        from: Date,
        /// Its new day.
        to: Date,
    },
    /// All dates after a day, by so many days.
    By {
        /// The day.
        after: Date,
        /// How many days.
        days: u16,
    },
}

/// Due dates after all moves. A move is known from the start, whenever it was entered: what was late by the old date is
/// not by the new one.
pub(crate) fn moved(
    servicing: &Servicing,
    due_dates: &[Date],
    moves: impl Iterator<Item = Move>,
) -> Result<Vec<Date>, OutOfRange> {
    let mut dates = due_dates.to_vec();
    for change in moves {
        match change {
            Move::To { from, to } => {
                let ahead = dates.iter_mut().filter(|d| **d >= from);
                for (steps, date) in (0u16..).zip(ahead) {
                    *date = after(to, servicing.period, steps)?;
                }
            }
            Move::By { after, days } => {
                for date in dates.iter_mut().filter(|d| **d > after) {
                    *date = add_days(*date, i64::from(days))?;
                }
            }
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
    // More rows come after all that were agreed, those included that nothing is due in for now.
    scheduled::put_back(state);
    add_rows(state, servicing, changes.from, changes.extra)?;
    let follows = state.accrual.is_some() || scheduled::builds(state, servicing);
    if changes.extra > 0 && !follows {
        respread(state, servicing, changes.from)?;
        scheduled::spread_anew(state, servicing)?;
    }
    add_rows(state, servicing, changes.from, changes.grace)?;
    if let Some(accrual) = &mut state.accrual {
        accrual.reschedule(changes)?;
        return state.follow();
    }
    if scheduled::builds(state, servicing) {
        return scheduled::reschedule(state, servicing, changes);
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

/// Adds rows at the end.
fn add_rows(state: &mut State<'_>, servicing: &Servicing, from: Date, count: u16) -> Result<(), OutOfRange> {
    for _ in 0..count {
        let regular = state.rows.iter().rfind(|s| s.is_regular());
        let last = regular.map_or(from, |s| s.row.due_on);
        let due_on = after(last, servicing.period, 1)?;
        state.insert(Standing::empty(last, due_on, Origin::Agreed));
        if let Some(accrual) = &mut state.accrual {
            accrual.add_period(last, due_on);
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
pub(crate) fn charge_off(state: &mut State<'_>, servicing: &Servicing) -> Result<Parts, OutOfRange> {
    match servicing.charge_off {
        ChargeOff::Regular => {}
        ChargeOff::ZeroInterest => {
            let day = state.day;
            if let Some(accrual) = &mut state.accrual {
                accrual.stop(day)?;
            } else if scheduled::builds(state, servicing) {
                scheduled::pause(state, servicing, add_days(day, 1)?, Date::MAX)?;
            }
            state.follow()?;
        }
        ChargeOff::Accelerate => accelerate(state)?,
    }
    state.is_charged_off = true;
    state.open()
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
    let place = state
        .rows
        .iter()
        .position(|s| s.is_regular() && s.row.due_on >= day);
    let accrued = state.accrual.as_ref().map(|a| a.accrued_at(day)).transpose()?;
    // The rows are what they are now: no balance behind them changes them any more.
    state.accrual = None;
    state.is_fixed = true;
    let Some(place) = place else {
        return Ok(());
    };
    let mut rows = state.rows.split_off(place).into_iter();
    let Some(mut last) = rows.next() else {
        return Ok(());
    };
    let mut interest = last.accrued(day)?;
    for standing in rows {
        interest = interest.plus(standing.accrued(day)?)?;
        last.merge(&standing)?;
    }
    if let Some(accrued) = accrued {
        let charged = state.rows.iter().map(|s| s.row.interest.charged);
        interest = accrued.minus_or_zero(Amount::sum(charged)?)?;
    }
    // What was paid of interest before it was earned is not given back.
    let met = last.row.interest.paid.plus(last.row.interest.waived)?;
    last.row.interest.charged = interest.max(met.plus(last.row.interest.cancelled)?);
    last.row.due_on = day;
    state.rows.push(last);
    state.renumber();
    Ok(())
}

impl Standing {
    /// The part of its period that is over on a day, as a fraction.
    fn elapsed(&self, day: Date) -> (i64, i64) {
        let all = days_between(self.from, self.row.due_on);
        if all <= 0 {
            return (1, 1);
        }
        (days_between(self.from, day).clamp(0, all), all)
    }

    /// Its interest up to a day, in proportion of its days.
    fn accrued(&self, day: Date) -> Result<Amount, OutOfRange> {
        let (part, whole) = self.elapsed(day);
        self.row.interest.charged.share(part, whole, Rounding::HalfEven)
    }

    /// Takes in the figures of another row.
    fn merge(&mut self, other: &Standing) -> Result<(), OutOfRange> {
        for component in Component::ALL {
            let more = *other.row.figures(component);
            let figures = self.row.figures_mut(component);
            figures.charged = figures.charged.plus(more.charged)?;
            figures.paid = figures.paid.plus(more.paid)?;
            figures.waived = figures.waived.plus(more.waived)?;
            figures.cancelled = figures.cancelled.plus(more.cancelled)?;
        }
        self.added = self.added.plus(&other.added)?;
        self.ahead = self.ahead.plus(other.ahead)?;
        self.late_paid = self.late_paid.plus(other.late_paid)?;
        Ok(())
    }

    /// Cuts the row to what was paid of its principal; says what was open.
    fn release(&mut self) -> Result<Amount, OutOfRange> {
        let principal = &mut self.row.principal;
        let open = principal.open()?;
        principal.charged = principal.charged.minus(open)?;
        Ok(open)
    }

    /// Whether the row shows any figure.
    pub(crate) fn came_to_something(&self) -> bool {
        let row = &self.row;
        [&row.principal, &row.interest, &row.fee, &row.penalty]
            .iter()
            .any(|f| !f.charged.is_zero())
    }
}
