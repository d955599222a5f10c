//! Bills: what a shopper is told to pay by one day.

use fenqi_domain::id::{BillId, ShopperId};
use fenqi_domain::money::{Amount, Money};
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, parsed, statements, to_json};
use crate::batch::Batch;
use crate::fault::Fault;
use crate::value::Row;

statements! {
    PUT = "bill.put", (Text, Text, Text, Text, Int, Text, Text) -> (),
        "insert into bill (shopper, id, due_on, issued_on, amount, currency, detail) values ($1, $2, $3, $4, $5, $6, $7) on conflict (shopper, due_on, currency) do update set amount = excluded.amount, detail = excluded.detail";
    OF_SHOPPER = "bill.of_shopper", (Text) -> (Text, Text, Text, Int, Text, Text),
        "select id, due_on, issued_on, amount, currency, detail from bill where shopper = $1 order by due_on, id";
}

/// A bill as issued.
#[derive(Debug)]
pub struct StoredBill {
    /// Its identifier.
    pub id: BillId,
    /// When it is due.
    pub due_on: Date,
    /// When it was issued.
    pub issued_on: Date,
    /// What it came to when it was issued.
    pub money: Money,
    row: Row,
}

impl StoredBill {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 5)
    }
}

impl Store {
    /// The bills of a shopper, by due date.
    pub async fn bills(&self, shopper: ShopperId) -> Result<Vec<StoredBill>, Fault> {
        let rows = self.rows(&OF_SHOPPER, vec![shopper.to_string().into()]).await?;
        rows.into_iter().map(bill).collect()
    }
}

/// A bill from a row of [`OF_SHOPPER`].
pub(crate) fn bill(row: Row) -> Result<StoredBill, Fault> {
    Ok(StoredBill {
        id: parsed(&row, 0)?,
        due_on: parsed(&row, 1)?,
        issued_on: parsed(&row, 2)?,
        money: Money {
            amount: Amount::from_minor(row.int(3)?),
            currency: parsed(&row, 4)?,
        },
        row,
    })
}

/// A bill; issued again for the same day it is replaced, so that two orders make one bill.
pub fn issued<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: BillId,
    due_on: Date,
    issued_on: Date,
    money: Money,
    detail: &T,
) {
    let params = vec![
        shopper.to_string().into(),
        id.to_string().into(),
        due_on.to_string().into(),
        issued_on.to_string().into(),
        money.amount.minor().into(),
        money.currency.code().into(),
        to_json(detail),
    ];
    batch.put(&PUT, params);
}
