//! Why a figure is what it is (为什么是这个数): a figure as a tree of named terms and operations, down to what was agreed and
//! what happened.
//!
//! The fold tells what it does while it does it (`trace`), and the rules tell which numbers they took; here both are
//! put together. Every node keeps its value, and every value can be reckoned again from the leaves below it
//! ([`Explanation::recompute`]). [`explain`] refuses an explanation whose value is not the figure of the fold.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::calendar::YearPart;
use crate::loan::factor::to_multiple;
use crate::money::{Amount, OutOfRange, Rate, Remainder, Rounding, divide};
use crate::steps::Steps;

mod ask;
mod name;
mod payoff;
mod planned;
mod rows;
pub(crate) mod trace;

pub use ask::{Question, explain};
pub use name::{Cause, Name};

/// A figure with its reason (一个数及其来由).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What it is called.
    pub name: Name,
    /// What it comes to.
    pub value: Amount,
    /// Where it comes from.
    pub how: How,
}

/// Where a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum How {
    /// It was agreed, or it happened.
    Given,
    /// Some figures, added or taken away.
    Sum {
        /// Each with its sign.
        terms: Vec<Term>,
    },
    /// Products of figures with rates, days and shares, added up exactly and rounded once.
    Rounded {
        /// What is added up.
        products: Vec<Product>,
        /// How it becomes whole minor units.
        rounding: Rounding,
    },
    /// One part of an equal division ([`Amount::parts`]).
    Part {
        /// What is divided.
        of: Box<Explanation>,
        /// Into how many parts.
        count: u16,
        /// Which of them it is, from 1.
        number: u16,
        /// Who takes what the division leaves.
        remainder: Remainder,
    },
    /// One part of a division by weights ([`Amount::by_weights`]).
    Weighted {
        /// What is divided.
        of: Box<Explanation>,
        /// By what.
        weights: Vec<Amount>,
        /// Whose part it is, from 1.
        number: u16,
    },
    /// The level payment that repays an amount ([`crate::schedule::level_payment`]).
    Level {
        /// What it repays.
        of: Box<Explanation>,
        /// The annual rate.
        annual: Rate,
        /// The days of each period, and the days of their year.
        days: Vec<i64>,
        /// See `days`.
        year_days: i64,
        /// How it becomes whole minor units.
        rounding: Rounding,
    },
    /// The first of payments that repay an amount, leave something for the end and may grow by steps
    /// ([`crate::plan::Pricing::Balloon`], [`crate::plan::Pricing::Graduated`]).
    Stepped {
        /// What they repay.
        of: Box<Explanation>,
        /// What is left for the end.
        left: Box<Explanation>,
        /// By how much a payment grows at each step.
        growth: Rate,
        /// After how many payments each step comes.
        every: u16,
        /// The annual rate.
        annual: Rate,
        /// The days of each period, and the days of their year.
        days: Vec<i64>,
        /// See `days`.
        year_days: i64,
        /// How it becomes whole minor units.
        rounding: Rounding,
    },
    /// A figure as a multiple, half to even.
    Multiple {
        /// Which figure.
        of: Box<Explanation>,
        /// Of what.
        multiple: Amount,
    },
    /// The least of some figures.
    Least {
        /// Which.
        of: Vec<Explanation>,
    },
    /// The greatest of some figures.
    Greatest {
        /// Which.
        of: Vec<Explanation>,
    },
}

/// One figure of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Whether it is taken away.
    pub minus: bool,
    /// The figure.
    pub of: Explanation,
}

/// A figure times some factors, exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The figure.
    pub of: Explanation,
    /// What it is multiplied by.
    pub factors: Vec<Factor>,
}

/// A number without a unit (系数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "factor")]
pub enum Factor {
    /// A rate.
    Rate {
        /// Which.
        rate: Rate,
    },
    /// So many days of a year, or of a period.
    Days {
        /// The days.
        days: i64,
        /// Of how many.
        of: i64,
    },
    /// So many parts of a whole.
    Share {
        /// The parts.
        part: i64,
        /// The whole.
        whole: i64,
    },
    /// A rate for a part of a year, kept with twelve decimals, half to even.
    Decimal {
        /// The rate.
        rate: Rate,
        /// The part of the year: the number above.
        part: i64,
        /// The number below.
        whole: i64,
    },
}

impl Explanation {
    /// A figure that is not explained further.
    pub(crate) const fn given(name: Name, value: Amount) -> Explanation {
        Explanation {
            name,
            value,
            how: How::Given,
        }
    }

    /// A figure that follows from others.
    pub(crate) fn of(name: Name, how: How) -> Result<Explanation, OutOfRange> {
        let value = how.value(Amount::ZERO, kept)?;
        Ok(Explanation { name, value, how })
    }

    /// The sum of what is added less what is taken away, without those that are nothing; where all are, those that have a
    /// reason to be.
    pub(crate) fn sum(
        name: Name,
        plus: Vec<Explanation>,
        minus: Vec<Explanation>,
    ) -> Result<Explanation, OutOfRange> {
        let plus = plus.into_iter().map(|of| Term { minus: false, of });
        let minus = minus.into_iter().map(|of| Term { minus: true, of });
        let mut terms: Vec<Term> = plus.chain(minus).collect();
        if terms.iter().any(|t| !t.of.value.is_zero()) {
            terms.retain(|t| !t.of.value.is_zero());
        } else {
            terms.retain(|t| !t.of.how.below().is_empty());
        }
        Explanation::of(name, How::Sum { terms })
    }

    /// A figure times factors, rounded once.
    pub(crate) fn product(
        name: Name,
        of: Explanation,
        factors: Vec<Factor>,
        rounding: Rounding,
    ) -> Result<Explanation, OutOfRange> {
        let products = [Product { of, factors }].into();
        Explanation::of(name, How::Rounded { products, rounding })
    }

    /// The figure, or zero if it is negative.
    pub(crate) fn or_zero(self) -> Result<Explanation, OutOfRange> {
        if !self.value.is_negative() {
            return Ok(self);
        }
        let name = self.name.clone();
        let zero = Explanation::given(Name::Nothing, Amount::ZERO);
        let of = [self, zero].into();
        Explanation::of(name, How::Greatest { of })
    }

    /// The lesser of two figures; the first stands for itself if it is that.
    pub(crate) fn at_most(self, other: Explanation) -> Result<Explanation, OutOfRange> {
        if self.value <= other.value {
            return Ok(self);
        }
        let name = self.name.clone();
        let of = [self, other].into();
        Explanation::of(name, How::Least { of })
    }

    /// The figure reckoned again from the leaves.
    ///
    /// # Errors
    /// [`OutOfRange`] for a tree that no fold made.
    pub fn recompute(&self) -> Result<Amount, OutOfRange> {
        self.how.value(self.value, Explanation::recompute)
    }

    /// Every figure in it, this one first.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Explanation)) {
        see(self);
        for below in self.how.below() {
            below.walk(see);
        }
    }
}

/// The value that a figure keeps.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands where a value may also be reckoned again"
)]
const fn kept(explanation: &Explanation) -> Result<Amount, OutOfRange> {
    Ok(explanation.value)
}

impl How {
    /// The figures that it is made of.
    pub fn below(&self) -> Vec<&Explanation> {
        match self {
            How::Given => Vec::new(),
            How::Sum { terms } => terms.iter().map(|t| &t.of).collect(),
            How::Rounded { products, .. } => products.iter().map(|p| &p.of).collect(),
            How::Part { of, .. }
            | How::Weighted { of, .. }
            | How::Level { of, .. }
            | How::Multiple { of, .. } => [&**of].into(),
            How::Stepped { of, left, .. } => [&**of, &**left].into(),
            How::Least { of } | How::Greatest { of } => of.iter().collect(),
        }
    }

    /// What it comes to, with the values of the figures below as `value` says.
    fn value(
        &self,
        given: Amount,
        value: fn(&Explanation) -> Result<Amount, OutOfRange>,
    ) -> Result<Amount, OutOfRange> {
        match self {
            How::Given => Ok(given),
            How::Sum { terms } => terms.iter().try_fold(Amount::ZERO, |sum, term| {
                let amount = value(&term.of)?;
                if term.minus {
                    sum.minus(amount)
                } else {
                    sum.plus(amount)
                }
            }),
            How::Rounded { products, rounding } => {
                let (numerator, denominator) = exact(products, value)?;
                divide(numerator, denominator, *rounding).map(Amount::from_minor)
            }
            How::Part {
                of,
                count,
                number,
                remainder,
            } => {
                let place = usize::from(*number).saturating_sub(1);
                let mut parts = value(of)?.parts(*count, *remainder);
                parts.nth(place).ok_or(OutOfRange("a part"))
            }
            How::Weighted { of, weights, number } => {
                let place = usize::from(*number).saturating_sub(1);
                let parts = value(of)?.by_weights(weights)?;
                parts.get(place).copied().ok_or(OutOfRange("a part"))
            }
            How::Level {
                of,
                annual,
                days,
                year_days,
                rounding,
            } => {
                let periods = periods(days, *year_days);
                crate::schedule::level_payment(value(of)?, *annual, &periods, *rounding)
            }
            How::Stepped {
                of,
                left,
                growth,
                every,
                annual,
                days,
                year_days,
                rounding,
            } => {
                let (periods, left) = (periods(days, *year_days), value(left)?);
                let (growth, every) = (*growth, *every);
                let steps = Steps { left, growth, every };
                crate::schedule::first_payment(value(of)?, *annual, &periods, &steps, *rounding)
            }
            How::Multiple { of, multiple } => to_multiple(value(of)?, *multiple),
            How::Least { of } => best(of, value, Amount::min),
            How::Greatest { of } => best(of, value, Amount::max),
        }
    }

    /// The figure before it was rounded, as an integer over another, of a product or a sum of them.
    pub fn unrounded(&self) -> Option<(i128, i128)> {
        match self {
            How::Rounded { products, .. } => exact(products, kept).ok(),
            _ => None,
        }
    }
}

/// Periods of so many days of a year.
fn periods(days: &[i64], year_days: i64) -> Vec<YearPart> {
    let period = |days: &i64| YearPart {
        days: *days,
        year_days,
    };
    days.iter().map(period).collect()
}

/// The first, or what `choose` prefers to it.
fn best(
    of: &[Explanation],
    value: fn(&Explanation) -> Result<Amount, OutOfRange>,
    choose: fn(Amount, Amount) -> Amount,
) -> Result<Amount, OutOfRange> {
    let mut best: Option<Amount> = None;
    for one in of {
        let amount = value(one)?;
        best = Some(best.map_or(amount, |best| choose(best, amount)));
    }
    best.ok_or(OutOfRange("a figure"))
}

/// The exact sum of products, as an integer over another.
fn exact(
    products: &[Product],
    value: fn(&Explanation) -> Result<Amount, OutOfRange>,
) -> Result<(i128, i128), OutOfRange> {
    let error = OutOfRange("a product");
    let (mut numerator, mut denominator) = (0i128, 1i128);
    for product in products {
        let (mut above, mut below) = (i128::from(value(&product.of)?.minor()), 1i128);
        for factor in &product.factors {
            let (part, whole) = factor.parts()?;
            above = above.checked_mul(part).ok_or(error)?;
            below = below.checked_mul(whole).ok_or(error)?;
        }
        if below != denominator {
            above = above.checked_mul(denominator).ok_or(error)?;
            numerator = numerator.checked_mul(below).ok_or(error)?;
            denominator = denominator.checked_mul(below).ok_or(error)?;
        }
        numerator = numerator.checked_add(above).ok_or(error)?;
    }
    Ok((numerator, denominator))
}

impl Factor {
    /// The factor as an integer over another.
    fn parts(self) -> Result<(i128, i128), OutOfRange> {
        let one = i128::from(Rate::ONE.ppb());
        Ok(match self {
            Factor::Rate { rate } => (i128::from(rate.ppb()), one),
            Factor::Days { days, of } => (i128::from(days), i128::from(of)),
            Factor::Share { part, whole } => (i128::from(part), i128::from(whole)),
            Factor::Decimal { .. } => (i128::from(self.decimal()?.unwrap_or(0)), DECIMALS),
        })
    }

    /// Of a rate that is kept with twelve decimals: how many 10⁻¹² it is.
    ///
    /// # Errors
    /// [`OutOfRange`] for a rate that no agreement has.
    pub fn decimal(self) -> Result<Option<i64>, OutOfRange> {
        let Factor::Decimal { rate, part, whole } = self else {
            return Ok(None);
        };
        let above = i128::from(rate.ppb())
            .checked_mul(1_000)
            .and_then(|r| r.checked_mul(i128::from(part)))
            .ok_or(OutOfRange("a factor"))?;
        divide(above, i128::from(whole), Rounding::HalfEven).map(Some)
    }
}

/// One, in factors that are kept with twelve decimals.
const DECIMALS: i128 = 1_000_000_000_000;
