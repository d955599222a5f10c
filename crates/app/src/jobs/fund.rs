//! Asks institutions to pay sellers for captured goods (放款). Each capture is asked for once, under its own number.

use fenqi_domain::agreement::{Agreement, Funding, Stage};
use fenqi_domain::change::Change;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Money;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::{agreements, work};
use jiff::civil::Date;

use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::ports::{FundingAnswer, FundingOrder};
use crate::servicing::{self, kinds};
use crate::unit::Decision;
use crate::{App, Moment};

/// Asks for every funding that is open.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::in_rounds(
        app,
        Pages::of(kinds::FUND, until),
        |round: Vec<Due<AgreementId>>| async move {
            let read = |round: Vec<Due<AgreementId>>| async move {
                app.store.agreement_files(&Due::keys(&round)).await
            };
            let asked = app.steps(&round, read, |_, file| ask(app, file)).await;
            let pieces = round.into_iter().zip(asked).collect();
            jobs::side_by_side(pieces, |_, asked| hand_over(app, asked)).await
        },
    )
    .await
}

/// An agreement with the numbers of its captures that are asked for.
struct Asked {
    file: AgreementFile,
    numbers: Vec<u32>,
}

/// Notes which captures are asked for before they are.
fn ask(app: &App, file: AgreementFile) -> Result<Decision<Asked>, Denied> {
    let moment = app.moment();
    let agreement = &file.agreement;
    let owner = agreement.shopper.to_string();
    let mut batch = Batch::new(&owner);
    let open: Vec<(u32, bool)> = agreement
        .captures()
        .iter()
        .filter(|c| matches!(c.funding, Funding::Waiting | Funding::Asked { .. }))
        .map(|c| (c.number, matches!(c.funding, Funding::Waiting)))
        .collect();
    let numbers = open.iter().map(|(number, _)| *number).collect();
    if open.is_empty() {
        work::done(&mut batch, &owner, kinds::FUND, &agreement.id.to_string());
    }
    if !open.iter().any(|(_, is_new)| *is_new) {
        let reply = Asked { file, numbers };
        return Ok(Decision { batch, reply });
    }
    let mut next = agreement.clone();
    for (number, _) in open.iter().filter(|(_, is_new)| *is_new) {
        if let Change::Made(changed) = next.clone().funding_asked(*number, moment.now)? {
            next = changed;
        }
    }
    write(&mut batch, &file, &next.stage, "agreement.funding_asked", &moment)?;
    // As this batch leaves it: what the institution says is decided on it.
    next.version = agreement.version.saturating_add(1);
    let file = AgreementFile {
        agreement: next,
        ..file
    };
    let reply = Asked { file, numbers };
    Ok(Decision { batch, reply })
}

/// Hands the captures over to the institution, and notes what it says; says whether any was funded now.
async fn hand_over(app: &App, asked: Result<Asked, Denied>) -> Result<bool, Denied> {
    let Asked { file, numbers } = asked?;
    let agreement = file.agreement.clone();
    let Some(party) = app.parties.institution(&agreement.institution) else {
        return Ok(false);
    };
    let (mut acted, mut known) = (false, Some(file));
    for number in numbers {
        let Some(order) = order_of(app, &agreement, number) else {
            continue;
        };
        let answer = match party.ask_funding(&order.number).await {
            // It never arrived: the same number may be handed over again.
            Ok(FundingAnswer::NotFound) => party.fund(&order).await,
            answer => answer,
        };
        // An unanswered call stays asked for, and is asked about again.
        let Ok(answer) = answer else { continue };
        let first = match known.take() {
            Some(file) => app.tried(heard(app, &file, number, &answer)?).await?,
            None => None,
        };
        acted |= match first {
            Some(is_funded) => is_funded,
            None => record(app, &agreement, number, &answer).await?,
        };
    }
    Ok(acted)
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

/// Writes what the institution said of one capture of an agreement that has changed since it was asked.
async fn record(
    app: &App,
    agreement: &Agreement,
    number: u32,
    answer: &FundingAnswer,
) -> Result<bool, Denied> {
    let (shopper, id) = (agreement.shopper, agreement.id);
    app.step(|| async {
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        heard(app, &file, number, answer)
    })
    .await
}

/// What follows from what the institution said of one capture; says whether it was funded now.
fn heard(
    app: &App,
    file: &AgreementFile,
    number: u32,
    answer: &FundingAnswer,
) -> Result<Decision<bool>, Denied> {
    let mut moment = app.moment();
    let agreement = file.agreement.clone();
    let mut batch = Batch::new(&agreement.shopper.to_string());
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
    write(&mut batch, file, &next.stage, event, &moment)?;
    let is_funded = event == "agreement.funded";
    let mut captures = next.captures().iter();
    let amount = captures.find(|c| c.number == number).map(|c| c.amount);
    if let (true, Some(amount)) = (is_funded, amount)
        && let Some(entry) = servicing::book_of(&next).funded(amount, moment.today)
    {
        servicing::book(&mut batch, &next, &entry, &mut moment);
    }
    Ok(Decision {
        batch,
        reply: is_funded,
    })
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
