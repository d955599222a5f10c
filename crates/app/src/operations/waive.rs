//! Waives a part of what is owed (减免): penalties, fees, interest or principal. A large waiver needs another person.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use serde::{Deserialize, Serialize};

use crate::mistake::Mistake;
use crate::operations::approve::{self, Outcome, Proposed};
use crate::operations::{audit, because, correction, entered, lent};
use crate::outcome::{Change, Denied, Key};
use crate::servicing;
use crate::unit::{Decision, request};
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
    /// At most how much; what is open of it is the most that can be waived.
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

/// Waives; above `second_person_above` another person must approve.
///
/// Errors: [`Refusal::NothingDue`] if nothing of the component is open.
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
        let rules = app.configuration().await?.rules.clone();
        let mut batch = Batch::new(&command.shopper.to_string());
        let amount = waivable(app, &command, &moment).await?;
        let reply = if amount.minor() > rules.second_person_above {
            let proposed = Proposed::Waive(command.clone());
            let hours = rules.proposal_hours;
            Outcome::NeedsSecondPerson(approve::propose(&mut batch, actor, &proposed, hours, &mut moment))
        } else {
            Outcome::Done(carry_out(app, &mut batch, actor, &command, &mut moment).await?)
        };
        Ok(Decision { batch, reply })
    })
    .await
}

/// How much of the wish can be waived today.
async fn waivable(app: &App, command: &Waive, moment: &Moment) -> Result<Amount, Denied> {
    let file = lent(app, command.shopper, command.agreement).await?;
    let open = servicing::fold(&file, moment.today)?
        .outstanding()?
        .of(command.component);
    let amount = command.amount.min(open);
    if amount.is_positive() {
        Ok(amount)
    } else {
        Err(Refusal::NothingDue.into())
    }
}

/// Waives, with its audit record.
pub(super) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    actor: &Actor,
    command: &Waive,
    moment: &mut Moment,
) -> Result<Waived, Denied> {
    let amount = waivable(app, command, moment).await?;
    let file = lent(app, command.shopper, command.agreement).await?;
    let event = Event::Waived {
        component: command.component,
        amount,
    };
    let detail = entered(&file, amount, &command.reason);
    let change = correction((moment.today, event), "agreement.waived", detail);
    let amended = servicing::amend(batch, &file, change, moment)?;
    let subject = command.agreement.to_string();
    audit(
        batch,
        actor,
        ("loan.waive", &subject),
        &command.reason,
        command,
        moment,
    );
    Ok(Waived {
        number: amended.numbers.first().copied().unwrap_or_default(),
        amount,
        outstanding: amended.loan.outstanding()?.total()?,
    })
}
