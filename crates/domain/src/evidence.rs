//! What a shopper proved of their identity (实名认证): the name and number, then a face or a photographed document.
//!
//! A face is never the only way (人脸识别司法解释 4). What was proved serves again until the document ends (R43, R44).

use alloc::string::{String, ToString};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// How often a step may be tried in one day.
pub const TRIES_A_DAY: u8 = 5;

/// One way of proving something (认证步骤).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// That the name and the identity number belong together (姓名与身份证号核验).
    Name,
    /// That the face is the person's (人脸识别).
    Face,
    /// That the photographed document is the person's (身份证照片).
    Photograph,
}

impl Step {
    /// The word in rows and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Step::Name => "name",
            Step::Face => "face",
            Step::Photograph => "photograph",
        }
    }
}

/// That a step was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// When.
    pub at: Timestamp,
    /// The provider's reference; images stay with the provider.
    pub reference: String,
}

/// Tries that failed on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// The day.
    pub on: Date,
    /// How many.
    pub count: u8,
}

// H16: what was proved stays proved
/// All that a shopper proved. It holds no personal data but completed years of age.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityEvidence {
    /// The name and number belong together.
    pub name: Option<Passed>,
    /// Completed years of age when that was proved.
    pub age: Option<i16>,
    /// The face is the person's.
    pub face: Option<Passed>,
    /// The photographed document is the person's.
    pub photograph: Option<Passed>,
    /// The last day of the document, where it was seen.
    pub valid_until: Option<Date>,
    /// Tries that failed lately.
    pub failures: Option<Failures>,
}

impl IdentityEvidence {
    // R43, R44: name and number, then a face or a photographed document
    /// Whether everything is proved that a purchase needs.
    ///
    /// # Errors
    /// [`Refusal::IdentityRequired`] with the step `name`, then `face_or_photograph`; [`Refusal::IdentityExpired`].
    pub fn is_enough(&self, today: Date) -> Result<(), Refusal> {
        let required = |step: &str| {
            Err(Refusal::IdentityRequired {
                step: step.to_string(),
            })
        };
        if self.name.is_none() {
            return required("name");
        }
        if self.face.is_none() && self.photograph.is_none() {
            return required("face_or_photograph");
        }
        match self.valid_until {
            Some(on) if on < today => Err(Refusal::IdentityExpired { on }),
            _ => Ok(()),
        }
    }

    /// Whether the person had come of age when they proved who they are; nothing is held against who did not yet.
    ///
    /// # Errors
    /// [`Refusal::Underage`]. Who comes of age later proves the name once more.
    pub fn is_of_age(&self, majority: u8) -> Result<(), Refusal> {
        match self.age {
            Some(age) if age < i16::from(majority) => Err(Refusal::Underage { minimum: majority }),
            _ => Ok(()),
        }
    }

    /// Whether a step may be tried now.
    ///
    /// # Errors
    /// [`Refusal::IdentityRequired`] for a face or photograph before the name; [`Refusal::IdentityFailed`] with no
    /// tries left on this day.
    pub fn may_try(&self, step: Step, today: Date) -> Result<(), Refusal> {
        if step != Step::Name && self.name.is_none() {
            return Err(Refusal::IdentityRequired {
                step: Step::Name.code().to_string(),
            });
        }
        if self.tries_left(today) == 0 {
            return Err(Refusal::IdentityFailed {
                step: step.code().to_string(),
                tries_left: 0,
            });
        }
        Ok(())
    }

    /// How many tries are left on a day.
    pub fn tries_left(&self, today: Date) -> u8 {
        let failed = self.failures.filter(|f| f.on == today).map_or(0, |f| f.count);
        TRIES_A_DAY.saturating_sub(failed)
    }

    /// The name and number matched. A proof of another number makes earlier faces and photographs void.
    pub fn name_matched(self, passed: Passed, age: i16) -> IdentityEvidence {
        IdentityEvidence {
            name: Some(passed),
            age: Some(age),
            ..IdentityEvidence::default()
        }
    }

    /// The face matched.
    pub fn face_matched(mut self, passed: Passed) -> IdentityEvidence {
        self.face = Some(passed);
        self
    }

    /// The photographed document matched; it serves to its last day, if that was seen on it.
    pub fn photograph_matched(mut self, passed: Passed, valid_until: Option<Date>) -> IdentityEvidence {
        self.photograph = Some(passed);
        self.valid_until = valid_until;
        self
    }

    /// A step did not succeed: the evidence with one try less, and the answer for the shopper.
    pub fn failed(mut self, step: Step, today: Date) -> (IdentityEvidence, Refusal) {
        let before = self.failures.filter(|f| f.on == today).map_or(0, |f| f.count);
        self.failures = Some(Failures {
            on: today,
            count: before.saturating_add(1),
        });
        let refusal = Refusal::IdentityFailed {
            step: step.code().to_string(),
            tries_left: self.tries_left(today),
        };
        (self, refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 20);

    fn passed() -> Passed {
        Passed {
            at: Timestamp::UNIX_EPOCH,
            reference: "r1".to_string(),
        }
    }

    fn step(evidence: &IdentityEvidence) -> Option<String> {
        match evidence.is_enough(TODAY) {
            Err(Refusal::IdentityRequired { step }) => Some(step),
            _ => None,
        }
    }

    #[test]
    fn a_photograph_serves_as_well_as_a_face() {
        let none = IdentityEvidence::default();
        assert_eq!(step(&none).as_deref(), Some("name"));
        assert_eq!(
            none.may_try(Step::Face, TODAY).unwrap_err().code(),
            "identity_required"
        );
        let named = none.name_matched(passed(), 30);
        assert_eq!(step(&named).as_deref(), Some("face_or_photograph"));
        assert_eq!(named.clone().face_matched(passed()).is_enough(TODAY), Ok(()));
        assert_eq!(named.photograph_matched(passed(), None).is_enough(TODAY), Ok(()));
    }

    #[test]
    fn a_document_serves_to_its_last_day() {
        let evidence = IdentityEvidence::default()
            .name_matched(passed(), 30)
            .photograph_matched(passed(), Some(TODAY));
        assert_eq!(evidence.is_enough(TODAY), Ok(()));
        assert_eq!(
            evidence.is_enough(date(2026, 11, 21)),
            Err(Refusal::IdentityExpired { on: TODAY })
        );
    }

    #[test]
    fn five_failures_end_the_day_and_the_next_day_starts_afresh() {
        let mut evidence = IdentityEvidence::default();
        for left in (0..TRIES_A_DAY).rev() {
            assert_eq!(evidence.may_try(Step::Name, TODAY), Ok(()));
            let (after, refusal) = evidence.failed(Step::Name, TODAY);
            assert_eq!(
                refusal,
                Refusal::IdentityFailed {
                    step: "name".to_string(),
                    tries_left: left
                }
            );
            evidence = after;
        }
        assert!(evidence.may_try(Step::Name, TODAY).is_err());
        assert_eq!(evidence.may_try(Step::Name, date(2026, 11, 21)), Ok(()));
    }

    #[test]
    fn a_minor_is_refused_by_the_years_that_were_proved() {
        let evidence = IdentityEvidence::default().name_matched(passed(), 17);
        assert_eq!(evidence.is_of_age(18), Err(Refusal::Underage { minimum: 18 }));
        assert_eq!(IdentityEvidence::default().is_of_age(18), Ok(()));
    }

    #[test]
    fn another_number_voids_an_earlier_face() {
        let evidence = IdentityEvidence::default()
            .name_matched(passed(), 30)
            .face_matched(passed())
            .name_matched(passed(), 40);
        assert!(evidence.face.is_none());
    }
}
