//! Days: counts between two of them, unit-periods, and dates months and years away.

use fenqi_domain::annex_i::Rhythm;
use fenqi_domain::calendar::{add_months, days_between};
use fenqi_domain::day_count::{Convention, Counted};
use fenqi_domain::fraction::Fraction;
use fenqi_domain::money::OutOfRange;
use fenqi_domain::unit_period::UnitPeriod;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::fields::{Fields, Wrong};

/// Digits of fractions after the point.
const DIGITS: u8 = 15;

/// A convention by its name; some need more fields.
#[derive(Clone, Copy)]
enum Named {
    Plain(Convention),
    EurobondIsda,
    Icma,
    AnnexI,
}

/// The names of the conventions, in lower case and with dashes; `act` is read as `actual`.
const CONVENTIONS: &[(&str, Named)] = &[
    ("actual/365", Named::Plain(Convention::Actual365)),
    ("actual/365f", Named::Plain(Convention::Actual365)),
    ("actual/365-fixed", Named::Plain(Convention::Actual365)),
    ("actual/360", Named::Plain(Convention::Actual360)),
    ("actual/365.25", Named::Plain(Convention::Actual36525)),
    ("uk-365.25", Named::Plain(Convention::Actual36525)),
    ("nl/365", Named::Plain(Convention::NoLeap365)),
    ("actual/actual-isda", Named::Plain(Convention::ActualActualIsda)),
    ("actual/actual-icma", Named::Icma),
    ("actual/actual-isma", Named::Icma),
    ("actual/actual-afb", Named::Plain(Convention::ActualActualAfb)),
    ("30/360", Named::Plain(Convention::BondBasis)),
    ("30/360-bond-basis", Named::Plain(Convention::BondBasis)),
    ("30/360-isda", Named::Plain(Convention::BondBasis)),
    ("30e/360", Named::Plain(Convention::Eurobond)),
    ("30e/360-isda", Named::EurobondIsda),
    ("30u/360", Named::Plain(Convention::BondBasisUs)),
    ("30/360-us", Named::Plain(Convention::BondBasisUs)),
    ("30e+/360", Named::Plain(Convention::EurobondPlus)),
    ("30/365", Named::Plain(Convention::Eurobond365)),
    ("yearfrac-0", Named::Plain(Convention::BondBasisUs)),
    ("yearfrac-1", Named::Plain(Convention::ActualActualYearfrac)),
    ("yearfrac-2", Named::Plain(Convention::Actual360)),
    ("yearfrac-3", Named::Plain(Convention::Actual365)),
    ("yearfrac-4", Named::Plain(Convention::Eurobond)),
    ("eu-apr-annex1", Named::AnnexI),
];

/// Days and the part of a year between two of them.
pub fn day_count(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    let named = convention(fields)?;
    let plain = ["convention", "start", "end"];
    let with = |more: &[&'static str]| plain.iter().chain(more).copied().collect::<Vec<_>>();
    let allowed = match named {
        Named::Plain(_) => with(&[]),
        Named::EurobondIsda => with(&["termination_date"]),
        Named::Icma => with(&["coupon_months", "coupon_date"]),
        Named::AnnexI => with(&["every_months", "payment_day"]),
    };
    fields.only("day_count in this convention", &allowed)?;
    let (start, end) = period(fields)?;
    let counted = match named {
        Named::Plain(convention) => convention.count(start, end),
        Named::EurobondIsda => {
            let ends_all = fields.has("termination_date") && fields.date("termination_date")? == end;
            Convention::EurobondIsda { ends_all }.count(start, end)
        }
        Named::Icma => {
            let periods = "a part of twelve: 1, 2, 3, 4, 6 or 12";
            let months = fields.whole("coupon_months", 1..=12u8)?;
            if 12u8.checked_rem(months) != Some(0) {
                return Err(fields.wrong(
                    "coupon_months",
                    format!("{months} is not allowed; write {periods}"),
                ));
            }
            let coupon_on = if fields.has("coupon_date") {
                fields.date("coupon_date")?
            } else {
                start
            };
            Convention::ActualActualIcma { months, coupon_on }.count(start, end)
        }
        Named::AnnexI => {
            let rhythm = Rhythm::Months(fields.whole_or("every_months", 1..=1_200u16, 1)?);
            let years = rhythm.years_between(start, end, fields.payment_day()?);
            years.map(|years| Counted {
                days: days_between(start, end),
                years,
            })
        }
    };
    let counted = counted.map_err(|error| fields.wrong("end", error))?;
    Ok(vec![
        ("days", json!(counted.days)),
        ("year_fraction", decimal(fields, counted.years)?),
    ])
}

/// The convention that the line names, however it is spelt.
fn convention(fields: &Fields) -> Result<Named, Wrong> {
    let name = fields.text("convention", "the name of a day count such as \"actual/365\"")?;
    let plain = name.trim().to_lowercase().replace(['_', ' '], "-");
    let plain = match plain.split_once('/') {
        Some(("act", "act")) => "actual/actual".to_owned(),
        Some(("act", year)) => format!("actual/{}", year.replacen("act-", "actual-", 1)),
        _ => plain,
    };
    let found = CONVENTIONS.iter().find(|(word, _)| *word == plain);
    found.map(|(_, named)| *named).ok_or_else(|| {
        let allowed = CONVENTIONS
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", ");
        fields.wrong(
            "convention",
            format!("{name:.40?} is not known; allowed: {allowed}"),
        )
    })
}

/// Whole unit-periods between two days and the fraction before them.
pub fn unit_periods(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    fields.only("unit_periods", &["start", "end", "unit_period", "payment_day"])?;
    let (start, end) = period(fields)?;
    let payment_day = fields.payment_day()?;
    let told = |error: OutOfRange| fields.wrong("end", error);
    let unit = match unit_period(fields)? {
        Some(unit) => unit,
        None => UnitPeriod::of_term(start, end, payment_day).map_err(told)?,
    };
    let elapsed = unit.between(start, end, payment_day).map_err(told)?;
    Ok(vec![
        ("whole", json!(elapsed.whole)),
        ("fraction", decimal(fields, elapsed.fraction)?),
    ])
}

/// The unit-period that the line names; none if it is the term of the loan, whatever that is.
pub fn unit_period(fields: &Fields) -> Result<Option<UnitPeriod>, Wrong> {
    /// What a unit-period is made of.
    #[derive(Clone, Copy)]
    enum Base {
        Day,
        Week,
        HalfMonth,
        Month,
        Year,
        Term,
    }
    let bases = [
        ("day", Base::Day),
        ("week", Base::Week),
        ("semimonth", Base::HalfMonth),
        ("month", Base::Month),
        ("year", Base::Year),
        ("term", Base::Term),
    ];
    let expected = "an object such as {\"base\": \"month\", \"multiple\": 1}";
    let unit = fields.object("unit_period", expected)?;
    unit.only("a unit-period", &["base", "multiple", "days"])?;
    let base = unit.word("base", &bases)?;
    if unit.has("days") {
        if !matches!(base, Base::Day | Base::Term) {
            return Err(unit.wrong("days", "is allowed with the base day or term; write multiple"));
        }
        if unit.has("multiple") {
            return Err(unit.wrong("multiple", "is one too many beside days"));
        }
        return unit
            .whole("days", 1..=366)
            .map(|days| Some(UnitPeriod::Days(days)));
    }
    Ok(match base {
        Base::Day => Some(UnitPeriod::Days(unit.whole_or("multiple", 1..=366, 1)?)),
        Base::Week => Some(UnitPeriod::Weeks(unit.whole_or("multiple", 1..=52, 1)?)),
        Base::Month => Some(match unit.whole_or("multiple", 1..=12, 1)? {
            12 => UnitPeriod::Year,
            months => UnitPeriod::Months(months),
        }),
        Base::HalfMonth | Base::Year | Base::Term => {
            unit.whole_or("multiple", 1..=1, 1)?;
            match base {
                Base::HalfMonth => Some(UnitPeriod::HalfMonth),
                Base::Year => Some(UnitPeriod::Year),
                _ => None,
            }
        }
    })
}

/// The day so many months or years away.
pub fn add_period(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    fields.only("add_period", &["date", "add", "unit"])?;
    let anchor = fields.date("date")?;
    let months = fields.word("unit", &[("month", 1), ("year", 12)])?;
    let add: i32 = fields.whole("add", -12_000..=12_000)?;
    let reached = add_months(anchor, add.saturating_mul(months));
    let reached = reached.map_err(|_| fields.wrong("add", "leads out of the years -9999 to 9999"))?;
    Ok(vec![("date", json!(reached.to_string()))])
}

/// The start and the end, in this order.
fn period(fields: &Fields) -> Result<(Date, Date), Wrong> {
    let (start, end) = (fields.date("start")?, fields.date("end")?);
    if end < start {
        return Err(fields.wrong(
            "end",
            format!("{end} is before the start, {start}; write the earlier day as start"),
        ));
    }
    Ok((start, end))
}

/// A fraction as a decimal string.
fn decimal(fields: &Fields, fraction: Fraction) -> Result<Value, Wrong> {
    let text = fraction.decimal(DIGITS);
    text.map(Value::String)
        .map_err(|error| fields.wrong("end", error))
}
