//! Changes of running loans whose figures can be reckoned by hand: interest is the balance × 7 % ÷ 12, half to even.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Amendment, Event, Intent, PostingKind, Reamortising, postings, quote};
use fenqi_domain::money::{Amount, Rate, Rounding};
use fenqi_domain::plan::{Component, Pricing};
use fenqi_domain::servicing::{Ahead, Until};
use fenqi_domain::settlement::payoff;
use jiff::civil::date;

use crate::servicing::{SEVEN, amended, came_to, daily, first, lent, lived, met, paid, servicing, signed};
use crate::terms::{Life, fen};

/// A month's interest on a balance at 7 %.
fn month(balance: i64) -> i64 {
    fen(balance).share(7, 1_200, Rounding::HalfEven).unwrap().minor()
}

#[test]
fn what_is_overdue_is_spread_over_the_rows_to_come_though_interest_follows_no_payment() {
    let terms = signed(SEVEN, 6, servicing(Ahead::Next));
    let events = [
        lent(100_00),
        paid(first(2), 10_00),
        amended(
            date(2024, 2, 15),
            Amendment::Reamortised {
                interest: Reamortising::NextRow,
            },
        ),
    ];
    let life = lived(&terms, &events, date(2024, 2, 15));
    let rows = came_to(&life);
    assert_eq!(rows[0], (9_42, 58), "the overdue row is cut to what was paid");
    let mut balance = 100_00 - 9_42;
    for (principal, interest) in &rows[1..] {
        assert_eq!(*interest, month(balance));
        balance -= principal;
    }
    assert_eq!(balance, 0);
    // 90.58 over five months at 7 % is 18.43.
    assert!(
        rows[1..].iter().all(|(p, i)| (p + i - 18_43).abs() <= 2),
        "{rows:?}"
    );
    assert_eq!(met(&life), [9_42, 0, 0, 0, 0, 0]);
    let spread = life.records.last().unwrap().parts;
    assert_eq!(spread.principal, fen(16_43 - 9_42), "what the row had left");
}

#[test]
fn overdue_interest_is_due_with_the_next_row_or_spread_alike() {
    // Of March 0.49 is overdue; four rows are to come. (Apache Fineract, `LoanReAmortizationIntegrationTest`: 17.01 of
    // principal and interest are spread.)
    let mut terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    terms.conventions.late.daily = Rate::ZERO;
    let table = [
        (Reamortising::NextRow, 16_52, [49, 0, 0, 0]),
        (Reamortising::Alike, 17_01, [12, 12, 12, 13]),
    ];
    for (interest, spread, more) in table {
        let by = Amendment::Reamortised { interest };
        let on = date(2024, 3, 15);
        let mut events = vec![lent(100_00), paid(first(2), 17_01), amended(on, by)];
        let life = lived(&terms, &events, on);
        let rows = came_to(&life);
        assert_eq!(rows[1], (0, 0), "{interest:?}");
        let mut balance = 83_57;
        for ((principal, interest), more) in rows[2..].iter().zip(more) {
            assert_eq!(*interest, month(balance) + more, "{balance}");
            balance -= principal;
        }
        assert_eq!(balance, 0);
        let record = life.records.last().unwrap();
        assert_eq!(record.parts.total().unwrap(), fen(spread), "{interest:?}");
        // All of it is owed by who pays everything on the day: 83.57, 0.49, and 14 of 31 days of it 0.22.
        let told = events.iter().fold(Life(Vec::new()), |life, (on, event)| {
            life.then(*on, event.clone())
        });
        assert_eq!(
            quote(&terms, &told.0, on).unwrap(),
            fen(83_57 + 49 + 22),
            "{interest:?}"
        );
        events.push(paid(on, 84_28));
        let life = lived(&terms, &events, on);
        assert_eq!(life.loan.outstanding().unwrap().total().unwrap(), Amount::ZERO);
        assert_eq!(life.loan.credit_balance, Amount::ZERO);
    }
    // Without a balance that interest follows it stays overdue, unless it is spread: at a flat 2.40 a month, 80 fen more.
    let terms = flat(3);
    for (interest, rows) in [
        (Reamortising::NextRow, [240, 240, 240]),
        (Reamortising::Alike, [0, 360, 360]),
    ] {
        let by = Amendment::Reamortised { interest };
        let life = lived(
            &terms,
            &[lent(120_00), amended(date(2024, 2, 15), by)],
            date(2024, 2, 15),
        );
        let owed: Vec<i64> = came_to(&life).iter().map(|(_, interest)| *interest).collect();
        assert_eq!(owed, rows, "{interest:?}");
    }
}

#[test]
fn interest_of_a_whole_period_that_was_not_earned_is_taken_off_the_next() {
    let mut terms = signed(SEVEN, 6, daily(Until::PeriodEnd));
    terms.conventions.late.daily = Rate::ZERO;
    let instalment = {
        let rows = came_to(&lived(&terms, &[lent(10_000_00)], first(1)));
        rows[0].0 + rows[0].1
    };
    let on = date(2024, 1, 2);
    let rows = came_to(&lived(&terms, &[lent(10_000_00), paid(on, 3_000_00)], on));
    // January's 58.33 was paid with its row; what was left is principal of February's row, and earned no more from the 2nd on.
    let ahead = 3_000_00 - instalment;
    assert_eq!(rows[0], (instalment - 58_33, 58_33));
    let day = fen(10_000_00).share(7, 1_200 * 31, Rounding::HalfEven).unwrap();
    let rest = fen(10_000_00 - ahead)
        .share(7 * 30, 1_200 * 31, Rounding::HalfEven)
        .unwrap();
    let earned = day.plus(rest).unwrap().minor();
    assert!(earned < 58_33, "{earned}");
    let february = month(10_000_00 - (instalment - 58_33) - ahead);
    assert_eq!(rows[1].1, february - (58_33 - earned));
}

#[test]
fn a_share_of_each_instalment_follows_what_is_lent_later() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let share = crate::terms::percent("1");
    let later = |on| (on, Event::Disbursed { amount: fen(100_00) });
    let charge = amended(first(1), Amendment::Surcharged { share });
    let fees = |events: &[_]| -> Vec<i64> {
        let life = lived(&terms, events, date(2024, 2, 15));
        life.loan.rows.iter().map(|row| row.fee.charged.minor()).collect()
    };
    assert_eq!(fees(&[lent(300_00), charge.clone()]), [100, 100, 100]);
    assert_eq!(
        fees(&[charge.clone(), lent(300_00)]),
        [100, 100, 100],
        "asked for before"
    );
    assert_eq!(
        fees(&[lent(300_00), charge, later(date(2024, 2, 10))]),
        [100, 150, 150]
    );
}

/// So many months at a flat 2 % a month.
fn flat(count: i8) -> fenqi_domain::plan::Terms {
    let twenty_four = Pricing::Annuity {
        annual: crate::terms::percent("24"),
        day_count: DayCount::Thirty360,
    };
    let mut servicing = servicing(Ahead::Next);
    servicing.method = fenqi_domain::servicing::Method::Flat(fenqi_domain::servicing::Basis::Periods);
    signed(twenty_four, count, servicing)
}

#[test]
fn a_row_more_spreads_what_is_open_again() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let more = Amendment::Rescheduled {
        from: first(3),
        to: None,
        extra: 1,
        grace: 0,
        interest_grace: 0,
    };
    let events = [lent(300_00), paid(first(2), 100_00), amended(first(2), more)];
    let life = lived(&terms, &events, first(2));
    let principal: Vec<i64> = came_to(&life).iter().map(|(p, _)| *p).collect();
    assert_eq!(principal, [100_00, 66_67, 66_67, 66_66]);
}

#[test]
fn a_loan_that_was_given_up_may_still_be_spread_anew() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let events = [
        lent(300_00),
        amended(first(3), Amendment::ChargedOff),
        amended(
            first(3),
            Amendment::Reamortised {
                interest: Reamortising::NextRow,
            },
        ),
    ];
    let life = lived(&terms, &events, first(3));
    assert_eq!(came_to(&life), [(0, 0), (0, 0), (300_00, 0)]);
}

#[test]
fn interest_that_was_charged_back_is_asked_for_once() {
    let mut servicing = daily(Until::PaymentDay);
    servicing.chargeback = vec![
        Component::Penalty,
        Component::Fee,
        Component::Interest,
        Component::Principal,
    ];
    let terms = signed(SEVEN, 6, servicing);
    let back = Amendment::ChargedBack {
        amount: fen(17_01),
        of: 2,
    };
    let mut events = vec![lent(100_00), paid(first(2), 17_01), amended(first(2), back)];
    let life = lived(&terms, &events, first(2));
    // February earns on all that was lent, and January's 0.58 is owed again beside it.
    assert_eq!(came_to(&life)[1], (2 * 16_43, 58 + month(100_00)));
    let so_far = events.iter().fold(Life(Vec::new()), |life, (on, event)| {
        life.then(*on, event.clone())
    });
    let asked = quote(&terms, &so_far.0, date(2024, 2, 15)).unwrap();
    // 14 of 29 days of 0.5833 are 0.28.
    assert_eq!(asked, fen(100_00 + 58 + 28));
    events.push(paid(date(2024, 2, 15), asked.minor()));
    let life = lived(&terms, &events, date(2024, 2, 15));
    assert_eq!(life.loan.outstanding().unwrap().total().unwrap(), Amount::ZERO);
    assert_eq!(life.loan.credit_balance, Amount::ZERO);
}

#[test]
fn what_is_waived_earns_no_more_than_what_was_paid() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let waived = |component, amount| {
        let amount = fen(amount);
        (first(2), Event::Waived { component, amount })
    };
    let table = [
        (waived(Component::Interest, 58), 16_43),
        (waived(Component::Principal, 10_00), 7_01),
    ];
    let plain = lived(&terms, &[lent(100_00), paid(first(2), 17_01)], first(3));
    for (waiver, rest) in table {
        let events = [lent(100_00), waiver.clone(), paid(first(2), rest)];
        let life = lived(&terms, &events, first(3));
        assert_eq!(came_to(&life)[1..], came_to(&plain)[1..], "{waiver:?}");
        assert_eq!(life.loan.rows[0].cleared_on, Some(first(2)), "{waiver:?}");
        assert_eq!(life.loan.credit_balance, Amount::ZERO);
    }
}

#[test]
fn settling_within_a_period_charges_the_interest_of_its_days() {
    let twelve = Pricing::Annuity {
        annual: crate::terms::percent("12"),
        day_count: DayCount::Thirty360,
    };
    let terms = crate::terms::terms(twelve, fen(1200_00), 12);
    let life = Life::captured(&terms);
    let on = crate::terms::after(terms.signed_on, 15);
    let quoted = payoff(&terms, &life.0, on).unwrap();
    // 15 of the 31 days of a month that costs 1 %.
    assert_eq!(quoted.parts.interest, fen(5_81));
    let settled = Event::Repaid {
        amount: quoted.total,
        intent: Intent::Settle,
    };
    let life = life.then(on, settled);
    let charged = postings(&terms, &life.0, on).unwrap();
    let charged = charged.iter().filter(|p| p.kind == PostingKind::InterestCharged);
    assert_eq!(Amount::sum(charged.map(|p| p.amount)).unwrap(), fen(5_81));
}

#[test]
fn what_is_waived_within_a_period_is_owed_no_more_from_that_day_on() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let waived = |component, amount| {
        let amount = fen(amount);
        [
            lent(100_00),
            (date(2024, 1, 15), Event::Waived { component, amount }),
        ]
    };
    let principal = waived(Component::Principal, 10_00);
    let life = lived(&terms, &principal, first(2));
    // 14 of 31 days on 100.00 and 17 on 90.00: 0.2634 + 0.2879.
    assert_eq!(came_to(&life)[0].1, 55);
    assert_eq!(life.records.last().unwrap().principal, fen(90_00));
    let free = signed(Pricing::InterestFree, 6, servicing(Ahead::Next));
    let life = lived(&free, &principal, first(2));
    assert_eq!(life.records.last().unwrap().principal, fen(90_00));
    let interest = waived(Component::Interest, 20);
    let told = interest.iter().fold(Life(Vec::new()), |life, (on, event)| {
        life.then(*on, event.clone())
    });
    assert_eq!(quote(&terms, &told.0, first(2)), Ok(fen(100_00 + 58 - 20)));
}

#[test]
fn interest_that_was_waived_and_paid_is_all_that_the_row_came_to() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let mid = date(2024, 1, 15);
    let waived = Event::Waived {
        component: Component::Interest,
        amount: fen(20),
    };
    // 14 of 31 days of 0.58 are 0.26: 0.20 of them are waived, and 0.06 are paid with everything else.
    let life = lived(&terms, &[lent(100_00), (mid, waived), paid(mid, 100_06)], mid);
    let interest = life.loan.rows[0].interest;
    assert_eq!(
        (interest.charged, interest.waived, interest.paid),
        (fen(26), fen(20), fen(6))
    );
    assert!(life.loan.is_settled().unwrap() && life.loan.credit_balance.is_zero());
}

#[test]
fn costs_stay_under_the_cap_on_the_principal_that_is_left_after_a_waiver() {
    let mut terms = signed(Pricing::InterestFree, 1, servicing(Ahead::Next));
    terms.conventions.late.daily = crate::terms::percent("1");
    let waived = |component, amount| {
        let amount = fen(amount);
        (first(1), Event::Waived { component, amount })
    };
    // A cap of 24 % on what is left for the 60 days up to 1 March; 1 % a day for 29 days would be more.
    let table = [
        (waived(Component::Principal, 182_50), 7_20),
        (waived(Component::Fee, 182_50), 14_40),
    ];
    for (waiver, penalty) in table {
        let life = lived(&terms, &[lent(365_00), waiver.clone()], first(3));
        assert_eq!(life.loan.rows[0].penalty.charged, fen(penalty), "{waiver:?}");
    }
}

#[test]
fn principal_that_is_waived_costs_no_interest_from_that_day_on() {
    let twelve = Pricing::Annuity {
        annual: crate::terms::percent("12"),
        day_count: DayCount::Thirty360,
    };
    let terms = crate::terms::terms(twelve, fen(1200_00), 12);
    let waived = |component| {
        let amount = fen(600_00);
        let event = Event::Waived { component, amount };
        let life = Life::captured(&terms).then(terms.signed_on, event);
        life.fold(&terms, terms.signed_on).rows[0]
            .open()
            .unwrap()
            .interest
    };
    // 1 % of 600.00; fees there are none.
    assert_eq!(waived(Component::Principal), fen(6_00));
    assert_eq!(waived(Component::Fee), fen(12_00));
}
