//! Why rows owe what was spread over them.

use alloc::vec;
use alloc::vec::Vec;

use crate::explain::trace::{Number, Trace};
use crate::explain::{Explanation, Factor, Name};
use crate::loan::build::told::multiple;
use crate::loan::state::Standing;
use crate::money::{Amount, OutOfRange, Rounding};
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
        let others = Explanation::given(Name::OtherInstalments, self.all.minus(self.left)?);
        let rest = Explanation::sum(Name::Rest, vec![all.clone()], vec![others])?;
        let why = if self.is_last {
            rest
        } else {
            let factors = vec![Factor::Share {
                part: 1,
                whole: self.parts,
            }];
            let each = Explanation::product(Name::EqualPart, all, factors, Rounding::HalfEven)?;
            let each = multiple(Name::EqualPart, each, self.multiple)?.at_most(rest)?;
            Explanation::sum(Name::EqualPart, vec![each], Vec::new())?
        };
        trace.mark(standing);
        trace.tell(standing.mark, component, Number::Charged, why);
        Ok(())
    }
}
