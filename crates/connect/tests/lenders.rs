//! The sandbox's lenders, identity check, bureau and messenger.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something else than it expects has failed"
)]

mod common;

use common::{ANN, at, now, order, yuan};
use fenqi_app::ports::{
    Assessment, BureauRecord, BureauReport, CreditRequest, FundingAnswer, FundingOrder, IdentityAnswer,
    OutgoingMessage, Parties,
};
use fenqi_connect::people::Person;
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_connect::{Sandbox, SandboxControl};
use fenqi_domain::bureau::MonthCode;
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::DeclineReason;

fn request(number: &str, income: i64) -> CreditRequest {
    CreditRequest {
        number: number.to_owned(),
        id_number: Pii::new(ANN.to_owned()),
        name: Pii::new("张安".to_owned()),
        age: 30,
        income: yuan(income),
        owed_monthly: Amount::ZERO,
        bureau: None,
        on: "2025-01-05".parse().unwrap(),
    }
}

fn ann(control: &SandboxControl, income: i64, months: u32, worst: i64) {
    let mut person = Person::new("张安", ANN, yuan(income));
    person.history = BureauRecord {
        months,
        worst_days_past_due: worst,
        days_past_due: 0,
        enquiries: 1,
    };
    control.put_person(person);
}

fn ask(parties: &Parties, lender: &str, number: &str) -> Assessment {
    now(parties
        .institution(lender)
        .unwrap()
        .assess(&request(number, 12_000)))
    .unwrap()
}

fn funding(number: &str) -> FundingOrder {
    FundingOrder {
        number: number.to_owned(),
        seller: "mi".to_owned(),
        money: order("", "", 100).money,
        at: at("2025-01-06T02:00:00Z"),
    }
}

// R13: one lender approves and another declines the same person.
#[test]
fn lenders_have_standards_of_their_own() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 12_000, 24, 5);
    assert!(matches!(
        ask(&parties, "xiaofu", "A1"),
        Assessment::Approved { limit, .. } if limit == yuan(12_000)
    ));
    let Assessment::Declined { reasons, .. } = ask(&parties, "beian", "A2") else {
        panic!("it approved");
    };
    assert_eq!(
        reasons,
        [DeclineReason::LateBefore, DeclineReason::ScoreBelowMinimum]
    );
}

// R15: a decline says from when on asking again makes sense; R14: what was improved makes it go away.
#[test]
fn a_declined_person_who_improved_is_approved() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 12_000, 36, 45);
    assert_eq!(
        ask(&parties, "xiaofu", "A1"),
        Assessment::Declined {
            reasons: vec![DeclineReason::LateBefore, DeclineReason::ScoreBelowMinimum],
            reapply_after: "2025-02-04".parse().unwrap(),
        }
    );
    control
        .set_history(ANN, Person::new("", ANN, yuan(0)).history)
        .unwrap();
    assert!(matches!(
        ask(&parties, "xiaofu", "A1"),
        Assessment::Declined { .. }
    ));
    assert!(matches!(
        ask(&parties, "xiaofu", "A2"),
        Assessment::Approved { .. }
    ));
}

// R12: ability counts as well as history.
#[test]
fn what_is_already_owed_counts_against_the_income() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 6_000, 36, 0);
    let mut asked = request("A1", 12_000);
    asked.owed_monthly = yuan(4_000);
    assert!(
        matches!(
            now(parties.institution("xiaofu").unwrap().assess(&asked)).unwrap(),
            Assessment::Declined { reasons, .. } if reasons == [DeclineReason::DebtTooHigh]
        ),
        "4,000 of the 6,000 that she is known to earn, whatever she declares"
    );
}

#[test]
fn an_application_may_be_referred_and_is_decided_once() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 12_000, 36, 0);
    control.next(
        "xiaofu",
        Operation::Assess,
        Misbehaviour::Pending(Lasting::Asks(1)),
    );
    let lender = parties.institution("xiaofu").unwrap();
    assert_eq!(ask(&parties, "xiaofu", "A1"), Assessment::Referred);
    assert_eq!(now(lender.ask_assessment("A1")), Ok(Assessment::Referred));
    assert!(matches!(
        now(lender.ask_assessment("A1")),
        Ok(Assessment::Approved { .. })
    ));
    assert_eq!(now(lender.ask_assessment("A2")), Ok(Assessment::NotFound));
}

#[test]
fn an_answer_may_be_laid_down_and_lifted() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 12_000, 36, 0);
    let declined = Assessment::Declined {
        reasons: vec![DeclineReason::TooManyEnquiries],
        reapply_after: "2025-03-01".parse().unwrap(),
    };
    control.lay_down("xiaofu", ANN, declined.clone());
    assert_eq!(ask(&parties, "xiaofu", "A1"), declined);
    control.lift("xiaofu", ANN);
    assert!(matches!(
        ask(&parties, "xiaofu", "A2"),
        Assessment::Approved { .. }
    ));
}

#[test]
fn a_funding_is_paid_once_however_its_reply_is_lost() {
    let (parties, control) = Sandbox::new(1);
    let lender = parties.institution("xiaofu").unwrap();
    control.next("xiaofu", Operation::Fund, Misbehaviour::LostReply);
    assert!(now(lender.fund(&funding("F1"))).is_err());
    assert!(matches!(
        now(lender.ask_funding("F1")),
        Ok(FundingAnswer::Funded { .. })
    ));
    now(lender.fund(&funding("F1"))).unwrap();
    assert_eq!(control.funded("xiaofu"), [funding("F1")]);
    control.next("xiaofu", Operation::Fund, Misbehaviour::LostRequest);
    assert!(now(lender.fund(&funding("F2"))).is_err());
    assert_eq!(now(lender.ask_funding("F2")), Ok(FundingAnswer::NotFound));
}

// H27: money that waits for the lender's hours is pending, and then paid.
#[test]
fn a_funding_may_wait_for_the_lenders_hours() {
    let (parties, control) = Sandbox::new(1);
    let lender = parties.institution("xiaofu").unwrap();
    let opens = at("2025-01-07T01:00:00Z");
    control.next(
        "xiaofu",
        Operation::Fund,
        Misbehaviour::Pending(Lasting::Until(opens)),
    );
    assert_eq!(now(lender.fund(&funding("F1"))), Ok(FundingAnswer::Pending));
    assert_eq!(now(lender.ask_funding("F1")), Ok(FundingAnswer::Pending));
    control.time_is(opens);
    assert!(matches!(
        now(lender.ask_funding("F1")),
        Ok(FundingAnswer::Funded { .. })
    ));
}

// R44: a face that is not recognised leaves the photographed document as another way.
#[test]
fn a_face_may_differ_where_the_document_matches() {
    let (parties, control) = Sandbox::new(1);
    let mut person = Person::new("张安", ANN, yuan(12_000));
    person.face_matches = false;
    person.document_valid_until = Some("2030-01-01".parse().unwrap());
    control.put_person(person);
    let (name, number) = (Pii::new("张安".to_owned()), Pii::new(ANN.to_owned()));
    let identity = &parties.identity;
    assert!(matches!(
        now(identity.name(&name, &number)),
        Ok(IdentityAnswer::Matched { .. })
    ));
    assert_eq!(
        now(identity.name(&Pii::new("张三".to_owned()), &number)),
        Ok(IdentityAnswer::Differs)
    );
    assert_eq!(now(identity.face(&number, "s1")), Ok(IdentityAnswer::Differs));
    assert!(matches!(
        now(identity.photograph(&number, "s2")),
        Ok(IdentityAnswer::Matched { valid_until: Some(day), .. }) if day == "2030-01-01".parse().unwrap()
    ));
}

#[test]
fn a_message_arrives_once_however_often_it_is_sent() {
    let (parties, control) = Sandbox::new(1);
    let message = OutgoingMessage {
        number: "M1".to_owned(),
        channel: "sms".to_owned(),
        to: Pii::new("+8613800000001".to_owned()),
        text: "明天还款".to_owned(),
    };
    control.next("messages", Operation::Send, Misbehaviour::LostReply);
    assert!(now(parties.messages.send(&message)).is_err());
    now(parties.messages.send(&message)).unwrap();
    let arrived = control.messages_to("+8613800000001");
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].text, "明天还款");
}

#[test]
fn the_bureau_knows_its_people_and_keeps_each_record_once() {
    let (parties, control) = Sandbox::new(1);
    ann(&control, 12_000, 36, 3);
    let number = Pii::new(ANN.to_owned());
    let known = now(parties.bureau.enquire(&number, "con_1")).unwrap();
    assert_eq!((known.months, known.worst_days_past_due), (36, 3));
    let stranger = Pii::new("nobody".to_owned());
    assert_eq!(
        now(parties.bureau.enquire(&stranger, "con_2")),
        Ok(BureauRecord::default())
    );
    assert_eq!(control.enquiries()[0], (ANN.to_owned(), "con_1".to_owned()));
    let report = BureauReport {
        number: "B1".to_owned(),
        id_number: number,
        agreement: "agr_1".to_owned(),
        code: MonthCode::InTime,
        as_of: "2025-02-28".parse().unwrap(),
    };
    now(parties.bureau.report(&report)).unwrap();
    now(parties.bureau.report(&report)).unwrap();
    let codes: Vec<char> = control.filed().iter().map(|f| f.code).collect();
    assert_eq!(codes, ['N']);
}

#[test]
fn each_operation_is_asked_of_its_own_party() {
    let (_, control) = Sandbox::new(1);
    let parties = control.parties();
    assert_eq!(
        parties,
        [
            "bank", "identity", "messages", "bureau", "beian", "lanhua", "xiaofu"
        ]
    );
    for operation in Operation::ALL {
        let asked: Vec<&String> = parties.iter().filter(|p| control.takes(p, operation)).collect();
        let expected = if operation.party().is_some() { 1 } else { 3 };
        assert_eq!(asked.len(), expected, "{operation:?}");
    }
    assert!(!control.takes("banc", Operation::Debit));
}

#[test]
fn a_party_that_was_taken_down_is_back_when_mended() {
    let (parties, control) = Sandbox::new(1);
    control.take_down("bureau");
    let number = Pii::new(ANN.to_owned());
    for _ in 0..3 {
        assert!(now(parties.bureau.enquire(&number, "con_1")).is_err());
    }
    assert!(control.enquiries().is_empty(), "nothing arrived");
    assert!(now(parties.bank.ask("P1")).is_ok(), "the others are up");
    control.mend("bureau");
    assert!(now(parties.bureau.enquire(&number, "con_1")).is_ok());
}
