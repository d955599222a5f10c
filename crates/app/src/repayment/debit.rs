//! Debits what is due from the card that the shopper gave a mandate for (自动扣款). It reads again what is owed in the
//! very decision, so that nothing is taken that was paid meanwhile.

use fenqi_domain::agreement::Agreement;
use fenqi_domain::allocation::Share;
use fenqi_domain::id::{AgreementId, PaymentId};
use fenqi_domain::loan::{Intent, Loan};
use fenqi_domain::money::{Amount, Money};
use fenqi_domain::payment::{DebitRule, Kind, Payment, State, Tried};
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Task};
use fenqi_store::tables::payments::Card;
use fenqi_store::tables::servicing::ServicingCase;
use jiff::civil::Date;

use crate::configuration::Rules;
use crate::jobs::{self, Due};
use crate::outcome::Denied;
use crate::repayment::payments::{self, Begun, Kept};
use crate::servicing;
use crate::texts::{self, Message};
use crate::unit::Decision;
use crate::{App, Moment};

/// Debits what agreements owe today, if a mandate allows it and the rule says that today is a day to try. Says of each
/// whether it tried.
pub(crate) async fn debit(app: &App, rules: &Rules, round: &[Due<AgreementId>]) -> Vec<Result<bool, Denied>> {
    let read =
        |round: Vec<Due<AgreementId>>| async move { app.store.servicing_cases(&Due::keys(&round)).await };
    let begun = app.steps(round, read, |_, case| decide(app, rules, case)).await;
    // The channel hears of one shopper's payments in order, and of different shoppers' side by side.
    let pieces = round.iter().copied().zip(begun).collect();
    jobs::side_by_side(pieces, |_, begun| carried_out(app, begun)).await
}

async fn carried_out(app: &App, begun: Result<Option<Begun>, Denied>) -> Result<bool, Denied> {
    match begun? {
        Some(begun) => payments::carry_out(app, begun).await.map(|_| true),
        None => Ok(false),
    }
}

fn decide(app: &App, rules: &Rules, case: ServicingCase) -> Result<Decision<Option<Begun>>, Denied> {
    let mut moment = app.moment();
    let agreement = &case.file.agreement;
    let mut batch = Batch::new(&agreement.shopper.to_string());
    let loan = servicing::fold(&case.file, moment.today)?;
    let begun = match next(app, &rules.debit, &case, &loan, &mut moment)? {
        Next::Try(kept) => {
            payments::intend(&mut batch, &kept, &moment);
            Some(Begun::new(*kept, vec![case.file]))
        }
        Next::On(day) => {
            agenda::moved(&mut batch, agreement, Task::Debit, day);
            None
        }
        Next::Exceeds(exceeded) => {
            agenda::moved(&mut batch, agreement, Task::Debit, exceeded.again);
            exceeded.tell(app, rules, &mut batch, agreement, &moment)?;
            None
        }
        Next::Wait => None,
    };
    Ok(Decision { batch, reply: begun })
}

/// What is to be done about a debit.
pub(crate) enum Next {
    /// It is tried now.
    Try(Box<Kept>),
    /// It is looked at again on a day, or not at all.
    On(Option<Date>),
    /// More is due than the mandate allows to be taken at once: nothing is taken, and the shopper is told. It is looked at
    /// again when they change the mandate, and on the next due date.
    Exceeds(Exceeded),
    /// A payment under way will end, and plan what is left.
    Wait,
}

/// More is due than a mandate allows.
pub(crate) struct Exceeded {
    /// The due date that has not come yet, on which it is looked at again.
    pub again: Option<Date>,
    due: Money,
    due_on: Date,
    maximum: Amount,
}

impl Exceeded {
    /// Tells the shopper, once for a due date, however often it is looked at.
    pub fn tell(
        &self,
        app: &App,
        rules: &Rules,
        batch: &mut Batch,
        agreement: &Agreement,
        moment: &Moment,
    ) -> Result<(), Denied> {
        let Money { amount, currency } = self.due;
        let message = Message {
            id: texts::told_once("mandate_exceeded", agreement.id, self.due_on),
            template: "mandate_exceeded",
            fields: &serde_json::json!({
                "amount": amount, "currency": currency, "due_on": self.due_on, "maximum": self.maximum,
            }),
        };
        texts::queue_within(
            app,
            rules.contact_hours,
            batch,
            agreement.shopper,
            &message,
            moment,
        )
    }
}

/// What is to be done about the debit of a loan as it stands.
pub(crate) fn next(
    app: &App,
    rule: &DebitRule,
    case: &ServicingCase,
    loan: &Loan,
    moment: &mut Moment,
) -> Result<Next, Denied> {
    let agreement = &case.file.agreement;
    let due = loan.payable()?.total()?;
    let dates = servicing::open_due_dates(loan, moment.today)?;
    let again = dates.last().copied().filter(|day| *day > moment.today);
    let has_come = |day: &&Date| **day <= moment.today;
    let (Some(due_on), true, false) = (
        dates.iter().rfind(has_come).copied(),
        payments::runs(&agreement.stage) && due.is_positive(),
        loan.is_paused,
    ) else {
        return Ok(Next::On(again));
    };
    if case.is_claimed() {
        return Ok(Next::Wait);
    }
    let Some((card, maximum)) = mandated_card(case) else {
        return Ok(Next::On(again));
    };
    match next_try(app, rule, case, &dates, card, moment.today)? {
        Some(day) if day <= moment.today => {}
        later => return Ok(Next::On(later.into_iter().chain(again).min())),
    }
    let currency = agreement.terms.currency;
    if due > maximum {
        let due = Money {
            amount: due,
            currency,
        };
        return Ok(Next::Exceeds(Exceeded {
            again,
            due,
            due_on,
            maximum,
        }));
    }
    let payment = Payment {
        id: PaymentId::new(&mut moment.ids),
        shopper: agreement.shopper,
        kind: Kind::Debit,
        amount: due,
        currency,
        card: card.id,
        intent: Intent::Keep,
        shares: vec![Share {
            agreement: agreement.id,
            amount: due,
        }],
        made_at: moment.now,
        state: State::Intended,
        receipts: Vec::new(),
        version: 1,
    };
    Ok(Next::Try(Box::new(Kept {
        payment,
        token: card.token.clone(),
        transactions: Vec::new(),
    })))
}

/// The next day, today or later, on which what fell due on one of these dates is tried again.
fn next_try(
    app: &App,
    rule: &DebitRule,
    case: &ServicingCase,
    dates: &[Date],
    card: &Card,
    today: Date,
) -> Result<Option<Date>, Denied> {
    let mut next: Option<Date> = None;
    for due_on in dates.iter().filter(|day| **day <= today) {
        let tried = tries(app, case, *due_on, card)?;
        let day = rule.next(*due_on, &tried, today)?;
        next = next.into_iter().chain(day).min();
    }
    Ok(next)
}

/// Whether a debit of today of what is due is still to be tried: then nothing needs to be said to the shopper yet.
pub(crate) fn is_awaited(
    app: &App,
    rule: &DebitRule,
    case: &ServicingCase,
    loan: &Loan,
    today: Date,
) -> Result<bool, Denied> {
    let due = loan.payable()?.total()?;
    let Some((card, _)) = mandated_card(case).filter(|(_, maximum)| due <= *maximum) else {
        return Ok(false);
    };
    let dates = servicing::open_due_dates(loan, today)?;
    Ok(next_try(app, rule, case, &dates, card, today)? == Some(today))
}

/// The bound card that the agreement's institution has a mandate for, and the most that may be taken at once.
fn mandated_card(case: &ServicingCase) -> Option<(&Card, Amount)> {
    let institution = &case.file.agreement.institution;
    let mut given = case.mandates.iter();
    let mandate = given.find(|m| m.institution == *institution && m.state == "given")?;
    let mut cards = case.cards.iter();
    let card = cards.find(|card| card.id == mandate.card && card.state == "bound")?;
    Some((card, mandate.maximum))
}

/// Whether a debit of this day failed: the shopper was told of that, and what would help.
pub(crate) fn has_failed_on(app: &App, case: &ServicingCase, day: Date) -> Result<bool, Denied> {
    for payment in failed(case) {
        if app.day_of(payment?.made_at) == day {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The debits of this agreement that failed.
fn failed(case: &ServicingCase) -> impl Iterator<Item = Result<Payment, Denied>> {
    let id = case.file.agreement.id;
    let stored = case.failed_debits.iter();
    let payments = stored.map(|stored| Ok(stored.detail::<Kept>()?.payment));
    payments.filter(move |payment: &Result<Payment, Denied>| {
        let ours = |payment: &Payment| payment.shares.iter().any(|share| share.agreement == id);
        payment.as_ref().map_or(true, ours)
    })
}

/// The debits of this due date that failed.
fn tries(app: &App, case: &ServicingCase, due_on: Date, card: &Card) -> Result<Vec<Tried>, Denied> {
    let mut tried = Vec::new();
    for payment in failed(case) {
        let payment = payment?;
        let on = app.day_of(payment.made_at);
        if let (State::Failed { code }, true) = (&payment.state, on >= due_on) {
            tried.push(Tried {
                on,
                code: *code,
                is_changed_since: payment.card != card.id,
            });
        }
    }
    Ok(tried)
}
