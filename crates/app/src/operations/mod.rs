//! What staff do (运营): the market, standing, limits, disputes, arrangements, corrections.
//!
//! Each command checks its actor first, is made once for its key, and leaves an audit record in the batch that carries it
//! out. What one person must not do alone becomes a proposal that another approves.

use fenqi_domain::agreement::Stage;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::tables::agreements::AgreementFile;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::audit;
use crate::configuration::Rules;
use crate::mistake::{Mistake, Thing};
use crate::outcome::Denied;
use crate::servicing::Amendment;
use crate::{App, Moment};

pub mod approve;
pub mod arrange;
pub mod backdate;
pub mod budget;
pub mod configure;
pub mod dispute;
pub mod excuse;
pub mod freeze;
pub mod limit;
pub mod notice;
pub mod standing;
pub mod suspend;
pub mod timeline;
pub mod waive;
pub mod window;

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

/// How many agreements are looked at in one question.
const PAGE: i64 = 500;

/// Whether a reason says anything: the audit trail is of no use without one.
fn because(reason: &str) -> Result<(), Denied> {
    Denied::of("/reason", Mistake::of_text(reason, REASON_MAX))
}

/// Since when what staff did is added up, to tell whether one person may do more.
pub(crate) fn lately_since(rules: &Rules, moment: &Moment) -> Timestamp {
    let days = SignedDuration::from_hours(i64::from(rules.second_person_days).saturating_mul(24));
    moment.now.checked_sub(days).unwrap_or(Timestamp::MIN)
}

/// What staff entered into a loan, as its event tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entered {
    /// The transaction's number.
    pub number: u32,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: String,
    /// The number of the transfer that proves a payment.
    pub proof: Option<String>,
}

/// What is entered next into a loan.
fn entered(file: &AgreementFile, amount: Amount, reason: &str) -> Entered {
    let last = file.transactions.iter().map(|t| t.number).max().unwrap_or(0);
    Entered {
        number: last.saturating_add(1),
        amount,
        reason: reason.into(),
        proof: None,
    }
}

/// A change of a loan that is one transaction and moves nothing else.
fn correction<D: Serialize>(added: (Date, Event), event: &str, detail: D) -> Amendment<'_, D> {
    Amendment {
        added: vec![added],
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event,
        detail,
    }
}

/// An agreement of which something was lent, for staff, who are told if there is none.
async fn lent(app: &App, shopper: ShopperId, id: AgreementId) -> Result<AgreementFile, Denied> {
    let file = app.store.agreement(shopper, id).await?;
    was_lent(file.ok_or_else(|| no_agreement(id))?)
}

/// There is no such agreement; for staff, who may know.
fn no_agreement(id: AgreementId) -> Denied {
    Denied::invalid("/agreement", Mistake::unknown(Thing::Agreement, id))
}

/// The same of an agreement that was read.
fn was_lent(file: AgreementFile) -> Result<AgreementFile, Denied> {
    match file.agreement.stage {
        Stage::Active { .. } | Stage::Settled { .. } => Ok(file),
        Stage::Confirmed { .. } | Stage::Cancelled { .. } => Err(Refusal::WrongStage {
            stage: file.agreement.stage.code().into(),
            needed: "active".into(),
        }
        .into()),
    }
}

/// The keys of all running agreements.
async fn each_active(app: &App) -> Result<Vec<(ShopperId, AgreementId)>, Denied> {
    let mut keys: Vec<(ShopperId, AgreementId)> = Vec::new();
    let (mut shopper, mut id) = (String::new(), String::new());
    loop {
        let page = app.store.active_keys_after(&shopper, &id, PAGE).await?;
        match page.last() {
            Some(last) => (shopper, id) = (last.0.to_string(), last.1.to_string()),
            None => return Ok(keys),
        }
        keys.extend(page);
    }
}
