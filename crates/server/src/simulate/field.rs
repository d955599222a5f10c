//! Reading a case file field by field, so that every error names the place by a JSON pointer.

use std::ops::RangeInclusive;

use fenqi_domain::calendar::parse_date;
use fenqi_domain::money::{Amount, Currency, Money, NumberError, Rate};
use jiff::civil::Date;
use serde_json::Value;

/// An object of the file, and where it stands.
pub struct Fields<'a> {
    value: &'a Value,
    at: String,
}

/// A sentence that begins with a JSON pointer.
pub type Read<T> = Result<T, String>;

impl<'a> Fields<'a> {
    /// An object at a place.
    pub fn new(value: &'a Value, at: impl Into<String>) -> Fields<'a> {
        Fields { value, at: at.into() }
    }

    /// Its place.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// A field, if it is there and not null.
    pub fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.value.get(name).filter(|v| !v.is_null())
    }

    /// An object in it.
    pub fn object(&self, name: &'static str) -> Option<Fields<'a>> {
        self.get(name)
            .map(|v| Fields::new(v, format!("{}/{name}", self.at)))
    }

    /// The items of a list in it, each with its place.
    pub fn list(&self, name: &'static str) -> Vec<(&'a Value, String)> {
        let items = self.get(name).and_then(Value::as_array);
        let items = items.into_iter().flatten().enumerate();
        items
            .map(|(place, v)| (v, format!("{}/{name}/{place}", self.at)))
            .collect()
    }

    /// A text, if it is there.
    pub fn text(&self, name: &'static str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A text or a number, as it is written, if it is there: nothing else is read past.
    fn said(&self, name: &'static str) -> Read<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// Yes or no, if it is there.
    pub fn flag(&self, name: &'static str) -> Read<Option<bool>> {
        let value = self
            .get(name)
            .map(|v| v.as_bool().ok_or_else(|| self.wrong(name, "true or false")));
        value.transpose()
    }

    /// A text that must be there.
    pub fn need(&self, name: &'static str) -> Read<&'a str> {
        self.text(name)
            .ok_or_else(|| format!("{}/{name}: is missing, or not a text", self.at))
    }

    /// A date that must be there.
    pub fn date(&self, name: &'static str) -> Read<Date> {
        self.date_if(name)?
            .ok_or_else(|| format!("{}/{name}: is missing; write a date such as 2024-01-31", self.at))
    }

    /// A date, if it is there.
    pub fn date_if(&self, name: &'static str) -> Read<Option<Date>> {
        let parsed = self.get(name).map(|value| {
            let text = value.as_str().unwrap_or_default();
            parse_date(text).map_err(|e| format!("{}/{name}: {value} {e}", self.at))
        });
        parsed.transpose()
    }

    /// An amount that must be there.
    pub fn money(&self, name: &'static str, currency: Currency) -> Read<Amount> {
        let parsed = Money::parse(self.need(name)?, currency);
        let amount = parsed
            .map(|m| m.amount)
            .map_err(|e| format!("{}/{name}: {e}", self.at))?;
        if amount.is_positive() {
            Ok(amount)
        } else {
            Err(self.wrong(name, "an amount above zero"))
        }
    }

    /// A percentage, zero if it is not there.
    pub fn rate(&self, name: &'static str) -> Read<Rate> {
        let said = self.said(name)?;
        let parsed = Rate::from_percent(said.as_deref().unwrap_or("0"));
        parsed.map_err(|e| match e {
            NumberError::TooLarge => self.wrong(name, "a percentage from 0 to 10000, such as 8.6"),
            other => format!("{}/{name}: {other}", self.at),
        })
    }

    /// A whole number, zero if it is not there.
    pub fn count(&self, name: &'static str) -> Read<u16> {
        let value = self.get(name);
        let number = match value {
            None => Some(0),
            Some(Value::String(text)) => text.parse().ok(),
            Some(other) => other.as_u64().and_then(|n| u16::try_from(n).ok()),
        };
        number.ok_or_else(|| self.wrong(name, "a whole number from 0 to 65535"))
    }

    /// A whole number within bounds, if it is there.
    pub fn count_in(&self, name: &'static str, allowed: RangeInclusive<u16>) -> Read<Option<u16>> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        let bounds = || format!("a whole number from {} to {}", allowed.start(), allowed.end());
        let number = self.count(name).map_err(|_| self.wrong(name, &bounds()))?;
        if allowed.contains(&number) {
            Ok(Some(number))
        } else {
            Err(self.wrong(name, &bounds()))
        }
    }

    /// A whole number within bounds that must be there.
    pub fn need_count(&self, name: &'static str, allowed: RangeInclusive<u16>) -> Read<u16> {
        let missing = || {
            let (least, most) = (allowed.start(), allowed.end());
            format!(
                "{}/{name}: is missing; write a whole number from {least} to {most}",
                self.at
            )
        };
        self.count_in(name, allowed.clone())?.ok_or_else(missing)
    }

    /// A word out of a table, or the default if it is not there.
    pub fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)], default: T) -> Read<T> {
        let Some(text) = self.said(name)? else {
            return Ok(default);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("{}/{name}: is {text:?}; known are {}", self.at, known.join(", "))
        })
    }

    /// Says that a field is not what it should be.
    pub fn wrong(&self, name: &str, allowed: &str) -> String {
        format!("{}/{name}: write {allowed}", self.at)
    }

    /// Says that a field asks for what is not there yet.
    pub fn unsupported(&self, name: &str, what: &str) -> String {
        format!("{}/{name}: {what} is not supported yet", self.at)
    }
}
