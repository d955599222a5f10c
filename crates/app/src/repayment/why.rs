//! Why a figure is what it is (为什么是这个数): of a bill, of an instalment, of what is due now, of what settles.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::bill::{Bill, BillLine};
use fenqi_domain::explain::{Explanation, Question, explain};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_store::tables::agreements::AgreementFile;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::mistake::Mistake;
use crate::outcome::Denied;
use crate::texts::{self, Language};

/// Of which figure it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "figure", deny_unknown_fields)]
pub enum Figure {
    /// What is open of an instalment today; what it came to, was paid and lost stands below.
    Instalment {
        /// Of which agreement.
        agreement: AgreementId,
        /// Its number, from 1.
        number: u16,
    },
    /// What is to be paid now of an agreement, what is overdue included.
    Payable {
        /// Of which agreement.
        agreement: AgreementId,
    },
    /// What is owed of an agreement in all, due or not.
    Outstanding {
        /// Of which agreement.
        agreement: AgreementId,
    },
    /// What was left over for the payer.
    LeftOver {
        /// Of which agreement.
        agreement: AgreementId,
    },
    /// What settles an agreement today.
    Payoff {
        /// Which agreement.
        agreement: AgreementId,
    },
    /// Each line of the bills that are due on a day, as it stood when the bill was issued.
    Bill {
        /// The day.
        due_on: Date,
    },
}

/// A figure with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// Of which agreement.
    pub agreement: AgreementId,
    /// As it stood on this day.
    pub on: Date,
    /// The figure and what it comes from, down to what was agreed and what happened.
    pub explanation: Explanation,
    /// The same in Chinese, a line for each figure that follows from others.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Says why a figure is what it is. The explanation has been reckoned again from its parts and came to the figure.
///
/// Errors: [`Denied::NotFound`] for an agreement or a bill that is not there, [`Denied::Invalid`] for an instalment that it
/// does not have.
pub async fn why(app: &App, actor: &Actor, shopper: ShopperId, figure: Figure) -> Result<Vec<Why>, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let (agreement, question) = match figure {
        Figure::Bill { due_on } => return of_bills(app, shopper, due_on).await,
        Figure::Instalment { agreement, number } => {
            let component = None;
            (
                agreement,
                Question::Row {
                    row: number,
                    component,
                },
            )
        }
        Figure::Payable { agreement } => (agreement, Question::Payable),
        Figure::Outstanding { agreement } => (agreement, Question::Outstanding),
        Figure::LeftOver { agreement } => (agreement, Question::LeftOver),
        Figure::Payoff { agreement } => (agreement, Question::Payoff),
    };
    let file = app.agreement(actor, shopper, agreement).await?;
    let today = app.moment().today;
    let terms = &file.agreement.terms;
    let reason = explain(terms, &file.transactions, today, question)?.ok_or_else(|| {
        let given = match figure {
            Figure::Instalment { number, .. } => i64::from(number),
            _ => 0,
        };
        let count = i64::try_from(terms.due_dates.len()).unwrap_or(i64::MAX);
        Denied::invalid("/number", Mistake::count(given, 1, count))
    })?;
    Ok(vec![told(&file, today, reason)])
}

async fn of_bills(app: &App, shopper: ShopperId, due_on: Date) -> Result<Vec<Why>, Denied> {
    let mut whys = Vec::new();
    for stored in app.store.bills(shopper).await? {
        let bill: Bill = stored.detail()?;
        if bill.due_on != due_on {
            continue;
        }
        for line in &bill.lines {
            let file = app.store.agreement(shopper, line.agreement).await?;
            let file = file.ok_or(Denied::NotFound)?;
            let reason = as_billed(&file, &bill, line)?;
            whys.push(told(&file, bill.issued_on, reason));
        }
    }
    if whys.is_empty() {
        return Err(Denied::NotFound);
    }
    Ok(whys)
}

/// Why a line of a bill was what it was: by as many of the transactions as were known when it was issued. What was entered
/// later for an earlier day, or undone, changes how the loan stood, and not the bill.
fn as_billed(file: &AgreementFile, bill: &Bill, line: &BillLine) -> Result<Explanation, Denied> {
    let open = line.parts.total()?.minus(line.paid)?;
    let question = Question::Row {
        row: line.instalment,
        component: None,
    };
    for known in (1..=file.transactions.len()).rev() {
        let known = file.transactions.get(..known).unwrap_or_default();
        let reason = explain(&file.agreement.terms, known, bill.issued_on, question)?;
        if let Some(reason) = reason.filter(|reason| reason.value == open) {
            return Ok(reason);
        }
    }
    Err(Denied::NotFound)
}

fn told(file: &AgreementFile, on: Date, explanation: Explanation) -> Why {
    let currency = file.agreement.terms.currency;
    let said = |language| texts::explanation(&explanation, currency, language);
    Why {
        agreement: file.agreement.id,
        on,
        zh: said(Language::Zh),
        en: said(Language::En),
        explanation,
    }
}
