//! What holds for every loan whose agreement says more on servicing, whatever happens to it.

use fenqi_domain::loan::{
    Amendment, Broken, Event, Intent, Life as Lived, Loan, Parts, Transaction, life, quote,
};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{Component, Terms};
use fenqi_domain::servicing::{Ahead, Credit, Recalculation, Until};
use jiff::civil::Date;
use proptest::prelude::*;

use crate::serviced::any_serviced_case;
use crate::terms::*;

/// The loan with its history; nothing if the transactions contradict the terms, which is an answer and no fault.
fn lived(terms: &Terms, told: &Life, as_of: Date) -> Option<Lived> {
    match life(terms, &told.0, as_of) {
        Ok(lived) => Some(lived),
        Err(broken) => {
            assert!(matches!(broken, Broken::Inconsistent { .. }), "{broken:?}");
            None
        }
    }
}

/// What the transactions that stand moved by a day, of those that `of` wants.
fn moved(told: &Life, as_of: Date, of: impl Fn(&Event) -> Option<Amount>) -> Amount {
    let reversed = |t: &Transaction| told.0.iter().any(|r| r.event == Event::Reversed { of: t.number });
    let stand = told.0.iter().filter(|t| t.effective_on <= as_of && !reversed(t));
    Amount::sum(stand.filter_map(|t| of(&t.event))).unwrap()
}

/// The whole of one figure over all rows and components.
fn all(lived: &Lived, of: impl Fn(&fenqi_domain::loan::Figures) -> Amount) -> Amount {
    Amount::sum(lived.loan.rows.iter().flat_map(figures).map(|f| of(&f))).unwrap()
}

/// The same life as if nothing after a day had ever been entered.
fn until(told: &Life, as_of: Date) -> Life {
    let mut early = told.clone();
    early
        .0
        .retain(|t| t.effective_on <= as_of || matches!(t.event, Event::Reversed { .. }));
    // A reversal of what is not there reverses nothing.
    let numbers: Vec<u32> = early.0.iter().map(|t| t.number).collect();
    early.0.retain(|t| match t.event {
        Event::Reversed { of } => numbers.contains(&of),
        _ => true,
    });
    early
}

/// What came to be owed again, as the records of those transactions tell: charged back, or paid out beyond what the payer
/// was owed. Where chargebacks have no order of their own, and a credit balance meets one in part, that part passes through
/// the row as principal.
fn owed_again(terms: &Terms, told: &Life, lived: &Lived) -> Parts {
    let passes = terms
        .conventions
        .servicing
        .as_ref()
        .unwrap()
        .chargeback
        .is_empty();
    let mut again = Parts::default();
    for record in &lived.records {
        let event = told
            .0
            .iter()
            .find(|t| t.number == record.number)
            .map(|t| &t.event);
        let met = match event {
            Some(Event::Amended {
                by: Amendment::ChargedBack { .. },
            }) if passes && record.parts.total().unwrap().is_positive() => record.over,
            Some(
                Event::PaidOut { .. }
                | Event::Amended {
                    by: Amendment::ChargedBack { .. },
                },
            ) => Amount::ZERO,
            _ => continue,
        };
        again = again.plus(&record.parts).unwrap();
        again.add(Component::Principal, met).unwrap();
    }
    again
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_figure_is_negative((terms, told, as_of) in any_serviced_case()) {
        let Some(lived) = lived(&terms, &told, as_of) else { return Ok(()) };
        for row in &lived.loan.rows {
            for f in figures(row) {
                for part in [f.charged, f.paid, f.waived, f.cancelled, f.open().unwrap()] {
                    prop_assert!(!part.is_negative(), "{:?}", row);
                }
            }
        }
        prop_assert!(!lived.loan.credit_balance.is_negative());
    }

    #[test]
    fn what_came_in_is_paid_owed_back_or_left_over((terms, told, as_of) in any_serviced_case()) {
        let Some(lived) = lived(&terms, &told, as_of) else { return Ok(()) };
        let came = moved(&told, as_of, |e| match e {
            Event::Repaid { amount, .. }
            | Event::Amended { by: Amendment::Credited { amount, .. } | Amendment::ChargeAdjusted { amount, .. } } => {
                Some(*amount)
            }
            _ => None,
        });
        let went = moved(&told, as_of, |e| match e {
            Event::PaidOut { amount }
            | Event::Amended { by: Amendment::ChargedBack { amount, .. } | Amendment::HandedBack { amount } } => Some(*amount),
            _ => None,
        });
        let again = owed_again(&terms, &told, &lived).total().unwrap();
        let paid = all(&lived, |f| f.paid);
        prop_assert_eq!(
            came.plus(again).unwrap(),
            paid.plus(went).unwrap().plus(lived.loan.credit_balance).unwrap(),
            "came {:?} again {:?} paid {:?} went {:?}", came, again, paid, went
        );
    }

    #[test]
    fn principal_is_what_was_lent_and_what_was_owed_again((terms, told, as_of) in any_serviced_case()) {
        let Some(lived) = lived(&terms, &told, as_of) else { return Ok(()) };
        let again = owed_again(&terms, &told, &lived).principal;
        let principal = Amount::sum(lived.loan.rows.iter().map(|r| r.principal.charged)).unwrap();
        prop_assert_eq!(principal, lived.loan.disbursed.plus(again).unwrap());
    }

    #[test]
    fn two_credits_are_worth_what_one_of_both_is(
        (terms, told, as_of) in any_serviced_case(), (a, b) in (1..200_000i64, 1..200_000i64), day in 0..200i64,
    ) {
        let credited = |told: Life, amount| {
            let by = Amendment::Credited { amount: fen(amount), credit: Credit::MerchantRefund };
            told.then(after(signed(), day), Event::Amended { by })
        };
        // An equal share of each is not an equal share of both, to the fen; nor is interest to the end of the period, of
        // what the first of them left.
        let servicing = terms.conventions.servicing.as_ref().unwrap();
        let is_even = servicing.rule(Credit::MerchantRefund).is_some_and(|r| r.ahead == Ahead::Even);
        if is_even || servicing.recalculation.is_some_and(|r| r.until == Until::PeriodEnd) {
            return Ok(());
        }
        let loan = |told: Life| lived(&terms, &told, as_of).map(|l| l.loan);
        let (two, one) = (loan(credited(credited(told.clone(), a), b)), loan(credited(told, a + b)));
        let (Some(two), Some(one)) = (&two, &one) else {
            prop_assert_eq!(two, one);
            return Ok(());
        };
        let owed = |loan: &fenqi_domain::loan::Loan| (loan.outstanding().unwrap(), loan.credit_balance);
        prop_assert_eq!(owed(two), owed(one));
        // Paid from the last row on: where the first of them ends within a row, that row takes no more principal, and an
        // earlier one takes it.
        let is_last = servicing.rule(Credit::MerchantRefund).is_some_and(|r| r.ahead == Ahead::Last);
        if !is_last {
            prop_assert_eq!(two, one);
        }
    }

    #[test]
    fn who_pays_the_quote_owes_nothing_and_goes_on_owing_nothing((terms, told, as_of) in any_serviced_case()) {
        let told = until(&told, as_of);
        if lived(&terms, &told, as_of).is_none() {
            return Ok(());
        }
        if by_periods(&terms) {
            return Ok(());
        }
        let quoted = quote(&terms, &told.0, as_of).unwrap();
        let number = told.0.iter().map(|t| t.number).max().unwrap() + 1;
        let event = Event::Repaid { amount: quoted, intent: Intent::Settle };
        let mut paid = told;
        let is_owed = quoted.is_positive();
        if is_owed {
            paid.0.push(Transaction { number, effective_on: as_of, event });
        }
        for later in [0, 1, 40, 400] {
            let loan = lived(&terms, &paid, after(as_of, later)).unwrap().loan;
            prop_assert_eq!(loan.outstanding().unwrap().total().unwrap(), Amount::ZERO, "owed {} days later", later);
            prop_assert!(!is_owed || loan.credit_balance.is_zero(), "left over {} days later: {:?}", later, loan.credit_balance);
        }
    }

    #[test]
    fn the_order_of_entry_does_not_matter((terms, told, as_of) in any_serviced_case(), turn in 0..9usize) {
        let mut other = told.clone();
        other.0.reverse();
        let len = other.0.len();
        other.0.rotate_left(turn % len);
        prop_assert_eq!(lived(&terms, &other, as_of), lived(&terms, &told, as_of));
    }

    #[test]
    fn a_payment_and_its_reversal_leave_everything_as_it_was(
        (terms, told, as_of) in any_serviced_case(), day in 0..200i64, amount in 1..400_000i64,
    ) {
        let event = Event::Repaid { amount: fen(amount), intent: Intent::Due };
        let paid = told.clone().then(after(signed(), day), event);
        let of = u32::try_from(paid.0.len()).unwrap();
        let bounced = paid.then(after(signed(), day + 9), Event::Reversed { of });
        prop_assert_eq!(lived(&terms, &bounced, as_of), lived(&terms, &told, as_of));
    }

    #[test]
    fn what_comes_later_does_not_change_what_stood((terms, told, as_of) in any_serviced_case()) {
        prop_assert_eq!(lived(&terms, &until(&told, as_of), as_of), lived(&terms, &told, as_of));
    }

    #[test]
    fn a_day_on_which_nothing_happens_changes_nothing(
        (terms, told, as_of) in any_serviced_case(), day in 0..300i64,
    ) {
        let nothing = Event::Excused { from: after(signed(), 1), until: signed() };
        let looked = told.clone().then(after(signed(), day), nothing);
        // A day on which something is entered posts the penalties up to it.
        let loan = |told: &Life| lived(&terms, told, as_of).map(|l| {
            (Loan { penalty_unposted: Amount::ZERO, ..l.loan }, l.notes)
        });
        prop_assert_eq!(loan(&looked), loan(&told));
    }
}

/// Whether what is overdue earns in the period that is under way and no more when it is over: there a payoff in it leaves
/// something over, and no plan may say so ([`fenqi_domain::plan::Plan::mistakes`]).
fn by_periods(terms: &Terms) -> bool {
    let servicing = terms.conventions.servicing.as_ref().unwrap();
    let is_so = |r: Recalculation| !r.daily && !r.spares_overdue;
    servicing.excess.is_some() && servicing.recalculation.is_some_and(is_so)
}

/// 300.00 over three months without interest; chargebacks restore penalties, fees, interest and principal in this order.
fn three() -> Terms {
    let mut terms = crate::serviced::plain_terms();
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.chargeback = Component::ALL.to_vec();
    terms
}

#[test]
fn a_chargeback_takes_back_what_its_payment_left_over() {
    let terms = three();
    let back = |amount| Event::Amended {
        by: Amendment::ChargedBack {
            amount: fen(amount),
            of: 2,
        },
    };
    let told = Life::captured(&terms).paid(due(1), fen(500_00));
    // 300.00 was owed and 200.00 is left over: what is charged back is owed again, and then no credit is left.
    for amount in [1_00, 300_00, 450_00, 500_00] {
        let loan = lived(&terms, &told.clone().then(due(2), back(amount)), due(3))
            .unwrap()
            .loan;
        let owed = loan.outstanding().unwrap().total().unwrap().minor() - loan.credit_balance.minor();
        assert_eq!(owed, 300_00 - 500_00 + amount, "{amount}");
    }
}

#[test]
fn what_was_charged_back_is_paid_beside_the_plan() {
    let mut terms = three();
    terms.pricing = crate::terms::annuity("24", fenqi_domain::calendar::DayCount::Thirty360);
    let servicing = terms.conventions.servicing.as_mut().unwrap();
    servicing.recalculation = Some(Recalculation {
        daily: false,
        until: Until::PaymentDay,
        spares_overdue: true,
        compounds: false,
    });
    let back = Event::Amended {
        by: Amendment::ChargedBack {
            amount: fen(1),
            of: 2,
        },
    };
    let told = Life::captured(&terms)
        .paid(signed(), fen(1))
        .then(after(signed(), 15), back);
    let loan = lived(&terms, &told.paid(due(1), fen(200_00)), due(1))
        .unwrap()
        .loan;
    let principal = Amount::sum(loan.rows.iter().map(|r| r.principal.charged)).unwrap();
    assert_eq!(
        principal,
        fen(300_01),
        "what was lent, and the fen that is owed again"
    );
    assert!(loan.rows[0].open().unwrap().total().unwrap().is_zero());
}

#[test]
fn rows_that_are_multiples_take_no_more_than_was_lent() {
    let mut terms = three();
    terms.conventions.servicing.as_mut().unwrap().multiple = fen(100);
    let told = Life::default().then(signed(), Event::Disbursed { amount: fen(160) });
    let loan = lived(&terms, &told, signed()).unwrap().loan;
    let rows: Vec<i64> = loan.rows.iter().map(|r| r.principal.charged.minor()).collect();
    assert_eq!(
        rows,
        [100, 60, 0],
        "53 becomes 100 twice, and the third is not less than nothing"
    );
}

#[test]
fn a_charge_stands_in_the_row_whose_period_its_day_falls_into() {
    let terms = three();
    let charge = |due_on| Event::Amended {
        by: Amendment::Charged {
            amount: fen(5_00),
            component: Component::Fee,
            due_on,
        },
    };
    // The first row takes the day on which it begins as well; each other begins on the day after the one before.
    let table = [
        (signed(), 1),
        (due(1), 1),
        (after(due(1), 1), 2),
        (due(2), 2),
        (due(3), 3),
        (after(due(3), 1), 4),
    ];
    for (due_on, row) in table {
        let loan = lived(
            &terms,
            &Life::captured(&terms).then(signed(), charge(due_on)),
            due(3),
        )
        .unwrap()
        .loan;
        let charged: Vec<u16> = loan
            .rows
            .iter()
            .filter(|r| r.fee.charged == fen(5_00))
            .map(|r| r.number)
            .collect();
        assert_eq!(charged, [row], "{due_on}");
    }
}

#[test]
fn a_quote_takes_interest_as_far_as_an_early_payment_does() {
    let mut terms = three();
    terms.pricing = crate::terms::annuity("12", fenqi_domain::calendar::DayCount::Thirty360);
    let told = Life::captured(&terms);
    // 300.00 at 1 % a month: nothing on the first day, and after it half a month or all of it.
    let half = after(signed(), 15);
    let table = [
        (Until::PaymentDay, signed(), 300_00),
        (Until::PeriodEnd, signed(), 300_00),
        (Until::PeriodEnd, half, 303_00),
        (Until::PeriodEnd, due(1), 303_00),
        (Until::PaymentDay, due(1), 303_00),
    ];
    for (until, on, expected) in table {
        let servicing = terms.conventions.servicing.as_mut().unwrap();
        servicing.recalculation = Some(Recalculation {
            daily: false,
            until,
            spares_overdue: true,
            compounds: false,
        });
        assert_eq!(quote(&terms, &told.0, on), Ok(fen(expected)), "{until:?} {on}");
    }
}

#[test]
fn a_rate_that_changes_on_the_first_day_holds_from_it_on() {
    let mut terms = three();
    terms.pricing = crate::terms::annuity("24", fenqi_domain::calendar::DayCount::Thirty360);
    let changed = |day| {
        let by = Amendment::RateChanged {
            annual: percent("12"),
        };
        let told = Life::captured(&terms).then(after(signed(), day), Event::Amended { by });
        lived(&terms, &told, due(1)).unwrap().loan.rows[0]
            .interest
            .charged
            .minor()
    };
    // 300.00 for a month of 31 days: all of it at the new rate; 5.81 for thirty and 0.10 for the last; none of it.
    assert_eq!((changed(0), changed(31), changed(40)), (3_00, 5_91, 6_00));
}

#[test]
fn a_due_date_that_moves_takes_those_after_it_along() {
    let terms = three();
    let to = Some(after(due(2), 7));
    let by = Amendment::Rescheduled {
        from: due(2),
        to,
        extra: 0,
        grace: 0,
        interest_grace: 0,
    };
    let told = Life::captured(&terms).then(signed(), Event::Amended { by });
    let rows = lived(&terms, &told, signed()).unwrap().loan.rows;
    let days: Vec<Date> = rows.iter().map(|r| r.due_on).collect();
    assert_eq!(days, [due(1), after(due(2), 7), after(due(3), 7)]);
}

/// 300.00 over three months at 12 %, reckoned anew with every payment and up to its day or to the end of its period.
fn following(until: Until) -> Terms {
    let mut terms = three();
    terms.pricing = crate::terms::annuity("12", fenqi_domain::calendar::DayCount::Thirty360);
    terms.conventions.servicing.as_mut().unwrap().recalculation = Some(Recalculation {
        daily: false,
        until,
        spares_overdue: true,
        compounds: false,
    });
    terms
}

#[test]
fn a_quote_knows_in_which_order_rows_are_paid() {
    // The last rows first: 300.00 earns 1.45 in 15 of 31 days, and what they leave, 95.98, earns 0.50 in the other 16.
    let mut terms = following(Until::PeriodEnd);
    let on = after(signed(), 15);
    for (ahead, expected) in [(Ahead::Next, 303_00), (Ahead::Last, 301_95)] {
        let servicing = terms.conventions.servicing.as_mut().unwrap();
        servicing.rules[0].ahead = ahead;
        let told = Life::captured(&terms);
        assert_eq!(quote(&terms, &told.0, on), Ok(fen(expected)), "{ahead:?}");
        let loan = lived(&terms, &told.paid(on, fen(expected)), on).unwrap().loan;
        assert!(
            loan.is_settled().unwrap() && loan.credit_balance.is_zero(),
            "{ahead:?}"
        );
    }
}

#[test]
fn rows_of_which_every_one_is_less_than_a_multiple_fall_due_with_the_last() {
    let mut terms = following(Until::PaymentDay);
    terms.conventions.servicing.as_mut().unwrap().multiple = fen(500_00);
    let loan = lived(&terms, &Life::captured(&terms), signed()).unwrap().loan;
    let rows: Vec<i64> = loan.rows.iter().map(|r| r.principal.charged.minor()).collect();
    assert_eq!(rows, [0, 0, 300_00]);
}

#[test]
fn interest_that_was_paid_before_new_rows_came_is_not_asked_for_less() {
    let terms = following(Until::PaymentDay);
    let by = Amendment::Reaged {
        start_on: due(2),
        period: terms.conventions.servicing.as_ref().unwrap().period,
        count: 1,
        interest: fenqi_domain::loan::Reaging::Anew,
    };
    // 1.45 of half a month is paid in part; the rest of it is owed with the new row.
    let on = after(signed(), 15);
    let told = Life::captured(&terms)
        .paid(on, fen(1_00))
        .then(on, Event::Amended { by });
    let quoted = quote(&terms, &told.0, on).unwrap();
    let loan = lived(&terms, &told.paid(on, quoted), on).unwrap().loan;
    assert_eq!(quoted, fen(300_45));
    assert!(loan.is_settled().unwrap() && loan.credit_balance.is_zero());
}
