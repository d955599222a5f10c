//! Schedules against exact rational arithmetic that another language did.

use fenqi_domain::calendar::{DayCount, DueRule, Holidays, Roll};
use fenqi_domain::money::{Amount, Rate, Rounding};
use fenqi_domain::plan::Pricing;
use fenqi_domain::schedule::{level_payment, schedule};
use jiff::civil::date;

use crate::market::conventions;

#[test]
fn annuities_equal_exact_rational_arithmetic_to_the_fen() {
    let from = date(2026, 1, 31);
    let conventions = conventions();
    let mut compared = 0;
    for line in include_str!("golden/annuities.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let (given, expected) = line.split_once(": ").unwrap();
        let given: Vec<&str> = given.split(' ').collect();
        let (annual, principal) = (
            Rate::from_ppb(given[0].parse().unwrap()),
            Amount::from_minor(given[2].parse().unwrap()),
        );
        let day_count = match given[1] {
            "30/360" => DayCount::Thirty360,
            "actual/360" => DayCount::Actual360,
            _ => DayCount::Actual365,
        };
        let dates = DueRule::OrderAnchored
            .dates(from, given[3].parse().unwrap(), Roll::None, &Holidays::default())
            .unwrap();
        let starts = std::iter::once(&from).chain(&dates);
        let years: Vec<_> = starts
            .zip(&dates)
            .map(|(start, end)| day_count.period(*start, *end))
            .collect();
        let payment = level_payment(principal, annual, &years, Rounding::HalfUp).unwrap();
        let pricing = Pricing::Annuity { annual, day_count };
        let rows = schedule(&pricing, principal, &dates, from, Rate::ZERO, &conventions).unwrap();
        let rows: Vec<String> = rows
            .iter()
            .map(|row| format!("{}+{}", row.principal.minor(), row.interest.minor()))
            .collect();
        assert_eq!(
            format!("{} {}", payment.minor(), rows.join(" ")),
            expected,
            "{line}"
        );
        compared += 1;
    }
    assert_eq!(compared, 60);
}
