//! `fenqi simulate`: loan cases on the rules alone, with no store: terms and operations in, schedules out.
//!
//! The rules know nothing of the files: [`terms`] and [`play`] translate their words, and [`show`] translates back.

mod admit;
mod charges;
pub mod check;
mod enter;
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
use schema::Kind;

use crate::input;

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
        let value = input::json(text).map_err(|e| format!("the file is not JSON: {e}"))?;
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
        found.ok_or_else(|| self.has_no(id))
    }

    /// Says that no case has an id, and which ids there are.
    fn has_no(&self, id: &str) -> String {
        let ids = self.cases().iter().filter_map(|case| case.get("id")?.as_str());
        let ids: Vec<&str> = ids.collect();
        let first = ids.iter().take(IDS_SHOWN).copied().collect::<Vec<_>>().join(", ");
        let more = if ids.len() > IDS_SHOWN { ", …" } else { "" };
        format!("no case has the id {id}; there are {first}{more}")
    }

    /// Plays the cases, or one of them; each becomes one line of JSON, which names what was passed over.
    ///
    /// # Errors
    /// A sentence if a case has no id, or none has the one that is asked for. A case that cannot be played is a line with
    /// its `error`.
    pub fn play(&self, only: Option<&str>) -> Result<Vec<Value>, String> {
        let mut lines = Vec::new();
        for (value, at) in Fields::new(&self.value, "").list("cases") {
            let case = Fields::new(value, at);
            let id = case.need("id")?;
            if only.is_some_and(|only| only != id) {
                continue;
            }
            let (mut line, notes) = match self.play_case(&case) {
                Ok(played) => (
                    json!({ "id": id, "checkpoints": played.checkpoints }),
                    played.player.notes,
                ),
                Err(why) => (json!({ "id": id, "error": why }), Vec::new()),
            };
            let is_played = line.get("error").is_none();
            let passed_over = self
                .of(&case)
                .filter(|f| is_played || f.kind == Kind::Unread)
                .map(ToString::to_string);
            let passed_over: Vec<String> = passed_over.chain(notes).collect();
            if let Some(line) = line.as_object_mut().filter(|_| !passed_over.is_empty()) {
                line.insert("passed_over".to_owned(), json!(passed_over));
            }
            lines.push(line);
        }
        match only {
            Some(id) if lines.is_empty() => Err(self.has_no(id)),
            _ => Ok(lines),
        }
    }

    /// What of the expectations of a case is not known, and so is never compared.
    pub fn not_compared(&self, id: &str) -> Vec<&schema::Finding> {
        let case = self.case(id).ok();
        let found = case.iter().flat_map(|case| self.of(case));
        found.filter(|f| f.is_of_expectation()).collect()
    }

    /// What the schema does not allow of a case.
    fn of<'a>(&'a self, case: &Fields<'_>) -> impl Iterator<Item = &'a schema::Finding> {
        let within = format!("{}/", case.at());
        self.findings.iter().filter(move |f| f.at.starts_with(&within))
    }

    /// Plays a case whose values are of the kinds that are read.
    fn play_case(&self, case: &Fields<'_>) -> Read<Played> {
        let is_read = |f: &&schema::Finding| f.kind == Kind::WrongType && !f.is_of_expectation();
        match self.of(case).find(is_read) {
            Some(wrong) => Err(wrong.to_string()),
            None => play(case),
        }
    }
}

/// How many ids are named where none fits.
const IDS_SHOWN: usize = 12;

/// The most operations and expectations of a case. A checkpoint asks the rules about all that was entered before it.
const STEPS_MAX: usize = 5_000;

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
    if steps.len() > STEPS_MAX {
        let (at, count) = (case.at(), steps.len());
        return Err(format!(
            "{at}/sequence: has {count} steps; at most {STEPS_MAX} are played"
        ));
    }
    let end = format!("{}/sequence/{}", case.at(), steps.len());
    let is_asked_last = steps.last().is_some_and(|(step, _)| step.get("expect").is_some());
    for (value, at) in steps {
        let step = Fields::new(value, at);
        match step.object("expect") {
            Some(expected) => {
                player.settle()?;
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
        player.settle()?;
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
