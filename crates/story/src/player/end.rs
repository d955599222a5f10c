//! The work of a day, and what is shown at the end of a scenario.

use fenqi_app::Denied;
use fenqi_app::jobs::day;
use fenqi_app::repayment::{bills, bounce};
use fenqi_domain::actor::Actor;
use fenqi_domain::credit::LimitEvent;
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
            Err(denied) => lines.extend(super::words::denied(&denied)),
        }
        self.hear().await?;
        let report = day::run(self.app, today).await?;
        for (job, done) in &report.jobs {
            if !done.failed.is_empty() {
                lines.push(format!(
                    "{today} {job}: {} of {} failed",
                    done.failed.len(),
                    done.seen
                ));
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
            let rows = show::schedule(&view.loan)?;
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
        let stored = self.app.store.lines(shopper).await.map_err(Denied::from)?;
        let changes = self
            .app
            .store
            .limit_changes(shopper)
            .await
            .map_err(Denied::from)?;
        let mut lines = Vec::new();
        for known in &stored {
            lines.push(show::limit(&known.line)?);
            for change in changes.iter().filter(|c| c.institution == known.line.institution) {
                lines.push(format!(
                    "  {} {} {}{}",
                    moment(change.at),
                    event(change.event),
                    yuan(change.amount),
                    self.because(&change.reason)
                ));
            }
        }
        Ok(lines)
    }

    /// A reason, with labels in place of numbers.
    fn because(&self, reason: &str) -> String {
        let deals = self.cast.deals();
        let said = deals.fold(reason.to_owned(), |said, (label, deal)| {
            said.replace(&deal.id.to_string(), label)
        });
        if said.is_empty() {
            said
        } else {
            format!(" ({said})")
        }
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

fn event(event: LimitEvent) -> &'static str {
    match event {
        LimitEvent::Granted => "granted",
        LimitEvent::Raised => "raised by",
        LimitEvent::Lowered => "lowered by",
        LimitEvent::Held => "held",
        LimitEvent::Used => "used",
        LimitEvent::HoldReleased => "hold released",
        LimitEvent::Repaid => "repaid",
        LimitEvent::Refunded => "refunded",
        LimitEvent::RepaymentReversed => "repayment reversed",
    }
}
