//! Why the figures of a case are what they are at its end: the rules' own explanations, as values and as text.

use fenqi_app::texts::{Language, explanation};
use fenqi_domain::explain::{Explanation, Question, explain};
use serde_json::{Value, json};

use super::File;
use super::field::{Fields, Read};
use super::play::Player;

/// What is said of one case.
#[derive(Debug)]
pub struct Told {
    id: String,
    currency: fenqi_domain::money::Currency,
    whys: Vec<Explanation>,
}

impl File {
    /// Plays one case to its end and asks why of each row that owes something, of what is due on the business date, and
    /// of what settles the loan then.
    ///
    /// # Errors
    /// A sentence if there is no such case, it cannot be played, or nothing was lent.
    pub fn explain(&self, id: &str) -> Result<Told, String> {
        for (value, at) in Fields::new(&self.value, "").list("cases") {
            let case = Fields::new(value, at);
            if case.need("id")? == id {
                return told(id, &super::play(&case)?.0);
            }
        }
        Err(format!("no case has the id {id}"))
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
    for question in rows.chain([Question::Payable, Question::Payoff]) {
        let as_of = life.loan.as_of;
        let why = explain(terms, player.transactions(), as_of, question).map_err(|e| e.to_string())?;
        whys.extend(why.filter(|why| !why.value.is_zero()));
    }
    Ok(Told {
        id: id.to_owned(),
        currency: terms.currency,
        whys,
    })
}

impl Told {
    /// As values: each figure with its rule and the figures that it comes from, amounts in minor units.
    pub fn json(&self) -> Value {
        json!({ "id": self.id, "explanations": self.whys })
    }

    /// As people read it.
    pub fn text(&self, language: Language) -> String {
        let mut text = format!("# {}\n", self.id);
        for why in &self.whys {
            text.push('\n');
            text.push_str(&explanation(why, self.currency, language));
        }
        text
    }
}
