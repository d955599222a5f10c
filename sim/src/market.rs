//! The smallest market: one institution, one flat plan of twelve instalments, one seller with a phone, one region.

use fenqi_app::configuration::Rules;
use fenqi_app::operations::configure::Item;
use fenqi_domain::calendar::{DueRule, Roll};
use fenqi_domain::consent::{Document, Purpose};
use fenqi_domain::market::{Flow, Institution, Partnership, PartnershipState, Product, Region, Seller};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, FeeTiming, LatePolicy, Plan, Prepayment, Pricing, RefundStrategy, Settlement,
    Waterfall,
};
use fenqi_store::vault;
use jiff::Timestamp;

/// The institution.
pub const INSTITUTION: &str = "xiaofu";
/// Its plan: twelve instalments at a fee of 7.2 % in all.
pub const PLAN: &str = "xiaofu-flat-12";
/// The seller.
pub const SELLER: &str = "spruce";
/// Its phone, for 3,999.00.
pub const PHONE: &str = "PHONE-1";
/// Where the goods go.
pub const REGION: &str = "110000";
/// Another region that the institution serves.
pub const OTHER_REGION: &str = "440000";

/// Everything of it.
pub fn items() -> Vec<Item> {
    let mut items = vec![
        Item::Institution(institution()),
        Item::Plan(Box::new(plan())),
        Item::Seller(seller()),
        Item::Product(phone()),
        Item::Rules(Rules::default()),
    ];
    items.extend([REGION, OTHER_REGION].map(|code| Item::Region(region(code))));
    items.extend(documents().into_iter().map(Item::Document));
    items
}

/// The institution, active everywhere.
pub fn institution() -> Institution {
    Institution {
        code: INSTITUTION.to_owned(),
        name_zh: "小付".to_owned(),
        name_en: "Xiaofu".to_owned(),
        contact: "400-000-0000".to_owned(),
        flow: Flow::Embedded,
        partnerships: vec![Partnership {
            region: None,
            category: None,
            state: PartnershipState::Active,
            from: Timestamp::UNIX_EPOCH,
            until: None,
        }],
        served_regions: vec!["000000".to_owned()],
        excluded_categories: Vec::new(),
    }
}

/// The plan.
pub fn plan() -> Plan {
    Plan {
        code: PLAN.to_owned(),
        version: 1,
        institution: INSTITUTION.to_owned(),
        name_zh: "小付 12 期".to_owned(),
        name_en: "Xiaofu, 12 instalments".to_owned(),
        currency: Currency::Cny,
        count: 12,
        pricing: Pricing::FlatFee {
            total_rate: Rate::from_bps(720),
            timing: FeeTiming::EveryPeriod,
            fee_rounding: Rounding::HalfUp,
        },
        minimum: Amount::from_minor(10_000),
        maximum: Amount::from_minor(5_000_000),
        down_payment: Rate::ZERO,
        borne_by_seller: Rate::ZERO,
        campaign: None,
        due: DueRule::OrderAnchored,
        conventions: conventions(),
        hold_days: 7,
        quote_minutes: 30,
        needs_card: true,
    }
}

fn conventions() -> Conventions {
    Conventions {
        rounding: Rounding::HalfUp,
        remainder: Remainder::Last,
        roll: Roll::None,
        waterfall: Waterfall {
            order: vec![
                Component::Penalty,
                Component::Fee,
                Component::Interest,
                Component::Principal,
            ],
            row_by_row: true,
        },
        late: LatePolicy {
            grace_days: 3,
            fee: Amount::from_minor(1_000),
            daily: Rate::from_ppb(500_000),
            from_due_date: true,
            annual_cap: Rate::from_bps(2_400),
        },
        settlement: Settlement::WaiveUnaccrued,
        prepayment: Prepayment::ShorterTerm,
        refund: RefundStrategy::LastFirst,
        servicing: None,
    }
}

fn seller() -> Seller {
    Seller {
        code: SELLER.to_owned(),
        name_zh: "云杉自营".to_owned(),
        name_en: "Spruce".to_owned(),
        is_third_party: false,
        institutions: vec![INSTITUTION.to_owned()],
    }
}

/// The phone.
pub fn phone() -> Product {
    Product {
        sku: PHONE.to_owned(),
        name_zh: "手机".to_owned(),
        name_en: "Phone".to_owned(),
        category: "phones".to_owned(),
        seller: SELLER.to_owned(),
        price: Amount::from_minor(399_900),
        is_financeable: true,
        promotion: None,
        margin_for_plans: Rate::ONE,
    }
}

/// A region of the mainland.
pub fn region(code: &str) -> Region {
    Region {
        code: code.to_owned(),
        name_zh: format!("地区 {code}"),
        name_en: format!("Region {code}"),
        is_allowed: true,
        annual_cap: Rate::from_bps(2_400),
        majority: 18,
        currency: Currency::Cny,
        time_zone: "Asia/Shanghai".to_owned(),
        source: "sample data".to_owned(),
    }
}

fn documents() -> Vec<Document> {
    let document = |code: &str, purpose: Purpose| Document {
        code: code.to_owned(),
        version: 1,
        purpose,
        title_zh: format!("文件 {code}"),
        title_en: format!("Document {code}"),
        hash: vault::fingerprint(code.as_bytes()),
        minimum_read_seconds: 5,
    };
    vec![
        document("service-agreement", Purpose::ServiceAgreement),
        document("credit-enquiry", Purpose::CreditEnquiry),
        document("bureau-report", Purpose::BureauReport),
        document("debit-mandate", Purpose::DebitMandate),
    ]
}
