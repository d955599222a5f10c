//! How a party is told to misbehave (故障脚本).
//!
//! A script is told per party and operation ("the bank's next debit loses its reply"), per call ("the 17th call of all
//! is lost"), or as a temper ("two calls of a hundred, chosen by the seed"). What is told for one call comes before
//! what is told for an operation, and that before the temper.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use fenqi_domain::money::Amount;
use jiff::Timestamp;

/// What is asked of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The bank checks a card.
    Bind,
    /// The bank takes money from a card.
    Debit,
    /// The bank pays money to a card.
    PayOut,
    /// The bank is asked how a transfer stands.
    Ask,
    /// The bank is asked to close a transfer.
    Close,
    /// The bank hands over its statement.
    Statement,
    /// The identity check compares a name and a number.
    CheckName,
    /// The identity check compares a face.
    CheckFace,
    /// The identity check compares photographs of a document.
    CheckPhotograph,
    /// The messenger takes a message.
    Send,
    /// The bureau is asked about a person.
    Enquire,
    /// The bureau takes a monthly record.
    Report,
    /// A lender is asked for credit.
    Assess,
    /// A lender is asked how an application stands.
    AskAssessment,
    /// A lender is asked to pay a seller.
    Fund,
    /// A lender is asked how a funding stands.
    AskFunding,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 16] = [
        Operation::Bind,
        Operation::Debit,
        Operation::PayOut,
        Operation::Ask,
        Operation::Close,
        Operation::Statement,
        Operation::CheckName,
        Operation::CheckFace,
        Operation::CheckPhotograph,
        Operation::Send,
        Operation::Enquire,
        Operation::Report,
        Operation::Assess,
        Operation::AskAssessment,
        Operation::Fund,
        Operation::AskFunding,
    ];

    /// The party that it is asked of; every lender is a party of its own and stands under `None`.
    pub const fn party(self) -> Option<&'static str> {
        match self {
            Operation::Bind
            | Operation::Debit
            | Operation::PayOut
            | Operation::Ask
            | Operation::Close
            | Operation::Statement => Some("bank"),
            Operation::CheckName | Operation::CheckFace | Operation::CheckPhotograph => Some("identity"),
            Operation::Send => Some("messages"),
            Operation::Enquire | Operation::Report => Some("bureau"),
            Operation::Assess | Operation::AskAssessment | Operation::Fund | Operation::AskFunding => None,
        }
    }

    /// The word for it in scripts and stories.
    pub const fn word(self) -> &'static str {
        match self {
            Operation::Bind => "bind",
            Operation::Debit => "debit",
            Operation::PayOut => "pay-out",
            Operation::Ask => "ask",
            Operation::Close => "close",
            Operation::Statement => "statement",
            Operation::CheckName => "name",
            Operation::CheckFace => "face",
            Operation::CheckPhotograph => "photograph",
            Operation::Send => "message",
            Operation::Enquire => "enquiry",
            Operation::Report => "report",
            Operation::Assess => "assessment",
            Operation::AskAssessment => "ask-assessment",
            Operation::Fund => "funding",
            Operation::AskFunding => "ask-funding",
        }
    }
}

/// A word that names no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOperation(pub String);

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Operation::ALL.iter().map(|o| o.word()).collect();
        write!(f, "“{}” is no operation; there are {}", self.0, words.join(", "))
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Operation, UnknownOperation> {
        Operation::ALL
            .into_iter()
            .find(|o| o.word() == text)
            .ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

/// How long a party keeps the truth back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For so many asks.
    Asks(u32),
    /// Until a business time, however often it is asked: work that is run again finds the same.
    Until(Timestamp),
}

impl Lasting {
    /// Whether it lasts still; an ask wears it down.
    pub(crate) fn holds(&mut self, now: Option<Timestamp>, is_ask: bool) -> bool {
        match self {
            Lasting::Asks(left) => {
                let holds = *left > 0;
                *left = left.saturating_sub(u32::from(is_ask));
                holds
            }
            Lasting::Until(at) => now.is_none_or(|now| now < *at),
        }
    }
}

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// The request never arrives, and the caller sees a time-out (请求丢失).
    LostRequest,
    /// It is carried out, and the caller sees a time-out (应答丢失).
    LostReply,
    /// The network delivers the request twice (请求重复).
    Repeated,
    /// It stays under way for a while: `Pending` of a transfer or funding, `Referred` of an application (处理中).
    Pending(Lasting),
    /// The answer is no, with this code (业务失败).
    Refused {
        /// The code, such as `insufficient_funds`; for a person's name, face or document the code is not told.
        code: String,
    },
    /// The caller sees a time-out, and for a while the number is not known; then it turns up and is carried out, unless
    /// it was closed before (先无后有).
    NotFoundFirst(Lasting),
    /// It is carried out but called a failure, in the answer and for a while; then the truth is told (先败后成).
    SuccessAfterFailure {
        /// The code of the failure that was none.
        code: String,
        /// How long asks get the wrong answer.
        lasting: Lasting,
    },
    /// The notice of its outcome comes twice (重复通知).
    DuplicateNotice,
    /// The statement has no line for it (账单缺行).
    LineMissing,
    /// The statement's line is off by so much (账单金额不符).
    LineDiffers {
        /// What is added to the line's amount.
        by: Amount,
    },
}

/// What a party was told for calls to come.
#[derive(Debug, Default)]
pub(crate) struct Script {
    told: BTreeMap<(String, Operation), VecDeque<Told>>,
    at_call: BTreeMap<u64, Misbehaviour>,
    temper_per_mille: u32,
    calls: u64,
    /// The calls that an instruction for their operation made go wrong, or would have.
    told_calls: BTreeSet<u64>,
}

/// One instruction: so many calls, or all until it is taken back.
#[derive(Debug)]
struct Told {
    misbehaviour: Misbehaviour,
    times: Option<u32>,
}

impl Script {
    /// Queues a misbehaviour for the next `times` calls, or for all calls until it is taken back.
    pub(crate) fn tell(&mut self, party: &str, operation: Operation, what: Misbehaviour, times: Option<u32>) {
        self.told
            .entry((party.to_owned(), operation))
            .or_default()
            .push_back(Told {
                misbehaviour: what,
                times,
            });
    }

    /// Queues a misbehaviour for the call of this number, counted over all parties from 1.
    pub(crate) fn tell_at_call(&mut self, call: u64, what: Misbehaviour) {
        self.at_call.insert(call, what);
    }

    /// Sets how many calls of a thousand are lost before or after their effect, chosen by the seed.
    pub(crate) fn set_temper(&mut self, per_mille: u32) {
        self.temper_per_mille = per_mille;
    }

    /// Takes back everything that one party was told.
    pub(crate) fn mend(&mut self, party: &str) {
        self.told.retain(|(p, _), _| p != party);
    }

    /// Takes back everything.
    pub(crate) fn mend_all(&mut self) {
        self.told.clear();
        self.at_call.clear();
        self.temper_per_mille = 0;
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// The calls that were told to go wrong by an instruction for their operation.
    pub(crate) fn told_calls(&self) -> &BTreeSet<u64> {
        &self.told_calls
    }

    /// Counts a call and says how it is to go wrong, if it is. `chance` is a number that follows from the seed and the
    /// call's own key.
    pub(crate) fn next(&mut self, party: &str, operation: Operation, chance: u64) -> Option<Misbehaviour> {
        self.calls += 1;
        // An instruction for the operation is used up by this call, even if another one for the call stands in its place.
        let told = self.next_told(party, operation);
        if told.is_some() {
            self.told_calls.insert(self.calls);
        }
        if let Some(what) = self.at_call.remove(&self.calls).or(told) {
            return Some(what);
        }
        let is_chosen = chance % 1000 < u64::from(self.temper_per_mille);
        is_chosen.then(|| {
            if (chance / 1000).is_multiple_of(2) {
                Misbehaviour::LostRequest
            } else {
                Misbehaviour::LostReply
            }
        })
    }

    fn next_told(&mut self, party: &str, operation: Operation) -> Option<Misbehaviour> {
        let queue = self.told.get_mut(&(party.to_owned(), operation))?;
        let first = queue.front_mut()?;
        let what = first.misbehaviour.clone();
        if let Some(times) = &mut first.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                queue.pop_front();
            }
        }
        Some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_followed_in_order_and_then_forgotten() {
        let mut script = Script::default();
        script.tell("bank", Operation::Debit, Misbehaviour::LostRequest, Some(2));
        script.tell("bank", Operation::Debit, Misbehaviour::LostReply, Some(1));
        let seen: Vec<_> = (0..4)
            .map(|_| script.next("bank", Operation::Debit, 999))
            .collect();
        assert_eq!(
            seen,
            [
                Some(Misbehaviour::LostRequest),
                Some(Misbehaviour::LostRequest),
                Some(Misbehaviour::LostReply),
                None
            ]
        );
        assert_eq!(
            script.next("bank", Operation::Ask, 999),
            None,
            "another operation"
        );
        assert_eq!(script.calls(), 5);
    }

    #[test]
    fn a_party_that_is_down_stays_down_until_it_is_mended() {
        let mut script = Script::default();
        script.tell("xiaofu", Operation::Fund, Misbehaviour::LostRequest, None);
        for _ in 0..5 {
            assert!(script.next("xiaofu", Operation::Fund, 999).is_some());
        }
        script.mend("xiaofu");
        assert_eq!(script.next("xiaofu", Operation::Fund, 999), None);
    }

    #[test]
    fn one_call_of_all_can_be_made_to_fail() {
        let mut script = Script::default();
        script.tell_at_call(2, Misbehaviour::LostReply);
        assert_eq!(script.next("bank", Operation::Bind, 999), None);
        assert_eq!(
            script.next("messages", Operation::Send, 999),
            Some(Misbehaviour::LostReply)
        );
        assert_eq!(script.next("messages", Operation::Send, 999), None);
    }

    #[test]
    fn every_operation_reads_back_its_word() {
        for operation in Operation::ALL {
            assert_eq!(operation.word().parse(), Ok(operation));
        }
        let error = "dance".parse::<Operation>().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("“dance” is no operation; there are bind, debit")
        );
    }
}
