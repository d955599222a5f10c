//! The audit trail (审计): what staff did, in the batch that does it.

use fenqi_domain::actor::Actor;
use fenqi_domain::id::AuditId;
use fenqi_store::Batch;
use fenqi_store::tables::staff::{self, AuditRecord};
use serde::Serialize;

use crate::Moment;

/// Who carries a command of staff out (经办与复核): one person, or one who proposed it and another who approves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By<'a> {
    /// Who acts now.
    pub actor: &'a Actor,
    /// Who proposed it, if it was somebody else.
    pub proposed_by: Option<&'a str>,
}

impl<'a> From<&'a Actor> for By<'a> {
    fn from(actor: &'a Actor) -> By<'a> {
        By {
            actor,
            proposed_by: None,
        }
    }
}

/// Leaves an audit record of a command in the batch that carries it out.
pub(crate) fn audit<'a, C: Serialize>(
    batch: &mut Batch,
    by: impl Into<By<'a>>,
    (what, subject): (&str, &str),
    reason: &str,
    command: &C,
    moment: &mut Moment,
) {
    let By { actor, proposed_by } = by.into();
    let record = AuditRecord {
        who: proposed_by.map_or_else(|| actor.principal(), str::to_owned),
        approved_by: proposed_by.map(|_| actor.principal()),
        what: what.into(),
        subject: subject.into(),
        reason: reason.into(),
        detail: serde_json::to_string(command).unwrap_or_default(),
        at: moment.now,
    };
    staff::audited(batch, AuditId::new(&mut moment.ids), &record);
}

/// As [`audit`], for what shoppers do themselves and need no reason for: on record only if staff did it for them.
pub(crate) fn by_staff<'a, C: Serialize>(
    batch: &mut Batch,
    by: impl Into<By<'a>>,
    about: (&str, &str),
    command: &C,
    moment: &mut Moment,
) {
    let by = by.into();
    if matches!(by.actor, Actor::Staff { .. }) {
        audit(batch, by, about, "", command, moment);
    }
}
