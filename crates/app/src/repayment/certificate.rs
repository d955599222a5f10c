//! The settlement certificate (结清证明): what was owed, that it is paid, and a digest that anyone can check.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::Stage;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::refusal::Refusal;
use fenqi_store::vault;
use jiff::civil::Date;
use serde::Serialize;

use crate::App;
use crate::outcome::Denied;
use crate::servicing;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The agreement.
    pub agreement: AgreementId,
    /// Who lent.
    pub institution: String,
    /// What was lent.
    pub principal: Amount,
    /// What was paid over all.
    pub paid: Amount,
    /// Since when nothing is owed.
    pub settled_on: Date,
    /// Whether before the last due date.
    pub early: bool,
    /// The SHA-256 of the facts above in this order, separated by `|`.
    pub digest: String,
}

// R55: the certificate of settlement
/// Issues a certificate for an agreement that is settled.
pub async fn certificate(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    id: AgreementId,
) -> Result<Certificate, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let file = app.agreement(actor, shopper, id).await?;
    let loan = servicing::fold(&file, app.moment().today)?;
    let Stage::Settled { on, early, .. } = file.agreement.stage else {
        let amount = loan.outstanding()?.total()?;
        // Where nothing is owed, goods are held that may still ship.
        return Err(match amount.is_positive() {
            true => Refusal::OutstandingExists { amount },
            false => Refusal::WrongStage {
                stage: file.agreement.stage.code().into(),
                needed: "settled".into(),
            },
        }
        .into());
    };
    let mut paid = Amount::ZERO;
    for row in &loan.rows {
        paid = paid.plus(row.paid()?.total()?)?;
    }
    let (institution, principal) = (file.agreement.institution.clone(), loan.disbursed);
    let facts = format!(
        "{id}|{institution}|{}|{}|{on}|{early}",
        principal.minor(),
        paid.minor()
    );
    let digest = vault::fingerprint(facts.as_bytes());
    Ok(Certificate {
        agreement: id,
        institution,
        principal,
        paid,
        settled_on: on,
        early,
        digest,
    })
}
