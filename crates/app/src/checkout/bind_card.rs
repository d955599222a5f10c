//! Binds a card for debits, or unbinds it (绑卡与解绑). What comes in is the channel's token; a card number is refused.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::Stage;
use fenqi_domain::id::{CardId, ShopperId};
use fenqi_domain::identity;
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::{Capability, Refusal, What};
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::payments::{self, Card, Mandate};
use fenqi_store::{Batch, Fault};
use serde::{Deserialize, Serialize};

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::ports::{CardAnswer, CardToBind};
use crate::unit::{Decision, request};
use crate::{App, servicing};

/// The largest single debit that a mandate allows unless it says less, in minor units.
pub const MANDATE_MAXIMUM: Amount = Amount::from_minor(5_000_000);

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct BindCard {
    /// Whose card.
    pub shopper: ShopperId,
    /// The channel's token of it.
    pub token: String,
    /// For which institutions' debits.
    pub institutions: Vec<String>,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardBound {
    /// Its identifier.
    pub id: CardId,
    /// The bank.
    pub bank: String,
    /// The last four digits.
    pub last4: String,
}

// R32: binding a card by its token
/// Binds a card and gives the mandates asked for.
pub async fn bind_card(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: BindCard,
) -> Result<Change<CardBound>, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    // A token is what the channel gave, never the number on the card (S15).
    identity::parse_token(&command.token).map_err(|e| Denied::invalid("/token", Mistake::personal(e)))?;
    let moment = app.moment();
    let configuration = app.configuration().await?;
    configuration.open_for(Capability::Bind, "platform", moment.now)?;
    let asked = request(&command.shopper.to_string(), actor, key, "bind_card", &command);
    app.once(&asked, || decide(app, &command)).await
}

async fn decide(app: &App, command: &BindCard) -> Result<Decision<CardBound>, Denied> {
    let known = app.store.cards(command.shopper).await?;
    if known
        .iter()
        .any(|card| card.token == command.token && card.state == "bound")
    {
        return Err(Refusal::exists(What::Card).into());
    }
    let identity = app
        .store
        .identity(command.shopper)
        .await?
        .ok_or(Denied::NotFound)?;
    let (Some(name), Some(id_number), Some(phone)) = (identity.name, identity.id_number, identity.phone)
    else {
        return Err(Refusal::IdentityRequired { step: "name".into() }.into());
    };
    let card = CardToBind {
        token: command.token.clone(),
        name,
        id_number,
        phone,
    };
    // Binding moves nothing, so that an unanswered call may simply be made again.
    let answer = app
        .parties
        .bank
        .bind(&card)
        .await
        .map_err(|e| Fault::Unavailable(e.detail))?;
    let (bank, last4) = match answer {
        CardAnswer::Bound { bank, last4 } => (bank, last4),
        CardAnswer::Rejected { reason } => return Err(Refusal::CardRejected { reason }.into()),
    };
    let files = app.store.agreements(command.shopper).await?;
    Ok(write(app, command, &files, (bank, last4)))
}

/// Writes the card and the mandates that were asked for.
fn write(
    app: &App,
    command: &BindCard,
    files: &[AgreementFile],
    (bank, last4): (String, String),
) -> Decision<CardBound> {
    let mut moment = app.moment();
    let owner = command.shopper.to_string();
    let mut batch = Batch::new(&owner);
    let card = Card {
        id: CardId::new(&mut moment.ids),
        token: command.token.clone(),
        bank: bank.clone(),
        last4: last4.clone(),
        state: "bound".into(),
        bound_at: moment.now,
        version: 1,
    };
    payments::bound(&mut batch, command.shopper, &card);
    for institution in &command.institutions {
        let mandate = Mandate {
            institution: institution.clone(),
            card: card.id,
            state: "given".into(),
            maximum: MANDATE_MAXIMUM,
            given_at: moment.now,
        };
        payments::mandated(&mut batch, command.shopper, &mandate);
        servicing::debit_again(&mut batch, files, institution, moment.today);
    }
    let reply = CardBound {
        id: card.id,
        bank,
        last4,
    };
    fenqi_store::tables::agreements::happened(
        &mut batch,
        &owner,
        &card.id.to_string(),
        1,
        "card.bound",
        &reply,
        moment.now,
    );
    Decision { batch, reply }
}

// R32: unbinding it
/// Unbinds a card; refused while agreements are debited from it and no other is bound.
pub async fn unbind_card(
    app: &App,
    actor: &Actor,
    key: &Key,
    shopper: ShopperId,
    card: CardId,
) -> Result<Change<()>, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let asked = request(&shopper.to_string(), actor, key, "unbind_card", &card);
    app.once(&asked, || async {
        let cards = app.store.cards(shopper).await?;
        let found = cards
            .iter()
            .find(|c| c.id == card && c.state == "bound")
            .ok_or(Denied::NotFound)?;
        let others = cards.iter().any(|c| c.id != card && c.state == "bound");
        let mandates = app.store.mandates(shopper).await?;
        let debited: Vec<&str> = mandates
            .iter()
            .filter(|m| m.card == card && m.state == "given")
            .map(|m| m.institution.as_str())
            .collect();
        let files = app.store.agreements(shopper).await?;
        let running = files
            .iter()
            .filter(|f| matches!(f.agreement.stage, Stage::Active { .. } | Stage::Confirmed { .. }))
            .filter(|f| debited.contains(&f.agreement.institution.as_str()))
            .count();
        if running > 0 && !others {
            return Err(Refusal::CardInUse {
                agreements: u32::try_from(running).unwrap_or(u32::MAX),
            }
            .into());
        }
        let moment = app.moment();
        let owner = shopper.to_string();
        let mut batch = Batch::new(&owner);
        payments::card_changed(&mut batch, shopper, found, "unbound");
        let sequence = found.version.saturating_add(1);
        let event = "card.unbound";
        fenqi_store::tables::agreements::happened(
            &mut batch,
            &owner,
            &card.to_string(),
            sequence,
            event,
            &(),
            moment.now,
        );
        Ok(Decision { batch, reply: () })
    })
    .await
}
