//! Entering what happens: each operation becomes transactions, and the rules are asked what comes of them.

use std::collections::BTreeMap;

use fenqi_domain::loan::{Amendment, Broken, Event, Record, Transaction, life};
use jiff::civil::Date;

use super::field::Read;
use super::play::{Entry, Player};

impl Player {
    /// Enters something that a table of transactions shows under a name.
    pub(super) fn enter(&mut self, kind: &'static str, on: Date, event: Event) -> Read<u32> {
        self.put(Some(kind), on, event)
    }

    /// Enters something that no table shows.
    pub(super) fn enter_silently(&mut self, on: Date, event: Event) -> Read<u32> {
        self.put(None, on, event)
    }

    fn put(&mut self, kind: Option<&'static str>, on: Date, event: Event) -> Read<u32> {
        if self.terms.is_none() && event.needs_loan() {
            return Err(format!(
                "{}/op: nothing is lent yet; put a disburse before it",
                self.at
            ));
        }
        // What comes after everything else changes nothing of what was before it, so that the rules need not be asked now.
        let is_money = matches!(
            event,
            Event::Repaid { .. }
                | Event::Amended {
                    by: Amendment::Credited { .. }
                }
        );
        let is_last = self.transactions.iter().all(|t| t.effective_on <= on);
        let may_wait = is_money && is_last && self.life.is_some();
        if !may_wait {
            self.settle()?;
        }
        let number = self.next_number();
        // What is entered for a day that is past makes everything after it be done again, up to today.
        if on < self.today() || self.entries.iter().any(|e| e.on > on) {
            self.counted_to = self.counted_to.max(Some(self.today()));
        }
        self.transactions.push(Transaction {
            number,
            effective_on: on,
            event,
        });
        self.entries.push(Entry {
            number,
            at: self.at.clone(),
            kind,
            on,
            stands: true,
            record: None,
            replayed: false,
            with: None,
        });
        if may_wait {
            self.is_unsettled = true;
        } else {
            self.fold(Some(number))?;
        }
        Ok(number)
    }

    /// The number of the next transaction.
    pub(super) fn next_number(&self) -> u32 {
        let last = self.transactions.iter().map(|t| t.number);
        let last = last.chain(self.entries.iter().map(|e| e.number)).max();
        last.map_or(1, |number| number.saturating_add(1))
    }

    /// Asks the rules what became of all that was entered since they were asked last. What moves money or closes a day puts
    /// the loan into its range of delinquency anew.
    pub(super) fn settle(&mut self) -> Read<()> {
        if self.is_unsettled {
            self.is_unsettled = false;
            self.fold(None)?;
        }
        match self.acted_on.take() {
            Some(on) => self
                .late
                .classify(self.life.as_ref(), on)
                .map_err(|e| e.to_string()),
            None => Ok(()),
        }
    }

    /// Asks the rules how the loan stands, and notes whose effect has changed.
    pub(super) fn fold(&mut self, entered: Option<u32>) -> Read<()> {
        let Some(terms) = &self.terms else {
            return Ok(());
        };
        let last = self.transactions.iter().map(|t| t.effective_on).max();
        let as_of = last.max(self.counted_to).unwrap_or(self.today());
        let life = life(terms, &self.transactions, as_of).map_err(|e| self.told(&e))?;
        let records: BTreeMap<u32, Record> = life.records.iter().map(|r| (r.number, *r)).collect();
        let mut changed_on = None;
        self.entries.sort_by_key(|e| (e.on, e.number));
        for entry in self.entries.iter_mut().filter(|e| e.stands) {
            let record = records.get(&entry.number).copied();
            let figures = |r: &Record| (r.parts, r.over);
            let changed = entry.record.as_ref().map(figures) != record.as_ref().map(figures);
            let is_new = entered == Some(entry.number) || entry.record.is_none();
            let is_lent = entry.kind == Some("Disbursement");
            if !is_new && !is_lent && (changed || changed_on == Some(entry.on)) {
                entry.replayed = true;
                changed_on = Some(entry.on);
            }
            entry.record = record;
        }
        self.life = Some(life);
        Ok(())
    }

    /// Why the rules cannot tell the loan, at the operation that they name or else at the one at hand.
    fn told(&self, broken: &Broken) -> String {
        match broken {
            Broken::Inconsistent { transaction, what } => {
                let entry = self.entries.iter().find(|e| e.number == *transaction);
                let at = entry.map_or(&self.at, |e| &e.at);
                format!("{at}: it {what}")
            }
            Broken::OutOfRange(error) => format!("{}: {error}", self.at),
        }
    }
}
