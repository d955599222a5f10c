//! What lateness costs (滞纳金与罚息): by formula from dates, never by runs of a job.
//!
//! A day counts as late for an instalment if it is after its due date, not paused and not excused. While no more than
//! the days of grace were counted, nothing is charged; then the late fee falls once, and penalty interest is overdue
//! amount × daily rate × days, added up exactly and rounded once for all days so far. So the total does not depend on
//! when it is looked at or posted.
//!
//! Penalties are posted on days that only the loan itself decides: when grace ends, when an instalment falls due, when a
//! transaction counts, and on the first of a month. What accrued since is shown with the loan and told apart.

use jiff::civil::Date;

use crate::calendar::nth_of_month;
use crate::loan::PostingKind;
use crate::loan::state::State;
use crate::money::{Amount, OutOfRange, Rate, divide};
use crate::plan::LatePolicy;

/// How the lateness of one row was counted so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Late {
    /// Late days, those in grace included.
    pub days: i64,
    /// Whether grace has passed.
    pub is_late: bool,
    /// Late fee and penalty interest in 10⁻⁹ of a minor unit.
    exact: i128,
    /// The same for the days of grace, which count only if grace passes unused.
    in_grace: i128,
}

/// How late days counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// Days within grace.
    pub graced: i64,
    /// Days that are charged.
    pub charged: i64,
}

impl Late {
    /// No day yet.
    pub const NONE: Late = Late {
        days: 0,
        is_late: false,
        exact: 0,
        in_grace: 0,
    };

    /// Counts so many more late days on an overdue amount; says how.
    pub fn count(&mut self, base: Amount, days: i64, policy: &LatePolicy) -> Result<Counted, OutOfRange> {
        let error = OutOfRange("penalty interest");
        let grace = i64::from(policy.grace_days);
        let after = self.days.checked_add(days).ok_or(error)?;
        let charged_days = after.saturating_sub(self.days.max(grace)).max(0);
        let graced_days = days.saturating_sub(charged_days);
        self.days = after;
        let a_day = i128::from(base.minor())
            .checked_mul(i128::from(policy.daily.ppb()))
            .ok_or(error)?;
        let of = |days: i64| a_day.checked_mul(i128::from(days)).ok_or(error);
        if policy.from_due_date {
            self.in_grace = self.in_grace.checked_add(of(graced_days)?).ok_or(error)?;
        }
        let counted = Counted {
            graced: graced_days,
            charged: charged_days,
        };
        if charged_days == 0 {
            return Ok(counted);
        }
        if !self.is_late {
            self.is_late = true;
            let fee = i128::from(policy.fee.minor())
                .checked_mul(i128::from(Rate::ONE.ppb()))
                .ok_or(error)?;
            self.exact = self
                .exact
                .checked_add(fee)
                .and_then(|x| x.checked_add(self.in_grace))
                .ok_or(error)?;
        }
        self.exact = self.exact.checked_add(of(charged_days)?).ok_or(error)?;
        Ok(counted)
    }
}

// R39: late fees by basis, rate, grace and cap
/// Adds to the rows what late fee and penalty interest come to by the day; says how much is new.
///
/// All costs together stay under the agreed annual cap on the principal that was really lent, day by day: what does not
/// fit is not charged, and falls away for good when its instalment is paid.
pub(crate) fn charge(state: &mut State<'_>) -> Result<Amount, OutOfRange> {
    let conventions = &state.terms.conventions;
    let mut total = Amount::ZERO;
    let mut room: Option<Amount> = None;
    let due = state.rows.iter_mut().take(state.due).skip(state.settled);
    for standing in due.filter(|s| s.is_open()) {
        if !standing.late.is_late || !standing.base()?.is_positive() {
            continue;
        }
        let exact = divide(
            standing.late.exact,
            i128::from(Rate::ONE.ppb()),
            conventions.rounding,
        )?;
        let left = match room {
            Some(left) => left,
            None => cap(state.principal_days, conventions.late.annual_cap)?.minus_or_zero(state.cost)?,
        };
        let penalty = &mut standing.row.penalty;
        // A penalty that was charged beside the plan is no part of what lateness comes to.
        let so_far = penalty.charged.minus(standing.added.penalty)?;
        let more = Amount::from_minor(exact).minus_or_zero(so_far)?.min(left);
        penalty.charged = penalty.charged.plus(more)?;
        total = total.plus(more)?;
        room = Some(left.minus(more)?);
    }
    Ok(total)
}

/// Charges what has accrued and writes it into the books.
pub(crate) fn post(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let amount = charge(state)?;
    state.charge(PostingKind::PenaltyCharged, amount)
}

/// All costs that the cap allows for so much principal × days, of a year of 365.
fn cap(principal_days: i128, annual: Rate) -> Result<Amount, OutOfRange> {
    let error = OutOfRange("the cap");
    let numerator = principal_days
        .checked_mul(i128::from(annual.ppb()))
        .ok_or(error)?;
    let denominator = i128::from(Rate::ONE.ppb()).checked_mul(365).ok_or(error)?;
    let whole = numerator.checked_div_euclid(denominator).ok_or(error)?;
    i64::try_from(whole).map(Amount::from_minor).map_err(|_| error)
}

/// The next day after the state's on which penalties are posted though nothing else happens, if there is one.
pub(crate) fn next_day(state: &State<'_>) -> Result<Option<Date>, OutOfRange> {
    if state.pauses > 0 {
        return Ok(None);
    }
    let policy = &state.terms.conventions.late;
    let grace = i64::from(policy.grace_days);
    // Of the rows in grace the one that was late longest leaves it first.
    let mut longest: Option<i64> = None;
    let mut is_late = false;
    let due = state.rows.iter().take(state.due).skip(state.settled);
    for standing in due.filter(|s| s.is_open()) {
        if !standing.base()?.is_positive() {
            continue;
        }
        if standing.late.is_late {
            is_late = true;
        } else {
            longest = longest.max(Some(standing.late.days));
        }
    }
    let grace_ends = match longest {
        Some(days) => Some(state.nth_counted_day(grace.saturating_add(1).saturating_sub(days))?),
        None => None,
    };
    let month_begins = match is_late && policy.daily > Rate::ZERO {
        true => Some(nth_of_month(state.day, 1, 1)?),
        false => None,
    };
    Ok(grace_ends.into_iter().chain(month_begins).min())
}
