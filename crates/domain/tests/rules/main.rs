//! The rules before and around a loan, seen from outside: tables, properties and the story's cases.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "what cannot be fails the test"
)]

mod agreement;
mod dates;
mod digest;
mod eligibility;
mod figures;
mod figures_properties;
mod golden;
mod market;
mod money;
mod properties;
mod quote;
mod refusals;
mod remedies;
