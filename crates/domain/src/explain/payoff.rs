//! Why paying everything off on a day costs what it does.

use alloc::vec;
use alloc::vec::Vec;

use crate::explain::{Explanation, Name, rows};
use crate::loan::Broken;
use crate::loan::interest::Accrual;
use crate::loan::life::{falls_away, interest_beside};
use crate::loan::state::State;
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;
use crate::servicing::{Recalculation, Until};
use crate::settlement;

/// What settles the loan on the state's day, by the agreement's method.
pub(super) fn settling(mut state: State<'_>) -> Result<Explanation, Broken> {
    settlement::accrue(&mut state)?;
    let due = state.rows.iter().take(state.due);
    let payable = rows::rows(Name::Payable, &state, due)?;
    let ahead = state.rows.iter().skip(state.due);
    let principal = rows::principal(Name::PrincipalToCome, ahead)?;
    Ok(settlement::told::payoff(&state, payable, principal)?)
}

/// The same where the agreement says more on servicing, as [`crate::loan::quote`] has it.
pub(super) fn quoted(state: &State<'_>) -> Result<Explanation, OutOfRange> {
    let credit = Explanation::given(Name::Credit, state.credit);
    let recalculation = state.terms.conventions.recalculation();
    let plus = match (recalculation, &state.accrual) {
        (Some(recalculation), Some(accrual)) => taken_to(state, recalculation, accrual)?,
        _ => vec![rows::rows(Name::Payable, state, state.rows.iter())?],
    };
    let asked = Explanation::sum(Name::Payoff, plus.clone(), vec![credit.clone()])?.or_zero()?;
    let less = falls_away(state, asked.value)?;
    if less.is_zero() {
        return Ok(asked);
    }
    Explanation::sum(
        Name::Payoff,
        plus,
        vec![credit, Explanation::given(Name::FellAway, less)],
    )
}

/// What is open with interest as far as the agreement takes it on an early payment.
fn taken_to(
    state: &State<'_>,
    recalculation: Recalculation,
    accrual: &Accrual<'_>,
) -> Result<Vec<Explanation>, OutOfRange> {
    let day = state.day;
    let until = match recalculation.until {
        Until::PaymentDay => day,
        Until::PeriodEnd => accrual.period_end(day),
    };
    let mut other = Amount::ZERO;
    for standing in &state.rows {
        other = other
            .plus(standing.open_of(Component::Fee)?)?
            .plus(standing.open_of(Component::Penalty)?)?;
    }
    let paid = Amount::sum(accrual.terms.iter().map(|t| t.paid_interest))?;
    let paid = Explanation::given(Name::InterestPaid, paid);
    let interest = Explanation::sum(
        Name::InterestNotPaid,
        vec![accrual.why_accrued(until)?],
        vec![paid],
    )?
    .or_zero()?;
    let mut plus = vec![
        rows::principal(Name::PrincipalToCome, state.rows.iter())?,
        interest,
        Explanation::given(Name::OtherOpen, other),
    ];
    let beside = interest_beside(state)?;
    if !beside.is_zero() {
        plus.push(Explanation::given(Name::Beside, beside));
    }
    Ok(plus)
}
