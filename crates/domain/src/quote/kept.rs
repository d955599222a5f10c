//! A quote as it is kept: without what follows from its terms.
//!
//! The schedule and the cost sheet are most of a quote and follow from the rest to the last digit, so that reckoning them
//! again costs less than reading them. That they are what was shown is what the digest says.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Quote;
use crate::agreement::OrderLine;
use crate::consent::DocumentRef;
use crate::cost::CostDisclosure;
use crate::id::{QuoteId, ShopperId};
use crate::money::{Amount, OutOfRange};
use crate::plan::Terms;

#[derive(Serialize, Deserialize)]
struct Kept {
    id: QuoteId,
    shopper: Option<ShopperId>,
    plan: String,
    plan_version: u32,
    institution: String,
    seller: String,
    lines: Vec<OrderLine>,
    price: Amount,
    terms: Terms,
    documents: Vec<DocumentRef>,
    hold_days: u16,
    needs_card: bool,
    campaign: Option<String>,
    made_at: Timestamp,
    expires_at: Timestamp,
    digest: String,
}

/// Writes a quote in the form that is kept.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(quote: &Quote, serializer: S) -> Result<S::Ok, S::Error> {
    let quote = quote.clone();
    let kept = Kept {
        id: quote.id,
        shopper: quote.shopper,
        plan: quote.plan,
        plan_version: quote.plan_version,
        institution: quote.institution,
        seller: quote.seller,
        lines: quote.lines,
        price: quote.price,
        terms: quote.terms,
        documents: quote.documents,
        hold_days: quote.hold_days,
        needs_card: quote.needs_card,
        campaign: quote.campaign,
        made_at: quote.made_at,
        expires_at: quote.expires_at,
        digest: quote.digest,
    };
    kept.serialize(serializer)
}

/// Reads a quote from the form that is kept, and reckons the rest of it again.
///
/// # Errors
/// Those of the deserializer; terms that no quote has.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quote, D::Error> {
    let kept = Kept::deserialize(deserializer)?;
    kept.quote().map_err(serde::de::Error::custom)
}

impl Kept {
    fn quote(self) -> Result<Quote, OutOfRange> {
        let principal = self.terms.principal;
        let schedule = self.terms.schedule(principal)?;
        let cost = CostDisclosure::of(&self.terms, &schedule, self.price, &self.institution)?;
        Ok(Quote {
            id: self.id,
            shopper: self.shopper,
            plan: self.plan,
            plan_version: self.plan_version,
            institution: self.institution,
            seller: self.seller,
            lines: self.lines,
            price: self.price,
            down_payment: self.price.minus(principal)?,
            principal,
            terms: self.terms,
            schedule,
            cost,
            documents: self.documents,
            hold_days: self.hold_days,
            needs_card: self.needs_card,
            campaign: self.campaign,
            made_at: self.made_at,
            expires_at: self.expires_at,
            digest: self.digest,
        })
    }
}
