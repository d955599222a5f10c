//! Issues bills (出账): what a shopper owes on one day from all their agreements, some days ahead of it.

use fenqi_domain::bill::{self, Bill};
use fenqi_domain::id::{AgreementId, BillId, MessageId, ShopperId};
use fenqi_domain::money::Money;
use fenqi_store::Batch;
use fenqi_store::tables::{bills, work};
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::servicing::{self, kinds};
use crate::texts;
use crate::unit::Decision;

/// The message about a new bill.
pub(crate) const TEMPLATE: &str = "bill_issued";

/// Issues every bill whose day has come.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::BILL, until, |piece| async move {
        issue(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}

async fn issue(app: &App, shopper: ShopperId, id: AgreementId) -> Result<bool, Denied> {
    app.step(|| async {
        let mut moment = app.moment();
        let owner = shopper.to_string();
        let mut batch = Batch::new(&owner);
        work::done(&mut batch, &owner, kinds::BILL, &id.to_string());
        let files = app.store.agreements(shopper).await?;
        let Some(file) = files.iter().find(|file| file.agreement.id == id) else {
            return Ok(Decision { batch, reply: false });
        };
        let currency = file.agreement.terms.currency;
        let loan = servicing::fold(file, moment.today)?;
        let Some(due_on) = loan
            .rows
            .iter()
            .map(|row| row.due_on)
            .find(|due| *due > moment.today)
        else {
            return Ok(Decision { batch, reply: false });
        };
        // One bill gathers what all agreements in this currency owe on the day.
        let mut loans = Vec::new();
        for file in files
            .iter()
            .filter(|file| file.agreement.terms.currency == currency)
        {
            loans.push((file.agreement.id, servicing::fold(file, moment.today)?));
        }
        let lines = bill::lines(loans.iter().map(|(id, loan)| (*id, loan)), due_on)?;
        // Another agreement's turn may have issued this very bill.
        for stored in app
            .store
            .bills(shopper)
            .await?
            .iter()
            .filter(|bill| bill.due_on == due_on)
        {
            if stored.detail::<Bill>()?.lines == lines {
                return Ok(Decision { batch, reply: false });
            }
        }
        let id = BillId::new(&mut moment.ids);
        let bill = Bill {
            id,
            shopper,
            issued_on: moment.today,
            due_on,
            currency,
            lines,
        };
        let amount = bill.amount()?;
        if !amount.is_positive() || is_issued(app, shopper, &bill).await? {
            return Ok(Decision { batch, reply: false });
        }
        bills::issued(
            &mut batch,
            shopper,
            bill.id,
            due_on,
            moment.today,
            Money { amount, currency },
            &bill,
        );
        let message = MessageId::new(&mut moment.ids);
        let filled = serde_json::json!({ "amount": amount, "currency": currency, "due_on": due_on });
        texts::queue(app, &mut batch, shopper, message, TEMPLATE, &filled, &moment).await?;
        Ok(Decision { batch, reply: true })
    })
    .await
}

/// Whether a bill of this day with these instalments was issued before: it stands as it was told.
async fn is_issued(app: &App, shopper: ShopperId, bill: &Bill) -> Result<bool, Denied> {
    let named = |bill: &Bill| -> Vec<(AgreementId, u16)> {
        let lines = bill.lines.iter();
        lines.map(|line| (line.agreement, line.instalment)).collect()
    };
    for stored in app.store.bills(shopper).await? {
        let known: Bill = stored.detail()?;
        if known.due_on == bill.due_on && known.currency == bill.currency && named(&known) == named(bill) {
            return Ok(true);
        }
    }
    Ok(false)
}
