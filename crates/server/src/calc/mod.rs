//! `fenqi calc`: figures of the trade, one JSON object a line in and one a line out (docs/reference/calc.md).
//!
//! The words of the lines are read here and nowhere else; the arithmetic is the domain's.

mod annual_rate;
mod check;
mod days;
mod fields;
mod instalments;
mod payoff;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::input;

use fields::{Fields, Wrong};

/// What a line may hold besides the fields of its calculation; the last three belong to whoever compares the answers.
const COMMON: &[&str] = &["id", "calc", "method", "expect", "tolerance", "source"];

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// An answered line.
pub struct Answer {
    /// One JSON object.
    pub text: String,
    /// Whether it holds figures and not an error.
    pub is_answered: bool,
}

/// Answers a line, which is the `number`-th of its file; `today` is the day against which dates of birth are held.
pub fn answer(line: &[u8], number: usize, today: Date) -> Answer {
    if line.len() >= LINE_BYTES_MAX {
        let error = format!("the line is too long; fewer than {LINE_BYTES_MAX} bytes are allowed");
        return refused(None, number, error);
    }
    let line = match input::text(line) {
        Ok(line) => line,
        Err(error) => return refused(None, number, error),
    };
    let read = match input::json(line) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => {
            return refused(
                None,
                number,
                format!("{other:.60} is no JSON object; write one a line"),
            );
        }
        Err(error) => return refused(None, number, format!("the line is no JSON object: {error}")),
    };
    let id = read.get("id").cloned();
    match figures(&read, today) {
        Ok(figures) => Answer {
            text: written(id, figures),
            is_answered: true,
        },
        Err(Wrong(error)) => refused(id, number, error),
    }
}

/// The figures of a line.
fn figures(read: &Map<String, Value>, today: Date) -> Result<Vec<(&'static str, Value)>, Wrong> {
    type Calculation = fn(&Fields, Date) -> Result<Vec<(&'static str, Value)>, Wrong>;
    const CALCULATIONS: &[(&str, Calculation)] = &[
        ("annual_rate", |fields, _| annual_rate::read(fields)),
        ("instalments", |fields, _| instalments::read(fields)),
        ("payoff", |fields, _| payoff::read(fields)),
        ("day_count", |fields, _| days::day_count(fields)),
        ("unit_periods", |fields, _| days::unit_periods(fields)),
        ("add_period", |fields, _| days::add_period(fields)),
        ("check", check::read),
    ];
    let fields = Fields::new(read);
    let calculation = fields.word("calc", CALCULATIONS)?;
    calculation(&fields, today)
}

/// A line that cannot be answered: by its id if it has one, else by its number.
fn refused(id: Option<Value>, number: usize, error: String) -> Answer {
    let error = ("error", Value::String(error));
    let text = match id {
        Some(id) => written(Some(id), vec![error]),
        None => written(None, vec![("line", json!(number)), error]),
    };
    Answer {
        text,
        is_answered: false,
    }
}

/// An object whose id comes first and whose fields keep their order.
fn written(id: Option<Value>, fields: Vec<(&'static str, Value)>) -> String {
    let id = id.map(|id| ("id", id));
    let parts: Vec<String> = id
        .into_iter()
        .chain(fields)
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", parts.join(","))
}
