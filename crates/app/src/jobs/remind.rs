//! Reminds shoppers of what is due or overdue (还款提醒), on set days before and after, within contact hours.

use fenqi_domain::calendar::add_days;
use fenqi_domain::id::AgreementId;
use fenqi_domain::loan::{Loan, Row};
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Task};
use fenqi_store::tables::servicing::ServicingCase;
use jiff::civil::Date;

use crate::configuration::Rules;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::debit;
use crate::servicing;
use crate::texts::{self, Message};
use crate::unit::Decision;
use crate::{App, Moment};

// R50: reminders before a due date
/// Queues every reminder whose day has come. A day that was missed is not made up for.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let rules = &app.configuration().await?.rules;
    jobs::in_rounds(
        app,
        Pages::due(Task::Remind, until),
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
    let mut batch = Batch::new(&file.agreement.shopper.to_string());
    let loan = servicing::fold(file, moment.today)?;
    let reminder = reminder(app, rules, planned, case, &loan, &moment)?;
    // Otherwise it waits for the same day's next run.
    if reminder.next != Some(planned) {
        agenda::moved(&mut batch, &file.agreement, Task::Remind, reminder.next);
    }
    let reply = reminder.queue(app, rules, &mut batch, case, &moment)?;
    Ok(Decision { batch, reply })
}

/// What is to be said about a loan, and when it is looked at next.
pub(crate) struct Reminder {
    /// The day on which it is looked at next; the day it was planned for if it is too early to say.
    pub next: Option<Date>,
    said: Option<(&'static str, serde_json::Value)>,
}

impl Reminder {
    /// Queues what is to be said, if anything is; says whether it did.
    pub(crate) fn queue(
        &self,
        app: &App,
        rules: &Rules,
        batch: &mut Batch,
        case: &ServicingCase,
        moment: &Moment,
    ) -> Result<bool, Denied> {
        let Some((template, fields)) = &self.said else {
            return Ok(false);
        };
        let agreement = &case.file.agreement;
        let message = Message {
            id: texts::told_once("reminder", agreement.id, moment.today),
            template,
            fields,
        };
        texts::queue_within(
            app,
            rules.contact_hours,
            batch,
            agreement.shopper,
            &message,
            moment,
        )?;
        Ok(true)
    }
}

/// When a loan is looked at next if its debit of today is under way: till that has ended nobody is chased.
pub(crate) fn quiet(loan: &Loan, moment: &Moment) -> Result<Option<Date>, Denied> {
    let due = servicing::open_due_dates(loan, moment.today)?;
    servicing::next_reminder(
        servicing::reminded_of(&due, moment.today),
        add_days(moment.today, 1)?,
    )
}

/// The instalment that is spoken of on a day: the newest that is late, or else one that is still to come.
fn spoken_of(loan: &Loan, today: Date) -> Result<Option<&Row>, Denied> {
    let due = servicing::open_due_dates(loan, today)?;
    for due_on in servicing::reminded_of(&due, today) {
        if servicing::next_reminder(&[*due_on], today)? == Some(today) {
            return Ok(loan.rows.iter().find(|row| row.due_on == *due_on));
        }
    }
    Ok(None)
}

/// What is to be said on a day about a loan as it stands: of what is overdue, if that is spoken of today, else of the
/// instalment whose day it is.
pub(crate) fn reminder(
    app: &App,
    rules: &Rules,
    planned: Date,
    case: &ServicingCase,
    loan: &Loan,
    moment: &Moment,
) -> Result<Reminder, Denied> {
    let silent = |next| Reminder { next, said: None };
    let Some(oldest) = loan.next_due()? else {
        return Ok(silent(None));
    };
    // A debit of today that is still to be tried may make the reminder needless: it waits for the same day's next run.
    let is_due = oldest.due_on <= moment.today && planned == moment.today && !loan.is_paused;
    if is_due && debit::is_awaited(app, &rules.debit, case, loan, moment.today)? {
        return Ok(silent(Some(planned)));
    }
    let next = quiet(loan, moment)?;
    // While a return is open or a payment is under way nobody is chased; and a reminder belongs to its day.
    if loan.is_paused || case.is_claimed() || planned != moment.today {
        return Ok(silent(next));
    }
    let Some(row) = spoken_of(loan, moment.today)? else {
        return Ok(silent(next));
    };
    // Who was told today that a debit failed was told what is owed, and what would help.
    if debit::has_failed_on(app, case, moment.today)? {
        return Ok(silent(next));
    }
    let currency = case.file.agreement.terms.currency;
    let said = if row.due_on < moment.today {
        let amount = loan.payable()?.total()?;
        let days = fenqi_domain::calendar::days_between(oldest.due_on, moment.today);
        let fields = serde_json::json!({
            "amount": amount, "currency": currency, "due_on": oldest.due_on, "days": days,
        });
        ("overdue", fields)
    } else {
        let amount = row.open()?.total()?;
        let fields = serde_json::json!({ "amount": amount, "currency": currency, "due_on": row.due_on });
        ("reminder", fields)
    };
    Ok(Reminder {
        next,
        said: Some(said),
    })
}
