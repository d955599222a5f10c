//! Rolls entries up into balances by account and day (汇总), so that no purchase ever locks a busy account's row.

use fenqi_store::Batch;
use fenqi_store::tables::books;

use crate::App;
use crate::jobs::Report;
use crate::outcome::Denied;

/// Rolls everything up anew. It reads and writes in one commit, so that the balances are of one moment.
pub async fn run(app: &App) -> Result<Report, Denied> {
    let mut batch = Batch::new("balances");
    books::rolled(&mut batch);
    app.store.commit(batch).await?;
    Ok(Report {
        seen: 1,
        acted: 1,
        failed: Vec::new(),
    })
}
