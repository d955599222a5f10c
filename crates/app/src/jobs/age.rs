//! Books what falls due (入账与计息): interest, fees and subsidies on their due dates, for those whom nobody touched. What
//! is due is debited, or the shopper reminded of it, in the same reading and the same commit.

use std::collections::BTreeSet;
use std::sync::Mutex;

use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Task};
use fenqi_store::tables::servicing::ServicingCase;
use jiff::civil::Date;

use crate::App;
use crate::configuration::Rules;
use crate::jobs::{self, Due, Pages, Report, remind};
use crate::outcome::Denied;
use crate::repayment::debit::{self, Next};
use crate::repayment::payments::{self, Begun};
use crate::servicing::{self, Amendment};
use crate::unit::Decision;

/// What the job did, for itself and in place of the jobs that come after it.
#[derive(Debug)]
pub struct Aged {
    /// What it booked.
    pub report: Report,
    /// What followed from it.
    pub followed: Followed,
}

/// What the job did in place of the jobs that come after it.
#[derive(Debug, Default)]
pub struct Followed {
    /// The agreements whose debit of today is decided: the debit job leaves them alone.
    pub decided: BTreeSet<AgreementId>,
    /// How many of them were debited.
    pub debited: u64,
    /// Of how many the shopper was reminded.
    pub reminded: u64,
}

/// Books everything due up to a day. Entries carry the day on which they count, so that a late run books the same.
pub async fn run(app: &App, until: Date) -> Result<Aged, Denied> {
    let rules = &app.configuration().await?.rules;
    let followed = Mutex::new(Followed::default());
    let noted = &followed;
    let report = jobs::in_rounds(
        app,
        Pages::due(Task::Age, until),
        |round: Vec<Due<AgreementId>>| async move {
            let read = |round: Vec<Due<AgreementId>>| async move {
                app.store.servicing_cases(&Due::keys(&round)).await
            };
            let booked = app
                .steps(&round, read, |_, case| book(app, rules, until, case))
                .await;
            if let Ok(mut followed) = noted.lock() {
                followed.note(&round, &booked);
            }
            let pieces = round.into_iter().zip(booked).collect();
            jobs::side_by_side(pieces, |_, booked| carried_out(app, booked)).await
        },
    )
    .await?;
    let followed = followed.into_inner().unwrap_or_default();
    Ok(Aged { report, followed })
}

/// An agreement that was booked.
struct Booked {
    /// Whether there was anything to book.
    acted: bool,
    /// The debit that was begun with it.
    begun: Option<Begun>,
    /// Whether the shopper is reminded.
    reminded: bool,
}

impl Followed {
    fn note(&mut self, round: &[Due<AgreementId>], booked: &[Result<Booked, Denied>]) {
        for (due, booked) in round.iter().zip(booked) {
            let Ok(booked) = booked else { continue };
            self.decided.insert(due.subject);
            self.debited = self.debited.saturating_add(u64::from(booked.begun.is_some()));
            self.reminded = self.reminded.saturating_add(u64::from(booked.reminded));
        }
    }
}

async fn carried_out(app: &App, booked: Result<Booked, Denied>) -> Result<bool, Denied> {
    let Booked { acted, begun, .. } = booked?;
    if let Some(begun) = begun {
        payments::carry_out(app, begun).await?;
    }
    Ok(acted)
}

fn book(app: &App, rules: &Rules, until: Date, mut case: ServicingCase) -> Result<Decision<Booked>, Denied> {
    let mut moment = app.moment();
    let agreement = &case.file.agreement;
    let owner = agreement.shopper.to_string();
    let (mut batch, mut follows) = (Batch::new(&owner), Batch::new(&owner));
    let mut reply = Booked {
        acted: false,
        begun: None,
        reminded: false,
    };
    if !payments::runs(&agreement.stage) {
        agenda::moved(&mut batch, agreement, Task::Age, None);
        return Ok(Decision { batch, reply });
    }
    reply.acted = true;
    let change = Amendment {
        added: Vec::new(),
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event: "agreement.aged",
        detail: moment.today,
    };
    let (amended, mut days) = servicing::amend_undated(&mut follows, &case.file, change, &mut moment)?;
    let loan = &amended.loan;
    // What follows stands on the agreement as this batch leaves it.
    case.file.agreement.stage = amended.stage.clone();
    let has_come = |day: Option<Date>| day.is_some_and(|day| day <= until);
    let next = match has_come(days.debit) {
        true => debit::next(app, &rules.debit, &case, loan, &mut moment)?,
        false => Next::Wait,
    };
    match &next {
        Next::On(day) => days.debit = *day,
        Next::Exceeds(exceeded) => {
            exceeded.tell(app, rules, &mut follows, &case.file.agreement, &moment)?;
            days.debit = exceeded.again;
        }
        Next::Try(kept) => payments::intend(&mut follows, kept, &moment),
        Next::Wait => {}
    }
    match (&next, has_come(days.remind)) {
        // While the debit is under way nobody is chased; if it fails today the reminder is due again.
        (Next::Try(_), true) => days.remind = remind::quiet(loan, &moment)?,
        (_, true) => {
            let reminder = remind::reminder(app, rules, moment.today, &case, loan, &moment)?;
            days.remind = reminder.next;
            reply.reminded = reminder.queue(app, rules, &mut follows, &case, &moment)?;
        }
        (_, false) => {}
    }
    servicing::rewrite(&mut batch, &case.file, &amended, days, &moment)?;
    batch.append(follows);
    if let Next::Try(kept) = next {
        let mut file = case.file;
        file.agreement.version = file.agreement.version.saturating_add(1);
        file.booked_on = Some(moment.today);
        file.days = days;
        reply.begun = Some(Begun::new(*kept, vec![file]));
    }
    Ok(Decision { batch, reply })
}
