//! Takes in what the channel says of its own accord: signed notices and its statement (渠道通知与对账单).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allowed::Allowed;
use fenqi_domain::payment::{Answer, FailureCode, Receipt};
use fenqi_store::tables::channel;
use fenqi_store::{Batch, CommitError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::jobs::Report;
use crate::mistake::Mistake;
use crate::outcome::Denied;
use crate::repayment::payments::{self, CHANNEL, PaymentView};

/// A notice of the channel about one of our numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankNotice {
    /// The notice's own number: the same notice again changes nothing.
    pub notice: String,
    /// Our number: the payment's identifier.
    pub number: String,
    /// What happened.
    pub what: NoticeKind,
}

/// What a notice says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum NoticeKind {
    /// The money moved.
    Succeeded {
        /// The channel's reference.
        reference: String,
        /// When.
        at: Timestamp,
    },
    /// It did not move.
    Failed {
        /// The channel's code.
        code: String,
    },
    /// It had moved, and the bank took it back (退票).
    Returned {
        /// When.
        at: Timestamp,
    },
}

/// What became of a notice. Both are an acknowledgement: the channel need not send it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It was joined to what is known of the payment.
    Joined(PaymentView),
    /// It cannot be applied, because of this, and is kept for somebody to ask the channel about; it holds back nothing.
    Parked(Denied),
}

/// Takes in a notice: it is kept first, so that an acknowledged one is never lost, and then applied. Notices may come
/// twice and in any order: each is joined to what is known of the payment. One that names no payment of ours is parked.
///
/// Errors: a fault of the store, after which the channel should send it again.
pub async fn notice(app: &App, actor: &Actor, notice: BankNotice) -> Result<Heard, Denied> {
    actor.require(Scope::Work)?;
    let body = serde_json::to_string(&notice).map_err(|_| not_a_notice())?;
    let mut batch = Batch::new(CHANNEL);
    channel::noticed(&mut batch, CHANNEL, &notice.notice, &body, app.clock.now());
    app.store.commit(batch).await?;
    heard(app, &notice.notice, &body).await
}

/// Applies notices that were kept and not applied, because the process ended in between. One that fails is told and holds
/// back no other.
pub(crate) async fn apply_kept(app: &App) -> Result<Report, Denied> {
    let mut report = Report::default();
    for (notice, body) in app.store.notices(CHANNEL).await? {
        let applied = match heard(app, &notice, &body).await {
            Ok(Heard::Joined(_)) => Ok(true),
            Ok(Heard::Parked(why)) | Err(why) => Err(why),
        };
        report.note(&format!("notice {notice}"), applied);
    }
    Ok(report)
}

/// Applies a notice that is kept, or parks it if it never can be.
async fn heard(app: &App, notice: &str, body: &str) -> Result<Heard, Denied> {
    let applied = match serde_json::from_str(body) {
        Ok(read) => apply(app, &read).await,
        Err(_) => Err(not_a_notice()),
    };
    match applied {
        Ok(payment) => Ok(Heard::Joined(payment)),
        Err(why @ (Denied::NotFound | Denied::Invalid(_))) => {
            let mut batch = Batch::new(CHANNEL);
            channel::notice_parked(&mut batch, CHANNEL, notice);
            app.store.commit(batch).await?;
            Ok(Heard::Parked(why))
        }
        Err(denied) => Err(denied),
    }
}

/// What is kept is no notice of the channel.
fn not_a_notice() -> Denied {
    Denied::invalid("/body", Mistake::personal(Allowed::BankNotice))
}

async fn apply(app: &App, notice: &BankNotice) -> Result<PaymentView, Denied> {
    let id = notice
        .number
        .parse()
        .map_err(|_| Denied::invalid("/number", Mistake::not(Allowed::Identifier, &notice.number)))?;
    let owner = app
        .store
        .payment_owner(&notice.number)
        .await?
        .ok_or(Denied::NotFound)?;
    let answer = match notice.what.clone() {
        NoticeKind::Succeeded { reference, at } => Answer::Succeeded(Receipt { at, reference }),
        NoticeKind::Failed { code } => Answer::Failed(FailureCode::of_channel(&code)),
        NoticeKind::Returned { at } => Answer::Reversed { at },
    };
    let payment = payments::record(app, owner, id, answer).await?;
    let mut batch = Batch::new(CHANNEL);
    channel::notice_applied(&mut batch, CHANNEL, &notice.notice);
    match app.store.commit(batch).await {
        // Refused: the same notice was applied before; joining it again changed nothing.
        Ok(()) | Err(CommitError::Refused(_)) => Ok(payments::view(&payment)),
        Err(error) => Err(error.into()),
    }
}

/// Imports the channel's statement of a day; a line that we hold for open becomes a success, so that the statement is
/// the last word (T+1 对账).
pub async fn import_statement(app: &App, actor: &Actor, day: jiff::civil::Date) -> Result<usize, Denied> {
    actor.require(Scope::Work)?;
    let lines = app
        .parties
        .bank
        .statement(day)
        .await
        .map_err(|_| app.unreachable(CHANNEL))?;
    let mut batch = Batch::new(CHANNEL);
    for line in &lines {
        let row = channel::StatementRow {
            reference: line.reference.clone(),
            booked_on: line.on,
            amount: line.amount,
            number: line.number.clone(),
        };
        channel::imported(&mut batch, CHANNEL, &row);
    }
    if !batch.is_empty() {
        app.store.commit(batch).await?;
    }
    for line in &lines {
        let Ok(id) = line.number.parse() else { continue };
        if let Some(owner) = app.store.payment_owner(&line.number).await? {
            payments::pursue(app, owner, id).await?;
        }
    }
    Ok(lines.len())
}
