//! What a refusal speaks of, where it may be one of several things.

use serde::{Deserialize, Serialize};

/// What there is already, or what must lie within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A seller's order number.
    Order,
    /// A card of the shopper.
    Card,
    /// An account with this phone.
    Phone,
    /// An account with this identity number.
    IdNumber,
    /// A freeze of the account.
    Freeze,
    /// An account in good standing.
    GoodStanding,
    /// The limit that the institution set.
    Limit,
    /// The limit that the shopper set for themself.
    OwnLimit,
    /// An approval of the institution that still stands.
    Approval,
    /// An open dispute about the same agreement.
    Dispute,
    /// A payment that was entered with the same proof.
    Proof,
    /// What takes a transaction back.
    TakenBack,
    /// An amount.
    Amount,
}

impl What {
    /// All of them.
    pub const ALL: [What; 13] = [
        What::Order,
        What::Card,
        What::Phone,
        What::IdNumber,
        What::Freeze,
        What::GoodStanding,
        What::Limit,
        What::OwnLimit,
        What::Approval,
        What::Dispute,
        What::Proof,
        What::TakenBack,
        What::Amount,
    ];

    /// The word in rows, answers and texts.
    pub const fn code(self) -> &'static str {
        match self {
            What::Order => "order",
            What::Card => "card",
            What::Phone => "phone",
            What::IdNumber => "id_number",
            What::Freeze => "freeze",
            What::GoodStanding => "good_standing",
            What::Limit => "limit",
            What::OwnLimit => "own_limit",
            What::Approval => "approval",
            What::Dispute => "dispute",
            What::Proof => "proof",
            What::TakenBack => "taken_back",
            What::Amount => "amount",
        }
    }
}

impl super::Refusal {
    /// There is one already.
    pub const fn exists(what: What) -> super::Refusal {
        super::Refusal::AlreadyExists { what, which: None }
    }
}
