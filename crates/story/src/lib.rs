//! The language of scenarios (剧本): plain text that reads like a story, and its player.
//!
//! A scenario is a file of lines. Each command says who does what; the lines below it that begin with `->` are what is
//! expected to be seen. The page `docs/reference/story.md` shows every form.

mod control;
pub mod language;
mod mistake;
mod parse;
mod player;
mod scenario;
mod words;

pub use control::{Arrived, Control, Cue};
pub use mistake::Mistake;
pub use player::{Player, UNPLAYABLE};
pub use scenario::{Difference, Scenario, Step};
