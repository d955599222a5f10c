//! What the books must show of a loan whose agreement says more on servicing (贷后记账).
//!
//! There rows are built anew, spread, moved and given up, and money that paid one figure may come to pay another. So no
//! rule of servicing writes movements of its own: after each event, and whenever rows fall due, the movements are what
//! lies between the figures that were booked last and those that stand now. What is receivable by the books is then what
//! is open, whatever happened; only where money came from and where it went is told by the event.

use crate::loan::state::State;
use crate::loan::{Amendment, Event, Figures, Parts, Posting, PostingKind};
use crate::money::{Amount, OutOfRange};
use crate::plan::Component;
use crate::servicing::Credit;

/// The figures of a loan that the books follow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Booked {
    /// What is open and was charged: all principal, and of the rest what stands in the rows that are due.
    receivable: Parts,
    /// What was paid of all rows.
    paid: Parts,
    /// What was waived of all rows.
    waived: Parts,
    /// What came to be owed beside the plan.
    added: Parts,
    /// The credit balance.
    credit: Amount,
}

/// The movements of one component.
struct Kinds {
    charged: Option<PostingKind>,
    cancelled: Option<PostingKind>,
    repaid: PostingKind,
    owed_again: PostingKind,
    waived: PostingKind,
}

/// What an event says of the money that it moves.
#[derive(Default)]
struct Source {
    /// What was lent.
    lent: Amount,
    /// What the seller gives back.
    refunded: Amount,
    /// What the lender gives.
    credited: Amount,
    /// A fee that is no part of any row.
    fee: Amount,
    /// Whether money went back to the payer: what was added is owed again, and was not charged.
    goes_back: bool,
}

impl State<'_> {
    /// Writes what moved since the last time, for agreements with servicing; all others write as they go.
    pub(crate) fn book(&mut self, event: Option<&Event>) -> Result<(), OutOfRange> {
        if self.terms.conventions.servicing.is_none() {
            return Ok(());
        }
        let now = self.figures()?;
        let before = core::mem::replace(&mut self.booked, now);
        let source = event.map_or_else(Source::default, Source::of);
        self.write(PostingKind::Disbursed, source.lent);
        self.write(PostingKind::RefundReceived, source.refunded);
        self.write(PostingKind::Credited, source.credited);
        self.write(PostingKind::FeeCharged, source.fee);
        self.write(PostingKind::FeeRepaid, source.fee);
        let added = now.added.minus(&before.added)?;
        for component in Component::ALL {
            let kinds = Kinds::of(component);
            let of =
                |parts: fn(&Booked) -> &Parts| parts(&now).of(component).minus(parts(&before).of(component));
            let (paid, waived) = (of(|b| &b.paid)?, of(|b| &b.waived)?);
            let again = if source.goes_back {
                added.of(component)
            } else {
                Amount::ZERO
            };
            let charged = of(|b| &b.receivable)?.plus(paid)?.plus(waived)?.minus(again)?;
            self.write(kinds.owed_again, again);
            self.write_either(kinds.charged, kinds.cancelled, charged)?;
            self.write_either(Some(kinds.repaid), Some(kinds.owed_again), paid)?;
            self.write(kinds.waived, waived);
        }
        let used = match event {
            Some(
                Event::PaidOut { .. }
                | Event::Amended {
                    by: Amendment::HandedBack { .. },
                },
            ) => PostingKind::PaidOut,
            _ => PostingKind::CreditApplied,
        };
        self.write_either(
            Some(PostingKind::Overpaid),
            Some(used),
            now.credit.minus(before.credit)?,
        )
    }

    /// Writes a movement by the one kind, and what is less than nothing by the other. Principal has no kinds for being
    /// charged: it is lent or owed again, and nothing else may change what is to be repaid.
    fn write_either(
        &mut self,
        more: Option<PostingKind>,
        less: Option<PostingKind>,
        amount: Amount,
    ) -> Result<(), OutOfRange> {
        let (kind, amount) = if amount.is_negative() {
            (less, Amount::ZERO.minus(amount)?)
        } else {
            (more, amount)
        };
        if let Some(kind) = kind {
            self.write(kind, amount);
        }
        Ok(())
    }

    /// Writes a movement of the day, if there is one.
    pub(crate) fn write(&mut self, kind: PostingKind, amount: Amount) {
        if amount.is_positive() {
            self.postings.push(Posting {
                effective_on: self.day,
                kind,
                amount,
            });
        }
    }

    /// The figures as they stand.
    fn figures(&self) -> Result<Booked, OutOfRange> {
        let mut booked = Booked {
            credit: self.credit,
            ..Booked::default()
        };
        let mut is_due = true;
        for standing in &self.rows {
            // As `Loan::due_rows` takes them.
            is_due = is_due && standing.row.due_on <= self.day;
            booked.added = booked.added.plus(&standing.added)?;
            for component in Component::ALL {
                let figures: &Figures = standing.row.figures(component);
                booked.paid.add(component, figures.paid)?;
                booked.waived.add(component, figures.waived)?;
                let open = if is_due || component == Component::Principal {
                    figures.open()?
                } else {
                    Amount::ZERO
                };
                booked.receivable.add(component, open)?;
            }
        }
        Ok(booked)
    }
}

impl Source {
    /// Who pays for an event.
    fn of(event: &Event) -> Source {
        let mut source = Source::default();
        match *event {
            Event::Disbursed { amount } => source.lent = amount,
            Event::Refunded { amount, .. } => source.refunded = amount,
            Event::PaidOut { .. }
            | Event::Amended {
                by: Amendment::ChargedBack { .. },
            } => source.goes_back = true,
            Event::Amended {
                by: Amendment::Credited { amount, credit },
            } => match credit {
                Credit::MerchantRefund => source.refunded = amount,
                // The payer's own money, wherever they have it from.
                Credit::Payment | Credit::DownPayment | Credit::PayoutRefund => {}
                Credit::Goodwill
                | Credit::InterestRefund
                | Credit::InterestWaiver
                | Credit::ChargeAdjustment => {
                    source.credited = amount;
                }
            },
            Event::Amended {
                by: Amendment::ChargeAdjusted { amount, .. },
            } => source.credited = amount,
            Event::Amended {
                by: Amendment::FeeTaken { amount },
            } => source.fee = amount,
            _ => {}
        }
        source
    }
}

impl Kinds {
    /// Those of a component.
    const fn of(component: Component) -> Kinds {
        match component {
            Component::Principal => Kinds {
                charged: None,
                cancelled: None,
                repaid: PostingKind::PrincipalRepaid,
                owed_again: PostingKind::PrincipalOwedAgain,
                waived: PostingKind::PrincipalWaived,
            },
            Component::Interest => Kinds {
                charged: Some(PostingKind::InterestCharged),
                cancelled: Some(PostingKind::InterestCancelled),
                repaid: PostingKind::InterestRepaid,
                owed_again: PostingKind::InterestOwedAgain,
                waived: PostingKind::InterestWaived,
            },
            Component::Fee => Kinds {
                charged: Some(PostingKind::FeeCharged),
                cancelled: Some(PostingKind::FeeCancelled),
                repaid: PostingKind::FeeRepaid,
                owed_again: PostingKind::FeeOwedAgain,
                waived: PostingKind::FeeWaived,
            },
            Component::Penalty => Kinds {
                charged: Some(PostingKind::PenaltyCharged),
                cancelled: Some(PostingKind::PenaltyCancelled),
                repaid: PostingKind::PenaltyRepaid,
                owed_again: PostingKind::PenaltyOwedAgain,
                waived: PostingKind::PenaltyWaived,
            },
        }
    }
}
