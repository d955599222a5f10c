//! What an agreement may say about its servicing beyond the defaults (贷后约定): values of the same terms, folded by the
//! same fold.
//!
//! An agreement without any of it is serviced as [`crate::plan::Conventions`] says. With it, payments are spread by an
//! ordered list of buckets, interest may follow the days on which money really moved, and rows may come and go.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::loan::factor::to_multiple;
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::{Component, Conventions};

/// When a row is due, seen from the day of a payment (款项时点).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// Its day lies before the payment.
    PastDue,
    /// Its day is the day of the payment.
    Due,
    /// Its day is still to come, but the day of a charge in it is not: that charge alone.
    Dated,
    /// Its day is still to come.
    Ahead,
}

/// One place that a payment can go to: a component of the rows of one timing (冲账科目).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Which rows.
    pub timing: Timing,
    /// Which part of them.
    pub component: Component,
}

/// What a payment ahead of its day meets (提前还款方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ahead {
    /// The next rows first.
    Next,
    /// The last rows first.
    Last,
    /// All open rows alike: an equal share each, the last one the rest, and again with what found no place.
    Even,
}

/// What brings a loan down beside a payment by the payer (入账类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credit {
    /// A payment by the payer.
    Payment,
    /// The part of a disbursement that is paid on its day.
    DownPayment,
    /// The seller gave money back.
    MerchantRefund,
    /// Money was given back through the payer.
    PayoutRefund,
    /// A courtesy of the lender.
    Goodwill,
    /// Interest that a refunded amount had caused.
    InterestRefund,
    /// Interest that the lender forgoes.
    InterestWaiver,
    /// A charge that was made good.
    ChargeAdjustment,
}

/// How credits of one kind are spread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// For which.
    pub credit: Credit,
    /// The buckets in their order.
    pub buckets: Vec<Bucket>,
    /// What is done with what comes ahead of its day.
    pub ahead: Ahead,
}

/// The unit of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Calendar days.
    Days,
    /// Weeks.
    Weeks,
    /// Calendar months.
    Months,
}

/// How far apart due dates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// How many units.
    pub every: u16,
    /// Of which.
    pub unit: Unit,
}

/// How long a year is for interest (年计息天数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearDays {
    /// So many days.
    Fixed(u16),
    /// 365 or 366, by the year in which each part of a period lies; 31 December counts with the new year, as the
    /// engines do that this convention comes from.
    Actual,
}

/// How long a month is for interest (月计息天数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDays {
    /// Every month has 30 days, and a period is so many months whatever its dates.
    Thirty,
    /// The days that passed.
    Actual,
}

/// Up to when interest is owed when an instalment is paid ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Up to the day of the payment. The default: the kindest to the one who pays.
    PaymentDay,
    /// Up to the end of the period in which it comes.
    PeriodEnd,
}

/// Whether interest follows the days on which money moved (按日重算).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalculation {
    /// Whether overdue principal earns by the day; else from period to period.
    pub daily: bool,
    /// How far an early payment takes interest.
    pub until: Until,
    /// Whether overdue principal earns no more than agreed.
    pub spares_overdue: bool,
    /// Whether overdue interest earns like overdue principal. Off by default: it costs the payer, and many laws forbid it.
    pub compounds: bool,
}

/// What a charge-off does to the schedule (核销方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeOff {
    /// Nothing.
    #[default]
    Regular,
    /// Interest stops on its day; instalments stay as high as they were, and the last shrinks.
    ZeroInterest,
    /// Everything falls due on its day.
    Accelerate,
}

/// How interest comes about (计息方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// On the balance of every day, in level instalments; see [`Recalculation`].
    #[default]
    Balance,
    /// On the amount lent, whatever was paid: the same in every row, or by its days.
    Flat(Basis),
    /// On what is outstanding by the schedule, in level instalments that are multiples.
    Level(Basis),
    /// On what is outstanding by the schedule, with equal principal.
    EqualPrincipal(Basis),
}

/// What scheduled interest is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A part of the year for each period, whatever its days: a twelfth for a month.
    Periods,
    /// The days of each period.
    Days,
}

/// What becomes of money beyond what is due on a due date, where interest is scheduled and reckoned anew (提前还款重算).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    /// Instalments stay, and the last is smaller.
    LastRow,
    /// Instalments are level again, and lower.
    LowerInstalment,
    /// Instalments stay, and there are fewer.
    FewerRows,
    /// Instalments stay; the next ask for less principal, until what was paid beyond is used up.
    NextRows,
}

/// What is agreed on servicing beyond the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servicing {
    /// How credits are spread. The rule of [`Credit::Payment`] holds for those that have none of their own.
    pub rules: Vec<Rule>,
    /// Whether all that a row owes is met before the next row, or one bucket in all rows before the next bucket.
    pub row_by_row: bool,
    /// The share of each disbursement that is due on its day, in a row of its own.
    pub down_payment: Rate,
    /// Instalments are multiples of this; zero if they need not be.
    pub multiple: Amount,
    /// How far apart due dates are.
    pub period: Period,
    /// How long a year is.
    pub year: YearDays,
    /// How long a month is.
    pub month: MonthDays,
    /// How interest comes about.
    pub method: Method,
    /// The first rows in which only interest is due.
    pub interest_only: u16,
    /// The first rows in which not even interest is due; the row after them takes it.
    pub interest_deferred: u16,
    /// Whether the schedule is always built as a whole, from all that was lent: then rows that were due are reckoned anew
    /// with it as well, what is lent on a due date belongs to the period that ends, what is lent after the last adds a
    /// row, and a down payment's row stands before another of its day. (The cumulative schedules of Apache Fineract.)
    pub whole: bool,
    /// Whether interest follows the payments; otherwise it is as scheduled.
    pub recalculation: Option<Recalculation>,
    /// What money beyond what is due does to scheduled interest, if that is ever reckoned anew. No plan may have this with
    /// overdue principal that earns from period to period: see [`crate::plan::Plan::mistakes`].
    pub excess: Option<Excess>,
    /// Which parts of a payment a chargeback restores first; principal alone if empty.
    pub chargeback: Vec<Component>,
    /// What a charge-off does.
    pub charge_off: ChargeOff,
}

impl Servicing {
    /// The rule for a kind of credit.
    pub fn rule(&self, credit: Credit) -> Option<&Rule> {
        let of = |credit| self.rules.iter().find(|r| r.credit == credit);
        of(credit).or_else(|| of(Credit::Payment))
    }

    /// What of a disbursement is due on its day (首付): its share of the amount, as a multiple.
    ///
    /// # Errors
    /// [`OutOfRange`] for sums that no loan comes to.
    pub fn due_at_once(&self, lent: Amount) -> Result<Amount, OutOfRange> {
        to_multiple(lent.at(self.down_payment, Rounding::HalfEven)?, self.multiple)
    }
}

impl Conventions {
    /// How interest is reckoned anew, where the agreement's servicing says that it is.
    pub(crate) fn recalculation(&self) -> Option<Recalculation> {
        self.servicing.as_deref()?.recalculation
    }
}
