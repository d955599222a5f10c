//! The rules of a running loan, seen from outside: golden figures, tables and properties.

mod bills;
mod books;
mod golden;
mod lateness;
mod lives;
mod payments;
mod properties;
mod terms;
