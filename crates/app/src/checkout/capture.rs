//! Captures goods (请款): what shipped is lent from that day on, and the hold becomes use. In full, in part, or as it ships.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Funding, Stage};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::work;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, Amendment, kinds};
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
    if command.amount.is_some_and(|amount| !amount.is_positive()) {
        return Err(Denied::invalid("amount", "must be more than zero"));
    }
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
    let held = still_held(&file, moment.now)?;
    let amount = command.amount.unwrap_or(held);
    if amount > held || held.is_zero() {
        return Err(Refusal::CaptureTooLarge { left: held }.into());
    }
    let rest = if command.is_final {
        Amount::ZERO
    } else {
        held.minus(amount)?
    };
    let gone = held.minus(rest)?;
    let mut batch = Batch::new(&command.shopper.to_string());
    let book = servicing::book_of(&file.agreement);
    let change = Amendment {
        added: vec![(moment.today, Event::Disbursed { amount })],
        stage: Some(Stage::Active {
            held: rest,
            funding: Funding::Waiting,
        }),
        held: Amount::ZERO.minus(gone)?,
        entries: book.commitment_released(gone, moment.today).into_iter().collect(),
        event: "agreement.captured",
        detail: Captured { amount, held: rest },
    };
    servicing::amend(&mut batch, &file, change, &mut moment)?;
    if rest.is_zero() {
        work::done(
            &mut batch,
            &command.shopper.to_string(),
            kinds::EXPIRE,
            &command.agreement.to_string(),
        );
    }
    Ok(Decision {
        batch,
        reply: Captured { amount, held: rest },
    })
}

/// What is held and not yet run out.
fn still_held(file: &AgreementFile, now: jiff::Timestamp) -> Result<Amount, Denied> {
    match &file.agreement.stage {
        Stage::Confirmed { expires_at, .. } if now >= *expires_at => {
            Err(Refusal::HoldExpired { at: *expires_at }.into())
        }
        Stage::Confirmed { held, .. } | Stage::Active { held, .. } => Ok(*held),
        other => {
            let stage = agreements::stage_code(other);
            Err(Refusal::WrongStage {
                stage: stage.into(),
                needed: "confirmed".into(),
            }
            .into())
        }
    }
}
