//! Verifies the store (核对): recomputes every balance, schedule and limit from what is stored, and says what differs.
//!
//! Nothing is repaired here. The checks are named after the invariants of the platform: I1 the books balance and each
//! entry is one; I2 what is used and held of each limit; I3 each instalment's figures; I4 snapshots are what the loans'
//! folds say; I5 no two attempts for one debt; I8 events without gaps, each with its transaction, and the
//! feed with each of them once; I11 stages; I12 refunds;
//! I19 the ledger against the folds, the payments, the channel's own statement and the rolled-up balances.
//!
//! It reads shopper by shopper, in pages, so that its memory does not grow with the store.

use std::collections::BTreeSet;

use fenqi_domain::id::ShopperId;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::outcome::Denied;

mod agreement;
mod desk;
mod events;
mod totals;

use desk::Desk;
use totals::Totals;

/// Something that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// Which invariant does not hold, as `I19`.
    pub what: String,
    /// Of what: an agreement, a line, an account.
    pub subject: String,
    /// What it must be.
    pub expected: String,
    /// What is stored.
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference {
            what,
            subject,
            expected,
            found,
        } = self;
        write!(f, "{what} {subject}: expected {expected}, found {found}")
    }
}

/// What differs, gathered.
#[derive(Debug, Default)]
struct Found(Vec<Difference>);

impl Found {
    /// Notes a difference, if there is one.
    fn compare<T: PartialEq + std::fmt::Display>(
        &mut self,
        what: &str,
        subject: &str,
        expected: T,
        found: T,
    ) {
        if expected != found {
            self.note(what, subject, &expected, &found);
        }
    }

    fn note(
        &mut self,
        what: &str,
        subject: &str,
        expected: &dyn std::fmt::Display,
        found: &dyn std::fmt::Display,
    ) {
        self.0.push(Difference {
            what: what.into(),
            subject: subject.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

/// How many keys are read at once.
const PAGE: i64 = 500;

/// Verifies everything; nothing listed means that nothing differs. The store should be at rest: a purchase between two
/// questions would be told as a difference.
///
/// Errors: a fault of the store. What cannot be read as what it is meant to be is a difference and not a fault.
pub async fn verify(app: &App) -> Result<Vec<Difference>, Denied> {
    let mut found = Found::default();
    let mut totals = Totals::default();
    let mut seen: Option<ShopperId> = None;
    let (mut shopper, mut id) = (String::new(), String::new());
    loop {
        let page = app.store.agreement_keys_after(&shopper, &id, PAGE).await?;
        let Some(last) = page.last() else { break };
        (shopper, id) = (last.0.to_string(), last.1.to_string());
        for (owner, _) in &page {
            if seen != Some(*owner) {
                seen = Some(*owner);
                look_at(app, *owner, &mut totals, &mut found).await?;
            }
        }
    }
    lines_of_others(app, &mut totals, &mut found).await?;
    totals.check(app, &mut found).await?;
    events::feed(app, &mut found).await?;
    found.0.sort();
    Ok(found.0)
}

/// Looks at everything of one shopper. A row that cannot be read is told, and the others are looked at all the same.
async fn look_at(
    app: &App,
    shopper: ShopperId,
    totals: &mut Totals,
    found: &mut Found,
) -> Result<(), Denied> {
    let looked = async {
        let desk = Desk::read(app, shopper).await?;
        desk.check(app, totals, found).await
    };
    match looked.await {
        Err(Denied::Fault(fenqi_store::Fault::Corrupt { statement, what })) => {
            let subject = shopper.to_string();
            found.note(
                "unreadable",
                &subject,
                &"rows that can be read",
                &format!("{statement}: {what}"),
            );
            Ok(())
        }
        other => other,
    }
}

/// Lines of shoppers without any agreement: nothing of them is used or held.
async fn lines_of_others(app: &App, totals: &mut Totals, found: &mut Found) -> Result<(), Denied> {
    let mut after = String::new();
    loop {
        let page = app.store.lines_after(&after, PAGE).await?;
        let owners: BTreeSet<String> = page.iter().map(|line| line.shopper.clone()).collect();
        let Some(last) = owners.last() else { return Ok(()) };
        after.clone_from(last);
        for owner in owners {
            let Ok(shopper) = owner.parse::<ShopperId>() else {
                found.note("unreadable", &owner, &"a shopper's identifier", &owner);
                continue;
            };
            let first = app.store.agreement_keys_after(&owner, "", 1).await?;
            if first.first().is_none_or(|(of, _)| *of != shopper) {
                look_at(app, shopper, totals, found).await?;
            }
        }
    }
}
