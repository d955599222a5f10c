//! Money (金额): integers of the smallest unit, a currency, exact rates, and named roundings.
//!
//! Nothing here is a float and nothing wraps: an operation that would leave the range says so with [`OutOfRange`].

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest amount that the platform takes from outside, in minor units: ten trillion of the major unit.
///
/// It leaves `i64` room for the sum of nine hundred of them, and `i128` room for every product with a rate.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// An arithmetic result that does not fit; the field names what was being computed.
///
/// It is a fault and not a refusal: amounts from outside are bounded by [`AMOUNT_MAX`] when they are parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange(pub &'static str);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is out of range", self.0)
    }
}

/// An amount in minor units (分, cents), without its currency, which stands on the aggregate that holds it.
///
/// It may be negative where the trade knows negative figures (an available limit after a cut, a difference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// An amount of so many minor units.
    pub const fn from_minor(minor: i64) -> Amount {
        Amount(minor)
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Whether it is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum.
    pub fn plus(self, other: Amount) -> Result<Amount, OutOfRange> {
        self.0.checked_add(other.0).map(Amount).ok_or(OutOfRange("a sum"))
    }

    /// The difference, which may be negative.
    pub fn minus(self, other: Amount) -> Result<Amount, OutOfRange> {
        self.0
            .checked_sub(other.0)
            .map(Amount)
            .ok_or(OutOfRange("a difference"))
    }

    /// The difference, or nothing where it would be negative.
    pub fn minus_or_zero(self, other: Amount) -> Result<Amount, OutOfRange> {
        Ok(self.minus(other)?.max(Amount::ZERO))
    }

    /// So many times the amount.
    pub fn times(self, count: i64) -> Result<Amount, OutOfRange> {
        self.0
            .checked_mul(count)
            .map(Amount)
            .ok_or(OutOfRange("a product"))
    }

    /// The smaller of the two.
    pub fn min(self, other: Amount) -> Amount {
        Ord::min(self, other)
    }

    /// The larger of the two.
    pub fn max(self, other: Amount) -> Amount {
        Ord::max(self, other)
    }

    /// The sum of all of them.
    pub fn sum(parts: impl IntoIterator<Item = Amount>) -> Result<Amount, OutOfRange> {
        parts.into_iter().try_fold(Amount::ZERO, Amount::plus)
    }

    /// The amount × `numerator` ÷ `denominator`, rounded once. The denominator is positive.
    pub fn share(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Amount, OutOfRange> {
        let product = i128::from(self.0)
            .checked_mul(i128::from(numerator))
            .ok_or(OutOfRange("a share"))?;
        divide(product, i128::from(denominator), rounding).map(Amount)
    }

    /// The amount × a rate, rounded once.
    pub fn at(self, rate: Rate, rounding: Rounding) -> Result<Amount, OutOfRange> {
        self.share(rate.ppb(), Rate::ONE.ppb(), rounding)
    }

    /// Interest for `days` of a year of `year_days`, at an annual rate, rounded once.
    pub fn interest(
        self,
        annual: Rate,
        days: i64,
        year_days: i64,
        rounding: Rounding,
    ) -> Result<Amount, OutOfRange> {
        let numerator = i128::from(self.0)
            .checked_mul(i128::from(annual.ppb()))
            .and_then(|x| x.checked_mul(i128::from(days)))
            .ok_or(OutOfRange("interest"))?;
        let denominator = i128::from(Rate::ONE.ppb())
            .checked_mul(i128::from(year_days))
            .ok_or(OutOfRange("interest"))?;
        divide(numerator, denominator, rounding).map(Amount)
    }

    /// Splits the amount into `count` parts that sum to it; the remainder of the division goes where `remainder` says.
    ///
    /// The amount is not negative, and `count` is at least 1 (an empty list otherwise).
    pub fn split(self, count: u16, remainder: Remainder) -> Vec<Amount> {
        self.parts(count, remainder).collect()
    }

    /// The parts of [`Amount::split`], one by one.
    pub fn parts(self, count: u16, remainder: Remainder) -> impl ExactSizeIterator<Item = Amount> {
        let n = i64::from(count.max(1));
        let part = self.0.checked_div_euclid(n).unwrap_or(0);
        let rest = self.0.checked_rem_euclid(n).unwrap_or(0);
        (0..count).map(move |place| {
            let place = i64::from(place);
            let extra = match remainder {
                Remainder::First if place == 0 => rest,
                Remainder::Last if place == n.saturating_sub(1) => rest,
                Remainder::Spread if place < rest => 1,
                _ => 0,
            };
            Amount(part.saturating_add(extra))
        })
    }

    /// Shares the amount by weights; the parts sum to it and the largest remainders get the odd units, earlier ones first.
    ///
    /// Weights are not negative. If all weights are zero, the first gets everything.
    pub fn by_weights(self, weights: &[Amount]) -> Result<Vec<Amount>, OutOfRange> {
        let total = Amount::sum(weights.iter().copied())?;
        if weights.len() == 1 || total.is_zero() {
            let mut parts: Vec<Amount> = weights.iter().map(|_| Amount::ZERO).collect();
            if let Some(first) = parts.first_mut() {
                *first = self;
            }
            return Ok(parts);
        }
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = i128::from(self.0)
                .checked_mul(i128::from(weight.0))
                .ok_or(OutOfRange("a share"))?;
            let whole = product
                .checked_div_euclid(i128::from(total.0))
                .ok_or(OutOfRange("a share"))?;
            let rest = product
                .checked_rem_euclid(i128::from(total.0))
                .ok_or(OutOfRange("a share"))?;
            parts.push(Amount(i64::try_from(whole).map_err(|_| OutOfRange("a share"))?));
            remainders.push((rest, index));
        }
        // Largest remainders first, so that the parts differ by less than one unit from the exact share.
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut left = self.minus(Amount::sum(parts.iter().copied())?)?;
        for (_, index) in remainders {
            if !left.is_positive() {
                break;
            }
            if let Some(part) = parts.get_mut(index) {
                *part = part.plus(Amount(1))?;
                left = left.minus(Amount(1))?;
            }
        }
        Ok(parts)
    }
}

/// The quotient of two integers, rounded as named. The denominator is positive.
pub fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i64, OutOfRange> {
    let error = OutOfRange("a quotient");
    // Nearly every figure fits 64 bits, where a division costs a fraction of one of 128.
    if let (Ok(numerator), Ok(denominator)) = (i64::try_from(numerator), i64::try_from(denominator)) {
        return divide_short(numerator, denominator, rounding).ok_or(error);
    }
    let floor = numerator.checked_div_euclid(denominator).ok_or(error)?;
    let rest = numerator.checked_rem_euclid(denominator).ok_or(error)?;
    let twice = rest.checked_mul(2).ok_or(error)?;
    let up = match rounding {
        Rounding::Down => rest != 0 && numerator.is_negative(),
        Rounding::Up => rest != 0 && numerator.is_positive(),
        Rounding::HalfUp => twice > denominator || (twice == denominator && numerator.is_positive()),
        Rounding::HalfEven => {
            twice > denominator || (twice == denominator && floor.checked_rem_euclid(2).ok_or(error)? == 1)
        }
    };
    let rounded = if up {
        floor.checked_add(1).ok_or(error)?
    } else {
        floor
    };
    i64::try_from(rounded).map_err(|_| error)
}

/// [`divide`] in 64 bits.
fn divide_short(numerator: i64, denominator: i64, rounding: Rounding) -> Option<i64> {
    let floor = numerator.checked_div_euclid(denominator)?;
    let rest = numerator.checked_rem_euclid(denominator)?;
    // The rest lies between zero and the denominator, so that this neither overflows nor needs to double it.
    let half = rest.cmp(&denominator.checked_sub(rest)?);
    let up = match rounding {
        Rounding::Down => rest != 0 && numerator.is_negative(),
        Rounding::Up => rest != 0 && numerator.is_positive(),
        Rounding::HalfUp => half == Ordering::Greater || (half == Ordering::Equal && numerator.is_positive()),
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && floor & 1 == 1),
    };
    floor.checked_add(i64::from(up))
}

/// How a figure between two minor units becomes one of them (舍入方式). Part of the signed terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; a half away from zero (四舍五入).
    HalfUp,
    /// To the nearest; a half to the even neighbour (银行家舍入).
    HalfEven,
    /// Towards zero (舍去).
    Down,
    /// Away from zero (进位).
    Up,
}

/// Who gets what is left of an integer division (尾差). Part of the signed terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remainder {
    /// The first part takes all of it.
    First,
    /// The last part takes all of it.
    Last,
    /// The first parts take one unit each.
    Spread,
}

/// A rate in parts per billion (10⁻⁹), exact. What it is per (a year, the whole plan, a day) its field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(i64);

impl Rate {
    /// No rate.
    pub const ZERO: Rate = Rate(0);
    /// One, a hundred percent.
    pub const ONE: Rate = Rate(1_000_000_000);

    /// A rate of so many parts per billion.
    pub const fn from_ppb(ppb: i64) -> Rate {
        Rate(ppb)
    }

    /// A rate of so many hundredths of a percent (基点): 860 is 8.6 %.
    pub fn from_bps(bps: u32) -> Rate {
        // A u32 times 10⁵ is below 2⁶³, so this never saturates.
        Rate(i64::from(bps).saturating_mul(100_000))
    }

    /// Parts per billion.
    pub const fn ppb(self) -> i64 {
        self.0
    }

    /// Reads a percentage such as `8.6`, `8.6%` or `0.05 %`: at most seven digits after the point, 0 to 10,000 %.
    pub fn from_percent(text: &str) -> Result<Rate, NumberError> {
        let text = text.trim();
        let digits = text.strip_suffix('%').map_or(text, str::trim_end);
        let ppb = decimal(digits, 7)?;
        if ppb > 100_000_000_000 {
            Err(NumberError::TooLarge)
        } else {
            Ok(Rate(ppb))
        }
    }
}

impl Rate {
    /// As a percentage to two places, half up, as annual rates that were solved for are shown: `13.03%`.
    pub fn to_hundredths(self) -> String {
        // A hundredth of a percent is a hundred thousand parts per billion.
        let hundredths = self.0.saturating_add(50_000).div_euclid(100_000);
        let mut text = point(hundredths, 2);
        text.push('%');
        text
    }
}

impl fmt::Display for Rate {
    /// As a percentage without trailing zeros, such as `8.6%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = point(self.0, 7);
        while text.ends_with('0') && !text.ends_with(".0") {
            text.pop();
        }
        if text.ends_with(".0") {
            text.truncate(text.len().saturating_sub(2));
        }
        write!(f, "{text}%")
    }
}

/// A currency of ISO 4217 that the platform knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Renminbi (人民币).
    Cny,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// United States dollar.
    Usd,
    /// Japanese yen, which has no minor unit.
    Jpy,
    /// Hong Kong dollar (港元).
    Hkd,
}

impl Currency {
    /// Every known currency.
    pub const ALL: [Currency; 6] = [
        Currency::Cny,
        Currency::Eur,
        Currency::Gbp,
        Currency::Usd,
        Currency::Jpy,
        Currency::Hkd,
    ];

    /// The three letters.
    pub const fn code(self) -> &'static str {
        match self {
            Currency::Cny => "CNY",
            Currency::Eur => "EUR",
            Currency::Gbp => "GBP",
            Currency::Usd => "USD",
            Currency::Jpy => "JPY",
            Currency::Hkd => "HKD",
        }
    }

    /// Digits after the point.
    pub const fn digits(self) -> u8 {
        match self {
            Currency::Jpy => 0,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Currency, NumberError> {
        Currency::ALL
            .into_iter()
            .find(|c| c.code() == text)
            .ok_or(NumberError::UnknownCurrency)
    }
}

/// An amount with its currency, as it crosses the platform's edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Reads `3999.00`, `3,999.00` or `3999`: not negative, at most [`AMOUNT_MAX`], no more digits than the currency has.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, NumberError> {
        let text = text.trim();
        let plain: String = if well_grouped(text) {
            text.chars().filter(|c| *c != ',').collect()
        } else {
            text.into()
        };
        let minor = decimal(&plain, currency.digits())?;
        if minor > AMOUNT_MAX {
            return Err(NumberError::TooLarge);
        }
        Ok(Money {
            amount: Amount(minor),
            currency,
        })
    }
}

impl fmt::Display for Money {
    /// With the currency's digits and code, such as `3999.00 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            point(self.amount.0, self.currency.digits()),
            self.currency.code()
        )
    }
}

/// The amount as a plain decimal with the given number of digits after the point, such as `3999.00`.
pub fn point(minor: i64, digits: u8) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let magnitude = minor.unsigned_abs();
    match 10u64.checked_pow(u32::from(digits)) {
        Some(unit) if digits > 0 => {
            let whole = magnitude.checked_div(unit).unwrap_or(0);
            let rest = magnitude.checked_rem(unit).unwrap_or(0);
            alloc::format!("{sign}{whole}.{rest:0width$}", width = usize::from(digits))
        }
        _ => alloc::format!("{sign}{magnitude}"),
    }
}

/// Why a number from outside was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// There is nothing.
    Empty,
    /// Something else than digits and one point.
    NotANumber,
    /// A minus sign where only zero or more is allowed.
    Negative,
    /// More digits after the point than allowed.
    TooManyDigits {
        /// How many are allowed.
        allowed: u8,
    },
    /// Larger than the platform takes.
    TooLarge,
    /// Not a currency that the platform knows.
    UnknownCurrency,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberError::Empty => write!(f, "nothing is given; write a number such as 3999.00"),
            NumberError::NotANumber => write!(
                f,
                "not a number; write digits and at most one point, such as 3999.00"
            ),
            NumberError::Negative => write!(f, "is negative; zero or more is allowed"),
            NumberError::TooManyDigits { allowed } => {
                write!(f, "has more than {allowed} digits after the point")
            }
            NumberError::TooLarge => write!(f, "is larger than {}", point(AMOUNT_MAX, 2)),
            NumberError::UnknownCurrency => {
                write!(f, "is not a known currency; CNY, EUR, GBP, USD, JPY and HKD are")
            }
        }
    }
}

/// Whether commas, if there are any, stand between groups of three digits before the point.
fn well_grouped(text: &str) -> bool {
    let whole = text.split('.').next().unwrap_or("");
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    let mut seen = false;
    let rest_ok = groups.all(|g| {
        seen = true;
        g.len() == 3
    });
    seen && rest_ok && (1..=3).contains(&first.len())
}

/// A decimal text as an integer of 10⁻ᵈⁱᵍⁱᵗˢ.
fn decimal(text: &str, digits: u8) -> Result<i64, NumberError> {
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.starts_with('-') {
        return Err(NumberError::Negative);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || text.ends_with('.') {
        return Err(NumberError::NotANumber);
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > usize::from(digits) {
        return Err(NumberError::TooManyDigits { allowed: digits });
    }
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(significant.bytes()) {
        value = push(value, digit)?;
    }
    for _ in significant.len()..usize::from(digits) {
        value = push(value, b'0')?;
    }
    Ok(value)
}

/// The number with one more decimal digit.
fn push(value: i64, digit: u8) -> Result<i64, NumberError> {
    value
        .checked_mul(10)
        .and_then(|v| v.checked_add(i64::from(digit.saturating_sub(b'0'))))
        .ok_or(NumberError::TooLarge)
}
