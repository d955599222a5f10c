//! Confirms a purchase (确认分期): the signed quote becomes an agreement, and the limit is held until the goods ship.
//!
//! Everything is read in one snapshot and written in one batch. What others own is guarded by one number, the generation
//! of the configuration; the limit and a campaign's budget are guarded by their conditions.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::calendar::add_days;
use fenqi_domain::eligibility;
use fenqi_domain::id::{AgreementId, OrderId, QuoteId, ShopperId};
use fenqi_domain::loan::{self, Event, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::quote::Quote;
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::{self, OrderRow};
use fenqi_store::tables::purchases::PurchaseCase;
use fenqi_store::tables::{credit, settings, work};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::checkout::apply;
use crate::checkout::offer;
use crate::checkout::quote::KeptQuote;
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, kinds};
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
    if command.order.is_empty()
        || command.order.len() > 64
        || !command.order.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(Denied::invalid(
            "order",
            "must be 1 to 64 visible ASCII characters",
        ));
    }
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
    let kept: KeptQuote = case.quote.detail()?;
    let quote = &kept.quote;
    doors(app, &configuration, &kept, &moment)?;
    quote.check(&command.digest, moment.now)?;
    person(&case, &kept, &configuration, &moment)?;
    if let Some(agreement) = case.used_by {
        return Err(Refusal::QuoteUsed {
            agreement: agreement.to_string(),
        }
        .into());
    }
    if app.store.order(&quote.seller, &command.order).await?.is_some() {
        return Err(Refusal::AlreadyExists {
            what: format!("order {}", command.order),
        }
        .into());
    }
    let line = case
        .lines
        .iter()
        .find(|l| l.line.institution == quote.institution);
    let line = line.ok_or_else(|| Refusal::ApplicationRequired {
        institution: quote.institution.clone(),
    })?;
    line.line.has_room(quote.principal, moment.today)?;
    let slice = budget(app, quote, command.shopper).await?;
    write(command, quote, &configuration, slice, &mut moment)
}

/// Whether the institution and the service are open for this purchase, and the plan still stands.
fn doors(app: &App, configuration: &Configuration, kept: &KeptQuote, moment: &Moment) -> Result<(), Denied> {
    let quote = &kept.quote;
    let region = configuration
        .regions
        .get(&kept.region)
        .ok_or(Refusal::QuoteChanged)?;
    let closed = eligibility::closed_doors(
        configuration.institution(&quote.institution),
        &quote.institution,
        region,
        Capability::Confirm,
        &configuration.windows,
        &app.outages(),
        moment.now,
    );
    if let Some(refusal) = closed.into_iter().next() {
        return Err(refusal.into());
    }
    match configuration.plans.get(&quote.plan) {
        Some(plan) if plan.version == quote.plan_version => Ok(()),
        // The plan was withdrawn or changed: the price that was shown is no longer on offer.
        _ => Err(Refusal::QuoteChanged.into()),
    }
}

/// Whether this person may buy now: signature, standing, identity, approval, card.
fn person(
    case: &PurchaseCase,
    kept: &KeptQuote,
    configuration: &Configuration,
    moment: &Moment,
) -> Result<(), Denied> {
    let quote = &kept.quote;
    let signed = case
        .signature
        .as_ref()
        .is_some_and(|signature| signature.digest == quote.digest);
    if !signed {
        return Err(Refusal::ConsentMissing {
            purpose: "service_agreement".into(),
        }
        .into());
    }
    let mut standing: Standing = case.shopper.standing()?;
    standing.overdue = offer::overdue(&case.agreements, moment)?;
    standing.may_borrow()?;
    let evidence: fenqi_domain::evidence::IdentityEvidence = case.evidence()?;
    evidence.is_enough(moment.today)?;
    let majority = configuration
        .regions
        .get(&kept.region)
        .map_or(18, |region| region.majority);
    evidence.is_of_age(majority)?;
    if let Some(refusal) = apply::refusal_of(&case.applications, &quote.institution, moment.today)? {
        return Err(refusal.into());
    }
    if kept.needs_card && !case.has_card {
        return Err(Refusal::CardRequired {
            institution: quote.institution.clone(),
        }
        .into());
    }
    Ok(())
}

/// The slice of the campaign's budget that the seller's share is taken from.
async fn budget(app: &App, quote: &Quote, shopper: ShopperId) -> Result<Option<(String, i64)>, Denied> {
    let Some(campaign) = &quote.campaign else {
        return Ok(None);
    };
    let needed = quote.cost.subsidy.minor();
    let slices = app.store.budget_slices(campaign).await?;
    // Shoppers begin at different slices, so that a popular campaign has no row that all of them lock.
    let start = usize::try_from(shopper.bits() % (slices.len().max(1) as u128)).unwrap_or(0);
    let mut in_turn = slices.iter().cycle().skip(start).take(slices.len());
    match in_turn.find(|(_, left)| *left >= needed) {
        Some((slice, _)) => Ok(Some((campaign.clone(), *slice))),
        None => Err(Refusal::BudgetSpent {
            campaign: campaign.clone(),
        }
        .into()),
    }
}

fn write(
    command: &Confirm,
    quote: &Quote,
    configuration: &Configuration,
    slice: Option<(String, i64)>,
    moment: &mut Moment,
) -> Result<Decision<Confirmed>, Denied> {
    let owner = command.shopper.to_string();
    let expires_on = add_days(moment.today, i64::from(quote.hold_days))?;
    let hours = i64::from(quote.hold_days).saturating_mul(24);
    let expires_at = moment
        .now
        .checked_add(jiff::SignedDuration::from_hours(hours))
        .unwrap_or(moment.now);
    let agreement = Agreement {
        id: AgreementId::new(&mut moment.ids),
        shopper: command.shopper,
        institution: quote.institution.clone(),
        seller: quote.seller.clone(),
        plan: quote.plan.clone(),
        plan_version: quote.plan_version,
        order: OrderId::new(&mut moment.ids),
        quote: quote.id,
        lines: quote.lines.clone(),
        terms: quote.terms.clone(),
        stage: Stage::Confirmed {
            held: quote.principal,
            expires_at,
        },
        digest: quote.digest.clone(),
        confirmed_at: moment.now,
        version: 1,
    };
    let mut batch = Batch::new(&owner);
    settings::require_generation(&mut batch, configuration.generation);
    credit::hold(&mut batch, command.shopper, &quote.institution, quote.principal);
    if let Some((campaign, slice)) = &slice {
        settings::take_budget(&mut batch, campaign, *slice, quote.cost.subsidy.minor());
    }
    agreements::confirmed(&mut batch, &agreement, &expected(&agreement, moment.today)?);
    let order = OrderRow {
        id: agreement.order,
        seller: &quote.seller,
        reference: &command.order,
        price: quote.price,
        currency: quote.terms.currency,
        lines: &quote.lines,
    };
    agreements::ordered(&mut batch, &agreement, &order, moment.now);
    if let Some(entry) = servicing::book_of(&agreement).committed(quote.principal, moment.today) {
        servicing::book(&mut batch, &agreement, &entry, moment);
    }
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
    work::planned(&mut batch, &owner, kinds::EXPIRE, &subject, expires_on);
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
