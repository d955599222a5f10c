//! Bills against loans, and returns.

use std::collections::BTreeMap;

use fenqi_domain::bill::{Bill, Status, lines};
use fenqi_domain::change::Change;
use fenqi_domain::id::{AgreementId, BillId, RefundId, ReturnId, ShopperId};
use fenqi_domain::loan::Loan;
use fenqi_domain::money::{Amount, Currency};
use fenqi_domain::plan::Terms;
use fenqi_domain::refusal::Refusal;
use fenqi_domain::returns::{Return, State};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::terms::*;

/// Two agreements of one shopper.
fn ids() -> [AgreementId; 2] {
    [AgreementId::from_bits(1), AgreementId::from_bits(2)]
}

/// The loans of two lives on a day.
fn loans(terms: &Terms, lives: &[Life; 2], on: Date) -> BTreeMap<AgreementId, Loan> {
    ids()
        .into_iter()
        .zip(lives)
        .map(|(id, life)| (id, life.fold(terms, on)))
        .collect()
}

/// The bill of the second instalments, issued ten days before they are due.
fn issue(terms: &Terms, lives: &[Life; 2]) -> Bill {
    let issued_on = after(due(2), -10);
    let loans = loans(terms, lives, issued_on);
    Bill {
        id: BillId::from_bits(1),
        shopper: ShopperId::from_bits(1),
        issued_on,
        due_on: due(2),
        currency: Currency::Cny,
        lines: lines(loans.iter().map(|(id, loan)| (*id, loan)), due(2)).unwrap(),
    }
}

/// The status, and what is billed, paid, open, less before and less after, in fen.
fn told(bill: &Bill, terms: &Terms, lives: &[Life; 2], on: Date) -> (Status, [i64; 5]) {
    let loans = loans(terms, lives, on);
    let standing = bill.standing(|id| loans.get(&id)).unwrap();
    let figures = [
        standing.billed.total().unwrap(),
        standing.paid,
        standing.open.total().unwrap(),
        standing.less_before,
        standing.less_after,
    ];
    (standing.status, figures.map(Amount::minor))
}

// R33: two orders that fall due on one day are one bill, and its status follows from the loans.
#[test]
fn one_bill_gathers_two_orders_and_follows_what_happens_to_them() {
    let terms = phone();
    let life = Life::captured(&terms).paid(due(1), fen(107_20));
    let mut lives = [life.clone(), life];
    let bill = issue(&terms, &lives);
    assert_eq!(bill.amount().unwrap(), fen(214_40));
    assert_eq!(
        told(&bill, &terms, &lives, due(2)),
        (Status::Open, [214_40, 0, 214_40, 0, 0])
    );
    lives[0] = lives[0].clone().paid(due(2), fen(107_20));
    assert_eq!(
        told(&bill, &terms, &lives, due(2)),
        (Status::Part, [214_40, 107_20, 107_20, 0, 0])
    );
    let late = after(due(2), 10);
    assert_eq!(
        told(&bill, &terms, &lives, late),
        (Status::Overdue, [214_94, 107_20, 107_74, 0, 0]),
        "with its penalty"
    );
    lives[1] = lives[1].clone().paid(late, fen(107_74));
    assert_eq!(
        told(&bill, &terms, &lives, late),
        (Status::Paid, [214_94, 214_94, 0, 0, 0])
    );
}

// H3: the shopper is told whether the current bill is still due.
#[test]
fn a_refund_before_the_bill_and_one_after_it_are_told_apart() {
    let mut terms = phone();
    terms.conventions.refund = fenqi_domain::plan::RefundStrategy::Proportional;
    let life = Life::captured(&terms).paid(due(1), fen(107_20));
    let before = life.clone().refunded(&terms, after(due(1), 3), yuan(110));
    let mut lives = [before, life];
    let bill = issue(&terms, &lives);
    assert_eq!(bill.amount().unwrap(), fen(96_48 + 107_20));
    assert_eq!(
        told(&bill, &terms, &lives, due(2)).1,
        [203_68, 0, 203_68, 10_72, 0]
    );
    lives[1] = lives[1].clone().refunded(&terms, after(due(2), -3), yuan(220));
    assert_eq!(
        told(&bill, &terms, &lives, due(2)).1,
        [182_24, 0, 182_24, 10_72, 21_44]
    );
    lives[1] = lives[1].clone().refunded(&terms, after(due(2), -2), yuan(980));
    let (status, figures) = told(&bill, &terms, &lives, due(2));
    assert_eq!(
        (status, figures[2]),
        (Status::Open, 96_48),
        "one of the two is gone"
    );
}

#[test]
fn an_instalment_paid_ahead_is_on_the_bill_with_nothing_to_pay() {
    let mut terms = phone();
    terms.conventions.prepayment = fenqi_domain::plan::Prepayment::NextFirst;
    let life = Life::captured(&terms).paid(due(1), fen(214_40));
    let lives = [life.clone(), life];
    let bill = issue(&terms, &lives);
    assert_eq!(bill.lines.len(), 2);
    assert_eq!(bill.amount().unwrap(), Amount::ZERO);
    assert_eq!(
        told(&bill, &terms, &lives, due(2)),
        (Status::Paid, [214_40, 214_40, 0, 0, 0])
    );
}

/// So many hours after the request.
fn hour(hours: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + hours * 3600).unwrap()
}

/// A return that the seller must answer within 48 hours.
fn asked() -> Return {
    Return {
        id: ReturnId::from_bits(1),
        shopper: ShopperId::from_bits(1),
        agreement: ids()[0],
        lines: Vec::new(),
        amount: yuan(400),
        requested_at: hour(0),
        answer_by: hour(48),
        state: State::Requested,
        version: 1,
    }
}

#[test]
fn a_silent_seller_does_not_win_by_silence() {
    assert_eq!(asked().escalate(hour(47)), Change::AlreadyMade);
    let Change::Made(escalated) = asked().escalate(hour(100)) else {
        panic!("the date has passed");
    };
    assert_eq!(
        escalated.state,
        State::Escalated { at: hour(48) },
        "whenever it is noticed"
    );
    assert!(escalated.state.pauses());
    assert_eq!(escalated.version, 2);
    assert!(matches!(escalated.accept(true, hour(101)), Ok(Change::Made(r)) if r.state.code() == "accepted"));
}

/// A command to a return.
type Move = fn(Return) -> Result<Change<Return>, Refusal>;

#[test]
fn a_return_takes_only_its_edges() {
    let refund = RefundId::from_bits(1);
    let moves: [(&str, Move); 5] = [
        ("accept", |r| r.accept(false, hour(9))),
        ("reject", |r| r.reject("used".into(), hour(9))),
        ("withdraw", |r| r.withdraw(hour(9))),
        ("refund", |r| r.refunded(RefundId::from_bits(1), hour(9))),
        ("escalate", |r| Ok(r.escalate(hour(99)))),
    ];
    // What each move leads to: a state, `same` for nothing new, or `no`.
    let table = [
        (
            State::Requested,
            ["accepted", "rejected", "withdrawn", "no", "escalated"],
            true,
        ),
        (
            State::Escalated { at: hour(1) },
            ["accepted", "rejected", "withdrawn", "no", "same"],
            true,
        ),
        (
            State::Accepted {
                at: hour(1),
                with_paid_fees: false,
            },
            ["same", "no", "withdrawn", "refunded", "same"],
            true,
        ),
        (
            State::Refunded { at: hour(1), refund },
            ["same", "no", "no", "same", "same"],
            false,
        ),
        (
            State::Rejected {
                at: hour(1),
                why: "used".into(),
            },
            ["no", "same", "no", "no", "same"],
            false,
        ),
        (
            State::Withdrawn { at: hour(1) },
            ["no", "no", "same", "no", "same"],
            false,
        ),
    ];
    for (state, leads_to, pauses) in table {
        assert_eq!(state.pauses(), pauses, "{state:?}");
        for ((name, step), expected) in moves.iter().zip(leads_to) {
            let told = match step(Return {
                state: state.clone(),
                ..asked()
            }) {
                Ok(Change::Made(next)) => next.state.code(),
                Ok(Change::AlreadyMade) => "same",
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::ReturnNotOpen);
                    "no"
                }
            };
            assert_eq!(told, expected, "{state:?} {name}");
        }
    }
}
