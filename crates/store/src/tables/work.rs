//! Work: what is to be done about whom on which day, where it is rare; what every agreement has stands in its own row
//! (`agenda`). A job finds its work by an index and reads nothing else.

use fenqi_domain::id::ShopperId;
use jiff::civil::Date;

use super::{Store, statements};
use crate::batch::Batch;
use crate::fault::Fault;

statements! {
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

/// Where a piece of work stands in the order of its kind, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its day, in whatever form it stands there.
    pub due_on: String,
    /// Whose.
    pub shopper: String,
    /// About what.
    pub subject: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.subject, self.shopper)
    }
}

/// A page of work.
#[derive(Debug, Default)]
pub struct Page {
    /// The pieces, in the order of their days.
    pub pieces: Vec<Work>,
    /// Pieces whose day cannot be read: they hold back no other.
    pub unreadable: Vec<Place>,
    /// The last of all of them; none if there is nothing more.
    pub last: Option<Place>,
}

impl Page {
    /// Adds what stands at a place and is due on a day; noted as such where the day cannot be read.
    pub(super) fn add(&mut self, place: Place, day: String) {
        match day.parse() {
            Ok(due_on) => self.pieces.push(Work {
                shopper: place.shopper.clone(),
                subject: place.subject.clone(),
                due_on,
            }),
            Err(_) => self.unreadable.push(Place {
                due_on: day,
                ..place.clone()
            }),
        }
        self.last = Some(place);
    }
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

    /// A page of the work of a kind that is due up to a day, after a given place.
    pub async fn work_due(
        &self,
        kind: &str,
        until: Date,
        after: Option<&Place>,
        count: i64,
    ) -> Result<Page, Fault> {
        let after = after.cloned().unwrap_or_default();
        let params = vec![
            kind.into(),
            until.to_string().into(),
            after.due_on.into(),
            after.shopper.into(),
            after.subject.into(),
            count.into(),
        ];
        let mut page = Page::default();
        for row in self.rows(&DUE, params).await? {
            let place = Place {
                due_on: row.text(2)?.into(),
                shopper: row.text(0)?.into(),
                subject: row.text(1)?.into(),
            };
            let day = place.due_on.clone();
            page.add(place, day);
        }
        Ok(page)
    }
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
