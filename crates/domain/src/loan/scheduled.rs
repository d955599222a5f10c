//! Interest as scheduled (按计划计息): reckoned once, when money is lent, whatever is paid later.
//!
//! Instalments may be multiples, rows at the beginning may owe interest alone or nothing, and the last row takes what
//! rounding left. These are the schedules of core systems that quote whole units.

use alloc::vec::Vec;

use crate::calendar::days_between;
use crate::loan::Broken;
use crate::loan::interest::{actual_parts, to_multiple};
use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{Basis, Excess, Method, Servicing, Unit, YearDays};

pub(in crate::loan) mod told;

/// Lends so much over the rows to come.
pub(crate) fn lend(state: &mut State<'_>, servicing: &Servicing, amount: Amount) -> Result<(), OutOfRange> {
    let day = state.day;
    let annual = state.terms.pricing.rate();
    let ahead = |s: &&Standing| s.is_regular() && s.row.due_on > day;
    let mut parts = Vec::new();
    for standing in state.rows.iter().filter(ahead) {
        parts.push(part(servicing, basis(servicing.method), standing)?);
    }
    let rows = reckon(servicing, annual, amount, &parts, None)?;
    if let Some(trace) = &mut state.trace {
        let lent = told::Lent {
            servicing,
            annual,
            amount,
            on: day,
            parts: &parts,
            rows: &rows,
        };
        for (place, standing) in state.rows.iter().filter(ahead).enumerate() {
            lent.tell(trace, place, (standing.mark, standing.from, standing.row.due_on))?;
        }
    }
    let ahead = |s: &&mut Standing| s.is_regular() && s.row.due_on > day;
    for (standing, (principal, interest)) in state.rows.iter_mut().filter(ahead).zip(rows) {
        let row = &mut standing.row;
        row.principal.charged = row.principal.charged.plus(principal)?;
        row.interest.charged = row.interest.charged.plus(interest)?;
    }
    Ok(())
}

/// Takes money beyond what is due on a due date into that day's row, and reckons the rows after it anew.
///
/// What comes late or between due dates is not known to these terms, and says so.
pub(crate) fn take_excess(
    state: &mut State<'_>,
    servicing: &Servicing,
    how: Excess,
    amount: Amount,
) -> Result<(), Broken> {
    let day = state.day;
    let mut due = Amount::ZERO;
    for standing in state.rows.iter().filter(|s| s.row.due_on <= day) {
        let open = standing.row.open()?.total()?;
        if standing.row.due_on < day && open.is_positive() {
            return Err(unknown("pays late where scheduled interest is reckoned anew"));
        }
        due = due.plus(open)?;
    }
    let more = amount.minus_or_zero(due)?;
    if more.is_zero() {
        return Ok(());
    }
    let ahead = |s: &&Standing| s.is_regular() && s.row.due_on > day;
    let mut balance = Amount::ZERO;
    let mut parts = Vec::new();
    for standing in state.rows.iter().filter(ahead) {
        balance = balance.plus(standing.open_of(Component::Principal)?)?;
        parts.push(part(servicing, basis(servicing.method), standing)?);
    }
    let next = state.rows.iter().find(ahead).map(|s| s.row);
    let agreed = next
        .map(|r| r.principal.charged.plus(r.interest.charged))
        .transpose()?;
    let Some(today) = state
        .rows
        .iter_mut()
        .find(|s| s.is_regular() && s.row.due_on == day)
    else {
        return Err(unknown(
            "pays between due dates where scheduled interest is reckoned anew",
        ));
    };
    let more = more.min(balance);
    today.row.principal.charged = today.row.principal.charged.plus(more)?;
    let left = balance.minus(more)?;
    let annual = state.terms.pricing.rate();
    let agreed = if how == Excess::LowerInstalment {
        lower(state, servicing, left, parts.len())?
    } else {
        agreed
    };
    let rows = reckon(servicing, annual, left, &parts, agreed)?;
    let ahead = |s: &&mut Standing| s.is_regular() && s.row.due_on > day;
    for (standing, (principal, interest)) in state.rows.iter_mut().filter(ahead).zip(rows) {
        standing.row.principal.charged = principal;
        standing.row.interest.charged = interest;
    }
    if how == Excess::FewerRows {
        state
            .rows
            .retain(|s| s.row.due_on <= day || s.row.principal.charged.is_positive());
    }
    Ok(())
}

/// The level payment of what is left over so many rows, each like the first that was agreed.
fn lower(
    state: &State<'_>,
    servicing: &Servicing,
    left: Amount,
    count: usize,
) -> Result<Option<Amount>, OutOfRange> {
    let Some(first) = state.rows.iter().find(|s| s.is_regular()) else {
        return Ok(None);
    };
    let part = part(servicing, basis(servicing.method), first)?;
    let count = i64::try_from(count.max(1)).map_err(|_| OutOfRange("the number of rows"))?;
    let level = level(left, state.terms.pricing.rate(), part, count)?;
    to_multiple(level, servicing.multiple).map(Some)
}

/// What the terms do not know.
const fn unknown(what: &'static str) -> Broken {
    Broken::Inconsistent { transaction: 0, what }
}

/// What interest is counted by.
const fn basis(method: Method) -> Basis {
    match method {
        Method::Level(basis) | Method::EqualPrincipal(basis) => basis,
        Method::Flat | Method::Balance => Basis::Periods,
    }
}

/// The part of a year that a row's period is, as a fraction.
fn part(servicing: &Servicing, basis: Basis, standing: &Standing) -> Result<(i64, i64), OutOfRange> {
    let days = days_between(standing.from, standing.row.due_on);
    let every = i64::from(servicing.period.every);
    Ok(match (basis, servicing.period.unit, servicing.year) {
        (Basis::Periods, Unit::Months, _) => (every, 12),
        (Basis::Periods, Unit::Weeks, _) => (every, 52),
        (_, _, YearDays::Fixed(year)) => (days, i64::from(year)),
        (_, _, YearDays::Actual) => {
            let (days, year) = actual_parts(standing.from, standing.row.due_on)?;
            let small = |n: i128| i64::try_from(n).map_err(|_| OutOfRange("a part of a year"));
            (small(days)?, small(year)?)
        }
    })
}

/// Principal and interest of each row.
fn reckon(
    servicing: &Servicing,
    annual: Rate,
    amount: Amount,
    parts: &[(i64, i64)],
    agreed: Option<Amount>,
) -> Result<Vec<(Amount, Amount)>, OutOfRange> {
    let count = i64::try_from(parts.len()).map_err(|_| OutOfRange("the number of rows"))?;
    let free = usize::from(servicing.interest_only);
    let repaying = count.saturating_sub(i64::from(servicing.interest_only)).max(1);
    let equal = amount.share(1, repaying, Rounding::HalfEven)?;
    let first = parts.first().copied().unwrap_or((0, 1));
    let level = match agreed {
        Some(level) => level,
        None => to_multiple(level(amount, annual, first, repaying)?, servicing.multiple)?,
    };
    let flat = interest(amount, annual, first)?;
    let (mut balance, mut deferred) = (amount, Amount::ZERO);
    let mut rows = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let mut owed = match servicing.method {
            Method::Flat => flat,
            _ => interest(balance, annual, *part)?,
        };
        if place < usize::from(servicing.interest_deferred) {
            deferred = deferred.plus(owed)?;
            owed = Amount::ZERO;
        } else {
            owed = owed.plus(deferred)?;
            deferred = Amount::ZERO;
        }
        let principal = match servicing.method {
            // Even where interest alone would be due in every row.
            _ if place.saturating_add(1) == parts.len() => balance,
            _ if place < free => Amount::ZERO,
            Method::EqualPrincipal(_) => equal,
            Method::Flat => to_multiple(equal, servicing.multiple)?,
            Method::Level(_) | Method::Balance => level.minus_or_zero(owed)?,
        };
        let principal = principal.min(balance);
        balance = balance.minus(principal)?;
        rows.push((principal, owed));
    }
    Ok(rows)
}

/// Interest for a part of a year.
fn interest(balance: Amount, annual: Rate, (part, whole): (i64, i64)) -> Result<Amount, OutOfRange> {
    balance.interest(annual, part, whole, Rounding::HalfEven)
}

/// The level payment over so many periods like the first.
fn level(amount: Amount, annual: Rate, (part, whole): (i64, i64), count: i64) -> Result<Amount, OutOfRange> {
    let error = OutOfRange("a level payment");
    let count = usize::try_from(count).map_err(|_| error)?;
    let period = crate::calendar::YearPart {
        days: part,
        year_days: whole,
    };
    let periods: Vec<_> = core::iter::repeat_n(period, count).collect();
    crate::schedule::level_payment(amount, annual, &periods, Rounding::HalfEven)
}
