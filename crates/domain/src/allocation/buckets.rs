//! Spreading by buckets (冲账顺序): one amount over the components of the rows of a timing, in an agreed order.

use alloc::vec::Vec;

use jiff::civil::Date;

use crate::loan::interest::Accrual;
use crate::loan::state::{Standing, State};
use crate::loan::{Parts, charges};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;
use crate::servicing::{Ahead, Bucket, Credit, Rule, Servicing, Timing, Until};

/// Spreads an amount by the buckets of the agreement's servicing; says what is left and what was paid.
pub(crate) fn spread(
    state: &mut State<'_>,
    servicing: &Servicing,
    credit: Credit,
    amount: Amount,
) -> Result<(Amount, Parts), OutOfRange> {
    let mut turn = Turn {
        left: amount,
        paid: Parts::default(),
        takes_all: false,
    };
    let Some(rule) = servicing.rule(credit).filter(|_| amount.is_positive()) else {
        return Ok((amount, turn.paid));
    };
    // Principal that was paid may have let a row owe interest whose turn was over: it comes again.
    loop {
        let before = turn.left;
        turn.fill_all(state, servicing.row_by_row, rule)?;
        if turn.left.is_zero() || (turn.left == before && turn.takes_all) {
            break;
        }
        // What no row asks for as an instalment meets what is left of the loan before it is anybody's credit.
        turn.takes_all |= turn.left == before;
    }
    state.principal = state.principal.minus(turn.paid.principal)?;
    Ok((turn.left, turn.paid))
}

/// An amount on its way through the buckets.
struct Turn {
    /// What is left of it.
    left: Amount,
    /// What it paid so far.
    paid: Parts,
    /// Whether rows to come take all that is left of the loan, and not their instalments alone.
    takes_all: bool,
}

impl Turn {
    /// Goes through all buckets once.
    fn fill_all(&mut self, state: &mut State<'_>, row_by_row: bool, rule: &Rule) -> Result<(), OutOfRange> {
        for (place, bucket) in rule.buckets.iter().enumerate() {
            let is_same = |b: &&Bucket| row_by_row && b.timing == bucket.timing;
            if rule.buckets.iter().take(place).any(|b| is_same(&b)) {
                continue;
            }
            let together = rule.buckets.iter().filter(|b| *b == bucket || is_same(b));
            let components: Vec<Component> = together.map(|b| b.component).collect();
            self.fill(state, bucket.timing, &components, rule.ahead)?;
        }
        Ok(())
    }

    /// Pays some components of the rows of one timing, until nothing is left of the amount or of them.
    fn fill(
        &mut self,
        state: &mut State<'_>,
        timing: Timing,
        components: &[Component],
        ahead: Ahead,
    ) -> Result<(), OutOfRange> {
        let mut passed = Vec::new();
        while self.left.is_positive() {
            let mut places: Vec<usize> = Vec::with_capacity(state.rows.len());
            for place in (0..state.rows.len()).filter(|p| !passed.contains(p)) {
                if is_asked(state, place, timing, components)? {
                    places.push(place);
                }
            }
            if timing != Timing::Ahead || ahead == Ahead::Next {
                places.truncate(1);
            } else if ahead == Ahead::Last {
                places = places.pop().into_iter().collect();
            }
            if places.is_empty() {
                break;
            }
            let before = self.left;
            for component in components {
                self.pay_rows(state, &places, *component, timing)?;
            }
            // A row takes nothing while what it owes is not earned: the others may share what it leaves, and then it again.
            if self.left == before {
                passed.extend(places.first());
            } else {
                passed.clear();
            }
        }
        Ok(())
    }

    /// Pays one component of some rows alike; the last takes what the division leaves.
    fn pay_rows(
        &mut self,
        state: &mut State<'_>,
        places: &[usize],
        component: Component,
        timing: Timing,
    ) -> Result<(), OutOfRange> {
        let Ok(count) = i64::try_from(places.len()) else {
            return Err(OutOfRange("the number of rows"));
        };
        if count == 0 {
            return Ok(());
        }
        let each = self.left.share(1, count, Rounding::HalfEven)?;
        let rest = self.left.minus(each.times(count)?)?;
        for (turn, place) in (1i64..).zip(places) {
            let most = if turn == count { each.plus(rest)? } else { each };
            let mut most = most.min(self.left);
            if timing == Timing::Dated {
                most = most.min(charges::due_alone(state, *place, component)?);
            }
            let amount = pay_bucket(state, *place, (component, timing), most, self.takes_all)?;
            self.paid.add(component, amount)?;
            self.left = self.left.minus(amount)?;
        }
        Ok(())
    }
}

/// Whether a row has anything open in a bucket.
fn is_asked(
    state: &State<'_>,
    place: usize,
    timing: Timing,
    components: &[Component],
) -> Result<bool, OutOfRange> {
    if timing == Timing::Dated {
        let due = components.iter().try_fold(Amount::ZERO, |sum, component| {
            sum.plus(charges::due_alone(state, place, *component)?)
        });
        return Ok(due?.is_positive());
    }
    let Some(standing) = state.rows.get(place) else {
        return Ok(false);
    };
    Ok(standing.timing(state.day) == timing && standing.owes(components)?)
}

/// Pays one component of one row. Where interest follows the balance, a row that is paid ahead takes interest only as far
/// as the agreement says, and what was paid changes what the rows to come owe.
fn pay_bucket(
    state: &mut State<'_>,
    place: usize,
    (component, timing): (Component, Timing),
    most: Amount,
    takes_all: bool,
) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let recalculation = state.terms.conventions.recalculation();
    let follows = matches!(component, Component::Principal | Component::Interest) && state.accrual.is_some();
    let Some(standing) = state.rows.get_mut(place) else {
        return Ok(Amount::ZERO);
    };
    if !follows || !standing.is_regular() {
        return standing.take(day, component, most);
    }
    let due_on = standing.row.due_on;
    let mut on = day;
    if let Some(recalculation) = recalculation.filter(|_| timing == Timing::Ahead) {
        on = counts_from(standing, recalculation.until, day);
        if let Some(accrual) = &state.accrual {
            let to = earned_to(accrual, component, recalculation.until, on);
            if let Some((principal, interest)) = accrual.due_at(due_on, to, takes_all)? {
                // What came to be owed again is in the balance already, and beside the plan in the row.
                let planned = principal.minus(accrual.credited(due_on))?;
                standing.owe(component, planned, interest)?;
            }
        }
    }
    let Some(accrual) = &mut state.accrual else {
        return standing.take(day, component, most);
    };
    let owed = Owed::of(accrual, standing, component)?;
    let is_principal = component == Component::Principal;
    // What the rows to come ask for may pass what is left of the loan, until the last of them gives way.
    let most = if is_principal && recalculation.is_some() {
        most.min(accrual.unpaid()?.max(Amount::ZERO).plus(owed.beside)?)
    } else {
        most
    };
    let paid = standing.take(day, component, most)?;
    if !is_principal {
        accrual.pay_interest(due_on, owed.planned.min(paid))?;
    } else if recalculation.is_some() {
        accrual.pay_principal(due_on, on, owed.planned.min(paid))?;
    }
    state.follow()?;
    Ok(paid)
}

/// What is open of a component of a row whose interest follows the balance.
pub(super) struct Owed {
    /// Of the plan.
    planned: Amount,
    /// Of what came to be owed beside the plan. It is no part of the balance: the plan is paid first.
    beside: Amount,
}

impl Owed {
    /// What was met of what came to be owed beside the plan: that is paid last.
    pub(super) fn met_beside(
        accrual: &Accrual<'_>,
        standing: &Standing,
        component: Component,
    ) -> Result<Amount, OutOfRange> {
        let term = accrual.terms.iter().find(|t| t.until == standing.row.due_on);
        let of_plan = term.map_or(Amount::ZERO, |t| match component {
            Component::Principal => t.paid_principal,
            _ => t.paid_interest,
        });
        let figures = standing.row.figures(component);
        figures.paid.plus(figures.waived)?.minus_or_zero(of_plan)
    }

    fn of(accrual: &Accrual<'_>, standing: &Standing, component: Component) -> Result<Owed, OutOfRange> {
        let due_on = standing.row.due_on;
        let term = accrual.terms.iter().find(|t| t.until == due_on);
        let (counted, before) = term.map_or((Amount::ZERO, Amount::ZERO), |t| match component {
            Component::Principal => (t.credited, t.paid_principal),
            _ => (Amount::ZERO, t.paid_interest),
        });
        let figures = standing.row.figures(component);
        let beside = standing.added.of(component).minus(counted)?;
        let met = figures.paid.plus(figures.waived)?;
        Ok(Owed {
            planned: figures.charged.minus(beside)?.minus_or_zero(before)?,
            beside: beside.minus_or_zero(met.minus_or_zero(before)?)?,
        })
    }
}

/// The day from which on principal that moves in a row on a day changes what earns: where an early payment takes the interest
/// of its whole period, it is the end of that period.
pub(super) fn counts_from(standing: &Standing, until: Until, day: Date) -> Date {
    let is_under_way = standing.from < day && day < standing.row.due_on;
    if until == Until::PeriodEnd && is_under_way {
        standing.row.due_on
    } else {
        day
    }
}

/// The day up to which a payment ahead takes a component as earned. Interest that an earlier period put off is earned as
/// far as that period earns.
fn earned_to(accrual: &Accrual<'_>, component: Component, until: Until, day: Date) -> Date {
    match (component, until) {
        (Component::Interest, Until::PeriodEnd) => accrual.period_end(day),
        _ => day,
    }
}

/// Waives at most so much of a component, the oldest row first, where rows follow the agreement's servicing; says how much.
pub(crate) fn waive(
    state: &mut State<'_>,
    component: Component,
    amount: Amount,
) -> Result<Parts, OutOfRange> {
    crate::loan::overdue::count(state)?;
    let follows = state.terms.conventions.recalculation().is_some();
    let mut left = amount;
    for place in 0..state.rows.len() {
        let day = state.day;
        let Some(standing) = state.rows.get_mut(place) else {
            continue;
        };
        let due_on = standing.row.due_on;
        let accrual = state.accrual.as_mut().filter(|_| standing.is_regular());
        let Some(accrual) = accrual else {
            left = left.minus(standing.waive(component, left)?)?;
            continue;
        };
        // The balance behind the rows knows no difference between what was paid and what is not asked for.
        let owed = Owed::of(accrual, standing, component)?;
        let waived = standing.waive(component, left)?;
        left = left.minus(waived)?;
        match component {
            Component::Principal if follows => {
                accrual.pay_principal(due_on, day, owed.planned.min(waived))?;
            }
            Component::Interest => accrual.pay_interest(due_on, owed.planned.min(waived))?,
            _ => {}
        }
        state.follow()?;
    }
    let mut waived = Parts::default();
    waived.add(component, amount.minus(left)?)?;
    state.principal = state.principal.minus(waived.principal)?;
    Ok(waived)
}

impl Standing {
    /// When the row is due, seen from a day.
    pub(super) fn timing(&self, day: Date) -> Timing {
        match self.row.due_on.cmp(&day) {
            core::cmp::Ordering::Less => Timing::PastDue,
            core::cmp::Ordering::Equal => Timing::Due,
            core::cmp::Ordering::Greater => Timing::Ahead,
        }
    }

    /// Whether anything is open: of one component if only that is asked for, else of the row.
    fn owes(&self, components: &[Component]) -> Result<bool, OutOfRange> {
        let open = match components {
            [only] => self.open_of(*only)?,
            _ => self.row.open()?.total()?,
        };
        Ok(open.is_positive())
    }

    /// Lets the row owe what it does if interest is taken up to a day.
    fn owe(&mut self, component: Component, principal: Amount, interest: Amount) -> Result<(), OutOfRange> {
        match component {
            Component::Principal => {
                self.row.principal.charged = principal.plus(self.added.principal)?;
            }
            _ => self.row.interest.charged = interest.plus(self.added.interest)?,
        }
        Ok(())
    }

    /// Pays what is open of one component, at most `left`, and notes whether it came before or after its day.
    pub(crate) fn take(
        &mut self,
        day: Date,
        component: Component,
        left: Amount,
    ) -> Result<Amount, OutOfRange> {
        let paid = self.pay(component, left)?;
        if day < self.row.due_on {
            self.ahead = self.ahead.plus(paid)?;
        } else if day > self.row.due_on {
            self.late_paid = self.late_paid.plus(paid)?;
        }
        Ok(paid)
    }
}
