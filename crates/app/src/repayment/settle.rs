//! Settles an agreement early (提前结清): a quote of the day, and the payment that carries it out.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::loan::{Intent, Payoff};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{Kind, Payment, State};
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_domain::settlement;
use serde::Serialize;

use crate::App;
use crate::outcome::{Change, Denied, Key};
use crate::repayment::pay;
use crate::repayment::payments::{self, Begun, PaymentView};
use crate::unit::{Decision, request};

/// What settling an agreement today would cost, and what it would save.
pub async fn quote(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    agreement: AgreementId,
) -> Result<Payoff, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let file = app.agreement(actor, shopper, agreement).await?;
    if !payments::runs(&file.agreement.stage) {
        return Err(Refusal::NothingDue.into());
    }
    Ok(settlement::payoff(
        &file.agreement.terms,
        &file.transactions,
        app.moment().today,
    )?)
}

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Settle {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// The figure that the shopper was shown; another figure is refused and shown.
    pub amount: Amount,
    /// From which card.
    pub card: CardId,
}

/// Settles.
pub async fn settle(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Settle,
) -> Result<Change<PaymentView>, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    let asked = request(&command.shopper.to_string(), actor, key, "settle", &command);
    pay::once(app, &asked, command.shopper, || decide(app, &command)).await
}

async fn decide(app: &App, command: &Settle) -> Result<Decision<Begun>, Denied> {
    let mut moment = app.moment();
    app.configuration()
        .await?
        .open_for(Capability::Repay, "platform", moment.now)?;
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    if !payments::runs(&file.agreement.stage) {
        return Err(Refusal::NothingDue.into());
    }
    let payoff = settlement::payoff(&file.agreement.terms, &file.transactions, moment.today)?;
    if payoff.total.is_zero() {
        return Err(Refusal::NothingDue.into());
    }
    if payoff.total != command.amount {
        return Err(Refusal::SettlementChanged { amount: payoff.total }.into());
    }
    pay::not_under_way(app, command.shopper, &[command.agreement]).await?;
    let card = pay::bound_card(app, command.shopper, command.card).await?;
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper: command.shopper,
        kind: Kind::ByHand,
        amount: payoff.total,
        currency: file.agreement.terms.currency,
        card: card.id,
        intent: Intent::Settle,
        shares: vec![Share {
            agreement: command.agreement,
            amount: payoff.total,
        }],
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    Ok(pay::intended(payment, card.token, vec![file], &moment))
}
