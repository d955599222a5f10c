//! Every key of an owned table begins with its owner, so that the schema can be spread over several machines.
//!
//! A table says what it is on a comment line directly above its `create table`:
//! `-- owner: shopper` (or another of [`OWNERS`]), `-- lookup` (a value that is unique across owners, keyed by the
//! value), `-- configuration` (small, copied everywhere), or `-- housekeeping` (the process's own: migrations,
//! leases).

use super::rust::line_of;
use super::{File, Finding};
use std::collections::HashMap;

/// The columns that an owned table may begin its keys with.
const OWNERS: &[&str] = &[
    "shopper",
    "seller",
    "institution",
    "organisation",
    "subscriber",
    "channel",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Owned(String),
    Lookup,
    Configuration,
    Housekeeping,
}

struct Table {
    path: String,
    line: usize,
    name: String,
    kind: Result<Kind, String>,
    /// The definitions between the brackets: columns and constraints.
    parts: Vec<String>,
}

/// A key: what it is, its columns, and the table it points to if it is a foreign one.
struct Key {
    kind: &'static str,
    columns: Vec<String>,
    target: Option<String>,
}

pub fn check(files: &[File]) -> Vec<Finding> {
    let schema: Vec<&File> = files
        .iter()
        .filter(|file| file.path.starts_with("crates/store/schema/") && file.path.ends_with(".sql"))
        .collect();
    let tables: Vec<Table> = schema.iter().flat_map(|file| tables(file)).collect();
    let kinds: HashMap<String, Kind> = tables
        .iter()
        .filter_map(|table| Some((table.name.clone(), table.kind.clone().ok()?)))
        .collect();
    let mut findings: Vec<Finding> = tables
        .iter()
        .flat_map(|table| wrong_keys(table, &kinds))
        .collect();
    findings.extend(schema.iter().flat_map(|file| wrong_indexes(file, &kinds)));
    findings
}

fn wrong_keys(table: &Table, kinds: &HashMap<String, Kind>) -> Vec<Finding> {
    let finding = |what: String| Finding::new(&table.path, table.line, what);
    let kind = match &table.kind {
        Ok(kind) => kind,
        Err(what) => return vec![finding(what.clone())],
    };
    let keys: Vec<Key> = table.parts.iter().flat_map(|part| keys(part)).collect();
    let mut findings = Vec::new();
    if !keys.iter().any(|key| key.kind == "primary key") {
        findings.push(finding(format!("table {} has no primary key", table.name)));
    }
    let Kind::Owned(owner) = kind else { return findings };
    for key in keys {
        let points_to_a_copied_table = key
            .target
            .as_ref()
            .is_some_and(|target| kinds.get(target) == Some(&Kind::Configuration));
        if !begins_with(&key.columns, owner) && !points_to_a_copied_table {
            let columns = key.columns.join(", ");
            findings.push(finding(format!(
                "the {} ({columns}) of {} must begin with its owner `{owner}`",
                key.kind, table.name
            )));
        }
    }
    findings
}

fn wrong_indexes(file: &File, kinds: &HashMap<String, Kind>) -> Vec<Finding> {
    let text = plain(&file.text);
    let mut findings = Vec::new();
    for (at, _) in text.match_indices("create unique index") {
        let statement = text[at..].split(';').next().unwrap_or_default();
        let Some((_, rest)) = statement.split_once(" on ") else {
            continue;
        };
        let name = rest
            .split(['(', ' ', '\n'])
            .find(|word| !word.is_empty())
            .unwrap_or_default();
        let columns = inside(rest).map(|text| columns(&text)).unwrap_or_default();
        if let Some(Kind::Owned(owner)) = kinds.get(name)
            && !begins_with(&columns, owner)
        {
            let what = format!(
                "the unique index ({}) of {name} must begin with its owner `{owner}`",
                columns.join(", ")
            );
            findings.push(Finding::new(&file.path, line_of(&text, at), what));
        }
    }
    findings
}

fn begins_with(columns: &[String], owner: &str) -> bool {
    columns
        .first()
        .is_some_and(|first| first == owner || *first == format!("{owner}_id"))
}

fn tables(file: &File) -> Vec<Table> {
    let text = plain(&file.text);
    let mut tables = Vec::new();
    for (at, _) in text.match_indices("create table") {
        let line = line_of(&text, at);
        let rest = text[at + "create table".len()..].trim_start();
        let rest = rest.strip_prefix("if not exists").unwrap_or(rest).trim_start();
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let parts = inside(rest).map(|text| split_top(&text)).unwrap_or_default();
        let kind = kind_above(&file.text, line).map_err(|what| format!("table {name} {what}"));
        tables.push(Table {
            path: file.path.clone(),
            line,
            name,
            kind,
            parts,
        });
    }
    tables
}

/// What the comment lines directly above a table say that it is.
fn kind_above(text: &str, line: usize) -> Result<Kind, String> {
    let lines: Vec<&str> = text.lines().take(line - 1).collect();
    let comments = lines
        .iter()
        .rev()
        .map(|line| line.trim())
        .take_while(|line| line.starts_with("--"));
    for comment in comments {
        let comment = comment.trim_start_matches('-').trim();
        match comment
            .split_once(':')
            .map_or((comment, ""), |(word, rest)| (word.trim(), rest.trim()))
        {
            ("owner", owner) if OWNERS.contains(&owner) => return Ok(Kind::Owned(owner.to_owned())),
            ("owner", owner) => {
                return Err(format!(
                    "has the owner `{owner}`; owners are {}",
                    OWNERS.join(", ")
                ));
            }
            ("lookup", _) => return Ok(Kind::Lookup),
            ("configuration", _) => return Ok(Kind::Configuration),
            ("housekeeping", _) => return Ok(Kind::Housekeeping),
            _ => {}
        }
    }
    Err("says not whose it is: write `-- owner: …`, `-- lookup`, `-- configuration` or `-- housekeeping` above it".to_owned())
}

/// The keys that one definition declares.
fn keys(part: &str) -> Vec<Key> {
    let part = part.trim();
    let part = match part.strip_prefix("constraint ") {
        Some(rest) => rest
            .trim_start()
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim_start()),
        None => part,
    };
    let target = part.split_once("references").map(|(_, rest)| {
        rest.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    });
    let listed = || inside(part).map(|text| columns(&text)).unwrap_or_default();
    for kind in ["primary key", "unique", "foreign key"] {
        if part.starts_with(kind) {
            let target = if kind == "foreign key" { target } else { None };
            return vec![Key {
                kind,
                columns: listed(),
                target,
            }];
        }
    }
    if part.starts_with("check") {
        return Vec::new();
    }
    let column = columns(part);
    let words = format!(" {} ", part.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut keys = Vec::new();
    for kind in ["primary key", "unique"] {
        if words.contains(&format!(" {kind} ")) {
            keys.push(Key {
                kind,
                columns: column.clone(),
                target: None,
            });
        }
    }
    if target.is_some() && words.contains(" references ") {
        keys.push(Key {
            kind: "foreign key",
            columns: column,
            target,
        });
    }
    keys
}

/// The first word of each part between commas.
fn columns(list: &str) -> Vec<String> {
    let first = |part: &str| part.split_whitespace().next().unwrap_or_default().to_owned();
    split_top(list).iter().map(|part| first(part)).collect()
}

/// What stands inside the first pair of brackets.
fn inside(text: &str) -> Option<String> {
    let open = text.find('(')?;
    let mut depth = 0_usize;
    for (at, c) in text[open..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(text[open + 1..open + at].to_owned()),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The parts between the commas that stand in no bracket.
fn split_top(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The text in lower case with comments blanked, lines kept.
fn plain(text: &str) -> String {
    // A line marked for one database counts as it stands for PostgreSQL, so that each table ends once.
    let line = |line: &str| {
        let marked = line.strip_prefix("-- postgres: ").unwrap_or(line);
        marked.split("--").next().unwrap_or_default().to_lowercase()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn found(text: &str) -> Vec<String> {
        let findings = check(&[file("crates/store/schema/0001_a.sql", text)]);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_table_whose_keys_begin_with_its_owner_passes() {
        let text = "-- configuration\ncreate table plan (code text primary key);\n\
            -- An agreement (借据).\n-- owner: shopper\ncreate table agreement (\n  shopper text not null,\n  id text not null,\n  \
            plan text not null references plan (code),\n  check (id <> ''),\n  primary key (shopper, id),\n  \
            foreign key (shopper, id) references request (shopper, id)\n);\n\
            create unique index agreement_number on agreement (shopper, plan);\n";
        assert_eq!(found(text), [] as [&str; 0]);
    }

    #[test]
    fn each_kind_of_key_that_leaves_its_owner_out_is_found() {
        for (bad, word) in [
            ("id text primary key", "primary key (id)"),
            ("id text unique, primary key (shopper, id)", "unique (id)"),
            ("primary key (id, shopper)", "primary key (id, shopper)"),
            (
                "primary key (shopper, id), constraint once unique (id)",
                "unique (id)",
            ),
            (
                "primary key (shopper, id), foreign key (id) references other (id)",
                "foreign key (id)",
            ),
            (
                "primary key (shopper, id), other text references other (id)",
                "foreign key (other)",
            ),
        ] {
            let whats = found(&format!(
                "-- owner: shopper\ncreate table a (\n shopper text, {bad});"
            ));
            assert_eq!(whats.len(), 1, "{bad}: {whats:?}");
            assert!(whats[0].contains(word), "{bad}: {whats:?}");
        }
    }

    #[test]
    fn a_unique_index_that_leaves_the_owner_out_is_found() {
        let text = "-- owner: seller\ncreate table a (seller text, b text, primary key (seller, b));\n\
            create unique index c on a (b) where b <> '';";
        assert_eq!(found(text).len(), 1);
    }

    #[test]
    fn an_unmarked_table_and_an_unknown_owner_are_found() {
        assert!(found("create table a (id text primary key);")[0].contains("says not whose it is"));
        assert!(found("-- owner: nobody\ncreate table a (id text primary key);")[0].contains("nobody"));
        assert!(
            found("-- lookup\n\ncreate table a (id text primary key);")[0].contains("says not whose it is")
        );
    }

    #[test]
    fn a_table_without_primary_key_is_found_whatever_it_is() {
        assert!(found("-- lookup\ncreate table a (id text);")[0].contains("no primary key"));
    }
}
