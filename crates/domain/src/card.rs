//! Card numbers (卡号), for telling a mistyped one before anybody is asked. The platform itself only ever keeps tokens.

use alloc::string::String;
use core::fmt;

use crate::identity::is_luhn_valid;

/// Why a text is not a card's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardError {
    /// Not 12 to 19 digits.
    Form,
    /// The digits fail Luhn's check.
    Luhn,
    /// They fail it, but begin with UnionPay's 62, where genuine cards may.
    LuhnOfUnionPay,
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CardError::Form => write!(
                f,
                "is not a card number; 12 to 19 digits are expected, with spaces or dashes between them"
            ),
            CardError::Luhn => write!(
                f,
                "has a last digit that does not fit the others; look for a mistyped digit"
            ),
            CardError::LuhnOfUnionPay => write!(
                f,
                "has a last digit that does not fit the others; some genuine UnionPay cards have, so only the bank can tell"
            ),
        }
    }
}

/// Checks a card's number as it is printed or typed.
///
/// # Errors
/// [`CardError`].
pub fn check(text: &str) -> Result<(), CardError> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || !(12..=19).contains(&digits.len()) {
        return Err(CardError::Form);
    }
    if is_luhn_valid(&digits) {
        Ok(())
    } else if digits.starts_with("62") {
        Err(CardError::LuhnOfUnionPay)
    } else {
        Err(CardError::Luhn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Numbers from the public documentation of card processors for tests.
    #[test]
    fn public_test_cards_pass_in_every_length_and_spelling() {
        for number in [
            "4242424242424242",
            "4242 4242-4242 4242",
            "378282246310005",
            "36227206271667",
            "6205500000000000004",
        ] {
            assert_eq!(check(number), Ok(()), "{number}");
        }
        assert_eq!(check("4242424242424241"), Err(CardError::Luhn));
        assert_eq!(check("6222021001122334457"), Err(CardError::LuhnOfUnionPay));
        for text in [
            "",
            "42424242424",
            "42424242424242424242",
            "4242x24242424242",
            "４２４２４２４２４２４２４２４２",
        ] {
            assert_eq!(check(text), Err(CardError::Form), "{text}");
        }
    }
}
