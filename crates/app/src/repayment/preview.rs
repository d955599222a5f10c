//! Shows what a payment would do before anybody confirms it (还款试算): how it is spread, and what is left.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allocation::{self, Share};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::{Event, Parts, preview as loan_preview};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use serde::Serialize;

use crate::App;
use crate::mistake::Mistake;
use crate::outcome::Denied;
use crate::repayment::pay;

/// What a payment would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentPreview {
    /// How it would be spread over agreements.
    pub shares: Vec<Share>,
    /// What of it would pay which component, over all of them.
    pub pays: Parts,
    /// What would no longer have to be paid because of it.
    pub saves: Parts,
    /// What would still be owed afterwards, over all of them.
    pub left: Amount,
}

// R34: how a payment would be spread, before it is made
/// Previews a payment of an amount for chosen agreements, or for what is due.
pub async fn preview(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    agreements: &[AgreementId],
    amount: Amount,
) -> Result<PaymentPreview, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    Denied::of("/amount", Mistake::of_nothing(amount))?;
    pay::each_once(agreements)?;
    let today = app.moment().today;
    let files = app.store.agreements(shopper).await?;
    let billed = pay::billed(app, shopper, &files, today).await?;
    let debts = pay::debts(&files, &billed, today)?;
    let (shares, over) = allocation::across(&debts, agreements, amount)?;
    if shares.is_empty() {
        return Err(Refusal::NothingDue.into());
    }
    if over.is_positive() {
        return Err(Refusal::PaymentTooLarge {
            maximum: amount.minus(over)?,
        }
        .into());
    }
    let (mut pays, mut saves, mut left) = (Parts::default(), Parts::default(), Amount::ZERO);
    for share in &shares {
        let Some(file) = files.iter().find(|file| file.agreement.id == share.agreement) else {
            continue;
        };
        let event = Event::Repaid {
            amount: share.amount,
            intent: pay::intent(&shares, &debts, &billed),
        };
        let shown = loan_preview(&file.agreement.terms, &file.transactions, event, today)?;
        pays = pays.plus(&shown.paid)?;
        saves = saves.plus(&shown.cancelled)?;
        left = left.plus(shown.after.outstanding()?.total()?)?;
    }
    Ok(PaymentPreview {
        shares,
        pays,
        saves,
        left,
    })
}
