//! Changes of a running loan beyond payment, refund and pause: charges, credits, chargebacks and new schedules.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, Rate};
use crate::plan::Component;
use crate::servicing::{Credit, Period};

/// What becomes of interest when a loan is spread over new rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaging {
    /// The new rows are level and earn at the loan's rate; what has accrued is due with the first of them.
    #[default]
    Anew,
    /// What has accrued by the day is spread alike, and nothing more is earned.
    Payable,
    /// All interest of the old rows, earned or not, is spread alike, and nothing more is earned.
    All,
}

/// What becomes of overdue interest when what is overdue is spread over the rows to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reamortising {
    /// It is due with the next row, where interest follows the balance, and stays overdue elsewhere.
    #[default]
    NextRow,
    /// It is spread alike over the rows to come.
    Alike,
}

/// A change of a running loan (贷后变更).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Amendment {
    /// Something brought the loan down that the payer did not pay.
    Credited {
        /// How much.
        amount: Amount,
        /// What it was.
        credit: Credit,
    },
    /// A fee or penalty was charged (收费); it counts from the earlier of its day and the day of its entry.
    Charged {
        /// How much.
        amount: Amount,
        /// A fee or a penalty.
        component: Component,
        /// The day on which it is due.
        due_on: Date,
    },
    /// A share of every instalment was charged as a fee.
    Surcharged {
        /// The share of principal and interest.
        share: Rate,
    },
    /// A fee was kept back from what was lent, or paid with it.
    FeeTaken {
        /// How much.
        amount: Amount,
    },
    /// What is open of a charge is not charged after all; it counts from the day of the charge.
    ChargeWaived {
        /// The number of its transaction.
        of: u32,
        /// At most how much.
        amount: Amount,
    },
    /// A charge was made good, as if it had been paid.
    ChargeAdjusted {
        /// The number of its transaction.
        of: u32,
        /// How much.
        amount: Amount,
    },
    /// A payment was taken back by the payer's bank (拒付): it is owed again, and the payment stands.
    ChargedBack {
        /// How much.
        amount: Amount,
        /// The number of the payment.
        of: u32,
    },
    /// Money that came in is handed back, out of a credit balance first (还款退回): what it paid is owed again in its rows.
    HandedBack {
        /// How much, at most what was paid and is left over.
        amount: Amount,
    },
    /// What is overdue is spread over the rows to come (摊入后期).
    Reamortised {
        /// What becomes of overdue interest.
        #[serde(default)]
        interest: Reamortising,
    },
    /// What is open is spread over new rows (重新分期).
    Reaged {
        /// When the first of them is due.
        start_on: Date,
        /// How far apart they are.
        period: Period,
        /// How many there are.
        count: u16,
        /// What becomes of interest.
        interest: Reaging,
    },
    /// A due date and all after it move (改期), or rows are added.
    Rescheduled {
        /// The due date from which on it holds.
        from: Date,
        /// The new due date of that row.
        to: Option<Date>,
        /// How many rows more.
        extra: u16,
        /// In how many rows from there no principal is due; as many rows are added at the end.
        grace: u16,
        /// The interest of how many rows from there is put off to the row after them.
        interest_grace: u16,
    },
    /// Another rate holds from this day on (调息).
    RateChanged {
        /// The annual rate.
        annual: Rate,
    },
    /// No interest for these days, both included (停息).
    InterestPaused {
        /// The first.
        from: Date,
        /// The last.
        until: Date,
    },
    /// The lender no longer expects to be paid (核销).
    ChargedOff,
    /// The lender gives up what is left: it is waived, and the loan is closed (销账).
    WrittenOff,
    /// The agreement was ended: everything is due on this day (解约).
    Terminated,
}

impl Amendment {
    /// Whether it makes sense only once something was lent.
    pub(crate) const fn needs_loan(&self) -> bool {
        !matches!(
            self,
            Amendment::Charged { .. }
                | Amendment::ChargeWaived { .. }
                | Amendment::Surcharged { .. }
                | Amendment::Rescheduled { .. }
                | Amendment::RateChanged { .. }
                | Amendment::InterestPaused { .. }
        )
    }

    /// The amount that moves, of those that have one.
    pub const fn amount(&self) -> Option<Amount> {
        match self {
            Amendment::Credited { amount, .. }
            | Amendment::Charged { amount, .. }
            | Amendment::FeeTaken { amount }
            | Amendment::ChargeAdjusted { amount, .. }
            | Amendment::ChargedBack { amount, .. }
            | Amendment::HandedBack { amount } => Some(*amount),
            _ => None,
        }
    }
}
