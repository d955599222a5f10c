//! Files and functions that one can hold in one's head.

use super::rust::Source;
use super::{File, Finding};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const ENDINGS: &[&str] = &[".rs", ".sql", ".html", ".css", ".js"];
/// A line with these words, and the reason after them, lifts both limits for its file.
const EXCUSE: &str = "Long because: ";

pub fn check(files: &[File]) -> Vec<Finding> {
    let sources = files
        .iter()
        .filter(|file| ENDINGS.iter().any(|ending| file.path.ends_with(ending)));
    sources
        .filter(|file| !is_excused(&file.text))
        .flat_map(too_long)
        .collect()
}

fn is_excused(text: &str) -> bool {
    let reason = |line: &str| Some(line.trim().split_once(EXCUSE)?.1.trim().len() > 10);
    text.lines()
        .filter(|line| line.trim_start().starts_with(['/', '-', '<']))
        .filter_map(reason)
        .any(|is_reason| is_reason)
}

fn too_long(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(Finding::new(
            &file.path,
            0,
            format!("{lines} lines; {FILE_LINES_MAX} are enough for a file"),
        ));
    }
    if !file.path.ends_with(".rs") {
        return findings;
    }
    for function in Source::of(&file.text).functions() {
        if function.lines > FUNCTION_LINES_MAX {
            let what = format!(
                "`{}` has {} lines; {FUNCTION_LINES_MAX} are enough",
                function.name, function.lines
            );
            findings.push(Finding::new(&file.path, function.line, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
    }

    #[test]
    fn seventy_lines_pass_and_seventy_one_do_not() {
        assert_eq!(check(&[file("a.rs", &function(70))]), []);
        assert_eq!(check(&[file("a.rs", &function(71))]).len(), 1);
    }

    #[test]
    fn six_hundred_lines_pass_and_one_more_does_not() {
        assert_eq!(check(&[file("a.sql", &"a\n".repeat(600))]), []);
        assert_eq!(check(&[file("a.sql", &"a\n".repeat(601))]).len(), 1);
    }

    #[test]
    fn a_reason_lifts_the_limit_and_an_empty_one_does_not() {
        let excuse = |reason: &str| file("a.rs", &format!("// {EXCUSE}{reason}\n{}", function(90)));
        assert_eq!(check(&[excuse("one row for each of 90 codes")]), []);
        assert_eq!(check(&[excuse("")]).len(), 1);
    }
}
