//! Holidays (节假日): which days are worked, and where a due date moves to.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Roll, day_number, day_of_month, month_number};
use crate::money::OutOfRange;

/// The days on which nobody works and the weekend days on which everybody does (节假日与调休).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub struct Holidays {
    listed: Listed,
    /// The month of the first bits of `working`, in months since the year 0.
    first_month: i32,
    /// For each month from the first that has a listed day to [`MONTHS_AHEAD`] after the last: a bit for each of its days,
    /// set if it is worked. Prices ask this of every due date.
    working: Vec<u32>,
}

/// For how many months after the last listed day the working days are reckoned once and for all: as long as plans run.
const MONTHS_AHEAD: i32 = 60;

/// The days as they are announced and kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Listed {
    days_off: Vec<Date>,
    make_up_days: Vec<Date>,
}

impl From<Listed> for Holidays {
    fn from(listed: Listed) -> Holidays {
        Holidays::new(listed.days_off, listed.make_up_days)
    }
}

impl From<Holidays> for Listed {
    fn from(holidays: Holidays) -> Listed {
        holidays.listed
    }
}

impl Holidays {
    /// A calendar of these days, in whatever order they come.
    pub fn new(mut days_off: Vec<Date>, mut make_up_days: Vec<Date>) -> Holidays {
        days_off.sort_unstable();
        make_up_days.sort_unstable();
        let all = || days_off.iter().chain(&make_up_days).copied();
        let first_month = all().map(month_number).min().unwrap_or(0);
        let last_month = all().map(month_number).max();
        let last_month = last_month.map_or(-1, |month| month.saturating_add(MONTHS_AHEAD));
        let mut working: Vec<u32> = (first_month..=last_month).map(weekdays_of).collect();
        let place = |date: Date| usize::try_from(month_number(date).saturating_sub(first_month)).unwrap_or(0);
        for date in &make_up_days {
            if let Some(month) = working.get_mut(place(*date)) {
                *month |= bit_of(date.day());
            }
        }
        // A day that is announced as both is off.
        for date in &days_off {
            if let Some(month) = working.get_mut(place(*date)) {
                *month &= !bit_of(date.day());
            }
        }
        Holidays {
            listed: Listed {
                days_off,
                make_up_days,
            },
            first_month,
            working,
        }
    }

    /// Days off besides weekends, ascending.
    pub fn days_off(&self) -> &[Date] {
        &self.listed.days_off
    }

    /// Saturdays and Sundays that are worked, ascending.
    pub fn make_up_days(&self) -> &[Date] {
        &self.listed.make_up_days
    }

    /// Whether banks and people work on the day.
    pub fn is_working_day(&self, date: Date) -> bool {
        self.working_days(month_number(date)) & bit_of(date.day()) != 0
    }

    /// The day that a date moves to.
    ///
    /// # Errors
    /// [`OutOfRange`] if no working day is within twelve months, which no real calendar does.
    pub fn roll(&self, date: Date, roll: Roll) -> Result<Date, OutOfRange> {
        self.rolled(month_number(date), date.day(), roll)
    }

    /// The day that a day of a month moves to.
    pub(super) fn rolled(&self, month: i32, day: i8, roll: Roll) -> Result<Date, OutOfRange> {
        if roll == Roll::None {
            return day_of_month(month, day);
        }
        let (here, days_before) = (self.working_days(month), bit_of(day).wrapping_sub(1));
        if let Some(day) = first_of(here & !days_before) {
            return day_of_month(month, day);
        }
        let is_back = roll == Roll::ModifiedFollowing;
        if let Some(day) = last_of(here & days_before).filter(|_| is_back) {
            return day_of_month(month, day);
        }
        let (step, end): (i32, fn(u32) -> Option<i8>) = if is_back { (-1, last_of) } else { (1, first_of) };
        let (month, day) = (1..=12i32)
            .map(|distance| month.saturating_add(step.saturating_mul(distance)))
            .find_map(|month| end(self.working_days(month)).map(|day| (month, day)))
            .ok_or(OutOfRange("the next working day"))?;
        day_of_month(month, day)
    }

    /// The days of a month on which banks and people work, a bit for each.
    fn working_days(&self, month: i32) -> u32 {
        let place = usize::try_from(month.saturating_sub(self.first_month)).ok();
        match place.and_then(|place| self.working.get(place)) {
            Some(days) => *days,
            None => weekdays_of(month),
        }
    }
}

/// Monday to Friday as bits, over and over from a Monday.
const WEEKDAYS: u64 = 0b0011111_0011111_0011111_0011111_0011111_0011111;

/// The days of a month from Monday to Friday, a bit for each; none for a month that no calendar has.
fn weekdays_of(month: i32) -> u32 {
    let Ok(first) = day_of_month(month, 1) else {
        return 0;
    };
    // 1 January 1970 was a Thursday.
    let weekday = day_number(first).saturating_add(3).rem_euclid(7).unsigned_abs();
    let from_first = u32::try_from(WEEKDAYS.wrapping_shr(weekday) & 0x7FFF_FFFF).unwrap_or(0);
    let days = 1u32.wrapping_shl(u32::from(first.days_in_month().unsigned_abs()).saturating_sub(1));
    // The bits up to and with the last day's.
    (from_first & (days | days.wrapping_sub(1))).wrapping_shl(1)
}

/// The bit of a day within its month.
fn bit_of(day: i8) -> u32 {
    1u32.wrapping_shl(u32::from(day.unsigned_abs()))
}

/// The first of some days of a month.
fn first_of(days: u32) -> Option<i8> {
    (days != 0).then(|| i8::try_from(days.trailing_zeros()).unwrap_or(0))
}

/// The last of some days of a month.
fn last_of(days: u32) -> Option<i8> {
    days.checked_ilog2().and_then(|day| i8::try_from(day).ok())
}

/// National Day 2026: 1–7 October off, 10 October worked, as the State Council announced the pattern. For tests.
#[cfg(test)]
pub(super) fn october() -> Holidays {
    use jiff::civil::date;
    Holidays::new(
        (1..=7).rev().map(|d| date(2026, 10, d)).collect(),
        alloc::vec![date(2026, 10, 10), date(2026, 9, 20)],
    )
}

#[cfg(test)]
mod tests {
    use super::super::add_days;
    use super::*;
    use alloc::vec;
    use jiff::civil::date;

    #[test]
    fn holidays_in_any_order_are_found_after_reading() {
        let read: Holidays =
            serde_json::from_str(r#"{"days_off":["2026-10-02","2026-10-01"],"make_up_days":[]}"#).unwrap();
        assert!(!read.is_working_day(date(2026, 10, 1)) && !read.is_working_day(date(2026, 10, 2)));
    }

    #[test]
    fn a_listed_day_says_more_than_its_weekday_and_an_unlisted_one_does_not() {
        let calendar = Holidays::new(
            vec![date(2025, 12, 31), date(2026, 10, 10), date(2027, 1, 1)],
            vec![date(2026, 10, 10), date(2026, 9, 20)],
        );
        let mut day = date(1890, 1, 1);
        while day < date(2130, 1, 1) {
            let expected = if calendar.days_off().contains(&day) {
                false
            } else {
                calendar.make_up_days().contains(&day) || day.weekday().to_monday_zero_offset() < 5
            };
            assert_eq!(calendar.is_working_day(day), expected, "{day}");
            day = day.tomorrow().unwrap();
        }
    }

    /// The first working day from a date on, a day at a time.
    fn step_by_step(calendar: &Holidays, date: Date, back: bool) -> Date {
        let mut day = date;
        while !calendar.is_working_day(day) {
            day = if back { day.yesterday() } else { day.tomorrow() }.unwrap();
        }
        day
    }

    #[test]
    fn rolling_by_the_month_comes_to_what_stepping_day_by_day_does() {
        let whole_month = (1..=30).map(|d| date(2026, 9, d)).collect();
        for calendar in [
            Holidays::default(),
            october(),
            Holidays::new(whole_month, Vec::new()),
        ] {
            let mut day = date(2026, 7, 1);
            while day < date(2027, 3, 1) {
                let (later, earlier) = (
                    step_by_step(&calendar, day, false),
                    step_by_step(&calendar, day, true),
                );
                let modified = if later.month() == day.month() {
                    later
                } else {
                    earlier
                };
                assert_eq!(calendar.roll(day, Roll::Following), Ok(later), "{day}");
                assert_eq!(calendar.roll(day, Roll::ModifiedFollowing), Ok(modified), "{day}");
                assert_eq!(calendar.roll(day, Roll::None), Ok(day));
                day = day.tomorrow().unwrap();
            }
        }
        let never = (0..800).map(|n| add_days(date(2026, 1, 1), n).unwrap()).collect();
        assert!(
            Holidays::new(never, Vec::new())
                .roll(date(2026, 2, 1), Roll::Following)
                .is_err()
        );
    }
}
