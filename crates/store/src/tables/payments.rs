//! Cards, mandates, payment attempts, and the claim that keeps two attempts off one agreement.

use fenqi_domain::id::{AgreementId, CardId, PaymentId, ShopperId};
use fenqi_domain::money::{Amount, Money};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::Row;

statements! {
    CARD_INSERT = "card.insert", (Text, Text, Text, Text, Text, Text, Int) -> (),
        "insert into card (shopper, id, token, bank, last4, state, bound_at, version) values ($1, $2, $3, $4, $5, $6, $7, 1)";
    CARD_UPDATE = "card.update", (Text, Text, Text, Int) -> (),
        "update card set state = $3, version = version + 1 where shopper = $1 and id = $2 and version = $4";
    CARDS = "card.of_shopper", (Text) -> (Text, Text, Text, Text, Text, Int, Int),
        "select id, token, bank, last4, state, bound_at, version from card where shopper = $1 order by bound_at, id";
    MANDATE_PUT = "mandate.put", (Text, Text, Text, Text, Int, Int) -> (),
        "insert into mandate (shopper, institution, card, state, maximum, given_at, version) values ($1, $2, $3, $4, $5, $6, 1) on conflict (shopper, institution) do update set card = excluded.card, state = excluded.state, maximum = excluded.maximum, given_at = excluded.given_at, version = mandate.version + 1";
    MANDATES = "mandate.of_shopper", (Text) -> (Text, Text, Text, Int, Int, Int),
        "select institution, card, state, maximum, given_at, version from mandate where shopper = $1 order by institution";
    INSERT = "payment.insert", (Text, Text, Text, Text, Int, Text, Text, Text, Int) -> (),
        "insert into payment (shopper, id, kind, state, amount, currency, card, detail, made_at, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)";
    UPDATE = "payment.update", (Text, Text, Text, Text, Int) -> (),
        "update payment set state = $3, detail = $4, version = version + 1 where shopper = $1 and id = $2 and version = $5";
    FIND = "payment.find", (Text, Text) -> (Text, Text, Text, Int, Text, Text, Text, Int, Int),
        "select id, kind, state, amount, currency, card, detail, made_at, version from payment where shopper = $1 and id = $2";
    OF_SHOPPER = "payment.of_shopper", (Text) -> (Text, Text, Text, Int, Text, Text, Text, Int, Int),
        "select id, kind, state, amount, currency, card, detail, made_at, version from payment where shopper = $1 order by made_at, id";
    FAILED_DEBITS = "payment.failed_debits", (Text) -> (Text, Text, Text, Int, Text, Text, Text, Int, Int),
        "select id, kind, state, amount, currency, card, detail, made_at, version from payment where shopper = $1 and kind = 'debit' and state = 'failed' order by made_at, id";
    CLAIM = "payment_claim.insert", (Text, Text, Text) -> (),
        "insert into payment_claim (shopper, agreement, payment) values ($1, $2, $3) on conflict (shopper, agreement) do nothing";
    CLAIM_DROP = "payment_claim.drop", (Text, Text, Text) -> (),
        "delete from payment_claim where shopper = $1 and agreement = $2 and payment = $3";
    CLAIMS = "payment_claim.of_shopper", (Text) -> (Text, Text),
        "select agreement, payment from payment_claim where shopper = $1 order by agreement";
    OPEN = "payment_claim.open", (Text, Text, Int) -> (Text, Text),
        "select shopper, payment from payment_claim where (shopper, payment) > ($1, $2) group by shopper, payment order by shopper, payment limit $3";
    REFERENCE = "channel_reference.insert", (Text, Text, Text, Text) -> (),
        "insert into channel_reference (channel, reference, shopper, payment) values ($1, $2, $3, $4) on conflict (channel, reference) do nothing";
    REFERENCE_FIND = "channel_reference.find", (Text, Text) -> (Text, Text),
        "select shopper, payment from channel_reference where channel = $1 and reference = $2";
}

/// The channel under which our own numbers are looked up.
pub const OURS: &str = "fenqi";

/// A bound card: the channel's token, never the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its identifier.
    pub id: CardId,
    /// The channel's token.
    pub token: String,
    /// The bank's name.
    pub bank: String,
    /// The last four digits.
    pub last4: String,
    /// `bound` or `unbound`.
    pub state: String,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// The row's version.
    pub version: i64,
}

/// A mandate for debits (代扣授权).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// For whom.
    pub institution: String,
    /// From which card.
    pub card: CardId,
    /// `given` or `revoked`.
    pub state: String,
    /// At most so much at once.
    pub maximum: Amount,
    /// When.
    pub given_at: Timestamp,
}

/// A payment attempt as stored.
#[derive(Debug)]
pub struct StoredPayment {
    /// Its identifier, which is our number at the channel.
    pub id: PaymentId,
    /// `payment`, `debit` or `payout`.
    pub kind: String,
    /// The state's code.
    pub state: String,
    /// How much.
    pub money: Money,
    /// Which card, or empty for another way.
    pub card: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The row's version.
    pub version: i64,
    row: Row,
}

impl StoredPayment {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 6)
    }
}

/// A payment that has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPayment {
    /// Whose.
    pub shopper: String,
    /// Its identifier.
    pub payment: String,
}

/// A card from a row of [`CARDS`].
pub(crate) fn card(row: &Row) -> Result<Card, Fault> {
    Ok(Card {
        id: parsed(row, 0)?,
        token: row.text(1)?.into(),
        bank: row.text(2)?.into(),
        last4: row.text(3)?.into(),
        state: row.text(4)?.into(),
        bound_at: instant(row, 5)?,
        version: row.int(6)?,
    })
}

/// A mandate from a row of [`MANDATES`].
pub(crate) fn mandate(row: &Row) -> Result<Mandate, Fault> {
    Ok(Mandate {
        institution: row.text(0)?.into(),
        card: parsed(row, 1)?,
        state: row.text(2)?.into(),
        maximum: Amount::from_minor(row.int(3)?),
        given_at: instant(row, 4)?,
    })
}

/// A payment from a row of [`FIND`] or [`OF_SHOPPER`].
pub(crate) fn payment(row: Row) -> Result<StoredPayment, Fault> {
    Ok(StoredPayment {
        id: parsed(&row, 0)?,
        kind: row.text(1)?.into(),
        state: row.text(2)?.into(),
        money: Money {
            amount: Amount::from_minor(row.int(3)?),
            currency: parsed(&row, 4)?,
        },
        card: row.text(5)?.into(),
        made_at: instant(&row, 7)?,
        version: row.int(8)?,
        row,
    })
}

impl Store {
    /// The cards of a shopper, oldest first.
    pub async fn cards(&self, shopper: ShopperId) -> Result<Vec<Card>, Fault> {
        let rows = self.rows(&CARDS, vec![shopper.to_string().into()]).await?;
        rows.iter().map(card).collect()
    }

    /// The mandates of a shopper.
    pub async fn mandates(&self, shopper: ShopperId) -> Result<Vec<Mandate>, Fault> {
        let rows = self.rows(&MANDATES, vec![shopper.to_string().into()]).await?;
        rows.iter().map(mandate).collect()
    }

    /// A payment of a shopper.
    pub async fn payment(&self, shopper: ShopperId, id: PaymentId) -> Result<Option<StoredPayment>, Fault> {
        self.row(&FIND, vec![shopper.to_string().into(), id.to_string().into()])
            .await?
            .map(payment)
            .transpose()
    }

    /// All payments of a shopper, oldest first.
    pub async fn payments(&self, shopper: ShopperId) -> Result<Vec<StoredPayment>, Fault> {
        self.rows(&OF_SHOPPER, vec![shopper.to_string().into()])
            .await?
            .into_iter()
            .map(payment)
            .collect()
    }

    /// Which agreements of a shopper have a payment under way, and which.
    pub async fn claims(&self, shopper: ShopperId) -> Result<Vec<(AgreementId, PaymentId)>, Fault> {
        let rows = self.rows(&CLAIMS, vec![shopper.to_string().into()]).await?;
        rows.iter()
            .map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
            .collect()
    }

    /// A page of the payments that have no outcome yet, after a given one: those that claim an agreement.
    pub async fn open_payments(
        &self,
        after: Option<&OpenPayment>,
        count: i64,
    ) -> Result<Vec<OpenPayment>, Fault> {
        let (shopper, payment) = after.map_or_else(Default::default, |last| {
            (last.shopper.clone(), last.payment.clone())
        });
        let params = vec![shopper.into(), payment.into(), count.into()];
        let rows = self.rows(&OPEN, params).await?;
        rows.iter()
            .map(|row| {
                Ok(OpenPayment {
                    shopper: row.text(0)?.into(),
                    payment: row.text(1)?.into(),
                })
            })
            .collect()
    }

    /// Whose payment has this number of ours.
    pub async fn payment_owner(&self, number: &str) -> Result<Option<ShopperId>, Fault> {
        Ok(self
            .channel_reference(OURS, number)
            .await?
            .map(|(shopper, _)| shopper))
    }

    /// Whose payment a channel's reference is.
    pub async fn channel_reference(
        &self,
        channel: &str,
        reference: &str,
    ) -> Result<Option<(ShopperId, PaymentId)>, Fault> {
        let row = self
            .row(&REFERENCE_FIND, vec![channel.into(), reference.into()])
            .await?;
        row.as_ref()
            .map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
            .transpose()
    }
}

/// A newly bound card.
pub fn bound(batch: &mut Batch, shopper: ShopperId, card: &Card) {
    batch.put(
        &CARD_INSERT,
        vec![
            shopper.to_string().into(),
            card.id.to_string().into(),
            card.token.as_str().into(),
            card.bank.as_str().into(),
            card.last4.as_str().into(),
            card.state.as_str().into(),
            card.bound_at.as_microsecond().into(),
        ],
    );
}

/// A card's new state.
pub fn card_changed(batch: &mut Batch, shopper: ShopperId, card: &Card, state: &str) {
    let params = vec![
        shopper.to_string().into(),
        card.id.to_string().into(),
        state.into(),
        card.version.into(),
    ];
    batch.require(Guard::Unchanged, &CARD_UPDATE, params);
}

/// A mandate, given or revoked.
pub fn mandated(batch: &mut Batch, shopper: ShopperId, mandate: &Mandate) {
    batch.put(
        &MANDATE_PUT,
        vec![
            shopper.to_string().into(),
            mandate.institution.as_str().into(),
            mandate.card.to_string().into(),
            mandate.state.as_str().into(),
            mandate.maximum.minor().into(),
            mandate.given_at.as_microsecond().into(),
        ],
    );
}

/// What a new payment attempt is.
#[derive(Debug, Clone)]
pub struct NewPayment<'a> {
    /// Its identifier.
    pub id: PaymentId,
    /// `payment`, `debit` or `payout`.
    pub kind: &'a str,
    /// The state's code.
    pub state: &'a str,
    /// How much.
    pub money: Money,
    /// Which card, or empty.
    pub card: String,
    /// When.
    pub at: Timestamp,
}

/// A new payment attempt.
pub fn intended<T: Serialize>(batch: &mut Batch, shopper: ShopperId, payment: &NewPayment<'_>, detail: &T) {
    batch.put(
        &INSERT,
        vec![
            shopper.to_string().into(),
            payment.id.to_string().into(),
            payment.kind.into(),
            payment.state.into(),
            payment.money.amount.minor().into(),
            payment.money.currency.code().into(),
            payment.card.as_str().into(),
            to_json(detail),
            payment.at.as_microsecond().into(),
        ],
    );
}

/// A payment's new state; refused if it changed since it was read.
pub fn payment_changed<T: Serialize>(
    batch: &mut Batch,
    shopper: ShopperId,
    id: PaymentId,
    version: i64,
    state: &str,
    detail: &T,
) {
    let params = vec![
        shopper.to_string().into(),
        id.to_string().into(),
        state.into(),
        to_json(detail),
        version.into(),
    ];
    batch.require(Guard::Unchanged, &UPDATE, params);
}

/// Claims an agreement for one payment; refused while another is under way.
pub fn claimed(batch: &mut Batch, shopper: ShopperId, agreement: AgreementId, payment: PaymentId) {
    let params = vec![
        shopper.to_string().into(),
        agreement.to_string().into(),
        payment.to_string().into(),
    ];
    batch.require(Guard::Quantity("no_payment_under_way"), &CLAIM, params);
}

/// Gives up a claim.
pub fn claim_dropped(batch: &mut Batch, shopper: ShopperId, agreement: AgreementId, payment: PaymentId) {
    let params = vec![
        shopper.to_string().into(),
        agreement.to_string().into(),
        payment.to_string().into(),
    ];
    batch.put(&CLAIM_DROP, params);
}

/// Notes whose a channel's reference is; refused if it was taken before, so that no money is booked twice.
pub fn referenced(batch: &mut Batch, channel: &str, reference: &str, shopper: ShopperId, payment: PaymentId) {
    let params = vec![
        channel.into(),
        reference.into(),
        shopper.to_string().into(),
        payment.to_string().into(),
    ];
    batch.require(Guard::Quantity("reference_unused"), &REFERENCE, params);
}
