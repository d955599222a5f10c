//! Each form of a line, and what is said of lines that are none.

use super::command;
use crate::language::{
    Cart, CartLine, Command, Desk, Figure, Goods, Lasting, Outside, Payment, Proof, Record, Selling,
    Shopping, Tending, View, Wrong,
};
use crate::words::{Unexpected, in_china};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Capability;

fn yuan(minor: i64) -> Amount {
    Amount::from_minor(minor)
}

fn ann(line: &str) -> Shopping {
    match command(&format!("ann {line}")) {
        Ok(Command::Shopper { who, does }) if who == "ann" => does,
        other => panic!("{other:?}"),
    }
}

fn staff(line: &str) -> Tending {
    match command(&format!("staff {line}")) {
        Ok(Command::Staff {
            who: Desk::Staff,
            does,
        }) => does,
        other => panic!("{other:?}"),
    }
}

fn mistake(line: &str) -> (usize, String, String) {
    let Unexpected {
        column,
        found,
        expected,
    } = command(line).expect_err(line);
    (column, found, expected)
}

#[test]
fn time_moves_by_instants_and_by_days() {
    let morning = in_china("2025-01-05T10:00".parse().unwrap()).unwrap();
    assert_eq!(command("at 2025-01-05 10:00"), Ok(Command::At(morning)));
    assert_eq!(
        command("the days pass until 2025-02-05"),
        Ok(Command::Pass("2025-02-05".parse().unwrap()))
    );
    assert_eq!(command("the jobs run"), Ok(Command::Work));
    assert_eq!(command("the end"), Ok(Command::End));
}

#[test]
fn people_enter_with_their_data() {
    assert_eq!(
        command("ann is 张安, 110101199003070011, phone 13800000001, earns 12,000.00"),
        Ok(Command::Outside(Outside::Person {
            who: "ann".to_owned(),
            name: "张安".to_owned(),
            id_number: "110101199003070011".to_owned(),
            phone: "13800000001".to_owned(),
            income: yuan(1_200_000),
        }))
    );
    assert_eq!(
        command("ann's record is 36 months, worst 45 days late, now 0 days late, 2 enquiries"),
        Ok(Command::Outside(Outside::Record {
            who: "ann".to_owned(),
            record: Record {
                months: 36,
                worst_days: 45,
                days_now: 0,
                enquiries: 2
            },
        }))
    );
    assert_eq!(
        command("ann's card tok_ann has 0.00"),
        Ok(Command::Outside(Outside::Balance {
            who: "ann".to_owned(),
            token: "tok_ann".to_owned(),
            balance: Amount::ZERO,
        }))
    );
    assert_eq!(
        command("ann's card tok_ann refuses with card_frozen"),
        Ok(Command::Outside(Outside::Condition {
            who: "ann".to_owned(),
            token: "tok_ann".to_owned(),
            refuses_with: Some("card_frozen".to_owned()),
        }))
    );
    assert_eq!(
        command("ann's face is not recognised"),
        Ok(Command::Outside(Outside::Face {
            who: "ann".to_owned(),
            is_recognised: false,
        }))
    );
}

#[test]
fn parties_go_wrong_in_every_way() {
    let until = in_china("2025-02-06T09:30".parse().unwrap()).unwrap();
    let ways = [
        ("bank loses the next debit", Wrong::LostRequest),
        ("bank loses the reply of the next debit", Wrong::LostReply),
        ("bank repeats the next debit", Wrong::Repeated),
        (
            "bank keeps the next debit pending for 2 asks",
            Wrong::Pending(Lasting::Asks(2)),
        ),
        (
            "bank keeps the next debit pending until 2025-02-06 09:30",
            Wrong::Pending(Lasting::Until(until)),
        ),
        (
            "bank refuses the next debit with insufficient_funds",
            Wrong::Refused("insufficient_funds".to_owned()),
        ),
        (
            "bank does not find the next debit for 1 ask",
            Wrong::NotFound(Lasting::Asks(1)),
        ),
        (
            "bank calls the next debit channel_down for 2 asks although it succeeds",
            Wrong::CalledFailed("channel_down".to_owned(), Lasting::Asks(2)),
        ),
        ("bank notifies the next debit twice", Wrong::NotifiedTwice),
        ("bank leaves the next debit out of its statement", Wrong::LeftOut),
        (
            "bank enters the next debit 0.01 too low into its statement",
            Wrong::Differs(yuan(-1)),
        ),
    ];
    for (line, how) in ways {
        assert_eq!(
            command(line),
            Ok(Command::Outside(Outside::Wrong {
                party: "bank".to_owned(),
                operation: "debit".to_owned(),
                times: 1,
                how,
            })),
            "{line}"
        );
    }
    assert_eq!(
        command("xiaofu loses the reply of the next 3 fundings"),
        Ok(Command::Outside(Outside::Wrong {
            party: "xiaofu".to_owned(),
            operation: "funding".to_owned(),
            times: 3,
            how: Wrong::LostReply,
        }))
    );
    let label = "A1".to_owned();
    assert_eq!(
        command("bank bounces the last payment of A1"),
        Ok(Command::Outside(Outside::Bounces { label }))
    );
    let party = "xiaofu".to_owned();
    assert_eq!(
        command("xiaofu goes down"),
        Ok(Command::Outside(Outside::Down { party }))
    );
}

#[test]
fn a_cart_may_be_financed_in_part() {
    let line = |count, sku: &str, is_financed| CartLine {
        count,
        sku: sku.to_owned(),
        is_financed,
    };
    assert_eq!(
        ann("asks for offers on PH-1001 + 2 AC-6001, financing PH-1001, in 310000, 500.00 down, from xiaofu"),
        Shopping::AsksOffers(Cart {
            lines: vec![line(1, "PH-1001", true), line(2, "AC-6001", false)],
            region: "310000".to_owned(),
            down_payment: yuan(50_000),
            lender: Some("xiaofu".to_owned()),
        })
    );
    assert_eq!(
        ann("asks for offers on PH-1001, in 310000"),
        Shopping::AsksOffers(Cart {
            lines: vec![line(1, "PH-1001", true)],
            region: "310000".to_owned(),
            down_payment: Amount::ZERO,
            lender: None,
        })
    );
}

#[test]
fn a_purchase_goes_from_proof_to_confirmation() {
    assert_eq!(
        ann("proves her name and face"),
        Shopping::Proves(vec![Proof::Name, Proof::Face])
    );
    let institution = "xiaofu".to_owned();
    assert_eq!(ann("applies to xiaofu"), Shopping::Applies { institution });
    let token = "tok_ann".to_owned();
    assert_eq!(ann("binds tok_ann"), Shopping::Binds { token });
    let plan = "xiaofu-flat-12".to_owned();
    assert_eq!(ann("takes xiaofu-flat-12"), Shopping::Takes { plan });
    for (line, in_chinese) in [
        ("reads the cost sheet", false),
        ("reads the cost sheet in Chinese", true),
    ] {
        assert_eq!(ann(line), Shopping::ReadsCostSheet { in_chinese });
    }
    for (line, signs) in [("signs and confirms as A1", true), ("confirms as A1", false)] {
        let label = "A1".to_owned();
        assert_eq!(ann(line), Shopping::Confirms { signs, label });
    }
}

#[test]
fn payments_say_how_much_for_what_and_from_where() {
    let payment = |amount: Option<i64>, labels: &[&str], of: Option<&str>, from: Option<&str>| Payment {
        amount: amount.map(yuan),
        labels: labels.iter().map(|l| (*l).to_owned()).collect(),
        of: of.map(str::to_owned),
        from: from.map(str::to_owned),
    };
    assert_eq!(
        ann("pays 350.00 for A1 and A2 from tok_ben"),
        Shopping::Pays(payment(Some(35_000), &["A1", "A2"], None, Some("tok_ben")))
    );
    assert_eq!(
        ann("pays what is due"),
        Shopping::Pays(payment(None, &[], None, None))
    );
    assert_eq!(
        ann("pays 100.00 for ben's B1"),
        Shopping::Pays(payment(Some(10_000), &["B1"], Some("ben"), None))
    );
    assert_eq!(
        ann("asks what paying what is due for A1 does"),
        Shopping::Previews(payment(None, &["A1"], None, None))
    );
}

#[test]
fn returns_and_settlements_are_asked_about_first() {
    let goods = |skus: &[&str]| Goods {
        skus: skus.iter().map(|s| (*s).to_owned()).collect(),
        label: "A1".to_owned(),
    };
    assert_eq!(
        ann("asks what returning AC-6001 of A1 does"),
        Shopping::AsksReturn(goods(&["AC-6001"]))
    );
    assert_eq!(
        ann("returns PH-1001 + AC-6001 of A1"),
        Shopping::Returns(goods(&["PH-1001", "AC-6001"]))
    );
    assert_eq!(ann("returns A1"), Shopping::Returns(goods(&[])));
    let label = "A1".to_owned();
    assert_eq!(
        ann("asks what settling A1 costs"),
        Shopping::AsksPayoff { label: label.clone() }
    );
    assert_eq!(ann("settles A1"), Shopping::Settles { label, from: None });
    assert_eq!(
        command("store captures AC-6001 of A1"),
        Ok(Command::Store(Selling::Captures(goods(&["AC-6001"]))))
    );
    assert_eq!(
        command("store rejects the return of A1 because the seal is broken"),
        Ok(Command::Store(Selling::Answers {
            label: "A1".to_owned(),
            rejected: Some("the seal is broken".to_owned()),
        }))
    );
}

#[test]
fn a_figure_is_asked_about() {
    let label = "A1".to_owned();
    let number = 2;
    for (line, figure) in [
        ("settling A1", Figure::Payoff { label: label.clone() }),
        ("what is due for A1", Figure::Due { label: label.clone() }),
        ("what is owed for A1", Figure::Owed { label: label.clone() }),
        (
            "what is left over of A1",
            Figure::LeftOver { label: label.clone() },
        ),
        ("no. 2 of A1", Figure::Instalment { label, number }),
        (
            "the bill of 2025-02-05",
            Figure::Bill {
                due_on: "2025-02-05".parse().unwrap(),
            },
        ),
    ] {
        assert_eq!(
            ann(&format!("asks why {line} comes to that")),
            Shopping::AsksWhy(figure)
        );
    }
}

#[test]
fn a_person_sees_what_is_theirs() {
    for (line, view) in [
        ("sees her bills", View::Bills),
        ("sees his limit", View::Limit),
        ("sees their account", View::Account),
        ("sees her messages", View::Messages),
        ("sees the notices", View::Notices),
        ("sees her schedule of A1", View::Schedule("A1".to_owned())),
        ("sees her certificate of A1", View::Certificate("A1".to_owned())),
    ] {
        assert_eq!(ann(line), Shopping::Sees(view));
    }
}

#[test]
fn staff_propose_and_decide() {
    assert_eq!(
        command("supervisor approves it"),
        Ok(Command::Staff {
            who: Desk::Supervisor,
            does: Tending::Approves,
        })
    );
    assert_eq!(
        staff("rejects it because nobody asked for it"),
        Tending::Rejects {
            reason: "nobody asked for it".to_owned(),
        }
    );
    assert_eq!(
        staff("sets the price of PH-1001 to 4099.00 because it rose"),
        Tending::SetsPrice {
            sku: "PH-1001".to_owned(),
            price: yuan(409_900),
            reason: "it rose".to_owned(),
        }
    );
}

#[test]
fn staff_give_their_reasons() {
    assert_eq!(
        staff("suspends xiaofu in 440000 until 2025-03-01 because the province asked"),
        Tending::Suspends {
            institution: "xiaofu".to_owned(),
            region: Some("440000".to_owned()),
            until: in_china("2025-03-01T00:00".parse().unwrap()),
            reason: "the province asked".to_owned(),
        }
    );
    assert_eq!(
        staff("closes offer + apply of mall because of maintenance"),
        Tending::Closes {
            parts: vec![Capability::Offer, Capability::Apply],
            party: "mall".to_owned(),
            until: None,
            reason: "maintenance".to_owned(),
        }
    );
    assert_eq!(
        staff("sets ann's limit at xiaofu to 1000.00 because she asked"),
        Tending::SetsLimit {
            who: "ann".to_owned(),
            institution: "xiaofu".to_owned(),
            limit: yuan(100_000),
            reason: "she asked".to_owned(),
        }
    );
    assert_eq!(
        staff("books 350.00 for A1 as of 2025-02-03 because it came by transfer"),
        Tending::Books {
            amount: yuan(35_000),
            label: "A1".to_owned(),
            on: "2025-02-03".parse().unwrap(),
            reason: "it came by transfer".to_owned(),
        }
    );
    assert_eq!(
        staff("excludes region 540000 by law"),
        Tending::Excludes {
            region: "540000".to_owned(),
            institution: None,
        }
    );
    assert_eq!(
        staff("bars PH-1001"),
        Tending::Article {
            sku: "PH-1001".to_owned(),
            is_financeable: false,
        }
    );
}

#[test]
fn a_wrong_line_says_where_and_what_was_expected() {
    let (column, found, expected) = mistake("ann pays 3.999 for A1");
    assert_eq!((column, found.as_str()), (10, "3.999"));
    assert_eq!(
        expected,
        "an amount such as 3999.00; it has more than 2 digits after the point"
    );
    let (column, found, expected) = mistake("the days pass until 2025-02-30");
    assert_eq!(
        (column, found.as_str(), expected.as_str()),
        (21, "2025-02-30", "a day such as 2025-01-05")
    );
    let (column, found, expected) = mistake("ann is 张安, 110101199003070011");
    assert_eq!((column, found.as_str(), expected.as_str()), (30, "", "“,”"));
    let (column, found, _) = mistake("ann asks for offers on PH-1001, financing AC-6001, in 310000");
    assert_eq!((column, found.as_str()), (43, "AC-6001"));
    let (_, found, expected) = mistake("bank loses the next dance");
    assert_eq!(found, "dance");
    assert!(expected.starts_with("an operation: debit"), "{expected}");
    let (column, found, expected) = mistake("the jobs run fast");
    assert_eq!(
        (column, found.as_str(), expected.as_str()),
        (14, "fast", "the end of the line")
    );
    let (_, _, expected) = mistake("staff suspends xiaofu because");
    assert_eq!(expected, "a reason");
    let (_, found, expected) = mistake("Hello");
    assert_eq!(found, "Hello");
    assert!(expected.starts_with("a line that begins with at"), "{expected}");
}

#[test]
fn codes_and_counts_are_those_that_there_are() {
    for (line, wrong, expected) in [
        (
            "bank refuses the next debit with nonsense",
            "nonsense",
            "a code: insufficient_funds, ",
        ),
        (
            "bank calls the next debit rejected for 0 asks although it succeeds",
            "0",
            "a number of asks of at least 1",
        ),
        ("bank loses the next 0 debits", "0", "a number of at least 1"),
        (
            "bank keeps the next debit pending for 0 asks",
            "0",
            "a number of asks of at least 1",
        ),
        (
            "xiaofu refuses the next assessment with insufficient_funds",
            "insufficient_funds",
            "a reason: score_below_minimum, ",
        ),
        (
            "ann's card tok_ann refuses with channel_up",
            "channel_up",
            "a code: ",
        ),
    ] {
        let (_, found, told) = mistake(line);
        assert_eq!(found, wrong, "{line}: {told}");
        assert!(told.contains(expected), "{line}: {told}");
    }
    assert!(command("xiaofu refuses the next assessment with late_before").is_ok());
    let (latin, chinese) = (",", "\u{ff0c}");
    let line = |comma: &str| {
        format!("ann is 张安{comma} 110101199003070011{comma} phone 13800000001{comma} earns 1.00")
    };
    assert_eq!(command(&line(chinese)), command(&line(latin)));
    // Chinese is written without spaces behind its commas.
    for comma in [chinese, latin] {
        let dense = line(comma).replace(&format!("{comma} "), comma);
        assert_eq!(command(&dense), command(&line(latin)), "{dense}");
    }
    let grouped = "ann is 张安, 110101199003070011, phone 13800000001, earns 12,000.00";
    assert_eq!(command(grouped), command(&grouped.replace("12,000", "12000")));
}

#[test]
fn a_number_of_articles_that_is_none_is_named_as_one() {
    for number in ["99999999999999999999", "4294967296"] {
        let (column, found, expected) =
            mistake(&format!("ann asks for offers on {number} PH-1001, in 310000"));
        assert_eq!((column, found.as_str()), (24, number));
        assert_eq!(expected, "a number of articles up to 4294967295");
    }
    assert!(command("ann asks for offers on 2 4006381333931 + 4006381333931, in 310000").is_ok());
}
