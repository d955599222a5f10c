//! Makes a quote for one plan (报价): everything that will be signed, with a digest that binds it.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::consent::{DocumentRef, Purpose};
use fenqi_domain::eligibility::Answer;
use fenqi_domain::id::{QuoteId, ShopperId};
use fenqi_domain::quote::{Quote, kept};
use fenqi_domain::refusal::Refusal;
use fenqi_store::tables::quotes;
use fenqi_store::{Batch, vault};
use serde::{Deserialize, Serialize};

use crate::checkout::offer::{self, Ask};
use crate::outcome::Denied;
use crate::{App, Configuration};

/// A quote as kept: with the region that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptQuote {
    /// The quote.
    #[serde(with = "kept")]
    pub quote: Quote,
    /// The region's code.
    pub region: String,
}

/// The reply: the quote, and what is still to be done before it can be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quoted {
    /// The quote.
    pub quote: Quote,
    /// Lines that are left out, each with its reason.
    pub left_out: Vec<Refusal>,
    /// What is still to be done: identity, application, card.
    pub steps: Vec<Refusal>,
}

/// Makes a quote of a plan for a cart. It moves nothing and promises the price until it expires.
///
/// Errors: the most decisive refusal if the plan cannot be had; [`Denied::NotFound`] if there is no such plan.
pub async fn quote(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    plan: &str,
    ask: &Ask,
) -> Result<Quoted, Denied> {
    actor.require_for(shopper, Scope::Offer)?;
    let mut moment = app.moment();
    let configuration = app.configuration().await?;
    let known = offer::known(app, shopper, &moment).await?;
    let outcomes = offer::outcomes(app, &configuration, ask, Some(&known), &moment).await?;
    let outcome = outcomes
        .into_iter()
        .find(|outcome| outcome.plan == plan)
        .ok_or(Denied::NotFound)?;
    let offered = match outcome.answer {
        Answer::Offered(offer) => *offer,
        Answer::Unavailable { refusals } => {
            return Err(refusals.into_iter().next().map_or(Denied::NotFound, Denied::from));
        }
    };
    let plan = configuration.plans.get(plan).ok_or(Denied::NotFound)?;
    let documents = documents(&configuration, plan.needs_card);
    let id = QuoteId::new(&mut moment.ids);
    let mut quote = offered
        .priced
        .quote(id, Some(shopper), plan, &outcome.seller, documents, moment.now)?;
    quote.digest = vault::fingerprint(quote.canonical().as_bytes());
    let kept = KeptQuote {
        quote: quote.clone(),
        region: ask.region.clone(),
    };
    let mut batch = Batch::new(&shopper.to_string());
    quotes::quoted(&mut batch, shopper, &kept.quote, &kept);
    app.store.commit(batch).await?;
    Ok(Quoted {
        quote,
        left_out: offered.left_out,
        steps: offered.steps,
    })
}

/// The documents that a purchase signs: each on its own, none ticked beforehand.
fn documents(configuration: &Configuration, needs_card: bool) -> Vec<DocumentRef> {
    let signed = |purpose: Purpose| match purpose {
        Purpose::ServiceAgreement | Purpose::BureauReport => true,
        Purpose::DebitMandate => needs_card,
        _ => false,
    };
    configuration
        .documents
        .values()
        .filter(|d| signed(d.purpose))
        .map(|d| d.reference())
        .collect()
}
