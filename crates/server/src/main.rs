//! The binary `fenqi`.
fn main() {}
