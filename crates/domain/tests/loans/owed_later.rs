//! What comes to be owed after the first day: lent later, charged back, or spread over more rows. In figures reckoned by
//! hand: 100.00 at 7 % over six months of 30 days is 17.01 a month, and 67.05 are left after the second.

use fenqi_domain::loan::{Amendment, Event, Parts, Reamortising};
use fenqi_domain::money::Rate;
use fenqi_domain::plan::{Component, LatePolicy, Pricing};
use fenqi_domain::servicing::{Ahead, Basis, Credit, Method, Servicing, Until};
use jiff::civil::{Date, date};

use crate::servicing::{SEVEN, amended, came_to, daily, first, lent, lived, met, paid, servicing, signed};
use crate::terms::{fen, percent};

/// Two payments in time, and the second charged back on a day.
fn charged_back(on: Date) -> Vec<(Date, Event)> {
    let back = Amendment::ChargedBack {
        amount: fen(17_01),
        of: 3,
    };
    let paid_up = [lent(100_00), paid(first(2), 17_01), paid(first(3), 17_01)];
    paid_up.into_iter().chain([amended(on, back)]).collect()
}

#[test]
fn what_was_charged_back_is_paid_once_where_its_row_is_paid_ahead() {
    let table = [
        // On the day on which the third period begins nothing of it has been earned: 17.01 + 17.01.
        (first(3), (34_02, 0)),
        // Half a month of 67.05 is 0.18.
        (date(2024, 3, 15), (33_84, 18)),
    ];
    for (on, row) in table {
        let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
        let mut events = charged_back(on);
        events.push(paid(on, 34_02));
        let life = lived(&terms, &events, on);
        assert_eq!(came_to(&life)[2], row, "{on}");
        assert_eq!(met(&life), [16_43, 16_52, row.0, 0, 0, 0], "{on}");
    }
}

#[test]
fn what_was_charged_back_stays_in_its_row_when_instalments_change() {
    let on = date(2024, 3, 20);
    let lower = amended(on, Amendment::RateChanged { annual: percent("4") });
    let more = (on, Event::Disbursed { amount: fen(100_00) });
    // 67.05 over four months at 4 % from the evening of the 19th on; or 17.01 and what another 100.00 needs, 25.29.
    for (change, instalment) in [(lower, 16_94), (more, 42_30)] {
        let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
        let mut events = charged_back(date(2024, 3, 15));
        events.push(change);
        let rows = came_to(&lived(&terms, &events, on));
        let due: Vec<i64> = rows
            .iter()
            .map(|(principal, interest)| principal + interest)
            .collect();
        assert_eq!(due[2..5], [instalment + 17_01, instalment, instalment]);
        assert!((due[5] - instalment).abs() <= 1, "{due:?}");
    }
}

#[test]
fn at_a_flat_rate_money_is_asked_of_the_rows_after_it() {
    let pricing = Pricing::Annuity {
        annual: percent("12"),
        day_count: fenqi_domain::calendar::DayCount::Thirty360,
    };
    let flat = Servicing {
        method: Method::Flat(Basis::Periods),
        ..servicing(Ahead::Next)
    };
    let more = Event::Disbursed { amount: fen(250_00) };
    let terms = signed(pricing, 4, flat);
    let table = [
        // From 6 February on: 10.00 for 5 of 29 days, and 12.50 for the other 24.
        (date(2024, 2, 6), (333_33, 1_72 + 10_34)),
        // On a due date it is the next period's.
        (first(2), (333_33, 12_50)),
    ];
    for (on, second) in table {
        let events = [lent(1000_00), paid(first(2), 260_00), (on, more.clone())];
        let rows = came_to(&lived(&terms, &events, on));
        assert_eq!(
            rows,
            [(250_00, 10_00), second, (333_33, 12_50), (333_34, 12_50)],
            "{on}"
        );
    }
}

#[test]
fn no_row_is_left_with_what_paid_rows_before_it_do_not_ask_for() {
    let last_first = Servicing {
        rules: servicing(Ahead::Last).rules,
        ..daily(Until::PaymentDay)
    };
    let more = Amendment::Rescheduled {
        from: first(3),
        to: None,
        extra: 1,
        grace: 0,
        interest_grace: 0,
    };
    let terms = signed(SEVEN, 6, last_first);
    let events = [
        lent(100_00),
        paid(first(1), 17_00),
        amended(date(2024, 1, 5), more),
    ];
    let rows = came_to(&lived(&terms, &events, date(2024, 1, 5)));
    let due: Vec<i64> = rows
        .iter()
        .map(|(principal, interest)| principal + interest)
        .collect();
    let open = [due[1], due[2], due[3], due[4], due[6]];
    let (least, most) = (open.iter().min().unwrap(), open.iter().max().unwrap());
    assert!(most - least <= 3, "{due:?}");
}

#[test]
fn what_is_charged_back_earns_only_where_interest_follows_payments() {
    // 17.01 in the row of 1 March. February has 29 days: 24 of them on 17.01 are 0.08. The row owes 34.02 either way.
    for (agreed, interest) in [(servicing(Ahead::Next), 49), (daily(Until::PaymentDay), 57)] {
        let terms = signed(SEVEN, 6, agreed);
        let on = date(2024, 2, 6);
        let by = Amendment::ChargedBack {
            amount: fen(17_01),
            of: 2,
        };
        let events = [lent(100_00), paid(first(2), 17_01), amended(on, by)];
        let rows = came_to(&lived(&terms, &events, on));
        assert_eq!(rows[1], (34_02 - interest, interest));
    }
}

#[test]
fn what_was_charged_back_is_spread_with_what_else_is_overdue() {
    // The 17.01 of February came back on its day, and 20.00 were paid on 1 March.
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let by = Amendment::ChargedBack {
        amount: fen(17_01),
        of: 2,
    };
    let on = date(2024, 3, 5);
    let events = [
        lent(100_00),
        paid(first(2), 17_01),
        amended(first(2), by),
        paid(first(3), 20_00),
        amended(
            on,
            Amendment::Reamortised {
                interest: Reamortising::NextRow,
            },
        ),
    ];
    let life = lived(&terms, &events, on);
    // 100.58 earned 0.59 in February, and 19.41 of principal were paid. 81.17 over four rows is 20.59 a month.
    let rows = [
        (16_43, 58),
        (19_41, 59),
        (20_12, 47),
        (20_23, 36),
        (20_35, 24),
        (20_47, 12),
    ];
    assert_eq!(came_to(&life), rows);
    assert_eq!(met(&life), [16_43, 19_41, 0, 0, 0, 0]);
}

#[test]
fn costs_are_capped_by_the_principal_that_was_open_on_each_day() {
    // A cap of 36,500 % a year is as much a day as is open, so that a fee without bounds shows the sum of all days. After
    // 17.01 ahead of the first row 83.57 are open for 24 days, and what the event leaves for the 37 to 2 March. Interest
    // that was charged by then is a cost as well: 0.49 in February, or 0.54 of 93.57 with 0.01 of January; paid ahead it
    // never was charged.
    let on = date(2024, 1, 25);
    let amount = fen(10_00);
    let component = Component::Principal;
    let credit = Credit::Goodwill;
    let by = |by| Event::Amended { by };
    let table = [
        (Event::Paused, 83_57, 49),
        (Event::Waived { component, amount }, 73_57, 49),
        (Event::PaidOut { amount }, 93_57, 49),
        (by(Amendment::ChargedBack { amount, of: 2 }), 93_57, 49),
        (Event::Disbursed { amount }, 93_57, 55),
        (by(Amendment::Credited { amount, credit }), 74_06, 0),
    ];
    for (event, left, cost) in table {
        let mut terms = signed(SEVEN, 6, servicing(Ahead::Next));
        terms.conventions.late = LatePolicy {
            grace_days: 0,
            fee: fen(1_000_000_00),
            daily: Rate::ZERO,
            from_due_date: true,
            annual_cap: Rate::from_ppb(365_000_000_000),
        };
        let resumed = (on, Event::Resumed);
        let events = [lent(100_00), paid(first(1), 17_01), (on, event.clone()), resumed];
        let life = lived(&terms, &events, date(2024, 3, 2));
        let all: i64 = life.loan.rows.iter().map(|r| r.penalty.charged.minor()).sum();
        assert_eq!(all, 24 * 83_57 + 37 * left - cost, "{event:?}");
    }
}

#[test]
fn another_rate_makes_the_rows_level_that_money_on_the_last_ones_left() {
    // 14 days of 100.00 at 7 % are 0.26. What the payment of 15 January leaves earns at 7 % for four days, at 12 % for the
    // other 13, and 1 % a month from then on. It is paid in 17.07 over five rows, or in 16.84 over four, one of them 5.98
    // down.
    let table = [
        (
            17_01,
            [
                (16_40, 67),
                (16_40, 67),
                (16_57, 50),
                (16_73, 34),
                (16_89, 17),
                (17_01, 0),
            ],
            [0, 0, 0, 0, 0, 17_01],
        ),
        (
            40_00,
            [
                (16_28, 56),
                (16_40, 44),
                (16_57, 27),
                (16_73, 11),
                (17_01, 0),
                (17_01, 0),
            ],
            [0, 0, 0, 5_98, 17_01, 17_01],
        ),
    ];
    let mut agreed = daily(Until::PaymentDay);
    agreed.rules[0].ahead = Ahead::Last;
    let terms = signed(SEVEN, 6, agreed);
    for (amount, rows, paid_of) in table {
        let by = Amendment::RateChanged {
            annual: percent("12"),
        };
        let on = date(2024, 1, 20);
        let events = [lent(100_00), paid(date(2024, 1, 15), amount), amended(on, by)];
        let life = lived(&terms, &events, on);
        assert_eq!((came_to(&life), met(&life)), (rows.to_vec(), paid_of.to_vec()));
    }
}

/// 110.00 were paid on 1 February for 100.00; fees of 4.00 and of 10.00 come later. What was left over of the payment pays
/// them as of its own day: 4.00, and 6.00 of the second. (Apache Fineract,
/// `AdvancedPaymentScheduleTransactionProcessor.processOverpaidTransactions`.)
#[test]
fn a_charge_is_paid_by_what_an_earlier_payment_left_over() {
    let terms = signed(Pricing::InterestFree, 4, servicing(Ahead::Next));
    let charged = |on: Date, due_on: Date, amount: i64| {
        let by = Amendment::Charged {
            amount: fen(amount),
            component: Component::Fee,
            due_on,
        };
        amended(on, by)
    };
    let mut events = vec![lent(100_00), paid(first(2), 110_00)];
    let table = [
        (
            date(2024, 2, 20),
            date(2024, 2, 25),
            4_00,
            (4_00, 6_00, 6_00),
            (1, Some(first(2)), 4_00),
        ),
        (
            date(2024, 6, 1),
            date(2024, 6, 10),
            10_00,
            (10_00, 0, 0),
            (4, None, 6_00),
        ),
    ];
    for (on, due_on, amount, (fee, over, credit), (place, cleared, of_row)) in table {
        events.push(charged(on, due_on, amount));
        let life = lived(&terms, &events, on);
        let payment = life.records[1];
        assert_eq!(
            (payment.parts.principal, payment.parts.fee),
            (fen(100_00), fen(fee))
        );
        assert_eq!((payment.over, life.loan.credit_balance), (fen(over), fen(credit)));
        let row = &life.loan.rows[place];
        assert_eq!((row.fee.paid, row.cleared_on), (fen(of_row), cleared), "{due_on}");
        let told = life.records.last().unwrap();
        assert_eq!(told.parts, Parts::default(), "the charge itself paid nothing");
    }
}
