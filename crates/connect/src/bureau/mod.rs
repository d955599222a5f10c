//! The sandbox's credit bureau (征信机构): it answers from the table of people and keeps the records it is given.

use std::collections::BTreeMap;

use fenqi_app::ports::{BoxFuture, Bureau, BureauRecord, BureauReport, Unreachable};
use fenqi_domain::pii::Pii;
use jiff::civil::Date;

use crate::script::Operation;
use crate::world::{Call, Shared};

/// The bureau.
pub struct SandboxBureau {
    world: Shared,
}

impl SandboxBureau {
    pub(crate) fn new(world: Shared) -> SandboxBureau {
        SandboxBureau { world }
    }
}

/// A monthly record that the bureau took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// The sender's number.
    pub number: String,
    /// Whom it is about.
    pub id_number: String,
    /// The agreement.
    pub agreement: String,
    /// The month's code.
    pub code: char,
    /// The day it is about.
    pub as_of: Date,
}

/// What the bureau holds besides the table of people.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Records by their number.
    pub(crate) filed: BTreeMap<String, Filed>,
    /// Each enquiry: about whom, and under which consent.
    pub(crate) enquiries: Vec<(String, String)>,
}

impl Bureau for SandboxBureau {
    /// What is known of somebody; nothing at all is known of who is not in the table.
    fn enquire<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        consent: &'a str,
    ) -> BoxFuture<'a, Result<BureauRecord, Unreachable>> {
        Box::pin(async move {
            let who = id_number.reveal();
            let call = Call {
                party: "bureau",
                operation: Operation::Enquire,
                key: who,
            };
            self.world.lock().call(call, |world, _| {
                world.bureau.enquiries.push((who.clone(), consent.to_owned()));
                world
                    .people
                    .get(who)
                    .map_or_else(BureauRecord::default, |p| p.history.clone())
            })
        })
    }

    fn report<'a>(&'a self, record: &'a BureauReport) -> BoxFuture<'a, Result<(), Unreachable>> {
        Box::pin(async move {
            let call = Call {
                party: "bureau",
                operation: Operation::Report,
                key: &record.number,
            };
            self.world.lock().call(call, |world, _| {
                world
                    .bureau
                    .filed
                    .entry(record.number.clone())
                    .or_insert_with(|| Filed {
                        number: record.number.clone(),
                        id_number: record.id_number.reveal().clone(),
                        agreement: record.agreement.clone(),
                        code: record.code.letter(),
                        as_of: record.as_of,
                    });
            })
        })
    }
}
