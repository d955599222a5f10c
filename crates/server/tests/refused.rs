//! What `fenqi simulate` refuses in its place, what it plays and names, and how a run that went wrong ends.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use fenqi_server::simulate::File;
use serde_json::{Value, json};

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// A file with one case of some operations on 300.00 over three months, or on other terms.
fn one(terms: &Value, sequence: &Value) -> String {
    let mut inputs = json!({
        "principal": "300.00",
        "number_of_installments": 3,
        "repayment_every": 1,
        "repayment_unit": "MONTHS",
        "first_disbursement_date": "2026-01-31",
    });
    for (name, value) in terms.as_object().unwrap() {
        inputs[name] = value.clone();
    }
    json!({ "cases": [{ "id": "mine", "inputs": inputs, "sequence": sequence }] }).to_string()
}

fn played(terms: &Value, sequence: &Value) -> Value {
    let file = File::read(&one(terms, sequence)).unwrap();
    file.play(None).unwrap().remove(0)
}

/// The error of a case of some operations after 6,000.00 of 6,000.00 were lent for three months, and what was passed over.
fn tried(terms: &Value, operations: &[Value]) -> (String, Vec<String>) {
    let mut sequence = vec![
        json!({ "op": "set_business_date", "date": "2026-01-31" }),
        json!({ "op": "disburse", "date": "2026-01-31", "amount": "6000.00" }),
    ];
    sequence.extend_from_slice(operations);
    let mut all = json!({ "principal": "6000.00" });
    for (name, value) in terms.as_object().unwrap() {
        all[name] = value.clone();
    }
    let line = played(&all, &json!(sequence));
    let notes = line.get("passed_over").and_then(Value::as_array);
    let notes = notes.into_iter().flatten().filter_map(Value::as_str);
    (
        field(&line, "error").as_str().unwrap_or_default().to_owned(),
        notes.map(str::to_owned).collect(),
    )
}

#[test]
fn more_than_there_is_to_give_back_is_refused_with_the_most_there_is() {
    let paid = |amount: &str| json!({ "op": "repayment", "date": "2026-01-31", "amount": amount });
    let out = |amount: &str| json!({ "op": "credit_balance_refund", "date": "2026-01-31", "amount": amount });
    let back = |amount: &str| json!({ "op": "chargeback", "amount": amount });
    let charge =
        json!({ "op": "add_charge", "kind": "PENALTY", "due_date": "2026-02-10", "amount": "10.00" });
    let adjust = |amount: &str| json!({ "op": "charge_adjustment", "amount": amount });
    let lent = |amount: &str| json!({ "op": "disburse", "date": "2026-01-31", "amount": amount });
    let table = [
        (
            vec![out("0.01")],
            "0.01 is too much; 0.00 is left over for the payer",
        ),
        (
            vec![paid("6005.00"), out("7.00")],
            "7.00 is too much; 5.00 is left over for the payer",
        ),
        (vec![paid("6005.00"), out("5.00")], ""),
        (
            vec![paid("6005.00"), out("5.00"), out("0.01")],
            "0.01 is too much; 0.00 is left over for the payer",
        ),
        (
            vec![paid("1024.76"), back("1024.77")],
            "1024.77 is too much; 1024.76 of that payment can be taken back",
        ),
        (vec![paid("1024.76"), back("1000.00"), back("24.76")], ""),
        (
            vec![paid("1024.76"), back("1000.00"), back("24.77")],
            "24.77 is too much; 24.76 of that payment can be taken back",
        ),
        (
            vec![
                paid("1024.76"),
                back("1000.00"),
                json!({ "op": "undo_chargeback" }),
                back("1024.76"),
            ],
            "",
        ),
        (
            vec![charge.clone(), adjust("99.00")],
            "99.00 is too much; 10.00 of that charge can be made good",
        ),
        (
            vec![charge, adjust("9.00"), adjust("1.01")],
            "1.01 is too much; 1.00 of that charge can be made good",
        ),
        (
            vec![lent("0.01")],
            "0.01 is too much; 0.00 of the principal may still be lent",
        ),
    ];
    for (operations, reason) in table {
        let (error, _) = tried(&json!({}), &operations);
        let place = format!("/cases/0/sequence/{}/amount: {reason}", operations.len() + 1);
        assert_eq!(
            error,
            if reason.is_empty() { reason } else { &place },
            "{operations:?}"
        );
    }
}

#[test]
fn a_product_in_parts_may_lend_more_and_a_replay_may_leave_more_paid_out_than_there_was() {
    let paid = json!({ "op": "repayment", "date": "2026-01-31", "amount": "6005.00" });
    let out = json!({ "op": "credit_balance_refund", "date": "2026-01-31", "amount": "5.00" });
    let lent = json!({ "op": "disburse", "date": "2026-01-31", "amount": "1000.00" });
    let (error, notes) = tried(&json!({ "multi_disbursement": true }), &[lent]);
    assert_eq!(error, "");
    assert_eq!(
        notes,
        ["/cases/0/sequence/2/amount: more is lent than the 6000.00 that were applied for"]
    );
    let undone = [paid, out, json!({ "op": "undo_last_repayment" })];
    assert_eq!(tried(&json!({}), &undone), (String::new(), Vec::new()));
}

#[test]
fn an_operation_that_cannot_be_meant_is_refused_in_its_place() {
    let op = |name: &str, fields: Value| {
        let mut op = json!({ "op": name });
        for (name, value) in fields.as_object().unwrap() {
            op[name] = value.clone();
        }
        op
    };
    let pause = json!({ "from": "2026-06-01", "to": "2026-05-01" });
    let backwards = "/cases/0/sequence/2/to: 2026-05-01 is before 2026-06-01, on which it begins";
    let reage = |rows: Value| json!({ "start_date": "2026-03-31", "number_of_installments": rows });
    let rows = "/cases/0/sequence/2/number_of_installments: write a whole number from 1 to 1200";
    let paid = json!({ "date": "2026-01-31", "amount": "0.00" });
    let operations = [
        (op("interest_pause", pause.clone()), backwards),
        (op("delinquency_pause", pause), backwards),
        (op("reage", reage(json!(0))), rows),
        (op("reage", reage(json!(65_535))), rows),
        (
            op("repayment", paid),
            "/cases/0/sequence/2/amount: write an amount above zero",
        ),
        (
            op("disbursee", json!({})),
            "/cases/0/sequence/2/op: is \"disbursee\"; did you mean disburse? Known are set_business_date",
        ),
        (
            op("undo_disburse", json!({})),
            "/cases/0/sequence/2/op: is \"undo_disburse\"; did you mean undo_disbursal? Known are",
        ),
        (
            op("repayment", json!({ "date": "0001-01-01", "amount": "1.00" })),
            "/cases/0/sequence/2/date: \"0001-01-01\"",
        ),
        (
            op("repayment", json!({ "date": "2026-01-30", "amount": "1.00" })),
            "/cases/0/sequence/2: it comes before anything was lent",
        ),
    ];
    for (operation, begins) in operations {
        let (error, _) = tried(&json!({}), std::slice::from_ref(&operation));
        assert!(error.starts_with(begins), "{operation}: {error}");
    }
}

#[test]
fn terms_that_cannot_be_meant_are_refused_in_their_place() {
    let count = "/cases/0/inputs/number_of_installments: write a whole number from 1 to 1200";
    let terms = [
        (json!({ "number_of_installments": 65_535 }), count),
        (json!({ "number_of_installments": 0 }), count),
        (json!({ "number_of_installments": -1 }), count),
        (
            json!({ "number_of_installments": null }),
            "/cases/0/inputs/number_of_installments: is missing; write a whole number from 1 to 1200",
        ),
        (
            json!({ "principal": "0.00" }),
            "/cases/0/inputs/principal: write an amount above zero",
        ),
        (
            json!({ "repayment_every": 0 }),
            "/cases/0/inputs/repayment_every: write a whole number from 1 to 65535",
        ),
        (
            json!({ "repayment_every": 65_535 }),
            "/cases/0/inputs/repayment_every: write fewer instalments or shorter periods",
        ),
        (
            json!({ "rate_percent": "1000000" }),
            "/cases/0/inputs/rate_percent: write a percentage from 0 to 10000",
        ),
        (
            json!({ "rate_frequency": "PER_YEAR" }),
            "/cases/0/inputs/rate_percent: is missing; write a percentage, \"0\" for none",
        ),
        (
            json!({ "first_disbursement_date": "9999-12-31" }),
            "/cases/0/inputs/first_disbursement_date: \"9999-12-31\"",
        ),
        (
            json!({ "rate_percent": "8", "interest_recalculation": "yes" }),
            "/cases/0/inputs/interest_recalculation: is \"yes\"; write object",
        ),
        (
            json!({ "rate_percent": "8", "interest_recalculation": { "enabled": "yes" } }),
            "/cases/0/inputs/interest_recalculation/enabled: is \"yes\"; write boolean",
        ),
        (
            json!({ "credit_allocation": "CHARGEBACK" }),
            "/cases/0/inputs/credit_allocation: is \"CHARGEBACK\"; write array",
        ),
    ];
    for (terms, begins) in terms {
        let (error, _) = tried(&terms, &[]);
        assert!(error.starts_with(begins), "{terms}: {error}");
    }
    let (error, notes) = tried(&json!({ "interest_recalculation": null }), &[]);
    assert_eq!(error, "", "what is null is left out");
    assert_eq!(
        notes,
        ["/cases/0/inputs/interest_recalculation: is null; write object"]
    );
}

#[test]
fn what_is_played_though_it_is_odd_is_named() {
    let later = json!({ "op": "repayment", "date": "2027-01-01", "amount": "10.00" });
    let back = json!({ "op": "set_business_date", "date": "2026-01-30" });
    let waived = json!({ "op": "interest_payment_waiver", "date": "2026-01-31", "amount": "6000.01" });
    let table = [
        (
            later,
            "/cases/0/sequence/2/date: 2027-01-01 is after the business date 2026-01-31; it is played as if that day had come",
        ),
        (
            back,
            "/cases/0/sequence/2/date: the business date goes back from 2026-01-31 to 2026-01-30; what was entered stays",
        ),
        (
            waived,
            "/cases/0/sequence/2/amount: 0.01 more than is owed is waived, and left over for the payer",
        ),
    ];
    for (operation, note) in table {
        let found = tried(&json!({}), std::slice::from_ref(&operation));
        assert_eq!(found, (String::new(), vec![note.to_owned()]), "{operation}");
    }
}

#[test]
fn nothing_is_paid_on_a_loan_that_was_never_lent() {
    let paid = json!([{ "op": "repayment", "date": "2026-02-28", "amount": "100.00" }]);
    let line = played(&json!({}), &paid);
    let nothing = "/cases/0/sequence/0/op: nothing is lent yet; put a disburse before it";
    assert_eq!(field(&line, "error"), nothing);
}

/// What the command prints and its exit status, for a file.
fn run(file: &str, arguments: &[&str]) -> (Option<i32>, String) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!(
        "fenqi-simulate-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, file).unwrap();
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_fenqi"))
        .arg("simulate")
        .arg(&path)
        .args(arguments)
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_case_that_cannot_be_played_is_a_failure() {
    let lent = json!({ "op": "disburse", "date": "2026-01-31", "amount": "300.00" });
    assert_eq!(run(&one(&json!({}), &json!([lent])), &[]).0, Some(0));
    let wrong = one(&json!({}), &json!([{ "op": "repay" }]));
    for arguments in [&[][..], &["--format", "text"]] {
        let (status, said) = run(&wrong, arguments);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("/cases/0/sequence/0/op: is "), "{said}");
    }
    let (status, said) = run(&wrong, &["--case", "x"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("no case has the id x; there are mine"), "{said}");
    let twice = one(&json!({}), &json!([])).replacen("\"id\"", "\"id\":\"a\",\"id\"", 1);
    let (status, said) = run(&twice, &[]);
    assert_eq!(status, Some(2));
    assert!(said.contains("/cases/0/id: stands twice"), "{said}");
}

#[test]
fn a_check_fails_unless_everything_that_is_expected_holds() {
    let checked = |expected: Value| {
        let lent = json!({ "op": "disburse", "date": "2026-01-31", "amount": "300.00" });
        run(
            &one(&json!({}), &json!([lent, { "expect": expected }])),
            &["--check"],
        )
    };
    let table = [
        (json!({ "outstanding": "300.00" }), 0, ""),
        (
            json!({ "oustanding": "1.00", "overpaid": "0.00" }),
            1,
            "/expect/oustanding: is no field that is read here; did you mean outstanding?",
        ),
        (json!({}), 1, "mine expects nothing that could be compared"),
        (
            json!({ "note": "nothing" }),
            1,
            "mine expects nothing that could be compared",
        ),
        (
            json!({ "status": "OVERPAID" }),
            1,
            "/checkpoints/0/status: ACTIVE, expected OVERPAID",
        ),
        (
            json!({ "total_overdue": "1.00" }),
            1,
            "/total_overdue: 0.00, expected 1.00",
        ),
        (
            json!({ "schedule_totals": { "late": "1.00" } }),
            1,
            "/schedule_totals/late: 0.00, expected 1.00",
        ),
        (
            json!({ "schedule_totals": { "intrest": "1.00" } }),
            1,
            "/schedule_totals/intrest: is no field that is read here; did you mean interest?",
        ),
    ];
    for (expected, status, says) in table {
        let (found, said) = checked(expected);
        assert_eq!(found, Some(status), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn thousands_of_payments_are_played_with_one_walk_and_more_are_refused() {
    let payments = |count: usize| {
        let paid = json!({ "op": "repayment", "date": "2026-01-31", "amount": "0.01" });
        let lent = json!({ "op": "disburse", "date": "2026-01-31", "amount": "300.00" });
        let mut sequence = vec![lent];
        sequence.resize(count, paid);
        played(&json!({}), &json!(sequence))
    };
    let played = payments(2_001);
    assert_eq!(
        played.pointer("/checkpoints/0/outstanding"),
        Some(&json!("280.00"))
    );
    let refused = payments(5_001);
    assert_eq!(
        field(&refused, "error"),
        "/cases/0/sequence: has 5001 steps; at most 5000 are played"
    );
}
