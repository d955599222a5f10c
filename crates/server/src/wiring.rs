//! Wiring (组装): which database, which keys, which parties, which clock.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use fenqi_app::clock::machine_now;
use fenqi_app::{App, Clock};
use fenqi_connect::{Sandbox, SandboxControl};
use fenqi_store::vault::{self, Vault};
use fenqi_store::{Driver, Fault, Postgres, PostgresOptions, Sqlite, SqliteOptions, Store};
use jiff::tz::TimeZone;

use crate::data::Data;
use crate::market;

/// A database as given by `--database` or `FENQI_DATABASE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file that is deleted afterwards.
    Temporary,
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(String),
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Database, String> {
        if text == "sqlite" {
            return Ok(Database::Temporary);
        }
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Database::Sqlite(path.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Database::Postgres(text.into()));
        }
        Err("is no database; write sqlite (temporary), sqlite:PATH or postgres://USER@HOST/NAME".into())
    }
}

/// How a database is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// A schema of its own, on PostgreSQL.
    pub schema: Option<String>,
    /// One batch in each commit, to compare with groups.
    pub one_by_one: bool,
    /// Only to read, beside the process that writes.
    pub read_only: bool,
}

/// The installation's keys. Without a configuration they are those of the sandbox, which anybody can read here.
pub fn keys() -> Result<Vault, Fault> {
    let wrapping = key_of("FENQI_KEY", *b"sandbox key: not for production!")?;
    let index = key_of("FENQI_INDEX_KEY", *b"sandbox index: not for real data")?;
    Vault::new(&wrapping, 1, &index)
}

/// Whether the sandbox's keys are in use because none is configured.
pub fn has_sandbox_keys() -> bool {
    std::env::var_os("FENQI_KEY").is_none() || std::env::var_os("FENQI_INDEX_KEY").is_none()
}

fn key_of(name: &str, sandbox: [u8; 32]) -> Result<[u8; 32], Fault> {
    let Ok(text) = std::env::var(name) else {
        return Ok(sandbox);
    };
    let digits = |pair: &[u8]| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|s| u8::from_str_radix(s, 16).ok())
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digits).collect();
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| Fault::Unsafe(format!("{name} must be 64 hexadecimal digits (32 bytes)")))
}

/// Opens a store and brings its schema up to date.
pub async fn open(database: &Database, opening: &Opening) -> Result<Store, Fault> {
    let vault = Arc::new(keys()?);
    let group_max = if opening.one_by_one { 1 } else { 256 };
    let options = SqliteOptions {
        group_max,
        ..SqliteOptions::default()
    };
    let driver: Arc<dyn Driver> = match database {
        Database::Temporary => {
            let store = Sqlite::temporary()?;
            store.migrate(machine_now())?;
            Arc::new(store)
        }
        Database::Sqlite(path) if opening.read_only => Arc::new(Sqlite::open_to_read(path, options)?),
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                let told = |e: std::io::Error| Fault::Unavailable(format!("{}: {e}", folder.display()));
                std::fs::create_dir_all(folder).map_err(told)?;
            }
            let store = Sqlite::open(path, options)?;
            store.migrate(machine_now())?;
            Arc::new(store)
        }
        Database::Postgres(url) => {
            let mut options = PostgresOptions::new(url.clone());
            options.group_max = group_max;
            options.schema.clone_from(&opening.schema);
            let store = Postgres::connect(&options).await?;
            store.migrate(machine_now()).await?;
            Arc::new(store)
        }
    };
    Ok(Store::new(driver, vault))
}

/// The time zone of contracts.
pub fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)
}

/// The clock of a store: the machine's, ahead by what the sandbox was moved forward.
pub async fn clock(store: &Store) -> Result<Clock, Fault> {
    let (ahead, _) = store.business_clock().await?;
    Ok(Clock::running(ahead))
}

/// A platform over a store with the sandbox's parties.
pub async fn sandbox(
    store: Store,
    clock: Clock,
    data: &Data,
    seed: u64,
) -> Result<(App, SandboxControl), Fault> {
    let (parties, control) = Sandbox::with_lenders(seed, market::standards(data));
    Ok((App::new(store, parties, clock, zone(), seed), control))
}

/// A seed that nobody can foresee.
pub fn seed() -> Result<u64, Fault> {
    vault::seed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_in_one_of_three_forms() {
        assert_eq!("sqlite".parse(), Ok(Database::Temporary));
        assert_eq!(
            "sqlite:data/fenqi.db".parse(),
            Ok(Database::Sqlite("data/fenqi.db".into()))
        );
        assert_eq!(
            "postgres://u@h/d".parse(),
            Ok(Database::Postgres("postgres://u@h/d".into()))
        );
        assert!(
            "mysql://h"
                .parse::<Database>()
                .unwrap_err()
                .contains("sqlite:PATH")
        );
        assert!("sqlite:".parse::<Database>().is_err());
    }
}
