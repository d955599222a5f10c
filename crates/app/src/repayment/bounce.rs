//! Takes in what the channel says of its own accord: signed notices and its statement (渠道通知与对账单).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::payment::{Answer, FailureCode, Receipt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::App;
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

/// Applies a notice. Notices may come twice and in any order: each is joined to what is known of the payment.
pub async fn notice(app: &App, actor: &Actor, notice: BankNotice) -> Result<PaymentView, Denied> {
    actor.require(Scope::Work)?;
    let id = notice.number.parse().map_err(|e| Denied::invalid("number", e))?;
    let owner = app
        .store
        .payment_owner(&notice.number)
        .await?
        .ok_or(Denied::NotFound)?;
    let answer = match notice.what {
        NoticeKind::Succeeded { reference, at } => Answer::Succeeded(Receipt { at, reference }),
        NoticeKind::Failed { code } => Answer::Failed(FailureCode::of_channel(&code)),
        NoticeKind::Returned { at } => Answer::Reversed { at },
    };
    Ok(payments::view(&payments::record(app, owner, id, answer).await?))
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
    let mut batch = fenqi_store::Batch::new(CHANNEL);
    for line in &lines {
        let row = fenqi_store::tables::channel::StatementRow {
            reference: line.reference.clone(),
            booked_on: line.on,
            amount: line.amount,
            number: line.number.clone(),
        };
        fenqi_store::tables::channel::imported(&mut batch, CHANNEL, &row);
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
