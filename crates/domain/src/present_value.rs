//! Present values (现值) in integers, for what a settlement may cost.
//!
//! Money is discounted as Regulation Z's appendix J does: whole months compound, the days of a part of a month count
//! simply, and a month has 30 days (30E/360). Factors are fixed-point with 18 digits, so the figures are the same
//! everywhere; their error is far below one minor unit for any amount that the platform takes.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::DayCount;
use crate::loan::state::Flow;
use crate::money::{Amount, OutOfRange, Rate};

/// One, in fixed point.
const ONE: i128 = 1_000_000_000_000_000_000;

/// A present value that is as good as nothing: a billionth of a minor unit.
const NOTHING: u128 = 1_000_000_000;

/// The highest monthly rate that is told apart: 1000 %.
const RATE_MAX: i128 = 10 * ONE;

/// In how many steps a rate is found at most; the trade's plans need a dozen.
const STEPS_MAX: u8 = 200;

/// A monthly rate in fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Monthly(i128);

impl Monthly {
    /// A twelfth of an annual rate.
    pub fn of_annual(annual: Rate) -> Result<Monthly, OutOfRange> {
        i128::from(annual.ppb())
            .checked_mul(1_000_000_000)
            .and_then(|x| x.checked_div(12))
            .map(Monthly)
            .ok_or(OutOfRange("a rate"))
    }

    /// Twelve of it, rounded to the nearest.
    pub fn annual(self) -> Result<Rate, OutOfRange> {
        let error = OutOfRange("a rate");
        let twelve = self.0.checked_mul(12).ok_or(error)?;
        crate::money::divide(twelve, 1_000_000_000, crate::money::Rounding::HalfUp).map(Rate::from_ppb)
    }
}

/// Flows as months, days and amounts from the first of them.
pub(crate) struct Timed(Vec<(u32, i128, i128)>);

impl Timed {
    /// Places flows in time; the reckoning begins at `from`, before which no flow lies.
    pub fn new(from: Date, flows: impl Iterator<Item = Flow>) -> Result<Timed, OutOfRange> {
        flows
            .map(|flow| {
                let (months, days) = months_and_days(from, flow.on)?;
                Ok((months, days, i128::from(flow.amount.minor())))
            })
            .collect::<Result<Vec<_>, OutOfRange>>()
            .map(Timed)
    }

    /// The sum of all flows, discounted to the beginning; in minor units × 10¹⁸.
    pub fn value(&self, rate: Monthly) -> Result<i128, OutOfRange> {
        self.0.iter().try_fold(0i128, |sum, (months, days, amount)| {
            amount
                .checked_mul(discount(rate, *months, *days)?)
                .and_then(|x| sum.checked_add(x))
                .ok_or(OutOfRange("a present value"))
        })
    }

    /// The monthly rate at which the flows are worth nothing together, if they lie as a loan's do: out first, then in.
    /// Zero if no more came in than went out; the highest that is told apart if even that is not enough.
    pub fn internal_rate(&self) -> Result<Monthly, OutOfRange> {
        Ok(self.walked()?.0)
    }

    /// The same, and in how many steps it was found.
    fn walked(&self) -> Result<(Monthly, u8), OutOfRange> {
        let (mut low, mut high) = (0i128, RATE_MAX);
        let (mut at_low, mut at_high) = (self.value(Monthly(low))?, self.value(Monthly(high))?);
        if at_low <= 0 {
            return Ok((Monthly(0), 0));
        }
        if at_high > 0 {
            return Ok((Monthly(RATE_MAX), 0));
        }
        // Regula falsi by the Illinois rule: the end that stays twice counts half, so that both ends move.
        let mut stayed = 0i8;
        for step in 0..STEPS_MAX {
            let width = high.saturating_sub(low);
            if width <= 1 {
                return Ok((Monthly(low), step));
            }
            let middle = if step % 8 == 7 {
                low.saturating_add(width.checked_div(2).unwrap_or(0))
            } else {
                secant(low, high, at_low, at_high)
            };
            let value = self.value(Monthly(middle))?;
            if value.unsigned_abs() < NOTHING {
                return Ok((Monthly(middle), step));
            }
            if value > 0 {
                (low, at_low) = (middle, value);
                at_high = if stayed == 1 {
                    at_high.div_euclid(2)
                } else {
                    at_high
                };
                stayed = 1;
            } else {
                (high, at_high) = (middle, value);
                at_low = if stayed == -1 {
                    at_low.div_euclid(2)
                } else {
                    at_low
                };
                stayed = -1;
            }
        }
        Ok((Monthly(low), STEPS_MAX))
    }
}

/// Where the line between the two ends crosses zero, strictly between them.
fn secant(low: i128, high: i128, at_low: i128, at_high: i128) -> i128 {
    let width = high.saturating_sub(low);
    // The values are scaled down so far as their product with the width needs it: close to the root they are small, and
    // without their last digits the line would be no guide.
    let bits = |n: i128| 128u32.saturating_sub(n.unsigned_abs().leading_zeros());
    let most = bits(at_low).max(bits(at_high));
    let less = most.saturating_add(bits(width)).saturating_sub(126);
    let (a, b) = (at_low.wrapping_shr(less), at_high.wrapping_shr(less));
    let step = a
        .checked_mul(width)
        .and_then(|x| x.checked_div(a.saturating_sub(b)))
        .unwrap_or_else(|| width.div_euclid(2));
    low.saturating_add(step.clamp(1, width.saturating_sub(1)))
}

/// Whole months and days left over between two days, of 30 days a month; nothing if they are in the wrong order.
pub(crate) fn months_and_days(from: Date, until: Date) -> Result<(u32, i128), OutOfRange> {
    let days = DayCount::Thirty360.between(from, until).days;
    let months = u32::try_from(days.div_euclid(30)).map_err(|_| OutOfRange("a time"))?;
    Ok((months, i128::from(days.rem_euclid(30))))
}

/// What one unit after so many months and days is worth now.
pub(crate) fn discount(rate: Monthly, months: u32, days: i128) -> Result<i128, OutOfRange> {
    let error = OutOfRange("a discount");
    let square = ONE.checked_mul(ONE).ok_or(error)?;
    let growth = ONE.checked_add(rate.0).ok_or(error)?;
    let mut factor = square.checked_div(growth).ok_or(error)?;
    let mut result = ONE;
    let mut left = months;
    while left > 0 {
        if left & 1 == 1 {
            result = times(result, factor)?;
        }
        factor = times(factor, factor)?;
        left = left.wrapping_shr(1);
    }
    if days > 0 {
        let part = rate
            .0
            .checked_mul(days)
            .and_then(|x| x.checked_div(30))
            .and_then(|x| x.checked_add(ONE))
            .ok_or(error)?;
        result = result
            .checked_mul(ONE)
            .and_then(|x| x.checked_div(part))
            .ok_or(error)?;
    }
    Ok(result)
}

/// The product of two factors of at most one.
fn times(a: i128, b: i128) -> Result<i128, OutOfRange> {
    a.checked_mul(b)
        .and_then(|x| x.checked_div(ONE))
        .ok_or(OutOfRange("a discount"))
}

/// What a value of the beginning (minor units × 10¹⁸) is at a later time, in whole minor units, rounded down.
pub(crate) fn grown(value: i128, rate: Monthly, months: u32, days: i128) -> Result<Amount, OutOfRange> {
    let factor = discount(rate, months, days)?;
    let whole = value.checked_div_euclid(factor).ok_or(OutOfRange("a value"))?;
    i64::try_from(whole)
        .map(Amount::from_minor)
        .map_err(|_| OutOfRange("a value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    /// What is lent on 5 January, and an equal amount on the 5th of the months that follow.
    fn loan(lent: i64, instalment: i64, count: i64) -> Timed {
        let start = date(2026, 1, 5);
        let flow = |months: i64, amount: i64| Flow {
            on: start.checked_add(months.months()).unwrap(),
            amount: Amount::from_minor(amount),
        };
        let flows = core::iter::once(flow(0, 0 - lent)).chain((1..=count).map(|n| flow(n, instalment)));
        Timed::new(start, flows).unwrap()
    }

    /// Hundredths of a percent, rounded.
    fn bps(rate: Rate) -> i64 {
        crate::money::divide(i128::from(rate.ppb()), 100_000, crate::money::Rounding::HalfUp).unwrap()
    }

    // The example of the People's Bank's announcement No. 3 of 2021: 100,000 less a fee of 1,000, 12 × 8,833.33.
    #[test]
    fn the_central_banks_example_costs_12_80_percent() {
        let rate = loan(9_900_000, 883_333, 12).internal_rate().unwrap();
        assert_eq!(bps(rate.annual().unwrap()), 1280);
    }

    #[test]
    fn the_plans_of_the_trade_cost_what_is_published() {
        for (count, instalment, annual) in [(3, 340_733, 1327), (6, 173_167, 1325), (12, 89_333, 1303)] {
            let rate = loan(1_000_000, instalment, count).internal_rate().unwrap();
            assert_eq!(bps(rate.annual().unwrap()), annual, "{count}");
        }
    }

    #[test]
    fn flows_without_a_rate_get_the_nearest_end() {
        assert_eq!(
            loan(1200, 100, 12).internal_rate().unwrap(),
            Monthly(0),
            "no cost"
        );
        assert_eq!(
            loan(1200, 50, 12).internal_rate().unwrap(),
            Monthly(0),
            "not all came back"
        );
        assert_eq!(loan(1, 1_000_000, 1).internal_rate().unwrap(), Monthly(RATE_MAX));
    }

    #[test]
    fn a_rate_is_found_whatever_the_size() {
        for lent in [100, 10_000, 1_000_000_000_000_000] {
            for (instalment, count) in [
                (lent / 12 + lent / 50, 12),
                (lent / 60 + lent / 40, 60),
                (lent * 2, 1),
            ] {
                let flows = loan(lent, instalment, count);
                let rate = flows.internal_rate().unwrap();
                let left = flows.value(rate).unwrap().unsigned_abs();
                assert!(
                    left < 10_000_000_000_000_000,
                    "{lent} {count}: {left} is a hundredth of a minor unit"
                );
            }
        }
    }

    #[test]
    fn a_rate_is_found_in_few_steps() {
        let table = [
            (loan(9_900_000, 883_333, 12), 9),
            (loan(1_000_000, 340_733, 3), 8),
            (loan(1_000_000, 89_333, 12), 9),
            (loan(10_000, 2_000, 60), 14),
            (loan(10_000, 10_001, 1), 3),
        ];
        for (flows, most) in table {
            let (rate, steps) = flows.walked().unwrap();
            assert!(steps <= most, "{rate:?} in {steps}");
        }
        // Ten times as much a month later is 900 %.
        let (rate, steps) = loan(100, 1_000, 1).walked().unwrap();
        assert!(
            (rate.0 - 9 * ONE).abs() < 1_000 && steps <= 11,
            "{rate:?} in {steps}"
        );
    }

    #[test]
    fn growing_undoes_discounting() {
        let rate = Monthly::of_annual(Rate::from_bps(2400)).unwrap();
        let now = 100_000i128 * discount(rate, 7, 11).unwrap();
        let later = grown(now, rate, 7, 11).unwrap().minor();
        assert!((99_999..=100_000).contains(&later), "{later}");
        assert_eq!(discount(rate, 0, 0).unwrap(), ONE);
    }
}
