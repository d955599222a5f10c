//! Who is in a scenario, and what its words stand for (角色表).

use std::collections::BTreeMap;

use fenqi_domain::consent::DocumentRef;
use fenqi_domain::id::{AgreementId, QuoteId, ShopperId};
use fenqi_domain::money::Amount;

use crate::language::Cart;

/// A person of a scenario.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) id_number: String,
    pub(super) phone: String,
    pub(super) income: Amount,
    /// Their account, once they have one.
    pub(super) shopper: Option<ShopperId>,
    /// The cart that they asked about last.
    pub(super) cart: Option<Cart>,
    /// The quote that they took last.
    pub(super) quote: Option<Taken>,
    /// How many of their messages they have seen.
    pub(super) messages_seen: usize,
}

/// A quote that a person took.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) id: QuoteId,
    pub(super) digest: String,
    pub(super) seller: String,
    pub(super) documents: Vec<DocumentRef>,
}

/// An agreement of a scenario.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub(super) id: AgreementId,
    pub(super) shopper: ShopperId,
    pub(super) seller: String,
    /// The person whose it is.
    pub(super) who: String,
}

/// The words of a scenario and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Cast {
    people: BTreeMap<String, Person>,
    deals: BTreeMap<String, Deal>,
    /// What numbers of the platform are called in the scenario.
    called: BTreeMap<String, String>,
}

impl Cast {
    /// Brings a person in.
    pub(super) fn enter(&mut self, who: &str, person: Person) {
        self.people.insert(who.to_owned(), person);
    }

    /// A person, or what to answer if nobody is called so.
    pub(super) fn person(&self, who: &str) -> Result<&Person, String> {
        self.people.get(who).ok_or_else(|| nobody(who))
    }

    /// The same, to be changed.
    pub(super) fn person_mut(&mut self, who: &str) -> Result<&mut Person, String> {
        self.people.get_mut(who).ok_or_else(|| nobody(who))
    }

    /// Gives an agreement its label.
    pub(super) fn name(&mut self, label: &str, deal: Deal) {
        self.call(&deal.id.to_string(), label);
        self.deals.insert(label.to_owned(), deal);
    }

    /// Says what a number of the platform is called in the scenario.
    pub(super) fn call(&mut self, number: &str, name: &str) {
        self.called.insert(number.to_owned(), name.to_owned());
    }

    /// A line with names in place of the platform's numbers, which are other ones in every run of a real installation.
    pub(super) fn plain(&self, line: &str) -> String {
        let known = self.called.iter();
        known.fold(line.to_owned(), |line, (number, name)| line.replace(number, name))
    }

    /// The agreement of a label, or what to answer if there is none.
    pub(super) fn deal(&self, label: &str) -> Result<&Deal, String> {
        self.deals
            .get(label)
            .ok_or_else(|| format!("there is no agreement {label}: nobody confirmed one “as {label}” so far"))
    }

    /// All agreements with their labels, in order.
    pub(super) fn deals(&self) -> impl Iterator<Item = (&String, &Deal)> {
        self.deals.iter()
    }

    /// All people, in order.
    pub(super) fn people(&self) -> impl Iterator<Item = (&String, &Person)> {
        self.people.iter()
    }

    /// The label of an agreement, for what speaks of it by its number.
    pub(super) fn label_of(&self, id: AgreementId) -> String {
        self.plain(&id.to_string())
    }
}

fn nobody(who: &str) -> String {
    format!("there is nobody called {who}: bring them in by a line such as “{who} is 张安, …”")
}
