//! Bills against the folds (I3): each is what the loans owed when it was issued, and what the shopper was told of it.

use std::collections::BTreeMap;

use fenqi_domain::bill::{self, Bill, BillLine};
use fenqi_domain::calendar::add_days;
use fenqi_domain::id::AgreementId;
use fenqi_domain::loan::{self, Event, Row, Transaction};
use fenqi_domain::money::{Amount, Currency};
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::bills::StoredBill;
use fenqi_store::tables::messages::StoredMessage;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::App;
use crate::jobs::bill::TEMPLATE;
use crate::outcome::Denied;
use crate::verify::Found;

/// When each transaction of the shopper was entered.
pub(super) type Entered = BTreeMap<(AgreementId, u32), Timestamp>;

/// Bills and what they are checked against.
pub(super) struct Bills<'a> {
    pub app: &'a App,
    pub files: &'a [AgreementFile],
    pub entered: &'a Entered,
    pub messages: &'a [StoredMessage],
}

impl Bills<'_> {
    /// Checks the bills of one shopper; gives them, read.
    pub fn check(&self, stored: &[StoredBill], found: &mut Found) -> Result<Vec<Bill>, Denied> {
        let mut bills = Vec::with_capacity(stored.len());
        for row in stored {
            let bill: Bill = row.detail()?;
            let subject = format!("bill {} of {}", row.id, bill.due_on);
            found.compare(
                "I3",
                &subject,
                format!(
                    "{} {} {}",
                    bill.due_on,
                    bill.amount()?.minor(),
                    bill.currency.code()
                ),
                format!(
                    "{} {} {}",
                    row.due_on,
                    row.money.amount.minor(),
                    row.money.currency.code()
                ),
            );
            self.issued(&subject, &bill, found)?;
            bills.push(bill);
        }
        for file in self.files {
            self.billed(file, &bills, found)?;
        }
        self.told(&bills, found)?;
        Ok(bills)
    }

    /// What was open on the day before its due date, as it stood when that day began, was billed.
    fn billed(&self, file: &AgreementFile, bills: &[Bill], found: &mut Found) -> Result<(), Denied> {
        let Some(booked_on) = file.booked_on else {
            return Ok(());
        };
        let (id, terms) = (file.agreement.id, &file.agreement.terms);
        let last = loan::fold(terms, &file.transactions, booked_on)?;
        let is_billed = |number: u16| {
            let mut lines = bills.iter().flat_map(|bill| &bill.lines);
            lines.any(|line| (line.agreement, line.instalment) == (id, number))
        };
        let due = last.rows.iter().filter(|row| row.due_on <= booked_on);
        for row in due.filter(|row| !is_billed(row.number)) {
            let eve = add_days(row.due_on, -1)?;
            let Some(known) = self.moments_of(file, eve).first().copied() else {
                continue;
            };
            let then = loan::fold(terms, known, eve)?;
            let same = |r: &&Row| (r.number, r.due_on) == (row.number, row.due_on);
            let Some(then) = then.rows.iter().find(same) else {
                continue;
            };
            if then.open()?.total()?.is_positive() {
                let place = format!("{id} instalment {} of {}", row.number, row.due_on);
                found.note("I3", &place, &"a bill", &"none");
            }
        }
        Ok(())
    }

    /// Each line is what its loan owed on the day of issue. When on that day it was issued, or how much later for it, is
    /// not kept, so that any moment from then on will do.
    fn issued(&self, subject: &str, bill: &Bill, found: &mut Found) -> Result<(), Denied> {
        let known = |line: &&BillLine| self.files.iter().any(|file| file.agreement.id == line.agreement);
        if let Some(line) = bill.lines.iter().find(|line| !known(line)) {
            found.note("I3", subject, &"agreements of the shopper", &line.agreement);
        }
        let mut own = self.files.iter();
        let own = own
            .by_ref()
            .filter(|f| f.agreement.terms.currency == bill.currency);
        for file in own {
            let id = file.agreement.id;
            let told: Vec<BillLine> = bill.lines.iter().filter(|l| l.agreement == id).copied().collect();
            let mut expected = Vec::new();
            let mut fits = false;
            for known in self.moments_of(file, bill.issued_on) {
                let loan = loan::fold(&file.agreement.terms, known, bill.issued_on)?;
                expected = bill::lines([(id, &loan)], bill.due_on)?;
                fits |= expected == told;
            }
            if !fits {
                let place = format!("{subject} for {id}");
                found.note("I3", &place, &shown(&expected), &shown(&told));
            }
        }
        Ok(())
    }

    /// The transactions that may have been there when a bill of a day was issued: what was entered before the day, and then
    /// each that was entered on the day or later and still changes how the loan stood on it.
    fn moments_of<'f>(&self, file: &'f AgreementFile, day: Date) -> Vec<&'f [Transaction]> {
        let all = &file.transactions;
        let entered_before = |t: &&Transaction| {
            let at = self.entered.get(&(file.agreement.id, t.number));
            at.is_some_and(|at| self.app.day_of(*at) < day)
        };
        let before = all.iter().take_while(entered_before).count();
        let changes = |t: &Transaction| {
            let is_backward = matches!(t.event, Event::Reversed { .. } | Event::Excused { .. });
            t.effective_on <= day || is_backward
        };
        let later = all.iter().zip(1usize..).skip(before);
        let later = later.filter(|(t, _)| changes(t)).map(|(_, count)| count);
        let moments = std::iter::once(before).chain(later);
        moments.filter_map(|count| all.get(..count)).collect()
    }

    /// The bill that a shopper was last told of for a day is there, and comes to what they were told.
    fn told(&self, bills: &[Bill], found: &mut Found) -> Result<(), Denied> {
        let mut told: BTreeMap<(Date, Currency), Amount> = BTreeMap::new();
        for message in self
            .messages
            .iter()
            .filter(|message| message.template == TEMPLATE)
        {
            let bill: Announced = message.detail()?;
            told.insert((bill.due_on, bill.currency), bill.amount);
        }
        for ((due_on, currency), amount) in told {
            let mut known = bills.iter();
            let known = known.find(|bill| (bill.due_on, bill.currency) == (due_on, currency));
            let place = format!("bill of {due_on} in {}", currency.code());
            match known {
                Some(bill) => found.compare("I3", &place, amount.minor(), bill.amount()?.minor()),
                None => found.note("I3", &place, &amount.minor(), &"no bill"),
            }
        }
        Ok(())
    }
}

/// What the message about a new bill says.
#[derive(Deserialize)]
struct Announced {
    amount: Amount,
    currency: Currency,
    due_on: Date,
}

fn shown(lines: &[BillLine]) -> String {
    serde_json::to_string(lines).unwrap_or_default()
}
