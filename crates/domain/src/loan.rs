//! A loan (借款) is its terms and its transactions; everything else is a fold of them up to a day.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, Rate};
use crate::plan::{Component, RefundStrategy};

/// Something that happened to a loan. Transactions are only ever added; a mistake is undone by a [`Event::Reversed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its number within the agreement, from 1, in the order of entry.
    pub number: u32,
    /// The day on which it counts, which may lie before the day of its entry.
    pub effective_on: Date,
    /// What happened.
    pub event: Event,
}

/// What can happen to a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// Goods were captured for so much; it is lent from this day on (放款).
    Disbursed {
        /// How much.
        amount: Amount,
    },
    /// Money came in (还款).
    Repaid {
        /// How much.
        amount: Amount,
        /// What the payer wanted it for.
        intent: Intent,
    },
    /// Goods went back (退款). The amount is the financed part of their price.
    Refunded {
        /// How much.
        amount: Amount,
        /// Where it goes.
        strategy: RefundStrategy,
        /// Whether fees already paid on the returned part go back as well (full return, or the store's fault).
        with_paid_fees: bool,
    },
    /// An earlier transaction did not happen after all (bounced, entered by mistake).
    Reversed {
        /// Its number.
        of: u32,
    },
    /// Something is not charged (减免).
    Waived {
        /// What.
        component: Component,
        /// At most how much.
        amount: Amount,
    },
    /// Charging and chasing stop, for example while a return is open (暂停). Due dates stay.
    Paused,
    /// They go on.
    Resumed,
    /// For these days no lateness counts: our side or the channel was down (I13).
    Excused {
        /// The first day.
        from: Date,
        /// The last day.
        until: Date,
    },
    /// All instalments that are not yet due move by so many days (延期), as a temporary arrangement.
    Deferred {
        /// By how many days.
        days: u16,
    },
    /// What was left over was paid back to its source (溢缴款退回).
    PaidOut {
        /// How much.
        amount: Amount,
    },
}

/// What a payer wants a payment for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// What is due, by the waterfall; what is over follows the terms' prepayment rule.
    Due,
    /// Everything, as a settlement quote said (提前结清).
    Settle,
}

/// One instalment as it stands (一期的现状).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// From 1.
    pub number: u16,
    /// When it is due.
    pub due_on: Date,
    /// What the row came to, was paid, was waived, and went away by refunds or settlement.
    pub principal: Figures,
    /// The same for interest.
    pub interest: Figures,
    /// The same for fees.
    pub fee: Figures,
    /// The same for late fees and penalty interest up to the day of the fold.
    pub penalty: Figures,
    /// Interest and fee that the seller bears.
    pub subsidy: Amount,
    /// The day on which nothing of it was left, if that day has come.
    pub cleared_on: Option<Date>,
}

/// One component of a row: `charged = paid + waived + cancelled + due`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// What it came to by the terms.
    pub charged: Amount,
    /// What was paid.
    pub paid: Amount,
    /// What was waived by decision.
    pub waived: Amount,
    /// What went away by refund, early settlement or prepayment.
    pub cancelled: Amount,
}

/// A loan as it stands on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// The day.
    pub as_of: Date,
    /// What was lent so far.
    pub disbursed: Amount,
    /// The instalments.
    pub rows: Vec<Row>,
    /// What the platform owes the payer (溢缴款).
    pub credit_balance: Amount,
    /// Whether charging and chasing are stopped.
    pub is_paused: bool,
    /// Days past due on the day (逾期天数), zero if nothing is.
    pub days_past_due: i64,
}

/// Amounts by component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// Principal.
    pub principal: Amount,
    /// Interest.
    pub interest: Amount,
    /// Fees.
    pub fee: Amount,
    /// Late fees and penalty interest.
    pub penalty: Amount,
}

/// One movement that the books must show for a loan. The ledger's entries of an agreement are exactly these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Posting {
    /// The day on which it counts.
    pub effective_on: Date,
    /// What moved.
    pub kind: PostingKind,
    /// How much, more than zero.
    pub amount: Amount,
}

/// Kinds of movement on a loan (记账类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingKind {
    /// Principal was lent: receivable from the shopper, payable to the seller.
    Disbursed,
    /// Interest fell due, or was accrued at a settlement.
    InterestCharged,
    /// A fee fell due, or was accrued at a settlement.
    FeeCharged,
    /// The seller's share of fee and interest fell due.
    SubsidyCharged,
    /// Penalty was charged for the days up to the effective day.
    PenaltyCharged,
    /// Principal was repaid.
    PrincipalRepaid,
    /// Interest was repaid.
    InterestRepaid,
    /// A fee was repaid.
    FeeRepaid,
    /// A penalty was repaid.
    PenaltyRepaid,
    /// More came in than was owed.
    Overpaid,
    /// Principal went away because goods went back.
    PrincipalRefunded,
    /// A refund gave back more than was owed, or fees that were paid.
    RefundedToCredit,
    /// A fee that had been charged was given back with a refund.
    FeeReturned,
    /// A subsidy that had been charged was given back with a refund.
    SubsidyReturned,
    /// Principal was waived.
    PrincipalWaived,
    /// Interest was waived.
    InterestWaived,
    /// A fee was waived.
    FeeWaived,
    /// A penalty was waived.
    PenaltyWaived,
    /// A credit balance met what was owed.
    CreditApplied,
    /// A credit balance was paid back to its source.
    PaidOut,
}

/// What settling on a day would cost (提前结清报价).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payoff {
    /// The day.
    pub on: Date,
    /// What is to be paid, by component; a settlement fee is in `fee`.
    pub parts: Parts,
    /// All of it.
    pub total: Amount,
    /// What is saved against paying to the end.
    pub saved: Amount,
    /// The annual cost that the loan will have had, simple.
    pub annual: Rate,
}
