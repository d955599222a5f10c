//! Committed events on their way to subscribers: one fenced job gives each a dense position, once.

use super::{Store, instant, statements};
use crate::batch::Batch;
use crate::fault::Fault;
use jiff::Timestamp;

statements! {
    PUBLISH = "feed.publish", (Text, Int, Int) -> (),
        "insert into feed (subscriber, position, shopper, aggregate, sequence) select $1, $2 + row_number() over (order by e.at, e.shopper, e.aggregate, e.sequence), e.shopper, e.aggregate, e.sequence from (select shopper, aggregate, sequence, at from event where published = 0 order by at, shopper, aggregate, sequence limit $3) e";
    MARK = "event.published", (Text, Int) -> (),
        "update event set published = f.position from feed f where f.subscriber = $1 and f.position > $2 and event.shopper = f.shopper and event.aggregate = f.aggregate and event.sequence = f.sequence";
    LAST = "feed.last", (Text) -> (Int), "select coalesce(max(position), 0) as position from feed where subscriber = $1";
    AFTER = "feed.after", (Text, Int, Int) -> (Int, Text, Text, Int, Text, Text, Int, Int),
        "select f.position, f.shopper, f.aggregate, f.sequence, e.kind, e.detail, e.at, e.published from feed f join event e on e.shopper = f.shopper and e.aggregate = f.aggregate and e.sequence = f.sequence where f.subscriber = $1 and f.position > $2 order by f.position limit $3";
    MISSED = "feed.missed", (Text, Int) -> (Text, Int),
        "select e.aggregate, e.sequence from event e where e.published > 0 and not exists (select 1 from feed f where f.subscriber = $1 and f.position = e.published and f.shopper = e.shopper and f.aggregate = e.aggregate and f.sequence = e.sequence) order by e.aggregate, e.sequence limit $2";
}

/// One event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its place in the subscriber's feed, from 1 without gaps.
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
    /// The place that the event itself says it has.
    pub published: i64,
}

impl Store {
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
                    published: row.int(7)?,
                })
            })
            .collect()
    }
}

/// Appends the oldest events that no subscriber has seen, at most so many, behind a position of a subscriber's feed, and
/// marks them with their places. Only who holds the lease on publishing may do this: nothing else keeps two from the same position.
pub fn published(batch: &mut Batch, subscriber: &str, position: i64, count: i64) {
    batch.put(&PUBLISH, vec![subscriber.into(), position.into(), count.into()]);
    batch.put(&MARK, vec![subscriber.into(), position.into()]);
}
