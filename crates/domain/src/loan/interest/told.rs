//! Why interest on the balance, and the instalment it is part of, come to what they do: the spans of a period with the
//! numbers that [`Accrual`] took.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use super::{Accrual, Stretch, Term};
use crate::calendar::days_between;
use crate::explain::{Explanation, Factor, Name};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;

impl Accrual<'_> {
    /// Why the interest of the period that ends on a row's day is what it is; nothing if no period does.
    pub(crate) fn why_interest(&self, due_on: Date) -> Result<Option<Explanation>, OutOfRange> {
        let Some(place) = self.terms.iter().position(|t| t.until == due_on) else {
            return Ok(None);
        };
        self.interest_at(place).map(Some)
    }

    /// Why the principal of that period is what it is.
    pub(crate) fn why_principal(&self, due_on: Date) -> Result<Option<Explanation>, OutOfRange> {
        let Some(place) = self.terms.iter().position(|t| t.until == due_on) else {
            return Ok(None);
        };
        let Some(term) = self.terms.get(place) else {
            return Ok(None);
        };
        let component = Component::Principal;
        let instalment = self.instalment(place, term)?;
        let interest = self.interest_at(place)?;
        let owed = Explanation::sum(Name::Charged { component }, vec![instalment], vec![interest])?;
        if owed.value >= term.paid_principal {
            return Ok(Some(owed));
        }
        Ok(Some(Explanation::given(Name::PaidUp, term.paid_principal)))
    }

    /// Why the interest that has accrued by a day, on everything, is what it is: as [`Accrual::accrued_at`] has it.
    pub(crate) fn why_accrued(&self, day: Date) -> Result<Explanation, OutOfRange> {
        let mut cut = self.clone();
        for term in &mut cut.terms {
            term.cut(day);
        }
        cut.absorb()?;
        let mut periods = Vec::with_capacity(cut.terms.len());
        for place in 0..cut.terms.len() {
            periods.push(cut.interest_at(place)?);
        }
        Explanation::sum(Name::Accrued, periods, Vec::new())
    }

    /// Interest of the period at a place: what its spans earn and what the period before could not take; where it is
    /// paid up, what was paid.
    fn interest_at(&self, place: usize) -> Result<Explanation, OutOfRange> {
        let Some(term) = self.terms.get(place) else {
            return Ok(Explanation::given(Name::Nothing, Amount::ZERO));
        };
        let before = place.checked_sub(1).and_then(|p| self.terms.get(p));
        let carried = match before {
            Some(before) => before.reckoned.minus(before.interest)?,
            None => Amount::ZERO,
        };
        let mut parts = vec![Explanation::given(Name::Carried, carried)];
        for stretch in &term.stretches {
            parts.extend(self.span(term, stretch)?);
        }
        let earned = Explanation::sum(Name::PeriodInterest, parts, Vec::new())?;
        if earned.value == term.interest {
            return Ok(earned);
        }
        Ok(Explanation::given(Name::PaidUp, term.interest))
    }

    /// Interest of a span, as [`Accrual::earned`] reckons it; nothing if it has no days.
    fn span(&self, term: &Term, stretch: &Stretch) -> Result<Option<Explanation>, OutOfRange> {
        let (from, until) = (stretch.from, stretch.until);
        let (days, of) = (days_between(from, until), days_between(from, term.until));
        if days <= 0 || of <= 0 || !stretch.balance.is_positive() {
            return Ok(None);
        }
        if self.is_paused(stretch) {
            let name = Name::NoInterest { from, until };
            return Ok(Some(Explanation::given(name, Amount::ZERO)));
        }
        let (part, whole) = self.year_part(term, from, term.until)?;
        let small = |n: i128| i64::try_from(n).map_err(|_| OutOfRange("a part of a year"));
        let mut factors = vec![Factor::Decimal {
            rate: self.rate(from),
            part: small(part)?,
            whole: small(whole)?,
        }];
        if days != of {
            factors.push(Factor::Days { days, of });
        }
        let balance = Explanation::given(Name::Balance { from, until }, stretch.balance);
        let name = Name::Interest { from, until };
        Explanation::product(name, balance, factors, Rounding::HalfEven).map(Some)
    }

    /// The instalment of the period at a place. The last that is not paid takes what all others leave.
    fn instalment(&self, place: usize, term: &Term) -> Result<Explanation, OutOfRange> {
        if term.instalment == term.level {
            return Ok(Explanation::given(Name::Level, term.level));
        }
        if term.instalment == term.paid()? {
            return Ok(Explanation::given(Name::PaidUp, term.instalment));
        }
        let (mut lent, mut interest, mut others) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        for (at, term) in self.terms.iter().enumerate() {
            interest = interest.plus(term.interest)?;
            others = others.plus(if at == place {
                Amount::ZERO
            } else {
                term.instalment
            })?;
            for stretch in &term.stretches {
                lent = lent.plus(stretch.lent)?;
            }
        }
        let rest = Explanation::sum(
            Name::Instalment,
            vec![
                Explanation::given(Name::AllLent, lent),
                Explanation::given(Name::AllInterest, interest),
            ],
            vec![Explanation::given(Name::OtherInstalments, others)],
        )?;
        if rest.value == term.instalment {
            return Ok(rest);
        }
        Ok(Explanation::given(Name::Instalment, term.instalment))
    }
}
