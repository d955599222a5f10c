//! Shoppers: their standing, who they are (sealed), whom to call, and what they agreed to.

use fenqi_domain::id::{ConsentId, ShopperId};
use fenqi_domain::pii::Pii;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::{Row, Value};
use crate::vault::{DataKey, Place};

statements! {
    INSERT = "shopper.insert", (Text, Blob, Text, Int) -> (),
        "insert into shopper (shopper, data_key, standing, created_at, version) values ($1, $2, $3, $4, 1)";
    UPDATE = "shopper.update", (Text, Text, Int) -> (),
        "update shopper set standing = $2, version = version + 1 where shopper = $1 and version = $3";
    FIND = "shopper.find", (Text) -> (Blob, Text, Int, Int),
        "select data_key, standing, created_at, version from shopper where shopper = $1";
    OWNERS_AFTER = "shopper.owners_after", (Text, Int) -> (Text),
        "select shopper from (select * from (select shopper from shopper where shopper > $1 order by shopper limit $2) s union select * from (select distinct shopper from agreement where shopper > $1 order by shopper limit $2) a union select * from (select distinct shopper from credit_line where shopper > $1 order by shopper limit $2) l union select * from (select distinct shopper from payment where shopper > $1 order by shopper limit $2) p) o order by shopper limit $2";
    IDENTITY_PUT = "identity.put", (Text, Blob, Blob, Blob, Text) -> (),
        "insert into identity (shopper, name, id_number, phone, evidence, version) values ($1, $2, $3, $4, $5, 1) on conflict (shopper) do update set name = excluded.name, id_number = excluded.id_number, phone = excluded.phone, evidence = excluded.evidence, version = identity.version + 1";
    IDENTITY = "identity.find", (Text) -> (Blob, Blob, Blob, Text, Int),
        "select name, id_number, phone, evidence, version from identity where shopper = $1";
    INDEX_PUT = "person_index.put", (Text, Blob, Text) -> (),
        "insert into person_index (kind, digest, shopper) values ($1, $2, $3) on conflict (kind, digest) do nothing";
    INDEX_FIND = "person_index.find", (Text, Blob) -> (Text),
        "select shopper from person_index where kind = $1 and digest = $2";
    CONTACT_PUT = "contact.put", (Text, Text, Blob, Blob, Text, Int) -> (),
        "insert into contact (shopper, id, name, phone, relation, consented_at) values ($1, $2, $3, $4, $5, $6) on conflict (shopper, id) do update set name = excluded.name, phone = excluded.phone, relation = excluded.relation, consented_at = excluded.consented_at";
    CONSENT_INSERT = "consent.insert", (Text, Text, Text, Text, Int, Text, Text, Int) -> (),
        "insert into consent (shopper, id, purpose, document, document_version, text_hash, subject, given_at, withdrawn_at) values ($1, $2, $3, $4, $5, $6, $7, $8, null)";
    CONSENT_WITHDRAW = "consent.withdraw", (Text, Text, Int) -> (),
        "update consent set withdrawn_at = $3 where shopper = $1 and id = $2 and withdrawn_at is null";
    CONSENTS = "consent.of_shopper", (Text) -> (Text, Text, Text, Int, Text, Text, Int, Int),
        "select id, purpose, document, document_version, text_hash, subject, given_at, withdrawn_at from consent where shopper = $1 order by given_at, id";
}

/// A shopper as stored.
#[derive(Debug)]
pub struct StoredShopper {
    /// When the account was opened.
    pub created_at: Timestamp,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl StoredShopper {
    /// The standing of the account.
    pub fn standing<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 1)
    }
}

/// Who somebody is: sealed under the person's own key.
#[derive(Debug)]
pub struct StoredIdentity {
    /// The name, where it was given.
    pub name: Option<Pii<String>>,
    /// The identity number, where it was given.
    pub id_number: Option<Pii<String>>,
    /// The phone.
    pub phone: Option<Pii<String>>,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl StoredIdentity {
    /// What was proved, and when.
    pub fn evidence<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

/// A consent as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConsent {
    /// Its identifier.
    pub id: ConsentId,
    /// For which purpose.
    pub purpose: String,
    /// Under which document.
    pub document: String,
    /// In which version.
    pub document_version: i64,
    /// The hash of the very text.
    pub text_hash: String,
    /// About what: a quote, an institution, or empty for all.
    pub subject: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
}

/// What identity data a person gave.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name.
    pub name: Option<Pii<String>>,
    /// The identity number, normalised.
    pub id_number: Option<Pii<String>>,
    /// The phone in E.164.
    pub phone: Option<Pii<String>>,
}

pub(crate) fn shopper(row: Row) -> Result<StoredShopper, Fault> {
    Ok(StoredShopper {
        created_at: instant(&row, 2)?,
        version: row.int(3)?,
        row,
    })
}

pub(crate) fn consent(row: &Row) -> Result<StoredConsent, Fault> {
    Ok(StoredConsent {
        id: parsed(row, 0)?,
        purpose: row.text(1)?.into(),
        document: row.text(2)?.into(),
        document_version: row.int(3)?,
        text_hash: row.text(4)?.into(),
        subject: row.text(5)?.into(),
        given_at: instant(row, 6)?,
        withdrawn_at: row.opt_int(7)?.map(|_| instant(row, 7)).transpose()?,
    })
}

impl Store {
    /// A page of everybody who owns anything, in order: shoppers, and whoever has an agreement, a line or a payment
    /// without being one.
    pub async fn owners_after(&self, shopper: &str, count: i64) -> Result<Vec<String>, Fault> {
        let rows = self
            .rows(&OWNERS_AFTER, vec![shopper.into(), count.into()])
            .await?;
        rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
    }

    /// A shopper.
    pub async fn shopper(&self, shopper: ShopperId) -> Result<Option<StoredShopper>, Fault> {
        self.row(&FIND, vec![shopper.to_string().into()])
            .await?
            .map(self::shopper)
            .transpose()
    }

    /// The key under which a shopper's data is sealed.
    pub async fn data_key(&self, shopper: ShopperId) -> Result<Option<DataKey>, Fault> {
        let row = self.row(&FIND, vec![shopper.to_string().into()]).await?;
        row.map(|row| self.vault().open_key(&shopper.to_string(), row.blob(0)?))
            .transpose()
    }

    /// The phone number in a row of [`IDENTITY`], opened with the key in a row of [`FIND`].
    pub(crate) fn phone_of(
        &self,
        shopper: ShopperId,
        account: &Row,
        identity: &Row,
    ) -> Result<Option<Pii<String>>, Fault> {
        let owner = shopper.to_string();
        let key = self.vault().open_key(&owner, account.blob(0)?)?;
        let sealed = identity.opt_blob(2)?;
        sealed
            .map(|sealed| open_text(&key, &owner, "phone", sealed))
            .transpose()
    }

    /// Who a shopper is, opened with their key.
    pub async fn identity(&self, shopper: ShopperId) -> Result<Option<StoredIdentity>, Fault> {
        let Some(key) = self.data_key(shopper).await? else {
            return Ok(None);
        };
        let owner = shopper.to_string();
        let Some(row) = self.row(&IDENTITY, vec![owner.as_str().into()]).await? else {
            return Ok(None);
        };
        let open = |position: usize, column: &'static str| -> Result<Option<Pii<String>>, Fault> {
            row.opt_blob(position)?
                .map(|sealed| open_text(&key, &owner, column, sealed))
                .transpose()
        };
        let (name, id_number, phone) = (open(0, "name")?, open(1, "id_number")?, open(2, "phone")?);
        Ok(Some(StoredIdentity {
            name,
            id_number,
            phone,
            version: row.int(4)?,
            row,
        }))
    }

    /// The shopper who has this phone or identity number, found by its blind index.
    pub async fn person(&self, kind: &str, value: &Pii<String>) -> Result<Option<ShopperId>, Fault> {
        let digest = self.vault().index(kind, value.reveal());
        let row = self.row(&INDEX_FIND, vec![kind.into(), digest.into()]).await?;
        row.as_ref().map(|row| parsed(row, 0)).transpose()
    }

    /// All consents of a shopper, oldest first.
    pub async fn consents(&self, shopper: ShopperId) -> Result<Vec<StoredConsent>, Fault> {
        let rows = self.rows(&CONSENTS, vec![shopper.to_string().into()]).await?;
        rows.iter().map(consent).collect()
    }

    /// Seals and writes who somebody is; the indexes are refused if another shopper has the number.
    pub fn identified<T: Serialize>(
        &self,
        batch: &mut Batch,
        shopper: ShopperId,
        key: &DataKey,
        person: &Person,
        evidence: &T,
    ) -> Result<(), Fault> {
        let owner = shopper.to_string();
        let seal = |column: &'static str, value: &Option<Pii<String>>| -> Result<Value, Fault> {
            match value {
                Some(value) => Ok(Value::Blob(
                    key.seal(&place(&owner, column), value.reveal().as_bytes())?,
                )),
                None => Ok(Value::Null),
            }
        };
        batch.put(
            &IDENTITY_PUT,
            vec![
                owner.as_str().into(),
                seal("name", &person.name)?,
                seal("id_number", &person.id_number)?,
                seal("phone", &person.phone)?,
                to_json(evidence),
            ],
        );
        Ok(())
    }

    /// Makes a person findable by a number; refused if somebody else has it.
    pub fn indexed(&self, batch: &mut Batch, shopper: ShopperId, kind: &'static str, value: &Pii<String>) {
        let digest = self.vault().index(kind, value.reveal());
        batch.require(
            Guard::Quantity("person_unknown"),
            &INDEX_PUT,
            vec![kind.into(), digest.into(), shopper.to_string().into()],
        );
    }

    /// Seals and writes a contact (第一联系人), who agreed to be one.
    pub fn contact_named(
        &self,
        batch: &mut Batch,
        shopper: ShopperId,
        key: &DataKey,
        contact: &Contact<'_>,
    ) -> Result<(), Fault> {
        let owner = shopper.to_string();
        let row = format!("{owner}/{}", contact.id);
        let seal = |column: &'static str, value: &Pii<String>| -> Result<Value, Fault> {
            Ok(Value::Blob(key.seal(
                &Place {
                    table: "contact",
                    column,
                    row: &row,
                },
                value.reveal().as_bytes(),
            )?))
        };
        batch.put(
            &CONTACT_PUT,
            vec![
                owner.as_str().into(),
                contact.id.into(),
                seal("name", contact.name)?,
                seal("phone", contact.phone)?,
                contact.relation.into(),
                contact.consented_at.as_microsecond().into(),
            ],
        );
        Ok(())
    }
}

/// Somebody who may be called to relay a message, and never told of a debt.
#[derive(Debug, Clone)]
pub struct Contact<'a> {
    /// `first` for the first contact.
    pub id: &'a str,
    /// The name.
    pub name: &'a Pii<String>,
    /// The phone.
    pub phone: &'a Pii<String>,
    /// How they are related.
    pub relation: &'a str,
    /// When they themselves agreed.
    pub consented_at: Timestamp,
}

fn place<'a>(shopper: &'a str, column: &'static str) -> Place<'a> {
    Place {
        table: "identity",
        column,
        row: shopper,
    }
}

fn open_text(
    key: &DataKey,
    shopper: &str,
    column: &'static str,
    sealed: &[u8],
) -> Result<Pii<String>, Fault> {
    let bytes = key.open(&place(shopper, column), sealed)?;
    String::from_utf8(bytes)
        .map(Pii::new)
        .map_err(|_| Fault::Sealed(format!("identity.{column} is not text")))
}

/// A new shopper, with the key under which their data will be sealed.
pub fn opened<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    wrapped_key: Vec<u8>,
    standing: &T,
    at: Timestamp,
) {
    batch.put(
        &INSERT,
        vec![
            shopper.to_string().into(),
            wrapped_key.into(),
            to_json(standing),
            at.as_microsecond().into(),
        ],
    );
}

/// A shopper's new standing; refused if it changed since it was read.
pub fn standing_changed<T: Serialize>(batch: &mut Batch, shopper: ShopperId, version: i64, standing: &T) {
    batch.require(
        Guard::Unchanged,
        &UPDATE,
        vec![shopper.to_string().into(), to_json(standing), version.into()],
    );
}

/// A consent.
pub fn consented(batch: &mut Batch, shopper: ShopperId, consent: &StoredConsent) {
    batch.put(
        &CONSENT_INSERT,
        vec![
            shopper.to_string().into(),
            consent.id.to_string().into(),
            consent.purpose.as_str().into(),
            consent.document.as_str().into(),
            consent.document_version.into(),
            consent.text_hash.as_str().into(),
            consent.subject.as_str().into(),
            consent.given_at.as_microsecond().into(),
        ],
    );
}

/// A consent that is withdrawn; refused if it was before.
pub fn withdrawn(batch: &mut Batch, shopper: ShopperId, consent: ConsentId, at: Timestamp) {
    batch.require(
        Guard::Unchanged,
        &CONSENT_WITHDRAW,
        vec![
            shopper.to_string().into(),
            consent.to_string().into(),
            at.as_microsecond().into(),
        ],
    );
}
