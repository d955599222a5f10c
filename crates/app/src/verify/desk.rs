//! Everything of one shopper on one desk: the lines against the agreements, claims against payments, and what each of the
//! other checks looks at.

use std::collections::{BTreeMap, BTreeSet};

use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::id::{AgreementId, PaymentId, ShopperId};
use fenqi_domain::ledger::{Account, EntryKind};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{Kind, State};
use fenqi_domain::returns::{Return, State as ReturnState};
use fenqi_store::tables::agreements::{AgreementFile, Snapshot, StoredEvent, TransactionColumns};
use fenqi_store::tables::bills::StoredBill;
use fenqi_store::tables::books::EntryRow;
use fenqi_store::tables::credit::{StoredChange, StoredLine};
use fenqi_store::tables::feed::EventKey;
use fenqi_store::tables::messages::StoredMessage;
use fenqi_store::tables::returns::StoredRefund;

use crate::App;
use crate::operations::timeline;
use crate::outcome::Denied;
use crate::repayment::payments::Kept;
use crate::servicing::kinds;
use crate::verify::bills::Bills;
use crate::verify::payment::{self, Attempt};
use crate::verify::replay::Heard;
use crate::verify::signed::Papers;
use crate::verify::totals::Totals;
use crate::verify::work::Plans;
use crate::verify::{Found, Sums, agreement, events, rows};

/// What is stored of one shopper.
pub(super) struct Desk {
    pub shopper: ShopperId,
    pub files: Vec<AgreementFile>,
    pub snapshots: BTreeMap<AgreementId, Snapshot>,
    pub columns: Vec<TransactionColumns>,
    pub entries: Vec<EntryRow>,
    pub refunds: Vec<StoredRefund>,
    pub papers: Papers,
    pub plans: Plans,
    payments: Vec<Attempt>,
    bills: Vec<StoredBill>,
    messages: Vec<StoredMessage>,
    events: BTreeMap<String, Vec<StoredEvent>>,
    lines: Vec<StoredLine>,
    changes: Vec<StoredChange>,
    claims: Vec<(AgreementId, PaymentId)>,
}

/// What an agreement takes of its line.
pub(super) struct Taken {
    pub used: Amount,
    pub held: Amount,
}

impl Desk {
    /// Reads everything of a shopper.
    pub async fn read(app: &App, shopper: ShopperId, found: &mut Found) -> Result<Desk, Denied> {
        let store = &app.store;
        let mut payments = Vec::new();
        for stored in store.payments(shopper).await? {
            let kept = stored.detail()?;
            payments.push(Attempt { stored, kept });
        }
        let mut events: BTreeMap<String, Vec<StoredEvent>> = BTreeMap::new();
        for (aggregate, event) in store.events_of(shopper).await? {
            events.entry(aggregate).or_default().push(event);
        }
        let snapshots = store.snapshots(shopper).await?;
        Ok(Desk {
            shopper,
            files: store.agreements(shopper).await?,
            snapshots: snapshots.into_iter().map(|row| (row.id, row)).collect(),
            columns: store.transaction_columns(shopper).await?,
            entries: store.entries(shopper).await?,
            refunds: store.refunds(shopper).await?,
            papers: Papers::read(app, shopper, found).await?,
            plans: Plans(store.work_of(shopper).await?),
            payments,
            bills: store.bills(shopper).await?,
            messages: store.messages(shopper).await?,
            events,
            lines: store.lines(shopper).await?,
            changes: store.limit_changes(shopper).await?,
            claims: store.claims(shopper).await?,
        })
    }

    /// The events of an aggregate.
    pub fn events(&self, aggregate: &str) -> &[StoredEvent] {
        self.events.get(aggregate).map_or(&[], Vec::as_slice)
    }

    /// Checks everything of the shopper.
    pub async fn check(&self, app: &App, sums: &mut Sums, found: &mut Found) -> Result<(), Denied> {
        let entered = self.columns.iter().filter_map(|row| {
            let number = u32::try_from(row.number).ok()?;
            Some(((row.agreement, number), row.entered_at))
        });
        let bills = Bills {
            app,
            files: &self.files,
            entered: &entered.collect(),
            messages: &self.messages,
        };
        let bills = bills.check(&self.bills, found)?;
        for (aggregate, own) in &self.events {
            for event in own {
                let key = EventKey(self.shopper.to_string(), aggregate.clone(), event.sequence);
                sums.events.add(&key);
            }
        }
        let mut heard = Heard::default();
        let mut taken: BTreeMap<&str, Taken> = BTreeMap::new();
        for file in &self.files {
            let own = agreement::check(app, self, (file, &bills), sums, &mut heard, found)?;
            let line = taken.entry(&file.agreement.institution).or_insert(Taken {
                used: Amount::ZERO,
                held: Amount::ZERO,
            });
            line.used = line.used.plus(own.used)?;
            line.held = line.held.plus(own.held)?;
        }
        self.lines(&taken, found)?;
        self.entries(&mut sums.totals, found)?;
        self.claims(found);
        self.orders(app, found).await?;
        payment::known(&self.payments, &heard, found);
        let mut known: BTreeSet<String> = BTreeSet::new();
        known.extend(self.files.iter().map(|file| file.agreement.id.to_string()));
        for attempt in &self.payments {
            let id = attempt.stored.id.to_string();
            payment::check(app, attempt, self.events(&id), &heard, found)?;
            sums.totals.paid(app, &attempt.kept)?;
            known.insert(id);
        }
        let rows = rows::of(app, self.shopper, &self.plans, found).await?;
        known.extend(rows.iter().map(|row| row.aggregate.clone()));
        events::of_rows(&rows, &self.events, found);
        events::of_nothing(&known, &self.events, found);
        self.returns(app, found).await
    }

    /// The store's own number of each order leads to its agreement.
    async fn orders(&self, app: &App, found: &mut Found) -> Result<(), Denied> {
        let keyed = self.files.iter().filter_map(|file| {
            let row = self.snapshots.get(&file.agreement.id)?;
            Some((
                file.agreement.id,
                (file.agreement.seller.as_str(), row.reference.as_str()),
            ))
        });
        let (ids, keys): (Vec<AgreementId>, Vec<(&str, &str)>) = keyed.unzip();
        let owners = app.store.orders(&keys).await?;
        for ((id, (seller, reference)), owner) in ids.iter().zip(&keys).zip(owners) {
            if owner != Some((self.shopper, *id)) {
                let place = format!("{id} order {reference} of {seller}");
                found.note(
                    "column",
                    &place,
                    &"the agreement behind its number",
                    &"another or none",
                );
            }
        }
        Ok(())
    }

    /// I12: a return that waits for its seller is looked at on its day, and its columns repeat what it says.
    async fn returns(&self, app: &App, found: &mut Found) -> Result<(), Denied> {
        for stored in app.store.returns(self.shopper).await? {
            let case: Return = stored.detail()?;
            let id = stored.id.to_string();
            found.compare(
                "column",
                &format!("{id} row"),
                format!("{} {} {}", case.id, case.agreement, case.state.code()),
                format!("{id} {} {}", stored.agreement, stored.state),
            );
            if matches!(case.state, ReturnState::Requested) {
                self.plans
                    .expect(kinds::RETURN, &id, Some(app.day_of(case.answer_by)), found);
            }
        }
        Ok(())
    }

    /// I2: what is used is outstanding principal, what is held is what agreements hold, and the timeline ends there.
    fn lines(&self, taken: &BTreeMap<&str, Taken>, found: &mut Found) -> Result<(), Denied> {
        for StoredLine { line, .. } in &self.lines {
            let subject = format!("line {} at {}", self.shopper, line.institution);
            let own = taken.get(line.institution.as_str());
            let (used, held) = own.map_or((Amount::ZERO, Amount::ZERO), |own| (own.used, own.held));
            found.compare("I2", &format!("{subject} used"), used.minor(), line.used.minor());
            found.compare("I2", &format!("{subject} held"), held.minor(), line.held.minor());
            let told = timeline::told(&line.institution, &self.changes, &self.entries)?;
            let last = told.last().map_or(Amount::ZERO, |moment| moment.available);
            let available = line.available()?;
            found.compare(
                "I2",
                &format!("{subject} available"),
                last.minor(),
                available.minor(),
            );
        }
        for institution in taken.keys() {
            if !self
                .lines
                .iter()
                .any(|stored| stored.line.institution == *institution)
            {
                let subject = format!("line {} at {institution}", self.shopper);
                found.note("I2", &subject, &"a line", &"none");
            }
        }
        Ok(())
    }

    /// I1: each entry is one: two accounts that exist, a kind that exists, more than nothing, and an agreement.
    fn entries(&self, totals: &mut Totals, found: &mut Found) -> Result<(), Denied> {
        for entry in &self.entries {
            let subject = format!(
                "entry {} of {} on {}",
                entry.kind, entry.agreement, entry.effective_on
            );
            for account in [&entry.debit, &entry.credit] {
                if account.parse::<Account>().is_err() {
                    found.note("I1", &subject, &"an account", account);
                }
            }
            if entry.kind.parse::<EntryKind>().is_err() {
                found.note("I1", &subject, &"a kind of entry", &entry.kind);
            }
            if !entry.amount.is_positive() || entry.debit == entry.credit {
                found.note(
                    "I1",
                    &subject,
                    &"an amount between two accounts",
                    &entry.amount.minor(),
                );
            }
            if !self.files.iter().any(|file| file.agreement.id == entry.agreement) {
                found.note("I19", &subject, &"an agreement of the shopper", &"none");
            }
            totals.seen(entry)?;
        }
        Ok(())
    }

    /// I5: an agreement is claimed by an open payment for it, and by nothing else.
    fn claims(&self, found: &mut Found) {
        for (agreement, payment) in &self.claims {
            let subject = format!("claim of {payment} on {agreement}");
            let known = self
                .payments
                .iter()
                .find(|known| known.kept.payment.id == *payment);
            match known {
                Some(Attempt { kept, .. }) if kept.payment.state.is_open() => {}
                Some(Attempt { kept, .. }) => {
                    found.note("I5", &subject, &"an open payment", &kept.payment.state.code());
                }
                None => found.note("I5", &subject, &"an open payment", &"none"),
            }
        }
        for Attempt { kept, .. } in &self.payments {
            for share in kept
                .payment
                .shares
                .iter()
                .filter(|_| kept.payment.state.is_open())
            {
                if !self.claims.contains(&(share.agreement, kept.payment.id)) {
                    let subject = format!("open payment {}", kept.payment.id);
                    found.note(
                        "I5",
                        &subject,
                        &format!("a claim on {}", share.agreement),
                        &"none",
                    );
                }
            }
        }
    }
}

/// What a payment put into the books: in if positive, out if negative, nothing unless it stands. What the channel took
/// twice under one number is there twice.
pub(super) fn moved(kept: &Kept) -> Result<Amount, Denied> {
    let payment = &kept.payment;
    if !matches!(payment.state, State::Succeeded) {
        return Ok(Amount::ZERO);
    }
    let times = i64::try_from(payment.receipts.len().max(1)).unwrap_or(i64::MAX);
    let amount = payment.amount.times(times)?;
    Ok(match payment.kind {
        Kind::PayOut => Amount::ZERO.minus(amount)?,
        Kind::Debit | Kind::ByHand => amount,
    })
}

/// Whether a loan runs or ran.
pub(super) fn is_lent(agreement: &Agreement) -> bool {
    matches!(agreement.stage, Stage::Active { .. } | Stage::Settled { .. })
}
