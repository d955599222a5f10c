//! What a scenario can say (剧本语言): one value for each form of a line.
//!
//! The page `docs/reference/story.md` shows each form with an example; a test there compares it with the parser.

use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::Capability;
use fenqi_domain::standing::FreezeReason;
use jiff::Timestamp;
use jiff::civil::Date;

/// One line that does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The business clock is moved forward to an instant; nothing else happens.
    At(Timestamp),
    /// The days pass up to this one, and the work of each is done in its morning.
    Pass(Date),
    /// The work that is due now is done.
    Work,
    /// Something is true of the world outside.
    Outside(Outside),
    /// A shopper does something.
    Shopper {
        /// Who, by the name in the scenario.
        who: String,
        /// What.
        does: Shopping,
    },
    /// The store that sells does something.
    Store(Selling),
    /// A member of staff does something.
    Staff {
        /// Which of the two.
        who: Desk,
        /// What.
        does: Tending,
    },
    /// The last line: every agreement's schedule, the limits' timelines and the books.
    End,
}

/// The two members of staff of every scenario; what needs two people needs both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desk {
    /// `staff`.
    Staff,
    /// `supervisor`.
    Supervisor,
}

/// Something about the world outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// A person enters the story.
    Person {
        /// Their name in the scenario.
        who: String,
        /// Their real name.
        name: String,
        /// Their identity number.
        id_number: String,
        /// Their phone.
        phone: String,
        /// What they earn in a month, and declare.
        income: Amount,
    },
    /// What a person earns from now on.
    Earns {
        /// Who.
        who: String,
        /// How much a month.
        income: Amount,
    },
    /// What the bureau knows of a person.
    Record {
        /// Who.
        who: String,
        /// What.
        record: Record,
    },
    /// Whether a person's face is found to be theirs.
    Face {
        /// Who.
        who: String,
        /// Whether it is.
        is_recognised: bool,
    },
    /// A card of a person has so much on it.
    Balance {
        /// Whose it is.
        who: String,
        /// Its token.
        token: String,
        /// What is on it.
        balance: Amount,
    },
    /// A card of a person refuses, or works again.
    Condition {
        /// Whose it is.
        who: String,
        /// Its token.
        token: String,
        /// With which code it refuses, if it does.
        refuses_with: Option<String>,
    },
    /// A party is off the net.
    Down {
        /// Which.
        party: String,
    },
    /// A party is back.
    Up {
        /// Which.
        party: String,
    },
    /// The bank takes back the last payment of an agreement, which it had called a success.
    Bounces {
        /// Of which agreement.
        label: String,
    },
    /// The next calls of a party go wrong.
    Wrong {
        /// Which party.
        party: String,
        /// Which operation, by its word.
        operation: String,
        /// How many calls.
        times: u32,
        /// How.
        how: Wrong,
    },
}

/// What a credit bureau knows of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Months of history.
    pub months: u32,
    /// The worst lateness of two years, in days.
    pub worst_days: u32,
    /// Days late now.
    pub days_now: u32,
    /// Enquiries of three months.
    pub enquiries: u32,
}

/// How long a party keeps the truth back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For so many asks.
    Asks(u32),
    /// Until an instant.
    Until(Timestamp),
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The request is lost.
    LostRequest,
    /// The reply is lost.
    LostReply,
    /// It arrives twice.
    Repeated,
    /// It is pending for a while.
    Pending(Lasting),
    /// It is refused with a code.
    Refused(String),
    /// It is not found for a while, and then it is.
    NotFound(Lasting),
    /// It is called a failure with this code for a while, and then the success that it was.
    CalledFailed(String, Lasting),
    /// Its notice comes twice.
    NotifiedTwice,
    /// The statement has no line for it.
    LeftOut,
    /// The statement's line is too low (negative) or too high by so much.
    Differs(Amount),
}

/// What a shopper does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shopping {
    /// Asks which plans there are for a cart.
    AsksOffers(Cart),
    /// Proves who they are.
    Proves(Vec<Proof>),
    /// Asks a lender for credit.
    Applies {
        /// Which lender.
        institution: String,
    },
    /// Binds a card.
    Binds {
        /// Its token.
        token: String,
    },
    /// Takes a quote of a plan for the cart that was asked about last.
    Takes {
        /// The plan.
        plan: String,
    },
    /// Reads the cost sheet of the quote that was taken last.
    ReadsCostSheet {
        /// In Chinese, and not in English.
        in_chinese: bool,
    },
    /// Confirms the quote that was taken last.
    Confirms {
        /// Whether the documents are read and agreed to before.
        signs: bool,
        /// What the agreement is called from here on.
        label: String,
    },
    /// Asks how a payment would be allocated.
    Previews(Payment),
    /// Pays.
    Pays(Payment),
    /// Asks what an early settlement would cost.
    AsksPayoff {
        /// Of which agreement.
        label: String,
    },
    /// Asks why a figure is what it is.
    AsksWhy(Figure),
    /// Settles early.
    Settles {
        /// Which agreement.
        label: String,
        /// From another card than the usual one.
        from: Option<String>,
    },
    /// Asks what a return would change.
    AsksReturn(Goods),
    /// Asks to return goods.
    Returns(Goods),
    /// Takes the wish to return back.
    Withdraws {
        /// Of which agreement.
        label: String,
    },
    /// Opens a dispute.
    Disputes {
        /// About which agreement.
        label: String,
        /// Why.
        reason: String,
    },
    /// Sets a limit of their own, or takes it back.
    OwnLimit {
        /// At which lender.
        institution: String,
        /// The limit, if there is to be one.
        limit: Option<Amount>,
    },
    /// Looks at something.
    Sees(View),
}

/// A figure that somebody may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// What is open of an instalment.
    Instalment {
        /// Of which agreement.
        label: String,
        /// Its number.
        number: u16,
    },
    /// What is due of an agreement.
    Due {
        /// Which.
        label: String,
    },
    /// What is owed of an agreement in all.
    Owed {
        /// Which.
        label: String,
    },
    /// What was left over of an agreement for the payer.
    LeftOver {
        /// Which.
        label: String,
    },
    /// What settles an agreement.
    Payoff {
        /// Which.
        label: String,
    },
    /// A bill.
    Bill {
        /// When it is due.
        due_on: Date,
    },
}

/// A cart at checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// Its lines.
    pub lines: Vec<CartLine>,
    /// The region of the delivery.
    pub region: String,
    /// What is paid at once of the financed lines.
    pub down_payment: Amount,
    /// Only this lender's plans are looked at; those of all if nothing is said.
    pub lender: Option<String>,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    /// How many.
    pub count: u32,
    /// The article number.
    pub sku: String,
    /// Whether it is to be paid in instalments.
    pub is_financed: bool,
}

/// A way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Name and identity number.
    Name,
    /// The face.
    Face,
    /// Photographs of the document.
    Document,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// How much; what is due if nothing is said.
    pub amount: Option<Amount>,
    /// For which agreements, in this order; all if there are none.
    pub labels: Vec<String>,
    /// Whose agreements, if somebody else's.
    pub of: Option<String>,
    /// From another card than the usual one.
    pub from: Option<String>,
}

/// Goods of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// The article numbers; all of them if there are none.
    pub skus: Vec<String>,
    /// The agreement.
    pub label: String,
}

/// What a shopper looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// What is owed now and next.
    Bills,
    /// Limits and how they came to be what they are.
    Limit,
    /// The account: what blocks new credit, and what resolves it.
    Account,
    /// The messages since the last look.
    Messages,
    /// The public notices.
    Notices,
    /// The schedule of an agreement.
    Schedule(String),
    /// The certificate of settlement of an agreement.
    Certificate(String),
}

/// What the store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selling {
    /// Ships goods.
    Captures(Goods),
    /// Cancels an order that did not ship.
    Cancels {
        /// Which.
        label: String,
    },
    /// Answers a return.
    Answers {
        /// Of which agreement.
        label: String,
        /// Why it is rejected, if it is.
        rejected: Option<String>,
    },
}

/// What staff do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tending {
    /// Pauses a lender's new business.
    Suspends {
        /// Which lender.
        institution: String,
        /// Where; everywhere if nothing is said.
        region: Option<String>,
        /// Until when, where it is known.
        until: Option<Timestamp>,
        /// Why.
        reason: String,
    },
    /// Lets a lender do new business again.
    Resumes {
        /// Which lender.
        institution: String,
        /// Where; everywhere if nothing is said.
        region: Option<String>,
    },
    /// Ends a partnership; running agreements are served to their end.
    Ends {
        /// Which lender.
        institution: String,
        /// Why.
        reason: String,
    },
    /// Switches parts of the service off.
    Closes {
        /// Which parts.
        parts: Vec<Capability>,
        /// Whose: `mall`, `platform` or a lender's code.
        party: String,
        /// Until when, where it is known.
        until: Option<Timestamp>,
        /// Why.
        reason: String,
    },
    /// Switches parts of the service on again.
    Opens {
        /// Whose: `mall`, `platform` or a lender's code.
        party: String,
    },
    /// Makes a region one where the law forbids instalments, or one that a lender does not serve.
    Excludes {
        /// The region.
        region: String,
        /// The lender that does not serve it; the law if nothing is said.
        institution: Option<String>,
    },
    /// Takes that back.
    Includes {
        /// The region.
        region: String,
        /// The lender.
        institution: Option<String>,
    },
    /// Bars an article from instalments, or admits it.
    Article {
        /// The article number.
        sku: String,
        /// Whether it may be financed.
        is_financeable: bool,
    },
    /// Sets what is left of a campaign's budget.
    SetsBudget {
        /// Which campaign.
        campaign: String,
        /// To what.
        budget: Amount,
        /// Why.
        reason: String,
    },
    /// Sets the price of an article.
    SetsPrice {
        /// The article number.
        sku: String,
        /// To what.
        price: Amount,
        /// Why.
        reason: String,
    },
    /// Freezes an account for new credit.
    Freezes {
        /// Whose.
        who: String,
        /// Why, by its kind.
        why: FreezeReason,
        /// Why, in words.
        reason: String,
    },
    /// Lifts that.
    Unfreezes {
        /// Whose.
        who: String,
    },
    /// Closes a dispute.
    Resolves {
        /// About which agreement.
        label: String,
    },
    /// Sets a limit.
    SetsLimit {
        /// Whose.
        who: String,
        /// At which lender.
        institution: String,
        /// To what.
        limit: Amount,
        /// Why.
        reason: String,
    },
    /// Books a payment that came another way, on the day on which it counts.
    Books {
        /// How much.
        amount: Amount,
        /// For which agreement.
        label: String,
        /// On which day it counts.
        on: Date,
        /// Why.
        reason: String,
    },
    /// Moves what is not yet due of an agreement.
    Defers {
        /// Which.
        label: String,
        /// By how many days.
        days: u32,
        /// Why.
        reason: String,
    },
    /// Waives a part of what is open of an agreement.
    Waives {
        /// How much.
        amount: Amount,
        /// What of it.
        component: Component,
        /// Of which agreement.
        label: String,
        /// Why.
        reason: String,
    },
    /// Answers a return in the place of a seller who stays silent.
    Answers {
        /// Of which agreement.
        label: String,
        /// Why it is rejected, if it is.
        rejected: Option<String>,
    },
    /// Approves what was proposed last.
    Approves,
    /// Rejects what was proposed last.
    Rejects {
        /// Why.
        reason: String,
    },
}
