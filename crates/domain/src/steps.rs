//! Instalments that are level but for their end or their steps: a balloon (尾款) and a graduated plan (递增还款).
//!
//! With a payment p_k of period k and the discount factors v_k of its due date, what was lent is Σ p_k v_k, and what is left
//! for the end counts with v_n. Both are solved for the first payment in whole numbers of any size.

use crate::level::Periods;
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::wide::Wide;

/// How payments differ from level ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    /// What the last instalment repays beside its payment.
    pub left: Amount,
    /// By how much a payment grows at each step; zero or more.
    pub growth: Rate,
    /// After how many payments each step comes; at least one.
    pub every: u16,
}

impl Steps {
    /// Level payments that leave something for the end.
    pub const fn leaving(left: Amount) -> Steps {
        Steps {
            left,
            growth: Rate::ZERO,
            every: 1,
        }
    }

    /// The payment after a step.
    pub fn grown(&self, payment: Amount, rounding: Rounding) -> Result<Amount, OutOfRange> {
        payment.at(self.factor()?, rounding)
    }

    /// What a payment is multiplied by at a step.
    pub fn factor(&self) -> Result<Rate, OutOfRange> {
        let factor = Rate::ONE.ppb().checked_add(self.growth.ppb());
        factor.map(Rate::from_ppb).ok_or(OutOfRange("a step"))
    }

    /// Whether the payment at a place, from 0, is larger than the one before it.
    pub fn is_step(&self, place: usize) -> bool {
        let every = usize::from(self.every);
        self.growth > Rate::ZERO && place > 0 && place.checked_rem(every) == Some(0)
    }
}

impl Periods {
    /// The first payment, rounded once from the exact figure.
    ///
    /// # Errors
    /// [`OutOfRange`] if there is no period, if more is left than was lent, or if steps shrink or never come.
    pub(crate) fn first_payment(
        &self,
        principal: Amount,
        steps: &Steps,
        rounding: Rounding,
    ) -> Result<Amount, OutOfRange> {
        let error = OutOfRange("a first payment");
        let valid = !self.parts.is_empty() && steps.every > 0 && steps.growth >= Rate::ZERO;
        let unsigned = |amount: Amount| u64::try_from(amount.minor()).map_err(|_| error);
        let (lent, left) = (unsigned(principal)?, unsigned(steps.left)?);
        if !valid || left > lent {
            return Err(error);
        }
        let one = u64::try_from(Rate::ONE.ppb()).map_err(|_| error)?;
        let factor = u64::try_from(steps.factor()?.ppb()).map_err(|_| error)?;
        let all_steps = (0..self.parts.len())
            .filter(|place| steps.is_step(*place))
            .count();
        // Over the powers of `whole`, and of `one` for the steps to come: weight × Π whole of the periods so far.
        let (mut numerator, mut denominator) = (Wide::new(lent), Wide::new(0));
        let (mut at_end, mut weight) = (Wide::new(left), Wide::new(1));
        for _ in 0..all_steps {
            numerator.times(one)?;
            at_end.times(one)?;
            weight.times(one)?;
        }
        for (place, part) in self.parts.iter().enumerate() {
            let total = self.whole().checked_add(*part).ok_or(error)?;
            numerator.times(total)?;
            at_end.times(self.whole())?;
            denominator.times(total)?;
            weight.times(self.whole())?;
            if steps.is_step(place) {
                weight.shrink(one)?;
                weight.times(factor)?;
            }
            denominator.plus(&weight)?;
        }
        numerator.minus(&at_end)?;
        let payment = numerator.divided(denominator, rounding)?;
        i64::try_from(payment).map(Amount::from_minor).map_err(|_| error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::YearPart;

    /// Periods of a twelfth of a year.
    fn months(annual: Rate, count: usize) -> Periods {
        let month = YearPart {
            days: 30,
            year_days: 360,
        };
        Periods::of(annual, core::iter::repeat_n(month, count)).unwrap()
    }

    fn first(annual: u32, count: usize, lent: i64, steps: &Steps) -> i64 {
        let lent = Amount::from_minor(lent);
        let payment = months(Rate::from_bps(annual), count).first_payment(lent, steps, Rounding::HalfUp);
        payment.unwrap().minor()
    }

    #[test]
    fn without_steps_and_end_it_is_the_level_payment() {
        for (annual, count, lent) in [(860, 12, 399_900), (1, 60, 12_345_678), (3_600, 36, 100)] {
            let level = months(Rate::from_bps(annual), count);
            let level = level
                .level_payment(Amount::from_minor(lent), Rounding::HalfUp)
                .unwrap();
            let steps = Steps::leaving(Amount::ZERO);
            assert_eq!(first(annual, count, lent, &steps), level.minor());
        }
    }

    #[test]
    fn what_is_left_for_the_end_lowers_the_payments() {
        // A spreadsheet's PMT(6%/12; 36; -20000; 8000) is 405.06, and of PMT(0; 10; -1000; 400) is 60.
        let leaving = |left| Steps::leaving(Amount::from_minor(left));
        assert_eq!(first(600, 36, 2_000_000, &leaving(800_000)), 40_506);
        assert_eq!(first(0, 10, 100_000, &leaving(40_000)), 6_000);
        // Nothing but interest, where everything is left.
        assert_eq!(first(600, 36, 2_000_000, &leaving(2_000_000)), 10_000);
    }

    #[test]
    fn payments_that_grow_begin_lower() {
        // Two of 100 and 110 at 12 % a year are worth 100/1.01 + 110/1.01² = 206.84….
        let steps = Steps {
            left: Amount::ZERO,
            growth: Rate::from_bps(1_000),
            every: 1,
        };
        assert_eq!(first(1_200, 2, 20_684, &steps), 10_000);
        // Twelve of 100 and then twelve of 105, without interest.
        let yearly = Steps {
            growth: Rate::from_bps(500),
            every: 12,
            ..steps
        };
        assert_eq!(first(0, 24, 12 * 10_000 + 12 * 10_500, &yearly), 10_000);
    }

    #[test]
    fn what_has_no_payment_is_out_of_range() {
        let lent = Amount::from_minor(100);
        let refused = |count, steps| {
            let periods = months(Rate::from_bps(600), count);
            periods.first_payment(lent, &steps, Rounding::HalfUp).is_err()
        };
        let level = Steps::leaving(Amount::ZERO);
        assert!(refused(0, level));
        assert!(refused(3, Steps::leaving(Amount::from_minor(101))));
        assert!(refused(3, Steps { every: 0, ..level }));
        let growth = Rate::from_ppb(-1);
        assert!(refused(3, Steps { growth, ..level }));
    }
}
