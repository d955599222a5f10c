//! Applications for credit (授信申请) and how an institution answered.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::id::{ApplicationId, ShopperId};
use crate::money::{Amount, Rate};
use crate::refusal::{DeclineReason, Refusal, What};

/// How an application stands (申请状态).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// The institution is to be asked, or was and has not answered (审批中).
    Asked,
    /// A person at the institution looks at it (人工审核).
    Referred {
        /// Since when.
        since: Timestamp,
    },
    /// Nobody knows whether the institution got it: the only way on is to ask (结果未知).
    Unknown {
        /// Since when.
        since: Timestamp,
    },
    /// Yes (已通过).
    Approved {
        /// Up to how much may be owed at one time.
        limit: Amount,
        /// What the institution's prices are multiplied by for this shopper; one is the listed price.
        price_factor: Rate,
        /// The last day on which it may be used for new purchases.
        expires_on: Date,
    },
    /// No (未通过).
    Declined {
        /// The principal reasons, the weightiest first.
        reasons: Vec<DeclineReason>,
        /// The first day on which asking again makes sense.
        reapply_after: Date,
    },
    /// The approval's time is over (已过期).
    Expired {
        /// Its last day.
        on: Date,
    },
    /// The shopper took it back (已撤回).
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// The word in rows.
    pub const fn code(&self) -> &'static str {
        match self {
            State::Asked => "asked",
            State::Referred { .. } => "referred",
            State::Unknown { .. } => "unknown",
            State::Approved { .. } => "approved",
            State::Declined { .. } => "declined",
            State::Expired { .. } => "expired",
            State::Withdrawn { .. } => "withdrawn",
        }
    }
}

// R14: a decline carries its reasons, advice, and a day
/// What an institution said of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Decision {
    /// Yes.
    Approved {
        /// Up to how much.
        limit: Amount,
        /// What its prices are multiplied by; one is the listed price.
        price_factor: Rate,
        /// The last day.
        expires_on: Date,
    },
    /// No.
    Declined {
        /// The principal reasons, the weightiest first.
        reasons: Vec<DeclineReason>,
        /// The first day on which asking again makes sense.
        reapply_after: Date,
    },
    /// A person will look at it.
    Referred,
}

/// An application for credit at one institution (授信申请).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its identifier, which is also our number at the institution.
    pub id: ApplicationId,
    /// Who asks.
    pub shopper: ShopperId,
    /// Whom.
    pub institution: String,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: State,
    /// The row's version, which each change raises by one.
    pub version: i64,
}

impl Application {
    /// A new application, not yet handed to the institution.
    pub fn asked(id: ApplicationId, shopper: ShopperId, institution: &str, at: Timestamp) -> Application {
        Application {
            id,
            shopper,
            institution: institution.to_string(),
            asked_at: at,
            state: State::Asked,
            version: 1,
        }
    }

    /// The institution answered. The same answer again changes nothing, in whatever order notices come in.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] if another answer stands, or the shopper took it back.
    pub fn answer(self, decision: Decision, at: Timestamp) -> Result<Change<Application>, Refusal> {
        let next = match decision {
            Decision::Approved {
                limit,
                price_factor,
                expires_on,
            } => State::Approved {
                limit,
                price_factor,
                expires_on,
            },
            Decision::Declined {
                reasons,
                reapply_after,
            } => State::Declined {
                reasons,
                reapply_after,
            },
            Decision::Referred => State::Referred { since: at },
        };
        match &self.state {
            State::Referred { .. } if matches!(next, State::Referred { .. }) => Ok(Change::AlreadyMade),
            State::Asked | State::Unknown { .. } | State::Referred { .. } => Ok(self.into(next)),
            state if *state == next => Ok(Change::AlreadyMade),
            // A late "referred" says nothing new after the decision itself.
            State::Approved { .. } | State::Declined { .. } if matches!(next, State::Referred { .. }) => {
                Ok(Change::AlreadyMade)
            }
            _ => Err(self.not_in("asked")),
        }
    }

    /// The institution did not answer the call, so that nobody knows whether it got the application.
    pub fn unanswered(self, at: Timestamp) -> Change<Application> {
        match self.state {
            State::Asked => self.into(State::Unknown { since: at }),
            _ => Change::AlreadyMade,
        }
    }

    /// The institution does not know our number: the application may be handed over once more, under the same number.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] if an answer stands.
    pub fn not_found(self) -> Result<Change<Application>, Refusal> {
        match self.state {
            State::Asked => Ok(Change::AlreadyMade),
            State::Unknown { .. } => Ok(self.into(State::Asked)),
            _ => Err(self.not_in("unknown")),
        }
    }

    /// The shopper takes it back (撤回申请).
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] once it was decided.
    pub fn withdraw(self, at: Timestamp) -> Result<Change<Application>, Refusal> {
        match self.state {
            State::Asked | State::Referred { .. } | State::Unknown { .. } => {
                Ok(self.into(State::Withdrawn { at }))
            }
            State::Withdrawn { .. } => Ok(Change::AlreadyMade),
            _ => Err(self.not_in("asked")),
        }
    }

    /// Its approval ends when its last day is over.
    pub fn expire(self, today: Date) -> Change<Application> {
        match self.state {
            State::Approved { expires_on, .. } if expires_on < today => {
                self.into(State::Expired { on: expires_on })
            }
            _ => Change::AlreadyMade,
        }
    }

    /// Whether a purchase on this day may rest on it.
    ///
    /// # Errors
    /// [`Refusal::ApplicationPending`], [`Refusal::CreditDeclined`], [`Refusal::ApprovalExpired`], or
    /// [`Refusal::ApplicationRequired`] where nothing stands in the way of asking (again).
    pub fn supports_purchase(&self, today: Date) -> Result<(), Refusal> {
        let institution = self.institution.clone();
        match &self.state {
            State::Approved { expires_on, .. } if *expires_on >= today => Ok(()),
            State::Approved { expires_on: on, .. } | State::Expired { on } => {
                Err(Refusal::ApprovalExpired { institution, on: *on })
            }
            State::Asked | State::Referred { .. } | State::Unknown { .. } => {
                Err(Refusal::ApplicationPending { institution })
            }
            State::Declined {
                reasons,
                reapply_after,
            } if today < *reapply_after => Err(Refusal::CreditDeclined {
                institution,
                reasons: reasons.clone(),
                reapply_after: *reapply_after,
            }),
            State::Declined { .. } | State::Withdrawn { .. } => {
                Err(Refusal::ApplicationRequired { institution })
            }
        }
    }

    /// The application in its next state.
    fn into(mut self, state: State) -> Change<Application> {
        self.state = state;
        self.version = self.version.saturating_add(1);
        Change::Made(self)
    }

    /// That it does not stand where a command needs it.
    fn not_in(&self, needed: &str) -> Refusal {
        Refusal::WrongStage {
            stage: self.state.code().to_string(),
            needed: needed.to_string(),
        }
    }
}

// R15: when to apply again
/// Whether an institution may be asked on this day, given the latest application there, if there is one.
///
/// # Errors
/// [`Refusal::ApplicationPending`] while one is open, [`Refusal::CreditDeclined`] before asking again makes sense, and
/// [`Refusal::AlreadyExists`] while an approval stands.
pub fn may_apply(latest: Option<&Application>, today: Date) -> Result<(), Refusal> {
    match latest.map(|a| a.supports_purchase(today)) {
        None => Ok(()),
        Some(Ok(())) => Err(Refusal::exists(What::Approval)),
        Some(Err(refusal @ (Refusal::ApplicationPending { .. } | Refusal::CreditDeclined { .. }))) => {
            Err(refusal)
        }
        Some(Err(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use jiff::civil::date;

    fn asked() -> Application {
        Application::asked(
            ApplicationId::from_bits(1),
            ShopperId::from_bits(2),
            "xiaofu",
            Timestamp::UNIX_EPOCH,
        )
    }

    fn approval() -> Decision {
        Decision::Approved {
            limit: Amount::from_minor(1_000_000),
            price_factor: Rate::ONE,
            expires_on: date(2027, 1, 31),
        }
    }

    fn decline() -> Decision {
        Decision::Declined {
            reasons: vec![DeclineReason::DebtTooHigh],
            reapply_after: date(2027, 1, 1),
        }
    }

    fn made(change: Change<Application>) -> Application {
        match change {
            Change::Made(application) => application,
            Change::AlreadyMade => panic!("nothing was made"),
        }
    }

    #[test]
    fn the_same_answer_twice_changes_nothing_and_another_is_refused() {
        let at = Timestamp::UNIX_EPOCH;
        let approved = made(asked().answer(approval(), at).unwrap());
        assert_eq!(approved.version, 2);
        assert_eq!(approved.clone().answer(approval(), at), Ok(Change::AlreadyMade));
        assert_eq!(
            approved.clone().answer(Decision::Referred, at),
            Ok(Change::AlreadyMade)
        );
        assert_eq!(approved.answer(decline(), at).unwrap_err().code(), "wrong_stage");
    }

    #[test]
    fn an_unanswered_application_is_asked_about_and_may_be_handed_over_again_under_its_number() {
        let at = Timestamp::UNIX_EPOCH;
        let unknown = made(asked().unanswered(at));
        assert_eq!(
            unknown.supports_purchase(date(2026, 1, 1)).unwrap_err().code(),
            "application_pending"
        );
        let again = made(unknown.clone().not_found().unwrap());
        assert_eq!((again.id, again.state.clone()), (asked().id, State::Asked));
        assert_eq!(
            made(unknown.answer(approval(), at).unwrap()).state.code(),
            "approved"
        );
    }

    #[test]
    fn an_approval_serves_to_its_last_day() {
        let approved = made(asked().answer(approval(), Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(approved.supports_purchase(date(2027, 1, 31)), Ok(()));
        assert_eq!(approved.clone().expire(date(2027, 1, 31)), Change::AlreadyMade);
        let expired = made(approved.expire(date(2027, 2, 1)));
        assert_eq!(
            expired.supports_purchase(date(2027, 2, 1)).unwrap_err().code(),
            "approval_expired"
        );
        assert_eq!(may_apply(Some(&expired), date(2027, 2, 1)), Ok(()));
    }

    #[test]
    fn a_decline_names_its_reasons_and_the_day_from_which_asking_again_helps() {
        let declined = made(asked().answer(decline(), Timestamp::UNIX_EPOCH).unwrap());
        let refusal = Refusal::CreditDeclined {
            institution: "xiaofu".to_string(),
            reasons: vec![DeclineReason::DebtTooHigh],
            reapply_after: date(2027, 1, 1),
        };
        assert_eq!(
            declined.supports_purchase(date(2026, 12, 31)),
            Err(refusal.clone())
        );
        assert_eq!(may_apply(Some(&declined), date(2026, 12, 31)), Err(refusal));
        assert_eq!(
            declined.supports_purchase(date(2027, 1, 1)).unwrap_err().code(),
            "application_required"
        );
        assert_eq!(may_apply(Some(&declined), date(2027, 1, 1)), Ok(()));
    }

    #[test]
    fn a_decided_application_cannot_be_taken_back() {
        let at = Timestamp::UNIX_EPOCH;
        let withdrawn = made(asked().withdraw(at).unwrap());
        assert_eq!(withdrawn.clone().withdraw(at), Ok(Change::AlreadyMade));
        assert!(withdrawn.answer(approval(), at).is_err());
        let approved = made(asked().answer(approval(), at).unwrap());
        assert!(approved.withdraw(at).is_err());
    }
}
