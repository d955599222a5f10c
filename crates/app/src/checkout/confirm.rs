//! Confirms a purchase (确认分期): the signed quote becomes an agreement, and the limit is held until the goods ship.
//!
//! Everything is read in one snapshot and written in one batch. What others own is guarded by one number, the generation
//! of the configuration; the limit and a campaign's budget are guarded by their conditions.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{self, Agreement, FromBudget, Stage};
use fenqi_domain::calendar::add_days;
use fenqi_domain::consent::{Document, DocumentRead};
use fenqi_domain::eligibility::Known;
use fenqi_domain::id::{AgreementId, OrderId, QuoteId, ShopperId};
use fenqi_domain::loan::{self, Event, Transaction};
use fenqi_domain::market::RunningCampaign;
use fenqi_domain::money::Amount;
use fenqi_domain::quote::Quote;
use fenqi_domain::refusal::Refusal;
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::{self, OrderRow};
use fenqi_store::tables::purchases::PurchaseCase;
use fenqi_store::tables::{credit, settings};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::checkout::quote::KeptQuote;
use crate::checkout::{agree, apply, offer};
use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::servicing;
use crate::unit::{Decision, request};
use crate::{App, Configuration, Moment};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Confirm {
    /// Who buys.
    pub shopper: ShopperId,
    /// The signed quote.
    pub quote: QuoteId,
    /// The digest of what was shown and signed.
    pub digest: String,
    /// The store's own number of the order; each is confirmed once.
    pub order: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The agreement.
    pub agreement: AgreementId,
    /// What is held of the limit.
    pub held: Amount,
    /// When the first instalment is due.
    pub first_due: Option<Date>,
    /// When the hold ends if nothing ships.
    pub expires_at: Timestamp,
}

/// Confirms a purchase.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Confirm,
) -> Result<Change<Confirmed>, Denied> {
    actor.require_for(command.shopper, Scope::Buy)?;
    Denied::of("/order", Mistake::of_code(&command.order))?;
    let asked = request(&command.shopper.to_string(), actor, key, "confirm", &command);
    app.once(&asked, || decide(app, &command)).await
}

async fn decide(app: &App, command: &Confirm) -> Result<Decision<Confirmed>, Denied> {
    let mut moment = app.moment();
    let configuration = app.configuration().await?;
    let case = app
        .store
        .purchase_case(command.shopper, command.quote)
        .await?
        .ok_or(Denied::NotFound)?;
    let kept: KeptQuote = case.quote()?;
    let quote = &kept.quote;
    let still_offered = configuration
        .plans
        .get(&quote.plan)
        .is_some_and(|plan| plan.version == quote.plan_version);
    let (Some(region), true) = (configuration.regions.get(&kept.region), still_offered) else {
        // The plan was withdrawn or changed: the price that was shown is no longer on offer.
        return Err(Refusal::QuoteChanged.into());
    };
    let named = quote.documents.iter();
    let documents: Vec<&Document> = named
        .filter_map(|named| configuration.documents.get(&named.code))
        .collect();
    let campaigns = campaigns(app, &configuration, quote).await?;
    let signed = agreement::Confirm {
        digest: command.digest.clone(),
        order: OrderId::new(&mut moment.ids),
        reads: reads(&case, quote)?,
    };
    let mut decided = agreement::confirm(
        &agreement::Case {
            today: moment.today,
            quote,
            used_by: case.is_used()?.then(|| agreements::id_of(quote.id)),
            shopper: command.shopper,
            known: &known(&case, &moment)?,
            consents: &agree::consents(command.shopper, &case.consents()?)?,
            documents: &documents,
            institution: configuration.institution(&quote.institution),
            region,
            windows: &configuration.windows,
            outages: &app.outages(),
            campaigns: &campaigns,
        },
        &signed,
        moment.now,
        &mut moment.ids,
    )?;
    decided.agreement.id = agreements::id_of(quote.id);
    let slice = match &decided.from_budget {
        Some(from) => Some(slice_of(app, from, command.shopper).await?),
        None => None,
    };
    write(command, quote, &decided, &configuration, slice, &mut moment)
}

/// What is known of the shopper, from the snapshot of the case.
fn known(case: &PurchaseCase, moment: &Moment) -> Result<Known, Denied> {
    let mut standing: Standing = case.standing()?;
    standing.overdue = offer::overdue(&case.agreements, moment)?;
    Ok(Known {
        standing,
        identity: case.evidence()?,
        applications: case
            .application::<apply::Kept>()?
            .map(|kept| kept.application)
            .into_iter()
            .collect(),
        lines: case.line()?.into_iter().collect(),
        has_card: case.has_card()?,
    })
}

/// When each document was read, if this very quote was signed.
fn reads(case: &PurchaseCase, quote: &Quote) -> Result<Vec<DocumentRead>, Denied> {
    match case.signature()? {
        Some((digest, reads)) if digest == quote.digest => Ok(reads),
        _ => Err(Refusal::ConsentMissing {
            purpose: "service_agreement".into(),
        }
        .into()),
    }
}

/// The campaign of the quote with what is left of its budget.
async fn campaigns(
    app: &App,
    configuration: &Configuration,
    quote: &Quote,
) -> Result<Vec<RunningCampaign>, Denied> {
    let campaign = quote
        .campaign
        .as_ref()
        .and_then(|code| configuration.campaigns.get(code));
    let Some(campaign) = campaign else {
        return Ok(Vec::new());
    };
    Ok(vec![offer::running(app, campaign).await?])
}

/// The slice of a campaign's budget that the seller's share is taken from.
async fn slice_of(app: &App, from: &FromBudget, shopper: ShopperId) -> Result<i64, Denied> {
    let slices = app.store.budget_slices(&from.campaign).await?;
    // Shoppers begin at different slices, so that a popular campaign has no row that all of them lock.
    let start = usize::try_from(shopper.bits() % (slices.len().max(1) as u128)).unwrap_or(0);
    let mut in_turn = slices.iter().cycle().skip(start).take(slices.len());
    let found = in_turn.find(|(_, left)| *left >= from.amount.minor());
    Ok(found
        .map(|(slice, _)| *slice)
        .ok_or_else(|| Refusal::BudgetSpent {
            campaign: from.campaign.clone(),
        })?)
}

fn write(
    command: &Confirm,
    quote: &Quote,
    decided: &agreement::Confirmed,
    configuration: &Configuration,
    slice: Option<i64>,
    moment: &mut Moment,
) -> Result<Decision<Confirmed>, Denied> {
    let agreement = &decided.agreement;
    let owner = command.shopper.to_string();
    let mut batch = Batch::new(&owner);
    settings::require_generation(&mut batch, configuration.generation);
    credit::hold(&mut batch, command.shopper, &quote.institution, quote.principal);
    if let (Some(from), Some(slice)) = (&decided.from_budget, slice) {
        settings::take_budget(&mut batch, &from.campaign, slice, from.amount.minor());
    }
    let order = OrderRow {
        reference: &command.order,
        price: quote.price,
    };
    let expires_on = add_days(moment.today, i64::from(quote.hold_days))?;
    agreements::confirmed(&mut batch, agreement, &order, &quote.schedule, expires_on);
    agreements::ordered(&mut batch, agreement, &command.order);
    if let Some(entry) = servicing::book_of(agreement).committed(quote.principal, moment.today) {
        servicing::book(&mut batch, agreement, &entry, moment);
    }
    let expires_at = match agreement.stage {
        Stage::Confirmed { expires_at, .. } => expires_at,
        _ => moment.now,
    };
    let reply = Confirmed {
        agreement: agreement.id,
        held: quote.principal,
        first_due: quote.terms.due_dates.first().copied(),
        expires_at,
    };
    let subject = agreement.id.to_string();
    agreements::happened(
        &mut batch,
        &owner,
        &subject,
        1,
        "agreement.confirmed",
        &reply,
        moment.now,
    );
    Ok(Decision { batch, reply })
}

/// The loan as it will be if everything is captured on the day of the confirmation: what the schedule shows until then.
pub fn expected(agreement: &Agreement, on: Date) -> Result<loan::Loan, Denied> {
    let event = Event::Disbursed {
        amount: agreement.terms.principal,
    };
    Ok(loan::fold(
        &agreement.terms,
        &[Transaction {
            number: 1,
            effective_on: on,
            event,
        }],
        on,
    )?)
}
