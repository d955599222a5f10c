//! The books: entries, each one amount from a debit account to a credit account, and balances by day.

use fenqi_domain::id::{AgreementId, EntryId, ShopperId};
use fenqi_domain::money::{Amount, Currency};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Store, instant, parsed, statements};
use crate::batch::Batch;
use crate::fault::Fault;
use crate::value::Row;

statements! {
    INSERT = "entry.insert", (Text, Text, Text, Text, Text, Int, Text, Text, Text, Int) -> (),
        "insert into entry (shopper, id, agreement, debit, credit, amount, currency, kind, effective_on, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    OF_SHOPPER = "entry.of_shopper", (Text) -> (Text, Text, Text, Int, Text, Text, Text, Int),
        "select agreement, debit, credit, amount, currency, kind, effective_on, recorded_at from entry where shopper = $1 order by recorded_at, id";
    TRIAL = "entry.trial", () -> (Text, Text, Int, Int),
        "select account, currency, cast(sum(debit) as bigint) as debit, cast(sum(credit) as bigint) as credit from (select debit as account, currency, amount as debit, 0 as credit from entry union all select credit, currency, 0, amount from entry) m group by account, currency order by account, currency";
    BOOKS = "entry.books", () -> (Text, Text, Text, Text, Text, Text, Int),
        "select agreement, effective_on, debit, credit, currency, kind, cast(sum(amount) as bigint) as amount from entry group by agreement, effective_on, debit, credit, currency, kind order by agreement, effective_on, debit, credit, currency, kind";
    BALANCE_LAST = "balance.last", () -> (Int), "select coalesce(max(recorded_day), 0) as recorded_day from balance";
    BALANCE_CLEAR = "balance.clear", (Int) -> (), "delete from balance where recorded_day >= $1";
    BALANCE_FILL = "balance.fill", (Int) -> (),
        "insert into balance (recorded_day, account, currency, day, debit, credit) select recorded_day, account, currency, day, cast(sum(debit) as bigint), cast(sum(credit) as bigint) from (select recorded_at / 86400000000 as recorded_day, debit as account, currency, effective_on as day, amount as debit, 0 as credit from entry where recorded_at >= $1 * 86400000000 union all select recorded_at / 86400000000, credit, currency, effective_on, 0, amount from entry where recorded_at >= $1 * 86400000000) m group by recorded_day, account, currency, day";
    BALANCES_BEFORE = "balance.before", (Int) -> (Text, Text, Int, Int),
        "select account, currency, cast(sum(debit) as bigint) as debit, cast(sum(credit) as bigint) as credit from balance where recorded_day < $1 group by account, currency order by account, currency";
    TRIAL_BEFORE = "entry.trial_before", (Int) -> (Text, Text, Int, Int),
        "select account, currency, cast(sum(debit) as bigint) as debit, cast(sum(credit) as bigint) as credit from (select debit as account, currency, amount as debit, 0 as credit from entry where recorded_at < $1 * 86400000000 union all select credit, currency, 0, amount from entry where recorded_at < $1 * 86400000000) m group by account, currency order by account, currency";
    BALANCES = "balance.total", () -> (Text, Text, Int, Int),
        "select account, currency, cast(sum(debit) as bigint) as debit, cast(sum(credit) as bigint) as credit from balance group by account, currency order by account, currency";
}

/// An entry on its way to or from the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// The agreement that it is about.
    pub agreement: AgreementId,
    /// The account that receives.
    pub debit: String,
    /// The account that gives.
    pub credit: String,
    /// How much, more than zero.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What it is, as `principal_repaid`.
    pub kind: String,
    /// The day on which it counts.
    pub effective_on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The two sides of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account's code.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// All debits.
    pub debit: Amount,
    /// All credits.
    pub credit: Amount,
}

/// A sum of entries that agree in all that books are compared by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BookLine {
    /// The agreement.
    pub agreement: String,
    /// The day on which it counts.
    pub effective_on: String,
    /// The account that receives.
    pub debit: String,
    /// The account that gives.
    pub credit: String,
    /// The currency.
    pub currency: String,
    /// What it is.
    pub kind: String,
    /// How much.
    pub amount: i64,
}

fn balance(row: &Row) -> Result<AccountBalance, Fault> {
    Ok(AccountBalance {
        account: row.text(0)?.into(),
        currency: parsed(row, 1)?,
        debit: Amount::from_minor(row.int(2)?),
        credit: Amount::from_minor(row.int(3)?),
    })
}

impl Store {
    /// The entries about a shopper, oldest first.
    pub async fn entries(&self, shopper: ShopperId) -> Result<Vec<EntryRow>, Fault> {
        let rows = self.rows(&OF_SHOPPER, vec![shopper.to_string().into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(EntryRow {
                    agreement: parsed(row, 0)?,
                    debit: row.text(1)?.into(),
                    credit: row.text(2)?.into(),
                    amount: Amount::from_minor(row.int(3)?),
                    currency: parsed(row, 4)?,
                    kind: row.text(5)?.into(),
                    effective_on: parsed(row, 6)?,
                    recorded_at: instant(row, 7)?,
                })
            })
            .collect()
    }

    /// The trial balance: every account with its two sides.
    pub async fn trial_balance(&self) -> Result<Vec<AccountBalance>, Fault> {
        self.rows(&TRIAL, vec![]).await?.iter().map(balance).collect()
    }

    /// The balances as last rolled up by the job.
    pub async fn rolled_up(&self) -> Result<Vec<AccountBalance>, Fault> {
        self.rows(&BALANCES, vec![]).await?.iter().map(balance).collect()
    }

    /// The last day, counted from 1970 (UTC), of whose entries some are rolled up; 0 before the first time.
    pub async fn last_rolled_day(&self) -> Result<i64, Fault> {
        match self.row(&BALANCE_LAST, vec![]).await? {
            Some(row) => row.int(0),
            None => Ok(0),
        }
    }

    /// What was recorded before a day: the balances as rolled up, and as the entries have them.
    pub async fn rolled_up_before(
        &self,
        day: i64,
    ) -> Result<(Vec<AccountBalance>, Vec<AccountBalance>), Fault> {
        let rolled = self.rows(&BALANCES_BEFORE, vec![day.into()]).await?;
        let entered = self.rows(&TRIAL_BEFORE, vec![day.into()]).await?;
        let all = |rows: &[Row]| rows.iter().map(balance).collect::<Result<_, _>>();
        Ok((all(&rolled)?, all(&entered)?))
    }

    /// The books without identifiers and recording instants, as two stores are compared.
    pub async fn books(&self) -> Result<Vec<BookLine>, Fault> {
        let rows = self.rows(&BOOKS, vec![]).await?;
        rows.iter()
            .map(|row| {
                Ok(BookLine {
                    agreement: row.text(0)?.into(),
                    effective_on: row.text(1)?.into(),
                    debit: row.text(2)?.into(),
                    credit: row.text(3)?.into(),
                    currency: row.text(4)?.into(),
                    kind: row.text(5)?.into(),
                    amount: row.int(6)?,
                })
            })
            .collect()
    }
}

/// Books an entry.
pub fn booked(batch: &mut Batch, shopper: ShopperId, id: EntryId, entry: &EntryRow) {
    batch.put(
        &INSERT,
        vec![
            shopper.to_string().into(),
            id.to_string().into(),
            entry.agreement.to_string().into(),
            entry.debit.as_str().into(),
            entry.credit.as_str().into(),
            entry.amount.minor().into(),
            entry.currency.code().into(),
            entry.kind.as_str().into(),
            entry.effective_on.to_string().into(),
            entry.recorded_at.as_microsecond().into(),
        ],
    );
}

/// Rolls up what was recorded from a day on, anew, into balances by account and day.
pub fn rolled(batch: &mut Batch, from: i64) {
    batch.put(&BALANCE_CLEAR, vec![from.into()]);
    batch.put(&BALANCE_FILL, vec![from.into()]);
}
