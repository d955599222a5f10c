//! Pays credit balances back to where they came from (溢缴款原路退回), never to another card.

use std::collections::BTreeMap;

use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::loan::Intent;
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{self, Kind, Payment, Source, State};
use fenqi_store::Batch;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::payments::{self, Begun, Kept};
use crate::servicing::{self, kinds};
use crate::unit::Decision;

/// Pays back every credit balance; what meets nothing that is due is the payer's.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(kinds::PAY_OUT, until), |piece| async move {
        pay_back(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

/// Pays the balance of one agreement back, one card after the other. A card that cannot take its part holds back no other,
/// and is tried again at the next run.
async fn pay_back(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    let mut tried = Vec::new();
    while let Some((card, begun)) = app.step(|| decide(app, (shopper, id), &tried)).await? {
        payments::carry_out(app, begun).await?;
        tried.push(card);
    }
    Ok(!tried.is_empty())
}

async fn decide(
    app: &App,
    (shopper, id): (ShopperId, AgreementId),
    tried: &[CardId],
) -> Result<Decision<Option<(CardId, Begun)>>, Denied> {
    let mut moment = app.moment();
    let mut batch = Batch::new(&shopper.to_string());
    let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
    let loan = servicing::fold(&file, moment.today)?;
    if !loan.credit_balance.is_positive() {
        work::done(&mut batch, &shopper.to_string(), kinds::PAY_OUT, &id.to_string());
        return Ok(Decision { batch, reply: None });
    }
    let claims = app.store.claims(shopper).await?;
    let is_claimed = claims.iter().any(|(claimed, _)| *claimed == id);
    let (sources, tokens) = sources(app, shopper, id, loan.credit_balance).await?;
    let next = sources.iter().find(|source| !tried.contains(&source.card));
    let (Some(source), false) = (next, is_claimed) else {
        return Ok(Decision { batch, reply: None });
    };
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper,
        kind: Kind::PayOut,
        amount: source.amount,
        currency: file.agreement.terms.currency,
        card: source.card,
        intent: Intent::Keep,
        shares: vec![Share {
            agreement: id,
            amount: source.amount,
        }],
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    let kept = Kept {
        token: tokens.get(&source.card).cloned().ok_or(Denied::NotFound)?,
        payment,
        transactions: Vec::new(),
    };
    payments::intend(&mut batch, &kept, &moment);
    Ok(Decision {
        batch,
        reply: Some((source.card, Begun::new(kept, vec![file]))),
    })
}

/// The cards that the balance goes back to, and the token of each card that ever paid.
async fn sources(
    app: &App,
    shopper: ShopperId,
    id: AgreementId,
    balance: Amount,
) -> Result<(Vec<Source>, BTreeMap<CardId, String>), Denied> {
    let (mut known, mut tokens) = (Vec::new(), BTreeMap::new());
    for stored in app.store.payments(shopper).await? {
        let kept: Kept = stored.detail()?;
        tokens.insert(kept.payment.card, kept.token);
        known.push(kept.payment);
    }
    Ok((payment::sources(&known, id, balance)?, tokens))
}
