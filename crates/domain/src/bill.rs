//! Bills (账单): what a shopper owes on one day, from all their agreements.
//!
//! A bill remembers what it said when it was issued. What is open of it is never stored: it follows from the loans, so
//! that a payment, a refund or a waiver shows at once.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::{AgreementId, BillId, ShopperId};
use crate::loan::{Loan, Parts, Row};
use crate::money::{Amount, Currency, OutOfRange};
use crate::plan::Component;

/// A bill (账单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Its identifier.
    pub id: BillId,
    /// Whose it is.
    pub shopper: ShopperId,
    /// When it was issued (出账日).
    pub issued_on: Date,
    /// When it is due (还款日).
    pub due_on: Date,
    /// Its currency.
    pub currency: Currency,
    /// The instalments.
    pub lines: Vec<BillLine>,
}

/// One instalment on a bill, as it stood when the bill was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// The agreement.
    pub agreement: AgreementId,
    /// Which of its instalments, from 1.
    pub instalment: u16,
    /// What it came to, after everything that went away before.
    pub parts: Parts,
    /// What had been paid ahead.
    pub paid: Amount,
    /// What had gone away by refunds, prepayments and waivers before the bill (出账前退款).
    pub less_before: Amount,
}

/// How a bill stands (账单状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is paid yet.
    Open,
    /// A part is paid.
    Part,
    /// Nothing is open.
    Paid,
    /// Something is open past the due date.
    Overdue,
}

/// A bill against the loans of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Open, part, paid or overdue.
    pub status: Status,
    /// What its instalments come to now, penalties included.
    pub billed: Parts,
    /// What was paid of them.
    pub paid: Amount,
    /// What is open.
    pub open: Parts,
    /// What had gone away before the bill was issued (出账前退款).
    pub less_before: Amount,
    /// What went away since (出账后退款).
    pub less_after: Amount,
    /// Its instalments, in the order of its lines.
    pub lines: Vec<StandingLine>,
}

/// One line of a bill against the loan of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingLine {
    /// The agreement.
    pub agreement: AgreementId,
    /// The instalment as it stands.
    pub row: Row,
    /// What is open of it.
    pub open: Parts,
}

/// The lines of a bill: the instalments of these loans that are due on a day and of which something is open, or was
/// before it was paid ahead. Loans are folded to the day of issue.
///
/// # Errors
/// [`OutOfRange`] for figures that no fold makes.
pub fn lines<'a>(
    loans: impl IntoIterator<Item = (AgreementId, &'a Loan)>,
    due_on: Date,
) -> Result<Vec<BillLine>, OutOfRange> {
    let mut lines = Vec::new();
    for (agreement, loan) in loans {
        for row in loan.rows.iter().filter(|row| row.due_on == due_on) {
            let parts = row.billed()?;
            if parts.total()?.is_positive() {
                lines.push(BillLine {
                    agreement,
                    instalment: row.number,
                    parts,
                    paid: row.paid()?.total()?,
                    less_before: less(row)?,
                });
            }
        }
    }
    Ok(lines)
}

impl Bill {
    /// What the bill asked for when it was issued (本期账单金额).
    ///
    /// # Errors
    /// [`OutOfRange`] if the sum does not fit.
    pub fn amount(&self) -> Result<Amount, OutOfRange> {
        self.lines.iter().try_fold(Amount::ZERO, |sum, line| {
            sum.plus(line.parts.total()?.minus(line.paid)?)
        })
    }

    /// The bill against the loans as they stand, found by their agreement; a loan that is not given counts as nothing.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn standing<'a>(
        &self,
        loan: impl Fn(AgreementId) -> Option<&'a Loan>,
    ) -> Result<Standing, OutOfRange> {
        let mut standing = Standing {
            status: Status::Open,
            billed: Parts::default(),
            paid: Amount::ZERO,
            open: Parts::default(),
            less_before: Amount::ZERO,
            less_after: Amount::ZERO,
            lines: Vec::with_capacity(self.lines.len()),
        };
        let mut is_overdue = false;
        for line in &self.lines {
            let Some((loan, row)) = loan(line.agreement)
                .and_then(|loan| Some((loan, loan.rows.iter().find(|r| r.number == line.instalment)?)))
            else {
                continue;
            };
            let open = row.open()?;
            is_overdue |= row.due_on < loan.as_of && open.total()?.is_positive();
            standing.billed = standing.billed.plus(&row.billed()?)?;
            standing.paid = standing.paid.plus(row.paid()?.total()?)?;
            standing.open = standing.open.plus(&open)?;
            standing.less_before = standing.less_before.plus(line.less_before)?;
            let after = less(row)?.minus_or_zero(line.less_before)?;
            standing.less_after = standing.less_after.plus(after)?;
            standing.lines.push(StandingLine {
                agreement: line.agreement,
                row: *row,
                open,
            });
        }
        standing.status = match (standing.open.total()?.is_zero(), is_overdue) {
            (true, _) => Status::Paid,
            (false, true) => Status::Overdue,
            (false, false) if standing.paid.is_positive() => Status::Part,
            (false, false) => Status::Open,
        };
        Ok(standing)
    }
}

/// What went away of a row without being paid.
fn less(row: &Row) -> Result<Amount, OutOfRange> {
    Component::ALL.into_iter().try_fold(Amount::ZERO, |sum, c| {
        let figures = row.figures(c);
        sum.plus(figures.cancelled)?.plus(figures.waived)
    })
}
