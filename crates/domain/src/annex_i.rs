//! The years between two flows of a credit, as Annex I of Directive 2008/48/EC and its successors count them.
//!
//! A year has 365 days (366 if it is a leap year), 52 weeks or 12 equal months. Time is counted in the payments' own
//! period, back from the later day; the days left over are a part of the year that ends on the day that was reached
//! (European Commission, examples for Directive 2014/17/EU, § 2).

use jiff::civil::Date;

use crate::calendar::{add_days, add_months, days_between};
use crate::fraction::Fraction;
use crate::money::OutOfRange;
use crate::unit_period::months_before;

/// The period from payment to payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// So many months.
    Months(u16),
    /// So many weeks.
    Weeks(u16),
}

impl Rhythm {
    /// So many periods, in years.
    ///
    /// # Errors
    /// [`OutOfRange`] if that does not fit.
    pub fn years(self, periods: u32) -> Result<Fraction, OutOfRange> {
        match self {
            Rhythm::Months(months) => Fraction::new(u64::from(months), 12),
            Rhythm::Weeks(weeks) => Fraction::new(u64::from(weeks), 52),
        }?
        .times(u64::from(periods))
    }

    /// The years from a day to a day that is not before it.
    ///
    /// `payment_day` is the day of the month that the contract names, where the later day's month is too short for it.
    ///
    /// # Errors
    /// [`OutOfRange`] if the days are in the wrong order, or for a period of nothing.
    pub fn years_between(
        self,
        from: Date,
        until: Date,
        payment_day: Option<u8>,
    ) -> Result<Fraction, OutOfRange> {
        let error = OutOfRange("the time between two flows");
        if until < from {
            return Err(error);
        }
        let back = |periods: i64| match self {
            Rhythm::Months(months) => {
                months_before(until, payment_day, i64::from(months).saturating_mul(periods))
            }
            Rhythm::Weeks(weeks) => {
                let days = i64::from(weeks).saturating_mul(7).saturating_mul(periods);
                add_days(until, days.saturating_neg())
            }
        };
        // A month has 28 days at least, so that this is no fewer than the whole periods there can be.
        let shortest = match self {
            Rhythm::Months(months) => i64::from(months).saturating_mul(28),
            Rhythm::Weeks(weeks) => i64::from(weeks).saturating_mul(7),
        };
        let (mut low, mut over) = (
            0i64,
            days_between(from, until).checked_div(shortest).ok_or(error)?,
        );
        over = over.saturating_add(1);
        while over.saturating_sub(low) > 1 {
            let middle = low.midpoint(over);
            if back(middle)? >= from {
                low = middle;
            } else {
                over = middle;
            }
        }
        let reached = back(low)?;
        let year = days_between(add_months(reached, -12)?, reached);
        let count = |days: i64| u64::try_from(days).map_err(|_| error);
        let odd = Fraction::new(count(days_between(from, reached))?, count(year)?)?;
        self.years(u32::try_from(low).map_err(|_| error)?)?.plus(odd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    // European Commission, examples for Directive 2014/17/EU, § 2 and example 2.
    #[test]
    fn years_are_counted_as_the_commission_does() {
        let month = Rhythm::Months(1);
        let rows = [
            (month, date(2012, 1, 12), date(2012, 3, 15), (2, 12), (3, 365)),
            (month, date(2013, 1, 12), date(2013, 2, 15), (1, 12), (3, 366)),
            (
                Rhythm::Months(12),
                date(2012, 1, 12),
                date(2012, 2, 15),
                (0, 12),
                (34, 365),
            ),
            (month, date(2013, 2, 26), date(2013, 2, 28), (0, 12), (2, 366)),
            (month, date(2012, 2, 27), date(2012, 2, 29), (0, 12), (2, 366)),
            (
                Rhythm::Weeks(1),
                date(2013, 3, 1),
                date(2013, 3, 18),
                (2, 52),
                (3, 365),
            ),
            (
                Rhythm::Months(3),
                date(2012, 1, 12),
                date(2012, 7, 15),
                (6, 12),
                (3, 365),
            ),
        ];
        for (rhythm, from, until, whole, odd) in rows {
            let part = |(over, under)| Fraction::new(over, under).unwrap();
            let years = part(whole).plus(part(odd)).unwrap();
            assert_eq!(
                rhythm.years_between(from, until, None),
                Ok(years),
                "{from} {until}"
            );
        }
        assert!(
            month
                .years_between(date(2013, 2, 2), date(2013, 2, 1), None)
                .is_err()
        );
        assert!(
            Rhythm::Months(0)
                .years_between(date(2013, 2, 2), date(2013, 3, 1), None)
                .is_err()
        );
    }

    #[test]
    fn a_day_that_a_short_month_lacks_is_kept() {
        let years = Rhythm::Months(1).years_between(date(2026, 1, 31), date(2026, 2, 28), Some(31));
        assert_eq!(years, Fraction::new(1, 12));
    }
}
