//! What the staff do.

use fenqi_app::operations::approve::{self, Decide, Done, Outcome};
use fenqi_app::operations::arrange::{self, Arrange, Whom};
use fenqi_app::operations::backdate::{self, EnterPayment};
use fenqi_app::operations::budget::{self, SetBudget};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::operations::freeze::{self, Freeze, Unfreeze};
use fenqi_app::operations::limit::{self, SetLimit};
use fenqi_app::operations::notice::{self, Publish};
use fenqi_app::operations::suspend::{self, SetPartnership};
use fenqi_app::operations::waive::{self, Waive};
use fenqi_app::operations::{dispute, window};
use fenqi_app::{Denied, Key};
use fenqi_domain::actor::Actor;
use fenqi_domain::refusal::Capability;
use jiff::Timestamp;

use super::show::{self, yuan};
use super::{Player, Seen, Stop, desk};
use crate::language::{Desk, Tending};
use crate::scenario::Step;

/// Why staff of a scenario do what gives no reason of its own.
const REASON: &str = "the reason for it is gone";

impl Player<'_> {
    pub(super) async fn tending(&mut self, step: &Step, who: Desk, does: &Tending) -> Seen {
        let actor = desk(who);
        let key = self.key(step, "staff")?;
        match does {
            Tending::Suspends { .. } | Tending::Resumes { .. } | Tending::Ends { .. } => {
                self.partnership(&actor, &key, does).await
            }
            Tending::Closes {
                parts,
                party,
                until,
                reason,
            } => self.closes(step, &actor, (parts, party), *until, reason).await,
            Tending::Opens { party } => self.opens(step, &actor, party).await,
            Tending::Excludes { .. }
            | Tending::Includes { .. }
            | Tending::Article { .. }
            | Tending::SetsPrice { .. } => self.market(&actor, &key, does).await,
            Tending::SetsBudget { .. } | Tending::SetsLimit { .. } => self.figures(&actor, &key, does).await,
            Tending::Approves | Tending::Rejects { .. } => self.decides(&actor, &key, does).await,
            Tending::Freezes { .. } | Tending::Unfreezes { .. } | Tending::Resolves { .. } => {
                self.stands(&actor, &key, does).await
            }
            Tending::Answers { label, rejected } => {
                self.answers(step, &actor, label, rejected.as_deref()).await
            }
            Tending::Books { .. } | Tending::Defers { .. } | Tending::Waives { .. } => {
                self.corrects(&actor, &key, does).await
            }
        }
    }

    async fn partnership(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        let set = |institution: &str, region: Option<String>, until, reason: &str| SetPartnership {
            institution: institution.to_owned(),
            region,
            category: None,
            from: None,
            until,
            reason: reason.to_owned(),
        };
        match does {
            Tending::Suspends {
                institution,
                region,
                until,
                reason,
            } => {
                let command = set(institution, region.clone(), *until, reason);
                suspend::suspend(self.app, actor, key, command).await?;
            }
            Tending::Resumes { institution, region } => {
                let command = set(institution, region.clone(), None, REASON);
                suspend::resume(self.app, actor, key, command).await?;
            }
            Tending::Ends { institution, reason } => {
                suspend::end(self.app, actor, key, set(institution, None, None, reason)).await?;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Opens a maintenance window, and tells the public.
    async fn closes(
        &mut self,
        step: &Step,
        actor: &Actor,
        (parts, party): (&[Capability], &str),
        until: Option<Timestamp>,
        reason: &str,
    ) -> Seen {
        let code = format!("line-{}", step.line);
        let command = window::Open {
            code: code.clone(),
            party: party.to_owned(),
            capabilities: parts.to_vec(),
            from: None,
            until,
            reason: reason.to_owned(),
        };
        window::open(self.app, actor, &self.key(step, "window")?, command).await?;
        let command = Publish {
            party: party.to_owned(),
            region: None,
            capabilities: parts.to_vec(),
            title: ("维护公告".to_owned(), "Maintenance".to_owned()),
            text: (
                format!("维护：{reason}。还款照常进行，还款日不变。"),
                format!("Maintenance: {reason}. Repayment goes on as usual, and due dates stay."),
            ),
            from: None,
            expected_recovery_at: until,
            reason: reason.to_owned(),
        };
        let notice = notice::publish(self.app, actor, &self.key(step, "notice")?, command).await?;
        self.windows.insert(party.to_owned(), (code, notice.reply().id));
        Ok(Vec::new())
    }

    async fn opens(&mut self, step: &Step, actor: &Actor, party: &str) -> Seen {
        let known = self.windows.get(party).cloned();
        let (code, notice) = known.ok_or_else(|| format!("nothing of {party} was closed before"))?;
        let command = window::Close {
            code,
            reason: REASON.to_owned(),
        };
        window::close(self.app, actor, &self.key(step, "window")?, command).await?;
        let command = notice::End {
            notice,
            reason: REASON.to_owned(),
        };
        notice::end(self.app, actor, &self.key(step, "notice")?, command).await?;
        Ok(Vec::new())
    }

    /// Regions and articles.
    async fn market(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        let configuration = self.app.configuration().await.map_err(Denied::from)?;
        let known = |what: &str, code: &str| format!("there is no {what} {code}");
        let mut why = "a change of the market";
        let item = match does {
            Tending::Excludes { region, institution } | Tending::Includes { region, institution } => {
                let is_in = matches!(does, Tending::Includes { .. });
                match institution {
                    None => {
                        let found = configuration.regions.get(region).cloned();
                        let mut changed = found.ok_or_else(|| known("region", region))?;
                        changed.is_allowed = is_in;
                        Item::Region(changed)
                    }
                    Some(code) => {
                        let found = configuration.institutions.get(code).cloned();
                        let mut changed = found.ok_or_else(|| known("lender", code))?;
                        changed.served_regions.retain(|served| served != region);
                        if is_in {
                            changed.served_regions.push(region.clone());
                        }
                        Item::Institution(changed)
                    }
                }
            }
            Tending::Article { sku, is_financeable } => {
                let found = configuration.products.get(sku).cloned();
                let mut changed = found.ok_or_else(|| known("article", sku))?;
                changed.is_financeable = *is_financeable;
                Item::Product(changed)
            }
            Tending::SetsPrice { sku, price, reason } => {
                let found = configuration.products.get(sku).cloned();
                let mut changed = found.ok_or_else(|| known("article", sku))?;
                (changed.price, why) = (*price, reason);
                Item::Product(changed)
            }
            _ => return Ok(Vec::new()),
        };
        let command = Configure {
            items: vec![item],
            reason: why.to_owned(),
        };
        let put = configure::configure(self.app, actor, key, command).await?.reply();
        Ok(self.done(put, Done::Configure))
    }

    /// Budgets and limits.
    async fn figures(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        match does {
            Tending::SetsBudget {
                campaign,
                budget,
                reason,
            } => {
                let command = SetBudget {
                    campaign: campaign.clone(),
                    left: *budget,
                    reason: reason.clone(),
                };
                let set = budget::set_budget(self.app, actor, key, command).await?.reply();
                Ok(self.done(set, Done::RaiseBudget))
            }
            Tending::SetsLimit {
                who,
                institution,
                limit,
                reason,
            } => {
                let command = SetLimit {
                    shopper: self.shopper(who).await?,
                    institution: institution.clone(),
                    limit: *limit,
                    reason: reason.clone(),
                };
                let set = limit::set_limit(self.app, actor, key, command).await?.reply();
                Ok(self.done(set, Done::SetLimit))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Approves or rejects what was proposed last.
    async fn decides(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        let proposal = self
            .proposal
            .ok_or_else(|| "nothing was proposed before".to_owned())?;
        let decided = match does {
            Tending::Rejects { reason } => {
                let reason = reason.clone();
                approve::reject(self.app, actor, key, Decide { proposal, reason }).await?
            }
            _ => {
                let reason = "checked".to_owned();
                approve::approve(self.app, actor, key, Decide { proposal, reason }).await?
            }
        };
        let decided = decided.reply();
        let mut seen = vec![format!("the proposal is {}", decided.state)];
        seen.extend(decided.done.iter().flat_map(says));
        Ok(seen)
    }

    /// What was done, or that another person must approve it.
    pub(super) fn done<T>(&mut self, outcome: Outcome<T>, what: impl Fn(T) -> Done) -> Vec<String> {
        match outcome {
            Outcome::Done(done) => says(&what(done)),
            Outcome::NeedsSecondPerson(proposal) => {
                self.proposal = Some(proposal);
                vec!["another person must approve it".to_owned()]
            }
        }
    }

    /// Accounts and disputes.
    async fn stands(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        match does {
            Tending::Freezes { who, why, reason } => {
                let command = Freeze {
                    shopper: self.shopper(who).await?,
                    why: *why,
                    reason: reason.clone(),
                };
                freeze::freeze(self.app, actor, key, command).await?;
            }
            Tending::Unfreezes { who } => {
                let command = Unfreeze {
                    shopper: self.shopper(who).await?,
                    reason: REASON.to_owned(),
                };
                freeze::unfreeze(self.app, actor, key, command).await?;
            }
            Tending::Resolves { label } => {
                let deal = self.cast.deal(label)?;
                let all = dispute::disputes(self.app, actor, deal.shopper).await?;
                let of_it = || all.iter().filter(|d| d.agreement == deal.id);
                // A command whose answer was lost is sent again under its key, when the dispute is settled already.
                let open = of_it()
                    .find(|d| d.settled.is_none())
                    .or_else(|| of_it().next_back());
                let open = open.ok_or_else(|| format!("no dispute of {label} is open"))?;
                let command = dispute::Settle {
                    shopper: deal.shopper,
                    dispute: open.id,
                    outcome: "settled with the shopper".to_owned(),
                };
                dispute::settle(self.app, actor, key, command).await?;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Corrections of what is owed.
    async fn corrects(&mut self, actor: &Actor, key: &Key, does: &Tending) -> Seen {
        match does {
            Tending::Books {
                amount,
                label,
                on,
                reason,
            } => {
                let deal = self.cast.deal(label)?;
                let command = EnterPayment {
                    shopper: deal.shopper,
                    agreement: deal.id,
                    amount: *amount,
                    on: *on,
                    proof: format!("TRANSFER-{}", key.as_str()),
                    reason: reason.clone(),
                };
                let entered = backdate::enter_payment(self.app, actor, key, command)
                    .await?
                    .reply();
                Ok(self.done(entered, Done::EnterPayment))
            }
            Tending::Defers { label, days, reason } => {
                let deal = self.cast.deal(label)?;
                let command = Arrange {
                    whom: Whom::Agreement {
                        shopper: deal.shopper,
                        agreement: deal.id,
                    },
                    defer_days: u16::try_from(*days).map_err(|e| Stop::Impossible(e.to_string()))?,
                    waive_penalties: false,
                    reason: reason.clone(),
                };
                let arranged = arrange::arrange(self.app, actor, key, command).await?.reply();
                Ok(self.done(arranged, Done::Arrange))
            }
            Tending::Waives {
                amount,
                component,
                label,
                reason,
            } => {
                let deal = self.cast.deal(label)?;
                let command = Waive {
                    shopper: deal.shopper,
                    agreement: deal.id,
                    component: *component,
                    amount: *amount,
                    reason: reason.clone(),
                };
                let waived = waive::waive(self.app, actor, key, command).await?.reply();
                Ok(self.done(waived, Done::Waive))
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// What a command of staff answered.
fn says(done: &Done) -> Vec<String> {
    match done {
        Done::SetLimit(set) => vec![format!(
            "limit {}, available {}",
            yuan(set.limit),
            yuan(set.available)
        )],
        Done::RaiseBudget(set) => vec![format!("{} left, {} before", yuan(set.left), yuan(set.before))],
        Done::Waive(waived) => vec![format!(
            "waived {}, outstanding {}",
            yuan(waived.amount),
            yuan(waived.outstanding)
        )],
        Done::EnterPayment(entered) | Done::TakeBack(entered) => vec![format!(
            "entered; outstanding {}, due now {}",
            show::parts(&entered.outstanding),
            yuan(entered.payable)
        )],
        Done::Arrange(arranged) => vec![match arranged.agreements {
            1 => "arranged for 1 agreement".to_owned(),
            agreements => format!("arranged for {agreements} agreements"),
        }],
        Done::AnswerReturn(answered) => vec![format!(
            "the return of {} is {}",
            yuan(answered.amount),
            answered.state.code()
        )],
        Done::Refund(refunded) => vec![format!("refunded {}", yuan(refunded.amount))],
        // What is on sale now is seen by whoever asks for it.
        Done::Configure(_) => Vec::new(),
    }
}
