//! What people read (文案): refusals with their advice, and messages, in Chinese and in English.
//!
//! The sentences stand in files beside this one; a sentence names a figure as `{field}`. Nothing personal is
//! filled in but amounts and dates of the person who reads it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fenqi_domain::calendar::add_days;
use fenqi_domain::id::{MessageId, ShopperId};
use fenqi_domain::money::point;
use fenqi_domain::payment::{Advice, FailureCode, Kind};
use fenqi_store::tables::messages::{self, NewMessage};
use fenqi_store::{Batch, vault};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::outcome::Denied;
use crate::{App, Moment};

mod cost_sheet;
mod explanation;
mod mistaken;
mod reader;

pub use explanation::{explanation, explanations, standing};
pub use mistaken::{Told, denied, mistake};
pub use reader::Reader;

/// A language that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese (简体中文).
    Zh,
    /// English.
    En,
}

static FAILURES: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("failures.toml")));
static MESSAGES: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("messages.toml")));

/// Why a payment did not succeed, and what the payer can do about it. Only the platform tries a debit again by itself.
pub fn failure(code: FailureCode, kind: Kind, language: Language) -> String {
    let say = |section: &str| FAILURES.say(section, language, &|_| String::new());
    let advice = match code.advice() {
        Advice::TopUp => "top_up",
        Advice::OtherCard => "other_card",
        Advice::AskBank => "ask_bank",
        Advice::SignMandate => "sign_mandate",
        Advice::Wait if kind == Kind::ByHand => "try_again",
        Advice::Wait => "wait",
    };
    let stop = if language == Language::Zh { "。" } else { ". " };
    [say(code.code()).as_str(), stop, say(advice).as_str()].concat()
}

/// What a message says.
pub fn message(template: &str, fields: &Value, language: Language) -> String {
    let empty = Map::new();
    let fields = fields.as_object().unwrap_or(&empty);
    MESSAGES.say(template, language, &|name| match fields.get(name) {
        Some(Value::Number(number)) if name == "days" => number.to_string(),
        Some(Value::Number(number)) => point(number.as_i64().unwrap_or_default(), 2),
        Some(Value::String(code)) if name == "code" => {
            failure(FailureCode::of_channel(code), Kind::Debit, language)
        }
        Some(Value::String(code)) if name == "currency" => reader::word("currency", code, language),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Queues a message: not outside contact hours, and not after it has lost its use.
pub(crate) async fn queue(
    app: &App,
    batch: &mut Batch,
    shopper: ShopperId,
    id: MessageId,
    template: &str,
    fields: &Value,
    moment: &Moment,
) -> Result<(), Denied> {
    let hours = app.configuration().await?.rules.contact_hours;
    let message = Message { id, template, fields };
    queue_within(app, hours, batch, shopper, &message, moment)
}

/// A message to be queued.
pub(crate) struct Message<'a> {
    /// Its identifier.
    pub id: MessageId,
    /// Which text.
    pub template: &'a str,
    /// What fills it.
    pub fields: &'a Value,
}

/// The number of what is said about one thing, an agreement for example, for one day: whatever happens, it is said once.
pub(crate) fn told_once(what: &str, about: impl std::fmt::Display, day: Date) -> MessageId {
    let hash = vault::hash(format!("{what}|{about}|{day}").as_bytes());
    MessageId::from_bits(
        hash.iter()
            .take(16)
            .fold(0, |bits, byte| (bits << 8) | u128::from(*byte)),
    )
}

/// As [`queue`], within contact hours that are known already.
pub(crate) fn queue_within(
    app: &App,
    hours: (i8, i8),
    batch: &mut Batch,
    shopper: ShopperId,
    message: &Message<'_>,
    moment: &Moment,
) -> Result<(), Denied> {
    let Message { id, template, fields } = *message;
    let send_after = within_hours(app, moment, hours)?;
    let new = NewMessage {
        id,
        template,
        channel: "sms",
        at: moment.now,
        send_after,
        expires_at: app.instant_of(add_days(app.day_of(send_after), 3)?, 0),
    };
    messages::waiting(batch, shopper, &new, fields);
    Ok(())
}

// R54: nothing is sent outside the hours of contact
/// The first instant from now on that lies within contact hours.
fn within_hours(app: &App, moment: &Moment, (from, until): (i8, i8)) -> Result<Timestamp, Denied> {
    let hour = app.zone.to_datetime(moment.now).hour();
    Ok(if hour < from {
        app.instant_of(moment.today, from)
    } else if hour >= until {
        app.instant_of(add_days(moment.today, 1)?, from)
    } else {
        moment.now
    })
}

/// Sentences by code and language, read from a file of sections.
struct Catalogue(BTreeMap<String, [String; 2]>);

impl Catalogue {
    fn read(text: &str) -> Catalogue {
        let mut sections: BTreeMap<String, [String; 2]> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                current = name.to_owned();
            } else if let Some((key, value)) = line.split_once(" = ") {
                let value = value.trim_matches('"').to_owned();
                let entry = sections.entry(current.clone()).or_default();
                let [zh, en] = entry;
                match key {
                    "zh" => *zh = value,
                    _ => *en = value,
                }
            }
        }
        Catalogue(sections)
    }

    /// Whether there is a sentence for a code.
    fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }

    /// The sentence with its figures filled in; a code without a sentence is said as the code itself.
    fn say(&self, code: &str, language: Language, field: &dyn Fn(&str) -> String) -> String {
        let Some([zh, en]) = self.0.get(code) else {
            return code.to_owned();
        };
        let sentence = if language == Language::Zh { zh } else { en };
        let mut said = String::with_capacity(sentence.len());
        let mut rest = sentence.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            said.push_str(&field(name));
            rest = behind;
        }
        said.push_str(rest);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R37: whoever's payment failed is told why, and what helps.
    #[test]
    fn every_failure_of_a_payment_is_said_in_both_languages_with_what_helps() {
        for code in FailureCode::ALL {
            let languages = [Language::Zh, Language::En];
            for (kind, language) in [Kind::Debit, Kind::ByHand]
                .map(|k| languages.map(|l| (k, l)))
                .concat()
            {
                let said = failure(code, kind, language);
                assert!(!said.contains('_') && said.len() > 20, "{}: {said}", code.code());
            }
        }
        let down = |kind| failure(FailureCode::ChannelDown, kind, Language::En);
        assert!(down(Kind::Debit).ends_with("it is tried again"));
        assert!(down(Kind::ByHand).ends_with("Please try again in a little while"));
        let fields = serde_json::json!({ "amount": 35_729, "currency": "CNY", "code": "card_expired" });
        assert_eq!(
            message("debit_failed", &fields, Language::En),
            "Today's debit of 357.29 CNY did not succeed, and nothing was taken: the card has expired. Please pay from \
             another card."
        );
    }
}
