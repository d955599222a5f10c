//! Calendars (日历): due dates that keep their anchor day, holidays, and day counts.

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// When instalments fall due (还款日规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DueRule {
    /// The day of the order in the following months, clamped to the month's end, the anchor kept (民法典 202).
    OrderAnchored,
    /// The same day for everything that a shopper owes; the first period is at least so long.
    FixedDay {
        /// Day of the month, 1 to 31; clamped to the month's end.
        day: u8,
        /// The first instalment is due no earlier than so many days after the order.
        first_after_days: u16,
    },
    /// A statement is issued on one day and due so many days later (账单日 + 还款期).
    Statement {
        /// Day of the month on which the statement is issued; clamped to the month's end.
        statement_day: u8,
        /// Days from the statement to its due date.
        due_after_days: u16,
    },
}

/// What happens when a due date is a holiday (节假日顺延).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// Nothing.
    None,
    /// The next working day (民法典 203).
    Following,
    /// The next working day unless that is in the next month, then the one before.
    ModifiedFollowing,
}

/// How days and years are counted for interest (计息基础).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Every month is a twelfth of a year (30/360).
    #[serde(rename = "30/360")]
    Thirty360,
    /// Days over 360.
    #[serde(rename = "actual/360")]
    Actual360,
    /// Days over 365.
    #[serde(rename = "actual/365")]
    Actual365,
}

/// The days on which nobody works and the weekend days on which everybody does (节假日与调休).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holidays {
    /// Days off besides weekends, ascending.
    pub days_off: Vec<Date>,
    /// Saturdays and Sundays that are worked, ascending.
    pub make_up_days: Vec<Date>,
}
