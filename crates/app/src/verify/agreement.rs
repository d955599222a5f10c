//! One agreement: its snapshot, its figures, its stage, its refunds and its entries, each against its own fold.

use fenqi_domain::agreement::{Agreement, Funding, Stage};
use fenqi_domain::ledger::{Account, Entry, EntryKind, net};
use fenqi_domain::loan::{self, Event, Loan, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::books::EntryRow;
use jiff::civil::Date;

use crate::App;
use crate::checkout::confirm;
use crate::outcome::Denied;
use crate::servicing;
use crate::verify::desk::{Desk, Taken, is_lent};
use crate::verify::totals::Totals;
use crate::verify::{Found, events};

/// Checks one agreement; gives what it takes of its line by its own fold.
pub(super) async fn check(
    app: &App,
    desk: &Desk,
    file: &AgreementFile,
    totals: &mut Totals,
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
    snapshot(app, agreement, &loan, used, found).await?;
    stored_events(app, file, found).await?;
    if is_lent(agreement) {
        figures(&subject, &loan, found)?;
        stage(agreement, &loan, &file.transactions, found)?;
        refunds(app, file, &loan, found).await?;
        totals.owed(agreement, &loan)?;
    } else {
        found.compare(
            "I11",
            &format!("{subject} transactions"),
            0,
            file.transactions.len(),
        );
    }
    ledger(desk, file, booked_on, totals, found)?;
    Ok(Taken {
        used,
        held: agreement.held(),
    })
}

/// I4: what is cached of the fold is the fold.
async fn snapshot(
    app: &App,
    agreement: &Agreement,
    loan: &Loan,
    used: Amount,
    found: &mut Found,
) -> Result<(), Denied> {
    let subject = agreement.id.to_string();
    let Some(stored) = app.store.snapshot(agreement.shopper, agreement.id).await? else {
        found.note("I4", &subject, &"a row", &"none");
        return Ok(());
    };
    found.compare(
        "I4",
        &format!("{subject} outstanding"),
        used.minor(),
        stored.outstanding,
    );
    found.compare(
        "I4",
        &format!("{subject} held"),
        agreement.held().minor(),
        stored.held,
    );
    let stage = agreement.stage.code();
    found.compare("I4", &format!("{subject} stage"), stage, stored.stage.as_str());
    let schedule = agreements::packed(loan);
    found.compare("I4", &format!("{subject} schedule"), schedule, stored.schedule);
    Ok(())
}

/// I8: the events are all there, and the ones that move a loan are those of its transactions.
async fn stored_events(app: &App, file: &AgreementFile, found: &mut Found) -> Result<(), Denied> {
    let agreement = &file.agreement;
    let subject = agreement.id.to_string();
    let stored = app.store.events(agreement.shopper, &subject).await?;
    events::gap_free(&subject, &stored, agreement.version, found);
    events::of_transactions(&subject, &stored, &file.transactions, found);
    events::of_stage(agreement, &stored, found);
    Ok(())
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

/// I12: no more goes back than was captured, and the refunds on record are those of the loan.
async fn refunds(app: &App, file: &AgreementFile, loan: &Loan, found: &mut Found) -> Result<(), Denied> {
    let agreement = &file.agreement;
    let subject = format!("{} refunds", agreement.id);
    if loan.refunded > loan.disbursed {
        let most = format!("at most {}", loan.disbursed.minor());
        found.note("I12", &subject, &most, &loan.refunded.minor());
    }
    let entered = amounts(&file.transactions, |event| match event {
        Event::Refunded { amount, .. } => Some(*amount),
        _ => None,
    });
    let stored = app.store.refunds(agreement.shopper).await?;
    let own = stored.iter().filter(|refund| refund.agreement == agreement.id);
    let mut recorded: Vec<i64> = own.map(|refund| refund.amount.minor()).collect();
    let mut entered = entered;
    entered.sort_unstable();
    recorded.sort_unstable();
    found.compare("I12", &subject, format!("{entered:?}"), format!("{recorded:?}"));
    Ok(())
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
