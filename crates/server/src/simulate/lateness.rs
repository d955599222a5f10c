//! How late a loan is, and what stands of its charges, in the words of the case files.

use std::cmp::Reverse;

use fenqi_domain::calendar::add_days;
use fenqi_domain::delinquency::{Lateness, Pause, Range, Ranges, counted_days, lateness};
use fenqi_domain::loan::{Amendment, Event, Life, Origin, Row};
use fenqi_domain::money::{Amount, OutOfRange, point};
use fenqi_domain::plan::Component;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::field::{Fields, Read};
use super::play::{Entry, Player};

/// The ranges that the files count by, each from its first day on; their numbers follow their order.
const RANGES: [(&str, i64); 10] = [
    ("NO_DELINQUENCY", 0),
    ("RANGE_1", 1),
    ("RANGE_3", 4),
    ("RANGE_30", 31),
    ("RANGE_60", 61),
    ("RANGE_90", 91),
    ("RANGE_120", 121),
    ("RANGE_150", 151),
    ("RANGE_180", 181),
    ("RANGE_240", 241),
];

/// What is agreed on lateness, what was entered, and what the last close of business or transaction made of it.
pub struct Late {
    grace: i64,
    by_row: bool,
    ranges: Ranges,
    pauses: Vec<Pause>,
    /// The range that the loan was put in.
    range: String,
    /// Open amounts of rows by the number and name of their range.
    rows: Vec<(usize, String, Amount)>,
}

impl Late {
    /// Reads what the terms say.
    pub fn read(inputs: &Fields<'_>) -> Read<Late> {
        let ranges = RANGES.iter().map(|(name, from)| Range {
            name: (*name).to_owned(),
            from: *from,
        });
        let by_row = inputs.flag("installment_level_delinquency")?;
        Ok(Late {
            grace: i64::from(inputs.count("grace_on_arrears_days")?),
            by_row: by_row.unwrap_or(false),
            ranges: Ranges::new(ranges.collect()).map_err(|e| format!("the ranges: {e:?}"))?,
            pauses: Vec::new(),
            range: RANGES[0].0.to_owned(),
            rows: Vec::new(),
        })
    }

    /// Lets lateness stand still for some days.
    pub fn pause(&mut self, from: Date, until: Date) {
        self.pauses.push(Pause { from, until });
    }

    /// Ends the pause that a day lies in; says whether there is one.
    pub fn resume(&mut self, on: Date) -> bool {
        let pause = self.pauses.iter_mut().rfind(|p| p.holds_on(on));
        let found = pause.is_some();
        if let Some(pause) = pause {
            pause.until = on;
        }
        found
    }

    /// Puts the loan and its rows into their ranges: what is chased from a day on depends on them.
    pub fn classify(&mut self, life: Option<&Life>, today: Date) -> Result<(), OutOfRange> {
        let rows = life.map_or(&[][..], |l| &l.loan.rows);
        let late = lateness(rows, today, &self.pauses)?;
        self.range = self.ranges.of(self.chased(&late)).to_owned();
        self.rows.clear();
        let by_row = self.by_row;
        for row in rows.iter().filter(|r| by_row && r.due_on < today) {
            self.classify_row(row, today)?;
        }
        self.rows.sort_by_key(|(number, ..)| *number);
        Ok(())
    }

    fn classify_row(&mut self, row: &Row, today: Date) -> Result<(), OutOfRange> {
        let open = row.open()?.total()?;
        let days = counted_days(row.due_on, today, &self.pauses);
        if !open.is_positive() || days <= self.grace {
            return Ok(());
        }
        let name = self.ranges.of(days);
        let number = RANGES.iter().position(|(range, _)| *range == name).unwrap_or(0);
        if let Some(known) = self.rows.iter_mut().find(|known| known.0 == number) {
            known.2 = known.2.plus(open)?;
        } else {
            self.rows.push((number, name.to_owned(), open));
        }
        Ok(())
    }

    /// Days for which a loan is chased: those past due, without pauses and grace.
    fn chased(&self, late: &Lateness) -> i64 {
        late.counted.saturating_sub(self.grace).max(0)
    }
}

/// Adds what a checkpoint says of lateness and charges.
pub fn show(player: &Player, life: &Life, shown: &mut Map<String, Value>) -> Result<(), OutOfRange> {
    let (late, today) = (&player.late, player.today());
    let is_lent = player.life.is_some();
    let rows = if is_lent { &life.loan.rows[..] } else { &[] };
    let now = lateness(rows, today, &late.pauses)?;
    let since = now.since.map(|d| add_days(d, late.grace)).transpose()?;
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("total_overdue", money(now.overdue));
    put(
        "delinquency",
        json!({ "range": late.range, "delinquent_date": since.map(|d| d.to_string()) }),
    );
    put(
        "loan_delinquency",
        json!([{
            "classification": late.range,
            "delinquentAmount": money(now.overdue),
            "delinquentDate": since.map_or_else(|| "null".to_owned(), day),
            "delinquentDays": late.chased(&now).to_string(),
            "pastDueDays": now.past_due.to_string(),
        }]),
    );
    let by_row = late.rows.iter().map(|(number, name, open)| {
        json!({ "rangeId": number.to_string(), "Range": name, "Amount": money(*open) })
    });
    let by_row: Vec<Value> = by_row.collect();
    put(
        "installment_delinquency",
        if by_row.is_empty() {
            Value::Null
        } else {
            Value::Array(by_row)
        },
    );
    let pauses = late.pauses.iter().map(|p| {
        json!({
            "active": p.holds_on(today).to_string(),
            "pausePeriodStart": day(p.from),
            "pausePeriodEnd": day(p.until),
        })
    });
    put("delinquency_pauses", Value::Array(pauses.collect()));
    let all_met = is_lent && rows.iter().all(|r| r.cleared_on.is_some());
    put("all_installments_obligations_met", Value::Bool(all_met));
    let off = player
        .entries
        .iter()
        .rfind(|e| e.stands && e.kind == Some("Charge-off"));
    put(
        "charged_off_on",
        off.map_or(Value::Null, |e| Value::String(e.on.to_string())),
    );
    put("charges", Value::Array(charges(player, life)?));
    Ok(())
}

/// What a charge is called in the file, beside what the rules know of it.
pub struct Charged {
    /// The number of its transaction; none for a fee that is paid with each disbursement.
    pub number: Option<u32>,
    /// What it is called.
    pub name: String,
    /// How it is reckoned.
    pub calculation: String,
}

impl Charged {
    /// Names a charge as the operation says it.
    pub fn read(op: &Fields<'_>, number: Option<u32>) -> Charged {
        let agreed = match (op.get("percent").is_some(), number) {
            (false, _) => "Flat",
            (true, None) => "% Amount",
            (true, Some(_)) => "% Loan Amount + Interest",
        };
        Charged {
            number,
            name: name_of(op.text("charge").unwrap_or_default()),
            calculation: op.text("calculation").unwrap_or(agreed).to_owned(),
        }
    }
}

/// What a charge of a code is called: `LOAN_NSF_FEE` is the NSF fee.
pub fn name_of(code: &str) -> String {
    let name = code.strip_prefix("LOAN_").unwrap_or(code).replace('_', " ");
    let mut name = name.to_lowercase();
    if let Some(first) = name.get(..1).map(str::to_uppercase) {
        name.replace_range(..1, &first);
    }
    name.replace("Nsf", "NSF")
}

/// A charge with what stands of it.
struct Stands {
    component: Component,
    due_on: Option<Date>,
    due: Amount,
    waived: Amount,
    paid: Amount,
}

/// The charges that stand, by entry. What a row was paid of a component meets its charges by their days, and a share of
/// all instalments last.
fn charges(player: &Player, life: &Life) -> Result<Vec<Value>, OutOfRange> {
    let mut all: Vec<(&Charged, Stands)> = Vec::new();
    for charged in &player.charged {
        let stands = match charged.number {
            Some(number) => stands(player, number)?,
            None => Some(taken(player)?),
        };
        all.extend(stands.map(|s| (charged, s)));
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|place| all.get(*place).and_then(|(_, s)| s.due_on));
    for (place, row) in life.loan.rows.iter().enumerate() {
        let mut left = [row.fee.paid, row.penalty.paid];
        for at in &order {
            let Some((_, charge)) = all.get_mut(*at) else {
                continue;
            };
            if charge.due_on.is_some_and(|on| row_of(life, on) == place) {
                let component = usize::from(charge.component == Component::Penalty);
                let open = charge.due.minus(charge.waived)?.minus(charge.paid)?;
                let part = open.min(left[component]).max(Amount::ZERO);
                charge.paid = charge.paid.plus(part)?;
                left[component] = left[component].minus(part)?;
            }
        }
    }
    share_of_rows(&mut all, life)?;
    // The latest due day first, as the files list them.
    all.sort_by_key(|(_, s)| Reverse(s.due_on));
    all.into_iter().map(|(charged, s)| shown(charged, &s)).collect()
}

/// Lets a share of all instalments be what no other charge explains of the fees of the rows.
fn share_of_rows(all: &mut [(&Charged, Stands)], life: &Life) -> Result<(), OutOfRange> {
    let others = all
        .iter()
        .filter(|(_, s)| s.due_on.is_some() && s.component == Component::Fee);
    let (mut due, mut waived, mut paid) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    for (_, other) in others {
        due = due.minus(other.due)?;
        waived = waived.minus(other.waived)?;
        paid = paid.minus(other.paid)?;
    }
    for row in &life.loan.rows {
        due = due.plus(row.fee.charged)?;
        waived = waived.plus(row.fee.waived)?;
        paid = paid.plus(row.fee.paid)?;
    }
    let shares = |(charged, s): &&mut (&Charged, Stands)| charged.number.is_some() && s.due_on.is_none();
    if let Some((_, share)) = all.iter_mut().find(shares) {
        (share.due, share.waived, share.paid) = (due, waived, paid);
    }
    Ok(())
}

/// What the transactions say of a charge; nothing if it does not stand.
fn stands(player: &Player, number: u32) -> Result<Option<Stands>, OutOfRange> {
    let transaction = player.transactions().iter().find(|t| t.number == number);
    let (component, due_on, due) = match transaction.map(|t| &t.event) {
        Some(Event::Amended {
            by:
                Amendment::Charged {
                    amount,
                    component,
                    due_on,
                },
        }) => (*component, Some(*due_on), *amount),
        Some(Event::Amended {
            by: Amendment::Surcharged { .. },
        }) => (Component::Fee, None, Amount::ZERO),
        _ => return Ok(None),
    };
    let mut waived = Amount::ZERO;
    let stands = |number| player.entries.iter().any(|e| e.number == number && e.stands);
    for transaction in player.transactions() {
        if let Event::Amended {
            by: Amendment::ChargeWaived { of, amount },
        } = transaction.event
            && of == number
            && due_on.is_some()
            && stands(transaction.number)
        {
            waived = waived.plus(amount)?;
        }
    }
    Ok(Some(Stands {
        component,
        due_on,
        due,
        waived: waived.min(due),
        paid: Amount::ZERO,
    }))
}

/// Fees that were paid with disbursements.
fn taken(player: &Player) -> Result<Stands, OutOfRange> {
    let is_taken = |e: &&Entry| e.stands && e.kind == Some("Repayment (at time of disbursement)");
    let amounts = player.entries.iter().filter(is_taken).filter_map(|e| e.record);
    let paid = Amount::sum(amounts.map(|r| r.amount))?;
    Ok(Stands {
        component: Component::Fee,
        due_on: None,
        due: paid,
        waived: Amount::ZERO,
        paid,
    })
}

/// The row whose period a day falls into, or the last.
fn row_of(life: &Life, day: Date) -> usize {
    let regular = |place: &usize| {
        life.notes
            .get(*place)
            .is_some_and(|n| n.origin != Origin::DownPayment)
    };
    let places = (0..life.loan.rows.len()).filter(regular);
    let due_after = |place: &usize| life.loan.rows.get(*place).is_some_and(|r| day <= r.due_on);
    let found = places.into_iter().find(due_after);
    found.unwrap_or_else(|| life.loan.rows.len().saturating_sub(1))
}

fn shown(charged: &Charged, charge: &Stands) -> Result<Value, OutOfRange> {
    let at = match (charge.due_on, charged.number) {
        (Some(_), _) => "Specified due date",
        (None, Some(_)) => "Installment Fee",
        (None, None) => "Disbursement",
    };
    let open = charge.due.minus(charge.waived)?.minus(charge.paid)?;
    Ok(json!({
        "Name": charged.name,
        "isPenalty": (charge.component == Component::Penalty).to_string(),
        "Payment due at": at,
        "Due as of": charge.due_on.map_or_else(String::new, day),
        "Calculation type": charged.calculation,
        "Due": money(charge.due),
        "Paid": money(charge.paid),
        "Waived": money(charge.waived),
        "Outstanding": money(open),
    }))
}

fn money(amount: Amount) -> Value {
    Value::String(point(amount.minor(), 2))
}

/// A day as the tables write it: 06 October 2023.
fn day(date: Date) -> String {
    date.strftime("%d %B %Y").to_string()
}
