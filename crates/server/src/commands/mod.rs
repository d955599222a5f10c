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
use std::path::Path;

use fenqi_server::wiring::Database;
use fenqi_store::Fault;
use jiff::civil::Date;

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

/// Why a store could not be opened, and what to do about it.
pub fn mending(database: &Database, fault: &Fault) -> String {
    match (database, fault) {
        (Database::Sqlite(path), Fault::Unavailable(_)) if !path.exists() => missing(path),
        (Database::Sqlite(path), Fault::Unavailable(_)) => {
            format!(
                "{fault}; see that {} is a SQLite file, and that its folder may be written: SQLite keeps files beside it \
                 even where it only reads",
                path.display()
            )
        }
        (Database::Postgres(_), Fault::Unavailable(_)) => {
            format!(
                "{fault}; see that the server runs and that the address is right (`fenqi config` shows it)"
            )
        }
        _ => fault.to_string(),
    }
}

/// Why a store could not be made, and what to do about it.
pub fn making(database: &Database, fault: &Fault) -> String {
    match (database, fault) {
        (Database::Sqlite(path), Fault::Unavailable(_)) if !path.exists() => format!(
            "could not make {}: {fault}; name a file in a folder that may be written",
            path.display()
        ),
        _ => mending(database, fault),
    }
}

/// A database as it is named on the command line, or in a variable that stands in for the flag and is then named with what
/// is wrong.
pub fn database(text: &str) -> Result<Database, String> {
    named_in(text, "FENQI_DATABASE")
}

/// The same for stories, which have a variable of their own.
pub fn story_database(text: &str) -> Result<Database, String> {
    named_in(text, "FENQI_STORY_DATABASE")
}

fn named_in(text: &str, variable: &str) -> Result<Database, String> {
    text.parse().map_err(|why: String| {
        let by_flag = std::env::args().any(|word| word.starts_with("--database"));
        let in_variable = std::env::var_os(variable).is_some_and(|set| set == text);
        match in_variable && !by_flag {
            true => format!("{why}; it was read from {variable}"),
            false => why,
        }
    })
}

/// A business day as it is written on the command line.
pub fn business_day(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let parsed = text.parse().ok().filter(|_| plain);
    parsed.ok_or_else(|| "is no day; write one such as 2026-12-31".to_owned())
}

/// Refuses a temporary store: there is nothing in it, and it is gone at once.
pub fn must_last(database: &Database) -> Result<(), String> {
    match database {
        Database::Temporary => Err(
            "a temporary store (sqlite) is empty and gone at once; name one with --database or FENQI_DATABASE".into(),
        ),
        _ => Ok(()),
    }
}

/// Refuses a file that is not there, before opening it would make an empty store under a name that was misspelt.
pub fn must_exist(database: &Database) -> Result<(), String> {
    match database {
        Database::Sqlite(path) if !path.exists() => Err(missing(path)),
        _ => Ok(()),
    }
}

fn missing(path: &Path) -> String {
    let path = path.display();
    format!(
        "there is no store {path}; `fenqi migrate --database sqlite:{path}` makes an empty one, and \
         `fenqi demo --database sqlite:{path}` one with the sample shop"
    )
}

/// Any error as a sentence.
pub fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
