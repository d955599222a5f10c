//! How what a person sees is written down: one line for each thing, figures with their names, days with their year.

use fenqi_domain::credit::Line;
use fenqi_domain::loan::{Loan, Parts, Payoff, Row};
use fenqi_domain::money::{Amount, OutOfRange, point};
use fenqi_domain::plan::Instalment;
use jiff::Timestamp;

/// An amount of renminbi.
pub(super) fn yuan(amount: Amount) -> String {
    point(amount.minor(), 2)
}

/// An instant on the wall clock in China, without seconds.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::tz::offset(8)
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// What is not nothing, each with its name, or `nothing`.
fn named(figures: &[(&str, Amount)]) -> String {
    let shown: Vec<String> = figures
        .iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(name, amount)| format!("{name} {}", yuan(*amount)))
        .collect();
    if shown.is_empty() {
        "nothing".to_owned()
    } else {
        shown.join(", ")
    }
}

/// Amounts by component.
pub(super) fn parts(parts: &Parts) -> String {
    named(&[
        ("principal", parts.principal),
        ("interest", parts.interest),
        ("fee", parts.fee),
        ("penalty", parts.penalty),
    ])
}

/// How many instalments of how much, from a schedule as agreed: `12 × 357.24`, or with the odd ones named.
pub(super) fn instalments(schedule: &[Instalment]) -> Result<String, OutOfRange> {
    let dues: Vec<Amount> = schedule
        .iter()
        .map(|row| row.principal.plus(row.interest)?.plus(row.fee))
        .collect::<Result<_, _>>()?;
    let mut runs: Vec<(usize, Amount)> = Vec::new();
    for due in dues {
        match runs.last_mut() {
            Some((count, amount)) if *amount == due => *count += 1,
            _ => runs.push((1, due)),
        }
    }
    let shown: Vec<String> = runs
        .iter()
        .map(|(count, amount)| format!("{count} × {}", yuan(*amount)))
        .collect();
    Ok(shown.join(" + "))
}

/// A running loan: how it stands, and its rows; rows that say the same are written once.
pub(super) fn schedule(loan: &Loan) -> Result<Vec<String>, OutOfRange> {
    let mut lines = Vec::new();
    let mut run: Option<(&Row, &Row, String)> = None;
    for row in &loan.rows {
        let says = standing(row)?;
        run = match run {
            Some((first, _, same)) if same == says => Some((first, row, same)),
            other => {
                lines.extend(other.map(written));
                Some((row, row, says))
            }
        };
    }
    lines.extend(run.map(written));
    Ok(lines)
}

fn written((first, last, says): (&Row, &Row, String)) -> String {
    if first.number == last.number {
        format!("{}. {}: {says}", first.number, first.due_on)
    } else {
        format!(
            "{}.–{}. {} … {}: {says} each",
            first.number, last.number, first.due_on, last.due_on
        )
    }
}

/// What a row came to, and where it went.
fn standing(row: &Row) -> Result<String, OutOfRange> {
    let charged = Parts {
        principal: row.principal.charged,
        interest: row.interest.charged,
        fee: row.fee.charged,
        penalty: row.penalty.charged,
    };
    let figures = [&row.principal, &row.interest, &row.fee, &row.penalty];
    let sum = |part: fn(&fenqi_domain::loan::Figures) -> Amount| Amount::sum(figures.iter().map(|f| part(f)));
    let gone = named(&[
        ("paid", sum(|f| f.paid)?),
        ("waived", sum(|f| f.waived)?),
        ("cancelled", sum(|f| f.cancelled)?),
        ("open", row.open()?.total()?),
    ]);
    let subsidy = if row.subsidy.is_zero() {
        String::new()
    } else {
        format!(", borne by the seller {}", yuan(row.subsidy))
    };
    Ok(format!("{}{subsidy}; {gone}", parts(&charged)))
}

/// How a loan stands in one line.
pub(super) fn summary(loan: &Loan) -> Result<String, OutOfRange> {
    let mut line = format!(
        "owed {}, payable now {}",
        yuan(loan.outstanding()?.total()?),
        yuan(loan.payable()?.total()?)
    );
    if loan.days_past_due > 0 {
        line.push_str(&format!(", {} days late", loan.days_past_due));
    }
    if loan.is_paused {
        line.push_str(", paused");
    }
    if loan.credit_balance.is_positive() {
        line.push_str(&format!(", {} to come back to her", yuan(loan.credit_balance)));
    }
    Ok(line)
}

/// A limit.
pub(super) fn limit(line: &Line) -> Result<String, OutOfRange> {
    let own = line
        .own_limit
        .map_or(String::new(), |own| format!(", her own limit {}", yuan(own)));
    Ok(format!(
        "{}: limit {}{own}, used {}, held {}, available {}, until {}",
        line.institution,
        yuan(line.limit),
        yuan(line.used),
        yuan(line.held),
        yuan(line.available()?),
        line.expires_on
    ))
}

/// What a settlement would cost.
pub(super) fn payoff(payoff: &Payoff) -> String {
    format!(
        "settling on {} costs {} ({}), saves {}, and the loan will have cost {} a year",
        payoff.on,
        yuan(payoff.total),
        parts(&payoff.parts),
        yuan(payoff.saved),
        payoff.annual.to_hundredths()
    )
}
