//! Records that a shopper agreed to a document for a purpose (同意), or took it back.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::consent::{Consent, Document, DocumentRead, DocumentRef, Purpose};
use fenqi_domain::id::{ConsentId, ShopperId};
use fenqi_store::tables::shoppers::{self, StoredConsent};
use fenqi_store::{Batch, Fault};

use crate::outcome::Denied;
use crate::{App, Moment, audit};

/// Records consents to documents that were opened for long enough, for one institution or for all (`*`).
pub async fn agree(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    subject: &str,
    reads: &[DocumentRead],
) -> Result<(), Denied> {
    actor.require_for(shopper, Scope::Buy)?;
    let configuration = app.configuration().await?;
    let mut moment = app.moment();
    let mut batch = Batch::new(&shopper.to_string());
    for read in reads {
        let document = configuration.documents.get(&read.code).ok_or(Denied::NotFound)?;
        document.was_read(reads)?;
        record(&mut batch, shopper, document, subject, &mut moment);
    }
    let about = ("agree", shopper.to_string());
    audit::by_staff(&mut batch, actor, (about.0, &about.1), &reads, &mut moment);
    Ok(app.store.commit(batch).await?)
}

/// Takes a consent back. What was done under it stays done.
pub async fn withdraw(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    consent: ConsentId,
) -> Result<(), Denied> {
    actor.require_for(shopper, Scope::Buy)?;
    let mut batch = Batch::new(&shopper.to_string());
    let mut moment = app.moment();
    shoppers::withdrawn(&mut batch, shopper, consent, moment.now);
    let about = ("withdraw_consent", shopper.to_string());
    audit::by_staff(&mut batch, actor, (about.0, &about.1), &consent, &mut moment);
    match app.store.commit(batch).await {
        Ok(()) => Ok(()),
        Err(fenqi_store::CommitError::Refused(_)) => Err(Denied::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// Writes one consent.
pub(crate) fn record(
    batch: &mut Batch,
    shopper: ShopperId,
    document: &Document,
    subject: &str,
    moment: &mut Moment,
) {
    let consent = StoredConsent {
        id: ConsentId::new(&mut moment.ids),
        purpose: document.purpose.code().into(),
        document: document.code.clone(),
        document_version: i64::from(document.version),
        text_hash: document.hash.clone(),
        subject: subject.into(),
        given_at: moment.now,
        withdrawn_at: None,
    };
    shoppers::consented(batch, shopper, &consent);
}

/// The ledger of a shopper's consents.
pub(crate) fn consents(shopper: ShopperId, stored: &[StoredConsent]) -> Result<Vec<Consent>, Denied> {
    let corrupt = |what: &str| Fault::Corrupt {
        statement: "consent.of_shopper",
        what: what.into(),
    };
    let read = |row: &StoredConsent| {
        Ok(Consent {
            id: row.id,
            shopper,
            purpose: Purpose::of_code(&row.purpose).ok_or_else(|| corrupt("unknown purpose"))?,
            document: DocumentRef {
                code: row.document.clone(),
                version: u32::try_from(row.document_version).map_err(|_| corrupt("not a version"))?,
                hash: row.text_hash.clone(),
            },
            subject: row.subject.clone(),
            given_at: row.given_at,
            withdrawn_at: row.withdrawn_at,
        })
    };
    stored.iter().map(read).collect()
}
