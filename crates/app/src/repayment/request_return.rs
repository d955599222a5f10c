//! Asks to give goods back (申请退货), or takes that back. While it is open nothing is debited, charged for lateness or
//! chased for that order; other orders run on.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::calendar::add_days;
use fenqi_domain::change;
use fenqi_domain::id::{AgreementId, ReturnId, ShopperId};
use fenqi_domain::loan::{Event, Loan};
use fenqi_domain::money::{Amount, Rounding};
use fenqi_domain::refusal::Refusal;
use fenqi_domain::returns::{Return, ReturnLine, State};
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::{returns as rows, work};
use serde::{Deserialize, Serialize};

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::repayment::refund;
use crate::servicing::{self, Amendment, kinds};
use crate::unit::{Decision, request};
use crate::{App, Moment};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct RequestReturn {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// What goes back; nothing means all of it.
    pub lines: Vec<ReturnLine>,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnView {
    /// Its identifier.
    pub id: ReturnId,
    /// How it stands.
    pub state: State,
    /// The financed part of what goes back.
    pub amount: Amount,
    /// Until when the seller is to answer.
    pub answer_by: jiff::Timestamp,
}

pub(crate) fn view(case: &Return) -> ReturnView {
    ReturnView {
        id: case.id,
        state: case.state.clone(),
        amount: case.amount,
        answer_by: case.answer_by,
    }
}

/// What the return would do to the schedule, before the shopper asks for it (退货试算).
pub async fn preview(
    app: &App,
    actor: &Actor,
    command: &RequestReturn,
) -> Result<refund::RefundPreview, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    let file = app.agreement(actor, command.shopper, command.agreement).await?;
    let amount = amount_of(app, &file.agreement, &command.lines).await?;
    let today = app.moment().today;
    let all = is_all(&servicing::fold(&file, today)?, amount)?;
    refund::shown(&file, amount, all, today)
}

/// Opens a return.
pub async fn request_return(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: RequestReturn,
) -> Result<Change<ReturnView>, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    let asked = request(
        &command.shopper.to_string(),
        actor,
        key,
        "request_return",
        &command,
    );
    app.once(&asked, || open(app, &command)).await
}

async fn open(app: &App, command: &RequestReturn) -> Result<Decision<ReturnView>, Denied> {
    let mut moment = app.moment();
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    if !matches!(file.agreement.stage, Stage::Active { .. } | Stage::Settled { .. }) {
        let stage = file.agreement.stage.code();
        return Err(Refusal::WrongStage {
            stage: stage.into(),
            needed: "active".into(),
        }
        .into());
    }
    if let Some((_, case)) = open_return(app, command.shopper, command.agreement).await? {
        return Err(Refusal::ReturnOpen {
            since: app.day_of(case.requested_at),
        }
        .into());
    }
    let amount = amount_of(app, &file.agreement, &command.lines).await?;
    let loan: Loan = servicing::fold(&file, moment.today)?;
    fenqi_domain::refund::check(&loan, amount)?;
    let days = app.configuration().await?.rules.return_answer_days;
    let answer_on = add_days(moment.today, i64::from(days))?;
    let case = Return {
        id: ReturnId::new(&mut moment.ids),
        shopper: command.shopper,
        agreement: command.agreement,
        lines: command.lines.clone(),
        amount,
        requested_at: moment.now,
        answer_by: app.instant_of(answer_on, 0),
        state: State::Requested,
        version: 1,
    };
    let owner = command.shopper.to_string();
    let mut batch = Batch::new(&owner);
    rows::requested(
        &mut batch,
        command.shopper,
        case.id,
        case.agreement,
        case.state.code(),
        &case,
        moment.now,
    );
    work::planned(&mut batch, &owner, kinds::RETURN, &case.id.to_string(), answer_on);
    pause(
        &mut batch,
        &file,
        Event::Paused,
        "agreement.return_requested",
        &case,
        &mut moment,
    )?;
    Ok(Decision {
        batch,
        reply: view(&case),
    })
}

/// Takes a return back; what was paused goes on.
pub async fn withdraw(
    app: &App,
    actor: &Actor,
    key: &Key,
    shopper: ShopperId,
    agreement: AgreementId,
) -> Result<Change<ReturnView>, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let asked = request(&shopper.to_string(), actor, key, "withdraw_return", &agreement);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let (version, case) = open_return(app, shopper, agreement)
            .await?
            .ok_or(Refusal::ReturnNotOpen)?;
        let next = made(case.withdraw(moment.now)?)?;
        let file = app
            .store
            .agreement(shopper, agreement)
            .await?
            .ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        changed(&mut batch, &next, version);
        pause(
            &mut batch,
            &file,
            Event::Resumed,
            "agreement.return_withdrawn",
            &next,
            &mut moment,
        )?;
        Ok(Decision {
            batch,
            reply: view(&next),
        })
    })
    .await
}

/// The open return of an agreement with its row's version.
pub(crate) async fn open_return(
    app: &App,
    shopper: ShopperId,
    agreement: AgreementId,
) -> Result<Option<(i64, Return)>, Denied> {
    for stored in app.store.returns(shopper).await? {
        let case: Return = stored.detail()?;
        if stored.agreement == agreement && case.state.pauses() {
            return Ok(Some((stored.version, case)));
        }
    }
    Ok(None)
}

/// Writes a return's new state, and strikes the wait for an answer once there is one.
pub(crate) fn changed(batch: &mut Batch, case: &Return, version: i64) {
    rows::return_changed(batch, case.shopper, case.id, version, case.state.code(), case);
    if !matches!(case.state, State::Requested) {
        work::done(
            batch,
            &case.shopper.to_string(),
            kinds::RETURN,
            &case.id.to_string(),
        );
    }
}

/// Pauses or resumes charging and chasing because of a return.
pub(crate) fn pause(
    batch: &mut Batch,
    file: &AgreementFile,
    event: Event,
    name: &str,
    case: &Return,
    moment: &mut Moment,
) -> Result<(), Denied> {
    let change = Amendment {
        added: vec![(moment.today, event)],
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event: name,
        detail: view(case),
    };
    servicing::amend(batch, file, change, moment)?;
    Ok(())
}

/// The new state of a change that must have been one: repetitions are caught by their key before.
pub(crate) fn made(change: change::Change<Return>) -> Result<Return, Denied> {
    match change {
        change::Change::Made(case) => Ok(case),
        change::Change::AlreadyMade => Err(Refusal::ReturnNotOpen.into()),
    }
}

/// The financed part of what goes back: of each article in proportion to its quantity over all its lines. What went back
/// before cannot go back again, and the parts of an article that goes back piece by piece sum to the whole.
async fn amount_of(app: &App, agreement: &Agreement, lines: &[ReturnLine]) -> Result<Amount, Denied> {
    if lines.is_empty() {
        return Ok(Amount::sum(agreement.lines.iter().map(|line| line.financed))?);
    }
    let gone = went_back(app, agreement).await?;
    let mut amount = Amount::ZERO;
    for (index, wanted) in lines.iter().enumerate() {
        let sku = &wanted.sku;
        let wrong = |field: &str, mistake| Denied::invalid(&format!("/lines/{index}/{field}"), mistake);
        if lines.iter().filter(|line| line.sku == *sku).count() > 1 {
            let given = sku.clone();
            return Err(wrong("sku", Mistake::NamedTwice { given }));
        }
        let bought = agreement.lines.iter().filter(|line| line.sku == *sku);
        let financed = Amount::sum(bought.clone().map(|line| line.financed))?;
        let bought: i64 = bought.map(|line| i64::from(line.quantity)).sum();
        if bought == 0 {
            let mut among: Vec<String> = agreement.lines.iter().map(|line| line.sku.clone()).collect();
            among.dedup();
            let sku = sku.clone();
            return Err(wrong("sku", Mistake::NotInOrder { sku, among }));
        }
        let before = gone.iter().filter(|gone| gone.sku == *sku);
        let before: i64 = before.map(|gone| i64::from(gone.quantity)).sum();
        let after = before.saturating_add(i64::from(wanted.quantity));
        if wanted.quantity == 0 || after > bought {
            return Err(match bought.saturating_sub(before) {
                0 => wrong("sku", Mistake::WentBack { sku: sku.clone() }),
                left => wrong("quantity", Mistake::count(wanted.quantity, 1, left)),
            });
        }
        let until = |quantity| financed.share(quantity, bought, Rounding::HalfUp);
        amount = amount.plus(until(after)?.minus(until(before)?)?)?;
    }
    Ok(amount)
}

/// The goods of an agreement that went back before, by name. A return of everything names none and leaves nothing that
/// could go back.
async fn went_back(app: &App, agreement: &Agreement) -> Result<Vec<ReturnLine>, Denied> {
    let mut gone = Vec::new();
    for stored in app.store.returns(agreement.shopper).await? {
        let case: Return = stored.detail()?;
        if case.agreement == agreement.id && matches!(case.state, State::Refunded { .. }) {
            gone.extend(case.lines);
        }
    }
    Ok(gone)
}

/// Whether with this everything that was lent has gone back; then what was paid for it goes back as well.
pub(crate) fn is_all(loan: &Loan, amount: Amount) -> Result<bool, Denied> {
    Ok(loan.refunded.plus(amount)? >= loan.disbursed)
}
