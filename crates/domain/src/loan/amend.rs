//! What an [`Amendment`] does to the state, and the record of what each transaction did.

use jiff::civil::Date;

use crate::allocation;
use crate::loan::amendment::Amendment;
use crate::loan::charges::{self, Charge, LeftOver};
use crate::loan::life::Record;
use crate::loan::state::State;
use crate::loan::{Broken, Event, Parts, PostingKind, Transaction, restructure, scheduled};
use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::Component;
use crate::servicing::{Credit, Servicing};

/// How the loan stood before a transaction, as far as its record needs it.
pub(crate) struct Noted {
    /// What was paid, waived included.
    gone: Parts,
    /// What was owed beside the plan.
    added: Parts,
    /// The credit balance.
    credit: Amount,
}

impl State<'_> {
    /// Lets a change happen.
    pub(crate) fn amend(&mut self, number: u32, by: &Amendment) -> Result<(), Broken> {
        let Some(servicing) = self.terms.conventions.servicing.as_deref() else {
            return Err(Broken::Inconsistent {
                transaction: number,
                what: "changes what the agreement's servicing does not know",
            });
        };
        match *by {
            Amendment::Credited { amount, credit } => {
                self.take_in(amount)?;
                allocation::credit(self, servicing, credit, amount)?;
            }
            Amendment::Charged {
                amount,
                component,
                due_on,
            } => charges::charge(
                self,
                servicing,
                Charge {
                    number,
                    component,
                    due_on,
                    amount,
                },
            )?,
            Amendment::Surcharged { share } => {
                charges::surcharge(self, number, share)?;
                charges::apply_credit(self, servicing)?;
            }
            Amendment::FeeTaken { amount } => {
                let mut parts = Parts::default();
                parts.add(Component::Fee, amount)?;
                self.charge(PostingKind::FeeCharged, amount)?;
                self.told = Some((parts, Amount::ZERO));
            }
            // What is waived is never owed from the charge's own day on.
            Amendment::ChargeWaived { of, amount } => {
                let parts = charges::waive(self, of, amount)?;
                self.told = Some((parts, Amount::ZERO));
            }
            Amendment::ChargeAdjusted { amount, .. } => {
                allocation::credit(self, servicing, Credit::ChargeAdjustment, amount)?;
            }
            Amendment::ChargedBack { amount, of } => {
                let paid = self.records.iter().find(|r| r.number == of);
                let paid = paid.map_or(Parts::default(), |r| r.parts);
                let earlier: alloc::vec::Vec<Amount> = self
                    .chargebacks
                    .iter()
                    .filter(|c| c.0 == of)
                    .map(|c| c.1)
                    .collect();
                let left = charges::left_of(servicing, &paid, earlier.into_iter())?;
                let told = charges::charge_back(self, servicing, amount, &left)?;
                self.chargebacks.push((of, amount));
                self.told = Some(told);
            }
            Amendment::HandedBack { amount } => {
                self.told = Some(charges::hand_back(self, servicing, number, amount)?);
            }
            _ => {
                self.restructure(by, servicing)?;
                // What comes to be owed by another schedule meets what is owed to the payer.
                charges::apply_credit(self, servicing)?;
            }
        }
        Ok(())
    }

    /// Lets a change of the schedule or of its interest happen.
    fn restructure(&mut self, by: &Amendment, servicing: &Servicing) -> Result<(), Broken> {
        if self.is_fixed && self.is_charged_off {
            return Err(Broken::Inconsistent {
                transaction: 0,
                what: "changes a loan that was given up or ended",
            });
        }
        match *by {
            Amendment::Reamortised { interest } => {
                let parts = restructure::reamortise(self, servicing, interest)?;
                self.told = Some((parts, Amount::ZERO));
            }
            Amendment::Reaged {
                start_on,
                period,
                count,
                interest,
            } => {
                super::overdue::count(self)?;
                let plan = restructure::Plan {
                    start_on,
                    period,
                    count,
                    interest,
                };
                let parts = restructure::reage(self, servicing, plan)?;
                self.told = Some((parts, Amount::ZERO));
            }
            Amendment::Rescheduled {
                from,
                to,
                extra,
                grace,
                interest_grace,
            } => {
                let changes = restructure::Changes {
                    from: to.unwrap_or(from),
                    extra,
                    grace,
                    interest_grace,
                };
                restructure::reschedule(self, servicing, changes)?;
            }
            Amendment::RateChanged { annual } => self.change_rate(servicing, annual)?,
            Amendment::InterestPaused { from, until } => self.pause_interest(servicing, from, until)?,
            Amendment::ChargedOff => {
                super::overdue::count(self)?;
                let parts = restructure::charge_off(self, servicing)?;
                self.told = Some((parts, Amount::ZERO));
            }
            Amendment::WrittenOff => {
                super::overdue::count(self)?;
                let parts = restructure::write_off(self)?;
                self.told = Some((parts, Amount::ZERO));
            }
            Amendment::Terminated => {
                super::overdue::count(self)?;
                restructure::accelerate(self)?;
                self.is_charged_off = true;
                self.told = Some((self.open()?, Amount::ZERO));
            }
            // Everything else moves money, and is known to `amend`.
            _ => {}
        }
        Ok(())
    }

    /// Lets another rate hold from the day on.
    fn change_rate(&mut self, servicing: &Servicing, annual: Rate) -> Result<(), OutOfRange> {
        let day = self.day;
        self.rate = annual;
        if let Some(accrual) = &mut self.accrual {
            accrual.change_rate(day, annual)?;
        } else if scheduled::builds(self, servicing) {
            scheduled::change_rate(self, servicing, annual)?;
        }
        self.follow()
    }

    /// Lets some days earn nothing, both included.
    fn pause_interest(&mut self, servicing: &Servicing, from: Date, until: Date) -> Result<(), Broken> {
        if until < from {
            return Err(Broken::Inconsistent {
                transaction: 0,
                what: "pauses interest up to a day before the first",
            });
        }
        if let Some(accrual) = &mut self.accrual {
            accrual.pause(from, until)?;
        } else if scheduled::builds(self, servicing) {
            scheduled::pause(self, servicing, from, until)?;
        }
        Ok(self.follow()?)
    }

    /// How the loan stands before a transaction.
    pub(crate) fn noted(&self) -> Result<Noted, OutOfRange> {
        if self.terms.conventions.servicing.is_none() {
            return Ok(Noted {
                gone: Parts::default(),
                added: Parts::default(),
                credit: self.credit,
            });
        }
        let (gone, added) = self.moved()?;
        Ok(Noted {
            gone,
            added,
            credit: self.credit,
        })
    }

    /// Writes down what a transaction did.
    pub(crate) fn note(&mut self, transaction: &Transaction, before: Noted) -> Result<(), OutOfRange> {
        if self.terms.conventions.servicing.is_none() {
            return Ok(());
        }
        let (gone, added) = self.moved()?;
        let told = self.told.take();
        let grown = self.credit.minus(before.credit)?;
        let (parts, over) = match (told, &transaction.event) {
            (Some(told), _) => told,
            (None, Event::PaidOut { .. }) => (added.minus(&before.added)?, Amount::ZERO.minus(grown)?),
            (None, Event::Disbursed { .. }) => (Parts::default(), Amount::ZERO.minus(grown)?),
            (None, _) => {
                let met = core::mem::take(&mut self.met_before);
                let parts = gone.minus(&before.gone)?.minus(&met)?;
                (parts, grown.plus(met.total()?)?)
            }
        };
        let is_paid = matches!(
            transaction.event,
            Event::Repaid { .. }
                | Event::Amended {
                    by: Amendment::Credited { .. } | Amendment::ChargeAdjusted { .. },
                }
        );
        if is_paid && over.is_positive() {
            self.left_over.push(LeftOver {
                number: transaction.number,
                on: self.day,
                amount: over,
            });
        }
        let mut open = Amount::ZERO;
        for standing in &self.rows {
            open = open.plus(standing.open_of(Component::Principal)?)?;
        }
        self.records.push(Record {
            number: transaction.number,
            amount: transaction.event.amount().unwrap_or(Amount::ZERO),
            parts,
            over,
            principal: open,
        });
        Ok(())
    }
}
