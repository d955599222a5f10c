//! The columns of `plans.csv` that say what a plan costs.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::money::Rate;
use fenqi_domain::plan::{FeeTiming, Pricing};

use super::lending::ROUNDINGS;
use super::table::Fields;
/// What a plan costs.
pub(super) fn pricing(row: &mut Fields<'_>) -> Option<Pricing> {
    let kinds = [
        ("interest_free", 0),
        ("flat_fee", 1),
        ("annuity", 2),
        ("equal_principal", 3),
        ("balloon", 4),
        ("graduated", 5),
    ];
    let kind = row.choice("pricing", &kinds)?;
    if kind != 4 {
        row.nothing("left", "nothing is left for the last instalment")?;
    }
    if kind != 5 {
        row.nothing("growth", "instalments do not grow")?;
        row.nothing("every", "instalments do not grow")?;
    }
    match kind {
        0 => {
            for column in ["rate", "timing", "fee_rounding", "day_count"] {
                row.nothing(column, "the plan is free of interest and fees")?;
            }
            Some(Pricing::InterestFree)
        }
        1 => {
            let total_rate = row.percent("rate");
            let timing = row.choice(
                "timing",
                &[
                    ("every_period", FeeTiming::EveryPeriod),
                    ("with_first", FeeTiming::WithFirst),
                ],
            );
            let fee_rounding = row.choice("fee_rounding", &ROUNDINGS);
            row.nothing("day_count", "a flat fee counts no days")?;
            Some(Pricing::FlatFee {
                total_rate: total_rate?,
                timing: timing?,
                fee_rounding: fee_rounding?,
            })
        }
        kind => interest(row, kind),
    }
}

/// A price by interest on what is outstanding.
fn interest(row: &mut Fields<'_>, kind: u8) -> Option<Pricing> {
    let day_counts = [
        ("30/360", DayCount::Thirty360),
        ("actual/360", DayCount::Actual360),
        ("actual/365", DayCount::Actual365),
    ];
    let annual = row.percent("rate");
    let day_count = row.choice("day_count", &day_counts);
    row.nothing("timing", "interest is paid every period")?;
    row.nothing("fee_rounding", "interest is rounded by the conventions")?;
    let (annual, day_count) = (annual?, day_count?);
    match kind {
        2 => Some(Pricing::Annuity { annual, day_count }),
        3 => Some(Pricing::EqualPrincipal { annual, day_count }),
        4 => {
            let left = row.percent("left")?;
            if left >= Rate::ONE {
                return row.refuse("left", "less than 100: something is paid before the last");
            }
            Some(Pricing::Balloon {
                annual,
                day_count,
                left,
            })
        }
        _ => {
            let growth = row.percent("growth")?;
            if growth > Rate::ONE {
                return row.refuse("growth", "at most 100: no instalment is twice the one before it");
            }
            Some(Pricing::Graduated {
                annual,
                day_count,
                growth,
                every: row.number("every", 1, 60)?,
            })
        }
    }
}
