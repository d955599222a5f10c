//! The agenda: on which days something is to be done about an agreement. The days stand in the agreement's own row, which
//! every change of it writes anyway; a job that found nothing to change moves its own day and leaves the rest alone.

use fenqi_domain::agreement::Agreement;
use jiff::civil::Date;

use super::work::{Page, Place};
use super::{Store, parsed, statements};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::statement::Statement;
use crate::value::{Row, Value};

statements! {
    DUE = "agreement.due", (Text, Text, Text, Text, Text, Int) -> (Text, Text, Text, Text),
        "select d.next_on, d.shopper, d.id, d.day from (select next_on, shopper, id, case $1 when 'expire' then expire_on when 'age' then age_on when 'bill' then bill_on when 'debit' then debit_on else remind_on end as day from agreement where next_on <= $2 and (next_on, shopper, id) > ($3, $4, $5)) d where d.day <= $2 order by d.next_on, d.shopper, d.id limit $6";
    EXPIRE = "agreement.expire_on", (Text, Text, Int, Text) -> (),
        "update agreement set expire_on = $4 where shopper = $1 and id = $2 and version = $3";
    AGE = "agreement.age_on", (Text, Text, Int, Text) -> (),
        "update agreement set age_on = $4 where shopper = $1 and id = $2 and version = $3";
    BILL = "agreement.bill_on", (Text, Text, Int, Text) -> (),
        "update agreement set bill_on = $4 where shopper = $1 and id = $2 and version = $3";
    DEBIT = "agreement.debit_on", (Text, Text, Int, Text) -> (),
        "update agreement set debit_on = $4 where shopper = $1 and id = $2 and version = $3";
    REMIND = "agreement.remind_on", (Text, Text, Int, Text) -> (),
        "update agreement set remind_on = $4 where shopper = $1 and id = $2 and version = $3";
}

/// What is done about an agreement on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its hold runs out.
    Expire,
    /// What falls due is booked.
    Age,
    /// A bill is issued for the next due date.
    Bill,
    /// What is due is debited.
    Debit,
    /// The shopper is reminded.
    Remind,
}

impl Task {
    /// Its word, as the columns have it.
    pub const fn code(self) -> &'static str {
        match self {
            Task::Expire => "expire",
            Task::Age => "age",
            Task::Bill => "bill",
            Task::Debit => "debit",
            Task::Remind => "remind",
        }
    }

    const fn moved(self) -> &'static Statement {
        match self {
            Task::Expire => &EXPIRE,
            Task::Age => &AGE,
            Task::Bill => &BILL,
            Task::Debit => &DEBIT,
            Task::Remind => &REMIND,
        }
    }
}

/// The days on which an agreement is looked at next; none where there is nothing to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Days {
    /// When what is still held runs out.
    pub expire: Option<Date>,
    /// When what falls due is to be booked.
    pub age: Option<Date>,
    /// When the next bill is to be issued.
    pub bill: Option<Date>,
    /// When what is due is to be debited.
    pub debit: Option<Date>,
    /// When the shopper is to be reminded.
    pub remind: Option<Date>,
}

impl Days {
    /// The day of a task.
    pub const fn of(&self, task: Task) -> Option<Date> {
        match task {
            Task::Expire => self.expire,
            Task::Age => self.age,
            Task::Bill => self.bill,
            Task::Debit => self.debit,
            Task::Remind => self.remind,
        }
    }

    /// Reads them from five columns, from a position on.
    pub(crate) fn read(row: &Row, from: usize) -> Result<Days, Fault> {
        let day = |place: usize| {
            let at = from.saturating_add(place);
            row.opt_text(at)?.map(|_| parsed(row, at)).transpose()
        };
        Ok(Days {
            expire: day(0)?,
            age: day(1)?,
            bill: day(2)?,
            debit: day(3)?,
            remind: day(4)?,
        })
    }

    /// Them as the five columns have them.
    pub(crate) fn values(&self) -> [Value; 5] {
        let days = [self.expire, self.age, self.bill, self.debit, self.remind];
        days.map(|day| day.map(|day| day.to_string()).into())
    }
}

impl Store {
    /// A page of the agreements of which a task is due up to a day, after a given place: those first of which anything is
    /// due first. The place of a piece is its agreement's, and its day the task's.
    pub async fn agreements_due(
        &self,
        task: Task,
        until: Date,
        after: Option<&Place>,
        count: i64,
    ) -> Result<Page, Fault> {
        let after = after.cloned().unwrap_or_default();
        let params = vec![
            task.code().into(),
            until.to_string().into(),
            after.due_on.into(),
            after.shopper.into(),
            after.subject.into(),
            count.into(),
        ];
        let mut page = Page::default();
        for row in self.rows(&DUE, params).await? {
            let place = Place {
                due_on: row.text(0)?.into(),
                shopper: row.text(1)?.into(),
                subject: row.text(2)?.into(),
            };
            page.add(place, row.text(3)?.into());
        }
        // In the order of the task's own days, and what is one shopper's side by side.
        page.pieces
            .sort_by(|a, b| (a.due_on, &a.shopper, &a.subject).cmp(&(b.due_on, &b.shopper, &b.subject)));
        Ok(page)
    }
}

/// Moves the day of a task, or strikes it; refused if the agreement changed since it was read. The agreement's version
/// stays: no other change rests on its days, and a job that looks once too often finds nothing to do.
pub fn moved(batch: &mut Batch, agreement: &Agreement, task: Task, to: Option<Date>) {
    batch.require(
        Guard::Unchanged,
        task.moved(),
        vec![
            agreement.shopper.to_string().into(),
            agreement.id.to_string().into(),
            agreement.version.into(),
            to.map(|day| day.to_string()).into(),
        ],
    );
}
