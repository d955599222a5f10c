//! SQL stands in `crates/store` only, and there only in words that every database of the family knows.

use super::rust::{Source, line_of};
use super::{File, Finding, rust_below};

/// Words that one database has and another has not, or that decide something behind the caller's back,
/// each with what to write instead.
const BANNED: &[(&str, &str)] = &[
    ("now()", "pass the time as a parameter"),
    ("current_timestamp", "pass the time as a parameter"),
    ("current_date", "pass the date as a parameter"),
    ("random()", "pass the value as a parameter"),
    ("gen_random_uuid", "make the identifier before, and pass it"),
    ("lateral", "write a join or a second query"),
    ("any(", "write a join, or one parameter each"),
    ("skip locked", "take a lease by a guarded update"),
    ("greatest(", "write `case when`"),
    ("least(", "write `case when`"),
    ("truncate", "write `delete from`"),
    ("nextval", "make the identifier before, and pass it"),
    ("create sequence", "make the identifier before, and pass it"),
    ("serial", "make the identifier before, and pass it"),
    ("bigserial", "make the identifier before, and pass it"),
    ("autoincrement", "make the identifier before, and pass it"),
    ("as identity", "make the identifier before, and pass it"),
    ("pg_advisory", "take a lease by a guarded update"),
    ("listen", "poll"),
    ("notify", "poll"),
];

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Tests of the whole system count rows and tamper with them behind the store's back, and that takes SQL.
    let tampers = |file: &&File| file.path.starts_with("sim/tests/");
    for file in rust_below(files, &["crates/", "sim/"]).filter(|file| !tampers(file)) {
        match file.path.starts_with("crates/store/") {
            false => findings.extend(outside_store(file)),
            true if file.path.starts_with("crates/store/src/postgres/") => {}
            true if file.path.starts_with("crates/store/src/") => findings.extend(banned_in_statements(file)),
            true => {}
        }
    }
    for file in files
        .iter()
        .filter(|file| file.path.starts_with("crates/store/schema/"))
    {
        findings.extend(banned_in_text(&file.path, 1, &file.text));
    }
    findings
}

fn outside_store(file: &File) -> Vec<Finding> {
    let literals = Source::of(&file.text).literals;
    let statements = literals.iter().filter(|literal| is_statement(&literal.text));
    statements
        .map(|literal| {
            Finding::new(
                &file.path,
                literal.line,
                "SQL stands only in crates/store: move this statement there",
            )
        })
        .collect()
}

fn banned_in_statements(file: &File) -> Vec<Finding> {
    let literals = Source::of(&file.text).literals;
    let statements = literals.iter().filter(|literal| is_statement(&literal.text));
    statements
        .flat_map(|literal| banned_in_text(&file.path, literal.line, &literal.text))
        .collect()
}

/// Whether a text is an SQL statement, and not a sentence that begins with one of its verbs.
fn is_statement(text: &str) -> bool {
    let text = without_comments(text).to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    match words.as_slice() {
        ["select", ..] => has("from") && !text.trim_end().ends_with('.'),
        ["insert", "into", _, ..] | ["delete", "from", _, ..] => true,
        ["update", _, ..] => has("set"),
        ["with", ..] => has("as") && (has("select") || text.contains("(select") || has("(")),
        ["create", "table" | "index" | "unique" | "view", ..] | ["alter" | "drop", "table", ..] => true,
        _ => false,
    }
}

fn banned_in_text(path: &str, first_line: usize, text: &str) -> Vec<Finding> {
    let text = without_comments(text).to_lowercase();
    let mut findings = Vec::new();
    for (word, instead) in BANNED {
        for (at, _) in text.match_indices(word) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let begins = !text[..at].chars().next_back().is_some_and(is_part);
            let ends =
                !word.ends_with(is_part) || !text[at + word.len()..].chars().next().is_some_and(is_part);
            if begins && ends {
                let what = format!("`{word}` is not portable: {instead}");
                findings.push(Finding::new(path, first_line + line_of(&text, at) - 1, what));
            }
        }
    }
    findings
}

/// The text with `-- …` blanked, except that a line marked for one database keeps its SQL.
fn without_comments(text: &str) -> String {
    let line = |line: &str| {
        let trimmed = line.trim_start();
        for mark in ["-- sqlite:", "-- postgres:"] {
            if let Some(rest) = trimmed.strip_prefix(mark) {
                return rest.to_owned();
            }
        }
        line.split("--").next().unwrap_or_default().to_owned()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_statement_outside_the_store_is_found() {
        for bad in [
            "select id from agreement",
            "-- agreement.find\\nselect id\\n from agreement",
            "insert into entry (id) values ($1)",
            "UPDATE agreement SET stage = $1",
            "delete from work where shopper = $1",
            "with due as (select 1) select * from due",
        ] {
            let bad = bad.replace("\\n", "\n");
            let found = check(&[file(
                "crates/app/src/pay.rs",
                &format!("const A: &str = \"{bad}\";"),
            )]);
            assert_eq!(found.len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_sentence_is_no_statement() {
        for good in [
            "select a plan",
            "update the card first",
            "with care",
            "Select one from the list.",
            "delete it",
        ] {
            let found = check(&[file(
                "crates/web/src/page.rs",
                &format!("const A: &str = \"{good}\";"),
            )]);
            assert_eq!(found, [], "{good}");
        }
    }

    #[test]
    fn a_banned_word_in_a_statement_of_the_store_is_found_with_its_line() {
        let text = "const A: &str = \"-- a.b\nselect id from a\nwhere at < now() and b = any($1)\";";
        let found = check(&[file("crates/store/src/tables/a.rs", text)]);
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [3, 3]
        );
    }

    #[test]
    fn words_that_only_contain_a_banned_word_pass() {
        let text = "const A: &str = \"select listener, serial_number, many(1) from a -- now()\";";
        assert_eq!(check(&[file("crates/store/src/tables/a.rs", text)]), []);
    }

    #[test]
    fn the_schema_is_read_too_and_the_postgres_driver_is_not() {
        let schema = file(
            "crates/store/schema/0001_a.sql",
            "create table a (\n  id bigserial\n);\n-- truncate\n",
        );
        let driver = file(
            "crates/store/src/postgres/group.rs",
            "const A: &str = \"select 1 from a where b = any($1)\";",
        );
        let found = check(&[schema, driver]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }
}
