//! Reminds shoppers of what is due or overdue (还款提醒), on set days before and after, within contact hours.

use fenqi_domain::calendar::add_days;
use fenqi_domain::id::{AgreementId, MessageId};
use fenqi_store::tables::servicing::ServicingCase;
use fenqi_store::tables::work;
use fenqi_store::{Batch, vault};
use jiff::civil::Date;

use crate::App;
use crate::configuration::Rules;
use crate::jobs::{self, Due, Report};
use crate::outcome::Denied;
use crate::repayment::debit;
use crate::servicing::{self, kinds};
use crate::texts::{self, Message};
use crate::unit::Decision;

/// Queues every reminder whose day has come. A day that was missed is not made up for.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let rules = &app.configuration().await?.rules;
    jobs::in_rounds(
        app,
        kinds::REMIND,
        until,
        |round: Vec<Due<AgreementId>>| async move {
            let read = |round: Vec<Due<AgreementId>>| async move {
                app.store.servicing_cases(&Due::keys(&round)).await
            };
            app.steps(&round, read, |due, case| remind(app, rules, due.planned, &case))
                .await
        },
    )
    .await
}

fn remind(app: &App, rules: &Rules, planned: Date, case: &ServicingCase) -> Result<Decision<bool>, Denied> {
    let (file, moment) = (&case.file, app.moment());
    let (shopper, id) = (file.agreement.shopper, file.agreement.id);
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    let loan = servicing::fold(file, moment.today)?;
    let Some(row) = loan.next_due()? else {
        work::done(&mut batch, &owner, kinds::REMIND, &id.to_string());
        return Ok(Decision { batch, reply: false });
    };
    // A debit of today that is still to be tried may make the reminder needless: it waits for the same day's next run.
    let is_due = row.due_on <= moment.today && planned == moment.today && !loan.is_paused;
    if is_due && debit::is_awaited(app, &rules.debit, case, row.due_on, moment.today)? {
        return Ok(Decision { batch, reply: false });
    }
    match servicing::next_reminder(row.due_on, add_days(moment.today, 1)?)? {
        Some(day) => work::planned(&mut batch, &owner, kinds::REMIND, &id.to_string(), day),
        None => work::done(&mut batch, &owner, kinds::REMIND, &id.to_string()),
    }
    // While a return is open or a payment is under way nobody is chased; and a reminder belongs to its day.
    if loan.is_paused || case.is_claimed() || planned != moment.today {
        return Ok(Decision { batch, reply: false });
    }
    let currency = file.agreement.terms.currency;
    let (template, filled) = if row.due_on < moment.today {
        let amount = loan.payable()?.total()?;
        let days = fenqi_domain::calendar::days_between(row.due_on, moment.today);
        let fields =
            serde_json::json!({ "amount": amount, "currency": currency, "due_on": row.due_on, "days": days });
        ("overdue", fields)
    } else {
        let amount = row.open()?.total()?;
        (
            "reminder",
            serde_json::json!({ "amount": amount, "currency": currency, "due_on": row.due_on }),
        )
    };
    let message = Message {
        id: told_once(id, moment.today),
        template,
        fields: &filled,
    };
    texts::queue_within(app, rules.contact_hours, &mut batch, shopper, &message, &moment)?;
    Ok(Decision { batch, reply: true })
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
