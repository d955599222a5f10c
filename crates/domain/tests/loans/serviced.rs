//! Random lives of loans whose agreements say more on servicing, for the properties.

use fenqi_domain::calendar::{DayCount, days_between};
use fenqi_domain::loan::{Amendment, Event, Intent, Reaging, Reamortising, Transaction};
use fenqi_domain::money::{Rate, Rounding};
use fenqi_domain::plan::{Component, Pricing, Terms};
use fenqi_domain::servicing::{
    Ahead, Basis, Bucket, ChargeOff, Credit, Excess, Method, MonthDays, Period, Recalculation, Rule,
    Servicing, Timing, Unit, Until, YearDays,
};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::select;

use crate::lives::any_late;
use crate::servicing::{buckets, servicing};
use crate::terms::{Life, after, due, fen, signed, terms};

/// Any order of the twelve buckets, and of charges that are due on their own day.
fn any_buckets() -> impl Strategy<Value = Vec<Bucket>> {
    let own_day = [Component::Penalty, Component::Fee].map(|component| Bucket {
        timing: Timing::Dated,
        component,
    });
    let mut all = buckets();
    all.extend(own_day);
    prop_oneof![3 => Just(buckets()), 1 => Just(buckets()).prop_shuffle(), 1 => Just(all).prop_shuffle()]
}

/// How credits are spread: payments, and some of the others by rules of their own.
fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let others = prop::sample::subsequence(
        vec![
            Credit::DownPayment,
            Credit::MerchantRefund,
            Credit::PayoutRefund,
            Credit::Goodwill,
            Credit::InterestRefund,
            Credit::InterestWaiver,
            Credit::ChargeAdjustment,
        ],
        0..3,
    );
    others.prop_flat_map(|others| {
        let rule = |credit| {
            let aheads = select(vec![Ahead::Next, Ahead::Last, Ahead::Even]);
            (any_buckets(), aheads).prop_map(move |(buckets, ahead)| Rule {
                credit,
                buckets,
                ahead,
            })
        };
        let all = [vec![Credit::Payment], others].concat();
        all.into_iter().map(rule).collect::<Vec<_>>()
    })
}

/// How far apart due dates are: months mostly.
fn any_period() -> impl Strategy<Value = Period> {
    let of = |every, unit| Period { every, unit };
    select(vec![
        of(1, Unit::Months),
        of(1, Unit::Months),
        of(1, Unit::Months),
        of(2, Unit::Months),
        of(1, Unit::Weeks),
        of(2, Unit::Weeks),
        of(10, Unit::Days),
        of(30, Unit::Days),
    ])
}

/// How interest comes about, whether it follows payments, and what becomes of what goes beyond an instalment.
type Interest = (Method, Option<Recalculation>, Option<Excess>);

/// Any way to reckon interest.
fn any_interest() -> impl Strategy<Value = Interest> {
    let recalculation = any::<[bool; 4]>().prop_map(|[daily, is_end, spares, compounds]| Recalculation {
        daily,
        until: if is_end {
            Until::PeriodEnd
        } else {
            Until::PaymentDay
        },
        spares_overdue: spares,
        compounds,
    });
    let on_plan = vec![
        Method::Level(Basis::Periods),
        Method::Level(Basis::Days),
        Method::EqualPrincipal(Basis::Days),
    ];
    let fixed = [
        vec![
            Method::Balance,
            Method::Flat(Basis::Periods),
            Method::Flat(Basis::Days),
        ],
        on_plan.clone(),
    ]
    .concat();
    let excess = select(vec![
        Excess::LastRow,
        Excess::LowerInstalment,
        Excess::FewerRows,
        Excess::NextRows,
    ]);
    prop_oneof![
        2 => recalculation.clone().prop_map(|r| (Method::Balance, Some(r), None)),
        1 => select(fixed).prop_map(|method| (method, None, None)),
        1 => (select(on_plan), recalculation, excess).prop_map(|(m, r, e)| (m, Some(r), Some(e))),
    ]
}

/// Anything an agreement may say on servicing.
fn any_servicing() -> impl Strategy<Value = Servicing> {
    let years = select(vec![
        (YearDays::Fixed(360), MonthDays::Thirty),
        (YearDays::Fixed(360), MonthDays::Actual),
        (YearDays::Fixed(364), MonthDays::Actual),
        (YearDays::Fixed(365), MonthDays::Actual),
        (YearDays::Actual, MonthDays::Actual),
    ]);
    let shares = select(vec![0, 250_000_000]);
    let charge_offs = select(vec![
        ChargeOff::Regular,
        ChargeOff::ZeroInterest,
        ChargeOff::Accelerate,
    ]);
    let chargebacks = select(vec![Vec::new(), Component::ALL.to_vec()]);
    (
        any_rules(),
        any_interest(),
        years,
        shares,
        any_period(),
        charge_offs,
        chargebacks,
        (any::<bool>(), any::<bool>(), 0..3u16, 0..3u16),
        select(vec![0, 0, 100, 1000]),
    )
        .prop_map(
            |(
                rules,
                (method, recalculation, excess),
                (year, month),
                down,
                period,
                charge_off,
                chargeback,
                flags,
                multiple,
            )| {
                Servicing {
                    rules,
                    row_by_row: flags.0,
                    down_payment: Rate::from_ppb(down),
                    multiple: fen(multiple),
                    period,
                    year,
                    month,
                    method,
                    interest_only: flags.2,
                    interest_deferred: flags.3,
                    whole: flags.1 || excess.is_some(),
                    recalculation,
                    excess,
                    chargeback,
                    charge_off,
                }
            },
        )
}

/// Any terms with servicing of 2 to 8 instalments.
pub fn any_serviced_terms() -> impl Strategy<Value = Terms> {
    (
        any_servicing(),
        select(vec![0, 70_000_000, 240_000_000]),
        1_000..300_000i64,
        2..=8i64,
        any_late(),
    )
        .prop_map(|(servicing, ppb, principal, count, late)| {
            let pricing = Pricing::Annuity {
                annual: Rate::from_ppb(ppb),
                day_count: DayCount::Thirty360,
            };
            let mut terms = terms(pricing, fen(principal), count);
            terms.conventions.rounding = Rounding::HalfEven;
            let Period { every, unit } = servicing.period;
            terms.due_dates = (1..=count)
                .map(|number| number * i64::from(every))
                .map(|units| match unit {
                    Unit::Days => after(signed(), units),
                    Unit::Weeks => after(signed(), units * 7),
                    Unit::Months => due(units),
                })
                .collect();
            terms.conventions.late = late;
            terms.conventions.servicing = Some(Box::new(servicing));
            terms
        })
}

/// What moves money on a loan of so much.
fn any_money(principal: i64, span: i64) -> impl Strategy<Value = Event> {
    let amount = move |share: i64| (1..=(principal / share).max(1)).prop_map(fen);
    let credits = select(vec![
        Credit::MerchantRefund,
        Credit::PayoutRefund,
        Credit::Goodwill,
        Credit::InterestRefund,
        Credit::InterestWaiver,
    ]);
    let amend = |by| Event::Amended { by };
    prop_oneof![
        6 => amount(1).prop_map(|amount| Event::Repaid { amount, intent: Intent::Due }),
        2 => (amount(3), credits).prop_map(move |(amount, credit)| amend(Amendment::Credited { amount, credit })),
        2 => (amount(20), any::<bool>(), 0..span).prop_map(move |(amount, is_fee, day)| {
            let component = if is_fee { Component::Fee } else { Component::Penalty };
            amend(Amendment::Charged { amount, component, due_on: after(signed(), day) })
        }),
        1 => amount(10).prop_map(|amount| Event::PaidOut { amount }),
        1 => amount(10).prop_map(move |amount| amend(Amendment::HandedBack { amount })),
        1 => (0..50_000_000i64).prop_map(move |ppb| amend(Amendment::Surcharged { share: Rate::from_ppb(ppb) })),
        1 => (select(Component::ALL.to_vec()), amount(8)).prop_map(|(component, amount)| Event::Waived { component, amount }),
    ]
}

/// What changes the schedule or its interest, or ends it.
fn any_change(dates: Vec<Date>, period: Period, span: i64) -> impl Strategy<Value = Event> {
    let by = prop_oneof![
        1 => select(vec![Reamortising::NextRow, Reamortising::Alike]).prop_map(|interest| Amendment::Reamortised { interest }),
        1 => (0..span, 1..5u16, select(vec![Reaging::Anew, Reaging::Payable, Reaging::All])).prop_map(
            move |(day, count, interest)| Amendment::Reaged {
            start_on: after(signed(), day + 31),
            period,
            count,
            interest,
        }),
        1 => (select(dates.clone()), 1..20i64).prop_map(|(from, days)| {
            let to = Some(after(from, days));
            Amendment::Rescheduled { from, to, extra: 0, grace: 0, interest_grace: 0 }
        }),
        1 => (select(dates), 0..3u16, 0..3u16, 0..3u16).prop_map(|(from, extra, grace, interest_grace)| {
            Amendment::Rescheduled { from, to: None, extra, grace, interest_grace }
        }),
        1 => (0..300_000_000i64).prop_map(|ppb| Amendment::RateChanged { annual: Rate::from_ppb(ppb) }),
        1 => (0..span, 0..50i64).prop_map(|(day, days)| {
            let from = after(signed(), day);
            Amendment::InterestPaused { from, until: after(from, days) }
        }),
        1 => select(vec![Amendment::ChargedOff, Amendment::WrittenOff, Amendment::Terminated]),
    ];
    by.prop_map(|by| Event::Amended { by })
}

/// Any life: lent at once or in parts, then up to eight events, and at last corrections of them.
fn any_serviced_life(terms: &Terms) -> impl Strategy<Value = Life> + use<> {
    let principal = terms.principal.minor();
    let period = terms.conventions.servicing.as_ref().unwrap().period;
    let span = days(terms) + 40;
    let moves = prop::collection::vec((0..span, any_money(principal, span)), 0..8);
    let dates = terms.due_dates.clone();
    let changes = prop::collection::vec((0..span, any_change(dates, period, span)), 0..2);
    // Before the last row, which is to take it.
    let count = i64::try_from(terms.due_dates.len()).unwrap();
    let later = 0..(days(terms) * (count - 1) / count - 3);
    let corrections = prop::collection::vec((0..3u8, 0..8usize, 0..30i64, 1..20_000i64), 0..3);
    (any::<bool>(), later, moves, changes, corrections).prop_map(
        move |(in_parts, later, moves, changes, corrections)| {
            let first = if in_parts { principal / 2 } else { principal };
            let mut life = Life::default().then(signed(), Event::Disbursed { amount: fen(first) });
            if in_parts {
                let amount = fen(principal - first);
                life = life.then(after(signed(), later), Event::Disbursed { amount });
            }
            for (day, event) in moves.into_iter().chain(changes) {
                life = life.then(after(signed(), day), event);
            }
            for (kind, of, days, amount) in corrections {
                life = corrected(life, kind, of, days, amount);
            }
            life
        },
    )
}

/// How many days lie between the signing and the last due date.
fn days(terms: &Terms) -> i64 {
    days_between(signed(), *terms.due_dates.last().unwrap())
}

/// Undoes, takes back or waives one of the transactions, if it is one of which that can be said.
fn corrected(life: Life, kind: u8, of: usize, days: i64, amount: i64) -> Life {
    let is_first = |t: &&Transaction| !matches!(t.event, Event::Disbursed { .. } | Event::Reversed { .. });
    let Some(target) = life.0.iter().filter(is_first).nth(of).cloned() else {
        return life;
    };
    let of = target.number;
    let on = after(target.effective_on, days);
    let most = target.event.amount().map_or(amount, |a| amount.min(a.minor()));
    let amount = fen(most);
    let is_taken = life.0.iter().any(|t| points_at(&t.event, of));
    match (kind, &target.event) {
        _ if is_taken => life,
        (0, _) => life.then(on, Event::Reversed { of }),
        (_, Event::Repaid { .. }) => {
            let by = Amendment::ChargedBack { amount, of };
            life.then(on, Event::Amended { by })
        }
        (
            1,
            Event::Amended {
                by: Amendment::Charged { .. },
            },
        ) => {
            let by = Amendment::ChargeWaived { of, amount };
            life.then(on, Event::Amended { by })
        }
        (
            _,
            Event::Amended {
                by: Amendment::Charged { .. },
            },
        ) => {
            let by = Amendment::ChargeAdjusted { of, amount };
            life.then(on, Event::Amended { by })
        }
        _ => life,
    }
}

/// Whether an event is about a transaction.
fn points_at(event: &Event, number: u32) -> bool {
    match event {
        Event::Reversed { of } => *of == number,
        Event::Amended {
            by:
                Amendment::ChargedBack { of, .. }
                | Amendment::ChargeWaived { of, .. }
                | Amendment::ChargeAdjusted { of, .. },
        } => *of == number,
        _ => false,
    }
}

/// Terms with servicing, a life under them, and a day within it or after.
pub fn any_serviced_case() -> impl Strategy<Value = (Terms, Life, Date)> {
    any_serviced_terms().prop_flat_map(|terms| {
        let life = any_serviced_life(&terms);
        let span = days(&terms) + 90;
        (Just(terms), life, (0..span).prop_map(|d| after(signed(), d)))
    })
}

/// 300.00 over three months without interest, the oldest first, ahead the next.
pub fn plain_terms() -> Terms {
    let mut terms = terms(Pricing::InterestFree, fen(300_00), 3);
    terms.conventions.late.daily = Rate::ZERO;
    terms.conventions.servicing = Some(Box::new(servicing(Ahead::Next)));
    terms
}
