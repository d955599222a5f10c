//! Day counts (计息天数): what part of a year lies between two days, by every convention of the trade.
//!
//! The platform's own plans use three of them ([`crate::calendar::DayCount`]); the rest is for comparing with the figures
//! of others. Definitions are those of the 2006 ISDA Definitions § 4.16, the ISDA memo "EMU and market conventions"
//! (1998) and ICMA Rule 251; YEARFRAC is that of the spreadsheets.

use jiff::civil::Date;

use crate::calendar::{add_months, days_between};
use crate::fraction::Fraction;
use crate::money::OutOfRange;

/// How days are counted, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// Days over 365 (ACT/365 fixed).
    Actual365,
    /// Days over 360.
    Actual360,
    /// Days over 365.25, an average year.
    Actual36525,
    /// Days but any 29 February, over 365 (NL/365).
    NoLeap365,
    /// Days of leap years over 366 and the others over 365 (ISDA).
    ActualActualIsda,
    /// Days over those of the coupon's period times the periods of a year (ICMA Rule 251).
    ActualActualIcma {
        /// Months from coupon to coupon, a part of twelve.
        months: u8,
        /// Any day on which a coupon falls.
        coupon_on: Date,
    },
    /// Whole years back from the end, then days over 366 if they hold a 29 February and over 365 if not (AFB).
    ActualActualAfb,
    /// Days over the year's length, or over the average length of the years touched (YEARFRAC, basis 1).
    ActualActualYearfrac,
    /// A 31st counts as a 30th, at the end only after a 30th or 31st at the start (bond basis).
    BondBasis,
    /// A 31st counts as a 30th (Eurobond basis).
    Eurobond,
    /// A last day of the month counts as a 30th, but not that of a February on which all ends.
    EurobondIsda {
        /// Whether the end is the day on which all ends.
        ends_all: bool,
    },
    /// The bond basis, with a February's last day as a 30th (US).
    BondBasisUs,
    /// A 31st at the start counts as a 30th, and one at the end as the 1st after it.
    EurobondPlus,
    /// The days of [`Convention::Eurobond`] over 365.
    Eurobond365,
}

/// The part of a year between two days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The days that count.
    pub days: i64,
    /// What part of a year they are.
    pub years: Fraction,
}

impl Convention {
    /// Counts from a day to a day that is not before it.
    ///
    /// # Errors
    /// [`OutOfRange`] if the days are in the wrong order, or a coupon's months are no part of twelve.
    pub fn count(self, start: Date, end: Date) -> Result<Counted, OutOfRange> {
        if end < start {
            return Err(OutOfRange("a day count"));
        }
        let days = self.days(start, end);
        let over = |year: u64| Fraction::new(magnitude(days), year);
        let years = match self {
            Convention::Actual365 | Convention::NoLeap365 | Convention::Eurobond365 => over(365)?,
            Convention::Actual36525 => Fraction::new(magnitude(days), 1_461)?.times(4)?,
            Convention::ActualActualIsda => by_calendar_years(start, end)?,
            Convention::ActualActualIcma { months, coupon_on } => by_coupons(start, end, months, coupon_on)?,
            Convention::ActualActualAfb => by_years_back(start, end)?,
            Convention::ActualActualYearfrac => by_average_year(start, end)?,
            Convention::Actual360
            | Convention::BondBasis
            | Convention::Eurobond
            | Convention::EurobondIsda { .. }
            | Convention::BondBasisUs
            | Convention::EurobondPlus => over(360)?,
        };
        Ok(Counted { days, years })
    }

    /// The days that count.
    fn days(self, start: Date, end: Date) -> i64 {
        let (first, last) = (i64::from(start.day()), i64::from(end.day()));
        let thirty = |day: i64| day.min(30);
        match self {
            Convention::NoLeap365 => days_between(start, end).saturating_sub(leap_days(start, end)),
            Convention::BondBasis => {
                let first = thirty(first);
                months_of_thirty(start, end, first, if first == 30 { thirty(last) } else { last })
            }
            Convention::Eurobond | Convention::Eurobond365 => {
                months_of_thirty(start, end, thirty(first), thirty(last))
            }
            Convention::EurobondIsda { ends_all } => {
                let first = if is_month_end(start) { 30 } else { first };
                let is_thirtieth = is_month_end(end) && !(ends_all && end.month() == 2);
                months_of_thirty(start, end, first, if is_thirtieth { 30 } else { last })
            }
            Convention::BondBasisUs => {
                let starts_february = start.month() == 2 && is_month_end(start);
                let ends_february = end.month() == 2 && is_month_end(end);
                let first = if starts_february { 30 } else { first };
                let last = if starts_february && ends_february {
                    30
                } else {
                    last
                };
                let last = if first >= 30 { thirty(last) } else { last };
                months_of_thirty(start, end, thirty(first), last)
            }
            // The 1st after a 31st is 32 days after the day before the month: one more than a month of thirty.
            Convention::EurobondPlus => months_of_thirty(start, end, thirty(first), last),
            Convention::Actual365
            | Convention::Actual360
            | Convention::Actual36525
            | Convention::ActualActualIsda
            | Convention::ActualActualIcma { .. }
            | Convention::ActualActualAfb
            | Convention::ActualActualYearfrac => days_between(start, end),
        }
    }
}

/// Days of months of thirty, between days of the month that were adjusted.
fn months_of_thirty(start: Date, end: Date, first: i64, last: i64) -> i64 {
    let years = i64::from(end.year()).saturating_sub(i64::from(start.year()));
    let months = i64::from(end.month()).saturating_sub(i64::from(start.month()));
    years
        .saturating_mul(360)
        .saturating_add(months.saturating_mul(30))
        .saturating_add(last.saturating_sub(first))
}

/// Days of each calendar year over its length; the first day counts and the last does not.
fn by_calendar_years(start: Date, end: Date) -> Result<Fraction, OutOfRange> {
    let (mut common, mut leap) = (0u64, 0u64);
    for year in start.year()..=end.year() {
        let from = start.max(first_of(year)?);
        let until = if year == end.year() {
            end
        } else {
            first_of(year.saturating_add(1))?
        };
        let days = magnitude(days_between(from, until));
        if first_of(year)?.in_leap_year() {
            leap = leap.saturating_add(days);
        } else {
            common = common.saturating_add(days);
        }
    }
    Fraction::new(common, 365)?.plus(Fraction::new(leap, 366)?)
}

/// Days of each coupon's period over its length, as a part of the year's periods.
fn by_coupons(start: Date, end: Date, months: u8, coupon_on: Date) -> Result<Fraction, OutOfRange> {
    let error = OutOfRange("a coupon's months");
    if !matches!(months, 1 | 2 | 3 | 4 | 6 | 12) {
        return Err(error);
    }
    let nth = |number: i32| add_months(coupon_on, number.saturating_mul(i32::from(months)));
    // The coupon on or before the start, reckoned from the anchor so that a month's end is kept.
    let apart = months_of_thirty(coupon_on, start, 0, 0).div_euclid(30);
    let mut number = i32::try_from(apart.div_euclid(i64::from(months))).map_err(|_| error)?;
    while nth(number)? > start {
        number = number.saturating_sub(1);
    }
    let mut sum = Fraction::ZERO;
    loop {
        let (from, until) = (nth(number)?, nth(number.saturating_add(1))?);
        let days = days_between(start.max(from), end.min(until)).max(0);
        let length = magnitude(days_between(from, until));
        let part = Fraction::new(magnitude(days), length)?;
        // Whole periods are added as such, so that the denominators stay those of the two ends.
        sum = sum.plus(part.times(u64::from(months))?.over(12)?)?;
        if until >= end {
            return Ok(sum);
        }
        number = number.saturating_add(1);
    }
}

/// Whole years back from the end, and the days before them over 365 or, if they hold a 29 February, 366.
fn by_years_back(start: Date, end: Date) -> Result<Fraction, OutOfRange> {
    let back = |years: i32| -> Result<Date, OutOfRange> {
        let day = add_months(end, years.saturating_mul(-12))?;
        // What ends on a February's last day goes back to February's last day.
        let to_last = end.month() == 2 && is_month_end(end);
        Ok(if to_last { day.last_of_month() } else { day })
    };
    let mut years = i32::from(end.year()).saturating_sub(i32::from(start.year()));
    while years > 0 && back(years)? < start {
        years = years.saturating_sub(1);
    }
    let reached = back(years)?;
    let days = magnitude(days_between(start, reached));
    // The first day counts and the last does not.
    let holds_leap_day = leap_days(start, reached) > i64::from(is_leap_day(reached))
        || (is_leap_day(start) && start < reached);
    let length = if holds_leap_day { 366 } else { 365 };
    let whole = Fraction::new(u64::try_from(years).unwrap_or(0), 1)?;
    whole.plus(Fraction::new(days, length)?)
}

/// Days over the year's length within a year, and over the average of the years touched beyond it.
fn by_average_year(start: Date, end: Date) -> Result<Fraction, OutOfRange> {
    let days = magnitude(days_between(start, end));
    if end <= add_months(start, 12)? {
        let is_leap = if start.year() == end.year() {
            start.in_leap_year()
        } else {
            is_leap_day(start) || leap_days(start, end) > 0
        };
        return Fraction::new(days, if is_leap { 366 } else { 365 });
    }
    let after = first_of(end.year().saturating_add(1))?;
    let length = magnitude(days_between(first_of(start.year())?, after));
    let years = i64::from(end.year())
        .saturating_sub(i64::from(start.year()))
        .saturating_add(1);
    Fraction::new(days, length)?.times(magnitude(years))
}

/// How many a 29 February lie after a day, up to and including another.
fn leap_days(after: Date, until: Date) -> i64 {
    let years = after.year()..=until.year();
    let days = years.filter_map(|year| Date::new(year, 2, 29).ok());
    i64::try_from(days.filter(|day| *day > after && *day <= until).count()).unwrap_or(i64::MAX)
}

/// Whether the day is a 29 February.
fn is_leap_day(day: Date) -> bool {
    day.month() == 2 && day.day() == 29
}

/// Whether the day is its month's last.
fn is_month_end(day: Date) -> bool {
    day.day() == day.days_in_month()
}

/// The first day of a year.
fn first_of(year: i16) -> Result<Date, OutOfRange> {
    Date::new(year, 1, 1).map_err(|_| OutOfRange("a date"))
}

/// A count of days that is not negative.
fn magnitude(days: i64) -> u64 {
    u64::try_from(days).unwrap_or(0)
}
