//! Starting other programs, and finding things in the repository.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a task answers: nothing, or why it failed, as a sentence for the person who started it.
pub type Outcome = Result<(), String>;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo, as the toolchain that runs us names it, started at the root.
pub fn cargo() -> Command {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs a program with our own output and waits for it.
pub fn run(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| format!("could not start {}: {error}", name(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} ended with {status}", name(command)))
    }
}

/// Runs a program and returns what it printed.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("could not start {}: {error}", name(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{} ended with {}: {}",
            name(command),
            output.status,
            said.trim()
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{} did not print UTF-8", name(command)))
}

/// Runs a program, passes its error stream on line by line, and keeps the last line that `keep` wants.
pub fn run_keeping(command: &mut Command, keep: fn(&str) -> bool) -> (Outcome, Option<String>) {
    let started = command.stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return (Err(format!("could not start {}: {error}", name(command))), None),
    };
    let mut kept = None;
    if let Some(stream) = child.stderr.take() {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line);
            // A closed terminal is no reason to stop the tests.
            let _ = writeln!(std::io::stderr(), "{line}");
            if keep(&line) {
                kept = Some(line.into_owned());
            }
        }
    }
    let outcome = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} ended with {status}", name(command))),
        Err(error) => Err(format!("could not wait for {}: {error}", name(command))),
    };
    (outcome, kept)
}

/// Whether a program of this name can be started.
pub fn is_installed(program: &str) -> bool {
    let Some(paths) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Whether we run as root, and so must start PostgreSQL as somebody else.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs Debian packages, and says so; only root can.
pub fn install_packages(packages: &[&str]) -> Outcome {
    eprintln!("xtask: installing {} with apt-get", packages.join(", "));
    if !is_root() {
        return Err(format!(
            "{} is missing and only root can install it",
            packages.join(", ")
        ));
    }
    run(Command::new("apt-get")
        .args(["update", "-q"])
        .stdout(Stdio::null()))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null()))
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    match command.get_args().next() {
        Some(first) => format!("`{program} {} …`", first.to_string_lossy()),
        None => format!("`{program}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = run(&mut Command::new("false")).unwrap_err();
        assert!(error.starts_with("`false` ended with"), "{error}");
    }

    #[test]
    fn the_kept_line_is_the_last_one_wanted() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "echo 'Summary 1' >&2; echo other >&2; echo 'Summary 2' >&2; exit 3",
        ]);
        let (outcome, kept) = run_keeping(&mut command, |line| line.starts_with("Summary"));
        assert!(outcome.unwrap_err().contains('3'));
        assert_eq!(kept.as_deref(), Some("Summary 2"));
    }
}
