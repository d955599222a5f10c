//! Schedules that are built anew from what was lent and paid, in figures reckoned by hand: 5,000.00 at 12 % by days of 365
//! over six months from 1 November 2022, in instalments of 862.00, as in [`crate::scheduled`].

use fenqi_domain::loan::{Amendment, Event, Life, Reamortising, Row};
use fenqi_domain::money::Rate;
use fenqi_domain::plan::{Component, LatePolicy, Pricing};
use fenqi_domain::servicing::{Ahead, Basis, ChargeOff, Excess, Method, Servicing, Until};
use jiff::civil::{Date, date};

use crate::servicing::{amended, came_to, first, lent, lived, paid, reckoned_anew, servicing, signed};
use crate::terms::{fen, percent};

/// What was lent on a day.
fn more(on: Date, amount: i64) -> (Date, Event) {
    (on, Event::Disbursed { amount: fen(amount) })
}

/// The first 5,000.00, and what happened then.
fn with(happened: &[(Date, Event)]) -> Vec<(Date, Event)> {
    [&[more(date(2022, 11, 1), 5000_00)], happened].concat()
}

/// When each row is due.
fn days(life: &Life) -> Vec<Date> {
    life.loan.rows.iter().map(|r| r.due_on).collect()
}

#[test]
fn a_loan_ends_on_the_day_on_which_everything_is_paid() {
    let mid = date(2022, 11, 16);
    let december = date(2022, 12, 20);
    let table = [
        // 15 days of 5,000.00 are 24.66.
        (
            Until::PaymentDay,
            vec![paid(mid, 5024_66)],
            vec![(5000_00, 24_66)],
            mid,
            0,
        ),
        // What is lent on that day is paid with it.
        (
            Until::PaymentDay,
            vec![more(mid, 1000_00), paid(mid, 6024_66)],
            vec![(6000_00, 24_66)],
            mid,
            0,
        ),
        // A fen less is less than everything, though nothing is asked for after the row.
        (
            Until::PaymentDay,
            vec![paid(mid, 5024_65)],
            vec![(5000_00, 24_66)],
            date(2022, 12, 1),
            5,
        ),
        // Where an early payment takes the interest of the whole period, its row stays until its day.
        (
            Until::PeriodEnd,
            vec![paid(mid, 5024_66)],
            vec![(5000_00, 24_66)],
            date(2022, 12, 1),
            5,
        ),
        // 400.00 more than everything came in and meet what is lent later; 600.00 for four days are 0.79.
        (
            Until::PaymentDay,
            vec![
                paid(date(2022, 12, 1), 544_932),
                more(date(2022, 12, 16), 1000_00),
                paid(december, 600_79),
            ],
            vec![(5000_00, 4932), (1000_00, 79)],
            december,
            0,
        ),
    ];
    for (until, happened, rows, ends_on, empty) in table {
        let mut terms = reckoned_anew(Excess::LastRow, true);
        let servicing = terms.conventions.servicing.as_mut().unwrap();
        servicing.recalculation.as_mut().unwrap().until = until;
        let life = lived(&terms, &with(&happened), happened.last().unwrap().0);
        let rows: Vec<(i64, i64)> = rows
            .into_iter()
            .chain(std::iter::repeat_n((0, 0), empty))
            .collect();
        assert_eq!(came_to(&life), rows, "{until:?} {happened:?}");
        let ends = days(&life)[life.loan.rows.len() - empty - 1];
        assert_eq!(ends, ends_on, "{until:?} {happened:?}");
    }
}

#[test]
fn what_is_overdue_earns_where_the_agreement_counts_by_days_or_by_periods() {
    // Nothing is paid. December is on 4,187.32, 42.68, while the first row is not overdue, and on 5,000.00, 50.96, when it
    // is for all of it: by days also when December is over, by periods while it is under way.
    let table = [
        (true, date(2022, 12, 1), 42_68),
        (true, date(2023, 1, 1), 50_96),
        (true, date(2023, 1, 15), 50_96),
        (false, date(2022, 12, 1), 42_68),
        (false, date(2022, 12, 2), 50_96),
        (false, date(2023, 1, 1), 50_96),
        (false, date(2023, 1, 2), 42_68),
    ];
    for (daily, on, interest) in table {
        let terms = reckoned_anew(Excess::LowerInstalment, daily);
        let rows = came_to(&lived(&terms, &with(&[]), on));
        assert_eq!(rows[1], (862_00 - interest, interest), "{daily} {on}");
    }
}

#[test]
fn another_rate_makes_the_rows_level_once_from_the_one_that_its_day_ends() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let by = Amendment::RateChanged { annual: percent("6") };
    let on = date(2023, 1, 1);
    let happened = [paid(date(2022, 12, 1), 862_00), amended(on, by)];
    // 4,187.32 at 6 % over five rows is 850.00. December earns at 12 % up to the evening of the 30th, 41.30, and 0.69 on
    // its last day; over the four rows after it, what is left would be 856.00 a month.
    let rows = [
        (812_68, 4932),
        (808_01, 41_99),
        (832_78, 17_22),
        (838_28, 11_72),
        (841_29, 8_71),
        (866_96, 4_28),
    ];
    assert_eq!(came_to(&lived(&terms, &with(&happened), on)), rows);
}

#[test]
fn rows_without_principal_or_interest_begin_where_they_were_asked_for() {
    let table = [
        // 3,368.00 are left after the second row. The instalment stays 862.00, though level over four rows it would be
        // 863.00.
        (
            (1, 0),
            vec![
                (812_68, 4932),
                (81_932, 42_68),
                (0, 34_33),
                (831_00, 31_00),
                (836_14, 25_86),
                (845_22, 16_78),
                (85_564, 8_72),
            ],
        ),
        // The third instalment is principal alone, and the fourth owes 34.33 + 2,506.00 × 12 % × 28/365.
        (
            (0, 1),
            vec![
                (812_68, 4932),
                (81_932, 42_68),
                (862_00, 0),
                (804_60, 57_40),
                (844_66, 17_34),
                (856_74, 8_45),
            ],
        ),
    ];
    for ((grace, interest_grace), rows) in table {
        let mut servicing = reckoned_anew(Excess::LastRow, true)
            .conventions
            .servicing
            .unwrap();
        (servicing.excess, servicing.recalculation) = (None, None);
        let mut terms = reckoned_anew(Excess::LastRow, true);
        terms.conventions.servicing = Some(servicing);
        let by = Amendment::Rescheduled {
            from: date(2023, 2, 1),
            to: None,
            extra: 0,
            grace,
            interest_grace,
        };
        let change = amended(date(2022, 11, 5), by);
        let on = change.0;
        assert_eq!(
            came_to(&lived(&terms, &with(&[change]), on)),
            rows,
            "{grace} {interest_grace}"
        );
    }
}

#[test]
fn a_schedule_as_a_whole_gets_a_row_only_for_what_is_lent_after_its_last_day() {
    let whole = Servicing {
        whole: true,
        ..servicing(Ahead::Next)
    };
    let terms = signed(Pricing::InterestFree, 2, whole);
    let table = [
        (first(3), vec![(100_00, 0), (100_00, 0)]),
        (date(2024, 3, 2), vec![(100_00, 0), (0, 0), (100_00, 0)]),
    ];
    for (on, rows) in table {
        let life = lived(&terms, &[lent(100_00), more(on, 100_00)], on);
        assert_eq!(came_to(&life), rows, "{on}");
    }
}

#[test]
fn a_flat_rate_on_everything_is_not_cut_where_more_is_lent() {
    // 1,250.40 at 12 % is 12.504 a month; five and 24 of the 29 days of February by themselves would be 2.16 + 10.35.
    let flat = Servicing {
        method: Method::Flat(Basis::Periods),
        whole: true,
        ..servicing(Ahead::Next)
    };
    let twelve = Pricing::Annuity {
        annual: percent("12"),
        day_count: fenqi_domain::calendar::DayCount::Thirty360,
    };
    let on = date(2024, 2, 6);
    let life = lived(&signed(twelve, 2, flat), &[lent(1000_00), more(on, 250_40)], on);
    assert_eq!(came_to(&life), [(625_20, 12_50), (625_20, 12_50)]);
}

#[test]
fn without_a_rate_each_amount_is_shared_by_itself_however_interest_would_be_reckoned() {
    // Twice 100.00 in three is 33.33 twice a row; 200.00 at once would be 66.67.
    let level = Servicing {
        method: Method::Level(Basis::Periods),
        ..servicing(Ahead::Next)
    };
    let terms = signed(Pricing::InterestFree, 3, level);
    let life = lived(&terms, &[lent(100_00), lent(100_00)], first(1));
    assert_eq!(came_to(&life), [(66_66, 0), (66_66, 0), (66_68, 0)]);
}

#[test]
fn a_loan_that_was_called_in_is_not_built_anew() {
    let mut terms = reckoned_anew(Excess::LastRow, true);
    terms.conventions.servicing.as_mut().unwrap().charge_off = ChargeOff::Accelerate;
    terms.conventions.late.daily = Rate::ZERO;
    let on = date(2022, 11, 16);
    let happened = [
        amended(on, Amendment::ChargedOff),
        paid(date(2022, 11, 20), 1000_00),
    ];
    // 15 of the 30 days of November: half of 49.32. What is paid later changes nothing of it.
    let life = lived(&terms, &with(&happened), date(2022, 11, 20));
    assert_eq!(came_to(&life), [(5000_00, 24_66)]);
    assert_eq!(life.loan.rows[0].principal.paid, fen(1000_00 - 24_66));
}

#[test]
fn interest_that_was_waived_and_is_not_owed_any_more_is_waived_elsewhere() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let amount = fen(4932);
    let component = Component::Interest;
    let on = date(2022, 11, 16);
    let happened = [
        (date(2022, 11, 2), Event::Waived { component, amount }),
        paid(on, 4000_00),
    ];
    let life = lived(&terms, &with(&happened), on);
    // All 49.32 of November were waived. Then 4,000.00 came in: 15 days of 5,000.00, 24.66, and 15 of 1,000.00, 4.93. Of the
    // other 19.73 all is waived that is owed later: 10.19 in December, and for 148.19 after 851.81 in its row 1.51 in
    // January. What is left is shown as it was, owed and waived.
    let figures = |row: &Row| (row.interest.charged.minor(), row.interest.waived.minor());
    let interest: Vec<(i64, i64)> = life.loan.rows.iter().map(figures).collect();
    let same = |amount| (amount, amount);
    assert_eq!(interest, [29_59, 10_19, 1_51, 0, 0, 8_03].map(same));
}

#[test]
fn a_row_of_nothing_is_clear_from_the_signing_only_in_a_schedule_as_a_whole() {
    let whole = |whole| Servicing {
        whole,
        ..servicing(Ahead::Next)
    };
    let grace = Amendment::Rescheduled {
        from: first(2),
        to: None,
        extra: 0,
        grace: 1,
        interest_grace: 0,
    };
    let (early, late) = (date(2024, 1, 5), date(2024, 3, 20));
    let spread = date(2024, 2, 5);
    let table = [
        (true, more(late, 100_00), 1, Some(first(1))),
        (false, amended(early, grace), 0, Some(early)),
        // Rows that were spread anew are what they are, however they were built.
        (
            true,
            amended(
                spread,
                Amendment::Reamortised {
                    interest: Reamortising::NextRow,
                },
            ),
            0,
            Some(spread),
        ),
    ];
    for (is_whole, happened, place, cleared_on) in table {
        let mut terms = signed(Pricing::InterestFree, 2, whole(is_whole));
        terms.conventions.late.daily = Rate::ZERO;
        let on = happened.0;
        let row = lived(&terms, &[lent(100_00), happened.clone()], on).loan.rows[place];
        assert!(row.principal.charged.is_zero(), "{happened:?}");
        assert_eq!(row.cleared_on, cleared_on, "{happened:?}");
    }
}

#[test]
fn a_down_payment_stands_before_another_row_of_its_day_only_in_a_schedule_as_a_whole() {
    for (whole, rows) in [
        (true, [250_00, 100_00, 525_00, 525_00]),
        (false, [250_00, 375_00, 100_00, 675_00]),
    ] {
        let servicing = Servicing {
            whole,
            down_payment: percent("25"),
            ..servicing(Ahead::Next)
        };
        let terms = signed(Pricing::InterestFree, 2, servicing);
        let life = lived(&terms, &[lent(1000_00), more(first(2), 400_00)], first(2));
        let principal: Vec<i64> = came_to(&life).iter().map(|(principal, _)| *principal).collect();
        assert_eq!(principal, rows, "{whole}");
    }
}

#[test]
fn interest_that_was_paid_and_is_not_owed_any_more_is_principal_from_then_on() {
    let mut terms = reckoned_anew(Excess::LastRow, true);
    // A cap of as much a day as is open, and a fee without bounds, show the sum of all days.
    terms.conventions.late = LatePolicy {
        grace_days: 0,
        fee: fen(1_000_000_00),
        daily: Rate::ZERO,
        from_due_date: true,
        annual_cap: Rate::from_ppb(365_000_000_000),
    };
    let (from, until) = (date(2022, 11, 11), date(2022, 11, 20));
    let pause = Amendment::InterestPaused { from, until };
    let happened = [paid(date(2022, 12, 1), 862_00), amended(date(2022, 12, 5), pause)];
    let life = lived(&terms, &with(&happened), date(2023, 1, 2));
    // Ten of the 30 days of November earn nothing: nine before them 14.79 and eleven after them 18.08, not 49.32. The other
    // 16.45 are principal from 5 December on. In December 4,170.87 earn 42.51, which is a cost, as November's 49.32 were.
    assert_eq!(came_to(&life)[..2], [(829_13, 32_87), (819_49, 42_51)]);
    let days = 30 * 5000_00 + 4 * 418_732 + 28 * 417_087;
    assert_eq!(life.loan.rows[1].penalty.charged, fen(days - 4932 - 42_51));
}

#[test]
fn a_day_on_which_nothing_is_overdue_cuts_no_period() {
    // 4,983.55 less 812.68 in December are 42.51; four days and 27 by themselves would be 5.48 + 37.02.
    let terms = reckoned_anew(Excess::LastRow, true);
    let lent = more(date(2022, 11, 1), 4983_55);
    for on in [date(2022, 12, 1), date(2022, 12, 5), date(2022, 12, 31)] {
        let life = lived(&terms, &[lent.clone(), paid(date(2022, 12, 1), 861_83)], on);
        assert_eq!(came_to(&life)[1], (817_49, 42_51), "{on}");
    }
}

#[test]
fn rows_that_were_spread_anew_are_not_built_again_with_a_payment() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let spread = amended(
        date(2022, 12, 5),
        Amendment::Reamortised {
            interest: Reamortising::NextRow,
        },
    );
    let before = came_to(&lived(&terms, &with(std::slice::from_ref(&spread)), spread.0));
    // The 812.68 of the first row, over five in multiples of 1.00: 163.00 each, and 160.68 for the last.
    let principal: Vec<i64> = before.iter().map(|(principal, _)| *principal).collect();
    assert_eq!(principal[..2], [0, 163_00 + 81_932]);
    let payment = paid(date(2022, 12, 10), 1000_00);
    let on = payment.0;
    assert_eq!(came_to(&lived(&terms, &with(&[spread, payment]), on)), before);
}
