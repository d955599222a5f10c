//! Hands messages over (消息投递). A message that cannot be delivered waits; one that came too late is dropped.

use fenqi_domain::id::{MessageId, ShopperId};
use fenqi_store::Batch;
use fenqi_store::tables::{messages, work};
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::ports::OutgoingMessage;
use crate::servicing::kinds;
use crate::texts::{self, Language};

/// Delivers every message whose time has come.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::DELIVER, until, |piece| async move {
        deliver(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

async fn deliver(app: &App, shopper: ShopperId, id: MessageId) -> Result<bool, Denied> {
    let now = app.clock.now();
    let stored = app.store.message(shopper, id).await?.ok_or(Denied::NotFound)?;
    let state = if stored.state != "waiting" {
        stored.state.clone()
    } else if now < stored.send_after {
        return Ok(false);
    } else if now >= stored.expires_at {
        "expired".into()
    } else {
        let identity = app.store.identity(shopper).await?;
        let Some(to) = identity.and_then(|identity| identity.phone) else {
            return Ok(false);
        };
        let fields: serde_json::Value = stored.detail()?;
        let text = texts::message(&stored.template, &fields, Language::Zh);
        let outgoing = OutgoingMessage {
            number: id.to_string(),
            channel: stored.channel.clone(),
            to,
            text,
        };
        // The same number again is the same message, so that an unanswered hand-over is simply repeated.
        match app.parties.messages.send(&outgoing).await {
            Ok(()) => "sent".into(),
            Err(_) => return Ok(false),
        }
    };
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    messages::message_changed(&mut batch, shopper, id, &state);
    work::done(&mut batch, &owner, kinds::DELIVER, &id.to_string());
    app.store.commit(batch).await?;
    Ok(true)
}
