//! Unit-periods: how the United States count the time between two flows of a loan.
//!
//! Regulation Z, Appendix J (b)(4) and (5): whole unit-periods are counted back from the later day, and what is left at
//! the beginning is a fraction, over which interest is simple. Months are counted as such and not as days.

use jiff::civil::Date;

use crate::calendar::{add_months, days_between, nth_of_month};
use crate::fraction::Fraction;
use crate::money::OutOfRange;

/// The period of time that occurs most often between payments or advances; never longer than a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitPeriod {
    /// So many days.
    Days(u16),
    /// So many weeks.
    Weeks(u8),
    /// Half a month: two fixed days of every month, such as the 1st and the 16th.
    HalfMonth,
    /// So many months, 1 to 11.
    Months(u8),
    /// A year.
    Year,
}

/// Time between two flows, counted in unit-periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// Whole unit-periods.
    pub whole: i64,
    /// The fraction before them, less than one.
    pub fraction: Fraction,
}

/// Whole months back from a day, and the days before them.
pub(crate) struct Months {
    /// The whole months.
    pub months: i64,
    /// Days from the earlier day to the one that the months reach.
    pub odd_days: u64,
}

impl UnitPeriod {
    /// The unit-period of a loan that is paid back at once: its term, or a year if that is longer (Appendix J (b)(4)).
    ///
    /// # Errors
    /// [`OutOfRange`] if the payment does not follow the advance.
    pub fn of_term(advanced: Date, paid: Date, payment_day: Option<u8>) -> Result<UnitPeriod, OutOfRange> {
        let error = OutOfRange("a term");
        if paid <= advanced {
            return Err(error);
        }
        let Months { months, odd_days } = months_back(advanced, paid, payment_day)?;
        match (u8::try_from(months), odd_days) {
            (Ok(months @ 1..=11), 0) => Ok(UnitPeriod::Months(months)),
            (Ok(0..=11), _) => {
                let days = days_between(advanced, paid);
                u16::try_from(days).map(UnitPeriod::Days).map_err(|_| error)
            }
            _ => Ok(UnitPeriod::Year),
        }
    }

    /// How many there are in a year.
    ///
    /// # Errors
    /// [`OutOfRange`] for none of a unit.
    pub fn per_year(self) -> Result<Fraction, OutOfRange> {
        match self {
            UnitPeriod::Days(days) => Fraction::new(365, u64::from(days)),
            UnitPeriod::Weeks(weeks) => Fraction::new(52, u64::from(weeks)),
            UnitPeriod::HalfMonth => Fraction::new(24, 1),
            UnitPeriod::Months(months) => Fraction::new(12, u64::from(months)),
            UnitPeriod::Year => Fraction::new(1, 1),
        }
    }

    /// The time from a day to a day that is not before it.
    ///
    /// `payment_day` is the day of the month that the contract names, where that is later than the month of `until` is
    /// long: 31 January to 28 February is one month only if payments fall due on the 31st.
    ///
    /// # Errors
    /// [`OutOfRange`] if the days are in the wrong order, or for none of a unit.
    pub fn between(self, from: Date, until: Date, payment_day: Option<u8>) -> Result<Elapsed, OutOfRange> {
        if until < from {
            return Err(OutOfRange("the time between two flows"));
        }
        let days = || u64::try_from(days_between(from, until)).map_err(|_| OutOfRange("days"));
        match self {
            UnitPeriod::Days(length) => elapsed(0, days()?, u64::from(length)),
            UnitPeriod::Weeks(weeks) => elapsed(0, days()?, u64::from(weeks).saturating_mul(7)),
            UnitPeriod::HalfMonth => {
                let Months { months, odd_days } = months_back(from, until, payment_day)?;
                elapsed(months.saturating_mul(2), odd_days, 15)
            }
            UnitPeriod::Months(length) => {
                let Months { months, odd_days } = months_back(from, until, payment_day)?;
                let all = u64::try_from(months).unwrap_or(0).saturating_mul(30);
                elapsed(
                    0,
                    all.saturating_add(odd_days),
                    u64::from(length).saturating_mul(30),
                )
            }
            UnitPeriod::Year => {
                let Months { months, odd_days } = months_back(from, until, payment_day)?;
                let (years, rest) = (months.div_euclid(12), months.rem_euclid(12));
                if odd_days == 0 {
                    return elapsed(years, u64::try_from(rest).unwrap_or(0), 12);
                }
                let reached = months_before(until, payment_day, years.saturating_mul(12))?;
                let days = u64::try_from(days_between(from, reached)).unwrap_or(0);
                elapsed(years, days, 365)
            }
        }
    }

    /// The same for a time that is known in months alone; none for units of days.
    ///
    /// # Errors
    /// [`OutOfRange`] for none of a unit.
    pub fn after_months(self, months: u32) -> Result<Option<Elapsed>, OutOfRange> {
        let all = u64::from(months);
        match self {
            UnitPeriod::Days(_) | UnitPeriod::Weeks(_) => Ok(None),
            UnitPeriod::HalfMonth => elapsed(i64::from(months).saturating_mul(2), 0, 1).map(Some),
            UnitPeriod::Months(length) => elapsed(0, all, u64::from(length)).map(Some),
            UnitPeriod::Year => elapsed(0, all, 12).map(Some),
        }
    }
}

/// Whole unit-periods and a rest, which may itself be one or more of them.
fn elapsed(whole: i64, rest: u64, length: u64) -> Result<Elapsed, OutOfRange> {
    let error = OutOfRange("a unit-period");
    let more = rest.checked_div(length).ok_or(error)?;
    Ok(Elapsed {
        whole: i64::try_from(more)
            .ok()
            .and_then(|more| whole.checked_add(more))
            .ok_or(error)?,
        fraction: Fraction::new(rest.checked_rem(length).ok_or(error)?, length)?,
    })
}

/// Counts whole months back from the later day while they do not pass the earlier one.
pub(crate) fn months_back(from: Date, until: Date, payment_day: Option<u8>) -> Result<Months, OutOfRange> {
    let years = i64::from(until.year()).saturating_sub(i64::from(from.year()));
    let mut months = years
        .saturating_mul(12)
        .saturating_add(i64::from(until.month()))
        .saturating_sub(i64::from(from.month()));
    let mut reached = months_before(until, payment_day, months)?;
    if reached < from {
        months = months.saturating_sub(1);
        reached = months_before(until, payment_day, months)?;
    }
    let odd_days = u64::try_from(days_between(from, reached)).map_err(|_| OutOfRange("odd days"))?;
    Ok(Months { months, odd_days })
}

/// The day so many months before another, on the day of the month that the contract names where its month is too short.
pub(crate) fn months_before(until: Date, payment_day: Option<u8>, months: i64) -> Result<Date, OutOfRange> {
    let error = OutOfRange("a date");
    let back = i32::try_from(months)
        .ok()
        .and_then(i32::checked_neg)
        .ok_or(error)?;
    let is_clamped =
        |day: &u8| until.day() == until.days_in_month() && i16::from(*day) > i16::from(until.day());
    match payment_day.filter(is_clamped).filter(|_| back != 0) {
        Some(day) => nth_of_month(until, day, back),
        None => add_months(until, back),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use jiff::civil::date;

    /// Unit, from, until, day that the contract names, whole unit-periods, fraction. Regulation Z, Appendix J (c), as far
    /// as the days are printed there; the rest by hand from (b)(5). Thirty odd days are a whole month of thirty days.
    const ROWS: &str = "
        month     1978-01-10 1978-02-10  0  1 0/1
        month     1978-02-10 1978-04-01  0  1 19/30
        semimonth 1978-02-23 1978-03-01  0  0 6/15
        semimonth 1978-02-10 1978-04-01  0  3 4/15
        quarter   1978-05-23 1978-10-01  0  1 39/90
        two-month 1978-01-10 1978-03-01  0  0 52/60
        week      1978-03-20 1978-04-21  0  4 4/7
        two-week  1978-04-03 1978-04-11  0  0 8/14
        four-week 1978-03-18 1978-04-20  0  1 5/28
        255-day   1978-01-03 1978-09-15  0  1 0/1
        year      1978-01-17 1979-07-17  0  1 6/12
        year      2026-04-27 2027-04-30  0  1 3/365
        year      2024-01-02 2025-01-01  0  1 0/1
        month     2026-01-31 2026-02-28  0  0 28/30
        month     2026-01-31 2026-02-28 31  1 0/1
        month     2026-01-31 2026-04-30 31  3 0/1
        month     2026-01-01 2026-01-31  0  1 0/1";

    fn unit(name: &str) -> UnitPeriod {
        match name {
            "semimonth" => UnitPeriod::HalfMonth,
            "quarter" => UnitPeriod::Months(3),
            "two-month" => UnitPeriod::Months(2),
            "week" => UnitPeriod::Weeks(1),
            "two-week" => UnitPeriod::Weeks(2),
            "four-week" => UnitPeriod::Weeks(4),
            "255-day" => UnitPeriod::Days(255),
            "year" => UnitPeriod::Year,
            _ => UnitPeriod::Months(1),
        }
    }

    #[test]
    fn time_is_counted_as_appendix_j_does() {
        for row in ROWS.trim().lines() {
            let [name, from, until, day, whole, fraction] = row.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("{row}");
            };
            let payment_day = Some(day.parse().unwrap()).filter(|day| *day > 0);
            let day = |text: &str| crate::calendar::parse_date(text).unwrap();
            let (over, under) = fraction.split_once('/').unwrap();
            let expected = Elapsed {
                whole: whole.parse().unwrap(),
                fraction: Fraction::new(over.parse().unwrap(), under.parse().unwrap()).unwrap(),
            };
            assert_eq!(
                unit(name).between(day(from), day(until), payment_day),
                Ok(expected),
                "{row}"
            );
        }
        let (earlier, later) = (date(2026, 1, 1), date(2026, 1, 2));
        assert!(UnitPeriod::Year.between(later, earlier, None).is_err());
        assert!(UnitPeriod::Days(0).between(earlier, later, None).is_err());
    }

    #[test]
    fn a_loan_that_is_paid_at_once_has_its_term_as_unit() {
        let term = |from, until| UnitPeriod::of_term(from, until, None).unwrap();
        assert_eq!(term(date(1978, 1, 3), date(1978, 9, 15)), UnitPeriod::Days(255));
        assert_eq!(term(date(1978, 7, 15), date(1979, 1, 15)), UnitPeriod::Months(6));
        assert_eq!(term(date(1978, 1, 17), date(1979, 7, 17)), UnitPeriod::Year);
        assert_eq!(term(date(1978, 1, 3), date(1979, 1, 3)), UnitPeriod::Year);
        assert!(UnitPeriod::of_term(date(1978, 1, 3), date(1978, 1, 3), None).is_err());
    }

    #[test]
    fn months_without_days_are_parts_of_units_of_months() {
        let half = Fraction::new(1, 2).unwrap();
        let after = |unit: UnitPeriod, months| unit.after_months(months).unwrap();
        assert_eq!(
            after(UnitPeriod::Year, 18),
            Some(Elapsed {
                whole: 1,
                fraction: half
            })
        );
        assert_eq!(after(UnitPeriod::HalfMonth, 3).map(|e| e.whole), Some(6));
        assert_eq!(
            after(UnitPeriod::Months(2), 3),
            Some(Elapsed {
                whole: 1,
                fraction: half
            })
        );
        assert_eq!(after(UnitPeriod::Weeks(1), 3), None);
    }
}
