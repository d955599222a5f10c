//! Instalment plans: flat fees, level payments, equal principal.

use fenqi_domain::amortisation::{self, Division, Figures, FlatFee, Row, Table};
use fenqi_domain::fraction::Fraction;
use fenqi_domain::money::{Amount, OutOfRange, Remainder, Rounding, point};
use serde_json::{Value, json};

use super::fields::{Fields, Wrong};

/// The most instalments: a hundred years of months.
pub const COUNT_MAX: u16 = 1_200;

/// Names of roundings.
const ROUNDINGS: &[(&str, Rounding)] = &[
    ("floor", Rounding::Down),
    ("down", Rounding::Down),
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
    ("ceil", Rounding::Up),
    ("up", Rounding::Up),
];

/// A way to price a plan.
#[derive(Clone, Copy)]
enum Method {
    FlatFee,
    Annuity,
    EqualPrincipal,
}

/// The rows of a plan and what they come to.
pub fn read(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    let methods = [
        ("flat_fee", Method::FlatFee),
        ("annuity", Method::Annuity),
        ("equal_principal", Method::EqualPrincipal),
    ];
    let method = fields.word("method", &methods)?;
    let plan = [
        "principal",
        "count",
        "currency_digits",
        "annual_rate",
        "rate_per_period",
        "division",
        "remainder",
    ];
    let with_fee: Vec<&str> = plan
        .into_iter()
        .chain(["total_fee_rate", "fee_rounding"])
        .collect();
    match method {
        Method::FlatFee => fields.only("instalments flat_fee", &with_fee)?,
        Method::Annuity => fields.only("instalments annuity", &plan)?,
        Method::EqualPrincipal => fields.only("instalments equal_principal", &plan)?,
    }
    let digits = fields.whole_or("currency_digits", 0..=6, 2)?;
    let principal = fields.amount("principal", digits)?;
    let count = fields.whole("count", 1..=COUNT_MAX)?;
    let table = match method {
        Method::FlatFee => flat_fee(fields, principal, count)?,
        Method::Annuity => {
            let figures = figures(fields, Rounding::HalfUp, &[("last", Remainder::Last)])?;
            amortisation::annuity(principal, rate_per_period(fields)?, count, figures)
        }
        Method::EqualPrincipal => {
            let figures = figures(fields, Rounding::Down, ENDS)?;
            amortisation::equal_principal(principal, rate_per_period(fields)?, count, figures)
        }
    };
    Ok(shown(&table.map_err(|error| unfit(fields, error))?, digits))
}

/// The instalment that takes what a division leaves.
const ENDS: &[(&str, Remainder)] = &[("first", Remainder::First), ("last", Remainder::Last)];

/// A plan whose fee is a share of the principal: in all, a year, or a period.
fn flat_fee(fields: &Fields, principal: Amount, count: u16) -> Result<Result<Table, OutOfRange>, Wrong> {
    let division = Division {
        rounding: fields.word_or("division", ROUNDINGS, Rounding::Down)?,
        remainder: fields.word_or("remainder", ENDS, Remainder::First)?,
    };
    let rounding = fields.word_or("fee_rounding", ROUNDINGS, Rounding::HalfUp)?;
    let rounded = |rate: Fraction| rate.of(principal, rounding).map_err(|error| unfit(fields, error));
    let fee = match one_of(fields, &["total_fee_rate", "annual_rate", "rate_per_period"])? {
        "total_fee_rate" => FlatFee::Whole(rounded(fields.rate("total_fee_rate")?)?),
        "rate_per_period" => FlatFee::EachPeriod(rounded(fields.rate("rate_per_period")?)?),
        _ => {
            let rate = monthly(fields)?.times(u64::from(count));
            FlatFee::Whole(rounded(rate.map_err(|error| unfit(fields, error))?)?)
        }
    };
    Ok(amortisation::flat_fee(principal, fee, count, division))
}

/// The rate of a period: as it stands, or a twelfth of the annual one.
pub fn rate_per_period(fields: &Fields) -> Result<Fraction, Wrong> {
    match one_of(fields, &["annual_rate", "rate_per_period"])? {
        "rate_per_period" => fields.rate("rate_per_period"),
        _ => monthly(fields),
    }
}

/// A twelfth of the annual rate.
fn monthly(fields: &Fields) -> Result<Fraction, Wrong> {
    let annual = fields.rate("annual_rate")?;
    annual
        .over(12)
        .map_err(|error| fields.wrong("annual_rate", error))
}

/// The one of some fields that is there; two of them would contradict each other.
fn one_of<'n>(fields: &Fields, names: &[&'n str]) -> Result<&'n str, Wrong> {
    let mut there = names.iter().filter(|name| fields.has(name));
    let all = names.join(", ");
    match (there.next(), there.next()) {
        (Some(name), None) => Ok(name),
        (Some(_), Some(second)) => Err(fields.wrong(second, format!("is one too many; write one of {all}"))),
        (None, _) => {
            let first = names.first().copied().unwrap_or_default();
            Err(fields.wrong(first, format!("is missing; one of {all} is expected")))
        }
    }
}

/// How figures are rounded: each for itself, unless the line says who takes what is left.
fn figures(fields: &Fields, usual: Rounding, ends: &[(&str, Remainder)]) -> Result<Figures, Wrong> {
    let rounding = fields.word_or("division", ROUNDINGS, usual)?;
    if !fields.has("remainder") {
        return Ok(Figures::Each);
    }
    let remainder = fields.word("remainder", ends)?;
    Ok(Figures::Settled(Division { rounding, remainder }))
}

/// What does not fit is the principal, whose size decides it.
fn unfit(fields: &Fields, error: OutOfRange) -> Wrong {
    fields.wrong("principal", format!("with these terms {error}"))
}

/// A table as JSON.
fn shown(table: &Table, digits: u8) -> Vec<(&'static str, Value)> {
    let text = |amount: Amount| json!(point(amount.minor(), digits));
    let row = |row: &Row| {
        json!({
            "principal": text(row.principal),
            "interest": text(row.interest),
            "fee": text(row.fee),
            "due": text(row.due),
            "outstanding": text(row.outstanding),
        })
    };
    vec![
        ("rows", Value::Array(table.rows.iter().map(row).collect())),
        ("total_fee", text(table.fees)),
        ("total_interest", text(table.interest)),
    ]
}
