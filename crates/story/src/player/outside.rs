//! The world outside: people, cards and parties.

use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_domain::payment::State;

use super::cast::Person;
use super::{Player, Seen, Stop};
use crate::control::Cue;
use crate::language::Outside;

impl Player<'_> {
    pub(super) async fn outside(&mut self, outside: &Outside) -> Seen {
        let cue = self.cue(outside).await?;
        (self.control.cue)(&cue)?;
        if matches!(cue, Cue::Bounce { .. }) {
            self.hear().await?;
        }
        Ok(Vec::new())
    }

    // Long because: one arm stands for each line of the language about the world outside.
    /// The pull that a line stands for.
    async fn cue(&mut self, outside: &Outside) -> Result<Cue, Stop> {
        Ok(match outside {
            Outside::Person {
                who,
                name,
                id_number,
                phone,
                income,
            } => self.enters(who, name, id_number, phone, *income),
            Outside::Earns { who, income } => {
                self.cast.person_mut(who)?.income = *income;
                Cue::Income {
                    id_number: self.number(who)?,
                    income: *income,
                }
            }
            Outside::Record { who, record } => Cue::Record {
                id_number: self.number(who)?,
                record: *record,
            },
            Outside::Face { who, is_recognised } => Cue::Face {
                id_number: self.number(who)?,
                is_recognised: *is_recognised,
            },
            Outside::Balance { who, token, balance } => Cue::Balance {
                token: token.clone(),
                holder: self.number(who)?,
                balance: *balance,
            },
            Outside::Condition {
                who,
                token,
                refuses_with,
            } => {
                self.cast.person(who)?;
                Cue::Condition {
                    token: token.clone(),
                    refuses_with: refuses_with.clone(),
                }
            }
            Outside::Down { party } => Cue::Down { party: party.clone() },
            Outside::Up { party } => Cue::Up { party: party.clone() },
            Outside::Bounces { label } => Cue::Bounce {
                number: self.last_payment(label).await?,
                at: self.app.clock.now(),
            },
            Outside::Wrong {
                party,
                operation,
                times,
                how,
            } => Cue::Wrong {
                party: party.clone(),
                operation: operation.clone(),
                times: *times,
                how: how.clone(),
            },
        })
    }

    /// Brings a person in.
    fn enters(&mut self, who: &str, name: &str, id_number: &str, phone: &str, income: Amount) -> Cue {
        let person = Person {
            name: name.to_owned(),
            id_number: id_number.to_owned(),
            phone: phone.to_owned(),
            income,
            shopper: None,
            cart: None,
            quote: None,
            messages_seen: 0,
        };
        self.cast.enter(who, person);
        Cue::Person {
            name: name.to_owned(),
            id_number: id_number.to_owned(),
            income,
        }
    }

    fn number(&self, who: &str) -> Result<String, Stop> {
        Ok(self.cast.person(who)?.id_number.clone())
    }

    /// The number of the last payment of an agreement that succeeded.
    async fn last_payment(&self, label: &str) -> Result<String, Stop> {
        let deal = self.cast.deal(label)?;
        let is_for = |id: AgreementId| id == deal.id;
        let owed = self.owed(deal.shopper).await?;
        let last = owed.payments.iter().rev().find(|payment| {
            payment.state == State::Succeeded && payment.shares.iter().any(|s| is_for(s.agreement))
        });
        let last = last.ok_or_else(|| format!("nothing was paid for {label} yet"))?;
        Ok(last.id.to_string())
    }
}
