//! Gives or revokes a mandate for debits (代扣授权), from one bound card for one institution.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{CardId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::payments::{self, Mandate};
use serde::Serialize;

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::repayment::pay;
use crate::unit::{Decision, request};
use crate::{App, servicing};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeMandate {
    /// Whose.
    pub shopper: ShopperId,
    /// For which institution.
    pub institution: String,
    /// From which card; none revokes.
    pub card: Option<CardId>,
    /// At most so much at once.
    pub maximum: Amount,
}

// R47: the mandate for debits of one institution
/// Gives a mandate, moves it to another card, or revokes it. What is owed stays owed.
pub async fn mandate(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: ChangeMandate,
) -> Result<Change<()>, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    if command.card.is_some() {
        Denied::of("/maximum", Mistake::of_positive(command.maximum))?;
    }
    let asked = request(&command.shopper.to_string(), actor, key, "mandate", &command);
    app.once(&asked, || async {
        let moment = app.moment();
        let known = app.store.mandates(command.shopper).await?;
        let before = known.into_iter().find(|m| m.institution == command.institution);
        let mandate = match (command.card, before) {
            (Some(card), _) => Mandate {
                institution: command.institution.clone(),
                card: pay::bound_card(app, command.shopper, card).await?.id,
                state: "given".into(),
                maximum: command.maximum,
                given_at: moment.now,
            },
            (None, Some(given)) => Mandate {
                state: "revoked".into(),
                given_at: moment.now,
                ..given
            },
            (None, None) => return Err(Refusal::MandateRequired.into()),
        };
        let mut batch = Batch::new(&command.shopper.to_string());
        payments::mandated(&mut batch, command.shopper, &mandate);
        if command.card.is_some() {
            let files = app.store.agreements(command.shopper).await?;
            servicing::debit_again(&mut batch, &files, &command.institution, moment.today);
        }
        Ok(Decision { batch, reply: () })
    })
    .await
}
