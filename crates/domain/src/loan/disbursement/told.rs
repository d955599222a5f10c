//! Why what was lent makes the rows owe what they do.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::explain::trace::{Number, Trace};
use crate::explain::{Explanation, Factor, Name};
use crate::loan::build::told::{multiple, shared};
use crate::loan::life::Origin;
use crate::loan::state::State;
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::Component;
use crate::servicing::Servicing;

/// Tells why the day's new row for a down payment owes what it does.
pub(super) fn down_payment(
    state: &mut State<'_>,
    servicing: &Servicing,
    amount: Amount,
) -> Result<(), OutOfRange> {
    let on = state.day;
    let Some(trace) = &mut state.trace else {
        return Ok(());
    };
    let is_new = |s: &&mut crate::loan::state::Standing| s.origin == Origin::DownPayment && s.mark == 0;
    for standing in state.rows.iter_mut().filter(is_new) {
        let lent = Explanation::given(Name::Lent { on }, amount);
        let factors = vec![Factor::Rate {
            rate: servicing.down_payment,
        }];
        let exact = Explanation::product(Name::DownPayment, lent, factors, Rounding::HalfEven)?;
        let why = multiple(Name::DownPayment, exact, servicing.multiple)?;
        trace.mark(standing);
        trace.tell(standing.mark, Component::Principal, Number::Charged, why);
    }
    Ok(())
}

/// A share of what was lent over rows without interest, as [`super::share`] gives it to one of them.
pub(super) struct Share {
    /// How much was lent.
    pub amount: Amount,
    /// When.
    pub on: Date,
    /// Over how many rows.
    pub parts: i64,
    /// What the row owed before.
    pub before: Amount,
    /// What the rows before it left.
    pub left: Amount,
    /// Whether it is the last of them, which takes all of that.
    pub is_last: bool,
}

impl Share {
    /// Tells why the row owes more.
    pub(super) fn tell(&self, trace: &mut Trace, row: u32, of: Amount) -> Result<(), OutOfRange> {
        let lent = Explanation::given(Name::Lent { on: self.on }, self.amount);
        let (rest, each) = shared(lent, self.left, self.parts)?;
        let why = if self.is_last {
            rest
        } else {
            let before = Explanation::given(Name::Before, self.before);
            let all = Explanation::sum(Name::NewPrice, vec![before.clone(), each], Vec::new())?;
            let all = multiple(Name::NewPrice, all, of)?;
            Explanation::sum(Name::EqualPart, vec![all], vec![before])?.at_most(rest)?
        };
        trace.tell(row, Component::Principal, Number::Charged, why);
        Ok(())
    }
}
