//! What staff do, seen from the outside: who may, who must, what it changes, and what stays on record.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod configuration;
mod doors;
mod loans;
mod people;
mod two;

use fenqi_app::Denied;
use fenqi_app::checkout::offer;
use fenqi_app::operations::approve::{Decide, Outcome};
use fenqi_app::operations::limit::{self, LimitSet, SetLimit};
use fenqi_app::servicing;
use fenqi_app::verify::verify;
use fenqi_domain::eligibility::Answer;
use fenqi_domain::id::{AgreementId, ProposalId};
use fenqi_domain::loan::Loan;
use fenqi_domain::refusal::Refusal;
use fenqi_sim::{Buyer, OPENING, Shop, market, staff, yuan};
use jiff::Span;
use jiff::civil::Date;

pub(crate) const WHY: &str = "asked by the owner of the desk";

pub(crate) fn day(days: i32) -> Date {
    OPENING.saturating_add(Span::new().days(days))
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Denied>) -> Refusal {
    match answer {
        Err(Denied::Refused(refusal)) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn set_limit(
    shop: &Shop,
    who: &str,
    ann: &Buyer,
    to: i64,
) -> Result<Outcome<LimitSet>, Denied> {
    let command = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(to),
        reason: WHY.to_owned(),
    };
    let key = shop.key().unwrap();
    Ok(limit::set_limit(&shop.app, &staff(who), &key, command)
        .await?
        .reply())
}

pub(crate) async fn proposed(shop: &Shop, ann: &Buyer, to: i64) -> ProposalId {
    proposal(set_limit(shop, "maker", ann, to).await)
}

/// What was proposed.
pub(crate) fn proposal<T: std::fmt::Debug>(outcome: Result<Outcome<T>, Denied>) -> ProposalId {
    match outcome {
        Ok(Outcome::NeedsSecondPerson(proposal)) => proposal,
        other => panic!("no proposal: {other:?}"),
    }
}

pub(crate) async fn line(shop: &Shop, ann: &Buyer) -> fenqi_domain::credit::Line {
    shop.app
        .store
        .line(ann.id, market::INSTITUTION)
        .await
        .unwrap()
        .unwrap()
        .line
}

pub(crate) async fn loan(shop: &Shop, ann: &Buyer, agreement: AgreementId) -> Loan {
    let file = shop
        .app
        .store
        .agreement(ann.id, agreement)
        .await
        .unwrap()
        .unwrap();
    servicing::fold(&file, shop.app.moment().today).unwrap()
}

pub(crate) fn decide(proposal: ProposalId) -> Decide {
    Decide {
        proposal,
        reason: WHY.to_owned(),
    }
}

pub(crate) async fn is_clean(shop: &Shop) {
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

pub(crate) async fn is_offered(shop: &Shop, ann: &Buyer, region: &str) -> Result<(), Vec<Refusal>> {
    let mut ask = shop.question(ann, yuan(1_200));
    ask.region = region.to_owned();
    let outcomes = offer::offer(&shop.app, &ann.actor(), &ask).await.unwrap();
    match &outcomes[0].answer {
        Answer::Offered(_) => Ok(()),
        Answer::Unavailable { refusals } => Err(refusals.clone()),
    }
}
