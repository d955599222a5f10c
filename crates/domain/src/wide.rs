//! Whole numbers of any size, with the few operations that an exact comparison of powers needs.
//!
//! They are the slow path: fixed-point arithmetic decides nearly every case, and asks here when it cannot tell.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::money::OutOfRange;

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
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
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
}
