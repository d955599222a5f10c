//! The life of a loan after its capture, as one operation: add transactions, fold, and write all that follows.
//!
//! Every use case that touches a running loan ends here: repay, settle, refund, bounce, waive, pause, capture, and the
//! day run that only books what fell due. So there is one place that keeps the agreement's snapshot, the limit, the
//! ledger, the event and the planned work in step, and all of it is in one batch.

use fenqi_domain::agreement::{Agreement, Capture, Funding, Stage};
use fenqi_domain::calendar::{add_days, days_between};
use fenqi_domain::id::EntryId;
use fenqi_domain::ledger::{Book, Entry};
use fenqi_domain::loan::{self, Event, Loan, Transaction};
use fenqi_domain::money::Amount;
use fenqi_store::Batch;
use fenqi_store::tables::agenda::{self, Days, Task};
use fenqi_store::tables::agreements::{self, AgreementFile};
use fenqi_store::tables::books::{self, EntryRow};
use fenqi_store::tables::{credit, work};
use jiff::civil::Date;
use serde::Serialize;

use crate::Moment;
use crate::outcome::Denied;

/// Kinds of work that few agreements have; what each has stands in its own row, as [`Task`] names it.
pub mod kinds {
    /// The money for the seller is to be asked for.
    pub const FUND: &str = "fund";
    /// A return's answer is awaited.
    pub const RETURN: &str = "return";
    /// A credit balance is to be paid back.
    pub const PAY_OUT: &str = "pay_out";
    /// An application's answer is to be asked for.
    pub const ASSESS: &str = "assess";
}

/// Days before a due date on which its bill is issued.
pub const BILL_DAYS_AHEAD: i64 = 10;

/// Days from a due date on which the shopper is reminded, before and after it; and then once in [`REMINDED_EVERY`].
const REMINDER_DAYS: [i64; 10] = [-7, -3, -1, 0, 1, 3, 7, 15, 30, 60];

/// Days between reminders of what has been late for longer than all of [`REMINDER_DAYS`].
const REMINDED_EVERY: i64 = 30;

/// A change of a running loan.
pub struct Amendment<'a, D: Serialize> {
    /// What happened, each with the day on which it counts.
    pub added: Vec<(Date, Event)>,
    /// Where the agreement goes, if the change moves it itself (a capture); settlement is seen from the fold.
    pub stage: Option<Stage>,
    /// By how much the hold changes.
    pub held: Amount,
    /// Entries of the change itself, besides those that follow from the fold.
    pub entries: Vec<Entry>,
    /// The event's name, as `agreement.repaid`.
    pub event: &'a str,
    /// The event's content.
    pub detail: D,
}

/// The agreement after a change.
#[derive(Debug, Clone)]
pub struct Amended {
    /// The loan as it stands today.
    pub loan: Loan,
    /// Where the agreement stands.
    pub stage: Stage,
    /// By how much outstanding principal changed; negative when some was repaid or refunded.
    pub used: Amount,
    /// The numbers of the added transactions.
    pub numbers: Vec<u32>,
}

/// The fold of an agreement's file on a day.
pub fn fold(file: &AgreementFile, on: Date) -> Result<Loan, Denied> {
    Ok(loan::fold(&file.agreement.terms, &file.transactions, on)?)
}

/// Writes a change and everything that follows from it.
pub fn amend<D: Serialize>(
    batch: &mut Batch,
    file: &AgreementFile,
    change: Amendment<'_, D>,
    moment: &mut Moment,
) -> Result<Amended, Denied> {
    let mut follows = Batch::new(&file.agreement.shopper.to_string());
    let (amended, days) = amend_undated(&mut follows, file, change, moment)?;
    rewrite(batch, file, &amended, days, moment)?;
    batch.append(follows);
    Ok(amended)
}

/// Writes an amended agreement's row. Its guard stands before everything that follows from the change, so that a change
/// which comes too late has written nothing.
pub(crate) fn rewrite(
    batch: &mut Batch,
    before: &AgreementFile,
    amended: &Amended,
    days: Days,
    moment: &Moment,
) -> Result<(), Denied> {
    let to = agreements::Changed {
        before: &before.agreement,
        stage: &amended.stage,
        loan: &amended.loan,
        outstanding: amended.loan.outstanding()?.principal,
        booked_on: Some(moment.today),
        days: (days != before.days).then_some(days),
    };
    agreements::changed(batch, &to);
    Ok(())
}

/// Writes what follows from a change but for the agreement's row, for who decides more about the days on which it is looked
/// at next: they are given back, and are to be written with [`rewrite`] in front of the rest.
pub(crate) fn amend_undated<D: Serialize>(
    batch: &mut Batch,
    file: &AgreementFile,
    change: Amendment<'_, D>,
    moment: &mut Moment,
) -> Result<(Amended, Days), Denied> {
    let agreement = &file.agreement;
    let added = numbered(file, change.added)?;
    let mut all = file.transactions.clone();
    all.extend(added.iter().cloned());

    let (before, booked) = match file.booked_on {
        Some(day) => {
            let (before, booked) = loan::booked(&agreement.terms, &file.transactions, day)?;
            (Some(before), booked)
        }
        None => (None, Vec::new()),
    };
    let (loan, postings) = loan::booked(&agreement.terms, &all, moment.today)?;
    let owed_before = before.as_ref().map(Loan::outstanding).transpose()?;
    let owed = loan.outstanding()?.principal;
    let used = owed.minus(owed_before.unwrap_or_default().principal)?;
    let stage = stage_after(
        change.stage.unwrap_or_else(|| agreement.stage.clone()),
        &loan,
        agreement,
    )?;

    credit::move_line(
        batch,
        agreement.shopper,
        &agreement.institution,
        change.held,
        used,
    );
    for transaction in &added {
        agreements::transacted(batch, agreement, transaction, moment.now);
    }
    for entry in change.entries {
        book(batch, agreement, &entry, moment);
    }
    for entry in book_of(agreement).difference(&booked, &postings) {
        book(batch, agreement, &entry, moment);
    }
    let (shopper, id) = (agreement.shopper.to_string(), agreement.id.to_string());
    let sequence = agreement.version.saturating_add(1);
    agreements::happened(
        batch,
        &shopper,
        &id,
        sequence,
        change.event,
        &change.detail,
        moment.now,
    );
    let days = days_of(&file.days, &loan, &stage, moment.today)?;
    plan_rare(batch, agreement, before.as_ref(), (&loan, &stage), moment.today);
    let numbers = added.iter().map(|t| t.number).collect();
    let amended = Amended {
        loan,
        stage,
        used,
        numbers,
    };
    Ok((amended, days))
}

/// Writes one entry of an agreement.
pub fn book(batch: &mut Batch, agreement: &Agreement, entry: &Entry, moment: &mut Moment) {
    let row = EntryRow {
        agreement: agreement.id,
        debit: entry.debit().to_string(),
        credit: entry.credit().to_string(),
        amount: entry.amount(),
        currency: entry.currency(),
        kind: entry.kind().code().into(),
        effective_on: entry.effective_on(),
        recorded_at: moment.now,
    };
    books::booked(batch, agreement.shopper, EntryId::new(&mut moment.ids), &row);
}

/// Whose accounts an agreement's movements touch.
pub fn book_of(agreement: &Agreement) -> Book {
    Book {
        agreement: agreement.id,
        institution: agreement.institution.clone(),
        seller: agreement.seller.clone(),
        currency: agreement.terms.currency,
    }
}

fn numbered(file: &AgreementFile, events: Vec<(Date, Event)>) -> Result<Vec<Transaction>, Denied> {
    let mut last = file.transactions.iter().map(|t| t.number).max().unwrap_or(0);
    Ok(events
        .into_iter()
        .map(|(effective_on, event)| {
            last = last.saturating_add(1);
            Transaction {
                number: last,
                effective_on,
                event,
            }
        })
        .collect())
}

/// Whether the loan is settled follows from its fold alone; a bounced last payment opens it again.
pub(crate) fn stage_after(stage: Stage, loan: &Loan, agreement: &Agreement) -> Result<Stage, Denied> {
    let settled = loan.settled_on()?;
    let last_due = agreement.terms.due_dates.last().copied();
    Ok(match (stage, settled) {
        (Stage::Active { held, captures, .. }, Some(on)) if held.is_zero() => Stage::Settled {
            on,
            early: last_due.is_some_and(|last| on < last),
            captures,
        },
        (Stage::Settled { captures, .. }, None) => {
            // Nothing is held any more, so that the end of the hold means nothing.
            Stage::Active {
                held: Amount::ZERO,
                expires_at: agreement.confirmed_at,
                captures,
            }
        }
        (stage, _) => stage,
    })
}

/// The days on which an agreement is looked at next, after a change that leaves it as this loan and this stage.
fn days_of(before: &Days, loan: &Loan, stage: &Stage, today: Date) -> Result<Days, Denied> {
    let is_active = matches!(stage, Stage::Active { .. });
    let due = match is_active {
        true => open_due_dates(loan, today)?,
        false => Vec::new(),
    };
    let unbilled = unbilled(loan, today).filter(|_| is_active);
    let unbilled = unbilled.map(|(_, due_on)| due_on);
    // Penalties are booked on their days for those whom nobody touches, so that books never depend on who looked.
    let posts_on = loan.penalty_posts_on.filter(|_| is_active);
    let bill = unbilled.map(|due| add_days(due, -BILL_DAYS_AHEAD)).transpose()?;
    Ok(Days {
        expire: expires(before, stage),
        age: unbilled.into_iter().chain(posts_on).min(),
        bill: match before.bill {
            // A bill whose day has come waits for its job, whatever happens meanwhile: each due date has its bill, however
            // many days were skipped.
            Some(waits) if waits <= today => Some(bill.map_or(waits, |bill| bill.min(waits))),
            _ => bill,
        },
        // The debit job moves it while something is overdue; here it is only begun.
        debit: due
            .first()
            .filter(|_| !loan.is_paused)
            .map(|due| (*due).max(today)),
        remind: next_reminder(reminded_of(&due, today), today)?,
    })
}

/// When the hold of a stage runs out: as it was confirmed, while anything is held.
pub(crate) fn expires(before: &Days, stage: &Stage) -> Option<Date> {
    before.expire.filter(|_| agreements::held(stage).is_positive())
}

/// The next instalment after a day of which something is open, by its number, with its due date: the next to be billed.
pub(crate) fn unbilled(loan: &Loan, after: Date) -> Option<(u16, Date)> {
    let mut rows = loan.rows.iter();
    rows.find(|row| row.due_on > after && !is_open_zero(row))
        .map(|row| (row.number, row.due_on))
}

/// Plans what few loans ever have: a credit balance to be paid back, goods whose seller waits for the money. It is struck
/// only where it was planned before.
fn plan_rare(
    batch: &mut Batch,
    agreement: &Agreement,
    before: Option<&Loan>,
    (loan, stage): (&Loan, &Stage),
    today: Date,
) {
    let (shopper, id) = (agreement.shopper.to_string(), agreement.id.to_string());
    let mut put = |kind: &str, was: bool, is: bool| {
        if is {
            work::planned(batch, &shopper, kind, &id, today);
        } else if was {
            work::done(batch, &shopper, kind, &id);
        }
    };
    let pays_out = |loan: &Loan| loan.credit_balance.is_positive();
    put(kinds::PAY_OUT, before.is_some_and(pays_out), pays_out(loan));
    let waits = |stage: &Stage| {
        let mut captures = captures(stage).iter();
        captures.any(|c| matches!(c.funding, Funding::Waiting | Funding::Asked { .. }))
    };
    put(kinds::FUND, waits(&agreement.stage), waits(stage));
}

/// Looks again at the debits of an institution's agreements: the shopper gave it another mandate.
pub(crate) fn debit_again(batch: &mut Batch, files: &[AgreementFile], institution: &str, today: Date) {
    let runs = |file: &&AgreementFile| {
        let agreement = &file.agreement;
        agreement.institution == institution && matches!(agreement.stage, Stage::Active { .. })
    };
    for file in files.iter().filter(runs) {
        agenda::moved(batch, &file.agreement, Task::Debit, Some(today));
    }
}

/// The captures of a stage that has any.
pub fn captures(stage: &Stage) -> &[Capture] {
    match stage {
        Stage::Active { captures, .. } | Stage::Settled { captures, .. } => captures,
        Stage::Confirmed { .. } | Stage::Cancelled { .. } => &[],
    }
}

fn is_open_zero(row: &loan::Row) -> bool {
    row.open()
        .and_then(|parts| parts.total())
        .is_ok_and(Amount::is_zero)
}

/// The due dates of which something is open, ascending: those that have come, and the first that has not. Each has its
/// debits and reminders, whether or not an older one is late.
pub(crate) fn open_due_dates(loan: &Loan, today: Date) -> Result<Vec<Date>, Denied> {
    let mut dates = Vec::new();
    for row in &loan.rows {
        if !row.open()?.total()?.is_positive() {
            continue;
        }
        dates.push(row.due_on);
        if row.due_on > today {
            break;
        }
    }
    Ok(dates)
}

/// Of open due dates those that a shopper is reminded of: the newest that has come, for all that is late, and the next.
pub(crate) fn reminded_of(dates: &[Date], today: Date) -> &[Date] {
    let newest = dates.iter().rposition(|day| *day <= today);
    dates.get(newest.unwrap_or(0)..).unwrap_or_default()
}

/// The first day, from a given one on, on which one of these due dates is spoken of.
pub(crate) fn next_reminder(due: &[Date], from: Date) -> Result<Option<Date>, Denied> {
    let mut next: Option<Date> = None;
    for due in due {
        let since = days_between(*due, from);
        let named = REMINDER_DAYS.into_iter().find(|days| *days >= since);
        let rest = since.rem_euclid(REMINDED_EVERY);
        let later = match rest {
            0 => since,
            _ => since.saturating_add(REMINDED_EVERY).saturating_sub(rest),
        };
        let day = add_days(*due, named.unwrap_or(later))?;
        next = Some(next.map_or(day, |next| next.min(day)));
    }
    Ok(next)
}
