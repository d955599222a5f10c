//! Campaign budgets: what is left is what was opened, changed by what staff set it to, less what agreements took.

use std::collections::BTreeMap;

use fenqi_domain::agreement::{Agreement, Stage};
use fenqi_domain::money::Amount;
use fenqi_domain::quote::Quote;

use crate::App;
use crate::operations::budget::{BudgetSet, SET};
use crate::outcome::Denied;
use crate::verify::Found;

/// What agreements took of each campaign's budget.
#[derive(Default)]
pub(super) struct Budgets(BTreeMap<String, Amount>);

impl Budgets {
    /// Counts what an agreement took; what was cancelled gave it back.
    pub fn take(&mut self, agreement: &Agreement, quote: &Quote) -> Result<(), Denied> {
        if let Some(campaign) = &quote.campaign
            && !matches!(agreement.stage, Stage::Cancelled { .. })
        {
            let taken = self.0.entry(campaign.clone()).or_default();
            *taken = taken.plus(quote.cost.subsidy)?;
        }
        Ok(())
    }

    /// Compares with what is left of each campaign.
    pub async fn check(&self, app: &App, found: &mut Found) -> Result<(), Denied> {
        let configuration = app.configuration().await?;
        let mut set: BTreeMap<String, Amount> = BTreeMap::new();
        for record in app
            .store
            .audit()
            .await?
            .iter()
            .filter(|record| record.what == SET)
        {
            let subject = format!("audit record of the budget of {}", record.subject);
            let Ok(change) = serde_json::from_str::<BudgetSet>(&record.detail) else {
                found.note(
                    "unreadable",
                    &subject,
                    &"what was left before and after",
                    &record.detail,
                );
                continue;
            };
            let sum = set.entry(record.subject.clone()).or_default();
            *sum = sum.plus(change.left)?.minus(change.before)?;
        }
        for (code, campaign) in &configuration.campaigns {
            let changed = set.get(code).copied().unwrap_or_default();
            let taken = self.0.get(code).copied().unwrap_or_default();
            let expected = campaign.budget.plus(changed)?.minus(taken)?;
            let slices = app.store.budget_slices(code).await?;
            let left = Amount::sum(slices.iter().map(|(_, left)| Amount::from_minor(*left)))?;
            found.compare(
                "budget",
                &format!("campaign {code}"),
                expected.minor(),
                left.minor(),
            );
        }
        Ok(())
    }
}
