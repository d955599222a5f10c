//! What is owed, or given back, when a loan ends early.

use fenqi_domain::amortisation;
use fenqi_domain::money::{Amount, OutOfRange, point};
use serde_json::{Value, json};

use super::fields::{Fields, Wrong};
use super::instalments::{COUNT_MAX, rate_per_period};

/// Digits after the point where the line does not say what its currency has.
const DIGITS: u8 = 6;

/// A way to reckon it.
#[derive(Clone, Copy)]
enum Method {
    RuleOf78,
    Actuarial,
}

/// The rebate or the outstanding principal; rounded to the currency's digits if these are given, else unrounded to six.
pub fn read(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    let methods = [("rule_of_78", Method::RuleOf78), ("actuarial", Method::Actuarial)];
    let method = fields.word("method", &methods)?;
    let (name, found, digits) = match method {
        Method::RuleOf78 => {
            let allowed = ["finance_charge", "count", "unpaid", "currency_digits"];
            fields.only("payoff rule_of_78", &allowed)?;
            let digits = fields.whole_or("currency_digits", 0..=6, DIGITS)?;
            let charge = amount(fields, "finance_charge", digits)?;
            let count = fields.whole("count", 1..=COUNT_MAX)?;
            let unpaid = fields.whole("unpaid", 0..=count)?;
            ("rebate", amortisation::rule_of_78(charge, count, unpaid), digits)
        }
        Method::Actuarial => {
            let allowed = [
                "principal",
                "annual_rate",
                "rate_per_period",
                "count",
                "paid",
                "currency_digits",
            ];
            fields.only("payoff actuarial", &allowed)?;
            let digits = fields.whole_or("currency_digits", 0..=6, DIGITS)?;
            let principal = amount(fields, "principal", digits)?;
            let rate = rate_per_period(fields)?;
            let count = fields.whole("count", 1..=COUNT_MAX)?;
            let paid = fields.whole("paid", 0..=count)?;
            let left = amortisation::outstanding(principal, rate, count, paid);
            ("outstanding", left, digits)
        }
    };
    let told = |error: OutOfRange| fields.wrong("method", error);
    Ok(vec![(name, json!(point(found.map_err(told)?.minor(), digits)))])
}

/// An amount in minor units of so many digits.
fn amount(fields: &Fields, name: &str, digits: u8) -> Result<Amount, Wrong> {
    fields.amount(name, digits)
}
