//! One payment attempt: its row, its events, and the transactions that it became in the loans (I4, I8, I11).

use fenqi_domain::id::{AgreementId, PaymentId};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{Payment, State};
use fenqi_store::tables::agreements::StoredEvent;
use fenqi_store::tables::payments::StoredPayment;
use jiff::civil::Date;

use crate::App;
use crate::outcome::Denied;
use crate::repayment::payments::{Kept, PaymentView, kind_code};
use crate::verify::replay::Heard;
use crate::verify::{Found, events};

/// A payment as stored.
pub(super) struct Attempt {
    pub stored: StoredPayment,
    pub kept: Kept,
}

/// Checks one payment.
pub(super) fn check(
    app: &App,
    attempt: &Attempt,
    events: &[StoredEvent],
    heard: &Heard,
    found: &mut Found,
) -> Result<(), Denied> {
    let subject = attempt.stored.id.to_string();
    columns(attempt, &subject, found);
    events::gap_free(&subject, events, attempt.stored.version, found);
    told(&attempt.kept.payment, &subject, events, found);
    transactions(app, &attempt.kept, heard, found)
}

/// Payments that events of agreements tell of must be there.
pub(super) fn known(payments: &[Attempt], heard: &Heard, found: &mut Found) {
    let ids: std::collections::BTreeSet<PaymentId> = payments.iter().map(|p| p.stored.id).collect();
    for (payment, agreement, number, ..) in heard.moved.iter().filter(|moved| !ids.contains(&moved.0)) {
        let place = format!("{agreement} transaction {number}");
        found.note("I4", &place, &format!("a payment {payment}"), &"none");
    }
}

/// The columns of the row repeat what its detail says.
fn columns(attempt: &Attempt, subject: &str, found: &mut Found) {
    let (stored, payment) = (&attempt.stored, &attempt.kept.payment);
    let line = |id: &dyn std::fmt::Display, kind: &str, state: &str, money: (i64, &str), card: &str| {
        format!("{id} {kind} {state} {} {} {card}", money.0, money.1)
    };
    found.compare(
        "column",
        &format!("{subject} row"),
        line(
            &payment.id,
            kind_code(payment.kind),
            payment.state.code(),
            (payment.amount.minor(), payment.currency.code()),
            &payment.card.to_string(),
        ),
        line(
            &stored.id,
            &stored.kind,
            &stored.state,
            (stored.money.amount.minor(), stored.money.currency.code()),
            &stored.card,
        ),
    );
}

/// I8, I11: the events tell of this payment, never lead back, and end where it stands.
fn told(payment: &Payment, subject: &str, events: &[StoredEvent], found: &mut Found) {
    let mut last: Option<PaymentView> = None;
    for event in events {
        let place = format!("{subject} event {}", event.sequence);
        let stored = format!("{} {}", event.kind, event.detail);
        let Ok(view) = serde_json::from_str::<PaymentView>(&event.detail) else {
            found.note("I8", &place, &"a payment as its owner is told", &stored);
            return;
        };
        let kind = format!("payment.{}", view.state.code());
        let same = view.id == payment.id && view.amount == payment.amount && view.shares == payment.shares;
        if event.kind != kind || !same {
            let expected = format!("{kind} of {} for {:?}", payment.amount.minor(), payment.shares);
            found.note("I8", &place, &expected, &stored);
            return;
        }
        let before = last.as_ref().map(|view| view.state.rank());
        let first = matches!(view.state, State::Intended);
        if before.is_none() != first || before.is_some_and(|before| view.state.rank() < before) {
            found.note("I11", &place, &"a step that leads on", &stored);
        }
        last = Some(view);
    }
    let ends = last.map(|view| view.state);
    if ends.as_ref() != Some(&payment.state) {
        let (told, stored) = (format!("{ends:?}"), format!("{:?}", payment.state));
        found.note("I8", &format!("{subject} state by its events"), &told, &stored);
    }
}

/// I4: each time that the channel took the money it became one transaction in each agreement that it is for, and what
/// the row remembers of them are those that stand.
fn transactions(app: &App, kept: &Kept, heard: &Heard, found: &mut Found) -> Result<(), Denied> {
    let payment = &kept.payment;
    let subject = payment.id.to_string();
    let shared = Amount::sum(payment.shares.iter().map(|share| share.amount))?;
    found.compare(
        "I4",
        &format!("{subject} shares"),
        payment.amount.minor(),
        shared.minor(),
    );
    let back: Vec<_> = heard
        .reversed
        .iter()
        .filter(|back| back.0 == payment.id)
        .collect();
    let standing: Vec<_> = heard
        .moved
        .iter()
        .filter(|moved| moved.0 == payment.id)
        .filter(|moved| !back.iter().any(|back| (back.1, back.2) == (moved.1, moved.2)))
        .collect();
    let mut entered: Vec<_> = standing.iter().map(|moved| (moved.1, moved.2)).collect();
    let mut remembered = kept.transactions.clone();
    entered.sort_unstable();
    remembered.sort_unstable();
    let listed = |all: &[(AgreementId, u32)]| {
        let each: Vec<String> = all.iter().map(|(id, number)| format!("{id} {number}")).collect();
        each.join(", ")
    };
    let place = format!("{subject} transactions");
    found.compare("I4", &place, listed(&entered), listed(&remembered));
    if !matches!(payment.state, State::Succeeded) {
        return Ok(());
    }
    // Of money that was taken twice, the day of the one that was heard of first is not kept.
    let is_once = payment.receipts.len() == 1;
    let mut expected = Vec::new();
    for receipt in &payment.receipts {
        let on = Some(app.day_of(receipt.at)).filter(|_| is_once);
        expected.extend(
            payment
                .shares
                .iter()
                .map(|share| (share.agreement, share.amount, on)),
        );
    }
    let day = |on| Some(on).filter(|_| is_once);
    let mut stored: Vec<_> = standing
        .iter()
        .map(|moved| (moved.1, moved.3, day(moved.4)))
        .collect();
    expected.sort_unstable();
    stored.sort_unstable();
    let money = |all: &[(AgreementId, Amount, Option<Date>)]| {
        let one = |(id, amount, on): &(AgreementId, Amount, Option<Date>)| match on {
            Some(on) => format!("{} of {id} on {on}", amount.minor()),
            None => format!("{} of {id}", amount.minor()),
        };
        all.iter().map(one).collect::<Vec<String>>().join(", ")
    };
    let place = format!("{subject} money");
    found.compare("I4", &place, money(&expected), money(&stored));
    Ok(())
}
