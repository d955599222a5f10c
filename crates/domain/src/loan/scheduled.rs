//! Interest as scheduled (按计划计息): reckoned when money is lent, whatever is paid later, or anew with every payment.
//!
//! Instalments may be multiples, rows at the beginning may owe interest alone or nothing, and the last row takes what
//! rounding left. These are the schedules of core systems that quote whole units. Where the agreement says that interest is
//! reckoned anew, the schedule is built from the days on which money was lent and paid: what comes before a due date is
//! principal from its day on, what is overdue earns until it is paid, and what goes beyond an instalment does what
//! [`Excess`] says. (Apache Fineract, cumulative schedules: `LoanRepayment.feature`, RP01 to RP16.)

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::days_between;
use crate::loan::Parts;
use crate::loan::interest::{actual_parts, to_multiple};
use crate::loan::state::{Flow, State};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::{Basis, Credit, Excess, Method, Recalculation, Servicing, Timing, Unit, Until, YearDays};

/// Lends so much over the rows to come.
pub(crate) fn lend(state: &mut State<'_>, servicing: &Servicing, amount: Amount) -> Result<(), OutOfRange> {
    let day = state.day;
    state.lent.push(Flow { on: day, amount });
    if servicing.method != Method::Flat {
        return reckon(state, servicing);
    }
    let ahead = |due_on: Date| due_on > day || (due_on == day && servicing.down_payment_first);
    let regular = state
        .rows
        .iter()
        .filter(|s| s.is_regular() && ahead(s.row.due_on));
    let count = i64::try_from(regular.count()).map_err(|_| OutOfRange("the number of rows"))?;
    let repaying = count.saturating_sub(i64::from(servicing.interest_only)).max(1);
    let equal = to_multiple(
        amount.share(1, repaying, Rounding::HalfEven)?,
        servicing.multiple,
    )?;
    let (mut left, mut deferred, mut place) = (amount, Amount::ZERO, 0i64);
    let annual = state.terms.pricing.rate();
    for standing in &mut state.rows {
        if !standing.is_regular() || !ahead(standing.row.due_on) {
            continue;
        }
        place = place.saturating_add(1);
        let span = part(servicing, standing.from, standing.row.due_on)?;
        let mut interest = interest(amount, annual, span)?;
        if place <= i64::from(servicing.interest_deferred) {
            deferred = deferred.plus(core::mem::take(&mut interest))?;
        }
        let principal = match place {
            _ if place == count => left,
            _ if place <= i64::from(servicing.interest_only) => Amount::ZERO,
            _ => equal.min(left),
        };
        left = left.minus(principal)?;
        let row = &mut standing.row;
        row.principal.charged = row.principal.charged.plus(principal)?;
        if !interest.is_zero() {
            interest = interest.plus(core::mem::take(&mut deferred))?;
        }
        row.interest.charged = row.interest.charged.plus(interest)?;
    }
    Ok(())
}

/// Lets the rows owe what the money that moved up to the state's day makes of them, where interest is scheduled.
pub(crate) fn reckon(state: &mut State<'_>, servicing: &Servicing) -> Result<(), OutOfRange> {
    if matches!(servicing.method, Method::Flat | Method::Balance) || state.lent.is_empty() {
        return Ok(());
    }
    put_back(state);
    let built = Builder::new(state, servicing)?.build()?;
    let mut rows = built.iter();
    let all = core::mem::take(&mut state.rows);
    for mut standing in all {
        let row = if standing.is_regular() { rows.next() } else { None };
        if let Some(row) = row {
            if row.until != standing.row.due_on {
                state.ended_early = Some(standing.row.due_on);
            }
            standing.row.due_on = row.until;
            standing.planned = row.planned;
        } else if standing.is_regular() {
            state.set_aside.push(standing);
            continue;
        }
        state.rows.push(standing);
    }
    for standing in state.rows.iter_mut().filter(|s| s.is_regular()) {
        let row = &mut standing.row;
        row.principal.charged = standing.planned.principal.plus(standing.added.principal)?;
        row.interest.charged = standing.planned.interest.plus(standing.added.interest)?;
        // A later payment may leave less interest than an earlier one had paid: the difference paid principal.
        let over = row.interest.paid.minus_or_zero(row.interest.charged)?;
        row.interest.paid = row.interest.paid.minus(over)?;
        row.principal.paid = row.principal.paid.plus(over)?;
    }
    state.renumber();
    Ok(())
}

/// Puts back the rows that were not needed, and the day of the row in which everything was paid.
fn put_back(state: &mut State<'_>) {
    let aside = core::mem::take(&mut state.set_aside);
    let regular = state.rows.iter_mut().rfind(|s| s.is_regular());
    if let (Some(standing), Some(due_on)) = (regular, state.ended_early.take()) {
        standing.row.due_on = due_on;
    }
    for standing in aside {
        state.insert(standing);
    }
}

/// A row on its way.
#[derive(Debug, Clone, Copy)]
struct Built {
    until: Date,
    planned: Parts,
    /// What is open of it.
    open: Parts,
    /// Whether everything was paid in it.
    is_last: bool,
}

/// Builds the rows from the first to the last.
struct Builder<'s> {
    servicing: &'s Servicing,
    recalculation: Option<Recalculation>,
    annual: Rate,
    today: Date,
    /// Periods, with what is charged in them beside the plan.
    periods: Vec<(Date, Date, Parts)>,
    lent: Vec<Flow>,
    /// What came in and was not placed yet.
    paid: Vec<Flow>,
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
    fn new(state: &State<'_>, servicing: &'s Servicing) -> Result<Builder<'s>, OutOfRange> {
        let recalculation = servicing.recalculation.filter(|_| servicing.excess.is_some());
        let mut periods = Vec::with_capacity(state.rows.len());
        for standing in state.rows.iter().filter(|s| s.is_regular()) {
            let mut added = standing.added;
            for component in [Component::Fee, Component::Penalty] {
                let waived = standing.row.figures(component).waived;
                added.add(component, Amount::ZERO.minus(waived)?)?;
            }
            periods.push((standing.from, standing.row.due_on, added));
        }
        let rule = servicing.rule(Credit::Payment);
        let order = rule.into_iter().flat_map(|r| &r.buckets);
        let order = order.filter(|b| b.timing == Timing::PastDue).map(|b| b.component);
        let mut builder = Builder {
            servicing,
            recalculation,
            annual: state.terms.pricing.rate(),
            today: state.day,
            periods,
            lent: state.lent.clone(),
            paid: recalculation.map_or(Vec::new(), |_| state.paid_in.clone()),
            order: order.collect(),
            rows: Vec::new(),
            balance: Amount::ZERO,
            instalment: Amount::ZERO,
            carried: Amount::ZERO,
            deferred: Amount::ZERO,
        };
        let all = Amount::sum(builder.lent.iter().map(|f| f.amount))?;
        builder.instalment = builder.level(all, 0)?;
        Ok(builder)
    }

    fn build(mut self) -> Result<Vec<Built>, OutOfRange> {
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
        let Some(&(from, until, added)) = self.periods.get(place) else {
            return Ok(());
        };
        let overdue = self.overdue_at(from, until)?;
        let mut spans = Spans::new(from, self.balance.plus(overdue)?);
        for lent in self.lent.iter().filter(|f| f.on <= until) {
            if lent.on > from || (place == 0 && lent.on == from) {
                spans.change(lent.on, lent.amount);
                self.balance = self.balance.plus(lent.amount)?;
            }
        }
        let early = self.early(from, until, overdue, &mut spans)?;
        if let Some(on) = self.closed_on(place, until, &early, &mut spans)? {
            let interest = self.earned(&spans, (from, until), on)?;
            self.push(on, (self.balance, interest), added, true)?;
            return Ok(());
        }
        let early = Amount::sum(early.iter().map(|f| f.amount))?;
        let interest = self.earned(&spans, (from, until), until)?;
        let interest = self.payable(place, interest)?;
        let wanted = self.wanted(place, interest)?;
        let asked = wanted.minus_or_zero(self.carried)?;
        self.carried = self.carried.minus_or_zero(wanted)?;
        let is_final = place.saturating_add(1) == self.periods.len();
        let asked = if is_final { self.balance } else { asked.min(self.balance) };
        let beyond = early.minus_or_zero(asked)?.min(self.balance.minus(asked)?);
        self.push(until, (asked.plus(beyond)?, interest), added, false)?;
        self.balance = self.balance.minus(asked)?.minus(beyond)?;
        self.exceed(place, beyond)?;
        self.meet(early)?;
        self.fall_due(place, until)
    }

    /// Lets the money of a due date meet its row and those before; what is beyond them is principal of the row.
    fn fall_due(&mut self, place: usize, until: Date) -> Result<(), OutOfRange> {
        let mut beyond = Amount::ZERO;
        for amount in self.drain(until, true) {
            beyond = beyond.plus(self.meet(amount)?)?;
        }
        let beyond = beyond.min(self.balance);
        if let Some(row) = self.rows.last_mut() {
            row.planned.principal = row.planned.principal.plus(beyond)?;
        }
        self.balance = self.balance.minus(beyond)?;
        self.exceed(place, beyond)?;
        let nothing_left = self.balance.is_zero() && self.lent.iter().all(|f| f.on <= until);
        let ends = self.servicing.excess == Some(Excess::FewerRows) || !self.paid.is_empty();
        if let Some(row) = self.rows.last_mut().filter(|_| nothing_left && ends) {
            row.is_last = true;
        }
        Ok(())
    }

    /// Puts a row at the end.
    fn push(
        &mut self,
        until: Date,
        (principal, interest): (Amount, Amount),
        added: Parts,
        is_last: bool,
    ) -> Result<(), OutOfRange> {
        let planned = Parts {
            principal,
            interest,
            ..Parts::default()
        };
        self.rows.push(Built {
            until,
            planned,
            open: added.plus(&planned)?,
            is_last,
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
                left = left.minus(part)?;
            }
        }
        Ok(left)
    }

    /// Principal of the rows so far that is open.
    fn open(&self) -> Result<Amount, OutOfRange> {
        Amount::sum(self.rows.iter().map(|r| r.open.principal))
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
    fn early(
        &mut self,
        from: Date,
        until: Date,
        overdue: Amount,
        spans: &mut Spans,
    ) -> Result<Vec<Flow>, OutOfRange> {
        let mut early = Vec::new();
        if !self.recalculation.is_some_and(|r| r.daily) {
            return Ok(early);
        }
        let mut overdue = overdue;
        let come: Vec<Flow> = self.paid.iter().filter(|f| f.on < until).copied().collect();
        self.paid.retain(|f| f.on >= until);
        for flow in come {
            let before = self.open()?;
            let amount = self.meet(flow.amount)?;
            let late = before.minus(self.open()?)?.min(overdue);
            overdue = overdue.minus(late)?;
            spans.change(flow.on, Amount::ZERO.minus(late.plus(amount)?)?);
            early.push(Flow { on: flow.on, amount });
        }
        if from < self.today && self.today < until {
            spans.change(self.today, Amount::ZERO.minus(overdue)?);
        }
        early.retain(|f| f.amount.is_positive());
        Ok(early)
    }

    /// Money that comes on or before a day.
    fn drain(&mut self, until: Date, on_day: bool) -> Vec<Amount> {
        let comes = |f: &Flow| f.on < until || (on_day && f.on == until);
        let come = self.paid.iter().filter(|f| comes(f)).map(|f| f.amount).collect();
        self.paid.retain(|f| !comes(f));
        come
    }

    /// The day on which early money paid everything, interest up to it included, if it did.
    fn closed_on(
        &self,
        place: usize,
        until: Date,
        early: &[Flow],
        spans: &mut Spans,
    ) -> Result<Option<Date>, OutOfRange> {
        let Some(&(from, ..)) = self.periods.get(place) else {
            return Ok(None);
        };
        let takes_all = self.recalculation.is_some_and(|r| r.until == Until::PaymentDay);
        let mut sum = Amount::ZERO;
        for flow in early.iter().filter(|_| takes_all) {
            sum = sum.plus(flow.amount)?;
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
        if place < usize::from(self.servicing.interest_deferred) {
            self.deferred = all;
            return Ok(Amount::ZERO);
        }
        Ok(all)
    }

    /// The principal that a row asks for.
    fn wanted(&self, place: usize, interest: Amount) -> Result<Amount, OutOfRange> {
        if place < usize::from(self.servicing.interest_only) {
            return Ok(Amount::ZERO);
        }
        match self.servicing.method {
            Method::EqualPrincipal(_) => Ok(self.instalment),
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
        let first = first.max(usize::from(self.servicing.interest_only));
        let count = self.periods.len().saturating_sub(first).max(1);
        if matches!(self.servicing.method, Method::EqualPrincipal(_)) {
            let count = i64::try_from(count).map_err(|_| OutOfRange("the number of rows"))?;
            return amount.share(1, count, Rounding::HalfEven);
        }
        let Some(&(from, until, _)) = self.periods.first() else {
            return Ok(amount);
        };
        let (days, year_days) = part(self.servicing, from, until)?;
        let periods = alloc::vec![crate::calendar::YearPart { days, year_days }; count];
        let level = crate::schedule::level_payment(amount, self.annual, &periods, Rounding::HalfEven)?;
        to_multiple(level, self.servicing.multiple)
    }

    /// Interest of the spans of a period up to a day, each rounded.
    fn earned(&self, spans: &Spans, period: (Date, Date), to: Date) -> Result<Amount, OutOfRange> {
        let mut sum = Amount::ZERO;
        let (mut from, mut balance) = (spans.from, spans.balance);
        let ends = spans.changes.iter().map(|f| (f.on.max(spans.from), f.amount));
        for (on, change) in ends.chain(core::iter::once((to, Amount::ZERO))) {
            let until = on.min(to);
            if until > from {
                let span = span(self.servicing, period, (from, until))?;
                sum = sum.plus(interest(balance.max(Amount::ZERO), self.annual, span)?)?;
                from = until;
            }
            balance = balance.plus(change)?;
        }
        Ok(sum)
    }
}

/// Balances in a period.
struct Spans {
    from: Date,
    balance: Amount,
    changes: Vec<Flow>,
}

impl Spans {
    const fn new(from: Date, balance: Amount) -> Spans {
        Spans {
            from,
            balance,
            changes: Vec::new(),
        }
    }

    /// Changes the balance from a day on.
    fn change(&mut self, on: Date, amount: Amount) {
        let place = self.changes.partition_point(|f| f.on <= on);
        self.changes.insert(place, Flow { on, amount });
    }
}

/// What scheduled interest is counted by.
const fn basis(method: Method) -> Basis {
    match method {
        Method::Level(basis) | Method::EqualPrincipal(basis) => basis,
        Method::Flat | Method::Balance => Basis::Periods,
    }
}

/// The part of a year that a whole period is, as a fraction.
fn part(servicing: &Servicing, from: Date, until: Date) -> Result<(i64, i64), OutOfRange> {
    span(servicing, (from, until), (from, until))
}

/// The part of a year that some days of a period are, as a fraction.
fn span(servicing: &Servicing, period: (Date, Date), days: (Date, Date)) -> Result<(i64, i64), OutOfRange> {
    let count = days_between(days.0, days.1);
    let all = days_between(period.0, period.1).max(1);
    let every = i64::from(servicing.period.every);
    Ok(
        match (basis(servicing.method), servicing.period.unit, servicing.year) {
            (Basis::Periods, Unit::Months, _) => (every.saturating_mul(count), all.saturating_mul(12)),
            (Basis::Periods, Unit::Weeks, _) => (every.saturating_mul(count), all.saturating_mul(52)),
            (_, _, YearDays::Fixed(year)) => (count, i64::from(year)),
            (_, _, YearDays::Actual) => {
                let (days, year) = actual_parts(days.0, days.1)?;
                let small = |n: i128| i64::try_from(n).map_err(|_| OutOfRange("a part of a year"));
                (small(days)?, small(year)?)
            }
        },
    )
}

/// Interest for a part of a year.
fn interest(balance: Amount, annual: Rate, (part, whole): (i64, i64)) -> Result<Amount, OutOfRange> {
    balance.interest(annual, part, whole, Rounding::HalfEven)
}
