//! What can be asked, and the check that the answer is the figure of the fold.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::explain::{Cause, Explanation, Name, payoff, rows};
use crate::loan::state::Standing;
use crate::loan::{Broken, Transaction, fold, overdue, quote};
use crate::money::{Amount, OutOfRange};
use crate::plan::{Component, Terms};
use crate::{late, settlement};

/// Of which figure it is asked why (问哪个数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Question {
    /// What is left of a row, or of one component of it; what it came to, was paid and lost stands below.
    Row {
        /// Its number, from 1.
        row: u16,
        /// Which component; all of them together if none is named.
        component: Option<Component>,
    },
    /// What is due on the day, overdue included ([`crate::loan::Loan::payable`]).
    Payable,
    /// All that is open of all rows, due or not; interest that is not yet in a row is not in it.
    Outstanding,
    /// What was left over for the payer ([`crate::loan::Loan::credit_balance`]); less than nothing if what was paid back is
    /// owed again.
    LeftOver,
    /// What settles the loan on the day ([`crate::settlement::payoff`]; where the agreement says more on servicing,
    /// [`crate::loan::quote`]).
    Payoff,
}

/// Why a figure of a loan is what it is on a day; nothing if the loan has no such row.
///
/// Where the agreement says more on servicing, the loan is seen as [`crate::loan::life`](fn@crate::loan::life) sees it.
///
/// # Errors
/// As [`fold`](fn@crate::loan::fold); and [`Broken::Inconsistent`] if the explanation, reckoned from its leaves, were
/// another figure than the fold's.
pub fn explain(
    terms: &Terms,
    transactions: &[Transaction],
    as_of: Date,
    question: Question,
) -> Result<Option<Explanation>, Broken> {
    let mut state = fold::told(terms, transactions, as_of)?;
    overdue::count(&mut state)?;
    late::charge(&mut state)?;
    state.look(Cause::Other, None)?;
    let is_serviced = terms.conventions.servicing.is_some();
    let (figure, why) = match question {
        Question::Row { row, component } => {
            let place = usize::from(row).checked_sub(1);
            let Some(standing) = place.and_then(|place| state.rows.get(place)) else {
                return Ok(None);
            };
            match component {
                Some(component) => (
                    standing.open_of(component)?,
                    rows::open(&state, standing, component)?,
                ),
                None => (standing.row.open()?.total()?, rows::row(&state, standing)?),
            }
        }
        Question::Payable => {
            let due = state.rows.iter().take(state.due);
            (all_open(due.clone())?, rows::rows(Name::Payable, &state, due)?)
        }
        Question::Outstanding => {
            let all = state.rows.iter();
            (
                all_open(all.clone())?,
                rows::rows(Name::Outstanding, &state, all)?,
            )
        }
        Question::LeftOver => {
            let trace = state.trace.as_ref();
            let (came, went) = trace.map(|trace| trace.credit.clone()).unwrap_or_default();
            (state.credit, Explanation::sum(Name::LeftOver, came, went)?)
        }
        Question::Payoff if is_serviced => (quote(terms, transactions, as_of)?, payoff::quoted(&state)?),
        Question::Payoff => (
            settlement::payoff(terms, transactions, as_of)?.total,
            payoff::settling(state)?,
        ),
    };
    if why.value == figure && why.recompute()? == figure {
        Ok(Some(why))
    } else {
        Err(Broken::Inconsistent {
            transaction: 0,
            what: "is explained by figures that come to another",
        })
    }
}

/// What is open of some rows.
fn all_open<'s>(rows: impl Iterator<Item = &'s Standing>) -> Result<Amount, OutOfRange> {
    rows.map(|standing| standing.row.open()?.total())
        .try_fold(Amount::ZERO, |sum, open| sum.plus(open?))
}
