//! Interest as scheduled, in figures reckoned by hand: 5,000.00 at 12 % by days of 365 over six months from 1 November
//! 2022, in instalments of 862.00. So November earns 5,000.00 × 12 % × 30/365 = 49.32, pays 812.68, and leaves 4,187.32.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Amendment, Event};
use fenqi_domain::plan::{Pricing, Terms};
use fenqi_domain::servicing::{Ahead, Basis, Excess, Method, MonthDays, Servicing, YearDays};
use jiff::civil::{Date, date};

use crate::servicing::{amended, came_to, first, lent, lived, paid, reckoned_anew, servicing, signed};
use crate::terms::{fen, percent};

/// Principal and interest of a row, after everything was lent on the first day and then something happened.
fn row(terms: &Terms, happened: &[(Date, Event)], as_of: Date, number: usize) -> (i64, i64) {
    let disbursed = Event::Disbursed { amount: fen(5000_00) };
    let events = [&[(terms.signed_on, disbursed)], happened].concat();
    came_to(&lived(terms, &events, as_of))[number - 1]
}

#[test]
fn what_is_overdue_earns_by_the_day_and_no_further() {
    let terms = reckoned_anew(Excess::LowerInstalment, true);
    let table = [
        // On its own day the first row is not overdue: 4,187.32 for 31 days.
        (date(2022, 12, 1), 42_68),
        // 5,000.00 for 14 days is 23.01, and 4,187.32 for the 17 that may yet be paid in time 23.40.
        (date(2022, 12, 15), 46_41),
        // On the last day all of December has been earned on everything: 5,000.00 for 31 days.
        (date(2023, 1, 1), 50_96),
    ];
    for (as_of, interest) in table {
        assert_eq!(
            row(&terms, &[], as_of, 2),
            (862_00 - interest, interest),
            "{as_of}"
        );
    }
}

#[test]
fn what_is_overdue_earns_no_more_than_agreed_where_the_agreement_spares_it() {
    let late = paid(date(2022, 12, 5), 862_00);
    // 4,187.32 for 31 days; or 5,000.00 for the 4 days, 6.58, and 4,187.32 for the 27 after them, 37.17.
    for (spares, interest) in [(true, 42_68), (false, 43_75)] {
        let mut terms = reckoned_anew(Excess::LowerInstalment, true);
        let servicing = terms.conventions.servicing.as_mut().unwrap();
        servicing.recalculation.as_mut().unwrap().spares_overdue = spares;
        let figures = row(&terms, std::slice::from_ref(&late), late.0, 2);
        assert_eq!(figures, (862_00 - interest, interest), "{spares}");
    }
}

#[test]
fn rows_more_come_after_those_that_nothing_is_due_in() {
    // 6,000.00 pays the 5,000.00 off on the first due date, so that no other row is asked for; what is lent in the second
    // period has those rows, and one more.
    let terms = reckoned_anew(Excess::LastRow, true);
    let more = Amendment::Rescheduled {
        from: date(2023, 2, 1),
        to: None,
        extra: 1,
        grace: 0,
        interest_grace: 0,
    };
    let lent = |on, amount| (on, Event::Disbursed { amount: fen(amount) });
    let events = [
        lent(terms.signed_on, 5000_00),
        paid(date(2022, 12, 1), 6000_00),
        amended(date(2022, 12, 5), more),
        lent(date(2022, 12, 10), 5000_00),
    ];
    let life = lived(&terms, &events, date(2022, 12, 10));
    let due: Vec<Date> = life.loan.rows.iter().map(|row| row.due_on).collect();
    let months = (12..=18i16).map(|month| {
        date(
            2022 + (month - 1) / 12,
            i8::try_from((month - 1) % 12 + 1).unwrap(),
            1,
        )
    });
    assert_eq!(due, months.collect::<Vec<_>>());
    let principal: i64 = came_to(&life).iter().map(|(principal, _)| principal).sum();
    assert_eq!(principal, 10_000_00);
}

#[test]
fn another_rate_holds_from_its_day_on_and_not_before() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let on = date(2022, 11, 16);
    let by = Amendment::RateChanged { annual: percent("6") };
    // 14 days at 12 % up to the evening of the 15th are 23.01, and 16 at 6 % after it 13.15.
    assert_eq!(row(&terms, &[amended(on, by)], on, 1).1, 23_01 + 13_15);
}

#[test]
fn days_without_interest_earn_nothing_and_the_others_all() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let (from, until) = (date(2022, 11, 11), date(2022, 11, 20));
    let pause = amended(from, Amendment::InterestPaused { from, until });
    // Nine days before it are 14.79, and eleven after it 18.08.
    assert_eq!(row(&terms, &[pause], from, 1).1, 14_79 + 18_08);
}

#[test]
fn a_flat_rate_counts_by_the_period_or_by_its_days() {
    // 700.00 at 12 % a year in four months of 2024, a leap year: 7.00 a month, or 84.00 × days / 366 (Apache Fineract,
    // `ProgressiveEMICalculatorTest`, `testFlatDaily_1_Month_Actual_Actual`, has this interest).
    let table = [
        (Basis::Periods, [7_00, 7_00, 7_00, 7_00]),
        (Basis::Days, [7_11, 6_66, 7_11, 6_89]),
    ];
    for (basis, interest) in table {
        let servicing = Servicing {
            method: Method::Flat(basis),
            year: YearDays::Actual,
            month: MonthDays::Actual,
            ..servicing(Ahead::Next)
        };
        let pricing = Pricing::Annuity {
            annual: percent("12"),
            day_count: DayCount::Actual365,
        };
        let life = lived(&signed(pricing, 4, servicing), &[lent(700_00)], first(1));
        let expected = interest.map(|interest| (175_00, interest));
        assert_eq!(came_to(&life), expected, "{basis:?}");
    }
}

#[test]
fn nobody_borrows_what_is_owed_to_them() {
    let terms = reckoned_anew(Excess::LastRow, true);
    let over = paid(date(2022, 12, 1), 604_932);
    let back = |amount| {
        let amount = fen(amount);
        (date(2022, 12, 10), Event::PaidOut { amount })
    };
    let amount = fen(1000_00);
    let more = (date(2022, 12, 16), Event::Disbursed { amount });
    // 1,000.00 more than everything came in. What of it was not paid out meets the 1,000.00 that are lent: the rest earns
    // for the 16 days of December that are left, 400.00 × 12 % × 16/365, or 1,000.00.
    let table = [
        (vec![], 0),
        (vec![back(400_00)], 2_10),
        (vec![back(1000_00)], 5_26),
    ];
    for (went, interest) in table {
        let happened = [
            std::slice::from_ref(&over),
            went.as_slice(),
            std::slice::from_ref(&more),
        ]
        .concat();
        assert_eq!(row(&terms, &happened, more.0, 2).1, interest, "{went:?}");
    }
}
