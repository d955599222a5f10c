//! New rows and other dates (重组), in figures reckoned by hand: 300.00 without interest in three rows, or 100.00 at 7 % in
//! six of 17.01, as in [`crate::on_balance`].

use fenqi_domain::loan::{Amendment, Broken, Event, Origin, ROWS_MAX, Reaging, Reamortising, quote};
use fenqi_domain::money::{OutOfRange, Rate};
use fenqi_domain::plan::{Component, Pricing, Terms};
use fenqi_domain::servicing::{Ahead, Basis, Method, Period, Servicing, Unit, Until};
use jiff::civil::{Date, date};

use crate::servicing::{
    SEVEN, amended, came_to, daily, first, lent, lived, met, paid, servicing, signed, tried,
};
use crate::terms::{after, fen, percent};

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
fn no_rows_and_more_than_can_be_numbered_are_refused() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let over = |count| {
        let by = reaged(first(3), count, Reaging::Anew);
        tried(&terms, &[lent(300_00), amended(first(2), by)], first(2))
    };
    for count in [0, ROWS_MAX + 1, u16::MAX] {
        let what = "spreads what is open over no rows, or over more than 1,200";
        let transaction = 2;
        assert_eq!(
            over(count),
            Err(Broken::Inconsistent { transaction, what }),
            "{count}"
        );
    }
    let most = over(ROWS_MAX).unwrap();
    assert_eq!(
        most.loan.rows.len(),
        usize::from(ROWS_MAX) + 1,
        "one was due before"
    );
    let days = (1..=i64::from(u16::MAX)).map(|day| after(terms.signed_on, day));
    let due_dates = days.collect();
    let terms = Terms { due_dates, ..terms };
    let too_many = Broken::OutOfRange(OutOfRange("the number of instalments"));
    assert_eq!(tried(&terms, &[], terms.signed_on), Err(too_many));
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

#[test]
fn rows_between_the_day_and_the_new_ones_stay_though_nothing_is_due_in_them() {
    let terms = signed(Pricing::InterestFree, 5, servicing(Ahead::Last));
    let on = date(2024, 3, 10);
    let anew = amended(on, reaged(first(5), 2, Reaging::Anew));
    // Of the last row 50.00 were paid: it stays with them, and the row of 1 May, of which nothing was, goes.
    let events = [lent(500_00), paid(first(2), 150_00), anew];
    let life = lived(&terms, &events, on);
    let days: Vec<Date> = life.loan.rows.iter().map(|r| r.due_on).collect();
    assert_eq!(days, [first(2), first(3), first(4), first(5), first(6), first(6)]);
    let principal = came_to(&life)
        .iter()
        .map(|(principal, _)| *principal)
        .collect::<Vec<_>>();
    assert_eq!(principal, [100_00, 0, 0, 175_00, 50_00, 175_00]);
}

#[test]
fn a_period_that_ends_early_has_a_row_if_it_had_a_day_or_shows_a_figure() {
    let mut interest_alone = servicing(Ahead::Next);
    interest_alone.interest_only = 1;
    let terms = signed(SEVEN, 3, interest_alone);
    let mid = date(2024, 1, 15);
    let anew = |on: Date| amended(on, reaged(first(3), 2, Reaging::Payable));
    let ahead = |amount| paid(mid, amount);
    let table = [
        // On the first day the period of interest alone has neither.
        (vec![anew(first(1))], vec![first(3), first(4)]),
        (vec![anew(mid)], vec![mid, first(3), first(4)]),
        // Who spreads anew again five days later has one row for all of them, unless something was paid in the first.
        (
            vec![anew(mid), anew(date(2024, 1, 20))],
            vec![mid, first(3), first(4)],
        ),
        (vec![ahead(20), anew(mid)], vec![mid, first(3), first(4)]),
    ];
    for (events, days) in table {
        let on = events.last().unwrap().0;
        let life = lived(&terms, &[&[lent(100_00)], events.as_slice()].concat(), on);
        let found: Vec<Date> = life.loan.rows.iter().map(|r| r.due_on).collect();
        assert_eq!(found, days, "{events:?}");
    }
}

/// 700.00 at 12 % a year in four months, whatever was paid: 175.00 and 7.00 a month.
fn flat() -> Terms {
    let twelve = Pricing::Annuity {
        annual: percent("12"),
        day_count: fenqi_domain::calendar::DayCount::Thirty360,
    };
    let servicing = Servicing {
        method: Method::Flat(Basis::Periods),
        ..servicing(Ahead::Next)
    };
    let mut terms = signed(twelve, 4, servicing);
    terms.conventions.late.daily = Rate::ZERO;
    terms
}

#[test]
fn scheduled_interest_is_owed_as_far_as_its_days_are_over() {
    // On 15 March two rows are overdue with 7.00 each, and 14 of the 31 days of the third are over: 3.16.
    let on = date(2024, 3, 15);
    let table = [
        (
            amended(on, Amendment::Terminated),
            vec![(175_00, 7_00), (175_00, 7_00), (350_00, 316)],
        ),
        (
            amended(on, reaged(first(5), 2, Reaging::Payable)),
            vec![(0, 0), (0, 0), (0, 0), (350_00, 8_58), (350_00, 8_58)],
        ),
    ];
    for (end, rows) in table {
        assert_eq!(came_to(&lived(&flat(), &[lent(700_00), end], on)), rows);
    }
}

#[test]
fn a_row_without_principal_is_asked_for_from_its_day_on() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let by = Amendment::Rescheduled {
        from: first(3),
        to: None,
        extra: 0,
        grace: 1,
        interest_grace: 0,
    };
    let on = date(2024, 1, 5);
    let life = lived(&terms, &[lent(750_00), amended(on, by)], on);
    assert_eq!(came_to(&life), [(250_00, 0), (0, 0), (250_00, 0), (250_00, 0)]);
}

#[test]
fn more_rows_leave_a_row_that_was_paid_ahead_as_it_is() {
    let by = Amendment::Rescheduled {
        from: first(2),
        to: None,
        extra: 2,
        grace: 0,
        interest_grace: 0,
    };
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let on = date(2024, 1, 5);
    let life = lived(
        &terms,
        &[lent(100_00), paid(first(1), 17_01), amended(on, by)],
        on,
    );
    // Paid before anything was earned, the first row is principal alone. 82.99 earn 0.48 in January and again in February;
    // 83.47 over the seven other rows is 12.20 a month.
    let rows = [
        (17_01, 0),
        (11_24, 96),
        (11_78, 42),
        (11_85, 35),
        (11_92, 28),
        (11_99, 21),
        (12_06, 14),
        (12_15, 7),
    ];
    assert_eq!(came_to(&life), rows);
    assert_eq!(met(&life), [17_01, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn where_nothing_is_overdue_nothing_is_spread() {
    // All is paid within the first period, twice and each time with interest to its end; later what is overdue, which is
    // nothing, is spread over the rows to come.
    let mut servicing = daily(Until::PeriodEnd);
    let recalculation = servicing.recalculation.as_mut().unwrap();
    (recalculation.daily, recalculation.spares_overdue) = (false, true);
    let terms = signed(SEVEN, 3, servicing);
    let before = [
        lent(294_732),
        paid(date(2024, 1, 2), 119_582),
        paid(date(2024, 1, 27), 177_768),
    ];
    let mut told = before.to_vec();
    let interest = Reamortising::Alike;
    told.push(amended(date(2024, 3, 18), Amendment::Reamortised { interest }));
    let on = date(2024, 3, 21);
    let (plain, spread) = (lived(&terms, &before, on), lived(&terms, &told, on));
    assert!(plain.loan.outstanding().unwrap().total().unwrap().is_zero());
    assert_eq!(spread.loan, plain.loan);
    let entered = told
        .iter()
        .fold(crate::terms::Life::default(), |life, (on, event)| {
            life.then(*on, event.clone())
        });
    assert!(quote(&terms, &entered.0, on).unwrap().is_zero());
}
