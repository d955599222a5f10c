//! The commands, one file each. A command answers whether all is well; a problem is a sentence that says what to do.

pub mod bench;
pub mod calc;
pub mod config;
pub mod day;
pub mod demo;
pub mod doctor;
pub mod migrate;
pub mod simulate;
pub mod story;
pub mod verify;

use std::io::{ErrorKind, Write};

/// What a command answers.
pub type Done = Result<bool, String>;

/// Prints a line for the person at the terminal. A reader that has gone, as `head` does, wants no more lines: the command
/// goes on without them, since what it does may be more than what it says. A line that is lost otherwise ends it.
pub fn say(line: impl std::fmt::Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{line}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        complain(format_args!("could not print: {error}"));
        std::process::exit(1);
    }
}

/// Prints a problem or progress beside the output.
#[expect(clippy::disallowed_macros, reason = "commands are what may print")]
pub fn complain(line: impl std::fmt::Display) {
    eprintln!("{line}");
}

/// Any error as a sentence.
pub fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
