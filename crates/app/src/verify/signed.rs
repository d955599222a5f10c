//! What was shown, signed and confirmed is one: quote, signature and agreement bear the digest of the quote's text, the
//! agreement has the quote's terms, and each document that it names was read and agreed to.

use std::collections::BTreeMap;

use fenqi_domain::agreement::Agreement;
use fenqi_domain::consent::DocumentRead;
use fenqi_domain::id::{AgreementId, QuoteId, ShopperId};
use fenqi_domain::quote::Quote;
use fenqi_store::tables::agreements::{self, Snapshot};
use fenqi_store::tables::quotes::{StoredQuote, StoredSignature};
use fenqi_store::tables::shoppers::StoredConsent;
use fenqi_store::vault;

use crate::App;
use crate::checkout::quote::KeptQuote;
use crate::outcome::Denied;
use crate::verify::Found;

/// The quotes and signatures of one shopper.
pub(super) struct Papers {
    quotes: BTreeMap<QuoteId, Quote>,
    signatures: BTreeMap<QuoteId, StoredSignature>,
    consents: Vec<StoredConsent>,
}

impl Papers {
    /// Reads them; each quote is checked on its own.
    pub async fn read(app: &App, shopper: ShopperId, found: &mut Found) -> Result<Papers, Denied> {
        let mut quotes = BTreeMap::new();
        for (id, institution, stored) in app.store.quotes(shopper).await? {
            let quote = stored.detail::<KeptQuote>()?.quote;
            digests((id, &institution, &stored), shopper, &quote, found);
            quotes.insert(id, quote);
        }
        Ok(Papers {
            quotes,
            signatures: app.store.signatures(shopper).await?.into_iter().collect(),
            consents: app.store.consents(shopper).await?,
        })
    }

    /// The quote that an agreement was.
    pub fn quote(&self, agreement: AgreementId) -> Option<&Quote> {
        self.quotes.get(&agreements::quote_of(agreement))
    }

    /// Checks an agreement against the papers that it rests on.
    pub fn check(&self, agreement: &Agreement, columns: &Snapshot, found: &mut Found) {
        let subject = agreement.id.to_string();
        let Some(quote) = self.quote(agreement.id) else {
            found.note("digest", &subject, &"the quote that it was", &"none");
            return;
        };
        found.compare(
            "digest",
            &subject,
            quote.digest.as_str(),
            agreement.digest.as_str(),
        );
        self.agreed(agreement, quote, columns, found);
        match self.signatures.get(&quote.id) {
            Some(signature) => self.signed(&subject, quote, signature, found),
            None => found.note("digest", &subject, &"a signature under its quote", &"none"),
        }
    }

    /// The agreement says what its quote said.
    fn agreed(&self, agreement: &Agreement, quote: &Quote, columns: &Snapshot, found: &mut Found) {
        let subject = agreement.id.to_string();
        let parts = [
            ("institution", agreement.institution == quote.institution),
            ("seller", agreement.seller == quote.seller),
            ("plan", agreement.plan == quote.plan),
            ("plan version", agreement.plan_version == quote.plan_version),
            ("lines", agreement.lines == quote.lines),
            ("terms", agreement.terms == quote.terms),
            ("price", columns.price == quote.price.minor()),
        ];
        for (part, _) in parts.iter().filter(|(_, same)| !same) {
            let expected = "what its quote says";
            found.note(
                "digest",
                &format!("{subject} {part}"),
                &expected,
                &"something else",
            );
        }
    }

    /// The signature is under this digest, with every document read and agreed to in the version that was shown.
    fn signed(&self, subject: &str, quote: &Quote, signature: &StoredSignature, found: &mut Found) {
        let place = format!("{subject} signature");
        found.compare("digest", &place, quote.digest.as_str(), signature.digest.as_str());
        let reads: Vec<DocumentRead> = signature.detail().unwrap_or_default();
        for named in &quote.documents {
            let is_read = reads.iter().any(|read| {
                (&read.code, read.version, &read.hash) == (&named.code, named.version, &named.hash)
            });
            if !is_read {
                let what = format!("document {} version {} read", named.code, named.version);
                found.note("digest", &place, &what, &"none");
            }
            let is_agreed = self.consents.iter().any(|consent| {
                consent.document == named.code
                    && consent.document_version == i64::from(named.version)
                    && consent.text_hash == named.hash
                    && consent.subject == quote.institution
                    && consent.given_at == signature.signed_at
            });
            if !is_agreed {
                let what = format!("a consent to {} version {}", named.code, named.version);
                found.note("digest", &format!("{subject} consents"), &what, &"none");
            }
        }
    }
}

/// The digest of a quote is that of its text, and its columns repeat what it says.
fn digests(
    (id, institution, stored): (QuoteId, &str, &StoredQuote),
    shopper: ShopperId,
    quote: &Quote,
    found: &mut Found,
) {
    let subject = id.to_string();
    let digest = vault::fingerprint(quote.canonical().as_bytes());
    found.compare("digest", &subject, digest.as_str(), quote.digest.as_str());
    found.compare(
        "digest",
        &format!("{subject} column"),
        digest.as_str(),
        stored.digest.as_str(),
    );
    found.compare(
        "column",
        &format!("{subject} row"),
        format!("{} {} {}", quote.id, quote.institution, quote.expires_at),
        format!("{id} {institution} {}", stored.expires_at),
    );
    if quote.shopper != Some(shopper) {
        found.note("column", &subject, &shopper, &format!("{:?}", quote.shopper));
    }
}
