//! Random case files for the reader of `fenqi simulate`: whatever a file says, it is read, played and explained, or told
//! what is wrong with it. `cargo xtask fuzz` runs as many as one wants.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "what cannot be fails the test"
)]

use fenqi_app::texts::Language;
use fenqi_server::simulate::{File, text};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../docs/reference/simulate.example.json");

/// A value that a file might hold anywhere: what fits, and what does not.
fn any_value() -> impl Strategy<Value = Value> {
    let words = [
        "",
        "0.00",
        "0.01",
        "12.345",
        "-1.00",
        "99999999999.99",
        "1e9",
        "2026-02-30",
        "2026-02-28",
        "0001-01-01",
        "9999-12-31",
        "DAILY",
        "MONTHS",
        "WEEKS",
        "ACTUAL",
        "PENALTY",
        "repayment",
        "charge_off",
        "reage",
        "借款",
    ];
    prop_oneof![
        4 => select(words.to_vec()).prop_map(Value::from),
        2 => (2020..2032i16, 1..13i8, 1..29i8).prop_map(|(y, m, d)| Value::from(format!("{y}-{m:02}-{d:02}"))),
        2 => (0..2_000_000i64).prop_map(|fen| Value::from(format!("{}.{:02}", fen / 100, fen % 100))),
        2 => select(vec![i64::MIN, -1, 0, 1, 2, 12, 60, 61, 65_536, i64::MAX]).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({})),
    ]
}

/// A change of a file: at which of its places, what, and how.
fn any_change() -> impl Strategy<Value = (Index, Value, u8)> {
    (any::<Index>(), any_value(), 0..4u8)
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, v)| places(v, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, v)| places(v, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

/// The file with one change.
fn changed(mut file: Value, (place, value, how): (Index, Value, u8)) -> Value {
    let mut found = Vec::new();
    places(&file, "", &mut found);
    found.retain(|at| at.starts_with("/cases/"));
    if found.is_empty() {
        return file;
    }
    let at = place.get(&found).clone();
    let (parent, name) = at.rsplit_once('/').unwrap();
    match (how, file.pointer_mut(parent)) {
        (0, Some(Value::Object(fields))) => {
            fields.remove(name);
        }
        (1, Some(Value::Array(items))) => {
            let again = items[place.index(items.len())].clone();
            items.insert(place.index(items.len() + 1), again);
        }
        (2, Some(Value::Array(items))) => {
            items.remove(place.index(items.len()));
        }
        _ => *file.pointer_mut(&at).unwrap() = value,
    }
    file
}

/// Reads, plays, prints and explains; says whether anything was played.
fn played(content: &str) -> bool {
    let Ok(file) = File::read(content) else {
        return false;
    };
    let Ok(lines) = file.play(None) else {
        return false;
    };
    for line in &lines {
        assert!(
            line.get("error").is_some() || line.get("checkpoints").is_some(),
            "{line}"
        );
        assert!(!text(line).is_empty());
    }
    for line in lines.iter().filter(|line| line.get("checkpoints").is_some()) {
        let id = line.get("id").and_then(Value::as_str).unwrap();
        match file.explain(id) {
            Ok(told) => assert!(told.text(Language::Zh).starts_with("# ")),
            Err(why) => assert!(!why.contains("explained by figures"), "{why}"),
        }
    }
    lines.iter().any(|line| line.get("checkpoints").is_some())
}

#[test]
fn the_example_itself_is_played() {
    assert!(played(EXAMPLE));
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn a_file_with_changes_is_played_or_told_what_is_wrong(changes in prop::collection::vec(any_change(), 1..6)) {
        let file: Value = serde_json::from_str(EXAMPLE).unwrap();
        let file = changes.into_iter().fold(file, changed);
        played(&file.to_string());
    }

    #[test]
    fn a_text_that_is_cut_or_stained_is_told_what_is_wrong(
        at in any::<Index>(), len in 0..40usize, stain in ".{0,12}",
    ) {
        let letters: Vec<char> = EXAMPLE.chars().collect();
        let at = at.index(letters.len());
        let head: String = letters.iter().take(at).collect();
        let tail: String = letters.iter().skip(at + len).collect();
        played(&format!("{head}{stain}{tail}"));
    }
}
