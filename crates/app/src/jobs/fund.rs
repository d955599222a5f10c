//! Asks institutions to pay sellers for captured goods (放款). Each capture is asked for once, under its own number.

use fenqi_domain::agreement::{Funding, Stage};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::money::Money;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::{agreements, work};
use jiff::civil::Date;

use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::ports::{FundingAnswer, FundingOrder};
use crate::repayment::payments::funding;
use crate::servicing::{self, kinds};
use crate::unit::Decision;
use crate::{App, Moment};

/// Asks for every funding that is open.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::FUND, until, |piece| async move {
        fund(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

async fn fund(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    let mut acted = false;
    // Captures are funded one after the other, each under a number of its own.
    while let Some(order) = asked(app, shopper, id).await? {
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let Some(party) = app.parties.institution(&file.agreement.institution) else {
            return Ok(acted);
        };
        let answer = match party.fund(&order).await {
            Err(_) | Ok(FundingAnswer::NotFound) => party.ask_funding(&order.number).await,
            answer => answer,
        };
        match answer {
            Ok(FundingAnswer::Funded { reference }) => {
                funded(app, shopper, id, &order, &reference).await?;
                acted = true;
            }
            // Not known, pending or declined: it stays asked for, and is asked about again.
            Ok(FundingAnswer::Pending | FundingAnswer::Declined { .. } | FundingAnswer::NotFound)
            | Err(_) => {
                return Ok(acted);
            }
        }
    }
    Ok(acted)
}

/// Notes that a funding is asked for, before it is, and gives the order; none if nothing is to be funded.
async fn asked(app: &App, shopper: ShopperId, id: AgreementId) -> Result<Option<FundingOrder>, Denied> {
    app.step(|| async {
        let moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        let Some(order) = next_order(app, &file, &moment).await? else {
            work::done(&mut batch, &shopper.to_string(), kinds::FUND, &id.to_string());
            return Ok(Decision { batch, reply: None });
        };
        if !matches!(funding(&file.agreement.stage), Some(Funding::Asked { .. })) {
            let stage = with_funding(&file.agreement.stage, Funding::Asked { at: moment.now });
            change(&mut batch, &file, &stage, "agreement.funding_asked", &moment)?;
        }
        Ok(Decision {
            batch,
            reply: Some(order),
        })
    })
    .await
}

/// The order for the first capture that no entry of the books shows as funded.
async fn next_order(
    app: &App,
    file: &AgreementFile,
    moment: &Moment,
) -> Result<Option<FundingOrder>, Denied> {
    if funding(&file.agreement.stage).is_none() {
        return Ok(None);
    }
    let entries = app.store.entries(file.agreement.shopper).await?;
    let done = entries
        .iter()
        .filter(|e| e.agreement == file.agreement.id && e.kind == "funded")
        .count();
    let captures = file.transactions.iter().filter_map(|t| match t.event {
        Event::Disbursed { amount } => Some(amount),
        _ => None,
    });
    Ok(captures
        .enumerate()
        .nth(done)
        .map(|(index, amount)| FundingOrder {
            number: format!("{}-{}", file.agreement.id, index.saturating_add(1)),
            seller: file.agreement.seller.clone(),
            money: Money {
                amount,
                currency: file.agreement.terms.currency,
            },
            at: moment.now,
        }))
}

async fn funded(
    app: &App,
    shopper: ShopperId,
    id: AgreementId,
    order: &FundingOrder,
    reference: &str,
) -> Result<(), Denied> {
    app.step(|| async {
        let mut moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        // Another run may have booked it meanwhile: then the next order is a different one.
        let still = next_order(app, &file, &moment)
            .await?
            .is_some_and(|next| next.number == order.number);
        if still {
            let state = Funding::Funded {
                reference: reference.into(),
                at: moment.now,
            };
            let stage = with_funding(&file.agreement.stage, state);
            change(&mut batch, &file, &stage, "agreement.funded", &moment)?;
            let entry = servicing::book_of(&file.agreement).funded(order.money.amount, moment.today);
            if let Some(entry) = entry {
                servicing::book(&mut batch, &file.agreement, &entry, &mut moment);
            }
        }
        Ok(Decision { batch, reply: () })
    })
    .await
}

fn with_funding(stage: &Stage, funding: Funding) -> Stage {
    match stage.clone() {
        Stage::Active { held, .. } => Stage::Active { held, funding },
        Stage::Settled { on, early, .. } => Stage::Settled { on, early, funding },
        other => other,
    }
}

fn change(
    batch: &mut Batch,
    file: &AgreementFile,
    stage: &Stage,
    event: &str,
    moment: &Moment,
) -> Result<(), Denied> {
    let loan = servicing::fold(file, file.booked_on.unwrap_or(moment.today))?;
    agreements::changed(
        batch,
        &file.agreement,
        stage,
        &loan,
        loan.outstanding()?.principal,
        file.booked_on,
    );
    let (owner, subject) = (file.agreement.shopper.to_string(), file.agreement.id.to_string());
    let sequence = file.agreement.version.saturating_add(1);
    agreements::happened(
        batch,
        &owner,
        &subject,
        sequence,
        event,
        &funding(stage),
        moment.now,
    );
    Ok(())
}
