//! What came from a channel: its own statement, and its signed notices.

use fenqi_domain::money::Amount;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Store, parsed, statements};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::{Row, Value};

statements! {
    LINE_PUT = "statement_line.put", (Text, Text, Text, Int, Text) -> (),
        "insert into statement_line (channel, reference, booked_on, amount, detail) values ($1, $2, $3, $4, $5) on conflict (channel, reference) do nothing";
    LINES = "statement_line.all", (Text) -> (Text, Text, Int, Text),
        "select reference, booked_on, amount, detail from statement_line where channel = $1 order by booked_on, reference";
    LINE = "statement_line.find", (Text, Text) -> (Text, Text, Int, Text),
        "select reference, booked_on, amount, detail from statement_line where channel = $1 and reference = $2";
    NOTICE_PUT = "inbox.put", (Text, Text, Text, Int) -> (),
        "insert into inbox (channel, notice, body, state, received_at) values ($1, $2, $3, 'new', $4) on conflict (channel, notice) do nothing";
    NOTICE_DONE = "inbox.done", (Text, Text) -> (),
        "update inbox set state = 'applied' where channel = $1 and notice = $2 and state <> 'applied'";
    NOTICE_PARKED = "inbox.park", (Text, Text) -> (),
        "update inbox set state = 'parked' where channel = $1 and notice = $2 and state = 'new'";
    NOTICES = "inbox.of_state", (Text, Text) -> (Text, Text),
        "select notice, body from inbox where channel = $1 and state = $2 order by received_at, notice";
}

/// A line of a channel's own statement, as imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// The channel's reference.
    pub reference: String,
    /// Its booking day.
    pub booked_on: Date,
    /// In to us if positive.
    pub amount: Amount,
    /// Our number.
    pub number: String,
}

impl Store {
    /// All imported lines of a channel's statement.
    pub async fn statement(&self, channel: &str) -> Result<Vec<StatementRow>, Fault> {
        let rows = self.rows(&LINES, vec![channel.into()]).await?;
        rows.iter().map(line).collect()
    }

    /// Notices of a source that were not applied yet, in the order of their arrival.
    pub async fn notices(&self, source: &str) -> Result<Vec<(String, String)>, Fault> {
        self.notices_of(source, "new").await
    }

    /// Notices of a source that can never be applied, because they name nothing of ours: somebody has to ask the source.
    pub async fn parked_notices(&self, source: &str) -> Result<Vec<(String, String)>, Fault> {
        self.notices_of(source, "parked").await
    }

    async fn notices_of(&self, source: &str, state: &str) -> Result<Vec<(String, String)>, Fault> {
        let rows = self.rows(&NOTICES, vec![source.into(), state.into()]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.into(), row.text(1)?.into())))
            .collect()
    }
}

fn line(row: &Row) -> Result<StatementRow, Fault> {
    Ok(StatementRow {
        reference: row.text(0)?.into(),
        booked_on: parsed(row, 1)?,
        amount: Amount::from_minor(row.int(2)?),
        number: row.text(3)?.into(),
    })
}

fn columns(channel: &str, line: &StatementRow) -> Vec<Value> {
    vec![
        channel.into(),
        line.reference.as_str().into(),
        line.booked_on.to_string().into(),
        line.amount.minor().into(),
        line.number.as_str().into(),
    ]
}

/// Imports a line of a channel's statement; the same line again changes nothing.
pub fn imported(batch: &mut Batch, channel: &str, line: &StatementRow) {
    batch.put(&LINE_PUT, columns(channel, line));
}

/// Enters a line that proves a payment; refused if it is there.
pub fn proved(batch: &mut Batch, channel: &str, line: &StatementRow) {
    batch.require(Guard::Quantity("proof_unused"), &LINE_PUT, columns(channel, line));
}

/// Keeps a notice until it is applied; the same notice again changes nothing.
pub fn noticed(batch: &mut Batch, source: &str, notice: &str, body: &str, at: Timestamp) {
    batch.put(
        &NOTICE_PUT,
        vec![
            source.into(),
            notice.into(),
            body.into(),
            at.as_microsecond().into(),
        ],
    );
}

/// Marks a notice as applied, in the batch that applies it; refused if it was.
pub fn notice_applied(batch: &mut Batch, source: &str, notice: &str) {
    batch.require(Guard::Unchanged, &NOTICE_DONE, vec![source.into(), notice.into()]);
}

/// A notice is put aside: it can never be applied.
pub fn notice_parked(batch: &mut Batch, source: &str, notice: &str) {
    batch.put(&NOTICE_PARKED, vec![source.into(), notice.into()]);
}
