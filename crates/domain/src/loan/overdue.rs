//! Overdue principal keeps earning (逾期本金计息), where interest follows the balance: until it is paid, or up to the day on
//! which the loan is looked at.

use jiff::civil::Date;

use crate::loan::state::State;
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
/// periods, however early money comes. (Apache Fineract, `EMICalculation.feature`, overdue instalments, UC10 to UC16.)
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
                crate::loan::scheduled::reckon(state, servicing)?;
                crate::loan::charges::apply_credit(state, servicing)
            }
            None => Ok(()),
        };
    }
    let day = state.day;
    let (mut newly, mut all) = (Amount::ZERO, Amount::ZERO);
    let mut lates = alloc::vec::Vec::new();
    let mut any = false;
    for standing in state.rows.iter().filter(|s| s.is_regular() && s.row.due_on < day) {
        if standing.row.open()?.total()?.is_zero() {
            continue;
        }
        any = true;
        if !newly.is_zero() {
            lates.push(Late {
                from: standing.from,
                until: standing.row.due_on,
                newly,
                all,
            });
        }
        newly = standing.row.principal.open()?;
        if recalculation.is_some_and(|r| r.compounds) {
            newly = newly.plus(standing.row.interest.open()?)?;
        }
        all = all.plus(newly)?;
    }
    let mut regular = state.rows.iter().filter(|s| s.is_regular());
    let current = regular.clone().find(|s| s.from < day && day <= s.row.due_on);
    let is_over = current.is_none();
    // Where the agreement counts by periods, the one that is under way counts to its end.
    let to = current.filter(|_| by_period).map_or(day, |s| s.row.due_on);
    if let Some(current) = current.filter(|_| any) {
        lates.push(Late {
            from: current.from,
            until: current.row.due_on,
            newly,
            all,
        });
    } else if let Some(last) = regular.next_back().filter(|_| any)
        && last.row.open()?.total()?.is_zero()
    {
        lates.push(Late {
            from: last.from,
            until: last.row.due_on,
            newly,
            all,
        });
    }
    for late in lates {
        earn(state, &late, to)?;
    }
    // After the last period nothing is counted a second time.
    if let Some(accrual) = state.accrual.as_mut().filter(|_| any && is_over) {
        accrual.overdue_to = Some(day);
    }
    state.follow()
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
    if late.from < day && day <= late.until {
        accrual.correct(to, Amount::ZERO.minus(late.all)?)?;
        accrual.overdue_to = Some(to);
    }
    Ok(())
}
