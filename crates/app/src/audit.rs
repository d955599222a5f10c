//! The audit trail (审计): what staff did, in the batch that does it.

use fenqi_domain::actor::Actor;
use fenqi_domain::id::AuditId;
use fenqi_store::Batch;
use fenqi_store::tables::staff::{self, AuditRecord};
use serde::Serialize;

use crate::Moment;

/// Leaves an audit record of a command in the batch that carries it out.
pub(crate) fn audit<C: Serialize>(
    batch: &mut Batch,
    actor: &Actor,
    (what, subject): (&str, &str),
    reason: &str,
    command: &C,
    moment: &mut Moment,
) {
    let record = AuditRecord {
        who: actor.principal(),
        what: what.into(),
        subject: subject.into(),
        reason: reason.into(),
        detail: serde_json::to_string(command).unwrap_or_default(),
        at: moment.now,
    };
    staff::audited(batch, AuditId::new(&mut moment.ids), &record);
}

/// As [`audit`], for what shoppers do themselves and need no reason for: on record only if staff did it for them.
pub(crate) fn by_staff<C: Serialize>(
    batch: &mut Batch,
    actor: &Actor,
    about: (&str, &str),
    command: &C,
    moment: &mut Moment,
) {
    if matches!(actor, Actor::Staff { .. }) {
        audit(batch, actor, about, "", command, moment);
    }
}
