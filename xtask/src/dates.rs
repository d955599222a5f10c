//! `cargo xtask dates`: the due dates of a century against another program. The comparison is a test of the rules; this
//! runs it over as many days as one wants, and every one by default.

use crate::options::Options;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Compares due dates with those of crates/domain/tests/oracle/dates.py: purchases from 2000 to 2099, 7 terms, 31 anchors.

Usage: cargo xtask dates [OPTIONS]

Options:
  --every N   only each Nth day of a purchase [default: 1, which takes some minutes]
  -h, --help  this text

Example:
  cargo xtask dates --every 10
";

/// Runs the comparison in a release build.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(arguments, &["--every"], &[], HELP)? else {
        return Ok(());
    };
    let every = options.number("--every", 1)?.to_string();
    let mut command = shell::cargo();
    command.args([
        "test",
        "--release",
        "--package",
        "fenqi-domain",
        "--test",
        "rules",
        "--",
    ]);
    command.args([
        "--exact",
        "dates::due_dates_are_what_another_program_reckons",
        "--nocapture",
    ]);
    shell::run(command.env("FENQI_DATES_EVERY", every))
}
