//! Lives of loans whose figures somebody else reckoned: the published cases that taught a rule, in our own words.
//!
//! The figures are restated from the tests of Apache Fineract (Apache-2.0), develop of 2025-02-12; each life names the
//! file and the line that it came from. Those of `emi-calculator.txt` are of a unit test of 2026, told by its names: it
//! rounds interest once a period and not once a span, and what depends on that is left out. Those of `integration.txt` are
//! of tests of the whole engine, 2023 to 2026, told by their names: money ahead of time by rules of its own, down payments
//! of several days, chargebacks by component, rows spread anew and what is lent after that. To add one, append what
//! `fenqi simulate CASES.json --case ID --own-words` prints to a file of `crates/domain/tests/recorded`, and run this test
//! with FENQI_WRITE_PAGES=1: it writes how the loan stands below each `on`. Then hold what it wrote against the case.

#![expect(clippy::panic, reason = "a life that cannot be told says which one it is")]

use std::fmt::Write;
use std::path::Path;

use fenqi_domain::loan::{Figures, Life, Record, Transaction, life};
use fenqi_domain::plan::Terms;
use jiff::civil::Date;

/// The terms of one life and what is known of it so far.
struct Told {
    origin: String,
    terms: Terms,
    transactions: Vec<Transaction>,
}

/// A file as it would be written now, amounts in minor units.
fn written(text: &str) -> String {
    let mut out = String::new();
    let (mut origin, mut told) = (String::new(), None::<Told>);
    for line in text.lines().filter(|line| !line.starts_with("  ")) {
        out.push_str(line);
        out.push('\n');
        if let Some(from) = line.strip_prefix("# ") {
            origin = from.to_owned();
        } else if let Some(json) = line.strip_prefix("terms ") {
            told = Some(Told {
                origin: origin.clone(),
                terms: serde_json::from_str(json).unwrap(),
                transactions: Vec::new(),
            });
        } else if let Some(day) = line.strip_prefix("on ") {
            let told = told.as_ref().unwrap();
            let life = life(&told.terms, &told.transactions, day.parse().unwrap());
            let life = life.unwrap_or_else(|e| panic!("{}, on {day}: {e}", told.origin));
            stands(&mut out, &life);
        } else if !line.is_empty() {
            told.as_mut().unwrap().transactions.push(transaction(line));
        }
    }
    out
}

/// A line such as `2 2024-02-01 {"kind":"repaid",…}`.
fn transaction(line: &str) -> Transaction {
    let mut parts = line.splitn(3, ' ');
    let mut part = || parts.next().unwrap();
    Transaction {
        number: part().parse().unwrap(),
        effective_on: part().parse().unwrap(),
        event: serde_json::from_str(part()).unwrap(),
    }
}

/// How a loan stands, and what each transaction did.
fn stands(out: &mut String, life: &Life) {
    for (row, note) in life.loan.rows.iter().zip(&life.notes) {
        let period = format!("{} {}..{}", row.number, note.from, row.due_on);
        let parts = [row.principal, row.interest, row.fee, row.penalty].map(figures);
        let cleared = row
            .cleared_on
            .map_or("open".to_owned(), |on: Date| on.to_string());
        let times = format!("{}/{}", note.ahead.minor(), note.late.minor());
        writeln!(out, "  row {period} {} {times} {cleared}", parts.join(" ")).unwrap();
    }
    for record in &life.records {
        writeln!(out, "  did {}", did(record)).unwrap();
    }
    if !life.loan.credit_balance.is_zero() {
        writeln!(out, "  credit {}", life.loan.credit_balance.minor()).unwrap();
    }
}

/// Principal, interest, fee, penalty: charged, paid, waived and cancelled, as far as they are not nothing.
fn figures(of: Figures) -> String {
    let mut text = format!("{}/{}", of.charged.minor(), of.paid.minor());
    if !(of.waived.is_zero() && of.cancelled.is_zero()) {
        write!(text, "/{}/{}", of.waived.minor(), of.cancelled.minor()).unwrap();
    }
    text
}

/// The amount that moved, its parts, what was left over, and the principal open after it.
fn did(record: &Record) -> String {
    let p = record.parts;
    let parts = [p.principal, p.interest, p.fee, p.penalty].map(|part| part.minor().to_string());
    let (amount, over, open) = (
        record.amount.minor(),
        record.over.minor(),
        record.principal.minor(),
    );
    let parts = parts.join(" ");
    format!("{} {amount}: {parts}, over {over}, leaves {open}", record.number)
}

// R52, R53: what happens to a loan comes to the figures that others published.
#[test]
fn every_recorded_life_comes_to_its_figures() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded"));
    let mut lives = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let said = std::fs::read_to_string(&path).unwrap();
        let now = written(&said);
        lives += now.lines().filter(|line| line.starts_with("terms ")).count();
        if std::env::var_os("FENQI_WRITE_PAGES").is_some() {
            std::fs::write(&path, now).unwrap();
            continue;
        }
        let differs = now.lines().zip(said.lines()).position(|(now, said)| now != said);
        if let Some(line) = differs.or((now != said).then_some(0)) {
            let (now, said) = (now.lines().nth(line), said.lines().nth(line));
            panic!(
                "{}:{}\nexpected {said:?}\nfound    {now:?}",
                path.display(),
                line + 1
            );
        }
    }
    assert!(lives > 0, "there are recorded lives in {}", folder.display());
}
