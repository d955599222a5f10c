//! The documents that name files name files that exist.

use super::{File, Finding};

/// Documents whose paths in backticks are checked.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "STYLE.md", "docs/where.md"];
/// What a path of ours begins with.
const TOPS: &[&str] = &[
    "crates/",
    "sim/",
    "bench/",
    "xtask/",
    "docs/",
    "demo/",
    ".ci/",
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
];

pub fn check(files: &[File]) -> Vec<Finding> {
    let exists = |path: &str| {
        let path = path.trim_end_matches('/');
        // A path with a part to be filled in, such as `crates/connect/src/<party>/`, is checked up to it.
        let (path, is_part) = match path.find(['<', '*', '…']) {
            Some(at) => (&path[..at], true),
            None => (path, false),
        };
        files.iter().any(|file| {
            let rest = file.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || is_part)
        })
    };
    let mut findings = Vec::new();
    for file in files
        .iter()
        .filter(|file| DOCUMENTS.contains(&file.path.as_str()))
    {
        for (at, line) in file.text.lines().enumerate() {
            for path in paths(line) {
                if !exists(path) {
                    findings.push(Finding::new(
                        &file.path,
                        at + 1,
                        format!("`{path}` does not exist"),
                    ));
                }
            }
        }
    }
    if !files.iter().any(|file| file.path == "docs/where.md") {
        findings.push(Finding::new(
            "docs/where.md",
            0,
            "the page that says where to add what is missing",
        ));
    }
    findings
}

/// What stands in backticks on a line and looks like a path of ours.
fn paths(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted
        .map(|text| text.split("::").next().unwrap_or(text))
        .filter(|text| TOPS.iter().any(|top| text.starts_with(top)) && !text.contains(' '))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn found(text: &str) -> Vec<String> {
        let files = [
            file("docs/where.md", text),
            file("crates/app/src/jobs/fund.rs", ""),
        ];
        check(&files).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn files_folders_and_parts_to_be_filled_in_pass() {
        let text = "`crates/app/src/jobs/fund.rs`, `crates/app/src/jobs/`, `crates/app/src/jobs/<job>.rs`, `cargo run`";
        assert_eq!(found(text), [] as [&str; 0]);
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        assert_eq!(
            found("one `crates/app/src/jobs/found.rs` two `crates/app/src/job`").len(),
            2
        );
        assert_eq!(found("`crates/connect/src/<party>/`").len(), 1);
    }
}
