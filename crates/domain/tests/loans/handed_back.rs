//! Money that is handed back (还款退回), in figures reckoned by hand: what was allocated last is taken back first.

use fenqi_domain::loan::{Amendment, Broken, Event, PostingKind, life, postings};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Component, Pricing, Terms};
use fenqi_domain::servicing::{Ahead, Bucket, Credit, Excess, Rule, Timing, Until};
use jiff::civil::{Date, date};

use crate::servicing::{
    SEVEN, amended, came_to, charged, daily, first, lent, lived, met, paid, reckoned_anew,
};
use crate::servicing::{servicing, signed};
use crate::terms::{self, fen};

fn handed_back(on: Date, amount: i64) -> (Date, Event) {
    amended(on, Amendment::HandedBack { amount: fen(amount) })
}

/// 300.00 in three rows without interest; lateness itself costs nothing.
fn three(ahead: Ahead, row_by_row: bool) -> Terms {
    let mut servicing = servicing(ahead);
    servicing.row_by_row = row_by_row;
    let mut terms = signed(Pricing::InterestFree, 3, servicing);
    terms.conventions.late.daily = Rate::ZERO;
    terms
}

#[test]
fn what_was_allocated_last_is_taken_back_first() {
    // On 15 February the first row (100.00 and a fee of 6.00) is past due, the second (100.00, penalty 5.00) and the third
    // are ahead. 260.00 is paid; what is handed back leaves penalty, fee and principal paid of each row.
    let table = [
        (
            Ahead::Next,
            true,
            0,
            [(0, 6_00, 100_00), (5_00, 0, 100_00), (0, 0, 49_00)],
        ),
        (
            Ahead::Next,
            true,
            49_00,
            [(0, 6_00, 100_00), (5_00, 0, 100_00), (0, 0, 0)],
        ),
        // Within a row principal before what was allocated before it.
        (
            Ahead::Next,
            true,
            151_00,
            [(0, 6_00, 100_00), (3_00, 0, 0), (0, 0, 0)],
        ),
        (Ahead::Next, true, 255_00, [(0, 5_00, 0), (0, 0, 0), (0, 0, 0)]),
        (Ahead::Next, true, 260_00, [(0, 0, 0), (0, 0, 0), (0, 0, 0)]),
        // Bucket by bucket: principal of both rows ahead before the penalty.
        (
            Ahead::Next,
            false,
            149_00,
            [(0, 6_00, 100_00), (5_00, 0, 0), (0, 0, 0)],
        ),
        (
            Ahead::Next,
            false,
            151_00,
            [(0, 6_00, 100_00), (3_00, 0, 0), (0, 0, 0)],
        ),
        // However it was allocated ahead, the last row gives first.
        (
            Ahead::Last,
            true,
            20_00,
            [(0, 6_00, 100_00), (5_00, 0, 49_00), (0, 0, 80_00)],
        ),
    ];
    for (ahead, row_by_row, amount, expected) in table {
        let terms = three(ahead, row_by_row);
        let on = date(2024, 2, 15);
        let mut events = vec![
            lent(300_00),
            charged(Component::Fee, date(2024, 1, 20), 6_00),
            charged(Component::Penalty, date(2024, 2, 20), 5_00),
            paid(on, 260_00),
        ];
        events.extend((amount > 0).then(|| handed_back(on, amount)));
        let life = lived(&terms, &events, on);
        let rows = life.loan.rows.iter();
        let met: Vec<_> = rows
            .map(|row| [row.penalty.paid, row.fee.paid, row.principal.paid].map(Amount::minor))
            .map(|[penalty, fee, principal]| (penalty, fee, principal))
            .collect();
        assert_eq!(met, expected, "{ahead:?}, {row_by_row}, {amount}");
    }
}

#[test]
fn each_timing_gives_back_in_its_own_order() {
    // The first row (100.00 and a fee of 6.00) is past due and took the fee first; the second (100.00, penalty 5.00) is ahead
    // and took principal first, so that the penalty goes back before it.
    let of = |timing, components: [Component; 4]| components.map(|component| Bucket { timing, component });
    let costs_first = Component::ALL;
    let mut principal_first = costs_first;
    principal_first.reverse();
    let mut terms = three(Ahead::Next, true);
    let buckets = [
        of(Timing::PastDue, costs_first),
        of(Timing::Due, costs_first),
        of(Timing::Ahead, principal_first),
    ];
    let rule = Rule {
        credit: Credit::Payment,
        buckets: buckets.concat(),
        ahead: Ahead::Next,
    };
    terms.conventions.servicing.as_mut().unwrap().rules = vec![rule];
    let on = date(2024, 2, 15);
    for (amount, expected) in [
        (3_00, [(0, 6_00, 100_00), (2_00, 0, 100_00)]),
        (8_00, [(0, 6_00, 100_00), (0, 0, 97_00)]),
        (106_00, [(0, 6_00, 99_00), (0, 0, 0)]),
    ] {
        let events = [
            lent(300_00),
            charged(Component::Fee, date(2024, 1, 20), 6_00),
            charged(Component::Penalty, date(2024, 2, 20), 5_00),
            paid(on, 211_00),
            handed_back(on, amount),
        ];
        let life = lived(&terms, &events, on);
        let rows = life.loan.rows.iter().take(2);
        let met: Vec<_> = rows
            .map(|row| [row.penalty.paid, row.fee.paid, row.principal.paid].map(Amount::minor))
            .map(|[penalty, fee, principal]| (penalty, fee, principal))
            .collect();
        assert_eq!(met, expected, "{amount}");
    }
}

#[test]
fn what_is_left_over_is_handed_back_before_any_payment() {
    let terms = three(Ahead::Next, true);
    let events = |amount| {
        [
            lent(300_00),
            paid(first(2), 320_00),
            handed_back(date(2024, 2, 10), amount),
        ]
    };
    let table = [(15_00, 5_00, 100_00), (20_00, 0, 100_00), (50_00, 0, 70_00)];
    for (amount, left_over, third) in table {
        let life = lived(&terms, &events(amount), first(3));
        assert_eq!(life.loan.credit_balance, fen(left_over), "{amount}");
        assert_eq!(met(&life), [100_00, 100_00, third], "{amount}");
    }
    let life = lived(&terms, &events(50_00), first(3));
    let record = life.records.last().unwrap();
    assert_eq!((record.parts.principal, record.over), (fen(30_00), fen(20_00)));
    assert_eq!(record.principal, fen(30_00), "owed again");
    assert_eq!(life.loan.rows[2].cleared_on, None);
    let told = told(&events(50_00));
    let books = postings(&terms, &told.0, first(3)).unwrap();
    let of = |kind| Amount::sum(books.iter().filter(|p| p.kind == kind).map(|p| p.amount)).unwrap();
    assert_eq!(of(PostingKind::PaidOut), fen(20_00));
    assert_eq!(of(PostingKind::PrincipalOwedAgain), fen(30_00));
}

#[test]
fn more_than_was_paid_cannot_be_handed_back() {
    let terms = three(Ahead::Next, true);
    let refused = |events: &[(Date, Event)]| life(&terms, &told(events).0, first(3)).unwrap_err();
    let why = Broken::Inconsistent {
        transaction: 3,
        what: "hands back more than was paid",
    };
    let on = date(2024, 2, 10);
    assert_eq!(
        refused(&[lent(300_00), paid(first(2), 100_00), handed_back(on, 100_01)]),
        why
    );
    // What comes in later cannot be handed back before.
    assert_eq!(
        refused(&[lent(300_00), paid(first(3), 100_00), handed_back(on, 1)]),
        why
    );
    let plain = terms::terms(Pricing::InterestFree, fen(300_00), 3);
    let events = [lent(300_00), handed_back(on, 1)];
    let why = Broken::Inconsistent {
        transaction: 2,
        what: "changes what the agreement's servicing does not know",
    };
    assert_eq!(life(&plain, &told(&events).0, first(3)).unwrap_err(), why);
}

#[test]
fn what_is_handed_back_of_an_overdue_row_earns_from_its_day_on() {
    // 16.43 and 0.58 were paid in time; 10.00 of principal go back, since principal was allocated after interest.
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let events = [
        lent(100_00),
        paid(first(2), 17_01),
        handed_back(date(2024, 2, 15), 10_00),
    ];
    let february = |as_of| came_to(&lived(&terms, &events, as_of))[1].1;
    // 83.57 at 7 % for a month is 0.49; 10.00 for 10 of its 29 days is 0.02, for 15 of them 0.03.
    let table = [(date(2024, 2, 15), 49), (date(2024, 2, 25), 51), (first(3), 52)];
    for (as_of, interest) in table {
        assert_eq!(february(as_of), interest, "{as_of}");
    }
    let life = lived(&terms, &events, first(3));
    assert_eq!(came_to(&life)[0], (16_43, 58), "the row is what it was");
    assert_eq!(met(&life)[0], 6_43);
    assert_eq!(life.loan.days_past_due, 15, "before, nothing was open");
}

#[test]
fn what_is_handed_back_of_money_ahead_is_owed_as_agreed_and_earns_again() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let (on, back) = (date(2024, 1, 11), date(2024, 1, 21));
    let events = [lent(100_00), paid(on, 50_00), handed_back(back, 50_00)];
    let life = lived(&terms, &events, back);
    // 100.00 for 10 days and for 11 of 31 at 7 % is 0.19 and 0.21; 50.19 for the 10 between them 0.09.
    assert_eq!(came_to(&life)[0], (17_01 - 49, 49));
    let rows = came_to(&life);
    let instalments: Vec<i64> = rows.iter().map(|(p, i)| p + i).collect();
    assert_eq!(instalments[..5], [17_01; 5], "the instalments that were agreed");
    assert_eq!(rows.iter().map(|(p, _)| p).sum::<i64>(), 100_00);
    assert_eq!(met(&life), [0; 6]);
    assert!(life.notes.iter().all(|note| note.ahead.is_zero()));
    // Where an early payment takes the interest of its period, January's principal counts to its end; of the 32.99 that
    // went to February and March 67.01 was left for 10 days: 0.19, 0.13 and 0.21.
    let terms = signed(SEVEN, 6, daily(Until::PeriodEnd));
    let life = lived(&terms, &events, back);
    assert_eq!(came_to(&life)[0], (16_48, 53));
}

#[test]
fn who_paid_everything_and_is_handed_a_part_back_owes_that_part() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let (on, back) = (date(2024, 1, 11), date(2024, 1, 21));
    // 100.00 for 10 of 31 days at 7 % is 0.19.
    let events = [lent(100_00), paid(on, 100_19), handed_back(back, 10_00)];
    let life = lived(&terms, &events, back);
    let open = life.loan.outstanding().unwrap();
    assert_eq!(open.principal, fen(10_00));
    // In the last row, of 15.14: 10.00 for 11 of 31 days and five months is 0.02 and 5 × 0.06.
    assert_eq!(met(&life)[5], 5_14);
    assert_eq!(came_to(&life)[5], (15_14, 32));
}

#[test]
fn where_interest_is_scheduled_the_schedule_is_as_if_it_had_not_come_from_its_day_on() {
    // 5,000.00 at 12 % by days of 365 in instalments of 862.00; on 1 December, the first due date, 1,362.00 is paid.
    let (paid_on, back_on) = (date(2022, 12, 1), date(2022, 12, 15));
    for excess in [
        Excess::LastRow,
        Excess::LowerInstalment,
        Excess::FewerRows,
        Excess::NextRows,
    ] {
        let terms = reckoned_anew(excess, true);
        let disbursed = Event::Disbursed { amount: fen(5000_00) };
        let mut events = vec![(terms.signed_on, disbursed), paid(paid_on, 1_362_00)];
        let kept = lived(&terms, &events, back_on);
        assert_eq!(came_to(&kept)[0], (812_68 + 500_00, 4_932), "{excess:?}");
        events.push(handed_back(back_on, 500_00));
        let life = lived(&terms, &events, back_on);
        let rows = came_to(&life);
        assert_eq!(
            rows[0],
            (812_68, 4_932),
            "{excess:?}: owed later, and not at once"
        );
        assert!(life.loan.rows[0].open().unwrap().total().unwrap().is_zero());
        // 3,687.32 for 14 days is 16.97, and 4,187.32 for the 17 after them 23.40.
        assert_eq!(rows[1].1, 16_97 + 23_40, "{excess:?}");
        assert_eq!(rows.iter().map(|(p, _)| p).sum::<i64>(), 5000_00, "{excess:?}");
        assert_eq!(rows.len(), 6, "{excess:?}");
        // Of the instalment itself the first row owes again, and it is overdue from that day on.
        events.push(handed_back(back_on, 100_00));
        let life = lived(&terms, &events, date(2022, 12, 25));
        assert_eq!(
            life.loan.rows[0].open().unwrap().principal,
            fen(100_00),
            "{excess:?}"
        );
        // 4,287.32 for the 10 days up to the 25th is 14.10, and 4,187.32 for the 7 after them 9.64.
        assert_eq!(came_to(&life)[1].1, 16_97 + 14_10 + 964, "{excess:?}");
    }
}

#[test]
fn a_payment_that_was_handed_back_may_be_made_again_and_its_return_undone() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let back = date(2024, 2, 15);
    let as_of = first(4);
    let in_order = [lent(100_00), paid(first(2), 17_01), handed_back(back, 17_01)];
    let undone = [in_order.as_slice(), &[(first(3), Event::Reversed { of: 3 })]].concat();
    let (undone, never) = (
        lived(&terms, &undone, as_of),
        lived(&terms, &in_order[..2], as_of),
    );
    assert_eq!((undone.loan, undone.notes), (never.loan, never.notes));
    // Entered late, it counts from its day.
    let late = [lent(100_00), handed_back(back, 17_01), paid(first(2), 17_01)];
    assert_eq!(
        lived(&terms, &late, as_of).loan,
        lived(&terms, &in_order, as_of).loan
    );
    // On the same day it costs nothing.
    let again = [in_order.as_slice(), &[paid(back, 17_01)]].concat();
    assert_eq!(
        came_to(&lived(&terms, &again, back)),
        came_to(&lived(&terms, &in_order[..2], back))
    );
}

/// What happened, in the order of entry.
fn told(events: &[(Date, Event)]) -> terms::Life {
    let then = |life: terms::Life, (on, event): &(Date, Event)| life.then(*on, event.clone());
    events.iter().fold(terms::Life(Vec::new()), then)
}
