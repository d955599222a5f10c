//! Verifies the store (核对): recomputes every balance, schedule and limit from what is stored, and says what differs.
//!
//! Nothing is repaired here. The checks are named after the invariants of the platform: I1 the books balance and each
//! entry is one; I2 what is used and held of each limit; I3 each instalment's figures, the packed schedule and the bills
//! are what the loans' folds say; I4 each time that money was taken became one transaction; I5 no two attempts for one
//! debt; I8 events without gaps, of known kinds, each with what it tells of, and the feed with each of them once; I10
//! what is to be done is planned; I11 stages; I12 refunds; I19 the ledger against the folds, the payments, the channel's
//! own statement and the rolled-up balances, in each currency.
//!
//! What no invariant numbers is named by a word: `digest` what was shown, signed and confirmed is one; `column` a column
//! beside a detail repeats it; `budget` what is left of campaigns; `unreadable` what cannot be read as what it is;
//! `notice` what the channel told of nothing of ours.
//!
//! It reads shopper by shopper, in pages. What grows with the store is what the channel's statement is matched with.

use fenqi_domain::id::ShopperId;
use fenqi_store::Fault;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::outcome::Denied;

mod agreement;
mod bills;
mod budget;
mod desk;
mod events;
mod inbox;
mod payment;
mod replay;
mod rows;
mod signed;
mod told;
mod totals;
mod work;

use budget::Budgets;
use desk::Desk;
use events::Tally;
use totals::Totals;

/// Something that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// Which invariant does not hold, as `I19`, or the word for what was compared.
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
    let mut sums = Sums {
        totals: Totals::with_transfers(app).await?,
        budgets: Budgets::default(),
        events: Tally::default(),
    };
    let mut after = String::new();
    loop {
        let page = app.store.owners_after(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        for owner in page {
            match owner.parse() {
                Ok(shopper) => look_at(app, shopper, &mut sums, &mut found).await?,
                Err(_) => found.note("unreadable", &owner, &"a shopper's identifier", &owner),
            }
        }
    }
    sums.totals.check(app, &mut found).await?;
    sums.budgets.check(app, &mut found).await?;
    if let Err(denied) = events::feed(app, sums.events, &mut found).await {
        unreadable("feed", denied, &mut found)?;
    }
    inbox::parked(app, &mut found).await?;
    found.0.sort();
    Ok(found.0)
}

/// What is added up over all shoppers.
struct Sums {
    totals: Totals,
    budgets: Budgets,
    events: Tally,
}

/// Looks at everything of one shopper. A row that cannot be read is told, and the others are looked at all the same.
async fn look_at(app: &App, shopper: ShopperId, sums: &mut Sums, found: &mut Found) -> Result<(), Denied> {
    let looked = async {
        let desk = Desk::read(app, shopper, found).await?;
        desk.check(app, sums, found).await
    };
    let looked = looked.await;
    looked.or_else(|denied| unreadable(&shopper.to_string(), denied, found))
}

/// Tells what cannot be read as what it is; any other fault stays one.
fn unreadable(subject: &str, denied: Denied, found: &mut Found) -> Result<(), Denied> {
    match denied {
        Denied::Fault(fault @ (Fault::Corrupt { .. } | Fault::Sealed(_))) => {
            found.note("unreadable", subject, &"rows that can be read", &fault);
            Ok(())
        }
        other => Err(other),
    }
}
