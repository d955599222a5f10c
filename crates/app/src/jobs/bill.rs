//! Issues bills (出账): what a shopper owes on one day from all their agreements, some days ahead of it.

use fenqi_domain::bill::{self, Bill};
use fenqi_domain::id::{AgreementId, BillId, MessageId, ShopperId};
use fenqi_domain::loan::Loan;
use fenqi_domain::money::{Amount, Currency, Money};
use fenqi_store::Batch;
use fenqi_store::tables::servicing::BillingCase;
use fenqi_store::tables::{bills, work};
use jiff::civil::Date;

use crate::configuration::Rules;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::servicing::{self, kinds};
use crate::texts::{self, Message};
use crate::unit::Decision;
use crate::{App, Moment};

/// Issues every bill whose day has come.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let rules = &app.configuration().await?.rules;
    jobs::in_rounds(
        app,
        Pages::of(kinds::BILL, until),
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

/// The agreements of one shopper whose next bill is to be issued. They are decided together, because a bill that one of
/// them issues may be that of another.
#[derive(Clone)]
struct Turn {
    shopper: ShopperId,
    agreements: Vec<AgreementId>,
}

impl Turn {
    fn of(pieces: &[Due<AgreementId>]) -> Option<Turn> {
        Some(Turn {
            shopper: pieces.first()?.shopper,
            agreements: pieces.iter().map(|piece| piece.subject).collect(),
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

/// A shopper's loan as it stands today.
struct Standing {
    agreement: AgreementId,
    currency: Currency,
    loan: Loan,
}

fn issue(app: &App, rules: &Rules, turn: &Turn, case: &BillingCase) -> Result<Decision<Vec<bool>>, Denied> {
    let mut moment = app.moment();
    let owner = turn.shopper.to_string();
    let mut batch = Batch::new(&owner);
    let mut known = Vec::with_capacity(case.bills.len());
    for stored in &case.bills {
        known.push(stored.detail::<Bill>()?);
    }
    let mut loans = Vec::with_capacity(case.files.len());
    for file in &case.files {
        loans.push(Standing {
            agreement: file.agreement.id,
            currency: file.agreement.terms.currency,
            loan: servicing::fold(file, moment.today)?,
        });
    }
    let mut reply = Vec::with_capacity(turn.agreements.len());
    for id in &turn.agreements {
        work::done(&mut batch, &owner, kinds::BILL, &id.to_string());
        let bill = next_bill(turn.shopper, *id, &loans, &known, &mut moment)?;
        reply.push(bill.is_some());
        if let Some((bill, amount)) = bill {
            write(app, rules, &mut batch, (&bill, amount), &mut moment)?;
            known.push(bill);
        }
    }
    Ok(Decision { batch, reply })
}

/// The bill of an agreement's next due date with what it comes to, unless it was issued or there is nothing to bill.
fn next_bill(
    shopper: ShopperId,
    id: AgreementId,
    loans: &[Standing],
    known: &[Bill],
    moment: &mut Moment,
) -> Result<Option<(Bill, Amount)>, Denied> {
    let Some(own) = loans.iter().find(|standing| standing.agreement == id) else {
        return Ok(None);
    };
    let currency = own.currency;
    let mut due_dates = own.loan.rows.iter().map(|row| row.due_on);
    let Some(due_on) = due_dates.find(|due| *due > moment.today) else {
        return Ok(None);
    };
    // One bill gathers what all agreements in this currency owe on the day.
    let together = loans.iter().filter(|standing| standing.currency == currency);
    let lines = bill::lines(together.map(|s| (s.agreement, &s.loan)), due_on)?;
    let bill = Bill {
        id: BillId::new(&mut moment.ids),
        shopper,
        issued_on: moment.today,
        due_on,
        currency,
        lines,
    };
    let amount = bill.amount()?;
    // A bill of this day with these instalments stands as it was told.
    let is_issued = known.iter().any(|other| is_same(other, &bill));
    Ok((amount.is_positive() && !is_issued).then_some((bill, amount)))
}

/// Whether two bills are of one day and name the same instalments.
fn is_same(one: &Bill, other: &Bill) -> bool {
    let named = |bill: &Bill| -> Vec<(AgreementId, u16)> {
        let lines = bill.lines.iter();
        lines.map(|line| (line.agreement, line.instalment)).collect()
    };
    one.due_on == other.due_on && one.currency == other.currency && named(one) == named(other)
}

fn write(
    app: &App,
    rules: &Rules,
    batch: &mut Batch,
    (bill, amount): (&Bill, Amount),
    moment: &mut Moment,
) -> Result<(), Denied> {
    let (due_on, currency) = (bill.due_on, bill.currency);
    let money = Money { amount, currency };
    bills::issued(batch, bill.shopper, bill.id, due_on, bill.issued_on, money, bill);
    let message = Message {
        id: MessageId::new(&mut moment.ids),
        template: "bill_issued",
        fields: &serde_json::json!({ "amount": amount, "currency": currency, "due_on": due_on }),
    };
    texts::queue_within(app, rules.contact_hours, batch, bill.shopper, &message, moment)
}
