//! The work of a day, and what is shown at the end of a scenario.

use fenqi_app::Denied;
use fenqi_app::jobs::day;
use fenqi_app::operations::timeline;
use fenqi_app::repayment::{bills, bounce};
use fenqi_domain::actor::Actor;
use fenqi_domain::agreement::Stage;
use fenqi_domain::id::ShopperId;
use fenqi_domain::money::Amount;

use super::paying::stage;
use super::show::{self, moment, yuan};
use super::{Player, Seen, Stop};

impl Player<'_> {
    /// Does the work that is due now, and takes in what the bank has to say: its notices and yesterday's statement.
    pub(super) async fn work(&mut self) -> Seen {
        let today = self.app.moment().today;
        let job = Actor::Job {
            name: "day".to_owned(),
        };
        let yesterday = today.yesterday().map_err(|e| e.to_string())?;
        let mut lines = Vec::new();
        match bounce::import_statement(self.app, &job, yesterday).await {
            Ok(_) => {}
            Err(fault @ Denied::Fault(_)) => return Err(fault.into()),
            Err(denied) => {
                let names = self.names().await;
                lines.extend(super::words::denied(&denied, &names));
            }
        }
        self.hear().await?;
        let report = day::run(self.app, today).await?;
        for (job, done) in &report.jobs {
            for failed in &done.failed {
                lines.push(format!("{today} {job} failed: {failed}"));
            }
        }
        Ok(lines)
    }

    /// Every agreement's schedule, every limit's timeline, the books, and what a check of all of it finds.
    pub(super) async fn end(&mut self) -> Seen {
        let mut lines = Vec::new();
        for (label, deal) in self.cast.deals() {
            let actor = Actor::Shopper { id: deal.shopper };
            let view = bills::agreement(self.app, &actor, deal.shopper, deal.id).await?;
            let what = format!("{label} of {} with {}", deal.who, view.institution);
            lines.push(format!(
                "{what}: {}, {}",
                stage(&view.stage),
                show::summary(&view.loan)?
            ));
            let is_loan = !matches!(view.stage, Stage::Confirmed { .. } | Stage::Cancelled { .. });
            let rows = if is_loan {
                show::schedule(&view.loan)?
            } else {
                Vec::new()
            };
            lines.extend(rows.iter().map(|row| format!("  {row}")));
        }
        let people: Vec<_> = self
            .cast
            .people()
            .filter_map(|(who, p)| Some((who, p.shopper?)))
            .collect();
        for (who, shopper) in people {
            for line in self.limits(shopper).await? {
                lines.push(format!("{who}: {line}"));
            }
        }
        lines.extend(self.books().await?);
        Ok(lines)
    }

    /// A person's limits, each with how it came to be what it is.
    pub(super) async fn limits(&self, shopper: ShopperId) -> Result<Vec<String>, Stop> {
        let actor = Actor::Shopper { id: shopper };
        let stored = self.app.store.lines(shopper).await.map_err(Denied::from)?;
        let mut lines = Vec::new();
        for known in &stored {
            lines.push(show::limit(&known.line)?);
            let institution = &known.line.institution;
            for change in timeline::timeline(self.app, &actor, shopper, institution).await? {
                let agreement = change.agreement.map_or(String::new(), |id| format!(" {id}"));
                let reason = change
                    .reason
                    .map_or(String::new(), |reason| format!(" ({reason})"));
                lines.push(format!(
                    "  {} {}{agreement} {}, available {}{reason}",
                    moment(change.at),
                    change.what,
                    yuan(change.amount),
                    yuan(change.available)
                ));
            }
        }
        Ok(lines)
    }

    /// The trial balance (试算平衡).
    async fn books(&self) -> Result<Vec<String>, Stop> {
        let accounts = self.app.store.trial_balance().await.map_err(Denied::from)?;
        let mut lines = vec!["books:".to_owned()];
        let mut sum = Amount::ZERO;
        for account in &accounts {
            let balance = account.debit.minus(account.credit)?;
            sum = sum.plus(balance)?;
            lines.push(format!("  {}: {}", account.account, yuan(balance)));
        }
        lines.push(format!("  sum: {}", yuan(sum)));
        Ok(lines)
    }
}
