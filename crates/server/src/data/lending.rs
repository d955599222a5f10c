//! Who lends and on what terms: institutions, campaigns, conventions, plans.

use fenqi_domain::calendar::{DueRule, Roll};
use fenqi_domain::market::{Flow, Institution, Partnership, PartnershipState, Region, Seller};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Campaign, Component, Conventions, LatePolicy, Plan, Prepayment, RefundStrategy, Settlement, Waterfall,
};

use super::goods::Category;
use super::pricing::pricing;
use super::table::{Fields, Problem, read};

/// An institution with what its sandbox judges by (放款机构的准入标准).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lender {
    /// The institution.
    pub institution: Institution,
    /// The least score that it approves, of 0 to 900 (R13).
    pub minimum_score: u16,
    /// The most that it approves.
    pub limit_maximum: Amount,
}

/// A campaign with its names (活动).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCampaign {
    /// The campaign.
    pub campaign: Campaign,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// Reads `institutions.csv`.
pub fn lenders(
    file: &str,
    bytes: &[u8],
    regions: &[Region],
    categories: &[Category],
) -> Result<Vec<Lender>, Vec<Problem>> {
    let columns = [
        "code",
        "name_zh",
        "name_en",
        "contact",
        "flow",
        "state",
        "since",
        "excluded_regions",
        "excluded_categories",
        "minimum_score",
        "limit_maximum",
    ];
    let states = [
        ("active", PartnershipState::Active),
        ("pilot", PartnershipState::Pilot),
        ("suspended", PartnershipState::Suspended),
        ("run_off", PartnershipState::RunOff),
        ("ended", PartnershipState::Ended),
    ];
    read(file, bytes, &columns, |row| {
        let (code, name_zh, name_en) = (row.unique_code("code"), row.text("name_zh"), row.text("name_en"));
        let contact = row.text("contact");
        let flow = row.choice(
            "flow",
            &[("embedded", Flow::Embedded), ("redirect", Flow::Redirect)],
        );
        let (state, from) = (row.choice("state", &states), row.instant("since"));
        let all = || regions.iter().map(|region| region.code.as_str());
        let excluded = row.known_list("excluded_regions", all());
        let known = categories.iter().map(|category| category.code.as_str());
        let excluded_categories = row.known_list("excluded_categories", known);
        let (minimum_score, limit_maximum) =
            (row.number("minimum_score", 0, 900), row.amount("limit_maximum"));
        let partnership = Partnership {
            region: None,
            category: None,
            state: state?,
            from: from?,
            until: None,
        };
        let excluded = excluded?;
        let is_served = |code: &&str| !excluded.iter().any(|excluded| excluded == code);
        let institution = Institution {
            code: code?,
            name_zh: name_zh?,
            name_en: name_en?,
            contact: contact?,
            flow: flow?,
            partnerships: vec![partnership],
            served_regions: all().filter(is_served).map(str::to_owned).collect(),
            excluded_categories: excluded_categories?,
        };
        Some(Lender {
            institution,
            minimum_score: minimum_score?,
            limit_maximum: limit_maximum?,
        })
    })
}

/// Reads `campaigns.csv`.
pub fn campaigns(file: &str, bytes: &[u8], sellers: &[Seller]) -> Result<Vec<NamedCampaign>, Vec<Problem>> {
    read(
        file,
        bytes,
        &["code", "seller", "name_zh", "name_en", "from", "until", "budget"],
        |row| {
            let (code, name_zh, name_en) =
                (row.unique_code("code"), row.text("name_zh"), row.text("name_en"));
            let seller = row.known("seller", sellers.iter().map(|seller| seller.code.as_str()));
            let (from, until) = (row.instant("from"), row.instant("until"));
            let budget = row.amount("budget");
            let (from, until) = (from?, until?);
            if until <= from {
                return row.refuse("until", "an instant after the one in from");
            }
            let campaign = Campaign {
                code: code?,
                seller: seller?,
                from,
                until,
                budget: budget?,
            };
            Some(NamedCampaign {
                campaign,
                name_zh: name_zh?,
                name_en: name_en?,
            })
        },
    )
}

pub(super) const ROUNDINGS: [(&str, Rounding); 4] = [
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
    ("down", Rounding::Down),
    ("up", Rounding::Up),
];

/// Reads `conventions.csv`: each with its code.
pub fn conventions(file: &str, bytes: &[u8]) -> Result<Vec<(String, Conventions)>, Vec<Problem>> {
    let columns = [
        "code",
        "rounding",
        "remainder",
        "roll",
        "waterfall",
        "row_by_row",
        "grace_days",
        "late_fee",
        "late_daily",
        "from_due_date",
        "annual_cap",
        "settlement",
        "settlement_figure",
        "prepayment",
        "refund",
    ];
    read(file, bytes, &columns, |row| {
        let code = row.unique_code("code");
        let rounding = row.choice("rounding", &ROUNDINGS);
        let remainders = [
            ("first", Remainder::First),
            ("last", Remainder::Last),
            ("spread", Remainder::Spread),
        ];
        let remainder = row.choice("remainder", &remainders);
        let rolls = [
            ("none", Roll::None),
            ("following", Roll::Following),
            ("modified_following", Roll::ModifiedFollowing),
        ];
        let roll = row.choice("roll", &rolls);
        let waterfall = waterfall(row);
        let late = late(row);
        let settlement = settlement(row);
        let prepayments = [
            ("shorter_term", Prepayment::ShorterTerm),
            ("lower_instalment", Prepayment::LowerInstalment),
            ("next_first", Prepayment::NextFirst),
        ];
        let prepayment = row.choice("prepayment", &prepayments);
        let refunds = [
            ("last_first", RefundStrategy::LastFirst),
            ("proportional", RefundStrategy::Proportional),
            ("next_first", RefundStrategy::NextFirst),
            ("overdue_first", RefundStrategy::OverdueFirst),
        ];
        let refund = row.choice("refund", &refunds);
        let conventions = Conventions {
            rounding: rounding?,
            remainder: remainder?,
            roll: roll?,
            waterfall: waterfall?,
            late: late?,
            settlement: settlement?,
            prepayment: prepayment?,
            refund: refund?,
            servicing: None,
        };
        Some((code?, conventions))
    })
}

fn waterfall(row: &mut Fields<'_>) -> Option<Waterfall> {
    let row_by_row = row.yes_no("row_by_row");
    let component = |word: &str| match word {
        "penalty" => Some(Component::Penalty),
        "fee" => Some(Component::Fee),
        "interest" => Some(Component::Interest),
        "principal" => Some(Component::Principal),
        _ => None,
    };
    let order: Option<Vec<Component>> = row.raw("waterfall").split('>').map(component).collect();
    let is_each_once = |order: &Vec<Component>| {
        let mut sorted = order.clone();
        sorted.sort();
        sorted.dedup();
        sorted.len() == 4 && order.len() == 4
    };
    let order = match order.filter(is_each_once) {
        Some(order) => Some(order),
        None => row.refuse(
            "waterfall",
            "penalty, fee, interest and principal, each once, with > between them",
        ),
    };
    Some(Waterfall {
        order: order?,
        row_by_row: row_by_row?,
    })
}

fn late(row: &mut Fields<'_>) -> Option<LatePolicy> {
    let grace_days = row.number("grace_days", 0, 90);
    let fee = row.amount_or_zero("late_fee");
    let daily = row.percent("late_daily");
    let from_due_date = row.yes_no("from_due_date");
    let annual_cap = row.percent("annual_cap");
    Some(LatePolicy {
        grace_days: grace_days?,
        fee: fee?,
        daily: daily?,
        from_due_date: from_due_date?,
        annual_cap: annual_cap?,
    })
}

fn settlement(row: &mut Fields<'_>) -> Option<Settlement> {
    match row.raw("settlement").as_str() {
        "remaining_fee" => Some(Settlement::RemainingFee {
            share: row.percent("settlement_figure")?,
        }),
        "flat" => Some(Settlement::Flat {
            fee: row.amount("settlement_figure")?,
        }),
        _ => {
            let choices = [
                ("waive_unaccrued", Settlement::WaiveUnaccrued),
                ("actuarial", Settlement::Actuarial),
                ("rule_of_78", Settlement::RuleOf78),
                ("remaining_fee", Settlement::WaiveUnaccrued),
                ("flat", Settlement::WaiveUnaccrued),
            ];
            let chosen = row.choice("settlement", &choices);
            row.nothing("settlement_figure", "this settlement has no figure")?;
            chosen
        }
    }
}

/// Reads `plans.csv`. Every plan read is its version 1.
pub fn plans(
    file: &str,
    bytes: &[u8],
    lenders: &[Lender],
    campaigns: &[NamedCampaign],
    conventions: &[(String, Conventions)],
) -> Result<Vec<Plan>, Vec<Problem>> {
    let columns = [
        "code",
        "institution",
        "name_zh",
        "name_en",
        "count",
        "pricing",
        "rate",
        "timing",
        "fee_rounding",
        "day_count",
        "left",
        "growth",
        "every",
        "minimum",
        "maximum",
        "down_payment",
        "borne_by_seller",
        "campaign",
        "due",
        "conventions",
        "hold_days",
        "quote_minutes",
        "needs_card",
    ];
    read(file, bytes, &columns, |row| {
        plan(row, lenders, campaigns, conventions)
    })
}

fn plan(
    row: &mut Fields<'_>,
    lenders: &[Lender],
    campaigns: &[NamedCampaign],
    conventions: &[(String, Conventions)],
) -> Option<Plan> {
    let (code, name_zh, name_en) = (row.unique_code("code"), row.text("name_zh"), row.text("name_en"));
    let institution = row.known(
        "institution",
        lenders.iter().map(|lender| lender.institution.code.as_str()),
    );
    let count = row.number("count", 1, 60);
    let pricing = pricing(row);
    let (minimum, maximum) = (row.amount("minimum"), row.amount("maximum"));
    let down_payment = row.percent("down_payment");
    let borne_by_seller = row.percent("borne_by_seller");
    let campaign = campaign(row, borne_by_seller, campaigns);
    let due = due(row);
    let shared = row.known("conventions", conventions.iter().map(|(code, _)| code.as_str()));
    let conventions = shared.and_then(|code| conventions.iter().find(|(other, _)| *other == code));
    let hold_days = row.number("hold_days", 1, 60);
    let quote_minutes = row.number("quote_minutes", 1, 1440);
    let needs_card = row.yes_no("needs_card");
    if minimum? > maximum? {
        return row.refuse("maximum", "no less than the minimum");
    }
    Some(Plan {
        code: code?,
        version: 1,
        institution: institution?,
        name_zh: name_zh?,
        name_en: name_en?,
        currency: Currency::Cny,
        count: count?,
        pricing: pricing?,
        minimum: minimum?,
        maximum: maximum?,
        down_payment: down_payment?,
        borne_by_seller: borne_by_seller?,
        campaign: campaign?,
        due: due?,
        conventions: conventions?.1.clone(),
        hold_days: hold_days?,
        quote_minutes: quote_minutes?,
        needs_card: needs_card?,
    })
}

/// The campaign that pays the seller's share: none, or one that is known, and only where the seller bears something.
fn campaign(
    row: &mut Fields<'_>,
    borne: Option<Rate>,
    campaigns: &[NamedCampaign],
) -> Option<Option<String>> {
    if row.raw("campaign").is_empty() {
        return Some(None);
    }
    let code = row.known(
        "campaign",
        campaigns.iter().map(|named| named.campaign.code.as_str()),
    )?;
    if borne == Some(Rate::ZERO) {
        return row.refuse("campaign", "nothing, because the seller bears nothing");
    }
    Some(Some(code))
}

fn due(row: &mut Fields<'_>) -> Option<DueRule> {
    let value = row.raw("due");
    let mut parts = value.split(':');
    let kind = parts.next().unwrap_or_default();
    let figures: Vec<Option<u16>> = parts.map(|part| part.parse().ok()).collect();
    let rule = match (kind, figures.as_slice()) {
        ("order_anchored", []) => Some(DueRule::OrderAnchored),
        ("fixed_day", [Some(day @ 1..=31), Some(first_after_days @ 0..=60)]) => {
            u8::try_from(*day).ok().map(|day| DueRule::FixedDay {
                day,
                first_after_days: *first_after_days,
            })
        }
        ("statement", [Some(day @ 1..=31), Some(due_after_days @ 1..=60)]) => {
            u8::try_from(*day).ok().map(|statement_day| DueRule::Statement {
                statement_day,
                due_after_days: *due_after_days,
            })
        }
        _ => None,
    };
    match rule {
        Some(rule) => Some(rule),
        None => row.refuse(
            "due",
            "order_anchored, fixed_day:DAY:FIRST_AFTER_DAYS or statement:DAY:DUE_AFTER_DAYS",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Files;

    /// The problems of the demonstration's own file after one replacement in it.
    fn problems_of(file: &str, good: &str, bad: &str) -> Vec<String> {
        let mut files = Files::embedded();
        let text = String::from_utf8(files.bytes(file).to_vec()).unwrap();
        assert!(text.contains(good), "{file} holds no {good}");
        files.replace(file, file, text.replacen(good, bad, 1).into_bytes());
        let problems = super::super::load(&files).err().unwrap_or_default();
        assert!(
            problems
                .iter()
                .all(|problem| problem.file == file && problem.line > 1),
            "{problems:?}"
        );
        problems.into_iter().map(|problem| problem.column).collect()
    }

    #[test]
    fn each_wrong_figure_of_a_plan_is_refused() {
        for (good, bad, column) in [
            ("flat-3,xiaofu,", "flat-3,nobody,", "institution"),
            ("instalments,3,", "instalments,0,", "count"),
            ("instalments,3,", "instalments,61,", "count"),
            ("instalments,3,", "instalments,+3,", "count"),
            (",2.22,", ",-2.22,", "rate"),
            (",2.22,", ",2.222222222,", "rate"),
            (",every_period,", ",never,", "timing"),
            (",300.00,", ",0.00,", "minimum"),
            (",300.00,30000.00,", ",300.00,299.99,", "maximum"),
            (",spruce-free,", ",autumn-free,", "campaign"),
            (",100,spruce-free,", ",0,spruce-free,", "campaign"),
            ("fixed_day:10:15", "fixed_day:32:15", "due"),
            (",order_anchored,", ",order_anchored:3,", "due"),
            ("order_anchored,xiaofu", "order_anchored,other", "conventions"),
            (",30/360,", ",30/361,", "day_count"),
            ("annuity,8.6,,,30/360,,", "annuity,8.6,,,30/360,30,", "left"),
            ("annuity,8.6,,,30/360,,", "balloon,8.6,,,30/360,100,", "left"),
            (
                "annuity,8.6,,,30/360,,,,",
                "graduated,8.6,,,30/360,,5,0,",
                "every",
            ),
        ] {
            assert_eq!(problems_of("plans.csv", good, bad), [column], "{bad}");
        }
    }

    #[test]
    fn each_wrong_convention_is_refused() {
        for (good, bad, column) in [
            (
                "penalty>interest>fee>principal",
                "penalty>interest>principal",
                "waterfall",
            ),
            (
                "penalty>interest>fee>principal",
                "penalty>fee>fee>principal",
                "waterfall",
            ),
            ("last_first", "first_last", "refund"),
            ("waive_unaccrued,", "waive_unaccrued,3", "settlement_figure"),
            ("remaining_fee,100", "remaining_fee,", "settlement_figure"),
            ("half_even", "half_odd", "rounding"),
        ] {
            // The comments of the file name the same words, so the replacement begins at the first row.
            let text = String::from_utf8(Files::embedded().bytes("conventions.csv").to_vec()).unwrap();
            let rows = text.split_once("\nxiaofu,").unwrap().1.to_owned();
            let changed = rows.replacen(good, bad, 1);
            assert_ne!(rows, changed);
            assert_eq!(problems_of("conventions.csv", &rows, &changed), [column], "{bad}");
        }
    }

    #[test]
    fn a_campaign_ends_after_it_begins_and_an_institution_names_known_regions() {
        assert_eq!(
            problems_of("campaigns.csv", "2027-01-01", "2024-01-01"),
            ["until"]
        );
        assert_eq!(
            problems_of("campaigns.csv", "2027-01-01", "2027-02-30"),
            ["until"]
        );
        assert_eq!(problems_of("campaigns.csv", "50000.00", "0"), ["budget"]);
        for (good, bad, column) in [
            ("540000;650000", "540000;650001", "excluded_regions"),
            (",beauty", ",beautiful", "excluded_categories"),
            ("embedded,active", "embedded,open", "state"),
            ("2024-01-01T00:00:00+08:00", "2024-01-01", "since"),
            (",620,", ",901,", "minimum_score"),
            (",50000.00", ",-50000.00", "limit_maximum"),
        ] {
            assert_eq!(problems_of("institutions.csv", good, bad), [column], "{bad}");
        }
    }
}
