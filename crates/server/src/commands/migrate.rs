//! `fenqi migrate`: brings the store's schema up to date.

use fenqi_server::wiring::{Database, Opening, open};
use fenqi_store::migrate::MIGRATIONS;

use super::{Done, making, must_last, say};

/// Applies what is missing; run again it changes nothing.
pub async fn run(database: &Database, json: bool) -> Done {
    must_last(database)?;
    let opened = open(database, &Opening::default()).await;
    opened.map_err(|fault| making(database, &fault))?;
    let newest = MIGRATIONS.last().map_or("none", |migration| migration.name);
    say(if json {
        format!("{{\"schema\":\"{newest}\"}}")
    } else {
        format!("the schema is up to date: {newest}")
    });
    Ok(true)
}
