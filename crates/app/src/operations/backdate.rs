//! Enters a payment that reached us another way, on the day on which it counts (补录还款), and takes back what staff
//! entered by mistake (冲正). The loan is replayed; entries are compensated, never changed. Nothing but the word of staff
//! stands behind such a payment, so that another person looks at the transfer too, unless the rules say otherwise.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::calendar::add_days;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::{Event, Intent, Loan, Parts, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::channel::{self, StatementRow};
use fenqi_store::tables::settings;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::configuration::Rules;
use crate::mistake::{Figure, Mistake, Thing};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::{
    Entered, audit, because, correction, entered, lately_since, lent, no_agreement, was_lent,
};
use crate::outcome::{Change, Denied, Key};
use crate::repayment::pay;
use crate::servicing;
use crate::unit::request;
use crate::{App, Moment};

/// The channel of payments that reached us by bank transfer; their proofs are its statement.
pub const TRANSFER: &str = "transfer";

/// The event of a payment that was entered.
const PAYMENT_ENTERED: &str = "agreement.payment_entered";

/// The command that enters a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterPayment {
    /// Whose debt.
    pub shopper: ShopperId,
    /// Of which agreement.
    pub agreement: AgreementId,
    /// How much arrived.
    pub amount: Amount,
    /// The day on which it arrived, and counts.
    pub on: Date,
    /// The number of the transfer at our bank, which proves it; each is entered once.
    pub proof: String,
    /// Why it is entered by hand.
    pub reason: String,
}

/// The command that takes a transaction back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBack {
    /// Whose.
    pub shopper: ShopperId,
    /// Of which agreement.
    pub agreement: AgreementId,
    /// The transaction's number.
    pub number: u32,
    /// Why.
    pub reason: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The number of the new transaction.
    pub number: u32,
    /// What is outstanding now, by component.
    pub outstanding: Parts,
    /// What is due today.
    pub payable: Amount,
}

/// Enters a payment that reached us another way. It meets what was due and billed on its day; what is over prepays. What
/// comes to more than `entered_alone_up_to`, with what was entered for the agreement in the days before, needs another
/// person.
///
/// Errors: [`Refusal::AlreadyExists`] for a proof that was entered; [`Refusal::PaymentUnderWay`] while a debit is.
pub async fn enter_payment(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: EnterPayment,
) -> Result<Change<Outcome<Corrected>>, Denied> {
    actor.require(Scope::Care)?;
    well_formed(&command)?;
    let owner = command.shopper.to_string();
    let asked = request(&owner, actor, key, "enter_payment", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&owner);
        let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::EnterPayment(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Enters the payment, with its audit record.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &EnterPayment,
    moment: &mut Moment,
) -> Result<Weighed<Corrected>, Denied> {
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let key = (command.shopper, command.agreement);
    let case = app.store.transfer_case(key, TRANSFER, &command.proof).await?;
    let case = case.ok_or_else(|| no_agreement(command.agreement))?;
    let file = was_lent(case.file)?;
    arrived_in_time(&file, command.on, moment)?;
    if case.is_entered {
        return Err(Refusal::AlreadyExists {
            what: What::Proof,
            which: Some(command.proof.clone()),
        }
        .into());
    }
    pay::none_claimed(app, command.shopper, &case.claims, &[command.agreement]).await?;
    batch.urgent();
    let line = StatementRow {
        reference: command.proof.clone(),
        booked_on: command.on,
        amount: command.amount,
        number: command.agreement.to_string(),
    };
    channel::proved(batch, TRANSFER, &line);
    let event = Event::Repaid {
        amount: command.amount,
        intent: wanted(&file, command.on)?,
    };
    let mut detail = entered(&file, command.amount, &command.reason);
    detail.proof = Some(command.proof.clone());
    let change = correction((command.on, event), PAYMENT_ENTERED, detail);
    let amended = servicing::amend(batch, &file, change, moment)?;
    let what = ("loan.enter_payment", command.agreement.to_string());
    audit(batch, by, (what.0, &what.1), &command.reason, command, moment);
    let rules = &configuration.rules;
    let sum = lately(app, &file, rules, moment).await?.plus(command.amount)?;
    Ok(Weighed {
        reply: corrected(&amended.numbers, &amended.loan)?,
        needs_two: sum.minor() > rules.entered_alone_up_to,
        replaces: serde_json::Value::Null,
    })
}

/// What staff entered for an agreement in the days over which it is added up, and did not take back. It is counted from
/// when it was entered: the day on which a payment counts is of the choosing of whoever enters it.
async fn lately(app: &App, file: &AgreementFile, rules: &Rules, moment: &Moment) -> Result<Amount, Denied> {
    let is_back = |number: u32| {
        let back = Event::Reversed { of: number };
        file.transactions.iter().any(|t| t.event == back)
    };
    let stands = |t: &&Transaction| matches!(t.event, Event::Repaid { .. }) && !is_back(t.number);
    // Most have none, and their events need not be read.
    if !file.transactions.iter().any(|t| stands(&t)) {
        return Ok(Amount::ZERO);
    }
    let since = lately_since(rules, moment);
    let aggregate = file.agreement.id.to_string();
    let events = app.store.events(file.agreement.shopper, &aggregate).await?;
    let entered = events
        .iter()
        .filter(|e| e.kind == PAYMENT_ENTERED && e.at >= since)
        .filter_map(|e| serde_json::from_str::<Entered>(&e.detail).ok())
        .filter(|known| !is_back(known.number));
    Ok(Amount::sum(entered.map(|known| known.amount))?)
}

/// What a transfer of a day was for: a bill that was issued by then is met before anything is prepaid, as in the app.
fn wanted(file: &AgreementFile, on: Date) -> Result<Intent, Denied> {
    let billed_until = add_days(on, servicing::BILL_DAYS_AHEAD)?;
    let loan = servicing::fold(file, on)?;
    let is_billed = loan
        .rows
        .iter()
        .any(|row| row.due_on > on && row.due_on <= billed_until);
    Ok(if is_billed { Intent::Bill } else { Intent::Due })
}

/// Whether the command is what it should be, before anything is read.
fn well_formed(command: &EnterPayment) -> Result<(), Denied> {
    because(&command.reason)?;
    Denied::of("/amount", Mistake::of_positive(command.amount))?;
    Denied::of("/proof", Mistake::of_code(&command.proof))
}

/// Takes back a payment or a waiver that staff entered. What a channel moved is taken back by the channel alone. It needs
/// another person if it is more than one may enter or waive alone.
///
/// Errors: [`Mistake::NotKnown`] for a transaction that staff did not enter; [`Refusal::AlreadyExists`] if it was taken
/// back.
pub async fn take_back(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: TakeBack,
) -> Result<Change<Outcome<Corrected>>, Denied> {
    actor.require(Scope::Care)?;
    because(&command.reason)?;
    let owner = command.shopper.to_string();
    let asked = request(&owner, actor, key, "take_back", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&owner);
        let weighed = undo(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::TakeBack(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Takes it back, with its audit record.
pub(super) async fn undo(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &TakeBack,
    moment: &mut Moment,
) -> Result<Weighed<Corrected>, Denied> {
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let file = lent(app, command.shopper, command.agreement).await?;
    let known = by_staff(app, command).await?;
    let is_back = |t: &Transaction| t.event == Event::Reversed { of: command.number };
    if file.transactions.iter().any(is_back) {
        return Err(Refusal::AlreadyExists {
            what: What::TakenBack,
            which: Some(command.number.to_string()),
        }
        .into());
    }
    let counted_on = file.transactions.iter().find(|t| t.number == command.number);
    let counted_on = counted_on.map_or(moment.today, |t| t.effective_on);
    if let Some(proof) = &known.proof {
        // The transfer's own line stays; another takes it back, dated as the compensating entries are.
        let line = StatementRow {
            reference: format!("{proof}/taken-back"),
            booked_on: counted_on,
            amount: Amount::ZERO.minus(known.amount)?,
            number: command.agreement.to_string(),
        };
        channel::proved(batch, TRANSFER, &line);
    }
    let event = Event::Reversed { of: command.number };
    let detail = entered(&file, known.amount, &command.reason);
    let change = correction((moment.today, event), "agreement.taken_back", detail);
    let amended = servicing::amend(batch, &file, change, moment)?;
    let what = ("loan.take_back", command.agreement.to_string());
    audit(batch, by, (what.0, &what.1), &command.reason, command, moment);
    let rules = &configuration.rules;
    let alone = match known.proof {
        Some(_) => rules.entered_alone_up_to,
        None => rules.second_person_above,
    };
    Ok(Weighed {
        reply: corrected(&amended.numbers, &amended.loan)?,
        needs_two: known.amount.minor() > alone,
        replaces: serde_json::Value::Null,
    })
}

/// What staff entered under this number.
async fn by_staff(app: &App, command: &TakeBack) -> Result<Entered, Denied> {
    let events = app
        .store
        .events(command.shopper, &command.agreement.to_string())
        .await?;
    events
        .iter()
        .filter(|e| e.kind == PAYMENT_ENTERED || e.kind == "agreement.waived")
        .filter_map(|e| serde_json::from_str::<Entered>(&e.detail).ok())
        .find(|known| known.number == command.number)
        .ok_or_else(|| Denied::invalid("/number", Mistake::unknown(Thing::Entry, command.number)))
}

/// A payment counts between the first capture and today.
fn arrived_in_time(file: &AgreementFile, on: Date, moment: &Moment) -> Result<(), Denied> {
    let captured = |t: &Transaction| matches!(t.event, Event::Disbursed { .. });
    let first = file
        .transactions
        .iter()
        .filter(|t| captured(t))
        .map(|t| t.effective_on)
        .min();
    let from = first.unwrap_or(moment.today);
    // From the day on which goods were first captured, before which nothing was owed.
    let is_outside = !(from..=moment.today).contains(&on);
    let mistake = is_outside.then_some(Mistake::OutOfRange {
        given: Figure::Day(on),
        minimum: Figure::Day(from),
        maximum: Some(Figure::Day(moment.today)),
    });
    Denied::of("/on", mistake)
}

fn corrected(numbers: &[u32], loan: &Loan) -> Result<Corrected, Denied> {
    Ok(Corrected {
        number: numbers.first().copied().unwrap_or_default(),
        outstanding: loan.outstanding()?,
        payable: loan.payable()?.total()?,
    })
}
