//! What the events of an agreement tell, kind by kind: a closed list, each with the content that it must have.

use fenqi_domain::agreement::Capture;
use fenqi_domain::id::{PaymentId, RefundId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Amount;
use fenqi_domain::returns::State as ReturnState;
use fenqi_store::tables::agreements::StoredEvent;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::checkout::cancel::Cancelled;
use crate::checkout::capture::Captured;
use crate::checkout::confirm::Confirmed;
use crate::operations::Entered;
use crate::repayment::request_return::ReturnView;

/// An event of an agreement, read.
pub(super) enum Told {
    /// It was confirmed.
    Confirmed(Confirmed),
    /// Goods left.
    Captured(Captured),
    /// What was held was let go.
    LetGo(Cancelled),
    /// The institution's money was asked for, came, or was declined.
    Funding(Vec<Capture>),
    /// What fell due up to a day was booked.
    Aged(Date),
    /// A payment was entered, or paid out.
    Moved { money: Moved, is_in: bool },
    /// What a payment had become was taken back.
    Reversed(Reversed),
    /// A return was asked for: charging stops; or it ended without one: charging goes on.
    Return { view: ReturnView, event: Event },
    /// Goods went back.
    Refunded(Refunded),
    /// Staff entered a payment or a waiver, or took one back; the kind of its transaction.
    Entered { entered: Entered, kind: &'static str },
    /// Something was arranged.
    Arranged(Arranged),
    /// Days were excused.
    Excused(Excused),
}

/// Money that a payment moved for an agreement.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Moved {
    pub payment: PaymentId,
    pub amount: Amount,
    pub on: Date,
}

/// A transaction that did not happen after all.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reversed {
    pub payment: PaymentId,
    pub transaction: u32,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refunded {
    pub refund: RefundId,
    pub amount: Amount,
}

/// An arrangement.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Arranged {
    pub defer_days: u16,
    pub waived: Amount,
}

/// Days that do not count as late.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Excused {
    pub from: Date,
    pub until: Date,
}

impl Told {
    /// Reads an event; what it should be if it cannot be read.
    pub fn read(event: &StoredEvent) -> Result<Told, &'static str> {
        Ok(match event.kind.as_str() {
            "agreement.confirmed" => Told::Confirmed(detail(event, "a confirmation")?),
            "agreement.captured" => Told::Captured(detail(event, "what was captured and is held")?),
            "agreement.cancelled" | "agreement.expired" => Told::LetGo(detail(event, "what was released")?),
            "agreement.funding_asked" | "agreement.funded" | "agreement.funding_declined" => {
                Told::Funding(detail(event, "captures with their funding")?)
            }
            "agreement.aged" => Told::Aged(detail(event, "a day")?),
            "agreement.repaid" => moved(event, true)?,
            "agreement.paid_out" => moved(event, false)?,
            "agreement.repayment_reversed" => Told::Reversed(detail(event, "a payment and its transaction")?),
            "agreement.return_requested" => returned(event, Event::Paused)?,
            "agreement.return_rejected" | "agreement.return_withdrawn" => returned(event, Event::Resumed)?,
            "agreement.refunded" => Told::Refunded(detail(event, "a refund and its amount")?),
            "agreement.payment_entered" => entered(event, "repaid")?,
            "agreement.waived" => entered(event, "waived")?,
            "agreement.taken_back" => entered(event, "reversed")?,
            "agreement.arranged" => Told::Arranged(detail(event, "days and an amount")?),
            "agreement.excused" => Told::Excused(detail(event, "the days that are excused")?),
            _ => return Err("a kind of event of an agreement"),
        })
    }
}

fn detail<T: DeserializeOwned>(event: &StoredEvent, what: &'static str) -> Result<T, &'static str> {
    serde_json::from_str(&event.detail).map_err(|_| what)
}

fn moved(event: &StoredEvent, is_in: bool) -> Result<Told, &'static str> {
    let money = detail(event, "a payment, an amount and a day")?;
    Ok(Told::Moved { money, is_in })
}

fn returned(told: &StoredEvent, event: Event) -> Result<Told, &'static str> {
    let view: ReturnView = detail(told, "a return")?;
    // An open return stops charging, and one that ended lets it go on.
    if view.state.pauses() != (event == Event::Paused) || matches!(view.state, ReturnState::Refunded { .. }) {
        return Err("a return in the state that it tells of");
    }
    Ok(Told::Return { view, event })
}

fn entered(event: &StoredEvent, kind: &'static str) -> Result<Told, &'static str> {
    let entered = detail(event, "what staff entered")?;
    Ok(Told::Entered { entered, kind })
}
