//! Whether a case's figures are those that it expects.

use std::fmt;

use serde_json::Value;

/// What of a row must be equal to the cent.
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

/// What of a row must be equal in every detail.
const ROW_IN_DETAIL: [&str; 5] = ["nr", "paid_date", "in_advance", "late", "waived"];

/// The totals that must be equal.
const TOTALS: [&str; 7] = [
    "principal_due",
    "interest",
    "fees",
    "penalties",
    "due",
    "paid",
    "outstanding",
];

/// The totals that must be equal in every detail.
const TOTALS_IN_DETAIL: [&str; 3] = ["in_advance", "late", "waived"];

/// What of a transaction must be equal in every detail.
const TRANSACTION: [&str; 11] = [
    "date",
    "type",
    "amount",
    "principal",
    "interest",
    "fees",
    "penalties",
    "loan_balance",
    "overpayment",
    "reverted",
    "replayed",
];

/// What a case may expect beside its figures: how late the loan is, and what stands of its charges.
pub const BESIDE: [&str; 8] = [
    "delinquency",
    "loan_delinquency",
    "installment_delinquency",
    "delinquency_pauses",
    "total_overdue",
    "charges",
    "charged_off_on",
    "all_installments_obligations_met",
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

/// Where the answer to a case is not to the cent what the case expects: schedules, their totals, and what is open and
/// left over.
///
/// Fields that a case does not name are not asked for; a case that could not be played differs as a whole.
pub fn differences(case: &Value, answer: &Value) -> Vec<Difference> {
    compared(case, answer, |expected, answer, at, found| {
        rows(expected, answer, at, ("schedule", &ROW), found);
        if let Some(totals) = expected.get("schedule_totals") {
            let answer = field(answer, "schedule_totals");
            figures(totals, answer, &TOTALS, &format!("{at}/schedule_totals"), found);
        }
        for name in ["outstanding", "overpaid"] {
            if !field(expected, name).is_null() {
                figures(expected, answer, &[name], at, found);
            }
        }
    })
}

/// Where it differs in a detail: when a row was cleared, what of it was paid ahead or late, and what each transaction did.
pub fn details(case: &Value, answer: &Value) -> Vec<Difference> {
    compared(case, answer, |expected, answer, at, found| {
        rows(expected, answer, at, ("schedule", &ROW_IN_DETAIL), found);
        if let Some(totals) = expected.get("schedule_totals") {
            let answer = field(answer, "schedule_totals");
            let at = format!("{at}/schedule_totals");
            figures(totals, answer, &TOTALS_IN_DETAIL, &at, found);
        }
        rows(expected, answer, at, ("transactions", &TRANSACTION), found);
    })
}

/// Where it differs in what is told of the loan beside its figures: its status, and each of [`BESIDE`].
pub fn asides(case: &Value, answer: &Value) -> Vec<Difference> {
    compared(case, answer, |expected, answer, at, found| {
        for name in ["status"].iter().chain(&BESIDE) {
            let (wanted, answer) = (field(expected, name), field(answer, name));
            if expected.get(name).is_some() && !agrees(wanted, answer) {
                differ(found, format!("{at}/{name}"), wanted, answer);
            }
        }
    })
}

/// Whether a case expects anything that [`differences`] or [`details`] look at.
pub fn expects(case: &Value) -> bool {
    let tables = [
        "schedule",
        "schedule_totals",
        "transactions",
        "outstanding",
        "overpaid",
        "status",
    ];
    let mut expected = list(case, "sequence")
        .iter()
        .filter_map(|step| step.get("expect"));
    expected.any(|e| tables.iter().chain(&BESIDE).any(|name| e.get(*name).is_some()))
}

/// Which of [`BESIDE`] a case expects, each time it does, and whether the answer says the same.
pub fn beside(case: &Value, answer: &Value) -> Vec<(&'static str, bool)> {
    let steps = list(case, "sequence").iter();
    let expected = steps.filter_map(|step| step.get("expect"));
    let checkpoints = list(answer, "checkpoints");
    let mut found = Vec::new();
    for (place, expected) in expected.enumerate() {
        let answer = checkpoints.get(place).unwrap_or(&Value::Null);
        for name in BESIDE {
            let agrees = |wanted: &Value| agrees(wanted, field(answer, name));
            found.extend(expected.get(name).map(|wanted| (name, agrees(wanted))));
        }
    }
    found
}

/// Whether an answer says all that is wanted; it may say more.
fn agrees(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(w, f)| agrees(w, f))
        }
        (Value::Object(wanted), Value::Object(_)) => {
            wanted.iter().all(|(name, w)| agrees(w, field(found, name)))
        }
        _ => is_same(wanted, found),
    }
}

/// Compares each place where the case expects something.
fn compared(
    case: &Value,
    answer: &Value,
    compare: impl Fn(&Value, &Value, &str, &mut Vec<Difference>),
) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(error) = answer.get("error") {
        differ(&mut found, "/error".to_owned(), &Value::Null, error);
        return found;
    }
    let expected = list(case, "sequence")
        .iter()
        .filter_map(|step| step.get("expect"));
    let checkpoints = list(answer, "checkpoints");
    for (place, expected) in expected.enumerate() {
        let answer = checkpoints.get(place).unwrap_or(&Value::Null);
        compare(expected, answer, &format!("/checkpoints/{place}"), &mut found);
    }
    found
}

fn rows(
    expected: &Value,
    answer: &Value,
    at: &str,
    (table, names): (&str, &[&str]),
    found: &mut Vec<Difference>,
) {
    if expected.get(table).is_none() {
        return;
    }
    let (wanted, rows) = (list(expected, table), list(answer, table));
    if wanted.len() != rows.len() {
        found.push(Difference {
            at: format!("{at}/{table}"),
            expected: format!("{} rows", wanted.len()),
            found: format!("{} rows", rows.len()),
        });
    }
    for (place, (wanted, row)) in wanted.iter().zip(rows).enumerate() {
        figures(wanted, row, names, &format!("{at}/{table}/{place}"), found);
    }
}

fn figures(expected: &Value, answer: &Value, names: &[&str], at: &str, found: &mut Vec<Difference>) {
    for name in names {
        let Some(wanted) = expected.get(*name) else {
            continue;
        };
        let answer = field(answer, name);
        if !is_same(wanted, answer) {
            differ(found, format!("{at}/{name}"), wanted, answer);
        }
    }
}

/// Whether two values say the same: `"true"` is `true`, and `10.0` is `10.00`.
fn is_same(wanted: &Value, found: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.to_lowercase().replace('_', " ")),
        other => Some(other.to_string()),
    };
    let trimmed = |text: String| match text.split_once('.') {
        Some((whole, part)) if part.bytes().all(|b| b.is_ascii_digit()) => {
            let part = part.trim_end_matches('0');
            if part.is_empty() {
                whole.to_owned()
            } else {
                format!("{whole}.{part}")
            }
        }
        _ => text,
    };
    plain(wanted).map(trimmed) == plain(found).map(trimmed)
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
