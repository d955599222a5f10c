//! Rows with events of their own beside agreements and payments: cards, applications, standing and identity.

use fenqi_domain::application::State;
use fenqi_domain::id::ShopperId;
use serde_json::Value;

use crate::App;
use crate::checkout::apply::Kept;
use crate::outcome::Denied;
use crate::servicing::kinds;
use crate::verify::Found;
use crate::verify::events::Row;
use crate::verify::work::Plans;

/// What an application's events tell: its state.
const APPLICATION: &[&str] = &[
    "application.asked",
    "application.referred",
    "application.unknown",
    "application.approved",
    "application.declined",
    "application.expired",
    "application.withdrawn",
];

/// What changes a standing.
const STANDING: &[&str] = &[
    "shopper.frozen",
    "shopper.unfrozen",
    "shopper.dispute_opened",
    "shopper.dispute_settled",
];

/// The rows of one shopper, and the work about them.
pub(super) async fn of(
    app: &App,
    shopper: ShopperId,
    plans: &Plans,
    found: &mut Found,
) -> Result<Vec<Row>, Denied> {
    let mut rows = Vec::new();
    for card in app.store.cards(shopper).await? {
        rows.push(Row {
            aggregate: card.id.to_string(),
            version: card.version,
            kinds: &["card.bound", "card.unbound"],
            last_kind: Some(format!("card.{}", card.state)),
            last_detail: None,
        });
    }
    for stored in app.store.applications(shopper).await? {
        let state = stored.detail::<Kept>()?.application.state;
        let aggregate = stored.id.to_string();
        found.compare(
            "column",
            &format!("{aggregate} state"),
            state.code(),
            &stored.state,
        );
        if matches!(
            state,
            State::Asked | State::Referred { .. } | State::Unknown { .. }
        ) {
            plans.expect(kinds::ASSESS, &aggregate, None, found);
        }
        rows.push(Row {
            aggregate,
            version: stored.version,
            kinds: APPLICATION,
            last_kind: Some(format!("application.{}", state.code())),
            last_detail: serde_json::to_value(&state).ok(),
        });
    }
    match app.store.shopper(shopper).await? {
        // The row is opened without an event.
        Some(stored) => rows.push(Row {
            aggregate: format!("standing_{shopper}"),
            version: stored.version.saturating_sub(1),
            kinds: STANDING,
            last_kind: None,
            last_detail: None,
        }),
        None => found.note("unreadable", &shopper.to_string(), &"an account", &"none"),
    }
    if let Some(stored) = app.store.identity(shopper).await? {
        rows.push(Row {
            aggregate: format!("identity_{shopper}"),
            version: stored.version.saturating_sub(1),
            kinds: &["identity.changed"],
            last_kind: None,
            last_detail: Some(stored.evidence::<Value>()?),
        });
    }
    Ok(rows)
}
