//! `fenqi verify`: recomputes everything from what is stored.

use fenqi_app::verify;
use fenqi_server::wiring::{Database, Opening, open};

use super::{Done, say, told};

/// Verifies a store. It only reads, and may run beside the process that writes.
pub async fn run(database: &Database, json: bool) -> Done {
    let opening = Opening { read_only: true, ..Opening::default() };
    let store = open(database, &opening).await.map_err(told)?;
    let zone = fenqi_server::wiring::zone();
    let report = verify::verify(&store, &zone).await.map_err(told)?;
    if json {
        say(serde_json::to_string(&report).map_err(told)?);
    } else {
        for difference in &report.differences {
            say(format!("{difference}"));
        }
        say(format!(
            "verified {} agreements and {} credit lines: {}",
            report.agreements,
            report.lines,
            if report.differences.is_empty() { "everything agrees".into() } else { format!("{} differences", report.differences.len()) },
        ));
    }
    Ok(report.differences.is_empty())
}
