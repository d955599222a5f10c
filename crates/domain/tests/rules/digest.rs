//! Whatever two agreements differ in, the texts that their digests are taken of differ.

use fenqi_domain::calendar::{DayCount, Roll};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, FeeTiming, LatePolicy, Prepayment, Pricing, RefundStrategy, Settlement, Terms,
    Waterfall,
};
use fenqi_domain::servicing::{
    Ahead, Basis, Bucket, ChargeOff, Credit, Excess, Method, MonthDays, Period, Recalculation, Rule,
    Servicing, Timing, Unit, Until, YearDays,
};
use jiff::ToSpan;
use proptest::prelude::*;
use proptest::sample::select;

use crate::market::{TODAY, flat, quote, yuan};

fn any_rate() -> impl Strategy<Value = Rate> {
    (0..3u32).prop_map(Rate::from_bps)
}

fn any_amount() -> impl Strategy<Value = Amount> {
    (0..3i64).prop_map(Amount::from_minor)
}

fn any_components() -> impl Strategy<Value = Vec<Component>> {
    prop::collection::vec(select(Component::ALL.to_vec()), 0..4)
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let credits = select(vec![
        Credit::Payment,
        Credit::DownPayment,
        Credit::MerchantRefund,
        Credit::PayoutRefund,
        Credit::Goodwill,
        Credit::InterestRefund,
        Credit::InterestWaiver,
        Credit::ChargeAdjustment,
    ]);
    let timings = select(vec![Timing::PastDue, Timing::Due, Timing::Dated, Timing::Ahead]);
    let bucket = (timings, select(Component::ALL.to_vec()))
        .prop_map(|(timing, component)| Bucket { timing, component });
    let aheads = select(vec![Ahead::Next, Ahead::Last, Ahead::Even]);
    (credits, prop::collection::vec(bucket, 0..3), aheads).prop_map(|(credit, buckets, ahead)| Rule {
        credit,
        buckets,
        ahead,
    })
}

fn any_recalculation() -> impl Strategy<Value = Option<Recalculation>> {
    let recalculation = (
        any::<[bool; 3]>(),
        select(vec![Until::PaymentDay, Until::PeriodEnd]),
    )
        .prop_map(|(flags, until)| Recalculation {
            daily: flags[0],
            until,
            spares_overdue: flags[1],
            compounds: flags[2],
        });
    prop::option::of(recalculation)
}

fn any_method() -> impl Strategy<Value = Method> {
    select(vec![
        Method::Balance,
        Method::Flat(Basis::Periods),
        Method::Flat(Basis::Days),
        Method::Level(Basis::Periods),
        Method::Level(Basis::Days),
        Method::EqualPrincipal(Basis::Periods),
        Method::EqualPrincipal(Basis::Days),
    ])
}

fn any_servicing() -> impl Strategy<Value = Servicing> {
    let periods = (1..4u16, select(vec![Unit::Days, Unit::Weeks, Unit::Months]))
        .prop_map(|(every, unit)| Period { every, unit });
    let years = select(vec![YearDays::Fixed(360), YearDays::Fixed(365), YearDays::Actual]);
    let months = select(vec![MonthDays::Thirty, MonthDays::Actual]);
    let excesses = select(vec![
        None,
        Some(Excess::LastRow),
        Some(Excess::LowerInstalment),
        Some(Excess::FewerRows),
        Some(Excess::NextRows),
    ]);
    let charge_offs = select(vec![
        ChargeOff::Regular,
        ChargeOff::ZeroInterest,
        ChargeOff::Accelerate,
    ]);
    (
        (
            prop::collection::vec(any_rule(), 0..3),
            any::<[bool; 2]>(),
            any_rate(),
            any_amount(),
        ),
        (periods, years, months, any_method(), 0..3u16, 0..3u16),
        (any_recalculation(), excesses, any_components(), charge_offs),
    )
        .prop_map(
            |(
                (rules, flags, down_payment, multiple),
                (period, year, month, method, interest_only, interest_deferred),
                (recalculation, excess, chargeback, charge_off),
            )| Servicing {
                rules,
                row_by_row: flags[0],
                down_payment,
                multiple,
                period,
                year,
                month,
                method,
                interest_only,
                interest_deferred,
                whole: flags[1],
                recalculation,
                excess,
                chargeback,
                charge_off,
            },
        )
}

fn any_late() -> impl Strategy<Value = LatePolicy> {
    (0..3u16, any_amount(), any_rate(), any::<bool>(), any_rate()).prop_map(
        |(grace_days, fee, daily, from_due_date, annual_cap)| LatePolicy {
            grace_days,
            fee,
            daily,
            from_due_date,
            annual_cap,
        },
    )
}

fn any_conventions() -> impl Strategy<Value = Conventions> {
    let settlements = prop_oneof![
        Just(Settlement::WaiveUnaccrued),
        Just(Settlement::Actuarial),
        Just(Settlement::RuleOf78),
        any_rate().prop_map(|share| Settlement::RemainingFee { share }),
        any_amount().prop_map(|fee| Settlement::Flat { fee }),
    ];
    let prepayments = vec![
        Prepayment::ShorterTerm,
        Prepayment::LowerInstalment,
        Prepayment::NextFirst,
    ];
    let refunds = vec![
        RefundStrategy::LastFirst,
        RefundStrategy::Proportional,
        RefundStrategy::NextFirst,
        RefundStrategy::OverdueFirst,
    ];
    (
        select(vec![
            Rounding::HalfUp,
            Rounding::HalfEven,
            Rounding::Down,
            Rounding::Up,
        ]),
        select(vec![Remainder::First, Remainder::Last, Remainder::Spread]),
        select(vec![Roll::None, Roll::Following, Roll::ModifiedFollowing]),
        (any_components(), any::<bool>()).prop_map(|(order, row_by_row)| Waterfall { order, row_by_row }),
        any_late(),
        settlements,
        select(prepayments),
        select(refunds),
        prop::option::of(any_servicing().prop_map(Box::new)),
    )
        .prop_map(
            |(rounding, remainder, roll, waterfall, late, settlement, prepayment, refund, servicing)| {
                Conventions {
                    rounding,
                    remainder,
                    roll,
                    waterfall,
                    late,
                    settlement,
                    prepayment,
                    refund,
                    servicing,
                }
            },
        )
}

fn any_pricing() -> impl Strategy<Value = Pricing> {
    let day_counts = || {
        select(vec![
            DayCount::Thirty360,
            DayCount::Actual360,
            DayCount::Actual365,
        ])
    };
    let roundings = select(vec![
        Rounding::HalfUp,
        Rounding::HalfEven,
        Rounding::Down,
        Rounding::Up,
    ]);
    let timings = select(vec![FeeTiming::EveryPeriod, FeeTiming::WithFirst]);
    prop_oneof![
        Just(Pricing::InterestFree),
        (any_rate(), timings, roundings).prop_map(|(total_rate, timing, fee_rounding)| Pricing::FlatFee {
            total_rate,
            timing,
            fee_rounding,
        }),
        (any_rate(), day_counts()).prop_map(|(annual, day_count)| Pricing::Annuity { annual, day_count }),
        (any_rate(), day_counts())
            .prop_map(|(annual, day_count)| Pricing::EqualPrincipal { annual, day_count }),
        (any_rate(), day_counts(), any_rate()).prop_map(|(annual, day_count, left)| Pricing::Balloon {
            annual,
            day_count,
            left,
        }),
        (any_rate(), day_counts(), any_rate(), 1..3u16).prop_map(|(annual, day_count, growth, every)| {
            Pricing::Graduated {
                annual,
                day_count,
                growth,
                every,
            }
        }),
    ]
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let currencies = select(vec![Currency::Cny, Currency::Eur]);
    let days = || (0..4i64).prop_map(|days| TODAY.checked_add(days.days()).unwrap());
    (
        currencies,
        any_amount(),
        any_pricing(),
        any_rate(),
        days(),
        prop::collection::vec(days(), 0..3),
        any_conventions(),
    )
        .prop_map(
            |(currency, principal, pricing, borne_by_seller, signed_on, due_dates, conventions)| Terms {
                currency,
                principal,
                pricing,
                borne_by_seller,
                signed_on,
                due_dates,
                conventions,
            },
        )
}

/// The first with some fields of the second, one at a time: of the terms, of their conventions, and of their servicing.
fn with_one_field_of(terms: &Terms, other: &Terms) -> Vec<Terms> {
    let mut all = Vec::new();
    macro_rules! one {
        ($($($field:ident).+),* $(,)?) => {
            $({
                let mut mixed = terms.clone();
                mixed.$($field).+ = other.$($field).+.clone();
                all.push(mixed);
            })*
        };
    }
    one!(
        currency,
        principal,
        pricing,
        borne_by_seller,
        signed_on,
        due_dates,
        conventions
    );
    one!(
        conventions.rounding,
        conventions.remainder,
        conventions.roll,
        conventions.waterfall,
        conventions.late
    );
    one!(
        conventions.settlement,
        conventions.prepayment,
        conventions.refund,
        conventions.servicing
    );
    macro_rules! one_of_servicing {
        ($($field:ident),* $(,)?) => {
            $({
                let mut mixed = terms.clone();
                let own = mixed.conventions.servicing.as_deref_mut();
                if let (Some(own), Some(others)) = (own, other.conventions.servicing.as_deref()) {
                    own.$field = others.$field.clone();
                    all.push(mixed);
                }
            })*
        };
    }
    one_of_servicing!(
        rules,
        row_by_row,
        down_payment,
        multiple,
        period,
        year,
        month,
        method
    );
    one_of_servicing!(
        interest_only,
        interest_deferred,
        whole,
        recalculation,
        excess,
        chargeback,
        charge_off
    );
    all
}

proptest! {
    // R46: the digest holds every field of the terms, those of servicing included
    #[test]
    fn terms_that_differ_in_any_field_have_different_texts(terms in any_terms(), other in any_terms()) {
        let mut quote = quote(&flat("xiaofu", 12, "7.2"), yuan(1_200));
        let mut text_of = |terms: &Terms| {
            quote.terms = terms.clone();
            quote.canonical()
        };
        let text = text_of(&terms);
        for mixed in with_one_field_of(&terms, &other) {
            prop_assert_eq!(mixed == terms, text_of(&mixed) == text, "{:?}\n{:?}", terms, mixed);
        }
    }
}
