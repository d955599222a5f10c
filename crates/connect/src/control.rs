//! The handle of a sandbox (沙箱控制): tells the parties what to do and reads back what they did.

use std::collections::BTreeSet;

use fenqi_app::ports::{Assessment, BureauRecord, FundingOrder, StatementLine};
use fenqi_domain::money::Amount;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::bank::{BankNotice, Card};
use crate::bureau::Filed;
use crate::messages::Delivered;
use crate::people::Person;
use crate::script::{Misbehaviour, Operation};
use crate::world::Shared;

/// The handle; clones of it steer the same sandbox.
#[derive(Clone)]
pub struct SandboxControl {
    world: Shared,
}

/// What the handle was asked about is not in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What it was: a card's token, a person's number.
    pub what: String,
}

impl SandboxControl {
    pub(crate) fn new(world: Shared) -> SandboxControl {
        SandboxControl { world }
    }

    /// The parties by name: `bank`, `identity`, `messages`, `bureau`, and the lenders' codes.
    pub fn parties(&self) -> Vec<String> {
        let fixed = ["bank", "identity", "messages", "bureau"].map(str::to_owned);
        let world = self.world.lock();
        fixed.into_iter().chain(world.desks.keys().cloned()).collect()
    }

    /// Whether a party is one that is asked for an operation.
    pub fn takes(&self, party: &str, operation: Operation) -> bool {
        match operation.party() {
            Some(name) => name == party,
            None => self.world.lock().desks.contains_key(party),
        }
    }

    /// Makes the next call of an operation go wrong. The party is `bank`, `identity`, `messages`, `bureau` or a lender's
    /// code.
    pub fn next(&self, party: &str, operation: Operation, what: Misbehaviour) {
        self.world.lock().script.tell(party, operation, what, Some(1));
    }

    /// Makes the next so many calls go wrong.
    pub fn next_times(&self, party: &str, operation: Operation, what: Misbehaviour, times: u32) {
        if times > 0 {
            self.world.lock().script.tell(party, operation, what, Some(times));
        }
    }

    /// Makes every call go wrong until [`SandboxControl::mend`].
    pub fn always(&self, party: &str, operation: Operation, what: Misbehaviour) {
        self.world.lock().script.tell(party, operation, what, None);
    }

    /// Takes a party off the net until [`SandboxControl::mend`].
    pub fn take_down(&self, party: &str) {
        for operation in Operation::ALL {
            self.always(party, operation, Misbehaviour::LostRequest);
        }
    }

    /// Makes one call of all go wrong, counted over all parties from 1.
    pub fn at_call(&self, call: u64, what: Misbehaviour) {
        self.world.lock().script.tell_at_call(call, what);
    }

    /// Lets so many calls of a thousand be lost before or after their effect, chosen by the seed.
    pub fn temper(&self, per_mille: u32) {
        self.world.lock().script.set_temper(per_mille);
    }

    /// Takes back what a party was told.
    pub fn mend(&self, party: &str) {
        self.world.lock().script.mend(party);
    }

    /// Takes back everything that anyone was told.
    pub fn mend_all(&self) {
        self.world.lock().script.mend_all();
    }

    /// How many calls all parties had.
    pub fn calls(&self) -> u64 {
        self.world.lock().script.calls()
    }

    /// The numbers of the calls that were told to go wrong by an instruction for their operation.
    pub fn told_calls(&self) -> BTreeSet<u64> {
        self.world.lock().script.told_calls().clone()
    }

    /// Tells the business time, for what waits for one. Calls that carry a time tell it as well.
    pub fn time_is(&self, now: Timestamp) {
        self.world.lock().at(now);
    }

    /// Puts a person into the table, or changes them.
    pub fn put_person(&self, person: Person) {
        self.world.lock().people.put(person);
    }

    /// What is known of a person.
    pub fn person(&self, id_number: &str) -> Option<Person> {
        self.world.lock().people.get(id_number).cloned()
    }

    /// Changes a person's credit history.
    pub fn set_history(&self, id_number: &str, history: BureauRecord) -> Result<(), Unknown> {
        self.change_person(id_number, |person| person.history = history.clone())
    }

    /// Changes what a person earns in a month.
    pub fn set_income(&self, id_number: &str, income: Amount) -> Result<(), Unknown> {
        self.change_person(id_number, |person| person.income = income)
    }

    /// Changes a person.
    pub fn change_person(&self, id_number: &str, change: impl Fn(&mut Person)) -> Result<(), Unknown> {
        let mut world = self.world.lock();
        let person = world.people.get_mut(id_number).ok_or_else(|| Unknown {
            what: "person".to_owned(),
        })?;
        change(person);
        Ok(())
    }

    /// Lays down what a lender answers to a person's next applications, whatever it would judge.
    pub fn lay_down(&self, institution: &str, id_number: &str, answer: Assessment) {
        let mut world = self.world.lock();
        let desk = world.desks.entry(institution.to_owned()).or_default();
        desk.laid_down.insert(id_number.to_owned(), answer);
    }

    /// Lets a lender judge a person again by itself.
    pub fn lift(&self, institution: &str, id_number: &str) {
        if let Some(desk) = self.world.lock().desks.get_mut(institution) {
            desk.laid_down.remove(id_number);
        }
    }

    /// What a lender paid to sellers, each funding once.
    pub fn funded(&self, institution: &str) -> Vec<FundingOrder> {
        let world = self.world.lock();
        world
            .desks
            .get(institution)
            .map_or_else(Vec::new, |desk| desk.paid.clone())
    }

    /// Puts a card into the bank, or replaces it.
    pub fn put_card(&self, token: &str, card: Card) {
        self.world.lock().bank.cards.insert(token.to_owned(), card);
    }

    /// A card as it is.
    pub fn card(&self, token: &str) -> Option<Card> {
        self.world.lock().bank.cards.get(token).cloned()
    }

    /// Sets what is on a card.
    pub fn set_balance(&self, token: &str, balance: Amount) -> Result<(), Unknown> {
        self.change_card(token, |card| card.balance = balance)
    }

    /// Changes a card.
    pub fn change_card(&self, token: &str, change: impl Fn(&mut Card)) -> Result<(), Unknown> {
        let mut world = self.world.lock();
        let card = world.bank.cards.get_mut(token).ok_or_else(|| Unknown {
            what: "card".to_owned(),
        })?;
        change(card);
        Ok(())
    }

    /// Adds a line to the bank's statement that answers to nothing of ours (账单多行).
    pub fn add_foreign_line(&self, line: StatementLine) {
        self.world.lock().bank.foreign.push(line);
    }

    /// The bank's statement of a day, asked outside the script.
    pub fn bank_statement(&self, day: Date) -> Vec<StatementLine> {
        self.world.lock().bank_statement(day)
    }

    /// How often money moved under a number.
    pub fn effects(&self, number: &str) -> u32 {
        self.world.lock().effects(number)
    }

    /// Every number under which money moved, with how often: each must be 1.
    pub fn all_effects(&self) -> Vec<(String, u32)> {
        self.world.lock().all_effects()
    }

    /// Lets the bank take back a debit that had succeeded. Whether there was one.
    pub fn take_back(&self, number: &str, at: Timestamp) -> bool {
        self.world.lock().take_back(number, at)
    }

    /// Hands over the bank's notices since the last time, in the order in which they were made.
    pub fn take_notices(&self) -> Vec<BankNotice> {
        self.world.lock().take_notices()
    }

    /// Every message that arrived, in order.
    pub fn messages(&self) -> Vec<Delivered> {
        self.world.lock().outbox.delivered.clone()
    }

    /// The messages that arrived at one address.
    pub fn messages_to(&self, to: &str) -> Vec<Delivered> {
        let world = self.world.lock();
        let all = world.outbox.delivered.iter();
        all.filter(|m| m.to == to).cloned().collect()
    }

    /// The bureau's records, by number.
    pub fn filed(&self) -> Vec<Filed> {
        self.world.lock().bureau.filed.values().cloned().collect()
    }

    /// Each enquiry at the bureau: about whom, and under which consent.
    pub fn enquiries(&self) -> Vec<(String, String)> {
        self.world.lock().bureau.enquiries.clone()
    }
}
