//! Schedules (还款计划): how an amount becomes instalments, exact to the smallest unit.
//!
//! Rates stay fractions of integers until a figure is due, and each figure is rounded once. The level payment of an
//! annuity is what exact rational arithmetic gives: fixed-point arithmetic with a proven bound decides nearly always,
//! and whole numbers of any size decide the rest.

use alloc::vec::Vec;
use jiff::civil::Date;

use crate::calendar::YearPart;
use crate::level::Periods;
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::{Conventions, FeeTiming, Instalment, Pricing, Terms};
use crate::steps::Steps;

// R49: each instalment with its day
/// The schedule of an amount (还款计划).
///
/// The rows' principal sums to `principal`. For a flat fee, the rows' fee and subsidy sum to the fee rounded once. What
/// the seller bears is, row by row, a part of what the row would cost without them.
///
/// `principal` is not negative; `from` is the day from which interest counts; `due_dates` ascend, one for each row.
///
/// # Errors
/// [`OutOfRange`] if there is a principal but no due date, if a rate is negative or the seller's share above one, or if
/// a figure leaves the range.
pub fn schedule(
    pricing: &Pricing,
    principal: Amount,
    due_dates: &[Date],
    from: Date,
    borne_by_seller: Rate,
    conventions: &Conventions,
) -> Result<Vec<Instalment>, OutOfRange> {
    let count = u16::try_from(due_dates.len()).map_err(|_| OutOfRange("the number of instalments"))?;
    if principal.is_negative() || (count == 0 && principal.is_positive()) {
        return Err(OutOfRange("a schedule"));
    }
    let mut rows = match *pricing {
        Pricing::InterestFree => split_evenly(principal, due_dates, conventions),
        Pricing::FlatFee {
            total_rate,
            timing,
            fee_rounding,
        } => {
            let fee = principal.at(checked(total_rate)?, fee_rounding)?;
            flat_fee(principal, fee, timing, due_dates, conventions)
        }
        Pricing::Annuity { annual, day_count } => {
            let periods = Periods::new(checked(annual)?, day_count, from, due_dates)?;
            if annual == Rate::ZERO {
                split_evenly(principal, due_dates, conventions)
            } else {
                annuity(principal, &periods, due_dates, conventions)?
            }
        }
        Pricing::EqualPrincipal { annual, day_count } => {
            let periods = Periods::new(checked(annual)?, day_count, from, due_dates)?;
            equal_principal(principal, &periods, due_dates, conventions)?
        }
        Pricing::Balloon {
            annual, day_count, ..
        }
        | Pricing::Graduated {
            annual, day_count, ..
        } => {
            let periods = Periods::new(checked(annual)?, day_count, from, due_dates)?;
            stepped(pricing, principal, &periods, due_dates, conventions)?
        }
    };
    bear(&mut rows, borne_by_seller, conventions.rounding)?;
    Ok(rows)
}

impl Terms {
    /// The schedule of an amount under these terms: of the principal as signed, or of the part that was captured.
    ///
    /// # Errors
    /// See [`schedule`].
    pub fn schedule(&self, principal: Amount) -> Result<Vec<Instalment>, OutOfRange> {
        schedule(
            &self.pricing,
            principal,
            &self.due_dates,
            self.signed_on,
            self.borne_by_seller,
            &self.conventions,
        )
    }
}

/// The level payment (等额) that repays an amount over periods of an annual rate: rounded once from the exact figure.
///
/// With no rate at all it is the amount over the count.
///
/// # Errors
/// [`OutOfRange`] if there is no period, or a figure leaves the range.
pub fn level_payment(
    principal: Amount,
    annual: Rate,
    periods: &[YearPart],
    rounding: Rounding,
) -> Result<Amount, OutOfRange> {
    Periods::of(checked(annual)?, periods.iter().copied())?.level_payment(principal, rounding)
}

/// The first of payments that grow by steps or leave something for the end, as [`level_payment`].
pub(crate) fn first_payment(
    principal: Amount,
    annual: Rate,
    periods: &[YearPart],
    steps: &Steps,
    rounding: Rounding,
) -> Result<Amount, OutOfRange> {
    Periods::of(checked(annual)?, periods.iter().copied())?.first_payment(principal, steps, rounding)
}

/// Refuses rates below zero, which no pricing has.
fn checked(rate: Rate) -> Result<Rate, OutOfRange> {
    if rate < Rate::ZERO {
        Err(OutOfRange("a rate"))
    } else {
        Ok(rate)
    }
}

/// Rows with nothing but principal, number by number.
fn split_evenly(principal: Amount, due_dates: &[Date], conventions: &Conventions) -> Vec<Instalment> {
    let count = u16::try_from(due_dates.len()).unwrap_or(u16::MAX);
    let mut rows = Vec::with_capacity(due_dates.len());
    let mut parts = principal.parts(count, conventions.remainder);
    for (number, due_on) in (1..=count).zip(due_dates) {
        rows.push(Instalment {
            number,
            due_on: *due_on,
            principal: parts.next().unwrap_or(Amount::ZERO),
            interest: Amount::ZERO,
            fee: Amount::ZERO,
            subsidy: Amount::ZERO,
        });
    }
    rows
}

/// Principal and a fee that is known as a whole, both split by the same convention.
fn flat_fee(
    principal: Amount,
    fee: Amount,
    timing: FeeTiming,
    due_dates: &[Date],
    conventions: &Conventions,
) -> Vec<Instalment> {
    let mut rows = split_evenly(principal, due_dates, conventions);
    match timing {
        FeeTiming::EveryPeriod => {
            let count = u16::try_from(rows.len()).unwrap_or(u16::MAX);
            for (row, part) in rows.iter_mut().zip(fee.parts(count, conventions.remainder)) {
                row.fee = part;
            }
        }
        FeeTiming::WithFirst => {
            if let Some(first) = rows.first_mut() {
                first.fee = fee;
            }
        }
    }
    rows
}

/// Level instalments; the last one takes what rounding left.
fn annuity(
    principal: Amount,
    periods: &Periods,
    due_dates: &[Date],
    conventions: &Conventions,
) -> Result<Vec<Instalment>, OutOfRange> {
    let payment = periods.level_payment(principal, conventions.rounding)?;
    paid_off(principal, payment, None, periods, due_dates, conventions)
}

/// Instalments that grow by steps or leave something for the last one, which takes what rounding left.
fn stepped(
    pricing: &Pricing,
    principal: Amount,
    periods: &Periods,
    due_dates: &[Date],
    conventions: &Conventions,
) -> Result<Vec<Instalment>, OutOfRange> {
    let rounding = conventions.rounding;
    if due_dates.is_empty() {
        return Ok(Vec::new());
    }
    let steps = steps(pricing, principal, rounding)?;
    let payment = periods.first_payment(principal, &steps, rounding)?;
    paid_off(principal, payment, Some(&steps), periods, due_dates, conventions)
}

/// How the instalments of a pricing differ from level ones.
pub(crate) fn steps(pricing: &Pricing, principal: Amount, rounding: Rounding) -> Result<Steps, OutOfRange> {
    Ok(match *pricing {
        Pricing::Balloon { left, .. } => Steps::leaving(principal.at(checked(left)?, rounding)?),
        Pricing::Graduated { growth, every, .. } => Steps {
            left: Amount::ZERO,
            growth: checked(growth)?,
            every,
        },
        _ => Steps::leaving(Amount::ZERO),
    })
}

/// Rows of payments, the first one given: interest on what is outstanding, and principal with the rest of each payment. The
/// last row repays what is outstanding then.
fn paid_off(
    principal: Amount,
    mut payment: Amount,
    steps: Option<&Steps>,
    periods: &Periods,
    due_dates: &[Date],
    conventions: &Conventions,
) -> Result<Vec<Instalment>, OutOfRange> {
    let mut balance = principal;
    let mut rows = Vec::with_capacity(due_dates.len());
    let last = due_dates.len();
    for (place, (due_on, part)) in (1usize..).zip(due_dates.iter().zip(&periods.parts)) {
        if let Some(steps) = steps.filter(|steps| steps.is_step(place.saturating_sub(1))) {
            payment = steps.grown(payment, conventions.rounding)?;
        }
        let interest = periods.interest(balance, *part, conventions.rounding)?;
        // A long first period can cost more interest than the level payment; principal then waits, and never grows.
        let principal = if place == last {
            balance
        } else {
            payment.minus_or_zero(interest)?.min(balance)
        };
        balance = balance.minus(principal)?;
        rows.push(Instalment {
            number: u16::try_from(place).map_err(|_| OutOfRange("the number of instalments"))?,
            due_on: *due_on,
            principal,
            interest,
            fee: Amount::ZERO,
            subsidy: Amount::ZERO,
        });
    }
    Ok(rows)
}

/// Equal parts of the principal, with interest on what is outstanding.
fn equal_principal(
    principal: Amount,
    periods: &Periods,
    due_dates: &[Date],
    conventions: &Conventions,
) -> Result<Vec<Instalment>, OutOfRange> {
    let mut balance = principal;
    let mut rows = split_evenly(principal, due_dates, conventions);
    for (row, part) in rows.iter_mut().zip(&periods.parts) {
        row.interest = periods.interest(balance, *part, conventions.rounding)?;
        balance = balance.minus(row.principal)?;
    }
    Ok(rows)
}

/// Moves the seller's share of each row's cost from the shopper to the seller (贴息).
///
/// The seller's total is rounded once and shared by the rows' costs, so that no row's share exceeds its cost.
fn bear(rows: &mut [Instalment], share: Rate, rounding: Rounding) -> Result<(), OutOfRange> {
    if share == Rate::ZERO {
        return Ok(());
    }
    if !(Rate::ZERO..=Rate::ONE).contains(&share) {
        return Err(OutOfRange("the seller's share"));
    }
    if share == Rate::ONE {
        // All of each row: what follows would come to the same.
        for row in rows {
            row.subsidy = row.interest.plus(row.fee)?;
            (row.interest, row.fee) = (Amount::ZERO, Amount::ZERO);
        }
        return Ok(());
    }
    let costs = rows
        .iter()
        .map(|row| row.interest.plus(row.fee))
        .collect::<Result<Vec<Amount>, OutOfRange>>()?;
    let total = Amount::sum(costs.iter().copied())?.at(share, rounding)?;
    let borne = total.by_weights(&costs)?;
    for (row, subsidy) in rows.iter_mut().zip(borne) {
        // A row has either interest or a fee, so the order of these two decides nothing.
        let from_fee = subsidy.min(row.fee);
        row.fee = row.fee.minus(from_fee)?;
        row.interest = row.interest.minus(subsidy.minus(from_fee)?)?;
        row.subsidy = subsidy;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{DayCount, DueRule, Holidays, Roll};
    use crate::money::Remainder;
    use crate::plan::{LatePolicy, Prepayment, RefundStrategy, Settlement, Waterfall};
    use jiff::civil::date;

    fn conventions(rounding: Rounding, remainder: Remainder) -> Conventions {
        Conventions {
            rounding,
            remainder,
            roll: Roll::None,
            waterfall: Waterfall {
                order: Vec::new(),
                row_by_row: true,
            },
            late: LatePolicy {
                grace_days: 0,
                fee: Amount::ZERO,
                daily: Rate::ZERO,
                from_due_date: true,
                annual_cap: Rate::from_bps(2400),
            },
            settlement: Settlement::WaiveUnaccrued,
            prepayment: Prepayment::ShorterTerm,
            refund: RefundStrategy::LastFirst,
            servicing: None,
        }
    }

    fn rows(pricing: Pricing, principal: i64, count: u16, borne: Rate) -> Vec<Instalment> {
        let from = date(2026, 1, 31);
        let dates = DueRule::OrderAnchored
            .dates(from, count, Roll::None, &Holidays::default())
            .unwrap();
        let conventions = conventions(Rounding::HalfUp, Remainder::First);
        let principal = Amount::from_minor(principal);
        schedule(&pricing, principal, &dates, from, borne, &conventions).unwrap()
    }

    fn minor(amount: Amount) -> i64 {
        amount.minor()
    }

    fn huabei(ppb: i64) -> Pricing {
        Pricing::FlatFee {
            total_rate: Rate::from_ppb(ppb),
            timing: FeeTiming::EveryPeriod,
            fee_rounding: Rounding::HalfEven,
        }
    }

    #[test]
    fn a_flat_fee_follows_the_fen_rule_of_the_cashier() {
        // Principal, count, rate, fee in all, what the second row comes to: rows of a published cashier.
        let table = [
            (545, 3, 23_000_000, 13, 185),
            (345, 12, 75_000_000, 26, 30),
            (111_111, 12, 75_000_000, 8_333, 9_953),
            (12_367, 12, 75_000_000, 928, 1_107),
        ];
        for (principal, count, rate, fee, due) in table {
            let rows = rows(huabei(rate), principal, count, Rate::ZERO);
            assert_eq!(rows.iter().map(|r| minor(r.fee)).sum::<i64>(), fee, "{principal}");
            assert_eq!(minor(rows[1].fee) + minor(rows[1].principal), due, "{principal}");
            assert_eq!(rows.iter().map(|r| minor(r.principal)).sum::<i64>(), principal);
        }
    }

    #[test]
    fn a_fee_up_front_stands_in_the_first_row_alone() {
        let pricing = Pricing::FlatFee {
            total_rate: Rate::from_bps(720),
            timing: FeeTiming::WithFirst,
            fee_rounding: Rounding::HalfUp,
        };
        let rows = rows(pricing, 120_000, 12, Rate::ZERO);
        assert_eq!(minor(rows[0].fee), 8_640);
        assert!(rows[1..].iter().all(|r| r.fee.is_zero()));
    }

    #[test]
    fn an_annuity_is_level_but_for_its_last_row() {
        let pricing = Pricing::Annuity {
            annual: Rate::from_bps(860),
            day_count: DayCount::Thirty360,
        };
        let rows = rows(pricing, 399_900, 12, Rate::ZERO);
        let dues: Vec<i64> = rows
            .iter()
            .map(|r| minor(r.principal) + minor(r.interest))
            .collect();
        // 399 900 × r(1+r)¹² ÷ ((1+r)¹²−1) with r = 0.086/12 is 34 897.71….
        assert!(dues[..11].iter().all(|d| *d == 34_898), "{dues:?}");
        assert_eq!(minor(rows[0].interest), 2_866);
        assert_eq!(rows.iter().map(|r| minor(r.principal)).sum::<i64>(), 399_900);
    }

    #[test]
    fn a_level_payment_that_rounding_made_too_large_stops_at_what_is_owed() {
        let pricing = Pricing::Annuity {
            annual: Rate::from_ppb(1),
            day_count: DayCount::Thirty360,
        };
        // 100 over 60 is 1.67, so that 2 a month is paid off after 50.
        let rows = rows(pricing, 100, 60, Rate::ZERO);
        assert_eq!(minor(rows[49].principal), 2);
        assert!(rows[50..].iter().all(|r| r.principal.is_zero()));
    }

    #[test]
    fn equal_principal_pays_interest_on_what_is_left() {
        let pricing = Pricing::EqualPrincipal {
            annual: Rate::from_bps(1200),
            day_count: DayCount::Thirty360,
        };
        let rows = rows(pricing, 120_000, 12, Rate::ZERO);
        let interest: i64 = rows.iter().map(|r| minor(r.interest)).sum();
        // P r (n+1) / 2
        assert_eq!(interest, 120_000 / 100 * 13 / 2);
        assert!(rows.iter().all(|r| minor(r.principal) == 10_000));
    }

    #[test]
    fn a_balloon_is_left_for_the_last_row() {
        let pricing = Pricing::Balloon {
            annual: Rate::from_bps(860),
            day_count: DayCount::Thirty360,
            left: Rate::from_bps(3_000),
        };
        let rows = rows(pricing, 399_900, 12, Rate::ZERO);
        let row = |place: usize| (minor(rows[place].principal), minor(rows[place].interest));
        // (399 900 − 119 970 v¹²) ÷ Σ vᵏ is 25 288.1…; reckoned in fractions by another program.
        assert_eq!(
            [row(0), row(5), row(10)],
            [(22_422, 2_866), (23_237, 2_051), (24_082, 1_206)]
        );
        assert_eq!(row(11), (144_226, 1_034));
    }

    #[test]
    fn graduated_instalments_grow_at_their_steps() {
        let pricing = Pricing::Graduated {
            annual: Rate::from_bps(860),
            day_count: DayCount::Thirty360,
            growth: Rate::from_bps(500),
            every: 3,
        };
        let rows = rows(pricing, 399_900, 12, Rate::ZERO);
        let dues: Vec<i64> = rows
            .iter()
            .map(|r| minor(r.principal) + minor(r.interest))
            .collect();
        // Reckoned in fractions by another program.
        assert_eq!(
            dues,
            [
                32_429, 32_429, 32_429, 34_050, 34_050, 34_050, 35_753, 35_753, 35_753, 37_541, 37_541,
                37_542
            ]
        );
        assert_eq!(rows.iter().map(|r| minor(r.principal)).sum::<i64>(), 399_900);
    }

    #[test]
    fn the_sellers_share_and_the_shoppers_make_up_each_row() {
        let origin = rows(huabei(75_000_000), 111_111, 12, Rate::ZERO);
        for bps in [1, 3_333, 5_000, 9_999, 10_000] {
            let shared = rows(huabei(75_000_000), 111_111, 12, Rate::from_bps(bps));
            for (a, b) in origin.iter().zip(&shared) {
                assert_eq!(minor(a.fee), minor(b.fee) + minor(b.subsidy));
                assert!(!b.fee.is_negative() && !b.subsidy.is_negative());
            }
        }
        let free = rows(huabei(75_000_000), 111_111, 12, Rate::ONE);
        assert!(
            free.iter()
                .zip(&origin)
                .all(|(f, o)| f.fee.is_zero() && f.subsidy == o.fee)
        );
    }

    #[test]
    fn what_has_no_answer_is_out_of_range() {
        let conventions = conventions(Rounding::HalfUp, Remainder::First);
        let from = date(2026, 1, 1);
        let one = Amount::from_minor(1);
        let free = Pricing::InterestFree;
        assert!(schedule(&free, one, &[], from, Rate::ZERO, &conventions).is_err());
        assert!(schedule(&free, Amount::ZERO, &[], from, Rate::ZERO, &conventions).is_ok());
        let too_much = Rate::from_bps(10_001);
        assert!(schedule(&free, one, &[from], from, too_much, &conventions).is_err());
        let negative = huabei(-1);
        assert!(schedule(&negative, one, &[from], from, Rate::ZERO, &conventions).is_err());
        let balloon = Pricing::Balloon {
            annual: Rate::from_bps(600),
            day_count: DayCount::Thirty360,
            left: too_much,
        };
        let more = Amount::from_minor(100_000);
        assert!(schedule(&balloon, more, &[from], from, Rate::ZERO, &conventions).is_err());
    }

    #[test]
    fn a_seller_bears_between_nothing_and_all() {
        let table = [
            (-1, false),
            (0, true),
            (1, true),
            (1_000_000_000, true),
            (1_000_000_001, false),
        ];
        for (share, is_possible) in table {
            let borne = bear(&mut [], Rate::from_ppb(share), Rounding::HalfUp);
            assert_eq!(borne.is_ok(), is_possible, "{share}");
        }
    }
}
