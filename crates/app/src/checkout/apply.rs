//! Asks an institution for credit (申请额度). The application is committed before the institution is called, so that an
//! unanswered call is asked about and never made again under another number.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::application::{self, Application, Decision, State};
use fenqi_domain::consent::{CreditEnquiryAgreed, ServiceAgreed};
use fenqi_domain::credit::{LimitEvent, Line};
use fenqi_domain::id::{ApplicationId, EntryId, ShopperId};
use fenqi_domain::identity::{self, IdNumber};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::refusal::Capability;
use fenqi_store::Batch;
use fenqi_store::tables::credit::{self, StoredApplication, StoredChange};
use fenqi_store::tables::{agreements, work};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::checkout::{agree, verify_identity};
use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::ports::{Assessment, CreditRequest};
use crate::servicing::{self, kinds};
use crate::unit::{Decision as Unit, request};
use crate::{App, Moment};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Apply {
    /// Who asks.
    pub shopper: ShopperId,
    /// Whom.
    pub institution: String,
    /// The monthly income that they declare, in minor units.
    pub income: Amount,
}

/// The reply: the application, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its identifier.
    pub id: ApplicationId,
    /// How it stands; asked again, the stored state is the newest.
    pub state: State,
}

/// What is kept of an application besides its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The application.
    pub application: Application,
    /// The monthly income that was declared.
    pub income: Amount,
    /// Whether the shopper agreed that a credit bureau be asked.
    pub enquired: bool,
}

// H15: asking costs nothing, whatever the answer is
/// Asks for credit. The answer may be there at once, or the application waits and a job asks on.
pub async fn apply(app: &App, actor: &Actor, key: &Key, command: Apply) -> Result<Change<Applied>, Denied> {
    actor.require_for(command.shopper, Scope::Buy)?;
    Denied::of("/income", Mistake::of_positive(command.income))?;
    let asked = request(&command.shopper.to_string(), actor, key, "apply", &command);
    let change = app.once(&asked, || intend(app, &command)).await?;
    let (made, applied) = match change {
        Change::Made(applied) => (true, applied),
        Change::AlreadyMade(applied) => (false, applied),
    };
    // The application is safe now; whoever answers, and however late, it is found by its number.
    let state = pursue(app, command.shopper, applied.id).await?;
    let applied = Applied {
        id: applied.id,
        state,
    };
    Ok(if made {
        Change::Made(applied)
    } else {
        Change::AlreadyMade(applied)
    })
}

async fn intend(app: &App, command: &Apply) -> Result<Unit<Applied>, Denied> {
    let mut moment = app.moment();
    let configuration = app.configuration().await?;
    configuration.open_for(Capability::Apply, &command.institution, moment.now)?;
    configuration
        .institution(&command.institution)
        .ok_or(Denied::NotFound)?;
    verify_identity::proved(app, command.shopper, configuration.rules.majority, &moment).await?;
    let consents = agree::consents(command.shopper, &app.store.consents(command.shopper).await?)?;
    ServiceAgreed::require(&consents, &command.institution)?;
    let known = app.store.applications(command.shopper).await?;
    let latest = latest_of(&known, &command.institution)?;
    application::may_apply(latest.as_ref(), moment.today)?;

    let id = ApplicationId::new(&mut moment.ids);
    let application = Application::asked(id, command.shopper, &command.institution, moment.now);
    let owner = command.shopper.to_string();
    let mut batch = Batch::new(&owner);
    let state = application.state.clone();
    let enquired = CreditEnquiryAgreed::require(&consents, &command.institution).is_ok();
    let kept = Kept {
        application,
        income: command.income,
        enquired,
    };
    credit::asked(
        &mut batch,
        command.shopper,
        id,
        &command.institution,
        state.code(),
        &kept,
        moment.now,
    );
    agreements::happened(
        &mut batch,
        &owner,
        &id.to_string(),
        1,
        "application.asked",
        &state,
        moment.now,
    );
    work::planned(&mut batch, &owner, kinds::ASSESS, &id.to_string(), moment.today);
    Ok(Unit {
        batch,
        reply: Applied { id, state },
    })
}

/// Hands an application to its institution, or asks how it stands, and writes the answer. Used by the job as well.
pub(crate) async fn pursue(app: &App, shopper: ShopperId, id: ApplicationId) -> Result<State, Denied> {
    let Some((stored, kept)) = find(app, shopper, id).await? else {
        return Err(Denied::NotFound);
    };
    if matches!(
        kept.application.state,
        State::Approved { .. } | State::Declined { .. } | State::Expired { .. } | State::Withdrawn { .. }
    ) {
        return Ok(kept.application.state);
    }
    let Some(party) = app.parties.institution(&stored.institution) else {
        return Ok(kept.application.state);
    };
    let answer = match &kept.application.state {
        State::Asked => party.assess(&credit_request(app, shopper, &kept).await?).await,
        _ => match party.ask_assessment(&id.to_string()).await {
            // It never arrived: the same number may be handed over again.
            Ok(Assessment::NotFound) => party.assess(&credit_request(app, shopper, &kept).await?).await,
            other => other,
        },
    };
    let now = app.clock.now();
    let next = match answer {
        Ok(Assessment::Approved { limit, expires_on }) => kept.application.clone().answer(
            Decision::Approved {
                limit,
                price_factor: Rate::ONE,
                expires_on,
            },
            now,
        ),
        Ok(Assessment::Declined {
            reasons,
            reapply_after,
        }) => kept.application.clone().answer(
            Decision::Declined {
                reasons,
                reapply_after,
            },
            now,
        ),
        Ok(Assessment::Referred) => kept.application.clone().answer(Decision::Referred, now),
        Ok(Assessment::NotFound) | Err(_) => Ok(kept.application.clone().unanswered(now)),
    }?;
    match next {
        fenqi_domain::change::Change::Made(application) => {
            record(app, shopper, &stored, Kept { application, ..kept }).await
        }
        fenqi_domain::change::Change::AlreadyMade => Ok(kept.application.state),
    }
}

/// Writes the answer to an application, unless another wrote one since it was read: then that is how it stands.
async fn record(
    app: &App,
    shopper: ShopperId,
    read: &StoredApplication,
    answered: Kept,
) -> Result<State, Denied> {
    app.step(|| async {
        let mut batch = Batch::new(&shopper.to_string());
        let (now, kept) = find(app, shopper, read.id).await?.ok_or(Denied::NotFound)?;
        if now.version != read.version {
            let reply = kept.application.state;
            return Ok(Unit { batch, reply });
        }
        write(app, &mut batch, shopper, read, &answered).await?;
        let reply = answered.application.state.clone();
        Ok(Unit { batch, reply })
    })
    .await
}

async fn write(
    app: &App,
    batch: &mut Batch,
    shopper: ShopperId,
    read: &StoredApplication,
    answered: &Kept,
) -> Result<(), Denied> {
    let mut moment = app.moment();
    let (id, state) = (read.id, &answered.application.state);
    credit::application_changed(batch, shopper, id, read.version, state.code(), answered);
    let (owner, subject) = (shopper.to_string(), id.to_string());
    let sequence = read.version.saturating_add(1);
    let event = format!("application.{}", state.code());
    agreements::happened(batch, &owner, &subject, sequence, &event, state, moment.now);
    match state {
        State::Asked | State::Referred { .. } | State::Unknown { .. } => {
            let tomorrow = fenqi_domain::calendar::add_days(moment.today, 1)?;
            work::planned(batch, &owner, kinds::ASSESS, &subject, tomorrow);
        }
        _ => work::done(batch, &owner, kinds::ASSESS, &subject),
    }
    if let State::Approved {
        limit, expires_on, ..
    } = state
    {
        let granted = (*limit, *expires_on);
        grant(app, batch, shopper, &read.institution, granted, &mut moment).await?;
    }
    Ok(())
}

/// Opens a credit line, or renews the one that stands, and says so on its timeline.
async fn grant(
    app: &App,
    batch: &mut Batch,
    shopper: ShopperId,
    institution: &str,
    (limit, expires_on): (Amount, Date),
    moment: &mut Moment,
) -> Result<(), Denied> {
    let (event, amount) = match app.store.line(shopper, institution).await? {
        Some(known) => {
            let line = Line {
                limit,
                expires_on,
                ..known.line.clone()
            };
            credit::line_set(batch, shopper, &line, known.version);
            let by = limit.minus(known.line.limit)?;
            (
                if by.is_negative() {
                    LimitEvent::Lowered
                } else {
                    LimitEvent::Raised
                },
                by,
            )
        }
        None => {
            let line = Line {
                institution: institution.into(),
                limit,
                own_limit: None,
                held: Amount::ZERO,
                used: Amount::ZERO,
                expires_on,
            };
            credit::line_opened(batch, shopper, &line);
            (LimitEvent::Granted, limit)
        }
    };
    let change = StoredChange {
        institution: institution.into(),
        event,
        amount,
        reason: "assessment".into(),
        at: moment.now,
    };
    credit::limit_changed(batch, shopper, EntryId::new(&mut moment.ids), &change);
    Ok(())
}

async fn credit_request(app: &App, shopper: ShopperId, kept: &Kept) -> Result<CreditRequest, Denied> {
    let today = app.moment().today;
    let identity = app.store.identity(shopper).await?.ok_or(Denied::NotFound)?;
    let (Some(name), Some(id_number)) = (identity.name, identity.id_number) else {
        return Err(Denied::NotFound);
    };
    let number = IdNumber::parse(id_number.reveal(), today)
        .map_err(|e| Denied::invalid("/id_number", Mistake::personal(e)))?;
    let bureau = match kept.enquired {
        // Without an answer the institution judges by what it knows itself; it is not a reason to refuse.
        true => app
            .parties
            .bureau
            .enquire(&id_number, &kept.application.id.to_string())
            .await
            .ok(),
        false => None,
    };
    let mut owed_monthly = Amount::ZERO;
    for file in app.store.agreements(shopper).await? {
        let loan = servicing::fold(&file, today)?;
        if let Some(row) = loan.next_due()? {
            owed_monthly = owed_monthly.plus(row.open()?.total()?)?;
        }
    }
    Ok(CreditRequest {
        number: kept.application.id.to_string(),
        age: identity::age_on(*number.born_on.reveal(), today),
        name,
        id_number,
        income: kept.income,
        owed_monthly,
        bureau,
        on: today,
    })
}

async fn find(
    app: &App,
    shopper: ShopperId,
    id: ApplicationId,
) -> Result<Option<(StoredApplication, Kept)>, Denied> {
    let Some(stored) = app
        .store
        .applications(shopper)
        .await?
        .into_iter()
        .find(|a| a.id == id)
    else {
        return Ok(None);
    };
    let mut kept: Kept = stored.detail()?;
    kept.application.version = stored.version;
    Ok(Some((stored, kept)))
}

/// The newest application to an institution.
pub(crate) fn latest_of(
    known: &[StoredApplication],
    institution: &str,
) -> Result<Option<Application>, Denied> {
    let newest = known
        .iter()
        .filter(|a| a.institution == institution)
        .max_by_key(|a| a.asked_at);
    newest
        .map(|stored| Ok(stored.detail::<Kept>()?.application))
        .transpose()
}

/// The newest application to each institution.
pub(crate) fn latest(known: &[StoredApplication]) -> Result<Vec<Application>, Denied> {
    let mut institutions: Vec<&str> = known.iter().map(|a| a.institution.as_str()).collect();
    institutions.sort_unstable();
    institutions.dedup();
    let newest = institutions
        .into_iter()
        .map(|institution| latest_of(known, institution));
    Ok(newest
        .collect::<Result<Vec<_>, Denied>>()?
        .into_iter()
        .flatten()
        .collect())
}
