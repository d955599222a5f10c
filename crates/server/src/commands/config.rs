//! `fenqi config`: prints the effective configuration, with secrets masked.

use fenqi_server::wiring::{Database, KeySource, key_source};
use fenqi_store::Postgres;

use super::{Done, say};

/// Prints the configuration and where each value comes from. What cannot be used as it is says why.
pub fn run(database: &Database, json: bool) -> Done {
    let shown = masked(database);
    let (is_well, keys) = match key_source() {
        Ok(KeySource::Sandbox) => (true, "sandbox".to_owned()),
        Ok(KeySource::Configured) => (true, "configured".to_owned()),
        Err(fault) => (false, fault.to_string()),
    };
    if json {
        say(serde_json::json!({ "database": shown, "keys": keys, "zone": "Asia/Shanghai" }));
    } else {
        say(format!("database  {shown}    (--database or FENQI_DATABASE)"));
        say(format!(
            "keys      {keys}    (FENQI_KEY and FENQI_INDEX_KEY, 64 hexadecimal digits each)"
        ));
        say("zone      Asia/Shanghai");
    }
    Ok(is_well)
}

/// A database's name without the password that may stand in it.
fn masked(database: &Database) -> String {
    match database {
        Database::Temporary => "sqlite".into(),
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => Postgres::shown(url).unwrap_or_else(|fault| fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://me:secret@host/db",
            "postgres://host/db?user=me&password=secret",
            "postgres://me:secret@one:5433,two:5434/db?sslmode=require",
            "postgres://me:sec%40ret@host/db?connect_timeout=oops&password=secret",
            "postgres://me@host:secret/db",
        ] {
            let shown = masked(&Database::Postgres(url.into()));
            assert!(!shown.contains("sec"), "{shown}");
        }
        let shown = masked(&Database::Postgres(
            "postgres://me:secret@host/db?sslmode=require".into(),
        ));
        assert_eq!(shown, "postgres://me@host:5432/db?sslmode=require");
    }
}
