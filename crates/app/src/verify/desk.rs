//! Everything of one shopper on one desk: the lines against the agreements, claims against payments.

use std::collections::BTreeMap;

use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::id::{AgreementId, PaymentId, ShopperId};
use fenqi_domain::ledger::{Account, EntryKind};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::{Kind, State};
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::books::EntryRow;
use fenqi_store::tables::credit::{StoredChange, StoredLine};

use crate::App;
use crate::operations::timeline;
use crate::outcome::Denied;
use crate::repayment::payments::Kept;
use crate::verify::totals::Totals;
use crate::verify::{Found, agreement, events};

/// What is stored of one shopper.
pub(super) struct Desk {
    pub shopper: ShopperId,
    pub files: Vec<AgreementFile>,
    pub entries: Vec<EntryRow>,
    pub payments: Vec<(i64, Kept)>,
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
    pub async fn read(app: &App, shopper: ShopperId) -> Result<Desk, Denied> {
        let store = &app.store;
        let mut payments = Vec::new();
        for stored in store.payments(shopper).await? {
            payments.push((stored.version, stored.detail()?));
        }
        Ok(Desk {
            shopper,
            files: store.agreements(shopper).await?,
            entries: store.entries(shopper).await?,
            payments,
            lines: store.lines(shopper).await?,
            changes: store.limit_changes(shopper).await?,
            claims: store.claims(shopper).await?,
        })
    }

    pub async fn check(&self, app: &App, totals: &mut Totals, found: &mut Found) -> Result<(), Denied> {
        let mut taken: BTreeMap<&str, Taken> = BTreeMap::new();
        for file in &self.files {
            let own = agreement::check(app, self, file, totals, found).await?;
            let line = taken.entry(&file.agreement.institution).or_insert(Taken {
                used: Amount::ZERO,
                held: Amount::ZERO,
            });
            line.used = line.used.plus(own.used)?;
            line.held = line.held.plus(own.held)?;
        }
        self.lines(&taken, found)?;
        self.entries(totals, found)?;
        self.claims(found);
        for (version, kept) in &self.payments {
            let id = kept.payment.id.to_string();
            let stored = app.store.events(self.shopper, &id).await?;
            events::gap_free(&id, &stored, *version, found);
            totals.paid(app, kept)?;
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
            let known = self.payments.iter().find(|(_, kept)| kept.payment.id == *payment);
            match known {
                Some((_, kept)) if kept.payment.state.is_open() => {}
                Some((_, kept)) => found.note("I5", &subject, &"an open payment", &kept.payment.state.code()),
                None => found.note("I5", &subject, &"an open payment", &"none"),
            }
        }
        for (_, kept) in &self.payments {
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
