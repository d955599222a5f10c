//! Rolls entries up into balances by account and day (汇总), so that no purchase ever locks a busy account's row.

use fenqi_store::Batch;
use fenqi_store::tables::books;

use crate::App;
use crate::jobs::Report;
use crate::outcome::Denied;

/// For how many days before the last one that was rolled up entries may still arrive: an entry is recorded at the moment
/// of its decision, and committed a little later. Within a day it is there, or never.
pub(crate) const OPEN_DAYS: i64 = 1;

/// Rolls up what was recorded since the last time, whatever day it counts on. It reads and writes in one commit, so that
/// the balances are of one moment; run twice it writes the same. It counts no pieces of work: nobody waits for one.
pub async fn run(app: &App) -> Result<Report, Denied> {
    let last = app.store.last_rolled_day().await?;
    let mut batch = Batch::new("balances");
    books::rolled(&mut batch, last.saturating_sub(OPEN_DAYS));
    app.store.commit(batch).await?;
    Ok(Report::default())
}
