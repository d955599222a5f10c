//! Random lives of random loans, for the properties.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Event, Intent, Transaction};
use fenqi_domain::money::{Amount, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, FeeTiming, LatePolicy, Prepayment, Pricing, RefundStrategy, Settlement, Terms,
    Waterfall,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::terms::{Life, after, due, fen, signed, terms};

/// Any pricing.
fn any_pricing() -> impl Strategy<Value = Pricing> {
    let counts = select(vec![
        DayCount::Thirty360,
        DayCount::Actual360,
        DayCount::Actual365,
    ]);
    let timings = select(vec![FeeTiming::EveryPeriod, FeeTiming::WithFirst]);
    let kinds = (0..6u8, 0..=1_000_000_000i64, 1..7u16);
    (kinds, 0..300_000_000i64, counts, timings).prop_map(|((kind, share, every), ppb, day_count, timing)| {
        match kind {
            0 => Pricing::InterestFree,
            1 => Pricing::FlatFee {
                total_rate: Rate::from_ppb(ppb / 2),
                timing,
                fee_rounding: Rounding::HalfEven,
            },
            2 => Pricing::Annuity {
                annual: Rate::from_ppb(ppb),
                day_count,
            },
            3 => Pricing::EqualPrincipal {
                annual: Rate::from_ppb(ppb),
                day_count,
            },
            4 => Pricing::Balloon {
                annual: Rate::from_ppb(ppb),
                day_count,
                left: Rate::from_ppb(share),
            },
            _ => Pricing::Graduated {
                annual: Rate::from_ppb(ppb),
                day_count,
                growth: Rate::from_ppb(share / 4),
                every,
            },
        }
    })
}

/// Any rule for lateness.
pub fn any_late() -> impl Strategy<Value = LatePolicy> {
    (
        0..6u16,
        select(vec![0, 1500]),
        select(vec![0, 300_000, 500_000]),
        any::<bool>(),
        select(vec![240_000_000, 360_000_000, 10_000_000_000]),
    )
        .prop_map(|(grace_days, fee, daily, from_due_date, cap)| LatePolicy {
            grace_days,
            fee: fen(fee),
            daily: Rate::from_ppb(daily),
            from_due_date,
            annual_cap: Rate::from_ppb(cap),
        })
}

/// Any settlement method.
fn any_settlement() -> impl Strategy<Value = Settlement> {
    select(vec![
        Settlement::WaiveUnaccrued,
        Settlement::Actuarial,
        Settlement::RemainingFee {
            share: Rate::from_ppb(400_000_000),
        },
        Settlement::RemainingFee { share: Rate::ONE },
        Settlement::Flat { fee: fen(777) },
        Settlement::RuleOf78,
    ])
}

/// Any conventions.
fn any_conventions() -> impl Strategy<Value = Conventions> {
    let roundings = select(vec![Rounding::HalfUp, Rounding::HalfEven, Rounding::Down]);
    let remainders = select(vec![Remainder::First, Remainder::Last, Remainder::Spread]);
    let orders = Just(Component::ALL.to_vec()).prop_shuffle();
    let prepayments = select(vec![
        Prepayment::ShorterTerm,
        Prepayment::LowerInstalment,
        Prepayment::NextFirst,
    ]);
    let waterfall = (orders, any::<bool>()).prop_map(|(order, row_by_row)| Waterfall { order, row_by_row });
    (
        roundings,
        remainders,
        waterfall,
        any_late(),
        any_settlement(),
        prepayments,
    )
        .prop_map(
            |(rounding, remainder, waterfall, late, settlement, prepayment)| Conventions {
                rounding,
                remainder,
                waterfall,
                late,
                settlement,
                prepayment,
                ..crate::terms::conventions()
            },
        )
}

/// Any terms of 1 to 14 instalments.
pub fn any_terms() -> impl Strategy<Value = Terms> {
    (
        any_pricing(),
        1..300_000i64,
        1..=14i64,
        select(vec![0, 300_000_000, 1_000_000_000]),
        any_conventions(),
    )
        .prop_map(|(pricing, principal, count, borne, conventions)| Terms {
            borne_by_seller: Rate::from_ppb(borne),
            conventions,
            ..terms(pricing, fen(principal), count)
        })
}

/// Any strategy.
pub fn any_strategy() -> impl Strategy<Value = RefundStrategy> {
    select(vec![
        RefundStrategy::LastFirst,
        RefundStrategy::Proportional,
        RefundStrategy::NextFirst,
        RefundStrategy::OverdueFirst,
    ])
}

/// Anything that may happen to a loan of so much, but for a reversal.
fn any_event(principal: i64) -> impl Strategy<Value = Event> {
    let amount = move |share: i64| (1..=(principal / share).max(1)).prop_map(fen);
    let intents = select(vec![Intent::Due, Intent::Bill, Intent::Settle, Intent::Keep]);
    let components = select(Component::ALL.to_vec());
    prop_oneof![
        6 => (amount(1), intents).prop_map(|(amount, intent)| Event::Repaid { amount, intent }),
        2 => (amount(6), any_strategy(), any::<bool>()).prop_map(|(amount, strategy, with_paid_fees)| {
            Event::Refunded { amount, strategy, with_paid_fees }
        }),
        1 => (components, amount(8)).prop_map(|(component, amount)| Event::Waived { component, amount }),
        1 => Just(Event::Paused),
        1 => Just(Event::Resumed),
        1 => (0..200i64, 0..20i64).prop_map(|(from, days)| Event::Excused {
            from: after(signed(), from),
            until: after(signed(), from + days),
        }),
        1 => (1..40u16).prop_map(|days| Event::Deferred { days }),
        1 => amount(10).prop_map(|amount| Event::PaidOut { amount }),
    ]
}

/// Any life under these terms: captured at once or in two parts, and then up to ten events within its time.
fn any_life(terms: &Terms) -> impl Strategy<Value = Life> + use<> {
    let principal = terms.principal.minor();
    let span = i64::try_from(terms.due_dates.len()).unwrap() * 31 + 90;
    let first = if principal > 1 { principal / 2 } else { 0 };
    let parts = select(vec![0, first]);
    let later = 0..28i64;
    let events = prop::collection::vec((0..span, any_event(principal)), 0..10);
    let reversals = prop::collection::vec((0..12usize, 0..span), 0..3);
    (parts, later, events, reversals).prop_map(move |(part, later, events, reversals)| {
        let mut life = Life::default();
        if part > 0 {
            life = life.then(signed(), Event::Disbursed { amount: fen(part) });
        }
        let amount = fen(principal - part);
        life = life.then(
            after(signed(), if part > 0 { later } else { 0 }),
            Event::Disbursed { amount },
        );
        let captures = life.0.len();
        // At most four refunds of a sixth each never give back more than was captured on the first day.
        let mut refunds = 0;
        for (offset, event) in events {
            if matches!(event, Event::Refunded { .. }) {
                refunds += 1;
                if refunds > 3 || offset < later || principal < 6 {
                    continue;
                }
            }
            life = life.then(after(signed(), offset), event);
        }
        for (of, offset) in reversals {
            let of = of + captures;
            if of < life.0.len() && !life.0[of..].iter().any(|t| reverses(t, of)) {
                let of = u32::try_from(of).unwrap() + 1;
                life = life.then(after(signed(), offset), Event::Reversed { of });
            }
        }
        life
    })
}

/// Whether a transaction reverses the one at a place.
fn reverses(transaction: &Transaction, place: usize) -> bool {
    matches!(transaction.event, Event::Reversed { of } if usize::try_from(of).unwrap() == place + 1)
}

/// Terms, a life under them, and a day within it or after.
pub fn any_case() -> impl Strategy<Value = (Terms, Life, jiff::civil::Date)> {
    any_terms().prop_flat_map(|terms| {
        let life = any_life(&terms);
        let span = i64::try_from(terms.due_dates.len()).unwrap() * 31 + 120;
        (Just(terms), life, (0..span).prop_map(|d| after(signed(), d)))
    })
}

/// The last due date of the terms, with room for what is moved.
pub fn end(terms: &Terms) -> jiff::civil::Date {
    after(due(i64::try_from(terms.due_dates.len()).unwrap()), 400)
}

/// The sum of what a life moved by a day, of the events that stand.
pub fn moved(life: &Life, as_of: jiff::civil::Date, of: impl Fn(&Event) -> Option<Amount>) -> Amount {
    let stands = |t: &&Transaction| {
        let place = usize::try_from(t.number).unwrap() - 1;
        t.effective_on <= as_of
            && !life
                .0
                .iter()
                .any(|r| reverses(r, place) && stands_itself(life, r))
    };
    Amount::sum(life.0.iter().filter(stands).filter_map(|t| of(&t.event))).unwrap()
}

/// Whether a reversal stands: nothing later that stands reverses it.
fn stands_itself(life: &Life, reversal: &Transaction) -> bool {
    let place = usize::try_from(reversal.number).unwrap() - 1;
    !life
        .0
        .iter()
        .any(|r| reverses(r, place) && stands_itself(life, r))
}
