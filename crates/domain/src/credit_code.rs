//! The unified social credit code of organisations (统一社会信用代码, GB 32100).

use alloc::string::String;
use core::fmt;

/// The characters that a code may have, in the order of their values: no I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A checked code of eighteen characters, in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditCode(String);

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditCodeError {
    /// Not eighteen characters of the alphabet, or something else than digits where the region stands.
    Form,
    /// The last character does not fit the others.
    CheckCharacter,
}

impl fmt::Display for CreditCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CreditCodeError::Form => write!(
                f,
                "is not a credit code; 18 digits and letters but I, O, S, V, Z are expected, the 3rd to 8th of them digits"
            ),
            CreditCodeError::CheckCharacter => write!(
                f,
                "has a last character that does not fit the others; look for a mistyped one"
            ),
        }
    }
}

impl CreditCode {
    /// Reads a code as it is printed or typed: with spaces or dashes between its parts, in small or large letters.
    ///
    /// # Errors
    /// [`CreditCodeError`].
    pub fn parse(text: &str) -> Result<CreditCode, CreditCodeError> {
        let code: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let code = code.to_ascii_uppercase();
        let values = code
            .bytes()
            .map(|byte| ALPHABET.iter().position(|c| *c == byte))
            .map(|place| place.and_then(|place| u32::try_from(place).ok()))
            .collect::<Option<alloc::vec::Vec<u32>>>()
            .ok_or(CreditCodeError::Form)?;
        let is_region = values.iter().skip(2).take(6).all(|value| *value < 10);
        let Some((check, others)) = values.split_last().filter(|_| values.len() == 18 && is_region) else {
            return Err(CreditCodeError::Form);
        };
        // The weights are the powers of 3 modulo 31.
        let (sum, _) = others.iter().fold((0u32, 1u32), |(sum, weight), value| {
            let next = weight.saturating_mul(3).checked_rem(31).unwrap_or(0);
            (sum.saturating_add(value.saturating_mul(weight)), next)
        });
        let all = sum.saturating_add(*check).checked_rem(31);
        if all == Some(0) {
            Ok(CreditCode(code))
        } else {
            Err(CreditCodeError::CheckCharacter)
        }
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The codes of the standard's own example and of public test suites (python-stdnum).
    #[test]
    fn published_codes_are_taken_and_one_wrong_character_is_not() {
        for code in [
            "91110000600037341L",
            "92340621MA2UJWEE2G",
            "92340621ma2uk3ce6l",
            "91 110000 60003734-1L",
        ] {
            let parsed = CreditCode::parse(code).unwrap();
            let plain = code.replace([' ', '-'], "").to_ascii_uppercase();
            assert_eq!(parsed.as_str(), plain);
        }
        let wrong = CreditCode::parse("91110000600037342L");
        assert_eq!(wrong, Err(CreditCodeError::CheckCharacter));
        for text in [
            "",
            "9111000060003734",
            "91110000600037341O",
            "91A10000600037341L",
            "统一社会信用代码",
        ] {
            assert_eq!(CreditCode::parse(text), Err(CreditCodeError::Form), "{text}");
        }
    }
}
