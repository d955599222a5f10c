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
    /// Only to read, beside the process that writes: nothing of the store is changed.
    pub read_only: bool,
}

/// Where the installation's keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// They are the sandbox's, which anybody can read here, because none is configured.
    Sandbox,
    /// They are configured.
    Configured,
}

/// The installation's keys: both configured, or both the sandbox's.
///
/// # Errors
/// [`Fault::Unsafe`] if only one is configured, or one is no key.
pub fn keys() -> Result<Vault, Fault> {
    let (_, wrapping, index) = configured_keys()?;
    Vault::new(&wrapping, 1, &index)
}

/// Where the keys come from.
///
/// # Errors
/// As [`keys`].
pub fn key_source() -> Result<KeySource, Fault> {
    configured_keys().map(|(source, ..)| source)
}

fn configured_keys() -> Result<Keys, Fault> {
    let read = |name: &str| std::env::var_os(name).map(|text| text.to_string_lossy().into_owned());
    keys_of(read(KEY).as_deref(), read(INDEX_KEY).as_deref())
}

/// The key that wraps what is sealed, and the key of the blind index.
type Keys = (KeySource, [u8; 32], [u8; 32]);

/// The variables of the two keys.
const KEY: &str = "FENQI_KEY";
const INDEX_KEY: &str = "FENQI_INDEX_KEY";

/// Both keys or neither: one alone would leave real data under a key that anybody can read.
fn keys_of(wrapping: Option<&str>, index: Option<&str>) -> Result<Keys, Fault> {
    match (wrapping, index) {
        (None, None) => Ok((
            KeySource::Sandbox,
            *b"sandbox key: not for production!",
            *b"sandbox index: not for real data",
        )),
        (Some(wrapping), Some(index)) => Ok((
            KeySource::Configured,
            key_of(KEY, wrapping)?,
            key_of(INDEX_KEY, index)?,
        )),
        (Some(_), None) => Err(only_one(KEY, INDEX_KEY)),
        (None, Some(_)) => Err(only_one(INDEX_KEY, KEY)),
    }
}

fn only_one(set: &str, missing: &str) -> Fault {
    Fault::Unsafe(format!(
        "{set} is set and {missing} is not; set both, or neither for the sandbox's keys"
    ))
}

fn key_of(name: &str, text: &str) -> Result<[u8; 32], Fault> {
    let digits = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok()?;
        // A sign is no digit, though a number may begin with one.
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digits).collect();
    bytes
        .filter(|_| text.len() == 64)
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| Fault::Unsafe(format!("{name} must be 64 hexadecimal digits (32 bytes)")))
}

/// Opens a store and brings its schema up to date; one that is only read is left as it is, and must be up to date.
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
        Database::Sqlite(path) if opening.read_only => {
            let store = Sqlite::open_to_read(path, options)?;
            store.check_schema()?;
            Arc::new(store)
        }
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
            options.read_only = opening.read_only;
            let store = Postgres::connect(&options).await?;
            if opening.read_only {
                store.check_schema().await?;
            } else {
                store.migrate(machine_now()).await?;
            }
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

    #[test]
    fn both_keys_are_configured_or_neither() {
        let (one, other) = ("0a".repeat(32), "0b".repeat(32));
        let configured = keys_of(Some(&one), Some(&other)).unwrap();
        assert_eq!(configured, (KeySource::Configured, [10; 32], [11; 32]));
        assert_eq!(keys_of(None, None).unwrap().0, KeySource::Sandbox);
        let fault = keys_of(Some(&one), None).unwrap_err().to_string();
        assert!(
            fault.contains("FENQI_KEY is set and FENQI_INDEX_KEY is not"),
            "{fault}"
        );
        assert!(keys_of(None, Some(&one)).is_err());
        for wrong in ["", "abc", &"0x".repeat(32), &"+1".repeat(32)] {
            let fault = keys_of(Some(wrong), Some(&one)).unwrap_err().to_string();
            assert!(
                fault.contains("FENQI_KEY must be 64 hexadecimal digits"),
                "{fault}"
            );
        }
    }
}
