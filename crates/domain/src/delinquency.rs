//! Delinquency buckets (逾期区间): named ranges of days past due, as a portfolio is looked at.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

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
