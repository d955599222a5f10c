//! What staff do (运营): the market, standing, limits, disputes, arrangements, corrections.
//!
//! Each command checks its actor first, is made once for its key, and leaves an audit record in the batch that carries it
//! out. What one person must not do alone becomes a proposal that another approves.

use fenqi_domain::actor::Actor;
use fenqi_domain::id::AuditId;
use fenqi_store::Batch;
use fenqi_store::tables::staff::{self, AuditRecord};
use serde::Serialize;

use crate::Moment;
use crate::outcome::Denied;

pub mod budget;
pub mod configure;

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

/// Whether a reason says anything: the audit trail is of no use without one.
fn because(reason: &str) -> Result<(), Denied> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Denied::invalid(
            "reason",
            format!("must be 1 to {REASON_MAX} characters"),
        ));
    }
    Ok(())
}

/// Leaves an audit record of a command in the batch that carries it out.
fn audit<C: Serialize>(
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
