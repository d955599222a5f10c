//! The use cases: where the rules meet the world.
//!
//! One use case is one file with one verb. It takes the [`Actor`](fenqi_domain::actor::Actor) first and checks it at
//! its top, reads what it needs in one snapshot, lets the rules decide, and commits the decision as one batch. Outside
//! parties are called between commits, never inside one (`ports`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use fenqi_domain::actor::Actor;
use fenqi_domain::id::{AgreementId, Ids, ShopperId};
use fenqi_domain::market::Outage;
use fenqi_domain::refusal::Refusal;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::{Fault, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

mod audit;
pub mod checkout;
pub mod clock;
pub mod configuration;
pub mod jobs;
pub mod mistake;
pub mod operations;
pub mod outcome;
pub mod ports;
pub mod repayment;
pub mod servicing;
pub mod texts;
mod unit;
pub mod verify;

pub use clock::Clock;
pub use configuration::Configuration;
pub use mistake::{Invalid, Mistake};
pub use outcome::{Change, Denied, Key};

use crate::mistake::Thing;
use crate::ports::Parties;

/// One platform: its store, its outside parties, its clock, and what is configured.
pub struct App {
    /// Where everything is kept.
    pub store: Store,
    /// The outside parties.
    pub parties: Parties,
    /// The business clock.
    pub clock: Clock,
    /// The time zone of contracts.
    pub zone: TimeZone,
    seeds: AtomicU64,
    cached: RwLock<Option<Arc<Configuration>>>,
    outages: Mutex<Vec<Outage>>,
}

/// The moment of one decision: its instant, its business day, and its source of identifiers.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// The business day in the contracts' time zone.
    pub today: Date,
    /// Where new identifiers come from.
    pub ids: Ids,
}

impl App {
    /// A platform. The seed decides its identifiers: from the machine's randomness in service, fixed in a story.
    pub fn new(store: Store, parties: Parties, clock: Clock, zone: TimeZone, seed: u64) -> App {
        App {
            store,
            parties,
            clock,
            zone,
            seeds: AtomicU64::new(seed),
            cached: RwLock::new(None),
            outages: Mutex::default(),
        }
    }

    /// An agreement of a shopper whom the actor may see; staff are told if there is none.
    pub(crate) async fn agreement(
        &self,
        actor: &Actor,
        shopper: ShopperId,
        id: AgreementId,
    ) -> Result<AgreementFile, Denied> {
        let file = self.store.agreement(shopper, id).await?;
        file.ok_or_else(|| Denied::unknown(actor, "/agreement", Thing::Agreement, id))
    }

    /// The moment of a decision that is made now.
    pub fn moment(&self) -> Moment {
        let now = self.clock.now();
        let seed = self.seeds.fetch_add(SEED_STEP, Ordering::Relaxed);
        Moment {
            now,
            today: self.day_of(now),
            ids: Ids::new(now, seed),
        }
    }

    /// The business day of an instant.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }

    /// The instant at which a business day has reached an hour.
    pub fn instant_of(&self, day: Date, hour: i8) -> Timestamp {
        let time = day.at(hour.clamp(0, 23), 0, 0, 0);
        self.zone
            .to_ambiguous_timestamp(time)
            .compatible()
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What is configured, read again if somebody changed it.
    pub async fn configuration(&self) -> Result<Arc<Configuration>, Fault> {
        let cached = self.cached.read().ok().and_then(|cache| cache.clone());
        match cached {
            Some(configuration) => Ok(configuration),
            None => self.reload().await,
        }
    }

    /// Reads the configuration again: after a change, and when a commit was refused because of one.
    pub(crate) async fn reload(&self) -> Result<Arc<Configuration>, Fault> {
        let fresh = Arc::new(Configuration::read(&self.store).await?);
        if let Ok(mut cache) = self.cached.write() {
            *cache = Some(fresh.clone());
        }
        Ok(fresh)
    }

    /// Parties that did not answer lately: plans that need them are shown as down for a moment, not as refused (R7).
    pub fn outages(&self) -> Vec<Outage> {
        self.outages
            .lock()
            .map(|outages| outages.clone())
            .unwrap_or_default()
    }

    /// Notes that a party did not answer, and says so with the instant from which trying again makes sense.
    pub(crate) fn unreachable(&self, party: &str) -> Denied {
        let now = self.clock.now();
        let retry_after = now
            .checked_add(jiff::SignedDuration::from_secs(OUTAGE_SECONDS))
            .unwrap_or(now);
        if let Ok(mut outages) = self.outages.lock() {
            outages.retain(|outage| outage.party != party && outage.retry_after > now);
            outages.push(Outage {
                party: party.into(),
                retry_after,
            });
        }
        Refusal::TemporaryFault {
            party: party.into(),
            retry_after,
        }
        .into()
    }
}

/// How far the seeds of two decisions are apart: 2²⁰ steps of the generator that makes identifiers (SplitMix64), so that
/// two decisions of one instant share no number as long as none makes half a million of them.
const SEED_STEP: u64 = 0x9E37_79B9_7F4A_7C15 << 20;

/// For how long a party that did not answer is left alone, in seconds.
const OUTAGE_SECONDS: i64 = 60;
