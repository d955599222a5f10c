//! Lives under servicing that once went wrong, made small by the properties and kept by what they should come to.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Amendment, Event, Loan, fold, quote};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{Component, Terms};
use fenqi_domain::servicing::{Ahead, Basis, Excess, Method, MonthDays, Recalculation, Until, YearDays};
use jiff::civil::Date;

use crate::terms::*;

/// An amount over some months at 24 %, reckoned anew with every payment up to its day.
fn following(principal: i64, count: i64) -> Terms {
    let mut terms = terms(annuity("24", DayCount::Thirty360), fen(principal), count);
    terms.conventions.late.daily = fenqi_domain::money::Rate::ZERO;
    let mut servicing = crate::servicing::servicing(Ahead::Next);
    servicing.recalculation = Some(Recalculation {
        daily: true,
        until: Until::PaymentDay,
        spares_overdue: false,
        compounds: false,
    });
    terms.conventions.servicing = Some(Box::new(servicing));
    terms
}

/// The same with interest as scheduled, and a use for what goes beyond an instalment.
fn beyond(principal: i64, count: i64, excess: Excess) -> Terms {
    let mut terms = following(principal, count);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.method = Method::Level(Basis::Periods);
    (servicing.whole, servicing.excess) = (true, Some(excess));
    terms
}

fn loan(terms: &Terms, told: &Life, on: Date) -> Loan {
    fold(terms, &told.0, on).unwrap()
}

/// What all rows come to in principal.
fn principal(loan: &Loan) -> Amount {
    Amount::sum(loan.rows.iter().map(|r| r.principal.charged)).unwrap()
}

/// Who pays the quote of a day owes nothing and has nothing left over.
fn settles(terms: &Terms, told: &Life, on: Date) -> Amount {
    let quoted = quote(terms, &told.0, on).unwrap();
    let loan = loan(terms, &told.clone().paid(on, quoted), on);
    assert!(loan.is_settled().unwrap(), "{:?}", loan.outstanding());
    assert!(loan.credit_balance.is_zero(), "{:?}", loan.credit_balance);
    quoted
}

#[test]
fn what_is_owed_again_in_a_row_of_interest_alone_is_owed_once() {
    let mut terms = following(1000_00, 3);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.interest_only = 1;
    servicing.rules[0].ahead = Ahead::Last;
    servicing.chargeback = Component::ALL.to_vec();
    let back = Amendment::ChargedBack {
        amount: fen(200_00),
        of: 2,
    };
    let told = Life::captured(&terms)
        .paid(after(signed(), 2), fen(600_00))
        .then(after(signed(), 9), Event::Amended { by: back });
    // The row that is due next owes it, and the last rows may be paid before it.
    let stands = loan(&terms, &told, after(signed(), 9));
    assert_eq!(stands.rows[0].principal.charged, fen(200_00));
    let told = told.paid(after(signed(), 20), fen(500_00));
    assert_eq!(principal(&loan(&terms, &told, after(signed(), 20))), fen(1200_00));
    settles(&terms, &told, after(signed(), 25));
}

#[test]
fn a_charge_in_a_row_that_is_not_needed_any_more_is_still_owed() {
    let terms = beyond(600_00, 6, Excess::FewerRows);
    let by = Amendment::Charged {
        amount: fen(5_00),
        component: Component::Fee,
        due_on: due(6),
    };
    let told = Life::captured(&terms)
        .then(signed(), Event::Amended { by })
        .paid(after(signed(), 3), fen(500_00));
    let stands = loan(&terms, &told, after(signed(), 3));
    assert_eq!(principal(&stands), fen(600_00));
    let paid_or_open: i64 = stands
        .rows
        .iter()
        .map(|r| r.fee.paid.minor() + r.fee.open().unwrap().minor())
        .sum();
    assert_eq!(paid_or_open, 5_00);
    settles(&terms, &told, after(signed(), 3));
}

#[test]
fn interest_that_was_put_off_is_due_with_the_row_in_which_everything_is_paid() {
    let mut terms = beyond(1000_00, 4, Excess::LastRow);
    terms.conventions.servicing.as_mut().unwrap().interest_deferred = 1;
    let told = Life::captured(&terms);
    // 20.00 of the first month, and of the second nothing on its first day.
    assert_eq!(settles(&terms, &told, due(1)), fen(1020_00));
}

#[test]
fn nothing_is_ever_put_off_beyond_the_last_row() {
    let mut terms = following(1000_00, 2);
    terms.conventions.servicing.as_mut().unwrap().interest_deferred = 5;
    let stands = loan(&terms, &Life::captured(&terms), signed());
    assert!(stands.rows[0].interest.charged.is_zero());
    assert!(stands.rows[1].interest.charged.is_positive());
}

#[test]
fn a_payoff_to_the_end_of_the_period_takes_what_was_put_off_along() {
    let mut terms = following(1000_00, 3);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.interest_deferred = 2;
    servicing.recalculation.as_mut().unwrap().until = Until::PeriodEnd;
    settles(&terms, &Life::captured(&terms), after(due(1), 8));
    let paid = Life::captured(&terms).paid(signed(), fen(600_00));
    settles(&terms, &paid, after(due(1), 1));
}

#[test]
fn what_is_spread_alike_passes_rows_by_that_owe_nothing_yet() {
    let mut terms = following(32_46, 3);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    (servicing.interest_only, servicing.multiple) = (2, fen(10_00));
    servicing.rules[0].ahead = Ahead::Even;
    // On the first day no interest is earned: two fen between three rows go to the one with principal.
    let stands = loan(&terms, &Life::captured(&terms).paid(signed(), fen(2)), signed());
    assert_eq!(stands.rows[2].principal.paid, fen(2));
    assert!(stands.credit_balance.is_zero());
}

#[test]
fn what_is_overdue_after_the_last_row_earns_once_however_often_one_looks() {
    let terms = following(1000_00, 2);
    let day = after(due(2), 10);
    let once = Life::captured(&terms).paid(day, fen(2_00));
    let twice = Life::captured(&terms).paid(day, fen(1_00)).paid(day, fen(1_00));
    assert_eq!(loan(&terms, &once, day).rows, loan(&terms, &twice, day).rows);
    settles(&terms, &once, day);
}

#[test]
fn a_credit_balance_meets_what_another_schedule_asks_for() {
    let terms = following(1000_00, 4);
    let by = Amendment::RateChanged {
        annual: percent("36"),
    };
    let mut plain = terms.clone();
    plain.conventions.servicing.as_mut().unwrap().recalculation = None;
    let paid = Life::captured(&plain).paid(signed(), fen(1100_00));
    let before = loan(&plain, &paid, due(1)).credit_balance;
    let stands = loan(&plain, &paid.then(due(1), Event::Amended { by }), due(1));
    assert_eq!(stands.outstanding().unwrap().total().unwrap(), Amount::ZERO);
    assert!(stands.credit_balance < before, "the dearer rows took some of it");
    let met = stands.rows.iter().map(|row| row.paid().unwrap().total().unwrap());
    let met = Amount::sum(met).unwrap();
    assert_eq!(met.plus(stands.credit_balance), Ok(fen(1100_00)));
}

#[test]
fn interest_that_was_put_off_and_is_paid_ahead_earns_nothing() {
    let mut terms = beyond(421_93, 6, Excess::LastRow);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.method = Method::EqualPrincipal(Basis::Days);
    (servicing.interest_only, servicing.interest_deferred) = (1, 2);
    let recalculation = servicing.recalculation.as_mut().unwrap();
    (recalculation.until, recalculation.compounds) = (Until::PeriodEnd, true);
    let on = after(signed(), 22);
    let told = Life::captured(&terms);
    let quoted = settles(&terms, &told, on);
    let told = told.paid(on, quoted);
    for later in [20, 100, 120, 400] {
        let stands = loan(&terms, &told, after(on, later));
        assert!(
            stands.is_settled().unwrap(),
            "{later}: {:?}",
            stands.outstanding()
        );
        assert!(stands.credit_balance.is_zero(), "{later}");
    }
}

#[test]
fn interest_that_is_put_off_and_waived_in_part_can_be_settled() {
    let mut terms = beyond(1492_85, 8, Excess::LastRow);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    (servicing.year, servicing.month) = (YearDays::Actual, MonthDays::Actual);
    (servicing.interest_only, servicing.interest_deferred) = (1, 2);
    servicing.multiple = fen(10_00);
    servicing.row_by_row = false;
    servicing.rules[0].ahead = Ahead::Last;
    let waived = Event::Waived {
        component: Component::Interest,
        amount: fen(26),
    };
    for compounds in [false, true] {
        let servicing = terms.conventions.servicing.as_mut().unwrap();
        let recalculation = servicing.recalculation.as_mut().unwrap();
        recalculation.compounds = compounds;
        let told = Life::captured(&terms).then(signed(), waived.clone());
        // One day of a month of 31 at 2 % is 0.96, and 0.26 of it was waived.
        assert_eq!(settles(&terms, &told, after(signed(), 1)), fen(1493_55));
    }
}
