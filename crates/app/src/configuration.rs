//! What is configured (配置): read whole, kept in memory, and named by one generation number that decisions guard.

use std::collections::BTreeMap;

use fenqi_domain::calendar::Holidays;
use fenqi_domain::consent::Document;
use fenqi_domain::market::{Institution, Notice, Product, Region, Seller, Window};
use fenqi_domain::payment::DebitRule;
use fenqi_domain::plan::{Campaign, Plan};
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_store::tables::settings::Setting;
use fenqi_store::{Fault, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Kinds of configuration, as they are stored.
pub mod kinds {
    /// An institution.
    pub const INSTITUTION: &str = "institution";
    /// A plan, in versions.
    pub const PLAN: &str = "plan";
    /// A plan that is no longer offered; its versions stay for the agreements that were signed on them.
    pub const WITHDRAWN: &str = "plan_withdrawn";
    /// A product.
    pub const PRODUCT: &str = "product";
    /// A seller.
    pub const SELLER: &str = "seller";
    /// A region.
    pub const REGION: &str = "region";
    /// A maintenance window.
    pub const WINDOW: &str = "window";
    /// A public notice.
    pub const NOTICE: &str = "notice";
    /// A campaign.
    pub const CAMPAIGN: &str = "campaign";
    /// A document, in versions.
    pub const DOCUMENT: &str = "document";
    /// Days off and make-up days of a year.
    pub const HOLIDAYS: &str = "holidays";
    /// The rules of operation.
    pub const RULES: &str = "rules";
}

/// Rules of operation that are configuration because law or practice sets them (`domain.md` marks them S or M).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The hours of the day from which and until which people may be contacted (GB/T 45251-2025: not 22:00 to 8:00).
    pub contact_hours: (i8, i8),
    /// Days after which a seller who did not answer a return is passed over to the platform.
    pub return_answer_days: u16,
    /// Days from a due date on which a debit is tried, and how often.
    pub debit: DebitRule,
    /// Minutes after which a payment that the channel does not know, and has closed, counts as failed.
    pub channel_settle_minutes: u16,
    /// A change of a limit, a waiver, or a refund in a seller's place that comes to more than this needs a second person
    /// (双人复核), in minor units. All that was changed of the limit, or waived or refunded of the agreement, in the last
    /// `second_person_days` counts with it.
    pub second_person_above: i64,
    /// Days over which what staff did is added up, this day included, so that no large sum is done in small parts.
    pub second_person_days: u16,
    /// Payments that staff enter by hand need a second person above this, in minor units, added up in the same way. With
    /// zero each does: nothing stands behind such a payment but the word of whoever enters it.
    pub entered_alone_up_to: i64,
    /// The age of majority, in years (民法典 17).
    pub majority: u8,
    /// Hours for which a proposal may be decided.
    pub proposal_hours: u16,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            contact_hours: (8, 22),
            return_answer_days: 7,
            debit: DebitRule {
                days: vec![0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60],
                a_day: 2,
                in_all: 16,
            },
            channel_settle_minutes: 30,
            second_person_above: 1_000_000,
            second_person_days: 30,
            entered_alone_up_to: 0,
            majority: 18,
            proposal_hours: 72,
        }
    }
}

/// Everything configured, of one generation.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The number that decisions guard.
    pub generation: i64,
    /// Institutions by code.
    pub institutions: BTreeMap<String, Institution>,
    /// Plans on offer, each in its newest version, by code.
    pub plans: BTreeMap<String, Plan>,
    /// Products by article number.
    pub products: BTreeMap<String, Product>,
    /// Sellers by code.
    pub sellers: BTreeMap<String, Seller>,
    /// Regions by code.
    pub regions: BTreeMap<String, Region>,
    /// Maintenance windows.
    pub windows: Vec<Window>,
    /// Public notices.
    pub notices: Vec<Notice>,
    /// Campaigns by code.
    pub campaigns: BTreeMap<String, Campaign>,
    /// Documents, each in its newest version, by code.
    pub documents: BTreeMap<String, Document>,
    /// The calendar of contracts.
    pub holidays: Holidays,
    /// The rules of operation.
    pub rules: Rules,
}

impl Configuration {
    /// Reads all of it.
    pub(crate) async fn read(store: &Store) -> Result<Configuration, Fault> {
        let (generation, settings) = store.settings().await?;
        let mut configuration = Configuration {
            generation,
            ..Configuration::default()
        };
        let (mut days_off, mut make_up_days) = (Vec::new(), Vec::new());
        for setting in &settings {
            if setting.kind == kinds::HOLIDAYS {
                let year: Holidays = setting.detail()?;
                days_off.extend_from_slice(year.days_off());
                make_up_days.extend_from_slice(year.make_up_days());
            } else {
                configuration.take(setting)?;
            }
        }
        configuration.holidays = Holidays::new(days_off, make_up_days);
        for setting in settings.iter().filter(|s| s.kind == kinds::WITHDRAWN) {
            configuration.plans.remove(&setting.code);
        }
        Ok(configuration)
    }

    /// Takes one item; settings come by kind, code and version, so that a newer version replaces an older one.
    fn take(&mut self, setting: &Setting) -> Result<(), Fault> {
        let code = setting.code.clone();
        match setting.kind.as_str() {
            kinds::INSTITUTION => drop(self.institutions.insert(code, setting.detail()?)),
            kinds::PLAN => drop(self.plans.insert(code, setting.detail()?)),
            kinds::PRODUCT => drop(self.products.insert(code, setting.detail()?)),
            kinds::SELLER => drop(self.sellers.insert(code, setting.detail()?)),
            kinds::REGION => drop(self.regions.insert(code, setting.detail()?)),
            kinds::WINDOW => self.windows.push(setting.detail()?),
            kinds::NOTICE => self.notices.push(setting.detail()?),
            kinds::CAMPAIGN => drop(self.campaigns.insert(code, setting.detail()?)),
            kinds::DOCUMENT => drop(self.documents.insert(code, setting.detail()?)),
            kinds::RULES => self.rules = setting.detail()?,
            kinds::WITHDRAWN => {}
            unknown => {
                return Err(Fault::Corrupt {
                    statement: "setting.all",
                    what: format!("unknown kind `{unknown}`"),
                });
            }
        }
        Ok(())
    }

    /// An institution.
    pub fn institution(&self, code: &str) -> Option<&Institution> {
        self.institutions.get(code)
    }

    // R30: each capability is switched off on its own; repaying is not checkout
    /// Whether a capability is open for an institution (or `platform`) at this instant.
    ///
    /// Errors: [`Refusal::Maintenance`] with the party that is down and the expected end.
    pub fn open_for(&self, capability: Capability, institution: &str, now: Timestamp) -> Result<(), Refusal> {
        match self
            .windows
            .iter()
            .find(|window| window.closes(capability, institution, now))
        {
            None => Ok(()),
            Some(window) => Err(Refusal::Maintenance {
                party: window.party.clone(),
                capability,
                until: self.expected_end(window, now),
            }),
        }
    }

    /// When a window ends: its own end, or what the notice about it expects.
    fn expected_end(&self, window: &Window, now: Timestamp) -> Option<Timestamp> {
        let noticed = || {
            let about = |n: &&Notice| n.party == window.party && n.from <= now && n.ended_at.is_none();
            self.notices
                .iter()
                .find(about)
                .and_then(|n| n.expected_recovery_at)
        };
        window.until.or_else(noticed)
    }
}
