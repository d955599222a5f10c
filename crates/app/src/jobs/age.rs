//! Books what falls due (入账与计息): interest, fees and subsidies on their due dates, for those whom nobody touched.

use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_store::Batch;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::repayment::payments;
use crate::servicing::{self, Amendment, kinds};
use crate::unit::Decision;

/// Books everything due up to a day. Entries carry the day on which they count, so that a late run books the same.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::AGE, until, |piece| async move {
        book(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

async fn book(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    app.step(|| async {
        let mut moment = app.moment();
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let mut batch = Batch::new(&shopper.to_string());
        if !payments::runs(&file.agreement.stage) {
            work::done(&mut batch, &shopper.to_string(), kinds::AGE, &id.to_string());
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
        servicing::amend(&mut batch, &file, change, &mut moment)?;
        Ok(Decision { batch, reply: true })
    })
    .await
}
