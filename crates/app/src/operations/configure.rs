//! Puts or replaces items of configuration (市场配置): institutions, plans, products, sellers, regions, campaigns,
//! documents, holidays, rules. One command may carry a whole market; it is taken whole or not at all.
//!
//! What it costs to buy, to be late and to repay is set by two people: new plans, prices and margins of articles, caps of
//! regions, campaigns, and the rules, among which is what one person may do alone. Nobody is promised anything until
//! somebody has an account; until then a shop is set up by one hand (ADR 18).

use std::collections::{BTreeMap, BTreeSet};

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::allowed::Allowed;
use fenqi_domain::calendar::Holidays;
use fenqi_domain::consent::Document;
use fenqi_domain::market::{Institution, Product, Region, Seller};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Campaign, Plan};
use fenqi_store::Batch;
use fenqi_store::tables::settings::{self, Setting};
use fenqi_store::tables::staff::PLATFORM;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::By;
use crate::configuration::{Rules, kinds};
use crate::mistake::{Invalid, Mistake, Thing};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::{audit, because, budget};
use crate::outcome::{Change, Denied, Key};
use crate::unit::request;
use crate::{App, Moment};

/// One item of configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "item")]
pub enum Item {
    /// An institution, put or replaced.
    Institution(Institution),
    /// A plan in a new version; versions are never changed.
    Plan(Box<Plan>),
    /// The code of a plan that is no longer offered. It does not come back; agreements signed on it run on.
    WithdrawPlan(String),
    /// A product, put or replaced.
    Product(Product),
    /// A seller, put or replaced.
    Seller(Seller),
    /// A region, put or replaced.
    Region(Region),
    /// A campaign, put or replaced. Its budget is opened the first time; afterwards it is set by `budget`.
    Campaign(Campaign),
    /// A document in a new version; versions are never changed.
    Document(Document),
    /// The days off and make-up days of one calendar, such as `cn-2026`.
    Holidays {
        /// Its code.
        code: String,
        /// Its days.
        days: Holidays,
    },
    /// The rules of operation.
    Rules(Rules),
}

/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configure {
    /// What to put, in any order.
    pub items: Vec<Item>,
    /// Why.
    pub reason: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// The generation of the configuration after it.
    pub generation: i64,
    /// How many items were written; a version that is there already, word for word, is not written again.
    pub written: usize,
}

/// Puts items of configuration. What concerns money needs another person once somebody has an account.
///
/// Errors: [`Denied::Invalid`] with every mistake of every item, of which a version that stands with another content and a
/// plan that was withdrawn are two.
pub async fn configure(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Configure,
) -> Result<Change<Outcome<Configured>>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    if command.items.is_empty() {
        return Err(Denied::invalid("/items", Mistake::Missing));
    }
    let asked = request(PLATFORM, actor, key, "configure", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let mut batch = Batch::new(PLATFORM);
            let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
            let proposed = Proposed::Configure(command.clone());
            approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
        })
        .await?;
    app.reload().await?;
    Ok(change)
}

/// Whether the shop is open: somebody has an account, and may rest on what is configured.
pub(super) async fn is_open(app: &App) -> Result<bool, Denied> {
    Ok(!app.store.owners_after("", 1).await?.is_empty())
}

/// Writes the items, with their audit record.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &Configure,
    moment: &mut Moment,
) -> Result<Weighed<Configured>, Denied> {
    let (generation, stored) = app.store.settings().await?;
    let codes = Codes::after(&stored, &command.items);
    let mut wrong = Vec::new();
    for (index, item) in command.items.iter().enumerate() {
        let mut checks = Checks {
            place: format!("/items/{index}"),
            wrong: &mut wrong,
        };
        item.check(&codes, &mut checks);
    }
    if !wrong.is_empty() {
        return Err(Denied::Invalid(wrong));
    }
    settings::raise_generation(batch, generation);
    let mut written = 0usize;
    let mut is_money = false;
    let mut replaces = Vec::with_capacity(command.items.len());
    let mut subjects: BTreeSet<String> = BTreeSet::new();
    for (index, item) in command.items.iter().enumerate() {
        let place = format!("/items/{index}");
        let before = newest(&stored, item)?;
        let concerns_money = item.concerns_money(before.as_ref());
        replaces.push(before);
        if write(batch, (&place, item), command, &stored)? {
            is_money |= concerns_money;
            written = written.saturating_add(1);
            subjects.insert(item.subject());
        }
    }
    // A whole market is one decision: the record names its first items, and the command is kept with one that is small.
    let named: Vec<String> = subjects.iter().take(8).cloned().collect();
    let about = ("market.configure", named.join(", "));
    let kept = if command.items.len() <= 8 {
        serde_json::json!(command.items)
    } else {
        serde_json::json!({ "items": command.items.len(), "written": written })
    };
    audit(batch, by, (about.0, &about.1), &command.reason, &kept, moment);
    Ok(Weighed {
        reply: Configured {
            generation: generation.saturating_add(1),
            written,
        },
        needs_two: is_money && is_open(app).await?,
        replaces: serde_json::json!(replaces),
    })
}

/// What stands in the place of an item: its newest version.
fn newest(stored: &[Setting], item: &Item) -> Result<Option<Value>, Denied> {
    let (kind, code) = item.place();
    let versions = stored.iter().filter(|s| s.kind == kind && s.code == code);
    let newest = versions.max_by_key(|s| s.version);
    Ok(newest.map(Setting::detail).transpose()?)
}

/// Writes the item of a place; says whether there was anything to write.
fn write(
    batch: &mut Batch,
    (place, item): (&str, &Item),
    command: &Configure,
    stored: &[Setting],
) -> Result<bool, Denied> {
    match item {
        Item::Institution(item) => settings::put_setting(batch, kinds::INSTITUTION, &item.code, 1, item),
        Item::Plan(plan) => {
            if !is_new(
                stored,
                (kinds::PLAN, &plan.code, plan.version),
                plan.as_ref(),
                place,
            )? {
                return Ok(false);
            }
            settings::put_setting(batch, kinds::PLAN, &plan.code, plan.version, plan);
        }
        Item::WithdrawPlan(code) => settings::put_setting(batch, kinds::WITHDRAWN, code, 1, &true),
        Item::Product(item) => settings::put_setting(batch, kinds::PRODUCT, &item.sku, 1, item),
        Item::Seller(item) => settings::put_setting(batch, kinds::SELLER, &item.code, 1, item),
        Item::Region(item) => settings::put_setting(batch, kinds::REGION, &item.code, 1, item),
        Item::Campaign(item) => {
            let known = stored
                .iter()
                .find(|s| s.kind == kinds::CAMPAIGN && s.code == item.code);
            let mut item = item.clone();
            match known {
                // What was opened stays on record, so that what is left can be reckoned from it.
                Some(known) => item.budget = known.detail::<Campaign>()?.budget,
                None => {
                    let largest = largest_subsidy(&item.code, &command.items, stored)?;
                    settings::open_budget(batch, &item.code, &budget::slices(item.budget, largest));
                }
            }
            settings::put_setting(batch, kinds::CAMPAIGN, &item.code, 1, &item);
        }
        Item::Document(item) => {
            if !is_new(stored, (kinds::DOCUMENT, &item.code, item.version), item, place)? {
                return Ok(false);
            }
            settings::put_setting(batch, kinds::DOCUMENT, &item.code, item.version, item);
        }
        Item::Holidays { code, days } => settings::put_setting(batch, kinds::HOLIDAYS, code, 1, days),
        Item::Rules(rules) => settings::put_setting(batch, kinds::RULES, "rules", 1, rules),
    }
    Ok(true)
}

/// Whether a version is not there yet; the same version with the same content is, and with another one it is refused.
fn is_new<T>(
    stored: &[Setting],
    (kind, code, version): (&str, &str, u32),
    item: &T,
    place: &str,
) -> Result<bool, Denied>
where
    T: PartialEq + serde::de::DeserializeOwned,
{
    let newest = stored
        .iter()
        .filter(|s| s.kind == kind && s.code == code)
        .map(|s| s.version)
        .max()
        .unwrap_or(0);
    if version > newest {
        return Ok(true);
    }
    let same = stored
        .iter()
        .find(|s| s.kind == kind && s.code == code && s.version == version);
    match same {
        Some(known) if known.detail::<T>()? == *item => Ok(false),
        // Versions are never changed.
        _ => {
            let next = i64::from(newest).saturating_add(1);
            let mistake = Mistake::count(version, next, None);
            Err(Denied::invalid(&format!("{place}/version"), mistake))
        }
    }
}

/// The most that one purchase on a plan of a campaign can cost its seller.
pub(super) fn largest_subsidy(campaign: &str, items: &[Item], stored: &[Setting]) -> Result<Amount, Denied> {
    let mut largest = Amount::ZERO;
    let mut take = |plan: &Plan| -> Result<(), Denied> {
        if plan.campaign.as_deref() == Some(campaign) {
            largest = largest.max(budget::most_of(plan)?);
        }
        Ok(())
    };
    for setting in stored.iter().filter(|s| s.kind == kinds::PLAN) {
        take(&setting.detail()?)?;
    }
    for item in items {
        if let Item::Plan(plan) = item {
            take(plan)?;
        }
    }
    Ok(largest)
}

/// The codes that will be known once the command is carried out, by kind.
struct Codes(BTreeMap<&'static str, BTreeSet<String>>);

impl Codes {
    fn after(stored: &[Setting], items: &[Item]) -> Codes {
        let mut codes: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        let kinds = [
            kinds::INSTITUTION,
            kinds::SELLER,
            kinds::PLAN,
            kinds::CAMPAIGN,
            kinds::WITHDRAWN,
        ];
        for kind in kinds {
            let known = stored.iter().filter(|s| s.kind == kind).map(|s| s.code.clone());
            codes.insert(kind, known.collect());
        }
        for item in items {
            let (kind, code) = match item {
                Item::Institution(item) => (kinds::INSTITUTION, &item.code),
                Item::Seller(item) => (kinds::SELLER, &item.code),
                Item::Plan(item) => (kinds::PLAN, &item.code),
                Item::Campaign(item) => (kinds::CAMPAIGN, &item.code),
                _ => continue,
            };
            codes.entry(kind).or_default().insert(code.clone());
        }
        Codes(codes)
    }

    fn has(&self, kind: &str, code: &str) -> bool {
        self.0.get(kind).is_some_and(|codes| codes.contains(code))
    }
}

/// The longest text that people read, in characters.
const TEXT_MAX: usize = 2_000;

/// Kinds that several items name.
const LENDER: (&str, Thing) = (kinds::INSTITUTION, Thing::Institution);
const SELLER: (&str, Thing) = (kinds::SELLER, Thing::Seller);

/// The mistakes found so far, and where the next ones are.
struct Checks<'a> {
    place: String,
    wrong: &'a mut Vec<Invalid>,
}

impl Checks<'_> {
    /// Notes what is wrong with a field, if anything is.
    fn note(&mut self, field: &str, mistake: Option<Mistake>) {
        let field = format!("{}/{field}", self.place);
        self.wrong
            .extend(mistake.map(|mistake| Invalid { field, mistake }));
    }

    /// Notes a field unless it is what is allowed.
    fn expect(&mut self, holds: bool, field: &str, allowed: Allowed, given: impl std::fmt::Display) {
        self.note(field, (!holds).then(|| Mistake::not(allowed, given)));
    }

    /// Notes a field unless a number lies within bounds.
    fn within(&mut self, field: &str, given: impl Into<i64>, least: i64, most: Option<i64>) {
        let given = given.into();
        let fits = least <= given && most.is_none_or(|most| given <= most);
        self.note(field, (!fits).then(|| Mistake::count(given, least, most)));
    }

    fn code(&mut self, field: &str, code: &str) {
        self.note(field, Mistake::of_code(code));
    }

    /// A text for people, which must say something.
    fn text(&mut self, field: &str, text: &str) {
        self.note(field, Mistake::of_text(text, TEXT_MAX));
    }

    fn names(&mut self, zh: &str, en: &str) {
        self.text("name_zh", zh);
        self.text("name_en", en);
    }

    fn known(&mut self, codes: &Codes, (kind, thing): (&str, Thing), field: &str, code: &str) {
        let is_known = codes.has(kind, code);
        self.note(field, (!is_known).then(|| Mistake::unknown(thing, code)));
    }
}

impl Item {
    /// Its kind and code.
    fn place(&self) -> (&'static str, &str) {
        match self {
            Item::Institution(item) => (kinds::INSTITUTION, &item.code),
            Item::Plan(item) => (kinds::PLAN, &item.code),
            Item::WithdrawPlan(code) => (kinds::WITHDRAWN, code),
            Item::Product(item) => (kinds::PRODUCT, &item.sku),
            Item::Seller(item) => (kinds::SELLER, &item.code),
            Item::Region(item) => (kinds::REGION, &item.code),
            Item::Campaign(item) => (kinds::CAMPAIGN, &item.code),
            Item::Document(item) => (kinds::DOCUMENT, &item.code),
            Item::Holidays { code, .. } => (kinds::HOLIDAYS, code),
            Item::Rules(_) => (kinds::RULES, "rules"),
        }
    }

    /// Whether it changes what somebody is to pay, or what the platform or a seller promises to pay: anything of a plan,
    /// a campaign or the rules, the price and the margin of an article, the cap and the currency of a region.
    fn concerns_money(&self, before: Option<&Value>) -> bool {
        let fields: &[&str] = match self {
            Item::Plan(_) | Item::Campaign(_) | Item::Rules(_) => &[],
            Item::Product(_) => &["price", "margin_for_plans"],
            Item::Region(_) => &["annual_cap", "currency"],
            Item::Institution(_)
            | Item::WithdrawPlan(_)
            | Item::Seller(_)
            | Item::Document(_)
            | Item::Holidays { .. } => return false,
        };
        let own = serde_json::json!(self);
        let after = own.get("item");
        let differs = |field: &&str| before.and_then(|b| b.get(field)) != after.and_then(|a| a.get(field));
        if fields.is_empty() {
            before != after
        } else {
            fields.iter().any(differs)
        }
    }

    /// What the audit trail calls it.
    fn subject(&self) -> String {
        match self {
            Item::Institution(item) => format!("institution {}", item.code),
            Item::Plan(plan) => format!("plan {} version {}", plan.code, plan.version),
            Item::WithdrawPlan(code) => format!("plan {code} withdrawn"),
            Item::Product(item) => format!("product {}", item.sku),
            Item::Seller(item) => format!("seller {}", item.code),
            Item::Region(item) => format!("region {}", item.code),
            Item::Campaign(item) => format!("campaign {}", item.code),
            Item::Document(item) => format!("document {} version {}", item.code, item.version),
            Item::Holidays { code, .. } => format!("holidays {code}"),
            Item::Rules(_) => "rules".into(),
        }
    }

    fn check(&self, codes: &Codes, checks: &mut Checks<'_>) {
        match self {
            Item::Institution(item) => institution(item, checks),
            Item::Plan(plan) => self::plan(plan, codes, checks),
            Item::WithdrawPlan(code) => checks.known(codes, (kinds::PLAN, Thing::Plan), "code", code),
            Item::Product(item) => product(item, codes, checks),
            Item::Seller(item) => {
                checks.code("code", &item.code);
                checks.names(&item.name_zh, &item.name_en);
                for institution in &item.institutions {
                    checks.known(codes, LENDER, "institutions", institution);
                }
            }
            Item::Region(item) => region(item, checks),
            Item::Campaign(item) => {
                checks.code("code", &item.code);
                checks.known(codes, SELLER, "seller", &item.seller);
                let (given, after) = (item.until, item.from);
                let mistake = (given <= after).then_some(Mistake::NotAfter { given, after });
                checks.note("until", mistake);
                checks.note("budget", Mistake::of_positive(item.budget));
            }
            Item::Document(item) => {
                checks.code("code", &item.code);
                checks.within("version", item.version, 1, None);
                let is_digest = item.hash.len() == 64 && item.hash.bytes().all(|b| b.is_ascii_hexdigit());
                checks.expect(is_digest, "hash", Allowed::Digest, &item.hash);
                checks.text("title_zh", &item.title_zh);
                checks.text("title_en", &item.title_en);
            }
            Item::Holidays { code, .. } => checks.code("code", code),
            Item::Rules(rules) => self::rules(rules, checks),
        }
    }
}

fn institution(item: &Institution, checks: &mut Checks<'_>) {
    checks.code("code", &item.code);
    checks.names(&item.name_zh, &item.name_en);
    // It names the account of its books, where a slash divides.
    let is_plain = !item.code.contains('/');
    checks.expect(is_plain, "code", Allowed::CodeWithoutSlash, &item.code);
    checks.text("contact", &item.contact);
    let serves_none = item.served_regions.is_empty();
    checks.note("served_regions", serves_none.then_some(Mistake::Missing));
    for (index, entry) in item.partnerships.iter().enumerate() {
        let after = entry.from;
        let early = entry.until.filter(|until| *until <= after);
        let mistake = early.map(|given| Mistake::NotAfter { given, after });
        checks.note(&format!("partnerships/{index}/until"), mistake);
    }
}

fn plan(item: &Plan, codes: &Codes, checks: &mut Checks<'_>) {
    for mistake in item.mistakes() {
        checks.expect(false, &mistake.field, mistake.allowed, mistake.found);
    }
    checks.known(codes, LENDER, "institution", &item.institution);
    if let Some(campaign) = &item.campaign {
        checks.known(codes, (kinds::CAMPAIGN, Thing::Campaign), "campaign", campaign);
    }
    let is_withdrawn = codes.has(kinds::WITHDRAWN, &item.code);
    let withdrawn = || Mistake::Withdrawn {
        plan: item.code.clone(),
    };
    checks.note("code", is_withdrawn.then(withdrawn));
}

fn product(item: &Product, codes: &Codes, checks: &mut Checks<'_>) {
    checks.code("sku", &item.sku);
    checks.names(&item.name_zh, &item.name_en);
    checks.code("category", &item.category);
    checks.known(codes, SELLER, "seller", &item.seller);
    checks.note("price", Mistake::of_positive(item.price));
    let is_share = (Rate::ZERO..=Rate::ONE).contains(&item.margin_for_plans);
    checks.expect(
        is_share,
        "margin_for_plans",
        Allowed::Share,
        item.margin_for_plans,
    );
}

fn region(item: &Region, checks: &mut Checks<'_>) {
    checks.code("code", &item.code);
    checks.names(&item.name_zh, &item.name_en);
    let has_cap = item.annual_cap > Rate::ZERO;
    checks.expect(has_cap, "annual_cap", Allowed::MoreThanZero, item.annual_cap);
    checks.within("majority", item.majority, 14, Some(30));
    let zone = jiff::tz::TimeZone::get(&item.time_zone);
    checks.expect(zone.is_ok(), "time_zone", Allowed::TimeZone, &item.time_zone);
}

fn rules(rules: &Rules, checks: &mut Checks<'_>) {
    let (from, until) = rules.contact_hours;
    let hours = (0..24).contains(&from) && from < until && until <= 24;
    checks.expect(
        hours,
        "contact_hours",
        Allowed::HoursOfDay,
        format!("{from}–{until}"),
    );
    let above = Amount::from_minor(rules.second_person_above);
    checks.note("second_person_above", Mistake::of_amount(above));
    let alone = Amount::from_minor(rules.entered_alone_up_to);
    checks.note("entered_alone_up_to", Mistake::of_amount(alone));
    checks.within("second_person_days", rules.second_person_days, 1, None);
    checks.within("proposal_hours", rules.proposal_hours, 1, None);
    checks.within("majority", rules.majority, 14, Some(30));
    checks.within("return_answer_days", rules.return_answer_days, 1, None);
}
