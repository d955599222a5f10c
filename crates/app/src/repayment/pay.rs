//! Pays by hand (主动还款): one order or several, in part, ahead of time, from any bound card, or for somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allocation::{self, Debt, Share};
use fenqi_domain::bill::Bill;
use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::loan::Intent;
use fenqi_domain::money::{Amount, Currency};
use fenqi_domain::payment::{Kind, Payment, State};
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_domain::settlement;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::bills::StoredBill;
use fenqi_store::tables::payments::Card;
use fenqi_store::tables::servicing::PaymentCase;
use jiff::civil::Date;
use serde::Serialize;

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::repayment::payments::{self, Begun, Kept, PaymentView};
use crate::servicing;
use crate::unit::{Asked, Decision, request};
use crate::{App, Moment};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Pay {
    /// Whose debts.
    pub shopper: ShopperId,
    /// Who pays; somebody else may, for agreements that they name.
    pub payer: ShopperId,
    /// The agreements to pay, in this order (民法典 560); none means what is due, the earliest first.
    pub agreements: Vec<AgreementId>,
    /// How much.
    pub amount: Amount,
    /// From which of the payer's cards.
    pub card: CardId,
}

// R53: from any card, and for another person
/// Pays. The reply says how the payment stands; while it is unknown, asking is the only way on.
pub async fn pay(app: &App, actor: &Actor, key: &Key, command: Pay) -> Result<Change<PaymentView>, Denied> {
    actor.require_for(command.payer, Scope::Repay)?;
    Denied::of("/amount", Mistake::of_nothing(command.amount))?;
    if command.payer != command.shopper && command.agreements.is_empty() {
        return Err(Denied::invalid("/agreements", Mistake::Missing));
    }
    each_once(&command.agreements)?;
    let asked = request(&command.shopper.to_string(), actor, key, "pay", &command);
    once(app, &asked, command.shopper, || decide(app, &command)).await
}

/// Refuses a choice that names an agreement twice: it can be read in more than one way.
pub(crate) fn each_once(chosen: &[AgreementId]) -> Result<(), Denied> {
    let mut named = BTreeSet::new();
    let twice = chosen.iter().find(|id| !named.insert(**id));
    let mistake = twice.map(|id| Mistake::NamedTwice {
        given: id.to_string(),
    });
    Denied::of("/agreements", mistake)
}

/// Begins a payment once for its key, calls the channel, and answers with how the payment stands.
pub(crate) async fn once<F>(
    app: &App,
    asked: &Asked,
    shopper: ShopperId,
    attempt: impl Fn() -> F,
) -> Result<Change<PaymentView>, Denied>
where
    F: Future<Output = Result<Decision<Begun>, Denied>>,
{
    // What the last attempt rested on: if it is committed, nothing has to be read again.
    let last = Mutex::new(None);
    let change = app
        .once(asked, || async {
            let decision = attempt().await?;
            let reply = decision.reply.view();
            if let Ok(mut last) = last.lock() {
                *last = Some(decision.reply);
            }
            Ok(Decision {
                batch: decision.batch,
                reply,
            })
        })
        .await?;
    let begun = last.into_inner().ok().flatten();
    Ok(match (change, begun) {
        (Change::Made(_), Some(begun)) => {
            Change::Made(payments::view(&payments::carry_out(app, begun).await?))
        }
        (Change::Made(made), None) => {
            Change::Made(payments::view(&payments::pursue(app, shopper, made.id).await?))
        }
        (Change::AlreadyMade(made), _) => {
            Change::AlreadyMade(payments::view(&payments::pursue(app, shopper, made.id).await?))
        }
    })
}

async fn decide(app: &App, command: &Pay) -> Result<Decision<Begun>, Denied> {
    let mut moment = app.moment();
    app.configuration()
        .await?
        .open_for(Capability::Repay, "platform", moment.now)?;
    let case = app.store.payment_case(command.shopper, command.payer).await?;
    let PaymentCase {
        files,
        bills,
        claims,
        cards,
    } = case;
    let known = |id: &AgreementId| files.iter().any(|file| file.agreement.id == *id);
    if !command.agreements.iter().all(known) {
        return Err(Denied::NotFound);
    }
    let billed = billed_by(&bills, &files, moment.today)?;
    let debts = debts(&files, &billed, moment.today)?;
    let (shares, left) = allocation::across(&debts, &command.agreements, command.amount)?;
    if shares.is_empty() {
        return Err(Refusal::NothingDue.into());
    }
    if left.is_positive() {
        return Err(Refusal::PaymentTooLarge {
            maximum: command.amount.minus(left)?,
        }
        .into());
    }
    let chosen: Vec<AgreementId> = shares.iter().map(|share| share.agreement).collect();
    none_claimed(app, command.shopper, &claims, &chosen).await?;
    let currency = currency_of(&files, &chosen)?;
    let card = bound(cards, command.card)?;
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper: command.shopper,
        kind: Kind::ByHand,
        amount: command.amount,
        currency,
        card: card.id,
        intent: intent(&shares, &debts, &billed),
        shares,
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    Ok(intended(payment, card.token, files, &moment))
}

/// The decision that begins a payment.
pub(crate) fn intended(
    payment: Payment,
    token: String,
    files: Vec<AgreementFile>,
    moment: &Moment,
) -> Decision<Begun> {
    let mut batch = Batch::new(&payment.shopper.to_string());
    let kept = Kept {
        payment,
        token,
        transactions: Vec::new(),
    };
    payments::intend(&mut batch, &kept, moment);
    Decision {
        batch,
        reply: Begun::new(kept, files),
    }
}

/// What is open of instalments that are not due yet, but on a bill that was issued.
pub(crate) async fn billed(
    app: &App,
    shopper: ShopperId,
    files: &[AgreementFile],
    today: Date,
) -> Result<BTreeMap<AgreementId, Amount>, Denied> {
    billed_by(&app.store.bills(shopper).await?, files, today)
}

fn billed_by(
    bills: &[StoredBill],
    files: &[AgreementFile],
    today: Date,
) -> Result<BTreeMap<AgreementId, Amount>, Denied> {
    let mut billed = BTreeMap::new();
    for stored in bills {
        if stored.due_on <= today {
            continue;
        }
        for line in stored.detail::<Bill>()?.lines {
            let Some(file) = files.iter().find(|f| f.agreement.id == line.agreement) else {
                continue;
            };
            let loan = servicing::fold(file, today)?;
            let row = loan.rows.iter().find(|row| row.number == line.instalment);
            let open = row.map_or(Ok(Amount::ZERO), |row| row.open()?.total())?;
            if open.is_positive() {
                billed.insert(line.agreement, open);
            }
        }
    }
    Ok(billed)
}

/// What a payment is wanted for: an issued bill is met before anything is prepaid, and who pays just what is due does
/// not want to prepay at all.
pub(crate) fn intent(shares: &[Share], debts: &[Debt], billed: &BTreeMap<AgreementId, Amount>) -> Intent {
    let due = |share: &Share| {
        debts
            .iter()
            .find(|debt| debt.agreement == share.agreement)
            .map(|debt| debt.due)
    };
    if shares.iter().any(|share| billed.contains_key(&share.agreement)) {
        Intent::Bill
    } else if shares
        .iter()
        .all(|share| due(share).is_some_and(|due| share.amount <= due))
    {
        Intent::Keep
    } else {
        Intent::Due
    }
}

/// What each running loan owes today and on issued bills, and the most that it can take.
pub(crate) fn debts(
    files: &[AgreementFile],
    billed: &BTreeMap<AgreementId, Amount>,
    today: Date,
) -> Result<Vec<Debt>, Denied> {
    let mut debts = Vec::new();
    for file in files.iter().filter(|file| payments::runs(&file.agreement.stage)) {
        let loan = servicing::fold(file, today)?;
        let Some(next) = loan.next_due()? else { continue };
        let most = settlement::payoff(&file.agreement.terms, &file.transactions, today)?.total;
        let billed = billed.get(&file.agreement.id).copied().unwrap_or_default();
        let due = loan.payable()?.total()?.plus(billed)?;
        debts.push(Debt {
            agreement: file.agreement.id,
            due_on: next.due_on,
            due,
            most: most.max(due),
        });
    }
    Ok(debts)
}

/// Refused while a payment for one of these agreements is under way.
pub(crate) async fn not_under_way(
    app: &App,
    shopper: ShopperId,
    agreements: &[AgreementId],
) -> Result<(), Denied> {
    let claims = app.store.claims(shopper).await?;
    none_claimed(app, shopper, &claims, agreements).await
}

/// Refused while one of these claims is a payment under way for one of these agreements.
pub(crate) async fn none_claimed(
    app: &App,
    shopper: ShopperId,
    claims: &[(AgreementId, PaymentId)],
    agreements: &[AgreementId],
) -> Result<(), Denied> {
    for (agreement, payment) in claims {
        if agreements.contains(agreement)
            && let Some(stored) = app.store.payment(shopper, *payment).await?
        {
            stored.detail::<Kept>()?.payment.check_not_under_way()?;
        }
    }
    Ok(())
}

/// The card, if it is the payer's and bound.
pub(crate) async fn bound_card(app: &App, payer: ShopperId, id: CardId) -> Result<Card, Denied> {
    bound(app.store.cards(payer).await?, id)
}

fn bound(cards: Vec<Card>, id: CardId) -> Result<Card, Denied> {
    cards
        .into_iter()
        .find(|card| card.id == id && card.state == "bound")
        .ok_or(Denied::NotFound)
}

fn currency_of(files: &[AgreementFile], chosen: &[AgreementId]) -> Result<Currency, Denied> {
    let mut currencies = files
        .iter()
        .filter(|f| chosen.contains(&f.agreement.id))
        .map(|f| f.agreement.terms.currency);
    let first = currencies.next().ok_or(Denied::NotFound)?;
    if currencies.all(|other| other == first) {
        Ok(first)
    } else {
        Err(Denied::invalid("/agreements", Mistake::SeveralCurrencies))
    }
}
