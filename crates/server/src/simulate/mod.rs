//! `fenqi simulate`: loan cases on the rules alone, with no store: terms and operations in, schedules out.
//!
//! The rules know nothing of the files: [`terms`] and [`play`] translate their words, and [`show`] translates back.

mod field;
mod play;
mod show;
mod terms;

use serde_json::{Value, json};

use field::{Fields, Read};
use play::Player;

/// Plays the cases of a file, or one of them; each becomes one line of JSON.
///
/// # Errors
/// A sentence if the text is no case file. A case that cannot be played is a line with its `error`.
pub fn simulate(text: &str, only: Option<&str>) -> Result<Vec<Value>, String> {
    let file: Value = serde_json::from_str(text).map_err(|e| format!("the file is not JSON: {e}"))?;
    let fields = Fields::new(&file, "");
    let cases = fields.list("cases");
    if cases.is_empty() {
        return Err("/cases: write a list of cases".into());
    }
    let mut lines = Vec::with_capacity(cases.len());
    for (value, at) in cases {
        let case = Fields::new(value, at);
        let id = case.need("id")?;
        if only.is_some_and(|only| only != id) {
            continue;
        }
        lines.push(match play(&case) {
            Ok(checkpoints) => json!({ "id": id, "checkpoints": checkpoints }),
            Err(why) => json!({ "id": id, "error": why }),
        });
    }
    Ok(lines)
}

/// Plays one case; says how it stands where it expects something.
fn play(case: &Fields<'_>) -> Read<Vec<Value>> {
    let inputs = case
        .object("inputs")
        .ok_or_else(|| case.wrong("inputs", "the terms"))?;
    let mut player = Player::new(terms::read(&inputs)?);
    let mut checkpoints = Vec::new();
    for (value, at) in case.list("sequence") {
        let op = Fields::new(value, at);
        if let Some(expected) = op.object("expect") {
            // Some tables show the instalments alone.
            let rows = expected.list("schedule");
            let with_lent =
                rows.is_empty() || rows.iter().any(|(row, _)| row.get("disbursement_row").is_some());
            let table = expected.list("transactions");
            let is_lent = |row: &Value| row.get("type").and_then(Value::as_str) == Some("Disbursement");
            let lists_lent = table.is_empty() || table.iter().any(|(row, _)| is_lent(row));
            let shown = show::Shown {
                with_lent,
                lists_lent,
            };
            checkpoints.push(show::checkpoint(&player, shown)?);
        } else {
            player.operate(&op).map_err(|why| {
                if why.starts_with('/') {
                    why
                } else {
                    format!("{}: {why}", op.at())
                }
            })?;
        }
    }
    Ok(checkpoints)
}
