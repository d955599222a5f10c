//! Waives a part of what is owed (减免): penalties, fees, interest or principal. A large waiver needs another person.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::{Amount, OutOfRange};
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::settings;
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::configuration::Rules;
use crate::mistake::Mistake;
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::{audit, because, correction, entered, lately_since, lent};
use crate::outcome::{Change, Denied, Key};
use crate::servicing;
use crate::unit::request;
use crate::{App, Moment};

/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waive {
    /// Whose debt.
    pub shopper: ShopperId,
    /// Of which agreement.
    pub agreement: AgreementId,
    /// What of it.
    pub component: Component,
    /// How much; what is open of it is the most that can be waived.
    pub amount: Amount,
    /// Why.
    pub reason: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// The transaction's number within the agreement.
    pub number: u32,
    /// How much was waived.
    pub amount: Amount,
    /// What is still outstanding of the whole loan.
    pub outstanding: Amount,
}

/// Waives. What comes to more than `second_person_above`, with what was waived of the agreement in the days before, needs
/// another person.
///
/// Errors: [`Refusal::WaiverTooLarge`] with what is open of the component.
pub async fn waive(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Waive,
) -> Result<Change<Outcome<Waived>>, Denied> {
    actor.require(Scope::Care)?;
    because(&command.reason)?;
    Denied::of("/amount", Mistake::of_positive(command.amount))?;
    let asked = request(&command.shopper.to_string(), actor, key, "waive", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&command.shopper.to_string());
        let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::Waive(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Waives, with its audit record.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &Waive,
    moment: &mut Moment,
) -> Result<Weighed<Waived>, Denied> {
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let file = lent(app, command.shopper, command.agreement).await?;
    let open = servicing::fold(&file, moment.today)?
        .outstanding()?
        .of(command.component);
    if command.amount > open {
        return Err(Refusal::WaiverTooLarge {
            component: command.component,
            open,
        }
        .into());
    }
    let event = Event::Waived {
        component: command.component,
        amount: command.amount,
    };
    let detail = entered(&file, command.amount, &command.reason);
    let change = correction((moment.today, event), "agreement.waived", detail);
    let amended = servicing::amend(batch, &file, change, moment)?;
    let subject = command.agreement.to_string();
    audit(
        batch,
        by,
        ("loan.waive", &subject),
        &command.reason,
        command,
        moment,
    );
    let waived = lately(app, &file, &configuration.rules, moment)?.plus(command.amount)?;
    Ok(Weighed {
        reply: Waived {
            number: amended.numbers.first().copied().unwrap_or_default(),
            amount: command.amount,
            outstanding: amended.loan.outstanding()?.total()?,
        },
        needs_two: waived.minor() > configuration.rules.second_person_above,
        replaces: serde_json::Value::Null,
    })
}

/// What was waived of an agreement in the days over which waivers are added up, and was not taken back. A waiver counts on
/// the day on which it is made.
pub(super) fn lately(
    app: &App,
    file: &AgreementFile,
    rules: &Rules,
    moment: &Moment,
) -> Result<Amount, OutOfRange> {
    let since = app.day_of(lately_since(rules, moment));
    let is_back = |number: u32| {
        let back = Event::Reversed { of: number };
        file.transactions.iter().any(|t| t.event == back)
    };
    Amount::sum(file.transactions.iter().filter_map(|t| match t.event {
        Event::Waived { amount, .. } if t.effective_on >= since && !is_back(t.number) => Some(amount),
        _ => None,
    }))
}
