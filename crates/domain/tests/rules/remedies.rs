//! What helps against a refusal, done: the reason is gone then.

use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::refusal::{Alternative, Refusal};
use proptest::prelude::*;

use crate::market::{TODAY, ann, hours, market, wanted, yuan};

// R19, R21, R22: limit_insufficient names the gap, limit_exhausted the limit, and paying down frees it
#[test]
fn a_purchase_beyond_the_limit_is_told_the_gap_and_what_frees_it() {
    let mut market = market();
    market.shopper = Some(ann(yuan(3_500)));
    let refusals = market.refusals("xiaofu-flat-12");
    assert_eq!(
        refusals,
        [Refusal::LimitInsufficient {
            available: yuan(3_500),
            gap: yuan(499),
            pay_now: yuan(499),
            used: yuan(0),
        }]
    );
    let pay_down = Alternative::PayDown { amount: yuan(499) };
    assert!(
        !refusals[0].alternatives().contains(&pay_down),
        "nothing is owed that could be repaid"
    );
    // Beside a down payment that is too small, what helps is named in all.
    market.down_payment = Some(yuan(100));
    let down = Alternative::DownPayment { amount: yuan(499) };
    let refusals = market.refusals("xiaofu-flat-12");
    assert!(refusals[0].alternatives().contains(&down), "{refusals:?}");
    market.down_payment = Some(yuan(499));
    market.offer("xiaofu-flat-12");
    let mut used_up = ann(yuan(3_500));
    used_up.lines[0] = used_up.lines[0]
        .hold(yuan(3_500), yuan(0), TODAY, hours(0))
        .unwrap()
        .line;
    market.shopper = Some(used_up);
    assert_eq!(market.codes("xiaofu-flat-12"), ["limit_exhausted"]);
}

#[test]
fn repaying_is_advised_where_it_frees_enough_and_amounts_where_there_are_any() {
    let (gap, used) = (yuan(2), yuan(1));
    let own = |used| Refusal::OwnLimitReached {
        limit: yuan(5),
        gap,
        pay_now: gap,
        used,
    };
    let exhausted = |used| Refusal::LimitExhausted {
        limit: yuan(5),
        gap,
        used,
    };
    let pay_down = Alternative::PayDown { amount: gap };
    for (refusal, helps) in [
        (own(used), false),
        (own(gap), true),
        (exhausted(used), false),
        (exhausted(gap), true),
    ] {
        assert_eq!(refusal.alternatives().contains(&pay_down), helps, "{refusal:?}");
    }
    assert!(own(used).alternatives().contains(&Alternative::OwnLimit));
    let within = |left| Refusal::CaptureTooLarge { left }.alternatives();
    let all = Alternative::AmountWithin {
        minimum: Amount::from_minor(1),
        maximum: gap,
    };
    assert_eq!(within(gap), [all]);
    assert_eq!(within(yuan(0)), [Alternative::LookAgain, Alternative::Contact]);
}

/// The reasons of these codes, each with what would help that names an amount.
fn remedies(refusals: &[Refusal]) -> Vec<(&'static str, Alternative)> {
    let named = |alternative: &Alternative| {
        matches!(
            alternative,
            Alternative::DownPayment { .. } | Alternative::RaiseAmount { .. }
        )
    };
    let each = refusals.iter().flat_map(|refusal| {
        let helpful = refusal.alternatives().into_iter().filter(named);
        helpful.map(move |alternative| (refusal.code(), alternative))
    });
    each.collect()
}

proptest! {
    // R8, R21: an amount that is said to help does, whatever share is paid now and whatever was going to be.
    #[test]
    fn an_amount_that_is_said_to_help_does(
        price in 1i64..5_000_000,
        share in 0u32..9_000,
        minimum in 1i64..500_000,
        room in 0i64..3_000_000,
        limit in 100i64..2_000_000,
        own in proptest::option::of(1i64..2_000_000),
        down in proptest::option::of(0i64..3_000_000),
    ) {
        let reasons = |price: i64, down: Option<Amount>| {
            let mut market = market();
            let mut known = ann(Amount::from_minor(limit));
            let own = own.map(|own| Amount::from_minor(own.min(limit)));
            known.lines[0] = known.lines[0].set_own_limit(own, hours(0)).unwrap().line;
            market.shopper = Some(known);
            market.cart.lines = vec![wanted("phone", Amount::from_minor(price))];
            market.down_payment = down;
            for plan in &mut market.plans {
                plan.down_payment = Rate::from_bps(share);
                plan.minimum = Amount::from_minor(minimum);
                plan.maximum = Amount::from_minor(minimum + room);
            }
            market.reasons("xiaofu-flat-12")
        };
        let down = down.map(|down| Amount::from_minor(down.min(price)));
        for (code, remedy) in remedies(&reasons(price, down)) {
            let helped = match &remedy {
                Alternative::RaiseAmount { amount } => reasons(price + amount.minor(), down),
                Alternative::DownPayment { amount } => reasons(price, Some(*amount)),
                _ => continue,
            };
            let codes: Vec<_> = helped.iter().map(Refusal::code).collect();
            prop_assert!(!codes.contains(&code), "{code}: {remedy:?} leads to {codes:?}");
        }
    }
}
