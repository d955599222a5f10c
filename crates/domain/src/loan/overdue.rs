//! Overdue principal keeps earning (逾期本金计息), where interest follows the balance: until it is paid, or up to the day on
//! which the loan is looked at.

use jiff::civil::Date;

use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange};
use crate::servicing::Until;

/// One period in which overdue principal earns.
struct Late {
    /// When it begins.
    from: Date,
    /// When it ends.
    until: Date,
    /// What became overdue as it began.
    newly: Amount,
    /// All that is overdue.
    all: Amount,
}

/// Lets overdue principal earn up to the state's day, each day once; to the end of the period if the agreement counts by
/// periods, however early money comes. (As Apache Fineract has it.)
pub(crate) fn count(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let recalculation = state.terms.conventions.recalculation();
    let by_period = recalculation.is_some_and(|r| !r.daily && r.until == Until::PeriodEnd);
    if recalculation.is_none_or(|r| r.spares_overdue) || state.is_charged_off {
        return Ok(());
    }
    if state.accrual.is_none() {
        let servicing = state.terms.conventions.servicing.as_deref();
        return match servicing.filter(|s| s.excess.is_some()) {
            Some(servicing) => {
                // Money that is spread anew meets penalties as they are today, as it does where something is entered today.
                crate::late::post(state)?;
                crate::loan::scheduled::reckon(state, servicing)?;
                crate::loan::charges::apply_credit(state, servicing)
            }
            None => Ok(()),
        };
    }
    let day = state.day;
    let is_current = |s: &&Standing| s.is_regular() && day <= s.row.due_on;
    let current = state.rows.iter().find(is_current).map(|s| (s.from, s.row.due_on));
    let is_over = current.is_none();
    // Where the agreement counts by periods, the one that is under way counts to its end.
    let to = current.filter(|_| by_period).map_or(day, |(_, due_on)| due_on);
    let (mut newly, mut all) = (Amount::ZERO, Amount::ZERO);
    let mut any = false;
    for place in 0..state.rows.len() {
        let Some(late) = overdue(state, place)? else {
            continue;
        };
        any = true;
        if !newly.is_zero() {
            earn(state, &Late { newly, ..late }, to)?;
            // What the row owes of principal is less by what is overdue earned in its period.
            state.follow()?;
        }
        let Some(standing) = state.rows.get(place) else {
            continue;
        };
        newly = standing.row.principal.open()?;
        if recalculation.is_some_and(|r| r.compounds) {
            newly = newly.plus(standing.row.interest.open()?)?;
        }
        all = all.plus(newly)?;
    }
    if let Some((from, until)) = current.filter(|_| any) {
        earn(
            state,
            &Late {
                from,
                until,
                newly,
                all,
            },
            to,
        )?;
    }
    // After the last period nothing is counted a second time.
    if let Some(accrual) = state.accrual.as_mut().filter(|_| any && is_over) {
        accrual.overdue_to = Some(day);
    }
    state.follow()
}

/// The period of a row that is overdue, with nothing overdue in it yet.
fn overdue(state: &State<'_>, place: usize) -> Result<Option<Late>, OutOfRange> {
    let rows = state.rows.get(place);
    let Some(standing) = rows.filter(|s| s.is_regular() && s.row.due_on < state.day) else {
        return Ok(None);
    };
    let is_open = !standing.row.open()?.total()?.is_zero();
    Ok(is_open.then_some(Late {
        from: standing.from,
        until: standing.row.due_on,
        newly: Amount::ZERO,
        all: Amount::ZERO,
    }))
}

/// Lets what is overdue earn in one period, up to a day at most; what was counted before goes on from where it stopped.
fn earn(state: &mut State<'_>, late: &Late, to: Date) -> Result<(), OutOfRange> {
    let day = state.day;
    let Some(accrual) = &mut state.accrual else {
        return Ok(());
    };
    let counted = accrual.overdue_to;
    if counted == Some(to) {
        return Ok(());
    }
    accrual.correct(counted.map_or(late.from, |on| late.from.max(on)), late.newly)?;
    if day <= late.until {
        accrual.correct(to, Amount::ZERO.minus(late.all)?)?;
        accrual.overdue_to = Some(to);
    }
    Ok(())
}
