//! Why a limit is what it is (额度变动明细, R20–R22): every change of the limit and every movement of what is held and used,
//! in the order of recording, each with what was available after it. The last figure is the credit line's own.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::credit::LimitEvent;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::ledger::{Account, EntryKind};
use fenqi_domain::loan::PostingKind;
use fenqi_domain::money::{Amount, OutOfRange};
use fenqi_store::tables::books::EntryRow;
use fenqi_store::tables::credit::StoredChange;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::mistake::Thing;
use crate::outcome::Denied;

/// How the reason of a change by which a shopper set a limit of their own begins; the limit in minor units follows, or
/// nothing where it was lifted. So the last such change says what holds, whatever the institution's limit did meanwhile.
const OWN: &str = "own_limit:";

/// The reason of a change of the shopper's own limit.
pub(super) fn own_reason(limit: Option<Amount>) -> String {
    limit.map_or_else(|| OWN.to_owned(), |limit| format!("{OWN}{}", limit.minor()))
}

/// Whether a reason is that of a change of the shopper's own limit.
pub(super) fn is_own(reason: &str) -> bool {
    reason.starts_with(OWN)
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened: `granted`, `raised`, `lowered`, or the code of an entry such as `principal_repaid`.
    pub what: String,
    /// By how much what is available changed, signed.
    pub amount: Amount,
    /// For which agreement, if for one.
    pub agreement: Option<AgreementId>,
    /// Why, of a change of the limit itself.
    pub reason: Option<String>,
    /// What was available after it.
    pub available: Amount,
}

/// The timeline of a line, oldest first.
pub async fn timeline(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    institution: &str,
) -> Result<Vec<Moment>, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    app.store
        .line(shopper, institution)
        .await?
        .ok_or_else(|| Denied::unknown(actor, "/institution", Thing::Line, institution))?;
    let changes = app.store.limit_changes(shopper).await?;
    let entries = app.store.entries(shopper).await?;
    Ok(told(institution, &changes, &entries)?)
}

/// The timeline that changes and entries tell; those of other institutions are left out.
pub(crate) fn told(
    institution: &str,
    changes: &[StoredChange],
    entries: &[EntryRow],
) -> Result<Vec<Moment>, OutOfRange> {
    let mut steps: Vec<(Timestamp, Step<'_>)> = Vec::new();
    let own = changes.iter().filter(|c| c.institution == institution);
    steps.extend(own.map(|c| (c.at, Step::Change(c))));
    for entry in entries {
        if let Some(effect) = effect(institution, entry)? {
            steps.push((entry.recorded_at, Step::Entry(entry, effect)));
        }
    }
    // What was recorded in one instant has no order of its own, so that it gets the one in which it makes sense.
    steps.sort_by_key(|(at, step)| (*at, step.rank()));
    let mut fold = Fold::default();
    steps.into_iter().map(|(at, step)| fold.take(at, step)).collect()
}

enum Step<'a> {
    Change(&'a StoredChange),
    Entry(&'a EntryRow, Amount),
}

impl Step<'_> {
    /// A limit is granted before it is held, held before it is used, and used before it is set anew.
    fn rank(&self) -> (u8, Amount) {
        match self {
            Step::Change(change) if change.event == LimitEvent::Granted => (0, change.amount),
            Step::Entry(entry, effect) => match entry.kind.as_str() {
                "committed" => (1, *effect),
                "commitment_released" => (2, *effect),
                "disbursed" => (3, *effect),
                _ => (4, *effect),
            },
            Step::Change(change) => (5, change.amount),
        }
    }
}

/// The limit, the shopper's own, and what movements left of them.
#[derive(Default)]
struct Fold {
    limit: Amount,
    own: Option<Amount>,
    moved: Amount,
}

impl Fold {
    fn available(&self) -> Result<Amount, OutOfRange> {
        self.own
            .map_or(self.limit, |own| own.min(self.limit))
            .plus(self.moved)
    }

    fn take(&mut self, at: Timestamp, step: Step<'_>) -> Result<Moment, OutOfRange> {
        let before = self.available()?;
        let (what, agreement, reason) = match step {
            Step::Change(change) => {
                self.change(change)?;
                (
                    event_code(change.event).to_owned(),
                    None,
                    Some(change.reason.clone()),
                )
            }
            Step::Entry(entry, effect) => {
                self.moved = self.moved.plus(effect)?;
                (entry.kind.clone(), Some(entry.agreement), None)
            }
        };
        let available = self.available()?;
        Ok(Moment {
            at,
            what,
            amount: available.minus(before)?,
            agreement,
            reason,
            available,
        })
    }

    fn change(&mut self, change: &StoredChange) -> Result<(), OutOfRange> {
        match change.reason.strip_prefix(OWN) {
            Some(limit) => self.own = limit.parse().ok().map(Amount::from_minor),
            None => self.limit = self.limit.plus(change.amount)?,
        }
        Ok(())
    }
}

/// By how much an entry changes what is available with an institution; nothing for entries that do not touch it.
fn effect(institution: &str, entry: &EntryRow) -> Result<Option<Amount>, OutOfRange> {
    use PostingKind::{Disbursed, PrincipalOwedAgain, PrincipalRefunded, PrincipalRepaid, PrincipalWaived};
    let freed = entry.amount;
    let taken = Amount::ZERO.minus(entry.amount)?;
    let effect = match entry.kind.parse::<EntryKind>() {
        Ok(EntryKind::Committed) => taken,
        Ok(EntryKind::CommitmentReleased) => freed,
        Ok(EntryKind::Posted(Disbursed | PrincipalOwedAgain)) => taken,
        Ok(EntryKind::Posted(PrincipalRepaid | PrincipalRefunded | PrincipalWaived)) => freed,
        Ok(EntryKind::Compensated(Disbursed | PrincipalOwedAgain)) => freed,
        Ok(EntryKind::Compensated(PrincipalRepaid | PrincipalRefunded | PrincipalWaived)) => taken,
        _ => return Ok(None),
    };
    let concerns = |account: &str| match account.parse::<Account>() {
        Ok(Account::ReceivablePrincipal(of) | Account::Commitments(of)) => of == institution,
        _ => false,
    };
    Ok((concerns(&entry.debit) || concerns(&entry.credit)).then_some(effect))
}

const fn event_code(event: LimitEvent) -> &'static str {
    match event {
        LimitEvent::Granted => "granted",
        LimitEvent::Raised => "raised",
        LimitEvent::Lowered => "lowered",
        LimitEvent::Held => "held",
        LimitEvent::Used => "used",
        LimitEvent::HoldReleased => "hold_released",
        LimitEvent::Repaid => "repaid",
        LimitEvent::Refunded => "refunded",
        LimitEvent::RepaymentReversed => "repayment_reversed",
    }
}
