//! Pays credit balances back to where they came from (溢缴款原路退回), never to another card.

use std::collections::{BTreeMap, BTreeSet};

use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, CardId, PaymentId};
use fenqi_domain::loan::Intent;
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{self, Kind, Payment, Source, State};
use fenqi_store::Batch;
use fenqi_store::tables::servicing::PayOutCase;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::payments::{self, Begun, Kept};
use crate::servicing::{self, kinds};
use crate::unit::Decision;

/// Pays back every credit balance; what meets nothing that is due is the payer's.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::in_rounds(
        app,
        Pages::of(kinds::PAY_OUT, until),
        |round: Vec<Due<AgreementId>>| async move { pay_back(app, round).await },
    )
    .await
}

/// A credit balance that is being paid back.
struct Turn {
    due: Due<AgreementId>,
    /// The cards that were tried.
    tried: Vec<CardId>,
    /// What it came to, once nothing is left to be tried.
    outcome: Option<Result<bool, Denied>>,
}

/// Pays the balances of a round back, one card after the other. A card that cannot take its part holds back no other, and
/// is tried again at the next run. Of one shopper only one payment begins at a time, so that each sees what went before.
async fn pay_back(app: &App, round: Vec<Due<AgreementId>>) -> Vec<Result<bool, Denied>> {
    let turn = |due| Turn {
        due,
        tried: Vec::new(),
        outcome: None,
    };
    let mut turns: Vec<Turn> = round.into_iter().map(turn).collect();
    loop {
        let mut shoppers = BTreeSet::new();
        let open = turns.iter_mut().filter(|turn| turn.outcome.is_none());
        let mut heads: Vec<&mut Turn> = open.filter(|turn| shoppers.insert(turn.due.shopper)).collect();
        if heads.is_empty() {
            break;
        }
        let asked: Vec<(Due<AgreementId>, Vec<CardId>)> =
            heads.iter().map(|turn| (turn.due, turn.tried.clone())).collect();
        let read = |asked: Vec<(Due<AgreementId>, Vec<CardId>)>| async move {
            let keys: Vec<_> = asked.iter().map(|(due, _)| (due.shopper, due.subject)).collect();
            app.store.pay_out_cases(&keys).await
        };
        let begun = app
            .steps(&asked, read, |(_, tried), case| decide(app, case, tried))
            .await;
        let cards = begun.iter().map(|begun| Some(begun.as_ref().ok()?.as_ref()?.0));
        for (turn, card) in heads.iter_mut().zip(cards) {
            turn.tried.extend(card);
        }
        let pieces = asked.into_iter().map(|(due, _)| due).zip(begun).collect();
        let carried = jobs::side_by_side(pieces, |_, begun| carried_out(app, begun)).await;
        for (turn, carried) in heads.into_iter().zip(carried) {
            turn.outcome = match carried {
                Ok(true) => None,
                Ok(false) => Some(Ok(!turn.tried.is_empty())),
                Err(denied) => Some(Err(denied)),
            };
        }
    }
    let outcomes = turns.into_iter().map(|turn| turn.outcome);
    outcomes.map(|outcome| outcome.unwrap_or(Ok(false))).collect()
}

/// Says whether anything was paid out.
async fn carried_out(app: &App, begun: Result<Option<(CardId, Begun)>, Denied>) -> Result<bool, Denied> {
    match begun? {
        Some((_, begun)) => payments::carry_out(app, begun).await.map(|_| true),
        None => Ok(false),
    }
}

fn decide(
    app: &App,
    case: PayOutCase,
    tried: &[CardId],
) -> Result<Decision<Option<(CardId, Begun)>>, Denied> {
    let mut moment = app.moment();
    let (shopper, id) = (case.file.agreement.shopper, case.file.agreement.id);
    let mut batch = Batch::new(&shopper.to_string());
    let loan = servicing::fold(&case.file, moment.today)?;
    if !loan.credit_balance.is_positive() {
        work::done(&mut batch, &shopper.to_string(), kinds::PAY_OUT, &id.to_string());
        return Ok(Decision { batch, reply: None });
    }
    let is_claimed = case.claims.iter().any(|(claimed, _)| *claimed == id);
    let (sources, tokens) = sources(&case, loan.credit_balance)?;
    let next = sources.iter().find(|source| !tried.contains(&source.card));
    let (Some(source), false) = (next, is_claimed) else {
        return Ok(Decision { batch, reply: None });
    };
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper,
        kind: Kind::PayOut,
        amount: source.amount,
        currency: case.file.agreement.terms.currency,
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
        reply: Some((source.card, Begun::new(kept, vec![case.file]))),
    })
}

/// The cards that the balance goes back to, and the token of each card that ever paid.
fn sources(case: &PayOutCase, balance: Amount) -> Result<(Vec<Source>, BTreeMap<CardId, String>), Denied> {
    let (mut known, mut tokens) = (Vec::new(), BTreeMap::new());
    for stored in &case.payments {
        let kept: Kept = stored.detail()?;
        tokens.insert(kept.payment.card, kept.token);
        known.push(kept.payment);
    }
    let id = case.file.agreement.id;
    Ok((payment::sources(&known, id, balance)?, tokens))
}
