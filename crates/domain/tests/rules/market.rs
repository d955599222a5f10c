//! A small market for the tests: two institutions, two sellers, a phone, a case and a bargain.

use fenqi_domain::application::{Application, Decision};
use fenqi_domain::calendar::{DayCount, DueRule, Holidays, Roll};
use fenqi_domain::change::Change;
use fenqi_domain::consent::{Consent, Document, DocumentRead, DocumentRef, Purpose};
use fenqi_domain::credit::Line;
use fenqi_domain::eligibility::{Answer, Case, Known, Offer, Outcome, offers};
use fenqi_domain::evidence::{IdentityEvidence, Passed};
use fenqi_domain::id::{ApplicationId, ConsentId, QuoteId, ShopperId};
use fenqi_domain::market::{
    Cart, CartLine, Flow, Institution, Outage, Partnership, PartnershipState, Product, Promotion, Region,
    RunningCampaign, Seller, Window,
};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Campaign, Component, Conventions, FeeTiming, LatePolicy, Plan, Prepayment, Pricing, RefundStrategy,
    Settlement, Waterfall,
};
use fenqi_domain::quote::{Asking, Quote, price};
use fenqi_domain::refusal::Refusal;
use jiff::Timestamp;
use jiff::civil::{Date, date};

/// The business day of every test.
pub const TODAY: Date = date(2026, 11, 20);

/// So many yuan.
pub fn yuan(major: i64) -> Amount {
    Amount::from_minor(major * 100)
}

/// Noon of the business day in China.
pub fn now() -> Timestamp {
    "2026-11-20T04:00:00Z".parse().unwrap()
}

/// So many hours later (or earlier).
pub fn hours(count: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + count * 3_600).unwrap()
}

/// The usual conventions of the mainland.
pub fn conventions() -> Conventions {
    Conventions {
        rounding: Rounding::HalfUp,
        remainder: Remainder::First,
        roll: Roll::Following,
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
            fee: yuan(10),
            daily: Rate::from_percent("0.05").unwrap(),
            from_due_date: true,
            annual_cap: Rate::from_bps(2_400),
        },
        settlement: Settlement::WaiveUnaccrued,
        prepayment: Prepayment::ShorterTerm,
        refund: RefundStrategy::LastFirst,
        servicing: None,
    }
}

/// A flat-fee plan of an institution.
pub fn flat(institution: &str, count: u16, percent: &str) -> Plan {
    Plan {
        code: format!("{institution}-flat-{count}"),
        version: 1,
        institution: institution.to_string(),
        name_zh: format!("{count} 期"),
        name_en: format!("{count} instalments"),
        currency: Currency::Cny,
        count,
        pricing: Pricing::FlatFee {
            total_rate: Rate::from_percent(percent).unwrap(),
            timing: FeeTiming::EveryPeriod,
            fee_rounding: Rounding::HalfEven,
        },
        minimum: yuan(300),
        maximum: yuan(20_000),
        down_payment: Rate::ZERO,
        borne_by_seller: Rate::ZERO,
        campaign: None,
        due: DueRule::OrderAnchored,
        conventions: conventions(),
        hold_days: 7,
        quote_minutes: 15,
        needs_card: true,
    }
}

/// An annuity plan.
pub fn annuity(institution: &str, count: u16, percent: &str) -> Plan {
    Plan {
        code: format!("{institution}-annuity-{count}"),
        pricing: Pricing::Annuity {
            annual: Rate::from_percent(percent).unwrap(),
            day_count: DayCount::Thirty360,
        },
        ..flat(institution, count, "0")
    }
}

/// Everything on sale, and who asks.
pub struct Market {
    pub now: Timestamp,
    pub region: Region,
    pub cart: Cart,
    pub count: Option<u16>,
    pub down_payment: Option<Amount>,
    pub plans: Vec<Plan>,
    pub institutions: Vec<Institution>,
    pub products: Vec<Product>,
    pub sellers: Vec<Seller>,
    pub windows: Vec<Window>,
    pub outages: Vec<Outage>,
    pub campaigns: Vec<RunningCampaign>,
    pub holidays: Holidays,
    pub shopper: Option<Known>,
}

fn institution(code: &str) -> Institution {
    Institution {
        code: code.to_string(),
        name_zh: code.to_string(),
        name_en: code.to_string(),
        contact: "400-000".to_string(),
        flow: Flow::Embedded,
        partnerships: vec![Partnership {
            region: None,
            category: None,
            state: PartnershipState::Active,
            from: Timestamp::UNIX_EPOCH,
            until: None,
        }],
        served_regions: vec!["000000".to_string()],
        excluded_categories: Vec::new(),
    }
}

fn product(sku: &str, seller: &str, price: Amount) -> Product {
    Product {
        sku: sku.to_string(),
        name_zh: sku.to_string(),
        name_en: sku.to_string(),
        category: "phones".to_string(),
        seller: seller.to_string(),
        price,
        is_financeable: true,
        promotion: None,
        margin_for_plans: Rate::from_bps(1_000),
    }
}

fn seller(code: &str, institutions: &[&str]) -> Seller {
    Seller {
        code: code.to_string(),
        name_zh: code.to_string(),
        name_en: code.to_string(),
        is_third_party: code != "mi",
        institutions: institutions.iter().map(ToString::to_string).collect(),
    }
}

/// A line that the shopper wants financed.
pub fn wanted(sku: &str, price: Amount) -> CartLine {
    CartLine {
        sku: sku.to_string(),
        quantity: 1,
        price,
        is_wanted: true,
    }
}

/// A phone of the mall's own, to be had from two institutions by somebody unknown.
pub fn market() -> Market {
    Market {
        now: now(),
        region: Region {
            code: "110000".to_string(),
            name_zh: "北京市".to_string(),
            name_en: "Beijing".to_string(),
            is_allowed: true,
            annual_cap: Rate::from_bps(2_400),
            majority: 18,
            currency: Currency::Cny,
            time_zone: "Asia/Shanghai".to_string(),
            source: "test".to_string(),
        },
        cart: Cart {
            currency: Currency::Cny,
            lines: vec![wanted("phone", yuan(3_999))],
        },
        count: None,
        down_payment: None,
        plans: vec![
            flat("xiaofu", 3, "2.22"),
            flat("xiaofu", 12, "7.2"),
            annuity("dafu", 12, "8.6"),
        ],
        institutions: vec![institution("xiaofu"), institution("dafu")],
        products: vec![
            product("phone", "mi", yuan(3_999)),
            product("case", "other", yuan(399)),
            Product {
                promotion: Some(Promotion {
                    code: "clearance".to_string(),
                    is_financeable: false,
                }),
                ..product("bargain", "mi", yuan(999))
            },
            Product {
                is_financeable: false,
                ..product("voucher", "mi", yuan(500))
            },
        ],
        sellers: vec![seller("mi", &["xiaofu", "dafu"]), seller("other", &["dafu"])],
        windows: Vec::new(),
        outages: Vec::new(),
        campaigns: Vec::new(),
        holidays: Holidays::default(),
        shopper: None,
    }
}

impl Market {
    /// What is found for every plan.
    pub fn outcomes(&self) -> Vec<Outcome> {
        offers(&self.case()).unwrap()
    }

    /// The case.
    pub fn case(&self) -> Case<'_> {
        Case {
            now: self.now,
            today: TODAY,
            region: &self.region,
            cart: &self.cart,
            count: self.count,
            down_payment: self.down_payment,
            plans: &self.plans,
            institutions: &self.institutions,
            products: &self.products,
            sellers: &self.sellers,
            windows: &self.windows,
            outages: &self.outages,
            campaigns: &self.campaigns,
            holidays: &self.holidays,
            shopper: self.shopper.as_ref(),
        }
    }

    /// The offer of a plan, which must be one.
    pub fn offer(&self, plan: &str) -> Offer {
        match self.answer(plan) {
            Answer::Offered(offer) => *offer,
            Answer::Unavailable { refusals } => panic!("{plan} is unavailable: {refusals:?}"),
        }
    }

    /// Every reason against a plan, which must have some.
    pub fn refusals(&self, plan: &str) -> Vec<Refusal> {
        let refusals = self.reasons(plan);
        assert!(!refusals.is_empty(), "{plan} is offered");
        refusals
    }

    /// Every reason against a plan, if there are any.
    pub fn reasons(&self, plan: &str) -> Vec<Refusal> {
        match self.answer(plan) {
            Answer::Offered(_) => Vec::new(),
            Answer::Unavailable { refusals } => refusals,
        }
    }

    /// The codes of the reasons against a plan.
    pub fn codes(&self, plan: &str) -> Vec<&'static str> {
        self.refusals(plan).iter().map(Refusal::code).collect()
    }

    fn answer(&self, plan: &str) -> Answer {
        let found = self.outcomes().into_iter().find(|o| o.plan == plan);
        found.unwrap().answer
    }

    /// The same market with an interest-free campaign plan of the mall's own seller.
    pub fn with_campaign(mut self, remaining: Amount) -> Market {
        let mut free = flat("xiaofu", 6, "4.5");
        free.code = "free-6".to_string();
        free.borne_by_seller = Rate::ONE;
        free.campaign = Some("double-11".to_string());
        self.plans.push(free);
        self.campaigns.push(RunningCampaign {
            campaign: Campaign {
                code: "double-11".to_string(),
                seller: "mi".to_string(),
                from: hours(-24),
                until: hours(24),
                budget: yuan(10_000),
            },
            remaining,
        });
        self
    }
}

/// Ann: proved, approved by one institution up to a limit, with a card.
pub fn ann(limit: Amount) -> Known {
    let passed = || Passed {
        at: now(),
        reference: "r".to_string(),
    };
    let approval = Decision::Approved {
        limit,
        price_factor: Rate::ONE,
        expires_on: date(2027, 11, 20),
    };
    let asked = Application::asked(
        ApplicationId::from_bits(1),
        ShopperId::from_bits(1),
        "xiaofu",
        now(),
    );
    let approved = match asked.answer(approval, now()).unwrap() {
        Change::Made(application) => application,
        Change::AlreadyMade => panic!("nothing was answered before"),
    };
    Known {
        identity: IdentityEvidence::default()
            .name_matched(passed(), 30)
            .photograph_matched(passed(), None),
        applications: vec![approved],
        lines: vec![
            Line::granted("xiaofu", limit, date(2027, 11, 20), now())
                .unwrap()
                .line,
        ],
        has_card: true,
        ..Known::default()
    }
}

/// The document of every quote.
pub fn document() -> Document {
    Document {
        code: "service-agreement".to_string(),
        version: 1,
        purpose: Purpose::ServiceAgreement,
        title_zh: "分期服务协议".to_string(),
        title_en: "Service agreement".to_string(),
        hash: "d0c".to_string(),
        minimum_read_seconds: 10,
    }
}

/// That it was read for so many seconds.
pub fn read_for(seconds: i64) -> DocumentRead {
    DocumentRead {
        code: "service-agreement".to_string(),
        version: 1,
        hash: "d0c".to_string(),
        opened_at: now(),
        agreed_at: Timestamp::from_second(now().as_second() + seconds).unwrap(),
    }
}

/// Consents to the agreement and to debits.
pub fn consents() -> Vec<Consent> {
    [Purpose::ServiceAgreement, Purpose::DebitMandate]
        .into_iter()
        .map(|purpose| Consent {
            id: ConsentId::from_bits(9),
            shopper: ShopperId::from_bits(1),
            purpose,
            document: DocumentRef {
                code: "service-agreement".to_string(),
                version: 1,
                hash: "d0c".to_string(),
            },
            subject: "xiaofu".to_string(),
            given_at: now(),
            withdrawn_at: None,
        })
        .collect()
}

/// A quote of a plan for one phone, with a digest.
pub fn quote(plan: &Plan, cost: Amount) -> Quote {
    let line = wanted("phone", cost);
    let priced = price(Asking {
        plan,
        lines: &[&line],
        down_payment: None,
        price_factor: Rate::ONE,
        today: TODAY,
        holidays: &Holidays::default(),
    })
    .unwrap();
    let mut quote = priced
        .quote(
            QuoteId::from_bits(3),
            Some(ShopperId::from_bits(1)),
            plan,
            "mi",
            vec![document().reference()],
            now(),
        )
        .unwrap();
    quote.digest = "digest".to_string();
    quote
}
