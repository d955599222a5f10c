//! The strings by which a scenario moves the world outside (外部世界的控制): given by who made that world.

use std::fmt;

use crate::language::{Record, Wrong};
use fenqi_app::repayment::bounce::BankNotice;
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
    /// The bank takes back a payment of this number.
    Bounce {
        /// The payment's number.
        number: String,
        /// When.
        at: Timestamp,
    },
    /// The business clock was moved.
    Time(Timestamp),
}

/// Moves the world outside; an error says why it could not be moved so.
pub type Mover = dyn Fn(&Cue) -> Result<(), String> + Send + Sync;

/// Reads every message that arrived at a phone, oldest first.
pub type Reader = dyn Fn(&str) -> Vec<Arrived> + Send + Sync;

/// Hands over what the bank channel has to say of its own accord, each notice as often as it is sent.
pub type Postbox = dyn Fn() -> Vec<BankNotice> + Send + Sync;

/// What the world outside is to the player.
pub struct Control {
    /// Moves it.
    pub cue: Box<Mover>,
    /// Reads what people got from it.
    pub messages: Box<Reader>,
    /// Hands over the bank's notices.
    pub notices: Box<Postbox>,
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// `sms`, `push`, `email` or `in_app`.
    pub channel: String,
    /// What it says.
    pub text: String,
    /// When it arrived.
    pub at: Timestamp,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}
