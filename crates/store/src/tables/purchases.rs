//! Everything that the decision about a purchase rests on, read in one snapshot.

use fenqi_domain::id::{QuoteId, ShopperId};
use serde::de::DeserializeOwned;

use super::agreements::{self, AgreementFile};
use super::credit::{self, StoredApplication, StoredLine};
use super::shoppers::{self, StoredConsent};
use super::{Store, from_json, statements};
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::{Row, Value};

statements! {
    CASE = "purchase.case", (Text, Text, Text) -> (Text, Text, Text, Text, Text, Int, Int, Int),
        "select q.detail, s.digest, s.detail, h.standing, i.evidence, (select count(*) from agreement a where a.shopper = $1 and a.stage = 'active') as active, (select count(*) from card c where c.shopper = $1 and c.state = 'bound') as cards, (select count(*) from agreement u where u.shopper = $1 and u.id = $3) as used from quote q join shopper h on h.shopper = q.shopper left join signature s on s.shopper = q.shopper and s.quote = q.id left join identity i on i.shopper = q.shopper where q.shopper = $1 and q.id = $2";
}

/// The case of one purchase.
#[derive(Debug)]
pub struct PurchaseCase {
    /// The shopper's credit lines.
    pub lines: Vec<StoredLine>,
    /// The shopper's applications, oldest first.
    pub applications: Vec<StoredApplication>,
    /// The shopper's consents, oldest first.
    pub consents: Vec<StoredConsent>,
    /// The shopper's agreements, oldest first; none are read where none is running.
    pub agreements: Vec<AgreementFile>,
    /// Whether a card is bound.
    pub has_card: bool,
    /// Whether the quote became an agreement already.
    pub is_used: bool,
    row: Row,
}

impl PurchaseCase {
    /// The quote.
    pub fn quote<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 0)
    }

    /// The signature: the digest that was signed, and what was signed with it; none if the quote is not signed.
    pub fn signature<T: DeserializeOwned>(&self) -> Result<Option<(&str, T)>, Fault> {
        match self.row.opt_text(1)? {
            Some(digest) => Ok(Some((digest, from_json(&self.row, 2)?))),
            None => Ok(None),
        }
    }

    /// The standing of the account.
    pub fn standing<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }

    /// What the shopper proved of who they are; the sealed data itself is not needed and not opened.
    pub fn evidence<T: DeserializeOwned + Default>(&self) -> Result<T, Fault> {
        match self.row.opt_text(4)? {
            Some(_) => from_json(&self.row, 4),
            None => Ok(T::default()),
        }
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
        let agreement = agreements::id_of(quote);
        let answers = self
            .read(vec![
                Query::new(
                    &CASE,
                    vec![owner(), quote.to_string().into(), agreement.to_string().into()],
                ),
                Query::new(&credit::LINES, vec![owner()]),
                Query::new(&credit::APPLICATIONS, vec![owner()]),
                Query::new(&shoppers::CONSENTS, vec![owner()]),
            ])
            .await?;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (case, lines, applications, consents) = (next(), next(), next(), next());
        let Some(row) = case.into_iter().next() else {
            return Ok(None);
        };
        // Whoever has no running loan has nothing overdue, and most purchases are theirs. The rows of one shopper change
        // under guards that the purchase shares, so that a second snapshot is as good as the first.
        let running = if row.int(5)? > 0 {
            self.agreements(shopper).await?
        } else {
            Vec::new()
        };
        Ok(Some(PurchaseCase {
            lines: lines.iter().map(credit::line).collect::<Result<_, _>>()?,
            applications: applications
                .into_iter()
                .map(credit::application)
                .collect::<Result<_, _>>()?,
            consents: consents.iter().map(shoppers::consent).collect::<Result<_, _>>()?,
            agreements: running,
            has_card: row.int(6)? > 0,
            is_used: row.int(7)? > 0,
            row,
        }))
    }
}
