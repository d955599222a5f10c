//! `fenqi story`: plays scenario scripts on a fresh store.

use std::path::PathBuf;

use fenqi_server::data::{Files, load};
use fenqi_server::play::{Played, play};
use fenqi_server::wiring::Database;
use fenqi_story::Scenario;

use super::{Done, complain, say, told};

/// Its flags.
#[derive(clap::Args)]
pub struct Story {
    /// The scripts
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// sqlite, or postgres://USER@HOST/NAME (a schema of its own, dropped after)
    #[arg(long, env = "FENQI_STORY_DATABASE", default_value = "sqlite")]
    database: Database,
    /// Write what was seen into the scripts
    #[arg(long)]
    update: bool,
    /// Print only whether each script plays as it says
    #[arg(long)]
    quiet: bool,
}

/// Plays each script; all is well if each showed what it says and left a store that verifies.
pub async fn run(command: Story) -> Done {
    let data = load(&Files::embedded()).map_err(|problems| problems.iter().map(told).collect::<Vec<_>>().join("\n"))?;
    let (mut well, mut bad) = (0usize, 0usize);
    for (serial, path) in command.files.iter().enumerate() {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        let scenario = match Scenario::parse(&name, &text) {
            Ok(scenario) => scenario,
            Err(mistakes) => {
                mistakes.iter().for_each(complain);
                bad = bad.saturating_add(1);
                continue;
            }
        };
        let played = play(&scenario, &command.database, &data, serial).await?;
        if !command.quiet {
            say(&played.text);
        }
        if command.update && played.text != text {
            std::fs::write(path, &played.text).map_err(|e| format!("{name}: {e}"))?;
        }
        if report(&name, &played, command.update) {
            well = well.saturating_add(1);
        } else {
            bad = bad.saturating_add(1);
        }
    }
    say(format!("{well} passed, {bad} failed"));
    Ok(bad == 0)
}

/// Says how a script went; an update takes what was seen as what is expected.
fn report(name: &str, played: &Played, update: bool) -> bool {
    played.troubles.iter().for_each(complain);
    let differs = !update && !played.differences.is_empty();
    if differs {
        played.differences.iter().for_each(complain);
    }
    let passed = played.troubles.is_empty() && !differs;
    say(format!("{}  {name}  ({} steps)", if passed { "ok  " } else { "FAIL" }, played.steps));
    passed
}
