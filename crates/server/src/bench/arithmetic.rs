//! The workload `arithmetic`: schedules, annual rates and whole lives of loans on one core, as the rules reckon them.
//!
//! The same three are asked of numeric packages by `bench/quote.py`; `cargo xtask bench --arithmetic` runs them together.

use fenqi_domain::annual_rate;
use fenqi_domain::calendar::{DayCount, Roll, add_days, add_months};
use fenqi_domain::loan::{Event, Intent, Transaction, fold};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, LatePolicy, Prepayment, Pricing, RefundStrategy, Settlement, Terms, Waterfall,
};
use jiff::civil::Date;
use serde::Serialize;

use super::instant;

/// How many of each are done in a second of processor time.
#[derive(Debug, Clone, Serialize)]
pub struct Speeds {
    /// Schedules of a 12-instalment annuity.
    pub schedules: f64,
    /// Annual rates of 12 payments.
    pub annual_rates: f64,
    /// Lives of a loan of 36 instalments with 60 transactions, folded from the beginning.
    pub lives: f64,
}

/// Measures each over so many repetitions; lives, which take longer, over a fiftieth of them.
///
/// # Errors
/// A sentence if the rules refuse a figure, which they do not.
pub fn run(size: usize) -> Result<Speeds, String> {
    let told = |e: &dyn std::fmt::Display| e.to_string();
    let twelve = terms(12).map_err(|e| told(&e))?;
    let schedules = speed(size, |index| {
        let rows = twelve.schedule(principal(index)).map_err(|e| told(&e))?;
        Ok(rows.iter().map(|row| row.interest.minor()).sum())
    })?;
    let annual_rates = speed(size, |index| {
        let received = principal(index);
        let each = Amount::from_minor(received.minor() / 12 + 1_400);
        let rates = annual_rate::of_instalments(received, &[each; 12]).map_err(|e| told(&e))?;
        Ok(rates.simple.ppb())
    })?;
    let terms = terms(36).map_err(|e| told(&e))?;
    let (life, until) = life(&terms).map_err(|e| told(&e))?;
    let lives = speed((size / 50).max(1), |_| {
        let loan = fold(&terms, &life, until).map_err(|e| told(&e))?;
        Ok(loan.rows.iter().map(|row| row.interest.charged.minor()).sum())
    })?;
    Ok(Speeds {
        schedules,
        annual_rates,
        lives,
    })
}

/// Another amount each time, so that nothing can be remembered.
fn principal(index: usize) -> Amount {
    Amount::from_minor(399_900 + i64::try_from(index % 97_001).unwrap_or(0))
}

/// How often a piece is done in a second. Its answers are added up and looked at, so that none is left out.
fn speed(count: usize, piece: impl Fn(usize) -> Result<i64, String>) -> Result<f64, String> {
    let mut sum = 0i64;
    let begun = processor_seconds();
    for index in 0..count {
        sum = sum.wrapping_add(piece(index)?);
    }
    let seconds = processor_seconds() - begun;
    if sum == 0 {
        return Err("nothing was reckoned".into());
    }
    Ok(count as f64 / seconds)
}

/// The time that this thread has been on a processor; the machine's stopwatch where the system does not tell.
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| instant().elapsed().as_secs_f64(), |n| n / 1e9)
}

fn terms(count: i32) -> Result<Terms, fenqi_domain::money::OutOfRange> {
    let signed_on = Date::constant(2026, 1, 5);
    Ok(Terms {
        currency: Currency::Cny,
        principal: principal(0),
        pricing: Pricing::Annuity {
            annual: Rate::from_ppb(86_000_000),
            day_count: DayCount::Thirty360,
        },
        borne_by_seller: Rate::ZERO,
        signed_on,
        due_dates: (1..=count)
            .map(|months| add_months(signed_on, months))
            .collect::<Result<_, _>>()?,
        conventions: Conventions {
            rounding: Rounding::HalfEven,
            remainder: Remainder::Last,
            roll: Roll::None,
            waterfall: Waterfall {
                order: Component::ALL.to_vec(),
                row_by_row: true,
            },
            late: LatePolicy {
                grace_days: 3,
                fee: Amount::from_minor(1_500),
                daily: Rate::from_ppb(500_000),
                from_due_date: true,
                annual_cap: Rate::from_ppb(240_000_000),
            },
            settlement: Settlement::WaiveUnaccrued,
            prepayment: Prepayment::NextFirst,
            refund: RefundStrategy::LastFirst,
            servicing: None,
        },
    })
}

/// Sixty transactions: the money is paid out; every month is paid, in two parts or late; some payments bounce; and some
/// are entered when others are there already.
fn life(terms: &Terms) -> Result<(Vec<Transaction>, Date), fenqi_domain::money::OutOfRange> {
    let rows = terms.schedule(terms.principal)?;
    let mut life = Life::default();
    let amount = terms.principal;
    life.enter(terms.signed_on, Event::Disbursed { amount });
    for (index, row) in rows.iter().enumerate() {
        let whole = row.principal.plus(row.interest)?;
        let half = Amount::from_minor(whole.minor() / 2);
        match index % 9 {
            // Paid in two parts, the second a week late, with what lateness costs.
            0 | 3 | 6 => {
                life.pays(row.due_on, half);
                let rest = whole.minus(half)?.plus(Amount::from_minor(1_600))?;
                life.pays(add_days(row.due_on, 7)?, rest);
            }
            // Paid, taken back, and paid again.
            4 => {
                let of = life.pays(row.due_on, whole);
                life.enter(add_days(row.due_on, 2)?, Event::Reversed { of });
                life.pays(add_days(row.due_on, 3)?, whole);
            }
            _ => {
                life.pays(row.due_on, whole);
            }
        }
    }
    // Entered last for days that are long past.
    let mut day = terms.signed_on;
    while life.0.len() < 60 {
        day = add_days(day, 97)?;
        life.pays(day, Amount::from_minor(100));
    }
    let until = terms.due_dates.last().copied().unwrap_or(terms.signed_on);
    Ok((life.0, add_days(until, 30)?))
}

/// Transactions in the order of their entry.
#[derive(Default)]
struct Life(Vec<Transaction>);

impl Life {
    fn enter(&mut self, effective_on: Date, event: Event) -> u32 {
        let number = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        self.0.push(Transaction {
            number,
            effective_on,
            event,
        });
        number
    }

    fn pays(&mut self, on: Date, amount: Amount) -> u32 {
        let intent = Intent::Due;
        self.enter(on, Event::Repaid { amount, intent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_that_is_measured_has_sixty_transactions_and_ends_settled() {
        let terms = terms(36).unwrap();
        let (life, until) = life(&terms).unwrap();
        assert_eq!(life.len(), 60);
        let loan = fold(&terms, &life, until).unwrap();
        assert_eq!(loan.rows.len(), 36);
        assert!(loan.outstanding().unwrap().total().unwrap().is_zero(), "{loan:?}");
        assert!(run(50).unwrap().lives > 0.0);
    }
}
