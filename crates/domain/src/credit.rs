//! A credit line (额度): how much a shopper may owe one institution at one time, and why it is what it is.

use alloc::string::{String, ToString};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, OutOfRange};
use crate::refusal::{Denied, Refusal, What};

// R19: a limit with what is held, used and available
/// A credit line (授信额度).
///
/// `held` is kept apart from `used` because goods may ship days after the confirmation, and the shopper must not spend
/// the same yuan twice meanwhile. Invariant: `used + held <= limit`, except after the limit was lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The institution.
    pub institution: String,
    /// The limit that the institution granted.
    pub limit: Amount,
    /// A lower limit that the shopper set for themself, if any (R28).
    pub own_limit: Option<Amount>,
    /// Confirmed and not yet captured.
    pub held: Amount,
    /// Outstanding principal.
    pub used: Amount,
    /// The last day on which it may be used for new purchases.
    pub expires_on: Date,
}

/// Why a line changed (额度变动原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitEvent {
    /// The institution granted it.
    Granted,
    /// Raised.
    Raised,
    /// Lowered; existing agreements stay as they are.
    Lowered,
    /// A purchase was confirmed.
    Held,
    /// A hold became use: goods were captured.
    Used,
    /// A hold ended without use.
    HoldReleased,
    /// Principal was repaid.
    Repaid,
    /// Principal went away by a refund.
    Refunded,
    /// A repayment bounced, so that the principal is owed again.
    RepaymentReversed,
}

/// One line of a limit's timeline (额度变动明细).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChange {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub event: LimitEvent,
    /// By how much: of the limit for `Granted`, `Raised`, `Lowered`, else of what is held or used.
    pub amount: Amount,
    /// What was left afterwards.
    pub available: Amount,
}

/// A line after one movement, and the entry of its timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The line as it stands now.
    pub line: Line,
    /// What happened.
    pub change: LimitChange,
}

impl Line {
    /// A new line, as an institution granted it (授信).
    ///
    /// # Errors
    /// [`Denied`] if the limit is negative.
    pub fn granted(
        institution: &str,
        limit: Amount,
        expires_on: Date,
        at: Timestamp,
    ) -> Result<Moved, Denied> {
        not_negative(limit)?;
        let line = Line {
            institution: institution.to_string(),
            limit,
            own_limit: None,
            held: Amount::ZERO,
            used: Amount::ZERO,
            expires_on,
        };
        line.moved(LimitEvent::Granted, limit, at).map_err(Denied::from)
    }

    /// What may still be spent; negative after a cut (R20).
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no line has.
    pub fn available(&self) -> Result<Amount, OutOfRange> {
        let limit = self.own_limit.map_or(self.limit, |own| own.min(self.limit));
        limit.minus(self.used)?.minus(self.held)
    }

    /// What the institution's limit alone would leave, without the shopper's own.
    fn available_of_institution(&self) -> Result<Amount, OutOfRange> {
        self.limit.minus(self.used)?.minus(self.held)
    }

    // R21: what is missing is named
    /// Whether a purchase of which so much is financed, and so much paid now, fits on a day.
    ///
    /// # Errors
    /// [`Refusal::ApprovalExpired`] after its last day; [`Refusal::OwnLimitReached`] where only the shopper's own limit
    /// stands in the way; [`Refusal::LimitExhausted`] if nothing is left; else [`Refusal::LimitInsufficient`] with the
    /// gap, and what would have to be paid now in all.
    pub fn has_room(&self, amount: Amount, paid_now: Amount, today: Date) -> Result<(), Denied> {
        if today > self.expires_on {
            return Err(Denied::Refused(Refusal::ApprovalExpired {
                institution: self.institution.clone(),
                on: self.expires_on,
            }));
        }
        let available = self.available()?;
        if amount <= available {
            return Ok(());
        }
        let gap = amount.minus(available)?;
        let pay_now = paid_now.plus(gap)?;
        let of_institution = self.available_of_institution()?;
        Err(Denied::Refused(match self.own_limit {
            Some(limit) if amount <= of_institution => Refusal::OwnLimitReached {
                limit,
                gap,
                pay_now,
                used: self.used,
            },
            _ if available.is_positive() => Refusal::LimitInsufficient {
                available,
                gap,
                pay_now,
                used: self.used,
            },
            _ => Refusal::LimitExhausted {
                limit: self.limit,
                gap,
                used: self.used,
            },
        }))
    }

    /// A purchase is confirmed: so much is held until goods are captured (冻结额度).
    ///
    /// # Errors
    /// As [`Line::has_room`].
    pub fn hold(
        &self,
        amount: Amount,
        paid_now: Amount,
        today: Date,
        at: Timestamp,
    ) -> Result<Moved, Denied> {
        not_negative(amount)?;
        self.has_room(amount, paid_now, today)?;
        self.with(self.held.plus(amount)?, self.used, LimitEvent::Held, amount, at)
    }

    // R22, H2: repaid principal is free at once
    /// Principal was repaid: that much is free again at once (R22, H2). Fees and interest never count.
    ///
    /// # Errors
    /// [`Denied::OutOfRange`] if more than what is used.
    pub fn repaid(&self, principal: Amount, at: Timestamp) -> Result<Moved, Denied> {
        let used = taken(self.used, principal, "a repayment beyond what is used")?;
        self.with(self.held, used, LimitEvent::Repaid, principal, at)
    }

    /// Principal went away by a refund.
    ///
    /// # Errors
    /// [`Denied::OutOfRange`] if more than what is used.
    pub fn refunded(&self, principal: Amount, at: Timestamp) -> Result<Moved, Denied> {
        let used = taken(self.used, principal, "a refund beyond what is used")?;
        self.with(self.held, used, LimitEvent::Refunded, principal, at)
    }

    /// A repayment bounced: its principal is owed again, even where that passes the limit.
    ///
    /// # Errors
    /// [`Denied::OutOfRange`] for a negative amount.
    pub fn repayment_reversed(&self, principal: Amount, at: Timestamp) -> Result<Moved, Denied> {
        not_negative(principal)?;
        let used = self.used.plus(principal)?;
        self.with(self.held, used, LimitEvent::RepaymentReversed, principal, at)
    }

    // R20: limits move, and say why
    /// The institution set another limit. Agreements stay as they are, so that what is left may be negative.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] if that is the limit already; [`Denied::OutOfRange`] if it is negative.
    pub fn set_limit(&self, limit: Amount, at: Timestamp) -> Result<Moved, Denied> {
        not_negative(limit)?;
        let difference = limit.minus(self.limit)?;
        let event = match difference.minor() {
            0 => {
                return Err(Denied::Refused(Refusal::exists(What::Limit)));
            }
            1.. => LimitEvent::Raised,
            _ => LimitEvent::Lowered,
        };
        let line = Line {
            limit,
            ..self.clone()
        };
        line.moved(event, difference, at).map_err(Denied::from)
    }

    // R28: the own limit
    /// The shopper sets a lower limit for themself, or lifts it (R28).
    ///
    /// # Errors
    /// [`Refusal::OutsideBounds`] unless it is between nothing and the institution's limit.
    pub fn set_own_limit(&self, own: Option<Amount>, at: Timestamp) -> Result<Moved, Denied> {
        if own.is_some_and(|own| own.is_negative() || own > self.limit) {
            return Err(Denied::Refused(Refusal::OutsideBounds {
                what: What::OwnLimit,
                minimum: Amount::ZERO,
                maximum: self.limit,
            }));
        }
        let before = self.own_limit.unwrap_or(self.limit);
        let after = own.unwrap_or(self.limit);
        let event = if after < before {
            LimitEvent::Lowered
        } else {
            LimitEvent::Raised
        };
        let line = Line {
            own_limit: own,
            ..self.clone()
        };
        line.moved(event, after.minus(before)?, at).map_err(Denied::from)
    }

    /// The line with other holds and use, and the entry of its timeline.
    fn with(
        &self,
        held: Amount,
        used: Amount,
        event: LimitEvent,
        amount: Amount,
        at: Timestamp,
    ) -> Result<Moved, Denied> {
        let line = Line {
            held,
            used,
            ..self.clone()
        };
        line.moved(event, amount, at).map_err(Denied::from)
    }

    /// The line and the entry of its timeline.
    fn moved(self, event: LimitEvent, amount: Amount, at: Timestamp) -> Result<Moved, OutOfRange> {
        let available = self.available()?;
        Ok(Moved {
            line: self,
            change: LimitChange {
                at,
                event,
                amount,
                available,
            },
        })
    }
}

/// Refuses negative amounts, which no movement has.
fn not_negative(amount: Amount) -> Result<(), OutOfRange> {
    if amount.is_negative() {
        Err(OutOfRange("a movement of a limit"))
    } else {
        Ok(())
    }
}

/// What is left of an amount after a part of it, which may not be more than it.
fn taken(from: Amount, part: Amount, fault: &'static str) -> Result<Amount, OutOfRange> {
    not_negative(part)?;
    if part > from {
        return Err(OutOfRange(fault));
    }
    from.minus(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const TODAY: Date = date(2026, 11, 20);

    fn line(limit: i64) -> Line {
        Line::granted("xiaofu", Amount::from_minor(limit), date(2027, 11, 20), NOW)
            .unwrap()
            .line
    }

    fn refused(result: Result<(), Denied>) -> Refusal {
        match result {
            Err(Denied::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_purchase_over_what_is_left_is_told_the_gap() {
        let line = line(10_000)
            .hold(Amount::from_minor(7_000), Amount::ZERO, TODAY, NOW)
            .unwrap()
            .line;
        assert_eq!(
            refused(line.has_room(Amount::from_minor(3_500), Amount::ZERO, TODAY)),
            Refusal::LimitInsufficient {
                available: Amount::from_minor(3_000),
                gap: Amount::from_minor(500),
                pay_now: Amount::from_minor(500),
                used: Amount::ZERO,
            }
        );
        let full = line
            .hold(Amount::from_minor(3_000), Amount::ZERO, TODAY, NOW)
            .unwrap()
            .line;
        assert_eq!(
            refused(full.has_room(Amount::from_minor(1), Amount::ZERO, TODAY)),
            Refusal::LimitExhausted {
                limit: Amount::from_minor(10_000),
                gap: Amount::from_minor(1),
                used: Amount::ZERO,
            }
        );
    }

    #[test]
    fn the_shoppers_own_limit_is_named_as_theirs() {
        let line = line(10_000)
            .set_own_limit(Some(Amount::from_minor(2_000)), NOW)
            .unwrap()
            .line;
        assert_eq!(
            refused(line.has_room(Amount::from_minor(2_500), Amount::ZERO, TODAY)),
            Refusal::OwnLimitReached {
                limit: Amount::from_minor(2_000),
                gap: Amount::from_minor(500),
                pay_now: Amount::from_minor(500),
                used: Amount::ZERO,
            }
        );
        assert_eq!(
            refused(line.has_room(Amount::from_minor(10_001), Amount::ZERO, TODAY)).code(),
            "limit_insufficient"
        );
        assert!(line.set_own_limit(Some(Amount::from_minor(10_001)), NOW).is_err());
        let lifted = line.set_own_limit(None, NOW).unwrap().line;
        assert_eq!(
            lifted.has_room(Amount::from_minor(10_000), Amount::ZERO, TODAY),
            Ok(())
        );
    }

    #[test]
    fn a_cut_leaves_what_is_owed_alone_and_stops_new_use() {
        let used = Line {
            used: Amount::from_minor(8_000),
            ..line(10_000)
        };
        let cut = used.set_limit(Amount::from_minor(5_000), NOW).unwrap();
        assert_eq!(cut.change.event, LimitEvent::Lowered);
        assert_eq!(cut.change.available, Amount::from_minor(-3_000));
        assert_eq!(cut.line.used, Amount::from_minor(8_000));
        let paid = cut.line.repaid(Amount::from_minor(4_000), NOW).unwrap();
        assert_eq!(paid.change.available, Amount::from_minor(1_000));
    }

    #[test]
    fn nothing_is_repaid_that_was_not_used() {
        let line = line(10_000)
            .hold(Amount::from_minor(100), Amount::ZERO, TODAY, NOW)
            .unwrap()
            .line;
        assert!(line.repaid(Amount::from_minor(1), NOW).is_err());
        assert!(
            line.hold(Amount::from_minor(-1), Amount::ZERO, TODAY, NOW)
                .is_err()
        );
    }

    #[test]
    fn a_line_serves_to_its_last_day() {
        let line = line(10_000);
        assert_eq!(
            line.has_room(Amount::from_minor(1), Amount::ZERO, date(2027, 11, 20)),
            Ok(())
        );
        assert_eq!(
            refused(line.has_room(Amount::from_minor(1), Amount::ZERO, date(2027, 11, 21))).code(),
            "approval_expired"
        );
    }
}
