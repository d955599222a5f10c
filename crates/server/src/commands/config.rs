//! `fenqi config`: prints the effective configuration, with secrets masked.

use fenqi_server::wiring::{Database, has_sandbox_keys};

use super::{Done, say};

/// Prints the configuration and where each value comes from.
pub fn run(database: &Database, json: bool) -> Done {
    let (shown, keys) = (
        masked(database),
        if has_sandbox_keys() {
            "sandbox"
        } else {
            "configured"
        },
    );
    if json {
        say(serde_json::json!({ "database": shown, "keys": keys, "zone": "Asia/Shanghai" }));
    } else {
        say(format!("database  {shown}    (--database or FENQI_DATABASE)"));
        say(format!(
            "keys      {keys}    (FENQI_KEY and FENQI_INDEX_KEY, 64 hexadecimal digits each)"
        ));
        say("zone      Asia/Shanghai");
    }
    Ok(true)
}

/// A database's name without the password that may stand in it.
pub fn masked(database: &Database) -> String {
    match database {
        Database::Temporary => "sqlite".into(),
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((before, after))) => {
                let user = before
                    .rsplit('/')
                    .next()
                    .and_then(|login| login.split(':').next())
                    .unwrap_or("");
                format!("{scheme}://{user}:***@{after}")
            }
            _ => url.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = masked(&Database::Postgres("postgres://me:secret@host/db".into()));
        assert_eq!(shown, "postgres://me:***@host/db");
    }
}
