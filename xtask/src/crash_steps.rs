//! `cargo xtask crash-steps`: each commit and each outside call of every scenario fails before, fails after, and is
//! repeated; the end must be the same. The stepping itself is the simulation's; this starts it on both databases.

use crate::options::Options;
use crate::postgres::Postgres;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Fails each commit and each outside call of every scenario, before, after and twice; the end must be the same.

Usage: cargo xtask crash-steps [OPTIONS]

Options:
  --every N      only each Nth step, for a quick look [default: 1]
  --scenario F   only this scenario, such as sim/scenarios/settle-early.txt
  --on NAMES     sqlite, postgres, or both with a comma between them [default: sqlite,postgres]
  -h, --help     this text

Example:
  cargo xtask crash-steps --every 10 --on sqlite
";

/// Runs the steps.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(arguments, &["--every", "--scenario", "--on"], &[], HELP)? else {
        return Ok(());
    };
    let every = options.number("--every", 1)?.to_string();
    let on = options.text("--on", "sqlite,postgres");
    for name in on.split(',') {
        match name {
            "sqlite" => steps(&every, options.value("--scenario"), "sqlite")?,
            "postgres" => steps(&every, options.value("--scenario"), &Postgres::start()?.url())?,
            other => return Err(format!("there is no database `{other}`; sqlite and postgres are")),
        }
    }
    Ok(())
}

/// The steps on one database.
fn steps(every: &str, scenario: Option<&str>, database: &str) -> Outcome {
    let mut command = shell::cargo();
    command.args([
        "run",
        "--release",
        "--package",
        "fenqi-sim",
        "--bin",
        "crash-steps",
        "--",
    ]);
    command.args(["--every", every, "--database", database]);
    if let Some(scenario) = scenario {
        command.args(["--scenario", scenario]);
    }
    shell::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_database_is_refused_before_anything_runs() {
        let arguments = ["--on".to_owned(), "oracle".to_owned()];
        assert!(run(&arguments).unwrap_err().contains("oracle"));
    }
}
