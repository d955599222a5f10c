//! What a balance earns in a span of days, and the level payment that follows: factors of exact integers.

use jiff::civil::Date;

use super::{Accrual, FACTOR, PRODUCT};
use crate::calendar::days_between;
use crate::loan::factor::{actual_parts, plus, ratio, times, to_multiple};
use crate::loan::restructure::after;
use crate::loan::term::{Stretch, Term};
use crate::money::{Amount, OutOfRange, Rate};
use crate::servicing::{MonthDays, Period, Unit, YearDays};

impl Accrual<'_> {
    /// By what an amount is multiplied and divided to be level over the periods from one on.
    pub(super) fn annuity(&self, first: usize) -> Result<(i128, i128), OutOfRange> {
        let (mut power, mut sum) = (PRODUCT, PRODUCT);
        let repaying = self.terms.iter().skip(first).filter(|t| !t.is_free);
        for (turn, term) in repaying.enumerate() {
            let mut factor = FACTOR;
            for stretch in &term.stretches {
                let part = self.factor(term, (stretch.from, stretch.until), self.agreed_length())?;
                factor = plus(factor, part)?;
            }
            power = ratio(times(power, factor)?, FACTOR)?;
            if turn > 0 {
                sum = plus(PRODUCT, ratio(times(sum, factor)?, FACTOR)?)?;
            }
        }
        Ok((power, sum))
    }

    /// The level payment of an amount, as a multiple.
    pub(super) fn level(&self, amount: Amount, (power, sum): (i128, i128)) -> Result<Amount, OutOfRange> {
        let exact = ratio(times(i128::from(amount.minor()), power)?, sum)?;
        let level = i64::try_from(exact).map_err(|_| OutOfRange("a level payment"))?;
        to_multiple(Amount::from_minor(level), self.servicing.multiple)
    }

    /// Interest of a span: the factor up to the end of its period, in proportion of its days.
    pub(super) fn earned(&self, term: &Term, stretch: &Stretch) -> Result<Amount, OutOfRange> {
        let all = days_between(stretch.from, term.until);
        let days = days_between(stretch.from, stretch.until);
        if all <= 0 || days <= 0 || !stretch.balance.is_positive() || self.is_paused(stretch) {
            return Ok(Amount::ZERO);
        }
        let factor = self.factor(term, (stretch.from, term.until), self.length(term)?)?;
        let product = times(
            times(i128::from(stretch.balance.minor()), factor)?,
            i128::from(days),
        )?;
        let exact = ratio(product, times(FACTOR, i128::from(all))?)?;
        i64::try_from(exact)
            .map(Amount::from_minor)
            .map_err(|_| OutOfRange("interest"))
    }

    /// Whether a span earns nothing.
    pub(super) fn is_paused(&self, stretch: &Stretch) -> bool {
        let stopped = self.stopped_on.is_some_and(|day| stretch.from >= day);
        stopped
            || self
                .pauses
                .iter()
                .any(|p| p.from <= stretch.from && stretch.until <= p.until)
    }

    /// The rate on a day.
    pub(super) fn rate(&self, day: Date) -> Rate {
        let changed = self.rates.iter().rev().find(|(from, _)| *from <= day);
        changed.map_or(self.agreed, |(_, rate)| *rate)
    }

    /// How many units a period has by agreement, as a fraction.
    pub(super) fn agreed_length(&self) -> (i64, i64) {
        (i64::from(self.period.every), 1)
    }

    /// How many units a period has, as a fraction: whole ones, and of the one that is not whole its share of days. A
    /// period that ends as agreed from the first day on is whole.
    pub(super) fn length(&self, term: &Term) -> Result<(i64, i64), OutOfRange> {
        let unit = Period {
            every: 1,
            unit: self.period.unit,
        };
        let start = self.terms.first().map_or(term.from, |t| t.from);
        let units = |from: Date, until: Date| -> Result<u16, OutOfRange> {
            let mut count = at_least(unit.unit, from, until);
            while after(from, unit, count.saturating_add(1))? <= until && count < u16::MAX {
                count = count.saturating_add(1);
            }
            Ok(count)
        };
        let (before, all) = (units(start, term.from)?, units(start, term.until)?);
        let ends_as_agreed = after(start, unit, all)? == term.until;
        let begins_as_agreed = after(start, unit, before)? == term.from;
        if ends_as_agreed && begins_as_agreed && all.saturating_sub(before) == self.period.every {
            return Ok(self.agreed_length());
        }
        let whole = units(term.from, term.until)?;
        let last = after(term.from, unit, whole)?;
        let next = after(term.from, unit, whole.saturating_add(1))?;
        let length = days_between(last, next).max(1);
        let units = i64::from(whole).saturating_mul(length);
        Ok((units.saturating_add(days_between(last, term.until)), length))
    }

    /// The factor of some days of a period of so many units, in 10⁻¹².
    pub(super) fn factor(
        &self,
        term: &Term,
        days: (Date, Date),
        length: (i64, i64),
    ) -> Result<i128, OutOfRange> {
        let rate = times(i128::from(self.rate(days.0).ppb()), 1_000)?;
        let (numerator, denominator) = self.year_part(term, days, length)?;
        ratio(times(rate, numerator)?, denominator)
    }

    /// The part of a year that some days of a period of so many units are.
    pub(super) fn year_part(
        &self,
        term: &Term,
        (from, until): (Date, Date),
        (units, parts): (i64, i64),
    ) -> Result<(i128, i128), OutOfRange> {
        let days = i128::from(days_between(from, until));
        Ok(match (self.servicing.year, self.servicing.month) {
            (YearDays::Actual, _) => actual_parts(from, until)?,
            (YearDays::Fixed(year), MonthDays::Actual) => (days, i128::from(year)),
            (YearDays::Fixed(year), MonthDays::Thirty) => {
                let unit = match self.period.unit {
                    Unit::Days => 1,
                    Unit::Weeks => 7,
                    Unit::Months => 30,
                };
                let whole = times(unit, i128::from(units))?;
                let all = i128::from(days_between(term.from, term.until).max(1));
                let all = times(all, i128::from(parts))?;
                (times(whole, days)?, times(i128::from(year), all)?)
            }
        })
    }
}

/// How many units lie between two days at least: no more than one short of what they are.
fn at_least(unit: Unit, from: Date, until: Date) -> u16 {
    let days = days_between(from, until);
    let count = match unit {
        Unit::Days => days,
        Unit::Weeks => days.div_euclid(7),
        Unit::Months => {
            let months = |date: Date| {
                i64::from(date.year())
                    .saturating_mul(12)
                    .saturating_add(i64::from(date.month()))
            };
            months(until).saturating_sub(months(from)).saturating_sub(1)
        }
    };
    u16::try_from(count.max(0)).unwrap_or(u16::MAX)
}
