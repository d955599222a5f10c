//! The rows of a schedule, built from the first to the last from what was lent, paid and agreed.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::loan::Parts;
use crate::loan::build::spans::{Spans, interest, part, span};
use crate::loan::factor::to_multiple;
use crate::loan::restructure::after;
use crate::loan::scheduled::Course;
use crate::loan::state::{Flow, Span, State};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{Credit, Excess, Method, Recalculation, Servicing, Timing, Until};

mod back;
mod spans;
pub(crate) mod told;

/// A row on its way.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// When its period begins.
    pub from: Date,
    /// When it is due.
    pub until: Date,
    /// What it owes by plan.
    pub planned: Parts,
    /// The instalment that was asked for when it was built.
    instalment: Amount,
    /// The days whose interest it owes.
    earned: Vec<told::Earned>,
    /// What is open of it.
    open: Parts,
    /// What was paid of it.
    met: Parts,
    /// The principal in it that was paid beyond its instalment.
    beyond: Amount,
    /// Whether everything was paid in it.
    is_last: bool,
}

/// A period between due dates.
#[derive(Debug, Clone, Copy)]
struct Period {
    from: Date,
    until: Date,
    /// What is charged in it beside the plan.
    added: Parts,
    /// Whether no principal is due in it.
    is_free: bool,
    /// Whether its interest is put off.
    puts_off: bool,
}

/// Builds the rows from the first to the last.
pub(crate) struct Builder<'s> {
    servicing: &'s Servicing,
    course: &'s Course,
    recalculation: Option<Recalculation>,
    annual: Rate,
    today: Date,
    periods: Vec<Period>,
    /// How many of them instalments are level over: those that were added count from their day on.
    agreed: usize,
    /// What was lent in the periods so far.
    lent: Amount,
    /// Principal that rows took.
    taken: Amount,
    /// What came in and was not placed yet.
    paid: Vec<Flow>,
    /// What came in beyond everything that rows asked for so far.
    over: Amount,
    /// What went back to the payer of it.
    gone: Vec<Flow>,
    order: Vec<Component>,
    rows: Vec<Built>,
    /// Principal that no row took yet.
    balance: Amount,
    instalment: Amount,
    /// Principal that was paid beyond an instalment and is not asked for again.
    carried: Amount,
    /// Interest that is not due yet.
    deferred: Amount,
}

impl<'s> Builder<'s> {
    /// A builder that has built nothing yet.
    pub fn new(state: &'s State<'_>, servicing: &'s Servicing) -> Result<Builder<'s>, OutOfRange> {
        let course = &state.course;
        let recalculation = servicing.recalculation.filter(|_| servicing.excess.is_some());
        let rule = servicing.rule(Credit::Payment);
        let order = rule.into_iter().flat_map(|r| &r.buckets);
        let order = order.filter(|b| b.timing == Timing::PastDue).map(|b| b.component);
        let (periods, added) = periods(state, servicing)?;
        let extra = course.extra.iter().map(|(_, count)| usize::from(*count));
        let later = extra.fold(added, usize::saturating_add);
        Ok(Builder {
            servicing,
            course,
            recalculation,
            annual: state.terms.pricing.rate(),
            today: state.day,
            agreed: periods.len().saturating_sub(later),
            periods,
            lent: Amount::ZERO,
            taken: Amount::ZERO,
            paid: recalculation.map_or(Vec::new(), |_| course.paid.clone()),
            over: Amount::ZERO,
            gone: course.gone.clone(),
            order: order.collect(),
            rows: Vec::new(),
            balance: Amount::ZERO,
            instalment: Amount::ZERO,
            carried: Amount::ZERO,
            deferred: Amount::ZERO,
        })
    }

    /// All rows.
    pub fn build(mut self) -> Result<Vec<Built>, OutOfRange> {
        for place in 0..self.periods.len() {
            self.period(place)?;
            if self.rows.last().is_some_and(|r| r.is_last) {
                break;
            }
        }
        Ok(self.rows)
    }

    /// Builds one row.
    fn period(&mut self, place: usize) -> Result<(), OutOfRange> {
        let Some(&Period {
            from, until, added, ..
        }) = self.periods.get(place)
        else {
            return Ok(());
        };
        let more = self.lent_in(place)?;
        self.lent = self.lent.plus(more)?;
        let is_within = |day: Date| from < day && day <= until;
        let extra = self.course.extra.iter().filter(|(day, _)| is_within(*day));
        let extra = extra.map(|(_, count)| usize::from(*count));
        self.agreed = extra.fold(self.agreed, usize::saturating_add);
        if more.is_positive() || self.course.releveled.iter().any(|day| is_within(*day)) {
            self.instalment = self.level(self.lent.minus(self.taken)?, place)?;
        }
        let overdue = self.overdue_at(from, until)?;
        let mut spans = Spans::new(from, self.balance.plus(overdue)?);
        let course = self.course;
        for lent in course.lent.iter().filter(|f| f.on <= until) {
            if lent.on > from || (place == 0 && lent.on == from) {
                spans.change(lent.on, lent.amount);
                self.balance = self.balance.plus(lent.amount)?;
                self.borrow_own(lent)?;
            }
        }
        let early = self.early(until, overdue, &mut spans)?;
        if let Some(on) = self.closed_on(place, until, &early, &mut spans)? {
            // What was put off is due with it: nothing comes after it.
            let put_off = core::mem::take(&mut self.deferred);
            let interest = self.earned(&spans, (from, until), on)?.plus(put_off)?;
            let stretches = self.stretches(&spans, (from, until), on)?;
            self.push((from, on), (self.balance, interest), added)?;
            if let Some(row) = self.rows.last_mut() {
                row.is_last = true;
                row.earned = stretches;
            }
            return Ok(());
        }
        let early = Amount::sum(early.iter().map(|f| f.amount))?;
        let stretches = self.stretches(&spans, (from, until), until)?;
        let interest = self.earned(&spans, (from, until), until)?;
        let interest = self.payable(place, interest)?;
        let wanted = self.wanted(place, interest)?;
        let asked = wanted.minus_or_zero(self.carried)?;
        self.carried = self.carried.minus_or_zero(wanted)?;
        let is_final = place.saturating_add(1) == self.periods.len();
        let asked = if is_final {
            self.balance
        } else {
            asked.min(self.balance)
        };
        let beyond = early.minus_or_zero(asked)?.min(self.balance.minus(asked)?);
        self.push((from, until), (asked.plus(beyond)?, interest), added)?;
        if let Some(row) = self.rows.last_mut() {
            (row.earned, row.beyond) = (stretches, beyond);
        }
        self.balance = self.balance.minus(asked)?.minus(beyond)?;
        self.taken = self.taken.plus(asked)?.plus(beyond)?;
        self.exceed(place, beyond)?;
        let over = core::mem::take(&mut self.over);
        self.over = self.meet(over.plus(early)?)?;
        self.fall_due(place, until)
    }

    /// Lets what came in beyond everything meet what is lent: nobody borrows what is owed to them, unless it went back to
    /// them before.
    fn borrow_own(&mut self, lent: &Flow) -> Result<(), OutOfRange> {
        for gone in self.gone.iter_mut().filter(|f| f.on <= lent.on) {
            self.over = self.over.minus_or_zero(gone.amount)?;
            gone.amount = Amount::ZERO;
        }
        let amount = self.over.min(lent.amount);
        self.over = self.over.minus(amount)?;
        let place = self.paid.partition_point(|f| f.on <= lent.on);
        self.paid.insert(place, Flow { amount, ..*lent });
        Ok(())
    }

    /// What was lent for the rows from one on: those that were due by its day have nothing of it, unless the schedule is
    /// always built as a whole.
    fn lent_in(&self, place: usize) -> Result<Amount, OutOfRange> {
        let Some(&Period { from, until, .. }) = self.periods.get(place) else {
            return Ok(Amount::ZERO);
        };
        let (is_first, is_last) = (place == 0, place.saturating_add(1) == self.periods.len());
        let is_within = |on: Date| (is_first || from <= on) && (is_last || on < until);
        let whole = self.servicing.whole;
        let lent = self.course.lent.iter();
        let lent = lent.filter(|f| if whole { is_first } else { is_within(f.on) });
        Amount::sum(lent.map(|f| f.amount))
    }

    /// Lets the money of a due date meet its row and those before; what is beyond them is principal of the row.
    fn fall_due(&mut self, place: usize, until: Date) -> Result<(), OutOfRange> {
        let mut beyond = Amount::ZERO;
        for amount in self.drain(until) {
            if amount.is_negative() {
                let back = back::less([&mut beyond].into_iter(), Amount::ZERO.minus(amount)?)?;
                self.unmeet(back)?;
            } else {
                beyond = beyond.plus(self.meet(amount)?)?;
            }
        }
        let over = beyond.minus_or_zero(self.balance)?;
        self.over = self.over.plus(over)?;
        let beyond = beyond.min(self.balance);
        if let Some(row) = self.rows.last_mut() {
            row.planned.principal = row.planned.principal.plus(beyond)?;
            row.met.principal = row.met.principal.plus(beyond)?;
            row.beyond = row.beyond.plus(beyond)?;
        }
        self.balance = self.balance.minus(beyond)?;
        self.taken = self.taken.plus(beyond)?;
        self.exceed(place, beyond)?;
        let nothing_left = self.balance.is_zero() && self.course.lent.iter().all(|f| f.on <= until);
        let ends = self.servicing.excess == Some(Excess::FewerRows) || !self.paid.is_empty();
        if let Some(row) = self.rows.last_mut().filter(|_| nothing_left && ends) {
            row.is_last = true;
        }
        Ok(())
    }

    /// Puts a row at the end.
    fn push(
        &mut self,
        (from, until): (Date, Date),
        (principal, interest): (Amount, Amount),
        added: Parts,
    ) -> Result<(), OutOfRange> {
        let planned = Parts {
            principal,
            interest,
            ..Parts::default()
        };
        self.rows.push(Built {
            from,
            until,
            planned,
            open: added.plus(&planned)?,
            met: Parts::default(),
            beyond: Amount::ZERO,
            instalment: self.instalment,
            earned: Vec::new(),
            is_last: false,
        });
        Ok(())
    }

    /// Pays the rows so far, the oldest first; says what is left.
    fn meet(&mut self, amount: Amount) -> Result<Amount, OutOfRange> {
        let mut left = amount;
        for row in &mut self.rows {
            for component in &self.order {
                let part = row.open.of(*component).min(left).max(Amount::ZERO);
                row.open.add(*component, Amount::ZERO.minus(part)?)?;
                row.met.add(*component, part)?;
                left = left.minus(part)?;
            }
        }
        Ok(left)
    }

    /// What is open of the rows so far and earns.
    fn open(&self) -> Result<Amount, OutOfRange> {
        let compounds = self.recalculation.is_some_and(|r| r.compounds);
        let interest = |row: &Built| {
            if compounds {
                row.open.interest
            } else {
                Amount::ZERO
            }
        };
        let open = self.rows.iter().map(|r| r.open.principal.plus(interest(r)));
        open.collect::<Result<Vec<Amount>, OutOfRange>>()
            .and_then(Amount::sum)
    }

    /// What is overdue as a period begins and earns in it: by the day up to today, or in the whole period that is under
    /// way where the agreement counts by periods.
    fn overdue_at(&self, from: Date, until: Date) -> Result<Amount, OutOfRange> {
        let counts = match self.recalculation {
            Some(recalculation) if recalculation.spares_overdue => false,
            Some(recalculation) if recalculation.daily => from < self.today,
            Some(_) => from < self.today && self.today <= until,
            None => false,
        };
        if counts { self.open() } else { Ok(Amount::ZERO) }
    }

    /// Takes the money that comes before a due date: what is beyond the rows before is principal from its day on.
    fn early(&mut self, until: Date, overdue: Amount, spans: &mut Spans) -> Result<Vec<Flow>, OutOfRange> {
        let mut early = Vec::new();
        if !self.recalculation.is_some_and(|r| r.daily) {
            return Ok(early);
        }
        let mut overdue = overdue;
        let come: Vec<Flow> = self.paid.iter().filter(|f| f.on < until).copied().collect();
        self.paid.retain(|f| f.on >= until);
        for flow in come {
            if flow.amount.is_negative() {
                self.back_early(&flow, &mut early, &mut overdue, spans)?;
                continue;
            }
            let before = self.open()?;
            let amount = self.meet(flow.amount)?;
            let late = before.minus(self.open()?)?.min(overdue);
            overdue = overdue.minus(late)?;
            spans.change(flow.on, Amount::ZERO.minus(late.plus(amount)?)?);
            early.push(Flow { on: flow.on, amount });
        }
        // What may be paid today earns nothing after it. No day of a period that is over or to come is changed by it, and
        // where nothing is overdue the period is not cut, so that its interest is rounded once whenever it is looked at.
        if overdue.is_positive() {
            spans.change(self.today, Amount::ZERO.minus(overdue)?);
        }
        early.retain(|f| f.amount.is_positive());
        Ok(early)
    }

    /// Money that comes on or before a day.
    fn drain(&mut self, until: Date) -> Vec<Amount> {
        let (come, later): (Vec<Flow>, Vec<Flow>) = self.paid.iter().partition(|f| f.on <= until);
        self.paid = later;
        come.iter().map(|f| f.amount).collect()
    }

    /// The day on which early money paid everything, interest up to it included, if it did and nothing was lent since:
    /// what is lent later has the rows after it as they were agreed.
    fn closed_on(
        &self,
        place: usize,
        until: Date,
        early: &[Flow],
        spans: &mut Spans,
    ) -> Result<Option<Date>, OutOfRange> {
        let Some(&Period { from, .. }) = self.periods.get(place) else {
            return Ok(None);
        };
        let takes_all = self.recalculation.is_some_and(|r| r.until == Until::PaymentDay);
        let mut sum = Amount::ZERO;
        for flow in early.iter().filter(|_| takes_all) {
            sum = sum.plus(flow.amount)?;
            if self.course.lent.iter().any(|lent| lent.on > flow.on) || self.is_handed_back(flow) {
                continue;
            }
            let interest = self.earned(spans, (from, until), flow.on)?;
            if sum >= self.balance.plus(interest)?.plus(self.deferred)? {
                return Ok(Some(flow.on));
            }
        }
        Ok(None)
    }

    /// What is payable of a period's interest: grace puts it off.
    fn payable(&mut self, place: usize, interest: Amount) -> Result<Amount, OutOfRange> {
        let all = interest.plus(core::mem::take(&mut self.deferred))?;
        if self.periods.get(place).is_some_and(|p| p.puts_off) {
            self.deferred = all;
            return Ok(Amount::ZERO);
        }
        Ok(all)
    }

    /// The principal that a row asks for.
    fn wanted(&self, place: usize, interest: Amount) -> Result<Amount, OutOfRange> {
        if self.periods.get(place).is_some_and(|p| p.is_free) {
            return Ok(Amount::ZERO);
        }
        match self.servicing.method {
            Method::EqualPrincipal(_) | Method::Flat(_) => Ok(self.instalment),
            _ => self.instalment.minus_or_zero(interest),
        }
    }

    /// What is done with principal that was paid beyond an instalment.
    fn exceed(&mut self, place: usize, beyond: Amount) -> Result<(), OutOfRange> {
        if !beyond.is_positive() {
            return Ok(());
        }
        match self.servicing.excess {
            Some(Excess::LowerInstalment) => {
                self.instalment = self.level(self.balance, place.saturating_add(1))?;
            }
            Some(Excess::NextRows) => self.carried = self.carried.plus(beyond)?,
            Some(Excess::LastRow | Excess::FewerRows) | None => {}
        }
        Ok(())
    }

    /// The instalment, or its principal if that is equal, for an amount over the rows from one on.
    fn level(&self, amount: Amount, first: usize) -> Result<Amount, OutOfRange> {
        let agreed = self.periods.iter().take(self.agreed).skip(first);
        let count = agreed.filter(|p| !p.is_free).count().max(1);
        if matches!(self.servicing.method, Method::EqualPrincipal(_) | Method::Flat(_)) {
            let count = i64::try_from(count).map_err(|_| OutOfRange("the number of rows"))?;
            let equal = amount.share(1, count, Rounding::HalfEven)?;
            let is_flat = matches!(self.servicing.method, Method::Flat(_));
            return to_multiple(
                equal,
                if is_flat {
                    self.servicing.multiple
                } else {
                    Amount::ZERO
                },
            );
        }
        let (Some(Period { from, until, .. }), Some(at)) = (self.periods.first(), self.periods.get(first))
        else {
            return Ok(amount);
        };
        let (days, year_days) = part(self.servicing, *from, *until)?;
        let periods = alloc::vec![crate::calendar::YearPart { days, year_days }; count];
        let annual = self.rate(at.until);
        let level = crate::schedule::level_payment(amount, annual, &periods, Rounding::HalfEven)?;
        to_multiple(level, self.servicing.multiple)
    }

    /// The rate on the day before one.
    fn rate(&self, day: Date) -> Rate {
        let changed = self.course.rates.iter().rev().find(|(from, _)| *from < day);
        changed.map_or(self.annual, |(_, rate)| *rate)
    }

    /// Interest of the spans of a period up to a day, each rounded; a flat rate counts on all that was lent.
    fn earned(&self, spans: &Spans, period: (Date, Date), to: Date) -> Result<Amount, OutOfRange> {
        let mut sum = Amount::ZERO;
        for earned in self.stretches(spans, period, to)? {
            sum = sum.plus(interest(earned.base, earned.rate, earned.part)?)?;
        }
        Ok(sum)
    }

    /// The days of a period up to one of them, cut where a balance or a rate changes; those of a pause are left out.
    fn stretches(
        &self,
        spans: &Spans,
        period: (Date, Date),
        to: Date,
    ) -> Result<Vec<told::Earned>, OutOfRange> {
        let mut stretches = Vec::new();
        let (mut from, mut balance) = (spans.from, spans.balance);
        let is_flat = matches!(self.servicing.method, Method::Flat(_));
        for (on, change) in self.cuts(spans).into_iter().chain([(to, Amount::ZERO)]) {
            let until = on.min(to);
            if until > from && !self.is_paused(from, until) {
                stretches.push(told::Earned {
                    from,
                    until,
                    base: if is_flat {
                        self.lent_by(from)?
                    } else {
                        balance.max(Amount::ZERO)
                    },
                    rate: self.rate(until),
                    part: span(self.servicing, period, (from, until))?,
                });
            }
            from = from.max(until);
            balance = balance.plus(change)?;
        }
        Ok(stretches)
    }

    /// All that was lent by a day, or at all if the schedule is always built as a whole.
    fn lent_by(&self, day: Date) -> Result<Amount, OutOfRange> {
        let whole = self.servicing.whole;
        let lent = self.course.lent.iter().filter(|f| whole || f.on <= day);
        Amount::sum(lent.map(|f| f.amount))
    }

    /// The days on which a balance, a rate or a pause changes, with the change of the balance.
    fn cuts(&self, spans: &Spans) -> Vec<(Date, Amount)> {
        let is_flat = matches!(self.servicing.method, Method::Flat(_));
        // A flat rate counts on what was lent, whatever was paid.
        let counts = |f: &&Flow| !is_flat || (f.amount.is_positive() && !self.servicing.whole);
        let changes = spans.changes.iter().filter(counts);
        let changes = changes.map(|f| (f.on.max(spans.from), f.amount));
        let rates = self.course.rates.iter().map(|(from, _)| *from);
        let pauses = self.course.pauses.iter().flat_map(|p| [p.from, p.until]);
        let others = rates.chain(pauses).filter(|day| *day > spans.from);
        let mut cuts: Vec<(Date, Amount)> = changes.chain(others.map(|day| (day, Amount::ZERO))).collect();
        cuts.sort_by_key(|(day, _)| *day);
        cuts
    }

    /// Whether days earn nothing.
    fn is_paused(&self, from: Date, until: Date) -> bool {
        let covers = |p: &Span| p.from <= from && until <= p.until;
        self.course.pauses.iter().any(covers)
    }
}

/// The periods of the agreed rows, and more where money was lent after the last due date; says how many more.
fn periods(state: &State<'_>, servicing: &Servicing) -> Result<(Vec<Period>, usize), OutOfRange> {
    let mut periods: Vec<Period> = Vec::with_capacity(state.rows.len());
    for standing in state.rows.iter().filter(|s| s.is_regular()) {
        let mut added = standing.added;
        for component in [Component::Fee, Component::Penalty] {
            let waived = standing.row.figures(component).waived;
            added.add(component, Amount::ZERO.minus(waived)?)?;
        }
        periods.push(Period {
            from: standing.from,
            until: standing.row.due_on,
            added,
            is_free: periods.len() < usize::from(servicing.interest_only),
            puts_off: periods.len() < usize::from(servicing.interest_deferred),
        });
    }
    let course = &state.course;
    let last_lent = course.lent.iter().map(|f| f.on).max();
    let agreed = periods.len();
    while let (Some(last), Some(lent_on)) = (periods.last().copied(), last_lent)
        && lent_on > last.until
    {
        periods.push(Period {
            from: last.until,
            until: after(last.until, servicing.period, 1)?,
            added: Parts::default(),
            is_free: false,
            puts_off: false,
        });
    }
    for (from, count) in &course.without_principal {
        let rows = periods.iter_mut().filter(|p| p.until >= *from);
        rows.take(usize::from(*count)).for_each(|p| p.is_free = true);
    }
    for (from, count) in &course.without_interest {
        let rows = periods.iter_mut().filter(|p| p.until >= *from);
        rows.take(usize::from(*count)).for_each(|p| p.puts_off = true);
    }
    let added = periods.len().saturating_sub(agreed);
    // Whatever is put off is due in the end.
    if let Some(last) = periods.last_mut() {
        (last.is_free, last.puts_off) = (false, false);
    }
    Ok((periods, added))
}
