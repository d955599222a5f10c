//! `docs/reference/requirements.md`: each requirement, where it is met, and the tests that show it.
//!
//! The page is gathered from marks in the sources. `// R21: the gap is named` directly above a test says what
//! the test shows; above any other item it says that the item is where the requirement is met. In a scenario
//! the mark is `# R21: …`, and the answer is the next line that begins with `->`.

mod rows;

use crate::shell::{self, Outcome};
use crate::tidy::{self, File, Finding};
use rows::{ROWS, Row};
use std::fmt::Write;

const PAGE: &str = "docs/reference/requirements.md";
/// How many lines below its mark a scenario may give its answer.
const ANSWER_LINES_MAX: usize = 12;

/// One mark, read.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    ids: Vec<String>,
    path: String,
    line: usize,
    /// What the mark says.
    says: String,
    subject: Subject,
}

/// What a mark stands above.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    Test(String),
    Item(String),
    Scenario { answer: Option<String> },
}

/// Prints the page, or writes it with `--write`; `--strict` fails on rows that nothing shows.
pub fn run(arguments: &[String]) -> Outcome {
    let mut write = false;
    let mut strict = false;
    for argument in arguments {
        match argument.as_str() {
            "--write" => write = true,
            "--strict" => strict = true,
            other => return Err(format!("`{other}` is unknown; --write and --strict are allowed")),
        }
    }
    let (marks, findings) = marks(&tidy::read_files()?);
    if let Some(Finding { path, line, what }) = findings.first() {
        return Err(format!("{path}:{line}: {what}"));
    }
    let text = page(&marks);
    if write {
        let path = shell::root().join(PAGE);
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|error| error.to_string())?;
        std::fs::write(&path, text).map_err(|error| format!("could not write {PAGE}: {error}"))?;
    } else {
        print!("{text}");
    }
    let open: Vec<&str> = unshown(&marks).iter().map(|row| row.id).collect();
    match open.as_slice() {
        [] => Ok(()),
        open if strict => Err(format!("nothing shows {}", open.join(", "))),
        open => {
            eprintln!("nothing shows {} yet", open.join(", "));
            Ok(())
        }
    }
}

/// Whether the page is what the sources say now.
pub fn check(files: &[File]) -> Vec<Finding> {
    let (marks, mut findings) = marks(files);
    let current = files
        .iter()
        .find(|file| file.path == PAGE)
        .map(|file| file.text.as_str());
    if current != Some(page(&marks).as_str()) {
        findings.push(Finding::new(
            PAGE,
            0,
            "is not current: run `cargo xtask requirements --write`",
        ));
    }
    let open = unshown(&marks);
    findings.extend(
        open.iter()
            .map(|row| Finding::new(PAGE, 0, format!("nothing shows {}", row.id))),
    );
    findings
}

/// The rows that are to be met now and that no test or scenario shows.
fn unshown(marks: &[Mark]) -> Vec<&'static Row> {
    let shown = |row: &Row| {
        marks
            .iter()
            .any(|mark| mark.ids.iter().any(|id| id == row.id) && !matches!(mark.subject, Subject::Item(_)))
    };
    ROWS.iter()
        .filter(|row| row.later.is_empty() && !shown(row))
        .collect()
}

fn marks(files: &[File]) -> (Vec<Mark>, Vec<Finding>) {
    let mut marks = Vec::new();
    let mut findings = Vec::new();
    for file in files {
        let is_source = file.path.ends_with(".rs") && !file.path.starts_with("xtask/");
        let is_scenario = file.path.starts_with("sim/scenarios/") && file.path.ends_with(".txt");
        if !is_source && !is_scenario {
            continue;
        }
        let lines: Vec<&str> = file.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let sign = if is_source { "//" } else { "#" };
            let Some((ids, says)) = line.trim().strip_prefix(sign).and_then(read_mark) else {
                continue;
            };
            for id in &ids {
                if !ROWS.iter().any(|row| row.id == id) {
                    findings.push(Finding::new(
                        &file.path,
                        at + 1,
                        format!("there is no requirement {id}"),
                    ));
                }
            }
            let below = &lines[at + 1..];
            let (says, wanted) = wanted(says);
            let subject = if is_source {
                item_below(below)
            } else {
                Some(answer_below(below, wanted.as_deref()))
            };
            if let (Some(wanted), Some(Subject::Scenario { answer: None })) = (&wanted, &subject) {
                findings.push(Finding::new(
                    &file.path,
                    at + 1,
                    format!("no answer below says “{wanted}”"),
                ));
            }
            match subject {
                Some(subject) => marks.push(Mark {
                    ids,
                    path: file.path.clone(),
                    line: at + 1,
                    says,
                    subject,
                }),
                None => findings.push(Finding::new(
                    &file.path,
                    at + 1,
                    "a mark stands directly above a test or an item",
                )),
            }
        }
    }
    (marks, findings)
}

/// Reads ` R21, R22: the gap is named`.
fn read_mark(text: &str) -> Option<(Vec<String>, String)> {
    let (ids, says) = text.strip_prefix(' ')?.split_once(": ")?;
    let is_id = |id: &str| {
        let digits = id.strip_prefix(['R', 'H']).unwrap_or_default();
        !digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let ids: Vec<String> = ids.split(", ").map(str::to_owned).collect();
    ids.iter()
        .all(|id| is_id(id))
        .then(|| (ids, says.trim().to_owned()))
}

/// The item below a mark, over attributes, other marks and comments.
fn item_below(lines: &[&str]) -> Option<Subject> {
    let mut is_test = false;
    for line in lines.iter().map(|line| line.trim()) {
        if line.starts_with("#[") {
            is_test |= line.contains("test]") || line.contains("test(");
        } else if !line.starts_with("//") {
            let words: Vec<&str> = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|w| !w.is_empty())
                .collect();
            let kinds = ["fn", "struct", "enum", "const", "static", "type", "mod", "impl"];
            let keyword = words
                .iter()
                .position(|word| kinds.contains(word) && !is_const_fn(&words, word))?;
            let name = (*words.get(keyword + 1)?).to_owned();
            return Some(if is_test {
                Subject::Test(name)
            } else {
                Subject::Item(name)
            });
        }
    }
    None
}

/// `const` in `const fn` is no item of its own.
fn is_const_fn(words: &[&str], word: &str) -> bool {
    word == "const" && words.contains(&"fn")
}

fn answer_below(lines: &[&str], wanted: Option<&str>) -> Subject {
    let near = if wanted.is_some() {
        lines.len()
    } else {
        ANSWER_LINES_MAX
    };
    let answer = lines
        .iter()
        .take(near)
        .map(|line| line.trim())
        .find(|line| line.starts_with("->") && wanted.is_none_or(|wanted| line.contains(wanted)));
    Subject::Scenario {
        answer: answer.map(|line| line.trim_start_matches("->").trim().to_owned()),
    }
}

/// What a mark says, and the words in square brackets at its end: those of the answer that shows it, where that is not
/// the first below.
fn wanted(says: String) -> (String, Option<String>) {
    let split = says.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
    match split {
        Some((says, wanted)) => (says.to_owned(), Some(wanted.to_owned())),
        None => (says, None),
    }
}

fn page(marks: &[Mark]) -> String {
    let mut text = String::from(
        "# Requirements\n\n\
         Generated from the marks in the sources by `cargo xtask requirements --write`; not edited by hand.\n\n\
         R rows come from four published guides for shoppers, H rows from the questions around them. \
         A row is met where its third column says, and shown by the tests and scenarios in its fourth, \
         each with the answer that shows it.\n\n\
         | | requirement | met in | shown by |\n|---|---|---|---|\n",
    );
    for row in ROWS {
        let ours: Vec<&Mark> = marks
            .iter()
            .filter(|mark| mark.ids.iter().any(|id| id == row.id))
            .collect();
        let (places, shows): (Vec<&Mark>, Vec<&Mark>) = ours
            .into_iter()
            .partition(|mark| matches!(mark.subject, Subject::Item(_)));
        let places: Vec<String> = places.into_iter().map(cell).collect();
        let shows = match shows.as_slice() {
            [] if row.later.is_empty() => "nothing yet".to_owned(),
            [] => format!("met by a later issue: {}", row.later),
            shows => {
                let cells = shows.iter().map(|mark| cell(mark)).collect::<Vec<_>>();
                let begun = format!("a part; the rest by a later issue: {}<br>", row.later);
                let begun = if row.later.is_empty() { "" } else { &begun };
                format!("{begun}{}", cells.join("<br>"))
            }
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {}<br>{} | {} | {} |",
            row.id,
            row.english,
            row.chinese,
            places.join("<br>"),
            shows
        );
    }
    text
}

fn cell(mark: &Mark) -> String {
    let says = mark.says.replace('|', "\\|");
    match &mark.subject {
        Subject::Test(name) | Subject::Item(name) => format!("`{}` `{name}`: {says}", mark.path),
        Subject::Scenario { answer: Some(answer) } => {
            format!("`{}`: {says} → “{}”", mark.path, answer.replace('|', "\\|"))
        }
        Subject::Scenario { answer: None } => format!("`{}`: {says}", mark.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_mark_may_name_the_answer_that_shows_it() {
        let scenario = "# R40: it is told before. [征信]\nann pays\n  -> first\n  -> 征信影响\n";
        let (marks, findings) = marks(&[file("sim/scenarios/a.txt", scenario)]);
        assert!(findings.is_empty(), "{findings:?}");
        let answer = Some("征信影响".to_owned());
        assert_eq!(marks[0].subject, Subject::Scenario { answer });
        assert_eq!(marks[0].says, "it is told before.");
        let (_, findings) = super::marks(&[file(
            "sim/scenarios/a.txt",
            "# R40: it is told. [nowhere]\n  -> first\n",
        )]);
        assert_eq!(findings[0].what, "no answer below says “nowhere”");
    }

    #[test]
    fn every_requirement_has_one_row() {
        let expected: Vec<String> = (1..=55)
            .map(|n| format!("R{n}"))
            .chain((1..=27).map(|n| format!("H{n}")))
            .collect();
        let ids: Vec<&str> = ROWS.iter().map(|row| row.id).collect();
        assert_eq!(ids, expected);
        assert!(
            ROWS.iter()
                .all(|row| !row.english.is_empty() && !row.chinese.is_empty())
        );
    }

    #[test]
    fn a_mark_above_a_test_shows_and_above_an_item_places() {
        let text = "// R21, R22: the gap is named\n#[tokio::test]\nasync fn a_gap() {}\n\
            // R21: decides\n/// Doc.\npub const fn confirm() {}\n";
        let (marks, findings) = marks(&[file("crates/app/src/a.rs", text)]);
        assert_eq!(findings, []);
        assert_eq!(marks[0].subject, Subject::Test("a_gap".to_owned()));
        assert_eq!(marks[0].ids, ["R21", "R22"]);
        assert_eq!(marks[1].subject, Subject::Item("confirm".to_owned()));
        let page = page(&marks);
        assert!(
            page.contains("`crates/app/src/a.rs` `a_gap`: the gap is named"),
            "{page}"
        );
        let open: Vec<_> = unshown(&marks).iter().map(|row| row.id).collect();
        assert!(!open.contains(&"R21") && open.contains(&"R23"));
    }

    #[test]
    fn a_scenario_gives_its_answer() {
        let text = "# R21: the gap is named\nann confirms phone over 12\n-> refused: 320.00 short\n";
        let (marks, _) = marks(&[file("sim/scenarios/limit.txt", text)]);
        assert!(
            page(&marks).contains("`sim/scenarios/limit.txt`: the gap is named → “refused: 320.00 short”")
        );
    }

    #[test]
    fn an_unknown_requirement_and_a_mark_above_nothing_are_found() {
        let (_, findings) = marks(&[file(
            "crates/app/src/a.rs",
            "// R56: what\n#[test]\nfn a() {}\n// R1: here\nlet x = 1;\n",
        )]);
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn a_comment_that_mentions_a_requirement_is_no_mark() {
        let (marks, findings) = marks(&[file(
            "crates/app/src/a.rs",
            "// See R21: it names it.\n// R1 is met.\nfn a() {}\n",
        )]);
        assert_eq!((marks, findings), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_page_that_is_not_current_is_found() {
        let (no_marks, _) = marks(&[]);
        let stale = |text: &str| {
            let found = check(&[file(PAGE, text)]);
            found
                .iter()
                .any(|finding| finding.what.contains("is not current"))
        };
        assert!(!stale(&page(&no_marks)));
        assert!(stale("old"));
    }

    #[test]
    fn a_row_that_is_to_be_met_now_and_that_nothing_shows_is_found() {
        let (no_marks, _) = marks(&[]);
        let found = check(&[file(PAGE, &page(&no_marks))]);
        assert!(
            found.iter().any(|finding| finding.what == "nothing shows R1"),
            "{found:?}"
        );
    }
}
