//! Repaying: bills, payments, settlement, returns and refunds. Nothing here knows checkout, so that it runs without it.

pub mod answer_return;
pub mod bills;
pub mod bounce;
pub mod certificate;
pub mod debit;
pub mod mandate;
pub mod pay;
pub mod payments;
pub mod preview;
pub mod refund;
pub mod request_return;
pub mod settle;
pub mod why;
