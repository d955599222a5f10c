//! Quotes, and the signatures under them.

use fenqi_domain::id::{QuoteId, ShopperId};
use fenqi_domain::quote::Quote;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::Batch;
use crate::fault::Fault;
use crate::value::Row;

statements! {
    INSERT = "quote.insert", (Text, Text, Text, Text, Int, Text) -> (),
        "insert into quote (shopper, id, institution, digest, expires_at, detail) values ($1, $2, $3, $4, $5, $6)";
    FIND = "quote.find", (Text, Text) -> (Text, Int, Text),
        "select digest, expires_at, detail from quote where shopper = $1 and id = $2";
    FORGET = "quote.forget", (Int, Int) -> (),
        "delete from quote where expires_at >= $1 and expires_at < $2 and not exists (select 1 from agreement a where a.shopper = quote.shopper and a.id = 'agr' || substr(quote.id, 4))";
    FORGET_SIGNATURES = "signature.forget", (Int, Int) -> (),
        "delete from signature where (shopper, quote) in (select q.shopper, q.id from quote q where q.expires_at >= $1 and q.expires_at < $2 and not exists (select 1 from agreement a where a.shopper = q.shopper and a.id = 'agr' || substr(q.id, 4)))";
    OF_SHOPPER = "quote.of_shopper", (Text) -> (Text, Int, Text, Text, Text),
        "select digest, expires_at, detail, id, institution from quote where shopper = $1 order by id";
    SIGNATURES = "signature.of_shopper", (Text) -> (Text, Text, Int, Text),
        "select digest, detail, signed_at, quote from signature where shopper = $1 order by quote";
    SIGN = "signature.insert", (Text, Text, Text, Text, Int) -> (),
        "insert into signature (shopper, quote, digest, detail, signed_at) values ($1, $2, $3, $4, $5) on conflict (shopper, quote) do update set digest = excluded.digest, detail = excluded.detail, signed_at = excluded.signed_at";
    SIGNATURE = "signature.find", (Text, Text) -> (Text, Text, Int),
        "select digest, detail, signed_at from signature where shopper = $1 and quote = $2";
}

/// A quote as stored.
#[derive(Debug)]
pub struct StoredQuote {
    /// The digest of all that was shown.
    pub digest: String,
    /// Until when it stands.
    pub expires_at: Timestamp,
    row: Row,
}

impl StoredQuote {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 2)
    }
}

/// A signature as stored.
#[derive(Debug)]
pub struct StoredSignature {
    /// The digest of what was signed.
    pub digest: String,
    /// When.
    pub signed_at: Timestamp,
    row: Row,
}

impl StoredSignature {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 1)
    }
}

pub(crate) fn quote(row: Row) -> Result<StoredQuote, Fault> {
    Ok(StoredQuote {
        digest: row.text(0)?.into(),
        expires_at: instant(&row, 1)?,
        row,
    })
}

pub(crate) fn signature(row: Row) -> Result<StoredSignature, Fault> {
    Ok(StoredSignature {
        digest: row.text(0)?.into(),
        signed_at: instant(&row, 2)?,
        row,
    })
}

impl Store {
    /// A quote of a shopper.
    pub async fn quote(&self, shopper: ShopperId, id: QuoteId) -> Result<Option<StoredQuote>, Fault> {
        self.row(&FIND, vec![shopper.to_string().into(), id.to_string().into()])
            .await?
            .map(quote)
            .transpose()
    }

    /// All quotes of a shopper, each with its identifier and institution.
    pub async fn quotes(&self, shopper: ShopperId) -> Result<Vec<(QuoteId, String, StoredQuote)>, Fault> {
        let rows = self.rows(&OF_SHOPPER, vec![shopper.to_string().into()]).await?;
        rows.into_iter()
            .map(|row| Ok((parsed(&row, 3)?, row.text(4)?.into(), quote(row)?)))
            .collect()
    }

    /// All signatures of a shopper, each with its quote.
    pub async fn signatures(&self, shopper: ShopperId) -> Result<Vec<(QuoteId, StoredSignature)>, Fault> {
        let rows = self.rows(&SIGNATURES, vec![shopper.to_string().into()]).await?;
        rows.into_iter()
            .map(|row| Ok((parsed(&row, 3)?, signature(row)?)))
            .collect()
    }

    /// The signature under a quote.
    pub async fn signature(
        &self,
        shopper: ShopperId,
        quote: QuoteId,
    ) -> Result<Option<StoredSignature>, Fault> {
        self.row(
            &SIGNATURE,
            vec![shopper.to_string().into(), quote.to_string().into()],
        )
        .await?
        .map(signature)
        .transpose()
    }
}

/// A new quote, with what is kept of it.
pub fn quoted<T: Serialize>(batch: &mut Batch, shopper: ShopperId, quote: &Quote, detail: &T) {
    let params = vec![
        shopper.to_string().into(),
        quote.id.to_string().into(),
        quote.institution.as_str().into(),
        quote.digest.as_str().into(),
        quote.expires_at.as_microsecond().into(),
        to_json(detail),
    ];
    batch.put(&INSERT, params);
}

/// A signature under a quote; signing again replaces it.
pub fn signed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    quote: QuoteId,
    digest: &str,
    detail: &T,
    at: Timestamp,
) {
    let params = vec![
        shopper.to_string().into(),
        quote.to_string().into(),
        digest.into(),
        to_json(detail),
        at.as_microsecond().into(),
    ];
    batch.put(&SIGN, params);
}

/// Forgets quotes that ran out between two instants and became no agreement, and what was signed of them. Those that became
/// one stay for ever, so that the first instant keeps them from being looked at again each day.
pub fn forget(batch: &mut Batch, since: Timestamp, before: Timestamp) {
    let between = || vec![since.as_microsecond().into(), before.as_microsecond().into()];
    batch.put(&FORGET_SIGNATURES, between());
    batch.put(&FORGET, between());
}
