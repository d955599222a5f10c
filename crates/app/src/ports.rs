//! The ports (外部接口): what the platform asks of outside parties, and nothing of how they are reached.
//!
//! Every call carries our own number, so that an unanswered one can be asked about and never has to be made again under
//! another number (design: outside parties are called outside commits). [`Unreachable`] means that the outcome is
//! unknown: it may or may not have happened.

use std::future::Future;
use std::pin::Pin;

use fenqi_domain::bureau::MonthCode;
use fenqi_domain::money::Amount;
use fenqi_domain::money::Money;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::DeclineReason;
use jiff::Timestamp;
use jiff::civil::Date;

/// A boxed future, so that ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The party did not answer: what was asked may have happened or not. The only way on is to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// What was seen of it, for the log: a time-out, a closed connection.
    pub detail: String,
}

/// The outside parties of one platform.
pub struct Parties {
    /// The bank channel (支付渠道).
    pub bank: Box<dyn Bank>,
    /// The check of names, identity numbers, faces and documents (实名核验).
    pub identity: Box<dyn IdentityCheck>,
    /// Short messages, pushes and mail (消息通道).
    pub messages: Box<dyn Messenger>,
    /// The credit bureau (征信机构).
    pub bureau: Box<dyn Bureau>,
    /// The lenders, each under its code.
    pub institutions: Vec<(String, Box<dyn Institution>)>,
}

impl Parties {
    /// The lender of a code.
    pub fn institution(&self, code: &str) -> Option<&dyn Institution> {
        self.institutions
            .iter()
            .find(|(c, _)| c == code)
            .map(|(_, port)| port.as_ref())
    }
}

/// A bank channel: binds cards, debits them, pays back, and keeps a statement of its own.
pub trait Bank: Send + Sync {
    /// Checks that a card's token belongs to this person (四要素) and can be debited.
    fn bind<'a>(&'a self, card: &'a CardToBind) -> BoxFuture<'a, Result<CardAnswer, Unreachable>>;
    /// Takes money from a card. The same number again is the same debit.
    fn debit<'a>(&'a self, order: &'a TransferOrder) -> BoxFuture<'a, Result<TransferState, Unreachable>>;
    /// Pays money back to the source of an earlier debit. The same number again is the same payment.
    fn pay_out<'a>(&'a self, order: &'a TransferOrder) -> BoxFuture<'a, Result<TransferState, Unreachable>>;
    /// How a transfer stands.
    fn ask<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<TransferState, Unreachable>>;
    /// Closes a transfer that has not succeeded, so that it cannot succeed later; answers how it stands then.
    fn close<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<TransferState, Unreachable>>;
    /// The channel's own statement of one day.
    fn statement<'a>(&'a self, day: Date) -> BoxFuture<'a, Result<Vec<StatementLine>, Unreachable>>;
}

/// A card as the shopper hands it over: a token of the channel, never its number.
#[derive(Debug, Clone)]
pub struct CardToBind {
    /// The channel's token.
    pub token: String,
    /// The holder's name.
    pub name: Pii<String>,
    /// The holder's identity number.
    pub id_number: Pii<String>,
    /// The phone that the bank knows.
    pub phone: Pii<String>,
}

/// What the channel says of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardAnswer {
    /// It can be debited.
    Bound {
        /// The bank's name.
        bank: String,
        /// The last four digits.
        last4: String,
    },
    /// It cannot.
    Rejected {
        /// The channel's code for why.
        reason: String,
    },
}

/// An order to move money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOrder {
    /// Our number: a payment's or refund's identifier.
    pub number: String,
    /// The channel's token of the card to debit or to pay to.
    pub token: String,
    /// How much.
    pub money: Money,
    /// The business time at which it is given.
    pub at: Timestamp,
}

/// How a transfer stands at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferState {
    /// It happened.
    Succeeded {
        /// The channel's reference.
        reference: String,
        /// When.
        at: Timestamp,
    },
    /// It did not happen and will not.
    Failed {
        /// The channel's code, such as `insufficient_funds`.
        code: String,
    },
    /// It is under way.
    Pending,
    /// The channel does not know the number (yet).
    NotFound,
}

/// One line of the channel's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The channel's reference.
    pub reference: String,
    /// Our number.
    pub number: String,
    /// The channel's booking day.
    pub on: Date,
    /// In to us if positive, out if negative.
    pub amount: Amount,
}

/// The check of who somebody is.
pub trait IdentityCheck: Send + Sync {
    /// Whether the name and the identity number belong together.
    fn name<'a>(
        &'a self,
        name: &'a Pii<String>,
        id_number: &'a Pii<String>,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>>;
    /// Whether the face that the provider saw under this session is the person's.
    fn face<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        session: &'a str,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>>;
    /// Whether the photographs that the provider holds under this session are of the person's document.
    fn photograph<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        session: &'a str,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>>;
}

/// What an identity check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityAnswer {
    /// They match.
    Matched {
        /// The provider's reference; images stay with the provider.
        reference: String,
        /// The last day of the document, where it was seen.
        valid_until: Option<Date>,
    },
    /// They do not.
    Differs,
}

/// A way to reach people.
pub trait Messenger: Send + Sync {
    /// Hands over one message. The same number again is the same message.
    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), Unreachable>>;
}

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Our number.
    pub number: String,
    /// `sms`, `push`, `email` or `in_app`.
    pub channel: String,
    /// Where to.
    pub to: Pii<String>,
    /// What it says.
    pub text: String,
}

/// A credit bureau.
pub trait Bureau: Send + Sync {
    /// What is known of a person; asked only with their consent.
    fn enquire<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        consent: &'a str,
    ) -> BoxFuture<'a, Result<BureauRecord, Unreachable>>;
    /// Hands over a monthly record. The same number again is the same record.
    fn report<'a>(&'a self, record: &'a BureauReport) -> BoxFuture<'a, Result<(), Unreachable>>;
}

/// What a bureau knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BureauRecord {
    /// Months of history.
    pub months: u32,
    /// The worst days past due of the last 24 months.
    pub worst_days_past_due: i64,
    /// Days past due now.
    pub days_past_due: i64,
    /// Enquiries of the last three months.
    pub enquiries: u32,
}

/// A monthly record about one agreement.
#[derive(Debug, Clone)]
pub struct BureauReport {
    /// Our number.
    pub number: String,
    /// Whom it is about.
    pub id_number: Pii<String>,
    /// The agreement.
    pub agreement: String,
    /// The month's code of 二代征信.
    pub code: MonthCode,
    /// The day it is about.
    pub as_of: Date,
}

/// A lender.
pub trait Institution: Send + Sync {
    /// Asks for credit. The same number again is the same application.
    fn assess<'a>(&'a self, request: &'a CreditRequest) -> BoxFuture<'a, Result<Assessment, Unreachable>>;
    /// How an application stands.
    fn ask_assessment<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<Assessment, Unreachable>>;
    /// Asks it to pay the seller. The same number again is the same payment.
    fn fund<'a>(&'a self, order: &'a FundingOrder) -> BoxFuture<'a, Result<FundingAnswer, Unreachable>>;
    /// How a funding stands.
    fn ask_funding<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<FundingAnswer, Unreachable>>;
}

/// An application for credit as the lender sees it.
#[derive(Debug, Clone)]
pub struct CreditRequest {
    /// Our number: the application's identifier.
    pub number: String,
    /// Who asks.
    pub id_number: Pii<String>,
    /// Their name.
    pub name: Pii<String>,
    /// Their age on the day.
    pub age: i16,
    /// The monthly income that they declare.
    pub income: Amount,
    /// What they already owe each month here.
    pub owed_monthly: Amount,
    /// What the bureau knows, if it was asked.
    pub bureau: Option<BureauRecord>,
    /// The business day.
    pub on: Date,
}

/// A lender's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assessment {
    /// Yes, up to a limit.
    Approved {
        /// The limit.
        limit: Amount,
        /// Its last day.
        expires_on: Date,
    },
    /// No.
    Declined {
        /// The principal reasons.
        reasons: Vec<DeclineReason>,
        /// The first day on which asking again makes sense.
        reapply_after: Date,
    },
    /// A person will look at it.
    Referred,
    /// It does not know the number.
    NotFound,
}

/// An order to a lender to pay a seller for captured goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundingOrder {
    /// Our number: the agreement's identifier and the capture's number.
    pub number: String,
    /// The seller.
    pub seller: String,
    /// How much.
    pub money: Money,
    /// The business time.
    pub at: Timestamp,
}

/// A lender's answer to a funding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FundingAnswer {
    /// Paid.
    Funded {
        /// Its reference.
        reference: String,
    },
    /// It will not.
    Declined {
        /// Why.
        reason: String,
    },
    /// Not yet.
    Pending,
    /// It does not know the number.
    NotFound,
}
