//! `fenqi calc`: its page's examples, the published cases where they are, each mistake by its name, and nonsense.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::path::PathBuf;

use fenqi_server::calc::{LINE_BYTES_MAX, answer};
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};

fn answered(line: &str) -> String {
    answer(line.as_bytes(), 7, date(2026, 11, 20)).text
}

/// The answer without its id.
fn parsed(line: &str) -> Value {
    serde_json::from_str(&answered(line)).unwrap()
}

#[test]
fn the_examples_of_the_page_are_answered_as_it_says() {
    let page = include_str!("../../../docs/reference/calc.md");
    let blocks: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .filter_map(|b| b.split("```").next())
        .collect();
    assert_eq!(blocks.len(), 7);
    for block in blocks {
        let (line, expected) = block.trim().split_once('\n').unwrap();
        assert_eq!(answered(line), expected);
    }
}

/// Where the published cases are: beside the repository, or where the environment says.
fn cases() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");
    std::env::var_os("FENQI_CASES").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a test that is skipped says so")]
fn the_published_cases_are_met() {
    let file = cases().join("arithmetic.jsonl");
    let Ok(lines) = std::fs::read_to_string(&file) else {
        println!(
            "SKIPPED: {} is not there; FENQI_CASES may name its folder",
            file.display()
        );
        return;
    };
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let found = parsed(line);
        let tolerance = case.get("tolerance").and_then(Value::as_str);
        for (path, expected) in case.get("expect").and_then(Value::as_object).unwrap() {
            let at = format!("/{}", path.replace('.', "/"));
            let met = found
                .pointer(&at)
                .is_some_and(|found| is_met(expected, found, tolerance));
            assert!(
                met,
                "{path}: {expected} is expected, {found} was found for {line}"
            );
        }
    }
}

/// Whether a figure is the expected one at its digits, half up, or within the tolerance.
fn is_met(expected: &Value, found: &Value, tolerance: Option<&str>) -> bool {
    let (Some(wanted), Some(found)) = (number(expected), number(found)) else {
        return expected == found;
    };
    let allowed = tolerance.map_or(0, |text| scaled(text).unwrap());
    let places = expected
        .as_str()
        .and_then(|t| t.split_once('.'))
        .map_or(0, |(_, part)| part.len());
    // A text such as 0E-12 has twelve places though it has no point.
    let places = expected
        .as_str()
        .and_then(|t| t.split_once("E-"))
        .map_or(places, |(_, p)| p.parse().unwrap());
    let unit = 10i128.pow(u32::try_from(PLACES - places).unwrap());
    (wanted - found).abs() <= allowed || (found + unit / 2).div_euclid(unit) * unit == wanted
}

/// Digits in which figures are compared.
const PLACES: usize = 20;

/// A number or a decimal text in units of 10⁻²⁰.
fn number(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => scaled(text),
        Value::Number(number) => scaled(&number.to_string()),
        _ => None,
    }
}

fn scaled(text: &str) -> Option<i128> {
    let text = text.split_once("E-").map_or(text, |(digits, _)| digits);
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<PLACES$}").parse::<i128>().ok()?;
    (part.len() <= PLACES).then_some(sign * digits)
}

/// Lines and what their errors say; LOAN and PLAN stand for the beginning of one.
const MISTAKES: &str = r#"
{} => /calc: is missing; one of annual_rate, instalments
{"calc":"sum"} => /calc: "sum" is not known; allowed: annual_rate
{"calc":7} => /calc: 7 is no text
{LOAN,"paid":[{"month":1,"amount":"110"}],"rate":"1"} => /rate: is no field of annual_rate eu_effective; allowed: received, paid
{LOAN,"paid":[{"month":1,"amount":110}]} => /paid/0/amount: 110 is no text; a decimal string
{LOAN,"paid":[{"month":1,"amount":"-110"}]} => /paid/0/amount: "-110" is no decimal of zero or more
{LOAN,"paid":[{"month":1,"amount":"1e3"}]} => /paid/0/amount: "1e3" is no decimal
{LOAN,"paid":[{"month":1,"amount":"1234567890123456"}]} => has too many digits; 15 are allowed
{LOAN,"paid":[{"month":1.5,"amount":"1"}]} => /paid/0/month: 1.5 is not allowed; write a whole number from -12000 to 12000
{LOAN,"paid":[{"amount":"1"}]} => /paid/0/date: is missing; date or month
{LOAN,"paid":[{"date":"2026-02-30","amount":"1"}]} => /paid/0/date: "2026-02-30" is no day of that month; 01 to 28
{LOAN,"paid":[{"date":"2026-02-01","amount":"1"}]} => /paid/0/date: stands where others have month
{LOAN,"paid":[{"month":1,"count":4001,"amount":"1"}]} => /paid/0/count: 4001 is not allowed; write a whole number from 1 to 4000
{LOAN,"paid":[{"month":1,"count":4000,"amount":"1"}]} => /paid: holds too many flows; 4000 are allowed
{LOAN,"paid":[{"month":1,"due":1,"amount":"1"}]} => /paid/0/due: is no field of a flow
{LOAN,"paid":[]} => /paid: money must flow both ways
{LOAN,"paid":[{"month":0,"amount":"100"}]} => /received: every rate makes what is received and what is paid equal
{"calc":"annual_rate","method":"dated_effective","received":[{"date":"2026-01-01","amount":"1000"}],"paid":[{"date":"2026-01-02","amount":"2000"}]} => /received: the rate is above 10^100 a unit of time
{LOAN,"paid":[{"month":1,"amount":"1","amount":"2"}]} => /paid/0/amount: stands twice; one is allowed; at line 1 column
{LOAN,"paid":[7]} => /paid/0: 7 is no object
{LOAN,"paid":"all"} => /paid: is no list
{PLAN} => /total_fee_rate: is missing; one of total_fee_rate, annual_rate, rate_per_period
{PLAN,"annual_rate":"0.1","rate_per_period":"0.1"} => /rate_per_period: is one too many
{PLAN,"total_fee_rate":"1001"} => /total_fee_rate: is too large; a rate is at most 1000, and 0.049 is 4.9 %
{PLAN,"total_fee_rate":"0.1","remainder":"middle"} => /remainder: "middle" is not known; allowed: first, last
{PLAN,"total_fee_rate":"0.1","currency_digits":9} => /currency_digits: 9 is not allowed; write a whole number from 0 to 6
{"calc":"payoff","method":"rule_of_78","finance_charge":"1","count":3,"unpaid":4} => /unpaid: 4 is not allowed
{"calc":"day_count","convention":"30/361","start":"2026-01-01","end":"2026-02-01"} => /convention: "30/361" is not known; allowed: actual/365
{"calc":"day_count","convention":"30/360","start":"2026-02-01","end":"2026-01-01"} => /end: 2026-01-01 is before the start
{"calc":"add_period","date":"2026-13-01","add":1,"unit":"month"} => /date: "2026-13-01" has no such month; 01 to 12
{"calc":"add_period","date":"2026-01-01","add":99999999999999999999,"unit":"month"} => write a whole number from -12000 to 12000
{"calc":"check","kind":"passport","number":"1"} => /kind: "passport" is not known; allowed: resident_id, credit_code, card
"#;

#[test]
fn each_mistake_is_named_with_its_field_and_what_is_allowed() {
    let loan = r#""calc":"annual_rate","method":"eu_effective","received":[{"month":0,"amount":"100"}]"#;
    let plan = r#""calc":"instalments","method":"flat_fee","principal":"100","count":3"#;
    for row in MISTAKES.trim().lines() {
        let (line, expected) = row.split_once(" => ").unwrap();
        let line = line.replace("LOAN", loan).replace("PLAN", plan);
        let found = answered(&line);
        assert!(found.starts_with(r#"{"line":7,"error":"#), "{found}");
        let error = parsed(&line)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}

#[test]
fn a_line_that_is_no_object_is_answered_by_its_number() {
    for line in ["{", "[1]", "null", "\"text\"", "{\"id\": 1e999}"] {
        let found = parsed(line);
        assert_eq!(found["line"], json!(7), "{line}");
        assert!(found["error"].is_string(), "{line}");
    }
    for bytes in [&b"{\"id\": \"\xb7\xd6\"}"[..], b"\xff\xfe{\0}\0"] {
        let found = answer(bytes, 7, date(2026, 11, 20)).text;
        assert!(found.contains("save it as UTF-8"), "{found}");
    }
    assert_eq!(
        parsed("\u{feff}{\"id\": 1}")["id"],
        json!(1),
        "a mark before it is no part of it"
    );
    let long = parsed(&" ".repeat(LINE_BYTES_MAX));
    assert!(long["error"].as_str().unwrap().contains("too long"));
    assert_eq!(parsed(r#"{"id": {"a": 1}}"#)["id"], json!({"a": 1}));
}

fn percent(fields: &str) -> String {
    parsed(&format!(r#"{{"calc":"annual_rate",{fields}}}"#))["percent"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn flows_may_be_written_in_several_ways() {
    let lent = r#""received":[{"date":"2026-01-31","amount":"1000"}]"#;
    let month_end = format!(r#"{lent},"paid":[{{"date":"2026-02-28","amount":"1010"}}]"#);
    // A month of 12 % only if the contract's day is the 31st; else 28 days of a month of thirty.
    let us = r#""method":"us_actuarial","unit_period":{"base":"month"}"#;
    assert_eq!(
        percent(&format!(r#"{us},"payment_day":31,{month_end}"#)),
        "12.0000000000"
    );
    assert_eq!(percent(&format!(r#"{us},{month_end}"#)), "12.8571428571");
    // The term is the unit-period where nothing else is said, and an overdraft is an extreme one.
    let term = r#""received":[{"month":0,"amount":"1000"}],"paid":[{"month":6,"amount":"1044"}]"#;
    assert_eq!(
        percent(&format!(r#""method":"us_actuarial",{term}"#)),
        "8.8000000000"
    );
    let days = r#""received":[{"date":"1978-01-03","amount":"1000"}],"paid":[{"date":"1978-09-15","amount":"1080"}]"#;
    let base = r#""method":"us_actuarial","unit_period":{"base":"term","days":255}"#;
    assert_eq!(
        percent(&format!("{base},{days}")),
        percent(&format!(r#""method":"us_actuarial",{days}"#))
    );
    let overdraft = r#""received":[{"month":-1,"amount":"200"}],"paid":[{"month":0,"amount":"350"}]"#;
    assert!(percent(&format!(r#""method":"eu_effective",{overdraft}"#)).starts_with("82400.5"));
    // Weeks of a fifty-second of a year; an average year of 365.25 days; what costs nothing; what is given away.
    let weekly = r#""received":[{"date":"2026-01-02","amount":"100"}],"paid":[{"date":"2026-01-09","count":4,"amount":"26"}]"#;
    let eu = r#""method":"eu_effective","unit_period":{"base":"week"}"#;
    assert!(percent(&format!("{eu},{weekly}")).starts_with("126.8265"));
    let year = r#""received":[{"date":"2025-01-01","amount":"100"}],"paid":[{"date":"2029-01-01","amount":"146.41"}]"#;
    assert_eq!(
        percent(&format!(
            r#""method":"eu_effective","convention":"uk_365.25",{year}"#
        )),
        "10.0000000000"
    );
    let free = r#""received":[{"month":0,"amount":"100"}],"paid":[{"month":1,"count":4,"amount":"25"}]"#;
    assert_eq!(
        percent(&format!(r#""method":"cn_compound",{free}"#)),
        "0.0000000000"
    );
    let gift =
        r#""received":[{"date":"2025-01-01","amount":"100"}],"paid":[{"date":"2026-01-01","amount":"90"}]"#;
    assert_eq!(
        percent(&format!(r#""method":"dated_effective",{gift}"#)),
        "-10.0000000000"
    );
    let same =
        r#""received":[{"date":"2025-01-05","amount":"100"}],"paid":[{"date":"2025-02-05","amount":"101"}]"#;
    assert_eq!(
        percent(&format!(r#""method":"cn_simple",{same}"#)),
        "12.0000000000"
    );
}

/// A value that a line may hold by mistake or on purpose.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..40).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        "[0-9]{0,18}(\\.[0-9]{0,16})?".prop_map(Value::from),
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..6).prop_map(object),
        ]
    })
}

fn object(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

const WORDS: &[&str] = &[
    "annual_rate",
    "instalments",
    "payoff",
    "day_count",
    "unit_periods",
    "add_period",
    "check",
    "us_actuarial",
    "eu_effective",
    "cn_simple",
    "dated_effective",
    "flat_fee",
    "annuity",
    "equal_principal",
    "rule_of_78",
    "actuarial",
    "day",
    "week",
    "semimonth",
    "month",
    "year",
    "term",
    "actual/actual-afb",
    "30e/360",
    "last",
    "ceil",
    "card",
    "100",
    "0.1",
];
const NAMES: &[&str] = &[
    "amount",
    "date",
    "month",
    "count",
    "every_months",
    "base",
    "multiple",
    "days",
    "unit_period",
    "received",
    "paid",
    "principal",
    "annual_rate",
    "rate_per_period",
    "total_fee_rate",
    "start",
    "end",
    "convention",
    "payment_day",
    "unit",
    "add",
    "kind",
    "number",
    "unpaid",
    "finance_charge",
    "remainder",
    "division",
    "currency_digits",
    "coupon_months",
];

/// A line that is right but for chance: the fields of a calculation, some of them replaced.
fn nearly_right() -> impl Strategy<Value = Value> {
    let lines = include_str!("../../../docs/reference/calc.md").lines();
    let lines: Vec<Value> = lines
        .filter(|line| line.contains("\"calc\""))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let replaced = prop::collection::vec((prop::sample::select(NAMES), values()), 0..3);
    (prop::sample::select(lines), replaced).prop_map(|(mut line, replaced)| {
        for (name, value) in replaced {
            line[name] = value;
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_line_is_answered_or_refused_and_never_panics(
        line in prop_oneof![values().prop_map(|v| v.to_string()), nearly_right().prop_map(|v| v.to_string()), ".{0,80}"],
    ) {
        let found = answer(line.as_bytes(), 1, date(2026, 11, 20));
        let read: Value = serde_json::from_str(&found.text).unwrap();
        prop_assert_eq!(read.get("error").is_none(), found.is_answered);
    }
}

/// The exit status of the command for lines on its standard input, and what it says beside its answers.
fn exit(arguments: &[&str], lines: &str) -> (Option<i32>, String) {
    use std::io::Write;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fenqi"));
    let command = command.arg("calc").args(arguments);
    let pipe = std::process::Stdio::piped;
    let mut child = command
        .stdin(pipe())
        .stdout(pipe())
        .stderr(pipe())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn the_exit_status_tells_a_script_what_the_page_says() {
    let right = r#"{"calc":"check","kind":"card","number":"4111111111111111"}"#;
    let wrong = "{}";
    assert_eq!(exit(&[], right).0, Some(0));
    assert_eq!(exit(&[], wrong).0, Some(0), "an error is an answer");
    assert_eq!(exit(&["--strict"], right).0, Some(0));
    assert_eq!(exit(&["--strict"], &format!("{wrong}\n{right}")).0, Some(1));
    let folder = env!("CARGO_MANIFEST_DIR");
    let (status, said) = exit(&[folder], "");
    assert_eq!(status, Some(2));
    assert!(
        said.contains(&format!("could not read {folder}: it is a folder")),
        "{said}"
    );
    let (status, said) = exit(&["no such file"], "");
    assert_eq!(status, Some(2));
    assert!(said.contains("could not read no such file: "), "{said}");
}
