//! `cargo xtask mutants`: changes the rules for money in small ways, one at a time, and looks whether a test notices.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::Options;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Changes the modules of crates/domain that reckon money, one small change at a time, and runs the tests of that crate.

A change that no test notices is a survivor; the score is the share of the others. Changes that do not compile do not
count. It runs on one core at the lowest priority, in target/mutants, with 6 GB of memory at most, and takes about
ten seconds for each change where nothing else runs.

Usage: cargo xtask mutants [OPTIONS]

Options:
  --sample N  so many changes, drawn by the seed [default: 300]
  --seed S    which ones [default: 1]
  --all       every change, which takes a day
  --again     only those that survived the last run, with ten times as many random lives
  --report    only says how far the last run has come
  -h, --help  this text

Example:
  cargo xtask mutants --sample 50 --seed 7
";

/// The modules whose figures are money, within crates/domain/src; a folder stands for what is in it.
const MODULES: [&str; 13] = [
    "allocation.rs",
    "allocation/*.rs",
    "fraction.rs",
    "late.rs",
    "level.rs",
    "loan/*.rs",
    "loan/build/spans.rs",
    "loan/interest/earned.rs",
    "money.rs",
    "present_value.rs",
    "refund.rs",
    "schedule.rs",
    "settlement.rs",
];

/// Draws the changes, tries them, and says the score and the survivors.
pub fn run(arguments: &[String]) -> Outcome {
    let flags = ["--all", "--again", "--report"];
    let Some(options) = Options::read(arguments, &["--sample", "--seed"], &flags, HELP)? else {
        return Ok(());
    };
    let folder = shell::root().join("target/mutants");
    if options.has("--report") {
        return report(&folder);
    }
    if !shell::is_installed("cargo-mutants") {
        eprintln!("xtask: installing cargo-mutants");
        shell::run(shell::cargo().args(["install", "cargo-mutants", "--locked"]))?;
    }
    fs::create_dir_all(&folder).map_err(|e| format!("could not make {}: {e}", folder.display()))?;
    let all = lines(&shell::output(mutants().arg("--list"))?);
    let wanted = if options.has("--again") {
        let survivors = outcomes(&folder, "missed");
        all.iter()
            .filter(|name| survivors.contains(*name))
            .cloned()
            .collect()
    } else if options.has("--all") {
        all.clone()
    } else {
        let count = usize::try_from(options.number("--sample", 300)?).unwrap_or(usize::MAX);
        sample(all.clone(), count, options.number("--seed", 1)?)
    };
    if wanted.is_empty() {
        return Err("no change is left to be tried".to_owned());
    }
    println!("{} of {} changes", wanted.len(), all.len());
    // Most changes are noticed at once; what is not has a longer look with --again.
    let lives = if options.has("--again") { "256" } else { "24" };
    tried(&folder, &wanted, lives)?;
    report(&folder)
}

/// cargo-mutants over the modules.
fn mutants() -> Command {
    let mut command = shell::cargo();
    command.args(["mutants", "--package", "fenqi-domain", "--colors", "never"]);
    for module in MODULES {
        command.arg("--file").arg(format!("crates/domain/src/{module}"));
    }
    command
}

/// Tries the changes, one after another, in no order, so that a run that is stopped has tried a sample as well.
fn tried(folder: &Path, wanted: &[String], lives: &str) -> Outcome {
    // Hundreds of names are too many for a command line.
    let patterns: Vec<String> = wanted.iter().map(|name| format!("^{}$", escaped(name))).collect();
    let config = folder.join("wanted.toml");
    fs::write(&config, format!("examine_re = {patterns:?}\n"))
        .map_err(|e| format!("could not write {}: {e}", config.display()))?;
    // A run that was stopped left a changed rule behind, built later than the rule as it is was written.
    let mut clean = shell::cargo();
    clean.args(["clean", "--quiet", "--package", "fenqi-domain"]);
    shell::run(clean.env("CARGO_TARGET_DIR", folder.join("target")))?;
    // A change that makes a list grow for ever is to end before it takes the memory of everything else.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 6000000; exec nice -n 19 \"$0\" \"$@\""]);
    let plain = mutants();
    command.arg(plain.get_program()).args(plain.get_args());
    command.current_dir(shell::root()).arg("--output").arg(folder);
    command.args(["--jobs", "1", "--shuffle", "--timeout", "60"]);
    command.arg("--config").arg(&config);
    // Dates are no money, and asking another program for them takes longer than all other tests.
    command.args([
        "--",
        "--lib",
        "--tests",
        "--",
        "--skip",
        "what_another_program_reckons",
    ]);
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    command.env("CARGO_PROFILE_DEV_DEBUG", "false");
    command.env("PROPTEST_CASES", lives);
    // Chance notices no change: each is tried by the same lives, and what one change broke is not kept for the next.
    command.env("PROPTEST_RNG_SEED", "1");
    command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    match command.status() {
        // 2 says that something survived, 3 that something took too long: both are told below.
        Ok(status) if matches!(status.code(), Some(0 | 2 | 3)) => Ok(()),
        Ok(status) => Err(format!("cargo-mutants ended with {status}")),
        Err(error) => Err(format!("could not start cargo-mutants: {error}")),
    }
}

/// The score, and what survived.
fn report(folder: &Path) -> Outcome {
    let count = |kind| outcomes(folder, kind).len();
    let (caught, late) = (count("caught"), count("timeout"));
    let survivors = outcomes(folder, "missed");
    let noticed = caught + late;
    let counted = noticed + survivors.len();
    for survivor in &survivors {
        println!("survived: {survivor}");
    }
    let permille = (noticed * 1000).checked_div(counted).unwrap_or(0);
    println!(
        "{noticed} of {counted} noticed ({late} of them by running on), {}.{} %; {} do not compile",
        permille / 10,
        permille % 10,
        count("unviable"),
    );
    Ok(())
}

/// The names of the changes that ended in one way.
fn outcomes(folder: &Path, kind: &str) -> BTreeSet<String> {
    let path: PathBuf = folder.join("mutants.out").join(format!("{kind}.txt"));
    lines(&fs::read_to_string(path).unwrap_or_default())
        .into_iter()
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// A name as a pattern that only it matches: a `*` in it is none of the pattern's, and neither is a `\\<`.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len() * 2);
    for letter in name.chars() {
        if letter.is_ascii_punctuation() && !"<>_".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// So many of them, by a seed: the same seed draws the same from the same list.
fn sample(mut all: Vec<String>, count: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut drawn = Vec::with_capacity(count.min(all.len()));
    while drawn.len() < count && !all.is_empty() {
        let place = usize::try_from(next(&mut state)).unwrap_or(0) % all.len();
        drawn.push(all.swap_remove(place));
    }
    drawn
}

/// The next number of a sequence that a seed begins (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_and_each_once() {
        let all: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let drawn = sample(all.clone(), 20, 1);
        assert_eq!(drawn, sample(all.clone(), 20, 1));
        assert_ne!(drawn, sample(all.clone(), 20, 2));
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(sample(all, 99, 1).len(), 50);
    }

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(escaped("replace + with *"), r"replace \+ with \*");
        assert_eq!(escaped("is_paid -> bool"), r"is_paid \-> bool");
    }
}
