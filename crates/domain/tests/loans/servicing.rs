//! Conventions of servicing: a table test for each, with the published test that taught it.
//!
//! The figures are restated from the tests of Apache Fineract (Apache-2.0), develop of 2025-02-12, feature files named.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Amendment, Broken, Event, Intent, Life, Origin, Reaging, Reamortising, life};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Component, Pricing, Terms};
use fenqi_domain::servicing::{
    Ahead, Basis, Bucket, ChargeOff, Credit, Excess, Method, MonthDays, Period, Recalculation, Rule,
    Servicing, Timing, Unit, Until, YearDays,
};
use jiff::civil::{Date, date};

use crate::terms;
use crate::terms::{fen, percent};

/// Past due, due, ahead; penalties, fees, interest, principal.
pub fn buckets() -> Vec<Bucket> {
    let order = [
        Component::Penalty,
        Component::Fee,
        Component::Interest,
        Component::Principal,
    ];
    let timings = [Timing::PastDue, Timing::Due, Timing::Ahead];
    let all = timings
        .into_iter()
        .flat_map(|timing| order.map(|component| Bucket { timing, component }));
    all.collect()
}

/// Nothing out of the ordinary: months of thirty days, money ahead as it is said, no recalculation.
pub fn servicing(ahead: Ahead) -> Servicing {
    Servicing {
        rules: vec![Rule {
            credit: Credit::Payment,
            buckets: buckets(),
            ahead,
        }],
        row_by_row: true,
        down_payment: Rate::ZERO,
        multiple: Amount::ZERO,
        period: Period {
            every: 1,
            unit: Unit::Months,
        },
        year: YearDays::Fixed(360),
        month: MonthDays::Thirty,
        method: Method::Balance,
        interest_only: 0,
        interest_deferred: 0,
        whole: false,
        recalculation: None,
        excess: None,
        chargeback: Vec::new(),
        charge_off: ChargeOff::Regular,
    }
}

/// The first of a month of 2024.
pub fn first(month: i8) -> Date {
    date(2024, month, 1)
}

/// Terms from 1 January 2024 with a row on the first of each month.
pub fn signed(pricing: Pricing, count: i8, servicing: Servicing) -> Terms {
    let mut terms = terms::terms(pricing, fen(1_000_000_00), 1);
    terms.signed_on = first(1);
    terms.due_dates = (2..=count + 1).map(first).collect();
    terms.conventions.rounding = fenqi_domain::money::Rounding::HalfEven;
    terms.conventions.servicing = Some(Box::new(servicing));
    terms
}

/// What happened, each with its day.
pub fn lived(terms: &Terms, events: &[(Date, Event)], as_of: Date) -> Life {
    tried(terms, events, as_of).unwrap()
}

/// The same of events that may contradict each other.
pub fn tried(terms: &Terms, events: &[(Date, Event)], as_of: Date) -> Result<Life, Broken> {
    let life_so_far = events.iter().fold(terms::Life(Vec::new()), |life, (on, event)| {
        life.then(*on, event.clone())
    });
    life(terms, &life_so_far.0, as_of)
}

pub fn lent(amount: i64) -> (Date, Event) {
    (first(1), Event::Disbursed { amount: fen(amount) })
}

pub fn paid(on: Date, amount: i64) -> (Date, Event) {
    let event = Event::Repaid {
        amount: fen(amount),
        intent: Intent::Due,
    };
    (on, event)
}

pub fn amended(on: Date, by: Amendment) -> (Date, Event) {
    (on, Event::Amended { by })
}

/// A charge that is entered on the day of signing and due on a day.
pub fn charged(component: Component, due_on: Date, amount: i64) -> (Date, Event) {
    let by = Amendment::Charged {
        amount: fen(amount),
        component,
        due_on,
    };
    amended(first(1), by)
}

/// Each row's principal and interest as they came to.
pub fn came_to(life: &Life) -> Vec<(i64, i64)> {
    let rows = life.loan.rows.iter();
    rows.map(|r| (r.principal.charged.minor(), r.interest.charged.minor()))
        .collect()
}

/// What of each row's principal was paid.
pub fn met(life: &Life) -> Vec<i64> {
    life.loan.rows.iter().map(|r| r.principal.paid.minor()).collect()
}

pub const SEVEN: Pricing = Pricing::Annuity {
    annual: Rate::from_ppb(70_000_000),
    day_count: DayCount::Thirty360,
};

/// Interest that follows the payments by the day.
pub fn daily(until: Until) -> Servicing {
    Servicing {
        recalculation: Some(Recalculation {
            daily: true,
            until,
            spares_overdue: false,
            compounds: false,
        }),
        ..servicing(Ahead::Next)
    }
}

#[test]
fn what_is_paid_ahead_goes_where_the_rule_says() {
    // LoanRepayment.feature, future instalment allocation: 50.00 more than is due on the first due date.
    let table = [
        (Ahead::Next, [100_00, 50_00, 0]),
        (Ahead::Last, [100_00, 0, 50_00]),
        (Ahead::Even, [100_00, 25_00, 25_00]),
    ];
    for (ahead, expected) in table {
        let terms = signed(Pricing::InterestFree, 3, servicing(ahead));
        let life = lived(&terms, &[lent(300_00), paid(first(2), 150_00)], first(2));
        assert_eq!(met(&life), expected, "{ahead:?}");
    }
}

#[test]
fn a_share_of_each_disbursement_is_due_on_its_day() {
    let servicing = Servicing {
        down_payment: percent("25"),
        ..servicing(Ahead::Next)
    };
    let terms = signed(Pricing::InterestFree, 3, servicing);
    let life = lived(&terms, &[lent(1000_00), lent(400_00)], first(1));
    // LoanMultiDisbursement.feature: 250 and 100 on the day, then 350 three times.
    let principal: Vec<i64> = came_to(&life).iter().map(|(p, _)| *p).collect();
    assert_eq!(principal, [250_00, 100_00, 350_00, 350_00, 350_00]);
    assert_eq!(life.notes[1].origin, Origin::DownPayment);
}

#[test]
fn level_instalments_on_the_balance_are_smoothed() {
    // EMICalculation.feature: 100.00 at 7 % over six months.
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let life = lived(&terms, &[lent(100_00)], first(1));
    assert_eq!(
        came_to(&life),
        [
            (16_43, 58),
            (16_52, 49),
            (16_62, 39),
            (16_72, 29),
            (16_81, 20),
            (16_90, 10)
        ]
    );
}

#[test]
fn an_early_payment_takes_interest_up_to_its_day_or_to_the_periods_end() {
    let mid = date(2024, 1, 15);
    let table = [(Until::PaymentDay, 26), (Until::PeriodEnd, 58)];
    for (until, interest) in table {
        let terms = signed(SEVEN, 6, daily(until));
        let life = lived(&terms, &[lent(100_00), paid(mid, 17_01)], mid);
        assert_eq!(life.loan.rows[0].interest.paid.minor(), interest, "{until:?}");
        assert_eq!(
            life.loan.rows[0].principal.paid.minor(),
            17_01 - interest,
            "{until:?}"
        );
    }
}

#[test]
fn overdue_principal_earns_until_it_is_paid() {
    // LoanChargeOff.feature:1873: nothing paid by 1 March, so that February's interest is on everything.
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let life = lived(&terms, &[lent(100_00)], first(3));
    assert_eq!(life.loan.rows[1].interest.charged.minor(), 58);
}

#[test]
fn what_is_beyond_the_due_changes_scheduled_instalments_as_agreed() {
    // LoanRepayment.feature:606, 750, 1004: 5,000.00 at 12 % by days over six months, in whole units.
    let table = [
        (Excess::LowerInstalment, 1500_00, 731_00, 6),
        (Excess::FewerRows, 1500_00, 862_00, 6),
        (Excess::LastRow, 1500_00, 862_00, 6),
        (Excess::FewerRows, 3000_00, 862_00, 4),
    ];
    for (excess, amount, instalment, count) in table {
        let mut servicing = servicing(Ahead::Next);
        servicing.method = Method::Level(Basis::Days);
        servicing.multiple = fen(1_00);
        servicing.year = YearDays::Fixed(365);
        servicing.excess = Some(excess);
        servicing.recalculation = Some(Recalculation {
            daily: true,
            until: Until::PaymentDay,
            spares_overdue: false,
            compounds: false,
        });
        let twelve = Pricing::Annuity {
            annual: percent("12"),
            day_count: DayCount::Actual365,
        };
        let mut terms = signed(twelve, 6, servicing);
        terms.signed_on = date(2022, 11, 1);
        terms.due_dates = vec![
            date(2022, 12, 1),
            date(2023, 1, 1),
            date(2023, 2, 1),
            date(2023, 3, 1),
            date(2023, 4, 1),
            date(2023, 5, 1),
        ];
        let on = date(2022, 12, 1);
        let disbursed = Event::Disbursed { amount: fen(5000_00) };
        let life = lived(&terms, &[(terms.signed_on, disbursed), paid(on, amount)], on);
        let (principal, interest) = came_to(&life)[1];
        assert_eq!(principal + interest, instalment, "{excess:?}");
        assert_eq!(life.loan.rows.len(), count, "{excess:?} {amount}");
    }
}

#[test]
fn a_chargeback_is_owed_again_in_the_next_row_and_the_payment_stands() {
    let charged_back = Amendment::ChargedBack {
        amount: fen(40_00),
        of: 2,
    };
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let events = [
        lent(300_00),
        paid(first(2), 100_00),
        amended(date(2024, 2, 5), charged_back),
    ];
    let life = lived(&terms, &events, date(2024, 2, 5));
    let principal: Vec<i64> = came_to(&life).iter().map(|(p, _)| *p).collect();
    assert_eq!(principal, [100_00, 140_00, 100_00]);
    assert_eq!(met(&life), [100_00, 0, 0]);
}

#[test]
fn what_is_overdue_is_spread_over_the_rows_to_come() {
    let terms = signed(Pricing::InterestFree, 4, servicing(Ahead::Next));
    let on = date(2024, 3, 5);
    let life = lived(
        &terms,
        &[
            lent(400_00),
            amended(
                on,
                Amendment::Reamortised {
                    interest: Reamortising::NextRow,
                },
            ),
        ],
        on,
    );
    let principal: Vec<i64> = came_to(&life).iter().map(|(p, _)| *p).collect();
    assert_eq!(principal, [0, 0, 200_00, 200_00]);
}

#[test]
fn a_re_aged_loan_has_new_rows_and_the_old_ones_show_what_was_paid() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let on = date(2024, 4, 10);
    let by = Amendment::Reaged {
        start_on: first(5),
        period: Period {
            every: 1,
            unit: Unit::Months,
        },
        count: 2,
        interest: Reaging::Anew,
    };
    let life = lived(
        &terms,
        &[lent(300_00), paid(first(2), 120_00), amended(on, by)],
        on,
    );
    let principal: Vec<i64> = came_to(&life).iter().map(|(p, _)| *p).collect();
    assert_eq!(principal, [100_00, 20_00, 0, 90_00, 90_00]);
    assert_eq!(life.loan.rows[4].due_on, first(6));
}

#[test]
fn a_charge_after_the_last_row_has_a_row_of_its_own() {
    let terms = signed(Pricing::InterestFree, 2, servicing(Ahead::Next));
    let charged = Amendment::Charged {
        amount: fen(20_00),
        component: Component::Penalty,
        due_on: date(2024, 3, 20),
    };
    let life = lived(&terms, &[lent(100_00), amended(first(2), charged)], first(2));
    assert_eq!(life.notes[2].origin, Origin::Extra);
    assert_eq!(life.loan.rows[2].penalty.charged, fen(20_00));
}

#[test]
fn a_reversed_change_leaves_the_loan_as_it_was() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let changes = [
        paid(date(2024, 1, 20), 30_00).1,
        Event::Amended {
            by: Amendment::RateChanged { annual: percent("4") },
        },
        Event::Amended {
            by: Amendment::ChargedOff,
        },
        Event::Amended {
            by: Amendment::Charged {
                amount: fen(5_00),
                component: Component::Fee,
                due_on: first(2),
            },
        },
    ];
    let plain = lived(&terms, &[lent(100_00)], date(2024, 1, 20));
    for change in changes {
        let events = [
            lent(100_00),
            (date(2024, 1, 20), change.clone()),
            (date(2024, 1, 20), Event::Reversed { of: 2 }),
        ];
        let undone = lived(&terms, &events, date(2024, 1, 20));
        assert_eq!(undone.loan, plain.loan, "{change:?}");
    }
}

/// 5,000.00 at 12 % by days over six months from 1 November 2022, in whole units, reckoned anew with every payment.
pub fn reckoned_anew(excess: Excess, daily: bool) -> Terms {
    let mut servicing = servicing(Ahead::Next);
    servicing.method = Method::Level(Basis::Days);
    servicing.multiple = fen(1_00);
    servicing.year = YearDays::Fixed(365);
    servicing.whole = true;
    servicing.excess = Some(excess);
    servicing.recalculation = Some(Recalculation {
        daily,
        until: Until::PaymentDay,
        spares_overdue: false,
        compounds: false,
    });
    let twelve = Pricing::Annuity {
        annual: percent("12"),
        day_count: DayCount::Actual365,
    };
    let mut terms = signed(twelve, 6, servicing);
    terms.signed_on = date(2022, 11, 1);
    let months = [(2022, 12), (2023, 1), (2023, 2), (2023, 3), (2023, 4), (2023, 5)];
    terms.due_dates = months.map(|(year, month)| date(year, month, 1)).to_vec();
    terms
}

#[test]
fn scheduled_interest_follows_what_comes_early_late_and_beyond() {
    // LoanRepayment.feature, RP03, RP04, RP06, RP09, RP10, RP13 and RP15: principal and interest of some row.
    let lower = Excess::LowerInstalment;
    type Case<'a> = (Excess, bool, &'a [(Date, i64)], usize, (i64, i64));
    let table: [Case<'_>; 9] = [
        (lower, true, &[(date(2022, 11, 27), 863_00)], 0, (86300, 4818)),
        (lower, true, &[(date(2022, 11, 27), 863_00)], 1, (80984, 4216)),
        (lower, true, &[(date(2022, 12, 5), 862_00)], 1, (81825, 4375)),
        (lower, true, &[(date(2022, 11, 27), 200_00)], 0, (81295, 4905)),
        (lower, true, &[(date(2022, 11, 27), 1500_00)], 0, (150000, 4734)),
        (lower, true, &[(date(2022, 12, 5), 1500_00)], 1, (82391, 3809)),
        (
            Excess::NextRows,
            true,
            &[(date(2022, 12, 1), 1000_00), (date(2023, 1, 1), 2000_00)],
            2,
            (0, 21_31),
        ),
        (
            Excess::NextRows,
            true,
            &[(date(2022, 12, 1), 1000_00), (date(2023, 1, 1), 2000_00)],
            3,
            (40745, 1924),
        ),
        (lower, false, &[(date(2023, 2, 1), 862_00)], 2, (81104, 5096)),
    ];
    for (excess, daily, payments, row, figures) in table {
        let terms = reckoned_anew(excess, daily);
        let disbursed = Event::Disbursed { amount: fen(5000_00) };
        let mut events = vec![(terms.signed_on, disbursed)];
        events.extend(payments.iter().map(|(on, amount)| paid(*on, *amount)));
        let until = payments.last().unwrap().0;
        let life = lived(&terms, &events, until);
        assert_eq!(came_to(&life)[row], figures, "{excess:?} {payments:?} row {row}");
    }
}

#[test]
fn what_is_lent_after_everything_was_paid_has_rows_of_its_own() {
    // In the period in which everything was paid, in a later one, and after the last due date.
    let table = [date(2022, 11, 20), date(2023, 1, 10), date(2023, 6, 10)];
    for later in table {
        let terms = reckoned_anew(Excess::LastRow, true);
        let events = [
            (terms.signed_on, Event::Disbursed { amount: fen(5000_00) }),
            paid(date(2022, 11, 16), 5100_00),
            (later, Event::Disbursed { amount: fen(300_00) }),
        ];
        let life = lived(&terms, &events, later);
        let principal: i64 = came_to(&life).iter().map(|(principal, _)| principal).sum();
        assert_eq!(principal, 5300_00, "lent again on {later}");
        assert!(
            life.loan.credit_balance.is_zero(),
            "what was over is lent on {later}"
        );
    }
}

#[test]
fn a_further_disbursement_adds_what_it_needs_alone() {
    // EMICalculation.feature:4476: 250.00, and 750.00 six days later, at 9.9 % by the days of the year.
    let mut servicing = servicing(Ahead::Next);
    servicing.year = YearDays::Actual;
    servicing.month = MonthDays::Actual;
    let rate = Pricing::Annuity {
        annual: percent("9.9"),
        day_count: DayCount::Actual365,
    };
    let terms = signed(rate, 4, servicing);
    let later = (date(2024, 1, 7), Event::Disbursed { amount: fen(750_00) });
    let life = lived(&terms, &[lent(250_00), later], first(2));
    let instalments: Vec<i64> = came_to(&life).iter().map(|(p, i)| p + i).collect();
    assert_eq!(instalments, [254_84, 254_84, 254_84, 254_82]);
}

#[test]
fn a_due_date_that_moves_makes_its_period_longer_and_leaves_the_instalment() {
    // EMICalculation.feature, C3156: 100.00 at 9.4822 % over six months; the first is moved from 1 to 18 February.
    let rate = Pricing::Annuity {
        annual: percent("9.4822"),
        day_count: DayCount::Thirty360,
    };
    let terms = signed(rate, 6, servicing(Ahead::Next));
    let moved = Amendment::Rescheduled {
        from: first(2),
        to: Some(date(2024, 2, 18)),
        extra: 0,
        grace: 0,
        interest_grace: 0,
    };
    let on = date(2024, 2, 18);
    let life = lived(&terms, &[lent(100_00), amended(on, moved)], on);
    assert_eq!(came_to(&life)[0], (1588, 125));
    assert_eq!(came_to(&life)[5], (1746, 14));
    assert_eq!(life.loan.rows[1].due_on, date(2024, 3, 18));
}

#[test]
fn a_schedule_as_a_whole_is_built_anew_with_what_is_lent_later() {
    // LoanReschedule.feature, C2803: what is lent after the last due date has a row of its own.
    let mut servicing = servicing(Ahead::Next);
    servicing.whole = true;
    let terms = signed(Pricing::InterestFree, 2, servicing);
    let later = |on: Date| (on, Event::Disbursed { amount: fen(100_00) });
    let between = lived(
        &terms,
        &[lent(100_00), later(date(2024, 2, 20))],
        date(2024, 2, 20),
    );
    assert_eq!(came_to(&between), [(100_00, 0), (100_00, 0)]);
    let after = lived(
        &terms,
        &[lent(100_00), later(date(2024, 3, 20))],
        date(2024, 3, 20),
    );
    assert_eq!(came_to(&after), [(100_00, 0), (0, 0), (100_00, 0)]);
    assert_eq!(after.loan.rows[2].due_on, first(4));
}

#[test]
fn rows_without_principal_are_made_up_for_at_the_end() {
    // LoanReschedule.feature:563: one row without principal, three as before.
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let grace = Amendment::Rescheduled {
        from: first(2),
        to: None,
        extra: 0,
        grace: 1,
        interest_grace: 0,
    };
    let on = date(2024, 1, 5);
    let life = lived(&terms, &[lent(750_00), amended(on, grace)], on);
    assert_eq!(came_to(&life), [(0, 0), (250_00, 0), (250_00, 0), (250_00, 0)]);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_reason() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let ended = amended(date(2024, 1, 10), Amendment::WrittenOff);
    let more = Event::Disbursed { amount: fen(10_00) };
    let table = [
        (vec![paid(first(2), 10_00)], "comes before anything was lent"),
        (
            vec![lent(100_00), ended.clone(), (date(2024, 1, 20), more)],
            "lends on a loan that was given up or ended",
        ),
        (
            vec![
                lent(100_00),
                ended,
                amended(
                    date(2024, 1, 20),
                    Amendment::Reamortised {
                        interest: Reamortising::NextRow,
                    },
                ),
            ],
            "changes a loan that was given up or ended",
        ),
    ];
    let early = (date(2023, 12, 20), Event::Disbursed { amount: fen(10_00) });
    let late = (date(2024, 4, 2), Event::Disbursed { amount: fen(10_00) });
    let outside = "lends after the last due date";
    let on_balance = signed(SEVEN, 3, servicing(Ahead::Next));
    let table = table.map(|(events, reason)| (&terms, events, reason));
    let others = [
        (&terms, vec![lent(100_00), late.clone()], outside),
        (&on_balance, vec![lent(100_00), late], outside),
        (&on_balance, vec![early], outside),
    ];
    for (terms, events, reason) in table.into_iter().chain(others) {
        let told = events.iter().fold(terms::Life(Vec::new()), |told, (on, event)| {
            told.then(*on, event.clone())
        });
        let why = life(terms, &told.0, first(5)).unwrap_err();
        assert!(why.to_string().ends_with(reason), "{why}");
    }
}
