//! Returns, refunds and disputes.

use fenqi_domain::id::{AgreementId, DisputeId, RefundId, ReturnId, ShopperId};
use fenqi_domain::money::Amount;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::{Row, Value};

statements! {
    INSERT = "goods_return.insert", (Text, Text, Text, Text, Text, Int) -> (),
        "insert into goods_return (shopper, id, agreement, state, detail, requested_at, version) values ($1, $2, $3, $4, $5, $6, 1)";
    UPDATE = "goods_return.update", (Text, Text, Text, Text, Int) -> (),
        "update goods_return set state = $3, detail = $4, version = version + 1 where shopper = $1 and id = $2 and version = $5";
    OF_SHOPPER = "goods_return.of_shopper", (Text) -> (Text, Text, Text, Text, Int, Int),
        "select id, agreement, state, detail, requested_at, version from goods_return where shopper = $1 order by requested_at, id";
    REFUND_INSERT = "refund.insert", (Text, Text, Text, Int, Text, Int) -> (),
        "insert into refund (shopper, id, agreement, amount, detail, made_at) values ($1, $2, $3, $4, $5, $6)";
    REFUNDS = "refund.of_shopper", (Text) -> (Text, Text, Int, Text, Int),
        "select id, agreement, amount, detail, made_at from refund where shopper = $1 order by made_at, id";
    DISPUTE_INSERT = "dispute.insert", (Text, Text, Text, Text, Text, Int) -> (),
        "insert into dispute (shopper, id, agreement, state, detail, opened_at, version) values ($1, $2, $3, $4, $5, $6, 1)";
    DISPUTE_UPDATE = "dispute.update", (Text, Text, Text, Text, Int) -> (),
        "update dispute set state = $3, detail = $4, version = version + 1 where shopper = $1 and id = $2 and version = $5";
    DISPUTES = "dispute.of_shopper", (Text) -> (Text, Text, Text, Text, Int, Int),
        "select id, agreement, state, detail, opened_at, version from dispute where shopper = $1 order by opened_at, id";
}

/// A return or a dispute as stored.
#[derive(Debug)]
pub struct StoredCase<I> {
    /// Its identifier.
    pub id: I,
    /// The agreement.
    pub agreement: AgreementId,
    /// The state's code.
    pub state: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl<I> StoredCase<I> {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

/// A refund as stored.
#[derive(Debug)]
pub struct StoredRefund {
    /// Its identifier.
    pub id: RefundId,
    /// The agreement.
    pub agreement: AgreementId,
    /// The financed part of it.
    pub amount: Amount,
    /// When.
    pub made_at: Timestamp,
    row: Row,
}

impl StoredRefund {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

fn case<I: std::str::FromStr>(row: Row) -> Result<StoredCase<I>, Fault> {
    Ok(StoredCase {
        id: parsed(&row, 0)?,
        agreement: parsed(&row, 1)?,
        state: row.text(2)?.into(),
        opened_at: instant(&row, 4)?,
        version: row.int(5)?,
        row,
    })
}

impl Store {
    /// The returns of a shopper, oldest first.
    pub async fn returns(&self, shopper: ShopperId) -> Result<Vec<StoredCase<ReturnId>>, Fault> {
        self.rows(&OF_SHOPPER, vec![shopper.to_string().into()])
            .await?
            .into_iter()
            .map(case)
            .collect()
    }

    /// The refunds of a shopper, oldest first.
    pub async fn refunds(&self, shopper: ShopperId) -> Result<Vec<StoredRefund>, Fault> {
        let rows = self.rows(&REFUNDS, vec![shopper.to_string().into()]).await?;
        rows.into_iter()
            .map(|row| {
                Ok(StoredRefund {
                    id: parsed(&row, 0)?,
                    agreement: parsed(&row, 1)?,
                    amount: Amount::from_minor(row.int(2)?),
                    made_at: instant(&row, 4)?,
                    row,
                })
            })
            .collect()
    }

    /// The disputes of a shopper, oldest first.
    pub async fn disputes(&self, shopper: ShopperId) -> Result<Vec<StoredCase<DisputeId>>, Fault> {
        self.rows(&DISPUTES, vec![shopper.to_string().into()])
            .await?
            .into_iter()
            .map(case)
            .collect()
    }
}

/// A return that was asked for.
pub fn requested<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: ReturnId,
    agreement: AgreementId,
    state: &str,
    detail: &T,
    at: Timestamp,
) {
    let row = opened(shopper, id.to_string(), agreement.to_string(), state, detail, at);
    batch.put(&INSERT, row);
}

/// A return's new state.
pub fn return_changed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: ReturnId,
    version: i64,
    state: &str,
    detail: &T,
) {
    let row = moved(shopper, id.to_string(), version, state, detail);
    batch.require(Guard::Unchanged, &UPDATE, row);
}

/// A refund.
pub fn refunded<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: RefundId,
    agreement: AgreementId,
    amount: Amount,
    detail: &T,
    at: Timestamp,
) {
    let params = vec![
        shopper.to_string().into(),
        id.to_string().into(),
        agreement.to_string().into(),
        amount.minor().into(),
        to_json(detail),
        at.as_microsecond().into(),
    ];
    batch.put(&REFUND_INSERT, params);
}

/// A dispute that was opened.
pub fn disputed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: DisputeId,
    agreement: &str,
    state: &str,
    detail: &T,
    at: Timestamp,
) {
    let row = opened(shopper, id.to_string(), agreement.to_owned(), state, detail, at);
    batch.put(&DISPUTE_INSERT, row);
}

/// A dispute's new state.
pub fn dispute_changed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: DisputeId,
    version: i64,
    state: &str,
    detail: &T,
) {
    let row = moved(shopper, id.to_string(), version, state, detail);
    batch.require(Guard::Unchanged, &DISPUTE_UPDATE, row);
}

/// The row of a case that was opened about an agreement: a return or a dispute.
fn opened<T: Serialize>(
    shopper: ShopperId,
    id: String,
    agreement: String,
    state: &str,
    detail: &T,
    at: Timestamp,
) -> Vec<Value> {
    vec![
        shopper.to_string().into(),
        id.into(),
        agreement.into(),
        state.into(),
        to_json(detail),
        at.as_microsecond().into(),
    ]
}

/// A case's new state, over the version that it was decided on.
fn moved<T: Serialize>(shopper: ShopperId, id: String, version: i64, state: &str, detail: &T) -> Vec<Value> {
    vec![
        shopper.to_string().into(),
        id.into(),
        state.into(),
        to_json(detail),
        version.into(),
    ]
}
