//! Consent (同意): purpose-bound, recorded with the document that was read, and demanded by type.
//!
//! What needs a consent takes a value such as [`CreditEnquiryAgreed`], and only the ledger of consents can make one.

use alloc::string::{String, ToString};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ConsentId, ShopperId};
use crate::refusal::Refusal;

/// What a person agrees to (同意事项). Each is asked for on its own; none is ticked beforehand (个人信息保护法 14, 23, 29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The instalment service's agreement (分期服务协议).
    ServiceAgreement,
    /// Asking a credit bureau about the person (征信查询授权).
    CreditEnquiry,
    /// Reporting to a credit bureau (征信报送授权).
    BureauReport,
    /// Debiting a card (代扣授权).
    DebitMandate,
    /// Handling personal data (个人信息处理).
    PersonalData,
    /// Handling an image of the face (人脸信息单独同意).
    Face,
    /// Keeping a contact's name and phone, given by the contact (联系人同意).
    Contact,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 7] = [
        Purpose::ServiceAgreement,
        Purpose::CreditEnquiry,
        Purpose::BureauReport,
        Purpose::DebitMandate,
        Purpose::PersonalData,
        Purpose::Face,
        Purpose::Contact,
    ];

    /// The word in rows and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Purpose::ServiceAgreement => "service_agreement",
            Purpose::CreditEnquiry => "credit_enquiry",
            Purpose::BureauReport => "bureau_report",
            Purpose::DebitMandate => "debit_mandate",
            Purpose::PersonalData => "personal_data",
            Purpose::Face => "face",
            Purpose::Contact => "contact",
        }
    }

    /// The purpose of a word.
    pub fn of_code(code: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|p| p.code() == code)
    }
}

// R26: a text in one version, with its hash
/// A document in one version (协议文本). Versions are never changed, only followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its code, such as `service-agreement`.
    pub code: String,
    /// Its version, from 1.
    pub version: u32,
    /// What agreeing to it allows.
    pub purpose: Purpose,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The digest of its text as shown.
    pub hash: String,
    /// For how long it must be open before it can be agreed to, in seconds (强制阅读时间, 金规〔2026〕2号).
    pub minimum_read_seconds: u32,
}

/// A document as a quote names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRef {
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: u32,
    /// The digest of its text.
    pub hash: String,
}

impl Document {
    /// How a quote names it.
    pub fn reference(&self) -> DocumentRef {
        DocumentRef {
            code: self.code.clone(),
            version: self.version,
            hash: self.hash.clone(),
        }
    }

    // R46: documents are read in the version that is signed
    /// Whether the person had this very text open for long enough before agreeing.
    ///
    /// # Errors
    /// [`Refusal::DocumentUnread`] with the seconds that are missing; all of them if it was never opened.
    pub fn was_read(&self, reads: &[DocumentRead]) -> Result<(), Refusal> {
        let open_for = reads
            .iter()
            .filter(|r| r.code == self.code && r.version == self.version && r.hash == self.hash)
            .map(|r| r.agreed_at.as_second().saturating_sub(r.opened_at.as_second()))
            .max();
        let needed = i64::from(self.minimum_read_seconds);
        match open_for {
            Some(seconds) if seconds >= needed => Ok(()),
            // A document that was never opened is unread even where no time is asked for.
            seen => Err(Refusal::DocumentUnread {
                document: self.code.clone(),
                seconds_left: u32::try_from(needed.saturating_sub(seen.unwrap_or(0).max(0))).unwrap_or(0),
            }),
        }
    }
}

/// That a document was opened and then agreed to (阅读与签署记录).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRead {
    /// Which document.
    pub code: String,
    /// In which version.
    pub version: u32,
    /// The digest of the text that was shown.
    pub hash: String,
    /// When it was shown.
    pub opened_at: Timestamp,
    /// When it was agreed to.
    pub agreed_at: Timestamp,
}

/// One entry of the ledger of consents (同意记录). Entries are never changed but for their withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its identifier.
    pub id: ConsentId,
    /// Who agreed.
    pub shopper: ShopperId,
    /// To what.
    pub purpose: Purpose,
    /// On which document.
    pub document: DocumentRef,
    /// For whom it holds: an institution's code, or `*` for the platform itself.
    pub subject: String,
    /// When.
    pub given_at: Timestamp,
    /// When it was taken back, if it was.
    pub withdrawn_at: Option<Timestamp>,
}

impl Consent {
    /// Whether it allows this now.
    pub fn allows(&self, purpose: Purpose, subject: &str) -> bool {
        self.withdrawn_at.is_none()
            && self.purpose == purpose
            && (self.subject == subject || self.subject == "*")
    }

    /// The consent taken back (撤回同意); nothing changes if it was already.
    pub fn withdrawn(mut self, at: Timestamp) -> Consent {
        self.withdrawn_at = self.withdrawn_at.or(Some(at));
        self
    }
}

/// Finds the consent that allows something now.
///
/// # Errors
/// [`Refusal::ConsentMissing`] with the purpose's code.
pub fn require(consents: &[Consent], purpose: Purpose, subject: &str) -> Result<ConsentId, Refusal> {
    consents
        .iter()
        .find(|c| c.allows(purpose, subject))
        .map(|c| c.id)
        .ok_or_else(|| Refusal::ConsentMissing {
            purpose: purpose.code().to_string(),
        })
}

macro_rules! agreed {
    ($($(#[$doc:meta])* $name:ident = $purpose:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(ConsentId);

        impl $name {
            /// The proof, if the ledger of consents has one for this subject.
            ///
            /// # Errors
            /// [`Refusal::ConsentMissing`].
            pub fn require(consents: &[Consent], subject: &str) -> Result<$name, Refusal> {
                require(consents, Purpose::$purpose, subject).map($name)
            }

            /// The consent that it rests on.
            pub const fn consent(self) -> ConsentId {
                self.0
            }
        }
    )*};
}

agreed! {
    /// Proof that the person agreed to the service's agreement.
    ServiceAgreed = ServiceAgreement;
    /// Proof that the person allowed an enquiry at a credit bureau.
    CreditEnquiryAgreed = CreditEnquiry;
    /// Proof that the person allowed reports to a credit bureau.
    BureauReportAgreed = BureauReport;
    /// Proof that the person allowed debits.
    DebitAgreed = DebitMandate;
    /// Proof that the person allowed the handling of personal data.
    PersonalDataAgreed = PersonalData;
    /// Proof that the person allowed the handling of an image of the face.
    FaceAgreed = Face;
    /// Proof that a contact allowed the keeping of their name and phone.
    ContactAgreed = Contact;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document {
            code: "service-agreement".to_string(),
            version: 2,
            purpose: Purpose::ServiceAgreement,
            title_zh: "分期服务协议".to_string(),
            title_en: "Instalment service agreement".to_string(),
            hash: "ab".to_string(),
            minimum_read_seconds: 10,
        }
    }

    fn read(version: u32, seconds: i64) -> DocumentRead {
        DocumentRead {
            code: "service-agreement".to_string(),
            version,
            hash: "ab".to_string(),
            opened_at: Timestamp::from_second(1_000).unwrap(),
            agreed_at: Timestamp::from_second(seconds.saturating_add(1_000)).unwrap(),
        }
    }

    fn unread(seconds_left: u32) -> Result<(), Refusal> {
        Err(Refusal::DocumentUnread {
            document: "service-agreement".to_string(),
            seconds_left,
        })
    }

    #[test]
    fn a_document_counts_as_read_only_in_this_version_and_for_long_enough() {
        assert_eq!(document().was_read(&[read(2, 10)]), Ok(()));
        assert_eq!(document().was_read(&[read(2, 4)]), unread(6));
        assert_eq!(document().was_read(&[read(1, 60)]), unread(10));
        assert_eq!(document().was_read(&[]), unread(10));
        let mut at_once = document();
        at_once.minimum_read_seconds = 0;
        assert_eq!(at_once.was_read(&[]), unread(0));
    }

    #[test]
    fn a_consent_holds_for_its_purpose_and_subject_until_it_is_taken_back() {
        let consent = Consent {
            id: ConsentId::from_bits(1),
            shopper: ShopperId::from_bits(2),
            purpose: Purpose::CreditEnquiry,
            document: document().reference(),
            subject: "xiaofu".to_string(),
            given_at: Timestamp::UNIX_EPOCH,
            withdrawn_at: None,
        };
        let ledger = [consent.clone()];
        assert!(CreditEnquiryAgreed::require(&ledger, "xiaofu").is_ok());
        let missing = Refusal::ConsentMissing {
            purpose: "credit_enquiry".to_string(),
        };
        assert_eq!(
            CreditEnquiryAgreed::require(&ledger, "other"),
            Err(missing.clone())
        );
        assert!(FaceAgreed::require(&ledger, "xiaofu").is_err());
        let taken_back = [consent.withdrawn(Timestamp::UNIX_EPOCH)];
        assert_eq!(CreditEnquiryAgreed::require(&taken_back, "xiaofu"), Err(missing));
    }

    #[test]
    fn every_purpose_reads_back_its_code() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::of_code(purpose.code()), Some(purpose));
        }
    }
}
