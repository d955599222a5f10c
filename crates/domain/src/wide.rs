//! Whole numbers of any size, with the few operations that an exact comparison of powers needs.
//!
//! They are the slow path: fixed-point arithmetic decides nearly every figure of a quote, and asks here when it cannot tell.
//! What is printed and not quoted, such as a table of the trade, is computed here alone.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::level::rounds_up;
use crate::money::{OutOfRange, Rounding};

/// A whole number of 64-bit digits, the lowest first, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wide(Vec<u64>);

impl Wide {
    /// A number of 64 bits.
    pub(crate) fn new(value: u64) -> Wide {
        let mut digits = Vec::with_capacity(64);
        if value != 0 {
            digits.push(value);
        }
        Wide(digits)
    }

    /// Multiplies by a number of 64 bits.
    pub(crate) fn times(&mut self, factor: u64) -> Result<(), OutOfRange> {
        let error = OutOfRange("a wide product");
        let mut carry: u128 = 0;
        for digit in &mut self.0 {
            let product = u128::from(*digit)
                .checked_mul(u128::from(factor))
                .and_then(|p| p.checked_add(carry))
                .ok_or(error)?;
            *digit = low(product);
            carry = product.wrapping_shr(64);
        }
        if carry != 0 {
            self.0.push(low(carry));
        }
        self.trim();
        Ok(())
    }

    /// Adds another number.
    pub(crate) fn plus(&mut self, other: &Wide) -> Result<(), OutOfRange> {
        let error = OutOfRange("a wide sum");
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut carry: u128 = 0;
        let others = other.0.iter().copied().chain(core::iter::repeat(0));
        for (digit, addend) in self.0.iter_mut().zip(others) {
            let sum = u128::from(*digit)
                .checked_add(u128::from(addend))
                .and_then(|s| s.checked_add(carry))
                .ok_or(error)?;
            *digit = low(sum);
            carry = sum.wrapping_shr(64);
        }
        if carry != 0 {
            self.0.push(low(carry));
        }
        Ok(())
    }

    /// Takes away another number, which is not larger.
    pub(crate) fn minus(&mut self, other: &Wide) -> Result<(), OutOfRange> {
        let mut borrowed = false;
        let others = other.0.iter().copied().chain(core::iter::repeat(0));
        for (digit, taken) in self.0.iter_mut().zip(others) {
            let (rest, under) = digit.overflowing_sub(taken);
            let (rest, under_again) = rest.overflowing_sub(u64::from(borrowed));
            *digit = rest;
            borrowed = under || under_again;
        }
        if borrowed || other.0.len() > self.0.len() {
            return Err(OutOfRange("a wide difference"));
        }
        self.trim();
        Ok(())
    }

    /// Divides by a number of 64 bits, without the rest.
    pub(crate) fn shrink(&mut self, divisor: u64) -> Result<(), OutOfRange> {
        let error = OutOfRange("a wide quotient");
        let mut rest: u128 = 0;
        for digit in self.0.iter_mut().rev() {
            let all = rest.wrapping_shl(64) | u128::from(*digit);
            *digit = low(all.checked_div(u128::from(divisor)).ok_or(error)?);
            rest = all.checked_rem(u128::from(divisor)).ok_or(error)?;
        }
        self.trim();
        Ok(())
    }

    /// The quotient of two numbers, which fits 64 bits, rounded once. The divisor is not zero.
    pub(crate) fn divided(mut self, mut divisor: Wide, rounding: Rounding) -> Result<u64, OutOfRange> {
        let error = OutOfRange("a wide quotient");
        // With a divisor whose highest bit is set, the leading digits tell the quotient nearly to its last bit.
        let highest = divisor.0.last().copied().ok_or(error)?;
        let shift = 1u64.wrapping_shl(highest.leading_zeros());
        divisor.times(shift)?;
        self.times(shift)?;
        let mut quotient = 0u64;
        while self.compare(&divisor) != Ordering::Less {
            let step = self.at_least(&divisor).ok_or(error)?;
            let mut part = divisor.clone();
            part.times(step)?;
            self.minus(&part)?;
            quotient = quotient.checked_add(step).ok_or(error)?;
        }
        let is_whole = self.0.is_empty();
        self.times(2)?;
        let up = rounds_up(is_whole, self.compare(&divisor), quotient, rounding);
        quotient.checked_add(u64::from(up)).ok_or(error)
    }

    /// How often a divisor at least goes into a number that is not smaller; none if that does not fit 64 bits.
    fn at_least(&self, divisor: &Wide) -> Option<u64> {
        let place = divisor.0.len().checked_sub(1)?;
        let leading = |digit: Option<&u64>| u128::from(digit.copied().unwrap_or(0));
        if self.0.len() > divisor.0.len().checked_add(1)? {
            return None;
        }
        let above = leading(self.0.get(place.checked_add(1)?)).wrapping_shl(64) | leading(self.0.get(place));
        let below = leading(divisor.0.last()).checked_add(1)?;
        u64::try_from(above.checked_div(below)?.max(1)).ok()
    }

    /// Drops leading zeros.
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Which of two numbers is larger.
    pub(crate) fn compare(&self, other: &Wide) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// The low 64 bits.
fn low(value: u128) -> u64 {
    u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_sums_carry_over_digits() {
        let mut a = Wide::new(u64::MAX);
        a.times(u64::MAX).unwrap();
        let mut b = Wide::new(1);
        b.times(1 << 32).unwrap();
        b.times(1 << 32).unwrap();
        b.times(u64::MAX).unwrap();
        // (2⁶⁴−1)² + (2⁶⁴−1) = 2⁶⁴ (2⁶⁴−1)
        a.plus(&Wide::new(u64::MAX)).unwrap();
        assert_eq!(a.compare(&b), Ordering::Equal);
        a.plus(&Wide::new(1)).unwrap();
        assert_eq!(a.compare(&b), Ordering::Greater);
        let mut zero = Wide::new(5);
        zero.times(0).unwrap();
        assert_eq!(zero, Wide::new(0));
    }
    #[test]
    fn a_quotient_is_rounded_once_and_its_rest_is_not_lost() {
        let power = |base: u64, exponent: u32| {
            let mut n = Wide::new(1);
            (0..exponent).for_each(|_| n.times(base).unwrap());
            n
        };
        // 7⁴⁰ × 5 ÷ 2 over 7⁴⁰ is exactly two and a half.
        let mut five = power(7, 40);
        five.times(5).unwrap();
        let mut two = power(7, 40);
        two.times(2).unwrap();
        for (rounding, rounded) in [
            (Rounding::HalfUp, 3),
            (Rounding::HalfEven, 2),
            (Rounding::Down, 2),
        ] {
            assert_eq!(five.clone().divided(two.clone(), rounding), Ok(rounded));
        }
        let mut more = five.clone();
        more.plus(&Wide::new(1)).unwrap();
        assert_eq!(more.divided(two.clone(), Rounding::HalfEven), Ok(3));
        let mut less = five.clone();
        less.minus(&Wide::new(1)).unwrap();
        assert_eq!(less.divided(two.clone(), Rounding::HalfUp), Ok(2));
        assert!(
            five.clone().divided(Wide::new(2), Rounding::Down).is_err(),
            "too large"
        );
        assert!(
            five.divided(Wide::new(0), Rounding::Down).is_err(),
            "over nothing"
        );
        let mut shrunk = power(10, 30);
        shrunk.shrink(1_000_000_007).unwrap();
        assert_eq!(shrunk.divided(power(10, 20), Rounding::Down), Ok(9));
        assert!(Wide::new(1).minus(&Wide::new(2)).is_err());
    }

    #[test]
    fn quotients_agree_with_those_of_128_bits() {
        let mut state = 3u64;
        for _ in 0..2_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (factor, divisor) = (state >> (state % 50), (state >> (state % 61)) | 1);
            let mut product = Wide::new(factor);
            product.times(state | 1).unwrap();
            let exact = u128::from(factor) * u128::from(state | 1) / u128::from(divisor);
            let found = product.divided(Wide::new(divisor), Rounding::Down);
            assert_eq!(found.ok(), u64::try_from(exact).ok());
        }
    }
}
