//! Why an agreed schedule comes to what it does: one component of one row, with the numbers that
//! [`schedule`](fn@crate::schedule::schedule) took.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::DayCount;
use crate::explain::trace::Lent;
use crate::explain::{Explanation, Factor, How, Name};
use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::{Component, FeeTiming, Instalment, Pricing, Terms};

/// A schedule of an amount that was lent, without the seller's share and with it.
pub(super) struct Planned<'a> {
    terms: &'a Terms,
    lent: &'a Lent,
    whole: Vec<Instalment>,
    shown: Vec<Instalment>,
}

impl<'a> Planned<'a> {
    /// Reckons the schedule as the fold did.
    pub(super) fn new(terms: &'a Terms, lent: &'a Lent) -> Result<Planned<'a>, OutOfRange> {
        let schedule = |borne| {
            crate::schedule::schedule(
                &terms.pricing,
                lent.amount,
                &lent.dates,
                lent.from,
                borne,
                &terms.conventions,
            )
        };
        Ok(Planned {
            terms,
            lent,
            whole: schedule(Rate::ZERO)?,
            shown: schedule(terms.borne_by_seller)?,
        })
    }

    /// Why a component of the row at a place is what it is; nothing for penalties, which no schedule has.
    pub(super) fn component(
        &self,
        place: usize,
        component: Component,
    ) -> Result<Option<Explanation>, OutOfRange> {
        match component {
            Component::Principal => self.principal(place).map(Some),
            Component::Interest | Component::Fee => self.cost(place, component).map(Some),
            Component::Penalty => Ok(None),
        }
    }

    /// What was lent.
    fn amount(&self) -> Explanation {
        Explanation::given(Name::Lent { on: self.lent.on }, self.lent.amount)
    }

    /// What the row at a place came to by a schedule.
    fn row(rows: &[Instalment], place: usize) -> Result<&Instalment, OutOfRange> {
        rows.get(place).ok_or(OutOfRange("a row"))
    }

    /// What was outstanding before the row at a place.
    fn balance(&self, place: usize) -> Result<Explanation, OutOfRange> {
        let before = Amount::sum(self.whole.iter().take(place).map(|r| r.principal))?;
        let before = Explanation::given(Name::EarlierPrincipal, before);
        let (from, until) = self.period(place)?;
        Explanation::sum(Name::Balance { from, until }, vec![self.amount()], vec![before])
    }

    /// The period of the row at a place.
    fn period(&self, place: usize) -> Result<(Date, Date), OutOfRange> {
        let error = OutOfRange("a row");
        let until = *self.lent.dates.get(place).ok_or(error)?;
        let before = place.checked_sub(1).and_then(|p| self.lent.dates.get(p));
        Ok((before.copied().unwrap_or(self.lent.from), until))
    }

    /// An equal part of an amount.
    fn part(&self, name: Name, of: Explanation, place: usize) -> Result<Explanation, OutOfRange> {
        let how = How::Part {
            of: Box::new(of),
            count: u16::try_from(self.lent.dates.len()).map_err(|_| OutOfRange("rows"))?,
            number: number(place)?,
            remainder: self.terms.conventions.remainder,
        };
        Explanation::of(name, how)
    }

    /// Principal of the row at a place.
    fn principal(&self, place: usize) -> Result<Explanation, OutOfRange> {
        let (annual, day_count) = match self.terms.pricing {
            Pricing::Annuity { annual, day_count } if annual > Rate::ZERO => (annual, day_count),
            Pricing::Balloon {
                annual, day_count, ..
            }
            | Pricing::Graduated {
                annual, day_count, ..
            } => (annual, day_count),
            _ => return self.part(Name::EqualPart, self.amount(), place),
        };
        let balance = self.balance(place)?;
        if place.saturating_add(1) == self.lent.dates.len() {
            return Explanation::sum(Name::Rest, vec![balance], Vec::new());
        }
        let component = Component::Principal;
        let payment = match self.terms.pricing {
            Pricing::Annuity { .. } => self.level(annual, day_count)?,
            _ => self.stepped(place, annual, day_count)?,
        };
        let interest = self.interest(place, annual, day_count)?;
        Explanation::sum(Name::Charged { component }, vec![payment], vec![interest])?
            .or_zero()?
            .at_most(balance)
    }

    /// The days of each period.
    fn days(&self, day_count: DayCount) -> Result<Vec<i64>, OutOfRange> {
        let places = 0..self.lent.dates.len();
        let days = places.map(|place| {
            let (from, until) = self.period(place)?;
            Ok(day_count.period(from, until).days)
        });
        days.collect()
    }

    /// The level payment.
    fn level(&self, annual: Rate, day_count: DayCount) -> Result<Explanation, OutOfRange> {
        let how = How::Level {
            of: Box::new(self.amount()),
            annual,
            days: self.days(day_count)?,
            year_days: day_count.year_days(),
            rounding: self.terms.conventions.rounding,
        };
        Explanation::of(Name::Level, how)
    }

    /// The payment of the row at a place where payments grow by steps or leave something for the last.
    fn stepped(&self, place: usize, annual: Rate, day_count: DayCount) -> Result<Explanation, OutOfRange> {
        let rounding = self.terms.conventions.rounding;
        let steps = crate::schedule::steps(&self.terms.pricing, self.lent.amount, rounding)?;
        let left = match self.terms.pricing {
            Pricing::Balloon { left, .. } => {
                let share = vec![Factor::Rate { rate: left }];
                Explanation::product(Name::LeftForLast, self.amount(), share, rounding)?
            }
            _ => Explanation::given(Name::Nothing, Amount::ZERO),
        };
        let how = How::Stepped {
            of: Box::new(self.amount()),
            left: Box::new(left),
            growth: steps.growth,
            every: steps.every,
            annual,
            days: self.days(day_count)?,
            year_days: day_count.year_days(),
            rounding,
        };
        let is_growing = steps.growth > Rate::ZERO;
        let name = if is_growing {
            Name::Step { number: 1 }
        } else {
            Name::Level
        };
        let mut payment = Explanation::of(name, how)?;
        let places = 1..=place;
        for number in (2u16..).take(places.filter(|place| steps.is_step(*place)).count()) {
            let factor = vec![Factor::Rate {
                rate: steps.factor()?,
            }];
            payment = Explanation::product(Name::Step { number }, payment, factor, rounding)?;
        }
        Ok(payment)
    }

    /// Interest of the row at a place, whoever bears it.
    fn interest(&self, place: usize, annual: Rate, day_count: DayCount) -> Result<Explanation, OutOfRange> {
        let (from, until) = self.period(place)?;
        let period = day_count.period(from, until);
        let factors = vec![
            Factor::Rate { rate: annual },
            Factor::Days {
                days: period.days,
                of: period.year_days,
            },
        ];
        let rounding = self.terms.conventions.rounding;
        Explanation::product(
            Name::Interest { from, until },
            self.balance(place)?,
            factors,
            rounding,
        )
    }

    /// Interest or fee of the row at a place: what it costs, less what the seller bears of it.
    fn cost(&self, place: usize, component: Component) -> Result<Explanation, OutOfRange> {
        let cost = match (self.terms.pricing.interest(), component) {
            (Some((annual, day_count)), Component::Interest) => self.interest(place, annual, day_count)?,
            (None, Component::Fee) => self.fee(place)?,
            _ => return Ok(Explanation::given(Name::Nothing, Amount::ZERO)),
        };
        let borne = Self::row(&self.shown, place)?.subsidy;
        if borne.is_zero() {
            return Ok(cost);
        }
        let subsidy = self.subsidy(place, &cost)?;
        Explanation::sum(Name::Charged { component }, vec![cost], vec![subsidy])
    }

    /// The fee of the row at a place, whoever bears it.
    fn fee(&self, place: usize) -> Result<Explanation, OutOfRange> {
        let Pricing::FlatFee {
            total_rate,
            timing,
            fee_rounding,
        } = self.terms.pricing
        else {
            return Ok(Explanation::given(Name::Nothing, Amount::ZERO));
        };
        let factors = vec![Factor::Rate { rate: total_rate }];
        let whole = Explanation::product(Name::WholeFee, self.amount(), factors, fee_rounding)?;
        match timing {
            FeeTiming::EveryPeriod => self.part(Name::EqualPart, whole, place),
            FeeTiming::WithFirst if place == 0 => Ok(whole),
            FeeTiming::WithFirst => Ok(Explanation::given(Name::Nothing, Amount::ZERO)),
        }
    }

    /// What the seller bears of the row at a place.
    fn subsidy(&self, place: usize, cost: &Explanation) -> Result<Explanation, OutOfRange> {
        let share = self.terms.borne_by_seller;
        if share == Rate::ONE {
            return Explanation::sum(Name::Subsidy, vec![cost.clone()], Vec::new());
        }
        let mut weights = Vec::with_capacity(self.whole.len());
        for row in &self.whole {
            weights.push(row.interest.plus(row.fee)?);
        }
        let all = Explanation::given(Name::WholeCost, Amount::sum(weights.iter().copied())?);
        let factors = vec![Factor::Rate { rate: share }];
        let rounding = self.terms.conventions.rounding;
        let how = How::Weighted {
            of: Box::new(Explanation::product(Name::WholeSubsidy, all, factors, rounding)?),
            weights,
            number: number(place)?,
        };
        Explanation::of(Name::Subsidy, how)
    }
}

/// The number of the row at a place.
fn number(place: usize) -> Result<u16, OutOfRange> {
    u16::try_from(place.saturating_add(1)).map_err(|_| OutOfRange("the number of instalments"))
}
