//! One payment attempt from its intent to its end, whoever began it: the shopper, the debit job or the payout job.
//!
//! The intent is committed with a claim on every agreement that it is for, then the channel is called under the
//! payment's own number. Whatever comes back, or does not, is joined to what is known and committed. While the outcome
//! is unknown the claims stay, so that nothing is taken twice.

use fenqi_domain::agreement::Stage;
use fenqi_domain::calendar::days_between;
use fenqi_domain::change::Change;
use fenqi_domain::id::{AgreementId, MessageId, PaymentId, ShopperId};
use fenqi_domain::loan::{Event, Intent};
use fenqi_domain::money::{Amount, Money};
use fenqi_domain::payment::{Answer, FailureCode, Kind, Payment, Receipt, State};
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::payments::{self as rows, NewPayment, StoredPayment};
use fenqi_store::{Batch, Fault};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::outcome::Denied;
use crate::ports::{TransferOrder, TransferState, Unreachable};
use crate::servicing::{self, Amendment};
use crate::unit::Decision;
use crate::{App, Moment, texts};

/// The name of the bank channel in rows.
pub const CHANNEL: &str = "bank";

/// A payment as kept: with the token it goes by, and the transactions that it became.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub payment: Payment,
    pub token: String,
    /// Which transactions it became, so that a bounce reverses exactly those.
    pub transactions: Vec<(AgreementId, u32)>,
}

/// A payment under way, with the agreements as its decision saw them or as they were read. While its claims stand they
/// seldom change, so that what the channel says is first entered on what is known, and read again only if a guard refuses it.
#[derive(Debug)]
pub(crate) struct Begun {
    kept: Kept,
    /// The version of the payment's row.
    version: i64,
    files: Vec<AgreementFile>,
}

impl Begun {
    pub fn new(kept: Kept, files: Vec<AgreementFile>) -> Begun {
        Begun {
            kept,
            version: 1,
            files,
        }
    }

    pub fn view(&self) -> PaymentView {
        view(&self.kept.payment)
    }

    /// The agreements that it is for.
    fn keys(&self) -> impl Iterator<Item = (ShopperId, AgreementId)> {
        let payment = &self.kept.payment;
        let shares = payment.shares.iter();
        shares.map(|share| (payment.shopper, share.agreement))
    }
}

/// What a payment's owner is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    /// Its identifier.
    pub id: PaymentId,
    /// Whether it is a debit, a payment by hand, or a pay-out.
    pub kind: Kind,
    /// How much.
    pub amount: Amount,
    /// How it stands.
    pub state: State,
    /// For what.
    pub shares: Vec<fenqi_domain::allocation::Share>,
}

pub(crate) fn view(payment: &Payment) -> PaymentView {
    PaymentView {
        id: payment.id,
        kind: payment.kind,
        amount: payment.amount,
        state: payment.state.clone(),
        shares: payment.shares.clone(),
    }
}

/// The word for what a payment is, in its row.
pub(crate) const fn kind_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Debit => "debit",
        Kind::ByHand => "payment",
        Kind::PayOut => "payout",
    }
}

/// Writes a new attempt: its row, and its claims, by which it is found until it has ended.
pub(crate) fn intend(batch: &mut Batch, kept: &Kept, moment: &Moment) {
    let payment = &kept.payment;
    let owner = payment.shopper.to_string();
    let new = NewPayment {
        id: payment.id,
        kind: kind_code(payment.kind),
        state: payment.state.code(),
        money: Money {
            amount: payment.amount,
            currency: payment.currency,
        },
        card: payment.card.to_string(),
        at: moment.now,
    };
    batch.urgent();
    rows::intended(batch, payment.shopper, &new, kept);
    rows::referenced(
        batch,
        rows::OURS,
        &payment.id.to_string(),
        payment.shopper,
        payment.id,
    );
    for share in &payment.shares {
        rows::claimed(batch, payment.shopper, share.agreement, payment.id);
    }
    let subject = payment.id.to_string();
    agreements::happened(
        batch,
        &owner,
        &subject,
        1,
        "payment.intended",
        &view(payment),
        moment.now,
    );
}

/// Calls the channel about an open attempt, or asks how it stands, and commits what it says. Safe to run at any time
/// and twice: the number is the same, and answers are joined.
pub(crate) async fn pursue(app: &App, shopper: ShopperId, id: PaymentId) -> Result<Payment, Denied> {
    let stored = app.store.payment(shopper, id).await?.ok_or(Denied::NotFound)?;
    let kept: Kept = stored.detail()?;
    if !kept.payment.state.is_open() {
        return Ok(kept.payment);
    }
    let mut last = kept.payment.clone();
    for answer in ask_channel(app, &kept).await {
        last = record(app, shopper, id, answer).await?;
    }
    Ok(last)
}

/// Reads payments with the agreements that they are for, many at once; none for one that has ended.
pub(crate) async fn open(app: &App, keys: &[(ShopperId, PaymentId)]) -> Vec<Result<Option<Begun>, Denied>> {
    let stored = match app.store.payments_with(keys).await {
        Ok(stored) => stored,
        Err(fault) => keys.iter().map(|_| Err(fault.clone())).collect(),
    };
    let begun = |stored: Result<Option<StoredPayment>, Fault>| {
        let stored = stored?.ok_or(Denied::NotFound)?;
        let kept: Kept = stored.detail()?;
        Ok(kept.payment.state.is_open().then(|| Begun {
            kept,
            version: stored.version,
            files: Vec::new(),
        }))
    };
    let mut all: Vec<Result<Option<Begun>, Denied>> = stored.into_iter().map(begun).collect();
    let open = || all.iter().filter_map(|begun| begun.as_ref().ok()?.as_ref());
    let shares: Vec<_> = open().flat_map(Begun::keys).collect();
    let mut files = match app.store.agreement_files(&shares).await {
        Ok(files) => files.into_iter(),
        Err(fault) => return keys.iter().map(|_| Err(fault.clone().into())).collect(),
    };
    for one in &mut all {
        let Ok(Some(begun)) = one else { continue };
        // All of its own are taken before the first fault is looked at: those behind it are another payment's.
        let own: Vec<_> = files.by_ref().take(begun.keys().count()).collect();
        match own.into_iter().collect::<Result<Vec<_>, Fault>>() {
            Ok(own) => begun.files = own.into_iter().flatten().collect(),
            Err(fault) => *one = Err(fault.into()),
        }
    }
    all
}

/// Calls the channel for a payment that was read with its agreements, and commits what it says.
pub(crate) async fn carry_out(app: &App, begun: Begun) -> Result<Payment, Denied> {
    let (shopper, id) = (begun.kept.payment.shopper, begun.kept.payment.id);
    let mut last = begun.kept.payment.clone();
    let answers = ask_channel(app, &begun.kept).await;
    let mut begun = Some(begun);
    for answer in answers {
        let first = match begun.take() {
            Some(begun) => app.tried(outcome(app, begun, &answer).await?).await?,
            None => None,
        };
        last = match first {
            Some(payment) => payment,
            // Seldom needed, and kept out of what each of the many payments under way takes up.
            None => Box::pin(record(app, shopper, id, answer)).await?,
        };
    }
    Ok(last)
}

/// What the channel says, as the answers to be joined in order.
async fn ask_channel(app: &App, kept: &Kept) -> Vec<Answer> {
    let number = kept.payment.id.to_string();
    let bank = &app.parties.bank;
    match kept.payment.state {
        State::Intended => {
            let order = TransferOrder {
                number,
                token: kept.token.clone(),
                money: Money {
                    amount: kept.payment.amount,
                    currency: kept.payment.currency,
                },
                at: app.clock.now(),
            };
            let said = match kept.payment.kind {
                Kind::PayOut => bank.pay_out(&order).await,
                Kind::Debit | Kind::ByHand => bank.debit(&order).await,
            };
            vec![answer(said)]
        }
        _ => match bank.ask(&number).await {
            // It never arrived, or has not yet: closing it makes sure that it cannot be carried out later.
            Ok(TransferState::NotFound) => {
                let mut answers = vec![Answer::NotFound];
                match bank.close(&number).await {
                    Ok(TransferState::NotFound | TransferState::Pending) => answers.push(Answer::Closed),
                    Ok(other) => answers.push(answer(Ok(other))),
                    Err(_) => {}
                }
                answers
            }
            said => vec![answer(said)],
        },
    }
}

fn answer(said: Result<TransferState, Unreachable>) -> Answer {
    match said {
        Ok(TransferState::Succeeded { reference, at }) => Answer::Succeeded(Receipt { at, reference }),
        Ok(TransferState::Failed { code }) => Answer::Failed(FailureCode::of_channel(&code)),
        Ok(TransferState::Pending) => Answer::Pending,
        Ok(TransferState::NotFound) => Answer::NotFound,
        Err(_) => Answer::Unanswered,
    }
}

/// Joins an answer to what is known of a payment and commits what follows. Notices and statements end here as well.
pub(crate) async fn record(
    app: &App,
    shopper: ShopperId,
    id: PaymentId,
    answer: Answer,
) -> Result<Payment, Denied> {
    app.step(|| async {
        let stored = app.store.payment(shopper, id).await?.ok_or(Denied::NotFound)?;
        let kept: Kept = stored.detail()?;
        let keys: Vec<_> = kept
            .payment
            .shares
            .iter()
            .map(|share| (shopper, share.agreement))
            .collect();
        let files = app.store.agreement_files(&keys).await?.into_iter();
        let files = files.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let begun = Begun {
            kept,
            version: stored.version,
            files,
        };
        outcome(app, begun, &answer).await
    })
    .await
}

/// Joins an answer to what is known of a payment, and decides what follows.
async fn outcome(app: &App, begun: Begun, answer: &Answer) -> Result<Decision<Payment>, Denied> {
    let Begun {
        mut kept,
        version,
        files,
    } = begun;
    let minutes = app.configuration().await?.rules.channel_settle_minutes;
    let before = kept.payment.clone();
    let (shopper, id) = (before.shopper, before.id);
    let mut moment = app.moment();
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    batch.urgent();
    let settle = SignedDuration::from_mins(i64::from(minutes));
    match before.clone().advance(answer.clone(), moment.now, settle) {
        Change::AlreadyMade => return Ok(Decision { batch, reply: before }),
        Change::Made(next) => kept.payment = next,
    }
    follow(app, &mut batch, &before, &mut kept, &files, &mut moment).await?;
    let state = kept.payment.state.code();
    rows::payment_changed(&mut batch, shopper, id, version, state, &kept);
    let (subject, event) = (id.to_string(), format!("payment.{state}"));
    agreements::happened(
        &mut batch,
        &owner,
        &subject,
        version.saturating_add(1),
        &event,
        &view(&kept.payment),
        moment.now,
    );
    Ok(Decision {
        batch,
        reply: kept.payment,
    })
}

/// What follows from a payment's new state for the agreements that it is for.
async fn follow(
    app: &App,
    batch: &mut Batch,
    before: &Payment,
    kept: &mut Kept,
    files: &[AgreementFile],
    moment: &mut Moment,
) -> Result<(), Denied> {
    let payment = kept.payment.clone();
    if !payment.state.is_open() && before.state.is_open() {
        for share in &payment.shares {
            rows::claim_dropped(batch, payment.shopper, share.agreement, payment.id);
        }
    }
    for receipt in payment.receipts.iter().skip(before.receipts.len()) {
        rows::referenced(batch, CHANNEL, &receipt.reference, payment.shopper, payment.id);
    }
    let succeeded = matches!(payment.state, State::Succeeded) && !matches!(before.state, State::Succeeded);
    if succeeded {
        // The day on which the channel took the money counts, not the day on which we heard of it.
        let on = payment
            .receipts
            .first()
            .map_or(moment.today, |receipt| app.day_of(receipt.at));
        enter(batch, kept, files, on, None, moment)?;
    }
    let new_receipts = payment
        .receipts
        .len()
        .saturating_sub(before.receipts.len().max(1));
    for receipt in payment.taken_twice().iter().rev().take(new_receipts) {
        // The channel took it once more under our one number: it is the shopper's, and never dropped (I4).
        let on = app.day_of(receipt.at);
        enter(batch, kept, files, on, Some(Intent::Keep), moment)?;
    }
    if matches!(payment.state, State::Reversed { .. }) && !matches!(before.state, State::Reversed { .. }) {
        reverse(batch, kept, files, moment)?;
    }
    let Some((template, fields)) = told(&payment, succeeded, files, moment)? else {
        return Ok(());
    };
    let id = MessageId::new(&mut moment.ids);
    texts::queue(app, batch, payment.shopper, id, template, &fields, moment).await
}

/// What the shopper is told about a payment's new state: the text, and what fills it.
fn told(
    payment: &Payment,
    succeeded: bool,
    files: &[AgreementFile],
    moment: &Moment,
) -> Result<Option<(&'static str, serde_json::Value)>, Denied> {
    let mut fields = serde_json::json!({ "amount": payment.amount, "currency": payment.currency });
    let template = match (&payment.state, payment.kind) {
        (State::Succeeded, Kind::PayOut) if succeeded => "paid_out",
        (State::Succeeded, _) if succeeded => "payment_received",
        (State::Reversed { .. }, _) => "payment_bounced",
        (State::Failed { code }, Kind::Debit) => {
            fields["code"] = code.code().into();
            let late_since = late_since(payment, files, moment.today)?;
            let Some(due_on) = late_since else {
                return Ok(Some(("debit_failed", fields)));
            };
            fields["due_on"] = serde_json::json!(due_on);
            fields["days"] = days_between(due_on, moment.today).into();
            "debit_failed_late"
        }
        _ => return Ok(None),
    };
    Ok(Some((template, fields)))
}

/// Since when what a payment is for is overdue.
fn late_since(payment: &Payment, files: &[AgreementFile], today: Date) -> Result<Option<Date>, Denied> {
    let mut since: Option<Date> = None;
    for share in &payment.shares {
        let loan = servicing::fold(file(files, share.agreement)?, today)?;
        let due_on = loan.next_due()?.map(|row| row.due_on);
        since = since.into_iter().chain(due_on.filter(|day| *day < today)).min();
    }
    Ok(since)
}

/// Enters the money that came in (or went out) into each agreement that it was for.
fn enter(
    batch: &mut Batch,
    kept: &mut Kept,
    files: &[AgreementFile],
    on: Date,
    intent: Option<Intent>,
    moment: &mut Moment,
) -> Result<(), Denied> {
    let payment = kept.payment.clone();
    for share in &payment.shares {
        let file = file(files, share.agreement)?;
        let (event, name) = match payment.kind {
            Kind::PayOut => (Event::PaidOut { amount: share.amount }, "agreement.paid_out"),
            Kind::Debit | Kind::ByHand => {
                let intent = intent.unwrap_or(payment.intent);
                (
                    Event::Repaid {
                        amount: share.amount,
                        intent,
                    },
                    "agreement.repaid",
                )
            }
        };
        let change = Amendment {
            added: vec![(on, event)],
            stage: None,
            held: Amount::ZERO,
            entries: Vec::new(),
            event: name,
            detail: serde_json::json!({ "payment": payment.id, "amount": share.amount, "on": on }),
        };
        let amended = servicing::amend(batch, file, change, moment)?;
        kept.transactions
            .extend(amended.numbers.iter().map(|number| (share.agreement, *number)));
    }
    Ok(())
}

/// Takes back what a payment had become: the bank returned it after it had succeeded.
fn reverse(
    batch: &mut Batch,
    kept: &mut Kept,
    files: &[AgreementFile],
    moment: &mut Moment,
) -> Result<(), Denied> {
    for (agreement, number) in std::mem::take(&mut kept.transactions) {
        let file = file(files, agreement)?;
        let change = Amendment {
            added: vec![(moment.today, Event::Reversed { of: number })],
            stage: None,
            held: Amount::ZERO,
            entries: Vec::new(),
            event: "agreement.repayment_reversed",
            detail: serde_json::json!({ "payment": kept.payment.id, "transaction": number }),
        };
        servicing::amend(batch, file, change, moment)?;
    }
    Ok(())
}

fn file(files: &[AgreementFile], id: AgreementId) -> Result<&AgreementFile, Denied> {
    let mut files = files.iter();
    files.find(|file| file.agreement.id == id).ok_or(Denied::NotFound)
}

/// Whether a loan runs that could take money.
pub(crate) fn runs(stage: &Stage) -> bool {
    matches!(stage, Stage::Active { .. })
}
