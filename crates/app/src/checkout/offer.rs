//! Shows which plans can be had for a cart, and for each that cannot, every reason with what would help (R11, R18, R23).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::eligibility::{self, Case, Known, Outcome};
use fenqi_domain::id::ShopperId;
use fenqi_domain::market::{Cart, CartLine, RunningCampaign};
use fenqi_domain::money::{Amount, Currency};
use fenqi_domain::plan::COUNT_MAX;
use fenqi_domain::plan::Campaign;
use fenqi_domain::standing::{Overdue, Standing};
use serde::{Deserialize, Serialize};

use crate::checkout::apply;
use crate::mistake::{Invalid, Mistake, Thing};
use crate::outcome::Denied;
use crate::{App, Configuration, Moment, servicing};

/// The question: a cart, where it goes, and optionally who asks, how many instalments and how much is paid now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Who asks; without it the answer is about the goods alone.
    pub shopper: Option<ShopperId>,
    /// The region's code.
    pub region: String,
    /// The lines of the cart; those that are wanted in instalments are marked.
    pub lines: Vec<CartLine>,
    /// How many instalments; none asks for all (discovery).
    pub count: Option<u16>,
    /// How much is paid now; none takes each plan's least.
    pub down_payment: Option<Amount>,
}

// R45: the plans of all institutions, in the order of their codes
/// Answers what can be had: one outcome a plan and seller.
pub async fn offer(app: &App, actor: &Actor, ask: &Ask) -> Result<Vec<Outcome>, Denied> {
    match ask.shopper {
        Some(shopper) => actor.require_for(shopper, Scope::Offer)?,
        None => actor.require(Scope::Offer)?,
    }
    let moment = app.moment();
    let configuration = app.configuration().await?;
    let known = match ask.shopper {
        Some(shopper) => Some(known(app, shopper, &moment).await?),
        None => None,
    };
    outcomes(app, &configuration, ask, known.as_ref(), &moment).await
}

/// Answers several questions in one call, in their order (batch).
pub async fn offers(app: &App, actor: &Actor, asks: &[Ask]) -> Result<Vec<Vec<Outcome>>, Denied> {
    let mut answers = Vec::with_capacity(asks.len());
    for ask in asks {
        answers.push(offer(app, actor, ask).await?);
    }
    Ok(answers)
}

pub(crate) async fn outcomes(
    app: &App,
    configuration: &Configuration,
    ask: &Ask,
    known: Option<&Known>,
    moment: &Moment,
) -> Result<Vec<Outcome>, Denied> {
    let region = configuration.regions.get(&ask.region).ok_or_else(|| {
        let mistake = Mistake::NotKnown {
            thing: Thing::Region,
            given: ask.region.clone(),
            among: configuration.regions.keys().take(6).cloned().collect(),
        };
        Denied::invalid("/region", mistake)
    })?;
    let cart = checked(configuration, ask, region.currency)?;
    let mut campaigns = Vec::new();
    for campaign in configuration.campaigns.values() {
        campaigns.push(running(app, campaign).await?);
    }
    let plans: Vec<_> = configuration.plans.values().cloned().collect();
    let institutions: Vec<_> = configuration.institutions.values().cloned().collect();
    let products: Vec<_> = configuration.products.values().cloned().collect();
    let sellers: Vec<_> = configuration.sellers.values().cloned().collect();
    let outages = app.outages();
    Ok(eligibility::offers(&Case {
        now: moment.now,
        today: moment.today,
        region,
        cart: &cart,
        count: ask.count,
        down_payment: ask.down_payment,
        plans: &plans,
        institutions: &institutions,
        products: &products,
        sellers: &sellers,
        windows: &configuration.windows,
        outages: &outages,
        campaigns: &campaigns,
        holidays: &configuration.holidays,
        shopper: known,
    })?)
}

/// A campaign with what is left of its budget.
pub(crate) async fn running(app: &App, campaign: &Campaign) -> Result<RunningCampaign, Denied> {
    let slices = app.store.budget_slices(&campaign.code).await?;
    let remaining = Amount::sum(slices.iter().map(|(_, left)| Amount::from_minor(*left)))?;
    Ok(RunningCampaign {
        campaign: campaign.clone(),
        remaining,
    })
}

/// All that is known of a shopper before a purchase.
pub(crate) async fn known(app: &App, shopper: ShopperId, moment: &Moment) -> Result<Known, Denied> {
    let stored = app.store.shopper(shopper).await?.ok_or(Denied::NotFound)?;
    let mut standing: Standing = stored.standing()?;
    standing.overdue = overdue(&app.store.agreements(shopper).await?, moment)?;
    let identity = app
        .store
        .identity(shopper)
        .await?
        .ok_or(Denied::NotFound)?
        .evidence()?;
    let stored = app.store.applications(shopper).await?;
    let applications = apply::latest(&stored)?;
    let lines = app
        .store
        .lines(shopper)
        .await?
        .into_iter()
        .map(|stored| stored.line)
        .collect();
    let has_card = app
        .store
        .cards(shopper)
        .await?
        .iter()
        .any(|card| card.state == "bound");
    Ok(Known {
        standing,
        identity,
        applications,
        lines,
        has_card,
    })
}

/// What is overdue over all agreements of a shopper.
pub(crate) fn overdue(
    files: &[fenqi_store::tables::agreements::AgreementFile],
    moment: &Moment,
) -> Result<Option<Overdue>, Denied> {
    let (mut amount, mut days) = (Amount::ZERO, 0);
    for file in files {
        let loan = servicing::fold(file, moment.today)?;
        // What an open return holds up is not held against the shopper.
        if !loan.is_paused && loan.days_past_due > 0 {
            amount = amount.plus(loan.overdue()?.total()?)?;
            days = days.max(loan.days_past_due);
        }
    }
    Ok((days > 0).then_some(Overdue { amount, days }))
}

/// The cart, if each line is one that the shop sells; every wrong line is named.
fn checked(configuration: &Configuration, ask: &Ask, currency: Currency) -> Result<Cart, Denied> {
    let mut wrong = Vec::new();
    let mut name = |field: String, mistake: Option<Mistake>| {
        wrong.extend(mistake.map(|mistake| Invalid { field, mistake }));
    };
    for (index, line) in ask.lines.iter().enumerate() {
        let is_known = configuration.products.contains_key(&line.sku);
        let unknown = (!is_known).then(|| Mistake::unknown(Thing::Product, &line.sku));
        name(format!("/lines/{index}/sku"), unknown);
        if line.quantity == 0 {
            let none = Mistake::count(line.quantity, 1, None);
            name(format!("/lines/{index}/quantity"), Some(none));
        } else {
            // The price of nothing is nothing, and no mistake of its own.
            name(format!("/lines/{index}/price"), Mistake::of_positive(line.price));
        }
    }
    if !ask.lines.iter().any(|line| line.is_wanted) {
        name("/lines".into(), Some(Mistake::Missing));
    }
    if let Some(count) = ask.count.filter(|count| !(1..=COUNT_MAX).contains(count)) {
        let most = i64::from(COUNT_MAX);
        name("/count".into(), Some(Mistake::count(count, 1, most)));
    }
    name(
        "/down_payment".into(),
        ask.down_payment.and_then(Mistake::of_amount),
    );
    if wrong.is_empty() {
        Ok(Cart {
            currency,
            lines: ask.lines.clone(),
        })
    } else {
        Err(Denied::Invalid(wrong))
    }
}
