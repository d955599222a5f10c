//! Agreements with their transactions, orders and events.

use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::id::{AgreementId, QuoteId, ShopperId};
use fenqi_domain::loan::{Event, Loan, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Instalment;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::agenda::Days;
use super::packed::Packed;
use super::{Store, feed, from_json, instant, parsed, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::statement::Query;
use crate::value::{Row, Value};

statements! {
    INSERT = "agreement.insert", (Text, Text, Text, Text, Int, Text, Text, Text, Int, Text, Int, Int, Int, Text, Text, Text, Text, Text, Text, Int, Text) -> (),
        "insert into agreement (shopper, id, purchase_order, reference, price, institution, seller, plan, plan_version, currency, principal, outstanding, held, stage, stage_detail, terms, schedule, lines, digest, confirmed_at, expire_on, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 1) on conflict (shopper, id) do nothing";
    UPDATE = "agreement.update", (Text, Text, Int, Int, Int, Text, Text, Text, Text, Text, Text, Text, Text, Text) -> (),
        "update agreement set outstanding = $4, held = $5, stage = $6, stage_detail = $7, schedule = $8, booked_on = $9, expire_on = $10, age_on = $11, bill_on = $12, debit_on = $13, remind_on = $14, version = version + 1 where shopper = $1 and id = $2 and version = $3";
    UPDATE_ALONE = "agreement.update_alone", (Text, Text, Int, Int, Int, Text, Text, Text, Text) -> (),
        "update agreement set outstanding = $4, held = $5, stage = $6, stage_detail = $7, schedule = $8, booked_on = $9, version = version + 1 where shopper = $1 and id = $2 and version = $3";
    FIND = "agreement.find", (Text, Text) -> (Text, Text, Text, Text, Text, Text, Int, Text, Text, Text, Text, Text, Int, Int, Text, Text, Text, Text, Text),
        "select shopper, id, purchase_order, institution, seller, plan, plan_version, stage_detail, terms, lines, digest, booked_on, confirmed_at, version, expire_on, age_on, bill_on, debit_on, remind_on from agreement where shopper = $1 and id = $2";
    OF_SHOPPER = "agreement.of_shopper", (Text) -> (Text, Text, Text, Text, Text, Text, Int, Text, Text, Text, Text, Text, Int, Int, Text, Text, Text, Text, Text),
        "select shopper, id, purchase_order, institution, seller, plan, plan_version, stage_detail, terms, lines, digest, booked_on, confirmed_at, version, expire_on, age_on, bill_on, debit_on, remind_on from agreement where shopper = $1 order by confirmed_at, id";
    SNAPSHOTS = "agreement.snapshots", (Text) -> (Text, Int, Int, Text, Text, Text, Int, Int, Text),
        "select id, outstanding, held, stage, schedule, reference, price, principal, currency from agreement where shopper = $1 order by id";
    ACTIVE_AFTER = "agreement.active_after", (Text, Text, Int) -> (Text, Text),
        "select shopper, id from agreement where stage = 'active' and (shopper, id) > ($1, $2) order by shopper, id limit $3";
    TRANSACTION_INSERT = "loan_transaction.insert", (Text, Text, Int, Text, Text, Int, Text, Int) -> (),
        "insert into loan_transaction (shopper, agreement, number, effective_on, kind, amount, detail, entered_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    TRANSACTIONS = "loan_transaction.of_agreement", (Text, Text) -> (Int, Text, Text),
        "select number, effective_on, detail from loan_transaction where shopper = $1 and agreement = $2 order by number";
    TRANSACTION_COLUMNS = "loan_transaction.columns", (Text) -> (Text, Int, Text, Int, Int),
        "select agreement, number, kind, amount, entered_at from loan_transaction where shopper = $1 order by agreement, number";
    TRANSACTIONS_OF_SHOPPER = "loan_transaction.of_shopper", (Text) -> (Text, Int, Text, Text, Int),
        "select agreement, number, effective_on, detail, entered_at from loan_transaction where shopper = $1 order by agreement, number";
    REFERENCE_INSERT = "order_reference.insert", (Text, Text, Text, Text) -> (),
        "insert into order_reference (seller, reference, shopper, agreement) values ($1, $2, $3, $4) on conflict (seller, reference) do nothing";
    REFERENCE_FIND = "order_reference.find", (Text, Text) -> (Text, Text),
        "select shopper, agreement from order_reference where seller = $1 and reference = $2";
    EVENT_INSERT = "event.insert", (Text, Text, Int, Text, Text, Int) -> (),
        "insert into event (shopper, aggregate, sequence, kind, detail, at) values ($1, $2, $3, $4, $5, $6)";
    EVENTS_OF_SHOPPER = "event.of_shopper", (Text) -> (Text, Int, Text, Text, Int),
        "select aggregate, sequence, kind, detail, at from event where shopper = $1 order by aggregate, sequence";
    EVENTS = "event.of_aggregate", (Text, Text) -> (Int, Text, Text, Int),
        "select sequence, kind, detail, at from event where shopper = $1 and aggregate = $2 order by sequence";
}

/// An agreement with all that its state follows from.
#[derive(Debug, Clone)]
pub struct AgreementFile {
    /// The agreement.
    pub agreement: Agreement,
    /// Its transactions, in the order of entry.
    pub transactions: Vec<Transaction>,
    /// The last day up to which its movements are booked; none before the first capture.
    pub booked_on: Option<Date>,
    /// When it is looked at next.
    pub days: Days,
}

/// One event of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the aggregate's sequence, from 1 without gaps.
    pub sequence: i64,
    /// What happened, as `agreement.confirmed`.
    pub kind: String,
    /// Its content as JSON.
    pub detail: String,
    /// When it was recorded.
    pub at: Timestamp,
}

/// What columns repeat of an agreement and of its fold, for the check of the whole store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which agreement.
    pub id: AgreementId,
    /// Outstanding principal.
    pub outstanding: i64,
    /// What is held.
    pub held: i64,
    /// The stage's code.
    pub stage: String,
    /// The schedule, packed.
    pub schedule: String,
    /// The store's own number of the order.
    pub reference: String,
    /// The whole price.
    pub price: i64,
    /// What is financed.
    pub principal: i64,
    /// The currency's code.
    pub currency: String,
}

/// What columns repeat of a transaction, for the check of the whole store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionColumns {
    /// Of which agreement.
    pub agreement: AgreementId,
    /// Its number.
    pub number: i64,
    /// What happened, as `repaid`.
    pub kind: String,
    /// The amount, or zero for what has none.
    pub amount: i64,
    /// When it was entered.
    pub entered_at: Timestamp,
}

/// An order as it is stored with its agreement.
#[derive(Debug, Clone, Copy)]
pub struct OrderRow<'a> {
    /// The store's own number of it.
    pub reference: &'a str,
    /// The whole price.
    pub price: Amount,
}

fn file_without_transactions(row: &Row) -> Result<AgreementFile, Fault> {
    let id: AgreementId = parsed(row, 1)?;
    let agreement = Agreement {
        shopper: parsed(row, 0)?,
        id,
        quote: quote_of(id),
        order: parsed(row, 2)?,
        institution: row.text(3)?.into(),
        seller: row.text(4)?.into(),
        plan: row.text(5)?.into(),
        plan_version: u32::try_from(row.int(6)?).map_err(|_| row.corrupt(6, "is not a version"))?,
        stage: from_json(row, 7)?,
        terms: from_json(row, 8)?,
        lines: from_json(row, 9)?,
        digest: row.text(10)?.into(),
        confirmed_at: instant(row, 12)?,
        version: row.int(13)?,
    };
    Ok(AgreementFile {
        agreement,
        transactions: Vec::new(),
        booked_on: row.opt_text(11)?.map(|_| parsed(row, 11)).transpose()?,
        days: Days::read(row, 14)?,
    })
}

/// An agreement has the bits of the quote that it was, so that its key alone keeps a quote from being used twice.
pub fn id_of(quote: QuoteId) -> AgreementId {
    AgreementId::from_bits(quote.bits())
}

/// The quote that an agreement was.
pub fn quote_of(agreement: AgreementId) -> QuoteId {
    QuoteId::from_bits(agreement.bits())
}

fn transaction(row: &Row, at: usize) -> Result<Transaction, Fault> {
    Ok(Transaction {
        number: u32::try_from(row.int(at)?)
            .map_err(|_| row.corrupt(at, "is not a number of a transaction"))?,
        effective_on: parsed(row, at.saturating_add(1))?,
        event: from_json(row, at.saturating_add(2))?,
    })
}

fn event(row: &Row, at: usize) -> Result<StoredEvent, Fault> {
    Ok(StoredEvent {
        sequence: row.int(at)?,
        kind: row.text(at.saturating_add(1))?.into(),
        detail: row.text(at.saturating_add(2))?.into(),
        at: instant(row, at.saturating_add(3))?,
    })
}

/// Agreements with their transactions, from the rows of [`OF_SHOPPER`] and [`TRANSACTIONS_OF_SHOPPER`].
pub(crate) fn files(agreements: &[Row], transactions: &[Row]) -> Result<Vec<AgreementFile>, Fault> {
    let files = agreements.iter().map(file_without_transactions);
    let mut files: Vec<AgreementFile> = files.collect::<Result<_, _>>()?;
    for row in transactions {
        let owner: AgreementId = parsed(row, 0)?;
        if let Some(file) = files.iter_mut().find(|file| file.agreement.id == owner) {
            file.transactions.push(transaction(row, 1)?);
        }
    }
    Ok(files)
}

/// An agreement with its transactions, from the rows of [`FIND`] and [`TRANSACTIONS`].
pub(crate) fn file(row: &Row, transactions: &[Row]) -> Result<AgreementFile, Fault> {
    let transactions = transactions.iter().map(|row| transaction(row, 0));
    Ok(AgreementFile {
        transactions: transactions.collect::<Result<_, _>>()?,
        ..file_without_transactions(row)?
    })
}

impl Store {
    /// An agreement of a shopper with its transactions.
    pub async fn agreement(
        &self,
        shopper: ShopperId,
        id: AgreementId,
    ) -> Result<Option<AgreementFile>, Fault> {
        let key = vec![Value::from(shopper.to_string()), Value::from(id.to_string())];
        let mut answers = self
            .read(vec![
                Query::new(&FIND, key.clone()),
                Query::new(&TRANSACTIONS, key),
            ])
            .await?;
        let transactions = answers.pop().unwrap_or_default();
        let Some(row) = answers.pop().and_then(|rows| rows.into_iter().next()) else {
            return Ok(None);
        };
        file(&row, &transactions).map(Some)
    }

    /// All agreements of a shopper with their transactions, oldest first.
    pub async fn agreements(&self, shopper: ShopperId) -> Result<Vec<AgreementFile>, Fault> {
        let key = vec![Value::from(shopper.to_string())];
        let mut answers = self
            .read(vec![
                Query::new(&OF_SHOPPER, key.clone()),
                Query::new(&TRANSACTIONS_OF_SHOPPER, key),
            ])
            .await?;
        let transactions = answers.pop().unwrap_or_default();
        files(&answers.pop().unwrap_or_default(), &transactions)
    }

    /// When each transaction of an agreement was entered, by its number.
    pub async fn entered(&self, shopper: ShopperId, id: AgreementId) -> Result<Vec<(u32, Timestamp)>, Fault> {
        let rows = self
            .rows(&TRANSACTIONS_OF_SHOPPER, vec![shopper.to_string().into()])
            .await?;
        let mut entered = Vec::new();
        for row in &rows {
            if row.text(0)? == id.to_string() {
                entered.push((transaction(row, 1)?.number, instant(row, 4)?));
            }
        }
        Ok(entered)
    }

    /// Whose a store's order is: the shopper and the agreement.
    pub async fn order(
        &self,
        seller: &str,
        reference: &str,
    ) -> Result<Option<(ShopperId, AgreementId)>, Fault> {
        let row = self
            .row(&REFERENCE_FIND, vec![seller.into(), reference.into()])
            .await?;
        row.as_ref()
            .map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
            .transpose()
    }

    /// Whose several orders of stores are, each by its seller and its number.
    pub async fn orders(
        &self,
        keys: &[(&str, &str)],
    ) -> Result<Vec<Option<(ShopperId, AgreementId)>>, Fault> {
        let find = |key: &(&str, &str)| Query::new(&REFERENCE_FIND, vec![key.0.into(), key.1.into()]);
        let answers = self.read(keys.iter().map(find).collect()).await?;
        answers
            .iter()
            .map(|rows| {
                let row = rows.first();
                row.map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?))).transpose()
            })
            .collect()
    }

    /// A page of the keys of all running agreements, in order.
    pub async fn active_keys_after(
        &self,
        shopper: &str,
        id: &str,
        count: i64,
    ) -> Result<Vec<(ShopperId, AgreementId)>, Fault> {
        let rows = self
            .rows(&ACTIVE_AFTER, vec![shopper.into(), id.into(), count.into()])
            .await?;
        rows.iter()
            .map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
            .collect()
    }

    /// What columns repeat of each agreement of a shopper.
    pub async fn snapshots(&self, shopper: ShopperId) -> Result<Vec<Snapshot>, Fault> {
        let rows = self.rows(&SNAPSHOTS, vec![shopper.to_string().into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Snapshot {
                    id: parsed(row, 0)?,
                    outstanding: row.int(1)?,
                    held: row.int(2)?,
                    stage: row.text(3)?.into(),
                    schedule: row.text(4)?.into(),
                    reference: row.text(5)?.into(),
                    price: row.int(6)?,
                    principal: row.int(7)?,
                    currency: row.text(8)?.into(),
                })
            })
            .collect()
    }

    /// What columns repeat of each transaction of a shopper, by agreement and number.
    pub async fn transaction_columns(&self, shopper: ShopperId) -> Result<Vec<TransactionColumns>, Fault> {
        let rows = self
            .rows(&TRANSACTION_COLUMNS, vec![shopper.to_string().into()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(TransactionColumns {
                    agreement: parsed(row, 0)?,
                    number: row.int(1)?,
                    kind: row.text(2)?.into(),
                    amount: row.int(3)?,
                    entered_at: instant(row, 4)?,
                })
            })
            .collect()
    }

    /// All events of a shopper, each with its aggregate, in order.
    pub async fn events_of(&self, shopper: ShopperId) -> Result<Vec<(String, StoredEvent)>, Fault> {
        let rows = self
            .rows(&EVENTS_OF_SHOPPER, vec![shopper.to_string().into()])
            .await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.into(), event(row, 1)?)))
            .collect()
    }

    /// The events of an aggregate, in order.
    pub async fn events(&self, shopper: ShopperId, aggregate: &str) -> Result<Vec<StoredEvent>, Fault> {
        let rows = self
            .rows(&EVENTS, vec![shopper.to_string().into(), aggregate.into()])
            .await?;
        rows.iter().map(|row| event(row, 0)).collect()
    }
}

/// What is still held in a stage.
pub fn held(stage: &Stage) -> Amount {
    match stage {
        Stage::Confirmed { held, .. } | Stage::Active { held, .. } => *held,
        Stage::Settled { .. } | Stage::Cancelled { .. } => Amount::ZERO,
    }
}

/// The schedule as packed into the agreement's row, one array an instalment, as the view `installment` reads it.
pub fn packed(loan: &Loan) -> String {
    let mut text = Packed::of(loan.rows.len());
    for row in &loan.rows {
        let parts = [row.principal, row.interest, row.fee, row.penalty];
        let total = |f: fn(&fenqi_domain::loan::Figures) -> Amount| -> i64 {
            parts
                .iter()
                .fold(0i64, |sum, figures| sum.saturating_add(f(figures).minor()))
        };
        let (paid, waived, cancelled) = (total(|f| f.paid), total(|f| f.waived), total(|f| f.cancelled));
        let charged = parts.map(|figures| figures.charged.minor());
        text.row(row.number, row.due_on, charged, [paid, waived, cancelled]);
    }
    text.end()
}

/// The same for a schedule of which nothing has happened yet.
fn packed_as_agreed(schedule: &[Instalment]) -> String {
    let mut text = Packed::of(schedule.len());
    for row in schedule {
        let charged = [row.principal.minor(), row.interest.minor(), row.fee.minor(), 0];
        text.row(row.number, row.due_on, charged, [0; 3]);
    }
    text.end()
}

/// A new agreement with the order that it finances, its schedule as it was shown, and the day on which its hold runs out;
/// refused if its quote was used before.
pub fn confirmed(
    batch: &mut Batch,
    agreement: &Agreement,
    order: &OrderRow<'_>,
    schedule: &[Instalment],
    expire_on: Date,
) {
    batch.require(
        Guard::Quantity("quote_unused"),
        &INSERT,
        vec![
            agreement.shopper.to_string().into(),
            agreement.id.to_string().into(),
            agreement.order.to_string().into(),
            order.reference.into(),
            order.price.minor().into(),
            agreement.institution.as_str().into(),
            agreement.seller.as_str().into(),
            agreement.plan.as_str().into(),
            agreement.plan_version.into(),
            agreement.terms.currency.code().into(),
            agreement.terms.principal.minor().into(),
            0i64.into(),
            held(&agreement.stage).minor().into(),
            agreement.stage.code().into(),
            to_json(&agreement.stage),
            to_json(&agreement.terms),
            packed_as_agreed(schedule).into(),
            to_json(&agreement.lines),
            agreement.digest.as_str().into(),
            agreement.confirmed_at.as_microsecond().into(),
            expire_on.to_string().into(),
        ],
    );
}

/// An agreement's new state.
pub struct Changed<'a> {
    /// The agreement as it was read.
    pub before: &'a Agreement,
    /// Where it stands.
    pub stage: &'a Stage,
    /// Its loan, whose schedule is packed.
    pub loan: &'a Loan,
    /// Outstanding principal.
    pub outstanding: Amount,
    /// The last day up to which its movements are booked.
    pub booked_on: Option<Date>,
    /// When it is looked at next; none if that is as it was, so that no index is touched.
    pub days: Option<Days>,
}

/// Writes an agreement's new state; refused if it changed since it was read.
pub fn changed(batch: &mut Batch, to: &Changed<'_>) {
    let mut params = vec![
        to.before.shopper.to_string().into(),
        to.before.id.to_string().into(),
        to.before.version.into(),
        to.outstanding.minor().into(),
        held(to.stage).minor().into(),
        to.stage.code().into(),
        to_json(to.stage),
        packed(to.loan).into(),
        to.booked_on.map(|day| day.to_string()).into(),
    ];
    match to.days {
        Some(days) => {
            params.extend(days.values());
            batch.require(Guard::Unchanged, &UPDATE, params);
        }
        None => batch.require(Guard::Unchanged, &UPDATE_ALONE, params),
    }
}

/// A transaction, added to the end.
pub fn transacted(batch: &mut Batch, agreement: &Agreement, transaction: &Transaction, at: Timestamp) {
    batch.put(
        &TRANSACTION_INSERT,
        vec![
            agreement.shopper.to_string().into(),
            agreement.id.to_string().into(),
            transaction.number.into(),
            transaction.effective_on.to_string().into(),
            kind(&transaction.event).into(),
            amount(&transaction.event).minor().into(),
            to_json(&transaction.event),
            at.as_microsecond().into(),
        ],
    );
}

/// The order's number at the store; refused if it was used before.
pub fn ordered(batch: &mut Batch, agreement: &Agreement, reference: &str) {
    batch.require(
        Guard::Quantity("order_unused"),
        &REFERENCE_INSERT,
        vec![
            agreement.seller.as_str().into(),
            reference.into(),
            agreement.shopper.to_string().into(),
            agreement.id.to_string().into(),
        ],
    );
}

/// An event of an aggregate. For what has a version, the sequence is the version after the change, so that a gap or a
/// double cannot be written.
pub fn happened<T: Serialize>(
    batch: &mut Batch,
    shopper: &str,
    aggregate: &str,
    sequence: i64,
    kind: &str,
    detail: &T,
    at: Timestamp,
) {
    batch.put(
        &EVENT_INSERT,
        vec![
            shopper.into(),
            aggregate.into(),
            sequence.into(),
            kind.into(),
            to_json(detail),
            at.as_microsecond().into(),
        ],
    );
    feed::awaits(batch, shopper, aggregate, sequence, at);
}

/// What happened, as the column `kind` of a transaction says it.
pub fn kind(event: &Event) -> &'static str {
    match event {
        Event::Disbursed { .. } => "disbursed",
        Event::Repaid { .. } => "repaid",
        Event::Refunded { .. } => "refunded",
        Event::Reversed { .. } => "reversed",
        Event::Waived { .. } => "waived",
        Event::Paused => "paused",
        Event::Resumed => "resumed",
        Event::Excused { .. } => "excused",
        Event::Deferred { .. } => "deferred",
        Event::PaidOut { .. } => "paid_out",
        Event::Amended { .. } => "amended",
    }
}

/// How much, as the column `amount` of a transaction says it: zero for what has no amount.
pub fn amount(event: &Event) -> Amount {
    match event {
        Event::Disbursed { amount }
        | Event::Repaid { amount, .. }
        | Event::Refunded { amount, .. }
        | Event::Waived { amount, .. }
        | Event::PaidOut { amount } => *amount,
        Event::Amended { by } => by.amount().unwrap_or(Amount::ZERO),
        Event::Reversed { .. }
        | Event::Paused
        | Event::Resumed
        | Event::Excused { .. }
        | Event::Deferred { .. } => Amount::ZERO,
    }
}
