//! The rules before and around a loan, seen from outside: tables, properties and the story's cases.

mod agreement;
mod eligibility;
mod market;
mod properties;
mod quote;
mod refusals;
