//! Payment attempts (支付) at a bank channel, whose outcome may be unknown for a while.
//!
//! The intent is committed before the channel is called, under our own number; an unanswered call is `Unknown`, and the
//! only way on from there is to ask, or to close and ask, never a new number. What the channel says may come in any
//! order and twice: every answer is joined to what is known, so that the end is the same.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::allocation::Share;
use crate::calendar::add_days;
use crate::change::Change;
use crate::id::{AgreementId, CardId, PaymentId, ShopperId};
use crate::loan::Intent;
use crate::money::{Amount, Currency, OutOfRange};
use crate::refusal::Refusal;

/// What a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The platform debits a card under its mandate (代扣).
    Debit,
    /// A person pays by hand (主动还款).
    ByHand,
    /// A credit balance goes back to its source (溢缴款退回).
    PayOut,
}

/// A payment attempt (支付单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its identifier, which is our number at the channel.
    pub id: PaymentId,
    /// For whose agreements.
    pub shopper: ShopperId,
    /// What it is.
    pub kind: Kind,
    /// How much in all.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The card that is debited or paid to.
    pub card: CardId,
    /// What the payer wants it for.
    pub intent: Intent,
    /// The agreements that it is for, and how much for each; they sum to the amount.
    pub shares: Vec<Share>,
    /// When it was intended.
    pub made_at: Timestamp,
    /// How it stands.
    pub state: State,
    /// The channel's receipts, the earliest first. A second one is money that was taken twice: it is owed to the payer.
    pub receipts: Vec<Receipt>,
    /// The row's version, which each change raises by one.
    pub version: i64,
}

/// How a payment stands (支付状态).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Committed here; the channel may or may not have heard of it.
    Intended,
    /// The channel has it under way.
    Sent,
    /// The channel did not answer. Ask, or close and ask.
    Unknown {
        /// Since when.
        since: Timestamp,
        /// Whether the channel confirmed that it will not carry it out any more.
        is_closed: bool,
        /// When the channel last said that it does not know the number.
        not_found_at: Option<Timestamp>,
    },
    /// It did not happen.
    Failed {
        /// Why.
        code: FailureCode,
    },
    /// It happened; the receipt says where and when.
    Succeeded,
    /// It happened, or seemed to, and was taken back by the bank (退票、拒付).
    Reversed {
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// The word in rows and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            State::Intended => "intended",
            State::Sent => "sent",
            State::Unknown { .. } => "unknown",
            State::Failed { .. } => "failed",
            State::Succeeded => "succeeded",
            State::Reversed { .. } => "reversed",
        }
    }

    /// Whether the channel may still carry it out, so that no other may be made for the same debt (I5).
    pub const fn is_open(&self) -> bool {
        matches!(self, State::Intended | State::Sent | State::Unknown { .. })
    }

    /// How far it is: an answer never leads back. A success beats a failure that was told before, because the money is
    /// there.
    pub const fn rank(&self) -> u8 {
        match self {
            State::Intended => 0,
            State::Sent => 1,
            State::Unknown { .. } => 2,
            State::Failed { .. } => 3,
            State::Succeeded => 4,
            State::Reversed { .. } => 5,
        }
    }
}

/// The channel's word that money moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Receipt {
    /// When it moved.
    pub at: Timestamp,
    /// The channel's reference.
    pub reference: String,
}

// H21: why a debit failed
/// Why a payment failed (还款失败原因). The order is that in which two answers to one payment are told apart: the first
/// stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// There is too little on the account (余额不足).
    InsufficientFunds,
    /// The card's day or month limit is reached (超出限额).
    LimitExceeded,
    /// The card has expired.
    CardExpired,
    /// The card is frozen or reported lost.
    CardFrozen,
    /// The account is closed or does not exist.
    AccountClosed,
    /// The mandate was revoked at the bank.
    MandateRevoked,
    /// The bank says no and does not say why.
    Rejected,
    /// The channel is down.
    ChannelDown,
    /// It was closed before it happened.
    Closed,
    /// A code that the platform does not know.
    Other,
    /// The channel never heard of it: counted as failed after a confirmed close and a time to settle.
    NotFound,
}

/// Whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same day.
    SameDay,
    /// On a later day.
    LaterDay,
    /// Only after the payer changed something: another card, a new mandate.
    AfterChange,
}

/// What the payer can do about a failure; the sentences stand in `app/texts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Put money on the account, or pay a part by hand.
    TopUp,
    /// Use another card.
    OtherCard,
    /// Ask the bank.
    AskBank,
    /// Sign a new mandate.
    SignMandate,
    /// Nothing: the platform tries again.
    Wait,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [FailureCode; 11] = [
        FailureCode::InsufficientFunds,
        FailureCode::LimitExceeded,
        FailureCode::CardExpired,
        FailureCode::CardFrozen,
        FailureCode::AccountClosed,
        FailureCode::MandateRevoked,
        FailureCode::Rejected,
        FailureCode::ChannelDown,
        FailureCode::Closed,
        FailureCode::Other,
        FailureCode::NotFound,
    ];

    /// The word in rows and at the channel.
    pub const fn code(self) -> &'static str {
        match self {
            FailureCode::InsufficientFunds => "insufficient_funds",
            FailureCode::LimitExceeded => "limit_exceeded",
            FailureCode::CardExpired => "card_expired",
            FailureCode::CardFrozen => "card_frozen",
            FailureCode::AccountClosed => "account_closed",
            FailureCode::MandateRevoked => "mandate_revoked",
            FailureCode::Rejected => "rejected",
            FailureCode::ChannelDown => "channel_down",
            FailureCode::Closed => "closed",
            FailureCode::Other => "other",
            FailureCode::NotFound => "not_found",
        }
    }

    /// The code of a channel's word; an unknown word is [`FailureCode::Other`].
    pub fn of_channel(word: &str) -> FailureCode {
        FailureCode::ALL
            .into_iter()
            .find(|c| c.code() == word)
            .unwrap_or(FailureCode::Other)
    }

    /// Whether trying again makes sense.
    pub const fn retry(self) -> Retry {
        match self {
            FailureCode::ChannelDown | FailureCode::NotFound | FailureCode::Closed => Retry::SameDay,
            FailureCode::InsufficientFunds | FailureCode::LimitExceeded | FailureCode::Other => {
                Retry::LaterDay
            }
            FailureCode::CardExpired
            | FailureCode::CardFrozen
            | FailureCode::AccountClosed
            | FailureCode::MandateRevoked
            | FailureCode::Rejected => Retry::AfterChange,
        }
    }

    /// What the payer can do.
    pub const fn advice(self) -> Advice {
        match self {
            FailureCode::InsufficientFunds => Advice::TopUp,
            FailureCode::LimitExceeded | FailureCode::CardExpired | FailureCode::AccountClosed => {
                Advice::OtherCard
            }
            FailureCode::CardFrozen | FailureCode::Rejected | FailureCode::Other => Advice::AskBank,
            FailureCode::MandateRevoked => Advice::SignMandate,
            FailureCode::ChannelDown | FailureCode::Closed | FailureCode::NotFound => Advice::Wait,
        }
    }
}

/// What the channel says of a payment, by its answer, its notice or its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is under way.
    Pending,
    /// It happened.
    Succeeded(Receipt),
    /// It did not happen and will not.
    Failed(FailureCode),
    /// No answer came: it may have happened or not.
    Unanswered,
    /// The channel does not know the number (yet).
    NotFound,
    /// The channel confirms that it will not carry it out any more.
    Closed,
    /// It was taken back.
    Reversed {
        /// When.
        at: Timestamp,
    },
}

impl Payment {
    // R37: what the channel says moves a payment on, and never back
    /// The payment after an answer. `settle` is the time after which the channel surely knows a number that it ever got.
    pub fn advance(self, answer: Answer, now: Timestamp, settle: SignedDuration) -> Change<Payment> {
        let before = (self.state.clone(), self.receipts.len());
        let mut next = self;
        let told = match answer {
            Answer::Pending => State::Sent,
            Answer::Failed(code) => State::Failed { code },
            Answer::Reversed { at } => State::Reversed { at },
            Answer::Succeeded(receipt) => {
                if let Err(place) = next.receipts.binary_search(&receipt) {
                    next.receipts.insert(place, receipt);
                }
                State::Succeeded
            }
            Answer::Unanswered => unknown(now, false, None),
            Answer::Closed => unknown(now, true, None),
            Answer::NotFound => unknown(now, false, Some(now)),
        };
        next.state = join(next.state, told);
        // Both facts are needed: a number that is only slow to arrive may be carried out as long as it is not closed.
        if let State::Unknown {
            is_closed: true,
            not_found_at: Some(at),
            ..
        } = next.state
            && at.duration_since(next.made_at) >= settle
        {
            next.state = State::Failed {
                code: FailureCode::NotFound,
            };
        }
        if (&next.state, next.receipts.len()) == (&before.0, before.1) {
            return Change::AlreadyMade;
        }
        next.version = next.version.saturating_add(1);
        Change::Made(next)
    }

    /// Whether another payment for the same debt must wait for this one.
    ///
    /// # Errors
    /// [`Refusal::PaymentUnderWay`] while the channel may still carry this one out.
    pub fn check_not_under_way(&self) -> Result<(), Refusal> {
        if self.state.is_open() {
            Err(Refusal::PaymentUnderWay {
                amount: self.amount,
                since: self.made_at,
            })
        } else {
            Ok(())
        }
    }

    /// The receipts beyond the first: money that was taken twice.
    pub fn taken_twice(&self) -> &[Receipt] {
        self.receipts.get(1..).unwrap_or(&[])
    }

    /// What it moved for one agreement: nothing unless it succeeded, and its share once more for each time that the
    /// channel took it again.
    fn moved_for(&self, agreement: AgreementId) -> Result<Amount, OutOfRange> {
        if !matches!(self.state, State::Succeeded) {
            return Ok(Amount::ZERO);
        }
        let shares = self.shares.iter().filter(|share| share.agreement == agreement);
        let once = Amount::sum(shares.map(|share| share.amount))?;
        let again =
            i64::try_from(self.taken_twice().len()).map_err(|_| OutOfRange("a number of receipts"))?;
        once.plus(once.times(again)?)
    }
}

/// Where a part of a credit balance goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// A card that paid.
    pub card: CardId,
    /// How much of the balance is its.
    pub amount: Amount,
}

/// Where the credit balance of an agreement goes back to (原路退回): the cards that paid for it, the last payment first,
/// each at most what it paid less what went back to it already. A card that paid little gets little, whoever paid last:
/// money that comes in from one card and leaves to another is cash drawn on credit (套现). What came another way than by
/// card is nobody's here and stays a credit balance.
///
/// `payments` are those of the shopper, the oldest first, of every kind and state.
///
/// # Errors
/// [`OutOfRange`] if the sums do not fit.
pub fn sources(
    payments: &[Payment],
    agreement: AgreementId,
    balance: Amount,
) -> Result<Vec<Source>, OutOfRange> {
    let mut went_back: BTreeMap<CardId, Amount> = BTreeMap::new();
    for payment in payments.iter().filter(|payment| payment.kind == Kind::PayOut) {
        let gone = went_back.entry(payment.card).or_default();
        *gone = gone.plus(payment.moved_for(agreement)?)?;
    }
    let (mut left, mut sources) = (balance, Vec::<Source>::new());
    for payment in payments
        .iter()
        .rev()
        .filter(|payment| payment.kind != Kind::PayOut)
    {
        let came = payment.moved_for(agreement)?;
        let gone = went_back.entry(payment.card).or_default();
        let before = came.min(*gone);
        *gone = gone.minus(before)?;
        let amount = came.minus(before)?.min(left).max(Amount::ZERO);
        left = left.minus(amount)?;
        match sources.iter_mut().find(|source| source.card == payment.card) {
            Some(source) => source.amount = source.amount.plus(amount)?,
            None => sources.push(Source {
                card: payment.card,
                amount,
            }),
        }
    }
    sources.retain(|source| source.amount.is_positive());
    Ok(sources)
}

/// Not known since an instant.
fn unknown(since: Timestamp, is_closed: bool, not_found_at: Option<Timestamp>) -> State {
    State::Unknown {
        since,
        is_closed,
        not_found_at,
    }
}

/// What is known when two things are: the further of two states, or, of two of a kind, what both say together.
///
/// It does not matter in which order three or more are joined, and joining the same again changes nothing.
fn join(known: State, told: State) -> State {
    match (known, told) {
        (
            State::Unknown {
                since,
                is_closed,
                not_found_at,
            },
            State::Unknown {
                since: since_told,
                is_closed: closed_told,
                not_found_at: not_found_told,
            },
        ) => unknown(
            since.min(since_told),
            is_closed || closed_told,
            not_found_at.max(not_found_told),
        ),
        (State::Failed { code }, State::Failed { code: told }) => State::Failed { code: code.min(told) },
        (State::Reversed { at }, State::Reversed { at: told }) => State::Reversed { at: at.min(told) },
        (known, told) if told.rank() > known.rank() => told,
        (known, _) => known,
    }
}

/// When a card is debited for what is due (代扣计划).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitRule {
    /// The days on which it is tried, as days after the due date, ascending: 0, 1, 3, 7.
    pub days: Vec<u16>,
    /// How many times in one day at most.
    pub a_day: u8,
    /// How many times for one instalment at most.
    pub in_all: u8,
}

/// A debit that was tried and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// On which day.
    pub on: Date,
    /// Why it failed.
    pub code: FailureCode,
    /// Whether the payer changed the card or the mandate since.
    pub is_changed_since: bool,
}

impl DebitRule {
    /// The next day, today or later, on which a debit may be tried; nothing if there is none any more.
    ///
    /// # Errors
    /// [`OutOfRange`] for a due date at the end of time.
    pub fn next(&self, due_on: Date, tried: &[Tried], today: Date) -> Result<Option<Date>, OutOfRange> {
        if tried.len() >= usize::from(self.in_all) {
            return Ok(None);
        }
        let last = tried.iter().max_by_key(|t| t.on);
        let earliest = match last {
            Some(t) if t.is_changed_since => today,
            Some(t) => match t.code.retry() {
                Retry::AfterChange => return Ok(None),
                Retry::SameDay => today.max(t.on),
                Retry::LaterDay => today.max(add_days(t.on, 1)?),
            },
            None => today,
        };
        for days in &self.days {
            let day = add_days(due_on, i64::from(*days))?;
            let that_day = tried.iter().filter(|t| t.on == day).count();
            if day >= earliest && that_day < usize::from(self.a_day) {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }
}
