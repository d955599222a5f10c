//! New rows and other dates (重组), in figures reckoned by hand: 300.00 without interest in three rows, or 100.00 at 7 % in
//! six of 17.01, as in [`crate::on_balance`].

use fenqi_domain::loan::{Amendment, Event, Origin, Reaging};
use fenqi_domain::plan::{Component, Pricing};
use fenqi_domain::servicing::{Ahead, Period, Unit};
use jiff::civil::{Date, date};

use crate::servicing::{SEVEN, amended, came_to, first, lent, lived, paid, servicing, signed};
use crate::terms::fen;

/// What is open, over so many months from a day on.
fn reaged(start_on: Date, count: u16, interest: Reaging) -> Amendment {
    Amendment::Reaged {
        start_on,
        period: Period {
            every: 1,
            unit: Unit::Months,
        },
        count,
        interest,
    }
}

#[test]
fn a_new_row_takes_the_place_of_the_old_one_of_its_day() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let on = date(2024, 3, 10);
    let events = [
        lent(300_00),
        paid(first(2), 120_00),
        amended(on, reaged(first(4), 2, Reaging::Anew)),
    ];
    let life = lived(&terms, &events, on);
    assert_eq!(came_to(&life), [(100_00, 0), (20_00, 0), (90_00, 0), (90_00, 0)]);
    let days: Vec<Date> = life.loan.rows.iter().map(|r| r.due_on).collect();
    assert_eq!(days, [first(2), first(3), first(4), first(5)]);
    let origins: Vec<Origin> = life.notes.iter().map(|n| n.origin).collect();
    assert_eq!(origins, [Origin::Reaged; 4], "all of them were spread anew");
}

#[test]
fn new_rows_earn_at_the_loans_rate_or_share_the_interest_that_there_is() {
    let table = [
        // 83.57 over three months from 1 February is 28.18 a month: 0.49, 0.33 and 0.16 of interest.
        (Reaging::Anew, [(27_69, 49), (27_85, 33), (28_03, 16)]),
        // Nothing has accrued on the day on which the first row was paid.
        (Reaging::Payable, [(27_86, 0), (27_86, 0), (27_85, 0)]),
        // 0.49 + 0.39 + 0.29 + 0.20 + 0.10 is 1.47, earned or not.
        (Reaging::All, [(27_86, 49), (27_86, 49), (27_85, 49)]),
    ];
    for (interest, rows) in table {
        let terms = signed(SEVEN, 6, servicing(Ahead::Next));
        let events = [
            lent(100_00),
            paid(first(2), 17_01),
            amended(first(2), reaged(first(3), 3, interest)),
        ];
        let life = lived(&terms, &events, first(2));
        // The period that was under way ends on the day, with nothing in it.
        assert_eq!(came_to(&life)[..2], [(16_43, 58), (0, 0)], "{interest:?}");
        assert_eq!(came_to(&life)[2..], rows, "{interest:?}");
    }
}

#[test]
fn interest_that_goes_into_new_rows_is_what_has_accrued_and_is_still_owed() {
    let mid = date(2024, 1, 15);
    let waived = Event::Waived {
        component: Component::Interest,
        amount: fen(20),
    };
    let back = Amendment::ChargedBack {
        amount: fen(17_01),
        of: 2,
    };
    let payment = paid(first(2), 17_01);
    let on = date(2024, 3, 15);
    let table = [
        (
            "0.26 have accrued and 0.20 of them are waived",
            vec![(mid, waived)],
            mid,
            6,
        ),
        (
            "0.58 were paid and are owed again",
            vec![payment.clone(), amended(first(2), back)],
            first(2),
            58,
        ),
        (
            "0.49 of the first new row, and 14 of 31 days of the second's 0.33",
            vec![payment, amended(first(2), reaged(first(3), 3, Reaging::Anew))],
            on,
            49 + 15,
        ),
    ];
    for (why, happened, on, expected) in table {
        let mut servicing = servicing(Ahead::Next);
        servicing.chargeback = Component::ALL.to_vec();
        let terms = signed(SEVEN, 6, servicing);
        let anew = amended(on, reaged(date(2024, 8, 1), 2, Reaging::Payable));
        let events = [&[lent(100_00)], happened.as_slice(), &[anew]].concat();
        let rows = came_to(&lived(&terms, &events, on));
        let interest: i64 = rows[rows.len() - 2..].iter().map(|(_, interest)| interest).sum();
        assert_eq!(interest, expected, "{why}: {rows:?}");
    }
}

#[test]
fn dates_that_are_put_off_move_once_and_what_is_due_on_the_day_stays() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let deferred = Event::Deferred { days: 10 };
    let table = [
        (
            date(2024, 1, 31),
            [date(2024, 2, 11), date(2024, 3, 11), date(2024, 4, 11)],
        ),
        (first(2), [first(2), date(2024, 3, 11), date(2024, 4, 11)]),
        (date(2024, 3, 15), [first(2), first(3), date(2024, 4, 11)]),
    ];
    for (on, expected) in table {
        let life = lived(&terms, &[lent(300_00), (on, deferred.clone())], on);
        let days: Vec<Date> = life.loan.rows.iter().map(|r| r.due_on).collect();
        assert_eq!(days, expected, "put off on {on}");
    }
}
