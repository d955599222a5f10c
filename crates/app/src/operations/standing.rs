//! What stands against new credit (账户状态): read for the shopper and for staff, and written in one place.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::ShopperId;
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::{agreements, shoppers};
use serde::Serialize;

use crate::checkout::offer;
use crate::mistake::Thing;
use crate::outcome::Denied;
use crate::{App, Moment};

// R27: what stands against new credit
/// What stands against new credit for a shopper now: a freeze, open disputes, and what is overdue today.
pub async fn standing(app: &App, actor: &Actor, shopper: ShopperId) -> Result<Standing, Denied> {
    actor.require_for(shopper, Scope::Offer)?;
    let (_, mut standing) = stored(app, actor, shopper).await?;
    standing.overdue = offer::overdue(&app.store.agreements(shopper).await?, &app.moment())?;
    Ok(standing)
}

/// The stored standing with its row's version. What is overdue is no part of it: that follows from dates.
pub(super) async fn stored(app: &App, actor: &Actor, shopper: ShopperId) -> Result<(i64, Standing), Denied> {
    let stored = app.store.shopper(shopper).await?;
    let stored = stored.ok_or_else(|| Denied::unknown(actor, "/shopper", Thing::Shopper, shopper))?;
    Ok((stored.version, stored.standing()?))
}

/// Writes a new standing with its event; refused if it changed since it was read.
pub(super) fn changed<D: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    version: i64,
    standing: &Standing,
    (event, detail): (&str, &D),
    moment: &Moment,
) {
    shoppers::standing_changed(batch, shopper, version, standing);
    let owner = shopper.to_string();
    let subject = format!("standing_{owner}");
    // The row is opened without an event, so that its first change is the first of the sequence.
    agreements::happened(batch, &owner, &subject, version, event, detail, moment.now);
}
