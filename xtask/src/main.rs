//! Checks and tasks.
fn main() {}
