//! Tables of the trade (摊还表): what published instalment plans, mortgages and rebates come to, figure by figure.
//!
//! Two ways of rounding are in use. *Each figure for itself*: nothing is rounded but what is printed, so that each figure
//! is right to the last unit, but the column need not add up (mortgage calculators, the tables of the European
//! Commission). *Settled*: every amount is rounded and carried, and one row takes what is left, so that the columns add up
//! (cashiers, lenders' systems). What the platform itself lends follows [`crate::schedule`], which is settled.

use alloc::vec::Vec;

use crate::fraction::Fraction;
use crate::money::{Amount, OutOfRange, Remainder, Rounding, divide};
use crate::wide::Wide;

/// One row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// Principal that is paid back.
    pub principal: Amount,
    /// Interest.
    pub interest: Amount,
    /// Fee.
    pub fee: Amount,
    /// All of it together, rounded for itself if the others are.
    pub due: Amount,
    /// Principal that is outstanding afterwards.
    pub outstanding: Amount,
}

/// A table with its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Row>,
    /// All fees.
    pub fees: Amount,
    /// All interest, rounded for itself if the rows are.
    pub interest: Amount,
}

/// How a table is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figures {
    /// Each figure for itself, half up; balances are carried unrounded.
    Each,
    /// Every amount is rounded and carried; one row takes what the division leaves.
    Settled(Division),
}

/// How an amount is divided into parts that sum to it (尾差).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// How the parts but one are rounded.
    pub rounding: Rounding,
    /// Which part takes what is left, and may be larger or smaller for it.
    pub remainder: Remainder,
}

impl Division {
    /// The parts of an amount.
    ///
    /// # Errors
    /// [`OutOfRange`] if rounding up would leave less than nothing for the part that takes the rest, or for no parts.
    pub fn parts(self, whole: Amount, count: u16) -> Result<Vec<Amount>, OutOfRange> {
        if self.rounding == Rounding::Down {
            return Ok(whole.split(count, self.remainder));
        }
        let part = whole.share(1, i64::from(count), self.rounding)?;
        let rest = whole.minus(part.times(i64::from(count).saturating_sub(1))?)?;
        if rest.is_negative() {
            return Err(OutOfRange("the part that takes the rest"));
        }
        let taker = match self.remainder {
            Remainder::First | Remainder::Spread => 1,
            Remainder::Last => count,
        };
        Ok((1..=count)
            .map(|number| if number == taker { rest } else { part })
            .collect())
    }
}

/// The fee of a plan with a flat fee (手续费).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlatFee {
    /// One fee for the whole plan, known or rounded once, that is divided like the principal.
    Whole(Amount),
    /// The same fee in every period.
    EachPeriod(Amount),
}

/// Principal and a flat fee in equal parts (等额本金加手续费).
///
/// # Errors
/// [`OutOfRange`] as [`Division::parts`], or if a sum leaves the range.
pub fn flat_fee(
    principal: Amount,
    fee: FlatFee,
    count: u16,
    division: Division,
) -> Result<Table, OutOfRange> {
    let parts = division.parts(principal, count)?;
    let fees = match fee {
        FlatFee::Whole(fee) => division.parts(fee, count)?,
        FlatFee::EachPeriod(fee) => parts.iter().map(|_| fee).collect(),
    };
    let mut outstanding = principal;
    let rows = parts.into_iter().zip(&fees).map(|(principal, fee)| {
        outstanding = outstanding.minus(principal)?;
        Ok(Row {
            principal,
            interest: Amount::ZERO,
            fee: *fee,
            due: principal.plus(*fee)?,
            outstanding,
        })
    });
    Ok(Table {
        rows: rows.collect::<Result<Vec<Row>, OutOfRange>>()?,
        fees: Amount::sum(fees)?,
        interest: Amount::ZERO,
    })
}

/// Level payments at a rate per period (等额本息).
///
/// # Errors
/// [`OutOfRange`] for no periods or a figure out of range.
pub fn annuity(principal: Amount, rate: Fraction, count: u16, figures: Figures) -> Result<Table, OutOfRange> {
    match figures {
        _ if rate.is_zero() => equal_principal(principal, rate, count, figures),
        Figures::Each => Annuity::new(principal, rate, count)?.table(),
        Figures::Settled(division) => settled_annuity(principal, rate, count, division.rounding),
    }
}

/// Principal that is outstanding after some of the level payments, rounded half up from the exact figure.
///
/// # Errors
/// [`OutOfRange`] for no periods, more payments than periods, or a figure out of range.
pub fn outstanding(principal: Amount, rate: Fraction, count: u16, paid: u16) -> Result<Amount, OutOfRange> {
    let left = count.checked_sub(paid).ok_or(OutOfRange("the payments"))?;
    if rate.is_zero() {
        return principal.share(i64::from(left), i64::from(count), Rounding::HalfUp);
    }
    let annuity = Annuity::new(principal, rate, count)?;
    let mut share = annuity.start.clone();
    for _ in 0..paid {
        annuity.next(&mut share)?;
    }
    annuity.balance(&share)
}

/// Equal parts of the principal with interest on what is outstanding, at a rate per period (等额本金).
///
/// # Errors
/// [`OutOfRange`] for no periods or a figure out of range.
pub fn equal_principal(
    principal: Amount,
    rate: Fraction,
    count: u16,
    figures: Figures,
) -> Result<Table, OutOfRange> {
    match figures {
        Figures::Each => equal_principal_each(principal, rate, count),
        Figures::Settled(division) => {
            let parts = division.parts(principal, count)?;
            settled(
                principal,
                rate,
                |place, _, _| parts.get(place).copied().ok_or(OutOfRange("a row")),
                count,
            )
        }
    }
}

/// What of a finance charge is given back when so many of the periods are not used, by the rule of 78.
///
/// The first of n periods earns n parts of the charge and the last one: F × u(u+1) ÷ n(n+1), rounded half up.
///
/// # Errors
/// [`OutOfRange`] for no periods, more unused than there are, or a figure out of range.
pub fn rule_of_78(charge: Amount, count: u16, unused: u16) -> Result<Amount, OutOfRange> {
    if unused > count {
        return Err(OutOfRange("the unused periods"));
    }
    let triangle = |n: u16| i64::from(n).saturating_mul(i64::from(n).saturating_add(1));
    charge.share(triangle(unused), triangle(count), Rounding::HalfUp)
}

/// An annuity in whole numbers, so that every figure is the exact one, rounded once.
///
/// With 1 + rate = N ÷ D and W = Nⁿ − Dⁿ, the k-th payment pays principal × (N − D) × Nᵏ⁻¹ Dⁿ⁻ᵏ ÷ W of the principal, and
/// principal × (Nⁿ − Nᵏ Dⁿ⁻ᵏ) ÷ W is outstanding after it.
struct Annuity {
    principal: u64,
    count: u16,
    /// N.
    growth: u64,
    /// D.
    unit: u64,
    /// N − D.
    rate: u64,
    /// Nⁿ.
    full: Wide,
    /// Dⁿ, from which Nᵏ Dⁿ⁻ᵏ is grown.
    start: Wide,
    /// W.
    whole: Wide,
}

impl Annuity {
    fn new(principal: Amount, rate: Fraction, count: u16) -> Result<Annuity, OutOfRange> {
        let error = OutOfRange("an annuity");
        let unit = rate.denominator();
        let growth = unit.checked_add(rate.numerator()).ok_or(error)?;
        let power = |base: u64| -> Result<Wide, OutOfRange> {
            let mut power = Wide::new(1);
            for _ in 0..count {
                power.times(base)?;
            }
            Ok(power)
        };
        let (full, start) = (power(growth)?, power(unit)?);
        let mut whole = full.clone();
        whole.minus(&start)?;
        Ok(Annuity {
            principal: u64::try_from(principal.minor()).map_err(|_| error)?,
            count,
            growth,
            unit,
            rate: rate.numerator(),
            full,
            start,
            whole,
        })
    }

    fn table(&self) -> Result<Table, OutOfRange> {
        let due = self.payments(1)?;
        let mut share = self.start.clone();
        let mut rows = Vec::with_capacity(usize::from(self.count));
        for _ in 0..self.count {
            let interest = self.interest(&share)?;
            self.next(&mut share)?;
            rows.push(Row {
                principal: self.principal(&share)?,
                interest,
                fee: Amount::ZERO,
                due,
                outstanding: self.balance(&share)?,
            });
        }
        let principal = Amount::from_minor(i64::try_from(self.principal).unwrap_or(i64::MAX));
        Ok(Table {
            rows,
            fees: Amount::ZERO,
            interest: self.payments(u64::from(self.count))?.minus(principal)?,
        })
    }

    /// So many payments together: principal × (N − D) × Nⁿ ÷ D W, as often.
    fn payments(&self, count: u64) -> Result<Amount, OutOfRange> {
        let mut above = self.full.clone();
        above.times(count)?;
        self.rounded(above, self.rate, self.unit)
    }

    /// Nᵏ Dⁿ⁻ᵏ for the next k.
    fn next(&self, share: &mut Wide) -> Result<(), OutOfRange> {
        share.shrink(self.unit)?;
        share.times(self.growth)
    }

    /// The interest of the period that begins when Nᵏ Dⁿ⁻ᵏ has grown so far.
    fn interest(&self, share: &Wide) -> Result<Amount, OutOfRange> {
        let mut above = self.full.clone();
        above.minus(share)?;
        self.rounded(above, self.rate, self.unit)
    }

    /// The principal that the payment at its end pays; what has grown is divided by N again.
    fn principal(&self, share: &Wide) -> Result<Amount, OutOfRange> {
        self.rounded(share.clone(), self.rate, self.growth)
    }

    /// The balance after it.
    fn balance(&self, share: &Wide) -> Result<Amount, OutOfRange> {
        let mut above = self.full.clone();
        above.minus(share)?;
        self.rounded(above, 1, 1)
    }

    /// principal × a number × a factor ÷ (W × a divisor), rounded half up.
    fn rounded(&self, mut above: Wide, factor: u64, divisor: u64) -> Result<Amount, OutOfRange> {
        above.times(self.principal)?;
        above.times(factor)?;
        let mut below = self.whole.clone();
        below.times(divisor)?;
        let figure = above.divided(below, Rounding::HalfUp)?;
        i64::try_from(figure)
            .map(Amount::from_minor)
            .map_err(|_| OutOfRange("an annuity"))
    }
}

/// Equal principal with each figure rounded for itself.
fn equal_principal_each(principal: Amount, rate: Fraction, count: u16) -> Result<Table, OutOfRange> {
    let error = OutOfRange("a table");
    let (above, below) = (i128::from(rate.numerator()), i128::from(rate.denominator()));
    let (minor, n) = (i128::from(principal.minor()), i128::from(count));
    let all = below.checked_mul(n).ok_or(error)?;
    let rounded = |figure: Option<i128>, by: i128| {
        divide(figure.ok_or(error)?, by, Rounding::HalfUp).map(Amount::from_minor)
    };
    let part = rounded(Some(minor), n)?;
    let rows = (1..=count).map(|number| {
        let left = n.checked_sub(i128::from(number)).ok_or(error)?;
        // Interest is principal × (left + 1) ÷ n × rate; over the same denominator the part of the principal is × below.
        let share = left.checked_add(1).and_then(|before| before.checked_mul(above));
        let interest = share.and_then(|share| share.checked_mul(minor));
        let due = share
            .and_then(|share| share.checked_add(below))
            .and_then(|both| both.checked_mul(minor));
        Ok(Row {
            principal: part,
            interest: rounded(interest, all)?,
            fee: Amount::ZERO,
            due: rounded(due, all)?,
            outstanding: rounded(left.checked_mul(minor), n)?,
        })
    });
    let rows = rows.collect::<Result<Vec<Row>, OutOfRange>>()?;
    let twice = n
        .checked_add(1)
        .and_then(|x| x.checked_mul(above))
        .and_then(|x| x.checked_mul(minor));
    Ok(Table {
        rows,
        fees: Amount::ZERO,
        interest: rounded(twice, below.checked_mul(2).ok_or(error)?)?,
    })
}

/// Level payments that are rounded once; interest is rounded and carried, and the last row takes what is left.
fn settled_annuity(
    principal: Amount,
    rate: Fraction,
    count: u16,
    rounding: Rounding,
) -> Result<Table, OutOfRange> {
    let annuity = Annuity::new(principal, rate, count)?;
    let mut above = annuity.full.clone();
    above.times(annuity.principal)?;
    above.times(annuity.rate)?;
    let mut below = annuity.whole.clone();
    below.times(annuity.unit)?;
    let payment = i64::try_from(above.divided(below, rounding)?).map_err(|_| OutOfRange("a payment"))?;
    let payment = Amount::from_minor(payment);
    let last = usize::from(count).saturating_sub(1);
    let pays = |place: usize, balance: Amount, interest: Amount| {
        if place == last {
            return Ok(balance);
        }
        Ok(payment.minus_or_zero(interest)?.min(balance))
    };
    settled(principal, rate, pays, count)
}

/// Rows whose interest is rounded on the rounded balance; `pays` says how much principal a row pays.
fn settled(
    principal: Amount,
    rate: Fraction,
    pays: impl Fn(usize, Amount, Amount) -> Result<Amount, OutOfRange>,
    count: u16,
) -> Result<Table, OutOfRange> {
    let mut balance = principal;
    let mut rows = Vec::with_capacity(usize::from(count));
    for place in 0..usize::from(count) {
        let interest = rate.of(balance, Rounding::HalfUp)?;
        let principal = pays(place, balance, interest)?;
        balance = balance.minus(principal)?;
        rows.push(Row {
            principal,
            interest,
            fee: Amount::ZERO,
            due: principal.plus(interest)?,
            outstanding: balance,
        });
    }
    let interest = Amount::sum(rows.iter().map(|row| row.interest))?;
    Ok(Table {
        rows,
        fees: Amount::ZERO,
        interest,
    })
}
