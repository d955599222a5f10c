//! Committed events on their way to subscribers: one fenced job gives each a dense position, once. Events that were
//! published together share one row, which names them in order, so that a page of many costs one insert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, from_json, instant, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::{Row, Value};

statements! {
    AWAITS = "unpublished.insert", (Int, Text, Text, Int) -> (),
        "insert into unpublished (at, shopper, aggregate, sequence) values ($1, $2, $3, $4)";
    OLDEST = "unpublished.after", (Int, Text, Text, Int, Int) -> (Int, Text, Text, Int),
        "select at, shopper, aggregate, sequence from unpublished where (at, shopper, aggregate, sequence) > ($1, $2, $3, $4) order by at, shopper, aggregate, sequence limit $5";
    TAKE = "unpublished.take", (Int, Text, Text, Int) -> (),
        "delete from unpublished where at = $1 and shopper = $2 and aggregate = $3 and sequence = $4";
    PUBLISH = "feed.publish", (Text, Int, Int, Text) -> (),
        "insert into feed (subscriber, position, events, keys) values ($1, $2, $3, $4) on conflict (subscriber, position) do nothing";
    LAST = "feed.last", (Text) -> (Int),
        "select position + events - 1 as last from feed where subscriber = $1 order by position desc limit 1";
    PAGES = "feed.pages", (Text, Int, Int) -> (Int, Int, Text),
        "select position, events, keys from feed where subscriber = $1 and position >= (select coalesce(max(f.position), 0) from feed f where f.subscriber = $1 and f.position <= $2) order by position limit $3";
    EVENT = "event.find", (Text, Text, Int) -> (Text, Text, Int),
        "select kind, detail, at from event where shopper = $1 and aggregate = $2 and sequence = $3";
}

/// Which event: whose, of what, and its place in the aggregate's sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventKey(pub String, pub String, pub i64);

impl std::fmt::Display for EventKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event {} of {}", self.2, self.1)
    }
}

/// An event that is in no feed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// When it happened, in microseconds since 1970: events are published in this order.
    pub at: i64,
    /// Which one it is.
    pub key: EventKey,
}

impl Waiting {
    /// Before all of them.
    pub const FIRST: Waiting = Waiting {
        at: i64::MIN,
        key: EventKey(String::new(), String::new(), 0),
    };

    fn values(&self) -> Vec<Value> {
        let EventKey(shopper, aggregate, sequence) = &self.key;
        vec![
            self.at.into(),
            shopper.as_str().into(),
            aggregate.as_str().into(),
            (*sequence).into(),
        ]
    }
}

/// One event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its place in the subscriber's feed, from 1 without gaps.
    pub position: i64,
    /// Which one it is.
    pub key: EventKey,
    /// What happened.
    pub kind: String,
    /// Its content as JSON.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// How many rows of a feed are read at once.
const ROWS: i64 = 4;

impl Store {
    /// The last position of a subscriber's feed, 0 if there is none.
    pub async fn feed_last(&self, subscriber: &str) -> Result<i64, Fault> {
        match self.row(&LAST, vec![subscriber.into()]).await? {
            Some(row) => row.int(0),
            None => Ok(0),
        }
    }

    /// The oldest events that are in no feed yet, behind one of them, at most so many.
    pub async fn unpublished(&self, last: &Waiting, count: i64) -> Result<Vec<Waiting>, Fault> {
        let mut params = last.values();
        params.push(count.into());
        let rows = self.rows(&OLDEST, params).await?;
        rows.iter().map(waiting).collect()
    }

    /// A page of the keys of a subscriber's feed behind a position, each with its own; more than one at least, unless there
    /// are no more.
    pub async fn feed_keys_after(
        &self,
        subscriber: &str,
        position: i64,
    ) -> Result<Vec<(i64, EventKey)>, Fault> {
        let from = position.saturating_add(1);
        let rows = self
            .rows(&PAGES, vec![subscriber.into(), from.into(), ROWS.into()])
            .await?;
        let mut keys = Vec::new();
        for row in &rows {
            let page: Vec<EventKey> = from_json(row, 2)?;
            if i64::try_from(page.len()) != Ok(row.int(1)?) {
                return Err(row.corrupt(1, format!("{} events are named", page.len())));
            }
            keys.extend((row.int(0)?..).zip(page));
        }
        keys.retain(|(place, _)| *place > position);
        Ok(keys)
    }

    /// At most so many events of a subscriber's feed after a position.
    pub async fn feed_after(
        &self,
        subscriber: &str,
        position: i64,
        count: usize,
    ) -> Result<Vec<FeedEvent>, Fault> {
        let mut keys = self.feed_keys_after(subscriber, position).await?;
        keys.truncate(count);
        let find = |(_, EventKey(shopper, aggregate, sequence)): &(i64, EventKey)| {
            let key = vec![
                shopper.as_str().into(),
                aggregate.as_str().into(),
                (*sequence).into(),
            ];
            Query::new(&EVENT, key)
        };
        let answers = self.read(keys.iter().map(find).collect()).await?;
        let mut events = Vec::with_capacity(keys.len());
        for ((position, key), rows) in keys.into_iter().zip(answers) {
            let Some(row) = rows.first() else { continue };
            events.push(FeedEvent {
                position,
                key,
                kind: row.text(0)?.into(),
                detail: row.text(1)?.into(),
                at: instant(row, 2)?,
            });
        }
        Ok(events)
    }
}

fn waiting(row: &Row) -> Result<Waiting, Fault> {
    Ok(Waiting {
        at: row.int(0)?,
        key: EventKey(row.text(1)?.into(), row.text(2)?.into(), row.int(3)?),
    })
}

/// Notes that an event, written in the same batch, is to be published.
pub(crate) fn awaits(batch: &mut Batch, shopper: &str, aggregate: &str, sequence: i64, at: Timestamp) {
    batch.put(
        &AWAITS,
        vec![
            at.as_microsecond().into(),
            shopper.into(),
            aggregate.into(),
            sequence.into(),
        ],
    );
}

/// Appends events in this order to a subscriber's feed, the first at a position. Refused if the position is taken, or one of
/// them was published already; only who holds the lease on publishing may do this, so that neither happens.
pub fn published(batch: &mut Batch, subscriber: &str, position: i64, events: &[Waiting]) {
    let keys: Vec<&EventKey> = events.iter().map(|event| &event.key).collect();
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    batch.require(
        Guard::Unchanged,
        &PUBLISH,
        vec![subscriber.into(), position.into(), count.into(), to_json(&keys)],
    );
    for event in events {
        batch.require(Guard::Unchanged, &TAKE, event.values());
    }
}
