//! Why a row owes what it does.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::explain::planned::Planned;
use crate::explain::trace::{Move, Number, Trace};
use crate::explain::{Explanation, Factor, How, Name, Product};
use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;

/// What is left of a row: of all its components.
pub(super) fn row(state: &State<'_>, standing: &Standing) -> Result<Explanation, OutOfRange> {
    let mut parts = Vec::with_capacity(4);
    for component in [
        Component::Principal,
        Component::Interest,
        Component::Fee,
        Component::Penalty,
    ] {
        parts.push(open(state, standing, component)?);
    }
    let row = standing.row.number;
    Explanation::sum(Name::Row { row }, parts, Vec::new())
}

/// What is left of one component of a row.
pub(super) fn open(
    state: &State<'_>,
    standing: &Standing,
    component: Component,
) -> Result<Explanation, OutOfRange> {
    let row = standing.row.number;
    let numbers = |number| moved(state, standing, component, number);
    let billed = Explanation::sum(
        Name::Billed { component },
        vec![charged(state, standing, component)?],
        vec![numbers(Number::Waived)?, numbers(Number::Cancelled)?],
    )?;
    let paid = numbers(Number::Paid)?;
    Explanation::sum(Name::Open { row, component }, vec![billed], vec![paid])
}

/// What a component came to by the terms.
fn charged(state: &State<'_>, standing: &Standing, component: Component) -> Result<Explanation, OutOfRange> {
    let figure = standing.row.figures(component).charged;
    let derived = match component {
        Component::Penalty => penalty(state, standing)?,
        Component::Fee => None,
        Component::Interest | Component::Principal => on_balance(state, standing, component)?,
    };
    match derived.filter(|d| d.value == figure) {
        Some(derived) => Ok(derived),
        None => moved(state, standing, component, Number::Charged),
    }
}

/// Principal or interest of a row where interest follows the balance, with what came to be owed beside the plan.
fn on_balance(
    state: &State<'_>,
    standing: &Standing,
    component: Component,
) -> Result<Option<Explanation>, OutOfRange> {
    let Some(accrual) = state.accrual.as_ref().filter(|_| standing.is_regular()) else {
        return crate::loan::build::told::why(state, standing, component);
    };
    let due_on = standing.row.due_on;
    let planned = if component == Component::Principal {
        accrual.why_principal(due_on)?
    } else {
        accrual.why_interest(due_on)?
    };
    let Some(planned) = planned else {
        return Ok(None);
    };
    // What is owed again and earns stands in the plan already.
    let counted = if component == Component::Principal {
        accrual.credited(due_on)
    } else {
        Amount::ZERO
    };
    let beside = Explanation::given(Name::Beside, standing.added.of(component).minus(counted)?);
    Explanation::sum(Name::Charged { component }, vec![planned, beside], Vec::new()).map(Some)
}

/// Late fee and penalty interest of a row, as [`crate::late`] counts them, with what was charged beside them.
fn penalty(state: &State<'_>, standing: &Standing) -> Result<Option<Explanation>, OutOfRange> {
    let (Some(trace), true) = (&state.trace, standing.late.is_late) else {
        return Ok(None);
    };
    let policy = &state.terms.conventions.late;
    let fee = Product {
        of: Explanation::given(Name::LateFee, policy.fee),
        factors: Vec::new(),
    };
    let mut products = vec![fee];
    let mut spans: Vec<(Date, Date, Amount, i64)> = Vec::new();
    for late in trace.late.iter().filter(|s| s.row == standing.mark) {
        let graced = if policy.from_due_date {
            late.counted.graced
        } else {
            0
        };
        let days = late.counted.charged.saturating_add(graced);
        match spans.last_mut() {
            // The fold stops on days that change nothing here.
            Some(last) if last.1 == late.from && last.2 == late.base => {
                last.1 = late.until;
                last.3 = last.3.saturating_add(days);
            }
            _ => spans.push((late.from, late.until, late.base, days)),
        }
    }
    for (from, until, base, days) in spans {
        products.push(Product {
            of: Explanation::given(Name::Overdue { from, until }, base),
            factors: vec![Factor::Rate { rate: policy.daily }, Factor::Days { days, of: 1 }],
        });
    }
    products.retain(|p| !p.of.value.is_zero());
    let rounding = state.terms.conventions.rounding;
    let exact = Explanation::of(Name::Penalty, How::Rounded { products, rounding })?;
    let beside = standing.added.penalty;
    let allowed = standing.row.penalty.charged.minus(beside)?;
    let counted = exact.at_most(Explanation::given(Name::CapAllows, allowed))?;
    let beside = Explanation::given(Name::Beside, beside);
    let component = Component::Penalty;
    Explanation::sum(Name::Charged { component }, vec![counted, beside], Vec::new()).map(Some)
}

/// A number of a row as the sum of what moved it.
fn moved(
    state: &State<'_>,
    standing: &Standing,
    component: Component,
    number: Number,
) -> Result<Explanation, OutOfRange> {
    let name = match number {
        Number::Charged => Name::Charged { component },
        Number::Paid => Name::Paid,
        Number::Waived => Name::Waived,
        Number::Cancelled => Name::FellAway,
    };
    let mut parts = Vec::new();
    if let Some(trace) = &state.trace {
        let is_of = |m: &&Move| (m.row, m.component, m.number) == (standing.mark, component, number);
        for one in trace.moves.iter().filter(is_of) {
            parts.push(why(state, trace, one)?);
        }
    }
    Explanation::sum(name, parts, Vec::new())
}

/// Why one number moved: what was told of it, or the schedule of what was lent, or that it happened.
fn why(state: &State<'_>, trace: &Trace, one: &Move) -> Result<Explanation, OutOfRange> {
    if let Some(why) = &one.why {
        return Ok(why.clone());
    }
    if let Some((lent, place)) = one.lent
        && let Some(lent) = trace.lent.get(lent)
        && let Some(why) = Planned::new(state.terms, lent)?.component(place, one.component)?
        && why.value == one.amount
    {
        return Ok(why);
    }
    let name = Name::Moved {
        cause: one.cause,
        on: one.on,
        transaction: one.transaction,
    };
    Ok(Explanation::given(name, one.amount))
}

/// All that is open of some rows' principal.
pub(super) fn principal<'s>(
    name: Name,
    rows: impl Iterator<Item = &'s Standing>,
) -> Result<Explanation, OutOfRange> {
    let mut parts = Vec::new();
    for standing in rows {
        let (row, component) = (standing.row.number, Component::Principal);
        let open = standing.open_of(component)?;
        parts.push(Explanation::given(Name::Open { row, component }, open));
    }
    Explanation::sum(name, parts, Vec::new())
}

/// What is open of some rows, each explained.
pub(super) fn rows<'s>(
    name: Name,
    state: &State<'_>,
    rows: impl Iterator<Item = &'s Standing>,
) -> Result<Explanation, OutOfRange> {
    let mut parts = Vec::new();
    for standing in rows.filter(|s| has_open(s)) {
        parts.push(row(state, standing)?);
    }
    Explanation::sum(name, parts, Vec::new())
}

/// Whether anything is open of a row.
fn has_open(standing: &Standing) -> bool {
    let open = standing.row.open().and_then(|p| p.total());
    open.is_ok_and(|open| open != Amount::ZERO)
}
