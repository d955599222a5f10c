//! `fenqi doctor`: says what is wrong with the installation and how to mend it.

use fenqi_server::wiring::{Database, Opening, has_sandbox_keys, open};

use super::{Done, say};

/// Looks at the database, its settings, the schema, the keys and the configuration.
pub async fn run(database: &Database, json: bool) -> Done {
    let mut findings: Vec<(bool, String)> = Vec::new();
    match open(
        database,
        &Opening {
            read_only: matches!(database, Database::Sqlite(_)),
            ..Opening::default()
        },
    )
    .await
    {
        Ok(store) => {
            findings.push((true, "the database answers and keeps what it acknowledges".into()));
            match store.settings().await {
                Ok((generation, settings)) if settings.is_empty() => findings.push((
                    false,
                    format!("nothing is configured (generation {generation}); load a shop, for example with `fenqi demo`"),
                )),
                Ok((generation, settings)) => {
                    findings.push((true, format!("{} items are configured, generation {generation}", settings.len())));
                }
                Err(fault) => findings.push((false, format!("{fault}; run `fenqi migrate`"))),
            }
        }
        Err(fault) => findings.push((false, format!("{fault}; `fenqi migrate` makes a store"))),
    }
    findings.push(if has_sandbox_keys() {
        (
            false,
            "the keys are the sandbox's; set FENQI_KEY and FENQI_INDEX_KEY before real data comes in".into(),
        )
    } else {
        (true, "the keys are configured".into())
    });
    let well = findings.iter().all(|(ok, _)| *ok);
    if json {
        let listed: Vec<_> = findings
            .iter()
            .map(|(ok, text)| serde_json::json!({ "ok": ok, "finding": text }))
            .collect();
        say(serde_json::json!({ "well": well, "findings": listed }));
    } else {
        for (ok, text) in &findings {
            say(format!("{} {text}", if *ok { "ok   " } else { "mend " }));
        }
    }
    Ok(well)
}
