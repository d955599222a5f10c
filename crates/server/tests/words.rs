//! Every word of a case file: each is read and does what it says, or it is refused by name; none is passed over in silence.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use fenqi_server::simulate::{File, schema};
use serde_json::{Value, json};

/// Terms that say something in every field, so that each is looked at.
fn terms() -> Value {
    json!({
        "principal": "300.00",
        "currency": "EUR",
        "currency_digits": 2,
        "number_of_installments": 3,
        "repayment_every": 1,
        "repayment_unit": "MONTHS",
        "first_disbursement_date": "2024-01-01",
        "rate_percent": "12",
        "rate_frequency": "PER_YEAR",
        "days_in_year": "360",
        "days_in_month": "30",
        "down_payment": { "percent": "10", "auto_repayment": false },
        "interest_recalculation": { "enabled": true },
        "rounding": { "mode": "HALF_EVEN" },
    })
}

/// A case of some operations after 300.00 was lent without interest over three months, played.
fn played(ops: &Value) -> Value {
    let mut sequence = vec![
        json!({ "op": "set_business_date", "date": "2024-01-01" }),
        json!({ "op": "disburse", "date": "2024-01-01", "amount": "300.00" }),
    ];
    sequence.extend(ops.as_array().unwrap().iter().cloned());
    sequence.push(json!({ "expect": {} }));
    let inputs = json!({
        "principal": "300.00",
        "number_of_installments": 3,
        "repayment_every": 1,
        "repayment_unit": "MONTHS",
        "first_disbursement_date": "2024-01-01",
    });
    play(&inputs, &json!(sequence))
}

fn play(inputs: &Value, sequence: &Value) -> Value {
    let case = json!({ "id": "mine", "inputs": inputs, "sequence": sequence });
    let file = File::read(&json!({ "cases": [case] }).to_string()).unwrap();
    file.play(None).unwrap().remove(0)
}

/// How a case stands at its end.
fn end<'a>(line: &'a Value, pointer: &str) -> &'a Value {
    let last = line
        .pointer("/checkpoints")
        .and_then(Value::as_array)
        .and_then(|c| c.last());
    last.and_then(|c| c.pointer(pointer)).unwrap_or(&Value::Null)
}

#[test]
fn a_word_of_the_terms_that_is_not_known_is_refused_in_its_place() {
    let all: Value = serde_json::from_str(schema::TEXT).unwrap();
    let mut refused = 0;
    for (path, rule) in fields(&all, "inputs", "") {
        let nonsense = match (rule.get("enum"), rule.get("type")) {
            (Some(_), _) => json!("NONSENSE"),
            (None, Some(kind)) if kind == "boolean" || kind == &json!(["boolean", "null"]) => json!("yes"),
            _ => continue,
        };
        let mut inputs = terms();
        let (within, name) = path.rsplit_once('/').unwrap();
        let object = inputs.pointer_mut(within).and_then(Value::as_object_mut);
        // What stands in the rules of an allocation has a test of its own.
        let Some(object) = object else { continue };
        object.insert(name.to_owned(), nonsense);
        let line = play(&inputs, &json!([{ "expect": {} }]));
        let error = line.get("error").and_then(Value::as_str).unwrap_or_default();
        assert!(
            error.starts_with(&format!("/cases/0/inputs{path}: ")),
            "{path}: {line}"
        );
        refused += 1;
    }
    assert!(refused >= 20, "{refused}");
}

/// The fields of a definition of the schema, those of objects in it included, by their places.
fn fields<'a>(all: &'a Value, definition: &str, at: &str) -> Vec<(String, &'a Value)> {
    let rule = all.pointer(&format!("/$defs/{definition}")).unwrap();
    let mut found = Vec::new();
    let mut open = vec![(at.to_owned(), rule)];
    while let Some((at, rule)) = open.pop() {
        let properties = rule.get("properties").and_then(Value::as_object);
        for (name, rule) in properties.into_iter().flatten() {
            let at = format!("{at}/{name}");
            found.push((at.clone(), rule));
            open.push((at, rule));
        }
    }
    found
}

#[test]
fn numbers_say_what_texts_do() {
    let mut inputs = terms();
    for (name, number) in [
        ("rate_percent", json!(12)),
        ("days_in_year", json!(360)),
        ("days_in_month", json!(30)),
    ] {
        inputs[name] = number;
    }
    let sequence = json!([{ "expect": {} }]);
    assert_eq!(play(&inputs, &sequence), play(&terms(), &sequence));
    for (name, nonsense) in [
        ("rate_percent", json!(["12"])),
        ("interest_refund_on", json!(["REFUND"])),
        ("grace_on_interest_charged_periods", json!(1)),
        ("currency_digits", json!(0)),
        ("submitted_on", json!(20240101)),
        (
            "credit_allocation",
            json!([{ "transaction_type": "REPAYMENT", "order": ["FEE"] }]),
        ),
    ] {
        let mut inputs = terms();
        inputs[name] = nonsense;
        let line = play(&inputs, &sequence);
        let error = line.get("error").and_then(Value::as_str).unwrap_or_default();
        assert!(
            error.starts_with(&format!("/cases/0/inputs/{name}")),
            "{name}: {line}"
        );
    }
}

// Long because: one table says of each operation what it does.
#[test]
fn each_operation_does_what_it_says_and_is_undone() {
    let paid = json!({ "op": "repayment", "date": "2024-02-01", "amount": "150.00" });
    let on_the_day = json!({ "op": "set_business_date", "date": "2024-02-01" });
    let fee = json!({ "op": "add_charge", "charge": "LOAN_SNOOZE_FEE", "due_date": "2024-02-10", "amount": "8.00" });
    let nsf =
        json!({ "op": "add_charge", "charge": "LOAN_NSF_FEE", "due_date": "2024-02-12", "amount": "5.00" });
    let op = |name: &str| json!({ "op": name });
    let dated = |name: &str, amount: &str| json!({ "op": name, "date": "2024-02-01", "amount": amount });
    let nth =
        |name: &str, nth: u8| json!({ "op": name, "nth_on_date": nth, "transaction_date": "2024-02-01" });
    // What is done; where it shows; what it shows, and what stands there once it is undone by the last.
    let table = [
        (
            vec![dated("refund_by_cash", "60.00")],
            "/outstanding",
            "210.00",
            "150.00",
            op("undo_refund_by_cash"),
        ),
        (
            vec![dated("goodwill_credit", "20.00")],
            "/outstanding",
            "130.00",
            "150.00",
            nth("undo_goodwill_credit", 2),
        ),
        (
            vec![dated("merchant_issued_refund", "20.00")],
            "/outstanding",
            "130.00",
            "150.00",
            nth("undo_transaction", 2),
        ),
        (
            vec![dated("payout_refund", "200.00")],
            "/overpaid",
            "50.00",
            "0.00",
            op("undo_payout_refund"),
        ),
        (
            vec![dated("interest_payment_waiver", "1.00")],
            "/outstanding",
            "149.00",
            "150.00",
            op("undo_interest_payment_waiver"),
        ),
        (
            vec![
                dated("repayment", "170.00"),
                dated("credit_balance_refund", "20.00"),
            ],
            "/overpaid",
            "0.00",
            "20.00",
            op("undo_credit_balance_refund"),
        ),
        (
            vec![json!({ "op": "chargeback", "amount": "150.00" })],
            "/outstanding",
            "300.00",
            "150.00",
            op("undo_chargeback"),
        ),
        (
            vec![
                fee.clone(),
                nsf.clone(),
                json!({ "op": "charge_adjustment", "charge": "LOAN_NSF_FEE", "amount": "5.00" }),
            ],
            "/outstanding",
            "158.00",
            "163.00",
            op("undo_charge_adjustment"),
        ),
        (
            vec![
                fee.clone(),
                nsf.clone(),
                json!({ "op": "waive_charge", "charge": "LOAN_SNOOZE_FEE" }),
            ],
            "/charges/1/Waived",
            "8.00",
            "0.00",
            op("undo_waive_charge"),
        ),
        (
            vec![nsf.clone(), fee.clone(), op("waive_last_nsf_charge")],
            "/outstanding",
            "158.00",
            "163.00",
            op("undo_waive_charge"),
        ),
        (
            vec![
                json!({ "op": "add_charge", "charge": "LOAN_INSTALLMENT_PERCENTAGE_FEE", "percent": 1 }),
                op("waive_installment_charge"),
            ],
            "/outstanding",
            "150.00",
            "153.00",
            op("undo_waive_charge"),
        ),
        (
            vec![op("write_off")],
            "/status",
            "CLOSED_WRITTEN_OFF",
            "ACTIVE",
            op("undo_write_off"),
        ),
        (
            vec![op("contract_termination")],
            "/schedule/1/principal_due",
            "300.00",
            "100.00",
            op("undo_contract_termination"),
        ),
        (
            vec![op("charge_off")],
            "/charged_off_on",
            "2024-02-01",
            "",
            op("undo_charge_off"),
        ),
        (
            vec![json!({ "op": "reage", "start_date": "2024-03-15", "number_of_installments": 2 })],
            "/schedule_totals/outstanding",
            "150.00",
            "150.00",
            op("undo_reage"),
        ),
    ];
    for (ops, pointer, shows, undone, undo) in table {
        let done = [vec![on_the_day.clone(), paid.clone()], ops].concat();
        let line = played(&json!(done));
        assert_eq!(end(&line, pointer), shows, "{line}");
        assert_eq!(line.get("passed_over"), None, "{line}");
        let line = played(&json!([done, vec![undo]].concat()));
        assert_eq!(end(&line, pointer).as_str().unwrap_or_default(), undone, "{line}");
    }
}

#[test]
fn what_was_handed_back_is_shown_as_it_was_taken_back() {
    let ops = json!([
        { "op": "set_business_date", "date": "2024-02-05" },
        { "op": "repayment", "date": "2024-02-01", "amount": "150.00" },
        { "op": "refund_by_cash", "date": "2024-02-05", "amount": "60.00" },
    ]);
    let line = played(&ops);
    let refund = end(&line, "/transactions/2");
    for (name, value) in [
        ("type", "Refund"),
        ("amount", "60.00"),
        ("principal", "60.00"),
        ("loan_balance", "210.00"),
    ] {
        assert_eq!(refund.get(name), Some(&json!(value)), "{refund}");
    }
    let paid = |row: u8| end(&line, &format!("/schedule/{row}/paid"));
    assert_eq!((paid(1), paid(2)), (&json!("90.00"), &json!("0.00")));
    let beyond = json!([{ "op": "refund_by_cash", "date": "2024-01-02", "amount": "1.00" }]);
    let error = played(&beyond);
    let error = error.get("error").and_then(Value::as_str).unwrap_or_default();
    assert!(error.ends_with("hands back more than was paid"), "{error}");
}

#[test]
fn what_is_approved_is_expected() {
    let sequence = json!([
        { "op": "create_loan" },
        { "op": "approve", "date": "2024-01-01", "amount": "240.00", "expected_disbursement_date": "2024-01-05" },
        { "expect": {} },
    ]);
    let mut inputs = terms();
    inputs["down_payment"] = Value::Null;
    let line = play(&inputs, &sequence);
    assert_eq!(end(&line, "/status"), "APPROVED");
    assert_eq!(end(&line, "/schedule_totals/principal_due"), "240.00");
    assert_eq!(end(&line, "/schedule/1/due_date"), "2024-02-05");
}
