//! Figures that were reckoned elsewhere, by hand and with a spreadsheet: the plan of 1,200 over 12 at 7.2 %.

use fenqi_domain::loan::{Event, Intent, Payoff, fold};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{FeeTiming, Pricing, RefundStrategy, Settlement, Terms};
use fenqi_domain::settlement::payoff;

use crate::terms::*;

/// The phone after three instalments were paid on time, and what settling costs that day.
fn payoff_after_three(settlement: Settlement, cap: &str) -> Payoff {
    let mut terms = phone();
    terms.conventions.settlement = settlement;
    terms.conventions.late.annual_cap = percent(cap);
    let life = Life::captured(&terms).paid_instalments(fen(107_20), 3);
    payoff(&terms, &life.0, due(3)).unwrap()
}

// R52: settling after three of twelve costs 900.00 where fees to come are waived.
#[test]
fn each_settlement_method_gives_its_figure() {
    let table = [
        (Settlement::WaiveUnaccrued, 900_00),
        (Settlement::Actuarial, 914_42),
        (Settlement::RuleOf78, 914_95),
        (Settlement::RemainingFee { share: Rate::ONE }, 964_80),
        (Settlement::RemainingFee { share: percent("50") }, 932_40),
        (Settlement::Flat { fee: yuan(5) }, 905_00),
    ];
    for (method, total) in table {
        let payoff = payoff_after_three(method, "100");
        assert_eq!(payoff.total, fen(total), "{method:?}");
        assert_eq!(payoff.saved, fen(964_80 - total), "{method:?}");
        assert_eq!(payoff.lowered, Amount::ZERO);
    }
}

#[test]
fn the_realised_rate_is_7_85_percent_without_and_30_78_with_all_fees() {
    let hundredths = |rate: Rate| (rate.ppb() + 50_000) / 100_000;
    assert_eq!(
        hundredths(payoff_after_three(Settlement::WaiveUnaccrued, "100").annual),
        785
    );
    let all = Settlement::RemainingFee { share: Rate::ONE };
    assert_eq!(hundredths(payoff_after_three(all, "100").annual), 3078);
}

#[test]
fn the_charge_is_lowered_until_the_whole_cost_is_under_the_cap() {
    let all = Settlement::RemainingFee { share: Rate::ONE };
    let payoff = payoff_after_three(all, "24");
    assert!(payoff.annual <= percent("24"), "{}", payoff.annual);
    assert!(payoff.annual > percent("23.99"), "and by no more than needed");
    assert_eq!(payoff.total.plus(payoff.lowered).unwrap(), fen(964_80));
    assert!(payoff.lowered.is_positive());
}

/// The phone after three instalments, and 400 yuan that went back.
fn refunded_after_three(strategy: RefundStrategy) -> (Terms, Life) {
    let mut terms = phone();
    terms.conventions.refund = strategy;
    let life = Life::captured(&terms)
        .paid_instalments(fen(107_20), 3)
        .refunded(&terms, due(3), yuan(400));
    (terms, life)
}

#[test]
fn a_last_first_refund_cancels_four_periods_and_their_fee() {
    let (terms, life) = refunded_after_three(RefundStrategy::LastFirst);
    let loan = life.fold(&terms, due(3));
    let open = open(&loan);
    assert_eq!(open[..3], [[0; 4]; 3]);
    assert_eq!(open[3..8], [[100_00, 0, 7_20, 0]; 5]);
    assert_eq!(open[8..], [[0; 4]; 4]);
    let cancelled = Amount::sum(loan.rows.iter().map(|r| r.fee.cancelled)).unwrap();
    assert_eq!(cancelled, fen(28_80));
    assert_eq!(loan.rows[11].cleared_on, Some(due(3)));
}

#[test]
fn a_proportional_refund_makes_all_nine_smaller() {
    let (terms, life) = refunded_after_three(RefundStrategy::Proportional);
    let loan = life.fold(&terms, due(3));
    let removed: Vec<i64> = loan.rows[3..]
        .iter()
        .map(|r| r.principal.cancelled.minor())
        .collect();
    assert_eq!(removed, [4445, 4445, 4445, 4445, 4444, 4444, 4444, 4444, 4444]);
    assert!(loan.rows[3..].iter().all(|r| r.fee.open().unwrap() == fen(4_00)));
}

#[test]
fn a_next_first_refund_takes_the_next_four() {
    let (terms, life) = refunded_after_three(RefundStrategy::NextFirst);
    let open = open(&life.fold(&terms, due(3)));
    assert_eq!(open[3..7], [[0; 4]; 4]);
    assert_eq!(open[7..], [[100_00, 0, 7_20, 0]; 5]);
}

#[test]
fn an_overdue_first_refund_takes_what_is_overdue_and_then_the_last() {
    let mut terms = phone();
    terms.conventions.refund = RefundStrategy::OverdueFirst;
    let life =
        Life::captured(&terms)
            .paid_instalments(fen(107_20), 2)
            .refunded(&terms, after(due(3), 1), yuan(400));
    let open = open(&life.fold(&terms, after(due(3), 1)));
    assert_eq!(open[2], [0, 0, 7_20, 5], "its fee and a day of penalty stay");
    assert_eq!(open[8], [100_00, 0, 7_20, 0]);
    assert_eq!(open[9..], [[0; 4]; 3]);
}

// R39: 0.05 % a day on 107.20 for 10 days is 0.536, and so 0.54.
#[test]
fn ten_days_of_penalty_on_an_instalment_are_54_fen() {
    let terms = phone();
    let life = Life::captured(&terms);
    for (days, penalty) in [(0, 0), (1, 5), (9, 48), (10, 54)] {
        let loan = life.fold(&terms, after(due(1), days));
        assert_eq!(loan.rows[0].penalty.charged, fen(penalty), "after {days} days");
        assert_eq!(loan.days_past_due, days);
    }
}

#[test]
fn a_fee_up_front_is_cancelled_with_the_principal_that_goes_back_before_it_is_due() {
    let pricing = Pricing::FlatFee {
        total_rate: percent("7.2"),
        timing: FeeTiming::WithFirst,
        fee_rounding: fenqi_domain::money::Rounding::HalfEven,
    };
    let terms = terms(pricing, yuan(1200), 12);
    let life = Life::captured(&terms).refunded(&terms, after(signed(), 3), yuan(400));
    let loan = life.fold(&terms, due(1));
    assert_eq!(loan.rows[0].fee.open().unwrap(), fen(57_60));
    let life = life.then(
        due(1),
        Event::Refunded {
            amount: yuan(800),
            strategy: RefundStrategy::LastFirst,
            with_paid_fees: false,
        },
    );
    let loan = fold(&terms, &life.0, due(1)).unwrap();
    assert_eq!(loan.outstanding().unwrap().fee, fen(57_60), "due is due");
}

// R34: a bill that is paid the day before its due date is paid, and its last instalment is not prepaid instead.
#[test]
fn a_bill_paid_before_its_day_is_not_taken_for_a_prepayment() {
    let terms = phone();
    let eve = after(due(1), -1);
    let paid = |amount: Amount| {
        let intent = Intent::Bill;
        let life = Life::captured(&terms).then(eve, Event::Repaid { amount, intent });
        fold(&terms, &life.0, due(1)).unwrap()
    };
    let loan = paid(fen(107_20));
    assert_eq!(
        loan.payable().unwrap().total().unwrap(),
        Amount::ZERO,
        "nothing is left to debit"
    );
    assert_eq!(loan.rows[0].cleared_on, Some(eve));
    assert_eq!(loan.rows[11].open().unwrap().total().unwrap(), fen(107_20));
    let more = paid(fen(207_20));
    let last = more.rows[11].open().unwrap();
    assert_eq!(
        last.total().unwrap(),
        Amount::ZERO,
        "what is over the bill prepays the last one, and its fee falls away"
    );
    assert_eq!(more.rows[11].fee.cancelled, fen(7_20));
}
