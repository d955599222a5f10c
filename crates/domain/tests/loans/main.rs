//! The rules of a running loan, seen from outside: golden figures, tables and properties.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that fails may stop where it stands; what tests are built from is not seen as test code by the lints"
)]
#![expect(
    clippy::inconsistent_digit_grouping,
    reason = "107_20 is 107.20 yuan: the last group is fen"
)]

mod bills;
mod books;
mod built;
mod bureau;
mod changes;
mod explained;
mod golden;
mod handed_back;
mod lateness;
mod lives;
mod on_balance;
mod orders;
mod owed_later;
mod payments;
mod properties;
mod recorded;
mod refunds;
mod scheduled;
mod serviced;
mod serviced_books;
mod serviced_kept;
mod serviced_properties;
mod servicing;
mod spread_anew;
mod terms;
