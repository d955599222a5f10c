//! `cargo xtask fuzz`: the random tests of lives and case files, for as long as one wants. The harness is that of the test
//! run (proptest), with more of everything; what it finds is kept beside the tests and tried again by every test run.

use std::process::Command;

use crate::options::Options;
use crate::shell::{self, Outcome};

const HELP: &str = "\
Plays random lives of random loans, under plans and under servicing, and reads random case files.

A life must keep the rules that hold for every loan, and every figure of it must be explained; a file must be played or
told what is wrong with it. What fails is made small, printed, and kept in the folder proptest-regressions.

With --guided the targets of the folder fuzz are run by libFuzzer instead, which looks for what no input has reached yet.
It takes the nightly compiler, and a C++ compiler for its runtime; what fails is kept in fuzz/artifacts.

Usage: cargo xtask fuzz [OPTIONS]

Options:
  --size N    so many cases for each rule; the test run has 256 [default: 5000]
  --guided S  so many seconds for each target, guided by coverage
  --only X    lives or files
  -h, --help  this text

Examples:
  cargo xtask fuzz --size 100000 --only files
  cargo xtask fuzz --guided 600
";

/// What is run.
struct Target {
    name: &'static str,
    /// The package, the test program, and the tests in it.
    tests: (&'static str, &'static str, &'static [&'static str]),
    /// The target in the folder fuzz.
    guided: &'static str,
    /// What it is shown first.
    example: Option<&'static str>,
}

const TARGETS: [Target; 2] = [
    Target {
        name: "lives",
        tests: (
            "fenqi-domain",
            "loans",
            &[
                "properties::",
                "serviced_properties::",
                "serviced_books::",
                "explained::",
            ],
        ),
        guided: "life",
        example: None,
    },
    Target {
        name: "files",
        tests: ("fenqi-server", "fuzz", &[]),
        guided: "case_file",
        example: Some("docs/reference/simulate.example.json"),
    },
];

/// Runs the tests with as many cases.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(arguments, &["--size", "--guided", "--only"], &[], HELP)? else {
        return Ok(());
    };
    let size = options.number("--size", 5_000)?.to_string();
    let only = options.value("--only");
    let wanted = TARGETS
        .iter()
        .filter(|target| only.is_none_or(|only| only == target.name));
    let wanted: Vec<_> = wanted.collect();
    if wanted.is_empty() {
        return Err("--only takes lives or files".to_owned());
    }
    if options.value("--guided").is_some() {
        let seconds = options.number("--guided", 60)?;
        return wanted.iter().try_for_each(|target| guided(target, seconds));
    }
    for target in wanted {
        let (package, program, tests) = target.tests;
        eprintln!("xtask: {}, {size} cases for each rule", target.name);
        let mut command = shell::cargo();
        command.args(["test", "--package", package, "--test", program, "--"]);
        command.args(tests).env("PROPTEST_CASES", &size);
        shell::run(command.env("PROPTEST_MAX_SHRINK_ITERS", "2048"))?;
    }
    Ok(())
}

/// Runs a target under libFuzzer. What it finds of use is kept in fuzz/corpus, which begins with what the target is shown.
fn guided(target: &Target, seconds: u64) -> Outcome {
    if !shell::is_installed("cargo-fuzz") {
        eprintln!("xtask: installing cargo-fuzz");
        shell::run(shell::cargo().args(["install", "cargo-fuzz", "--locked"]))?;
    }
    eprintln!("xtask: {}, guided, {seconds} s", target.name);
    let corpus = shell::root().join("fuzz/corpus").join(target.guided);
    let told = |e| format!("could not fill {}: {e}", corpus.display());
    std::fs::create_dir_all(&corpus).map_err(told)?;
    if let Some(example) = target.example {
        std::fs::copy(shell::root().join(example), corpus.join("example")).map_err(told)?;
    }
    // The compiler of the workspace is the stable one; only rustup's own cargo hears "+nightly".
    let mut command = Command::new("cargo");
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command.current_dir(shell::root());
    command.args(["+nightly", "fuzz", "run", "--sanitizer", "none", target.guided]);
    command.arg(&corpus);
    command.arg("--").arg(format!("-max_total_time={seconds}"));
    command.args([
        "-len_control=0",
        "-timeout=30",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]);
    shell::run(&mut command)
}
