//! The workload `quote`: one offer after the other on one core, each with its schedule, its costs and both annual rates.

use fenqi_domain::market::CartLine;
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::quote::{Asking, price};

use super::{Figures, instant};
use crate::data::Data;

/// Prices so many offers, in turn over all plans of the sample shop.
pub fn run(data: &Data, size: usize) -> Result<Figures, String> {
    let today = jiff::civil::date(2026, 1, 15);
    let mut line = CartLine {
        sku: "bench".into(),
        quantity: 1,
        price: Amount::ZERO,
        is_wanted: true,
    };
    let start = instant();
    let mut total = 0i64;
    for (index, plan) in (0..size).zip(data.plans.iter().cycle()) {
        // Another price each time, so that nothing can be remembered.
        let cents = i64::try_from(index % 97_001).unwrap_or(0);
        line.price = Amount::from_minor(plan.minimum.minor().saturating_add(200_000).saturating_add(cents));
        let asking = Asking {
            plan,
            lines: &[&line],
            down_payment: None,
            price_factor: Rate::ONE,
            today,
            holidays: &data.holidays,
        };
        let priced = price(asking).map_err(|e| format!("{}: {e:?}", plan.code))?;
        total = total.saturating_add(priced.cost.total_payment.minor());
    }
    let seconds = start.elapsed().as_secs_f64();
    if total == 0 {
        return Err("nothing was priced".into());
    }
    Ok(Figures {
        per_second: size as f64 / seconds,
        p99_ms: 0.0,
        done: size,
        refused: 0,
    })
}
