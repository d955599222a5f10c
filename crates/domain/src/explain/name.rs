//! What the figures of an explanation are called.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::plan::Component;

/// What a figure is called (名目). Rows are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Name {
    /// What is left of a row.
    Row {
        /// Its number.
        row: u16,
    },
    /// What is left of one component of a row.
    Open {
        /// The row.
        row: u16,
        /// The component.
        component: Component,
    },
    /// What a component came to after waivers, refunds and settlement: what a bill shows.
    Billed {
        /// The component.
        component: Component,
    },
    /// What a component came to by the terms.
    Charged {
        /// The component.
        component: Component,
    },
    /// What of it was paid.
    Paid,
    /// What of it was waived.
    Waived,
    /// What of it fell away.
    FellAway,
    /// What one transaction, or the coming of a day, did.
    Moved {
        /// How.
        cause: Cause,
        /// When.
        on: Date,
        /// The number of the transaction, if it was one.
        transaction: Option<u32>,
    },
    /// What was lent.
    Lent {
        /// When.
        on: Date,
    },
    /// What is outstanding while interest is earned.
    Balance {
        /// From the evening of this day.
        from: Date,
        /// To the evening of this day.
        until: Date,
    },
    /// Interest of some days.
    Interest {
        /// From the evening of this day.
        from: Date,
        /// To the evening of this day.
        until: Date,
    },
    /// Interest of days for which none is earned: a pause, or the end of it.
    NoInterest {
        /// From the evening of this day.
        from: Date,
        /// To the evening of this day.
        until: Date,
    },
    /// Principal of the rows before.
    EarlierPrincipal,
    /// The level instalment.
    Level,
    /// The instalment of a step, of those that grow by steps.
    Step {
        /// Which step, from 1.
        number: u16,
    },
    /// What is left for the last instalment.
    LeftForLast,
    /// The level instalment before it became a multiple.
    LevelExact,
    /// What is spread over new rows, or over those to come.
    Spread,
    /// What smoothing changed of the level instalment, so that the last is close to the others.
    Smoothed,
    /// The instalment of the row.
    Instalment,
    /// What is left for the last row.
    Rest,
    /// An equal part.
    EqualPart,
    /// The fee of the whole plan.
    WholeFee,
    /// What the row costs, whoever bears it.
    Cost,
    /// What the seller bears of the row.
    Subsidy,
    /// What the seller bears of all rows.
    WholeSubsidy,
    /// What all rows cost.
    WholeCost,
    /// The part that is due on the day of lending.
    DownPayment,
    /// The late fee.
    LateFee,
    /// What was overdue.
    Overdue {
        /// From the evening of this day.
        from: Date,
        /// To the evening of this day.
        until: Date,
    },
    /// Late fee and penalty interest as the agreement counts them.
    Penalty,
    /// The most that the annual cap left room for.
    CapAllows,
    /// Interest that the periods before could not take.
    Carried,
    /// Interest of the period.
    PeriodInterest,
    /// Interest of a period that was paid up: what was paid of it.
    PaidUp,
    /// What came to be owed beside the plan.
    Beside,
    /// All that was lent.
    AllLent,
    /// Interest of all rows.
    AllInterest,
    /// The instalments of all other rows.
    OtherInstalments,
    /// What it came to before it fell.
    Before,
    /// What was left of it.
    Left,
    /// What it comes to now that less is outstanding.
    NewPrice,
    /// What is due on the day.
    Payable,
    /// What is owed in all, due or not.
    Outstanding,
    /// What settles the loan on the day.
    Payoff,
    /// Principal that is not due yet.
    PrincipalToCome,
    /// Interest that is not due yet.
    InterestToCome,
    /// Interest that has accrued, due or not, and is not paid.
    InterestNotPaid,
    /// Fees that are not due yet.
    FeesToCome,
    /// Fees and penalties that are open.
    OtherOpen,
    /// Interest that has accrued.
    Accrued,
    /// Interest that was paid.
    InterestPaid,
    /// The share of what is to come that is charged at a settlement.
    SettlementShare {
        /// Of which component.
        component: Component,
    },
    /// The fee for settling early.
    SettlementFee,
    /// What the instalments to come are worth at the plan's own rate, beyond their principal.
    ActuarialFee,
    /// What the rule of 78 says is earned.
    Earned78 {
        /// Of which component.
        component: Component,
    },
    /// What the rule of 78 gives back.
    Rebate78,
    /// All of a component.
    Whole,
    /// What of a component was charged already.
    ChargedAlready,
    /// By how much the charge is lowered to keep all costs under the cap.
    Lowered,
    /// What is charged for settling, as agreed.
    Wanted,
    /// What has to be paid in any case.
    Base,
    /// What the payer is owed and meets the figure.
    Credit,
    /// What was left over for the payer.
    LeftOver,
    /// Zero.
    Nothing,
}

/// What moved a figure (变动原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Money was lent.
    Lent,
    /// A payment.
    Repaid,
    /// A refund.
    Refunded,
    /// A waiver.
    Waived,
    /// A credit balance met what fell due.
    CreditMet,
    /// Something was credited that the payer did not pay.
    Credited,
    /// A charge.
    Charged,
    /// A chargeback.
    ChargedBack,
    /// Money that was handed back.
    HandedBack,
    /// A credit balance that was paid back.
    PaidOut,
    /// A new schedule.
    Rescheduled,
    /// A charge-off or the end of the agreement.
    Ended,
    /// Anything else.
    Other,
}
