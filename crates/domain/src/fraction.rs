//! Exact fractions (分数): rates as they are published, parts of years, and figures that are rounded once, at the end.

use alloc::string::String;

use crate::level::greatest_common_divisor;
use crate::money::{Amount, OutOfRange, Rounding, divide, point};

/// A figure of zero or more as a fraction of two integers, in lowest terms.
///
/// A published rate may have more digits than [`crate::money::Rate`] keeps (a monthly rate found from an effective one,
/// a fee of one part in seven), and a third of a year has no last digit at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl Fraction {
    /// Nothing.
    pub const ZERO: Fraction = Fraction {
        numerator: 0,
        denominator: 1,
    };

    /// One integer over another, which is not zero.
    ///
    /// # Errors
    /// [`OutOfRange`] for a denominator of zero.
    pub fn new(numerator: u64, denominator: u64) -> Result<Fraction, OutOfRange> {
        let error = OutOfRange("a fraction");
        let divisor = greatest_common_divisor(numerator, denominator);
        if denominator == 0 {
            return Err(error);
        }
        Ok(Fraction {
            numerator: numerator.checked_div(divisor).ok_or(error)?,
            denominator: denominator.checked_div(divisor).ok_or(error)?,
        })
    }

    /// The integer above.
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// The integer below.
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// Whether it is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// So many times the fraction.
    ///
    /// # Errors
    /// [`OutOfRange`] if the product does not fit.
    pub fn times(self, count: u64) -> Result<Fraction, OutOfRange> {
        let product = Fraction::new(count, self.denominator)?;
        let numerator = self.numerator.checked_mul(product.numerator);
        Fraction::new(numerator.ok_or(OutOfRange("a fraction"))?, product.denominator)
    }

    /// A part of the fraction, such as a twelfth.
    ///
    /// # Errors
    /// [`OutOfRange`] if the quotient does not fit, or for no parts.
    pub fn over(self, parts: u64) -> Result<Fraction, OutOfRange> {
        let quotient = Fraction::new(self.numerator, parts)?;
        let denominator = self.denominator.checked_mul(quotient.denominator);
        Fraction::new(quotient.numerator, denominator.ok_or(OutOfRange("a fraction"))?)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`OutOfRange`] if it does not fit.
    pub fn plus(self, other: Fraction) -> Result<Fraction, OutOfRange> {
        let error = OutOfRange("a fraction");
        let common = greatest_common_divisor(self.denominator, other.denominator);
        let scale = other.denominator.checked_div(common).ok_or(error)?;
        let other_scale = self.denominator.checked_div(common).ok_or(error)?;
        let numerator = self
            .numerator
            .checked_mul(scale)
            .zip(other.numerator.checked_mul(other_scale))
            .and_then(|(a, b)| a.checked_add(b));
        let denominator = self.denominator.checked_mul(scale);
        Fraction::new(numerator.ok_or(error)?, denominator.ok_or(error)?)
    }

    /// An amount × the fraction, rounded once.
    ///
    /// # Errors
    /// [`OutOfRange`] if it does not fit.
    pub fn of(self, amount: Amount, rounding: Rounding) -> Result<Amount, OutOfRange> {
        let product = i128::from(amount.minor()).checked_mul(i128::from(self.numerator));
        let product = product.ok_or(OutOfRange("a share"))?;
        divide(product, i128::from(self.denominator), rounding).map(Amount::from_minor)
    }

    /// The fraction with so many digits after the point, at most 15, rounded once (四舍五入).
    ///
    /// # Errors
    /// [`OutOfRange`] if it has more than eighteen digits altogether.
    pub fn decimal(self, digits: u8) -> Result<String, OutOfRange> {
        let error = OutOfRange("a fraction");
        let scaled = 10i128
            .checked_pow(u32::from(digits))
            .and_then(|scale| scale.checked_mul(i128::from(self.numerator)))
            .ok_or(error)?;
        let rounded = divide(scaled, i128::from(self.denominator), Rounding::HalfUp)?;
        Ok(point(rounded, digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(numerator: u64, denominator: u64) -> Fraction {
        Fraction::new(numerator, denominator).unwrap()
    }

    #[test]
    fn a_fraction_is_kept_in_lowest_terms() {
        assert_eq!(fraction(49, 1_000).over(12), Ok(fraction(49, 12_000)));
        assert_eq!(fraction(2, 12).plus(fraction(3, 365)), Ok(fraction(383, 2_190)));
        assert_eq!(fraction(1, 12).times(24), Ok(fraction(2, 1)));
        assert_eq!(fraction(0, 7), Fraction::ZERO);
    }

    #[test]
    fn a_half_is_rounded_up_from_the_decimal_value() {
        assert_eq!(fraction(3_055, 1_000).decimal(2).unwrap(), "3.06");
        assert_eq!(fraction(3_055, 1_000).decimal(1).unwrap(), "3.1");
        assert_eq!(fraction(1, 6).decimal(12).unwrap(), "0.166666666667");
        let fen = fraction(23, 1_000).of(Amount::from_minor(500), Rounding::HalfEven);
        assert_eq!(fen, Ok(Amount::from_minor(12)), "11.5 goes to the even neighbour");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert!(Fraction::new(1, 0).is_err() && fraction(1, 2).over(0).is_err());
        assert!(fraction(u64::MAX, 1).times(2).is_err() && fraction(1, u64::MAX).over(2).is_err());
        assert!(fraction(u64::MAX, 1).decimal(15).is_err());
        assert!(
            fraction(u64::MAX, 1)
                .of(Amount::from_minor(2), Rounding::Down)
                .is_err()
        );
    }
}
