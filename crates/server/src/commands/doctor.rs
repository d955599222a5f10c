//! `fenqi doctor`: says what is wrong with the installation and how to mend it.

use fenqi_server::wiring::{Database, KeySource, Opening, clock, key_source, open, zone};
use fenqi_store::{Fault, Store};

use super::{Done, mending, must_last, say};

/// What was looked at: whether it is well, and what to do if it is not.
type Finding = (bool, String);

/// Looks at the keys, the database, its settings, the schema and the configuration. Nothing is changed.
pub async fn run(database: &Database, json: bool) -> Done {
    must_last(database)?;
    let mut findings = Vec::new();
    let opening = Opening {
        read_only: true,
        ..Opening::default()
    };
    match key_source() {
        Ok(source) => {
            match open(database, &opening).await {
                Ok(store) => look_into(&store, &mut findings).await,
                Err(fault) => findings.push((false, mending(database, &fault))),
            }
            findings.push(sandbox_or_not(source));
        }
        // Without keys no store is opened at all.
        Err(fault) => findings.push((false, fault.to_string())),
    }
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

async fn look_into(store: &Store, findings: &mut Vec<Finding>) {
    findings.push((true, "the database answers and keeps what it acknowledges".into()));
    findings.push(match store.settings().await {
        Ok((generation, settings)) if settings.is_empty() => (
            false,
            format!(
                "nothing is configured (generation {generation}); `fenqi demo --database` with the name of this \
                 store loads the sample shop and its story"
            ),
        ),
        Ok((generation, settings)) => (
            true,
            format!("{} items are configured, generation {generation}", settings.len()),
        ),
        Err(fault) => (false, fault.to_string()),
    });
    findings.extend(opens_sealed(store).await);
    findings.push(days_are_done(store).await);
}

/// Whether the work of the days was done, up to yesterday at least; a store on which it was never done is new.
async fn days_are_done(store: &Store) -> Finding {
    let known = async {
        let now = clock(store).await?.now();
        let (_, done) = store.business_clock().await?;
        Ok((now.to_zoned(zone()).date(), done))
    };
    match known.await {
        Ok((today, Some(done))) if done >= today => {
            (true, format!("the work of the days is done up to today, {today}"))
        }
        Ok((today, Some(done))) => (
            done.tomorrow().is_ok_and(|next| next >= today),
            format!(
                "the work of the days is done up to {done}; today is {today}, and `fenqi day` catches up"
            ),
        ),
        Ok((_, None)) => (true, "no work of a day was done yet; `fenqi day` does it".into()),
        Err::<_, Fault>(fault) => (false, fault.to_string()),
    }
}

/// Whether the keys open what is sealed in the store; nothing if nobody is in it yet.
async fn opens_sealed(store: &Store) -> Option<Finding> {
    let opened = async {
        let first = store.owners_after("", 1).await?;
        let Some(Ok(shopper)) = first.first().map(|owner| owner.parse()) else {
            return Ok(None);
        };
        store.data_key(shopper).await
    };
    match opened.await {
        Ok(None) => None,
        Ok(Some(_)) => Some((true, "the keys open what is sealed in the store".into())),
        Err(fault) => Some((
            false,
            format!("{fault}; set FENQI_KEY and FENQI_INDEX_KEY to the keys with which the store was made"),
        )),
    }
}

fn sandbox_or_not(source: KeySource) -> Finding {
    match source {
        KeySource::Sandbox => (
            false,
            "the keys are the sandbox's; set FENQI_KEY and FENQI_INDEX_KEY before real data comes in".into(),
        ),
        KeySource::Configured => (true, "the keys are configured".into()),
    }
}
