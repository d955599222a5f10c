//! Everything that the decision about a purchase rests on, read in one snapshot.

use fenqi_domain::id::{AgreementId, QuoteId, ShopperId};

use super::agreements::{self, AgreementFile};
use super::credit::{self, StoredApplication, StoredLine};
use super::quotes::{self, StoredQuote, StoredSignature};
use super::shoppers::{self, StoredConsent, StoredShopper};
use super::{Store, from_json, parsed, payments};
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::{Row, Value};

/// The case of one purchase.
#[derive(Debug)]
pub struct PurchaseCase {
    /// The quote.
    pub quote: StoredQuote,
    /// The signature under it, if there is one.
    pub signature: Option<StoredSignature>,
    /// The shopper's account.
    pub shopper: StoredShopper,
    /// The shopper's credit lines.
    pub lines: Vec<StoredLine>,
    /// The shopper's applications, oldest first.
    pub applications: Vec<StoredApplication>,
    /// The shopper's agreements, oldest first.
    pub agreements: Vec<AgreementFile>,
    /// The shopper's consents, oldest first.
    pub consents: Vec<StoredConsent>,
    /// Whether a card is bound.
    pub has_card: bool,
    /// The agreement that the quote became, if it was used.
    pub used_by: Option<AgreementId>,
    identity: Option<Row>,
}

impl PurchaseCase {
    /// What the shopper proved of who they are; the sealed data itself is not needed and not opened.
    pub fn evidence<T: serde::de::DeserializeOwned + Default>(&self) -> Result<T, Fault> {
        self.identity
            .as_ref()
            .map_or_else(|| Ok(T::default()), |row| from_json(row, 3))
    }
}

impl Store {
    /// Reads the case of a purchase; none if the quote is not the shopper's.
    pub async fn purchase_case(
        &self,
        shopper: ShopperId,
        quote: QuoteId,
    ) -> Result<Option<PurchaseCase>, Fault> {
        let owner = || Value::from(shopper.to_string());
        let both = || vec![owner(), Value::from(quote.to_string())];
        let answers = self
            .read(vec![
                Query::new(&quotes::FIND, both()),
                Query::new(&quotes::SIGNATURE, both()),
                Query::new(&shoppers::FIND, vec![owner()]),
                Query::new(&shoppers::IDENTITY, vec![owner()]),
                Query::new(&credit::LINES, vec![owner()]),
                Query::new(&credit::APPLICATIONS, vec![owner()]),
                Query::new(&agreements::OF_SHOPPER, vec![owner()]),
                Query::new(&agreements::TRANSACTIONS_OF_SHOPPER, vec![owner()]),
                Query::new(&payments::CARDS, vec![owner()]),
                Query::new(&agreements::BY_QUOTE, both()),
                Query::new(&shoppers::CONSENTS, vec![owner()]),
            ])
            .await?;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (quote, signature, account, identity) = (next(), next(), next(), next());
        let (lines, applications) = (next(), next());
        let (agreement_rows, transactions) = (next(), next());
        let (cards, used_by, consents) = (next(), next(), next());
        let (Some(quote), Some(account)) = (quote.into_iter().next(), account.into_iter().next()) else {
            return Ok(None);
        };
        let mut has_card = false;
        for row in &cards {
            has_card |= row.text(4)? == "bound";
        }
        Ok(Some(PurchaseCase {
            quote: quotes::quote(quote)?,
            signature: signature.into_iter().next().map(quotes::signature).transpose()?,
            shopper: shoppers::shopper(account)?,
            lines: lines.iter().map(credit::line).collect::<Result<_, _>>()?,
            applications: applications
                .into_iter()
                .map(credit::application)
                .collect::<Result<_, _>>()?,
            agreements: agreements::files(&agreement_rows, &transactions)?,
            consents: consents.iter().map(shoppers::consent).collect::<Result<_, _>>()?,
            has_card,
            used_by: used_by.first().map(|row| parsed(row, 0)).transpose()?,
            identity: identity.into_iter().next(),
        }))
    }
}
