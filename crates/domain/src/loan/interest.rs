//! Interest that follows the balance (按余额计息): periods cut into spans of one balance and one rate.
//!
//! Every payment, disbursement and correction ends a span on its day. Interest of a span is its balance × the factor of
//! its days, rounded once; a period owes the sum of its spans. Instalments stay as high as the level payment made them;
//! what changes lands in the last period that is not paid. The level payment is smoothed as the engines do from whose
//! tests the conventions of [`crate::servicing`] come, so that the last instalment is close to the others.
//!
//! Factors have 12 decimals, half to even; running products have 15. No figure between two cents has ever been found to
//! depend on the difference to exact arithmetic.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::add_days;
use crate::loan::factor::to_multiple;
use crate::loan::restructure::Changes;
use crate::loan::state::Span;
use crate::loan::term::{Stretch, Term};
use crate::money::{Amount, OutOfRange, Rate};
use crate::servicing::{Period, Servicing};

mod earned;
mod told;

pub(crate) use told::Leveled;

/// One, in factors.
const FACTOR: i128 = 1_000_000_000_000;
/// One, in running products.
const PRODUCT: i128 = 1_000_000_000_000_000;

/// All periods of a loan.
#[derive(Debug, Clone)]
pub(crate) struct Accrual<'a> {
    servicing: &'a Servicing,
    /// How far apart due dates are.
    pub period: Period,
    /// Interest from before the first period.
    pub carried: Amount,
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
    /// How instalments were made level so far, if somebody asks why.
    pub leveled: Option<Vec<Leveled>>,
    /// The periods, by date.
    pub terms: Vec<Term>,
}

impl<'a> Accrual<'a> {
    /// The periods between due dates, before anything was lent.
    pub fn new(servicing: &'a Servicing, agreed: Rate, from: Date, due_dates: &[Date]) -> Accrual<'a> {
        let starts = core::iter::once(&from).chain(due_dates);
        let mut terms: Vec<Term> = starts
            .zip(due_dates)
            .map(|(from, until)| Term::new(*from, *until))
            .collect();
        for (place, term) in terms.iter_mut().enumerate() {
            // Whatever is put off is due in the end.
            let is_last = place.saturating_add(1) == due_dates.len();
            term.is_free = !is_last && place < usize::from(servicing.interest_only);
            term.puts_off = !is_last && place < usize::from(servicing.interest_deferred);
        }
        Accrual {
            servicing,
            period: servicing.period,
            carried: Amount::ZERO,
            rates: Vec::new(),
            agreed,
            pauses: Vec::new(),
            stopped_on: None,
            is_moved: false,
            overdue_to: None,
            leveled: None,
            terms,
        }
    }

    /// Whether a day lies in one of the periods.
    pub fn covers(&self, day: Date) -> bool {
        let first = self.terms.first().is_some_and(|t| t.from <= day);
        first && self.terms.last().is_some_and(|t| day <= t.until)
    }

    /// The end of the period that a day lies in; the day itself where none does.
    pub fn period_end(&self, day: Date) -> Date {
        let current = self.terms.iter().find(|t| t.from < day && day <= t.until);
        current.map_or(day, |t| t.until)
    }

    /// Lends so much, and makes the instalments of the periods to come so much higher as it would need alone, smoothed
    /// alone, then together. (As in Apache Fineract: 250 and 750 six days later are paid in
    /// 63.79 + 191.05; 300 and 200 on one day in 85.04, not in 51.03 + 34.02.)
    pub fn lend(&mut self, day: Date, amount: Amount) -> Result<(), OutOfRange> {
        let Some(place) = self.change(day, amount, Amount::ZERO)? else {
            return Err(OutOfRange("a disbursement after the last period"));
        };
        let first = self.first_affected(place, day);
        let mut alone = self.clone();
        alone.carried = Amount::ZERO;
        for term in &mut alone.terms {
            term.clear();
        }
        alone.change(day, amount, Amount::ZERO)?;
        alone.relevel(first)?;
        self.tell_lent(day, &alone);
        let made = self.made();
        for (term, new) in self.terms.iter_mut().zip(&alone.terms).skip(first) {
            let all = term.level.plus(new.level)?;
            if all >= term.paid()? {
                (term.level, term.instalment, term.made) = (all, all, made);
            }
        }
        self.even_out(first)?;
        self.absorb()
    }

    /// Smooths the instalments from a period on as if nothing had been paid, whatever was.
    fn even_out(&mut self, first: usize) -> Result<(), OutOfRange> {
        let mut unpaid = self.clone();
        unpaid.carried = Amount::ZERO;
        for term in &mut unpaid.terms {
            (term.paid_principal, term.paid_interest) = (Amount::ZERO, Amount::ZERO);
            term.instalment = term.level.plus(term.credited)?;
            for stretch in &mut term.stretches {
                stretch.corrected = Amount::ZERO;
            }
        }
        unpaid.settle(first)?;
        for (term, new) in self.terms.iter_mut().zip(&unpaid.terms).skip(first) {
            if !term.is_free {
                term.level_at(new.level)?;
            }
        }
        Ok(())
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

    /// Adds a period at the end.
    pub fn add_period(&mut self, from: Date, until: Date) {
        self.terms.push(Term::new(from, until));
    }

    /// Lets the periods from a due date on be level anew, some of them without principal or without interest.
    pub fn reschedule(&mut self, changes: Changes) -> Result<(), OutOfRange> {
        let first = self.terms.partition_point(|t| t.until < changes.from);
        for (turn, term) in (0u16..).zip(self.terms.iter_mut().skip(first)) {
            term.is_free |= turn < changes.grace;
            term.puts_off |= turn < changes.interest_grace;
        }
        if let Some(last) = self.terms.last_mut() {
            (last.is_free, last.puts_off) = (false, false);
        }
        if changes.extra > 0 || changes.grace > 0 {
            return self.relevel(first);
        }
        self.absorb()
    }

    /// Makes the periods from one on level anew on what is outstanding.
    pub fn relevel(&mut self, first: usize) -> Result<(), OutOfRange> {
        self.refresh()?;
        let balance = self.opening(first)?;
        let annuity = self.annuity(first)?;
        let level = self.level(balance, annuity)?;
        self.tell_level(first, balance, annuity)?;
        let made = self.made();
        for term in self.terms.iter_mut().skip(first) {
            if term.level_at(level)? {
                term.made = made;
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

    /// Cuts the periods that were due by a day to what was paid, and makes those to come level anew on what is left and on
    /// what else was overdue.
    pub fn spread_overdue(&mut self, day: Date, beside: Amount) -> Result<(), OutOfRange> {
        for term in self.terms.iter_mut().filter(|t| t.until <= day) {
            term.instalment = term.paid()?;
            (term.level, term.made) = (term.instalment, 0);
        }
        self.change(day, beside, Amount::ZERO)?;
        let first = self.terms.partition_point(|t| t.until <= day);
        self.relevel(first)
    }

    /// Takes the interest out of the balance that periods which were due by a day could not take; says how much.
    pub fn release_overdue(&mut self, day: Date) -> Result<Amount, OutOfRange> {
        let Some(last) = self.terms.iter_mut().rfind(|t| t.until <= day) else {
            return Ok(Amount::ZERO);
        };
        let open = last.reckoned.minus(last.interest)?;
        last.released = open;
        self.absorb()?;
        Ok(open)
    }

    /// Notes what was paid on a row on its day.
    pub fn note_paid(&mut self, due_on: Date, principal: Amount, interest: Amount) -> Result<(), OutOfRange> {
        if let Some(term) = self.terms.iter_mut().find(|t| t.until == due_on) {
            let more = principal.minus(term.paid_principal)?;
            (term.paid_principal, term.paid_interest) = (principal, interest);
            self.change(due_on, Amount::ZERO, Amount::ZERO.minus(more)?)?;
        }
        Ok(())
    }

    /// Lets principal be owed again in a row from a day on: it earns like what was lent.
    pub fn owe_again(&mut self, due_on: Date, day: Date, amount: Amount) -> Result<(), OutOfRange> {
        if let Some(term) = self.terms.iter_mut().find(|t| t.until == due_on) {
            term.credited = term.credited.plus(amount)?;
            term.instalment = term.instalment.plus(amount)?;
            self.change(day, amount, Amount::ZERO)?;
        }
        self.absorb()
    }

    /// Principal that came to be owed again in a row.
    pub fn credited(&self, due_on: Date) -> Amount {
        let term = self.terms.iter().find(|t| t.until == due_on);
        term.map_or(Amount::ZERO, |t| t.credited)
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

    /// Lets every period ask for its level payment again, or for what was paid if that is more: who is handed back what
    /// they paid ahead owes it as it was agreed, and not at once.
    pub fn ask_again(&mut self) -> Result<(), OutOfRange> {
        for term in self.terms.iter_mut().filter(|t| !t.is_free) {
            term.instalment = term.level.plus(term.credited)?.max(term.paid()?);
        }
        self.absorb()
    }

    /// What was lent and is not paid.
    pub fn unpaid(&self) -> Result<Amount, OutOfRange> {
        let mut unpaid = Amount::ZERO;
        for term in &self.terms {
            unpaid = unpaid.minus(term.paid_principal)?;
            for stretch in &term.stretches {
                unpaid = unpaid.plus(stretch.lent)?;
            }
        }
        Ok(unpaid)
    }

    /// What a row would owe if interest were taken up to a day only: principal and interest. A row to come owes its whole
    /// instalment, or with `takes_all` what is left of the loan.
    pub fn due_at(
        &self,
        due_on: Date,
        day: Date,
        takes_all: bool,
    ) -> Result<Option<(Amount, Amount)>, OutOfRange> {
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
        // A row whose period has not begun takes its whole instalment, unless it is all that is left to pay. While only
        // interest is due, an instalment is as high as that.
        let is_whole = |t: &&mut Term| !takes_all && open > 1 && day <= t.from && !t.is_free;
        if let Some(term) = cut.terms.get_mut(place).filter(is_whole) {
            term.instalment = term.level.plus(term.credited)?;
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
        // The day on which the first period begins lies in none of its spans, and ends the first.
        let mut found = 0;
        for (at, stretch) in term.stretches.iter().enumerate() {
            if holds(stretch.from, stretch.until, false) {
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
        let mut unrecognised = self.carried;
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
            if term.is_free {
                let payable = if term.puts_off { Amount::ZERO } else { interest };
                // What came to be owed again in it is due with it all the same.
                let again = term.credited.minus(term.passed_on)?;
                term.instalment = payable.plus(again)?.max(term.paid()?);
            }
            term.reckon(interest)?;
            unrecognised = term.reckoned.minus(term.interest)?.minus(term.released)?;
            carried = balance.minus(term.principal)?.plus(term.paid_principal)?;
            if let Some(slot) = self.terms.get_mut(place) {
                *slot = term;
            }
        }
        Ok(())
    }

    /// Reckons everything, and lets the last period that is not paid take the difference; what it cannot give up because
    /// it was paid, the one before takes; and again while interest that was put off comes to be owed by it.
    pub fn absorb(&mut self) -> Result<(), OutOfRange> {
        self.refresh()?;
        let most = self.terms.len().saturating_mul(2);
        for _ in 0..=most {
            let difference = self.difference()?;
            if difference.is_zero() || !self.take_up(difference)? {
                break;
            }
            self.refresh()?;
        }
        Ok(())
    }

    /// By how much less than what was lent the periods ask for.
    fn difference(&self) -> Result<Amount, OutOfRange> {
        let mut difference = Amount::ZERO;
        for term in &self.terms {
            difference = difference.minus(term.principal)?;
            for stretch in &term.stretches {
                difference = difference.plus(stretch.lent)?;
            }
        }
        Ok(difference)
    }

    /// Lets the last period that is not paid ask for so much more or less; says whether there was one.
    fn take_up(&mut self, difference: Amount) -> Result<bool, OutOfRange> {
        // Where every instalment is nothing, being a multiple, the last of all takes what was lent.
        let all = self.terms.len();
        let mut last = all.checked_sub(1).filter(|_| difference.is_positive());
        let mut free = None;
        for (place, term) in self.terms.iter().enumerate() {
            if term.is_free && term.principal > term.paid_principal {
                free = Some(place);
            } else if !term.is_free && term.instalment != term.paid()? {
                last = Some(place);
            }
        }
        if let Some(term) = last.and_then(|place| self.terms.get_mut(place)) {
            let wanted = term.instalment.plus(difference)?;
            term.instalment = wanted.max(term.paid()?);
            return Ok(true);
        }
        // Others were paid what came to be owed again in a period of interest alone.
        let Some(term) = free.and_then(|place| self.terms.get_mut(place)) else {
            return Ok(false);
        };
        let open = term.principal.minus(term.paid_principal)?;
        term.passed_on = term.passed_on.plus(Amount::ZERO.minus(difference)?.min(open))?;
        Ok(true)
    }

    /// Lets the last period take the difference, then smooths the instalments from one period on. A pause changes none of
    /// them: the last period takes what it spares. (As in Apache Fineract: pauses among changes of
    /// the rate leave 17.01.)
    fn settle(&mut self, first: usize) -> Result<(), OutOfRange> {
        let pauses = core::mem::take(&mut self.pauses);
        self.absorb()?;
        for _ in 0..3 {
            if self.is_moved || !self.smooth(first)? {
                break;
            }
        }
        if pauses.is_empty() {
            return Ok(());
        }
        self.pauses = pauses;
        self.absorb()
    }

    /// Brings the last instalment closer to the others, if it is further than half a cent a period away; says whether.
    /// Periods of interest alone are none of them, and instalments that are paid up stay as they are. (As in Apache
    /// Fineract: with the last of six paid at once, a lower rate leaves 4 × 16.80 and 16.79.)
    fn smooth(&mut self, first: usize) -> Result<bool, OutOfRange> {
        let Some((level, difference)) = self.last_two(first)? else {
            return Ok(false);
        };
        let (mut count, mut open) = (0i64, 0i64);
        for term in self.terms.iter().skip(first).filter(|t| !t.is_free) {
            count = count.saturating_add(1);
            open = open.saturating_add(i64::from(level.plus(term.credited)? >= term.paid()?));
        }
        if count < 2 || difference.minor().saturating_abs() <= count / 2 {
            return Ok(false);
        }
        let step = difference.share(1, open.max(1), crate::money::Rounding::HalfEven)?;
        let wanted = to_multiple(level.plus(step)?, self.servicing.multiple)?;
        if wanted == level {
            return Ok(false);
        }
        let mut tried = self.clone();
        for term in tried.terms.iter_mut().skip(first) {
            term.level_at(wanted)?;
        }
        tried.absorb()?;
        let left = tried.last_two(first)?.map_or(Amount::ZERO, |(_, left)| left);
        let closer = left.minor().saturating_abs() < difference.minor().saturating_abs();
        if closer {
            *self = tried;
        }
        Ok(closer)
    }

    /// The last but one of the instalments from a period on that are not paid up, and by how much the last is higher.
    fn last_two(&self, first: usize) -> Result<Option<(Amount, Amount)>, OutOfRange> {
        let mut last = None;
        for term in self.terms.iter().skip(first).rev().filter(|t| !t.is_free) {
            if term.instalment == term.paid()? {
                continue;
            }
            let own = term.own()?;
            if let Some(last) = last.replace(own) {
                return Ok(Some((own, last.minus(own)?)));
            }
        }
        Ok(None)
    }

    /// What is outstanding when a period begins, with what is lent in it; what came to be owed again in it is due with it.
    fn opening(&self, place: usize) -> Result<Amount, OutOfRange> {
        let Some(term) = self.terms.get(place) else {
            return Ok(Amount::ZERO);
        };
        let first = term.stretches.first().map_or(Amount::ZERO, |s| s.balance);
        let lent = term
            .stretches
            .iter()
            .try_fold(Amount::ZERO, |sum, s| sum.plus(s.lent))?;
        first.max(Amount::ZERO).plus(lent)?.minus(term.credited)
    }
}
