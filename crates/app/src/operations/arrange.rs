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
use fenqi_store::tables::staff::PLATFORM;
use fenqi_store::{Batch, vault};
use serde::{Deserialize, Serialize};

use crate::checkout::quote::KeptQuote;
use crate::mistake::Mistake;
use crate::operations::{audit, because, each_active, lent};
use crate::outcome::{Change, Denied, Key};
use crate::servicing::{self, Amendment};
use crate::unit::{Decision, request};
use crate::{App, texts};

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

/// The command.
#[derive(Debug, Clone, Serialize)]
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

/// Arranges. For many, each agreement is a commit of its own under a key derived from the command's, so that a repetition
/// after a fault goes on where it stopped and does nothing twice.
///
/// Errors: for one agreement [`Refusal::WrongStage`] unless it runs, [`Refusal::NothingToArrange`] if nothing would change.
pub async fn arrange(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Arrange,
) -> Result<Change<Arranged>, Denied> {
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
    match &command.whom {
        Whom::Agreement { shopper, agreement } => {
            one(app, actor, key, &command, (*shopper, *agreement)).await
        }
        Whom::All { region, institution } => {
            let mut sum = Arranged::default();
            for (shopper, agreement) in each_active(app).await? {
                let file = lent(app, shopper, agreement).await?;
                if !fits(app, &file, region.as_deref(), institution.as_deref()).await? {
                    continue;
                }
                let own = part_of(key, agreement)?;
                match one(app, actor, &own, &command, (shopper, agreement)).await {
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
            closed(app, actor, key, &command, sum).await
        }
    }
}

/// Arranges for one agreement.
async fn one(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: &Arrange,
    (shopper, agreement): (ShopperId, AgreementId),
) -> Result<Change<Arranged>, Denied> {
    let asked = request(&shopper.to_string(), actor, key, "arrange", command);
    app.once(&asked, || async {
        let mut moment = app.moment();
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
            added.push((
                moment.today,
                Event::Waived {
                    component: Component::Penalty,
                    amount: penalty,
                },
            ));
        }
        if added.is_empty() || loan.is_settled()? {
            return Err(Refusal::NothingToArrange.into());
        }
        let mut batch = Batch::new(&shopper.to_string());
        let change = Amendment {
            added,
            stage: None,
            held: Amount::ZERO,
            entries: Vec::new(),
            event: "agreement.arranged",
            detail: serde_json::json!({
                "defer_days": deferred, "waived": waived, "reason": command.reason,
            }),
        };
        servicing::amend(&mut batch, &file, change, &mut moment)?;
        let subject = agreement.to_string();
        audit(
            &mut batch,
            actor,
            ("loan.arrange", &subject),
            &command.reason,
            command,
            &mut moment,
        );
        let told = serde_json::json!({ "what": what(deferred, waived), "why": command.reason });
        let message = MessageId::new(&mut moment.ids);
        texts::queue(app, &mut batch, shopper, message, "arrangement", &told, &moment).await?;
        Ok(Decision {
            batch,
            reply: Arranged {
                agreements: 1,
                waived,
            },
        })
    })
    .await
}

/// The record of an arrangement for many, once all of them are done.
async fn closed(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: &Arrange,
    sum: Arranged,
) -> Result<Change<Arranged>, Denied> {
    let asked = request(PLATFORM, actor, key, "arrange", command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(PLATFORM);
        audit(
            &mut batch,
            actor,
            ("loan.arrange_all", "agreements"),
            &command.reason,
            command,
            &mut moment,
        );
        Ok(Decision {
            batch,
            reply: sum.clone(),
        })
    })
    .await
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
