//! Payment attempts: what the channel says, in whatever order.

use fenqi_domain::allocation::Share;
use fenqi_domain::change::Change;
use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::loan::Intent;
use fenqi_domain::money::Currency;
use fenqi_domain::payment::{
    Answer, DebitRule, FailureCode, Kind, Payment, Receipt, Retry, Source, State, Tried, sources,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use crate::terms::*;

/// So many minutes after the payment was intended.
fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + minutes * 60).unwrap()
}

/// After a day the channel surely knows.
const SETTLE: SignedDuration = SignedDuration::from_hours(24);

/// A debit that is about to be sent.
fn intended() -> Payment {
    Payment {
        id: PaymentId::from_bits(1),
        shopper: ShopperId::from_bits(1),
        kind: Kind::Debit,
        amount: fen(107_20),
        currency: Currency::Cny,
        card: CardId::from_bits(1),
        intent: Intent::Due,
        shares: vec![Share {
            agreement: AgreementId::from_bits(1),
            amount: fen(107_20),
        }],
        made_at: minute(0),
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    }
}

/// A receipt.
fn receipt(reference: &str) -> Receipt {
    Receipt {
        at: minute(3),
        reference: reference.into(),
    }
}

/// The payment after these answers, each at its minute.
fn after_all(answers: &[(i64, Answer)]) -> Payment {
    answers.iter().fold(intended(), |payment, (at, answer)| {
        match payment.clone().advance(answer.clone(), minute(*at), SETTLE) {
            Change::Made(next) => next,
            Change::AlreadyMade => payment,
        }
    })
}

/// All orders of some answers.
fn orders(answers: &[(i64, Answer)]) -> Vec<Vec<(i64, Answer)>> {
    if answers.is_empty() {
        return vec![Vec::new()];
    }
    (0..answers.len())
        .flat_map(|first| {
            let mut rest = answers.to_vec();
            let head = rest.remove(first);
            orders(&rest).into_iter().map(move |tail| {
                let mut order = vec![head.clone()];
                order.extend(tail);
                order
            })
        })
        .collect()
}

/// Anything that a channel may say.
fn any_answer() -> impl Strategy<Value = (i64, Answer)> {
    let answers = vec![
        Answer::Pending,
        Answer::Succeeded(receipt("A")),
        Answer::Succeeded(receipt("B")),
        Answer::Failed(FailureCode::InsufficientFunds),
        Answer::Failed(FailureCode::CardFrozen),
        Answer::Unanswered,
        Answer::NotFound,
        Answer::Closed,
        Answer::Reversed { at: minute(500) },
        Answer::Reversed { at: minute(600) },
    ];
    (select(vec![1, 5, 2000, 3000]), select(answers))
}

proptest! {
    // I9: applied once, in whatever order, to the same end.
    #[test]
    fn notices_in_any_order_lead_to_the_same_end(answers in prop::collection::vec(any_answer(), 0..6)) {
        let end = after_all(&answers);
        for order in orders(&answers) {
            let other = after_all(&order);
            prop_assert_eq!(&other.state, &end.state);
            prop_assert_eq!(&other.receipts, &end.receipts);
        }
        let mut twice = answers.clone();
        twice.extend(answers);
        prop_assert_eq!(after_all(&twice), end, "a second telling changes nothing, not even the version");
    }

    #[test]
    fn an_answer_never_leads_back(answers in prop::collection::vec(any_answer(), 1..8)) {
        let rank = |state: &State| ["intended", "sent", "unknown", "failed", "succeeded", "reversed"]
            .iter().position(|c| *c == state.code()).unwrap();
        for n in 1..answers.len() {
            prop_assert!(rank(&after_all(&answers[..n - 1]).state) <= rank(&after_all(&answers[..n]).state));
        }
    }
}

#[test]
fn each_answer_leads_where_it_should() {
    let failed = Answer::Failed(FailureCode::InsufficientFunds);
    let table: [(&[(i64, Answer)], &str); 12] = [
        (&[], "intended"),
        (&[(1, Answer::Pending)], "sent"),
        (&[(1, Answer::Unanswered)], "unknown"),
        (&[(1, Answer::Unanswered), (2, Answer::Pending)], "unknown"),
        (
            &[(1, Answer::Unanswered), (9, Answer::Succeeded(receipt("A")))],
            "succeeded",
        ),
        (&[(1, failed.clone())], "failed"),
        (&[(1, failed), (9, Answer::Succeeded(receipt("A")))], "succeeded"),
        (
            &[
                (1, Answer::Succeeded(receipt("A"))),
                (9, Answer::Reversed { at: minute(9) }),
            ],
            "reversed",
        ),
        (&[(1, Answer::Unanswered), (2000, Answer::NotFound)], "unknown"),
        (&[(1, Answer::Unanswered), (2, Answer::Closed)], "unknown"),
        (
            &[
                (1, Answer::Unanswered),
                (2, Answer::Closed),
                (3, Answer::NotFound),
            ],
            "unknown",
        ),
        (
            &[
                (1, Answer::Unanswered),
                (2, Answer::Closed),
                (2000, Answer::NotFound),
            ],
            "failed",
        ),
    ];
    for (answers, code) in table {
        let payment = after_all(answers);
        assert_eq!(payment.state.code(), code, "{answers:?}");
        assert_eq!(payment.state.is_open(), payment.check_not_under_way().is_err());
        assert_eq!(
            payment.state.is_open(),
            ["intended", "sent", "unknown"].contains(&code)
        );
    }
    let found = after_all(&[
        (1, Answer::Closed),
        (2000, Answer::NotFound),
        (2001, Answer::Succeeded(receipt("A"))),
    ]);
    assert_eq!(found.state, State::Succeeded, "not found, and then found");
}

// I4: a second success is never dropped.
#[test]
fn money_that_was_taken_twice_is_told() {
    let payment = after_all(&[
        (3, Answer::Succeeded(receipt("B"))),
        (4, Answer::Succeeded(receipt("A"))),
    ]);
    assert_eq!(payment.receipts, [receipt("A"), receipt("B")]);
    assert_eq!(payment.taken_twice(), [receipt("B")]);
    assert!(
        after_all(&[(3, Answer::Succeeded(receipt("A")))])
            .taken_twice()
            .is_empty()
    );
}

// R37, H21: each code says whether a retry makes sense.
#[test]
fn every_failure_code_reads_back_and_advises() {
    for code in FailureCode::ALL {
        assert_eq!(FailureCode::of_channel(code.code()), code);
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, format!("\"{}\"", code.code()));
    }
    assert_eq!(FailureCode::of_channel("E-4711"), FailureCode::Other);
    assert_eq!(FailureCode::InsufficientFunds.retry(), Retry::LaterDay);
    assert_eq!(FailureCode::CardExpired.retry(), Retry::AfterChange);
    assert_eq!(FailureCode::ChannelDown.retry(), Retry::SameDay);
}

// R48: retried on days of a plan, never more often than it says.
#[test]
fn a_debit_is_retried_on_its_days_and_no_more() {
    let rule = DebitRule {
        days: vec![0, 1, 3, 7],
        a_day: 2,
        in_all: 4,
    };
    let tried = |day: i64, code| Tried {
        on: after(due(1), day),
        code,
        is_changed_since: false,
    };
    let poor = |day| tried(day, FailureCode::InsufficientFunds);
    let down = |day| tried(day, FailureCode::ChannelDown);
    let expired = tried(0, FailureCode::CardExpired);
    let mended = Tried {
        is_changed_since: true,
        ..expired
    };
    let table = [
        (vec![], -5, Some(0)),
        (vec![], 2, Some(3)),
        (vec![], 8, None),
        (vec![poor(0)], 0, Some(1)),
        (vec![poor(0), poor(1)], 1, Some(3)),
        (vec![poor(0), poor(1), poor(3), poor(7)], 7, None),
        (vec![down(0)], 0, Some(0)),
        (vec![down(0), down(0)], 0, Some(1)),
        (vec![expired], 1, None),
        (vec![mended], 1, Some(1)),
    ];
    for (tried, today, next) in table {
        let told = rule.next(due(1), &tried, after(due(1), today)).unwrap();
        assert_eq!(told, next.map(|d| after(due(1), d)), "{tried:?} on day {today}");
    }
}

/// A payment of a kind by a card that succeeded, so many times.
fn moved(kind: Kind, card: u128, amount: i64, times: usize) -> Payment {
    Payment {
        kind,
        card: CardId::from_bits(card),
        amount: fen(amount),
        shares: vec![Share {
            agreement: AgreementId::from_bits(1),
            amount: fen(amount),
        }],
        state: State::Succeeded,
        receipts: vec![receipt("r"); times],
        ..intended()
    }
}

/// Where a balance of the first agreement goes back to, as card and amount.
fn back(payments: &[Payment], balance: i64) -> Vec<(u128, i64)> {
    let sources = sources(payments, AgreementId::from_bits(1), fen(balance)).unwrap();
    let told = sources
        .iter()
        .map(|Source { card, amount }| (card.bits(), amount.minor()));
    told.collect()
}

// R53: whoever paid gets back what they paid at most, and never what another paid (§2.3: no cash-out).
#[test]
fn a_credit_balance_goes_back_to_the_cards_that_paid_the_last_first() {
    let (ann, ben) = (1, 2);
    let paid = [
        moved(Kind::Debit, ann, 357_29, 1),
        moved(Kind::Debit, ann, 714_48, 1),
        moved(Kind::ByHand, ben, 10_00, 1),
    ];
    assert_eq!(back(&paid, 1_081_77), [(ben, 10_00), (ann, 1_071_77)]);
    assert_eq!(back(&paid, 7_00), [(ben, 7_00)], "the last payment is over first");
    assert_eq!(
        back(&paid, 2_000_00),
        [(ben, 10_00), (ann, 1_071_77)],
        "what no card paid goes to none"
    );
    assert_eq!(back(&paid, 0), []);

    let then = |more: &[Payment], balance| back(&[&paid[..], more].concat(), balance);
    let to_ben = moved(Kind::PayOut, ben, 10_00, 1);
    assert_eq!(
        then(std::slice::from_ref(&to_ben), 1_071_77),
        [(ann, 1_071_77)],
        "it went back already"
    );
    let refused = Payment {
        state: State::Failed {
            code: FailureCode::AccountClosed,
        },
        ..to_ben.clone()
    };
    assert_eq!(then(&[refused], 1_081_77), [(ben, 10_00), (ann, 1_071_77)]);
    let bounced = Payment {
        state: State::Reversed { at: minute(9) },
        ..moved(Kind::ByHand, ben, 500_00, 1)
    };
    assert_eq!(then(&[bounced], 1_081_77), [(ben, 10_00), (ann, 1_071_77)]);
    let elsewhere = Payment {
        shares: vec![Share {
            agreement: AgreementId::from_bits(2),
            amount: fen(500_00),
        }],
        ..moved(Kind::ByHand, ben, 500_00, 1)
    };
    assert_eq!(then(&[elsewhere], 1_081_77), [(ben, 10_00), (ann, 1_071_77)]);
    let twice = moved(Kind::ByHand, ben, 30_00, 2);
    assert_eq!(
        then(&[twice], 100_00),
        [(ben, 70_00), (ann, 30_00)],
        "taken twice is paid twice"
    );
}
