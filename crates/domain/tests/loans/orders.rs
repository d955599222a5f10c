//! Orders of allocation (冲账顺序). An order is one value, a list of buckets; a row of this table shows what it does.

use fenqi_domain::money::Rate;
use fenqi_domain::plan::{Component, LatePolicy, Pricing};
use fenqi_domain::servicing::{Ahead, Bucket, Credit, Rule, Servicing, Timing};
use jiff::civil::date;

use crate::servicing::{charged, first, lent, lived, paid, servicing, signed};
use crate::terms::{fen, percent};

const PENALTY_FIRST: [Component; 4] = [
    Component::Penalty,
    Component::Fee,
    Component::Interest,
    Component::Principal,
];
const PRINCIPAL_FIRST: [Component; 4] = [
    Component::Principal,
    Component::Interest,
    Component::Fee,
    Component::Penalty,
];
const OLDEST_FIRST: [Timing; 3] = [Timing::PastDue, Timing::Due, Timing::Ahead];
const TODAY_FIRST: [Timing; 3] = [Timing::Due, Timing::PastDue, Timing::Ahead];

/// All components of one timing before the next timing.
fn by_timing(timings: [Timing; 3], components: [Component; 4]) -> Vec<Bucket> {
    let of = |timing| components.map(|component| Bucket { timing, component });
    timings.into_iter().flat_map(of).collect()
}

/// One component of all timings before the next component.
fn by_component(timings: [Timing; 3], components: [Component; 4]) -> Vec<Bucket> {
    let of = |component| timings.map(|timing| Bucket { timing, component });
    components.into_iter().flat_map(of).collect()
}

#[test]
fn each_order_meets_what_it_names_first() {
    // 300.00 in three rows without interest. On 1 March the first (100.00, penalty 9.00, fee 6.00) is past due, the
    // second (100.00, penalty 5.00, fee 4.00) is due, the third is ahead; 120.00 is paid.
    // What each row was paid: penalty, fee, principal.
    let table = [
        (
            "the law's (民法典 561): costs before principal, the oldest row first",
            (by_timing(OLDEST_FIRST, PENALTY_FIRST), true),
            [(9_00, 6_00, 100_00), (5_00, 0, 0), (0, 0, 0)],
        ),
        (
            "principal before costs, the oldest row first",
            (by_timing(OLDEST_FIRST, PRINCIPAL_FIRST), true),
            [(9_00, 6_00, 100_00), (0, 0, 5_00), (0, 0, 0)],
        ),
        (
            "all penalties, then all fees, then principal",
            (by_component(OLDEST_FIRST, PENALTY_FIRST), false),
            [(9_00, 6_00, 96_00), (5_00, 4_00, 0), (0, 0, 0)],
        ),
        (
            "all principal before any cost",
            (by_component(OLDEST_FIRST, PRINCIPAL_FIRST), false),
            [(0, 0, 100_00), (0, 0, 20_00), (0, 0, 0)],
        ),
        (
            "what is due today before what is overdue",
            (by_timing(TODAY_FIRST, PENALTY_FIRST), true),
            [(9_00, 2_00, 0), (5_00, 4_00, 100_00), (0, 0, 0)],
        ),
    ];
    for (name, (buckets, row_by_row), expected) in table {
        let rule = Rule {
            credit: Credit::Payment,
            buckets,
            ahead: Ahead::Next,
        };
        let servicing = Servicing {
            rules: vec![rule],
            row_by_row,
            ..servicing(Ahead::Next)
        };
        let mut terms = signed(Pricing::InterestFree, 3, servicing);
        // What lateness itself costs is not what this is about.
        terms.conventions.late.daily = Rate::ZERO;
        let events = [
            lent(300_00),
            charged(Component::Penalty, date(2024, 1, 20), 9_00),
            charged(Component::Fee, date(2024, 1, 20), 6_00),
            charged(Component::Penalty, date(2024, 2, 20), 5_00),
            charged(Component::Fee, date(2024, 2, 20), 4_00),
            paid(first(3), 120_00),
        ];
        let life = lived(&terms, &events, first(3));
        let rows = life.loan.rows.iter();
        let met: Vec<_> = rows
            .map(|row| [row.penalty.paid, row.fee.paid, row.principal.paid].map(|a| a.minor()))
            .map(|[penalty, fee, principal]| (penalty, fee, principal))
            .collect();
        assert_eq!(met, expected, "{name}");
    }
}

#[test]
fn a_charge_may_be_due_on_its_own_day_and_not_with_its_row() {
    // 300.00 in three rows without interest; the first is due on 1 February. 50.00 is paid on 15 January, principal
    // before costs where it is ahead: a fee of 6.00 was due on 10 January, 4.00 of penalties are due on 20 January.
    let due = by_timing(OLDEST_FIRST, PENALTY_FIRST).into_iter();
    let due = due.filter(|bucket| bucket.timing != Timing::Ahead);
    let own_day = [Component::Penalty, Component::Fee].map(|component| Bucket {
        timing: Timing::Dated,
        component,
    });
    let ahead = by_timing([Timing::Ahead; 3], PRINCIPAL_FIRST).into_iter().take(4);
    let with_its_row: Vec<Bucket> = due.clone().chain(ahead.clone()).collect();
    let by_itself: Vec<Bucket> = due.chain(own_day).chain(ahead).collect();
    // Penalty, fee and principal paid of the first row, once by 50.00 and once by 103.00.
    let table = [
        (with_its_row.clone(), 50_00, (0, 0, 50_00)),
        (by_itself.clone(), 50_00, (0, 6_00, 44_00)),
        (with_its_row, 103_00, (0, 3_00, 100_00)),
        (by_itself, 103_00, (0, 6_00, 97_00)),
    ];
    for (buckets, amount, expected) in table {
        let rule = Rule {
            credit: Credit::Payment,
            buckets,
            ahead: Ahead::Next,
        };
        let servicing = Servicing {
            rules: vec![rule],
            ..servicing(Ahead::Next)
        };
        let terms = signed(Pricing::InterestFree, 3, servicing);
        let events = [
            lent(300_00),
            charged(Component::Fee, date(2024, 1, 10), 6_00),
            charged(Component::Penalty, date(2024, 1, 20), 4_00),
            paid(date(2024, 1, 15), amount),
        ];
        let life = lived(&terms, &events, date(2024, 1, 15));
        let row = &life.loan.rows[0];
        let met = [row.penalty.paid, row.fee.paid, row.principal.paid].map(|a| a.minor());
        assert_eq!(met, <[i64; 3]>::from(expected), "{amount}");
    }
}

#[test]
fn a_charge_that_is_due_today_with_its_row_is_not_due_by_itself() {
    // A fee of 6.00, due on 20 January, in the row of 1 February; 50.00 is paid. By itself the fee comes first, with its
    // row after the principal of 100.00.
    let buckets = [
        (Timing::Dated, Component::Fee),
        (Timing::Due, Component::Principal),
        (Timing::Ahead, Component::Principal),
    ];
    let buckets = buckets.map(|(timing, component)| Bucket { timing, component });
    let rule = Rule {
        credit: Credit::Payment,
        buckets: buckets.to_vec(),
        ahead: Ahead::Next,
    };
    let servicing = Servicing {
        rules: vec![rule],
        ..servicing(Ahead::Next)
    };
    let terms = signed(Pricing::InterestFree, 3, servicing);
    for (on, fee) in [(date(2024, 1, 19), 0), (date(2024, 1, 31), 6_00), (first(2), 0)] {
        let events = [
            lent(300_00),
            charged(Component::Fee, date(2024, 1, 20), 6_00),
            paid(on, 50_00),
        ];
        let row = lived(&terms, &events, on).loan.rows[0];
        assert_eq!(
            (row.fee.paid, row.principal.paid),
            (fen(fee), fen(50_00 - fee)),
            "{on}"
        );
    }
}

#[test]
fn an_equal_share_is_only_for_rows_that_owe_the_component() {
    // Fees of 0.10 in two of three rows: 0.05 are 0.02 and 0.03.
    let rule = Rule {
        credit: Credit::Payment,
        buckets: by_component(OLDEST_FIRST, PENALTY_FIRST),
        ahead: Ahead::Even,
    };
    let servicing = Servicing {
        rules: vec![rule],
        row_by_row: false,
        ..servicing(Ahead::Next)
    };
    let terms = signed(Pricing::InterestFree, 3, servicing);
    let events = [
        lent(300_00),
        charged(Component::Fee, date(2024, 1, 20), 10),
        charged(Component::Fee, date(2024, 2, 20), 10),
        paid(date(2024, 1, 5), 5),
    ];
    let life = lived(&terms, &events, date(2024, 1, 5));
    let fees: Vec<i64> = life.loan.rows.iter().map(|r| r.fee.paid.minor()).collect();
    assert_eq!(fees, [2, 3, 0]);
}

#[test]
fn a_charge_belongs_to_the_row_whose_period_its_day_lies_in() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let table = [
        // What is due before the first period is due with its row.
        (date(2023, 12, 20), 0),
        (first(1), 0),
        (date(2024, 1, 20), 0),
        (first(2), 0),
        (date(2024, 2, 2), 1),
        (first(4), 2),
        (date(2024, 4, 2), 3),
    ];
    for (due_on, place) in table {
        let life = lived(
            &terms,
            &[lent(300_00), charged(Component::Fee, due_on, 6_00)],
            first(1),
        );
        assert_eq!(life.loan.rows[place].fee.charged, fen(6_00), "{due_on}");
    }
}

#[test]
fn a_penalty_that_did_not_fit_under_the_cap_falls_away_with_its_row() {
    // All principal before any cost. A fee of 10.00 for lateness; all costs stay under 7.6 % a year.
    let rule = Rule {
        credit: Credit::Payment,
        buckets: by_component(OLDEST_FIRST, PRINCIPAL_FIRST),
        ahead: Ahead::Next,
    };
    let servicing = Servicing {
        rules: vec![rule],
        row_by_row: false,
        ..servicing(Ahead::Next)
    };
    let mut terms = signed(Pricing::InterestFree, 3, servicing);
    terms.conventions.late = LatePolicy {
        grace_days: 0,
        fee: fen(10_00),
        daily: Rate::ZERO,
        from_due_date: true,
        annual_cap: percent("7.6"),
    };
    // 300.00 for 40 days at 7.6 % are 2.49. Then the principal is paid: 18 days of 200.00 would be another 0.75.
    let events = [lent(300_00), paid(date(2024, 2, 10), 100_00)];
    for (on, penalty) in [(date(2024, 2, 10), 2_49), (date(2024, 2, 28), 2_49)] {
        let row = lived(&terms, &events, on).loan.rows[0];
        assert_eq!(
            (row.penalty.charged, row.penalty.paid),
            (fen(penalty), fen(0)),
            "{on}"
        );
    }
}
