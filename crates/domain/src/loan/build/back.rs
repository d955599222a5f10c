//! Money that was handed back, where interest is scheduled and reckoned anew: it counts until its day, and not from then on.

use crate::loan::build::Builder;
use crate::loan::build::spans::Spans;
use crate::loan::state::Flow;
use crate::money::{Amount, OutOfRange};
use crate::servicing::Excess;

impl Builder<'_> {
    /// Hands money back before a due date: what came early in the period first, then what rows were paid. From its day on
    /// all of it earns again, and what is overdue by it as long as other overdue principal does.
    pub(super) fn back_early(
        &mut self,
        flow: &Flow,
        early: &mut [Flow],
        overdue: &mut Amount,
        spans: &mut Spans,
    ) -> Result<(), OutOfRange> {
        let all = Amount::ZERO.minus(flow.amount)?;
        let left = less(early.iter_mut().map(|f| &mut f.amount), all)?;
        let before = self.open()?;
        let asked_later = self.unmeet(left)?;
        let late = self.open()?.minus(before)?;
        *overdue = overdue.plus(late)?;
        spans.change(flow.on, all.minus(left)?.plus(asked_later)?.plus(late)?);
        Ok(())
    }

    /// Takes back what rows were paid, the last row first, and in each what was beyond its instalment first: rows to come
    /// ask for that again. Says how much they do.
    pub(super) fn unmeet(&mut self, amount: Amount) -> Result<Amount, OutOfRange> {
        let (mut left, mut asked_later) = (amount, Amount::ZERO);
        let more_to_come = self.rows.len() < self.periods.len();
        for row in self.rows.iter_mut().rev() {
            if more_to_come {
                let part = row.beyond.min(left);
                row.beyond = row.beyond.minus(part)?;
                row.planned.principal = row.planned.principal.minus(part)?;
                row.met.principal = row.met.principal.minus(part)?;
                asked_later = asked_later.plus(part)?;
                left = left.minus(part)?;
            }
            for component in self.order.iter().rev() {
                let part = row.met.of(*component).min(left);
                row.met.add(*component, Amount::ZERO.minus(part)?)?;
                row.open.add(*component, part)?;
                left = left.minus(part)?;
            }
        }
        self.balance = self.balance.plus(asked_later)?;
        self.taken = self.taken.minus(asked_later)?;
        self.carried = self.carried.minus_or_zero(asked_later)?;
        if asked_later.is_positive() && self.servicing.excess == Some(Excess::LowerInstalment) {
            self.instalment = self.level(self.balance, self.rows.len())?;
        }
        Ok(asked_later)
    }

    /// Whether any of the money that came by a day was handed back on it or later.
    pub(super) fn is_handed_back(&self, flow: &Flow) -> bool {
        let paid = self.course.paid.iter();
        paid.filter(|f| f.amount.is_negative()).any(|f| f.on >= flow.on)
    }
}

/// Makes amounts less, the last first, by so much in all; says what is left.
pub(super) fn less<'a>(
    amounts: impl DoubleEndedIterator<Item = &'a mut Amount>,
    by: Amount,
) -> Result<Amount, OutOfRange> {
    let mut left = by;
    for amount in amounts.rev() {
        let part = left.min(*amount);
        *amount = amount.minus(part)?;
        left = left.minus(part)?;
    }
    Ok(left)
}
