//! Pays credit balances back to where they came from (溢缴款原路退回), never to another card.

use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::loan::Intent;
use fenqi_domain::payment::{Kind, Payment, State};
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
        let (shopper, id) = (jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?);
        match app.step(|| decide(app, shopper, id)).await? {
            Some(begun) => payments::carry_out(app, begun).await.map(|_| true),
            None => Ok(false),
        }
    })
    .await
}

async fn decide(app: &App, shopper: ShopperId, id: AgreementId) -> Result<Decision<Option<Begun>>, Denied> {
    let mut moment = app.moment();
    let mut batch = Batch::new(&shopper.to_string());
    let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
    let loan = servicing::fold(&file, moment.today)?;
    if !loan.credit_balance.is_positive() {
        work::done(&mut batch, &shopper.to_string(), kinds::PAY_OUT, &id.to_string());
        return Ok(Decision { batch, reply: None });
    }
    let is_claimed = app
        .store
        .claims(shopper)
        .await?
        .iter()
        .any(|(claimed, _)| *claimed == id);
    let (Some((card, token)), false) = (source(app, shopper, id).await?, is_claimed) else {
        return Ok(Decision { batch, reply: None });
    };
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper,
        kind: Kind::PayOut,
        amount: loan.credit_balance,
        currency: file.agreement.terms.currency,
        card,
        intent: Intent::Keep,
        shares: vec![Share {
            agreement: id,
            amount: loan.credit_balance,
        }],
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    let kept = Kept {
        payment,
        token,
        transactions: Vec::new(),
    };
    payments::intend(&mut batch, &kept, &moment);
    Ok(Decision {
        batch,
        reply: Some(Begun::new(kept, vec![file])),
    })
}

/// The card and token of the last payment that came in for the agreement.
async fn source(app: &App, shopper: ShopperId, id: AgreementId) -> Result<Option<(CardId, String)>, Denied> {
    let mut last = None;
    for stored in app.store.payments(shopper).await? {
        let kept: Kept = stored.detail()?;
        let for_it = kept.payment.shares.iter().any(|share| share.agreement == id);
        if for_it && kept.payment.kind != Kind::PayOut && matches!(kept.payment.state, State::Succeeded) {
            last = Some((kept.payment.card, kept.token));
        }
    }
    Ok(last)
}
