//! The events of aggregates: without gaps, of known kinds, each in the feed once.

use std::collections::{BTreeMap, BTreeSet};

use fenqi_store::tables::agreements::StoredEvent;

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

/// I8: the feed has no gaps, and everything that counts as published is in it, once: an event knows its own place. One out
/// of nothing shows as a gap.
pub(super) async fn feed(app: &App, found: &mut Found) -> Result<(), Denied> {
    let (mut last, mut after) = (0i64, 0i64);
    loop {
        let page = app.store.feed_after(FEED, after, PAGE).await?;
        let Some(end) = page.last() else { break };
        after = end.position;
        for event in page {
            last = last.saturating_add(1);
            if event.position != last {
                found.note("I8", "feed", &format!("position {last}"), &event.position);
                last = event.position;
            }
            if event.published != event.position {
                let subject = format!("event {} of {}", event.sequence, event.aggregate);
                found.note(
                    "I8",
                    &subject,
                    &format!("place {}", event.published),
                    &event.position,
                );
            }
        }
    }
    for (aggregate, sequence) in app.store.missed_events(FEED, PAGE).await? {
        let subject = format!("event {sequence} of {aggregate}");
        found.note("I8", &subject, &"a place in the feed", &"none");
    }
    Ok(())
}
