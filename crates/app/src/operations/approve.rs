//! Two people decide (双人复核): a command above what one may do alone is stored as a proposal, and another person approves
//! or rejects it. An approval carries the command out in the same batch.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{ProposalId, ShopperId};
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::staff::{self, StoredProposal};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::mistake::{Mistake, Thing};
use crate::operations::limit::{self, SetLimit};
use crate::operations::waive::{self, Waive};
use crate::operations::{audit, because};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};
use crate::{App, Moment};

/// A command that one person may not carry out alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Proposed {
    /// A large change of a limit.
    SetLimit(SetLimit),
    /// A large waiver.
    Waive(Waive),
}

impl Proposed {
    /// Whom it is about.
    pub fn shopper(&self) -> ShopperId {
        match self {
            Proposed::SetLimit(command) => command.shopper,
            Proposed::Waive(command) => command.shopper,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Proposed::SetLimit(command) => &command.reason,
            Proposed::Waive(command) => &command.reason,
        }
    }
}

/// What became of a command that may need two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "detail")]
pub enum Outcome<T> {
    /// It was carried out.
    Done(T),
    /// Another person must approve it under this number.
    NeedsSecondPerson(ProposalId),
}

/// A proposal as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Its identifier.
    pub id: ProposalId,
    /// `open`, `approved`, `rejected` or `expired`.
    pub state: String,
    /// What it proposes.
    pub command: Proposed,
    /// Who proposed.
    pub proposed_by: String,
    /// Who decided, if somebody has.
    pub decided_by: Option<String>,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// Until when it may be decided.
    pub expires_at: Timestamp,
}

/// The decision.
#[derive(Debug, Clone, Serialize)]
pub struct Decide {
    /// About which proposal.
    pub proposal: ProposalId,
    /// Why.
    pub reason: String,
}

/// The reply to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// How the proposal stands.
    pub state: String,
    /// What was carried out, as the command's own reply; nothing after a rejection.
    pub done: serde_json::Value,
}

/// Approves a proposal: its command is carried out now, as things stand now.
///
/// Errors: [`Refusal::SamePerson`] for the one who proposed; [`Refusal::ProposalClosed`] if it is decided or its time is
/// over; the refusals of the command.
pub async fn approve(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Decide,
) -> Result<Change<Decided>, Denied> {
    actor.require(Scope::Approve)?;
    because(&command.reason)?;
    let about = find(app, command.proposal).await?.command::<Proposed>()?;
    let owner = about.shopper().to_string();
    let asked = request(&owner, actor, key, "approve", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let proposal = open_for(app, actor, command.proposal, &moment).await?;
        let mut batch = Batch::new(&owner);
        staff::decided(&mut batch, &proposal, "approved", &actor.principal());
        let done = carry_out(app, &mut batch, actor, &about, &mut moment).await?;
        record(&mut batch, actor, "proposal.approve", &command, &mut moment);
        Ok(Decision {
            batch,
            reply: Decided {
                state: "approved".into(),
                done,
            },
        })
    })
    .await
}

/// Rejects a proposal: nothing of it is carried out.
///
/// Errors: as [`approve`].
pub async fn reject(app: &App, actor: &Actor, key: &Key, command: Decide) -> Result<Change<Decided>, Denied> {
    actor.require(Scope::Approve)?;
    because(&command.reason)?;
    let asked = request(staff::PLATFORM, actor, key, "reject", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let proposal = open_for(app, actor, command.proposal, &moment).await?;
        let mut batch = Batch::new(staff::PLATFORM);
        staff::decided(&mut batch, &proposal, "rejected", &actor.principal());
        record(&mut batch, actor, "proposal.reject", &command, &mut moment);
        Ok(Decision {
            batch,
            reply: Decided {
                state: "rejected".into(),
                done: serde_json::Value::Null,
            },
        })
    })
    .await
}

/// Closes every proposal whose time is over; says how many. A reconciler: it may run at any time, and twice.
pub async fn expire(app: &App) -> Result<usize, Denied> {
    let moment = app.moment();
    let mut closed = 0usize;
    for proposal in app.store.proposals().await? {
        if proposal.state == "open" && moment.now >= proposal.expires_at {
            let mut batch = Batch::new(staff::PLATFORM);
            staff::decided(&mut batch, &proposal, "expired", "job:expire");
            match app.store.commit(batch).await {
                Ok(()) => closed = closed.saturating_add(1),
                // Somebody decided it at the same moment; that stands.
                Err(fenqi_store::CommitError::Refused(_)) => {}
                Err(fenqi_store::CommitError::Fault(fault)) => return Err(fault.into()),
            }
        }
    }
    Ok(closed)
}

/// Every proposal, oldest first. One whose time is over is shown as expired, whether or not a job has said so.
pub async fn proposals(app: &App, actor: &Actor) -> Result<Vec<Proposal>, Denied> {
    actor.require(Scope::Approve)?;
    let now = app.clock.now();
    let mut listed = Vec::new();
    for stored in app.store.proposals().await? {
        let command = stored.command()?;
        listed.push(Proposal {
            id: stored.id,
            state: state_of(&stored, now).into(),
            command,
            proposed_by: stored.proposed_by,
            decided_by: stored.decided_by,
            proposed_at: stored.proposed_at,
            expires_at: stored.expires_at,
        });
    }
    Ok(listed)
}

/// Stores a command as a proposal, with its audit record.
pub(super) fn propose(
    batch: &mut Batch,
    actor: &Actor,
    command: &Proposed,
    hours: u16,
    moment: &mut Moment,
) -> ProposalId {
    let id = ProposalId::new(&mut moment.ids);
    let open_for = SignedDuration::from_hours(i64::from(hours));
    let expires_at = moment.now.checked_add(open_for).unwrap_or(Timestamp::MAX);
    staff::proposed(
        batch,
        id,
        &actor.principal(),
        command,
        command.reason(),
        moment.now,
        expires_at,
    );
    audit(
        batch,
        actor,
        ("proposal.propose", &id.to_string()),
        command.reason(),
        command,
        moment,
    );
    id
}

async fn carry_out(
    app: &App,
    batch: &mut Batch,
    actor: &Actor,
    command: &Proposed,
    moment: &mut Moment,
) -> Result<serde_json::Value, Denied> {
    let done = match command {
        Proposed::SetLimit(command) => {
            serde_json::to_value(limit::carry_out(app, batch, actor, command, moment).await?)
        }
        Proposed::Waive(command) => {
            serde_json::to_value(waive::carry_out(app, batch, actor, command, moment).await?)
        }
    };
    done.map_err(|e| {
        Denied::Fault(fenqi_store::Fault::Corrupt {
            statement: "proposal.decide",
            what: e.to_string(),
        })
    })
}

async fn find(app: &App, id: ProposalId) -> Result<StoredProposal, Denied> {
    let found = app.store.proposal(id).await?;
    found.ok_or_else(|| Denied::invalid("/proposal", Mistake::unknown(Thing::Proposal, id)))
}

/// The proposal, if this actor may decide it now.
async fn open_for(
    app: &App,
    actor: &Actor,
    id: ProposalId,
    moment: &Moment,
) -> Result<StoredProposal, Denied> {
    let proposal = find(app, id).await?;
    let state = state_of(&proposal, moment.now);
    if state != "open" {
        return Err(Refusal::ProposalClosed { state: state.into() }.into());
    }
    if proposal.proposed_by == actor.principal() {
        return Err(Refusal::SamePerson.into());
    }
    Ok(proposal)
}

fn state_of(proposal: &StoredProposal, now: Timestamp) -> &str {
    if proposal.state == "open" && now >= proposal.expires_at {
        "expired"
    } else {
        &proposal.state
    }
}

fn record(batch: &mut Batch, actor: &Actor, what: &str, command: &Decide, moment: &mut Moment) {
    let subject = command.proposal.to_string();
    audit(batch, actor, (what, &subject), &command.reason, command, moment);
}
