//! Messages to people: what is to be said, and what was.

use fenqi_domain::id::{MessageId, ShopperId};
use fenqi_domain::pii::Pii;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, instant, parsed, shoppers, statements, to_json};
use crate::batch::Batch;
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::{Row, Value};

statements! {
    INSERT = "message.insert", (Text, Text, Text, Text, Text, Int, Int, Int) -> (),
        "insert into message (shopper, id, template, channel, detail, state, made_at, send_after, expires_at) values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8) on conflict (shopper, id) do nothing";
    STATE = "message.state", (Text, Text, Text) -> (),
        "update message set state = $3 where shopper = $1 and id = $2";
    OF_SHOPPER = "message.of_shopper", (Text) -> (Text, Text, Text, Text, Text, Int, Int, Int),
        "select id, template, channel, detail, state, made_at, send_after, expires_at from message where shopper = $1 order by made_at, id";
    DUE = "message.due", (Int, Int, Text, Text, Int) -> (Int, Text, Text),
        "select send_after, shopper, id from message where state = 'waiting' and send_after <= $1 and (send_after, shopper, id) > ($2, $3, $4) order by send_after, shopper, id limit $5";
    FIND = "message.find", (Text, Text) -> (Text, Text, Text, Text, Text, Int, Int, Int),
        "select id, template, channel, detail, state, made_at, send_after, expires_at from message where shopper = $1 and id = $2";
}

/// A message as stored.
#[derive(Debug)]
pub struct StoredMessage {
    /// Its identifier, which is our number at the messenger.
    pub id: MessageId,
    /// Which text.
    pub template: String,
    /// `sms`, `push`, `email` or `in_app`.
    pub channel: String,
    /// `waiting`, `sent` or `expired`.
    pub state: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Not to be sent before (contact hours).
    pub send_after: Timestamp,
    /// Not to be sent after: a reminder that is late is worse than none.
    pub expires_at: Timestamp,
    row: Row,
}

impl StoredMessage {
    /// What fills the text.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

fn message(row: Row) -> Result<StoredMessage, Fault> {
    Ok(StoredMessage {
        id: parsed(&row, 0)?,
        template: row.text(1)?.into(),
        channel: row.text(2)?.into(),
        state: row.text(4)?.into(),
        made_at: instant(&row, 5)?,
        send_after: instant(&row, 6)?,
        expires_at: instant(&row, 7)?,
        row,
    })
}

/// A message that waits to be sent, and since when it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whose.
    pub shopper: String,
    /// Its identifier.
    pub id: String,
    /// Not to be sent before.
    pub send_after: Timestamp,
}

/// A message with the sealed rows that say where it goes.
#[derive(Debug)]
pub struct Envelope {
    /// The message.
    pub message: StoredMessage,
    shopper: Option<Row>,
    identity: Option<Row>,
}

impl Store {
    /// The messages of a shopper, oldest first.
    pub async fn messages(&self, shopper: ShopperId) -> Result<Vec<StoredMessage>, Fault> {
        self.rows(&OF_SHOPPER, vec![shopper.to_string().into()])
            .await?
            .into_iter()
            .map(message)
            .collect()
    }

    /// A page of the messages that may be sent by an instant, after a given one.
    pub async fn messages_due(
        &self,
        until: Timestamp,
        after: Option<&Waiting>,
        count: i64,
    ) -> Result<Vec<Waiting>, Fault> {
        let (at, shopper, id) = match after {
            Some(last) => (last.send_after, last.shopper.clone(), last.id.clone()),
            None => (Timestamp::MIN, String::new(), String::new()),
        };
        let params = vec![
            until.as_microsecond().into(),
            at.as_microsecond().into(),
            shopper.into(),
            id.into(),
            count.into(),
        ];
        let rows = self.rows(&DUE, params).await?;
        rows.iter()
            .map(|row| {
                Ok(Waiting {
                    send_after: instant(row, 0)?,
                    shopper: row.text(1)?.into(),
                    id: row.text(2)?.into(),
                })
            })
            .collect()
    }

    /// Messages by their keys, each with what is needed to hand it over; none for a key that does not exist.
    pub async fn envelopes(
        &self,
        keys: &[(ShopperId, MessageId)],
    ) -> Result<Vec<Result<Option<Envelope>, Fault>>, Fault> {
        let mut queries = Vec::with_capacity(keys.len().saturating_mul(3));
        for (shopper, id) in keys {
            let owner = || Value::from(shopper.to_string());
            queries.push(Query::new(&FIND, vec![owner(), id.to_string().into()]));
            queries.push(Query::new(&shoppers::FIND, vec![owner()]));
            queries.push(Query::new(&shoppers::IDENTITY, vec![owner()]));
        }
        let mut answers = self.read(queries).await?.into_iter();
        let mut first = || answers.next().and_then(|rows| rows.into_iter().next());
        Ok(keys
            .iter()
            .map(|_| {
                let (found, shopper, identity) = (first(), first(), first());
                let found = found.map(message).transpose()?;
                Ok(found.map(|message| Envelope {
                    message,
                    shopper,
                    identity,
                }))
            })
            .collect())
    }

    /// The number that a message goes to, opened with the shopper's key; none if nobody gave one.
    pub fn phone(&self, shopper: ShopperId, envelope: &Envelope) -> Result<Option<Pii<String>>, Fault> {
        match (&envelope.shopper, &envelope.identity) {
            (Some(account), Some(identity)) => self.phone_of(shopper, account, identity),
            _ => Ok(None),
        }
    }
}

/// What a new message is.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Its identifier.
    pub id: MessageId,
    /// Which text.
    pub template: &'a str,
    /// Which way.
    pub channel: &'a str,
    /// When it was made.
    pub at: Timestamp,
    /// Not before.
    pub send_after: Timestamp,
    /// Not after.
    pub expires_at: Timestamp,
}

/// A message to be sent.
pub fn waiting<T: Serialize>(batch: &mut Batch, shopper: ShopperId, message: &NewMessage<'_>, detail: &T) {
    let params = vec![
        shopper.to_string().into(),
        message.id.to_string().into(),
        message.template.into(),
        message.channel.into(),
        to_json(detail),
        message.at.as_microsecond().into(),
        message.send_after.as_microsecond().into(),
        message.expires_at.as_microsecond().into(),
    ];
    batch.put(&INSERT, params);
}

/// A message's new state.
pub fn message_changed(batch: &mut Batch, shopper: ShopperId, id: MessageId, state: &str) {
    batch.put(
        &STATE,
        vec![shopper.to_string().into(), id.to_string().into(), state.into()],
    );
}
