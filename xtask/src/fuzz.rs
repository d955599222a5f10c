//! `cargo xtask fuzz`: the random tests of lives and case files, for as long as one wants. The harness is that of the test
//! run (proptest), with more of everything; what it finds is kept beside the tests and tried again by every test run.

use crate::options::Options;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Plays random lives of random loans, under plans and under servicing, and reads random case files.

A life must keep the rules that hold for every loan, and every figure of it must be explained; a file must be played or
told what is wrong with it. What fails is made small, printed, and kept in the folder proptest-regressions.

Usage: cargo xtask fuzz [OPTIONS]

Options:
  --size N    so many cases for each rule; the test run has 256 [default: 5000]
  --only X    lives or files
  -h, --help  this text

Example:
  cargo xtask fuzz --size 100000 --only files
";

/// What is run: its name, the package, the test program, and the tests in it.
const TARGETS: [(&str, &str, &str, &[&str]); 2] = [
    (
        "lives",
        "fenqi-domain",
        "loans",
        &[
            "properties::",
            "serviced_properties::",
            "serviced_books::",
            "explained::",
        ],
    ),
    ("files", "fenqi-server", "fuzz", &[]),
];

/// Runs the tests with as many cases.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(arguments, &["--size", "--only"], &[], HELP)? else {
        return Ok(());
    };
    let size = options.number("--size", 5_000)?.to_string();
    let only = options.value("--only");
    let wanted = TARGETS
        .iter()
        .filter(|(name, ..)| only.is_none_or(|only| only == *name));
    let wanted: Vec<_> = wanted.collect();
    if wanted.is_empty() {
        return Err("--only takes lives or files".to_owned());
    }
    for (name, package, program, tests) in wanted {
        eprintln!("xtask: {name}, {size} cases for each rule");
        let mut command = shell::cargo();
        command.args(["test", "--package", package, "--test", program, "--"]);
        command.args(*tests).env("PROPTEST_CASES", &size);
        shell::run(command.env("PROPTEST_MAX_SHRINK_ITERS", "2048"))?;
    }
    Ok(())
}
