//! What the store does.

use fenqi_app::checkout::cancel::{self, Cancel};
use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::operations::approve::Done;
use fenqi_app::repayment::answer_return::{self, Answer, AnswerReturn};
use fenqi_domain::actor::Actor;
use fenqi_domain::money::Amount;

use super::show::yuan;
use super::{Player, Seen, Stop, store};
use crate::language::{Goods, Selling};
use crate::scenario::Step;

impl Player<'_> {
    pub(super) async fn selling(&mut self, step: &Step, selling: &Selling) -> Seen {
        match selling {
            Selling::Captures(goods) => self.captures(step, goods).await,
            Selling::Cancels { label } => {
                let deal = self.cast.deal(label)?;
                let command = Cancel {
                    shopper: deal.shopper,
                    agreement: deal.id,
                };
                let key = self.key(step, "cancel")?;
                let cancelled = cancel::cancel(self.app, &store(&deal.seller), &key, command).await?;
                Ok(vec![format!("released {}", yuan(cancelled.reply().released))])
            }
            Selling::Answers { label, rejected } => {
                let seller = store(&self.cast.deal(label)?.seller);
                self.answers(step, &seller, label, rejected.as_deref()).await
            }
        }
    }

    async fn captures(&mut self, step: &Step, goods: &Goods) -> Seen {
        let deal = self.cast.deal(&goods.label)?;
        let command = Capture {
            shopper: deal.shopper,
            agreement: deal.id,
            amount: self.financed(goods).await?,
            is_final: false,
        };
        let key = self.key(step, "capture")?;
        let captured = capture::capture(self.app, &store(&deal.seller), &key, command)
            .await?
            .reply();
        Ok(vec![format!(
            "captured {}, still held {}",
            yuan(captured.amount),
            yuan(captured.held)
        )])
    }

    /// The financed part of goods; nothing if it is all of them.
    async fn financed(&self, goods: &Goods) -> Result<Option<Amount>, Stop> {
        if goods.skus.is_empty() {
            return Ok(None);
        }
        let deal = self.cast.deal(&goods.label)?;
        let owed = self.owed(deal.shopper).await?;
        let view = owed.agreements.iter().find(|view| view.id == deal.id);
        let view = view.ok_or_else(|| format!("{} is not there", goods.label))?;
        let lines = view.lines.iter().filter(|line| goods.skus.contains(&line.sku));
        Ok(Some(Amount::sum(lines.map(|line| line.financed))?))
    }

    /// Answers a return: the store, or staff in its place.
    pub(super) async fn answers(
        &mut self,
        step: &Step,
        actor: &Actor,
        label: &str,
        rejected: Option<&str>,
    ) -> Seen {
        let deal = self.cast.deal(label)?;
        let answer = match rejected {
            Some(why) => Answer::Reject { why: why.to_owned() },
            None => Answer::Accept {
                with_paid_fees: false,
            },
        };
        let command = AnswerReturn {
            shopper: deal.shopper,
            agreement: deal.id,
            answer,
        };
        let key = self.key(step, "answer")?;
        let answered = answer_return::answer_return(self.app, actor, &key, command)
            .await?
            .reply();
        Ok(self.done(answered, Done::AnswerReturn))
    }
}
