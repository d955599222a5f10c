//! The tasks of the house: what no compiler and no lint can check, and what runs around the program.
//!
//! `cargo xtask test` is what the build server runs; `cargo xtask --help` lists the rest.
#![expect(
    clippy::disallowed_macros,
    reason = "a task talks to the person who started it"
)]
#![expect(clippy::disallowed_methods, reason = "tasks measure how long things take")]

mod bench;
mod conformance;
mod crash_steps;
mod dates;
mod fuzz;
mod kill_loop;
mod mutants;
mod options;
mod postgres;
mod requirements;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
The tasks of Fenqi.

Usage: cargo xtask <TASK> [OPTIONS]

Tasks:
  test           format, lints, all tests on SQLite and PostgreSQL, doctests, tidy; installs what is missing
  tidy           checks what no lint can: arrows, SQL, keys, texts, sizes, generated pages
  requirements   prints docs/reference/requirements.md; --write writes it, --strict fails on rows nothing shows
  bench          the workloads beside pgbench, plain SQLite and others; --write puts the table into the docs
  kill-loop      kills purchases under way at random moments and looks for each that was acknowledged
  crash-steps    fails each commit and each outside call of every scenario, before, after and twice
  conformance    which published loan cases hold; --write writes docs/reference/conformance.md
  dates          due dates of a century against another program
  fuzz           random lives and random case files, as many as one wants
  mutants        changes the rules for money in small ways and looks whether a test notices

Options:
  -h, --help     this text; after a task, what the task takes

Example:
  cargo xtask test            # everything the build server runs
  cargo xtask test tidy fmt   # only the steps so named
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((task, rest)) = arguments.split_first() else {
        eprint!("{HELP}");
        return ExitCode::from(64);
    };
    let is_help = |word: &String| word == "--help" || word == "-h";
    // These take no options, so that their help is this one; the others have a text of their own.
    let has_no_text = ["test", "tidy", "requirements"].contains(&task.as_str());
    if is_help(task) || (has_no_text && rest.iter().any(is_help)) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let outcome = match task.as_str() {
        "test" => test::run(rest),
        "tidy" => tidy::run(rest),
        "requirements" => requirements::run(rest),
        "bench" => bench::run(rest),
        "kill-loop" => kill_loop::run(rest),
        "crash-steps" => crash_steps::run(rest),
        "conformance" => conformance::run(rest),
        "dates" => dates::run(rest),
        "mutants" => mutants::run(rest),
        "fuzz" => fuzz::run(rest),
        other => Err(format!(
            "there is no task `{other}`; `cargo xtask --help` lists them"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {task}: {reason}");
            ExitCode::FAILURE
        }
    }
}
