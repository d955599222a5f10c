//! `fenqi verify`: recomputes everything from what is stored.

use fenqi_app::verify;
use fenqi_server::data::table::counted;
use fenqi_server::data::{Files, load};
use fenqi_server::wiring::{Database, Opening, clock, open, sandbox, seed};

use super::{Done, mending, must_last, say, told};

/// Verifies a store. It only reads, and may run beside the process that writes.
pub async fn run(database: &Database, json: bool) -> Done {
    must_last(database)?;
    let opening = Opening {
        read_only: true,
        ..Opening::default()
    };
    let opened = open(database, &opening).await;
    let store = opened.map_err(|fault| mending(database, &fault))?;
    let data = load(&Files::embedded()).map_err(|_| "the sample tables are broken")?;
    let business = clock(&store).await.map_err(told)?;
    let (app, _) = sandbox(store, business, &data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    let differences = verify::verify(&app).await.map_err(told)?;
    if json {
        say(serde_json::json!({ "differences": differences }));
    } else {
        differences.iter().for_each(say);
        say(match differences.len() {
            0 => "everything agrees".to_owned(),
            count => counted(count, "difference"),
        });
    }
    Ok(differences.is_empty())
}
