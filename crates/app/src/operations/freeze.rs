//! Freezes an account for new credit, or lifts that (冻结与解冻). Whoever is frozen may still repay (R24).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::ShopperId;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_domain::standing::{Account, FreezeReason};
use fenqi_store::Batch;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::operations::{audit, because, standing};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct Freeze {
    /// Whose account.
    pub shopper: ShopperId,
    /// Why, by its kind.
    pub why: FreezeReason,
    /// Why, in words.
    pub reason: String,
}

/// The command that lifts it.
#[derive(Debug, Clone, Serialize)]
pub struct Unfreeze {
    /// Whose account.
    pub shopper: ShopperId,
    /// Why, in words.
    pub reason: String,
}

/// The reply: how the account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStands {
    /// Its state.
    pub account: Account,
}

/// Freezes an account for new credit.
///
/// Errors: [`Refusal::AlreadyExists`] if it is frozen.
pub async fn freeze(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Freeze,
) -> Result<Change<AccountStands>, Denied> {
    actor.require(Scope::Accounts)?;
    because(&command.reason)?;
    let asked = request(&command.shopper.to_string(), actor, key, "freeze", &command);
    app.once(&asked, || async {
        let (version, mut known) = standing::stored(app, actor, command.shopper).await?;
        if known.account != Account::Good {
            return Err(Refusal::exists(What::Freeze).into());
        }
        let mut moment = app.moment();
        known.account = Account::Frozen {
            since: moment.today,
            why: command.why,
        };
        let reply = AccountStands {
            account: known.account.clone(),
        };
        let mut batch = Batch::new(&command.shopper.to_string());
        let event = ("shopper.frozen", &reply);
        standing::changed(&mut batch, command.shopper, version, &known, event, &moment);
        let what = ("account.freeze", command.shopper.to_string());
        audit(
            &mut batch,
            actor,
            (what.0, &what.1),
            &command.reason,
            &command,
            &mut moment,
        );
        Ok(Decision { batch, reply })
    })
    .await
}

/// Lifts the freeze of an account.
///
/// Errors: [`Refusal::AlreadyExists`] if it is not frozen.
pub async fn unfreeze(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Unfreeze,
) -> Result<Change<AccountStands>, Denied> {
    actor.require(Scope::Accounts)?;
    because(&command.reason)?;
    let asked = request(&command.shopper.to_string(), actor, key, "unfreeze", &command);
    app.once(&asked, || async {
        let (version, mut known) = standing::stored(app, actor, command.shopper).await?;
        if known.account == Account::Good {
            return Err(Refusal::exists(What::GoodStanding).into());
        }
        let mut moment = app.moment();
        known.account = Account::Good;
        let reply = AccountStands {
            account: Account::Good,
        };
        let mut batch = Batch::new(&command.shopper.to_string());
        let event = ("shopper.unfrozen", &reply);
        standing::changed(&mut batch, command.shopper, version, &known, event, &moment);
        let what = ("account.unfreeze", command.shopper.to_string());
        audit(
            &mut batch,
            actor,
            (what.0, &what.1),
            &command.reason,
            &command,
            &mut moment,
        );
        Ok(Decision { batch, reply })
    })
    .await
}
