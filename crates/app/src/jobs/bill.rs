//! Issues bills (出账): what a shopper owes on one day from all their agreements, some days ahead of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use fenqi_domain::agreement::Stage;
use fenqi_domain::bill::{self, Bill};
use fenqi_domain::calendar::add_days;
use fenqi_domain::id::{AgreementId, BillId, ShopperId};
use fenqi_domain::loan::Loan;
use fenqi_domain::money::Money;
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Task};
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::bills;
use fenqi_store::tables::servicing::BillingCase;
use jiff::civil::Date;

use crate::configuration::Rules;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::servicing::{self, BILL_DAYS_AHEAD};
use crate::texts::{self, Message};
use crate::unit::Decision;
use crate::{App, Moment};

/// The message about a new bill.
pub(crate) const TEMPLATE: &str = "bill_issued";

/// Issues every bill whose day has come, those of skipped days among them.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let rules = &app.configuration().await?.rules;
    jobs::in_rounds(
        app,
        Pages::due(Task::Bill, until),
        |round: Vec<Due<AgreementId>>| async move {
            let same = |a: &Due<AgreementId>, b: &Due<AgreementId>| a.shopper == b.shopper;
            let shoppers: Vec<Turn> = round.chunk_by(same).filter_map(Turn::of).collect();
            let read = |turns: Vec<Turn>| async move {
                let keys: Vec<_> = turns.iter().map(|turn| turn.shopper).collect();
                app.store.billing_cases(&keys).await
            };
            let issued = app
                .steps(&shoppers, read, |turn, case| issue(app, rules, turn, &case))
                .await;
            let turns = shoppers.iter().zip(issued);
            turns.flat_map(|(turn, issued)| turn.outcomes(issued)).collect()
        },
    )
    .await
}

/// The agreements of one shopper of which bills are to be issued, each with the day from which on they are. They are decided
/// together, because a bill that one of them issues may be that of another.
#[derive(Clone)]
struct Turn {
    shopper: ShopperId,
    agreements: Vec<(AgreementId, Date)>,
}

impl Turn {
    fn of(pieces: &[Due<AgreementId>]) -> Option<Turn> {
        let agreements = pieces.iter().map(|piece| (piece.subject, piece.planned));
        Some(Turn {
            shopper: pieces.first()?.shopper,
            agreements: agreements.collect(),
        })
    }

    /// The outcome for each of the agreements.
    fn outcomes(&self, issued: Result<Vec<bool>, Denied>) -> Vec<Result<bool, Denied>> {
        match issued {
            Ok(issued) => issued.into_iter().map(Ok).collect(),
            Err(denied) => self.agreements.iter().map(|_| Err(denied.clone())).collect(),
        }
    }
}

fn issue(app: &App, rules: &Rules, turn: &Turn, case: &BillingCase) -> Result<Decision<Vec<bool>>, Denied> {
    let mut moment = app.moment();
    let owner = turn.shopper.to_string();
    // The days are moved before anything is issued, so that who comes too late has written nothing.
    let (mut batch, mut issued) = (Batch::new(&owner), Batch::new(&owner));
    let mut desk = Desk {
        files: &case.files,
        bills: Vec::with_capacity(case.bills.len()),
        folds: BTreeMap::new(),
    };
    for stored in &case.bills {
        desk.bills.push(stored.detail::<Bill>()?);
    }
    let mut reply = Vec::with_capacity(turn.agreements.len());
    for (id, since) in &turn.agreements {
        let Some(file) = case.files.iter().find(|file| file.agreement.id == *id) else {
            reply.push(false);
            continue;
        };
        let missing = desk.missing(file, *since, &mut moment)?;
        reply.push(!missing.is_empty());
        for bill in missing {
            write(app, rules, &mut issued, &bill, &moment)?;
            desk.bills.push(bill);
        }
        let next = desk.next(file, moment.today)?;
        agenda::moved(&mut batch, &file.agreement, Task::Bill, next);
    }
    batch.append(issued);
    Ok(Decision { batch, reply })
}

/// What lies before whoever issues a shopper's bills.
struct Desk<'a> {
    files: &'a [AgreementFile],
    /// The bills that were issued.
    bills: Vec<Bill>,
    /// The loans as they stood on the days that were looked at.
    folds: BTreeMap<(AgreementId, Date), Loan>,
}

impl Desk<'_> {
    /// The bills of an agreement whose day of issue came since a day and that were not issued, the earliest first. Each says
    /// what it would have said on its own day, however late the job comes.
    fn missing(
        &mut self,
        file: &AgreementFile,
        since: Date,
        moment: &mut Moment,
    ) -> Result<Vec<Bill>, Denied> {
        let id = file.agreement.id;
        let loan = self.loan(file, moment.today)?;
        // An instalment that was moved meanwhile had its bill for the day on which it was due before.
        let moved = loan.rows.iter().map(|row| row.due_on);
        let agreed = file.agreement.terms.due_dates.iter().copied();
        let due_dates: BTreeSet<Date> = moved.chain(agreed).collect();
        let mut missing: Vec<Bill> = Vec::new();
        for due_on in due_dates {
            let first = add_days(due_on, -BILL_DAYS_AHEAD)?;
            if first < since || first > moment.today || self.is_billed(id, due_on) {
                continue;
            }
            let last = add_days(due_on, -1)?.min(moment.today);
            for day in days_of_issue(file, first, last) {
                if let Some(bill) = self.bill(file, (day, due_on), moment)? {
                    missing.push(bill);
                    break;
                }
            }
        }
        Ok(missing)
    }

    /// The bill that a day issues for a due date, if anything of the agreement is on it: it gathers what all agreements in
    /// its currency owe.
    fn bill(
        &mut self,
        file: &AgreementFile,
        (issued_on, due_on): (Date, Date),
        moment: &mut Moment,
    ) -> Result<Option<Bill>, Denied> {
        let currency = file.agreement.terms.currency;
        let own = self.loan(file, issued_on)?;
        if bill::lines([(file.agreement.id, own)], due_on)?.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        let together = self.files.iter();
        for file in together.filter(|file| file.agreement.terms.currency == currency) {
            let loan = self.loan(file, issued_on)?;
            lines.extend(bill::lines([(file.agreement.id, loan)], due_on)?);
        }
        let bill = Bill {
            id: BillId::new(&mut moment.ids),
            shopper: file.agreement.shopper,
            issued_on,
            due_on,
            currency,
            lines,
        };
        Ok(bill.amount()?.is_positive().then_some(bill))
    }

    /// When the next bill of an agreement is to be issued.
    fn next(&mut self, file: &AgreementFile, today: Date) -> Result<Option<Date>, Denied> {
        if !matches!(file.agreement.stage, Stage::Active { .. }) {
            return Ok(None);
        }
        for row in &self.loan(file, today)?.rows {
            let day = add_days(row.due_on, -BILL_DAYS_AHEAD)?;
            if day > today && row.open()?.total()?.is_positive() {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }

    /// Whether a bill of a due date names the agreement: it stands as it was told.
    fn is_billed(&self, id: AgreementId, due_on: Date) -> bool {
        let mut bills = self.bills.iter().filter(|bill| bill.due_on == due_on);
        bills.any(|bill| bill.lines.iter().any(|line| line.agreement == id))
    }

    /// A loan as it stood on a day.
    fn loan(&mut self, file: &AgreementFile, on: Date) -> Result<&Loan, Denied> {
        Ok(match self.folds.entry((file.agreement.id, on)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(servicing::fold(file, on)?),
        })
    }
}

/// The days on which a bill may be issued, ascending: its first, and those on which something happened to the loan since, if
/// there was nothing to bill before, because goods shipped late or a payment bounced.
fn days_of_issue(file: &AgreementFile, first: Date, last: Date) -> BTreeSet<Date> {
    let happened = file.transactions.iter().map(|t| t.effective_on);
    let since = happened.filter(|day| *day > first && *day <= last);
    since.chain([first]).collect()
}

fn write(app: &App, rules: &Rules, batch: &mut Batch, bill: &Bill, moment: &Moment) -> Result<(), Denied> {
    let (due_on, currency, amount) = (bill.due_on, bill.currency, bill.amount()?);
    let money = Money { amount, currency };
    bills::issued(batch, bill.shopper, bill.id, due_on, bill.issued_on, money, bill);
    // A message belongs to its day and is not made up for one that is over.
    if due_on < moment.today {
        return Ok(());
    }
    let message = Message {
        id: texts::told_once(TEMPLATE, told(bill), due_on),
        template: TEMPLATE,
        fields: &serde_json::json!({ "amount": amount, "currency": currency, "due_on": due_on }),
    };
    texts::queue_within(app, rules.contact_hours, batch, bill.shopper, &message, moment)
}

/// What is told of a bill, whole: of several rounds that issue the same bill side by side one tells of it, and of a bill
/// that is issued again because something was added to it the shopper hears again.
fn told(bill: &Bill) -> String {
    let lines = serde_json::json!(bill.lines);
    format!("{} {} {lines}", bill.shopper, bill.currency.code())
}
