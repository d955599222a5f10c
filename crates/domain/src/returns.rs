//! Returns (退货): a state of their own, between the wish to give goods back and the refund.
//!
//! While one is open, nothing is debited, charged for lateness or chased for that order; other orders run on. A seller
//! who stays silent past the date for an answer does not win by it: the platform decides.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::id::{AgreementId, RefundId, ReturnId, ShopperId};
use crate::money::Amount;
use crate::refusal::Refusal;

/// A return (退货单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Its identifier.
    pub id: ReturnId,
    /// Who returns.
    pub shopper: ShopperId,
    /// The agreement under which the goods were bought.
    pub agreement: AgreementId,
    /// The goods.
    pub lines: Vec<ReturnLine>,
    /// The financed part of their price.
    pub amount: Amount,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// By when the seller must answer.
    pub answer_by: Timestamp,
    /// How it stands.
    pub state: State,
    /// The row's version, which each change raises by one.
    pub version: i64,
}

/// Goods of one line that go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// The article number.
    pub sku: String,
    /// How many.
    pub quantity: u32,
}

/// How a return stands (退货状态).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// The seller has to answer.
    Requested,
    /// The seller stayed silent; the platform decides.
    Escalated {
        /// Since when.
        at: Timestamp,
    },
    /// The goods may go back; the refund is to be made.
    Accepted {
        /// When.
        at: Timestamp,
        /// Whether fees that were paid go back too: a return of everything, or the seller's fault.
        with_paid_fees: bool,
    },
    /// The refund was made.
    Refunded {
        /// When.
        at: Timestamp,
        /// Which.
        refund: RefundId,
    },
    /// It was refused.
    Rejected {
        /// When.
        at: Timestamp,
        /// Why, in words for the shopper.
        why: String,
    },
    /// The shopper took it back.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// The word in rows and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Escalated { .. } => "escalated",
            State::Accepted { .. } => "accepted",
            State::Refunded { .. } => "refunded",
            State::Rejected { .. } => "rejected",
            State::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Whether debits, late charges and dunning of the order rest.
    pub const fn pauses(&self) -> bool {
        matches!(
            self,
            State::Requested | State::Escalated { .. } | State::Accepted { .. }
        )
    }
}

impl Return {
    /// The seller, or the platform after a silence, accepts.
    ///
    /// # Errors
    /// [`Refusal::ReturnNotOpen`] if it was rejected or withdrawn.
    pub fn accept(self, with_paid_fees: bool, at: Timestamp) -> Result<Change<Return>, Refusal> {
        match self.state {
            State::Requested | State::Escalated { .. } => {
                Ok(self.becomes(State::Accepted { at, with_paid_fees }))
            }
            State::Accepted { .. } | State::Refunded { .. } => Ok(Change::AlreadyMade),
            State::Rejected { .. } | State::Withdrawn { .. } => Err(Refusal::ReturnNotOpen),
        }
    }

    /// The seller, or the platform after a silence, refuses.
    ///
    /// # Errors
    /// [`Refusal::ReturnNotOpen`] if it was accepted or withdrawn.
    pub fn reject(self, why: String, at: Timestamp) -> Result<Change<Return>, Refusal> {
        match self.state {
            State::Requested | State::Escalated { .. } => Ok(self.becomes(State::Rejected { at, why })),
            State::Rejected { .. } => Ok(Change::AlreadyMade),
            State::Accepted { .. } | State::Refunded { .. } | State::Withdrawn { .. } => {
                Err(Refusal::ReturnNotOpen)
            }
        }
    }

    /// The shopper takes it back.
    ///
    /// # Errors
    /// [`Refusal::ReturnNotOpen`] if it was rejected or refunded.
    pub fn withdraw(self, at: Timestamp) -> Result<Change<Return>, Refusal> {
        match self.state {
            State::Requested | State::Escalated { .. } | State::Accepted { .. } => {
                Ok(self.becomes(State::Withdrawn { at }))
            }
            State::Withdrawn { .. } => Ok(Change::AlreadyMade),
            State::Rejected { .. } | State::Refunded { .. } => Err(Refusal::ReturnNotOpen),
        }
    }

    /// The refund was made.
    ///
    /// # Errors
    /// [`Refusal::ReturnNotOpen`] unless it was accepted.
    pub fn refunded(self, refund: RefundId, at: Timestamp) -> Result<Change<Return>, Refusal> {
        match self.state {
            State::Accepted { .. } => Ok(self.becomes(State::Refunded { at, refund })),
            State::Refunded { refund: made, .. } if made == refund => Ok(Change::AlreadyMade),
            _ => Err(Refusal::ReturnNotOpen),
        }
    }

    /// Time passes: a seller who is silent at the date for an answer has had their say.
    pub fn escalate(self, now: Timestamp) -> Change<Return> {
        match self.state {
            State::Requested if now >= self.answer_by => {
                let at = self.answer_by;
                self.becomes(State::Escalated { at })
            }
            _ => Change::AlreadyMade,
        }
    }

    /// The return in another state.
    fn becomes(self, state: State) -> Change<Return> {
        Change::Made(Return {
            state,
            version: self.version.saturating_add(1),
            ..self
        })
    }
}
