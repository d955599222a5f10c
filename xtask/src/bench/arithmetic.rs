//! `cargo xtask bench --arithmetic`: schedules, annual rates and lives of loans beside numeric packages, in processor time.

use super::report::{Machine, Run};
use super::{beside, figure, program};
use crate::options::Options;
use crate::shell::{self, Outcome};
use std::process::Command;

const PAGE: &str = "docs/reference/performance-arithmetic.md";

/// What is measured: the name of its rate in both answers, what it is called, and the ratios to reach.
const RATES: [(&str, &str, f64, f64); 2] = [
    ("schedules", "schedule of 12", 20.0, 100.0),
    ("annual_rates", "annual rate of 12 payments", 10.0, 50.0),
];

/// Runs the rounds, prints the table, and writes its page if that is asked for.
pub fn run(options: &Options, arguments: &[String]) -> Outcome {
    let rounds = options.number("--rounds", 3)?;
    let size = options.number("--size", 1_000_000)?.to_string();
    let fenqi = program(options)?;
    let mut run = Run::new(arguments.join(" "), rounds);
    for round in 1..=rounds {
        eprintln!("bench: round {round} of {rounds}");
        let printed =
            shell::output(Command::new(&fenqi).args(["bench", "arithmetic", "--json", "--size", &size]))?;
        let ours = serde_json::from_str(&printed)
            .map_err(|error| format!("fenqi bench arithmetic printed bad JSON: {error}"))?;
        let packages = beside::numeric_packages()?;
        for (name, called, quantlib, numpy) in RATES {
            let ours = figure(&ours, name)?;
            run.figure(called, ours);
            for (package, aim) in [("QuantLib-Python", quantlib), ("numpy-financial", numpy)] {
                let theirs = packages.rate(package, name)?;
                run.figure(&format!("{called}, {package}"), theirs);
                run.ratio(called, package, ours / theirs, aim);
            }
        }
        let lives = figure(&ours, "lives")?;
        run.figure("life of 36 with 60 transactions, folded", lives);
        let schedules = figure(&ours, "schedules")?;
        run.ratio_at_most(
            "life of 36 with 60 transactions: time",
            "schedule of 12",
            schedules / lives,
            60.0,
        );
    }
    let text = run.page("The speed of the arithmetic", &Machine::without_postgres());
    print!("{text}");
    if options.has("--write") {
        let path = shell::root().join(PAGE);
        std::fs::write(&path, text).map_err(|error| format!("could not write {PAGE}: {error}"))?;
    }
    Ok(())
}
