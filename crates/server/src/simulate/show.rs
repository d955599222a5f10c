//! Printing how a loan stands in the words of the case files.

use fenqi_domain::loan::{Life, Note, Origin, Parts, Row};
use fenqi_domain::money::{Amount, OutOfRange, point};
use serde_json::{Map, Value, json};

use super::lateness;
use super::play::{Entry, Player};

/// What a table of the file shows.
#[derive(Clone, Copy)]
pub struct Shown {
    /// Whether the schedule has a line for each disbursement.
    pub with_lent: bool,
    /// Whether the transactions include disbursements.
    pub lists_lent: bool,
}

/// How a case stands where it expects something.
pub fn checkpoint(player: &Player, shown: Shown) -> Result<Value, String> {
    let expected;
    let life = match &player.life {
        Some(life) => life,
        None => {
            expected = player.expected()?;
            &expected
        }
    };
    show(player, life, shown).map_err(|e| e.to_string())
}

fn money(amount: Amount) -> Value {
    Value::String(point(amount.minor(), 2))
}

fn show(player: &Player, life: &Life, shown: Shown) -> Result<Value, OutOfRange> {
    let (schedule, totals) = schedule(player, life, shown.with_lent)?;
    let outstanding = life.loan.outstanding()?.total()?;
    let over = life.loan.credit_balance;
    let status = if player.life.is_none() {
        "APPROVED"
    } else if player.is_written_off() {
        "CLOSED_WRITTEN_OFF"
    } else if over.is_positive() {
        "OVERPAID"
    } else if outstanding.is_zero() {
        "CLOSED_OBLIGATIONS_MET"
    } else {
        "ACTIVE"
    };
    let mut answer = json!({
        "status": status,
        "outstanding": money(outstanding),
        "overpaid": money(over.max(Amount::ZERO)),
        "schedule": schedule,
        "schedule_totals": totals,
        "transactions": transactions(player, shown.lists_lent)?,
    });
    if let Some(fields) = answer.as_object_mut() {
        lateness::show(player, life, fields)?;
    }
    Ok(answer)
}

/// Disbursements by day, as the schedule shows them.
fn lent(player: &Player) -> Vec<(jiff::civil::Date, Amount)> {
    if player.life.is_none() {
        return vec![(player.product.expected_on, player.product.principal)];
    }
    let entries = player
        .entries
        .iter()
        .filter(|e| e.stands && e.kind == Some("Disbursement"));
    entries
        .filter_map(|e| e.record.map(|r| (e.on, r.amount)))
        .collect()
}

/// The rows, with the disbursements before what came to be owed by them.
fn schedule(player: &Player, life: &Life, with_lent: bool) -> Result<(Vec<Value>, Value), OutOfRange> {
    let mut lent = lent(player).into_iter().peekable();
    let mut balance = Amount::ZERO;
    let mut shown = Vec::new();
    let mut taken = taken(player)?;
    let mut sums = Sums::default();
    sums.came_to.fee = taken;
    sums.paid = taken;
    for (row, note) in life.loan.rows.iter().zip(&life.notes) {
        // What is lent on a due date belongs to the period that ends, or to the next, as agreed.
        let belongs_here = player.product.servicing.whole || note.origin == Origin::DownPayment;
        let comes_first = |on: jiff::civil::Date| on < row.due_on || (on == row.due_on && belongs_here);
        while let Some((on, amount)) = lent.next_if(|(on, _)| comes_first(*on)) {
            balance = balance.plus(amount)?;
            let fees = std::mem::take(&mut taken);
            if !with_lent {
                continue;
            }
            shown.push(json!({
                "disbursement_row": true,
                "date": on.to_string(),
                "balance_of_loan": money(amount),
                "fees": money(fees),
            }));
        }
        let billed = row.billed()?.principal;
        balance = balance.minus(billed.minus(note.added.principal)?)?;
        shown.push(line(row, note, balance)?);
        sums.add(row, note)?;
    }
    Ok((shown, sums.shown()?))
}

/// Fees that were paid with a disbursement.
fn taken(player: &Player) -> Result<Amount, OutOfRange> {
    let standing = player.entries.iter().filter(|e| e.stands && is_taken(e));
    Amount::sum(standing.filter_map(|e| e.record.map(|r| r.amount)))
}

fn is_taken(entry: &Entry) -> bool {
    entry.kind == Some("Repayment (at time of disbursement)")
}

/// The totals of a schedule.
#[derive(Default)]
struct Sums {
    came_to: Parts,
    paid: Amount,
    ahead: Amount,
    late: Amount,
    waived: Amount,
    open: Amount,
}

impl Sums {
    fn add(&mut self, row: &Row, note: &Note) -> Result<(), OutOfRange> {
        self.came_to = self.came_to.plus(&came_to(row)?)?;
        self.paid = self.paid.plus(row.paid()?.total()?)?;
        self.ahead = self.ahead.plus(note.ahead)?;
        self.late = self.late.plus(note.late)?;
        self.waived = self.waived.plus(waived(row)?)?;
        self.open = self.open.plus(row.open()?.total()?)?;
        Ok(())
    }

    fn shown(&self) -> Result<Value, OutOfRange> {
        Ok(json!({
            "principal_due": money(self.came_to.principal),
            "interest": money(self.came_to.interest),
            "fees": money(self.came_to.fee),
            "penalties": money(self.came_to.penalty),
            "due": money(self.came_to.total()?),
            "paid": money(self.paid),
            "in_advance": money(self.ahead),
            "late": money(self.late),
            "waived": money(self.waived),
            "outstanding": money(self.open),
        }))
    }
}

/// What a row came to, waivers included.
fn came_to(row: &Row) -> Result<Parts, OutOfRange> {
    let mut parts = row.billed()?;
    for component in fenqi_domain::plan::Component::ALL {
        parts.add(component, row.figures(component).waived)?;
    }
    Ok(parts)
}

/// What of a row was waived.
fn waived(row: &Row) -> Result<Amount, OutOfRange> {
    let figures = [&row.principal, &row.interest, &row.fee, &row.penalty];
    Amount::sum(figures.iter().map(|f| f.waived))
}

fn line(row: &Row, note: &Note, balance: Amount) -> Result<Value, OutOfRange> {
    let came_to = came_to(row)?;
    let days = fenqi_domain::calendar::days_between(note.from, row.due_on);
    Ok(json!({
        "nr": row.number,
        "days": days,
        "due_date": row.due_on.to_string(),
        "paid_date": row.cleared_on.map(|d| d.to_string()),
        "balance_of_loan": money(balance.max(Amount::ZERO)),
        "principal_due": money(came_to.principal),
        "interest": money(came_to.interest),
        "fees": money(came_to.fee),
        "penalties": money(came_to.penalty),
        "due": money(came_to.total()?),
        "paid": money(row.paid()?.total()?),
        "in_advance": money(note.ahead),
        "late": money(note.late),
        "waived": money(waived(row)?),
        "outstanding": money(row.open()?.total()?),
    }))
}

/// The transactions by day and then by entry.
fn transactions(player: &Player, lists_lent: bool) -> Result<Vec<Value>, OutOfRange> {
    // A fee that is paid with a disbursement stands before it.
    let mut entries: Vec<&Entry> = player.entries.iter().collect();
    entries.sort_by_key(|e| (e.on, if is_taken(e) { 0 } else { e.number }));
    let mut balance = Amount::ZERO;
    let mut shown = Vec::with_capacity(entries.len());
    for (entry, kind) in entries.into_iter().filter_map(|e| Some((e, e.kind?))) {
        // A waiver counts from an earlier day than the one it is shown on.
        if entry.stands && kind != "Waive loan charges" {
            balance = entry.record.map_or(balance, |r| r.principal);
        }
        if lists_lent || kind != "Disbursement" {
            shown.push(transaction(entry, kind, balance)?);
        }
    }
    Ok(shown)
}

fn transaction(entry: &Entry, kind: &str, balance: Amount) -> Result<Value, OutOfRange> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    put("date", Value::String(entry.on.to_string()));
    put("type", Value::String(kind.to_owned()));
    put("reverted", Value::Bool(!entry.stands));
    put("replayed", Value::Bool(entry.replayed));
    if let Some(record) = &entry.record {
        let parts = record.parts;
        let is_waived = kind == "Waive loan charges";
        let leaves_nothing = matches!(
            kind,
            "Re-age" | "Re-amortize" | "Charge-off" | "Contract Termination" | "Close (as written-off)"
        );
        let is_whole = is_waived || leaves_nothing;
        put(
            "amount",
            money(if is_whole { parts.total()? } else { record.amount }),
        );
        let parts = if is_waived { Parts::default() } else { parts };
        put("principal", money(parts.principal));
        put("interest", money(parts.interest));
        put("fees", money(parts.fee));
        put("penalties", money(parts.penalty));
        let shown = match is_whole {
            false => record.principal,
            true if is_waived => balance,
            true => Amount::ZERO,
        };
        put("loan_balance", money(shown));
        put("overpayment", money(record.over));
    }
    Ok(Value::Object(shown))
}
