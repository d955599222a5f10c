//! Delinquency (逾期): how late a loan is, with pauses, and named ranges of days past due, as a portfolio is looked at.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::days_between;
use crate::loan::Row;
use crate::money::{Amount, OutOfRange};

/// A named range of days past due (逾期区间).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// What people call it, such as `M1`.
    pub name: String,
    /// Its first day, zero or more. It ends before the first day of the next.
    pub from: i64,
}

/// Ranges without a gap, from zero days on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Range>", into = "Vec<Range>")]
pub struct Ranges(Vec<Range>);

/// Why ranges cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The first does not begin at zero days, or there is none.
    NoZero,
    /// They do not ascend.
    NotAscending,
    /// One has no name, or the name of another.
    Name,
}

impl Ranges {
    /// Ranges in ascending order, the first from zero days on.
    ///
    /// # Errors
    /// [`Unusable`] says what is wrong with them.
    pub fn new(ranges: Vec<Range>) -> Result<Ranges, Unusable> {
        if ranges.first().is_none_or(|first| first.from != 0) {
            return Err(Unusable::NoZero);
        }
        let next = ranges.iter().skip(1);
        if ranges.iter().zip(next).any(|(a, b)| a.from >= b.from) {
            return Err(Unusable::NotAscending);
        }
        let mut names: Vec<&str> = ranges.iter().map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.iter().zip(names.iter().skip(1)).any(|(a, b)| a == b);
        if twice || names.contains(&"") {
            return Err(Unusable::Name);
        }
        Ok(Ranges(ranges))
    }

    /// The ranges that lenders in China count by: M0 is not past due, then steps of 30 days, M7 is more than 180.
    pub fn by_month() -> Ranges {
        let starts = [0, 1, 31, 61, 91, 121, 151, 181];
        let named = starts.into_iter().zip(0u8..).map(|(from, number)| Range {
            name: alloc::format!("M{number}"),
            from,
        });
        Ranges(named.collect())
    }

    /// The range that so many days past due lie in.
    pub fn of(&self, days_past_due: i64) -> &str {
        let reached = self.0.iter().rev().find(|range| range.from <= days_past_due);
        reached.or(self.0.first()).map_or("", |range| range.name.as_str())
    }
}

impl TryFrom<Vec<Range>> for Ranges {
    type Error = String;

    fn try_from(ranges: Vec<Range>) -> Result<Ranges, String> {
        Ranges::new(ranges).map_err(|why| {
            match why {
                Unusable::NoZero => "the first range begins at zero days",
                Unusable::NotAscending => "ranges ascend",
                Unusable::Name => "each range has a name of its own",
            }
            .to_string()
        })
    }
}

impl From<Ranges> for Vec<Range> {
    fn from(ranges: Ranges) -> Vec<Range> {
        ranges.0
    }
}

/// Days on which nobody is chased and lateness stands still (逾期暂停), from one evening to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The first day.
    pub from: Date,
    /// The last day. The night after it counts again.
    pub until: Date,
}

impl Pause {
    /// Whether a day is one of it.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}

/// How late a loan is, seen from a day (逾期情况).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lateness {
    /// The due date of the oldest row that is past due and open.
    pub since: Option<Date>,
    /// What is open of all rows that are past due.
    pub overdue: Amount,
    /// Days from that due date.
    pub past_due: i64,
    /// The same without the days of pauses.
    pub counted: i64,
}

/// How late a loan is with its rows on a day. A row that is due on the day is not late.
///
/// # Errors
/// [`OutOfRange`] for figures that no fold makes.
pub fn lateness(rows: &[Row], on: Date, pauses: &[Pause]) -> Result<Lateness, OutOfRange> {
    let mut lateness = Lateness::default();
    for row in rows.iter().filter(|r| r.due_on < on) {
        let open = row.open()?.total()?;
        if !open.is_positive() {
            continue;
        }
        lateness.overdue = lateness.overdue.plus(open)?;
        if lateness.since.is_none_or(|since| row.due_on < since) {
            lateness.since = Some(row.due_on);
            lateness.past_due = days_between(row.due_on, on);
            lateness.counted = counted_days(row.due_on, on, pauses);
        }
    }
    Ok(lateness)
}

/// Days from a due date to a day, without those of pauses; a day that lies in two pauses is left out once.
pub fn counted_days(due_on: Date, on: Date, pauses: &[Pause]) -> i64 {
    let mut pauses = pauses.to_vec();
    pauses.sort_unstable_by_key(|p| p.from);
    let (mut counted, mut at) = (0i64, due_on);
    for pause in pauses {
        let from = pause.from.clamp(at, on.max(at));
        counted = counted.saturating_add(days_between(at, from));
        at = pause.until.clamp(from, on.max(from));
    }
    counted.saturating_add(days_between(at, on)).max(0)
}
