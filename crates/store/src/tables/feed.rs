//! Committed events on their way to subscribers: one fenced job gives each a dense position, once.

use super::{Store, instant, statements};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use jiff::Timestamp;

statements! {
    TO_PUBLISH = "event.to_publish", (Int) -> (Text, Text, Int, Text, Text, Int),
        "select shopper, aggregate, sequence, kind, detail, at from event where published = 0 order by at, shopper, aggregate, sequence limit $1";
    PUBLISHED = "event.published", (Text, Text, Int) -> (),
        "update event set published = 1 where shopper = $1 and aggregate = $2 and sequence = $3 and published = 0";
    LAST = "feed.last", (Text) -> (Int), "select coalesce(max(position), 0) as position from feed where subscriber = $1";
    APPEND = "feed.append", (Text, Int, Text, Text, Int) -> (),
        "insert into feed (subscriber, position, shopper, aggregate, sequence) values ($1, $2, $3, $4, $5)";
    AFTER = "feed.after", (Text, Int, Int) -> (Int, Text, Text, Int, Text, Text, Int),
        "select f.position, f.shopper, f.aggregate, f.sequence, e.kind, e.detail, e.at from feed f join event e on e.shopper = f.shopper and e.aggregate = f.aggregate and e.sequence = f.sequence where f.subscriber = $1 and f.position > $2 order by f.position limit $3";
    MISSED = "feed.missed", (Text, Int) -> (Text, Int),
        "select e.aggregate, e.sequence from event e where e.published = 1 and not exists (select 1 from feed f where f.subscriber = $1 and f.shopper = e.shopper and f.aggregate = e.aggregate and f.sequence = e.sequence) order by e.aggregate, e.sequence limit $2";
}

/// One event that is ready for, or came from, the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its place in the subscriber's feed, from 1 without gaps; 0 before it is published.
    pub position: i64,
    /// Whose.
    pub shopper: String,
    /// Of what.
    pub aggregate: String,
    /// Its place in the aggregate's sequence.
    pub sequence: i64,
    /// What happened.
    pub kind: String,
    /// Its content as JSON.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The oldest events that no subscriber has seen.
    pub async fn events_to_publish(&self, count: i64) -> Result<Vec<FeedEvent>, Fault> {
        let rows = self.rows(&TO_PUBLISH, vec![count.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(FeedEvent {
                    position: 0,
                    shopper: row.text(0)?.into(),
                    aggregate: row.text(1)?.into(),
                    sequence: row.int(2)?,
                    kind: row.text(3)?.into(),
                    detail: row.text(4)?.into(),
                    at: instant(row, 5)?,
                })
            })
            .collect()
    }

    /// The last position of a subscriber's feed, 0 if there is none.
    pub async fn feed_last(&self, subscriber: &str) -> Result<i64, Fault> {
        match self.row(&LAST, vec![subscriber.into()]).await? {
            Some(row) => row.int(0),
            None => Ok(0),
        }
    }

    /// Events that count as published and stand in no place of the feed: of what, and their sequence.
    pub async fn missed_events(&self, subscriber: &str, count: i64) -> Result<Vec<(String, i64)>, Fault> {
        let rows = self.rows(&MISSED, vec![subscriber.into(), count.into()]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.into(), row.int(1)?)))
            .collect()
    }

    /// A page of a subscriber's feed after a position.
    pub async fn feed_after(
        &self,
        subscriber: &str,
        position: i64,
        count: i64,
    ) -> Result<Vec<FeedEvent>, Fault> {
        let rows = self
            .rows(&AFTER, vec![subscriber.into(), position.into(), count.into()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(FeedEvent {
                    position: row.int(0)?,
                    shopper: row.text(1)?.into(),
                    aggregate: row.text(2)?.into(),
                    sequence: row.int(3)?,
                    kind: row.text(4)?.into(),
                    detail: row.text(5)?.into(),
                    at: instant(row, 6)?,
                })
            })
            .collect()
    }
}

/// Appends an event to a subscriber's feed and marks it as published; refused if another publisher did.
pub fn published(batch: &mut Batch, subscriber: &str, event: &FeedEvent) {
    let key = [event.shopper.as_str(), event.aggregate.as_str()];
    batch.require(
        Guard::Unchanged,
        &PUBLISHED,
        vec![key[0].into(), key[1].into(), event.sequence.into()],
    );
    batch.put(
        &APPEND,
        vec![
            subscriber.into(),
            event.position.into(),
            key[0].into(),
            key[1].into(),
            event.sequence.into(),
        ],
    );
}
