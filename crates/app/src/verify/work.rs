//! The work that must be planned (I10): what a job would miss without it. Work that is there without need is done by its
//! job, which looks at the state again, so that only what is missing, or comes too late, is told.

use fenqi_domain::agreement::{Funding, Stage};
use fenqi_domain::bill::Bill;
use fenqi_domain::calendar::add_days;
use fenqi_domain::loan::Loan;
use fenqi_store::tables::agenda::Task;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::work::Planned;
use jiff::civil::Date;

use crate::App;
use crate::outcome::Denied;
use crate::servicing::{self, BILL_DAYS_AHEAD, kinds};
use crate::verify::Found;

/// The work that is planned about one shopper.
pub(super) struct Plans(pub Vec<Planned>);

impl Plans {
    /// There must be work of a kind about a subject, from a day on at the latest; from any day if none is given.
    pub fn expect(&self, kind: &str, subject: &str, latest: Option<Date>, found: &mut Found) {
        let mut planned = self.0.iter();
        let planned = planned.find(|work| work.kind == kind && work.subject == subject);
        is_planned(kind, subject, planned.map(|work| work.due_on), latest, found);
    }

    /// What must be planned about an agreement, given its loan on the day up to which it is booked.
    pub fn of_agreement(
        &self,
        app: &App,
        file: &AgreementFile,
        loan: &Loan,
        bills: &[Bill],
        found: &mut Found,
    ) -> Result<(), Denied> {
        let agreement = &file.agreement;
        let subject = agreement.id.to_string();
        if let Stage::Confirmed { held, expires_at } | Stage::Active { held, expires_at, .. } =
            &agreement.stage
            && held.is_positive()
        {
            on_agenda(file, Task::Expire, app.day_of(*expires_at), found);
        }
        let waits = |funding: &Funding| matches!(funding, Funding::Waiting | Funding::Asked { .. });
        if agreement.captures().iter().any(|c| waits(&c.funding)) {
            self.expect(kinds::FUND, &subject, None, found);
        }
        let Some(booked_on) = file.booked_on else {
            return Ok(());
        };
        if loan.credit_balance.is_positive() {
            self.expect(kinds::PAY_OUT, &subject, None, found);
        }
        if !matches!(agreement.stage, Stage::Active { .. }) {
            return Ok(());
        }
        if let Some((number, due_on)) = servicing::unbilled(loan, booked_on) {
            on_agenda(file, Task::Age, due_on, found);
            let on_bill = |line: &fenqi_domain::bill::BillLine| {
                (line.agreement, line.instalment) == (agreement.id, number)
            };
            if !bills.iter().any(|bill| bill.lines.iter().any(on_bill)) {
                let latest = add_days(due_on, -BILL_DAYS_AHEAD)?;
                on_agenda(file, Task::Bill, latest, found);
            }
        }
        let due = servicing::open_due_dates(loan, booked_on)?;
        let Some(newest) = due.last().copied() else {
            return Ok(());
        };
        if newest > booked_on && !loan.is_paused {
            on_agenda(file, Task::Debit, newest, found);
        }
        // What is spoken of today may have been said already.
        let tomorrow = add_days(app.moment().today, 1)?;
        if let Some(latest) = servicing::next_reminder(servicing::reminded_of(&due, booked_on), tomorrow)? {
            on_agenda(file, Task::Remind, latest, found);
        }
        Ok(())
    }
}

/// An agreement must be looked at for a task by a day.
fn on_agenda(file: &AgreementFile, task: Task, latest: Date, found: &mut Found) {
    let subject = file.agreement.id.to_string();
    is_planned(task.code(), &subject, file.days.of(task), Some(latest), found);
}

fn is_planned(kind: &str, subject: &str, planned: Option<Date>, latest: Option<Date>, found: &mut Found) {
    let place = format!("{subject} work {kind}");
    match (planned, latest) {
        (None, None) => found.note("I10", &place, &"planned", &"none"),
        (None, Some(day)) => found.note("I10", &place, &format!("by {day}"), &"none"),
        (Some(due_on), Some(day)) if due_on > day => {
            found.note("I10", &place, &format!("by {day}"), &due_on);
        }
        _ => {}
    }
}
