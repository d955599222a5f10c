//! Numbers from outside: what is taken, and what is said of the rest.

use fenqi_domain::money::{AMOUNT_MAX, Amount, Currency, Money, NumberError, Rate, Rounding, divide, point};

fn cny(text: &str) -> Result<i64, NumberError> {
    Money::parse(text, Currency::Cny).map(|money| money.amount.minor())
}

#[test]
fn amounts_are_taken_with_and_without_grouping() {
    let table = [
        ("3999", 399_900),
        ("3999.00", 399_900),
        (" 3,999.9 ", 399_990),
        ("1,234,567.89", 123_456_789),
        ("0", 0),
        ("0.01", 1),
        ("3999.0000", 399_900),
        ("10000000000000", AMOUNT_MAX),
    ];
    for (text, minor) in table {
        assert_eq!(cny(text), Ok(minor), "{text}");
    }
    let yen = Money::parse("5,000", Currency::Jpy).unwrap();
    assert_eq!(
        (yen.amount.minor(), yen.to_string()),
        (5_000, "5000 JPY".to_string())
    );
}

#[test]
fn what_is_wrong_with_an_amount_is_named() {
    let table = [
        ("", NumberError::Empty),
        ("  ", NumberError::Empty),
        ("-1", NumberError::Negative),
        ("1.001", NumberError::TooManyDigits { allowed: 2 }),
        ("10000000000000.01", NumberError::TooLarge),
        ("99999999999999999999", NumberError::TooLarge),
        ("1e3", NumberError::NotANumber),
        ("1,23", NumberError::NotANumber),
        (",123", NumberError::NotANumber),
        ("1.2.3", NumberError::NotANumber),
        (".5", NumberError::NotANumber),
        ("5.", NumberError::NotANumber),
        ("¥5", NumberError::NotANumber),
        ("五", NumberError::NotANumber),
        ("+5", NumberError::NotANumber),
    ];
    for (text, error) in table {
        assert_eq!(cny(text), Err(error), "{text}");
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(
        Money::parse("1.5", Currency::Jpy),
        Err(NumberError::TooManyDigits { allowed: 0 })
    );
    assert_eq!("XAU".parse::<Currency>(), Err(NumberError::UnknownCurrency));
    assert_eq!("cny".parse::<Currency>(), Err(NumberError::UnknownCurrency));
}

#[test]
fn a_rate_reads_back_as_it_is_written() {
    for (text, ppb, shown) in [
        ("8.6", 86_000_000, "8.6%"),
        ("0.05 %", 500_000, "0.05%"),
        ("24%", 240_000_000, "24%"),
        ("0", 0, "0%"),
        ("0.0000001", 1, "0.0000001%"),
        ("10000", 100_000_000_000, "10000%"),
    ] {
        let rate = Rate::from_percent(text).unwrap();
        assert_eq!((rate.ppb(), rate.to_string().as_str()), (ppb, shown));
        assert_eq!(Rate::from_percent(shown), Ok(rate));
    }
    for text in ["", "%", "-1", "10000.1", "0.00000001", "abc"] {
        assert!(Rate::from_percent(text).is_err(), "{text}");
    }
}

#[test]
fn nothing_wraps_at_the_edge_of_the_range() {
    let most = Amount::from_minor(i64::MAX);
    assert!(most.plus(Amount::from_minor(1)).is_err());
    assert!(most.times(2).is_err());
    assert!(Amount::from_minor(i64::MIN).minus(Amount::from_minor(1)).is_err());
    assert!(most.at(Rate::from_ppb(1_000_000_001), Rounding::Down).is_err());
    assert_eq!(most.at(Rate::ONE, Rounding::Down), Ok(most));
    assert!(most.share(1, 0, Rounding::Down).is_err(), "a denominator of zero");
    assert_eq!(point(i64::MIN, 2), "-92233720368547758.08");
    assert_eq!(
        Amount::from_minor(5).split(0, fenqi_domain::money::Remainder::First),
        []
    );
}

#[test]
fn penalty_interest_is_rounded_once() {
    // 0.05 % a day on 107.20 for ten days is 0.536.
    let overdue = Amount::from_minor(10_720);
    let daily = Rate::from_percent("0.05").unwrap();
    assert_eq!(
        overdue.share(daily.ppb() * 10, Rate::ONE.ppb(), Rounding::HalfUp),
        Ok(Amount::from_minor(54))
    );
    assert_eq!(
        Amount::from_minor(399_900).interest(Rate::from_bps(860), 30, 360, Rounding::HalfUp),
        Ok(Amount::from_minor(2_866))
    );
}

#[test]
fn a_quotient_of_wide_numbers_is_rounded_as_that_of_narrow_ones() {
    let wide = 10_i128.pow(25);
    for rounding in [Rounding::Down, Rounding::Up, Rounding::HalfUp, Rounding::HalfEven] {
        for denominator in 1..=6_i128 {
            for numerator in -40..=40_i128 {
                let narrow = divide(numerator, denominator, rounding).unwrap();
                let same = divide(numerator * wide, denominator * wide, rounding).unwrap();
                assert_eq!(same, narrow, "{numerator}/{denominator} {rounding:?}");
            }
        }
    }
}

#[test]
fn a_figure_that_does_not_fit_says_which() {
    let all = Amount::from_minor(i64::MAX);
    let error = all.plus(Amount::from_minor(1)).unwrap_err();
    assert!(error.to_string().contains("a sum"), "{error}");
}
