//! Reminds shoppers of what is due or overdue (还款提醒), on set days before and after, within contact hours.

use fenqi_domain::calendar::add_days;
use fenqi_domain::id::{AgreementId, MessageId, ShopperId};
use fenqi_store::tables::work;
use fenqi_store::{Batch, vault};
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::repayment::debit;
use crate::servicing::{self, kinds};
use crate::texts;
use crate::unit::Decision;

/// Queues every reminder whose day has come. A day that was missed is not made up for.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::REMIND, until, |piece| async move {
        remind(
            app,
            jobs::named(&piece.shopper)?,
            jobs::named(&piece.subject)?,
            piece.due_on,
        )
        .await
    })
    .await
}

async fn remind(app: &App, shopper: ShopperId, id: AgreementId, planned: Date) -> Result<bool, Denied> {
    app.step(|| async {
        let moment = app.moment();
        let owner = shopper.to_string();
        let mut batch = Batch::new(&owner);
        let file = app.store.agreement(shopper, id).await?.ok_or(Denied::NotFound)?;
        let loan = servicing::fold(&file, moment.today)?;
        let Some(row) = loan.next_due()? else {
            work::done(&mut batch, &owner, kinds::REMIND, &id.to_string());
            return Ok(Decision { batch, reply: false });
        };
        // A debit of today that is still to be tried may make the reminder needless: it waits for the same day's next run.
        let is_due = row.due_on <= moment.today && planned == moment.today && !loan.is_paused;
        if is_due && debit::is_awaited(app, &file, row.due_on, moment.today).await? {
            return Ok(Decision { batch, reply: false });
        }
        match servicing::next_reminder(row.due_on, add_days(moment.today, 1)?)? {
            Some(day) => work::planned(&mut batch, &owner, kinds::REMIND, &id.to_string(), day),
            None => work::done(&mut batch, &owner, kinds::REMIND, &id.to_string()),
        }
        // While a return is open or a payment is under way nobody is chased; and a reminder belongs to its day.
        let is_claimed = app.store.claims(shopper).await?.iter().any(|(claimed, _)| *claimed == id);
        if loan.is_paused || is_claimed || planned != moment.today {
            return Ok(Decision { batch, reply: false });
        }
        let currency = file.agreement.terms.currency;
        let (template, filled) = if row.due_on < moment.today {
            let amount = loan.payable()?.total()?;
            let days = fenqi_domain::calendar::days_between(row.due_on, moment.today);
            let fields = serde_json::json!({ "amount": amount, "currency": currency, "due_on": row.due_on, "days": days });
            ("overdue", fields)
        } else {
            let amount = row.open()?.total()?;
            ("reminder", serde_json::json!({ "amount": amount, "currency": currency, "due_on": row.due_on }))
        };
        let message = told_once(id, moment.today);
        texts::queue(app, &mut batch, shopper, message, template, &filled, &moment).await?;
        Ok(Decision { batch, reply: true })
    })
    .await
}

/// The number of the reminder of one agreement on one day: whatever happens on that day, it is said once.
fn told_once(agreement: AgreementId, day: Date) -> MessageId {
    let hash = vault::hash(format!("reminder|{agreement}|{day}").as_bytes());
    MessageId::from_bits(
        hash.iter()
            .take(16)
            .fold(0, |bits, byte| (bits << 8) | u128::from(*byte)),
    )
}
