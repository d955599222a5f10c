//! Why scheduled principal and interest come to what they do, with the numbers that [`reckon`](super::reckon) took.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use super::basis;
use crate::explain::trace::{Number, Trace};
use crate::explain::{Explanation, Factor, How, Name};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{Basis, Method, Servicing};

/// What was lent over the rows to come.
pub(super) struct Lent<'a> {
    /// What was agreed.
    pub servicing: &'a Servicing,
    /// The rate.
    pub annual: Rate,
    /// How much.
    pub amount: Amount,
    /// When.
    pub on: Date,
    /// The part of a year that each row's period is.
    pub parts: &'a [(i64, i64)],
    /// Principal and interest of each row.
    pub rows: &'a [(Amount, Amount)],
}

impl Lent<'_> {
    /// Tells of the row at a place why it owes more; `(from, until)` is its period.
    pub(super) fn tell(
        &self,
        trace: &mut Trace,
        place: usize,
        (mark, from, until): (u32, Date, Date),
    ) -> Result<(), OutOfRange> {
        let before = Amount::sum(self.rows.iter().take(place).map(|r| r.0))?;
        let balance = Explanation::sum(
            Name::Balance { from, until },
            vec![self.lent()],
            vec![Explanation::given(Name::EarlierPrincipal, before)],
        )?;
        let interest = self.interest(place, (from, until), &balance)?;
        let principal = self.principal(place, balance, interest.clone())?;
        trace.tell(mark, Component::Principal, Number::Charged, principal);
        trace.tell(mark, Component::Interest, Number::Charged, interest);
        Ok(())
    }

    /// The amount.
    fn lent(&self) -> Explanation {
        Explanation::given(Name::Lent { on: self.on }, self.amount)
    }

    /// The part of a year that the row at a place stands for.
    fn part(&self, place: usize) -> (i64, i64) {
        self.parts.get(place).copied().unwrap_or((0, 1))
    }

    /// Interest of the row at a place, with what rows before it did not take.
    fn interest(
        &self,
        place: usize,
        (from, until): (Date, Date),
        balance: &Explanation,
    ) -> Result<Explanation, OutOfRange> {
        let is_flat = self.servicing.method == Method::Flat;
        let (base, (part, whole)) = if is_flat {
            (self.lent(), self.part(0))
        } else {
            (balance.clone(), self.part(place))
        };
        let time = match basis(self.servicing.method) {
            Basis::Periods => Factor::Share { part, whole },
            Basis::Days => Factor::Days {
                days: part,
                of: whole,
            },
        };
        let factors = vec![Factor::Rate { rate: self.annual }, time];
        let own = Explanation::product(Name::Interest { from, until }, base, factors, Rounding::HalfEven)?;
        let owed = self.rows.get(place).map_or(Amount::ZERO, |r| r.1);
        if place == 0 || place != usize::from(self.servicing.interest_deferred) {
            return Ok(own);
        }
        let carried = Explanation::given(Name::Carried, owed.minus(own.value)?);
        Explanation::sum(Name::PeriodInterest, vec![own, carried], Vec::new())
    }

    /// Principal of the row at a place.
    fn principal(
        &self,
        place: usize,
        balance: Explanation,
        interest: Explanation,
    ) -> Result<Explanation, OutOfRange> {
        if place.saturating_add(1) == self.rows.len() {
            return Explanation::sum(Name::Rest, vec![balance], Vec::new());
        }
        let free = usize::from(self.servicing.interest_only);
        let repaying = self.rows.len().saturating_sub(free).max(1);
        let whole = i64::try_from(repaying).map_err(|_| OutOfRange("the number of rows"))?;
        let share = vec![Factor::Share { part: 1, whole }];
        let equal = Explanation::product(Name::EqualPart, self.lent(), share, Rounding::HalfEven)?;
        let wanted = match self.servicing.method {
            Method::EqualPrincipal(_) => equal,
            Method::Flat => multiple(Name::EqualPart, equal, self.servicing.multiple)?,
            Method::Level(_) | Method::Balance => {
                let level = multiple(Name::Level, self.level(repaying)?, self.servicing.multiple)?;
                let component = Component::Principal;
                Explanation::sum(Name::Charged { component }, vec![level], vec![interest])?.or_zero()?
            }
        };
        wanted.at_most(balance)
    }

    /// The level payment before it becomes a multiple.
    fn level(&self, repaying: usize) -> Result<Explanation, OutOfRange> {
        let (days, year_days) = self.part(0);
        let how = How::Level {
            of: Box::new(self.lent()),
            annual: self.annual,
            days: vec![days; repaying],
            year_days,
            rounding: Rounding::HalfEven,
        };
        Explanation::of(Name::LevelExact, how)
    }
}

/// A figure as a multiple, if one is asked for.
pub(in crate::loan) fn multiple(
    name: Name,
    of: Explanation,
    multiple: Amount,
) -> Result<Explanation, OutOfRange> {
    if !multiple.is_positive() {
        return Ok(Explanation { name, ..of });
    }
    let of = Box::new(of);
    Explanation::of(name, How::Multiple { of, multiple })
}
