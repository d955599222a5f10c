//! Buying: offers, identity, application, card, signature, confirmation, capture. Nothing here knows repayment.

pub mod agree;
pub mod apply;
pub mod bind_card;
pub mod cancel;
pub mod capture;
pub mod confirm;
pub mod cost_sheet;
pub mod name_contact;
pub mod offer;
pub mod open_account;
pub mod quote;
pub mod sign;
pub mod verify_identity;
