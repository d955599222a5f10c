//! Asks institutions to pay sellers for captured goods (放款). Each capture is asked for once, under its own number.

use fenqi_domain::agreement::{Agreement, Funding, Stage};
use fenqi_domain::change::Change;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Money;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::{agreements, work};
use jiff::civil::Date;

use crate::jobs::{self, Pages, Report};
use crate::outcome::Denied;
use crate::ports::{FundingAnswer, FundingOrder};
use crate::servicing::{self, kinds};
use crate::unit::Decision;
use crate::{App, Moment};

/// Asks for every funding that is open.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(kinds::FUND, until), |piece| async move {
        fund(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

async fn fund(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    let mut acted = false;
    for number in asked(app, shopper, id).await? {
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let Some(party) = app.parties.institution(&file.agreement.institution) else {
            continue;
        };
        let Some(order) = order_of(app, &file.agreement, number) else {
            continue;
        };
        let answer = match party.ask_funding(&order.number).await {
            // It never arrived: the same number may be handed over again.
            Ok(FundingAnswer::NotFound) => party.fund(&order).await,
            answer => answer,
        };
        // An unanswered call stays asked for, and is asked about again.
        if let Ok(answer) = answer {
            acted |= record(app, shopper, id, number, &answer).await?;
        }
    }
    Ok(acted)
}

/// Notes which captures are asked for before they are, and gives their numbers.
async fn asked(app: &App, shopper: ShopperId, id: AgreementId) -> Result<Vec<u32>, Denied> {
    app.step(|| async {
        let moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        let open: Vec<(u32, bool)> = file
            .agreement
            .captures()
            .iter()
            .filter(|c| matches!(c.funding, Funding::Waiting | Funding::Asked { .. }))
            .map(|c| (c.number, matches!(c.funding, Funding::Waiting)))
            .collect();
        let mut next = file.agreement.clone();
        for (number, _) in open.iter().filter(|(_, is_new)| *is_new) {
            if let Change::Made(changed) = next.clone().funding_asked(*number, moment.now)? {
                next = changed;
            }
        }
        if open.iter().any(|(_, is_new)| *is_new) {
            write(&mut batch, &file, &next.stage, "agreement.funding_asked", &moment)?;
        } else if open.is_empty() {
            work::done(&mut batch, &shopper.to_string(), kinds::FUND, &id.to_string());
        }
        Ok(Decision {
            batch,
            reply: open.into_iter().map(|(number, _)| number).collect(),
        })
    })
    .await
}

fn order_of(app: &App, agreement: &Agreement, number: u32) -> Option<FundingOrder> {
    let capture = agreement
        .captures()
        .iter()
        .find(|capture| capture.number == number)?;
    Some(FundingOrder {
        number: format!("{}-{number}", agreement.id),
        seller: agreement.seller.clone(),
        money: Money {
            amount: capture.amount,
            currency: agreement.terms.currency,
        },
        at: app.clock.now(),
    })
}

/// Writes what the institution said of one capture; says whether it was funded now.
async fn record(
    app: &App,
    shopper: ShopperId,
    id: AgreementId,
    number: u32,
    answer: &FundingAnswer,
) -> Result<bool, Denied> {
    app.step(|| async {
        let mut moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        let agreement = file.agreement.clone();
        let (change, event) = match answer {
            FundingAnswer::Funded { reference } => (
                agreement.funded(number, reference, moment.now)?,
                "agreement.funded",
            ),
            FundingAnswer::Declined { reason } => (
                agreement.funding_declined(number, reason, moment.now)?,
                "agreement.funding_declined",
            ),
            FundingAnswer::Pending | FundingAnswer::NotFound => return Ok(Decision { batch, reply: false }),
        };
        let Change::Made(next) = change else {
            return Ok(Decision { batch, reply: false });
        };
        write(&mut batch, &file, &next.stage, event, &moment)?;
        let is_funded = event == "agreement.funded";
        let amount = next
            .captures()
            .iter()
            .find(|c| c.number == number)
            .map(|c| c.amount);
        if let (true, Some(amount)) = (is_funded, amount)
            && let Some(entry) = servicing::book_of(&next).funded(amount, moment.today)
        {
            servicing::book(&mut batch, &next, &entry, &mut moment);
        }
        Ok(Decision {
            batch,
            reply: is_funded,
        })
    })
    .await
}

fn write(
    batch: &mut Batch,
    file: &AgreementFile,
    stage: &Stage,
    event: &str,
    moment: &Moment,
) -> Result<(), Denied> {
    let loan = servicing::fold(file, file.booked_on.unwrap_or(moment.today))?;
    let to = agreements::Changed {
        before: &file.agreement,
        stage,
        loan: &loan,
        outstanding: loan.outstanding()?.principal,
        booked_on: file.booked_on,
        days: None,
    };
    agreements::changed(batch, &to);
    let (owner, subject) = (file.agreement.shopper.to_string(), file.agreement.id.to_string());
    let sequence = file.agreement.version.saturating_add(1);
    agreements::happened(
        batch,
        &owner,
        &subject,
        sequence,
        event,
        &servicing::captures(stage),
        moment.now,
    );
    Ok(())
}
