//! `fenqi story`: plays scenario scripts on a fresh store.

use std::path::PathBuf;

use fenqi_server::input;
use fenqi_server::story::{Place, Played, play};
use fenqi_server::wiring::Database;

use fenqi_story::{Difference, UNPLAYABLE};

use super::{Done, complain, say, told};

/// Its flags.
#[derive(clap::Args)]
pub struct Story {
    /// The scripts
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// sqlite, or postgres://USER@HOST/NAME (a schema of its own, dropped after)
    #[arg(long, env = "FENQI_STORY_DATABASE", default_value = "sqlite", value_parser = super::story_database)]
    database: Database,
    /// Write what was seen into the scripts
    #[arg(long)]
    update: bool,
    /// Print only whether each script plays as it says
    #[arg(long)]
    quiet: bool,
    /// Print one line of JSON for each script
    #[arg(long)]
    json: bool,
}

/// Plays each script; all is well if each showed what it says and left a store that verifies.
pub async fn run(command: Story) -> Done {
    let place = match &command.database {
        Database::Postgres(url) => Place::Postgres(url.clone()),
        Database::Temporary => Place::Sqlite,
        Database::Sqlite(_) => {
            return Err("a story is played on a fresh store: write sqlite, or postgres://…".into());
        }
    };
    let (mut well, mut bad) = (0usize, 0usize);
    for path in &command.files {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| format!("{name}: {e}"))?;
        let text = input::text(&bytes).map_err(|e| format!("{name}: {e}"))?;
        let passed = match play(&name, text, &place).await {
            Ok(played) => {
                if !command.quiet && !command.json {
                    say(&played.text);
                    show_end(&played);
                }
                if command.update && played.text != text {
                    if played.troubles.is_empty() {
                        std::fs::write(path, &played.text).map_err(|e| format!("{name}: {e}"))?;
                    } else {
                        complain(format!(
                            "{name}: left as it is, because it cannot be played to its end"
                        ));
                    }
                }
                report(&name, &played, &command)
            }
            Err(why) if command.json => {
                say(serde_json::json!({ "file": name, "passed": false, "troubles": [told(why)] }));
                false
            }
            Err(why) => {
                complain(why);
                say(format!("FAIL  {name}"));
                false
            }
        };
        if passed {
            well = well.saturating_add(1);
        } else {
            bad = bad.saturating_add(1);
        }
    }
    if !command.json {
        say(format!("{well} passed, {bad} failed"));
    }
    Ok(bad == 0)
}

/// Shows the schedules, limits and books of a script that does not ask for them.
fn show_end(played: &Played) {
    if !played.end.is_empty() {
        say("at the end");
        played.end.iter().for_each(|line| say(format!("  -> {line}")));
    }
}

/// Says how a script went; an update takes what was seen as what is expected.
fn report(name: &str, played: &Played, command: &Story) -> bool {
    let differs = !command.update && !played.differences.is_empty();
    let passed = played.troubles.is_empty() && !differs;
    if command.json {
        let differences: Vec<String> = played.differences.iter().map(told).collect();
        say(serde_json::json!({
            "file": name,
            "passed": passed,
            "differences": differences,
            "troubles": played.troubles,
            "text": played.text,
            "end": played.end,
        }));
        return passed;
    }
    played.troubles.iter().for_each(complain);
    if differs {
        // What could not be played is among the troubles, and said once.
        let played_lines = |d: &&Difference| !d.seen.iter().any(|line| line.starts_with(UNPLAYABLE));
        played.differences.iter().filter(played_lines).for_each(complain);
    }
    say(format!("{}  {name}", if passed { "ok  " } else { "FAIL" }));
    passed
}
