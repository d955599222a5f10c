//! Who asks (操作者): a value that each use case checks once, at its top.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ShopperId;

/// What an actor may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See plans, prices and reasons.
    Offer,
    /// Buy for the shopper that the actor is.
    Buy,
    /// See and pay what the shopper that the actor is owes.
    Repay,
    /// Capture, cancel and refund orders of the store.
    Orders,
    /// Change institutions, plans, products, sellers, regions, windows and notices.
    Configure,
    /// Change limits, holds and standing of shoppers.
    Accounts,
    /// Decide disputes, temporary arrangements and waivers.
    Care,
    /// Approve what another proposed.
    Approve,
    /// Run jobs.
    Work,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Actor {
    /// A shopper, for what is their own.
    Shopper {
        /// Who.
        id: ShopperId,
    },
    /// A store's server, for the orders that it sells.
    Store {
        /// The seller's code.
        seller: String,
    },
    /// A member of staff, with the scopes that they were given.
    Staff {
        /// Their account's name.
        name: String,
        /// What they may do.
        scopes: Vec<Scope>,
    },
    /// A job of the platform.
    Job {
        /// Its name.
        name: String,
    },
}

/// The actor may not see what was asked for. To the outside this is "not found" and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotYours;

impl Actor {
    /// Whether the actor has the scope at all.
    pub fn may(&self, scope: Scope) -> bool {
        match self {
            Actor::Shopper { .. } => matches!(scope, Scope::Offer | Scope::Buy | Scope::Repay),
            Actor::Store { .. } => matches!(scope, Scope::Offer | Scope::Orders),
            Actor::Staff { scopes, .. } => scopes.contains(&scope),
            Actor::Job { .. } => scope == Scope::Work,
        }
    }

    /// The check at the top of a use case that has no owner.
    pub fn require(&self, scope: Scope) -> Result<(), NotYours> {
        if self.may(scope) { Ok(()) } else { Err(NotYours) }
    }

    /// The check at the top of a use case on what belongs to a shopper: the shopper, or staff with the scope. A store is
    /// never asked by name: what it may see of a shopper it sees in the shopper's own session, as that shopper.
    pub fn require_for(&self, shopper: ShopperId, scope: Scope) -> Result<(), NotYours> {
        match self {
            Actor::Shopper { id } if *id != shopper => Err(NotYours),
            Actor::Store { .. } => Err(NotYours),
            _ => self.require(scope),
        }
    }

    /// The check at the top of a use case on what belongs to a seller: that store, or staff with the scope.
    pub fn require_seller(&self, seller: &str, scope: Scope) -> Result<(), NotYours> {
        match self {
            Actor::Store { seller: own } if own != seller => Err(NotYours),
            _ => self.require(scope),
        }
    }

    /// The name that stands in the audit trail and in the scope of idempotency keys.
    pub fn principal(&self) -> String {
        match self {
            Actor::Shopper { id } => alloc::format!("{id}"),
            Actor::Store { seller } => alloc::format!("store:{seller}"),
            Actor::Staff { name, .. } => alloc::format!("staff:{name}"),
            Actor::Job { name } => alloc::format!("job:{name}"),
        }
    }
}
