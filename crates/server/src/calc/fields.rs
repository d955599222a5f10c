//! Fields of a JSON object, each read with what is allowed there and named if it is wrong.

use std::fmt::Display;
use std::ops::RangeInclusive;

use fenqi_domain::calendar::parse_date;
use fenqi_domain::fraction::Fraction;
use fenqi_domain::money::{AMOUNT_MAX, Amount, point};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::COMMON;

/// What is wrong with a field: where (a JSON pointer), what was found, and what is allowed.
pub struct Wrong(pub String);

/// Digits that a decimal may have on either side of its point.
const DIGITS_MAX: usize = 15;

/// The largest rate: 100,000 %.
const RATE_MAX: u128 = 1_000;

/// A decimal as it was written.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    places: u8,
}

/// The fields of an object within the line.
pub struct Fields<'a> {
    fields: &'a Map<String, Value>,
    /// The pointer to the object.
    at: String,
}

impl<'a> Fields<'a> {
    /// The fields of a whole line.
    pub fn new(fields: &'a Map<String, Value>) -> Fields<'a> {
        let at = String::new();
        Fields { fields, at }
    }

    /// What is wrong with a field, as a sentence that begins with what was found.
    pub fn wrong(&self, name: &str, what: impl Display) -> Wrong {
        Wrong(format!("{}/{name}: {what}", self.at))
    }

    /// Whether the field is there.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Refuses fields that have no meaning here; `of` says where that is.
    pub fn only(&self, of: &str, allowed: &[&str]) -> Result<(), Wrong> {
        let common = if self.at.is_empty() { COMMON } else { &[] };
        let is_known = |name: &&String| allowed.contains(&name.as_str()) || common.contains(&name.as_str());
        match self.fields.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                let pointed = name.replace('~', "~0").replace('/', "~1");
                let allowed = allowed.join(", ");
                Err(self.wrong(&pointed, format!("is no field of {of}; allowed: {allowed}")))
            }
        }
    }

    /// The field, or what is expected of it.
    fn get(&self, name: &str, expected: &str) -> Result<&'a Value, Wrong> {
        self.fields
            .get(name)
            .ok_or_else(|| self.wrong(name, format!("is missing; {expected} is expected")))
    }

    /// An object.
    pub fn object(&self, name: &str, expected: &str) -> Result<Fields<'a>, Wrong> {
        match self.get(name, expected)? {
            Value::Object(fields) => Ok(Fields {
                fields,
                at: format!("{}/{name}", self.at),
            }),
            other => Err(self.wrong(
                name,
                format!("{} is no object; {expected} is expected", shown(other)),
            )),
        }
    }

    /// A list of objects, each with its fields.
    pub fn list(&self, name: &str, expected: &str) -> Result<Vec<Fields<'a>>, Wrong> {
        let Value::Array(items) = self.get(name, expected)? else {
            return Err(self.wrong(name, format!("is no list; {expected} is expected")));
        };
        let item = |(place, item): (usize, &'a Value)| match item {
            Value::Object(fields) => Ok(Fields {
                fields,
                at: format!("{}/{name}/{place}", self.at),
            }),
            other => Err(self.wrong(
                &format!("{name}/{place}"),
                format!("{} is no object; {expected} is expected", shown(other)),
            )),
        };
        items.iter().enumerate().map(item).collect()
    }

    /// A text.
    pub fn text(&self, name: &str, expected: &str) -> Result<&'a str, Wrong> {
        match self.get(name, expected)? {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(
                name,
                format!("{} is no text; {expected} is expected", shown(other)),
            )),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Wrong> {
        let allowed = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let expected = || format!("one of {}", allowed());
        let text = self.text(name, &expected())?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let found = shown(&Value::from(text));
            self.wrong(name, format!("{found} is not known; allowed: {}", allowed()))
        })
    }

    /// One of a few words, or what holds without it.
    pub fn word_or<T: Copy>(&self, name: &str, words: &[(&str, T)], otherwise: T) -> Result<T, Wrong> {
        if self.has(name) {
            self.word(name, words)
        } else {
            Ok(otherwise)
        }
    }

    /// A whole number within a range.
    pub fn whole<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<T, Wrong>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let value = self.get(name, &expected)?;
        value
            .as_i64()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.wrong(name, format!("{} is not allowed; write {expected}", shown(value))))
    }

    /// A whole number within a range, or what holds without it.
    pub fn whole_or<T>(&self, name: &str, range: RangeInclusive<T>, otherwise: T) -> Result<T, Wrong>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        if self.has(name) {
            self.whole(name, range)
        } else {
            Ok(otherwise)
        }
    }

    /// A day.
    pub fn date(&self, name: &str) -> Result<Date, Wrong> {
        let text = self.text(name, "a day such as \"2026-11-20\"")?;
        parse_date(text).map_err(|error| self.wrong(name, format!("{} {error}", shown(&Value::from(text)))))
    }

    /// The day of the month that a contract names, if the line does.
    pub fn payment_day(&self) -> Result<Option<u8>, Wrong> {
        if self.has("payment_day") {
            self.whole("payment_day", 1..=31).map(Some)
        } else {
            Ok(None)
        }
    }

    /// An amount in units of a currency with so many digits.
    pub fn amount(&self, name: &str, digits: u8) -> Result<Amount, Wrong> {
        let decimal = self.decimal(name)?;
        let text = || point(AMOUNT_MAX, digits);
        if decimal.places > digits {
            return Err(self.wrong(name, format!("has more than {digits} digits after the point")));
        }
        let minor = decimal
            .in_units(digits)
            .and_then(|minor| i64::try_from(minor).ok());
        minor
            .filter(|minor| *minor <= AMOUNT_MAX)
            .map(Amount::from_minor)
            .ok_or_else(|| self.wrong(name, format!("is too large; at most {} is allowed", text())))
    }

    /// An amount without a currency, in units of 10⁻¹⁵.
    pub fn flow(&self, name: &str) -> Result<i128, Wrong> {
        self.decimal(name)?
            .in_units(15)
            .and_then(|units| i128::try_from(units).ok())
            .ok_or_else(|| self.wrong(name, "is too large"))
    }

    /// A rate: 0.049 is 4.9 %.
    pub fn rate(&self, name: &str) -> Result<Fraction, Wrong> {
        let decimal = self.decimal(name)?;
        let one = 10u128.pow(u32::from(decimal.places));
        let too_large = || {
            self.wrong(
                name,
                format!("is too large; a rate is at most {RATE_MAX}, and 0.049 is 4.9 %"),
            )
        };
        if decimal.digits > one.saturating_mul(RATE_MAX) {
            return Err(too_large());
        }
        u64::try_from(decimal.digits)
            .ok()
            .zip(u64::try_from(one).ok())
            .and_then(|(above, below)| Fraction::new(above, below).ok())
            .ok_or_else(too_large)
    }

    /// A decimal string of zero or more.
    fn decimal(&self, name: &str) -> Result<Decimal, Wrong> {
        let expected = "a decimal string such as \"1000.00\"";
        let text = self.text(name, expected)?;
        let found = || shown(&Value::from(text));
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_plain(whole) || !is_plain(part) {
            let what = format!(
                "{} is no decimal of zero or more; {expected} is expected",
                found()
            );
            return Err(self.wrong(name, what));
        }
        let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
        if whole.len() > DIGITS_MAX || part.len() > DIGITS_MAX {
            let what = format!(
                "{} has too many digits; {DIGITS_MAX} are allowed before the point and {DIGITS_MAX} after it",
                found()
            );
            return Err(self.wrong(name, what));
        }
        let digits = format!("0{whole}{part}").parse().unwrap_or(0);
        let places = u8::try_from(part.len()).unwrap_or(u8::MAX);
        Ok(Decimal { digits, places })
    }
}

impl Decimal {
    /// The same as a whole number of units with so many digits.
    fn in_units(self, digits: u8) -> Option<u128> {
        let more = u32::from(digits.checked_sub(self.places)?);
        self.digits.checked_mul(10u128.checked_pow(more)?)
    }
}

/// What was found, no longer than one wants to read.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
