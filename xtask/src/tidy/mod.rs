//! `cargo xtask tidy`: the rules of the house that no lint can check.
//!
//! Each check is a function from text to findings, with tests on good and bad text beside it.

mod arrows;
mod imports;
mod paths;
mod rust;
mod schema;
mod size;
mod sql;
mod texts;
mod transcript;
mod words;

use crate::requirements;
use crate::shell::{self, Outcome};
use std::process::Command;

/// A file of the repository, its path written with `/` from the root.
pub struct File {
    pub path: String,
    pub text: String,
}

/// Something that is not as it should be, where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// Counted from 1; 0 when the finding is about the whole file.
    pub line: usize,
    pub what: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

/// A check and the name under which its findings are printed.
struct Check {
    name: &'static str,
    run: fn(&[File]) -> Vec<Finding>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "arrows",
        run: arrows::check,
    },
    Check {
        name: "imports",
        run: imports::check,
    },
    Check {
        name: "traits",
        run: imports::check_traits,
    },
    Check {
        name: "sql",
        run: sql::check,
    },
    Check {
        name: "schema",
        run: schema::check,
    },
    Check {
        name: "texts",
        run: texts::check,
    },
    Check {
        name: "transcript",
        run: transcript::check,
    },
    Check {
        name: "paths",
        run: paths::check,
    },
    Check {
        name: "size",
        run: size::check,
    },
    Check {
        name: "words",
        run: words::check,
    },
    Check {
        name: "generated",
        run: requirements::check,
    },
];

/// Runs every check over the repository and prints what it found.
pub fn run(arguments: &[String]) -> Outcome {
    if let Some(argument) = arguments.first() {
        return Err(format!("tidy takes no arguments, but was given `{argument}`"));
    }
    let files = read_files()?;
    let mut count = 0_usize;
    for check in CHECKS {
        let mut findings = (check.run)(&files);
        findings.sort();
        for Finding { path, line, what } in &findings {
            match line {
                0 => eprintln!("{path}: [{}] {what}", check.name),
                line => eprintln!("{path}:{line}: [{}] {what}", check.name),
            }
        }
        count += findings.len();
    }
    match count {
        0 => {
            eprintln!(
                "tidy: {} checks over {} files, nothing found",
                CHECKS.len(),
                files.len()
            );
            Ok(())
        }
        1 => Err("1 finding".to_owned()),
        count => Err(format!("{count} findings")),
    }
}

/// Every text file that git knows or would take, so that a new file is checked before its first commit.
pub fn read_files() -> Result<Vec<File>, String> {
    let root = shell::root();
    let mut git = Command::new("git");
    // A clone that belongs to another user is still ours to read.
    git.args([
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(&root);
    let mut paths: Vec<String> = shell::output(&mut git)?
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    // A file that is not UTF-8 is a picture, a store or test data; none of the checks is about those.
    let read = |path: String| {
        std::fs::read_to_string(root.join(&path))
            .ok()
            .map(|text| File { path, text })
    };
    Ok(paths.into_iter().filter_map(read).collect())
}

/// The Rust files below one of these folders.
pub fn rust_below<'a>(files: &'a [File], folders: &'a [&str]) -> impl Iterator<Item = &'a File> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .filter(move |file| folders.iter().any(|folder| file.path.starts_with(folder)))
}

#[cfg(test)]
pub fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
