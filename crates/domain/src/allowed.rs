//! What is allowed of a text or a figure that came from outside (允许的取值), where no bounds tell it.
//!
//! One flat list. The words in Chinese and English stand in `app/texts`, one pair for each code.

use serde::{Deserialize, Serialize};

use crate::identity::{IdNumberError, NameError, PhoneError, TokenError};

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// A number or code: 1 to 64 visible ASCII characters.
    Code,
    /// A code in which no slash stands, because it names an account of the books.
    CodeWithoutSlash,
    /// An idempotency key: 1 to 255 visible ASCII characters.
    Key,
    /// An identifier of ours, as it was given.
    Identifier,
    /// A notice of the bank channel.
    BankNotice,
    /// The token that the bank channel gave for a card.
    Token,
    /// No card number, which is never taken (S15).
    TokenAndNoCardNumber,
    /// A name as on the identity document.
    Name,
    /// A mobile number of the mainland.
    Mobile,
    /// An identity number: 17 digits and a last digit or `X`.
    IdNumber,
    /// An identity number of the present card: the form of fifteen digits is void since 2013.
    IdNumberOfPresentCard,
    /// An identity number that holds a day of the calendar.
    IdNumberWithBirthday,
    /// An identity number of somebody who was born.
    IdNumberOfSomebodyBorn,
    /// An identity number whose last character fits the others.
    IdNumberThatFits,
    /// An identity number that begins with a province of GB/T 2260.
    IdNumberOfProvince,
    /// A reason that is not one of those which stand for a shopper's own limit.
    ReasonOfStaff,
    /// 1 or more.
    OneOrMore,
    /// More than zero.
    MoreThanZero,
    /// Zero or more.
    NotNegative,
    /// 0 % to 100 %.
    Share,
    /// 0 % to less than 100 %.
    LessThanWhole,
    /// 1 to 60 instalments.
    Instalments,
    /// The plan's minimum or more, and at most ten trillion.
    MinimumOrMore,
    /// A day of the month, 1 to 31.
    DayOfMonth,
    /// A recalculation that goes with excess reckoned anew: by the day, or none on what is overdue.
    RecalculationByDay,
    /// The SHA-256 of a text: 64 hexadecimal digits.
    Digest,
    /// A time zone of the IANA database.
    TimeZone,
    /// Two hours of one day, the first before the second.
    HoursOfDay,
}

impl Allowed {
    /// Everything that can be allowed.
    pub const ALL: [Allowed; 28] = [
        Allowed::Code,
        Allowed::CodeWithoutSlash,
        Allowed::Key,
        Allowed::Identifier,
        Allowed::BankNotice,
        Allowed::Token,
        Allowed::TokenAndNoCardNumber,
        Allowed::Name,
        Allowed::Mobile,
        Allowed::IdNumber,
        Allowed::IdNumberOfPresentCard,
        Allowed::IdNumberWithBirthday,
        Allowed::IdNumberOfSomebodyBorn,
        Allowed::IdNumberThatFits,
        Allowed::IdNumberOfProvince,
        Allowed::ReasonOfStaff,
        Allowed::OneOrMore,
        Allowed::MoreThanZero,
        Allowed::NotNegative,
        Allowed::Share,
        Allowed::LessThanWhole,
        Allowed::Instalments,
        Allowed::MinimumOrMore,
        Allowed::DayOfMonth,
        Allowed::RecalculationByDay,
        Allowed::Digest,
        Allowed::TimeZone,
        Allowed::HoursOfDay,
    ];

    /// The stable code, in lower case with underscores.
    pub const fn code(self) -> &'static str {
        match self {
            Allowed::Code => "code",
            Allowed::CodeWithoutSlash => "code_without_slash",
            Allowed::Key => "key",
            Allowed::Identifier => "identifier",
            Allowed::BankNotice => "bank_notice",
            Allowed::Token => "token",
            Allowed::TokenAndNoCardNumber => "token_and_no_card_number",
            Allowed::Name => "name",
            Allowed::Mobile => "mobile",
            Allowed::IdNumber => "id_number",
            Allowed::IdNumberOfPresentCard => "id_number_of_present_card",
            Allowed::IdNumberWithBirthday => "id_number_with_birthday",
            Allowed::IdNumberOfSomebodyBorn => "id_number_of_somebody_born",
            Allowed::IdNumberThatFits => "id_number_that_fits",
            Allowed::IdNumberOfProvince => "id_number_of_province",
            Allowed::ReasonOfStaff => "reason_of_staff",
            Allowed::OneOrMore => "one_or_more",
            Allowed::MoreThanZero => "more_than_zero",
            Allowed::NotNegative => "not_negative",
            Allowed::Share => "share",
            Allowed::LessThanWhole => "less_than_whole",
            Allowed::Instalments => "instalments",
            Allowed::MinimumOrMore => "minimum_or_more",
            Allowed::DayOfMonth => "day_of_month",
            Allowed::RecalculationByDay => "recalculation_by_day",
            Allowed::Digest => "digest",
            Allowed::TimeZone => "time_zone",
            Allowed::HoursOfDay => "hours_of_day",
        }
    }
}

impl From<IdNumberError> for Allowed {
    fn from(error: IdNumberError) -> Allowed {
        match error {
            IdNumberError::Form => Allowed::IdNumber,
            IdNumberError::FirstGeneration => Allowed::IdNumberOfPresentCard,
            IdNumberError::Birth(_) => Allowed::IdNumberWithBirthday,
            IdNumberError::BornInFuture => Allowed::IdNumberOfSomebodyBorn,
            IdNumberError::CheckDigit => Allowed::IdNumberThatFits,
            IdNumberError::Province => Allowed::IdNumberOfProvince,
        }
    }
}

impl From<TokenError> for Allowed {
    fn from(error: TokenError) -> Allowed {
        match error {
            TokenError::CardNumber => Allowed::TokenAndNoCardNumber,
            TokenError::Form => Allowed::Token,
        }
    }
}

impl From<PhoneError> for Allowed {
    fn from(_: PhoneError) -> Allowed {
        Allowed::Mobile
    }
}

impl From<NameError> for Allowed {
    fn from(_: NameError) -> Allowed {
        Allowed::Name
    }
}
