//! The level payment (等额) of an annuity and the interest of its periods, as exact rational arithmetic gives them.
//!
//! Fixed-point arithmetic with a proven bound decides nearly always, and whole numbers of any size decide the rest.

use alloc::vec::Vec;
use core::cmp::Ordering;

use jiff::civil::Date;

use crate::calendar::{DayCount, YearPart};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::wide::Wide;

/// The rates of the periods as fractions over one denominator, in lowest terms.
pub(crate) struct Periods {
    /// The denominator.
    whole: u64,
    /// 2⁶⁴ ÷ the denominator, rounded down: a product with it costs a fraction of a division.
    inverse: u64,
    /// The numerators: interest of a period is balance × part ÷ whole.
    pub(crate) parts: Vec<u64>,
}

/// Fractional bits of the running powers in [`Periods::fixed_point`].
const POWER_BITS: u32 = 50;
/// Fractional bits of one period's factor.
const FACTOR_BITS: u32 = 62;
/// Fractional bits of the payment.
const PAYMENT_BITS: u32 = 20;

impl Periods {
    /// The periods between due dates.
    pub(crate) fn new(
        annual: Rate,
        day_count: DayCount,
        from: Date,
        due_dates: &[Date],
    ) -> Result<Periods, OutOfRange> {
        if day_count == DayCount::Thirty360 {
            let part = day_count.period(from, from);
            return Periods::of(annual, due_dates.iter().map(|_| part));
        }
        let starts = core::iter::once(&from).chain(due_dates);
        Periods::of(
            annual,
            starts
                .zip(due_dates)
                .map(|(start, end)| day_count.period(*start, *end)),
        )
    }

    /// The periods of given parts of a year.
    pub(crate) fn of(annual: Rate, years: impl Iterator<Item = YearPart>) -> Result<Periods, OutOfRange> {
        let error = OutOfRange("a period's rate");
        let mut whole = 1u64;
        let mut parts = Vec::with_capacity(years.size_hint().0);
        for year in years {
            let part = annual.ppb().checked_mul(year.days).ok_or(error)?;
            parts.push(u64::try_from(part).map_err(|_| error)?);
            whole = year
                .year_days
                .checked_mul(Rate::ONE.ppb())
                .and_then(|w| u64::try_from(w).ok())
                .ok_or(error)?;
        }
        let mut divisor = whole;
        let mut before = 0;
        for part in &parts {
            if *part != before {
                divisor = greatest_common_divisor(divisor, *part);
                before = *part;
            }
        }
        // Under 30/360 all parts are the same, and a division costs as much as the rest of a row.
        let (mut before, mut reduced) = (0, 0);
        for part in &mut parts {
            if *part != before {
                before = *part;
                reduced = part.checked_div(divisor).ok_or(error)?;
            }
            *part = reduced;
        }
        let whole = whole.checked_div(divisor).ok_or(error)?;
        Ok(Periods {
            whole,
            inverse: u64::MAX.checked_div(whole).ok_or(error)?,
            parts,
        })
    }

    /// The denominator of the rates.
    pub(crate) const fn whole(&self) -> u64 {
        self.whole
    }

    /// Interest on a balance for one period, rounded once.
    pub(crate) fn interest(
        &self,
        balance: Amount,
        part: u64,
        rounding: Rounding,
    ) -> Result<Amount, OutOfRange> {
        let error = OutOfRange("interest");
        let balance = u64::try_from(balance.minor()).map_err(|_| error)?;
        // Nearly every product fits 64 bits, where a division costs a fraction of one of 128.
        if let Some(product) = balance.checked_mul(part) {
            let (quotient, rest) = self.divided(product);
            let half = rest.cmp(&self.whole.saturating_sub(rest));
            let up = rounds_up(rest == 0, half, quotient, rounding);
            let rounded = quotient.checked_add(u64::from(up)).ok_or(error)?;
            return i64::try_from(rounded).map(Amount::from_minor).map_err(|_| error);
        }
        let product = i128::from(balance).checked_mul(i128::from(part)).ok_or(error)?;
        crate::money::divide(product, i128::from(self.whole), rounding).map(Amount::from_minor)
    }

    /// The quotient and the rest of a division by the denominator.
    fn divided(&self, product: u64) -> (u64, u64) {
        let high = u128::from(product)
            .wrapping_mul(u128::from(self.inverse))
            .wrapping_shr(64);
        let mut quotient = u64::try_from(high).unwrap_or(0);
        let mut rest = product.wrapping_sub(quotient.wrapping_mul(self.whole));
        // The inverse is less than one too small, and so the quotient at most two.
        while rest >= self.whole {
            rest = rest.wrapping_sub(self.whole);
            quotient = quotient.wrapping_add(1);
        }
        (quotient, rest)
    }

    /// The level payment, rounded once from the exact figure.
    pub(crate) fn level_payment(&self, principal: Amount, rounding: Rounding) -> Result<Amount, OutOfRange> {
        let error = OutOfRange("a level payment");
        if self.parts.is_empty() {
            return Err(error);
        }
        let amount = u64::try_from(principal.minor()).map_err(|_| error)?;
        let (low, high) = self
            .fixed_point(amount)
            .unwrap_or((0, u128::from(u64::MAX).wrapping_shl(PAYMENT_BITS)));
        let (below, above) = (round_fixed(low, rounding), round_fixed(high, rounding));
        let payment = match (below, above) {
            (Some(below), Some(above)) if below == above => below,
            _ => self.exact_payment(
                amount,
                low.wrapping_shr(PAYMENT_BITS),
                high.wrapping_shr(PAYMENT_BITS),
                rounding,
            )?,
        };
        i64::try_from(payment).map(Amount::from_minor).map_err(|_| error)
    }

    /// Bounds of the exact payment with [`PAYMENT_BITS`] fractional bits, or nothing where it would not fit.
    ///
    /// With g the product of the factors and s the sum of the partial products, the payment is principal × g ÷ s. Each
    /// step loses less than 2⁻⁵⁰ of g and of s (both are at least 1) by its shift, and 2⁻⁶² by its factor, so that after
    /// n steps the quotient is off by less than (2n + 1) × 2⁻⁴⁹ of itself.
    fn fixed_point(&self, amount: u64) -> Option<(u128, u128)> {
        let one = 1u64.wrapping_shl(POWER_BITS);
        let (mut power, mut sum) = (one, 0u64);
        let (mut part_before, mut factor) = (u64::MAX, 0u64);
        for part in &self.parts {
            if *part != part_before {
                let total = u128::from(self.whole.checked_add(*part)?).wrapping_shl(FACTOR_BITS);
                factor = u64::try_from(total.checked_div(u128::from(self.whole))?).ok()?;
                part_before = *part;
            }
            power = shifted_product(power, factor)?;
            sum = shifted_product(sum, factor)?.checked_add(one)?;
        }
        let payment = u128::from(amount)
            .checked_mul(u128::from(power))?
            .checked_mul(1u128.wrapping_shl(PAYMENT_BITS))?
            .checked_div(u128::from(sum))?;
        let steps = u128::try_from(self.parts.len())
            .ok()?
            .checked_mul(2)?
            .checked_add(1)?;
        let bound = payment.checked_mul(steps)?.wrapping_shr(49).checked_add(2)?;
        Some((payment.saturating_sub(bound), payment.checked_add(bound)?))
    }

    /// The payment in whole numbers of any size, known to lie between two.
    fn exact_payment(
        &self,
        amount: u64,
        low: u128,
        high: u128,
        rounding: Rounding,
    ) -> Result<u64, OutOfRange> {
        let error = OutOfRange("a level payment");
        // payment = amount × Π(whole + part) ÷ Σ, with Σ the partial products over the same powers of `whole`.
        let (mut numerator, mut denominator, mut scale) = (Wide::new(amount), Wide::new(0), Wide::new(1));
        for part in &self.parts {
            let total = self.whole.checked_add(*part).ok_or(error)?;
            numerator.times(total)?;
            denominator.times(total)?;
            scale.times(self.whole)?;
            denominator.plus(&scale)?;
        }
        let against = |multiple: u64, of: u64| -> Result<Ordering, OutOfRange> {
            let (mut left, mut right) = (numerator.clone(), denominator.clone());
            left.times(of)?;
            right.times(multiple)?;
            Ok(left.compare(&right))
        };
        let mut floor = u64::try_from(low).map_err(|_| error)?;
        let mut over = u64::try_from(high).unwrap_or(u64::MAX).saturating_add(1);
        while over.saturating_sub(floor) > 1 {
            let middle = floor.midpoint(over);
            if against(middle, 1)? == Ordering::Less {
                over = middle;
            } else {
                floor = middle;
            }
        }
        let whole = against(floor, 1)? == Ordering::Equal;
        let half = against(
            floor.checked_mul(2).and_then(|f| f.checked_add(1)).ok_or(error)?,
            2,
        )?;
        let up = rounds_up(whole, half, floor, rounding);
        floor.checked_add(u64::from(up)).ok_or(error)
    }
}

/// The product without [`FACTOR_BITS`] of its bits, if it fits.
fn shifted_product(value: u64, factor: u64) -> Option<u64> {
    // Two factors below 2⁶⁴ cannot leave 128 bits.
    let product = u128::from(value).wrapping_mul(u128::from(factor));
    u64::try_from(product.wrapping_shr(FACTOR_BITS)).ok()
}

/// Whether a figure of zero or more goes up from its floor: `half` compares what is over with a half.
pub(crate) fn rounds_up(is_whole: bool, half: Ordering, floor: u64, rounding: Rounding) -> bool {
    match rounding {
        Rounding::Down => false,
        Rounding::Up => !is_whole,
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && floor & 1 == 1),
    }
}

/// A figure with [`PAYMENT_BITS`] fractional bits as a whole number.
fn round_fixed(value: u128, rounding: Rounding) -> Option<u64> {
    let one = 1u128.wrapping_shl(PAYMENT_BITS);
    let floor = u64::try_from(value.wrapping_shr(PAYMENT_BITS)).ok()?;
    let rest = value & one.wrapping_sub(1);
    let half = rest.cmp(&one.wrapping_shr(1));
    floor.checked_add(u64::from(rounds_up(rest == 0, half, floor, rounding)))
}

/// The greatest common divisor; the other number if one is zero.
pub(crate) fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::level_payment;

    /// A repeatable stream of numbers, for comparing two ways to the same figure.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 7u64;
        move |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33).checked_rem(below).unwrap()
        }
    }

    #[test]
    fn fixed_point_and_whole_numbers_agree_on_every_payment() {
        let mut next = numbers();
        for _ in 0..2_000 {
            let annual = Rate::from_ppb(i64::try_from(1 + next(360_000_000)).unwrap());
            let count = 1 + next(60);
            let years: Vec<YearPart> = (0..count)
                .map(|_| YearPart {
                    days: 28 + i64::try_from(next(4)).unwrap(),
                    year_days: 365,
                })
                .collect();
            let periods = Periods::of(annual, years.into_iter()).unwrap();
            let amount = 1 + next(1 << 31);
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
                let fast = periods
                    .level_payment(Amount::from_minor(amount.try_into().unwrap()), rounding)
                    .unwrap();
                let exact = periods
                    .exact_payment(amount, 0, u128::from(u64::MAX) >> 2, rounding)
                    .unwrap();
                assert_eq!(u64::try_from(fast.minor()).unwrap(), exact);
            }
        }
    }

    #[test]
    fn a_payment_that_is_exactly_a_half_is_rounded_as_named() {
        // One period at 12 % a year (1 % a month) on 50: exactly 50.5.
        let month = [YearPart {
            days: 30,
            year_days: 360,
        }];
        let payment = |rounding| {
            level_payment(Amount::from_minor(50), Rate::from_bps(1200), &month, rounding)
                .unwrap()
                .minor()
        };
        assert_eq!(payment(Rounding::HalfUp), 51);
        assert_eq!(payment(Rounding::HalfEven), 50);
        assert_eq!(payment(Rounding::Down), 50);
        assert_eq!(payment(Rounding::Up), 51);
    }

    #[test]
    fn interest_is_rounded_as_named_where_it_is_a_half_or_exact() {
        // 1 % a month of 50, 150, 250 and 100: 0.5, 1.5, 2.5 and 1.
        let month = YearPart {
            days: 30,
            year_days: 360,
        };
        let periods = Periods::of(Rate::from_bps(1200), core::iter::once(month)).unwrap();
        let part = periods.parts[0];
        let table = [
            (Rounding::HalfUp, [1, 2, 3, 1]),
            (Rounding::HalfEven, [0, 2, 2, 1]),
            (Rounding::Down, [0, 1, 2, 1]),
            (Rounding::Up, [1, 2, 3, 1]),
        ];
        for (rounding, expected) in table {
            let interest = [50, 150, 250, 100].map(|balance| {
                let balance = Amount::from_minor(balance);
                periods.interest(balance, part, rounding).unwrap().minor()
            });
            assert_eq!(interest, expected, "{rounding:?}");
        }
    }

    #[test]
    fn a_usual_payment_needs_no_long_division() {
        // 12,000.00 at 12 % over twelve months is 1,066.19 a month, to far more digits than are rounded.
        let month = YearPart {
            days: 30,
            year_days: 360,
        };
        let periods = Periods::of(Rate::from_bps(1200), core::iter::repeat_n(month, 12)).unwrap();
        let (low, high) = periods.fixed_point(1_200_000).unwrap();
        for bound in [low, high] {
            assert_eq!(round_fixed(bound, Rounding::HalfEven), Some(106_619));
        }
    }

    #[test]
    fn the_largest_amount_and_the_longest_term_still_have_a_payment() {
        let months = [YearPart {
            days: 30,
            year_days: 360,
        }; 360];
        let most = Amount::from_minor(crate::money::AMOUNT_MAX);
        let payment = level_payment(most, Rate::from_bps(3600), &months, Rounding::HalfUp).unwrap();
        // 3 % a month for ever would be 30 000 000 000 000; 360 months add a little.
        assert!(payment.minor() > 30_000_000_000_000 && payment.minor() < 30_001_000_000_000);
    }
}
