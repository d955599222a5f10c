//! A credit line (额度): how much a shopper may owe one institution at one time, and why it is what it is.

use alloc::string::String;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, OutOfRange};

/// A credit line (授信额度).
///
/// `held` is kept apart from `used` because goods may ship days after the confirmation, and the shopper must not spend
/// the same yuan twice meanwhile. Invariant: `used + held <= limit`, except after the limit was lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The institution.
    pub institution: String,
    /// The limit that the institution granted.
    pub limit: Amount,
    /// A lower limit that the shopper set for themself, if any (R28).
    pub own_limit: Option<Amount>,
    /// Confirmed and not yet captured.
    pub held: Amount,
    /// Outstanding principal.
    pub used: Amount,
    /// The last day on which it may be used for new purchases.
    pub expires_on: Date,
}

/// Why a line changed (额度变动原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitEvent {
    /// The institution granted it.
    Granted,
    /// Raised.
    Raised,
    /// Lowered; existing agreements stay as they are.
    Lowered,
    /// A purchase was confirmed.
    Held,
    /// A hold became use: goods were captured.
    Used,
    /// A hold ended without use.
    HoldReleased,
    /// Principal was repaid.
    Repaid,
    /// Principal went away by a refund.
    Refunded,
    /// A repayment bounced, so that the principal is owed again.
    RepaymentReversed,
}

/// One line of a limit's timeline (额度变动明细).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChange {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub event: LimitEvent,
    /// By how much: of the limit for `Granted`, `Raised`, `Lowered`, else of what is held or used.
    pub amount: Amount,
    /// What was left afterwards.
    pub available: Amount,
}

impl Line {
    /// What may still be spent; negative after a cut (R20).
    pub fn available(&self) -> Result<Amount, OutOfRange> {
        let limit = self.own_limit.map_or(self.limit, |own| own.min(self.limit));
        limit.minus(self.used)?.minus(self.held)
    }
}
