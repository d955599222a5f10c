//! What a person owes, pays, settles and gives back.

use fenqi_app::repayment::bills::{self, BillView, Owed};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::payments::PaymentView;
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::repayment::settle::{self, Settle};
use fenqi_app::repayment::{certificate, preview, why};
use fenqi_app::texts::{self, Language};
use fenqi_domain::actor::Actor;
use fenqi_domain::agreement::{Ending, Stage};
use fenqi_domain::bill::Status;
use fenqi_domain::id::{AgreementId, CardId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::State;
use fenqi_domain::returns::ReturnLine;

use super::show::{self, yuan};
use super::{Player, Seen, Stop};
use crate::language::{Figure, Goods, Payment};
use crate::scenario::Step;

impl Player<'_> {
    /// Everything that a person owes.
    pub(super) async fn owed(&self, shopper: ShopperId) -> Result<Owed, Stop> {
        let actor = Actor::Shopper { id: shopper };
        Ok(bills::bills(self.app, &actor, shopper).await?)
    }

    pub(super) async fn pays(&mut self, step: &Step, who: &str, payment: &Payment) -> Seen {
        let payer = self.shopper(who).await?;
        let (shopper, agreements) = self.aim(payer, payment)?;
        let amount = self.amount(shopper, payment, &agreements).await?;
        if amount.is_zero() {
            return Ok(vec!["nothing is due".to_owned()]);
        }
        let card = self.card(payer, payment.from.as_deref()).await?;
        let command = Pay {
            shopper,
            payer,
            agreements,
            amount,
            card,
        };
        let actor = Actor::Shopper { id: payer };
        let paid = pay::pay(self.app, &actor, &self.key(step, "pay")?, command).await?;
        Ok(self.payment(&paid.reply()))
    }

    pub(super) async fn previews(&mut self, who: &str, payment: &Payment) -> Seen {
        let payer = self.shopper(who).await?;
        let (shopper, agreements) = self.aim(payer, payment)?;
        let amount = self.amount(shopper, payment, &agreements).await?;
        if amount.is_zero() {
            return Ok(vec!["nothing is due".to_owned()]);
        }
        let actor = Actor::Shopper { id: payer };
        let shown = preview::preview(self.app, &actor, shopper, &agreements, amount).await?;
        let shares: Vec<String> = shown
            .shares
            .iter()
            .map(|s| format!("{} for {}", yuan(s.amount), self.cast.label_of(s.agreement)))
            .collect();
        Ok(vec![
            format!("{} would be {}", yuan(amount), shares.join(", ")),
            format!("it would pay {}", show::parts(&shown.pays)),
            format!(
                "it would save {}, and {} would be left",
                show::parts(&shown.saves),
                yuan(shown.left)
            ),
        ])
    }

    pub(super) async fn payoff(&mut self, who: &str, label: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let deal = self.cast.deal(label)?;
        let payoff = settle::quote(self.app, &Actor::Shopper { id: shopper }, shopper, deal.id).await?;
        Ok(vec![show::payoff(&payoff)])
    }

    /// The reason of a figure, in English.
    pub(super) async fn asks_why(&mut self, who: &str, figure: &Figure) -> Seen {
        let shopper = self.shopper(who).await?;
        let agreement = |label: &str| self.cast.deal(label).map(|deal| deal.id);
        let figure = match figure {
            Figure::Instalment { label, number } => why::Figure::Instalment {
                agreement: agreement(label)?,
                number: *number,
            },
            Figure::Due { label } => why::Figure::Payable {
                agreement: agreement(label)?,
            },
            Figure::Owed { label } => why::Figure::Outstanding {
                agreement: agreement(label)?,
            },
            Figure::LeftOver { label } => why::Figure::LeftOver {
                agreement: agreement(label)?,
            },
            Figure::Payoff { label } => why::Figure::Payoff {
                agreement: agreement(label)?,
            },
            Figure::Bill { due_on } => why::Figure::Bill { due_on: *due_on },
        };
        let whys = why::why(self.app, &Actor::Shopper { id: shopper }, shopper, figure).await?;
        let mut lines = Vec::new();
        for why in &whys {
            let label = self.cast.label_of(why.agreement);
            lines.push(format!("{label} on {}:", why.on));
            lines.extend(why.en.lines().map(|line| format!("  {line}")));
        }
        Ok(lines)
    }

    pub(super) async fn settles(&mut self, step: &Step, who: &str, label: &str, from: Option<&str>) -> Seen {
        let shopper = self.shopper(who).await?;
        let agreement = self.cast.deal(label)?.id;
        let actor = Actor::Shopper { id: shopper };
        let card = self.card(shopper, from).await?;
        let amount = settle::quote(self.app, &actor, shopper, agreement).await?.total;
        let command = Settle {
            shopper,
            agreement,
            amount,
            card,
        };
        let settled = settle::settle(self.app, &actor, &self.key(step, "settle")?, command).await?;
        Ok(self.payment(&settled.reply()))
    }

    pub(super) async fn asks_return(&mut self, who: &str, goods: &Goods) -> Seen {
        let shopper = self.shopper(who).await?;
        let command = self.request_return(shopper, goods)?;
        let actor = Actor::Shopper { id: shopper };
        let shown = request_return::preview(self.app, &actor, &command).await?;
        Ok(super::words::refund(&shown))
    }

    pub(super) async fn returns(&mut self, step: &Step, who: &str, goods: &Goods) -> Seen {
        let shopper = self.shopper(who).await?;
        let command = self.request_return(shopper, goods)?;
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "return")?;
        let asked = request_return::request_return(self.app, &actor, &key, command)
            .await?
            .reply();
        Ok(vec![format!(
            "return of {} requested; the seller answers by {}",
            yuan(asked.amount),
            show::moment(asked.answer_by)
        )])
    }

    pub(super) async fn withdraws(&mut self, step: &Step, who: &str, label: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let agreement = self.cast.deal(label)?.id;
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "withdraw")?;
        let answer = request_return::withdraw(self.app, &actor, &key, shopper, agreement)
            .await?
            .reply();
        Ok(vec![format!("the return is {}", answer.state.code())])
    }

    pub(super) async fn bills(&mut self, who: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let owed = self.owed(shopper).await?;
        let mut lines = vec![format!("to pay now: {}", yuan(owed.payable))];
        for bill in &owed.bills {
            lines.push(self.bill(bill)?);
        }
        for view in &owed.agreements {
            let next = view
                .next_due
                .map_or(String::new(), |day| format!(", next due {day}"));
            lines.push(format!(
                "{} {}: {}{next}",
                self.cast.label_of(view.id),
                stage(&view.stage),
                show::summary(&view.loan)?
            ));
            let is_for = |p: &&PaymentView| p.shares.iter().any(|s| s.agreement == view.id);
            if let Some(last) = owed.payments.iter().rev().find(is_for) {
                let shown = self.payment(last);
                lines.extend(shown.iter().map(|line| format!("  last {line}")));
            }
        }
        Ok(lines)
    }

    pub(super) async fn schedule(&mut self, who: &str, label: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let deal = self.cast.deal(label)?;
        let actor = Actor::Shopper { id: shopper };
        let view = bills::agreement(self.app, &actor, shopper, deal.id).await?;
        let mut lines = vec![format!("{}: {}", stage(&view.stage), show::summary(&view.loan)?)];
        lines.extend(show::schedule(&view.loan)?);
        Ok(lines)
    }

    pub(super) async fn certificate(&mut self, who: &str, label: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let deal = self.cast.deal(label)?;
        let actor = Actor::Shopper { id: shopper };
        let shown = certificate::certificate(self.app, &actor, shopper, deal.id).await?;
        Ok(vec![format!(
            "{label} of {}: {} was lent, {} was paid, settled on {}{}",
            shown.institution,
            yuan(shown.principal),
            yuan(shown.paid),
            shown.settled_on,
            if shown.early { ", early" } else { "" }
        )])
    }

    /// Whose agreements a payment is for, and which.
    fn aim(&self, payer: ShopperId, payment: &Payment) -> Result<(ShopperId, Vec<AgreementId>), Stop> {
        let mut shopper = payer;
        let mut agreements = Vec::new();
        for label in &payment.labels {
            let deal = self.cast.deal(label)?;
            if payment.of.as_ref().is_some_and(|of| *of != deal.who) {
                return Err(Stop::Impossible(format!("{label} is {}'s", deal.who)));
            }
            if payment.of.is_some() {
                shopper = deal.shopper;
            }
            agreements.push(deal.id);
        }
        Ok((shopper, agreements))
    }

    /// What is to be paid: the amount that is named, or what is due now and what open bills say.
    async fn amount(
        &self,
        shopper: ShopperId,
        payment: &Payment,
        only: &[AgreementId],
    ) -> Result<Amount, Stop> {
        if let Some(amount) = payment.amount {
            return Ok(amount);
        }
        let owed = self.owed(shopper).await?;
        let chosen = owed.agreements.iter();
        let mut due = Amount::ZERO;
        for view in chosen.filter(|view| only.is_empty() || only.contains(&view.id)) {
            let mut billed = Amount::ZERO;
            let lines = owed.bills.iter().flat_map(|bill| &bill.standing.lines);
            for line in lines.filter(|line| line.agreement == view.id) {
                billed = billed.plus(line.open.total()?)?;
            }
            due = due.plus(billed.max(view.payable.total()?))?;
        }
        Ok(due)
    }

    /// A bound card of a person: the one of a token, or the first.
    async fn card(&self, payer: ShopperId, token: Option<&str>) -> Result<CardId, Stop> {
        let cards = self
            .app
            .store
            .cards(payer)
            .await
            .map_err(fenqi_app::Denied::from)?;
        let mut bound = cards.iter().filter(|card| card.state == "bound");
        let found = match token {
            Some(token) => bound.find(|card| card.token == token),
            None => bound.next(),
        };
        let what = token.unwrap_or("any card");
        Ok(found
            .map(|card| card.id)
            .ok_or_else(|| format!("{what} is not bound"))?)
    }

    fn request_return(&self, shopper: ShopperId, goods: &Goods) -> Result<RequestReturn, Stop> {
        let lines = goods.skus.iter();
        Ok(RequestReturn {
            shopper,
            agreement: self.cast.deal(&goods.label)?.id,
            lines: lines
                .map(|sku| ReturnLine {
                    sku: sku.clone(),
                    quantity: 1,
                })
                .collect(),
        })
    }

    /// A payment and how it stands.
    pub(super) fn payment(&self, payment: &PaymentView) -> Vec<String> {
        let shares: Vec<String> = payment
            .shares
            .iter()
            .map(|s| format!("{} for {}", yuan(s.amount), self.cast.label_of(s.agreement)))
            .collect();
        let how = match &payment.state {
            State::Failed { code } => {
                let why = texts::failure(*code, payment.kind, Language::En);
                format!("failed: {} ({why})", code.code())
            }
            State::Unknown { since, .. } => format!("unknown since {}", show::moment(*since)),
            other => other.code().to_owned(),
        };
        vec![format!(
            "payment of {} ({}): {how}",
            yuan(payment.amount),
            shares.join(", ")
        )]
    }

    fn bill(&self, view: &BillView) -> Result<String, Stop> {
        let standing = &view.standing;
        let status = match standing.status {
            Status::Open => "open",
            Status::Part => "paid in part",
            Status::Paid => "paid",
            Status::Overdue => "overdue",
        };
        let lines: Vec<String> = view
            .bill
            .lines
            .iter()
            .map(|l| format!("{} no. {}", self.cast.label_of(l.agreement), l.instalment))
            .collect();
        Ok(format!(
            "bill due {}: {} ({}), {status}, open {}",
            view.bill.due_on,
            yuan(view.bill.amount()?),
            lines.join(", "),
            yuan(standing.open.total()?)
        ))
    }
}

/// Where an agreement stands, as a person reads it.
pub(super) fn stage(stage: &Stage) -> &'static str {
    match stage {
        Stage::Confirmed { .. } => "confirmed",
        Stage::Active { .. } => "active",
        Stage::Settled { early: true, .. } => "settled early",
        Stage::Settled { .. } => "settled",
        Stage::Cancelled { why, .. } => match why {
            Ending::Expired => "expired",
            _ => "cancelled",
        },
    }
}
