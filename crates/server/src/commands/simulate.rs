//! `fenqi simulate`: plays loan cases on the rules alone.

use std::path::PathBuf;

use super::{Done, say};

/// Its flags.
#[derive(clap::Args)]
pub struct Simulate {
    /// The case file
    file: PathBuf,
    /// Only the case with this id
    #[arg(long)]
    case: Option<String>,
}

/// Plays the cases. A case that cannot be played has a line that says why.
pub fn run(command: &Simulate) -> Done {
    let name = command.file.display();
    let text = std::fs::read_to_string(&command.file).map_err(|e| format!("could not read {name}: {e}"))?;
    let lines = fenqi_server::simulate::simulate(&text, command.case.as_deref())
        .map_err(|e| format!("could not read {name}: {e}"))?;
    if lines.is_empty() {
        return Err(format!("{name} has no such case"));
    }
    lines.iter().for_each(say);
    Ok(true)
}
