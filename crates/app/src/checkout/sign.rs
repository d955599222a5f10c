//! Signs a quote (签署): the documents with their hashes and read times, and the consents they carry. What is signed is
//! what was shown: another digest is refused.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::consent::{Document, DocumentRead};
use fenqi_domain::id::{QuoteId, ShopperId};
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_store::tables::quotes;
use fenqi_store::{Batch, vault};
use serde::Serialize;

use crate::App;
use crate::checkout::agree;
use crate::checkout::quote::KeptQuote;
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Sign {
    /// Who signs.
    pub shopper: ShopperId,
    /// What.
    pub quote: QuoteId,
    /// The digest of what was shown.
    pub digest: String,
    /// When each document was opened and agreed to.
    pub reads: Vec<DocumentRead>,
}

/// Signs a quote.
pub async fn sign(app: &App, actor: &Actor, key: &Key, command: Sign) -> Result<Change<()>, Denied> {
    actor.require_for(command.shopper, Scope::Buy)?;
    let asked = request(&command.shopper.to_string(), actor, key, "sign", &command);
    app.once(&asked, || decide(app, &command)).await
}

async fn decide(app: &App, command: &Sign) -> Result<Decision<()>, Denied> {
    let mut moment = app.moment();
    let configuration = app.configuration().await?;
    let stored = app
        .store
        .quote(command.shopper, command.quote)
        .await?
        .ok_or(Denied::NotFound)?;
    let kept: KeptQuote = stored.detail()?;
    let quote = &kept.quote;
    configuration.open_for(Capability::Confirm, &quote.institution, moment.now)?;
    quote.check(&command.digest, moment.now)?;
    // Schedule and cost sheet were reckoned again from what is kept; the digest says that they are what was shown.
    if vault::fingerprint(quote.canonical().as_bytes()) != quote.digest {
        return Err(Refusal::QuoteChanged.into());
    }
    let mut batch = Batch::new(&command.shopper.to_string());
    for named in &quote.documents {
        let document: Option<&Document> = configuration.documents.get(&named.code);
        // The text changed after the quote was made: what was shown can no longer be signed.
        let document = document.filter(|d| d.version == named.version && d.hash == named.hash);
        let document = document.ok_or(Refusal::QuoteChanged)?;
        document.was_read(&command.reads)?;
        agree::record(
            &mut batch,
            command.shopper,
            document,
            &quote.institution,
            &mut moment,
        );
    }
    quotes::signed(
        &mut batch,
        command.shopper,
        command.quote,
        &quote.digest,
        &command.reads,
        moment.now,
    );
    Ok(Decision { batch, reply: () })
}
