//! The sandbox's bank: each way to misbehave, and that no number ever moves money twice.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something else than it expects has failed"
)]

mod common;

use common::{ANN, at, now, order, yuan};
use fenqi_app::ports::{Bank, CardAnswer, CardToBind, StatementLine, TransferState, Unreachable};
use fenqi_connect::bank::{Card, REFUSALS, Told};
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_connect::{Sandbox, SandboxControl};
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;

/// A bank where `tok_6222` has 100.00 on it.
fn a_bank() -> (Box<dyn Bank>, SandboxControl) {
    let (parties, control) = Sandbox::new(7);
    control.put_card("tok_6222", Card::new(yuan(100)));
    (parties.bank, control)
}

fn balance(control: &SandboxControl) -> Amount {
    control.card("tok_6222").unwrap().balance
}

fn failed(code: &str) -> TransferState {
    TransferState::Failed {
        code: code.to_owned(),
    }
}

fn is_done(answer: &Result<TransferState, Unreachable>) -> bool {
    matches!(answer, Ok(TransferState::Succeeded { .. }))
}

#[test]
fn the_same_number_twice_is_one_debit() {
    let (bank, control) = a_bank();
    let first = now(bank.debit(&order("P1", "tok_6222", 30)));
    let again = now(bank.debit(&order("P1", "tok_6222", 30)));
    assert!(is_done(&first));
    assert_eq!(first, again);
    assert_eq!(balance(&control), yuan(70));
    assert_eq!(control.all_effects(), [("P1".to_owned(), 1)]);
}

#[test]
fn a_request_that_the_network_repeats_is_one_debit() {
    let (bank, control) = a_bank();
    control.next("bank", Operation::Debit, Misbehaviour::Repeated);
    assert!(is_done(&now(bank.debit(&order("P1", "tok_6222", 30)))));
    assert_eq!((balance(&control), control.effects("P1")), (yuan(70), 1));
}

#[test]
fn a_lost_reply_is_found_by_asking() {
    let (bank, control) = a_bank();
    control.next("bank", Operation::Debit, Misbehaviour::LostReply);
    assert!(now(bank.debit(&order("P1", "tok_6222", 30))).is_err());
    assert_eq!(balance(&control), yuan(70), "it was carried out");
    assert!(is_done(&now(bank.ask("P1"))));
    assert_eq!(control.effects("P1"), 1);
}

#[test]
fn a_lost_request_is_not_found_and_may_be_sent_again() {
    let (bank, control) = a_bank();
    control.next("bank", Operation::Debit, Misbehaviour::LostRequest);
    assert!(now(bank.debit(&order("P1", "tok_6222", 30))).is_err());
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::NotFound));
    assert_eq!(balance(&control), yuan(100));
    assert!(is_done(&now(bank.debit(&order("P1", "tok_6222", 30)))));
    assert_eq!(control.effects("P1"), 1);
}

#[test]
fn a_late_debit_is_pending_for_so_many_asks() {
    let (bank, control) = a_bank();
    control.next("bank", Operation::Debit, Misbehaviour::Pending(Lasting::Asks(2)));
    assert_eq!(
        now(bank.debit(&order("P1", "tok_6222", 30))),
        Ok(TransferState::Pending)
    );
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::Pending));
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::Pending));
    assert_eq!(balance(&control), yuan(100), "nothing moved yet");
    assert!(is_done(&now(bank.ask("P1"))));
    assert_eq!((balance(&control), control.effects("P1")), (yuan(70), 1));
}

#[test]
fn a_debit_may_be_pending_until_a_business_time() {
    let (bank, control) = a_bank();
    let until = at("2025-02-06T02:00:00Z");
    control.next(
        "bank",
        Operation::Debit,
        Misbehaviour::Pending(Lasting::Until(until)),
    );
    now(bank.debit(&order("P1", "tok_6222", 30))).unwrap();
    control.time_is(at("2025-02-06T01:59:59Z"));
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::Pending));
    control.time_is(until);
    let TransferState::Succeeded { at: when, .. } = now(bank.ask("P1")).unwrap() else {
        panic!("it is still under way");
    };
    assert_eq!(when, until);
    assert_eq!(
        control.bank_statement("2025-02-06".parse().unwrap()).len(),
        1,
        "it is booked on the day on which it happened"
    );
}

#[test]
fn the_bank_refuses_with_each_code_when_told() {
    for code in REFUSALS {
        let (bank, control) = a_bank();
        let refused = Misbehaviour::Refused {
            code: code.to_owned(),
        };
        control.next("bank", Operation::Debit, refused);
        assert_eq!(now(bank.debit(&order("P1", "tok_6222", 30))), Ok(failed(code)));
        assert_eq!(now(bank.ask("P1")), Ok(failed(code)));
        assert_eq!((balance(&control), control.effects("P1")), (yuan(100), 0));
    }
}

#[test]
fn a_card_refuses_for_what_it_is() {
    let (bank, control) = a_bank();
    assert_eq!(
        now(bank.debit(&order("P1", "tok_6222", 101))),
        Ok(failed("insufficient_funds"))
    );
    control
        .change_card("tok_6222", |card| card.limit = Some(yuan(20)))
        .unwrap();
    assert_eq!(
        now(bank.debit(&order("P2", "tok_6222", 30))),
        Ok(failed("limit_exceeded"))
    );
    assert_eq!(
        now(bank.debit(&order("P3", "tok_nobody", 30))),
        Ok(failed("account_closed"))
    );
    assert_eq!(
        now(bank.debit(&order("P4", "tok_sandbox_expired", 30))),
        Ok(failed("card_expired"))
    );
    assert_eq!(
        now(bank.debit(&order("P5", "tok_sandbox_frozen", 30))),
        Ok(failed("card_frozen"))
    );
}

#[test]
fn not_found_first_and_found_later_happens_once() {
    let (bank, control) = a_bank();
    control.next(
        "bank",
        Operation::Debit,
        Misbehaviour::NotFoundFirst(Lasting::Asks(2)),
    );
    assert!(now(bank.debit(&order("P1", "tok_6222", 30))).is_err());
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::NotFound));
    assert_eq!(now(bank.ask("P1")), Ok(TransferState::NotFound));
    assert!(is_done(&now(bank.ask("P1"))));
    assert_eq!((balance(&control), control.effects("P1")), (yuan(70), 1));
}

#[test]
fn what_was_closed_while_it_was_not_found_never_happens() {
    let (bank, control) = a_bank();
    control.next(
        "bank",
        Operation::Debit,
        Misbehaviour::NotFoundFirst(Lasting::Asks(5)),
    );
    assert!(now(bank.debit(&order("P1", "tok_6222", 30))).is_err());
    assert_eq!(now(bank.close("P1")), Ok(failed("closed")));
    for _ in 0..9 {
        assert_eq!(now(bank.ask("P1")), Ok(failed("closed")));
    }
    assert_eq!(balance(&control), yuan(100));
}

#[test]
fn a_number_closed_before_its_request_arrives_stays_closed() {
    let (bank, control) = a_bank();
    assert_eq!(now(bank.close("P1")), Ok(failed("closed")));
    assert_eq!(
        now(bank.debit(&order("P1", "tok_6222", 30))),
        Ok(failed("closed"))
    );
    assert_eq!(control.effects("P1"), 0);
}

#[test]
fn closing_does_not_undo_what_succeeded() {
    let (bank, control) = a_bank();
    let done = now(bank.debit(&order("P1", "tok_6222", 30)));
    assert_eq!(now(bank.close("P1")), done);
    assert_eq!(control.effects("P1"), 1);
}

#[test]
fn a_success_may_come_after_a_declared_failure() {
    let (bank, control) = a_bank();
    control.next(
        "bank",
        Operation::Debit,
        Misbehaviour::SuccessAfterFailure {
            code: "channel_down".to_owned(),
            lasting: Lasting::Asks(1),
        },
    );
    assert_eq!(
        now(bank.debit(&order("P1", "tok_6222", 30))),
        Ok(failed("channel_down"))
    );
    assert_eq!(now(bank.ask("P1")), Ok(failed("channel_down")));
    assert!(is_done(&now(bank.ask("P1"))));
    assert_eq!((balance(&control), control.effects("P1")), (yuan(70), 1));
    let notices = control.take_notices();
    assert!(
        matches!(notices.as_slice(), [n] if matches!(n.tells, Told::Ended(TransferState::Succeeded { .. }))),
        "its notice tells the truth: {notices:?}"
    );
}

#[test]
fn a_failure_pretended_until_a_time_is_told_until_then_however_often_it_is_asked() {
    let (bank, control) = a_bank();
    let until = at("2025-02-06T02:00:00Z");
    let how = Misbehaviour::SuccessAfterFailure {
        code: "channel_down".to_owned(),
        lasting: Lasting::Until(until),
    };
    control.next("bank", Operation::Debit, how);
    let told = now(bank.debit(&order("P1", "tok_6222", 30)));
    assert_eq!(told, Ok(failed("channel_down")));
    for _ in 0..9 {
        assert_eq!(now(bank.ask("P1")), Ok(failed("channel_down")));
    }
    assert!(
        control.take_notices().is_empty(),
        "the notice tells the truth, so it waits"
    );
    control.time_is(until);
    assert_eq!(control.take_notices().len(), 1);
    assert!(is_done(&now(bank.ask("P1"))));
    assert_eq!((balance(&control), control.effects("P1")), (yuan(70), 1));
}

#[test]
fn a_duplicate_notice_has_the_same_number() {
    let (bank, control) = a_bank();
    control.next("bank", Operation::Debit, Misbehaviour::DuplicateNotice);
    now(bank.debit(&order("P1", "tok_6222", 30))).unwrap();
    now(bank.debit(&order("P2", "tok_6222", 30))).unwrap();
    let notices = control.take_notices();
    let numbers: Vec<&str> = notices.iter().map(|n| n.number.as_str()).collect();
    assert_eq!(numbers, ["P1", "P1", "P2"]);
    assert_eq!(notices[0], notices[1]);
    assert_ne!(notices[1].id, notices[2].id);
    assert!(control.take_notices().is_empty(), "each is handed over once");
}

#[test]
fn the_statement_has_a_line_for_each_transfer_of_its_day() {
    let (bank, control) = a_bank();
    now(bank.debit(&order("P1", "tok_6222", 30))).unwrap();
    now(bank.pay_out(&order("R1", "tok_6222", 5))).unwrap();
    let mut late = order("P2", "tok_6222", 1);
    // 16:00 in Greenwich is midnight at the bank.
    late.at = at("2025-02-05T16:00:00Z");
    now(bank.debit(&late)).unwrap();
    let lines = now(bank.statement("2025-02-05".parse().unwrap())).unwrap();
    let mut seen: Vec<(&str, i64)> = lines
        .iter()
        .map(|l| (l.number.as_str(), l.amount.minor()))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [("P1", 3000), ("R1", -500)]);
    assert_eq!(balance(&control), yuan(74));
}

#[test]
fn a_line_may_be_missing_or_off_or_foreign() {
    let (bank, control) = a_bank();
    let day = "2025-02-05".parse().unwrap();
    control.next("bank", Operation::Debit, Misbehaviour::LineMissing);
    now(bank.debit(&order("P1", "tok_6222", 30))).unwrap();
    assert_eq!(control.effects("P1"), 1, "the money moved");
    assert!(now(bank.statement(day)).unwrap().is_empty());
    let by = Amount::from_minor(-1);
    control.next("bank", Operation::Debit, Misbehaviour::LineDiffers { by });
    now(bank.debit(&order("P2", "tok_6222", 30))).unwrap();
    control.add_foreign_line(StatementLine {
        reference: "Z".to_owned(),
        number: "X9".to_owned(),
        on: day,
        amount: yuan(1),
    });
    let lines = now(bank.statement(day)).unwrap();
    let seen: Vec<(&str, i64)> = lines
        .iter()
        .map(|l| (l.number.as_str(), l.amount.minor()))
        .collect();
    assert_eq!(seen, [("P2", 2999), ("X9", 100)]);
    assert_eq!(balance(&control), yuan(40), "only the line is wrong");
}

#[test]
fn a_debit_that_is_taken_back_is_told_and_booked_once() {
    let (bank, control) = a_bank();
    now(bank.debit(&order("P1", "tok_6222", 30))).unwrap();
    control.take_notices();
    let later = at("2025-02-08T02:00:00Z");
    assert!(control.take_back("P1", later));
    assert!(!control.take_back("P1", later), "only once");
    assert!(!control.take_back("P2", later), "there was none");
    assert_eq!(balance(&control), yuan(100));
    let told: Vec<Told> = control.take_notices().into_iter().map(|n| n.tells).collect();
    assert_eq!(told, [Told::TakenBack { at: later }]);
    let lines = control.bank_statement("2025-02-08".parse().unwrap());
    let seen: Vec<(&str, i64)> = lines
        .iter()
        .map(|l| (l.number.as_str(), l.amount.minor()))
        .collect();
    assert_eq!(seen, [("P1", -3000)]);
}

#[test]
fn a_card_is_bound_to_its_holder_alone() {
    let (bank, control) = a_bank();
    let mut card = Card::new(yuan(100));
    card.holder = Some(ANN.to_owned());
    card.phone = Some("+8613800000001".to_owned());
    control.put_card("tok_6222_0001", card);
    let asked = |id_number: &str, phone: &str| CardToBind {
        token: "tok_6222_0001".to_owned(),
        name: Pii::new("张安".to_owned()),
        id_number: Pii::new(id_number.to_owned()),
        phone: Pii::new(phone.to_owned()),
    };
    let bound = now(bank.bind(&asked(ANN, "+8613800000001"))).unwrap();
    assert!(
        matches!(&bound, CardAnswer::Bound { last4, .. } if last4 == "0001"),
        "{bound:?}"
    );
    let wrong = CardAnswer::Rejected {
        reason: "wrong_holder".to_owned(),
    };
    assert_eq!(
        now(bank.bind(&asked("11010519491231003X", "+8613800000001"))),
        Ok(wrong.clone())
    );
    assert_eq!(now(bank.bind(&asked(ANN, "+8613800000002"))), Ok(wrong));
}

#[test]
fn the_same_seed_gives_the_same_answers_in_any_order() {
    let run = |seed: u64, numbers: [&str; 3]| {
        let (parties, control) = Sandbox::new(seed);
        control.temper(300);
        let mut answers: Vec<String> = numbers
            .iter()
            .map(|n| {
                format!(
                    "{n} {:?}",
                    now(parties.bank.debit(&order(n, "tok_sandbox_good", 1)))
                )
            })
            .collect();
        answers.sort();
        answers
    };
    assert_eq!(run(1, ["P1", "P2", "P3"]), run(1, ["P3", "P1", "P2"]));
    assert_ne!(run(1, ["P1", "P2", "P3"]), run(2, ["P1", "P2", "P3"]));
}

#[test]
fn a_bad_temper_never_moves_money_twice() {
    for seed in 0..200 {
        let (parties, control) = Sandbox::new(seed);
        control.put_card("tok_6222", Card::new(yuan(1000)));
        control.temper(500);
        for n in 0..5 {
            let order = order(&format!("P{n}"), "tok_6222", 10);
            let sent = now(parties.bank.debit(&order));
            let mut known = sent.is_ok();
            while !known {
                known = match now(parties.bank.ask(&order.number)) {
                    Ok(TransferState::NotFound) => now(parties.bank.debit(&order)).is_ok(),
                    answer => answer.is_ok(),
                };
            }
        }
        assert!(control.all_effects().iter().all(|(_, times)| *times == 1));
        assert_eq!(balance(&control), yuan(950));
    }
}
