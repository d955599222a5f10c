//! Enters committed events into a subscriber's feed (事件发布): densely numbered, each once, by one fenced publisher.

use fenqi_store::tables::clocks;
use fenqi_store::tables::feed::{self, Waiting};
use fenqi_store::{Batch, CommitError};

use crate::App;
use crate::clock::machine_now;
use crate::jobs::Report;
use crate::outcome::Denied;

/// The feed that the events interface, webhooks and the audit's chain read.
pub const FEED: &str = "main";

/// How long a publisher may go on without renewing its lease, by its own clock.
const LEASE_SECONDS: i64 = 30;

/// How many events are published in one commit.
const AT_ONCE: i64 = 2_000;

/// Publishes what is not published yet. Two at once cannot both succeed: each batch demands the lease's token.
pub async fn run(app: &App, holder: &str) -> Result<Report, Denied> {
    let mut report = Report::default();
    let Some(token) = lease(app, holder).await? else {
        return Ok(report);
    };
    let mut position = app.store.feed_last(FEED).await?;
    let mut after = Waiting::FIRST;
    loop {
        let events = app.store.unpublished(&after, AT_ONCE).await?;
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return Ok(report);
        }
        let mut batch = Batch::new(FEED);
        clocks::require_lease(&mut batch, "publish", token);
        feed::published(&mut batch, FEED, position.saturating_add(1), &events);
        match app.store.commit(batch).await {
            Ok(()) => {}
            // Another took the lease: it goes on from here.
            Err(CommitError::Refused(_)) => return Ok(report),
            Err(error) => return Err(error.into()),
        }
        report = report.with(Report::all(events.len()));
        if count < AT_ONCE {
            return Ok(report);
        }
        position = position.saturating_add(count);
        after = events.last().cloned().unwrap_or(after);
    }
}

/// Takes or renews the publisher's lease; none while another holds it.
async fn lease(app: &App, holder: &str) -> Result<Option<i64>, Denied> {
    let now = machine_now();
    let until = now
        .checked_add(jiff::SignedDuration::from_secs(LEASE_SECONDS))
        .unwrap_or(now);
    let mut batch = Batch::new("publish");
    let token = match app.store.lease("publish").await? {
        None => {
            clocks::lease_first(&mut batch, "publish", holder, until);
            1
        }
        Some(held) => {
            clocks::lease_taken(&mut batch, "publish", holder, until, held.token, now);
            held.token.saturating_add(1)
        }
    };
    match app.store.commit(batch).await {
        Ok(()) => Ok(Some(token)),
        Err(CommitError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
