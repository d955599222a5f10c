//! The events of an aggregate: without gaps, and each that tells of a loan's transactions beside those transactions.

use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::loan::{Event, Transaction};
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

/// I8: events and transactions tell the same story, in the same order, with the same amounts.
pub(super) fn of_transactions(
    subject: &str,
    events: &[StoredEvent],
    transactions: &[Transaction],
    found: &mut Found,
) {
    let mut told = transactions.iter().peekable();
    for event in events {
        // A refund that ends a return lets go on what the return had paused; one without a return does not.
        if event.kind == "agreement.refunded" && told.peek().is_some_and(|t| t.event == Event::Resumed) {
            told.next();
        }
        for expected in transactions_of(event) {
            match told.next() {
                Some(t) if fits(&t.event, &expected) => {}
                other => {
                    let stored = other.map_or("none".to_owned(), |t| {
                        format!("number {}: {:?}", t.number, t.event)
                    });
                    let place = format!("{subject} event {}", event.sequence);
                    found.note(
                        "I8",
                        &place,
                        &format!("a transaction `{}` of {:?}", expected.kind, expected.amount),
                        &stored,
                    );
                    return;
                }
            }
        }
    }
    let rest = told.count();
    found.compare("I8", &format!("{subject} transactions without an event"), 0, rest);
}

/// I11: the first event is the confirmation, and the last that ends an agreement is its stage.
pub(super) fn of_stage(agreement: &Agreement, events: &[StoredEvent], found: &mut Found) {
    let subject = format!("{} events", agreement.id);
    let first = events.first().map_or("none", |event| event.kind.as_str());
    found.compare("I11", &subject, "agreement.confirmed", first);
    let ended = events
        .iter()
        .any(|e| e.kind == "agreement.cancelled" || e.kind == "agreement.expired");
    if matches!(agreement.stage, Stage::Cancelled { .. }) && !ended {
        found.note("I11", &subject, &"an event that ends it", &"none");
    }
}

/// What an event says was entered into the loan.
struct Expected {
    kind: &'static str,
    amount: Option<i64>,
}

/// The transactions that an event stands for, in their order.
fn transactions_of(event: &StoredEvent) -> Vec<Expected> {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let amount = detail.get("amount").and_then(serde_json::Value::as_i64);
    let one = |kind, amount| vec![Expected { kind, amount }];
    match event.kind.as_str() {
        "agreement.captured" => one("disbursed", amount),
        "agreement.repaid" | "agreement.payment_entered" => one("repaid", amount),
        "agreement.paid_out" => one("paid_out", amount),
        "agreement.repayment_reversed" | "agreement.taken_back" => one("reversed", None),
        "agreement.return_requested" => one("paused", None),
        "agreement.return_rejected" | "agreement.return_withdrawn" => one("resumed", None),
        "agreement.refunded" => one("refunded", amount),
        "agreement.waived" => one("waived", amount),
        "agreement.excused" => one("excused", None),
        "agreement.arranged" => {
            let figure = |name| detail.get(name).and_then(serde_json::Value::as_i64).unwrap_or(0);
            let deferred = (figure("defer_days") > 0).then_some(Expected {
                kind: "deferred",
                amount: None,
            });
            let waived = (figure("waived") > 0).then(|| Expected {
                kind: "waived",
                amount: Some(figure("waived")),
            });
            deferred.into_iter().chain(waived).collect()
        }
        _ => Vec::new(),
    }
}

fn fits(event: &Event, expected: &Expected) -> bool {
    let kind = match event {
        Event::Disbursed { .. } => "disbursed",
        Event::Repaid { .. } => "repaid",
        Event::Refunded { .. } => "refunded",
        Event::Reversed { .. } => "reversed",
        Event::Waived { .. } => "waived",
        Event::Paused => "paused",
        Event::Resumed => "resumed",
        Event::Excused { .. } => "excused",
        Event::Deferred { .. } => "deferred",
        Event::PaidOut { .. } => "paid_out",
        Event::Amended { .. } => "amended",
    };
    let amount = event.amount().map(|a| a.minor());
    kind == expected.kind && (expected.amount.is_none() || amount == expected.amount)
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
