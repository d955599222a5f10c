//! What staff did, and what waits for a second person.

use fenqi_domain::id::{AuditId, ProposalId};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::Row;

/// The organisation whose staff runs the platform.
pub const PLATFORM: &str = "platform";

statements! {
    AUDIT_INSERT = "audit.insert", (Text, Text, Text, Text, Text, Text, Text, Text, Int) -> (),
        "insert into audit (organisation, id, who, approved_by, what, subject, reason, detail, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    AUDIT_ALL = "audit.of_organisation", (Text) -> (Text, Text, Text, Text, Text, Text, Int),
        "select who, approved_by, what, subject, reason, detail, at from audit where organisation = $1 order by at, id";
    PROPOSAL_INSERT = "proposal.insert", (Text, Text, Text, Text, Text, Int, Int) -> (),
        "insert into proposal (organisation, id, state, proposed_by, decided_by, command, reason, proposed_at, expires_at, version) values ($1, $2, 'open', $3, null, $4, $5, $6, $7, 1)";
    PROPOSAL_DECIDE = "proposal.decide", (Text, Text, Text, Text, Int) -> (),
        "update proposal set state = $3, decided_by = $4, version = version + 1 where organisation = $1 and id = $2 and version = $5 and state = 'open' and proposed_by <> $4";
    PROPOSAL = "proposal.find", (Text, Text) -> (Text, Text, Text, Text, Text, Text, Int, Int, Int),
        "select id, state, proposed_by, decided_by, command, reason, proposed_at, expires_at, version from proposal where organisation = $1 and id = $2";
    PROPOSALS = "proposal.of_organisation", (Text) -> (Text, Text, Text, Text, Text, Text, Int, Int, Int),
        "select id, state, proposed_by, decided_by, command, reason, proposed_at, expires_at, version from proposal where organisation = $1 order by proposed_at, id";
}

/// A record of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who did it, or proposed it where two people did.
    pub who: String,
    /// Who approved it, where two people did.
    pub approved_by: Option<String>,
    /// What, as `institution.suspend`.
    pub what: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// The command as JSON.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// A proposal as stored.
#[derive(Debug)]
pub struct StoredProposal {
    /// Its identifier.
    pub id: ProposalId,
    /// `open`, `approved`, `rejected` or `expired`.
    pub state: String,
    /// Who proposed.
    pub proposed_by: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub proposed_at: Timestamp,
    /// Until when it may be decided.
    pub expires_at: Timestamp,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl StoredProposal {
    /// The command that it proposes.
    pub fn command<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 4)
    }
}

impl Store {
    /// The audit trail of the platform, oldest first.
    pub async fn audit(&self) -> Result<Vec<AuditRecord>, Fault> {
        let rows = self.rows(&AUDIT_ALL, vec![PLATFORM.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditRecord {
                    who: row.text(0)?.into(),
                    approved_by: row.opt_text(1)?.map(str::to_owned),
                    what: row.text(2)?.into(),
                    subject: row.text(3)?.into(),
                    reason: row.text(4)?.into(),
                    detail: row.text(5)?.into(),
                    at: instant(row, 6)?,
                })
            })
            .collect()
    }

    /// The proposals of the platform's staff, oldest first.
    pub async fn proposals(&self) -> Result<Vec<StoredProposal>, Fault> {
        let rows = self.rows(&PROPOSALS, vec![PLATFORM.into()]).await?;
        rows.into_iter().map(proposal).collect()
    }

    /// A proposal of the platform's staff.
    pub async fn proposal(&self, id: ProposalId) -> Result<Option<StoredProposal>, Fault> {
        self.row(&PROPOSAL, vec![PLATFORM.into(), id.to_string().into()])
            .await?
            .map(proposal)
            .transpose()
    }
}

fn proposal(row: Row) -> Result<StoredProposal, Fault> {
    Ok(StoredProposal {
        id: parsed(&row, 0)?,
        state: row.text(1)?.into(),
        proposed_by: row.text(2)?.into(),
        decided_by: row.opt_text(3)?.map(str::to_owned),
        reason: row.text(5)?.into(),
        proposed_at: instant(&row, 6)?,
        expires_at: instant(&row, 7)?,
        version: row.int(8)?,
        row,
    })
}

/// A record of what staff did, in the batch that does it.
pub fn audited(batch: &mut Batch, id: AuditId, record: &AuditRecord) {
    let params = vec![
        PLATFORM.into(),
        id.to_string().into(),
        record.who.as_str().into(),
        record.approved_by.as_deref().into(),
        record.what.as_str().into(),
        record.subject.as_str().into(),
        record.reason.as_str().into(),
        record.detail.as_str().into(),
        record.at.as_microsecond().into(),
    ];
    batch.put(&AUDIT_INSERT, params);
}

/// Whether a batch leaves a record of what staff did.
pub fn is_audited(batch: &Batch) -> bool {
    let mut steps = batch.steps().iter();
    steps.any(|step| step.statement.name == AUDIT_INSERT.name)
}

/// A proposal that another must approve.
pub fn proposed<T: Serialize>(
    batch: &mut Batch,
    id: ProposalId,
    who: &str,
    command: &T,
    reason: &str,
    at: Timestamp,
    expires_at: Timestamp,
) {
    let params = vec![
        PLATFORM.into(),
        id.to_string().into(),
        who.into(),
        to_json(command),
        reason.into(),
        at.as_microsecond().into(),
        expires_at.as_microsecond().into(),
    ];
    batch.put(&PROPOSAL_INSERT, params);
}

/// A decision about a proposal, by somebody else than the one who proposed it.
pub fn decided(batch: &mut Batch, proposal: &StoredProposal, state: &str, who: &str) {
    let params = vec![
        PLATFORM.into(),
        proposal.id.to_string().into(),
        state.into(),
        who.into(),
        proposal.version.into(),
    ];
    batch.require(Guard::Unchanged, &PROPOSAL_DECIDE, params);
}
