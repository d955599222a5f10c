//! Interest that follows the balance (按余额计息): periods cut into spans of one balance and one rate.
//!
//! Every payment, disbursement and correction ends a span on its day. Interest of a span is its balance × the factor of
//! its days, rounded once; a period owes the sum of its spans. Instalments stay as high as the level payment made them;
//! what changes lands in the last period that is not paid. The level payment is smoothed as the engines do from whose
//! tests the conventions of [`crate::servicing`] come, so that the last instalment is close to the others.
//!
//! Factors have 12 decimals, half to even; running products have 15. No figure between two cents has ever been found to
//! depend on the difference to exact arithmetic.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::{add_days, days_between};
use crate::loan::state::Span;
use crate::money::{Amount, OutOfRange, Rate};
use crate::servicing::{MonthDays, Servicing, Unit, YearDays};

mod told;

/// One, in factors.
const FACTOR: i128 = 1_000_000_000_000;
/// One, in running products.
const PRODUCT: i128 = 1_000_000_000_000_000;

/// Days with one balance.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The evening on which it begins.
    from: Date,
    /// The evening on which it ends.
    until: Date,
    /// What was lent when it ended.
    lent: Amount,
    /// What else changed the balance when it ended.
    corrected: Amount,
    /// Its balance.
    balance: Amount,
}

/// One period, with what its row owes.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// The due date before it, or the day from which interest counts.
    pub from: Date,
    /// Its due date.
    pub until: Date,
    /// The instalment.
    pub instalment: Amount,
    /// The level payment; what is lent later is added to it.
    level: Amount,
    /// Principal paid on it.
    pub paid_principal: Amount,
    /// Interest paid on it.
    pub paid_interest: Amount,
    /// Its interest as reckoned, with what the period before could not take.
    reckoned: Amount,
    /// Its interest as due.
    pub interest: Amount,
    /// Its principal as due.
    pub principal: Amount,
    stretches: Vec<Stretch>,
}

/// All periods of a loan.
#[derive(Debug, Clone)]
pub(crate) struct Accrual<'a> {
    servicing: &'a Servicing,
    /// The agreed rate, and those that follow it, each from its day.
    rates: Vec<(Date, Rate)>,
    agreed: Rate,
    pauses: Vec<Span>,
    /// Nothing is earned after this day.
    pub stopped_on: Option<Date>,
    /// Whether a due date was moved; instalments are not smoothed then.
    pub is_moved: bool,
    /// The last day up to which overdue principal was counted.
    pub overdue_to: Option<Date>,
    /// The periods, by date.
    pub terms: Vec<Term>,
}

impl<'a> Accrual<'a> {
    /// The periods between due dates, before anything was lent.
    pub fn new(servicing: &'a Servicing, agreed: Rate, from: Date, due_dates: &[Date]) -> Accrual<'a> {
        let starts = core::iter::once(&from).chain(due_dates);
        let terms = starts
            .zip(due_dates)
            .map(|(from, until)| Term::new(*from, *until))
            .collect();
        Accrual {
            servicing,
            rates: Vec::new(),
            agreed,
            pauses: Vec::new(),
            stopped_on: None,
            is_moved: false,
            overdue_to: None,
            terms,
        }
    }

    /// Lends so much, and makes the instalments of the periods to come so much higher as it would need alone.
    pub fn lend(&mut self, day: Date, amount: Amount) -> Result<(), OutOfRange> {
        let Some(place) = self.change(day, amount, Amount::ZERO)? else {
            return Err(OutOfRange("a disbursement after the last period"));
        };
        let first = self.first_affected(place, day);
        self.refresh()?;
        let more = self.level(first, amount)?;
        for (at, term) in self.terms.iter_mut().enumerate().skip(first) {
            let all = term.level.plus(more)?;
            // While only interest is due, an instalment is as high as that.
            let is_free = at < usize::from(self.servicing.interest_only);
            if !is_free && all >= term.paid()? {
                (term.level, term.instalment) = (all, all);
            }
        }
        self.settle(first)
    }

    /// Lets another rate hold from a day on: the evening before ends a span.
    pub fn change_rate(&mut self, day: Date, annual: Rate) -> Result<(), OutOfRange> {
        let eve = add_days(day, -1)?;
        self.rates.push((eve, annual));
        self.rates.sort_by_key(|(from, _)| *from);
        match self.change(eve, Amount::ZERO, Amount::ZERO)? {
            Some(place) => self.relevel(self.first_affected(place, eve)),
            // It holds from the first day on: no period had begun on the evening before.
            None if self.terms.first().is_some_and(|t| eve < t.from) => self.relevel(0),
            None => Ok(()),
        }
    }

    /// Makes the periods from one on level anew on what is outstanding.
    pub fn relevel(&mut self, first: usize) -> Result<(), OutOfRange> {
        self.refresh()?;
        let balance = self.opening(first)?;
        let level = self.level(first, balance)?;
        for term in self.terms.iter_mut().skip(first) {
            if level >= term.paid()? {
                (term.level, term.instalment) = (level, level);
            }
        }
        self.settle(first)
    }

    /// Stops interest for some days, both included.
    pub fn pause(&mut self, from: Date, until: Date) -> Result<(), OutOfRange> {
        let eve = add_days(from, -1)?;
        self.change(eve, Amount::ZERO, Amount::ZERO)?;
        self.change(until, Amount::ZERO, Amount::ZERO)?;
        self.pauses.push(Span { from: eve, until });
        self.absorb()
    }

    /// Stops interest for good.
    pub fn stop(&mut self, day: Date) -> Result<(), OutOfRange> {
        self.change(day, Amount::ZERO, Amount::ZERO)?;
        self.stopped_on = Some(day);
        self.absorb()
    }

    /// Changes the balance from a day on, beside disbursements and payments.
    pub fn correct(&mut self, day: Date, amount: Amount) -> Result<(), OutOfRange> {
        if self.change(day, Amount::ZERO, amount)?.is_some() {
            self.absorb()?;
        }
        Ok(())
    }

    /// Takes in principal for a row: late, it counts from the row's day, since what is overdue is counted by itself.
    pub fn pay_principal(&mut self, due_on: Date, day: Date, amount: Amount) -> Result<(), OutOfRange> {
        if let Some(term) = self.terms.iter_mut().find(|t| t.until == due_on) {
            term.paid_principal = term.paid_principal.plus(amount)?;
            term.instalment = term.instalment.max(term.paid()?);
        }
        self.correct(day.min(due_on), Amount::ZERO.minus(amount)?)
    }

    /// Takes in interest for a row.
    pub fn pay_interest(&mut self, due_on: Date, amount: Amount) -> Result<(), OutOfRange> {
        if let Some(term) = self.terms.iter_mut().find(|t| t.until == due_on) {
            term.paid_interest = term.paid_interest.plus(amount)?;
            term.instalment = term.instalment.max(term.paid()?);
        }
        self.absorb()
    }

    /// What a row would owe if interest were taken up to a day only: principal and interest.
    pub fn due_at(&self, due_on: Date, day: Date) -> Result<Option<(Amount, Amount)>, OutOfRange> {
        let mut cut = self.clone();
        let Some(place) = cut.terms.iter().position(|t| t.until == due_on) else {
            return Ok(None);
        };
        for term in &mut cut.terms {
            term.cut(day);
        }
        cut.absorb()?;
        let mut open = 0usize;
        for term in &cut.terms {
            open = open.saturating_add(usize::from(term.instalment != term.paid()?));
        }
        // A row whose period has not begun takes its whole instalment, unless it is all that is left to pay.
        if let Some(term) = cut.terms.get_mut(place).filter(|t| open > 1 && day <= t.from) {
            term.instalment = term.level;
            let interest = term.reckoned;
            term.reckon(interest)?;
        }
        Ok(cut.terms.get(place).map(|t| (t.principal, t.interest)))
    }

    /// The interest that has accrued by a day and is not paid, on everything.
    pub fn accrued_at(&self, day: Date) -> Result<Amount, OutOfRange> {
        let mut cut = self.clone();
        for term in &mut cut.terms {
            term.cut(day);
        }
        cut.absorb()?;
        cut.terms
            .iter()
            .try_fold(Amount::ZERO, |sum, t| sum.plus(t.interest))
    }

    /// Ends a span on a day with a change of the balance; says in which period.
    fn change(&mut self, day: Date, lent: Amount, corrected: Amount) -> Result<Option<usize>, OutOfRange> {
        let holds = |from: Date, until: Date, is_first: bool| {
            (from < day || (is_first && from == day)) && day <= until
        };
        let Some(place) = self
            .terms
            .iter()
            .enumerate()
            .position(|(at, t)| holds(t.from, t.until, at == 0))
        else {
            return Ok(None);
        };
        let Some(term) = self.terms.get_mut(place) else {
            return Ok(None);
        };
        let mut found = 0;
        for (at, stretch) in term.stretches.iter().enumerate() {
            if holds(stretch.from, stretch.until, place == 0 && at == 0) {
                found = at;
            }
        }
        let Some(stretch) = term.stretches.get_mut(found) else {
            return Ok(None);
        };
        stretch.lent = stretch.lent.plus(lent)?;
        stretch.corrected = stretch.corrected.plus(corrected)?;
        if stretch.until != day {
            let rest = Stretch {
                from: day,
                until: stretch.until,
                lent: Amount::ZERO,
                corrected: Amount::ZERO,
                balance: Amount::ZERO,
            };
            // What was to happen at the end of the span still does: it ends the second half.
            let (later_lent, later_corrected) =
                (stretch.lent.minus(lent)?, stretch.corrected.minus(corrected)?);
            stretch.until = day;
            stretch.lent = lent;
            stretch.corrected = corrected;
            let rest = Stretch {
                lent: later_lent,
                corrected: later_corrected,
                ..rest
            };
            term.stretches.insert(found.saturating_add(1), rest);
        }
        Ok(Some(place))
    }

    /// The first period whose instalment a change on a day concerns: on a due date it is the next.
    fn first_affected(&self, place: usize, day: Date) -> usize {
        let is_due = self.terms.get(place).is_some_and(|t| t.until == day);
        let next = place.saturating_add(1);
        if is_due && next < self.terms.len() {
            next
        } else {
            place
        }
    }

    /// Reckons balances, interest and principal of all periods.
    pub fn refresh(&mut self) -> Result<(), OutOfRange> {
        let mut carried = Amount::ZERO;
        let mut unrecognised = Amount::ZERO;
        for place in 0..self.terms.len() {
            let Some(mut term) = self.terms.get(place).cloned() else {
                continue;
            };
            let mut interest = unrecognised;
            let mut balance = carried;
            for stretch in &mut term.stretches {
                stretch.balance = balance;
                balance = balance.plus(stretch.lent)?.plus(stretch.corrected)?;
            }
            for stretch in &term.stretches {
                interest = interest.plus(self.earned(&term, stretch)?)?;
            }
            if place < usize::from(self.servicing.interest_only) {
                term.instalment = interest.max(term.paid()?);
            }
            term.reckon(interest)?;
            unrecognised = term.reckoned.minus(term.interest)?;
            carried = balance.minus(term.principal)?.plus(term.paid_principal)?;
            if let Some(slot) = self.terms.get_mut(place) {
                *slot = term;
            }
        }
        Ok(())
    }

    /// Reckons everything, and lets the last period that is not paid take the difference.
    pub fn absorb(&mut self) -> Result<(), OutOfRange> {
        self.refresh()?;
        let (mut interest, mut instalments, mut lent) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        for term in &self.terms {
            interest = interest.plus(term.interest)?;
            instalments = instalments.plus(term.instalment)?;
            for stretch in &term.stretches {
                lent = lent.plus(stretch.lent)?;
            }
        }
        let difference = lent.plus(interest)?.minus(instalments)?;
        let mut last = None;
        for (place, term) in self.terms.iter().enumerate() {
            if term.instalment != term.paid()? {
                last = Some(place);
            }
        }
        if let Some(term) = last.and_then(|place| self.terms.get_mut(place)) {
            term.instalment = term.instalment.plus(difference)?;
        }
        self.refresh()
    }

    /// Lets the last period take the difference, then smooths the instalments from one period on.
    fn settle(&mut self, first: usize) -> Result<(), OutOfRange> {
        self.absorb()?;
        for _ in 0..3 {
            if self.is_moved || !self.smooth(first)? {
                break;
            }
        }
        Ok(())
    }

    /// Brings the last instalment closer to the others, if it is further than half a cent a period away; says whether.
    fn smooth(&mut self, first: usize) -> Result<bool, OutOfRange> {
        let count = self.terms.len().saturating_sub(first);
        let difference = self.last_difference()?;
        let half = i64::try_from(count.checked_div(2).unwrap_or(0)).map_err(|_| OutOfRange("periods"))?;
        if difference.is_zero() || half == 0 || difference.minor().saturating_abs() <= half {
            return Ok(false);
        }
        let Some(before_last) = self.terms.len().checked_sub(2).and_then(|p| self.terms.get(p)) else {
            return Ok(false);
        };
        let level = before_last.instalment;
        let mut open = 0i64;
        for term in self.terms.iter().skip(first) {
            open = open.saturating_add(i64::from(level >= term.paid()?));
        }
        let step = difference.share(1, open.max(1), crate::money::Rounding::HalfEven)?;
        let wanted = to_multiple(level.plus(step)?, self.servicing.multiple)?;
        if wanted == level {
            return Ok(false);
        }
        let mut tried = self.clone();
        for term in tried.terms.iter_mut().skip(first) {
            if wanted >= term.paid()? {
                (term.level, term.instalment) = (wanted, wanted);
            }
        }
        tried.absorb()?;
        let closer = tried.last_difference()?.minor().saturating_abs() < difference.minor().saturating_abs();
        if closer {
            *self = tried;
        }
        Ok(closer)
    }

    /// By how much the last instalment is higher than the one before it.
    fn last_difference(&self) -> Result<Amount, OutOfRange> {
        match self.terms.as_slice() {
            [.., before, last] => last.instalment.minus(before.instalment),
            _ => Ok(Amount::ZERO),
        }
    }

    /// What is outstanding when a period begins, with what is lent in it.
    fn opening(&self, place: usize) -> Result<Amount, OutOfRange> {
        let Some(term) = self.terms.get(place) else {
            return Ok(Amount::ZERO);
        };
        let first = term.stretches.first().map_or(Amount::ZERO, |s| s.balance);
        let lent = term
            .stretches
            .iter()
            .try_fold(Amount::ZERO, |sum, s| sum.plus(s.lent))?;
        first.max(Amount::ZERO).plus(lent)
    }

    /// The level payment of an amount over the periods from one on, as a multiple.
    fn level(&self, first: usize, amount: Amount) -> Result<Amount, OutOfRange> {
        let first = first.max(usize::from(self.servicing.interest_only));
        let (mut power, mut sum) = (PRODUCT, PRODUCT);
        for (at, term) in self.terms.iter().enumerate().skip(first) {
            let mut factor = FACTOR;
            for stretch in &term.stretches {
                factor = plus(factor, self.factor(term, stretch.from, stretch.until)?)?;
            }
            power = ratio(times(power, factor)?, FACTOR)?;
            if at > first {
                sum = plus(PRODUCT, ratio(times(sum, factor)?, FACTOR)?)?;
            }
        }
        let exact = ratio(times(i128::from(amount.minor()), power)?, sum)?;
        let level = i64::try_from(exact).map_err(|_| OutOfRange("a level payment"))?;
        to_multiple(Amount::from_minor(level), self.servicing.multiple)
    }

    /// Interest of a span: the factor up to the end of its period, in proportion of its days.
    fn earned(&self, term: &Term, stretch: &Stretch) -> Result<Amount, OutOfRange> {
        let all = days_between(stretch.from, term.until);
        let days = days_between(stretch.from, stretch.until);
        if all <= 0 || days <= 0 || !stretch.balance.is_positive() || self.is_paused(stretch) {
            return Ok(Amount::ZERO);
        }
        let factor = self.factor(term, stretch.from, term.until)?;
        let product = times(
            times(i128::from(stretch.balance.minor()), factor)?,
            i128::from(days),
        )?;
        let exact = ratio(product, times(FACTOR, i128::from(all))?)?;
        i64::try_from(exact)
            .map(Amount::from_minor)
            .map_err(|_| OutOfRange("interest"))
    }

    /// Whether a span earns nothing.
    fn is_paused(&self, stretch: &Stretch) -> bool {
        let stopped = self.stopped_on.is_some_and(|day| stretch.from >= day);
        stopped
            || self
                .pauses
                .iter()
                .any(|p| p.from <= stretch.from && stretch.until <= p.until)
    }

    /// The rate on a day.
    fn rate(&self, day: Date) -> Rate {
        let changed = self.rates.iter().rev().find(|(from, _)| *from <= day);
        changed.map_or(self.agreed, |(_, rate)| *rate)
    }

    /// The factor of some days of a period, in 10⁻¹².
    fn factor(&self, term: &Term, from: Date, until: Date) -> Result<i128, OutOfRange> {
        let rate = times(i128::from(self.rate(from).ppb()), 1_000)?;
        let (numerator, denominator) = self.year_part(term, from, until)?;
        ratio(times(rate, numerator)?, denominator)
    }

    /// The part of a year that some days of a period are.
    fn year_part(&self, term: &Term, from: Date, until: Date) -> Result<(i128, i128), OutOfRange> {
        let days = i128::from(days_between(from, until));
        Ok(match (self.servicing.year, self.servicing.month) {
            (YearDays::Actual, _) => actual_parts(from, until)?,
            (YearDays::Fixed(year), MonthDays::Actual) => (days, i128::from(year)),
            (YearDays::Fixed(year), MonthDays::Thirty) => {
                let unit = match self.servicing.period.unit {
                    Unit::Days => 1,
                    Unit::Weeks => 7,
                    Unit::Months => 30,
                };
                let whole = times(unit, i128::from(self.servicing.period.every))?;
                let all = i128::from(days_between(term.from, term.until).max(1));
                (times(whole, days)?, times(i128::from(year), all)?)
            }
        })
    }
}

impl Term {
    /// A period in which nothing is outstanding yet.
    fn new(from: Date, until: Date) -> Term {
        Term {
            from,
            until,
            instalment: Amount::ZERO,
            level: Amount::ZERO,
            paid_principal: Amount::ZERO,
            paid_interest: Amount::ZERO,
            reckoned: Amount::ZERO,
            interest: Amount::ZERO,
            principal: Amount::ZERO,
            stretches: vec![Stretch {
                from,
                until,
                lent: Amount::ZERO,
                corrected: Amount::ZERO,
                balance: Amount::ZERO,
            }],
        }
    }

    /// What was paid on it.
    fn paid(&self) -> Result<Amount, OutOfRange> {
        self.paid_principal.plus(self.paid_interest)
    }

    /// Splits the instalment: interest first, and never less than what was paid of each. Where principal was paid beyond
    /// its share, what was paid of interest is all there is.
    fn reckon(&mut self, interest: Amount) -> Result<(), OutOfRange> {
        self.reckoned = interest;
        let is_paid_up = self.paid_principal > self.instalment.minus(interest)?;
        let due = if is_paid_up { self.paid_interest } else { interest };
        self.interest = due.max(self.paid_interest);
        self.principal = self.instalment.minus(self.interest)?.max(self.paid_principal);
        Ok(())
    }

    /// Drops what lies after a day.
    fn cut(&mut self, day: Date) {
        for stretch in &mut self.stretches {
            if stretch.until > day {
                stretch.until = day.max(stretch.from);
            }
        }
    }
}

/// Days of a span over the lengths of their years, over one denominator; 31 December counts with the new year.
pub(crate) fn actual_parts(from: Date, until: Date) -> Result<(i128, i128), OutOfRange> {
    let (mut common, mut leap) = (0i64, 0i64);
    let mut at = from;
    while at < until {
        let last = Date::new(at.year(), 12, 31).map_err(|_| OutOfRange("a date"))?;
        let is_last = at.year() == until.year();
        let end = if is_last { until } else { last.max(at) };
        let days = days_between(at, end);
        if at.in_leap_year() {
            leap = leap.saturating_add(days);
        } else {
            common = common.saturating_add(days);
        }
        if is_last {
            break;
        }
        // The night to New Year belongs to the new year.
        let new_year = add_days(last, 1)?;
        let night = days_between(end, new_year);
        if new_year.in_leap_year() {
            leap = leap.saturating_add(night);
        } else {
            common = common.saturating_add(night);
        }
        at = new_year;
    }
    let parts = plus(times(i128::from(common), 366)?, times(i128::from(leap), 365)?)?;
    Ok((parts, 365 * 366))
}

/// An amount as a multiple, half to even; as it is if nothing is asked for.
pub(crate) fn to_multiple(amount: Amount, multiple: Amount) -> Result<Amount, OutOfRange> {
    if !multiple.is_positive() {
        return Ok(amount);
    }
    let count = ratio(i128::from(amount.minor()), i128::from(multiple.minor()))?;
    let count = i64::try_from(count).map_err(|_| OutOfRange("a multiple"))?;
    multiple.times(count)
}

/// A quotient, half to even.
fn ratio(numerator: i128, denominator: i128) -> Result<i128, OutOfRange> {
    let error = OutOfRange("a quotient");
    let floor = numerator.checked_div_euclid(denominator).ok_or(error)?;
    let twice = times(numerator.checked_rem_euclid(denominator).ok_or(error)?, 2)?;
    let up = twice > denominator || (twice == denominator && floor & 1 == 1);
    plus(floor, i128::from(up))
}

/// A product.
fn times(a: i128, b: i128) -> Result<i128, OutOfRange> {
    a.checked_mul(b).ok_or(OutOfRange("a product"))
}

/// A sum.
fn plus(a: i128, b: i128) -> Result<i128, OutOfRange> {
    a.checked_add(b).ok_or(OutOfRange("a sum"))
}
