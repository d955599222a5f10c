//! Agreements (分期合同) and the stages that one purchase goes through.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::{AgreementId, OrderId, QuoteId, ShopperId};
use crate::money::Amount;
use crate::plan::Terms;

/// Where an agreement stands (合同状态). Lateness is not a stage: it follows from dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// Signed and confirmed; the limit is held until goods are captured (待发货).
    Confirmed {
        /// What is still held.
        held: Amount,
        /// When the hold ends.
        expires_at: Timestamp,
    },
    /// Goods were captured; the loan runs (还款中).
    Active {
        /// What is still held for goods that did not ship yet.
        held: Amount,
        /// How the institution's money stands.
        funding: Funding,
    },
    /// Nothing is owed any more (已结清).
    Settled {
        /// Since when.
        on: Date,
        /// Whether before the last due date.
        early: bool,
        /// How the institution's money stands.
        funding: Funding,
    },
    /// It ended before anything was captured (已取消).
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        why: Ending,
    },
}

/// Why an agreement ended without a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The store or the shopper cancelled.
    Cancelled,
    /// The hold ran out.
    Expired,
    /// The institution would not fund it.
    NotFunded,
}

/// How the institution's money for the seller stands (放款状态).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "funding")]
pub enum Funding {
    /// To be asked for.
    Waiting,
    /// Asked for, and not answered so far: the only way on is to ask how it stands.
    Asked {
        /// When first.
        at: Timestamp,
    },
    /// The institution paid the seller.
    Funded {
        /// Its own reference.
        reference: String,
        /// When.
        at: Timestamp,
    },
}

/// One line of an order that is financed (融资商品行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The article number.
    pub sku: String,
    /// How many.
    pub quantity: u32,
    /// The price of all of them.
    pub price: Amount,
    /// How much of the price is financed.
    pub financed: Amount,
}

/// An agreement (分期合同).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its identifier.
    pub id: AgreementId,
    /// Whose it is.
    pub shopper: ShopperId,
    /// Who lends.
    pub institution: String,
    /// Who sells.
    pub seller: String,
    /// The plan and its version.
    pub plan: String,
    /// The plan's version.
    pub plan_version: u32,
    /// The store's order.
    pub order: OrderId,
    /// The quote that was signed.
    pub quote: QuoteId,
    /// The financed lines.
    pub lines: Vec<OrderLine>,
    /// The terms as signed.
    pub terms: Terms,
    /// Where it stands.
    pub stage: Stage,
    /// The digest of what was shown, signed and billed.
    pub digest: String,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// The row's version, which each change raises by one.
    pub version: i64,
}
