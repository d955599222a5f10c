//! A loan (借款) is its terms and its transactions; everything else is a fold of them up to a day.
//!
//! The types stand here, with what can be read off a loan; [`fold`](fn@fold) and [`postings`] walk the days; the rules
//! themselves stand in [`late`](crate::late), [`allocation`](crate::allocation), [`settlement`](crate::settlement) and
//! [`refund`](crate::refund).

use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::{Component, RefundStrategy};

mod amend;
mod amendment;
pub(crate) mod booking;
pub(crate) mod build;
pub(crate) mod charges;
pub(crate) mod disbursement;
pub(crate) mod factor;
pub(crate) mod fold;
pub(crate) mod interest;
pub(crate) mod life;
pub(crate) mod overdue;
pub(crate) mod restructure;
pub(crate) mod scheduled;
pub(crate) mod state;
pub(crate) mod term;

pub use amendment::{Amendment, Reaging, Reamortising};
pub use fold::{Preview, booked, fold, postings, preview};
pub use life::{Life, Note, Origin, Record, interest_caused, life, quote};

/// The most rows of a schedule: a hundred years of months. More are neither agreed nor spread anew at once.
pub const ROWS_MAX: u16 = 1_200;

/// A loan that cannot be told from its terms and transactions. It is a fault, never an answer to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A figure does not fit.
    OutOfRange(OutOfRange),
    /// The transactions contradict each other or the terms.
    Inconsistent {
        /// The number of the transaction that cannot stand.
        transaction: u32,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Broken {
    /// The same, of the transaction that it is about.
    pub(crate) const fn of(self, transaction: u32) -> Broken {
        match self {
            Broken::Inconsistent { what, .. } => Broken::Inconsistent { transaction, what },
            Broken::OutOfRange(error) => Broken::OutOfRange(error),
        }
    }
}

impl From<OutOfRange> for Broken {
    fn from(error: OutOfRange) -> Broken {
        Broken::OutOfRange(error)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::OutOfRange(error) => error.fmt(f),
            Broken::Inconsistent { transaction, what } => write!(f, "transaction {transaction} {what}"),
        }
    }
}

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
    /// Charging and chasing stop, for example while a return is open (暂停). Due dates stay. The days after this one up
    /// to the day of [`Event::Resumed`] do not count as late; two pauses need two resumptions.
    Paused,
    /// They go on.
    Resumed,
    /// For these days no lateness counts: our side or the channel was down (I13). It holds whenever it is entered.
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
    /// Something changed that the agreement's servicing knows (贷后变更).
    Amended {
        /// What.
        by: Amendment,
    },
}

/// What a payer wants a payment for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// What is due, by the waterfall; what is over follows the terms' prepayment rule.
    Due,
    /// What is due, then the next instalment as its bill says it (账单还款), and what is over as for `Due`. A bill that
    /// was issued is what people pay; it must not be taken for a prepayment because it is not due yet.
    Bill,
    /// Everything, as a settlement quote said (提前结清).
    Settle,
    /// What is due, and nothing ahead: a debit, or a payment of just what was due. Where that was paid meanwhile, by hand
    /// or because the channel took it twice (重复扣款), it becomes a credit balance and goes back to its source (I4).
    Keep,
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
    /// What went back by refunds so far.
    pub refunded: Amount,
    /// What the platform owes the payer (溢缴款). It is negative only if a payment bounced after what it had left over
    /// was paid out: then the payer owes it.
    pub credit_balance: Amount,
    /// Whether charging and chasing are stopped.
    pub is_paused: bool,
    /// Days past due on the day (逾期天数): of the oldest open instalment, from its due date, without paused and excused
    /// days; zero if nothing is due, and within grace.
    pub days_past_due: i64,
    /// The part of the rows' penalties that is not in the books yet, because no day for posting came since.
    pub penalty_unposted: Amount,
    /// The next day on which penalties are posted though nothing else happens; none while nothing is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty_posts_on: Option<Date>,
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
    /// A refund gave back more principal than was owed.
    RefundedToCredit,
    /// A refund gave back principal that had been waived.
    WaivedRecovered,
    /// Interest that had been paid was given back with a refund.
    InterestReturned,
    /// A fee that had been paid was given back with a refund.
    FeeReturned,
    /// Interest that had been charged and not paid went away with a refund, or stands in no row that is due any more.
    InterestCancelled,
    /// A fee that had been charged and not paid went away with a refund, or stands in no row that is due any more.
    FeeCancelled,
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
    /// Principal is owed again: its payment was charged back or paid out, or pays something else now.
    PrincipalOwedAgain,
    /// Interest is owed again: its payment was charged back, or pays something else now.
    InterestOwedAgain,
    /// A fee is owed again: its payment was charged back, or pays something else now.
    FeeOwedAgain,
    /// A penalty is owed again: its payment was charged back, or pays something else now.
    PenaltyOwedAgain,
    /// A penalty that had been charged and not paid stands in no row that is due any more.
    PenaltyCancelled,
    /// The seller gives money back that is spread as a payment is; what it met follows as repaid.
    RefundReceived,
    /// The lender gives something that is spread as a payment is; what it met follows as repaid.
    Credited,
}

/// What settling on a day would cost (提前结清报价).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payoff {
    /// The day.
    pub on: Date,
    /// What settles it, by component; a settlement fee is in `fee`.
    pub parts: Parts,
    /// What a credit balance meets of it.
    pub credit: Amount,
    /// What is to be paid: the parts less the credit.
    pub total: Amount,
    /// By how much the charge of the agreed method was lowered to keep the whole cost under the cap.
    pub lowered: Amount,
    /// What is saved against paying to the end.
    pub saved: Amount,
    /// The annual cost that the loan will have had: its monthly internal rate × 12 (单利).
    pub annual: Rate,
}

impl Event {
    /// Whether it makes sense only once something was lent.
    pub const fn needs_loan(&self) -> bool {
        match self {
            Event::Repaid { .. } | Event::Refunded { .. } | Event::Waived { .. } | Event::PaidOut { .. } => {
                true
            }
            Event::Amended { by } => by.needs_loan(),
            _ => false,
        }
    }

    /// The amount that moves, of those events that have one.
    pub const fn amount(&self) -> Option<Amount> {
        match self {
            Event::Disbursed { amount }
            | Event::Repaid { amount, .. }
            | Event::Refunded { amount, .. }
            | Event::Waived { amount, .. }
            | Event::PaidOut { amount } => Some(*amount),
            Event::Amended { by } => by.amount(),
            Event::Reversed { .. }
            | Event::Paused
            | Event::Resumed
            | Event::Excused { .. }
            | Event::Deferred { .. } => None,
        }
    }
}

impl Figures {
    /// What is left of it.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn open(&self) -> Result<Amount, OutOfRange> {
        self.charged
            .minus(self.paid)?
            .minus(self.waived)?
            .minus(self.cancelled)
    }
}

impl Row {
    /// The figures of one component.
    pub const fn figures(&self, component: Component) -> &Figures {
        match component {
            Component::Principal => &self.principal,
            Component::Interest => &self.interest,
            Component::Fee => &self.fee,
            Component::Penalty => &self.penalty,
        }
    }

    /// The same, to change them.
    pub(crate) const fn figures_mut(&mut self, component: Component) -> &mut Figures {
        match component {
            Component::Principal => &mut self.principal,
            Component::Interest => &mut self.interest,
            Component::Fee => &mut self.fee,
            Component::Penalty => &mut self.penalty,
        }
    }

    /// What is left of the row.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn open(&self) -> Result<Parts, OutOfRange> {
        self.each(Figures::open)
    }

    /// What the row came to after refunds, waivers and settlement: what a bill shows as its amount.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn billed(&self) -> Result<Parts, OutOfRange> {
        self.each(|f| f.charged.minus(f.waived)?.minus(f.cancelled))
    }

    /// What of the row was paid.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn paid(&self) -> Result<Parts, OutOfRange> {
        self.each(|f| Ok(f.paid))
    }

    /// One figure of each component.
    fn each(&self, figure: impl Fn(&Figures) -> Result<Amount, OutOfRange>) -> Result<Parts, OutOfRange> {
        Ok(Parts {
            principal: figure(&self.principal)?,
            interest: figure(&self.interest)?,
            fee: figure(&self.fee)?,
            penalty: figure(&self.penalty)?,
        })
    }
}

impl Component {
    /// Every component, in the order in which most agreements are paid off (民法典 561).
    pub const ALL: [Component; 4] = [
        Component::Penalty,
        Component::Fee,
        Component::Interest,
        Component::Principal,
    ];
}

impl Parts {
    /// All of them together.
    ///
    /// # Errors
    /// [`OutOfRange`] if the sum does not fit.
    pub fn total(&self) -> Result<Amount, OutOfRange> {
        self.principal
            .plus(self.interest)?
            .plus(self.fee)?
            .plus(self.penalty)
    }

    /// Each with each.
    ///
    /// # Errors
    /// [`OutOfRange`] if a sum does not fit.
    pub fn plus(&self, other: &Parts) -> Result<Parts, OutOfRange> {
        Ok(Parts {
            principal: self.principal.plus(other.principal)?,
            interest: self.interest.plus(other.interest)?,
            fee: self.fee.plus(other.fee)?,
            penalty: self.penalty.plus(other.penalty)?,
        })
    }

    /// Each less each; a part may be negative.
    ///
    /// # Errors
    /// [`OutOfRange`] if a difference does not fit.
    pub fn minus(&self, other: &Parts) -> Result<Parts, OutOfRange> {
        Ok(Parts {
            principal: self.principal.minus(other.principal)?,
            interest: self.interest.minus(other.interest)?,
            fee: self.fee.minus(other.fee)?,
            penalty: self.penalty.minus(other.penalty)?,
        })
    }

    /// One of them.
    pub const fn of(&self, component: Component) -> Amount {
        match component {
            Component::Principal => self.principal,
            Component::Interest => self.interest,
            Component::Fee => self.fee,
            Component::Penalty => self.penalty,
        }
    }

    /// Adds to one of them.
    ///
    /// # Errors
    /// [`OutOfRange`] if the sum does not fit.
    pub fn add(&mut self, component: Component, amount: Amount) -> Result<(), OutOfRange> {
        let part = match component {
            Component::Principal => &mut self.principal,
            Component::Interest => &mut self.interest,
            Component::Fee => &mut self.fee,
            Component::Penalty => &mut self.penalty,
        };
        *part = part.plus(amount)?;
        Ok(())
    }
}

impl Loan {
    /// Everything that would still be paid if the loan ran to its end, interest and fees not yet due included.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn outstanding(&self) -> Result<Parts, OutOfRange> {
        sum(self.rows.iter())
    }

    /// What is due on the day of the fold, overdue included (当前应还). What a credit balance would meet was met.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn payable(&self) -> Result<Parts, OutOfRange> {
        sum(self.due_rows())
    }

    /// What was due before the day of the fold and is still open (逾期金额).
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn overdue(&self) -> Result<Parts, OutOfRange> {
        sum(self.rows.iter().take_while(|row| row.due_on < self.as_of))
    }

    /// What the books show as receivable: all principal, and of the rest what was charged so far. Each part equals the
    /// balance of its account over the loan's [`postings`].
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn receivable(&self) -> Result<Parts, OutOfRange> {
        let due = self.payable()?;
        Ok(Parts {
            principal: self.outstanding()?.principal,
            penalty: due.penalty.minus(self.penalty_unposted)?,
            ..due
        })
    }

    /// The instalment that is to be paid next: the oldest of which something is open, be it overdue or still to come.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn next_due(&self) -> Result<Option<&Row>, OutOfRange> {
        for row in &self.rows {
            if row.open()?.total()?.is_positive() {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The rows that are due on the day of the fold.
    pub fn due_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().take_while(|row| row.due_on <= self.as_of)
    }

    /// Whether something was lent and nothing of it is owed any more (已结清).
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn is_settled(&self) -> Result<bool, OutOfRange> {
        Ok(self.disbursed.is_positive()
            && !self.credit_balance.is_negative()
            && self.outstanding()?.total()?.is_zero())
    }

    /// The day on which the last of it was paid, waived or cancelled, if it is settled.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no fold makes.
    pub fn settled_on(&self) -> Result<Option<Date>, OutOfRange> {
        if self.is_settled()? {
            Ok(self.rows.iter().filter_map(|row| row.cleared_on).max())
        } else {
            Ok(None)
        }
    }
}

/// What is open in some rows.
fn sum<'a>(mut rows: impl Iterator<Item = &'a Row>) -> Result<Parts, OutOfRange> {
    rows.try_fold(Parts::default(), |parts, row| parts.plus(&row.open()?))
}
