//! Quotes (报价): what a plan would cost for these lines, what of it binds, and for how long.
//!
//! The digest binds what was shown to what is signed and billed: the app hashes [`Quote::canonical`], and a quote whose
//! digest differs at signing is refused.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::agreement::OrderLine;
use crate::calendar::Holidays;
use crate::consent::DocumentRef;
use crate::cost::CostDisclosure;
use crate::id::{QuoteId, ShopperId};
use crate::market::CartLine;
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::{Instalment, Plan, Terms};
use crate::refusal::{Denied, Refusal};
use crate::schedule::schedule;

mod canonical;
pub mod kept;

/// What a plan would cost for some lines of one seller: everything of a quote but its name and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    /// The financed lines, each with the part of its price that is financed.
    pub lines: Vec<OrderLine>,
    /// The price of these lines.
    pub price: Amount,
    /// What is paid now.
    pub down_payment: Amount,
    /// What is financed.
    pub principal: Amount,
    /// The terms to be signed.
    pub terms: Terms,
    /// The schedule.
    pub schedule: Vec<Instalment>,
    /// The cost sheet.
    pub cost: CostDisclosure,
}

/// What to price.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The lines of one seller.
    pub lines: &'a [&'a CartLine],
    /// What the shopper pays now; none for the plan's least.
    pub down_payment: Option<Amount>,
    /// What the institution's prices are multiplied by for this shopper; one is the listed price.
    pub price_factor: Rate,
    /// The business day on which it is signed.
    pub today: Date,
    /// The calendar of the contract's region.
    pub holidays: &'a Holidays,
}

/// Prices a plan for some lines, without asking whether it may be had.
///
/// # Errors
/// [`Refusal::DownPaymentTooSmall`], [`Refusal::AmountBelowMinimum`] or [`Refusal::AmountAboveMaximum`];
/// [`Denied::OutOfRange`] for figures that no cart has, and for a plan with conventions of servicing: the schedule and the
/// cost that a quote shows are not reckoned by them, so that nobody may sign them.
pub fn price(asking: Asking<'_>) -> Result<Priced, Denied> {
    let plan = asking.plan;
    if plan.conventions.servicing.is_some() {
        return Err(OutOfRange("a plan with conventions of servicing").into());
    }
    let price = Amount::sum(asking.lines.iter().map(|line| line.price))?;
    let least = plan.least_down_payment(price)?;
    let down_payment = asking.down_payment.unwrap_or(least);
    if down_payment < least {
        return Err(Refusal::DownPaymentTooSmall { minimum: least }.into());
    }
    let principal = price.minus(down_payment)?;
    within_bounds(asking, price, principal)?;
    let terms = Terms {
        currency: plan.currency,
        principal,
        pricing: plan.pricing.at_factor(asking.price_factor)?,
        borne_by_seller: plan.borne_by_seller,
        signed_on: asking.today,
        due_dates: plan
            .due
            .dates(asking.today, plan.count, plan.conventions.roll, asking.holidays)?,
        conventions: plan.conventions.clone(),
    };
    let schedule = schedule(
        &terms.pricing,
        principal,
        &terms.due_dates,
        terms.signed_on,
        terms.borne_by_seller,
        &terms.conventions,
    )?;
    let cost = CostDisclosure::of(&terms, &schedule, price, &plan.institution)?;
    let lines = financed(asking.lines, principal)?;
    Ok(Priced {
        lines,
        price,
        down_payment,
        principal,
        terms,
        schedule,
        cost,
    })
}

/// The lines, each with its part of what is financed.
fn financed(lines: &[&CartLine], principal: Amount) -> Result<Vec<OrderLine>, OutOfRange> {
    let line = |line: &CartLine, financed| OrderLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        price: line.price,
        financed,
    };
    if let [only] = lines {
        return Ok(vec![line(only, principal)]);
    }
    let prices: Vec<Amount> = lines.iter().map(|line| line.price).collect();
    let parts = principal.by_weights(&prices)?;
    Ok(lines.iter().zip(parts).map(|(of, part)| line(of, part)).collect())
}

/// Whether an amount is one that the plan finances.
fn within_bounds(asking: Asking<'_>, price: Amount, principal: Amount) -> Result<(), Denied> {
    let plan = asking.plan;
    if principal < plan.minimum {
        return Err(Refusal::AmountBelowMinimum {
            minimum: plan.minimum,
            gap: plan.minimum.minus(principal)?,
            add: least_price(plan, asking.down_payment)?.minus(price)?,
        }
        .into());
    }
    if principal > plan.maximum {
        return Err(Refusal::AmountAboveMaximum {
            maximum: plan.maximum,
            excess: principal.minus(plan.maximum)?,
            pay_now: price.minus(plan.maximum)?,
        }
        .into());
    }
    Ok(())
}

// H19: the least that is paid now
/// The least price of which, beside what is paid now, a plan finances enough.
fn least_price(plan: &Plan, down_payment: Option<Amount>) -> Result<Amount, OutOfRange> {
    let financed = Rate::ONE.ppb().saturating_sub(plan.down_payment.ppb()).max(1);
    let mut least = plan.minimum.share(Rate::ONE.ppb(), financed, Rounding::Up)?;
    // The least that is paid now is rounded up, which may leave too little by as much.
    if least.minus(plan.least_down_payment(least)?)? < plan.minimum {
        least = least.plus(Amount::from_minor(1))?;
    }
    Ok(least.max(plan.minimum.plus(down_payment.unwrap_or(Amount::ZERO))?))
}

/// A quote (报价单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its identifier.
    pub id: QuoteId,
    /// For whom, once that is known.
    pub shopper: Option<ShopperId>,
    /// The plan's code.
    pub plan: String,
    /// The plan's version.
    pub plan_version: u32,
    /// Who lends.
    pub institution: String,
    /// Who sells.
    pub seller: String,
    /// The financed lines.
    pub lines: Vec<OrderLine>,
    /// The price of these lines.
    pub price: Amount,
    /// What is paid now.
    pub down_payment: Amount,
    /// What is financed.
    pub principal: Amount,
    /// The terms to be signed.
    pub terms: Terms,
    /// The schedule.
    pub schedule: Vec<Instalment>,
    /// The cost sheet.
    pub cost: CostDisclosure,
    /// The documents to be read and agreed to.
    pub documents: Vec<DocumentRef>,
    /// For how long a hold on the limit waits for its capture, in days.
    pub hold_days: u16,
    /// Whether a card with a mandate is needed (R47).
    pub needs_card: bool,
    /// The campaign whose budget bears the seller's share, if it is one.
    pub campaign: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it stands.
    pub expires_at: Timestamp,
    /// The digest of [`Quote::canonical`], set by who can hash.
    pub digest: String,
}

impl Priced {
    /// A quote of it: whose, under which documents, from when. Its digest is still empty.
    ///
    /// # Errors
    /// [`OutOfRange`] for an instant that has no end.
    pub fn quote(
        self,
        id: QuoteId,
        shopper: Option<ShopperId>,
        plan: &Plan,
        seller: &str,
        documents: Vec<DocumentRef>,
        now: Timestamp,
    ) -> Result<Quote, OutOfRange> {
        let expires_at = after_seconds(now, i64::from(plan.quote_minutes).saturating_mul(60))?;
        Ok(Quote {
            id,
            shopper,
            plan: plan.code.clone(),
            plan_version: plan.version,
            institution: plan.institution.clone(),
            seller: seller.to_string(),
            lines: self.lines,
            price: self.price,
            down_payment: self.down_payment,
            principal: self.principal,
            terms: self.terms,
            schedule: self.schedule,
            cost: self.cost,
            documents,
            hold_days: plan.hold_days,
            needs_card: plan.needs_card,
            campaign: plan.campaign.clone(),
            made_at: now,
            expires_at,
            digest: String::new(),
        })
    }
}

impl Quote {
    /// Whether it still stands and is what was shown.
    ///
    /// # Errors
    /// [`Refusal::QuoteExpired`] from its end on; [`Refusal::QuoteChanged`] if the digest is another.
    pub fn check(&self, digest: &str, now: Timestamp) -> Result<(), Refusal> {
        if now >= self.expires_at {
            return Err(Refusal::QuoteExpired { at: self.expires_at });
        }
        if digest.is_empty() || digest != self.digest {
            return Err(Refusal::QuoteChanged);
        }
        Ok(())
    }
}

/// An instant so many seconds later.
pub(crate) fn after_seconds(at: Timestamp, seconds: i64) -> Result<Timestamp, OutOfRange> {
    at.as_second()
        .checked_add(seconds)
        .and_then(|second| Timestamp::new(second, at.subsec_nanosecond()).ok())
        .ok_or(OutOfRange("an instant"))
}
