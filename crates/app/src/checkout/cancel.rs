//! Ends what is still held of an agreement (取消与到期): by the store, by the shopper before anything shipped, or because
//! the hold ran out. What was captured stays a loan.

use std::collections::BTreeMap;

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{Ending, Released, Stage};
use fenqi_domain::change;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::tables::agenda::{self, Days, Task};
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::servicing::HoldCase;
use fenqi_store::tables::{credit, settings};
use fenqi_store::{Batch, Fault};
use serde::{Deserialize, Serialize};

use crate::checkout::confirm;
use crate::checkout::quote::KeptQuote;
use crate::jobs::Due;
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
    app.once(&asked, || decide(app, actor, &command)).await
}

async fn decide(app: &App, actor: &Actor, command: &Cancel) -> Result<Decision<Cancelled>, Denied> {
    let mut moment = app.moment();
    let mut found = held(app, &[(command.shopper, command.agreement)]).await?;
    let found = found.pop().transpose()?.flatten();
    let held = found.ok_or(Denied::NotFound)?;
    let agreement = &held.file.agreement;
    if !matches!(actor, Actor::Shopper { .. }) {
        actor.require_seller(&agreement.seller, Scope::Orders)?;
    }
    let mut batch = Batch::new(&command.shopper.to_string());
    let released = match agreement.clone().cancel(Ending::Cancelled, moment.now)? {
        change::Change::Made(released) => released,
        change::Change::AlreadyMade => {
            return Err(Refusal::WrongStage {
                stage: agreement.stage.code().into(),
                needed: "confirmed".into(),
            }
            .into());
        }
    };
    write(
        app,
        &mut batch,
        &held,
        &released,
        "agreement.cancelled",
        &mut moment,
    )?;
    Ok(Decision {
        batch,
        reply: Cancelled {
            released: released.amount,
        },
    })
}

/// Releases holds that ran out. Used by the job; says of each whether there was one.
pub(crate) async fn expire(app: &App, round: &[Due<AgreementId>]) -> Vec<Result<bool, Denied>> {
    let read = |round: Vec<Due<AgreementId>>| async move { held(app, &Due::keys(&round)).await };
    app.steps(round, read, |_, held| run_out(app, &held)).await
}

fn run_out(app: &App, held: &Held) -> Result<Decision<bool>, Denied> {
    let mut moment = app.moment();
    let agreement = &held.file.agreement;
    let mut batch = Batch::new(&agreement.shopper.to_string());
    let change::Change::Made(released) = agreement.clone().expire(moment.now) else {
        if agreement.held().is_zero() {
            agenda::moved(&mut batch, agreement, Task::Expire, None);
        }
        return Ok(Decision { batch, reply: false });
    };
    write(app, &mut batch, held, &released, "agreement.expired", &mut moment)?;
    Ok(Decision { batch, reply: true })
}

/// An agreement that holds something, with what it had taken from a campaign's budget.
struct Held {
    file: AgreementFile,
    taken: Option<Taken>,
}

/// What a purchase took from its campaign's budget, and the slice that it goes back to.
struct Taken {
    campaign: String,
    slice: i64,
    amount: Amount,
}

/// Reads agreements with what they took from budgets: in one snapshot, and each campaign once.
async fn held(
    app: &App,
    keys: &[(ShopperId, AgreementId)],
) -> Result<Vec<Result<Option<Held>, Fault>>, Fault> {
    let cases = app.store.hold_cases(keys).await?;
    let mut slices: BTreeMap<String, Option<i64>> = BTreeMap::new();
    let mut all = Vec::with_capacity(cases.len());
    for case in cases {
        all.push(match case {
            Ok(Some(case)) => with_taken(app, case, &mut slices).await.map(Some),
            other => other.map(|_| None),
        });
    }
    Ok(all)
}

async fn with_taken(
    app: &App,
    HoldCase { file, quote }: HoldCase,
    slices: &mut BTreeMap<String, Option<i64>>,
) -> Result<Held, Fault> {
    let quote = quote.map(|stored| stored.detail::<KeptQuote>()).transpose()?;
    let Some((campaign, amount)) = quote.and_then(|kept| {
        let quote = kept.quote;
        Some((quote.campaign?, quote.cost.subsidy))
    }) else {
        return Ok(Held { file, taken: None });
    };
    let slice = match slices.get(&campaign) {
        Some(known) => *known,
        None => {
            let found = app.store.budget_slices(&campaign).await?;
            let first = found.first().map(|(slice, _)| *slice);
            slices.insert(campaign.clone(), first);
            first
        }
    };
    let taken = slice.map(|slice| Taken {
        campaign,
        slice,
        amount,
    });
    Ok(Held { file, taken })
}

fn write(
    app: &App,
    batch: &mut Batch,
    Held { file, taken }: &Held,
    released: &Released,
    event: &str,
    moment: &mut Moment,
) -> Result<(), Denied> {
    let agreement = &file.agreement;
    let ended = matches!(released.agreement.stage, Stage::Cancelled { .. });
    let (owner, subject) = (agreement.shopper.to_string(), agreement.id.to_string());
    let (loan, owed) = if ended {
        // What a cancelled purchase had taken from its campaign's budget goes back, so that somebody else can have it.
        if let Some(taken) = taken {
            settings::give_budget(batch, &taken.campaign, taken.slice, taken.amount.minor());
        }
        (
            confirm::expected(agreement, app.day_of(agreement.confirmed_at))?,
            Amount::ZERO,
        )
    } else {
        let loan = servicing::fold(file, file.booked_on.unwrap_or(moment.today))?;
        let owed = loan.outstanding()?.principal;
        (loan, owed)
    };
    // Where nothing is owed for what shipped, the end of the hold settles it.
    let stage = servicing::stage_after(released.agreement.stage.clone(), &loan, agreement)?;
    let to = agreements::Changed {
        before: agreement,
        stage: &stage,
        loan: &loan,
        outstanding: owed,
        booked_on: file.booked_on,
        days: Some(Days {
            expire: servicing::expires(&file.days, &stage),
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
