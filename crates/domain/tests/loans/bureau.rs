//! Class, bucket and the bureau's months of a loan.

use fenqi_domain::asset_class::AssetClass;
use fenqi_domain::bureau::{Bracket, Month, MonthCode, Substitute, Substituted, last, months};
use fenqi_domain::delinquency::{Lateness, Pause, Range, Ranges, Unusable, counted_days, lateness};
use fenqi_domain::loan::Event;
use fenqi_domain::plan::{RefundStrategy, Terms};
use jiff::civil::{Date, date};

use crate::terms::*;

/// The letters of the months.
fn letters(terms: &Terms, life: &Life, as_of: Date) -> String {
    let months = months(terms, &life.0, as_of, &[]).unwrap();
    months.iter().map(|m| m.code.letter()).collect()
}

/// 120 yuan over 3: 40.00 due on the 5th of February, March and April.
fn three() -> Terms {
    let mut terms = terms(fenqi_domain::plan::Pricing::InterestFree, yuan(120), 3);
    terms.conventions.late.daily = fenqi_domain::money::Rate::ZERO;
    terms
}

#[test]
fn each_month_has_the_code_of_its_last_day() {
    let terms = three();
    let lent = Life::captured(&terms);
    let four = yuan(40);
    let end = date(2026, 12, 31);
    let table: [(&str, Life, &str); 7] = [
        (
            "nothing is due in the month of lending, then all in time",
            lent.clone()
                .paid(due(1), four)
                .paid(due(2), four)
                .paid(due(3), four),
            "*NNC",
        ),
        (
            "paid on the 20th is late, and paid by the month's end",
            lent.clone()
                .paid(date(2026, 2, 20), four)
                .paid(due(2), four)
                .paid(due(3), four),
            "*MNC",
        ),
        (
            "what is overdue is the oldest's days, in steps of 30, up to 7",
            lent.clone(),
            "*12345677777",
        ),
        (
            "paid in the month after",
            lent.clone().paid(date(2026, 3, 10), yuan(80)).paid(due(3), four),
            "*1MC",
        ),
        (
            "ahead in one sum ends it",
            lent.clone().paid(date(2026, 1, 20), yuan(120)),
            "C",
        ),
        (
            "everything went back before anything was paid",
            lent.clone().then(
                date(2026, 2, 1),
                Event::Refunded {
                    amount: yuan(120),
                    strategy: RefundStrategy::LastFirst,
                    with_paid_fees: true,
                },
            ),
            "*G",
        ),
        (
            "a dispute claims nothing while it lasts",
            lent.clone()
                .then(date(2026, 2, 10), Event::Paused)
                .then(date(2026, 4, 2), Event::Resumed)
                .paid(date(2026, 4, 3), yuan(120)),
            "*##C",
        ),
    ];
    for (what, life, expected) in table {
        assert_eq!(letters(&terms, &life, end), expected, "{what}");
    }
}

#[test]
fn only_months_that_are_over_are_told() {
    let terms = three();
    let lent = Life::captured(&terms);
    assert_eq!(
        letters(&terms, &lent, date(2026, 3, 30)),
        "*1",
        "a month that is not over has no code"
    );
    assert_eq!(
        letters(&terms, &Life::default(), date(2026, 12, 31)),
        "",
        "what was never lent is not known"
    );
}

#[test]
fn grace_and_outages_are_never_reported() {
    let mut terms = three();
    terms.conventions.late.grace_days = 3;
    let paid = |on| {
        Life::captured(&terms)
            .paid(on, yuan(40))
            .paid(due(2), yuan(40))
            .paid(due(3), yuan(40))
    };
    assert_eq!(
        letters(&terms, &paid(date(2026, 2, 8)), date(2026, 5, 31)),
        "*NNC"
    );
    assert_eq!(
        letters(&terms, &paid(date(2026, 2, 9)), date(2026, 5, 31)),
        "*MNC"
    );
    let out = Event::Excused {
        from: date(2026, 2, 6),
        until: date(2026, 2, 9),
    };
    let excused = paid(date(2026, 2, 9)).then(date(2026, 2, 11), out);
    assert_eq!(letters(&terms, &excused, date(2026, 5, 31)), "*NNC");
}

#[test]
fn what_bounced_is_told_again() {
    let terms = three();
    let paid = Life::captured(&terms).paid(due(1), yuan(40));
    assert_eq!(letters(&terms, &paid, date(2026, 2, 28)), "*N");
    let bounced = paid.then(date(2026, 3, 2), Event::Reversed { of: 2 });
    assert_eq!(letters(&terms, &bounced, date(2026, 2, 28)), "*1");
}

#[test]
fn who_paid_instead_is_told() {
    let terms = three();
    let life = Life::captured(&terms)
        .paid(due(1), yuan(40))
        .paid(due(2), yuan(40));
    for (by, code) in [
        (Substitute::Guarantor, MonthCode::ByGuarantor),
        (Substitute::Goods, MonthCode::InGoods),
    ] {
        let instead = [Substituted { transaction: 3, by }];
        let months = months(&terms, &life.0, date(2026, 3, 31), &instead).unwrap();
        let codes: Vec<MonthCode> = months.iter().map(|m| m.code).collect();
        assert_eq!(codes, [MonthCode::NothingDue, MonthCode::InTime, code]);
    }
}

#[test]
fn a_month_tells_what_is_overdue_and_a_report_shows_the_last() {
    let terms = three();
    let all = months(&terms, &Life::captured(&terms).0, date(2026, 4, 30), &[]).unwrap();
    let told = |m: &Month| (m.ends_on, m.overdue);
    assert_eq!(
        last(&all, 2).iter().map(told).collect::<Vec<_>>(),
        [(date(2026, 3, 31), yuan(80)), (date(2026, 4, 30), yuan(120))]
    );
    assert_eq!(last(&all, 60).len(), 4);
}

#[test]
fn steps_are_of_thirty_days() {
    let table = [
        (0, None),
        (1, Some(1)),
        (30, Some(1)),
        (31, Some(2)),
        (60, Some(2)),
        (61, Some(3)),
        (90, Some(3)),
        (91, Some(4)),
        (120, Some(4)),
        (121, Some(5)),
        (150, Some(5)),
        (151, Some(6)),
        (180, Some(6)),
        (181, Some(7)),
        (9_999, Some(7)),
        (-1, None),
    ];
    for (days, expected) in table {
        assert_eq!(Bracket::of(days).map(Bracket::number), expected, "{days}");
    }
    let letters: String = [1, 31, 61, 91, 121, 151, 181]
        .map(|days| MonthCode::Overdue(Bracket::of(days).unwrap()).letter())
        .iter()
        .collect();
    assert_eq!(letters, "1234567");
    assert_eq!(MonthCode::BadDebt.to_string(), "B");
}

#[test]
fn days_past_due_decide_the_class() {
    use AssetClass::{Doubtful, Loss, Normal, SpecialMention, Substandard};
    let table = [
        (0, Normal),
        (1, SpecialMention),
        (90, SpecialMention),
        (91, Substandard),
        (270, Substandard),
        (271, Doubtful),
        (360, Doubtful),
        (361, Loss),
        (4_000, Loss),
    ];
    for (days, class) in table {
        assert_eq!(AssetClass::of(days, false), class, "{days}");
        assert_eq!(AssetClass::of(days, true), class.max(SpecialMention), "{days}");
    }
    let numbers = [Normal, SpecialMention, Substandard, Doubtful, Loss].map(AssetClass::number);
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn buckets_are_named_ranges_without_a_gap() {
    let table = [
        (0, "M0"),
        (1, "M1"),
        (30, "M1"),
        (31, "M2"),
        (90, "M3"),
        (91, "M4"),
        (180, "M6"),
        (181, "M7"),
    ];
    for (days, name) in table {
        assert_eq!(Ranges::by_month().of(days), name, "{days}");
    }
    let range = |name: &str, from| Range {
        name: name.to_owned(),
        from,
    };
    let own = Ranges::new(vec![range("current", 0), range("early", 1), range("late", 15)]).unwrap();
    assert_eq!((own.of(-3), own.of(14), own.of(15)), ("current", "early", "late"));
    assert_eq!(Ranges::new(vec![]), Err(Unusable::NoZero));
    assert_eq!(Ranges::new(vec![range("a", 1)]), Err(Unusable::NoZero));
    assert_eq!(
        Ranges::new(vec![range("a", 0), range("b", 0)]),
        Err(Unusable::NotAscending)
    );
    assert_eq!(
        Ranges::new(vec![range("a", 0), range("a", 9)]),
        Err(Unusable::Name)
    );
    assert_eq!(Ranges::new(vec![range("", 0)]), Err(Unusable::Name));
    let stored = serde_json::to_string(&own).unwrap();
    assert_eq!(serde_json::from_str::<Ranges>(&stored).unwrap(), own);
    assert!(serde_json::from_str::<Ranges>("[]").is_err());
}

#[test]
fn days_of_pauses_do_not_count_and_a_day_in_two_of_them_is_left_out_once() {
    let pause = |from, until| Pause {
        from: after(due(1), from),
        until: after(due(1), until),
    };
    // Days after the due date: from one evening to another, so that a pause from the 5th to the 29th leaves out 24.
    let table: [(&[Pause], i64, i64); 8] = [
        (&[], 30, 30),
        (&[pause(5, 29)], 5, 5),
        (&[pause(5, 29)], 20, 5),
        (&[pause(5, 29)], 30, 6),
        (&[pause(-10, 4)], 30, 26),
        (&[pause(40, 50)], 30, 30),
        (&[pause(5, 20), pause(10, 29)], 30, 6),
        (&[pause(24, 29), pause(29, 29)], 30, 25),
    ];
    for (pauses, on, counted) in table {
        assert_eq!(
            counted_days(due(1), after(due(1), on), pauses),
            counted,
            "{pauses:?} {on}"
        );
    }
}

#[test]
fn lateness_is_that_of_the_oldest_open_row_with_all_that_is_past_due() {
    let terms = crate::serviced::plain_terms();
    let told = Life::captured(&terms).paid(due(1), fen(40_00));
    let rows = |on| fenqi_domain::loan::fold(&terms, &told.0, on).unwrap().rows;
    let none = lateness(&rows(due(1)), due(1), &[]).unwrap();
    assert_eq!(none, Lateness::default(), "what is due today is not late");
    let on = after(due(2), 3);
    let pauses = [Pause {
        from: after(due(1), 2),
        until: after(due(1), 12),
    }];
    let late = lateness(&rows(on), on, &pauses).unwrap();
    let past_due = fenqi_domain::calendar::days_between(due(1), on);
    let expected = Lateness {
        since: Some(due(1)),
        overdue: fen(160_00),
        past_due,
        counted: past_due - 10,
    };
    assert_eq!(late, expected);
}
