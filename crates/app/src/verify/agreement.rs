//! One agreement: its snapshot, its figures, its stage, its refunds and its entries, each against its own fold.

use fenqi_domain::agreement::{Agreement, Funding, Stage};
use fenqi_domain::bill::Bill;
use fenqi_domain::id::RefundId;
use fenqi_domain::ledger::{Account, Entry, EntryKind, net};
use fenqi_domain::loan::{self, Event, Loan, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_store::tables::agreements::{self, AgreementFile, Snapshot};
use fenqi_store::tables::books::EntryRow;
use jiff::civil::Date;

use crate::App;
use crate::checkout::confirm;
use crate::outcome::Denied;
use crate::servicing;
use crate::verify::desk::{Desk, Taken, is_lent};
use crate::verify::replay::{self, Heard};
use crate::verify::totals::Totals;
use crate::verify::{Found, Sums, events};

/// Checks one agreement; gives what it takes of its line by its own fold.
pub(super) fn check(
    app: &App,
    desk: &Desk,
    (file, bills): (&AgreementFile, &[Bill]),
    sums: &mut Sums,
    heard: &mut Heard,
    found: &mut Found,
) -> Result<Taken, Denied> {
    let agreement = &file.agreement;
    let subject = agreement.id.to_string();
    let booked_on = file.booked_on;
    let loan = match booked_on {
        Some(day) if is_lent(agreement) => loan::fold(&agreement.terms, &file.transactions, day),
        _ => {
            let day = app.day_of(agreement.confirmed_at);
            Ok(confirm::expected(agreement, day)?)
        }
    };
    let loan = match loan {
        Ok(loan) => loan,
        Err(broken) => {
            found.note("I3", &subject, &"transactions that make a loan", &broken);
            return Ok(Taken {
                used: Amount::ZERO,
                held: agreement.held(),
            });
        }
    };
    let used = if is_lent(agreement) {
        loan.outstanding()?.principal
    } else {
        Amount::ZERO
    };
    if let Some(stored) = desk.snapshots.get(&agreement.id) {
        snapshot(agreement, &loan, used, stored, found);
        desk.papers.check(agreement, stored, found);
    }
    if let Some(quote) = desk.papers.quote(agreement.id) {
        sums.budgets.take(agreement, quote)?;
    }
    let stored = desk.events(&subject);
    events::gap_free(&subject, stored, agreement.version, found);
    replay::check(app, file, stored, heard, found)?;
    columns(desk, file, found);
    desk.plans.of_agreement(app, file, &loan, bills, found)?;
    if is_lent(agreement) {
        figures(&subject, &loan, found)?;
        stage(agreement, &loan, &file.transactions, found)?;
        refunds(desk, file, &loan, heard, found);
        sums.totals.owed(agreement, &loan)?;
        sums.totals.transferred(agreement)?;
    } else {
        found.compare(
            "I11",
            &format!("{subject} transactions"),
            0,
            file.transactions.len(),
        );
    }
    ledger(desk, file, booked_on, &mut sums.totals, found)?;
    Ok(Taken {
        used,
        held: agreement.held(),
    })
}

/// What columns cache of the fold is the fold: the schedule (I3), what is owed and held (I2), the stage (I11); and what
/// they repeat of the terms is there.
fn snapshot(agreement: &Agreement, loan: &Loan, used: Amount, stored: &Snapshot, found: &mut Found) {
    let subject = agreement.id.to_string();
    let (held, stage) = (agreement.held().minor(), agreement.stage.code());
    found.compare(
        "I2",
        &format!("{subject} outstanding"),
        used.minor(),
        stored.outstanding,
    );
    found.compare("I2", &format!("{subject} held"), held, stored.held);
    found.compare("I11", &format!("{subject} stage"), stage, stored.stage.as_str());
    let schedule = agreements::packed(loan);
    found.compare(
        "I3",
        &format!("{subject} schedule"),
        schedule.as_str(),
        stored.schedule.as_str(),
    );
    let terms = &agreement.terms;
    found.compare(
        "column",
        &format!("{subject} principal"),
        format!("{} {}", terms.principal.minor(), terms.currency.code()),
        format!("{} {}", stored.principal, stored.currency),
    );
}

/// The columns of each transaction repeat what it says, and they are numbered from one.
fn columns(desk: &Desk, file: &AgreementFile, found: &mut Found) {
    let own = desk.columns.iter();
    let own = own.filter(|row| row.agreement == file.agreement.id);
    for ((transaction, row), number) in file.transactions.iter().zip(own).zip(1i64..) {
        let (kind, amount) = (
            agreements::kind(&transaction.event),
            agreements::amount(&transaction.event).minor(),
        );
        found.compare(
            "column",
            &format!("{} transaction {number}", file.agreement.id),
            format!("{number} {kind} {amount}"),
            format!("{} {} {}", row.number, row.kind, row.amount),
        );
    }
}

/// I3: paid, waived, cancelled and open make up what was charged, none is negative, and the principal is what was lent.
fn figures(subject: &str, loan: &Loan, found: &mut Found) -> Result<(), Denied> {
    let mut principal = Amount::ZERO;
    for row in &loan.rows {
        principal = principal.plus(row.principal.charged)?;
        for component in Component::ALL {
            let figures = row.figures(component);
            let parts = [
                figures.charged,
                figures.paid,
                figures.waived,
                figures.cancelled,
                figures.open()?,
            ];
            if parts.iter().any(|part| part.is_negative()) {
                let place = format!("{subject} instalment {} {component:?}", row.number);
                found.note("I3", &place, &"figures of zero or more", &format!("{figures:?}"));
            }
        }
    }
    found.compare(
        "I3",
        &format!("{subject} principal"),
        loan.disbursed.minor(),
        principal.minor(),
    );
    Ok(())
}

/// I11: the stage is one that what happened allows.
fn stage(
    agreement: &Agreement,
    loan: &Loan,
    transactions: &[Transaction],
    found: &mut Found,
) -> Result<(), Denied> {
    let subject = agreement.id.to_string();
    let lent: Vec<i64> = amounts(transactions, |event| match event {
        Event::Disbursed { amount } => Some(*amount),
        _ => None,
    });
    let captured: Vec<i64> = agreement.captures().iter().map(|c| c.amount.minor()).collect();
    found.compare(
        "I11",
        &format!("{subject} captures"),
        format!("{lent:?}"),
        format!("{captured:?}"),
    );
    let settled = loan.settled_on()?;
    let expected = match settled {
        Some(on) if agreement.held().is_zero() => format!("settled on {on}"),
        _ => "active".to_owned(),
    };
    let stored = match &agreement.stage {
        Stage::Settled { on, .. } => format!("settled on {on}"),
        other => other.code().to_owned(),
    };
    found.compare("I11", &format!("{subject} stage"), expected, stored);
    let held_and_used = agreement.held().plus(loan.disbursed)?;
    if held_and_used > agreement.terms.principal {
        let most = agreement.terms.principal.minor();
        found.note(
            "I11",
            &format!("{subject} captured and held"),
            &most,
            &held_and_used.minor(),
        );
    }
    Ok(())
}

/// I12: no more goes back than was captured, and the refunds on record are those that events tell of.
fn refunds(desk: &Desk, file: &AgreementFile, loan: &Loan, heard: &Heard, found: &mut Found) {
    let id = file.agreement.id;
    let subject = format!("{id} refunds");
    if loan.refunded > loan.disbursed {
        let most = format!("at most {}", loan.disbursed.minor());
        found.note("I12", &subject, &most, &loan.refunded.minor());
    }
    let told = heard.refunds.iter().filter(|refund| refund.0 == id);
    let recorded = desk.refunds.iter().filter(|refund| refund.agreement == id);
    let mut told: Vec<_> = told
        .map(|(_, refund, amount)| (*refund, amount.minor()))
        .collect();
    let mut recorded: Vec<_> = recorded
        .map(|refund| (refund.id, refund.amount.minor()))
        .collect();
    told.sort_unstable();
    recorded.sort_unstable();
    let listed = |all: &[(RefundId, i64)]| {
        let one = |(id, amount): &(RefundId, i64)| format!("{amount} by {id}");
        all.iter().map(one).collect::<Vec<String>>().join(", ")
    };
    found.compare("I12", &subject, listed(&told), listed(&recorded));
}

fn amounts(transactions: &[Transaction], pick: impl Fn(&Event) -> Option<Amount>) -> Vec<i64> {
    let picked = transactions.iter().filter_map(|t| pick(&t.event));
    picked.map(Amount::minor).collect()
}

/// I19: the agreement's entries are its postings, its commitments are what it holds, its funding is what was funded.
fn ledger(
    desk: &Desk,
    file: &AgreementFile,
    booked_on: Option<Date>,
    totals: &mut Totals,
    found: &mut Found,
) -> Result<(), Denied> {
    let agreement = &file.agreement;
    let subject = agreement.id.to_string();
    let book = servicing::book_of(agreement);
    let (mut posted, mut committed, mut funded) = (Vec::new(), Amount::ZERO, Vec::new());
    for row in desk.entries.iter().filter(|row| row.agreement == agreement.id) {
        let Some(entry) = entry(&book, row) else { continue };
        found.compare(
            "I19",
            &format!("{subject} currency"),
            book.currency.code(),
            row.currency.code(),
        );
        match entry.kind() {
            EntryKind::Committed | EntryKind::CommitmentReleased => {
                let sides = [entry.debit().clone(), entry.credit().clone()];
                let own = Account::Commitments(agreement.institution.clone());
                let contra = Account::CommitmentsContra(agreement.institution.clone());
                committed = if sides == [own.clone(), contra.clone()] {
                    committed.plus(entry.amount())?
                } else if sides == [contra, own] {
                    committed.minus(entry.amount())?
                } else {
                    found.note("I19", &subject, &"a commitment of its institution", &line(&entry));
                    committed
                };
            }
            EntryKind::Funded => funded.push(entry),
            EntryKind::Posted(_) | EntryKind::Compensated(_) => posted.push(entry),
        }
    }
    found.compare(
        "I19",
        &format!("{subject} commitments"),
        agreement.held().minor(),
        committed.minor(),
    );

    let mut expected: Vec<Entry> = Vec::new();
    if let Some(day) = booked_on.filter(|_| is_lent(agreement)) {
        let postings = loan::postings(&agreement.terms, &file.transactions, day)?;
        expected.extend(postings.iter().map(|posting| book.posted(posting)));
    }
    totals.expect(&expected)?;
    let stands = agreement
        .captures()
        .iter()
        .filter(|c| matches!(c.funding, Funding::Funded { .. }));
    let mut due: Vec<Entry> = Vec::new();
    let mut days = funded.clone();
    for capture in stands {
        // It is booked on the day on which we were told of it, and that day stands in the entry alone.
        let same = days.iter().position(|e: &Entry| e.amount() == capture.amount);
        let on = same.map_or(capture.on, |index| days.swap_remove(index).effective_on());
        due.extend(book.funded(capture.amount, on));
    }
    totals.expect(&due)?;
    compare(&subject, net(posted), net(expected), found);
    compare(&subject, net(funded), net(due), found);
    Ok(())
}

/// Tells entries that are missing and entries that are too many.
fn compare(subject: &str, stored: Vec<Entry>, expected: Vec<Entry>, found: &mut Found) {
    let (mut stored, mut expected) = (stored.into_iter().peekable(), expected.into_iter().peekable());
    loop {
        let order = match (stored.peek(), expected.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            std::cmp::Ordering::Equal => {
                stored.next();
                expected.next();
            }
            std::cmp::Ordering::Less => {
                if let Some(entry) = stored.next() {
                    found.note("I19", subject, &"no such entry", &line(&entry));
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some(entry) = expected.next() {
                    found.note("I19", subject, &line(&entry), &"no such entry");
                }
            }
        }
    }
}

fn line(entry: &Entry) -> String {
    format!(
        "{} {} {} from {} to {}",
        entry.effective_on(),
        entry.kind().code(),
        entry.amount().minor(),
        entry.credit(),
        entry.debit(),
    )
}

/// The entry of a row, as far as it can be one; what cannot is told by I1.
fn entry(book: &fenqi_domain::ledger::Book, row: &EntryRow) -> Option<Entry> {
    let (debit, credit) = (row.debit.parse().ok()?, row.credit.parse().ok()?);
    Entry::stored(
        book,
        row.effective_on,
        row.kind.parse().ok()?,
        debit,
        credit,
        row.amount,
    )
}
