//! A batch: a unit of work as a value.

use crate::fault::Fault;
use crate::statement::Statement;
use crate::value::Value;

/// What must hold for a batch to be committed: the guarded statement must touch exactly one row
/// (insert, update, delete) or return exactly one (select).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// The request's key was not used before. It guards the first statement of a batch, an insert
    /// with `on conflict (…) do nothing`; refused, the stored reply is the answer.
    RequestUnused,
    /// A state still has the version that the decision was made on. Refused: read and decide again.
    Unchanged,
    /// A quantity suffices (limit, budget, stock), by its condition and never by version. The name
    /// says which, for example `credit_available`.
    Quantity(&'static str),
    /// A fact that others own still holds (plan on sale, institution open): a select, so that
    /// nothing of theirs is locked. The name says which.
    Fact(&'static str),
}

/// One statement of a batch, perhaps guarded.
#[derive(Clone, Debug)]
pub struct Step {
    /// What must hold, if anything.
    pub guard: Option<Guard>,
    /// What is executed.
    pub statement: &'static Statement,
    /// With which parameters.
    pub params: Vec<Value>,
}

/// Statements that are committed together or not at all, in this order.
///
/// Guards are evaluated in order, and the first that does not hold is the answer. Batches of one
/// owner are committed in the order in which they were given, the urgent ones first; batches of
/// different owners share transactions and fsyncs.
#[derive(Clone, Debug)]
pub struct Batch {
    lane: u64,
    urgent: bool,
    steps: Vec<Step>,
}

impl Batch {
    /// An empty batch of `owner`: the shopper (or seller, institution) whose rows it changes.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Self {
            lane: lane_of(owner),
            urgent: false,
            steps: Vec::new(),
        }
    }

    /// Marks the batch as one that must not queue behind purchases: a repayment.
    pub fn urgent(&mut self) {
        self.urgent = true;
    }

    /// Adds a statement that may touch any number of rows.
    pub fn put(&mut self, statement: &'static Statement, params: Vec<Value>) {
        self.steps.push(Step {
            guard: None,
            statement,
            params,
        });
    }

    /// Adds a statement that must touch or return exactly one row.
    pub fn require(&mut self, guard: Guard, statement: &'static Statement, params: Vec<Value>) {
        self.steps.push(Step {
            guard: Some(guard),
            statement,
            params,
        });
    }

    /// Adds all statements of another batch of the same owner behind its own.
    pub fn append(&mut self, other: Batch) {
        self.urgent |= other.urgent;
        self.steps.extend(other.steps);
    }

    /// A number that is the same for all batches of an owner, in every process.
    #[must_use]
    pub fn lane(&self) -> u64 {
        self.lane
    }

    /// Whether the batch goes before others.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// The statements in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the batch may be given twice without a second effect, because its first statement
    /// takes a request's key.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        self.steps
            .first()
            .is_some_and(|step| step.guard == Some(Guard::RequestUnused))
    }

    /// Whether every statement gets the parameters it declares. Errors: [`Fault::Misused`].
    pub fn check(&self) -> Result<(), Fault> {
        self.steps
            .iter()
            .try_for_each(|step| step.statement.accepts(&step.params))
    }
}

/// FNV-1a, 64 bits: short, stable over processes and versions, and good enough to spread owners.
fn lane_of(owner: &str) -> u64 {
    owner.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Kind;

    static TOUCH: Statement = Statement {
        name: "thing.touch",
        sql: "-- thing.touch\nupdate thing set n = $2 where id = $1",
        params: &[Kind::Text, Kind::Int],
        columns: &[],
    };

    #[test]
    fn the_lane_of_an_owner_is_the_same_everywhere() {
        assert_eq!(Batch::new("a").lane(), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(Batch::new("a").lane(), Batch::new("b").lane());
    }

    #[test]
    fn parameters_that_a_statement_does_not_take_are_named() {
        let mut batch = Batch::new("a");
        batch.put(&TOUCH, vec!["x".into(), 1_i64.into()]);
        assert_eq!(batch.check(), Ok(()));
        batch.put(&TOUCH, vec![1_i64.into(), 1_i64.into()]);
        assert!(
            batch
                .check()
                .unwrap_err()
                .to_string()
                .contains("thing.touch was called wrongly: parameter $1")
        );
        let mut batch = Batch::new("a");
        batch.put(&TOUCH, vec!["x".into()]);
        assert!(
            batch
                .check()
                .unwrap_err()
                .to_string()
                .contains("1 parameters given, 2 declared")
        );
    }

    #[test]
    fn only_a_batch_that_takes_a_request_key_first_may_be_repeated() {
        let mut batch = Batch::new("a");
        batch.put(&TOUCH, vec!["x".into(), 1_i64.into()]);
        batch.require(Guard::RequestUnused, &TOUCH, vec!["x".into(), 1_i64.into()]);
        assert!(!batch.may_be_repeated());
        let mut batch = Batch::new("a");
        batch.require(Guard::RequestUnused, &TOUCH, vec!["x".into(), 1_i64.into()]);
        assert!(batch.may_be_repeated());
    }
}
