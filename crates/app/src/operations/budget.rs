//! Sets what is left of a campaign's budget (活动预算), and divides budgets into slices.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::money::{Amount, OutOfRange, Rounding};
use fenqi_domain::plan::Plan;
use fenqi_store::Batch;
use fenqi_store::tables::settings;
use fenqi_store::tables::staff::PLATFORM;
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::mistake::{Mistake, Thing};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::{audit, because, configure};
use crate::outcome::{Change, Denied, Key};
use crate::unit::request;
use crate::{App, Moment};

/// Into how many slices a budget is divided at most, so that a campaign's buyers do not all lock one row.
pub const SLICES: usize = 16;

/// What the audit trail calls it.
pub(crate) const SET: &str = "campaign.set_budget";

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct SetBudget {
    /// Which campaign.
    pub campaign: String,
    /// What is to be left of it from now on; zero ends it.
    pub left: Amount,
    /// Why.
    pub reason: String,
}

/// What is proposed to another person: not what shall be left, but what is added, since purchases take from the budget
/// until somebody approves, and what they took must not be promised again unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseBudget {
    /// Which campaign.
    pub campaign: String,
    /// How much is added to what is left of it.
    pub by: Amount,
    /// Why.
    pub reason: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetSet {
    /// What was left before.
    pub before: Amount,
    /// What is left now.
    pub left: Amount,
}

/// Sets what is left of a campaign's budget. More than is left promises money, so that another person must approve what
/// is added, unless nobody has an account yet.
pub async fn set_budget(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: SetBudget,
) -> Result<Change<Outcome<BudgetSet>>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    Denied::of("/left", Mistake::of_amount(command.left))?;
    let asked = request(PLATFORM, actor, key, "set_budget", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(PLATFORM);
        let about = (command.campaign.as_str(), command.reason.as_str());
        let to = |_| Ok(command.left);
        let reply = set(app, &mut batch, actor.into(), about, to, &mut moment).await?;
        let by = reply.left.minus(reply.before)?;
        let weighed = Weighed {
            needs_two: by.is_positive() && configure::is_open(app).await?,
            reply,
            replaces: serde_json::Value::Null,
        };
        let proposed = Proposed::RaiseBudget(RaiseBudget {
            campaign: command.campaign.clone(),
            by,
            reason: command.reason.clone(),
        });
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Adds to what is left of a campaign's budget.
pub(super) async fn raise(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &RaiseBudget,
    moment: &mut Moment,
) -> Result<Weighed<BudgetSet>, Denied> {
    let about = (command.campaign.as_str(), command.reason.as_str());
    let to = |before: Amount| {
        let left = before.plus(command.by)?;
        Denied::of("/left", Mistake::of_amount(left))?;
        Ok(left)
    };
    Ok(Weighed {
        reply: set(app, batch, by, about, to, moment).await?,
        needs_two: true,
        replaces: serde_json::Value::Null,
    })
}

/// Sets what is left of a campaign's budget to what becomes of what was left, with its audit record.
async fn set(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    (campaign, reason): (&str, &str),
    to: impl Fn(Amount) -> Result<Amount, Denied>,
    moment: &mut Moment,
) -> Result<BudgetSet, Denied> {
    let (_, stored) = app.store.settings().await?;
    let known = app.store.budget_slices(campaign).await?;
    if known.is_empty() {
        let unknown = Thing::Campaign;
        return Err(Denied::unknown(by.actor, "/campaign", unknown, campaign));
    }
    let before = Amount::sum(known.iter().map(|(_, left)| Amount::from_minor(*left)))?;
    let left = to(before)?;
    let largest = configure::largest_subsidy(campaign, &[], &stored)?;
    let mut parts = slices(left, largest);
    // The rows stay as many as they are: what does not fit into fewer goes into the last, and the rest stay empty.
    while parts.len() > known.len() {
        let over = parts.pop().unwrap_or_default();
        if let Some(last) = parts.last_mut() {
            *last = last.saturating_add(over);
        }
    }
    for (index, (slice, left)) in known.iter().enumerate() {
        let part = parts.get(index).copied().unwrap_or(0);
        settings::set_budget(batch, campaign, *slice, *left, part);
    }
    let reply = BudgetSet { before, left };
    audit(batch, by, (SET, campaign), reason, &reply, moment);
    Ok(reply)
}

/// A budget in slices that sum to it, at most [`SLICES`], and none so small that the largest purchase does not fit into
/// it: a campaign whose money is spread too thin would refuse the first buyer.
pub(super) fn slices(budget: Amount, largest: Amount) -> Vec<i64> {
    let total = budget.minor().max(0);
    let most = i64::try_from(SLICES).unwrap_or(1);
    let count = total
        .checked_div(largest.minor().max(1))
        .unwrap_or(1)
        .clamp(1, most);
    let (part, rest) = (
        total.checked_div(count).unwrap_or(total),
        total.checked_rem(count).unwrap_or(0),
    );
    (0..count)
        .map(|slice| part.saturating_add(i64::from(slice < rest)))
        .collect()
}

/// The most that one purchase on a plan costs its seller, rounded up; for interest, a year of it for each begun year.
pub(super) fn most_of(plan: &Plan) -> Result<Amount, OutOfRange> {
    let years = i64::from(plan.count.div_ceil(12).max(1));
    let once = plan.maximum.at(plan.pricing.rate(), Rounding::Up)?;
    let cost = match plan.pricing.interest() {
        Some(_) => once.times(years)?,
        None => once,
    };
    cost.at(plan.borne_by_seller, Rounding::Up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_sum_to_the_budget_and_each_takes_a_purchase() {
        let yuan = |y: i64| Amount::from_minor(y * 100);
        for (budget, largest, count) in [
            (100_000, 86, 16),
            (300, 86, 3),
            (50, 86, 1),
            (1_000, 0, 16),
            (0, 5, 1),
        ] {
            let slices = slices(yuan(budget), yuan(largest));
            assert_eq!(slices.iter().sum::<i64>(), budget * 100);
            assert_eq!(slices.len(), count);
            assert!(count == 1 || slices.iter().all(|slice| *slice >= largest * 100));
        }
    }
}
