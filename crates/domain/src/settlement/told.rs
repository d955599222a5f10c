//! Why a settlement and a new price come to what they do: the numbers that [`settlement`](super) took, as explanations.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::calendar::days_between;
use crate::explain::trace::{Number, Trace};
use crate::explain::{Explanation, Factor, Name};
use crate::loan::Parts;
use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::{Component, Settlement, Terms};

/// Interest on a balance for a part of a period, both as (from, until), as [`super::interest_for`] reckons it.
pub(crate) fn interest(
    terms: &Terms,
    (begin, end): (Date, Date),
    (from, until): (Date, Date),
    balance: Amount,
) -> Result<Option<Explanation>, OutOfRange> {
    let Some((annual, day_count)) = terms.pricing.interest() else {
        return Ok(None);
    };
    if until <= from || !balance.is_positive() {
        return Ok(None);
    }
    let period = day_count.period(begin, end);
    let mut factors = vec![
        Factor::Rate { rate: annual },
        Factor::Days {
            days: period.days,
            of: period.year_days,
        },
    ];
    let (days, of) = (days_between(from, until), days_between(begin, end).max(1));
    if days != of {
        factors.push(Factor::Days { days, of });
    }
    let outstanding = Explanation::given(Name::Balance { from, until }, balance);
    let rounding = terms.conventions.rounding;
    Explanation::product(Name::Interest { from, until }, outstanding, factors, rounding).map(Some)
}

/// What a fee comes to when a part of its principal is left.
pub(super) fn fee(
    charged: Amount,
    (part, whole): (i64, i64),
    rounding: Rounding,
) -> Result<Explanation, OutOfRange> {
    let fee = Explanation::given(
        Name::Charged {
            component: Component::Fee,
        },
        charged,
    );
    Explanation::product(Name::NewPrice, fee, vec![Factor::Share { part, whole }], rounding)
}

/// What the interest of a row comes to now: what has accrued, and the rest of its period, less the seller's share.
pub(super) fn price(
    terms: &Terms,
    accrued: Amount,
    rest: Option<Explanation>,
) -> Result<Explanation, OutOfRange> {
    let mut plus = vec![Explanation::given(Name::Accrued, accrued)];
    plus.extend(rest);
    let all = Explanation::sum(Name::PeriodInterest, plus, Vec::new())?;
    if terms.borne_by_seller == Rate::ZERO {
        return Ok(Explanation {
            name: Name::NewPrice,
            ..all
        });
    }
    let share = vec![Factor::Rate {
        rate: terms.borne_by_seller,
    }];
    let subsidy = Explanation::product(Name::Subsidy, all.clone(), share, terms.conventions.rounding)?;
    Explanation::sum(Name::NewPrice, vec![all], vec![subsidy])
}

/// Tells why a component of a row falls to a price, before it does: see [`Standing::lower`].
pub(super) fn lowered(
    trace: &mut Trace,
    standing: &Standing,
    component: Component,
    price: Explanation,
) -> Result<(), OutOfRange> {
    let figures = standing.row.figures(component);
    let freed = figures.cancelled.minus(standing.returned.of(component))?;
    let before = Explanation::given(Name::Before, figures.charged.minus(freed)?);
    let left = Explanation::given(Name::Left, figures.open()?);
    let why = Explanation::sum(Name::FellAway, vec![before], vec![price])?
        .or_zero()?
        .at_most(left)?;
    trace.tell(standing.mark, component, Number::Cancelled, why);
    Ok(())
}

/// Why settling on the state's day costs what it does. Interest has been accrued to the day; `payable` explains what is
/// due, and `principal` what of the principal is not.
pub(crate) fn payoff(
    state: &State<'_>,
    payable: Explanation,
    principal: Explanation,
) -> Result<Explanation, OutOfRange> {
    let mut ahead = Parts::default();
    for standing in state.rows.iter().skip(state.due) {
        ahead = ahead.plus(&standing.row.open()?)?;
    }
    let mut plus = vec![payable, principal];
    let base = Explanation::given(Name::Base, Amount::sum(plus.iter().map(|e| e.value))?);
    let charge = Explanation::sum(
        Name::Wanted,
        vec![charged_interest(state, &ahead)?, charged_fee(state, &ahead)?],
        Vec::new(),
    )?;
    let allowed = Explanation::given(Name::CapAllows, super::allowed(state)?);
    let room = Explanation::sum(Name::CapAllows, vec![allowed], vec![base])?.or_zero()?;
    let lowered = Explanation::sum(Name::Lowered, vec![charge.clone()], vec![room])?.or_zero()?;
    plus.push(charge);
    let all = Amount::sum(plus.iter().map(|e| e.value))?.minus(lowered.value)?;
    let credit = Explanation::given(Name::Credit, state.credit.min(all));
    Explanation::sum(Name::Payoff, plus, vec![lowered, credit])
}

/// Interest that the agreed method charges for the instalments to come, as [`super::charge`] does.
fn charged_interest(state: &State<'_>, ahead: &Parts) -> Result<Explanation, OutOfRange> {
    let to_come = Explanation::given(Name::InterestToCome, ahead.interest);
    if state.terms.conventions.settlement == Settlement::RuleOf78 {
        return earned(state, Component::Interest)?.at_most(to_come);
    }
    let spans = state
        .trace
        .as_ref()
        .map(|t| t.accrued.clone())
        .unwrap_or_default();
    let paid = state
        .rows
        .get(state.due)
        .map_or(Amount::ZERO, |s| s.row.interest.paid);
    let paid = Explanation::given(Name::InterestPaid, paid);
    let accrued = Explanation::sum(Name::Accrued, spans, vec![paid])?
        .or_zero()?
        .at_most(to_come.clone())?;
    let Settlement::RemainingFee { share } = state.terms.conventions.settlement else {
        return Ok(accrued);
    };
    let component = Component::Interest;
    let rest = Explanation::sum(Name::InterestToCome, vec![to_come], vec![accrued.clone()])?;
    let part = share_of(state, component, rest, share)?;
    Explanation::sum(Name::Charged { component }, vec![accrued, part], Vec::new())
}

/// Fees that the agreed method charges for the instalments to come, as [`super::charge`] does.
fn charged_fee(state: &State<'_>, ahead: &Parts) -> Result<Explanation, OutOfRange> {
    let to_come = Explanation::given(Name::FeesToCome, ahead.fee);
    match state.terms.conventions.settlement {
        Settlement::WaiveUnaccrued => Ok(Explanation::given(Name::Nothing, Amount::ZERO)),
        Settlement::Actuarial => Ok(Explanation::given(
            Name::ActuarialFee,
            super::actuarial(state, ahead)?,
        )),
        Settlement::RemainingFee { share } => share_of(state, Component::Fee, to_come, share),
        Settlement::Flat { fee } if ahead.principal.is_positive() => {
            Ok(Explanation::given(Name::SettlementFee, fee))
        }
        Settlement::Flat { .. } => Ok(Explanation::given(Name::Nothing, Amount::ZERO)),
        Settlement::RuleOf78 => earned(state, Component::Fee)?.at_most(to_come),
    }
}

/// The share of a component to come that is charged.
fn share_of(
    state: &State<'_>,
    component: Component,
    of: Explanation,
    share: Rate,
) -> Result<Explanation, OutOfRange> {
    let name = Name::SettlementShare { component };
    let factors = vec![Factor::Rate { rate: share }];
    Explanation::product(name, of, factors, state.terms.conventions.rounding)
}

/// What the rule of 78 says is earned and not charged yet, as [`super::rule_of_78`] does.
fn earned(state: &State<'_>, component: Component) -> Result<Explanation, OutOfRange> {
    let (mut all, mut charged) = (Amount::ZERO, Amount::ZERO);
    for (place, standing) in state.rows.iter().enumerate() {
        let figures = standing.row.figures(component);
        let came_to = figures.charged.minus(figures.cancelled)?;
        all = all.plus(came_to)?;
        charged = charged.plus(if place < state.due { came_to } else { figures.paid })?;
    }
    let part = super::triangle(state.rows.len().saturating_sub(state.due))?;
    let whole = super::triangle(state.rows.len())?;
    let all = Explanation::given(Name::Whole, all);
    let rebate = Explanation::product(
        Name::Rebate78,
        all.clone(),
        vec![Factor::Share { part, whole }],
        state.terms.conventions.rounding,
    )?;
    let charged = Explanation::given(Name::ChargedAlready, charged);
    Explanation::sum(Name::Earned78 { component }, vec![all], vec![rebate, charged])?.or_zero()
}
