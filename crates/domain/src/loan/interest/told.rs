//! Why interest on the balance, and the instalment it is part of, come to what they do: the spans of a period with the
//! numbers that [`Accrual`] took.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use super::{Accrual, Stretch, Term};
use crate::calendar::days_between;
use crate::explain::{Explanation, Factor, Name};
use crate::loan::build::told::multiple;
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;

/// How instalments were made level.
#[derive(Debug, Clone)]
pub(crate) struct Leveled {
    /// What was made level.
    pub name: Name,
    /// How much it was.
    amount: Amount,
    /// Over the periods from which one on.
    first: usize,
    /// By what it was multiplied and divided.
    annuity: (i64, i64),
    /// Whether it was added to the instalments that there were.
    adds: bool,
}

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
        if term.reckoned == term.interest {
            return self.earned_at(place, term);
        }
        Ok(Explanation::given(Name::PaidUp, term.interest))
    }

    /// What the spans of a period earn, with what the period before it could not take.
    fn earned_at(&self, place: usize, term: &Term) -> Result<Explanation, OutOfRange> {
        let mut parts = Vec::with_capacity(term.stretches.len());
        if place == 0 && !self.carried.is_zero() {
            parts.push(Explanation::given(Name::Carried, self.carried));
        }
        if let Some(at) = place.checked_sub(1)
            && let Some(before) = self.terms.get(at)
            && before.reckoned.minus(before.released)? != before.interest
        {
            let paid_up = Explanation::given(Name::PaidUp, before.interest);
            let earned = self.earned_at(at, before)?;
            parts.push(Explanation::sum(Name::Carried, vec![earned], vec![paid_up])?);
        }
        for stretch in &term.stretches {
            parts.extend(self.span(term, stretch)?);
        }
        Explanation::sum(Name::PeriodInterest, parts, Vec::new())
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
        let (part, whole) = self.year_part(term, (from, term.until), self.length(term)?)?;
        let (part, whole) = plain((part, whole), days_between(term.from, term.until))?;
        let rate = self.rate(from);
        let mut factors = vec![Factor::Decimal { rate, part, whole }];
        if days != of {
            factors.push(Factor::Days { days, of });
        }
        let balance = Explanation::given(Name::Balance { from, until }, stretch.balance);
        let name = Name::Interest { from, until };
        Explanation::product(name, balance, factors, Rounding::HalfEven).map(Some)
    }

    /// How often instalments were made level so far.
    pub(super) fn made(&self) -> usize {
        self.leveled.as_ref().map_or(0, Vec::len)
    }

    /// Tells how the instalments from one on are made level, if somebody asks.
    pub(super) fn tell_level(
        &mut self,
        first: usize,
        amount: Amount,
        annuity: (i128, i128),
    ) -> Result<(), OutOfRange> {
        let (Some(from), Some(until)) = (self.terms.get(first), self.terms.last()) else {
            return Ok(());
        };
        let name = Name::Balance {
            from: from.from,
            until: until.until,
        };
        let small = |n: i128| i64::try_from(n).map_err(|_| OutOfRange("a level payment"));
        if let Some(leveled) = &mut self.leveled {
            leveled.push(Leveled {
                name,
                amount,
                first,
                annuity: (small(annuity.0)?, small(annuity.1)?),
                adds: false,
            });
        }
        Ok(())
    }

    /// Tells how an amount that was lent was made level alone.
    pub(super) fn tell_lent(&mut self, on: Date, alone: &Accrual<'_>) {
        let made = alone.leveled.iter().flatten().next_back().cloned();
        if let (Some(leveled), Some(made)) = (&mut self.leveled, made) {
            leveled.push(Leveled {
                name: Name::Lent { on },
                adds: true,
                ..made
            });
        }
    }

    /// Why the level instalment of the period at a place is what it is: amounts made level, and what smoothing changed.
    fn why_level(&self, place: usize, term: &Term) -> Result<Explanation, OutOfRange> {
        let mut made: Vec<&Leveled> = Vec::new();
        let told = self.leveled.iter().flatten().take(term.made);
        for one in told.filter(|one| one.first <= place) {
            if !one.adds {
                made.clear();
            }
            made.push(one);
        }
        let (mut parts, mut smoothed) = (Vec::with_capacity(made.len()), term.level);
        for one in made {
            let why = one.why(self.servicing.multiple)?;
            smoothed = smoothed.minus(why.value)?;
            parts.push(why);
        }
        if parts.is_empty() {
            return Ok(Explanation::given(Name::Level, term.level));
        }
        parts.push(Explanation::given(Name::Smoothed, smoothed));
        Explanation::sum(Name::Level, parts, Vec::new())
    }

    /// The instalment of the period at a place. The last that is not paid takes what all others leave.
    fn instalment(&self, place: usize, term: &Term) -> Result<Explanation, OutOfRange> {
        if term.own()? == term.level && (term.made > 0 || term.instalment != term.paid()?) {
            let level = self.why_level(place, term)?;
            if term.credited.is_zero() {
                return Ok(level);
            }
            let again = Explanation::given(Name::Beside, term.credited);
            return Explanation::sum(Name::Instalment, vec![level, again], Vec::new());
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

impl Leveled {
    /// Why it comes to what it does.
    fn why(&self, of: Amount) -> Result<Explanation, OutOfRange> {
        let (part, whole) = self.annuity;
        let amount = Explanation::given(self.name.clone(), self.amount);
        let factors = vec![Factor::Share { part, whole }];
        let exact = Explanation::product(Name::LevelExact, amount, factors, Rounding::HalfEven)?;
        multiple(Name::LevelExact, exact, of)
    }
}

/// A part of a year as people say it: 30/365 and not 10,980/133,590, 30/360 and not 930/11,160.
fn plain((part, whole): (i128, i128), days: i64) -> Result<(i64, i64), OutOfRange> {
    let error = OutOfRange("a part of a year");
    // What days in years of both lengths are brought to comes first: the days of a month may divide it as well.
    let years: &[i128] = if whole == YEARS { &[366, 365] } else { &[] };
    for divisor in years.iter().copied().chain([i128::from(days)]) {
        let divides = |n: i128| n.checked_rem_euclid(divisor) == Some(0);
        if divides(part) && divides(whole) {
            let over = |n: i128| n.checked_div_euclid(divisor).and_then(|n| i64::try_from(n).ok());
            return over(part).zip(over(whole)).ok_or(error);
        }
    }
    let small = |n: i128| i64::try_from(n).map_err(|_| error);
    Ok((small(part)?, small(whole)?))
}

/// Common and leap years over one denominator.
const YEARS: i128 = 365 * 366;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_year_is_said_in_days() {
        let table = [
            ((30 * 366, YEARS), 30, (30, 365)),
            ((31 * 366, YEARS), 31, (31, 365)),
            ((29 * 365, YEARS), 29, (29, 366)),
            ((930, 11_160), 31, (30, 360)),
            ((30 * 73, 360 * 73), 73, (30, 360)),
            // Nineteen days of a common year and twelve of a leap year have no shorter form.
            ((19 * 366 + 12 * 365, YEARS), 31, (11_334, 133_590)),
        ];
        for (parts, days, said) in table {
            assert_eq!(plain(parts, days), Ok(said), "{parts:?}");
        }
    }
}
