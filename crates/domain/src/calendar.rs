//! Calendars (日历): due dates that keep their anchor day, holidays, and day counts.

use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::OutOfRange;

mod holidays;

pub use holidays::Holidays;

/// When instalments fall due (还款日规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DueRule {
    /// The day of the order in the following months, clamped to the month's end, the anchor kept (民法典 202).
    OrderAnchored,
    /// The same day for everything that a shopper owes; the first period is at least so long.
    FixedDay {
        /// Day of the month, 1 to 31; clamped to the month's end.
        day: u8,
        /// The first instalment is due no earlier than so many days after the order.
        first_after_days: u16,
    },
    /// A statement is issued on one day and due so many days later (账单日 + 还款期).
    Statement {
        /// Day of the month on which the statement is issued; clamped to the month's end.
        statement_day: u8,
        /// Days from the statement to its due date.
        due_after_days: u16,
    },
}

impl DueRule {
    /// The due dates of `count` monthly instalments of what was signed on a day, ascending.
    ///
    /// Each date is reckoned from the anchor and not from the date before, so that neither a short month nor a holiday
    /// shifts the dates after it. A purchase on the day of a statement goes on the next one.
    ///
    /// # Errors
    /// [`OutOfRange`] if a date would lie after the year 9999.
    pub fn dates(
        &self,
        signed_on: Date,
        count: u16,
        roll: Roll,
        holidays: &Holidays,
    ) -> Result<Vec<Date>, OutOfRange> {
        // All three are a day of the month, counted from a first month, and a number of days after it.
        let (base, day, first_month, days_after) = match *self {
            DueRule::OrderAnchored => (signed_on, anchor_of(signed_on), 1, 0),
            DueRule::FixedDay {
                day,
                first_after_days,
            } => {
                let earliest = add_days(signed_on, i64::from(first_after_days))?;
                let is_late = nth_of_month(earliest, day, 0)? < earliest;
                (earliest, day, i32::from(is_late), 0)
            }
            DueRule::Statement {
                statement_day,
                due_after_days,
            } => {
                let is_late = nth_of_month(signed_on, statement_day, 0)? <= signed_on;
                (
                    signed_on,
                    statement_day,
                    i32::from(is_late),
                    i64::from(due_after_days),
                )
            }
        };
        let mut dates = Vec::with_capacity(usize::from(count));
        let first = month_number(base)
            .checked_add(first_month)
            .ok_or(OutOfRange("a date"))?;
        for month in (first..).take(usize::from(count)) {
            let day = clamped(month, day)?;
            dates.push(if days_after == 0 {
                holidays.rolled(month, day, roll)?
            } else {
                holidays.roll(add_days(day_of_month(month, day)?, days_after)?, roll)?
            });
        }
        Ok(dates)
    }
}

/// What happens when a due date is a holiday (节假日顺延).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// Nothing.
    None,
    /// The next working day (民法典 203).
    Following,
    /// The next working day unless that is in the next month, then the one before.
    ModifiedFollowing,
}

/// How days and years are counted for interest (计息基础).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Every month is a twelfth of a year (30/360).
    #[serde(rename = "30/360")]
    Thirty360,
    /// Days over 360.
    #[serde(rename = "actual/360")]
    Actual360,
    /// Days over 365.
    #[serde(rename = "actual/365")]
    Actual365,
}

/// A part of a year as two integers, so that nothing is rounded before the interest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearPart {
    /// Days that count, zero or more.
    pub days: i64,
    /// Days of the year: 360 or 365.
    pub year_days: i64,
}

impl DayCount {
    /// Days of the convention's year.
    pub const fn year_days(self) -> i64 {
        match self {
            DayCount::Thirty360 | DayCount::Actual360 => 360,
            DayCount::Actual365 => 365,
        }
    }

    /// The part of a year between two days; nothing if they are in the wrong order.
    ///
    /// For 30/360 this is 30E/360: a 31st counts as a 30th, and the last day of a February as itself.
    pub fn between(self, from: Date, until: Date) -> YearPart {
        let days = match self {
            DayCount::Thirty360 => thirty_days(from, until),
            DayCount::Actual360 | DayCount::Actual365 => days_between(from, until),
        };
        YearPart {
            days: days.max(0),
            year_days: self.year_days(),
        }
    }

    /// The part of a year that one whole instalment period stands for.
    ///
    /// Under 30/360 that is a twelfth whatever the dates are: neither a short month, nor a rolled holiday, nor the free
    /// days before a first due date change the interest (the banks' 等额 convention, disclosed with the price).
    pub fn period(self, from: Date, until: Date) -> YearPart {
        match self {
            DayCount::Thirty360 => YearPart {
                days: 30,
                year_days: 360,
            },
            DayCount::Actual360 | DayCount::Actual365 => self.between(from, until),
        }
    }
}

/// The same day so many months on (or back), or the month's last day where there is no such day (民法典 202).
///
/// Always reckon from the original anchor: 31 January gives 28 February, and *31* March.
///
/// # Errors
/// [`OutOfRange`] outside the years −9999 to 9999.
pub fn add_months(anchor: Date, months: i32) -> Result<Date, OutOfRange> {
    nth_of_month(anchor, anchor_of(anchor), months)
}

/// The day of the month that an anchor keeps.
fn anchor_of(date: Date) -> u8 {
    date.day().unsigned_abs()
}

/// A day of the month that lies so many months after a date's month, clamped to its length.
pub(crate) fn nth_of_month(date: Date, day: u8, months: i32) -> Result<Date, OutOfRange> {
    let month = month_number(date)
        .checked_add(months)
        .ok_or(OutOfRange("a date"))?;
    day_of_month(month, clamped(month, day)?)
}

/// A day of the month, or the month's last where it has no such day.
fn clamped(month: i32, day: u8) -> Result<i8, OutOfRange> {
    let day = i8::try_from(day).map_err(|_| OutOfRange("a date"))?;
    if day <= 28 {
        return Ok(day);
    }
    Ok(day.min(day_of_month(month, 1)?.days_in_month()))
}

/// The months from the year 0 to a date's month.
fn month_number(date: Date) -> i32 {
    i32::from(date.year())
        .saturating_mul(12)
        .saturating_add(i32::from(date.month()))
        .saturating_sub(1)
}

/// A day of a month that is counted from the year 0.
fn day_of_month(month: i32, day: i8) -> Result<Date, OutOfRange> {
    let error = OutOfRange("a date");
    let year = i16::try_from(month.div_euclid(12)).map_err(|_| error)?;
    let month = i8::try_from(month.rem_euclid(12).saturating_add(1)).map_err(|_| error)?;
    Date::new(year, month, day).map_err(|_| error)
}

/// So many days after a date, or before it if negative.
///
/// # Errors
/// [`OutOfRange`] outside the years −9999 to 9999.
pub fn add_days(date: Date, days: i64) -> Result<Date, OutOfRange> {
    let error = OutOfRange("a date");
    // Most steps stay within a month, and the first 28 days are in every month.
    let day = i64::from(date.day()).saturating_add(days);
    if (1..=28).contains(&day) {
        let day = i8::try_from(day).map_err(|_| error)?;
        return Date::new(date.year(), date.month(), day).map_err(|_| error);
    }
    let number = i64::from(day_number(date)).checked_add(days).ok_or(error)?;
    date_of_number(i32::try_from(number).map_err(|_| error)?)
}

/// Calendar days from one date to another; negative if the second is earlier.
pub fn days_between(from: Date, until: Date) -> i64 {
    if from.month() == until.month() && from.year() == until.year() {
        return i64::from(until.day()).saturating_sub(i64::from(from.day()));
    }
    i64::from(day_number(until)).saturating_sub(i64::from(day_number(from)))
}

/// Days of 400 years, after which the calendar repeats itself.
const ERA_DAYS: i32 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH_DAYS: i32 = 719_468;

/// Days from 1 January 1970 to a date (Hinnant, "chrono-compatible low-level date algorithms"): years begin in March,
/// so that a leap day is the last of its year and the months before it have fixed lengths.
fn day_number(date: Date) -> i32 {
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()).saturating_sub(i32::from(month <= 2));
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = month.saturating_add(9).rem_euclid(12);
    let of_year = from_march
        .saturating_mul(153)
        .saturating_add(2)
        .div_euclid(5)
        .saturating_add(day)
        .saturating_sub(1);
    era.saturating_mul(ERA_DAYS)
        .saturating_add(of_era.saturating_mul(365))
        .saturating_add(of_era.div_euclid(4))
        .saturating_sub(of_era.div_euclid(100))
        .saturating_add(of_year)
        .saturating_sub(EPOCH_DAYS)
}

/// The date so many days after 1 January 1970, by the same reckoning.
fn date_of_number(number: i32) -> Result<Date, OutOfRange> {
    let error = OutOfRange("a date");
    let number = number.checked_add(EPOCH_DAYS).ok_or(error)?;
    let (era, of_era) = (number.div_euclid(ERA_DAYS), number.rem_euclid(ERA_DAYS));
    // A day is taken out for each leap day that has passed: one in 4 years, but not in 100, yet in 400.
    let year = of_era
        .saturating_sub(of_era.div_euclid(1_460))
        .saturating_add(of_era.div_euclid(36_524))
        .saturating_sub(of_era.div_euclid(146_096))
        .div_euclid(365);
    let of_year = of_era
        .saturating_sub(year.saturating_mul(365))
        .saturating_sub(year.div_euclid(4))
        .saturating_add(year.div_euclid(100));
    let from_march = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let before = from_march.saturating_mul(153).saturating_add(2).div_euclid(5);
    let day = of_year.saturating_sub(before).saturating_add(1);
    let month = if from_march < 10 {
        from_march.saturating_add(3)
    } else {
        from_march.saturating_sub(9)
    };
    let year = era
        .saturating_mul(400)
        .saturating_add(year)
        .saturating_add(i32::from(month <= 2));
    Date::new(
        i16::try_from(year).map_err(|_| error)?,
        i8::try_from(month).map_err(|_| error)?,
        i8::try_from(day).map_err(|_| error)?,
    )
    .map_err(|_| error)
}

/// Days of 30E/360.
fn thirty_days(from: Date, until: Date) -> i64 {
    let years = i64::from(until.year()).saturating_sub(i64::from(from.year()));
    let months = i64::from(until.month()).saturating_sub(i64::from(from.month()));
    let days = i64::from(until.day().min(30)).saturating_sub(i64::from(from.day().min(30)));
    years
        .saturating_mul(360)
        .saturating_add(months.saturating_mul(30))
        .saturating_add(days)
}

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateError {
    /// It is not of the form `2026-11-20`.
    Form,
    /// There is no such day, such as 30 February; the month has so many.
    NoSuchDay {
        /// Days of the month, 28 to 31.
        days: u8,
    },
    /// The month is not 01 to 12.
    NoSuchMonth,
    /// The year is not 1800 to 2999.
    YearOutside,
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DateError::Form => write!(f, "is not a date; write year-month-day, such as 2026-11-20"),
            DateError::NoSuchDay { days } => {
                write!(f, "is no day of that month; 01 to {days} are allowed")
            }
            DateError::NoSuchMonth => write!(f, "has no such month; 01 to 12 are allowed"),
            DateError::YearOutside => write!(f, "has a year outside 1800 to 2999"),
        }
    }
}

/// Reads `2026-11-20`: the years 1800 to 2999, and only days that exist.
///
/// # Errors
/// [`DateError`] says what is wrong and what is allowed.
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    let mut parts = text.trim().split('-');
    let mut number = |digits: usize| {
        parts
            .next()
            .filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|p| p.parse::<i16>().ok())
            .ok_or(DateError::Form)
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() {
        return Err(DateError::Form);
    }
    date_of(year, month, day)
}

/// A date of its three numbers, in the years 1800 to 2999.
///
/// # Errors
/// [`DateError`] says what is wrong and what is allowed.
pub fn date_of(year: i16, month: i16, day: i16) -> Result<Date, DateError> {
    if !(1800..=2999).contains(&year) {
        return Err(DateError::YearOutside);
    }
    let month = i8::try_from(month).map_err(|_| DateError::NoSuchMonth)?;
    let first = Date::new(year, month, 1).map_err(|_| DateError::NoSuchMonth)?;
    let days = u8::try_from(first.days_in_month()).unwrap_or(28);
    i8::try_from(day)
        .ok()
        .and_then(|day| Date::new(year, month, day).ok())
        .ok_or(DateError::NoSuchDay { days })
}

#[cfg(test)]
mod tests {
    use super::holidays::october;
    use super::*;
    use alloc::string::ToString;
    use jiff::civil::date;

    #[test]
    fn the_31st_is_kept_over_february() {
        let dates = DueRule::OrderAnchored
            .dates(date(2026, 1, 31), 4, Roll::None, &Holidays::default())
            .unwrap();
        assert_eq!(
            dates,
            [
                date(2026, 2, 28),
                date(2026, 3, 31),
                date(2026, 4, 30),
                date(2026, 5, 31)
            ]
        );
        assert_eq!(add_months(date(2024, 2, 29), 12).unwrap(), date(2025, 2, 28));
        assert_eq!(add_months(date(2100, 3, 31), -1).unwrap(), date(2100, 2, 28));
        assert!(add_months(date(9999, 12, 1), 1).is_err());
    }

    #[test]
    fn a_due_date_in_a_holiday_moves_to_the_next_working_day_and_the_later_ones_stay() {
        let dates = DueRule::OrderAnchored
            .dates(date(2026, 9, 1), 2, Roll::Following, &october())
            .unwrap();
        assert_eq!(
            dates,
            [date(2026, 10, 8), date(2026, 11, 2)],
            "1 November 2026 is a Sunday"
        );
        assert!(
            october().is_working_day(date(2026, 10, 10)),
            "a Saturday that is worked"
        );
        assert!(!october().is_working_day(date(2026, 10, 11)));
    }

    #[test]
    fn modified_following_never_leaves_the_month() {
        let holidays = Holidays::default();
        assert_eq!(
            holidays
                .roll(date(2026, 10, 31), Roll::ModifiedFollowing)
                .unwrap(),
            date(2026, 10, 30)
        );
        assert_eq!(
            holidays.roll(date(2026, 10, 31), Roll::Following).unwrap(),
            date(2026, 11, 2)
        );
    }

    #[test]
    fn the_first_period_of_a_fixed_day_is_long_enough() {
        let rule = DueRule::FixedDay {
            day: 31,
            first_after_days: 15,
        };
        let dates = |signed| rule.dates(signed, 2, Roll::None, &Holidays::default()).unwrap();
        assert_eq!(
            dates(date(2026, 2, 13)),
            [date(2026, 2, 28), date(2026, 3, 31)],
            "15 days exactly"
        );
        assert_eq!(dates(date(2026, 2, 14)), [date(2026, 3, 31), date(2026, 4, 30)]);
    }

    #[test]
    fn a_purchase_on_the_day_of_the_statement_goes_on_the_next_one() {
        let rule = DueRule::Statement {
            statement_day: 10,
            due_after_days: 9,
        };
        let dates = |signed| rule.dates(signed, 2, Roll::None, &Holidays::default()).unwrap();
        assert_eq!(dates(date(2026, 5, 9)), [date(2026, 5, 19), date(2026, 6, 19)]);
        assert_eq!(dates(date(2026, 5, 10)), [date(2026, 6, 19), date(2026, 7, 19)]);
    }

    #[test]
    fn days_are_counted_by_each_convention() {
        let (from, until) = (date(2026, 1, 31), date(2026, 3, 1));
        assert_eq!(DayCount::Actual365.between(from, until).days, 29);
        assert_eq!(
            DayCount::Thirty360.between(from, until).days,
            31,
            "30E/360: the 31st is the 30th"
        );
        assert_eq!(DayCount::Thirty360.period(from, until).days, 30);
        assert_eq!(DayCount::Actual360.between(until, from).days, 0);
        assert_eq!(DayCount::Actual360.year_days(), 360);
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_with_what_is_allowed() {
        assert_eq!(parse_date("2026-02-30"), Err(DateError::NoSuchDay { days: 28 }));
        assert_eq!(
            parse_date("2026-02-30").unwrap_err().to_string(),
            "is no day of that month; 01 to 28 are allowed"
        );
        assert_eq!(parse_date("2026-13-01"), Err(DateError::NoSuchMonth));
        assert_eq!(parse_date("0026-01-01"), Err(DateError::YearOutside));
        for text in ["", "2026", "2026-1-1", "20260101", "2026-01-01-01", "+026-01-01"] {
            assert_eq!(parse_date(text), Err(DateError::Form), "{text}");
        }
        assert_eq!(parse_date(" 2024-02-29 "), Ok(date(2024, 2, 29)));
    }

    #[test]
    fn days_are_numbered_as_the_library_numbers_them() {
        use jiff::ToSpan;
        let mut day = Date::MIN;
        let mut number = day_number(day);
        assert_eq!(day_number(date(1970, 1, 1)), 0);
        loop {
            assert_eq!(date_of_number(number), Ok(day));
            let Ok(next) = day.tomorrow() else { break };
            assert_eq!(day_number(next), number.saturating_add(1), "{next}");
            (day, number) = (next, number.saturating_add(1));
        }
        assert!(add_days(Date::MAX, 1).is_err() && add_days(Date::MIN, -1).is_err());
        assert!(add_days(Date::MAX, i64::MAX).is_err());
        let leap = date(2024, 2, 28);
        for days in [-400, -1, 0, 1, 2, 366, 40_000] {
            assert_eq!(add_days(leap, days), Ok(leap.checked_add(days.days()).unwrap()));
        }
    }
}
