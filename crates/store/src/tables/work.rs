//! Work: what is to be done about whom on which day, so that a job finds its work and reads nothing else.

use fenqi_domain::id::ShopperId;
use jiff::civil::Date;

use super::{Store, statements};
use crate::batch::Batch;
use crate::fault::Fault;

statements! {
    BEGIN = "work.begin", (Text, Text, Text, Text) -> (),
        "insert into work (shopper, kind, subject, due_on) values ($1, $2, $3, $4)";
    PUT = "work.put", (Text, Text, Text, Text) -> (),
        "insert into work (shopper, kind, subject, due_on) values ($1, $2, $3, $4) on conflict (shopper, kind, subject) do update set due_on = excluded.due_on where work.due_on <> excluded.due_on";
    DROP = "work.drop", (Text, Text, Text) -> (),
        "delete from work where shopper = $1 and kind = $2 and subject = $3";
    OF_SHOPPER = "work.of_shopper", (Text) -> (Text, Text, Text),
        "select kind, subject, due_on from work where shopper = $1 order by kind, subject";
    DUE = "work.due", (Text, Text, Text, Text, Text, Int) -> (Text, Text, Text),
        "select shopper, subject, due_on from work where kind = $1 and due_on <= $2 and (due_on, shopper, subject) > ($3, $4, $5) order by due_on, shopper, subject limit $6";
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Whose.
    pub shopper: String,
    /// About what.
    pub subject: String,
    /// From which day on.
    pub due_on: Date,
}

/// A piece of work of a known shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Which job does it.
    pub kind: String,
    /// About what.
    pub subject: String,
    /// From which day on.
    pub due_on: Date,
}

impl Store {
    /// All work about a shopper.
    pub async fn work_of(&self, shopper: ShopperId) -> Result<Vec<Planned>, Fault> {
        let rows = self.rows(&OF_SHOPPER, vec![shopper.to_string().into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Planned {
                    kind: row.text(0)?.into(),
                    subject: row.text(1)?.into(),
                    due_on: super::parsed(row, 2)?,
                })
            })
            .collect()
    }

    /// A page of the work of a kind that is due up to a day, after a given piece.
    pub async fn work_due(
        &self,
        kind: &str,
        until: Date,
        after: Option<&Work>,
        count: i64,
    ) -> Result<Vec<Work>, Fault> {
        let (day, shopper, subject) = match after {
            Some(work) => (
                work.due_on.to_string(),
                work.shopper.clone(),
                work.subject.clone(),
            ),
            None => (String::new(), String::new(), String::new()),
        };
        let params = vec![
            kind.into(),
            until.to_string().into(),
            day.into(),
            shopper.into(),
            subject.into(),
            count.into(),
        ];
        let rows = self.rows(&DUE, params).await?;
        rows.iter()
            .map(|row| {
                Ok(Work {
                    shopper: row.text(0)?.into(),
                    subject: row.text(1)?.into(),
                    due_on: super::parsed(row, 2)?,
                })
            })
            .collect()
    }
}

/// Plans work about a subject that is made in the same batch, so that there can be none yet.
pub fn begun(batch: &mut Batch, shopper: &str, kind: &str, subject: &str, due_on: Date) {
    batch.put(
        &BEGIN,
        vec![
            shopper.into(),
            kind.into(),
            subject.into(),
            due_on.to_string().into(),
        ],
    );
}

/// Plans work, or moves it to another day.
pub fn planned(batch: &mut Batch, shopper: &str, kind: &str, subject: &str, due_on: Date) {
    batch.put(
        &PUT,
        vec![
            shopper.into(),
            kind.into(),
            subject.into(),
            due_on.to_string().into(),
        ],
    );
}

/// Strikes work that is done or no longer needed.
pub fn done(batch: &mut Batch, shopper: &str, kind: &str, subject: &str) {
    batch.put(&DROP, vec![shopper.into(), kind.into(), subject.into()]);
}
