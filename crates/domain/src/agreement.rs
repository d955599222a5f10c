//! Agreements (分期合同) and the stages that one purchase goes through.
//!
//! [`confirm`] makes one; the methods of [`Agreement`] take it from stage to stage and consume the one before, so that a
//! stage that is over cannot be used again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::consent::{Consent, DebitAgreed, Document, DocumentRead, ServiceAgreed};
use crate::credit::Moved;
use crate::eligibility::{Known, campaign_covers, closed_doors};
use crate::id::{AgreementId, Ids, OrderId, QuoteId, ShopperId};
use crate::market::{Institution, Outage, Region, RunningCampaign, Window};
use crate::money::Amount;
use crate::plan::Terms;
use crate::quote::{Quote, after_seconds};
use crate::refusal::{Capability, Denied, Refusal, What};

/// Where an agreement stands (合同状态). Lateness is not a stage: it follows from dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// Signed and confirmed; the limit is held until goods are captured (待发货).
    Confirmed {
        /// What is still held.
        held: Amount,
        /// When the hold ends.
        expires_at: Timestamp,
    },
    /// Goods were captured; the loan runs (还款中).
    Active {
        /// What is still held for goods that did not ship yet.
        held: Amount,
        /// When what is still held is let go.
        expires_at: Timestamp,
        /// What was captured so far, each with its funding.
        captures: Vec<Capture>,
    },
    /// Nothing is owed any more (已结清).
    Settled {
        /// Since when.
        on: Date,
        /// Whether before the last due date.
        early: bool,
        /// What was captured, each with its funding.
        captures: Vec<Capture>,
    },
    /// It ended before anything was captured (已取消).
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        why: Ending,
    },
}

/// Why an agreement ended without a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The store or the shopper cancelled.
    Cancelled,
    /// The hold ran out.
    Expired,
}

/// Goods that left together, and the institution's money for them (请款与放款).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Its number within the agreement, from 1.
    pub number: u32,
    /// How much of the financed amount.
    pub amount: Amount,
    /// The business day from which it is lent.
    pub on: Date,
    /// How the institution's money for it stands.
    pub funding: Funding,
}

/// How the institution's money for the seller stands (放款状态).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "funding")]
pub enum Funding {
    /// To be asked for.
    Waiting,
    /// Asked for, and not answered so far: the only way on is to ask how it stands.
    Asked {
        /// When first.
        at: Timestamp,
    },
    /// The institution paid the seller.
    Funded {
        /// Its own reference.
        reference: String,
        /// When.
        at: Timestamp,
    },
    /// The institution will not pay; people decide what becomes of the loan.
    Declined {
        /// What it said.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// One line of an order that is financed (融资商品行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The article number.
    pub sku: String,
    /// How many.
    pub quantity: u32,
    /// The price of all of them.
    pub price: Amount,
    /// How much of the price is financed.
    pub financed: Amount,
}

/// An agreement (分期合同).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its identifier.
    pub id: AgreementId,
    /// Whose it is.
    pub shopper: ShopperId,
    /// Who lends.
    pub institution: String,
    /// Who sells.
    pub seller: String,
    /// The plan and its version.
    pub plan: String,
    /// The plan's version.
    pub plan_version: u32,
    /// The store's order.
    pub order: OrderId,
    /// The quote that was signed.
    pub quote: QuoteId,
    /// The financed lines.
    pub lines: Vec<OrderLine>,
    /// The terms as signed.
    pub terms: Terms,
    /// Where it stands.
    pub stage: Stage,
    /// The digest of what was shown, signed and billed.
    pub digest: String,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// The row's version, which each change raises by one.
    pub version: i64,
}

impl Stage {
    /// The word in rows and refusals.
    pub const fn code(&self) -> &'static str {
        match self {
            Stage::Confirmed { .. } => "confirmed",
            Stage::Active { .. } => "active",
            Stage::Settled { .. } => "settled",
            Stage::Cancelled { .. } => "cancelled",
        }
    }
}

/// All that decides whether a quote may become an agreement.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The business day in the region's time zone.
    pub today: Date,
    /// The quote.
    pub quote: &'a Quote,
    /// The agreement that used the quote before, if one did.
    pub used_by: Option<AgreementId>,
    /// Whose quote it is.
    pub shopper: ShopperId,
    /// What is known of them.
    pub known: &'a Known,
    /// Their consents.
    pub consents: &'a [Consent],
    /// The documents that the quote names.
    pub documents: &'a [&'a Document],
    /// The institution.
    pub institution: Option<&'a Institution>,
    /// Where the goods go.
    pub region: &'a Region,
    /// Maintenance, planned and running.
    pub windows: &'a [Window],
    /// Parties that fail at the moment.
    pub outages: &'a [Outage],
    /// Campaigns with what is left of their budgets.
    pub campaigns: &'a [RunningCampaign],
}

/// What the shopper confirms (确认支付).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// The digest of the quote as it was shown.
    pub digest: String,
    /// The store's order.
    pub order: OrderId,
    /// The documents that were opened and agreed to.
    pub reads: Vec<DocumentRead>,
}

/// An agreement, made, with what it takes from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The agreement.
    pub agreement: Agreement,
    /// The credit line with the hold, and the entry of its timeline.
    pub hold: Moved,
    /// What it takes from a campaign's budget.
    pub from_budget: Option<FromBudget>,
}

/// What an agreement takes from a campaign's budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromBudget {
    /// The campaign's code.
    pub campaign: String,
    /// How much.
    pub amount: Amount,
}

// R46: one decision, with every reason against it
/// Decides whether a quote becomes an agreement (确认分期). Nothing is written here.
///
/// # Errors
/// The first reason against it, in this order: the quote (used, over, another than was shown); the market (law,
/// partnership, coverage, maintenance, faults); the account; identity and age; the application; consents and documents;
/// the card; the cap on costs; the campaign; the limit.
pub fn confirm(
    case: &Case<'_>,
    command: &Confirm,
    now: Timestamp,
    ids: &mut Ids,
) -> Result<Confirmed, Denied> {
    let quote = case.quote;
    if let Some(agreement) = case.used_by {
        return Err(Refusal::QuoteUsed {
            agreement: agreement.to_string(),
        }
        .into());
    }
    quote.check(&command.digest, now)?;
    let closed = closed_doors(
        case.institution,
        &quote.institution,
        case.region,
        Capability::Confirm,
        case.windows,
        case.outages,
        now,
    );
    closed.into_iter().next().map_or(Ok(()), Err)?;
    may_sign(case, command)?;
    let cap = quote.terms.conventions.late.annual_cap;
    quote.cost.within(case.region.annual_cap.min(cap))?;
    let from_budget = match &quote.campaign {
        Some(campaign) => {
            campaign_covers(campaign, case.campaigns, quote.cost.subsidy, now)?;
            Some(FromBudget {
                campaign: campaign.clone(),
                amount: quote.cost.subsidy,
            })
        }
        None => None,
    };
    let line = case
        .known
        .line(&quote.institution)
        .ok_or_else(|| Refusal::ApplicationRequired {
            institution: quote.institution.clone(),
        })?;
    let hold = line.hold(quote.principal, quote.down_payment, case.today, now)?;
    let expires_at = after_seconds(now, i64::from(quote.hold_days).saturating_mul(86_400))?;
    let agreement = Agreement {
        id: AgreementId::new(ids),
        shopper: case.shopper,
        institution: quote.institution.clone(),
        seller: quote.seller.clone(),
        plan: quote.plan.clone(),
        plan_version: quote.plan_version,
        order: command.order,
        quote: quote.id,
        lines: quote.lines.clone(),
        terms: quote.terms.clone(),
        stage: Stage::Confirmed {
            held: quote.principal,
            expires_at,
        },
        digest: quote.digest.clone(),
        confirmed_at: now,
        version: 1,
    };
    Ok(Confirmed {
        agreement,
        hold,
        from_budget,
    })
}

/// Whether this person may sign this quote now: account, identity, application, consents, documents, card.
fn may_sign(case: &Case<'_>, command: &Confirm) -> Result<(), Refusal> {
    let (quote, known) = (case.quote, case.known);
    let institution = &quote.institution;
    known.standing.may_borrow()?;
    known.identity.is_enough(case.today)?;
    known.identity.is_of_age(case.region.majority)?;
    known
        .application(institution)
        .ok_or_else(|| Refusal::ApplicationRequired {
            institution: institution.clone(),
        })?
        .supports_purchase(case.today)?;
    ServiceAgreed::require(case.consents, institution)?;
    if quote.needs_card {
        DebitAgreed::require(case.consents, institution)?;
    }
    for named in &quote.documents {
        // A document that the case does not bring in this very version is a document that nobody read.
        let document = case
            .documents
            .iter()
            .find(|d| d.reference() == *named)
            .ok_or_else(|| Refusal::DocumentUnread {
                document: named.code.clone(),
                seconds_left: 0,
            })?;
        document.was_read(&command.reads)?;
    }
    if quote.needs_card && !known.has_card {
        return Err(Refusal::CardRequired {
            institution: institution.clone(),
        });
    }
    Ok(())
}

/// Goods that left, with what is lent for them from this day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The agreement after it.
    pub agreement: Agreement,
    /// The capture's number within the agreement.
    pub number: u32,
    /// How much moves from what is held to what is used, and is lent.
    pub amount: Amount,
}

/// What an agreement lets go of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The agreement after it.
    pub agreement: Agreement,
    /// How much of the limit is free again.
    pub amount: Amount,
}

impl Agreement {
    /// What is held and not yet captured.
    pub const fn held(&self) -> Amount {
        match self.stage {
            Stage::Confirmed { held, .. } | Stage::Active { held, .. } => held,
            Stage::Settled { .. } | Stage::Cancelled { .. } => Amount::ZERO,
        }
    }

    /// What was captured so far.
    pub fn captures(&self) -> &[Capture] {
        match &self.stage {
            Stage::Active { captures, .. } | Stage::Settled { captures, .. } => captures,
            Stage::Confirmed { .. } | Stage::Cancelled { .. } => &[],
        }
    }

    // H17, H18: the hold becomes use as goods leave
    /// Goods leave: all, or the part that ships now (请款). What is captured is lent from this day on.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`]; [`Refusal::HoldExpired`]; [`Refusal::OutsideBounds`] unless more than zero;
    /// [`Refusal::CaptureTooLarge`] with what is left.
    pub fn capture(mut self, amount: Amount, today: Date, now: Timestamp) -> Result<Captured, Denied> {
        let (held, expires_at, mut captures) = match &self.stage {
            Stage::Confirmed { held, expires_at } => (*held, *expires_at, Vec::new()),
            Stage::Active {
                held,
                expires_at,
                captures,
            } => (*held, *expires_at, captures.clone()),
            Stage::Settled { .. } | Stage::Cancelled { .. } => return Err(self.not_in("confirmed").into()),
        };
        if now >= expires_at && held.is_positive() {
            return Err(Refusal::HoldExpired { at: expires_at }.into());
        }
        if !amount.is_positive() {
            return Err(Refusal::OutsideBounds {
                what: What::Amount,
                minimum: Amount::from_minor(1),
                maximum: held,
            }
            .into());
        }
        if amount > held {
            return Err(Refusal::CaptureTooLarge { left: held }.into());
        }
        let number = u32::try_from(captures.len())
            .ok()
            .and_then(|n| n.checked_add(1))
            .ok_or(crate::money::OutOfRange("the number of captures"))?;
        captures.push(Capture {
            number,
            amount,
            on: today,
            funding: Funding::Waiting,
        });
        self.stage = Stage::Active {
            held: held.minus(amount)?,
            expires_at,
            captures,
        };
        Ok(Captured {
            agreement: self.changed(),
            number,
            amount,
        })
    }

    /// Whoever may cancels what has not been captured (取消): all of it, or the part that will not ship.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] once nothing is held any more: goods that left come back by a return.
    pub fn cancel(self, why: Ending, at: Timestamp) -> Result<Change<Released>, Refusal> {
        match self.stage {
            Stage::Cancelled { .. } => Ok(Change::AlreadyMade),
            Stage::Confirmed { .. } => Ok(Change::Made(self.let_go(why, at))),
            Stage::Active { held, .. } if held.is_positive() => Ok(Change::Made(self.let_go(why, at))),
            Stage::Active { .. } | Stage::Settled { .. } => Err(self.not_in("confirmed")),
        }
    }

    /// The hold runs out (预授权过期); before that, and where nothing is held, nothing happens.
    pub fn expire(self, now: Timestamp) -> Change<Released> {
        match self.stage {
            Stage::Confirmed { held, expires_at } | Stage::Active { held, expires_at, .. }
                if held.is_positive() && now >= expires_at =>
            {
                Change::Made(self.let_go(Ending::Expired, now))
            }
            _ => Change::AlreadyMade,
        }
    }

    /// Ends what is held: an agreement without a capture ends with it, and one with a capture runs on.
    fn let_go(mut self, why: Ending, at: Timestamp) -> Released {
        let amount = self.held();
        self.stage = match self.stage {
            Stage::Active {
                expires_at, captures, ..
            } => Stage::Active {
                held: Amount::ZERO,
                expires_at,
                captures,
            },
            _ => Stage::Cancelled { at, why },
        };
        Released {
            agreement: self.changed(),
            amount,
        }
    }

    /// The institution is asked for the money of a capture: written down before the call goes out.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] for a capture that does not exist.
    pub fn funding_asked(self, number: u32, at: Timestamp) -> Result<Change<Agreement>, Refusal> {
        self.fund(number, |funding| match funding {
            Funding::Waiting => Some(Funding::Asked { at }),
            _ => None,
        })
    }

    // H27: where the money of a capture stands
    /// The institution paid the seller (放款成功). The same notice again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] for a capture that does not exist.
    pub fn funded(self, number: u32, reference: &str, at: Timestamp) -> Result<Change<Agreement>, Refusal> {
        self.fund(number, |funding| match funding {
            Funding::Funded { .. } => None,
            // A payment that was declined first and made later was made.
            Funding::Waiting | Funding::Asked { .. } | Funding::Declined { .. } => Some(Funding::Funded {
                reference: reference.to_string(),
                at,
            }),
        })
    }

    /// The institution will not pay for a capture. The same notice again, or after the money came, changes nothing.
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] for a capture that does not exist.
    pub fn funding_declined(
        self,
        number: u32,
        reason: &str,
        at: Timestamp,
    ) -> Result<Change<Agreement>, Refusal> {
        self.fund(number, |funding| match funding {
            Funding::Waiting | Funding::Asked { .. } => Some(Funding::Declined {
                reason: reason.to_string(),
                at,
            }),
            Funding::Funded { .. } | Funding::Declined { .. } => None,
        })
    }

    /// Moves one capture's funding, if the step leads anywhere from where it stands.
    fn fund(
        mut self,
        number: u32,
        step: impl Fn(&Funding) -> Option<Funding>,
    ) -> Result<Change<Agreement>, Refusal> {
        let refusal = self.not_in("active");
        let captures = match &mut self.stage {
            Stage::Active { captures, .. } | Stage::Settled { captures, .. } => captures,
            Stage::Confirmed { .. } | Stage::Cancelled { .. } => return Err(refusal),
        };
        let capture = captures
            .iter_mut()
            .find(|capture| capture.number == number)
            .ok_or(refusal)?;
        Ok(match step(&capture.funding) {
            Some(funding) => {
                capture.funding = funding;
                Change::Made(self.changed())
            }
            None => Change::AlreadyMade,
        })
    }

    /// Nothing is owed any more (结清).
    ///
    /// # Errors
    /// [`Refusal::WrongStage`] before a capture, while goods are still to ship, and after a cancellation.
    pub fn settle(mut self, on: Date) -> Result<Change<Agreement>, Refusal> {
        let early = self.terms.due_dates.last().is_some_and(|last| on < *last);
        match &mut self.stage {
            Stage::Settled { .. } => Ok(Change::AlreadyMade),
            Stage::Active { held, captures, .. } if held.is_zero() => {
                let captures = core::mem::take(captures);
                self.stage = Stage::Settled { on, early, captures };
                Ok(Change::Made(self.changed()))
            }
            _ => Err(self.not_in("active")),
        }
    }

    /// The agreement with the next version.
    fn changed(mut self) -> Agreement {
        self.version = self.version.saturating_add(1);
        self
    }

    /// That it does not stand where a command needs it.
    fn not_in(&self, needed: &str) -> Refusal {
        Refusal::WrongStage {
            stage: self.stage.code().to_string(),
            needed: needed.to_string(),
        }
    }
}
