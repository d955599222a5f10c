//! `fenqi simulate`: loan cases on the rules alone, with no store: terms and operations in, schedules out.
//!
//! The rules know nothing of the files: [`terms`] and [`play`] translate their words, and [`show`] translates back.

mod charges;
pub mod check;
mod explain;
mod field;
mod lateness;
mod own_words;
mod play;
pub mod schema;
mod show;
mod terms;
mod text;
mod undo;

use jiff::civil::Date;
use serde_json::{Value, json};

use field::{Fields, Read};
use play::Player;

pub use explain::Told;
pub use text::text;

/// A file of cases.
#[derive(Debug)]
pub struct File {
    value: Value,
    findings: Vec<schema::Finding>,
}

impl File {
    /// Reads a file; what the schema does not allow is found, and not yet refused.
    ///
    /// # Errors
    /// A sentence if the text is no case file.
    pub fn read(text: &str) -> Result<File, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| format!("the file is not JSON: {e}"))?;
        if Fields::new(&value, "").list("cases").is_empty() {
            return Err("/cases: write a list of cases".into());
        }
        let findings = schema::findings(&value)?;
        Ok(File { value, findings })
    }

    /// What the schema does not allow.
    pub fn findings(&self) -> &[schema::Finding] {
        &self.findings
    }

    /// Its cases.
    pub fn cases(&self) -> &[Value] {
        self.value
            .get("cases")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The case of an id.
    fn case(&self, id: &str) -> Read<Fields<'_>> {
        let cases = Fields::new(&self.value, "").list("cases");
        let mut cases = cases.into_iter().map(|(value, at)| Fields::new(value, at));
        let found = cases.find(|case| case.need("id") == Ok(id));
        found.ok_or_else(|| format!("no case has the id {id}"))
    }

    /// Plays the cases, or one of them; each becomes one line of JSON, which names the fields that were passed over.
    ///
    /// # Errors
    /// A sentence if a case has no id. A case that cannot be played is a line with its `error`.
    pub fn play(&self, only: Option<&str>) -> Result<Vec<Value>, String> {
        let mut lines = Vec::new();
        for (value, at) in Fields::new(&self.value, "").list("cases") {
            let case = Fields::new(value, at);
            let id = case.need("id")?;
            if only.is_some_and(|only| only != id) {
                continue;
            }
            let mut line = match play(&case) {
                Ok(played) => json!({ "id": id, "checkpoints": played.checkpoints }),
                Err(why) => json!({ "id": id, "error": why }),
            };
            let within = format!("{}/", case.at());
            let unread = self
                .findings
                .iter()
                .filter(|f| f.is_unread && f.at.starts_with(&within));
            let unread: Vec<Value> = unread.map(|f| Value::String(f.to_string())).collect();
            if let Some(line) = line.as_object_mut().filter(|_| !unread.is_empty()) {
                line.insert("passed_over".to_owned(), Value::Array(unread));
            }
            lines.push(line);
        }
        Ok(lines)
    }
}

/// A case that was played.
struct Played {
    /// How it stands at its end.
    player: Player,
    /// How it stood wherever it expects something.
    checkpoints: Vec<Value>,
    /// How many transactions were known there, and up to which day they were counted.
    asked: Vec<(usize, Date)>,
}

/// Plays one case.
fn play(case: &Fields<'_>) -> Read<Played> {
    let inputs = case
        .object("inputs")
        .ok_or_else(|| case.wrong("inputs", "the terms"))?;
    let mut player = Player::new(terms::read(&inputs)?, lateness::Late::read(&inputs)?);
    let (mut checkpoints, mut asked) = (Vec::new(), Vec::new());
    let steps = case.list("sequence");
    let end = format!("{}/sequence/{}", case.at(), steps.len());
    let is_asked_last = steps.last().is_some_and(|(step, _)| step.get("expect").is_some());
    for (value, at) in steps {
        let step = Fields::new(value, at);
        match step.object("expect") {
            Some(expected) => {
                checkpoints.push(checkpoint(&player, Some(&expected), step.at())?);
                let counted = player.life.as_ref().map(|life| life.loan.as_of);
                asked.extend(counted.map(|on| (player.transactions().len(), on)));
            }
            None => player.operate(&step).map_err(|why| {
                if why.starts_with('/') {
                    why
                } else {
                    format!("{}: {why}", step.at())
                }
            })?,
        }
    }
    // Who only wants to see what becomes of a loan need not expect anything.
    if !is_asked_last {
        checkpoints.push(checkpoint(&player, None, &end)?);
    }
    Ok(Played {
        player,
        checkpoints,
        asked,
    })
}

/// How the case stands at a place of its sequence.
fn checkpoint(player: &Player, expected: Option<&Fields<'_>>, at: &str) -> Read<Value> {
    let rows = expected.map(|e| e.list("schedule")).unwrap_or_default();
    // Some tables show the instalments alone.
    let with_lent = rows.is_empty() || rows.iter().any(|(row, _)| row.get("disbursement_row").is_some());
    let table = expected.map(|e| e.list("transactions")).unwrap_or_default();
    let is_lent = |row: &Value| row.get("type").and_then(Value::as_str) == Some("Disbursement");
    let lists_lent = table.is_empty() || table.iter().any(|(row, _)| is_lent(row));
    let shown = show::Shown {
        with_lent,
        lists_lent,
    };
    let mut checkpoint = show::checkpoint(player, shown)?;
    if let Some(fields) = checkpoint.as_object_mut() {
        fields.insert("at".to_owned(), Value::String(at.to_owned()));
        fields.insert("on".to_owned(), Value::String(player.today().to_string()));
    }
    Ok(checkpoint)
}
