//! A shopper's standing (账户状态): what stops new credit, and never a repayment (R24).
//!
//! No rule of repayment takes a [`Standing`], so that a frozen account can always pay what it owes.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::refusal::Refusal;

/// Whether an account may take new credit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Account {
    /// Nothing stands against it.
    #[default]
    Good,
    /// Staff or a rule froze it for new credit (冻结).
    Frozen {
        /// Since when.
        since: Date,
        /// Why.
        why: FreezeReason,
    },
}

/// Why an account is frozen (冻结原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeReason {
    /// A use that is being looked at, such as cash-out (套现嫌疑).
    SuspectedMisuse,
    /// Somebody else may have got into the account.
    Security,
    /// The shopper asked for it.
    OwnRequest,
    /// Payments are late (逾期冻结); paying up lifts it.
    Overdue,
    /// An authority asked for it.
    Authority,
}

/// What is overdue now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// How much, penalties included.
    pub amount: Amount,
    /// The oldest days past due, from 1.
    pub days: i64,
}

/// All that stands against new credit for one shopper.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The account's state.
    pub account: Account,
    /// Identifiers of open disputes, oldest first.
    pub open_disputes: Vec<String>,
    /// What is overdue, if anything is.
    pub overdue: Option<Overdue>,
}

impl Standing {
    // R24, R25: holds are named one by one, and none of them touches a repayment
    /// Every reason against new credit: the freeze, then what is overdue, then disputes.
    pub fn refusals(&self) -> Vec<Refusal> {
        let frozen = match self.account {
            Account::Good => None,
            Account::Frozen { since, .. } => Some(Refusal::AccountFrozen { since }),
        };
        let overdue = self.overdue.map(|o| Refusal::OverdueExists {
            amount: o.amount,
            days: o.days,
        });
        let disputes = self.open_disputes.iter().map(|dispute| Refusal::OpenDispute {
            dispute: dispute.clone(),
        });
        frozen.into_iter().chain(overdue).chain(disputes).collect()
    }

    /// Whether new credit may be taken.
    ///
    /// # Errors
    /// The most decisive reason against it.
    pub fn may_borrow(&self) -> Result<(), Refusal> {
        self.refusals().into_iter().next().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use jiff::civil::date;

    #[test]
    fn each_hold_on_an_account_is_named_and_the_freeze_comes_first() {
        let since = date(2026, 11, 1);
        let standing = Standing {
            account: Account::Frozen {
                since,
                why: FreezeReason::Security,
            },
            open_disputes: vec!["dis_1".to_string()],
            overdue: Some(Overdue {
                amount: Amount::from_minor(5_000),
                days: 3,
            }),
        };
        let codes: Vec<&str> = standing.refusals().iter().map(Refusal::code).collect();
        assert_eq!(codes, ["account_frozen", "overdue_exists", "open_dispute"]);
        assert_eq!(standing.may_borrow(), Err(Refusal::AccountFrozen { since }));
        assert_eq!(Standing::default().may_borrow(), Ok(()));
    }
}
