//! Sets a limit (调整额度): by staff for an institution's line, and by shoppers for themselves, always lower (R28).
//! Agreements stay as they are, so that after a cut less than nothing may be available.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allowed::Allowed;
use fenqi_domain::credit::Moved;
use fenqi_domain::id::{EntryId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_store::Batch;
use fenqi_store::tables::credit::{self, StoredChange, StoredLine};
use fenqi_store::tables::settings;
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::mistake::{Mistake, Thing};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::timeline;
use crate::operations::{audit, because, lately_since};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};
use crate::{App, Moment};

/// The command of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLimit {
    /// Whose.
    pub shopper: ShopperId,
    /// With which institution.
    pub institution: String,
    /// To what.
    pub limit: Amount,
    /// Why.
    pub reason: String,
}

/// The command of a shopper.
#[derive(Debug, Clone, Serialize)]
pub struct SetOwnLimit {
    /// Whose.
    pub shopper: ShopperId,
    /// With which institution.
    pub institution: String,
    /// To what; none lifts it.
    pub limit: Option<Amount>,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitSet {
    /// The institution's limit.
    pub limit: Amount,
    /// The shopper's own, if there is one.
    pub own_limit: Option<Amount>,
    /// What may still be spent; negative after a cut below what is used.
    pub available: Amount,
}

/// Sets the limit of a line. What comes to a change by more than `second_person_above`, with what was changed in the same
/// direction in the days before, needs another person.
///
/// Errors: [`Mistake::NotKnown`] without a line; [`Refusal::AlreadyExists`] if that is the limit.
pub async fn set_limit(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetLimit,
) -> Result<Change<Outcome<LimitSet>>, Denied> {
    actor.require(Scope::Accounts)?;
    because(&command.reason)?;
    Denied::of("/limit", Mistake::of_amount(command.limit))?;
    if timeline::is_own(&command.reason) {
        let mistake = Mistake::not(Allowed::ReasonOfStaff, &command.reason);
        return Err(Denied::invalid("/reason", mistake));
    }
    let asked = request(&command.shopper.to_string(), actor, key, "set_limit", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&command.shopper.to_string());
        let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::SetLimit(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Sets or lifts the limit that a shopper sets for themself.
///
/// Errors: [`Refusal::OutsideBounds`] unless it is between nothing and the institution's limit;
/// [`Refusal::AlreadyExists`] if it is that already.
pub async fn set_own_limit(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetOwnLimit,
) -> Result<Change<LimitSet>, Denied> {
    actor.require_for(command.shopper, Scope::Buy)?;
    let asked = request(
        &command.shopper.to_string(),
        actor,
        key,
        "set_own_limit",
        &command,
    );
    app.once(&asked, || async {
        let mut moment = app.moment();
        let stored = line(app, actor, command.shopper, &command.institution).await?;
        if stored.line.own_limit == command.limit {
            return Err(Refusal::exists(What::OwnLimit).into());
        }
        let moved = stored.line.set_own_limit(command.limit, moment.now)?;
        let mut batch = Batch::new(&command.shopper.to_string());
        let why = timeline::own_reason(command.limit);
        let reply = write(&mut batch, command.shopper, &stored, &moved, &why, &mut moment)?;
        Ok(Decision { batch, reply })
    })
    .await
}

/// Sets the limit, with its audit record.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &SetLimit,
    moment: &mut Moment,
) -> Result<Weighed<LimitSet>, Denied> {
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let stored = line(app, by.actor, command.shopper, &command.institution).await?;
    let moved = stored.line.set_limit(command.limit, moment.now)?;
    let reply = write(batch, command.shopper, &stored, &moved, &command.reason, moment)?;
    let subject = format!("{} at {}", command.shopper, command.institution);
    audit(
        batch,
        by,
        ("limit.set", &subject),
        &command.reason,
        command,
        moment,
    );
    let rules = &configuration.rules;
    let since = lately_since(rules, moment);
    let changes = app.store.limit_changes(command.shopper).await?;
    let lately = changes.iter().filter(|c| {
        c.institution == command.institution
            && c.event == moved.change.event
            && c.at >= since
            && !timeline::is_own(&c.reason)
    });
    let lately = Amount::sum(lately.map(|c| c.amount))?.plus(moved.change.amount)?;
    Ok(Weighed {
        reply,
        needs_two: lately.minor().saturating_abs() > rules.second_person_above,
        replaces: serde_json::json!(stored.line.limit),
    })
}

fn write(
    batch: &mut Batch,
    shopper: ShopperId,
    stored: &StoredLine,
    moved: &Moved,
    reason: &str,
    moment: &mut Moment,
) -> Result<LimitSet, Denied> {
    credit::line_set(batch, shopper, &moved.line, stored.version);
    let change = StoredChange {
        institution: moved.line.institution.clone(),
        event: moved.change.event,
        amount: moved.change.amount,
        reason: reason.into(),
        at: moment.now,
    };
    credit::limit_changed(batch, shopper, EntryId::new(&mut moment.ids), &change);
    Ok(LimitSet {
        limit: moved.line.limit,
        own_limit: moved.line.own_limit,
        available: moved.line.available()?,
    })
}

async fn line(app: &App, actor: &Actor, shopper: ShopperId, institution: &str) -> Result<StoredLine, Denied> {
    let found = app.store.line(shopper, institution).await?;
    found.ok_or_else(|| Denied::unknown(actor, "/institution", Thing::Line, institution))
}
