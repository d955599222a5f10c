//! Annual rates (年化利率): what a loan costs in a year, found by solving for the internal rate of its flows.
//!
//! Both readings are kept: monthly internal rate × 12 (单利) and (1 + monthly internal rate)¹² − 1 (内部收益率), as PBOC
//! announcement 2021 No. 3 allows, each over the principal that is really outstanding.
//!
//! Error bound: the internal rate of ordinary flows (first received, then paid) is within 10⁻¹² of the exact root, which
//! the tests check in whole numbers; a [`Rate`] is that figure rounded once to 10⁻⁹. What a quote asks for, month by month,
//! is solved here; flows at any time, of which the laws of several countries ask, are solved in [`internal_rate`].
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "a root has no exact form; this is the one module of the rules that may use floats, and its bound is tested"
)]

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::money::{Amount, Rate};

mod flows;

pub use flows::{Flow, internal_rate, nominal, percent};

/// Both readings of what a loan costs in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnnualRates {
    /// Monthly internal rate × 12 (单利).
    pub simple: Rate,
    /// (1 + monthly internal rate)¹² − 1 (内部收益率).
    pub compound: Rate,
}

/// Why flows have no annual rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRate {
    /// Nothing was received, or nothing was paid.
    OneSided,
    /// Less is paid than was received: the rate would be negative.
    PaysLess,
    /// The rate is over 10,000,000 % a period, or there is none at all.
    NoRoot,
    /// No rate above −100 % makes flows in any order equal.
    Unequal,
    /// What is received is paid at the same times: every rate makes them equal, so that none is their rate.
    Every,
    /// A loan's rate is above 10¹⁰⁰ a unit of time.
    TooLarge,
    /// Several rates make them equal, so that none is their rate.
    Several,
}

impl fmt::Display for NoRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRate::OneSided => write!(
                f,
                "money must flow both ways: something received and something paid"
            ),
            NoRate::PaysLess => write!(
                f,
                "less is paid than was received, so there is no rate of zero or more"
            ),
            NoRate::NoRoot => write!(
                f,
                "no rate between 0 and 10,000,000 % a period makes the flows equal"
            ),
            NoRate::Several => write!(
                f,
                "several rates make what is received and what is paid equal, so that none of them is the rate"
            ),
            NoRate::Every => write!(
                f,
                "every rate makes what is received and what is paid equal, so that none of them is the rate"
            ),
            NoRate::TooLarge => write!(
                f,
                "the rate is above 10^100 a unit of time, up to which it is looked for"
            ),
            NoRate::Unequal => write!(
                f,
                "no rate above -100 % makes what is received and what is paid equal"
            ),
        }
    }
}

// H24: fees as annual rates
/// The annual rates of an amount received at once and paid back month by month (periods are equal months, 等额月).
///
/// # Errors
/// [`NoRate`] if money does not flow both ways or less is paid than was received.
pub fn of_instalments(received: Amount, paid: &[Amount]) -> Result<AnnualRates, NoRate> {
    of_payments(received, paid.iter().copied())
}

/// The same for payments that are added up from their parts as they are looked at, so that nobody need list them.
pub(crate) fn of_payments(
    received: Amount,
    paid: impl DoubleEndedIterator<Item = Amount> + Clone,
) -> Result<AnnualRates, NoRate> {
    let level = Level::of(paid.clone()).ok_or(NoRate::OneSided)?;
    if received.minor() <= 0 || level.total <= 0 {
        return Err(NoRate::OneSided);
    }
    if level.total < received.minor() {
        return Err(NoRate::PaysLess);
    }
    if level.total == received.minor() {
        return Ok(AnnualRates::default());
    }
    let monthly = monthly_root(received.minor() as f64, &level, paid)?;
    Ok(AnnualRates {
        simple: rate(cn_simple(monthly))?,
        compound: rate(cn_compound(monthly))?,
    })
}

/// A monthly rate as an annual one without compounding (单利): × 12.
pub fn cn_simple(monthly: f64) -> f64 {
    monthly * 12.0
}

/// A monthly rate as an annual one with compounding (复利): (1 + i)¹² − 1.
pub fn cn_compound(monthly: f64) -> f64 {
    let month = 1.0 + monthly;
    let quarter = month * month * month;
    let half = quarter * quarter;
    half * half - 1.0
}

/// The monthly root for one amount received and payments month by month, which come to more.
///
/// Newton's method on a function that falls and bends upwards, so that it approaches from below and cannot overshoot.
/// Level payments, alone or between a different first and last one, have a closed form; the rest goes by Horner's rule.
fn monthly_root(
    received: f64,
    level: &Level,
    paid: impl DoubleEndedIterator<Item = Amount> + Clone,
) -> Result<f64, NoRate> {
    let guess = level_guess(level.total as f64 / received - 1.0, f64::from(level.count));
    if level.is_level {
        newton(|rate| level.value(received, rate), guess)
    } else {
        newton(|rate| horner_value(received, paid.clone(), rate), guess)
    }
}

/// A rate close to that of level payments which come to `over` more than was received, as a share of it.
///
/// What they come to is 1 + (n+1)/2 r + (n²−1)/12 r² − (n²−1)/24 r³ − (n²−1)(n²−19)/720 r⁴ − …, of which the first three
/// terms are solved and the next two corrected for, so that one or two steps of Newton's method do the rest.
fn level_guess(over: f64, count: f64) -> f64 {
    let square = count * count;
    let (b, a) = ((count + 1.0) / 2.0, (square - 1.0) / 12.0);
    let root = libm::sqrt(b * b + 4.0 * a * over);
    let guess = 2.0 * over / (b + root);
    // The slope of the first three terms at their root is the square root above.
    let better = guess + guess * guess * guess * a * (0.5 + guess * (square - 19.0) / 60.0) / root;
    // Where the rate is large, the series says nothing, and its first terms are the safer beginning.
    if guess * count < 1.0 { better } else { guess }
}

/// Payments of one size but for the first and the last.
struct Level {
    /// How many.
    count: u32,
    /// All of them.
    total: i64,
    /// The size of those between the first and the last.
    each: f64,
    /// What the first is more than that.
    first: f64,
    /// What the last is more than that.
    last: f64,
    /// Whether all but the first and the last are really of one size.
    is_level: bool,
}

impl Level {
    /// Looks at payments; none if there are none.
    fn of(mut paid: impl Iterator<Item = Amount>) -> Option<Level> {
        let first = paid.next()?.minor();
        let (mut count, mut is_level) = (1u32, true);
        let (mut each, mut last, mut total) = (first, first, first);
        for payment in paid {
            count = count.saturating_add(1);
            if count == 2 {
                each = payment.minor();
            } else {
                is_level &= last == each;
            }
            last = payment.minor();
            total = total.saturating_add(last);
        }
        Some(Level {
            count,
            total,
            each: each as f64,
            first: first as f64 - each as f64,
            last: if count > 2 { last as f64 - each as f64 } else { 0.0 },
            is_level,
        })
    }

    /// What the payments are worth less what was received, and the slope of it by the rate.
    ///
    /// Their sum is doubled: 2k payments are worth what k are, and that again k months later. So nothing is subtracted,
    /// and no digits are lost however small the rate is.
    fn value(&self, received: f64, rate: f64) -> (f64, f64) {
        let factor = 1.0 / (1.0 + rate);
        // With v the factor: v + v² + … + vᵏ and vᵏ, each with its slope by v.
        let (mut sum, mut slope_sum, mut power, mut slope_power) = (factor, 1.0, factor, 1.0);
        let bits = 32u32.saturating_sub(self.count.leading_zeros());
        for bit in (0..bits.saturating_sub(1)).rev() {
            slope_sum += slope_sum * power + sum * slope_power;
            sum += sum * power;
            slope_power *= 2.0 * power;
            power *= power;
            if self.count.wrapping_shr(bit) & 1 == 1 {
                slope_power = slope_power * factor + power;
                power *= factor;
                slope_sum += slope_power;
                sum += power;
            }
        }
        let worth = self.first * factor + self.last * power + self.each * sum;
        let slope = self.first + self.last * slope_power + self.each * slope_sum;
        (worth - received, -factor * factor * slope)
    }
}

/// The same for payments of any size, month by month.
fn horner_value(received: f64, paid: impl DoubleEndedIterator<Item = Amount>, rate: f64) -> (f64, f64) {
    let factor = 1.0 / (1.0 + rate);
    // With v = 1 ÷ (1 + rate), the payments are worth v × q(v), whose slope by the rate is −v² × (q + v × q′).
    let (mut q, mut slope_q) = (0.0, 0.0);
    for payment in paid.rev() {
        slope_q = slope_q * factor + q;
        q = q * factor + payment.minor() as f64;
    }
    (factor * q - received, -factor * factor * (q + factor * slope_q))
}

/// The largest step of Newton's method that is the last.
///
/// What is left after a step s is at most (n+1)/2 × s², since no payment is later than n: for the 60 of the longest plan,
/// 8 × 10⁻¹⁴.
const LAST_STEP: f64 = 5e-8;

/// Newton's method, kept in a bracket.
fn newton(value: impl Fn(f64) -> (f64, f64), guess: f64) -> Result<f64, NoRate> {
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut rate = guess;
    for _ in 0..400 {
        let (over, slope) = value(rate);
        if over > 0.0 {
            low = rate;
        } else {
            high = rate;
        }
        let next = rate - over / slope;
        if next >= low && next <= high {
            if libm::fabs(next - rate) <= LAST_STEP {
                return Ok(next);
            }
            rate = next;
        } else if high.is_finite() {
            rate = f64::midpoint(low, high);
        } else {
            rate = rate * 2.0 + 1e-6;
        }
        if rate > 100_000.0 || rate.is_nan() {
            return Err(NoRate::NoRoot);
        }
    }
    Err(NoRate::NoRoot)
}

/// A figure as a rate, rounded once to parts per billion.
fn rate(figure: f64) -> Result<Rate, NoRate> {
    let ppb = libm::round(figure * 1e9);
    if ppb.is_finite() && libm::fabs(ppb) < 9e18 {
        Ok(Rate::from_ppb(ppb as i64))
    } else {
        Err(NoRate::NoRoot)
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test fails the test"
)]
mod tests {
    use super::*;
    use crate::wide::Wide;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;
    use core::cmp::Ordering;

    fn amounts(minor: &[i64]) -> Vec<Amount> {
        minor.iter().copied().map(Amount::from_minor).collect()
    }

    /// A flat fee as a total share, in 10⁻⁹, without rounding to minor units: the principal is large.
    fn flat(count: i64, total_ppb: i64) -> AnnualRates {
        let principal = 1_000_000_000_000;
        let each = (principal + total_ppb * 1_000) / count;
        of_instalments(
            Amount::from_minor(principal),
            &vec![Amount::from_minor(each); usize::try_from(count).unwrap()],
        )
        .unwrap()
    }

    fn percent(rate: Rate, digits: u8) -> String {
        let unit = 10i64.pow(u32::from(7 - digits));
        crate::money::point((rate.ppb() + unit / 2) / unit, digits)
    }

    #[test]
    fn the_central_banks_example_comes_out_to_the_digit() {
        let rates =
            of_instalments(Amount::from_minor(9_900_000), &[Amount::from_minor(883_330); 12]).unwrap();
        assert_eq!(percent(rates.simple, 2), "12.80");
        assert_eq!(percent(rates.compound, 2), "13.58");
    }

    #[test]
    fn published_fee_tables_come_out_to_the_digit() {
        for (count, fee, simple, compound) in [
            (3, 22_200_000, "13.27", "14.11"),
            (6, 39_000_000, "13.25", "14.09"),
            (12, 72_000_000, "13.03", "13.84"),
        ] {
            let rates = flat(count, fee);
            assert_eq!(percent(rates.simple, 2), simple, "{count} instalments");
            assert_eq!(percent(rates.compound, 2), compound, "{count} instalments");
        }
        assert_eq!(percent(flat(12, 75_000_000).simple, 1), "13.6");
        // A fee taken once stands with the first instalment.
        let mut paid = vec![Amount::from_minor(333_333_333_333); 3];
        paid[0] = Amount::from_minor(348_333_333_333);
        let once = of_instalments(Amount::from_minor(1_000_000_000_000), &paid).unwrap();
        assert_eq!(percent(once.simple, 2), "9.05");
    }

    #[test]
    fn the_largest_flat_fees_under_a_cap_of_24_percent() {
        let table = [
            (3, "4.026", "3.639"),
            (6, "7.115", "6.425"),
            (12, "13.472", "12.143"),
            (24, "26.891", "24.158"),
        ];
        for (count, by_simple, by_compound) in table {
            let largest = |reading: fn(AnnualRates) -> Rate| {
                let (mut low, mut high) = (0i64, 1_000_000_000);
                while high - low > 1_000 {
                    let middle = (low + high) / 2;
                    if reading(flat(count, middle)) <= Rate::from_bps(2_400) {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                percent(Rate::from_ppb(low), 3)
            };
            assert_eq!(largest(|r| r.simple), by_simple, "{count}");
            assert_eq!(largest(|r| r.compound), by_compound, "{count}");
        }
    }

    #[test]
    fn what_costs_nothing_has_no_rate_and_what_pays_less_is_refused() {
        let hundred = Amount::from_minor(10_000);
        assert_eq!(
            of_instalments(hundred, &amounts(&[3_334, 3_333, 3_333])),
            Ok(AnnualRates::default())
        );
        assert_eq!(of_instalments(hundred, &amounts(&[9_999])), Err(NoRate::PaysLess));
        assert_eq!(of_instalments(hundred, &[]), Err(NoRate::OneSided));
        assert_eq!(
            of_instalments(Amount::ZERO, &amounts(&[1])),
            Err(NoRate::OneSided)
        );
        assert!(NoRate::NoRoot.to_string().contains("10,000,000"));
    }

    #[test]
    fn an_extreme_rate_neither_stalls_nor_overflows() {
        // A flat 20 % a month over 12 months is 1,606.98 % effective.
        let rates = flat(12, 2_400_000_000);
        assert_eq!(percent(rates.compound, 2), "1606.98");
        let month = of_instalments(Amount::from_minor(20_000), &amounts(&[35_000])).unwrap();
        assert_eq!(percent(month.simple, 0), "900");
        assert!(of_instalments(Amount::from_minor(1), &amounts(&[crate::money::AMOUNT_MAX])).is_err());
    }

    /// Σ payments × wholeⁿ⁻ᵏ… against received, at the monthly rate `trillionths` × 10⁻¹², in whole numbers.
    fn worth(received: u64, paid: &[Amount], trillionths: u64) -> Ordering {
        let whole = 1_000_000_000_000u64;
        // Σ p_k × d^k × N^(n−k) against received × N^n, with N = whole + rate and d = whole.
        let (mut left, mut scale, mut right) = (Wide::new(0), Wide::new(1), Wide::new(received));
        for payment in paid {
            scale.times(whole).unwrap();
            left.times(whole + trillionths).unwrap();
            right.times(whole + trillionths).unwrap();
            let mut part = scale.clone();
            part.times(payment.minor().try_into().unwrap()).unwrap();
            left.plus(&part).unwrap();
        }
        left.compare(&right)
    }

    #[test]
    fn the_root_lies_within_a_trillionth_of_the_exact_one() {
        let mut state = 11u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33).checked_rem(below).unwrap()
        };
        for round in 0..1_000 {
            let count = 1 + next(60);
            let received = 10_000 + next(10_000_000);
            let each = received / count + 2 + next(received / count / 4 + 2);
            let mut paid =
                vec![Amount::from_minor(each.try_into().unwrap()); usize::try_from(count).unwrap()];
            if round % 5 == 1 || round % 5 == 4 {
                paid[0] = Amount::from_minor((each + next(1_000)).try_into().unwrap());
            }
            if round % 5 == 3 || round % 5 == 4 {
                *paid.last_mut().unwrap() = Amount::from_minor((each + next(1_000)).try_into().unwrap());
            }
            if round % 5 == 2 {
                for payment in &mut paid {
                    *payment = Amount::from_minor((each + next(each)).try_into().unwrap());
                }
            }
            let level = Level::of(paid.iter().copied()).unwrap();
            assert!(level.is_level || round % 5 == 2);
            let root = monthly_root(received as f64, &level, paid.iter().copied()).unwrap();
            let trillionths = (root * 1e12).round_ties_even() as u64;
            let below = trillionths.saturating_sub(1);
            assert_ne!(
                worth(received, &paid, below),
                Ordering::Less,
                "{received} {paid:?}"
            );
            assert_ne!(
                worth(received, &paid, trillionths + 1),
                Ordering::Greater,
                "{received} {paid:?}"
            );
        }
    }
}
