//! Captures goods (请款): what shipped is lent from that day on, and the hold becomes use. In full, in part, or as it ships.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::Ending;
use fenqi_domain::change;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Amount;
use fenqi_store::Batch;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, Amendment};
use crate::unit::{Decision, request};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Capture {
    /// Whose order.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// How much shipped; none means all that is held.
    pub amount: Option<Amount>,
    /// Whether nothing more will ship, so that the rest of the hold is released.
    pub is_final: bool,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// How much was captured now.
    pub amount: Amount,
    /// What is still held.
    pub held: Amount,
}

/// Captures.
pub async fn capture(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Capture,
) -> Result<Change<Captured>, Denied> {
    actor.require(Scope::Orders)?;
    let asked = request(&command.shopper.to_string(), actor, key, "capture", &command);
    app.once(&asked, || decide(app, actor, &command)).await
}

async fn decide(app: &App, actor: &Actor, command: &Capture) -> Result<Decision<Captured>, Denied> {
    let mut moment = app.moment();
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    actor.require_seller(&file.agreement.seller, Scope::Orders)?;
    let held = file.agreement.held();
    let amount = command.amount.unwrap_or(held);
    let captured = file.agreement.clone().capture(amount, moment.today, moment.now)?;
    let mut after = captured.agreement;
    if command.is_final
        && after.held().is_positive()
        && let change::Change::Made(released) = after.clone().cancel(Ending::Cancelled, moment.now)?
    {
        after = released.agreement;
    }
    let rest = after.held();
    let gone = held.minus(rest)?;
    let mut batch = Batch::new(&command.shopper.to_string());
    let change = Amendment {
        added: vec![(moment.today, Event::Disbursed { amount })],
        stage: Some(after.stage),
        held: Amount::ZERO.minus(gone)?,
        entries: servicing::book_of(&file.agreement)
            .commitment_released(gone, moment.today)
            .into_iter()
            .collect(),
        event: "agreement.captured",
        detail: Captured { amount, held: rest },
    };
    servicing::amend(&mut batch, &file, change, &mut moment)?;
    Ok(Decision {
        batch,
        reply: Captured { amount, held: rest },
    })
}
