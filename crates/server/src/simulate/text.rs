//! A case as a table to read.

use serde_json::Value;

/// The columns of a schedule: the field, and the head that people read.
const ROWS: [(&str, &str); 12] = [
    ("nr", "no."),
    ("due_date", "due"),
    ("principal_due", "principal"),
    ("interest", "interest"),
    ("fees", "fees"),
    ("penalties", "penalties"),
    ("due", "in all"),
    ("paid", "paid"),
    ("waived", "waived"),
    ("outstanding", "open"),
    ("paid_date", "cleared"),
    ("balance_of_loan", "principal left"),
];

/// The columns of the transactions.
const TRANSACTIONS: [(&str, &str); 9] = [
    ("date", "date"),
    ("type", "what"),
    ("amount", "amount"),
    ("principal", "principal"),
    ("interest", "interest"),
    ("fees", "fees"),
    ("penalties", "penalties"),
    ("overpayment", "left over"),
    ("loan_balance", "principal left"),
];

/// One line of the answer as people read it: a title, and a table for each place where the case expects something.
pub fn text(line: &Value) -> String {
    let mut text = format!("# {}\n", shown(line.get("id")));
    if let Some(error) = line.get("error") {
        text.push_str(&format!("\ncannot be played: {}\n", shown(Some(error))));
    }
    for note in list(line.get("passed_over")) {
        text.push_str(&format!("\npassed over: {}\n", shown(Some(note))));
    }
    for checkpoint in list(line.get("checkpoints")) {
        text.push_str(&format!(
            "\n{} on {}: {}, open {}, left over {}\n\n",
            shown(checkpoint.get("at")),
            shown(checkpoint.get("on")),
            shown(checkpoint.get("status")).to_lowercase(),
            shown(checkpoint.get("outstanding")),
            shown(checkpoint.get("overpaid")),
        ));
        let mut rows: Vec<Vec<String>> = list(checkpoint.get("schedule"))
            .iter()
            .map(|row| cells(row, &ROWS))
            .collect();
        if let Some(totals) = checkpoint.get("schedule_totals") {
            rows.push(cells(totals, &ROWS));
        }
        text.push_str(&table(&ROWS, &rows));
        let entered = list(checkpoint.get("transactions")).iter();
        let rows: Vec<Vec<String>> = entered.map(transaction).collect();
        if !rows.is_empty() {
            text.push('\n');
            text.push_str(&table(&TRANSACTIONS, &rows));
        }
    }
    text
}

/// A transaction; one that was taken back or done again says so.
fn transaction(row: &Value) -> Vec<String> {
    let mut cells = cells(row, &TRANSACTIONS);
    let is = |name: &str| row.get(name) == Some(&Value::Bool(true));
    if let Some(what) = cells.get_mut(1) {
        if is("reverted") {
            what.push_str(" (undone)");
        } else if is("replayed") {
            what.push_str(" (replayed)");
        }
    }
    cells
}

fn cells(row: &Value, columns: &[(&str, &str)]) -> Vec<String> {
    let mut cells: Vec<String> = columns.iter().map(|(name, _)| shown(row.get(*name))).collect();
    if row.get("disbursement_row").is_some()
        && let (Some(due), Some(left)) = (cells.get_mut(1), row.get("date"))
    {
        *due = shown(Some(left));
    }
    cells
}

/// A table whose figures stand under one another.
fn table(columns: &[(&str, &str)], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = columns.iter().map(|(_, head)| (*head).to_owned()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|place| {
            let cells = rows.iter().chain([&heads]).filter_map(|row| row.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(columns);
        let cells = cells.map(|((cell, width), (field, _))| match *field {
            "type" => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let line: Vec<String> = cells.collect();
        format!("{}\n", line.join("  ").trim_end())
    };
    std::iter::once(&heads).chain(rows).map(line).collect()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
