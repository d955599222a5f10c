//! What a person does and sees that is neither buying nor paying: disputes, a limit of their own, the account, notices.

use fenqi_app::operations::limit::{self, SetOwnLimit};
use fenqi_app::operations::{dispute, notice, standing};
use fenqi_domain::actor::Actor;
use fenqi_domain::money::Amount;

use super::show::{self, moment, yuan};
use super::{Player, Seen, words};
use crate::scenario::Step;

impl Player<'_> {
    pub(super) async fn disputes(&mut self, step: &Step, who: &str, label: &str, reason: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let command = dispute::Open {
            shopper,
            agreement: self.cast.deal(label)?.id,
            claim: reason.to_owned(),
        };
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "dispute")?;
        let opened = dispute::open(self.app, &actor, &key, command).await?.reply();
        self.cast
            .call(&opened.id.to_string(), &format!("the dispute of {label}"));
        Ok(vec!["the dispute is open".to_owned()])
    }

    pub(super) async fn own_limit(
        &mut self,
        step: &Step,
        who: &str,
        institution: &str,
        limit: Option<Amount>,
    ) -> Seen {
        let shopper = self.shopper(who).await?;
        let command = SetOwnLimit {
            shopper,
            institution: institution.to_owned(),
            limit,
        };
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "own_limit")?;
        let set = limit::set_own_limit(self.app, &actor, &key, command)
            .await?
            .reply();
        Ok(vec![format!(
            "limit {}, her own {}, available {}",
            yuan(set.limit),
            set.own_limit.map_or("none".to_owned(), yuan),
            yuan(set.available)
        )])
    }

    /// What one should look at first: what stands against new credit, the limits, and what is to be paid.
    pub(super) async fn account(&mut self, who: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let actor = Actor::Shopper { id: shopper };
        let mut lines = Vec::new();
        let standing = standing::standing(self.app, &actor, shopper).await?;
        let names = self.names().await;
        for refusal in standing.refusals() {
            lines.extend(words::refused("stands against new credit:", &refusal, &names));
        }
        if lines.is_empty() {
            lines.push("nothing stands against new credit".to_owned());
        }
        for dispute in dispute::disputes(self.app, &actor, shopper).await? {
            let how = dispute
                .settled
                .map_or("open".to_owned(), |(_, outcome)| format!("settled: {outcome}"));
            lines.push(format!(
                "dispute about {}: {} ({how})",
                dispute.agreement, dispute.claim
            ));
        }
        for stored in self
            .app
            .store
            .lines(shopper)
            .await
            .map_err(fenqi_app::Denied::from)?
        {
            lines.push(show::limit(&stored.line)?);
        }
        let owed = self.owed(shopper).await?;
        lines.push(format!("to pay now: {}", yuan(owed.payable)));
        Ok(lines)
    }

    pub(super) async fn notices(&mut self) -> Seen {
        let shown = notice::notices(self.app, "310000").await?;
        let lines = shown.iter().map(|notice| {
            let back = notice
                .expected_recovery_at
                .map_or(String::new(), |at| format!(", expected back at {}", moment(at)));
            let parts: Vec<&str> = notice.capabilities.iter().map(|c| c.code()).collect();
            format!(
                "notice of {} ({}){back}: {}",
                notice.party,
                parts.join(", "),
                notice.text_en
            )
        });
        let lines: Vec<String> = lines.collect();
        Ok(if lines.is_empty() {
            vec!["there are no notices".to_owned()]
        } else {
            lines
        })
    }
}
