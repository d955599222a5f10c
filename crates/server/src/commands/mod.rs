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

/// What a command answers.
pub type Done = Result<bool, String>;

/// Prints a line for the person at the terminal.
#[expect(clippy::disallowed_macros, reason = "commands are what may print")]
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
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
