//! What a use case answers: done, done before, or one of the kinds of no.

use std::fmt;

use fenqi_domain::actor::NotYours;
use fenqi_domain::allowed::Allowed;
use fenqi_domain::loan::Broken;
use fenqi_domain::money::OutOfRange;
use fenqi_domain::refusal::Refusal;
use fenqi_store::{CommitError, Fault};

use crate::mistake::{Invalid, Mistake};
use crate::texts;

/// A command's answer: it was made now, or the same request had made it before. Both carry the same reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// Made now.
    Made(T),
    /// Made before under the same key; nothing happened again.
    AlreadyMade(T),
}

impl<T> Change<T> {
    /// The reply, whichever it was.
    pub fn reply(self) -> T {
        match self {
            Change::Made(reply) | Change::AlreadyMade(reply) => reply,
        }
    }
}

/// A command that was not carried out. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// A business answer, with its reasons and what would help.
    Refused(Box<Refusal>),
    /// It does not exist, or the actor may not see it; to the outside there is no difference.
    NotFound,
    /// The command itself is wrong: each field with what was wrong and what is allowed.
    Invalid(Vec<Invalid>),
    /// The key was used for another command.
    KeyReused,
    /// Something broke; the caller may try again.
    Fault(Fault),
}

impl Denied {
    /// The stable code, in lower case with underscores; of wrong fields each has its own as well.
    pub fn code(&self) -> &'static str {
        match self {
            Denied::Refused(refusal) => refusal.code(),
            Denied::NotFound => "not_found",
            Denied::Invalid(_) => "invalid",
            Denied::KeyReused => "key_reused",
            Denied::Fault(Fault::Busy { .. }) => "busy",
            Denied::Fault(_) => "fault",
        }
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied::Refused(Box::new(refusal))
    }
}

impl From<fenqi_domain::refusal::Denied> for Denied {
    fn from(denied: fenqi_domain::refusal::Denied) -> Denied {
        match denied {
            fenqi_domain::refusal::Denied::Refused(refusal) => refusal.into(),
            fenqi_domain::refusal::Denied::OutOfRange(error) => error.into(),
        }
    }
}

impl From<NotYours> for Denied {
    fn from(_: NotYours) -> Denied {
        Denied::NotFound
    }
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Denied {
        Denied::Fault(fault)
    }
}

impl From<OutOfRange> for Denied {
    fn from(error: OutOfRange) -> Denied {
        Denied::Fault(Fault::Corrupt {
            statement: "rules",
            what: error.to_string(),
        })
    }
}

impl From<Broken> for Denied {
    fn from(error: Broken) -> Denied {
        Denied::Fault(Fault::Corrupt {
            statement: "loan",
            what: error.to_string(),
        })
    }
}

impl From<CommitError> for Denied {
    /// For commits without guards that stand for a business answer.
    fn from(error: CommitError) -> Denied {
        match error {
            CommitError::Refused(_) => Denied::Fault(Fault::Busy { retry_after_ms: 100 }),
            CommitError::Fault(fault) => Denied::Fault(fault),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Refused(refusal) => write!(f, "refused: {}", refusal.code()),
            Denied::NotFound => f.write_str("not found"),
            Denied::Invalid(fields) => {
                let listed: Vec<String> = fields
                    .iter()
                    .map(|wrong| texts::mistake(wrong, texts::Language::En).says)
                    .collect();
                f.write_str(&listed.join(" "))
            }
            Denied::KeyReused => {
                f.write_str("the idempotency key was used for another command; use a new key")
            }
            Denied::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Denied {}

/// A client's idempotency key (幂等键): 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Reads a key.
    pub fn parse(text: &str) -> Result<Key, Denied> {
        if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Denied::invalid(
                "/idempotency_key",
                Mistake::not(Allowed::Key, text),
            ));
        }
        Ok(Key(text.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_not_too_long() {
        assert!(Key::parse("order-77").is_ok());
        for wrong in ["", "a b", "钥", &"x".repeat(256)] {
            assert!(matches!(Key::parse(wrong), Err(Denied::Invalid(_))), "{wrong:?}");
        }
    }
}
