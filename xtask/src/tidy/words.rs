//! Words that do not belong into the repository: unfinished work, names that say nothing, places on one machine.

use super::rust::{Source, word_positions};
use super::{File, Finding, rust_below};

/// Marks of unfinished work. Written in halves, so that this file does not find itself.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Macros that compile and then panic.
const PANICS: &[&str] = &[concat!("to", "do!"), concat!("unimple", "mented!")];
/// Paths that exist on one machine only.
const MACHINES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("../", "shared/"),
];
/// Names that hide what a thing is for.
const EMPTY: &[&str] = &["Manager", "Service", "Helper", "Util", "Utils"];

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path != "Cargo.lock" && file.path != "LICENSE")
    {
        findings.extend(in_text(file));
    }
    for file in rust_below(files, &["crates/", "sim/", "bench/", "xtask/"]) {
        findings.extend(empty_names(file));
    }
    findings
}

fn in_text(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let mut found = |what: String| findings.push(Finding::new(&file.path, at + 1, what));
        for word in UNFINISHED {
            if !word_positions(line, word).is_empty() {
                found(format!("`{word}`: finish it, or write an issue"));
            }
        }
        for word in PANICS {
            if file.path.ends_with(".rs") && line.contains(word) {
                found(format!("`{word}`: finish it, or answer an error"));
            }
        }
        // The published cases lie beside the repository; the tests that read them may say where.
        let is_case = line.contains(concat!("shared", "/cases")) && !line.contains("/wo");
        for place in MACHINES {
            if line.contains(place) && !is_case {
                found(format!("`{place}` is a place on one machine"));
            }
        }
    }
    findings
}

/// Types, modules and functions whose name ends in a word that says nothing.
fn empty_names(file: &File) -> Vec<Finding> {
    let code = Source::of(&file.text).code;
    let mut findings = Vec::new();
    for keyword in ["struct", "enum", "type", "mod", "fn"] {
        for (at, line) in word_positions(&code, keyword) {
            let rest = code[at + keyword.len()..].trim_start();
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let says_nothing = |word: &&&str| {
                let lower = word.to_lowercase();
                // A verb may be called as the trade calls it, `fn service`; a module of that name is a heap.
                name.ends_with(**word)
                    || name.ends_with(&format!("_{lower}"))
                    || (keyword == "mod" && name == lower)
            };
            if let Some(word) = EMPTY.iter().find(says_nothing) {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("`{name}`: `{word}` says nothing; name what it is or does"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn unfinished_work_is_found_in_any_text() {
        for word in UNFINISHED {
            assert_eq!(
                check(&[file("docs/a.md", &format!("text\n{word}: later"))]).len(),
                1,
                "{word}"
            );
        }
        let code = format!("fn f() {{ {}() }}", PANICS[0]);
        assert_eq!(check(&[file("crates/a/src/a.rs", &code)]).len(), 1);
    }

    #[test]
    fn places_on_one_machine_are_found_and_the_published_cases_are_not() {
        for place in MACHINES {
            assert_eq!(
                check(&[file("docs/a.md", &format!("see {place}notes"))]).len(),
                1,
                "{place}"
            );
        }
        let cases = format!("const CASES: &str = \"{}cases/a.jsonl\";", MACHINES[4]);
        assert_eq!(check(&[file("crates/a/tests/a.rs", &cases)]), []);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        for bad in [
            "struct LeaseManager;",
            "mod util {}",
            "enum PaymentService {}",
            "fn date_helper() {}",
        ] {
            assert_eq!(check(&[file("crates/a/src/a.rs", bad)]).len(), 1, "{bad}");
        }
        for good in [
            "struct Serviced;",
            "mod servicing {}",
            "// a Helper",
            "fn utilisation() {}",
        ] {
            assert_eq!(check(&[file("crates/a/src/a.rs", good)]), [], "{good}");
        }
    }
}
