//! `crash-steps`: deals each scenario every blow of [`fenqi_sim::crash`], or every Nth, and says where the end differs.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use fenqi_server::data::{Data, Files, load};
use fenqi_server::story::Place;
use fenqi_sim::crash::{Blow, Played, blows, differences, play};
use fenqi_story::Scenario;

const HELP: &str = "\
Fails each commit and each outside call of scenarios, before, after and twice; the end must be the same.

Usage: crash-steps [--every N] [--database sqlite|postgres://…] [--scenario FILE]

Options:
  --every N        only each Nth point [default: 1]
  --database D     sqlite, or the address of a PostgreSQL server [default: sqlite]
  --scenario FILE  only this scenario [default: each of sim/scenarios]

Example:
  crash-steps --every 10 --scenario sim/scenarios/late-forty-days.txt
";

/// What the command line says.
struct Options {
    every: usize,
    place: Place,
    scenario: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => return fail(&why),
    };
    match run(&options) {
        Ok((passed, failed)) => {
            say(&format!("{passed} passed, {failed} failed"));
            if failed == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(why) => fail(&why),
    }
}

/// Every scenario, one after the other; how many blows left the same end, and how many did not.
fn run(options: &Options) -> Result<(usize, usize), String> {
    let data = load(&Files::embedded()).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let (mut passed, mut failed) = (0usize, 0usize);
    for path in scenarios(options)? {
        let file = path
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let scenario = Scenario::parse(&file, &text).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        let (well, bad) = step_through(&scenario, &data, options)?;
        say(&format!("{file}: {well} passed, {bad} failed"));
        passed = passed.saturating_add(well);
        failed = failed.saturating_add(bad);
    }
    Ok((passed, failed))
}

fn scenarios(options: &Options) -> Result<Vec<PathBuf>, String> {
    if let Some(path) = &options.scenario {
        return Ok(vec![path.clone()]);
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let listed = std::fs::read_dir(folder).map_err(|e| format!("{folder}: {e}"))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    paths.sort();
    Ok(paths)
}

/// One scenario, undisturbed and then with each chosen blow, on as many threads as the machine has.
fn step_through(scenario: &Scenario, data: &Data, options: &Options) -> Result<(usize, usize), String> {
    let undisturbed = one(scenario, data, options, None, "0")?;
    let all = blows(&undisturbed);
    let chosen: Vec<&Blow> = all.iter().step_by(options.every).collect();
    say(&format!(
        "{}: {} commits, {} calls, {} of {} blows",
        scenario.file,
        undisturbed.commits,
        undisturbed.calls,
        chosen.len(),
        all.len()
    ));
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::AcqRel);
                    let Some(blow) = chosen.get(index) else { break };
                    if !is_same(scenario, data, options, &undisturbed, blow, index) {
                        failed.fetch_add(1, Ordering::AcqRel);
                    }
                    if index > 0 && index.is_multiple_of(100) {
                        say(&format!("{}: {index} of {}", scenario.file, chosen.len()));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    Ok((chosen.len().saturating_sub(failed), failed))
}

/// Whether the end is the same with this blow; if not, it is said where not.
fn is_same(
    scenario: &Scenario,
    data: &Data,
    options: &Options,
    undisturbed: &Played,
    blow: &Blow,
    index: usize,
) -> bool {
    let name = format!("{}", index.saturating_add(1));
    let mut lines = match one(scenario, data, options, Some((blow, undisturbed)), &name) {
        Ok(played) => differences(undisturbed, blow, &played),
        Err(why) => vec![why],
    };
    if lines.is_empty() {
        return true;
    }
    lines.insert(0, format!("FAIL {}: {blow}", scenario.file));
    say(&lines.join("\n    "));
    false
}

fn one(
    scenario: &Scenario,
    data: &Data,
    options: &Options,
    blow: Option<(&Blow, &Played)>,
    name: &str,
) -> Result<Played, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| e.to_string())?;
    runtime
        .block_on(play(scenario, data, &options.place, blow, name))
        .map_err(|fault| fault.to_string())
}

/// Reads the command line; nothing if help is asked for.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        every: 1,
        place: Place::Sqlite,
        scenario: None,
    };
    while let Some(flag) = arguments.next() {
        if flag == "--help" || flag == "-h" {
            return Ok(None);
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"))?;
        match flag.as_str() {
            "--every" => {
                let every = value.parse().ok().filter(|n| *n > 0);
                options.every =
                    every.ok_or_else(|| format!("--every takes a number from 1, not `{value}`"))?;
            }
            "--database" if value == "sqlite" => options.place = Place::Sqlite,
            "--database" if value.starts_with("postgres") => options.place = Place::Postgres(value),
            "--database" => return Err(format!("--database takes sqlite or postgres://…, not `{value}`")),
            "--scenario" => options.scenario = Some(value.into()),
            _ => return Err(format!("there is no flag {flag}\n\n{HELP}")),
        }
    }
    Ok(Some(options))
}

/// Prints a line. Who closed the pipe does not want to read it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{why}");
    ExitCode::FAILURE
}
