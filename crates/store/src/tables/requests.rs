//! Requests: what makes a command that was sent twice happen once.

use super::{Store, statements};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;

statements! {
    INSERT = "request.insert", (Text, Text, Text, Blob, Text, Int) -> (),
        "insert into request (shopper, principal, key, hash, reply, made_at) values ($1, $2, $3, $4, $5, $6) on conflict (shopper, principal, key) do nothing";
    FIND = "request.find", (Text, Text, Text) -> (Blob, Text),
        "select hash, reply from request where shopper = $1 and principal = $2 and key = $3";
    FORGET = "request.forget", (Int) -> (), "delete from request where made_at < $1";
}

/// A command's identity: whose object, who asks, under which key, and a hash of all that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The owner of the object; an organisation's name for staff.
    pub owner: String,
    /// Who asks.
    pub principal: String,
    /// The client's key, 1 to 255 characters.
    pub key: String,
    /// A hash of the command.
    pub hash: Vec<u8>,
}

/// The request's row as the batch's first statement, with the reply that a repetition gets.
pub fn taken(batch: &mut Batch, request: &Request, reply: &str, made_at: i64) {
    batch.require(
        Guard::RequestUnused,
        &INSERT,
        vec![
            request.owner.as_str().into(),
            request.principal.as_str().into(),
            request.key.as_str().into(),
            request.hash.as_slice().into(),
            reply.into(),
            made_at.into(),
        ],
    );
}

impl Store {
    /// What was answered to a request before: the hash of that command and the reply.
    pub async fn reply(&self, request: &Request) -> Result<Option<(Vec<u8>, String)>, Fault> {
        let params = vec![
            request.owner.as_str().into(),
            request.principal.as_str().into(),
            request.key.as_str().into(),
        ];
        match self.row(&FIND, params).await? {
            Some(row) => Ok(Some((row.blob(0)?.to_vec(), row.text(1)?.to_owned()))),
            None => Ok(None),
        }
    }
}

/// Forgets requests that were made before an instant (30 days are kept).
pub fn forget_before(batch: &mut Batch, instant: i64) {
    batch.put(&FORGET, vec![instant.into()]);
}
