//! Hands messages over (消息投递). A message that cannot be delivered waits; one that came too late is dropped.

use fenqi_domain::calendar::add_days;
use fenqi_domain::id::MessageId;
use fenqi_store::tables::messages::{self, Envelope};
use fenqi_store::{Batch, Fault};
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::ports::OutgoingMessage;
use crate::texts::{self, Language};

/// Delivers every message whose time has come, up to the end of a day.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let end = app.instant_of(add_days(until, 1)?, 0);
    let until = app.clock.now().min(end);
    jobs::in_rounds(
        app,
        Pages::Messages { until, after: None },
        |round: Vec<Due<MessageId>>| async move {
            let found = match app.store.envelopes(&Due::keys(&round)).await {
                Ok(found) => found,
                Err(fault) => round.iter().map(|_| Err(fault.clone())).collect(),
            };
            // A person reads what happened in the order in which it did.
            let pieces = round.into_iter().zip(found).collect();
            jobs::side_by_side(pieces, |due, envelope: Result<_, Fault>| async move {
                deliver(app, &due, envelope?.ok_or(Denied::NotFound)?).await
            })
            .await
        },
    )
    .await
}

async fn deliver(app: &App, due: &Due<MessageId>, envelope: Envelope) -> Result<bool, Denied> {
    let now = app.clock.now();
    let stored = &envelope.message;
    if stored.state != "waiting" {
        return Ok(false);
    }
    let state = if now >= stored.expires_at {
        "expired"
    } else {
        let Some(to) = app.store.phone(due.shopper, &envelope)? else {
            return Ok(false);
        };
        let fields: serde_json::Value = stored.detail()?;
        let text = texts::message(&stored.template, &fields, Language::Zh);
        let outgoing = OutgoingMessage {
            number: due.subject.to_string(),
            channel: stored.channel.clone(),
            to,
            text,
        };
        // The same number again is the same message, so that an unanswered hand-over is simply repeated.
        match app.parties.messages.send(&outgoing).await {
            Ok(()) => "sent",
            Err(_) => return Ok(false),
        }
    };
    let owner = due.shopper.to_string();
    let mut batch = Batch::new(&owner);
    messages::message_changed(&mut batch, due.shopper, due.subject, state);
    app.store.commit(batch).await?;
    Ok(true)
}
