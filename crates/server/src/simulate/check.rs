//! Whether a case's figures are those that it expects.

use std::fmt;

use serde_json::Value;

/// The figures of a row that must be equal to the cent.
const ROW: [&str; 10] = [
    "due_date",
    "date",
    "balance_of_loan",
    "principal_due",
    "interest",
    "fees",
    "penalties",
    "due",
    "paid",
    "outstanding",
];

/// The totals that must be.
const TOTALS: [&str; 7] = [
    "principal_due",
    "interest",
    "fees",
    "penalties",
    "due",
    "paid",
    "outstanding",
];

/// A figure that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where in the answer: a JSON pointer from the checkpoint.
    pub at: String,
    /// What the case expects.
    pub expected: String,
    /// What came out.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, expected {}", self.at, self.found, self.expected)
    }
}

/// Where the answer to a case is not what the case expects: schedules, their totals, and what is open and left over.
///
/// Fields that a case does not name are not asked for; a case that could not be played differs as a whole.
pub fn differences(case: &Value, answer: &Value) -> Vec<Difference> {
    let steps = list(case, "sequence");
    let expected = steps.iter().filter_map(|step| step.get("expect"));
    let mut found = Vec::new();
    if let Some(error) = answer.get("error") {
        differ(&mut found, "/error".to_owned(), &Value::Null, error);
        return found;
    }
    let checkpoints = list(answer, "checkpoints");
    for (place, expected) in expected.enumerate() {
        let at = format!("/checkpoints/{place}");
        let answer = checkpoints.get(place).unwrap_or(&Value::Null);
        rows(expected, answer, &at, &mut found);
        if let Some(totals) = expected.get("schedule_totals") {
            let answer = field(answer, "schedule_totals");
            figures(
                totals,
                answer,
                &TOTALS,
                &format!("{at}/schedule_totals"),
                &mut found,
            );
        }
        figures(expected, answer, &["outstanding", "overpaid"], &at, &mut found);
    }
    found
}

fn rows(expected: &Value, answer: &Value, at: &str, found: &mut Vec<Difference>) {
    if expected.get("schedule").is_none() {
        return;
    }
    let (wanted, rows) = (list(expected, "schedule"), list(answer, "schedule"));
    if wanted.len() != rows.len() {
        found.push(Difference {
            at: format!("{at}/schedule"),
            expected: format!("{} rows", wanted.len()),
            found: format!("{} rows", rows.len()),
        });
    }
    for (place, (wanted, row)) in wanted.iter().zip(rows).enumerate() {
        figures(wanted, row, &ROW, &format!("{at}/schedule/{place}"), found);
    }
}

fn figures(expected: &Value, answer: &Value, names: &[&str], at: &str, found: &mut Vec<Difference>) {
    for name in names {
        let Some(wanted) = expected.get(*name).filter(|wanted| !wanted.is_null()) else {
            continue;
        };
        let answer = field(answer, name);
        if wanted != answer {
            differ(found, format!("{at}/{name}"), wanted, answer);
        }
    }
}

fn differ(found: &mut Vec<Difference>, at: String, expected: &Value, answer: &Value) {
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    found.push(Difference {
        at,
        expected: words(expected),
        found: words(answer),
    });
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    field(value, name).as_array().map_or(&[], Vec::as_slice)
}
