//! Why the figures of a case are what they are at its end: the rules' own explanations, as values and as text.

use fenqi_app::texts::{self, Language};
use fenqi_domain::asset_class::AssetClass;
use fenqi_domain::bureau::{self, Month};
use fenqi_domain::delinquency::Ranges;
use fenqi_domain::explain::{Explanation, Question, explain};
use fenqi_domain::loan::{Amendment, Event, Loan, Transaction};
use fenqi_domain::plan::Terms;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::File;
use super::field::Read;
use super::play::Player;

/// What is said of one case.
#[derive(Debug)]
pub struct Told {
    id: String,
    currency: fenqi_domain::money::Currency,
    whys: Vec<Explanation>,
    standing: Standing,
}

/// How the loan stands with its lender and a bureau.
#[derive(Debug)]
struct Standing {
    on: Date,
    days_past_due: i64,
    bucket: String,
    class: AssetClass,
    months: Vec<Month>,
}

impl File {
    /// Plays one case to its end and asks why of each row, paid or not, of what is owed in all, of what was left over, of
    /// what is due on the business date, and of what settles the loan then.
    ///
    /// # Errors
    /// A sentence if there is no such case, it cannot be played, or nothing was lent.
    pub fn explain(&self, id: &str) -> Result<Told, String> {
        told(id, &self.play_case(&self.case(id)?)?.player)
    }
}

/// Everything that can be asked of a case that was played.
fn told(id: &str, player: &Player) -> Read<Told> {
    let (Some(terms), Some(life)) = (&player.terms, &player.life) else {
        return Err(format!("{id}: nothing was lent"));
    };
    let rows = life.loan.rows.iter().map(|row| Question::Row {
        row: row.number,
        component: None,
    });
    let mut whys = Vec::new();
    let as_of = life.loan.as_of;
    let whole = [
        Question::Outstanding,
        Question::LeftOver,
        Question::Payable,
        Question::Payoff,
    ];
    for question in rows.chain(whole) {
        let why = explain(terms, player.transactions(), as_of, question).map_err(|e| e.to_string())?;
        // What is nothing for no reason needs none; a row that was paid is nothing because it was paid.
        whys.extend(why.filter(|why| !why.value.is_zero() || !why.how.below().is_empty()));
    }
    Ok(Told {
        id: id.to_owned(),
        currency: terms.currency,
        whys,
        standing: standing(terms, player.transactions(), &life.loan)?,
    })
}

/// How a loan stands; one with a new schedule is restructured.
fn standing(terms: &Terms, transactions: &[Transaction], loan: &Loan) -> Read<Standing> {
    let is_new = |t: &Transaction| {
        matches!(
            t.event,
            Event::Amended {
                by: Amendment::Reaged { .. } | Amendment::Reamortised { .. } | Amendment::Rescheduled { .. }
            }
        )
    };
    let days_past_due = loan.days_past_due;
    Ok(Standing {
        on: loan.as_of,
        days_past_due,
        bucket: Ranges::by_month().of(days_past_due).to_owned(),
        class: AssetClass::of(days_past_due, transactions.iter().any(is_new)),
        months: bureau::months(terms, transactions, loan.as_of, &[]).map_err(|e| e.to_string())?,
    })
}

impl Standing {
    /// The months' codes, the oldest first, as many as a report shows.
    fn codes(&self) -> String {
        let months = bureau::last(&self.months, bureau::FIVE_YEARS);
        months.iter().map(|m| m.code.letter()).collect()
    }
}

impl Told {
    /// As values: each figure with its rule and the figures that it comes from, amounts in minor units.
    pub fn json(&self) -> Value {
        let standing = &self.standing;
        json!({
            "id": self.id,
            "standing": {
                "on": standing.on,
                "days_past_due": standing.days_past_due,
                "delinquency_bucket": standing.bucket,
                "asset_class": standing.class,
                "month_codes": standing.codes(),
            },
            "explanations": self.whys,
        })
    }

    /// As people read it.
    pub fn text(&self, language: Language) -> String {
        let standing = &self.standing;
        let line = texts::standing(language, &|field| match field {
            "on" => standing.on.to_string(),
            "days" => standing.days_past_due.to_string(),
            "bucket" => standing.bucket.clone(),
            "class" => standing.class.number().to_string(),
            _ => standing.codes(),
        });
        let whys = texts::explanations(&self.whys, self.currency, language);
        format!("# {}\n\n{line}\n\n{whys}", self.id)
    }
}
