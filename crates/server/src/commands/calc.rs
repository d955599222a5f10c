//! `fenqi calc`: answers JSON lines with figures of the trade.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use fenqi_app::clock::machine_now;
use fenqi_server::calc::{LINE_BYTES_MAX, answer};
use jiff::tz::Offset;

use super::{Done, say, told};

/// Its flags.
#[derive(clap::Args)]
pub struct Calc {
    /// JSON objects, one a line; the standard input if it is left out
    file: Option<PathBuf>,
    /// Fail with exit status 1 if a line could not be answered
    #[arg(long)]
    strict: bool,
}

/// Answers line by line, each as soon as it is read. A line that names what is wrong with it is an answer, so that one
/// bad line does not end a pipeline that has good ones.
pub fn run(command: &Calc) -> Done {
    let mut lines: Box<dyn BufRead> = match &command.file {
        None => Box::new(io::stdin().lock()),
        Some(path) => {
            let unread = |error| format!("could not read {}: {error}", path.display());
            let file = File::open(path).map_err(unread)?;
            if file.metadata().map_err(unread)?.is_dir() {
                return Err(format!(
                    "could not read {}: it is a folder; name a file in it",
                    path.display()
                ));
            }
            Box::new(BufReader::new(file))
        }
    };
    // A date of birth is held against the day in China, eight hours ahead.
    let today = Offset::constant(8).to_datetime(machine_now()).date();
    let mut are_answered = true;
    for number in 1usize.. {
        let Some(line) = next_line(lines.as_mut()).map_err(told)? else {
            break;
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = answer(&line, number, today);
        are_answered &= answer.is_answered;
        say(answer.text);
    }
    Ok(are_answered || !command.strict)
}

/// The next line, cut where it is longer than any that can be answered, so that no input fills the memory.
fn next_line(lines: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let longest = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    if Read::take(&mut *lines, longest).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        skip_line(lines)?;
    }
    Ok(Some(line))
}

/// Passes over the rest of a line.
fn skip_line(lines: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let seen = lines.fill_buf()?;
        let (used, is_done) = match seen.iter().position(|byte| *byte == b'\n') {
            Some(place) => (place.saturating_add(1), true),
            None => (seen.len(), seen.is_empty()),
        };
        lines.consume(used);
        if is_done {
            return Ok(());
        }
    }
}
