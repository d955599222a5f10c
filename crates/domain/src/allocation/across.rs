//! Across agreements (民法典 560): which of several debts a payment is for.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::AgreementId;
use crate::money::{Amount, OutOfRange};

/// What one agreement owes, for a payment that may be for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The agreement.
    pub agreement: AgreementId,
    /// The due date of the oldest that is open.
    pub due_on: Date,
    /// What is due of it.
    pub due: Amount,
    /// The most that a payment for it can be: the settlement figure of the day, at least what is due.
    pub most: Amount,
}

/// The part of a payment that goes to one agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The agreement.
    pub agreement: AgreementId,
    /// How much.
    pub amount: Amount,
}

// R34: one payment over the orders that are chosen
/// Spreads a payment over agreements (民法典 560): those the payer chose, in the order of the choice, each up to what is
/// due and then, in the same order, up to what it can take. Without a choice what is due is met, the earliest due first,
/// and debts of one day in proportion. An agreement that is chosen twice is chosen once: it owes what it owes. Says what
/// could not be placed.
///
/// # Errors
/// [`OutOfRange`] if the debts do not fit together.
pub fn across(
    debts: &[Debt],
    chosen: &[AgreementId],
    amount: Amount,
) -> Result<(Vec<Share>, Amount), OutOfRange> {
    if chosen.is_empty() {
        return by_due_date(debts, amount);
    }
    let mut shares: Vec<Share> = Vec::with_capacity(chosen.len());
    let mut left = amount;
    let mut picked: Vec<&Debt> = Vec::with_capacity(chosen.len());
    for id in chosen {
        let debt = debts.iter().find(|d| d.agreement == *id);
        picked.extend(debt.filter(|_| picked.iter().all(|d| d.agreement != *id)));
    }
    for debt in &picked {
        let part = debt.due.min(left);
        left = left.minus(part)?;
        shares.push(Share {
            agreement: debt.agreement,
            amount: part,
        });
    }
    for (share, debt) in shares.iter_mut().zip(&picked) {
        let part = debt.most.minus_or_zero(share.amount)?.min(left);
        share.amount = share.amount.plus(part)?;
        left = left.minus(part)?;
    }
    shares.retain(|s| s.amount.is_positive());
    Ok((shares, left))
}

/// What is due, the earliest due first, debts of one day in proportion.
fn by_due_date(debts: &[Debt], amount: Amount) -> Result<(Vec<Share>, Amount), OutOfRange> {
    let mut sorted: Vec<&Debt> = debts.iter().filter(|d| d.due.is_positive()).collect();
    sorted.sort_by_key(|d| (d.due_on, d.agreement));
    let mut shares = Vec::with_capacity(sorted.len());
    let mut left = amount;
    for day in sorted.chunk_by(|a, b| a.due_on == b.due_on) {
        let dues: Vec<Amount> = day.iter().map(|d| d.due).collect();
        let used = Amount::sum(dues.iter().copied())?.min(left);
        for (debt, part) in day.iter().zip(used.by_weights(&dues)?) {
            if part.is_positive() {
                shares.push(Share {
                    agreement: debt.agreement,
                    amount: part,
                });
            }
        }
        left = left.minus(used)?;
    }
    Ok((shares, left))
}
