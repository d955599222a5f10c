//! `fenqi migrate`: brings the store's schema up to date.

use fenqi_server::wiring::{Database, Opening, open};
use fenqi_store::migrate::MIGRATIONS;

use super::{Done, say, told};

/// Applies what is missing; run again it changes nothing.
pub async fn run(database: &Database, json: bool) -> Done {
    open(database, &Opening::default()).await.map_err(told)?;
    let newest = MIGRATIONS.last().map_or("none", |migration| migration.name);
    say(if json {
        format!("{{\"schema\":\"{newest}\"}}")
    } else {
        format!("the schema is up to date: {newest}")
    });
    Ok(true)
}
