//! What can be had, and every reason why not, each with its remedy.

use fenqi_domain::eligibility::Answer;
use fenqi_domain::market::{Outage, PLATFORM, Partnership, PartnershipState, Window};
use fenqi_domain::money::{Amount, Currency, Rate};
use fenqi_domain::refusal::{Alternative, Capability, DeclineReason, Refusal};
use fenqi_domain::standing::{Account, FreezeReason, Overdue, Standing};
use jiff::civil::date;

use crate::market::{TODAY, ann, hours, market, wanted, yuan};

fn suspended(region: Option<&str>, state: PartnershipState) -> Partnership {
    Partnership {
        region: region.map(ToString::to_string),
        category: None,
        state,
        from: hours(-1),
        until: Some(hours(2)),
    }
}

// R42: every plan comes with each amount, both annual rates, who bears the fee and the first due date
#[test]
fn an_unknown_visitor_sees_every_plan_with_its_cost_and_what_is_still_to_be_done() {
    let offer = market().offer("xiaofu-flat-12");
    assert_eq!(offer.priced.principal, yuan(3_999));
    assert_eq!(offer.priced.cost.total_cost, Amount::from_minor(28_793));
    assert_eq!(offer.priced.cost.annual.simple.to_string().get(..4), Some("13.0"));
    assert_eq!(
        offer.priced.schedule.first().map(|row| row.due_on),
        Some(date(2026, 12, 21)),
        "20 December 2026 is a Sunday"
    );
    let steps: Vec<&str> = offer.steps.iter().map(Refusal::code).collect();
    assert_eq!(
        steps,
        ["identity_required", "application_required", "card_required"]
    );
}

// R45: the order is the one given, neutral between institutions
#[test]
fn plans_come_in_the_order_given_whoever_lends() {
    let plans: Vec<String> = market().outcomes().into_iter().map(|o| o.plan).collect();
    assert_eq!(plans, ["xiaofu-flat-3", "xiaofu-flat-12", "dafu-annuity-12"]);
}

#[test]
fn a_known_shopper_with_room_has_nothing_left_to_do() {
    let mut market = market();
    market.shopper = Some(ann(yuan(5_000)));
    assert_eq!(market.offer("xiaofu-flat-12").steps, []);
    let elsewhere: Vec<&str> = market
        .offer("dafu-annuity-12")
        .steps
        .iter()
        .map(Refusal::code)
        .collect();
    assert_eq!(
        elsewhere,
        ["application_required"],
        "identity and card serve everywhere"
    );
}

// R2, R6: suspended in one region until an expected time, and open in the others
#[test]
fn an_institution_can_pause_in_one_region_alone() {
    let mut market = market();
    market.institutions[0]
        .partnerships
        .push(suspended(Some("110000"), PartnershipState::Suspended));
    assert_eq!(
        market.refusals("xiaofu-flat-12"),
        [Refusal::InstitutionSuspended {
            institution: "xiaofu".to_string(),
            region: Some("110000".to_string()),
            until: Some(hours(2)),
        }]
    );
    assert!(
        market.refusals("xiaofu-flat-12")[0]
            .alternatives()
            .contains(&Alternative::WaitUntil { at: hours(2) })
    );
    market.offer("dafu-annuity-12");
    market.region.code = "440000".to_string();
    market.offer("xiaofu-flat-12");
}

// R3: a partnership that runs off or ended makes no new agreements
#[test]
fn a_partnership_that_runs_off_offers_nothing_new() {
    for state in [PartnershipState::RunOff, PartnershipState::Ended] {
        let mut market = market();
        market.institutions[0].partnerships.push(suspended(None, state));
        assert_eq!(market.codes("xiaofu-flat-12"), ["institution_ended"]);
    }
    let mut market = market();
    market.institutions.remove(0);
    assert_eq!(market.codes("xiaofu-flat-3"), ["institution_ended"]);
}

// R4: an institution is resumed, or another taken on, by configuration alone
#[test]
fn a_new_entry_resumes_a_paused_institution() {
    let mut market = market();
    let partnerships = &mut market.institutions[0].partnerships;
    partnerships.push(suspended(None, PartnershipState::Suspended));
    partnerships.push(Partnership {
        from: hours(0),
        ..suspended(None, PartnershipState::Active)
    });
    market.offer("xiaofu-flat-12");
}

// R5: a window closes one capability of one party and says until when
#[test]
fn maintenance_of_one_party_says_until_when() {
    let mut market = market();
    market.windows.push(Window {
        code: "w".to_string(),
        party: "xiaofu".to_string(),
        capabilities: vec![Capability::Offer, Capability::Confirm],
        from: hours(-1),
        until: Some(hours(1)),
    });
    let maintenance = Refusal::Maintenance {
        party: "xiaofu".to_string(),
        capability: Capability::Offer,
        until: Some(hours(1)),
    };
    assert_eq!(market.refusals("xiaofu-flat-3"), [maintenance]);
    market.offer("dafu-annuity-12");
}

#[test]
fn a_step_whose_door_is_closed_makes_the_plan_unavailable_for_now() {
    let mut market = market();
    market.windows.push(Window {
        code: "w".to_string(),
        party: PLATFORM.to_string(),
        capabilities: vec![Capability::Verify],
        from: hours(-1),
        until: None,
    });
    assert_eq!(market.codes("xiaofu-flat-3"), ["maintenance"]);
    market.shopper = Some(ann(yuan(5_000)));
    market.offer("xiaofu-flat-3");
}

// R7: temporary_fault with a time to try again, and never a judgement
#[test]
fn a_technical_fault_is_told_from_a_judgement() {
    let mut market = market();
    market.outages.push(Outage {
        party: "xiaofu".to_string(),
        retry_after: hours(1),
    });
    let refusal = market.refusals("xiaofu-flat-3").remove(0);
    assert_eq!(refusal.code(), "temporary_fault");
    assert!(refusal.is_temporary());
    assert_eq!(refusal.retry_after(), Some(hours(1)));
    market.now = hours(1);
    market.offer("xiaofu-flat-3");
}

// R8: products, promotions and small amounts are named by line, with what to do
#[test]
fn each_line_that_cannot_be_financed_is_named() {
    for (sku, code) in [
        ("bargain", "promotion_excluded"),
        ("voucher", "product_excluded"),
        ("unheard-of", "product_excluded"),
    ] {
        let mut market = market();
        market.cart.lines = vec![wanted(sku, yuan(999))];
        let refusals = market.refusals("xiaofu-flat-3");
        assert_eq!(refusals[0].code(), code);
        let remove = Alternative::RemoveLine { sku: sku.to_string() };
        assert!(refusals[0].alternatives().contains(&remove));
    }
    let mut market = market();
    market.cart.lines = vec![wanted("phone", yuan(299))];
    assert_eq!(
        market.refusals("xiaofu-flat-3"),
        [Refusal::AmountBelowMinimum {
            minimum: yuan(300),
            gap: yuan(1),
            add: yuan(1),
        }]
    );
    market.institutions[0]
        .excluded_categories
        .push("phones".to_string());
    assert_eq!(market.codes("xiaofu-flat-3"), ["product_excluded"]);
}

// R9: seller_excluded names the seller and the line; another institution may cover it
#[test]
fn a_third_party_seller_is_covered_by_some_institutions_only() {
    let mut market = market();
    market.cart.lines.push(wanted("case", yuan(399)));
    let outcomes = market.outcomes();
    let of_case: Vec<(&str, bool)> = outcomes
        .iter()
        .filter(|o| o.seller == "other")
        .map(|o| (o.plan.as_str(), matches!(o.answer, Answer::Offered(_))))
        .collect();
    assert_eq!(
        of_case,
        [
            ("xiaofu-flat-3", false),
            ("xiaofu-flat-12", false),
            ("dafu-annuity-12", true)
        ]
    );
    market.cart.lines.remove(0);
    assert_eq!(
        market.refusals("xiaofu-flat-3"),
        [Refusal::SellerExcluded {
            seller: "other".to_string(),
            sku: "case".to_string()
        }]
    );
}

// R41: the financed subset of a mixed cart is offered, and what is left out is named
#[test]
fn a_mixed_cart_is_financed_in_part() {
    let mut market = market();
    market.cart.lines.push(wanted("bargain", yuan(999)));
    market.cart.lines.push(wanted("case", yuan(399)));
    market.cart.lines[2].is_wanted = false;
    let offer = market.offer("xiaofu-flat-12");
    assert_eq!(offer.priced.price, yuan(3_999));
    assert_eq!(offer.priced.lines.len(), 1);
    assert_eq!(
        offer.left_out,
        [Refusal::PromotionExcluded {
            sku: "bargain".to_string()
        }]
    );
    market
        .cart
        .lines
        .iter_mut()
        .for_each(|line| line.is_wanted = false);
    assert_eq!(market.outcomes(), [], "nothing was asked for");
}

// R10: margin_exceeded shows what the plan would cost the store and what its margin allows
#[test]
fn a_plan_that_costs_the_store_too_much_is_not_offered_on_that_line() {
    let mut market = market().with_campaign(yuan(1_000));
    market.cart.lines.push(wanted("bargain", yuan(1_000)));
    market.products[2].promotion = None;
    market.products[2].margin_for_plans = Rate::from_bps(449);
    let offer = market.offer("free-6");
    assert_eq!(offer.priced.principal, yuan(3_999), "priced again without it");
    assert_eq!(
        offer.left_out,
        [Refusal::MarginExceeded {
            sku: "bargain".to_string(),
            cost: yuan(45),
            allowed: Amount::from_minor(4_490)
        }]
    );
    market.products[2].margin_for_plans = Rate::from_bps(450);
    assert_eq!(market.offer("free-6").left_out, [], "just as much as it allows");
    market.products[2].margin_for_plans = Rate::from_bps(449);
    market.cart.lines.remove(0);
    assert_eq!(market.codes("free-6"), ["margin_exceeded"]);
}

// R16: the law of a region and the coverage of an institution are two reasons
#[test]
fn law_and_coverage_are_told_apart() {
    let mut market = market();
    market.institutions[0].served_regions = vec!["310000".to_string()];
    assert_eq!(market.codes("xiaofu-flat-3"), ["region_coverage"]);
    market.offer("dafu-annuity-12");
    market.region.is_allowed = false;
    assert_eq!(market.codes("xiaofu-flat-3"), ["region_legal", "region_coverage"]);
    assert_eq!(market.codes("dafu-annuity-12"), ["region_legal"]);
}

// R17: plans in another currency than the region's are no part of its answer
#[test]
fn a_cart_in_another_currency_sees_only_its_own_plans() {
    let mut market = market();
    market.plans[0].currency = Currency::Eur;
    assert_eq!(market.outcomes().len(), 2);
    market.cart.currency = Currency::Eur;
    assert_eq!(market.outcomes().len(), 1);
}

// R12, R13, R14, R15: credit_declined by one names its reasons, advice and the day to ask again; another may say yes
#[test]
fn a_decline_belongs_to_the_institution_that_gave_it() {
    use fenqi_domain::application::{Application, Decision};
    use fenqi_domain::change::Change;
    use fenqi_domain::id::{ApplicationId, ShopperId};
    let mut market = market();
    let mut known = ann(yuan(5_000));
    let asked = Application::asked(
        ApplicationId::from_bits(2),
        ShopperId::from_bits(1),
        "dafu",
        hours(-1),
    );
    let decision = Decision::Declined {
        reasons: vec![DeclineReason::DebtTooHigh],
        reapply_after: date(2027, 2, 20),
    };
    known.applications.push(asked.clone());
    market.shopper = Some(known.clone());
    assert_eq!(market.codes("dafu-annuity-12"), ["application_pending"]);
    if let Ok(Change::Made(declined)) = asked.answer(decision, hours(0)) {
        known.applications[1] = declined;
    }
    market.shopper = Some(known);
    let refusal = market.refusals("dafu-annuity-12").remove(0);
    assert_eq!(refusal.code(), "credit_declined");
    let wait = Alternative::WaitUntilDay {
        on: date(2027, 2, 20),
    };
    assert!(refusal.alternatives().contains(&wait));
    assert!(refusal.alternatives().contains(&Alternative::ImproveRecord {
        reasons: vec![DeclineReason::DebtTooHigh]
    }));
    market.offer("xiaofu-flat-12");
}

// R28: own_limit_reached is the shopper's own, below the institution's
#[test]
fn a_limit_that_the_shopper_set_is_theirs_to_change() {
    let mut market = market();
    let mut known = ann(yuan(5_000));
    known.lines[0] = known.lines[0]
        .set_own_limit(Some(yuan(1_000)), hours(0))
        .unwrap()
        .line;
    market.shopper = Some(known);
    assert_eq!(
        market.refusals("xiaofu-flat-12"),
        [Refusal::OwnLimitReached {
            limit: yuan(1_000),
            gap: yuan(2_999),
            pay_now: yuan(2_999),
            used: yuan(0),
        }]
    );
}

// R24: account_frozen, open_dispute and overdue_exists stop new credit, each with what resolves it
#[test]
fn a_hold_on_the_account_stops_new_credit_everywhere() {
    let mut market = market();
    let mut known = ann(yuan(5_000));
    known.standing = Standing {
        account: Account::Frozen {
            since: TODAY,
            why: FreezeReason::Security,
        },
        open_disputes: vec!["dis_1".to_string()],
        overdue: Some(Overdue {
            amount: yuan(50),
            days: 2,
        }),
    };
    market.shopper = Some(known);
    for plan in ["xiaofu-flat-12", "dafu-annuity-12"] {
        assert_eq!(
            market.codes(plan),
            ["account_frozen", "overdue_exists", "open_dispute"]
        );
    }
}

// H26: underage
#[test]
fn a_minor_is_refused_by_law() {
    let mut market = market();
    let mut known = ann(yuan(5_000));
    known.identity.age = Some(17);
    market.shopper = Some(known);
    assert_eq!(
        market.refusals("xiaofu-flat-12"),
        [Refusal::Underage { minimum: 18 }]
    );
}

// H5: campaign_over outside its time, budget_spent when its budget cannot bear the cost
#[test]
fn an_interest_free_campaign_has_a_time_and_a_budget() {
    let market = market().with_campaign(yuan(180));
    let offer = market.offer("free-6");
    assert_eq!(offer.priced.cost.total_cost, Amount::ZERO);
    assert_eq!(offer.priced.cost.subsidy, Amount::from_minor(17_996));
    assert!(offer.priced.cost.origin_annual.simple > Rate::from_bps(1_500));
    let exact = crate::market::market().with_campaign(Amount::from_minor(17_996));
    exact.offer("free-6");
    let short = crate::market::market().with_campaign(Amount::from_minor(17_995));
    assert_eq!(short.codes("free-6"), ["budget_spent"]);
    let mut over = crate::market::market().with_campaign(yuan(180));
    over.now = hours(24);
    assert_eq!(over.codes("free-6"), ["campaign_over"]);
}

#[test]
fn a_campaign_is_for_the_goods_of_the_seller_who_pays_it() {
    let mut market = market().with_campaign(yuan(1_000));
    market.campaigns[0].campaign.seller = "another".to_string();
    let plans: Vec<String> = market.outcomes().into_iter().map(|o| o.plan).collect();
    assert!(
        !plans.is_empty() && !plans.contains(&"free-6".to_string()),
        "{plans:?}"
    );
}

#[test]
fn a_plan_above_the_cap_is_refused_with_both_figures() {
    let mut market = market();
    market.plans[1] = crate::market::flat("xiaofu", 12, "13.5");
    match market.refusals("xiaofu-flat-12").as_slice() {
        [Refusal::CostAboveCap { annual, cap }] => {
            assert!(annual > cap && *cap == Rate::from_bps(2_400));
        }
        other => panic!("{other:?}"),
    }
    market.plans[1] = crate::market::flat("xiaofu", 12, "13.4");
    market.offer("xiaofu-flat-12");
}

// H19: down_payment_too_small names the least; without a wish the least is taken
#[test]
fn a_plan_may_ask_for_a_down_payment() {
    let mut market = market();
    market.plans[1].down_payment = Rate::from_bps(1_000);
    let offer = market.offer("xiaofu-flat-12");
    assert_eq!(offer.priced.down_payment, Amount::from_minor(39_990));
    market.down_payment = Some(yuan(399));
    assert_eq!(
        market.refusals("xiaofu-flat-12"),
        [Refusal::DownPaymentTooSmall {
            minimum: Amount::from_minor(39_990)
        }]
    );
    market.down_payment = Some(yuan(999));
    assert_eq!(market.offer("xiaofu-flat-12").priced.principal, yuan(3_000));
}

#[test]
fn a_number_of_instalments_that_nobody_offers_is_answered_with_those_that_are() {
    let mut market = market();
    market.count = Some(12);
    assert_eq!(
        market.outcomes().len(),
        2,
        "the plan of 3 is not what was asked for"
    );
    market.count = Some(6);
    assert_eq!(
        market.refusals("xiaofu-flat-3"),
        [Refusal::CountNotOffered { counts: vec![3, 12] }]
    );
    assert_eq!(
        market.refusals("dafu-annuity-12"),
        [Refusal::CountNotOffered { counts: vec![12] }]
    );
}

// R18, R23: a plan that cannot be had is shown with every reason, the most decisive first
#[test]
fn all_reasons_are_given_in_order() {
    let mut market = market();
    let mut known = ann(yuan(100));
    known.standing.open_disputes.push("dis_1".to_string());
    market.shopper = Some(known);
    market.outages.push(Outage {
        party: PLATFORM.to_string(),
        retry_after: hours(1),
    });
    market.institutions[0].served_regions.clear();
    market.count = Some(24);
    assert_eq!(
        market.codes("xiaofu-flat-12"),
        [
            "region_coverage",
            "temporary_fault",
            "open_dispute",
            "count_not_offered",
            "limit_insufficient"
        ]
    );
}

// R20: an institution's price for one shopper multiplies its listed price
#[test]
fn an_institution_may_price_a_shopper_differently() {
    use fenqi_domain::application::State;
    let mut market = market();
    let mut known = ann(yuan(5_000));
    if let State::Approved { price_factor, .. } = &mut known.applications[0].state {
        *price_factor = Rate::from_bps(5_000);
    }
    market.shopper = Some(known);
    let cost = market.offer("xiaofu-flat-12").priced.cost;
    assert_eq!(
        cost.total_cost,
        Amount::from_minor(14_396),
        "half of 7.2 %, half to even"
    );
}

#[test]
fn what_was_left_out_is_told_where_the_rest_is_too_little() {
    let mut market = market();
    market.cart.lines = vec![wanted("voucher", yuan(500)), wanted("phone", yuan(299))];
    assert_eq!(
        market.codes("xiaofu-flat-3"),
        ["product_excluded", "amount_below_minimum"]
    );
}

#[test]
fn a_down_payment_for_a_mixed_cart_is_paid_once() {
    let mut market = market();
    market.sellers[1].institutions.push("xiaofu".to_string());
    market.cart.lines = vec![wanted("phone", yuan(3_000)), wanted("case", yuan(1_000))];
    market.down_payment = Some(yuan(400));
    let paid_now: Vec<Amount> = market
        .outcomes()
        .into_iter()
        .filter(|o| o.plan == "xiaofu-flat-3")
        .filter_map(|o| match o.answer {
            Answer::Offered(offer) => Some(offer.priced.down_payment),
            Answer::Unavailable { .. } => None,
        })
        .collect();
    assert_eq!(paid_now, [yuan(300), yuan(100)]);
}

#[test]
fn a_line_whose_time_is_over_is_asked_for_again() {
    let mut market = market();
    let mut known = ann(yuan(5_000));
    known.lines[0].expires_on = date(2026, 11, 19);
    market.shopper = Some(known);
    let steps = market.offer("xiaofu-flat-12").steps;
    assert_eq!(
        steps,
        [Refusal::ApprovalExpired {
            institution: "xiaofu".to_string(),
            on: date(2026, 11, 19)
        }]
    );
}

#[test]
fn a_door_that_is_closed_further_on_still_comes_before_the_persons_own_reasons() {
    let mut market = market();
    let mut known = ann(yuan(5_000));
    known.standing.open_disputes.push("dis_1".to_string());
    market.shopper = Some(known);
    market.windows.push(Window {
        code: "w".to_string(),
        party: PLATFORM.to_string(),
        capabilities: vec![Capability::Confirm],
        from: hours(-1),
        until: None,
    });
    assert_eq!(market.codes("xiaofu-flat-3"), ["maintenance", "open_dispute"]);
}
