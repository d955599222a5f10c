//! The market (市场配置): institutions and how far the partnership goes, regions, windows, notices, products and carts.
//!
//! Everything here is configuration that staff change without a deployment; each entry says from when it holds.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::NoticeId;
use crate::money::{Amount, Currency, OutOfRange, Rate};
use crate::plan::Campaign;
use crate::refusal::Capability;

/// A lender (分期机构).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Institution {
    /// Its code, such as `xiaofu`.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Where a shopper reaches it, for complaints and questions.
    pub contact: String,
    /// Whether the shopper signs here or at its own site (办理方式).
    pub flow: Flow,
    /// How far the partnership goes, where and since when.
    pub partnerships: Vec<Partnership>,
    /// The regions that it serves; a code covers those below it ([`covers`]).
    pub served_regions: Vec<String>,
    /// Categories that it never finances.
    pub excluded_categories: Vec<String>,
}

/// Where a shopper signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// On this platform, in the institution's name.
    Embedded,
    /// At the institution's own site, by one jump and no second (金融产品网络营销管理办法).
    Redirect,
}

/// How far a partnership goes, in one scope, from one instant on (合作状态, R2–R4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partnership {
    /// The region, with those below it; none for everywhere.
    pub region: Option<String>,
    /// The product category; none for all.
    pub category: Option<String>,
    /// The state.
    pub state: PartnershipState,
    /// From when.
    pub from: Timestamp,
    /// The expected end, where it is known.
    pub until: Option<Timestamp>,
}

/// How far a partnership goes, the most restrictive last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnershipState {
    /// New agreements are made (合作中).
    Active,
    /// New agreements are made, and watched closely (试点).
    Pilot,
    /// New agreements pause (暂停).
    Suspended,
    /// No new agreements; the old ones are served to their end (存量运营).
    RunOff,
    /// It is over (终止); what is still owed can still be paid.
    Ended,
}

impl Institution {
    // R1, R4: institutions come, pause and go by configuration
    /// How far the partnership goes for a category in a region at an instant, with the entry that says so.
    ///
    /// Each scope (everywhere, a region, a category, both) has its latest entry in force, and the most restrictive of
    /// them holds, so that a regional entry can narrow what holds everywhere and never widen it. Nothing in force at
    /// all means that there is no partnership.
    pub fn partnership(&self, region: &str, category: Option<&str>, now: Timestamp) -> Option<&Partnership> {
        let in_force = |p: &&Partnership| {
            p.from <= now
                && p.until.is_none_or(|until| now < until)
                && p.region.as_deref().is_none_or(|scope| covers(scope, region))
                && p.category.as_deref().is_none_or(|c| Some(c) == category)
        };
        let applicable = || self.partnerships.iter().filter(in_force);
        applicable()
            .filter(|p| {
                !applicable().any(|other| {
                    other.region == p.region && other.category == p.category && other.from > p.from
                })
            })
            .max_by_key(|p| p.state)
    }

    /// Whether it serves a region.
    pub fn serves(&self, region: &str) -> bool {
        self.served_regions.iter().any(|scope| covers(scope, region))
    }
}

/// Whether a region's code is another or lies below it. Codes are those of GB/T 2260, two digits each for province, city
/// and county: zeros at the end stand for all that lies below, so that `440000` covers `440300`, and `000000` all of them.
pub fn covers(scope: &str, region: &str) -> bool {
    let mut stem = scope;
    while let Some(shorter) = stem.strip_suffix("00").filter(|_| scope.len() == region.len()) {
        stem = shorter;
    }
    region == scope || (stem.len() < scope.len() && region.starts_with(stem))
}

// R17: law, caps, age of majority, currency of each region
/// A region with its law (地区).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its code of GB/T 2260, such as `110000`.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Whether its law allows buying in instalments here.
    pub is_allowed: bool,
    /// The most that all costs may come to in a year (综合年化上限).
    pub annual_cap: Rate,
    /// The age of majority.
    pub majority: u8,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone of the IANA database, such as `Asia/Shanghai`.
    pub time_zone: String,
    /// Where these figures come from.
    pub source: String,
}

/// A time in which a part of a party's service is down on purpose (维护窗口, R5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its code.
    pub code: String,
    /// Who is down: [`MALL`], [`PLATFORM`], or an institution's code.
    pub party: String,
    /// What is down.
    pub capabilities: Vec<Capability>,
    /// From when.
    pub from: Timestamp,
    /// Until when it is expected to last.
    pub until: Option<Timestamp>,
}

/// The mall as a party of windows and faults.
pub const MALL: &str = "mall";
/// The platform as a party of windows and faults.
pub const PLATFORM: &str = "platform";

impl Window {
    /// Whether it takes a capability away from a purchase with an institution at an instant.
    pub fn closes(&self, capability: Capability, institution: &str, now: Timestamp) -> bool {
        self.capabilities.contains(&capability)
            && concerns(&self.party, institution)
            && self.from <= now
            && self.until.is_none_or(|until| now < until)
    }
}

/// Whether a party's trouble is a purchase's trouble: the mall's and the platform's always, an institution's its own.
fn concerns(party: &str, institution: &str) -> bool {
    party == MALL || party == PLATFORM || party == institution
}

/// A party that fails at the moment (熔断), so that nobody is sent into an error (R7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Who: [`MALL`], [`PLATFORM`], or an institution's code.
    pub party: String,
    /// When it is tried again.
    pub retry_after: Timestamp,
}

impl Outage {
    /// Whether it stands in the way of a purchase with an institution at an instant.
    pub fn stops(&self, institution: &str, now: Timestamp) -> bool {
        concerns(&self.party, institution) && now < self.retry_after
    }
}

// R6: what is down, and until when
/// A notice to the public (公告, R6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its identifier.
    pub id: NoticeId,
    /// Whom it is about: [`MALL`], [`PLATFORM`], or an institution's code.
    pub party: String,
    /// The region, with those below it; none for everywhere.
    pub region: Option<String>,
    /// What is affected.
    pub capabilities: Vec<Capability>,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// Its text in Chinese.
    pub text_zh: String,
    /// Its text in English.
    pub text_en: String,
    /// From when it is shown.
    pub from: Timestamp,
    /// When things are expected to be well again (预计恢复时间).
    pub expected_recovery_at: Option<Timestamp>,
    /// When it was taken down.
    pub ended_at: Option<Timestamp>,
}

impl Notice {
    /// Whether it is shown at an instant in a region.
    pub fn is_shown(&self, region: &str, now: Timestamp) -> bool {
        self.from <= now
            && self.ended_at.is_none_or(|end| now < end)
            && self.region.as_deref().is_none_or(|scope| covers(scope, region))
    }
}

/// An article of a store (商品).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The article number.
    pub sku: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its category.
    pub category: String,
    /// The seller's code.
    pub seller: String,
    /// Its price.
    pub price: Amount,
    /// Whether it may be financed at all (库存管理与市场策略, R8).
    pub is_financeable: bool,
    /// The promotion that it is in, if any.
    pub promotion: Option<Promotion>,
    /// The share of its price that the store may spend on a plan's cost (利润空间, R10).
    pub margin_for_plans: Rate,
}

/// A promotion that an article is in (促销).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Its code.
    pub code: String,
    /// Whether articles in it may be financed.
    pub is_financeable: bool,
}

/// A seller on the mall (卖家).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// Its code.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Whether it is not the mall itself (第三方卖家).
    pub is_third_party: bool,
    /// The institutions whose terms cover it; none of them means that nothing of it is financed (R9).
    pub institutions: Vec<String>,
}

/// What somebody is about to buy (购物车).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The currency of its prices.
    pub currency: Currency,
    /// The lines.
    pub lines: Vec<CartLine>,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// The article number.
    pub sku: String,
    /// How many, at least one.
    pub quantity: u32,
    /// The price of all of them, after discounts.
    pub price: Amount,
    /// Whether the shopper wants this line financed (R41).
    pub is_wanted: bool,
}

/// A campaign with what is left of its budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningCampaign {
    /// The campaign.
    pub campaign: Campaign,
    /// What is left of its budget over all slices.
    pub remaining: Amount,
}

impl RunningCampaign {
    /// Whether it runs at an instant.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.campaign.from <= now && now < self.campaign.until
    }
}

impl Cart {
    /// The price of everything in it.
    ///
    /// # Errors
    /// [`OutOfRange`] for prices that no cart has.
    pub fn price(&self) -> Result<Amount, OutOfRange> {
        Amount::sum(self.lines.iter().map(|line| line.price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn entry(region: Option<&str>, state: PartnershipState, from: i64, until: Option<i64>) -> Partnership {
        Partnership {
            region: region.map(ToString::to_string),
            category: None,
            state,
            from: at(from),
            until: until.map(at),
        }
    }

    fn institution(partnerships: Vec<Partnership>) -> Institution {
        Institution {
            code: "xiaofu".to_string(),
            name_zh: "小付".to_string(),
            name_en: "Xiaofu".to_string(),
            contact: "95xxx".to_string(),
            flow: Flow::Embedded,
            partnerships,
            served_regions: vec!["000000".to_string()],
            excluded_categories: Vec::new(),
        }
    }

    fn state(institution: &Institution, region: &str, now: i64) -> Option<PartnershipState> {
        institution.partnership(region, None, at(now)).map(|p| p.state)
    }

    #[test]
    fn a_region_can_be_suspended_while_the_rest_goes_on() {
        use PartnershipState::{Active, Suspended};
        let xiaofu = institution(vec![
            entry(None, Active, 0, None),
            entry(Some("440000"), Suspended, 100, Some(200)),
        ]);
        assert_eq!(state(&xiaofu, "440000", 99), Some(Active));
        assert_eq!(state(&xiaofu, "440000", 100), Some(Suspended));
        assert_eq!(state(&xiaofu, "440300", 150), Some(Suspended), "a city in it");
        assert_eq!(state(&xiaofu, "110000", 150), Some(Active));
        assert_eq!(state(&xiaofu, "440000", 200), Some(Active), "resumed by itself");
    }

    #[test]
    fn the_latest_entry_of_a_scope_holds_and_an_end_everywhere_is_an_end_in_each_region() {
        use PartnershipState::{Active, Ended};
        let xiaofu = institution(vec![
            entry(None, Ended, 300, None),
            entry(None, Active, 0, None),
            entry(Some("110000"), Active, 400, None),
        ]);
        assert_eq!(state(&xiaofu, "110000", 299), Some(Active));
        assert_eq!(state(&xiaofu, "110000", 500), Some(Ended));
        assert_eq!(state(&institution(Vec::new()), "110000", 1), None);
    }

    #[test]
    fn a_regions_code_covers_what_lies_below_it_and_nothing_that_only_begins_alike() {
        for (scope, region) in [
            ("440000", "440000"),
            ("440000", "440300"),
            ("440300", "440305"),
            ("000000", "110000"),
        ] {
            assert!(covers(scope, region), "{scope} {region}");
        }
        for (scope, region) in [
            ("440300", "440000"),
            ("440300", "440400"),
            ("440305", "440306"),
            ("110000", "120000"),
            ("440000", "4403"),
            ("", "440000"),
        ] {
            assert!(!covers(scope, region), "{scope} {region}");
        }
    }

    #[test]
    fn a_window_of_one_institution_leaves_the_others_open() {
        let window = Window {
            code: "w1".to_string(),
            party: "xiaofu".to_string(),
            capabilities: vec![Capability::Confirm],
            from: at(10),
            until: Some(at(20)),
        };
        assert!(window.closes(Capability::Confirm, "xiaofu", at(10)));
        assert!(!window.closes(Capability::Repay, "xiaofu", at(10)));
        assert!(!window.closes(Capability::Confirm, "dafu", at(10)));
        assert!(!window.closes(Capability::Confirm, "xiaofu", at(20)));
        let platform = Window {
            party: PLATFORM.to_string(),
            until: None,
            ..window
        };
        assert!(platform.closes(Capability::Confirm, "dafu", at(1_000)));
    }
}
