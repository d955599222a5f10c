//! The events of aggregates: without gaps, of known kinds, each in the feed once.

use std::collections::{BTreeMap, BTreeSet};

use fenqi_store::tables::agreements::StoredEvent;
use fenqi_store::tables::feed::{EventKey, Waiting};
use fenqi_store::vault;

use crate::App;
use crate::jobs::publish::FEED;
use crate::outcome::Denied;
use crate::verify::{Found, PAGE};

/// I8: the sequence runs from one to the version, without a gap.
pub(super) fn gap_free(subject: &str, events: &[StoredEvent], version: i64, found: &mut Found) {
    let expected: Vec<i64> = (1..=version).collect();
    let stored: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    if expected != stored {
        let missing = expected.iter().find(|number| !stored.contains(number));
        let what = match missing {
            Some(number) => format!("{} events, without number {number}", stored.len()),
            None => format!("{} events", stored.len()),
        };
        found.note("I8", subject, &format!("{version} events in sequence"), &what);
    }
}

/// I8, I11: the events of what is neither an agreement nor a payment: cards, applications, standing and identity. Each
/// kind is of a closed list, and the last event tells how the row stands.
pub(super) fn of_rows(rows: &[Row], events: &BTreeMap<String, Vec<StoredEvent>>, found: &mut Found) {
    for row in rows {
        let own = events.get(&row.aggregate).map_or(&[][..], Vec::as_slice);
        gap_free(&row.aggregate, own, row.version, found);
        for event in own {
            if !row.kinds.contains(&event.kind.as_str()) {
                let place = format!("{} event {}", row.aggregate, event.sequence);
                found.note("I8", &place, &row.kinds.join(" or "), &event.kind);
            }
        }
        let Some(last) = own.last() else { continue };
        let place = format!("{} event {}", row.aggregate, last.sequence);
        if let Some(kind) = &row.last_kind {
            found.compare("I11", &place, kind.as_str(), last.kind.as_str());
        }
        if let Some(expected) = &row.last_detail {
            let told = serde_json::from_str::<serde_json::Value>(&last.detail).unwrap_or_default();
            found.compare("I8", &place, expected.to_string(), told.to_string());
        }
    }
}

/// A row with events of its own.
pub(super) struct Row {
    /// What its events are about.
    pub aggregate: String,
    /// How many events it has.
    pub version: i64,
    /// The kinds that they may be of.
    pub kinds: &'static [&'static str],
    /// The kind of the last.
    pub last_kind: Option<String>,
    /// What the last one tells.
    pub last_detail: Option<serde_json::Value>,
}

/// I8: no event is about something that is not there.
pub(super) fn of_nothing(
    known: &BTreeSet<String>,
    events: &BTreeMap<String, Vec<StoredEvent>>,
    found: &mut Found,
) {
    for aggregate in events.keys().filter(|aggregate| !known.contains(*aggregate)) {
        found.note(
            "I8",
            &format!("events of {aggregate}"),
            &"what they are about",
            &"none",
        );
    }
}

/// How many events there are and the sum of their marks, which says without keeping them all whether two gatherings of
/// events are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    count: u64,
    marks: u128,
}

impl Tally {
    /// Counts an event.
    pub fn add(&mut self, key: &EventKey) {
        let EventKey(shopper, aggregate, sequence) = key;
        let hash = vault::hash(format!("{shopper} {aggregate} {sequence}").as_bytes());
        let mark = hash
            .iter()
            .take(16)
            .fold(0u128, |mark, byte| mark << 8 | u128::from(*byte));
        self.count = self.count.saturating_add(1);
        self.marks = self.marks.wrapping_add(mark);
    }
}

/// I8: the feed has no gaps, and every event is in it once, or waits to be published, and nothing else is.
pub(super) async fn feed(app: &App, events: Tally, found: &mut Found) -> Result<(), Denied> {
    let mut known = Tally::default();
    let mut last = 0i64;
    loop {
        let page = app.store.feed_keys_after(FEED, last).await?;
        let Some((end, _)) = page.last() else { break };
        let end = *end;
        for (position, key) in &page {
            last = last.saturating_add(1);
            if *position != last {
                found.note("I8", "feed", &format!("position {last}"), position);
                last = *position;
            }
            known.add(key);
        }
        last = end;
    }
    let mut after = Waiting::FIRST;
    loop {
        let page = app.store.unpublished(&after, PAGE).await?;
        page.iter().for_each(|event| known.add(&event.key));
        let Some(end) = page.into_iter().last() else { break };
        after = end;
    }
    if known != events {
        name_events(app, found).await?;
    }
    Ok(())
}

/// Names the events that are not in the feed once; only a store that was spoilt comes here.
async fn name_events(app: &App, found: &mut Found) -> Result<(), Denied> {
    let mut known = BTreeSet::new();
    let mut last = 0i64;
    loop {
        let page = app.store.feed_keys_after(FEED, last).await?;
        let Some((end, _)) = page.last() else { break };
        last = *end;
        for (position, key) in page {
            if known.contains(&key) {
                found.note("I8", &key.to_string(), &"one place in the feed", &position);
            }
            known.insert(key);
        }
    }
    let mut after = Waiting::FIRST;
    loop {
        let page = app.store.unpublished(&after, PAGE).await?;
        let Some(end) = page.last() else { break };
        after = end.clone();
        for Waiting { key, .. } in page {
            if known.contains(&key) {
                found.note(
                    "I8",
                    &key.to_string(),
                    &"published once",
                    &"to be published again",
                );
            }
            known.insert(key);
        }
    }
    let mut after = String::new();
    loop {
        let owners = app.store.owners_after(&after, PAGE).await?;
        let Some(end) = owners.last() else { break };
        after.clone_from(end);
        for owner in owners {
            let Ok(shopper) = owner.parse() else { continue };
            for (aggregate, event) in app.store.events_of(shopper).await? {
                let key = EventKey(owner.clone(), aggregate, event.sequence);
                if !known.remove(&key) {
                    found.note("I8", &key.to_string(), &"a place in the feed", &"none");
                }
            }
        }
    }
    for key in known {
        found.note("I8", &key.to_string(), &"an event", &"none");
    }
    Ok(())
}
