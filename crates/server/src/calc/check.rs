//! Checks of numbers: people's, organisations', cards'.

use fenqi_domain::card;
use fenqi_domain::credit_code::CreditCode;
use fenqi_domain::identity::IdNumber;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::fields::{Fields, Wrong};

/// A kind of number.
#[derive(Clone, Copy)]
enum Kind {
    ResidentId,
    CreditCode,
    Card,
}

/// Whether a number is well formed; what is wrong with it is a reason and not an error, and never repeats the number.
pub fn read(fields: &Fields, today: Date) -> Result<Vec<(&'static str, Value)>, Wrong> {
    fields.only("check", &["kind", "number"])?;
    let kinds = [
        ("resident_id", Kind::ResidentId),
        ("credit_code", Kind::CreditCode),
        ("card", Kind::Card),
    ];
    let kind = fields.word("kind", &kinds)?;
    let number = fields.text("number", "a number as a text")?;
    let reason = match kind {
        Kind::ResidentId => match IdNumber::parse(number, today) {
            Ok(id) => {
                let born_on = id.born_on.reveal().to_string();
                return Ok(vec![("valid", json!(true)), ("birth_date", json!(born_on))]);
            }
            Err(error) => Some(error.to_string()),
        },
        Kind::CreditCode => CreditCode::parse(number).err().map(|e| e.to_string()),
        Kind::Card => card::check(number).err().map(|e| e.to_string()),
    };
    Ok(match reason {
        None => vec![("valid", json!(true))],
        Some(reason) => vec![("valid", json!(false)), ("reason", json!(reason))],
    })
}
