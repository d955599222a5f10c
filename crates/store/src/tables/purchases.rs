//! Everything that the decision about a purchase rests on, read by one question.

use fenqi_domain::credit::Line;
use fenqi_domain::id::{QuoteId, ShopperId};
use fenqi_domain::money::Amount;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::agreements::{self, AgreementFile};
use super::shoppers::StoredConsent;
use super::{Store, from_json, parsed, statements};
use crate::fault::Fault;
use crate::value::Row;

// Of the agreements two things are asked, and both in one pass over them: how many run, times two, and whether the quote
// is one of them already.
statements! {
    CASE = "purchase.case", (Text, Text, Text) -> (Text, Text, Text, Text, Text, Text, Text, Int, Int, Text, Int, Int, Int, Int, Text),
        "select q.detail, s.digest, s.detail, h.standing, i.evidence, (select p.detail from application p where p.shopper = $1 and p.institution = q.institution order by p.asked_at desc, p.id desc limit 1) as application, (select string_agg(c.id || ' ' || c.purpose || ' ' || c.document || ' ' || c.document_version || ' ' || c.text_hash || ' ' || c.subject || ' ' || c.given_at, ' ') from consent c where c.shopper = $1 and c.withdrawn_at is null and c.purpose in ('service_agreement', 'debit_mandate') and (c.subject = q.institution or c.subject = '*')) as consents, (select count(case when a.stage = 'active' then 1 end) * 2 + count(case when a.id = $3 then 1 end) from agreement a where a.shopper = $1) as found, (select count(*) from card c where c.shopper = $1 and c.state = 'bound') as cards, l.institution, l.credit_limit, l.own_limit, l.held, l.used, l.expires_on from quote q join shopper h on h.shopper = q.shopper left join signature s on s.shopper = q.shopper and s.quote = q.id left join identity i on i.shopper = q.shopper left join credit_line l on l.shopper = q.shopper and l.institution = q.institution where q.shopper = $1 and q.id = $2";
}

/// The case of one purchase. Of lines, applications and consents it has those that the quote's institution looks at.
#[derive(Debug)]
pub struct PurchaseCase {
    /// The shopper's agreements, oldest first; none are read where none is running.
    pub agreements: Vec<AgreementFile>,
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

    /// The newest application at the quote's institution.
    pub fn application<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        self.row.opt_text(5)?.map(|_| from_json(&self.row, 5)).transpose()
    }

    /// The consents that stand, to the institution's services and debits.
    pub fn consents(&self) -> Result<Vec<StoredConsent>, Fault> {
        let mut words = self.row.opt_text(6)?.unwrap_or_default().split(' ');
        let mut consents = Vec::new();
        while let Some(id) = words.next().filter(|id| !id.is_empty()) {
            let consent = consent(id, &mut words);
            consents.push(consent.ok_or_else(|| self.row.corrupt(6, "is no list of consents"))?);
        }
        Ok(consents)
    }

    /// Whether a card is bound.
    pub fn has_card(&self) -> Result<bool, Fault> {
        Ok(self.row.int(8)? > 0)
    }

    /// Whether the quote became an agreement already.
    pub fn is_used(&self) -> Result<bool, Fault> {
        Ok(self.row.int(7)? & 1 == 1)
    }

    /// The credit line at the quote's institution.
    pub fn line(&self) -> Result<Option<Line>, Fault> {
        let Some(institution) = self.row.opt_text(9)? else {
            return Ok(None);
        };
        Ok(Some(Line {
            institution: institution.into(),
            limit: Amount::from_minor(self.row.int(10)?),
            own_limit: self.row.opt_int(11)?.map(Amount::from_minor),
            held: Amount::from_minor(self.row.int(12)?),
            used: Amount::from_minor(self.row.int(13)?),
            expires_on: parsed(&self.row, 14)?,
        }))
    }
}

/// One consent from its words; what they hold has no spaces.
fn consent<'a>(id: &str, words: &mut impl Iterator<Item = &'a str>) -> Option<StoredConsent> {
    Some(StoredConsent {
        id: id.parse().ok()?,
        purpose: words.next()?.into(),
        document: words.next()?.into(),
        document_version: words.next()?.parse().ok()?,
        text_hash: words.next()?.into(),
        subject: words.next()?.into(),
        given_at: Timestamp::from_microsecond(words.next()?.parse().ok()?).ok()?,
        withdrawn_at: None,
    })
}

impl Store {
    /// Reads the case of a purchase; none if the quote is not the shopper's.
    pub async fn purchase_case(
        &self,
        shopper: ShopperId,
        quote: QuoteId,
    ) -> Result<Option<PurchaseCase>, Fault> {
        let agreement = agreements::id_of(quote);
        let params = vec![
            shopper.to_string().into(),
            quote.to_string().into(),
            agreement.to_string().into(),
        ];
        let Some(row) = self.row(&CASE, params).await? else {
            return Ok(None);
        };
        // Whoever has no running loan has nothing overdue, and most purchases are theirs. The rows of one shopper change
        // under guards that the purchase shares, so that a second snapshot is as good as the first.
        let agreements = if row.int(7)? > 1 {
            self.agreements(shopper).await?
        } else {
            Vec::new()
        };
        Ok(Some(PurchaseCase { agreements, row }))
    }
}
