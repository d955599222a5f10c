//! Plays one scenario on a fresh store, and verifies what it leaves behind.

use fenqi_app::{Clock, verify};
use fenqi_story::{Difference, Player, Scenario};
use jiff::civil::date;

use crate::data::Data;
use crate::wiring::{Database, Opening, open, sandbox, zone};
use crate::{market, stage};

/// The seed of every scenario, so that two runs print the same.
const SEED: u64 = 20_250_101;

/// What a scenario showed.
#[derive(Debug)]
pub struct Played {
    /// The scenario with what was seen written into it.
    pub text: String,
    /// Where what was seen differs from what was expected.
    pub differences: Vec<Difference>,
    /// What could not be played, and what `verify` found.
    pub troubles: Vec<String>,
    /// How many steps it has.
    pub steps: usize,
}

/// Plays a scenario. On PostgreSQL it has a schema of its own, which is dropped afterwards.
///
/// Errors: a sentence, if the store cannot be opened or filled.
pub async fn play(scenario: &Scenario, database: &Database, data: &Data, serial: usize) -> Result<Played, String> {
    let schema = match database {
        Database::Postgres(url) => {
            let name = format!("story_{}_{serial}", std::process::id());
            fenqi_store::create_schema(url, &name).await.map_err(|e| e.to_string())?;
            Some((url.clone(), name))
        }
        Database::Temporary | Database::Sqlite(_) => None,
    };
    let opening = Opening { schema: schema.as_ref().map(|(_, name)| name.clone()), ..Opening::default() };
    let played = in_store(scenario, database, &opening, data).await;
    if let Some((url, name)) = schema {
        fenqi_store::drop_schema(&url, &name).await.map_err(|e| e.to_string())?;
    }
    played
}

async fn in_store(scenario: &Scenario, database: &Database, opening: &Opening, data: &Data) -> Result<Played, String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let store = open(database, opening).await.map_err(told)?;
    market::open(&store, data).await.map_err(told)?;
    let start = date(2025, 1, 1).to_zoned(zone()).map_err(|e| e.to_string())?.timestamp();
    let (app, control) = sandbox(store.clone(), Clock::standing(start), data, SEED).await.map_err(told)?;
    let stage = stage::control(&control);
    let mut player = Player::new(&app, &stage, &scenario.file);
    let mut seen = Vec::new();
    for step in scenario.steps() {
        seen.push(player.play(step).await);
    }
    let mut troubles = player.troubles().to_vec();
    let report = verify::verify(&store, &zone()).await.map_err(|e| e.to_string())?;
    troubles.extend(report.differences.iter().map(|d| format!("{}: verify: {d}", scenario.file)));
    Ok(Played {
        text: scenario.with_answers(&seen),
        differences: scenario.differences(&seen),
        troubles,
        steps: seen.len(),
    })
}
