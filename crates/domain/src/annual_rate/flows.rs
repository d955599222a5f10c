//! The rate of flows at any time, in whatever order money goes to and fro.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::NoRate;
use crate::fraction::Fraction;
use crate::unit_period::Elapsed;

/// One flow of money, placed in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// In any unit that all flows share: received by the borrower if positive, paid if negative.
    amount: i128,
    /// Units of time over which interest is compounded.
    compounded: f64,
    /// The part of one unit over which it is simple.
    simple: f64,
}

impl Flow {
    /// A flow so long after the beginning.
    pub fn after(amount: i128, time: Fraction) -> Flow {
        Flow {
            amount,
            compounded: float(time),
            simple: 0.0,
        }
    }

    /// A flow so long before the beginning.
    pub fn before(amount: i128, time: Fraction) -> Flow {
        Flow {
            amount,
            compounded: -float(time),
            simple: 0.0,
        }
    }

    /// A flow after whole unit-periods and a fraction, over which interest is simple.
    pub fn after_unit_periods(amount: i128, time: Elapsed) -> Flow {
        Flow {
            amount,
            compounded: time.whole as f64,
            simple: float(time.fraction),
        }
    }
}

/// The first step from zero.
const FIRST_STEP: f64 = 1e-6;

/// How the search goes away from zero.
#[derive(Clone, Copy)]
struct Search {
    /// How much longer each step is than the one before.
    stride: f64,
    /// The highest rate that is looked for.
    most: f64,
}

/// Where there can be one root only, no step passes over it. A loan of a day at a half of itself is 10⁶⁴ a year.
const ONE_ROOT: Search = Search {
    stride: 4.0,
    most: 1e100,
};

/// Where there may be several, two that are as close together as a step is long may be passed over.
const SEVERAL_ROOTS: Search = Search {
    stride: 1.02,
    most: 1e12,
};

/// The rate per unit of time at which the flows are worth the same (内部收益率).
///
/// Flows that change direction once (a loan, an investment) have one rate at most. Others may have several: two of zero or
/// more are refused, unless the further one is above 1,000 % a unit of time, as it is where a small charge is paid before
/// the money comes (2008/48/EC, example 43) and nobody would take it for the price. Where all are below zero, the one
/// nearest to it counts. It is found to the last bits of a float; steps and halvings are bounded, whatever the flows.
///
/// # Errors
/// [`NoRate::OneSided`] if money does not flow both ways, [`NoRate::Every`] if what is received is paid at the same times,
/// [`NoRate::TooLarge`] if a loan's rate lies beyond what is looked for, [`NoRate::Unequal`] if no rate solves it, and
/// [`NoRate::Several`] if more than one of zero or more does.
pub fn internal_rate(flows: &[Flow]) -> Result<f64, NoRate> {
    let both = flows.iter().any(|f| f.amount > 0) && flows.iter().any(|f| f.amount < 0);
    if !both {
        return Err(NoRate::OneSided);
    }
    // In whole numbers, so that what costs nothing at all costs nothing.
    let left_over = flows.iter().try_fold(0i128, |sum, f| sum.checked_add(f.amount));
    let left_over = left_over.ok_or(NoRate::Unequal)?.signum();
    let flows = Ordered::new(flows);
    let turns = flows.turns();
    if turns == 0 {
        return Err(NoRate::Every);
    }
    if left_over == 0 {
        return if turns > 1 && flows.has_another(flows.sign_at(FIRST_STEP), 0.0) {
            Err(NoRate::Several)
        } else {
            Ok(0.0)
        };
    }
    let search = if turns > 1 { SEVERAL_ROOTS } else { ONE_ROOT };
    let upwards = |step: f64| step;
    // As 1 + step is what one becomes above zero, 1 ÷ (1 + step) is what one becomes below it.
    let downwards = |step: f64| -step / (1.0 + step);
    match flows.nearest_root(left_over, upwards, FIRST_STEP, search) {
        Some(rate) if turns > 1 && flows.has_another(left_over.saturating_neg(), rate) => {
            Err(NoRate::Several)
        }
        Some(rate) => Ok(rate),
        // The dearer the rate, the more the first flow weighs alone: what is left over at zero turns its sign once.
        None if turns == 1 && flows.first_sign() != left_over => Err(NoRate::TooLarge),
        None => {
            let below = flows.nearest_root(left_over, downwards, FIRST_STEP, search);
            below.map(downwards).ok_or(NoRate::Unequal)
        }
    }
}

/// Flows in the order of time.
struct Ordered {
    flows: Vec<Flow>,
    first: f64,
    last: f64,
}

impl Ordered {
    fn new(flows: &[Flow]) -> Ordered {
        let time = |flow: &Flow| flow.compounded + flow.simple;
        let mut flows = flows.to_vec();
        flows.sort_by(|a, b| time(a).total_cmp(&time(b)));
        Ordered {
            first: flows.first().map_or(0.0, |flow| flow.compounded),
            last: flows.last().map_or(0.0, |flow| flow.compounded),
            flows,
        }
    }

    /// In which direction money flows, time by time; what happens at one time is one flow.
    fn signs(&self) -> impl Iterator<Item = i128> {
        let same = |a: &Flow, b: &Flow| a.compounded == b.compounded && a.simple == b.simple;
        let sums = self.flows.chunk_by(same);
        sums.map(|group| {
            let sum = group.iter().fold(0i128, |sum, f| sum.saturating_add(f.amount));
            sum.signum()
        })
        .filter(|sign| *sign != 0)
    }

    /// How often the flows change direction.
    fn turns(&self) -> usize {
        self.signs()
            .zip(self.signs().skip(1))
            .filter(|(before, after)| before != after)
            .count()
    }

    /// The direction of the first flow.
    fn first_sign(&self) -> i128 {
        self.signs().next().unwrap_or(0)
    }

    /// The sign of what the flows are worth together at a rate.
    fn sign_at(&self, rate: f64) -> i128 {
        if self.value(rate) < 0.0 { -1 } else { 1 }
    }

    /// What the flows are worth together, seen from the time at which none of them weighs more than itself.
    fn value(&self, rate: f64) -> f64 {
        let growth = libm::log1p(rate);
        let seen_from = if rate < 0.0 { self.last } else { self.first };
        self.flows
            .iter()
            .map(|flow| {
                let weight = libm::exp((seen_from - flow.compounded) * growth);
                flow.amount as f64 * weight / (1.0 + flow.simple * rate)
            })
            .sum()
    }

    /// Whether the value changes its sign again within 1,000 % a unit of time after a root, beyond which it has this sign.
    fn has_another(&self, sign: i128, root: f64) -> bool {
        let search = Search {
            stride: SEVERAL_ROOTS.stride,
            most: 10.0,
        };
        // A root that only touches zero is not passed by this.
        let begin = root * (1.0 + 1e-6) + FIRST_STEP;
        self.nearest_root(sign, |step| step, begin, search).is_some()
    }

    /// Goes on from a step in growing ones until the value changes its sign, and halves the last until nothing lies between.
    fn nearest_root(
        &self,
        sign: i128,
        rate_of: impl Fn(f64) -> f64,
        begin: f64,
        search: Search,
    ) -> Option<f64> {
        let is_beyond = |step: f64| self.value(rate_of(step)) * sign as f64 <= 0.0;
        let (mut low, mut high) = (0.0, begin);
        while !is_beyond(high) {
            low = high;
            high *= search.stride;
            if high > search.most {
                return None;
            }
        }
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if is_beyond(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(f64::midpoint(low, high))
    }
}

/// A fraction as a float.
fn float(fraction: Fraction) -> f64 {
    fraction.numerator() as f64 / fraction.denominator() as f64
}

/// A rate per unit-period as the annual one that the United States print: times the unit-periods of a year.
pub fn nominal(rate: f64, per_year: Fraction) -> f64 {
    rate * float(per_year)
}

/// Significant digits of a percentage that are so: those of a float, less what its root and the product by 100 may lose.
const DIGITS: usize = 14;

/// A rate as a percentage with ten digits after the point, rounded once. What is 10,000 % or more has fourteen digits that
/// are so, and zeros after them.
pub fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    if libm::fabs(percent) >= 1e4 {
        return rounded(percent);
    }
    let text = alloc::format!("{percent:.10}");
    // What is nothing in ten digits has no sign.
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|b| matches!(b, b'0' | b'.')) => digits.to_string(),
        _ => text,
    }
}

/// A figure of [`DIGITS`] significant digits, written out with ten digits after the point.
fn rounded(figure: f64) -> String {
    let text = alloc::format!("{figure:.*e}", DIGITS.saturating_sub(1));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |digits| ("-", digits));
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let whole = exponent.parse().unwrap_or(0usize).saturating_add(1);
    while digits.len() < whole.saturating_add(10) {
        digits.push('0');
    }
    let (whole, part) = digits.split_at_checked(whole).unwrap_or((&digits, ""));
    let part: String = part.chars().take(10).collect();
    alloc::format!("{sign}{whole}.{part}")
}
