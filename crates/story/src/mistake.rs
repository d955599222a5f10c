//! What is wrong with a line of a scenario, and what was expected there.

use std::fmt;

/// A mistake in a scenario: where, what stands there, and what was expected (剧本错误).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What stands there; nothing at the end of the line.
    pub found: String,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.found.is_empty() {
            write!(f, "the line ends")?;
        } else {
            write!(f, "found “{}”", self.found)?;
        }
        write!(f, ", expected {}", self.expected)
    }
}
