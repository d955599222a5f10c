//! `cargo xtask conformance`: holds docs/reference/conformance.md against the published cases. The comparison is a test of
//! the program; this can let it write the page.

use crate::options::Options;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Says which published loan cases hold, as docs/reference/conformance.md does.

The cases are looked for where FENQI_CASES says, else in ../shared/cases; where neither is, nothing is compared.

Usage: cargo xtask conformance [OPTIONS]

Options:
  --write     writes the page; a case that comes to differ needs a reason there, by hand
  -h, --help  this text

Example:
  FENQI_CASES=cases cargo xtask conformance --write
";

/// Runs the comparison.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(arguments, &[], &["--write"], HELP)? else {
        return Ok(());
    };
    let mut command = shell::cargo();
    command.args(["test", "--package", "fenqi-server", "--test", "simulate", "--"]);
    command.args([
        "the_page_says_exactly_which_published_cases_differ",
        "--nocapture",
    ]);
    if options.has("--write") {
        command.env("FENQI_WRITE_PAGES", "1");
    }
    shell::run(&mut command)
}
