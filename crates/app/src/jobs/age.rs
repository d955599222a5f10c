//! Books what falls due (入账与计息): interest, fees and subsidies on their due dates, for those whom nobody touched.

use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Due, Report};
use crate::outcome::Denied;
use crate::repayment::payments;
use crate::servicing::{self, Amendment, kinds};
use crate::unit::Decision;

/// Books everything due up to a day. Entries carry the day on which they count, so that a late run books the same.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::in_rounds(
        app,
        kinds::AGE,
        until,
        |round: Vec<Due<AgreementId>>| async move {
            let read = |round: Vec<Due<AgreementId>>| async move {
                app.store.agreement_files(&Due::keys(&round)).await
            };
            app.steps(&round, read, |_, file| book(app, &file)).await
        },
    )
    .await
}

fn book(app: &App, file: &AgreementFile) -> Result<Decision<bool>, Denied> {
    let mut moment = app.moment();
    let agreement = &file.agreement;
    let owner = agreement.shopper.to_string();
    let mut batch = Batch::new(&owner);
    if !payments::runs(&agreement.stage) {
        work::done(&mut batch, &owner, kinds::AGE, &agreement.id.to_string());
        return Ok(Decision { batch, reply: false });
    }
    let change = Amendment {
        added: Vec::new(),
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event: "agreement.aged",
        detail: moment.today,
    };
    servicing::amend(&mut batch, file, change, &mut moment)?;
    Ok(Decision { batch, reply: true })
}
