//! Applications, credit lines, and the timeline of a limit.

use fenqi_domain::credit::{LimitEvent, Line};
use fenqi_domain::id::{ApplicationId, ShopperId};
use fenqi_domain::money::Amount;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::Row;

statements! {
    APPLICATION_INSERT = "application.insert", (Text, Text, Text, Text, Text, Int) -> (),
        "insert into application (shopper, id, institution, state, detail, asked_at, version) values ($1, $2, $3, $4, $5, $6, 1)";
    APPLICATION_UPDATE = "application.update", (Text, Text, Text, Text, Int) -> (),
        "update application set state = $3, detail = $4, version = version + 1 where shopper = $1 and id = $2 and version = $5";
    APPLICATIONS = "application.of_shopper", (Text) -> (Text, Text, Text, Text, Int, Int),
        "select id, institution, state, detail, asked_at, version from application where shopper = $1 order by asked_at, id";
    LINES = "credit_line.of_shopper", (Text) -> (Text, Int, Int, Int, Int, Text, Int),
        "select institution, credit_limit, own_limit, held, used, expires_on, version from credit_line where shopper = $1 order by institution";
    LINE = "credit_line.find", (Text, Text) -> (Text, Int, Int, Int, Int, Text, Int),
        "select institution, credit_limit, own_limit, held, used, expires_on, version from credit_line where shopper = $1 and institution = $2";
    LINE_INSERT = "credit_line.insert", (Text, Text, Int, Text) -> (),
        "insert into credit_line (shopper, institution, credit_limit, own_limit, held, used, expires_on, version) values ($1, $2, $3, null, 0, 0, $4, 1)";
    LINE_SET = "credit_line.set", (Text, Text, Int, Int, Text, Int) -> (),
        "update credit_line set credit_limit = $3, own_limit = $4, expires_on = $5, version = version + 1 where shopper = $1 and institution = $2 and version = $6";
    LINE_HOLD = "credit_line.hold", (Text, Text, Int) -> (),
        "update credit_line set held = held + $3 where shopper = $1 and institution = $2 and used + held + $3 <= credit_limit and (own_limit is null or used + held + $3 <= own_limit)";
    LINE_MOVE = "credit_line.move", (Text, Text, Int, Int) -> (),
        "update credit_line set held = held + $3, used = used + $4 where shopper = $1 and institution = $2 and held + $3 >= 0 and used + $4 >= 0";
    CHANGE_INSERT = "limit_change.insert", (Text, Text, Text, Text, Int, Text, Int) -> (),
        "insert into limit_change (shopper, id, institution, event, amount, reason, at) values ($1, $2, $3, $4, $5, $6, $7)";
    CHANGES = "limit_change.of_shopper", (Text) -> (Text, Text, Int, Text, Int),
        "select institution, event, amount, reason, at from limit_change where shopper = $1 order by at, id";
}

/// An application as stored: its state's code, its detail, and the version to guard.
#[derive(Debug)]
pub struct StoredApplication {
    /// Its identifier.
    pub id: ApplicationId,
    /// The institution.
    pub institution: String,
    /// The state's code.
    pub state: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl StoredApplication {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

/// One stored change of a limit.
#[derive(Debug, Clone)]
pub struct StoredChange {
    /// The institution.
    pub institution: String,
    /// What happened.
    pub event: LimitEvent,
    /// By how much, signed.
    pub amount: Amount,
    /// Why, or for which agreement.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A line with the version of its limit, which purchases do not raise.
#[derive(Debug, Clone)]
pub struct StoredLine {
    /// The line.
    pub line: Line,
    /// The version of its limit.
    pub version: i64,
}

pub(crate) fn line(row: &Row) -> Result<StoredLine, Fault> {
    Ok(StoredLine {
        line: Line {
            institution: row.text(0)?.into(),
            limit: Amount::from_minor(row.int(1)?),
            own_limit: row.opt_int(2)?.map(Amount::from_minor),
            held: Amount::from_minor(row.int(3)?),
            used: Amount::from_minor(row.int(4)?),
            expires_on: parsed(row, 5)?,
        },
        version: row.int(6)?,
    })
}

impl Store {
    /// All applications of a shopper, oldest first.
    pub async fn applications(&self, shopper: ShopperId) -> Result<Vec<StoredApplication>, Fault> {
        let rows = self.rows(&APPLICATIONS, vec![shopper.to_string().into()]).await?;
        rows.into_iter().map(application).collect()
    }

    /// All credit lines of a shopper.
    pub async fn lines(&self, shopper: ShopperId) -> Result<Vec<StoredLine>, Fault> {
        self.rows(&LINES, vec![shopper.to_string().into()])
            .await?
            .iter()
            .map(line)
            .collect()
    }

    /// The credit line with one institution.
    pub async fn line(&self, shopper: ShopperId, institution: &str) -> Result<Option<StoredLine>, Fault> {
        self.row(&LINE, vec![shopper.to_string().into(), institution.into()])
            .await?
            .as_ref()
            .map(line)
            .transpose()
    }

    /// Why a shopper's limits are what they are, oldest first.
    pub async fn limit_changes(&self, shopper: ShopperId) -> Result<Vec<StoredChange>, Fault> {
        let rows = self.rows(&CHANGES, vec![shopper.to_string().into()]).await?;
        rows.iter().map(change).collect()
    }
}

pub(crate) fn application(row: Row) -> Result<StoredApplication, Fault> {
    Ok(StoredApplication {
        id: parsed(&row, 0)?,
        institution: row.text(1)?.into(),
        state: row.text(2)?.into(),
        asked_at: instant(&row, 4)?,
        version: row.int(5)?,
        row,
    })
}

fn change(row: &Row) -> Result<StoredChange, Fault> {
    let event: LimitEvent = serde_json::from_value(serde_json::Value::String(row.text(1)?.into()))
        .map_err(|e| row.corrupt(1, e.to_string()))?;
    Ok(StoredChange {
        institution: row.text(0)?.into(),
        event,
        amount: Amount::from_minor(row.int(2)?),
        reason: row.text(3)?.into(),
        at: instant(row, 4)?,
    })
}

/// A new application.
pub fn asked<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: ApplicationId,
    institution: &str,
    state: &str,
    detail: &T,
    at: Timestamp,
) {
    batch.put(
        &APPLICATION_INSERT,
        vec![
            shopper.to_string().into(),
            id.to_string().into(),
            institution.into(),
            state.into(),
            to_json(detail),
            at.as_microsecond().into(),
        ],
    );
}

/// An application's new state.
pub fn application_changed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: ApplicationId,
    version: i64,
    state: &str,
    detail: &T,
) {
    batch.require(
        Guard::Unchanged,
        &APPLICATION_UPDATE,
        vec![
            shopper.to_string().into(),
            id.to_string().into(),
            state.into(),
            to_json(detail),
            version.into(),
        ],
    );
}

/// A new credit line.
pub fn line_opened(batch: &mut Batch, shopper: ShopperId, line: &Line) {
    batch.put(
        &LINE_INSERT,
        vec![
            shopper.to_string().into(),
            line.institution.as_str().into(),
            line.limit.minor().into(),
            line.expires_on.to_string().into(),
        ],
    );
}

/// A new limit, a new limit of the shopper's own, or a new last day. What is held and used is untouched.
pub fn line_set(batch: &mut Batch, shopper: ShopperId, line: &Line, version: i64) {
    batch.require(
        Guard::Unchanged,
        &LINE_SET,
        vec![
            shopper.to_string().into(),
            line.institution.as_str().into(),
            line.limit.minor().into(),
            line.own_limit.map(Amount::minor).into(),
            line.expires_on.to_string().into(),
            version.into(),
        ],
    );
}

/// Holds part of a limit; refused if it does not suffice.
pub fn hold(batch: &mut Batch, shopper: ShopperId, institution: &str, amount: Amount) {
    batch.require(
        Guard::Quantity("credit_available"),
        &LINE_HOLD,
        vec![
            shopper.to_string().into(),
            institution.into(),
            amount.minor().into(),
        ],
    );
}

/// Moves what is held and what is used by signed amounts. Nothing may become negative: that would be our own mistake,
/// and the batch is refused rather than written.
pub fn move_line(batch: &mut Batch, shopper: ShopperId, institution: &str, held: Amount, used: Amount) {
    if held.is_zero() && used.is_zero() {
        return;
    }
    batch.require(
        Guard::Quantity("line_not_negative"),
        &LINE_MOVE,
        vec![
            shopper.to_string().into(),
            institution.into(),
            held.minor().into(),
            used.minor().into(),
        ],
    );
}

/// A line of the limit's timeline. The amount is signed.
pub fn limit_changed(
    batch: &mut Batch,
    shopper: ShopperId,
    id: fenqi_domain::id::EntryId,
    change: &StoredChange,
) {
    batch.put(
        &CHANGE_INSERT,
        vec![
            shopper.to_string().into(),
            id.to_string().into(),
            change.institution.as_str().into(),
            serde_json::to_value(change.event)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default()
                .into(),
            change.amount.minor().into(),
            change.reason.as_str().into(),
            change.at.as_microsecond().into(),
        ],
    );
}
