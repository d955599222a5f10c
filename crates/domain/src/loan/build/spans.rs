//! Balances in a period, and the part of a year that their days are.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::days_between;
use crate::loan::factor::actual_parts;
use crate::loan::state::Flow;
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::servicing::{Basis, Method, Servicing, Unit, YearDays};

/// Balances in a period.
pub(super) struct Spans {
    /// When it begins.
    pub from: Date,
    /// The balance as it begins.
    pub balance: Amount,
    /// What changes it, by day.
    /// In no order: whoever cuts the period by them sorts them.
    pub changes: Vec<Flow>,
}

impl Spans {
    pub const fn new(from: Date, balance: Amount) -> Spans {
        Spans {
            from,
            balance,
            changes: Vec::new(),
        }
    }

    /// Changes the balance from a day on.
    pub fn change(&mut self, on: Date, amount: Amount) {
        self.changes.push(Flow { on, amount });
    }
}

/// What scheduled interest is counted by.
pub(super) const fn basis(method: Method) -> Basis {
    match method {
        Method::Level(basis) | Method::EqualPrincipal(basis) | Method::Flat(basis) => basis,
        Method::Balance => Basis::Periods,
    }
}

/// The part of a year that a whole period is, as a fraction.
pub(super) fn part(servicing: &Servicing, from: Date, until: Date) -> Result<(i64, i64), OutOfRange> {
    span(servicing, (from, until), (from, until))
}

/// The part of a year that some days of a period are, as a fraction.
pub(super) fn span(
    servicing: &Servicing,
    period: (Date, Date),
    days: (Date, Date),
) -> Result<(i64, i64), OutOfRange> {
    let count = days_between(days.0, days.1);
    let all = days_between(period.0, period.1).max(1);
    let every = i64::from(servicing.period.every);
    Ok(
        match (basis(servicing.method), servicing.period.unit, servicing.year) {
            (Basis::Periods, Unit::Months, _) => (every.saturating_mul(count), all.saturating_mul(12)),
            (Basis::Periods, Unit::Weeks, _) => (every.saturating_mul(count), all.saturating_mul(52)),
            (_, _, YearDays::Fixed(year)) => (count, i64::from(year)),
            (_, _, YearDays::Actual) => {
                let (days, year) = actual_parts(days.0, days.1)?;
                let small = |n: i128| i64::try_from(n).map_err(|_| OutOfRange("a part of a year"));
                (small(days)?, small(year)?)
            }
        },
    )
}

/// Interest for a part of a year.
pub(super) fn interest(
    balance: Amount,
    annual: Rate,
    (part, whole): (i64, i64),
) -> Result<Amount, OutOfRange> {
    balance.interest(annual, part, whole, Rounding::HalfEven)
}
