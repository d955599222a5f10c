//! `fenqi simulate`: the published cases where they are, against the page that says which differ; and mistakes in a file.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use fenqi_server::simulate::{File, check::differences, schema, text};
use serde_json::{Value, json};

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn simulate(text: &str) -> Vec<Value> {
    File::read(text).unwrap().play(None).unwrap()
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
    let published = File::read(&text).unwrap();
    let answers = published.play(None).unwrap();
    assert_eq!(
        published.findings(),
        [],
        "the schema knows all that the cases say"
    );
    let differ: BTreeSet<&str> = published
        .cases()
        .iter()
        .zip(&answers)
        .filter(|(case, answer)| !differences(case, answer).is_empty())
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
    let lines = simulate(&one(&sequence));
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
        let lines = simulate(&one(&json!([op])));
        let error = lines[0].get("error").and_then(Value::as_str).unwrap();
        assert!(error.starts_with(place), "{error}");
    }
    assert!(File::read("{}").is_err());
    assert!(File::read("nonsense").is_err());
}

#[test]
fn a_field_that_nobody_reads_is_named() {
    let sequence = json!([
        { "op": "disburse", "date": "2026-01-31", "amount": "300.00", "amont": "3" },
    ]);
    let lines = simulate(&one(&sequence));
    assert_eq!(
        lines[0].get("passed_over"),
        Some(&json!([
            "/cases/0/sequence/0/amont: is no field that is read here; did you mean amount?"
        ]))
    );
    let end = lines[0].pointer("/checkpoints/0/outstanding");
    assert_eq!(end, Some(&json!("300.00")), "what is left is played to its end");
}

#[test]
fn a_figure_that_is_not_as_expected_is_told_with_its_place() {
    let sequence = json!([
        { "op": "disburse", "date": "2026-01-31", "amount": "300.00" },
        { "expect": { "outstanding": "299.00", "schedule": [
            { "disbursement_row": true, "date": "2026-01-31" },
            { "due_date": "2026-02-28", "due": "100.01" },
        ] } },
    ]);
    let file = File::read(&one(&sequence)).unwrap();
    let lines = file.play(None).unwrap();
    let found: Vec<String> = differences(&file.cases()[0], &lines[0])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "/checkpoints/0/schedule: 4 rows, expected 2 rows",
            "/checkpoints/0/schedule/1/due: 100.00, expected 100.01",
            "/checkpoints/0/outstanding: 300.00, expected 299.00",
        ]
    );
}

/// The file that the page shows, and what the page says that it prints.
#[test]
fn the_example_of_the_page_prints_what_the_page_shows() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let read = |name: &str| std::fs::read_to_string(root.join("docs/reference").join(name)).unwrap();
    let example = read("simulate.example.json");
    let file = File::read(&example).unwrap();
    assert_eq!(file.findings(), []);
    let lines = file.play(None).unwrap();
    let printed: String = lines.iter().map(text).collect();
    let page = read("simulate.md");
    assert!(page.contains(&printed), "the page should show:\n{printed}");
}

/// Every operation of the schema is on the page.
#[test]
fn every_operation_of_the_schema_is_on_the_page() {
    let schema: Value = serde_json::from_str(schema::TEXT).unwrap();
    let page = include_str!("../../../docs/reference/simulate.md");
    let branches = schema.pointer("/$defs/step/oneOf").unwrap().as_array().unwrap();
    let operations = branches
        .iter()
        .filter_map(|b| b.pointer("/properties/op/const")?.as_str());
    for operation in operations {
        assert!(
            page.contains(&format!("`{operation}`")),
            "{operation} is not on the page"
        );
    }
}
