//! `fenqi simulate`: the published cases where they are, against the page that says which differ; and mistakes in a file.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use fenqi_server::simulate::simulate;
use serde_json::{Value, json};

/// The fields that must be equal to the cent.
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

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Whether the figures of a list of rows are those that are expected.
fn rows_match(expected: &Value, found: &Value) -> bool {
    let (Some(expected), Some(found)) = (expected.as_array(), found.as_array()) else {
        return expected.is_null();
    };
    let same = |e: &Value, f: &Value| {
        let mut named = ROW.iter().filter(|name| e.get(**name).is_some());
        named.all(|name| field(e, name) == field(f, name))
    };
    expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| same(e, f))
}

/// Whether a case is answered to the cent.
fn holds(case: &Value, answer: &Value) -> bool {
    let steps = field(case, "sequence").as_array().unwrap();
    let expected: Vec<&Value> = steps.iter().filter_map(|s| s.get("expect")).collect();
    let Some(found) = answer.get("checkpoints").and_then(Value::as_array) else {
        return false;
    };
    let same = |e: &Value, f: &Value| {
        let totals = field(e, "schedule_totals").as_object();
        let totals = totals.into_iter().flatten();
        let counted = |name: &str| !matches!(name, "in_advance" | "late" | "waived");
        rows_match(field(e, "schedule"), field(f, "schedule"))
            && totals
                .filter(|(name, _)| counted(name))
                .all(|(name, value)| value == field(field(f, "schedule_totals"), name))
            && ["outstanding", "overpaid"]
                .iter()
                .all(|name| e.get(name).is_none_or(|value| value == field(f, name)))
    };
    expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| same(e, f))
}

/// Where the published cases are: beside the repository, or where the environment says.
fn cases() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");
    std::env::var_os("FENQI_CASES").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a test that is skipped says so")]
fn the_page_lists_exactly_the_published_cases_that_differ() {
    let file = cases().join("servicing.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!(
            "SKIPPED: {} is not there; FENQI_CASES may name its folder",
            file.display()
        );
        return;
    };
    let published: Value = serde_json::from_str(&text).unwrap();
    let answers = simulate(&text, None).unwrap();
    let cases = field(&published, "cases").as_array().unwrap();
    let differ: BTreeSet<&str> = cases
        .iter()
        .zip(&answers)
        .filter(|(case, answer)| !holds(case, answer))
        .filter_map(|(case, _)| field(case, "id").as_str())
        .collect();
    let page = include_str!("../../../docs/reference/conformance.md");
    let listed: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| FN")?.split(" |").next())
        .collect();
    let differ: BTreeSet<&str> = differ.iter().filter_map(|id| id.strip_prefix("FN")).collect();
    assert_eq!(differ, listed);
}

/// A file with one case of some operations.
fn one(sequence: &Value) -> String {
    let case = json!({
        "id": "mine",
        "inputs": {
            "principal": "300.00",
            "number_of_installments": 3,
            "repayment_every": 1,
            "repayment_unit": "MONTHS",
            "first_disbursement_date": "2026-01-31",
        },
        "sequence": sequence,
    });
    json!({ "cases": [case] }).to_string()
}

#[test]
fn a_file_of_ones_own_is_played() {
    let sequence = json!([
        { "op": "disburse", "date": "2026-01-31", "amount": "300.00" },
        { "op": "repayment", "date": "2026-02-28", "amount": "100.00" },
        { "expect": {} },
    ]);
    let lines = simulate(&one(&sequence), None).unwrap();
    assert_eq!(
        lines[0].pointer("/checkpoints/0/outstanding"),
        Some(&json!("200.00"))
    );
    let second = lines[0].pointer("/checkpoints/0/schedule/2/due_date");
    assert_eq!(second, Some(&json!("2026-03-31")));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let table = [
        (json!({ "op": "repay" }), "/cases/0/sequence/0/op"),
        (
            json!({ "op": "disburse", "amount": "1.00" }),
            "/cases/0/sequence/0/date",
        ),
        (
            json!({ "op": "disburse", "date": "2026-01-31", "amount": "1,0" }),
            "/cases/0/sequence/0/amount",
        ),
    ];
    for (op, place) in table {
        let lines = simulate(&one(&json!([op])), None).unwrap();
        let error = lines[0].get("error").and_then(Value::as_str).unwrap();
        assert!(error.starts_with(place), "{error}");
    }
    assert!(simulate("{}", None).is_err());
    assert!(simulate("nonsense", None).is_err());
}
