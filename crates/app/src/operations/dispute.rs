//! Opens a dispute about an agreement, or settles it (争议). While one is open no new credit is given; repayment goes on.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{AgreementId, DisputeId, ShopperId};
use fenqi_domain::refusal::{Refusal, What};
use fenqi_store::Batch;
use fenqi_store::tables::returns;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::mistake::{Mistake, Thing};
use crate::operations::{REASON_MAX, audit, standing};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};

/// The command that opens one.
#[derive(Debug, Clone, Serialize)]
pub struct Open {
    /// Who disputes.
    pub shopper: ShopperId,
    /// About which agreement.
    pub agreement: AgreementId,
    /// What is wrong, in the shopper's words.
    pub claim: String,
}

/// The command that settles one.
#[derive(Debug, Clone, Serialize)]
pub struct Settle {
    /// Whose.
    pub shopper: ShopperId,
    /// Which.
    pub dispute: DisputeId,
    /// What was found and done, as the shopper is told.
    pub outcome: String,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its identifier.
    pub id: DisputeId,
    /// The agreement.
    pub agreement: AgreementId,
    /// What is wrong, in the shopper's words.
    pub claim: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How it ended, and when, if it has.
    pub settled: Option<(Timestamp, String)>,
}

// R38: a dispute on an agreement
/// Opens a dispute.
///
/// Errors: [`Refusal::AlreadyExists`] while one about the agreement is open.
pub async fn open(app: &App, actor: &Actor, key: &Key, command: Open) -> Result<Change<Dispute>, Denied> {
    actor.require_for(command.shopper, Scope::Repay)?;
    Denied::of("/claim", Mistake::of_text(&command.claim, REASON_MAX))?;
    let asked = request(&command.shopper.to_string(), actor, key, "open_dispute", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let known = app.store.agreement(command.shopper, command.agreement).await?;
        known.ok_or_else(|| Denied::unknown(actor, "/agreement", Thing::Agreement, command.agreement))?;
        let disputes = app.store.disputes(command.shopper).await?;
        let running = disputes
            .iter()
            .find(|d| d.agreement == command.agreement && d.state == "open");
        if let Some(running) = running {
            return Err(Refusal::AlreadyExists {
                what: What::Dispute,
                which: Some(running.id.to_string()),
            }
            .into());
        }
        let dispute = Dispute {
            id: DisputeId::new(&mut moment.ids),
            agreement: command.agreement,
            claim: command.claim.clone(),
            opened_at: moment.now,
            settled: None,
        };
        let (version, mut stands) = standing::stored(app, actor, command.shopper).await?;
        stands.open_disputes.push(dispute.id.to_string());
        let mut batch = Batch::new(&command.shopper.to_string());
        let subject = command.agreement.to_string();
        returns::disputed(
            &mut batch,
            command.shopper,
            dispute.id,
            &subject,
            "open",
            &dispute,
            moment.now,
        );
        let event = ("shopper.dispute_opened", &dispute);
        standing::changed(&mut batch, command.shopper, version, &stands, event, &moment);
        Ok(Decision {
            batch,
            reply: dispute,
        })
    })
    .await
}

/// Settles a dispute.
///
/// Errors: [`Mistake::NotKnown`] unless it is open.
pub async fn settle(app: &App, actor: &Actor, key: &Key, command: Settle) -> Result<Change<Dispute>, Denied> {
    actor.require(Scope::Care)?;
    Denied::of("/outcome", Mistake::of_text(&command.outcome, REASON_MAX))?;
    let asked = request(
        &command.shopper.to_string(),
        actor,
        key,
        "settle_dispute",
        &command,
    );
    app.once(&asked, || async {
        let mut moment = app.moment();
        let disputes = app.store.disputes(command.shopper).await?;
        let stored = disputes
            .iter()
            .find(|d| d.id == command.dispute && d.state == "open")
            .ok_or_else(|| Denied::unknown(actor, "/dispute", Thing::Dispute, command.dispute))?;
        let mut dispute: Dispute = stored.detail()?;
        dispute.settled = Some((moment.now, command.outcome.clone()));
        let (version, mut stands) = standing::stored(app, actor, command.shopper).await?;
        let id = command.dispute.to_string();
        stands.open_disputes.retain(|open| *open != id);
        let mut batch = Batch::new(&command.shopper.to_string());
        returns::dispute_changed(
            &mut batch,
            command.shopper,
            command.dispute,
            stored.version,
            "settled",
            &dispute,
        );
        let event = ("shopper.dispute_settled", &dispute);
        standing::changed(&mut batch, command.shopper, version, &stands, event, &moment);
        audit(
            &mut batch,
            actor,
            ("dispute.settle", &id),
            &command.outcome,
            &command,
            &mut moment,
        );
        Ok(Decision {
            batch,
            reply: dispute,
        })
    })
    .await
}

/// The disputes of a shopper, oldest first.
pub async fn disputes(app: &App, actor: &Actor, shopper: ShopperId) -> Result<Vec<Dispute>, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let stored = app.store.disputes(shopper).await?;
    Ok(stored.iter().map(|d| d.detail()).collect::<Result<_, _>>()?)
}
