//! What a quote binds, and for how long.

use fenqi_domain::calendar::Holidays;
use fenqi_domain::cost::{Basis, Contingent};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::Plan;
use fenqi_domain::quote::{Asking, Quote, price};
use fenqi_domain::refusal::{Denied, Refusal};
use fenqi_domain::servicing::{
    ChargeOff, Excess, Method, MonthDays, Period, Recalculation, Servicing, Unit, Until, YearDays,
};
use jiff::Timestamp;

use crate::market::{TODAY, annuity, flat, now, quote, wanted, yuan};

type Edit<T> = (&'static str, fn(&mut T));

#[test]
fn a_quote_stands_until_its_end_and_only_as_shown() {
    let quote = quote(&flat("xiaofu", 12, "7.2"), yuan(1_200));
    let end = Timestamp::from_second(now().as_second() + 15 * 60).unwrap();
    let before = Timestamp::from_nanosecond(end.as_nanosecond() - 1).unwrap();
    assert_eq!(quote.expires_at, end);
    assert_eq!(quote.check("digest", before), Ok(()));
    assert_eq!(quote.check("digest", end), Err(Refusal::QuoteExpired { at: end }));
    assert_eq!(quote.check("another", now()), Err(Refusal::QuoteChanged));
    let mut unsealed = quote;
    unsealed.digest = String::new();
    assert_eq!(unsealed.check("", now()), Err(Refusal::QuoteChanged));
}

// R46: whatever of a quote changes, the text that is hashed changes with it
#[test]
fn the_canonical_text_changes_with_everything_that_binds() {
    let original = quote(&flat("xiaofu", 12, "7.2"), yuan(1_200));
    let text = original.canonical();
    assert!(text.ends_with("end\n"));
    let changes: [Edit<Quote>; 22] = [
        ("plan", |q| q.plan.push('x')),
        ("version", |q| q.plan_version += 1),
        ("institution", |q| q.institution.push('x')),
        ("seller", |q| q.seller.push('x')),
        ("shopper", |q| q.shopper = None),
        ("sku", |q| q.lines[0].sku.push('x')),
        ("quantity", |q| q.lines[0].quantity += 1),
        ("price", |q| q.price = yuan(1)),
        ("down payment", |q| q.down_payment = yuan(1)),
        ("principal", |q| q.principal = yuan(1)),
        ("rate", |q| {
            q.terms.pricing = annuity("x", 12, "8.6").pricing;
        }),
        ("borne", |q| q.terms.borne_by_seller = Rate::ONE),
        ("due date", |q| {
            q.terms.due_dates[0] = q.terms.due_dates[1];
        }),
        ("late fee", |q| q.terms.conventions.late.fee = yuan(11)),
        ("waterfall", |q| {
            q.terms.conventions.waterfall.order.reverse();
        }),
        ("row", |q| q.schedule[3].fee = yuan(1)),
        ("payee", |q| q.cost.items[0].payee.push('x')),
        ("annual rate", |q| q.cost.annual.simple = Rate::ONE),
        ("contingent", |q| {
            q.cost.contingent.pop();
        }),
        ("document", |q| q.documents[0].hash.push('x')),
        ("hold", |q| q.hold_days += 1),
        ("end", |q| q.expires_at = q.made_at),
    ];
    for (what, change) in changes {
        let mut changed = original.clone();
        change(&mut changed);
        assert_ne!(changed.canonical(), text, "{what}");
    }
    let mut sealed = original.clone();
    sealed.digest = "other".to_string();
    assert_eq!(sealed.canonical(), text, "the digest is not part of itself");
}

#[test]
fn a_quote_reads_back_from_its_stored_form_to_the_same_text() {
    for plan in [flat("xiaofu", 12, "7.2"), annuity("dafu", 36, "8.6")] {
        let original = quote(&plan, yuan(1_200));
        let stored = serde_json::to_string(&original).unwrap();
        let back: Quote = serde_json::from_str(&stored).unwrap();
        assert_eq!(back.canonical(), original.canonical());
        assert_eq!(back, original);
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Kept(#[serde(with = "fenqi_domain::quote::kept")] Quote);

#[test]
fn a_quote_that_is_kept_without_what_follows_from_its_terms_comes_back_whole() {
    for (plan, borne) in [
        (flat("xiaofu", 12, "7.2"), 0),
        (annuity("dafu", 36, "8.6"), 0),
        (flat("xiaofu", 6, "3.9"), 3_333),
        (annuity("dafu", 24, "18"), 10_000),
    ] {
        let mut plan = plan;
        plan.borne_by_seller = Rate::from_bps(borne);
        for amount in [300, 1_200, 7_777] {
            let original = quote(&plan, yuan(amount));
            let kept = serde_json::to_string(&Kept(original.clone())).unwrap();
            assert!(!kept.contains("schedule") && !kept.contains("cost"));
            let back: Kept = serde_json::from_str(&kept).unwrap();
            assert_eq!(back.0, original);
        }
    }
}

#[test]
fn the_cost_sheet_names_every_cost_and_its_payee() {
    let mut plan = flat("xiaofu", 12, "7.2");
    plan.borne_by_seller = Rate::from_bps(2_500);
    let cost = quote(&plan, yuan(1_200)).cost;
    assert_eq!(cost.origin_cost, Amount::from_minor(8_640));
    assert_eq!(cost.subsidy, Amount::from_minor(2_160));
    assert_eq!(cost.total_cost, Amount::from_minor(6_480));
    assert_eq!(cost.total_payment, Amount::from_minor(126_480));
    let item = &cost.items[0];
    assert_eq!((item.payee.as_str(), item.by_seller), ("xiaofu", cost.subsidy));
    assert!(matches!(item.basis, Basis::Principal { rate, .. } if rate == Rate::from_bps(720)));
    assert!(cost.annual.simple < cost.origin_annual.simple);
    let late = |c: &Contingent| matches!(c, Contingent::PenaltyInterest { annual, .. } if *annual == Rate::from_bps(1_825));
    assert!(cost.contingent.iter().any(late), "0.05 % a day is 18.25 % a year");
    assert_eq!(cost.contingent.len(), 3);
}

#[test]
fn every_mistake_of_a_plan_is_found_and_named() {
    assert_eq!(flat("xiaofu", 12, "7.2").mistakes(), []);
    let changes: [Edit<Plan>; 15] = [
        ("hold_days", |p| p.hold_days = 0),
        ("quote_minutes", |p| p.quote_minutes = 0),
        ("late_fee", |p| p.conventions.late.fee = yuan(-1)),
        ("daily", |p| p.conventions.late.daily = Rate::from_ppb(-1)),
        ("code", |p| p.code.clear()),
        ("version", |p| p.version = 0),
        ("count", |p| p.count = 0),
        ("count", |p| p.count = 61),
        ("minimum", |p| p.minimum = Amount::ZERO),
        ("maximum", |p| p.maximum = yuan(1)),
        ("down_payment", |p| p.down_payment = Rate::ONE),
        ("borne_by_seller", |p| {
            p.borne_by_seller = Rate::from_bps(10_001);
        }),
        ("pricing", |p| {
            p.pricing = fenqi_domain::plan::Pricing::Annuity {
                annual: Rate::from_ppb(-1),
                day_count: fenqi_domain::calendar::DayCount::Thirty360,
            };
        }),
        ("annual_cap", |p| p.conventions.late.annual_cap = Rate::ZERO),
        ("due", |p| {
            p.due = fenqi_domain::calendar::DueRule::FixedDay {
                day: 32,
                first_after_days: 15,
            };
        }),
    ];
    for (field, change) in changes {
        let mut plan = flat("xiaofu", 12, "7.2");
        change(&mut plan);
        let fields: Vec<String> = plan.mistakes().into_iter().map(|m| m.field).collect();
        assert_eq!(fields, [field]);
    }
}

// R46: what a quote cannot show cannot be signed
#[test]
fn a_plan_whose_servicing_a_quote_does_not_show_has_no_price() {
    let mut plan = flat("xiaofu", 12, "7.2");
    let line = wanted("phone", yuan(1_200));
    let ask = |plan: &Plan| {
        price(Asking {
            plan,
            lines: &[&line],
            down_payment: None,
            price_factor: Rate::ONE,
            today: TODAY,
            holidays: &Holidays::default(),
        })
    };
    assert!(ask(&plan).is_ok());
    plan.conventions.servicing = Some(Box::new(plain()));
    let refused = ask(&plan).unwrap_err();
    assert!(matches!(refused, Denied::OutOfRange(_)), "{refused:?}");
}

/// Nothing out of the ordinary.
fn plain() -> Servicing {
    Servicing {
        rules: Vec::new(),
        row_by_row: true,
        down_payment: Rate::ZERO,
        multiple: Amount::ZERO,
        period: Period {
            every: 1,
            unit: Unit::Months,
        },
        year: YearDays::Fixed(360),
        month: MonthDays::Thirty,
        method: Method::Balance,
        interest_only: 0,
        interest_deferred: 0,
        whole: false,
        recalculation: None,
        excess: None,
        chargeback: Vec::new(),
        charge_off: ChargeOff::Regular,
    }
}

#[test]
fn a_plan_that_nothing_settles_is_not_put_on_sale() {
    let mut servicing = plain();
    servicing.method = Method::Level(fenqi_domain::servicing::Basis::Periods);
    servicing.excess = Some(Excess::LastRow);
    // By the day or by periods; whether what is overdue earns no more than agreed; whether the plan may be sold.
    let table = [
        (true, true, true),
        (true, false, true),
        (false, true, true),
        (false, false, false),
    ];
    for (daily, spares_overdue, may_be_sold) in table {
        servicing.recalculation = Some(Recalculation {
            daily,
            until: Until::PeriodEnd,
            spares_overdue,
            compounds: false,
        });
        let mut plan = flat("xiaofu", 12, "7.2");
        plan.conventions.servicing = Some(Box::new(servicing.clone()));
        let fields: Vec<String> = plan.mistakes().into_iter().map(|m| m.field).collect();
        let expected: &[&str] = if may_be_sold { &[] } else { &["recalculation"] };
        assert_eq!(fields, expected, "{daily} {spares_overdue}");
    }
}
