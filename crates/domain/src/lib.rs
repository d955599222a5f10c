//! The rules of buying in instalments (分期付款).
//!
//! This crate decides and never acts: time, randomness and identifiers come in as arguments, and nothing here can read
//! a clock, a file, a socket or a random order. It does not panic, does not index, and computes money in checked
//! integers; the annual-rate solver in [`annual_rate`] is the one module that uses floats.
#![no_std]
extern crate alloc;

pub mod actor;
pub mod agreement;
pub mod allocation;
pub mod allowed;
pub mod amortisation;
pub mod annex_i;
pub mod annual_rate;
pub mod application;
pub mod asset_class;
pub mod bill;
pub mod bureau;
pub mod calendar;
pub mod card;
pub mod change;
pub mod consent;
pub mod cost;
pub mod credit;
pub mod credit_code;
pub mod day_count;
pub mod delinquency;
pub mod eligibility;
pub mod evidence;
pub mod explain;
pub mod fraction;
pub mod id;
pub mod identity;
pub mod late;
pub mod ledger;
mod level;
pub mod loan;
pub mod market;
pub mod money;
pub mod payment;
pub mod pii;
pub mod plan;
mod present_value;
pub mod quote;
pub mod refund;
pub mod refusal;
pub mod returns;
pub mod schedule;
pub mod servicing;
pub mod settlement;
pub mod standing;
mod steps;
pub mod unit_period;
mod wide;
