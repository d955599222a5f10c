//! Arranges something for people in trouble (临时安排): due dates move, penalties are let go, for one agreement or for all
//! of an institution or a region, with a reason. Each shopper is told.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{AgreementId, MessageId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::market::covers;
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::Refusal;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::settings;
use fenqi_store::tables::staff::PLATFORM;
use fenqi_store::{Batch, vault};
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::checkout::quote::KeptQuote;
use crate::mistake::Mistake;
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::{audit, because, each_active, lent, waive};
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, Amendment};
use crate::unit::{Decision, request};
use crate::{App, Moment, texts};

/// For whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Whom {
    /// One agreement.
    Agreement {
        /// Whose.
        shopper: ShopperId,
        /// Which.
        agreement: AgreementId,
    },
    /// Every running agreement that fits.
    All {
        /// Delivered to this region or below it; none for everywhere.
        region: Option<String>,
        /// With this institution; none for all.
        institution: Option<String>,
    },
}

impl Whom {
    /// Whether it is for many.
    pub(super) fn is_many(&self) -> bool {
        matches!(self, Whom::All { .. })
    }

    /// Whose rows it changes, or the platform's for many.
    pub(super) fn owner(&self) -> String {
        match self {
            Whom::Agreement { shopper, .. } => shopper.to_string(),
            Whom::All { .. } => PLATFORM.into(),
        }
    }
}

// H9, H10: dates, penalties and reminders for who cannot pay now
/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrange {
    /// For whom.
    pub whom: Whom,
    /// By how many days instalments that are not yet due move; zero leaves them, 90 is the most.
    pub defer_days: u16,
    /// Whether open penalties are let go.
    pub waive_penalties: bool,
    /// Why, as the shopper is told.
    pub reason: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arranged {
    /// For how many agreements something changed.
    pub agreements: u64,
    /// The penalties that were let go.
    pub waived: Amount,
}

/// The most days by which due dates move at once.
pub const DEFER_DAYS_MAX: u16 = 90;

// R36: an arrangement for one agreement, or for all of a region
/// Arranges. For many, each agreement is a commit of its own under a key derived from the command's, so that a repetition
/// after a fault goes on where it stopped and does nothing twice.
///
/// Penalties that come to more than one person may waive need another person, and the penalties of many always do.
///
/// Errors: for one agreement [`Refusal::WrongStage`] unless it runs, [`Refusal::NothingToArrange`] if nothing would change.
pub async fn arrange(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Arrange,
) -> Result<Change<Outcome<Arranged>>, Denied> {
    actor.require(Scope::Care)?;
    because(&command.reason)?;
    if command.defer_days > DEFER_DAYS_MAX {
        let mistake = Mistake::count(command.defer_days, 0, i64::from(DEFER_DAYS_MAX));
        return Err(Denied::invalid("/defer_days", mistake));
    }
    if command.defer_days == 0 && !command.waive_penalties {
        let fields = ["/defer_days", "/waive_penalties"].map(String::from).into();
        return Err(Denied::invalid("", Mistake::NothingAsked { fields }));
    }
    let asked = request(&command.whom.owner(), actor, key, "arrange", &command);
    let mut sum = Arranged::default();
    if !command.waive_penalties {
        sum = each(app, actor.into(), key, &command).await?;
    }
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&command.whom.owner());
        let mut weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        if command.whom.is_many() {
            weighed.reply = sum.clone();
        }
        let proposed = Proposed::Arrange(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Arranges for each of many; for one agreement, which [`carry_out`] takes, there is nothing to do here.
pub(super) async fn each(app: &App, by: By<'_>, key: &Key, command: &Arrange) -> Result<Arranged, Denied> {
    let mut sum = Arranged::default();
    let Whom::All { region, institution } = &command.whom else {
        return Ok(sum);
    };
    for (shopper, agreement) in each_active(app).await? {
        let file = lent(app, shopper, agreement).await?;
        if !fits(app, &file, region.as_deref(), institution.as_deref()).await? {
            continue;
        }
        let own = part_of(key, agreement)?;
        let asked = request(&shopper.to_string(), by.actor, &own, "arrange", command);
        let part = app.once(&asked, || async {
            let mut moment = app.moment();
            let mut batch = Batch::new(&shopper.to_string());
            let about = (shopper, agreement);
            let weighed = one(app, &mut batch, by, command, about, &mut moment).await?;
            let reply = weighed.reply;
            Ok(Decision { batch, reply })
        });
        match part.await {
            Ok(done) => {
                let done = done.reply();
                sum.agreements = sum.agreements.saturating_add(done.agreements);
                sum.waived = sum.waived.plus(done.waived)?;
            }
            // It was settled meanwhile, or there is nothing to arrange about it.
            Err(Denied::Refused(_)) => {}
            Err(denied) => return Err(denied),
        }
    }
    Ok(sum)
}

/// Arranges for one agreement; for many, puts it on record, and [`each`] arranges.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &Arrange,
    moment: &mut Moment,
) -> Result<Weighed<Arranged>, Denied> {
    if let Whom::Agreement { shopper, agreement } = &command.whom {
        return one(app, batch, by, command, (*shopper, *agreement), moment).await;
    }
    let about = ("loan.arrange_all", "agreements");
    audit(batch, by, about, &command.reason, command, moment);
    Ok(Weighed {
        reply: Arranged::default(),
        needs_two: command.waive_penalties,
        replaces: serde_json::Value::Null,
    })
}

/// Arranges for one agreement, and tells its shopper.
async fn one(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &Arrange,
    (shopper, agreement): (ShopperId, AgreementId),
    moment: &mut Moment,
) -> Result<Weighed<Arranged>, Denied> {
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let file = lent(app, shopper, agreement).await?;
    let loan = servicing::fold(&file, moment.today)?;
    let penalty = loan.outstanding()?.penalty;
    let (mut added, mut deferred) = (Vec::new(), 0);
    if command.defer_days > 0 && loan.rows.iter().any(|row| row.due_on > moment.today) {
        deferred = command.defer_days;
        added.push((moment.today, Event::Deferred { days: deferred }));
    }
    let mut waived = Amount::ZERO;
    if command.waive_penalties && penalty.is_positive() {
        waived = penalty;
        let component = Component::Penalty;
        let amount = penalty;
        added.push((moment.today, Event::Waived { component, amount }));
    }
    if added.is_empty() || loan.is_settled()? {
        return Err(Refusal::NothingToArrange.into());
    }
    let detail = serde_json::json!({
        "defer_days": deferred, "waived": waived, "reason": command.reason,
    });
    let change = Amendment {
        added,
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event: "agreement.arranged",
        detail,
    };
    servicing::amend(batch, &file, change, moment)?;
    let about = ("loan.arrange", agreement.to_string());
    audit(batch, by, (about.0, &about.1), &command.reason, command, moment);
    let told = serde_json::json!({ "what": what(deferred, waived), "why": command.reason });
    let message = MessageId::new(&mut moment.ids);
    texts::queue(app, batch, shopper, message, "arrangement", &told, moment).await?;
    let sum = waive::lately(app, &file, &configuration.rules, moment)?.plus(waived)?;
    let alone = configuration.rules.second_person_above;
    Ok(Weighed {
        reply: Arranged {
            agreements: 1,
            waived,
        },
        needs_two: waived.is_positive() && sum.minor() > alone,
        replaces: serde_json::Value::Null,
    })
}

/// The key of one agreement's part of a command.
fn part_of(key: &Key, agreement: AgreementId) -> Result<Key, Denied> {
    // A client's key may be as long as a key can be, so that its digest stands for it.
    Key::parse(&format!(
        "{}/{agreement}",
        vault::fingerprint(key.as_str().as_bytes())
    ))
}

/// Whether an agreement is among those that are meant.
async fn fits(
    app: &App,
    file: &AgreementFile,
    region: Option<&str>,
    institution: Option<&str>,
) -> Result<bool, Denied> {
    if institution.is_some_and(|code| code != file.agreement.institution) {
        return Ok(false);
    }
    let Some(scope) = region else { return Ok(true) };
    let stored = app
        .store
        .quote(file.agreement.shopper, file.agreement.quote)
        .await?;
    let kept: Option<KeptQuote> = stored.map(|quote| quote.detail()).transpose()?;
    Ok(kept.is_some_and(|kept| covers(scope, &kept.region)))
}

/// What is arranged, in both languages, since a message is read in either.
fn what(deferred: u16, waived: Amount) -> String {
    let mut parts = Vec::new();
    if deferred > 0 {
        parts.push(format!(
            "未到期各期顺延 {0} 天 / instalments not yet due move by {0} days",
            deferred
        ));
    }
    if waived.is_positive() {
        let amount = fenqi_domain::money::point(waived.minor(), 2);
        parts.push(format!("减免罚息 {amount} / penalties of {amount} are waived"));
    }
    parts.join("；")
}
