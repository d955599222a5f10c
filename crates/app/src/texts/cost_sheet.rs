//! The cost sheet as people read it (综合融资成本明示表): each cost with its basis and payee, what it is in a year, and what
//! comes on top if something does not go as agreed.

use std::sync::LazyLock;

use fenqi_domain::annual_rate::AnnualRates;
use fenqi_domain::cost::{Basis, Contingent, CostItem};
use fenqi_domain::money::{Amount, Rate, point};
use fenqi_domain::plan::FeeTiming;
use fenqi_domain::quote::Quote;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Catalogue, Reader, plain, reader};

static SHEET: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("cost_sheet.toml")));

impl Reader<'_> {
    /// The cost sheet of a quote, a line for each thing that is to be known before one signs.
    pub fn cost_sheet(self, quote: &Quote) -> Vec<String> {
        let cost = &quote.cost;
        let sum = json!({
            "institution": quote.institution, "plan": quote.plan, "price": cost.price, "down_payment": cost.down_payment,
            "principal": cost.principal, "count": cost.count, "total_payment": cost.total_payment,
        });
        let section = if cost.down_payment.is_zero() {
            "sum"
        } else {
            "sum_after_down_payment"
        };
        let mut lines = vec![self.line(quote, section, &sum)];
        lines.extend(cost.items.iter().map(|item| self.item(quote, item)));
        if cost.items.is_empty() {
            lines.push(self.line(quote, "no_cost", &Value::Null));
        }
        let rates = |rates: &AnnualRates| json!({ "simple": rates.simple, "compound": rates.compound });
        lines.push(self.line(quote, "annual", &rates(&cost.annual)));
        if cost.origin_annual != cost.annual {
            lines.push(self.line(quote, "origin_annual", &rates(&cost.origin_annual)));
        }
        lines.push(self.line(quote, "if_not", &Value::Null));
        lines.extend(cost.contingent.iter().map(|on_top| self.on_top(quote, on_top)));
        let cap = json!({ "cap": quote.terms.conventions.late.annual_cap });
        lines.push(self.line(quote, "cap", &cap));
        lines.push(self.line(quote, "nothing_else", &Value::Null));
        lines
    }

    fn item(self, quote: &Quote, item: &CostItem) -> String {
        let (section, basis) = match item.basis {
            Basis::Principal { rate, timing } => {
                let timing = match timing {
                    FeeTiming::EveryPeriod => "every_period",
                    FeeTiming::WithFirst => "with_first",
                };
                ("fee", json!({ "rate": rate, "timing": timing }))
            }
            Basis::Outstanding { annual, day_count } => {
                ("interest", json!({ "annual": annual, "day_count": day_count }))
            }
        };
        self.line(quote, section, &joined(item, basis))
    }

    fn on_top(self, quote: &Quote, on_top: &Contingent) -> String {
        match on_top {
            Contingent::LateFee { .. } => self.line(quote, "late_fee", &json!(on_top)),
            Contingent::PenaltyInterest { from_due_date, .. } => {
                let counted = if *from_due_date {
                    "from_due_date"
                } else {
                    "from_grace"
                };
                let fields = joined(on_top, json!({ "counted": counted }));
                self.line(quote, "penalty_interest", &fields)
            }
            Contingent::EarlySettlement { method, .. } => {
                let method = json!(method);
                let section = method.get("kind").map(plain).unwrap_or_default();
                self.line(quote, &section, &joined(on_top, method))
            }
        }
    }

    fn line(self, quote: &Quote, section: &str, fields: &Value) -> String {
        SHEET.say(section, self.language, &|name| {
            let Some(value) = fields.get(name) else {
                return String::new();
            };
            let number = value.as_i64();
            match (name, number) {
                ("count" | "grace_days", Some(number)) => number.to_string(),
                ("simple" | "compound", Some(ppb)) => Rate::from_ppb(ppb).to_hundredths(),
                ("rate" | "annual" | "daily" | "share" | "cap", Some(ppb)) => Rate::from_ppb(ppb).to_string(),
                (_, Some(minor)) => self.money(quote, Amount::from_minor(minor)),
                ("institution" | "payee", None) => self.named("institution", &plain(value)),
                ("timing" | "counted", None) => SHEET.say(&plain(value), self.language, &|_| String::new()),
                _ => plain(value),
            }
        })
    }

    fn money(self, quote: &Quote, amount: Amount) -> String {
        let currency = quote.terms.currency;
        let word = reader::word("currency", currency.code(), self.language);
        format!("{} {word}", point(amount.minor(), currency.digits()))
    }
}

/// The fields of one value and of another.
fn joined(one: &impl Serialize, other: Value) -> Value {
    let mut fields = match json!(one) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if let Value::Object(others) = other {
        fields.extend(others);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Configuration;
    use crate::checkout::quote::KeptQuote;
    use crate::texts::Language;

    /// A quote as kept, with some of its terms changed.
    fn quote(change: &Value) -> Quote {
        let mut kept = json!({
            "quote": {
                "id": "quo_01M80JZ5F7A8K3JABE1FMARSFH", "shopper": null, "plan": "p-3", "plan_version": 1,
                "institution": "anbank", "seller": "mall", "lines": [], "price": 120_000,
                "terms": {
                    "currency": "CNY", "principal": 120_000, "borne_by_seller": 0, "signed_on": "2026-01-01",
                    "pricing": { "kind": "interest_free" },
                    "due_dates": ["2026-02-01", "2026-03-01", "2026-04-01"],
                    "conventions": {
                        "rounding": "half_up", "remainder": "first", "roll": "none",
                        "waterfall": { "order": ["penalty", "interest", "fee", "principal"], "row_by_row": true },
                        "late": {
                            "grace_days": 3, "fee": 0, "daily": 0, "from_due_date": false, "annual_cap": 240_000_000,
                        },
                        "settlement": { "kind": "waive_unaccrued" }, "prepayment": "shorter_term",
                        "refund": "last_first",
                    },
                },
                "documents": [], "hold_days": 28, "needs_card": false, "campaign": null, "digest": "",
                "made_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:30:00Z",
            },
            "region": "310000",
        });
        for (at, value) in change.as_object().into_iter().flatten() {
            *kept.pointer_mut(&format!("/quote/{at}")).unwrap() = value.clone();
        }
        serde_json::from_value::<KeptQuote>(kept).unwrap().quote
    }

    fn sheet(change: &Value) -> (String, String) {
        let names = &Configuration::default();
        let quote = quote(change);
        let [zh, en] =
            [Language::Zh, Language::En].map(|language| Reader { names, language }.cost_sheet(&quote));
        assert_eq!(zh.len(), en.len());
        for line in zh.iter().chain(&en) {
            assert!(!line.contains(['{', '}', '_']), "{line}");
        }
        (zh.join("\n"), en.join("\n"))
    }

    // R42: what is paid, to whom, and what would come on top, whatever the plan says.
    #[test]
    fn each_way_to_charge_is_said_with_its_figures() {
        let fee = json!({ "kind": "flat_fee", "total_rate": 72_000_000, "timing": "with_first", "fee_rounding": "half_up" });
        let interest = json!({ "kind": "annuity", "annual": 86_000_000, "day_count": "actual/365" });
        let late = json!({
            "grace_days": 5, "fee": 1_000, "daily": 500_000, "from_due_date": true, "annual_cap": 240_000_000,
        });
        let conventions = "terms/conventions";
        let cases = [
            (
                json!({}),
                "没有利息和手续费。",
                "There is no interest and no fee.",
            ),
            (
                json!({ "price": 150_000 }),
                "首付 300.00 元",
                "of 1500.00 CNY you pay 300.00 CNY now",
            ),
            (
                json!({ "terms/pricing": fee }),
                "分期手续费：分期金额的 7.2%，首期一次收取，共 86.40 元。您承担 86.40 元",
                "7.2% of what is financed, all of it with the first instalment, 86.40 CNY in all",
            ),
            (
                json!({ "terms/pricing": fee, "terms/borne_by_seller": 1_000_000_000 }),
                "您承担 0.00 元，商家承担 86.40 元。收取方：anbank。\n正常履约时的年化综合融资成本：0.00%",
                "Without the store's share it would be 44.24% simple, 54.41% compounded.",
            ),
            (
                json!({ "terms/pricing": interest }),
                "年利率 8.6%（计息基础 actual/365）",
                "Interest: 8.6% a year on the principal that is outstanding (actual/365)",
            ),
            (
                json!({ format!("{conventions}/late"): late }),
                "到期后 5 天仍未还清的，每期 10.00 元",
                "if something is more than 5 days late, 0.05% a day (18.25% a year) on overdue principal, interest and \
                 fee, counted from the due date",
            ),
        ];
        for (change, in_chinese, in_english) in cases {
            let (zh, en) = sheet(&change);
            assert!(zh.contains(in_chinese), "{in_chinese}: {zh}");
            assert!(en.contains(in_english), "{in_english}: {en}");
        }
    }

    #[test]
    fn each_way_to_settle_early_is_said() {
        let methods = [
            (json!({ "kind": "waive_unaccrued" }), "and nothing on top"),
            (json!({ "kind": "actuarial" }), "the plan's own internal rate"),
            (
                json!({ "kind": "remaining_fee", "share": 250_000_000 }),
                "25% of the fees",
            ),
            (json!({ "kind": "flat", "fee": 5_000 }), "50.00 CNY on top"),
            (json!({ "kind": "rule_of78" }), "the rule of 78"),
        ];
        for (method, said) in methods {
            let (zh, en) = sheet(&json!({ "terms/conventions/settlement": method }));
            assert!(zh.contains("提前结清：") && en.contains(said), "{said}: {en}");
        }
    }
}
