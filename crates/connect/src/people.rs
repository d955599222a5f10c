//! The people whom the sandbox's identity check, bureau and lenders know (人员表).

use std::collections::BTreeMap;

use fenqi_app::ports::BureauRecord;
use fenqi_domain::money::Amount;
use jiff::civil::Date;

/// One person as the world outside knows them. It is made-up data of the sandbox and not personal data of anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their identity number (身份证号).
    pub id_number: String,
    /// What they really earn in a month.
    pub income: Amount,
    /// Their credit history.
    pub history: BureauRecord,
    /// Whether their face is found to be theirs.
    pub face_matches: bool,
    /// Whether the photographs of their document are found to be theirs.
    pub document_matches: bool,
    /// The last day of their document.
    pub document_valid_until: Option<Date>,
}

impl Person {
    /// Somebody who earns so much a month and has a history of three years without a stain.
    pub fn new(name: &str, id_number: &str, income: Amount) -> Person {
        Person {
            name: name.to_owned(),
            id_number: id_number.to_owned(),
            income,
            history: BureauRecord {
                months: 36,
                worst_days_past_due: 0,
                days_past_due: 0,
                enquiries: 1,
            },
            face_matches: true,
            document_matches: true,
            document_valid_until: None,
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct People(BTreeMap<String, Person>);

impl People {
    /// Puts a person in, or changes what is known of them.
    pub(crate) fn put(&mut self, person: Person) {
        self.0.insert(person.id_number.clone(), person);
    }

    pub(crate) fn get(&self, id_number: &str) -> Option<&Person> {
        self.0.get(id_number)
    }

    pub(crate) fn get_mut(&mut self, id_number: &str) -> Option<&mut Person> {
        self.0.get_mut(id_number)
    }
}
