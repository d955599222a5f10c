//! Ends what is still held of an agreement (取消与到期): by the store, by the shopper before anything shipped, or because
//! the hold ran out. What was captured stays a loan.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Ending, Stage};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::{credit, settings, work};
use serde::{Deserialize, Serialize};

use crate::checkout::confirm;
use crate::checkout::quote::KeptQuote;
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, kinds};
use crate::unit::{Decision, request};
use crate::{App, Moment};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Cancel {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// What was released of the limit.
    pub released: Amount,
}

/// Cancels what is still held.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Cancel,
) -> Result<Change<Cancelled>, Denied> {
    if matches!(actor, Actor::Shopper { .. }) {
        actor.require_for(command.shopper, Scope::Buy)?;
    } else {
        actor.require(Scope::Orders)?;
    }
    let asked = request(&command.shopper.to_string(), actor, key, "cancel", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let file = app
            .store
            .agreement(command.shopper, command.agreement)
            .await?
            .ok_or(Denied::NotFound)?;
        if !matches!(actor, Actor::Shopper { .. }) {
            actor.require_seller(&file.agreement.seller, Scope::Orders)?;
        }
        let mut batch = Batch::new(&command.shopper.to_string());
        let released = release(app, &mut batch, &file, Ending::Cancelled, &mut moment).await?;
        Ok(Decision {
            batch,
            reply: Cancelled { released },
        })
    })
    .await
}

/// Releases a hold that ran out. Used by the job; says whether there was one.
pub(crate) async fn expire(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    app.step(|| async {
        let mut moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        let is_over = match &file.agreement.stage {
            Stage::Confirmed { expires_at, .. } => moment.now >= *expires_at,
            Stage::Active { held, .. } => held.is_positive(),
            Stage::Settled { .. } | Stage::Cancelled { .. } => false,
        };
        if is_over {
            release(app, &mut batch, &file, Ending::Expired, &mut moment).await?;
        }
        Ok(Decision {
            batch,
            reply: is_over,
        })
    })
    .await
}

async fn release(
    app: &App,
    batch: &mut Batch,
    file: &AgreementFile,
    why: Ending,
    moment: &mut Moment,
) -> Result<Amount, Denied> {
    let agreement = &file.agreement;
    let (held, stage) = match &agreement.stage {
        Stage::Confirmed { held, .. } => (*held, Stage::Cancelled { at: moment.now, why }),
        Stage::Active { held, funding } if held.is_positive() => (
            *held,
            Stage::Active {
                held: Amount::ZERO,
                funding: funding.clone(),
            },
        ),
        other => {
            let stage = agreements::stage_code(other);
            return Err(Refusal::WrongStage {
                stage: stage.into(),
                needed: "confirmed".into(),
            }
            .into());
        }
    };
    let loan = match stage {
        Stage::Cancelled { .. } => confirm::expected(agreement, app.day_of(agreement.confirmed_at))?,
        _ => servicing::fold(file, file.booked_on.unwrap_or(moment.today))?,
    };
    let owed = if matches!(stage, Stage::Cancelled { .. }) {
        Amount::ZERO
    } else {
        loan.outstanding()?.principal
    };
    agreements::changed(batch, agreement, &stage, &loan, owed, file.booked_on);
    credit::move_line(
        batch,
        agreement.shopper,
        &agreement.institution,
        Amount::ZERO.minus(held)?,
        Amount::ZERO,
    );
    if let Some(entry) = servicing::book_of(agreement).commitment_released(held, moment.today) {
        servicing::book(batch, agreement, &entry, moment);
    }
    if matches!(stage, Stage::Cancelled { .. }) {
        give_back_budget(app, batch, file).await?;
    }
    let (owner, subject) = (agreement.shopper.to_string(), agreement.id.to_string());
    let sequence = agreement.version.saturating_add(1);
    let event = match why {
        Ending::Expired => "agreement.expired",
        Ending::Cancelled | Ending::NotFunded => "agreement.cancelled",
    };
    agreements::happened(
        batch,
        &owner,
        &subject,
        sequence,
        event,
        &Cancelled { released: held },
        moment.now,
    );
    work::done(batch, &owner, kinds::EXPIRE, &subject);
    Ok(held)
}

/// What a cancelled purchase had taken from its campaign's budget goes back, so that somebody else can have it.
async fn give_back_budget(app: &App, batch: &mut Batch, file: &AgreementFile) -> Result<(), Denied> {
    let stored = app
        .store
        .quote(file.agreement.shopper, file.agreement.quote)
        .await?;
    let Some(quote) = stored.map(|stored| stored.detail::<KeptQuote>()).transpose()? else {
        return Ok(());
    };
    if let Some(campaign) = &quote.quote.campaign
        && let Some((slice, _)) = app.store.budget_slices(campaign).await?.first()
    {
        settings::give_budget(batch, campaign, *slice, quote.quote.cost.subsidy.minor());
    }
    Ok(())
}
