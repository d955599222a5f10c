//! Two people decide (双人复核): a command above what one may do alone is stored as a proposal, and another person approves
//! or rejects it. An approval runs the same use case with the same checks as things stand now, and carries it out in the
//! batch that closes the proposal, so that it is done once.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::ProposalId;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::staff::{self, StoredProposal};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::By;
use crate::mistake::{Mistake, Thing};
use crate::operations::arrange::{self, Arrange, Arranged};
use crate::operations::backdate::{self, Corrected, EnterPayment, TakeBack};
use crate::operations::budget::{self, BudgetSet, RaiseBudget};
use crate::operations::configure::{self, Configure, Configured};
use crate::operations::limit::{self, LimitSet, SetLimit};
use crate::operations::waive::{self, Waive, Waived};
use crate::operations::{audit, because};
use crate::outcome::{Change, Denied, Key};
use crate::repayment::answer_return::{self, AnswerReturn};
use crate::repayment::refund::{self, Refund, RefundView};
use crate::repayment::request_return::ReturnView;
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
    /// A payment that reached us another way.
    EnterPayment(EnterPayment),
    /// What staff entered by mistake, taken back.
    TakeBack(TakeBack),
    /// An arrangement that waives much.
    Arrange(Arrange),
    /// A refund in a seller's place.
    Refund(Refund),
    /// A return, accepted in a seller's place.
    AnswerReturn(AnswerReturn),
    /// More money for a campaign.
    RaiseBudget(RaiseBudget),
    /// Prices, caps and rules.
    Configure(Configure),
}

impl Proposed {
    /// Whose rows it changes.
    fn owner(&self) -> String {
        match self {
            Proposed::SetLimit(command) => command.shopper.to_string(),
            Proposed::Waive(command) => command.shopper.to_string(),
            Proposed::EnterPayment(command) => command.shopper.to_string(),
            Proposed::TakeBack(command) => command.shopper.to_string(),
            Proposed::Arrange(command) => command.whom.owner(),
            Proposed::Refund(command) => command.shopper.to_string(),
            Proposed::AnswerReturn(command) => command.shopper.to_string(),
            Proposed::RaiseBudget(_) | Proposed::Configure(_) => staff::PLATFORM.into(),
        }
    }

    fn reason(&self) -> &str {
        match self {
            Proposed::SetLimit(command) => &command.reason,
            Proposed::Waive(command) => &command.reason,
            Proposed::EnterPayment(command) => &command.reason,
            Proposed::TakeBack(command) => &command.reason,
            Proposed::Arrange(command) => &command.reason,
            // Its reason is the return of the goods.
            Proposed::Refund(_) | Proposed::AnswerReturn(_) => "",
            Proposed::RaiseBudget(command) => &command.reason,
            Proposed::Configure(command) => &command.reason,
        }
    }
}

/// What an approved command answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Done {
    /// The limit.
    SetLimit(LimitSet),
    /// The waiver.
    Waive(Waived),
    /// The payment.
    EnterPayment(Corrected),
    /// The correction.
    TakeBack(Corrected),
    /// The arrangement.
    Arrange(Arranged),
    /// The refund.
    Refund(RefundView),
    /// The return.
    AnswerReturn(ReturnView),
    /// The budget.
    RaiseBudget(BudgetSet),
    /// The configuration.
    Configure(Configured),
}

/// A command as it would be carried out now, weighed by what one person may do alone.
pub(crate) struct Weighed<T> {
    /// What it answers once it is carried out.
    pub reply: T,
    /// Whether it is more than one person may do.
    pub needs_two: bool,
    /// What it replaces, as that stands now; nothing if it only adds. An approval is refused if that has changed since.
    pub replaces: Value,
}

/// A proposal's content: the command, and what it would replace as that stood when it was proposed.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    proposed: Proposed,
    replaces: Value,
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
    /// What it would replace, as that stood when it was proposed; nothing if it only adds.
    pub replaces: Value,
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
    pub done: Option<Done>,
}

/// Approves a proposal: its command is carried out now, as things stand now.
///
/// Errors: [`Refusal::SamePerson`] for the one who proposed; [`Refusal::ProposalClosed`] if it is decided or its time is
/// over; [`Refusal::GroundChanged`] if what it would replace has changed since; the refusals of the command.
pub async fn approve(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Decide,
) -> Result<Change<Decided>, Denied> {
    actor.require(Scope::Approve)?;
    because(&command.reason)?;
    let kept = find(app, command.proposal).await?.command::<Kept>()?;
    let owner = kept.proposed.owner();
    let asked = request(&owner, actor, key, "approve", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let proposal = open_for(app, actor, command.proposal, &moment).await?;
            let mut batch = Batch::new(&owner);
            staff::decided(&mut batch, &proposal, "approved", &actor.principal());
            let by = By {
                actor,
                proposed_by: Some(&proposal.proposed_by),
            };
            let done = carry_out(app, &mut batch, by, &kept, &mut moment).await?;
            record(&mut batch, actor, "proposal.approve", &command, &mut moment);
            Ok(Decision {
                batch,
                reply: Decided {
                    state: "approved".into(),
                    done: Some(done),
                },
            })
        })
        .await?;
    finish(app, actor, &kept, command.proposal, change).await
}

/// What an approval does besides its own batch: a changed configuration is read again, and an arrangement for many is made
/// for each of them under keys of the proposal's, so that a repetition goes on where it stopped.
async fn finish(
    app: &App,
    actor: &Actor,
    kept: &Kept,
    id: ProposalId,
    mut change: Change<Decided>,
) -> Result<Change<Decided>, Denied> {
    match &kept.proposed {
        Proposed::Configure(_) => drop(app.reload().await?),
        Proposed::Arrange(command) if command.whom.is_many() => {
            let proposal = find(app, id).await?;
            let by = By {
                actor,
                proposed_by: Some(&proposal.proposed_by),
            };
            let done = arrange::each(app, by, &Key::parse(&id.to_string())?, command).await?;
            let (Change::Made(decided) | Change::AlreadyMade(decided)) = &mut change;
            decided.done = Some(Done::Arrange(done));
        }
        _ => {}
    }
    Ok(change)
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
                done: None,
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
        let kept: Kept = stored.command()?;
        listed.push(Proposal {
            id: stored.id,
            state: state_of(&stored, now).into(),
            command: kept.proposed,
            replaces: kept.replaces,
            proposed_by: stored.proposed_by,
            decided_by: stored.decided_by,
            proposed_at: stored.proposed_at,
            expires_at: stored.expires_at,
        });
    }
    Ok(listed)
}

/// A command that was weighed: what one person may do is decided by its batch; what is more becomes a proposal, and
/// nothing of its batch is written.
pub(crate) async fn alone_or_proposed<T>(
    app: &App,
    actor: &Actor,
    (batch, weighed): (Batch, Weighed<T>),
    proposed: Proposed,
    moment: &mut Moment,
) -> Result<Decision<Outcome<T>>, Denied> {
    if !weighed.needs_two {
        let reply = Outcome::Done(weighed.reply);
        return Ok(Decision { batch, reply });
    }
    let kept = Kept {
        proposed,
        replaces: weighed.replaces,
    };
    let hours = app.configuration().await?.rules.proposal_hours;
    let mut batch = Batch::new(&kept.proposed.owner());
    let id = propose(&mut batch, actor, &kept, hours, moment);
    Ok(Decision {
        batch,
        reply: Outcome::NeedsSecondPerson(id),
    })
}

/// Stores a command as a proposal, with its audit record.
fn propose(batch: &mut Batch, actor: &Actor, kept: &Kept, hours: u16, moment: &mut Moment) -> ProposalId {
    let id = ProposalId::new(&mut moment.ids);
    let open_for = SignedDuration::from_hours(i64::from(hours));
    let expires_at = moment.now.checked_add(open_for).unwrap_or(Timestamp::MAX);
    let (who, reason) = (actor.principal(), kept.proposed.reason());
    staff::proposed(batch, id, &who, kept, reason, moment.now, expires_at);
    let what = ("proposal.propose", id.to_string());
    audit(batch, actor, (what.0, &what.1), reason, &kept.proposed, moment);
    id
}

async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    kept: &Kept,
    moment: &mut Moment,
) -> Result<Done, Denied> {
    match &kept.proposed {
        Proposed::SetLimit(command) => {
            let weighed = limit::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::SetLimit)
        }
        Proposed::Waive(command) => {
            let weighed = waive::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::Waive)
        }
        Proposed::EnterPayment(command) => {
            let weighed = backdate::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::EnterPayment)
        }
        Proposed::TakeBack(command) => {
            let weighed = backdate::undo(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::TakeBack)
        }
        Proposed::Arrange(command) => {
            let weighed = arrange::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::Arrange)
        }
        Proposed::Refund(command) => {
            let weighed = refund::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::Refund)
        }
        Proposed::AnswerReturn(command) => {
            let weighed = answer_return::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::AnswerReturn)
        }
        Proposed::RaiseBudget(command) => {
            let weighed = budget::raise(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::RaiseBudget)
        }
        Proposed::Configure(command) => {
            let weighed = configure::carry_out(app, batch, by, command, moment).await?;
            stands(kept, weighed).map(Done::Configure)
        }
    }
}

/// The reply of a command whose ground is the one on which it was proposed.
fn stands<T>(kept: &Kept, weighed: Weighed<T>) -> Result<T, Denied> {
    if weighed.replaces == kept.replaces {
        return Ok(weighed.reply);
    }
    Err(Refusal::GroundChanged.into())
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
