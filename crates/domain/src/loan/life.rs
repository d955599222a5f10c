//! The life of a loan (借款全貌): besides how it stands, where its rows come from and what each transaction did.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::loan::state::State;
use crate::loan::{Broken, Event, Intent, Loan, Parts, Transaction, fold};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::{Component, Terms};
use crate::servicing::Until;

/// Why a row is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was agreed.
    Agreed,
    /// The part of a disbursement that is due on its day.
    DownPayment,
    /// Something came to be owed after the last due date.
    Extra,
    /// What was open was spread anew.
    Reaged,
}

/// What is known of a row beside its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Why it is there.
    pub origin: Origin,
    /// The day on which its period began.
    pub from: Date,
    /// What of it was paid before its day.
    pub ahead: Amount,
    /// What of it was paid after its day.
    pub late: Amount,
    /// What came to be owed in it beside the plan: charges, and what was charged back.
    pub added: Parts,
}

/// What one transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub number: u32,
    /// How much moved in all.
    pub amount: Amount,
    /// What it paid, or what came to be owed again by it.
    pub parts: Parts,
    /// What was left over for the payer; of what is owed again, what a credit balance met.
    pub over: Amount,
    /// Principal that was open after it.
    pub principal: Amount,
}

/// A loan with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The loan as it stands.
    pub loan: Loan,
    /// What is known of its rows, one for each.
    pub notes: Vec<Note>,
    /// What each transaction did, in the order in which they count.
    pub records: Vec<Record>,
}

/// The loan on a day, with its history.
///
/// # Errors
/// As [`fold`](fn@super::fold).
pub fn life(terms: &Terms, transactions: &[Transaction], as_of: Date) -> Result<Life, Broken> {
    let mut state = fold::run(terms, transactions, as_of)?;
    super::overdue::count(&mut state)?;
    let notes = state
        .rows
        .iter()
        .map(|s| Note {
            origin: s.origin,
            from: s.from,
            ahead: s.ahead,
            late: s.late_paid,
            added: s.added,
        })
        .collect();
    let records = core::mem::take(&mut state.records);
    let loan = state.into_loan()?;
    Ok(Life { loan, notes, records })
}

/// What pays everything off on a day, interest as far as the agreement takes it on an early payment: who pays it owes
/// nothing, and has nothing left over.
///
/// # Errors
/// As [`fold`](fn@super::fold).
pub fn quote(terms: &Terms, transactions: &[Transaction], on: Date) -> Result<Amount, Broken> {
    let mut state = fold::run(terms, transactions, on)?;
    super::overdue::count(&mut state)?;
    crate::late::charge(&mut state)?;
    let mut open = state.open()?;
    let recalculation = terms.conventions.recalculation();
    if let (Some(recalculation), Some(accrual)) = (recalculation, &state.accrual) {
        let until = match recalculation.until {
            Until::PaymentDay => on,
            Until::PeriodEnd => accrual.period_end(on),
        };
        open.interest = interest_open(&state, until)?;
    }
    let asked = open.total()?.minus_or_zero(state.credit)?;
    Ok(asked.minus(falls_away(&state, asked)?)?)
}

/// By how much less than a figure settles everything; less than nothing if more is needed. Rows that are paid in another
/// order than they fall due take less interest than they would have earned, or more where it is not taken by the day.
///
/// The figure is tried, and what it leaves over or open is taken off or added, until nothing is left of either. Where
/// interest jumps by a fen between two payments, the larger of them settles.
pub(crate) fn falls_away(state: &State<'_>, asked: Amount) -> Result<Amount, OutOfRange> {
    let mut enough = asked;
    let mut left = state.left_by(enough)?;
    for _ in 0..TRIES {
        if left.open.is_zero() {
            break;
        }
        enough = enough.plus(left.open)?;
        left = state.left_by(enough)?;
    }
    // Nothing is too little, or nothing would be asked.
    let mut short = Amount::ZERO;
    while left.open.is_zero() && left.over.is_positive() {
        let wanted = enough.minus(left.over)?;
        // What was tried and left something open is too little, and so is everything below it.
        let next = if wanted > short {
            wanted
        } else {
            enough.plus(short)?.share(1, 2, Rounding::Down)?
        };
        if next <= short || next >= enough {
            break;
        }
        let tried = state.left_by(next)?;
        if tried.open.is_zero() {
            (enough, left) = (next, tried);
        } else {
            short = next;
        }
    }
    asked.minus(enough)
}

/// How often more is added to a figure that does not settle everything.
const TRIES: u8 = 8;

/// What a payment leaves.
struct Left {
    /// What is still open.
    open: Amount,
    /// What it leaves over for the payer.
    over: Amount,
}

/// The interest that has accrued by a day and is open, with what is owed beside it.
pub(crate) fn interest_open(state: &State<'_>, day: Date) -> Result<Amount, OutOfRange> {
    let Some(accrual) = &state.accrual else {
        return interest_beside(state);
    };
    let paid = Amount::sum(accrual.terms.iter().map(|t| t.paid_interest))?;
    let own = accrual.accrued_at(day)?.minus_or_zero(paid)?;
    own.plus(interest_beside(state)?)
}

/// The interest that is open beside what rows owe by their balance: charged back, or of rows that others took the place
/// of.
pub(crate) fn interest_beside(state: &State<'_>) -> Result<Amount, OutOfRange> {
    let mut all = Amount::ZERO;
    for standing in &state.rows {
        let interest = &standing.row.interest;
        let terms = state.accrual.iter().flat_map(|a| &a.terms);
        let term = terms
            .filter(|_| standing.is_regular())
            .find(|t| t.until == standing.row.due_on);
        all = all.plus(match term {
            Some(term) => {
                let met = interest.charged.minus(interest.open()?)?;
                let met_beside = met.minus_or_zero(term.paid_interest)?;
                standing.added.interest.minus_or_zero(met_beside)?
            }
            None => interest.open()?,
        })?;
    }
    Ok(all)
}

/// The interest that an amount has caused up to a day: what would not be owed by then had it never been lent.
///
/// # Errors
/// As [`fold`](fn@super::fold).
pub fn interest_caused(
    terms: &Terms,
    transactions: &[Transaction],
    amount: Amount,
    on: Date,
) -> Result<Amount, Broken> {
    let owed = |transactions: &[Transaction]| -> Result<Amount, Broken> {
        let mut state = fold::run(terms, transactions, on)?;
        super::overdue::count(&mut state)?;
        let accrued = state.accrual.as_ref().map(|a| a.accrued_at(on)).transpose()?;
        Ok(accrued.unwrap_or(Amount::ZERO))
    };
    let mut less: Vec<Transaction> = transactions.to_vec();
    let mut left = amount;
    for transaction in &mut less {
        if let Event::Disbursed { amount } = &mut transaction.event {
            let part = left.min(*amount);
            *amount = amount.minus(part)?;
            left = left.minus(part)?;
        }
    }
    less.retain(|t| !matches!(t.event, Event::Disbursed { amount } if amount.is_zero()));
    Ok(owed(transactions)?.minus_or_zero(owed(&less)?)?)
}

impl State<'_> {
    /// What is open of all rows.
    pub(crate) fn open(&self) -> Result<Parts, OutOfRange> {
        let mut open = Parts::default();
        for standing in &self.rows {
            open = open.plus(&standing.row.open()?)?;
        }
        Ok(open)
    }

    /// What a payment of so much would leave.
    fn left_by(&self, amount: Amount) -> Result<Left, OutOfRange> {
        let mut paid = self.clone();
        if amount.is_positive() {
            paid.repay(amount, Intent::Settle)?;
        }
        Ok(Left {
            open: paid.open()?.total()?,
            over: paid.credit.minus(self.credit)?.max(Amount::ZERO),
        })
    }

    /// What was paid and what came to be owed beside the plan, of all rows.
    pub(crate) fn moved(&self) -> Result<(Parts, Parts), OutOfRange> {
        let (mut paid, mut added) = (Parts::default(), Parts::default());
        for standing in &self.rows {
            added = added.plus(&standing.added)?;
            for component in Component::ALL {
                paid.add(component, standing.row.figures(component).paid)?;
            }
        }
        Ok((paid, added))
    }
}
