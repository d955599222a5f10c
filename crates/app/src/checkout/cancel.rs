//! Ends what is still held of an agreement (取消与到期): by the store, by the shopper before anything shipped, or because
//! the hold ran out. What was captured stays a loan.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Ending, Released, Stage};
use fenqi_domain::change;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Days, Task};
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::{credit, settings};
use serde::{Deserialize, Serialize};

use crate::checkout::confirm;
use crate::checkout::quote::KeptQuote;
use crate::outcome::{Change, Denied, Key};
use crate::servicing;
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
        let released = match file.agreement.clone().cancel(Ending::Cancelled, moment.now)? {
            change::Change::Made(released) => released,
            change::Change::AlreadyMade => {
                let stage = file.agreement.stage.code();
                return Err(Refusal::WrongStage {
                    stage: stage.into(),
                    needed: "confirmed".into(),
                }
                .into());
            }
        };
        write(
            app,
            &mut batch,
            &file,
            &released,
            "agreement.cancelled",
            &mut moment,
        )
        .await?;
        Ok(Decision {
            batch,
            reply: Cancelled {
                released: released.amount,
            },
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
        let change::Change::Made(released) = file.agreement.clone().expire(moment.now) else {
            if file.agreement.held().is_zero() {
                agenda::moved(&mut batch, &file.agreement, Task::Expire, None);
            }
            return Ok(Decision { batch, reply: false });
        };
        write(
            app,
            &mut batch,
            &file,
            &released,
            "agreement.expired",
            &mut moment,
        )
        .await?;
        Ok(Decision { batch, reply: true })
    })
    .await
}

async fn write(
    app: &App,
    batch: &mut Batch,
    file: &AgreementFile,
    released: &Released,
    event: &str,
    moment: &mut Moment,
) -> Result<(), Denied> {
    let (agreement, stage) = (&file.agreement, &released.agreement.stage);
    let ended = matches!(stage, Stage::Cancelled { .. });
    let (owner, subject) = (agreement.shopper.to_string(), agreement.id.to_string());
    let (loan, owed) = if ended {
        give_back_budget(app, batch, file).await?;
        (
            confirm::expected(agreement, app.day_of(agreement.confirmed_at))?,
            Amount::ZERO,
        )
    } else {
        let loan = servicing::fold(file, file.booked_on.unwrap_or(moment.today))?;
        let owed = loan.outstanding()?.principal;
        (loan, owed)
    };
    let to = agreements::Changed {
        before: agreement,
        stage,
        loan: &loan,
        outstanding: owed,
        booked_on: file.booked_on,
        days: Some(Days {
            expire: servicing::expires(&file.days, stage),
            ..file.days
        }),
    };
    agreements::changed(batch, &to);
    let back = Amount::ZERO.minus(released.amount)?;
    credit::move_line(
        batch,
        agreement.shopper,
        &agreement.institution,
        back,
        Amount::ZERO,
    );
    if let Some(entry) = servicing::book_of(agreement).commitment_released(released.amount, moment.today) {
        servicing::book(batch, agreement, &entry, moment);
    }
    let sequence = agreement.version.saturating_add(1);
    agreements::happened(
        batch,
        &owner,
        &subject,
        sequence,
        event,
        &Cancelled {
            released: released.amount,
        },
        moment.now,
    );
    Ok(())
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
