//! Factors of interest: days over years, multiples, and the exact arithmetic behind them.

use jiff::civil::Date;

use crate::calendar::{add_days, days_between};
use crate::money::{Amount, OutOfRange};

/// Days of a span over the lengths of their years, over one denominator; 31 December counts with the new year.
pub(crate) fn actual_parts(from: Date, until: Date) -> Result<(i128, i128), OutOfRange> {
    let (mut common, mut leap) = (0i64, 0i64);
    let mut at = from;
    while at < until {
        let last = Date::new(at.year(), 12, 31).map_err(|_| OutOfRange("a date"))?;
        let is_last = at.year() == until.year();
        let end = if is_last { until } else { last.max(at) };
        let days = days_between(at, end);
        if at.in_leap_year() {
            leap = leap.saturating_add(days);
        } else {
            common = common.saturating_add(days);
        }
        if is_last {
            break;
        }
        // The night to New Year belongs to the new year.
        let new_year = add_days(last, 1)?;
        let night = days_between(end, new_year);
        if new_year.in_leap_year() {
            leap = leap.saturating_add(night);
        } else {
            common = common.saturating_add(night);
        }
        at = new_year;
    }
    let parts = plus(times(i128::from(common), 366)?, times(i128::from(leap), 365)?)?;
    Ok((parts, 365 * 366))
}

/// An amount as a multiple, half to even; as it is if nothing is asked for.
pub(crate) fn to_multiple(amount: Amount, multiple: Amount) -> Result<Amount, OutOfRange> {
    if !multiple.is_positive() {
        return Ok(amount);
    }
    let count = ratio(i128::from(amount.minor()), i128::from(multiple.minor()))?;
    let count = i64::try_from(count).map_err(|_| OutOfRange("a multiple"))?;
    multiple.times(count)
}

/// A quotient, half to even.
pub(crate) fn ratio(numerator: i128, denominator: i128) -> Result<i128, OutOfRange> {
    let error = OutOfRange("a quotient");
    let floor = numerator.checked_div_euclid(denominator).ok_or(error)?;
    let twice = times(numerator.checked_rem_euclid(denominator).ok_or(error)?, 2)?;
    let up = twice > denominator || (twice == denominator && floor & 1 == 1);
    plus(floor, i128::from(up))
}

/// A product.
pub(crate) fn times(a: i128, b: i128) -> Result<i128, OutOfRange> {
    a.checked_mul(b).ok_or(OutOfRange("a product"))
}

/// A sum.
pub(crate) fn plus(a: i128, b: i128) -> Result<i128, OutOfRange> {
    a.checked_add(b).ok_or(OutOfRange("a sum"))
}
