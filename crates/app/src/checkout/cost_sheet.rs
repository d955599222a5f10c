//! Shows the cost sheet of a quote (综合融资成本明示表): what it costs, to whom, and what would come on top. It is read
//! before one signs; the quote's digest binds it.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::cost::CostDisclosure;
use fenqi_domain::id::{QuoteId, ShopperId};
use serde::Serialize;

use crate::App;
use crate::checkout::quote::KeptQuote;
use crate::outcome::Denied;
use crate::texts::{Language, Reader};

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CostSheet {
    /// The figures.
    pub cost: CostDisclosure,
    /// The sheet in Chinese, a line for each thing that is to be known.
    pub zh: Vec<String>,
    /// The same in English.
    pub en: Vec<String>,
}

/// Shows the cost sheet of a quote.
///
/// Errors: [`Denied::NotFound`] for a quote that is not the shopper's, or is forgotten because it expired long ago.
pub async fn cost_sheet(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    quote: QuoteId,
) -> Result<CostSheet, Denied> {
    actor.require_for(shopper, Scope::Offer)?;
    let names = &*app.configuration().await?;
    let stored = app.store.quote(shopper, quote).await?;
    let kept: KeptQuote = stored.ok_or(Denied::NotFound)?.detail()?;
    let in_language = |language| Reader { names, language }.cost_sheet(&kept.quote);
    Ok(CostSheet {
        zh: in_language(Language::Zh),
        en: in_language(Language::En),
        cost: kept.quote.cost.clone(),
    })
}
