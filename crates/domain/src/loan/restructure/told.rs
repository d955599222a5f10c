//! Why rows owe what was spread over them.

use alloc::vec;
use alloc::vec::Vec;

use crate::explain::trace::{Number, Trace};
use crate::explain::{Explanation, Name};
use crate::loan::build::told::{multiple, shared};
use crate::loan::state::Standing;
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;

/// An amount that is spread in equal shares, as one row takes its own.
pub(super) struct Spread {
    /// All of it.
    pub all: Amount,
    /// What the rows before left.
    pub left: Amount,
    /// Over how many rows.
    pub parts: i64,
    /// Whether the row is the last of them, which takes what is left.
    pub is_last: bool,
    /// Shares are multiples of this, if it is anything.
    pub multiple: Amount,
}

impl Spread {
    /// Tells why the row owes its share, if somebody asks.
    pub fn tell(
        &self,
        trace: Option<&mut Trace>,
        standing: &mut Standing,
        component: Component,
    ) -> Result<(), OutOfRange> {
        let Some(trace) = trace else {
            return Ok(());
        };
        let all = Explanation::given(Name::Spread, self.all);
        let (rest, each) = shared(all, self.left, self.parts)?;
        let why = if self.is_last {
            rest
        } else {
            let each = multiple(Name::EqualPart, each, self.multiple)?.at_most(rest)?;
            Explanation::sum(Name::EqualPart, vec![each], Vec::new())?
        };
        trace.mark(standing);
        trace.tell(standing.mark, component, Number::Charged, why);
        Ok(())
    }
}
