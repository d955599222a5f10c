//! Who somebody is (实名): numbers that are checked before anybody is asked about them, masks, and what was proved.

use alloc::string::{String, ToString};
use core::fmt;

use jiff::civil::Date;

use crate::calendar::{DateError, date_of};
use crate::pii::Pii;

/// The provinces of GB/T 2260 that an identity number may begin with, in Chinese and English.
///
/// 83 stands on residence permits of people from Taiwan (GB 11643 as applied since 2018); 71 is the province's own code.
pub const PROVINCES: [(&str, &str, &str); 35] = [
    ("11", "北京市", "Beijing"),
    ("12", "天津市", "Tianjin"),
    ("13", "河北省", "Hebei"),
    ("14", "山西省", "Shanxi"),
    ("15", "内蒙古自治区", "Inner Mongolia"),
    ("21", "辽宁省", "Liaoning"),
    ("22", "吉林省", "Jilin"),
    ("23", "黑龙江省", "Heilongjiang"),
    ("31", "上海市", "Shanghai"),
    ("32", "江苏省", "Jiangsu"),
    ("33", "浙江省", "Zhejiang"),
    ("34", "安徽省", "Anhui"),
    ("35", "福建省", "Fujian"),
    ("36", "江西省", "Jiangxi"),
    ("37", "山东省", "Shandong"),
    ("41", "河南省", "Henan"),
    ("42", "湖北省", "Hubei"),
    ("43", "湖南省", "Hunan"),
    ("44", "广东省", "Guangdong"),
    ("45", "广西壮族自治区", "Guangxi"),
    ("46", "海南省", "Hainan"),
    ("50", "重庆市", "Chongqing"),
    ("51", "四川省", "Sichuan"),
    ("52", "贵州省", "Guizhou"),
    ("53", "云南省", "Yunnan"),
    ("54", "西藏自治区", "Tibet"),
    ("61", "陕西省", "Shaanxi"),
    ("62", "甘肃省", "Gansu"),
    ("63", "青海省", "Qinghai"),
    ("64", "宁夏回族自治区", "Ningxia"),
    ("65", "新疆维吾尔自治区", "Xinjiang"),
    ("71", "台湾省", "Taiwan"),
    ("81", "香港特别行政区", "Hong Kong"),
    ("82", "澳门特别行政区", "Macao"),
    ("83", "台湾居民居住证", "Residence permit, Taiwan"),
];

/// A checked identity number of the mainland (公民身份号码, GB 11643).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdNumber {
    /// The eighteen characters, the last in upper case.
    pub number: Pii<String>,
    /// The date of birth in it.
    pub born_on: Pii<Date>,
}

/// Why a text is not an identity number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdNumberError {
    /// Not eighteen characters, or something else than digits and a last `X`.
    Form,
    /// Fifteen digits: the first generation, void since 2013.
    FirstGeneration,
    /// The date of birth does not exist.
    Birth(DateError),
    /// The date of birth lies in the future.
    BornInFuture,
    /// The last character does not fit the others.
    CheckDigit,
    /// The first two digits are no province.
    Province,
}

impl fmt::Display for IdNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdNumberError::Form => write!(
                f,
                "is not an identity number; 17 digits and a last digit or X are expected"
            ),
            IdNumberError::FirstGeneration => write!(
                f,
                "has 15 digits, a form that is void since 2013; write the 18 characters of the present card"
            ),
            IdNumberError::Birth(error) => write!(f, "holds a date of birth that {error}"),
            IdNumberError::BornInFuture => write!(f, "holds a date of birth in the future"),
            IdNumberError::CheckDigit => write!(
                f,
                "has a last character that does not fit the others; look for a mistyped digit"
            ),
            IdNumberError::Province => write!(f, "does not begin with a province's code of GB/T 2260"),
        }
    }
}

impl IdNumber {
    /// Reads an identity number: form, date of birth, check character, then province. A small `x` is taken as `X`.
    ///
    /// # Errors
    /// The first [`IdNumberError`] in that order.
    pub fn parse(text: &str, today: Date) -> Result<IdNumber, IdNumberError> {
        let checked = IdNumber::without_province(text, today)?;
        let is_known = checked
            .number
            .reveal()
            .get(..2)
            .is_some_and(|code| PROVINCES.iter().any(|p| p.0 == code));
        if is_known {
            Ok(checked)
        } else {
            Err(IdNumberError::Province)
        }
    }

    /// The same without the province, whose list changes with the years while the rest does not.
    ///
    /// # Errors
    /// The first [`IdNumberError`] in the order of [`IdNumber::parse`].
    pub fn without_province(text: &str, today: Date) -> Result<IdNumber, IdNumberError> {
        let number = text.trim().to_ascii_uppercase();
        if number.len() == 15 && number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdNumberError::FirstGeneration);
        }
        let (digits, last) = number.split_at_checked(17).ok_or(IdNumberError::Form)?;
        let last = match last.as_bytes() {
            [last @ (b'0'..=b'9' | b'X')] => *last,
            _ => return Err(IdNumberError::Form),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdNumberError::Form);
        }
        let part = |from: usize, until: usize| -> i16 {
            digits.get(from..until).and_then(|t| t.parse().ok()).unwrap_or(0)
        };
        let born_on = date_of(part(6, 10), part(10, 12), part(12, 14)).map_err(IdNumberError::Birth)?;
        if born_on > today {
            return Err(IdNumberError::BornInFuture);
        }
        if check_character(digits) != Some(last) {
            return Err(IdNumberError::CheckDigit);
        }
        Ok(IdNumber {
            number: Pii::new(number),
            born_on: Pii::new(born_on),
        })
    }
}

/// The check character of seventeen digits (ISO 7064, MOD 11-2).
fn check_character(digits: &str) -> Option<u8> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum = digits.bytes().zip(WEIGHTS).fold(0u32, |sum, (digit, weight)| {
        sum.saturating_add(u32::from(digit.saturating_sub(b'0')).saturating_mul(weight))
    });
    let place = usize::try_from(sum.checked_rem(11)?).ok()?;
    b"10X98765432".get(place).copied()
}

// H26: age comes from the number
/// Completed years of age on a day (周岁). Who was born on 29 February has their birthday on 1 March in common years.
pub fn age_on(born_on: Date, day: Date) -> i16 {
    let years = day.year().saturating_sub(born_on.year());
    if (day.month(), day.day()) < (born_on.month(), born_on.day()) {
        years.saturating_sub(1)
    } else {
        years
    }
}

/// Whether digits satisfy Luhn's check. Some genuine UnionPay cards do not, so a failure alone proves nothing.
pub fn is_luhn_valid(digits: &str) -> bool {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum = digits.bytes().rev().enumerate().fold(0u32, |sum, (place, byte)| {
        let digit = u32::from(byte.saturating_sub(b'0'));
        let value = if place & 1 == 1 {
            let twice = digit.saturating_mul(2);
            twice.saturating_sub(if twice > 9 { 9 } else { 0 })
        } else {
            digit
        };
        sum.saturating_add(value)
    });
    sum.checked_rem(10) == Some(0)
}

/// Whether a text holds what may be a card's number, so that it can be refused where a token belongs.
///
/// Runs of 13 to 19 digits count, with spaces and dashes passed over, if they satisfy Luhn's check or begin with
/// UnionPay's 62. One in ten random numbers is caught by mistake; a card's number in a log costs more.
pub fn looks_like_card_number(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == ' ' || c == '-'))
        .any(|run| {
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            (13..=19).contains(&digits.len()) && (is_luhn_valid(&digits) || digits.starts_with("62"))
        })
}

/// Why a text is not a card's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// A card's number was given; it must never come to us.
    CardNumber,
    /// Not 4 to 64 letters, digits, `_`, `-` or `.`.
    Form,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::CardNumber => write!(
                f,
                "looks like a card number, which is never taken here; send the token that the bank channel gave"
            ),
            TokenError::Form => write!(
                f,
                "is not a token; 4 to 64 letters, digits, _, - or . are allowed"
            ),
        }
    }
}

/// Reads a card's token of the bank channel.
///
/// # Errors
/// [`TokenError`], first of all for what looks like a card's number.
pub fn parse_token(text: &str) -> Result<String, TokenError> {
    if looks_like_card_number(text) {
        return Err(TokenError::CardNumber);
    }
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if (4..=64).contains(&text.len()) && is_plain {
        Ok(text.to_string())
    } else {
        Err(TokenError::Form)
    }
}

/// Why a text is not a mobile phone of the mainland.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneError;

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is not a mobile number of the mainland; 11 digits that begin with 13 to 19 are expected, +86 before them is allowed"
        )
    }
}

/// Reads a mobile number of the mainland (手机号) in any usual spelling, and gives it as E.164: `+8613800000000`.
///
/// # Errors
/// [`PhoneError`].
pub fn parse_mobile(text: &str) -> Result<Pii<String>, PhoneError> {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '\u{a0}'))
        .collect();
    let local = ["+86", "0086", "86"]
        .iter()
        .find_map(|prefix| plain.strip_prefix(prefix))
        .filter(|rest| rest.len() == 11)
        .unwrap_or(&plain);
    match local.as_bytes() {
        [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit) => {
            Ok(Pii::new(alloc::format!("+86{local}")))
        }
        _ => Err(PhoneError),
    }
}

/// Why a text is not a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameError;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is not a name as on the identity document; 2 to 50 letters are expected, with spaces or · between parts"
        )
    }
}

/// Reads a real name (真实姓名): 2 to 50 letters of any script, with spaces, dots, apostrophes and hyphens between parts.
///
/// # Errors
/// [`NameError`].
pub fn parse_name(text: &str) -> Result<Pii<String>, NameError> {
    let name = text.trim();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let is_plain = name
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, ' ' | '·' | '•' | '.' | '\'' | '’' | '-'));
    let begins_well = name.chars().next().is_some_and(char::is_alphabetic);
    if (2..=50).contains(&letters) && name.chars().count() <= 60 && is_plain && begins_well {
        Ok(Pii::new(name.to_string()))
    } else {
        Err(NameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 20);

    #[test]
    fn numbers_of_the_standard_and_of_public_tests_are_taken() {
        for (text, born_on) in [
            ("11010519491231002X", date(1949, 12, 31)),
            ("11010519491231002x", date(1949, 12, 31)),
            ("440524188001010014", date(1880, 1, 1)),
            ("34052419800101001X", date(1980, 1, 1)),
            ("360426199101010071", date(1991, 1, 1)),
            ("110102199101010078", date(1991, 1, 1)),
        ] {
            let parsed = IdNumber::parse(text, TODAY).unwrap();
            assert_eq!(*parsed.born_on.reveal(), born_on, "{text}");
        }
    }

    #[test]
    fn each_mistake_in_a_number_is_named() {
        let mistakes = [
            ("", IdNumberError::Form),
            ("T60426199101010078", IdNumberError::Form),
            ("1101051949123100", IdNumberError::Form),
            ("11010519491231002XX", IdNumberError::Form),
            ("张010519491231002X", IdNumberError::Form),
            ("110105491231002", IdNumberError::FirstGeneration),
            (
                "110105194902300027",
                IdNumberError::Birth(DateError::NoSuchDay { days: 28 }),
            ),
            ("110105194913310027", IdNumberError::Birth(DateError::NoSuchMonth)),
            ("110105202612310020", IdNumberError::BornInFuture),
            ("110105194912310021", IdNumberError::CheckDigit),
            ("990105194912310020", IdNumberError::CheckDigit),
        ];
        for (text, error) in mistakes {
            assert_eq!(IdNumber::parse(text, TODAY), Err(error), "{text}");
        }
        let elsewhere = "99010519491231";
        let right = (0..=9)
            .find_map(|d| {
                let digits = alloc::format!("{elsewhere}00{d}");
                check_character(&digits).map(|c| alloc::format!("{digits}{}", char::from(c)))
            })
            .unwrap();
        assert_eq!(IdNumber::parse(&right, TODAY), Err(IdNumberError::Province));
        assert!(IdNumber::without_province(&right, TODAY).is_ok());
    }

    #[test]
    fn a_number_never_shows_in_a_log() {
        let id = IdNumber::parse("11010519491231002X", TODAY).unwrap();
        let shown = alloc::format!("{id:?}");
        assert!(!shown.contains("1949") && !shown.contains("002X"), "{shown}");
    }

    #[test]
    fn a_person_is_eighteen_on_the_birthday() {
        assert_eq!(age_on(date(2008, 11, 20), date(2026, 11, 19)), 17);
        assert_eq!(age_on(date(2008, 11, 20), date(2026, 11, 20)), 18);
        assert_eq!(age_on(date(2008, 2, 29), date(2026, 2, 28)), 17);
        assert_eq!(age_on(date(2008, 2, 29), date(2026, 3, 1)), 18);
    }

    #[test]
    fn public_test_cards_are_recognised_in_every_spelling() {
        for number in [
            "4111111111111111",
            "4242424242424242",
            "6222021001122334458",
            "3056930009020004",
        ] {
            assert!(
                is_luhn_valid(number) && looks_like_card_number(number),
                "{number}"
            );
        }
        for text in [
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "card: 4242424242424242!",
            "tok_4111111111111111",
            "6222021001122334457",
        ] {
            assert!(looks_like_card_number(text), "{text}");
        }
        assert!(!is_luhn_valid("4242424242424241") && !looks_like_card_number("4242424242424241"));
        assert!(!looks_like_card_number("tok_4f9a2b7c") && !looks_like_card_number("123456789012"));
    }

    #[test]
    fn a_card_number_is_no_token() {
        assert_eq!(parse_token("4242424242424242"), Err(TokenError::CardNumber));
        assert_eq!(parse_token("tok_ok-1.a"), Ok("tok_ok-1.a".to_string()));
        for text in ["", "abc", "tok ok", "口令牌牌"] {
            assert_eq!(parse_token(text), Err(TokenError::Form), "{text}");
        }
    }

    #[test]
    fn a_mobile_number_is_taken_in_every_usual_spelling() {
        for text in [
            "13800000000",
            "+8613800000000",
            "86 138-0000-0000",
            "0086 13800000000",
            "138 0000 0000",
        ] {
            assert_eq!(parse_mobile(text).unwrap().reveal(), "+8613800000000", "{text}");
        }
        for text in [
            "",
            "12800000000",
            "1380000000",
            "138000000000",
            "+113800000000",
            "1380000000a",
        ] {
            assert!(parse_mobile(text).is_err(), "{text}");
        }
        assert_eq!(parse_mobile("18612345678").unwrap().reveal(), "+8618612345678");
    }

    #[test]
    fn a_name_is_letters_and_nothing_else() {
        for text in ["张三", "阿卜杜拉·买买提", "Ann Lee", "O'Neil"] {
            assert_eq!(parse_name(text).unwrap().reveal(), text);
        }
        for text in ["", "张", "张3", "<b>", "·张三", "a\nb"] {
            assert!(parse_name(text).is_err(), "{text}");
        }
    }
}
