//! Every figure can be asked why, and its explanation comes to it.

use fenqi_domain::explain::{Cause, Explanation, Name, Question, explain};
use fenqi_domain::loan::{Amendment, Broken, Event, Transaction, life};
use fenqi_domain::plan::{Component, Terms};
use jiff::civil::Date;
use proptest::prelude::*;

use crate::lives::any_case;
use crate::serviced::any_serviced_case;
use crate::terms::*;

/// Asks why of everything that can be asked of a loan; each must come to the figure of the fold.
fn ask_everything(terms: &Terms, told: &Life, as_of: Date) -> Result<Vec<Explanation>, TestCaseError> {
    let loan = match life(terms, &told.0, as_of) {
        Ok(life) => life.loan,
        Err(Broken::Inconsistent { .. }) => return Ok(Vec::new()),
        Err(broken) => return Err(TestCaseError::fail(format!("{broken:?}"))),
    };
    let mut whys = Vec::new();
    for row in &loan.rows {
        let open = row.open().unwrap();
        for component in Component::ALL {
            let of = Question::Row {
                row: row.number,
                component: Some(component),
            };
            let why = explain(terms, &told.0, as_of, of).unwrap().unwrap();
            prop_assert_eq!(why.value, open.of(component));
            prop_assert_eq!(why.recompute().unwrap(), open.of(component));
            whys.push(why);
        }
        let of = Question::Row {
            row: row.number,
            component: None,
        };
        let why = explain(terms, &told.0, as_of, of).unwrap().unwrap();
        prop_assert_eq!(why.recompute().unwrap(), open.total().unwrap());
    }
    for of in [Question::Payable, Question::Payoff] {
        whys.push(explain(terms, &told.0, as_of, of).unwrap().unwrap());
    }
    let payable = whys.iter().rev().nth(1).unwrap();
    prop_assert_eq!(
        payable.recompute().unwrap(),
        loan.payable().unwrap().total().unwrap()
    );
    Ok(whys)
}

/// Whether a figure goes back to "it was lent" and no further.
fn is_bare(why: &Explanation) -> bool {
    let mut is_bare = false;
    why.walk(&mut |e| {
        is_bare |= matches!(
            e.name,
            Name::Moved {
                cause: Cause::Lent,
                ..
            }
        );
    });
    is_bare
}

/// Whether the schedule was made anew, so that the one of the lending explains no row any more.
fn is_restructured(life: &Life) -> bool {
    let is_new = |t: &Transaction| {
        matches!(
            t.event,
            Event::Amended {
                by: Amendment::Reamortised
                    | Amendment::Reaged { .. }
                    | Amendment::Rescheduled { .. }
                    | Amendment::ChargedOff
                    | Amendment::Terminated
            }
        )
    };
    life.0.iter().any(is_new)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_figure_of_a_plan_is_explained((terms, life, as_of) in any_case()) {
        for why in ask_everything(&terms, &life, as_of)? {
            prop_assert!(!is_bare(&why), "{:?}", why);
        }
    }

    #[test]
    fn every_figure_of_a_serviced_loan_is_explained((terms, life, as_of) in any_serviced_case()) {
        for why in ask_everything(&terms, &life, as_of)? {
            prop_assert!(is_restructured(&life) || !is_bare(&why), "{:?}", why);
        }
    }
}
