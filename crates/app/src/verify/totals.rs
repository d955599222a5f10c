//! The books as a whole: each account against the folds, cash against the payments and the channel's own statement, and
//! the rolled-up balances against the entries.

use std::collections::{BTreeMap, BTreeSet};

use fenqi_domain::agreement::Agreement;
use fenqi_domain::ledger::{Account, Entry};
use fenqi_domain::loan::Loan;
use fenqi_domain::money::{Amount, Currency, OutOfRange};
use fenqi_domain::payment::State;
use fenqi_store::tables::books::{AccountBalance, EntryRow};
use jiff::civil::Date;

use crate::App;
use crate::jobs::roll_up;
use crate::operations::backdate::TRANSFER;
use crate::outcome::Denied;
use crate::repayment::payments::{CHANNEL, Kept};
use crate::verify::{Found, desk};

/// An account in a currency, by its code.
type Key = (Currency, String);

/// What the agreements, payments and entries of all shoppers come to.
#[derive(Default)]
pub(super) struct Totals {
    /// Balances that the postings of the loans and the fundings make.
    expected: BTreeMap<Key, Amount>,
    /// What the folds say is owed: receivables and credit balances.
    owed: BTreeMap<Key, Amount>,
    /// Balances of the entries that were seen, shopper by shopper.
    seen: BTreeMap<Key, Amount>,
    /// What payments and transfers moved, by currency.
    paid: BTreeMap<Currency, Amount>,
    /// Transfers whose agreement was not seen so far, by its identifier.
    transfers: BTreeMap<String, Amount>,
    /// Each payment that moved money: its net amount, its days, and how often the channel said so.
    numbers: BTreeMap<String, Moved>,
}

/// What one payment moved, as we know it.
struct Moved {
    amount: Amount,
    first_on: Option<Date>,
    receipts: i64,
    is_reversed: bool,
}

fn add(
    to: &mut BTreeMap<Key, Amount>,
    currency: Currency,
    account: String,
    amount: Amount,
) -> Result<(), OutOfRange> {
    let balance = to.entry((currency, account)).or_default();
    *balance = balance.plus(amount)?;
    Ok(())
}

impl Totals {
    /// Entries that the books must have.
    pub fn expect(&mut self, entries: &[Entry]) -> Result<(), Denied> {
        for entry in entries {
            let (currency, amount) = (entry.currency(), entry.amount());
            add(&mut self.expected, currency, entry.debit().to_string(), amount)?;
            let back = Amount::ZERO.minus(amount)?;
            add(&mut self.expected, currency, entry.credit().to_string(), back)?;
        }
        Ok(())
    }

    /// What a loan's fold says is owed.
    pub fn owed(&mut self, agreement: &Agreement, loan: &Loan) -> Result<(), Denied> {
        let institution = || agreement.institution.clone();
        let parts = loan.receivable()?;
        let owed = [
            (Account::ReceivablePrincipal(institution()), parts.principal),
            (Account::ReceivableInterest(institution()), parts.interest),
            (Account::ReceivableFee(institution()), parts.fee),
            (Account::ReceivablePenalty(institution()), parts.penalty),
            (Account::CreditBalances, Amount::ZERO.minus(loan.credit_balance)?),
        ];
        for (account, amount) in owed {
            add(
                &mut self.owed,
                agreement.terms.currency,
                account.to_string(),
                amount,
            )?;
        }
        Ok(())
    }

    /// An entry that is there.
    pub fn seen(&mut self, entry: &EntryRow) -> Result<(), Denied> {
        add(&mut self.seen, entry.currency, entry.debit.clone(), entry.amount)?;
        let back = Amount::ZERO.minus(entry.amount)?;
        Ok(add(&mut self.seen, entry.currency, entry.credit.clone(), back)?)
    }

    /// A payment.
    pub fn paid(&mut self, app: &App, kept: &Kept) -> Result<(), Denied> {
        let payment = &kept.payment;
        let moved = desk::moved(kept)?;
        let sum = self.paid.entry(payment.currency).or_default();
        *sum = sum.plus(moved)?;
        let signed = match payment.kind {
            fenqi_domain::payment::Kind::PayOut => Amount::ZERO.minus(payment.amount)?,
            _ => payment.amount,
        };
        let first = payment.receipts.first().map(|receipt| receipt.at);
        self.numbers.insert(
            payment.id.to_string(),
            Moved {
                amount: signed,
                first_on: first.map(|at| app.day_of(at)),
                receipts: i64::try_from(payment.receipts.len()).unwrap_or(i64::MAX),
                is_reversed: matches!(payment.state, State::Reversed { .. }),
            },
        );
        Ok(())
    }

    pub async fn check(&self, app: &App, found: &mut Found) -> Result<(), Denied> {
        let trial = app.store.trial_balance().await?;
        balanced("I1", "the books", &trial, found)?;
        let mut stored: BTreeMap<Key, Amount> = BTreeMap::new();
        for row in &trial {
            add(
                &mut stored,
                row.currency,
                row.account.clone(),
                row.debit.minus(row.credit)?,
            )?;
        }
        // What nobody's desk showed belongs to nobody.
        for (key, balance) in &stored {
            let seen = self.seen.get(key).copied().unwrap_or_default();
            found.compare(
                "I1",
                &format!("account {} in {} of all shoppers", key.1, key.0.code()),
                seen.minor(),
                balance.minor(),
            );
        }
        let is_commitment = |account: &str| account.starts_with("commitments");
        let keys = self
            .expected
            .keys()
            .chain(stored.keys().filter(|(_, a)| !is_commitment(a)));
        let keys: BTreeSet<&Key> = keys.collect();
        for key in keys {
            let expected = self.expected.get(key).copied().unwrap_or_default();
            let balance = stored.get(key).copied().unwrap_or_default();
            found.compare(
                "I19",
                &format!("account {} in {} by postings", key.1, key.0.code()),
                expected.minor(),
                balance.minor(),
            );
        }
        for (key, owed) in &self.owed {
            let balance = stored.get(key).copied().unwrap_or_default();
            found.compare(
                "I19",
                &format!("account {} in {} by folds", key.1, key.0.code()),
                owed.minor(),
                balance.minor(),
            );
        }
        self.cash(&stored, found);
        self.statement(app, found).await?;
        rolled_up(app, &trial, found).await
    }

    /// The transfers that staff entered with their proofs, by the agreement that each is for.
    pub async fn with_transfers(app: &App) -> Result<Totals, Denied> {
        let mut totals = Totals::default();
        for line in app.store.statement(TRANSFER).await? {
            let sum = totals.transfers.entry(line.number).or_default();
            *sum = sum.plus(line.amount)?;
        }
        Ok(totals)
    }

    /// Counts what arrived for an agreement by transfer: a transfer is in the agreement's currency.
    pub fn transferred(&mut self, agreement: &Agreement) -> Result<(), Denied> {
        if let Some(amount) = self.transfers.remove(&agreement.id.to_string()) {
            let sum = self.paid.entry(agreement.terms.currency).or_default();
            *sum = sum.plus(amount)?;
        }
        Ok(())
    }

    /// I19: cash is what payments moved, and the transfers that staff entered, in each currency.
    fn cash(&self, stored: &BTreeMap<Key, Amount>, found: &mut Found) {
        let cash = Account::Cash.to_string();
        let booked: BTreeMap<Currency, Amount> = stored
            .iter()
            .filter(|((_, account), _)| *account == cash)
            .map(|((currency, _), balance)| (*currency, *balance))
            .collect();
        let currencies: BTreeSet<&Currency> = booked.keys().chain(self.paid.keys()).collect();
        for currency in currencies {
            let moved = self.paid.get(currency).copied().unwrap_or_default();
            let balance = booked.get(currency).copied().unwrap_or_default();
            let subject = format!("account cash in {} by payments", currency.code());
            found.compare("I19", &subject, moved.minor(), balance.minor());
        }
        for (agreement, amount) in &self.transfers {
            let subject = format!("transfer for {agreement}");
            found.note("I19", &subject, &"an agreement", &amount.minor());
        }
    }

    /// I19: the channel's own statement, where days of it were imported, line by line against our payments.
    async fn statement(&self, app: &App, found: &mut Found) -> Result<(), Denied> {
        let lines = app.store.statement(CHANNEL).await?;
        let Some(last) = lines.iter().map(|line| line.booked_on).max() else {
            return Ok(());
        };
        let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
        for line in &lines {
            let sum = sums.entry(line.number.as_str()).or_default();
            *sum = sum.plus(line.amount)?;
        }
        for (number, sum) in &sums {
            let subject = format!("statement line of {number}");
            match self.numbers.get(*number) {
                None => found.note("I19", &subject, &"a payment of ours", &sum.minor()),
                Some(moved) => {
                    let times = if moved.is_reversed {
                        moved.receipts.saturating_sub(1)
                    } else {
                        moved.receipts
                    };
                    let expected = moved.amount.times(times)?;
                    // The line of a return may be of a day that is not imported yet.
                    let waits = moved.is_reversed && *sum == moved.amount.times(moved.receipts)?;
                    if expected != *sum && !waits {
                        found.note("I19", &subject, &expected.minor(), &sum.minor());
                    }
                }
            }
        }
        for (number, moved) in &self.numbers {
            let is_due = moved.receipts > 0 && moved.first_on.is_some_and(|on| on < last);
            if is_due && !moved.is_reversed && !sums.contains_key(number.as_str()) {
                let subject = format!("payment {number}");
                found.note("I19", &subject, &"a line of the statement", &"none");
            }
        }
        Ok(())
    }
}

/// Debits and credits are the same, in each currency.
fn balanced(what: &str, subject: &str, rows: &[AccountBalance], found: &mut Found) -> Result<(), Denied> {
    let mut sums: BTreeMap<Currency, (Amount, Amount)> = BTreeMap::new();
    for row in rows {
        let (debit, credit) = sums.entry(row.currency).or_default();
        (*debit, *credit) = (debit.plus(row.debit)?, credit.plus(row.credit)?);
    }
    for (currency, (debit, credit)) in sums {
        let subject = format!("{subject} in {}", currency.code());
        found.compare(what, &subject, debit.minor(), credit.minor());
    }
    Ok(())
}

/// I19: what was rolled up balances, and is no more than the entries: those are only ever added to.
async fn rolled_up(app: &App, trial: &[AccountBalance], found: &mut Found) -> Result<(), Denied> {
    let rolled = app.store.rolled_up().await?;
    balanced("I19", "rolled-up balances", &rolled, found)?;
    for row in &rolled {
        let all = trial
            .iter()
            .find(|t| t.account == row.account && t.currency == row.currency);
        let (debit, credit) = all.map_or((Amount::ZERO, Amount::ZERO), |t| (t.debit, t.credit));
        if row.debit > debit || row.credit > credit {
            let subject = format!("rolled-up account {} in {}", row.account, row.currency.code());
            let most = format!("at most {} and {}", debit.minor(), credit.minor());
            let is = format!("{} and {}", row.debit.minor(), row.credit.minor());
            found.note("I19", &subject, &most, &is);
        }
    }
    // Days that the job will not look at again must be whole.
    let open_from = app
        .store
        .last_rolled_day()
        .await?
        .saturating_sub(roll_up::OPEN_DAYS);
    let (closed, entered) = app.store.rolled_up_before(open_from).await?;
    for row in entered.iter().filter(|row| !closed.contains(row)) {
        let subject = format!("rolled-up account {} in {}", row.account, row.currency.code());
        let whole = format!("{} and {}", row.debit.minor(), row.credit.minor());
        found.note("I19", &subject, &whole, &"other sums of its closed days");
    }
    Ok(())
}
