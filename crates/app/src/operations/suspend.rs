//! Suspends, resumes or ends the business with an institution, everywhere or in one region (暂停、恢复与终止合作, R2–R4).
//! What runs already is untouched: old contracts are served to their end.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::market::{Institution, Partnership, PartnershipState};
use fenqi_store::Batch;
use fenqi_store::tables::settings;
use fenqi_store::tables::staff::PLATFORM;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::configuration::kinds;
use crate::mistake::{Mistake, Thing};
use crate::operations::{audit, because};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};

/// The command: how far the partnership goes from now on, in one scope.
#[derive(Debug, Clone, Serialize)]
pub struct SetPartnership {
    /// With whom.
    pub institution: String,
    /// The region, with those below it; none for everywhere.
    pub region: Option<String>,
    /// The product category; none for all.
    pub category: Option<String>,
    /// From when; none for now.
    pub from: Option<Timestamp>,
    /// Until when, where it is known; then what held before holds again.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// The reply: every entry of the partnership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnershipSet {
    /// The entries.
    pub partnerships: Vec<Partnership>,
}

/// Pauses new agreements.
pub async fn suspend(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetPartnership,
) -> Result<Change<PartnershipSet>, Denied> {
    set(
        app,
        actor,
        key,
        ("institution.suspend", PartnershipState::Suspended),
        command,
    )
    .await
}

/// Lets new agreements be made again.
pub async fn resume(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetPartnership,
) -> Result<Change<PartnershipSet>, Denied> {
    set(
        app,
        actor,
        key,
        ("institution.resume", PartnershipState::Active),
        command,
    )
    .await
}

/// Ends the partnership; what is owed can still be paid.
pub async fn end(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetPartnership,
) -> Result<Change<PartnershipSet>, Denied> {
    set(
        app,
        actor,
        key,
        ("institution.end", PartnershipState::Ended),
        command,
    )
    .await
}

async fn set(
    app: &App,
    actor: &Actor,
    key: &Key,
    (what, state): (&'static str, PartnershipState),
    command: SetPartnership,
) -> Result<Change<PartnershipSet>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    if let Some((after, given)) = command.from.zip(command.until)
        && after >= given
    {
        return Err(Denied::invalid("/until", Mistake::NotAfter { given, after }));
    }
    let asked = request(PLATFORM, actor, key, what, &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let (generation, stored) = app.store.settings().await?;
            let found = stored
                .iter()
                .find(|s| s.kind == kinds::INSTITUTION && s.code == command.institution);
            let lenders = stored.iter().filter(|s| s.kind == kinds::INSTITUTION);
            let unknown = || Mistake::NotKnown {
                thing: Thing::Institution,
                given: command.institution.clone(),
                among: lenders.map(|s| s.code.clone()).collect(),
            };
            let found = found.ok_or_else(|| Denied::invalid("/institution", unknown()))?;
            let mut institution: Institution = found.detail()?;
            if let Some(region) = &command.region
                && !stored
                    .iter()
                    .any(|s| s.kind == kinds::REGION && s.code == *region)
            {
                return Err(Denied::invalid(
                    "/region",
                    Mistake::unknown(Thing::Region, region),
                ));
            }
            enter(&mut institution.partnerships, state, &command, moment.now);
            let mut batch = Batch::new(PLATFORM);
            settings::raise_generation(&mut batch, generation);
            settings::put_setting(&mut batch, kinds::INSTITUTION, &institution.code, 1, &institution);
            let subject = match &command.region {
                Some(region) => format!("{} in {region}", command.institution),
                None => command.institution.clone(),
            };
            audit(
                &mut batch,
                actor,
                (what, &subject),
                &command.reason,
                &command,
                &mut moment,
            );
            Ok(Decision {
                batch,
                reply: PartnershipSet {
                    partnerships: institution.partnerships,
                },
            })
        })
        .await?;
    app.reload().await?;
    Ok(change)
}

/// Enters a state into its scope. What narrowed the scope ends when the new entry begins, and stays on record.
fn enter(entries: &mut Vec<Partnership>, state: PartnershipState, command: &SetPartnership, now: Timestamp) {
    let from = command.from.unwrap_or(now);
    for entry in entries.iter_mut() {
        let same_scope = entry.region == command.region && entry.category == command.category;
        let narrows = entry.state > PartnershipState::Pilot;
        let runs = entry.until.is_none_or(|until| from < until);
        if same_scope && narrows && runs {
            entry.until = Some(from.max(entry.from));
        }
    }
    // An entry for a region cannot widen what holds everywhere, so that resuming needs none there; everywhere it needs
    // one only if nothing is left that says "active".
    let is_whole = command.region.is_none() && command.category.is_none();
    let still_active = entries.iter().any(|entry| {
        entry.region.is_none()
            && entry.category.is_none()
            && entry.state <= PartnershipState::Pilot
            && entry.until.is_none_or(|until| from < until)
    });
    if state > PartnershipState::Pilot || (is_whole && !still_active) {
        entries.push(Partnership {
            region: command.region.clone(),
            category: command.category.clone(),
            state,
            from,
            until: command.until,
        });
    }
}
