//! `cargo xtask test`: everything that must hold before a change is shared, as steps that each print their time.

use crate::postgres::Postgres;
use crate::shell::{self, Outcome};
use crate::tidy;
use std::time::{Duration, Instant};

/// One part of the run. To add one, write its function and add its line to [`STEPS`].
struct Step {
    name: &'static str,
    run: fn(&mut Run) -> Outcome,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        run: format,
    },
    Step {
        name: "tidy",
        run: tidy_all,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "nextest",
        run: nextest,
    },
    Step {
        name: "doctest",
        run: doctest,
    },
];

/// What the steps share: one PostgreSQL, started by the first step that wants it, and the summary to end with.
#[derive(Default)]
struct Run {
    postgres: Option<Postgres>,
    summary: Option<String>,
}

/// Runs all steps, or those named, and prints the time of each. A failed step does not hide the next one's news.
pub fn run(names: &[String]) -> Outcome {
    let chosen = choose(names)?;
    let mut run = Run::default();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let begun = Instant::now();
    for step in &chosen {
        eprintln!("== {}", step.name);
        let since = Instant::now();
        let outcome = (step.run)(&mut run);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        lines.push(format!(
            "{:>9}  {:<7} {}",
            seconds(since.elapsed()),
            word,
            step.name
        ));
        if let Err(reason) = outcome {
            eprintln!("{}: {reason}", step.name);
            failed.push(format!("{}: {reason}", step.name));
        }
    }
    drop(run.postgres.take());
    eprintln!("\n     time  answer  step");
    for line in lines {
        eprintln!("{line}");
    }
    eprintln!("{:>9}  in all", seconds(begun.elapsed()));
    if let Some(summary) = &run.summary {
        eprintln!("{summary}");
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Step>, String> {
    if names.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    let find = |name: &String| {
        STEPS.iter().find(|step| step.name == name).ok_or_else(|| {
            let all: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            format!("there is no step `{name}`; the steps are {}", all.join(", "))
        })
    };
    names.iter().map(find).collect()
}

fn format(_: &mut Run) -> Outcome {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}

fn tidy_all(_: &mut Run) -> Outcome {
    tidy::run(&[])
}

fn clippy(_: &mut Run) -> Outcome {
    shell::run(shell::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn nextest(run: &mut Run) -> Outcome {
    if !shell::is_installed("cargo-nextest") {
        eprintln!("xtask: installing cargo-nextest with cargo");
        shell::run(shell::cargo().args(["install", "cargo-nextest", "--locked"]))?;
    }
    let mut command = shell::cargo();
    command.args([
        "nextest",
        "run",
        "--workspace",
        "--no-tests",
        "pass",
        "--color",
        "never",
    ]);
    command.env("FENQI_TEST_POSTGRES", run.postgres()?.url());
    if !shell::is_installed(CHROMEDRIVER) {
        shell::install_packages(&["chromium", "chromium-driver"])?;
    }
    command.env("FENQI_CHROMEDRIVER", CHROMEDRIVER);
    // Another program that reckons due dates; see crates/domain/tests/oracle.
    if !shell::is_installed("python3") {
        shell::install_packages(&["python3"])?;
    }
    // The same random cases each time, so that a change is to blame for what fails; `cargo xtask fuzz` tries others.
    command.env("PROPTEST_RNG_SEED", "1");
    let (outcome, summary) =
        shell::run_keeping(&mut command, |line| line.trim_start().starts_with("Summary ["));
    run.summary = summary;
    outcome
}

/// What drives Chromium in the tests of pages.
const CHROMEDRIVER: &str = "chromedriver";

fn doctest(_: &mut Run) -> Outcome {
    shell::run(shell::cargo().args(["test", "--quiet", "--doc", "--package", "fenqi-domain"]))
}

impl Run {
    fn postgres(&mut self) -> Result<&Postgres, String> {
        let started = match self.postgres.take() {
            Some(postgres) => postgres,
            None => Postgres::start()?,
        };
        Ok(self.postgres.insert(started))
    }
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_refused_and_the_steps_are_listed() {
        let error = choose(&["fmt".to_owned(), "fnt".to_owned()]).err().unwrap();
        assert!(error.contains("`fnt`") && error.contains("fmt, tidy"), "{error}");
    }

    #[test]
    fn the_named_steps_run_in_the_order_given() {
        let chosen = choose(&["tidy".to_owned(), "fmt".to_owned()]).unwrap();
        let names: Vec<_> = chosen.iter().map(|step| step.name).collect();
        assert_eq!(names, ["tidy", "fmt"]);
    }
}
