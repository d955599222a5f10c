//! The strings by which a scenario moves the world outside (外部世界的控制): given by who made that world.

use std::fmt;

use crate::language::{Record, Wrong};
use fenqi_domain::money::Amount;
use jiff::Timestamp;

/// One pull on the world outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// A person exists, with what they really earn.
    Person {
        /// Their name.
        name: String,
        /// Their identity number.
        id_number: String,
        /// What they earn in a month.
        income: Amount,
    },
    /// What a person earns from now on.
    Income {
        /// Whose.
        id_number: String,
        /// How much.
        income: Amount,
    },
    /// What the bureau knows of a person.
    Record {
        /// Of whom.
        id_number: String,
        /// What.
        record: Record,
    },
    /// Whether a face is recognised.
    Face {
        /// Whose.
        id_number: String,
        /// Whether.
        is_recognised: bool,
    },
    /// What is on a card, which is made if there is none.
    Balance {
        /// The card's token.
        token: String,
        /// Whose it is, by identity number.
        holder: String,
        /// What is on it.
        balance: Amount,
    },
    /// With which code a card refuses, if it does.
    Condition {
        /// The card's token.
        token: String,
        /// The code.
        refuses_with: Option<String>,
    },
    /// A party is off the net.
    Down {
        /// Which.
        party: String,
    },
    /// A party is back, and behaves.
    Up {
        /// Which.
        party: String,
    },
    /// The next calls of a party go wrong.
    Wrong {
        /// Which party.
        party: String,
        /// Which operation, by its word.
        operation: String,
        /// How many calls.
        times: u32,
        /// How.
        how: Wrong,
    },
    /// The business clock was moved.
    Time(Timestamp),
}

/// What the world outside is to the player: a way to move it, and a way to read what people got from it.
pub struct Control {
    /// Moves it; an error says why it could not be.
    pub cue: Box<dyn Fn(&Cue) -> Result<(), String> + Send + Sync>,
    /// Every message that arrived at a phone, oldest first.
    pub messages: Box<dyn Fn(&str) -> Vec<Arrived> + Send + Sync>,
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// `sms`, `push`, `email` or `in_app`.
    pub channel: String,
    /// What it says.
    pub text: String,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}
