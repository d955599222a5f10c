//! `fenqi simulate --explain`: the example's figures, as values that come to themselves and as people read them.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use fenqi_app::texts::Language;
use fenqi_domain::explain::Explanation;
use fenqi_server::simulate::{File, Told};

/// The example, explained.
fn told() -> Told {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/simulate.example.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    File::read(&text).unwrap().explain("phone-in-six").unwrap()
}

#[test]
fn an_instalment_is_explained_down_to_balance_rate_and_days() {
    let english = "\
open of instalment 4 1024.76 = open principal of instalment 4 1002.73 + open interest of instalment 4 22.03
  open principal of instalment 4 1002.73 = level instalment 1024.76 − interest of the period 22.03
    level instalment 1024.76 (as above)
    interest of the period 22.03 = balance from 2026-04-30 to 2026-05-31 3016.37 × 8.6% × 31/365 = 22.031897… (half to even)
  open interest of instalment 4 22.03 = interest of the period 22.03 (as above)
";
    let chinese = "\
第 4 期待还 1024.76 = 第 4 期待还本金 1002.73 + 第 4 期待还利息 22.03
  第 4 期待还本金 1002.73 = 每期等额 1024.76 − 本期利息 22.03
    每期等额 1024.76（见上）
    本期利息 22.03 = 2026-04-30 至 2026-05-31 的余额 3016.37 × 8.6% × 31/365 = 22.031897… (四舍六入五成双)
  第 4 期待还利息 22.03 = 本期利息 22.03（见上）
";
    let told = told();
    let level = "level instalment 1024.76 = lent on 2026-01-31 6000.00 × 0.1707936995… (annuity factor) = 1024.762197… (half to even)\n";
    let text = told.text(Language::En);
    assert!(text.contains(english) && text.contains(level), "{text}");
    assert!(told.text(Language::Zh).contains(chinese));
}

#[test]
fn what_was_explained_once_is_only_named_after_that() {
    let text = told().text(Language::En);
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let explained = lines.iter().filter(|line| line.contains(" = "));
    for line in explained {
        let times = lines.iter().filter(|other| other == &line).count();
        assert_eq!(times, 1, "{line}\n{text}");
    }
    assert!(text.contains(" (as above)\n"), "{text}");
    let chinese = told().text(Language::Zh);
    assert!(
        chinese.contains("\n2026-04-20：逾期 0 天，M0，五级分类第 1 类，逐月状态 *NN\n"),
        "{chinese}"
    );
    assert!(chinese.contains("应计未付利息"), "{chinese}");
}

#[test]
fn who_only_has_the_values_can_reckon_them_again() {
    let json = told().json();
    let whys: Vec<Explanation> = serde_json::from_value(json.get("explanations").unwrap().clone()).unwrap();
    let standing = json.get("standing").unwrap();
    let word = |name: &str| standing.get(name).and_then(|w| w.as_str()).unwrap().to_owned();
    assert_eq!(
        [
            word("delinquency_bucket"),
            word("asset_class"),
            word("month_codes")
        ],
        ["M0", "normal", "*NN"]
    );
    assert_eq!(
        whys.len(),
        8,
        "two rows that were paid and four that owe something, what is owed in all, and what settles the loan"
    );
    for why in whys {
        assert_eq!(why.recompute().unwrap(), why.value);
    }
}

#[test]
fn a_case_that_is_not_there_is_said() {
    let text = r#"{ "cases": [{ "id": "a" }] }"#;
    let error = File::read(text).unwrap().explain("b").unwrap_err();
    assert_eq!(error, "no case has the id b; there are a");
}
