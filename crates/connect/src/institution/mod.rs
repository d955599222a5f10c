//! The sandbox's lenders (放款机构): they judge by history and ability, and pay sellers.

mod judgement;

use std::collections::BTreeMap;

use fenqi_app::ports::{
    Assessment, BoxFuture, CreditRequest, FundingAnswer, FundingOrder, Institution, Unreachable,
};

use crate::script::{Lasting, Misbehaviour, Operation};
use crate::world::{Call, Shared, World};

pub use judgement::{Standards, published, score};

/// A lender.
pub struct SandboxLender {
    world: Shared,
    standards: Standards,
}

impl SandboxLender {
    pub(crate) fn new(world: Shared, standards: Standards) -> SandboxLender {
        SandboxLender { world, standards }
    }
}

/// What one lender keeps.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Answers that staff of the sandbox laid down for a person, before any judgement.
    pub(crate) laid_down: BTreeMap<String, Assessment>,
    /// Applications by number.
    applications: BTreeMap<String, Filed<Assessment>>,
    /// Fundings by number.
    fundings: BTreeMap<String, Filed<FundingAnswer>>,
    /// Each funding that was paid, once.
    pub(crate) paid: Vec<FundingOrder>,
}

/// A decision, and for how long it is kept back.
#[derive(Debug)]
struct Filed<T> {
    decision: T,
    /// For how long the number is not known.
    unknown: Lasting,
    /// For how long after that it is not decided.
    undecided: Lasting,
}

impl<T: Clone> Filed<T> {
    fn new(decision: T, misbehaviour: Option<&Misbehaviour>) -> Filed<T> {
        let mut filed = Filed {
            decision,
            unknown: Lasting::Asks(0),
            undecided: Lasting::Asks(0),
        };
        match misbehaviour {
            Some(Misbehaviour::Pending(lasting)) => filed.undecided = *lasting,
            Some(Misbehaviour::NotFoundFirst(lasting)) => filed.unknown = *lasting,
            _ => {}
        }
        filed
    }

    /// The decision, once nothing keeps it back. Of asks only asking counts.
    fn told(&mut self, now: Option<jiff::Timestamp>, is_ask: bool, not_found: T, undecided: T) -> T {
        if self.unknown.holds(now, is_ask) {
            not_found
        } else if self.undecided.holds(now, is_ask) {
            undecided
        } else {
            self.decision.clone()
        }
    }
}

impl Institution for SandboxLender {
    fn assess<'a>(&'a self, request: &'a CreditRequest) -> BoxFuture<'a, Result<Assessment, Unreachable>> {
        Box::pin(async move {
            self.world
                .lock()
                .call(self.call(Operation::Assess, &request.number), |world, how| {
                    self.take_application(world, request, how);
                    self.application(world, &request.number, false)
                })
        })
    }

    fn ask_assessment<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<Assessment, Unreachable>> {
        Box::pin(async move {
            self.world
                .lock()
                .call(self.call(Operation::AskAssessment, number), |world, _| {
                    self.application(world, number, true)
                })
        })
    }

    fn fund<'a>(&'a self, order: &'a FundingOrder) -> BoxFuture<'a, Result<FundingAnswer, Unreachable>> {
        Box::pin(async move {
            self.world
                .lock()
                .call(self.call(Operation::Fund, &order.number), |world, how| {
                    world.at(order.at);
                    self.take_funding(world, order, how);
                    self.funding(world, &order.number, false)
                })
        })
    }

    fn ask_funding<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<FundingAnswer, Unreachable>> {
        Box::pin(async move {
            self.world
                .lock()
                .call(self.call(Operation::AskFunding, number), |world, _| {
                    self.funding(world, number, true)
                })
        })
    }
}

impl SandboxLender {
    fn call<'a>(&'a self, operation: Operation, key: &'a str) -> Call<'a> {
        Call {
            party: &self.standards.code,
            operation,
            key,
        }
    }

    fn desk<'a>(&self, world: &'a mut World) -> &'a mut Desk {
        world.desks.entry(self.standards.code.clone()).or_default()
    }

    /// Decides an application whose number is new. The decision is made once, and told when it may be.
    fn take_application(&self, world: &mut World, request: &CreditRequest, how: Option<&Misbehaviour>) {
        // A lender judges the person, so this is a place where the number leaves its wrapper.
        let who = request.id_number.reveal();
        let laid_down = self.desk(world).laid_down.get(who).cloned();
        let decision = match (laid_down, how) {
            (Some(decision), _) => decision,
            (None, Some(Misbehaviour::Refused { code })) => self.standards.decline_for(code, request.on),
            (None, _) => self.standards.judge(request, world.people.get(who)),
        };
        self.desk(world)
            .applications
            .entry(request.number.clone())
            .or_insert_with(|| Filed::new(decision, how));
    }

    fn application(&self, world: &mut World, number: &str, is_ask: bool) -> Assessment {
        let now = world.now;
        match self.desk(world).applications.get_mut(number) {
            Some(filed) => filed.told(now, is_ask, Assessment::NotFound, Assessment::Referred),
            None => Assessment::NotFound,
        }
    }

    /// Pays for a number that is new, and never again.
    fn take_funding(&self, world: &mut World, order: &FundingOrder, how: Option<&Misbehaviour>) {
        let reference = world.reference("F", &format!("{}/{}", self.standards.code, order.number));
        let desk = self.desk(world);
        if desk.fundings.contains_key(&order.number) {
            return;
        }
        let decision = match how {
            Some(Misbehaviour::Refused { code }) => FundingAnswer::Declined { reason: code.clone() },
            _ => {
                desk.paid.push(order.clone());
                FundingAnswer::Funded { reference }
            }
        };
        desk.fundings
            .insert(order.number.clone(), Filed::new(decision, how));
    }

    fn funding(&self, world: &mut World, number: &str, is_ask: bool) -> FundingAnswer {
        let now = world.now;
        match self.desk(world).fundings.get_mut(number) {
            Some(filed) => filed.told(now, is_ask, FundingAnswer::NotFound, FundingAnswer::Pending),
            None => FundingAnswer::NotFound,
        }
    }
}
