//! Debits what is due from the card that the shopper gave a mandate for (自动扣款). It reads again what is owed in the
//! very decision, so that nothing is taken that was paid meanwhile.

use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, PaymentId, ShopperId};
use fenqi_domain::loan::Intent;
use fenqi_domain::payment::{Kind, Payment, State, Tried};
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::payments::Card;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::outcome::{Change, Denied};
use crate::repayment::pay;
use crate::repayment::payments::{self, Kept, PaymentView};
use crate::servicing::{self, kinds};
use crate::unit::Decision;
use crate::{App, Moment};

/// Debits what an agreement owes today, if a mandate allows it and the rule says that today is a day to try.
/// Says whether it tried.
pub(crate) async fn debit(app: &App, shopper: ShopperId, agreement: AgreementId) -> Result<bool, Denied> {
    let reply = app.step(|| decide(app, shopper, agreement)).await?;
    match reply {
        Some(view) => pay::pursued(app, shopper, Change::Made(view)).await.map(|_| true),
        None => Ok(false),
    }
}

async fn decide(
    app: &App,
    shopper: ShopperId,
    id: AgreementId,
) -> Result<Decision<Option<PaymentView>>, Denied> {
    let mut moment = app.moment();
    let mut batch = Batch::new(&shopper.to_string());
    let Some(file) = app.store.agreement(shopper, id).await? else {
        return Err(Denied::NotFound);
    };
    let loan = servicing::fold(&file, moment.today)?;
    let due = loan.payable()?.total()?;
    let next = loan.next_due()?.map(|row| row.due_on);
    let (Some(due_on), true, false) = (
        next,
        payments::runs(&file.agreement.stage) && due.is_positive(),
        loan.is_paused,
    ) else {
        plan(&mut batch, shopper, id, next.filter(|day| *day > moment.today));
        return Ok(Decision { batch, reply: None });
    };
    if app
        .store
        .claims(shopper)
        .await?
        .iter()
        .any(|(claimed, _)| *claimed == id)
    {
        // The payment under way will end, and plan what is left.
        return Ok(Decision { batch, reply: None });
    }
    let Some(card) = mandated_card(app, shopper, &file).await? else {
        plan(&mut batch, shopper, id, None);
        return Ok(Decision { batch, reply: None });
    };
    let rule = app.configuration().await?.rules.debit.clone();
    let tried = tries(app, shopper, id, due_on, &card).await?;
    match rule.next(due_on, &tried, moment.today)? {
        Some(day) if day <= moment.today => {}
        later => {
            plan(&mut batch, shopper, id, later);
            return Ok(Decision { batch, reply: None });
        }
    }
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper,
        kind: Kind::Debit,
        amount: due,
        currency: file.agreement.terms.currency,
        card: card.id,
        intent: Intent::Keep,
        shares: vec![Share {
            agreement: id,
            amount: due,
        }],
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    let decision = intended(batch, payment, card.token, &moment);
    Ok(decision)
}

fn intended(
    mut batch: Batch,
    payment: Payment,
    token: String,
    moment: &Moment,
) -> Decision<Option<PaymentView>> {
    let reply = payments::view(&payment);
    payments::intend(
        &mut batch,
        &Kept {
            payment,
            token,
            transactions: Vec::new(),
        },
        moment,
    );
    Decision {
        batch,
        reply: Some(reply),
    }
}

/// Whether a debit of today is still to be tried: then nothing needs to be said to the shopper yet.
pub(crate) async fn is_awaited(
    app: &App,
    file: &AgreementFile,
    due_on: Date,
    today: Date,
) -> Result<bool, Denied> {
    let shopper = file.agreement.shopper;
    let Some(card) = mandated_card(app, shopper, file).await? else {
        return Ok(false);
    };
    let rule = app.configuration().await?.rules.debit.clone();
    let tried = tries(app, shopper, file.agreement.id, due_on, &card).await?;
    Ok(rule.next(due_on, &tried, today)? == Some(today))
}

/// The bound card that the agreement's institution has a mandate for.
async fn mandated_card(app: &App, shopper: ShopperId, file: &AgreementFile) -> Result<Option<Card>, Denied> {
    let mandates = app.store.mandates(shopper).await?;
    let given = |m: &&fenqi_store::tables::payments::Mandate| {
        m.institution == file.agreement.institution && m.state == "given"
    };
    let Some(mandate) = mandates.iter().find(given) else {
        return Ok(None);
    };
    let cards = app.store.cards(shopper).await?;
    Ok(cards
        .into_iter()
        .find(|card| card.id == mandate.card && card.state == "bound"))
}

/// The debits of this due date that failed.
async fn tries(
    app: &App,
    shopper: ShopperId,
    id: AgreementId,
    due_on: Date,
    card: &Card,
) -> Result<Vec<Tried>, Denied> {
    let mut tried = Vec::new();
    for stored in app.store.payments(shopper).await? {
        let payment = stored.detail::<Kept>()?.payment;
        let on = app.day_of(payment.made_at);
        let ours = payment.kind == Kind::Debit && payment.shares.iter().any(|share| share.agreement == id);
        if let (true, State::Failed { code }, true) = (ours, &payment.state, on >= due_on) {
            tried.push(Tried {
                on,
                code: *code,
                is_changed_since: payment.card != card.id,
            });
        }
    }
    Ok(tried)
}

fn plan(batch: &mut Batch, shopper: ShopperId, id: AgreementId, day: Option<Date>) {
    let (owner, subject) = (shopper.to_string(), id.to_string());
    match day {
        Some(day) => work::planned(batch, &owner, kinds::DEBIT, &subject, day),
        None => work::done(batch, &owner, kinds::DEBIT, &subject),
    }
}
