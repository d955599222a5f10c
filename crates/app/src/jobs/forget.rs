//! Forgets what need not be kept (清理): the keys of requests, and quotes that became no agreement.

use fenqi_store::Batch;
use fenqi_store::tables::{quotes, requests};
use jiff::{SignedDuration, Timestamp};

use crate::App;
use crate::clock::machine_now;
use crate::jobs::Report;
use crate::outcome::Denied;

/// For how long the same key gives the same reply, and for how long a quote that ran out can be asked about.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Forgets requests by the machine's clock, because clients repeat them by theirs, and quotes by the business clock, by
/// which they run out: those that ran out since the day that is done, and, should a run have failed, some time before it.
/// What is gone is not counted: nobody waits for it.
pub async fn run(app: &App) -> Result<Report, Denied> {
    let before = |now: Timestamp| now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let (_, done) = app.store.business_clock().await?;
    let since = done.map_or(Timestamp::MIN, |day| before(before(app.instant_of(day, 0))));
    let mut batch = Batch::new("forget");
    requests::forget_before(&mut batch, before(machine_now()).as_microsecond());
    quotes::forget(&mut batch, since, before(app.clock.now()));
    app.store.commit(batch).await?;
    Ok(Report::default())
}
