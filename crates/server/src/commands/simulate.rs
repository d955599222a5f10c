//! `fenqi simulate`: plays loan cases on the rules alone.

use std::path::PathBuf;

use fenqi_app::texts::Language;
use fenqi_server::input;
use fenqi_server::simulate::{File, check, schema, text};

use super::{Done, complain, say};

/// Its flags.
#[derive(clap::Args)]
pub struct Simulate {
    /// The case file; docs/reference/simulate.md tells what may stand in it
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Only the case with this id
    #[arg(long)]
    case: Option<String>,
    /// json: a line for each case; text: tables to read
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Refuse a file with fields or words that are not known, instead of passing them over
    #[arg(long)]
    strict: bool,
    /// Say of the case why each of its figures is what it is at its end
    #[arg(long, requires = "case")]
    explain: bool,
    /// Print the terms and the transactions that the case comes to, in the platform's own words
    #[arg(long, requires = "case", conflicts_with = "explain")]
    own_words: bool,
    /// The language of explanations as text
    #[arg(long, value_enum, default_value_t = Speech::En)]
    language: Speech,
    /// Compare with what the cases expect, print what differs, and fail if anything does
    #[arg(long)]
    check: bool,
    /// Print the JSON Schema of case files
    #[arg(long)]
    schema: bool,
}

/// How cases are printed.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Json,
    Text,
}

/// What explanations are said in.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Speech {
    Zh,
    En,
}

/// Plays the cases. A case that cannot be played has a line that says why, and is a failure.
pub fn run(command: &Simulate) -> Done {
    let Some(path) = command.file.as_ref().filter(|_| !command.schema) else {
        say(schema::TEXT.trim_end());
        return Ok(true);
    };
    let name = path.display();
    let content = std::fs::read(path).map_err(|e| format!("could not read {name}: {e}"))?;
    let content = input::text(&content).map_err(|e| format!("could not read {name}: {e}"))?;
    let file = File::read(content).map_err(|e| format!("could not read {name}: {e}"))?;
    if command.strict && !file.findings().is_empty() {
        file.findings().iter().for_each(complain);
        return Err(format!(
            "{name} says what is not known, in {} places",
            file.findings().len()
        ));
    }
    if let Some(id) = command.case.as_deref().filter(|_| command.explain) {
        let told = file
            .explain(id)
            .map_err(|e| format!("could not explain {name}: {e}"))?;
        match (command.format, command.language) {
            (Format::Json, _) => say(told.json()),
            (Format::Text, Speech::Zh) => say(told.text(Language::Zh).trim_end()),
            (Format::Text, Speech::En) => say(told.text(Language::En).trim_end()),
        }
        return Ok(true);
    }
    if let Some(id) = command.case.as_deref().filter(|_| command.own_words) {
        say(file.own_words(id)?.trim_end());
        return Ok(true);
    }
    let lines = file
        .play(command.case.as_deref())
        .map_err(|e| format!("could not read {name}: {e}"))?;
    if command.check {
        return Ok(compared(&file, &lines));
    }
    for line in &lines {
        match command.format {
            Format::Json => say(line),
            Format::Text => say(text(line)),
        }
    }
    Ok(lines.iter().all(|line| line.get("error").is_none()))
}

/// Says what differs from what the cases expect; whether nothing does.
fn compared(file: &File, lines: &[serde_json::Value]) -> bool {
    let (mut hold, mut in_detail) = (0usize, 0usize);
    for line in lines {
        let is_this = |case: &&serde_json::Value| case.get("id") == line.get("id");
        let Some(case) = file.cases().iter().find(is_this) else {
            continue;
        };
        let id = line.get("id").and_then(|id| id.as_str()).unwrap_or_default();
        let not_compared = file.not_compared(id);
        let is_asked = check::expects(case);
        let found = check::differences(case, line);
        let mut details = check::details(case, line);
        details.extend(check::asides(case, line));
        let holds = found.is_empty() && not_compared.is_empty() && is_asked;
        hold += usize::from(holds);
        in_detail += usize::from(holds && details.is_empty());
        not_compared.iter().for_each(|f| say(format!("{id} {f}")));
        if !is_asked {
            say(format!("{id} expects nothing that could be compared"));
        }
        let all = found.iter().chain(details.iter().filter(|d| !found.contains(d)));
        all.for_each(|d| say(format!("{id} {d}")));
    }
    say(format!(
        "{hold} of {} hold to the cent, {in_detail} in every detail",
        lines.len()
    ));
    in_detail == lines.len()
}
