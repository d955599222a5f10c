//! What the binary `fenqi` is made of, where other programs of the house need it too.

pub mod bench;
pub mod calc;
pub mod data;
pub mod input;
pub mod market;
pub mod simulate;
pub mod stage;
pub mod story;
pub mod wiring;
