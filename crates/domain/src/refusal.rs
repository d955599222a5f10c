//! Refusals (拒绝原因): every business answer that is not yes.
//!
//! One flat list. Each has a stable code, the evidence a person can check, who can change it, what would help, and
//! when to try again. The sentences in Chinese and English stand in `app/texts`, one pair for each code.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Amount, OutOfRange, Rate};
use crate::plan::Component;

mod properties;
mod what;

pub use properties::CODES;
pub use what::What;

/// A part of the platform that can be switched off on its own (维护范围).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Showing plans at checkout.
    Offer,
    /// Proving who one is.
    Verify,
    /// Asking for credit.
    Apply,
    /// Signing, confirming and capturing.
    Confirm,
    /// Repaying, bills and settlement.
    Repay,
    /// Binding cards.
    Bind,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Capability; 6] = [
        Capability::Offer,
        Capability::Verify,
        Capability::Apply,
        Capability::Confirm,
        Capability::Repay,
        Capability::Bind,
    ];

    /// The word in files, rows and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Capability::Offer => "offer",
            Capability::Verify => "verify",
            Capability::Apply => "apply",
            Capability::Confirm => "confirm",
            Capability::Repay => "repay",
            Capability::Bind => "bind",
        }
    }
}

/// Why an institution said no (拒绝授信的原因). The principal reasons are named to the shopper with advice (R12–R15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The score is under the institution's minimum.
    ScoreBelowMinimum,
    /// Too much of the income is already owed each month.
    DebtTooHigh,
    /// The income is unknown or under the minimum.
    IncomeTooLow,
    /// There is too little history to judge.
    HistoryTooShort,
    /// Something is overdue now.
    OverdueElsewhere,
    /// Payments were late in the last two years.
    LateBefore,
    /// Too many lenders asked about this person lately.
    TooManyEnquiries,
    /// The age is outside the institution's range.
    AgeOutsideRange,
}

impl DeclineReason {
    /// Every reason.
    pub const ALL: [DeclineReason; 8] = [
        DeclineReason::ScoreBelowMinimum,
        DeclineReason::DebtTooHigh,
        DeclineReason::IncomeTooLow,
        DeclineReason::HistoryTooShort,
        DeclineReason::OverdueElsewhere,
        DeclineReason::LateBefore,
        DeclineReason::TooManyEnquiries,
        DeclineReason::AgeOutsideRange,
    ];

    /// The word in rows, texts and scripts.
    pub const fn code(self) -> &'static str {
        match self {
            DeclineReason::ScoreBelowMinimum => "score_below_minimum",
            DeclineReason::DebtTooHigh => "debt_too_high",
            DeclineReason::IncomeTooLow => "income_too_low",
            DeclineReason::HistoryTooShort => "history_too_short",
            DeclineReason::OverdueElsewhere => "overdue_elsewhere",
            DeclineReason::LateBefore => "late_before",
            DeclineReason::TooManyEnquiries => "too_many_enquiries",
            DeclineReason::AgeOutsideRange => "age_outside_range",
        }
    }
}

/// Who can make a refusal go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoCanChange {
    /// The shopper, by what is named among the alternatives.
    Shopper,
    /// The store that sells.
    Store,
    /// The institution that lends.
    Institution,
    /// The platform's operator.
    Platform,
    /// The law of the region.
    Law,
    /// Time alone.
    Time,
}

/// What would help instead (替代方案). Every refusal has at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Alternative {
    /// Pay the whole by another method.
    OtherMethod,
    /// Another institution or plan of the same answer.
    OtherPlan,
    /// Take this line out of the financed part.
    RemoveLine {
        /// The line's article number.
        sku: String,
    },
    /// Pay at least so much now, and finance the rest.
    DownPayment {
        /// How much now, in all.
        amount: Amount,
    },
    /// Repay at least so much principal; the limit is free again at once.
    PayDown {
        /// How much.
        amount: Amount,
    },
    /// Raise the limit that the shopper set for themself, or lift it.
    OwnLimit,
    /// Pay what is overdue.
    PayOverdue {
        /// How much.
        amount: Amount,
    },
    /// Choose one of these numbers of instalments.
    ChooseCount {
        /// The numbers on offer.
        counts: Vec<u16>,
    },
    /// Add goods for so much, or wait for a cart that reaches it.
    RaiseAmount {
        /// How much is missing.
        amount: Amount,
    },
    /// Try again at this instant.
    WaitUntil {
        /// From when on.
        at: Timestamp,
    },
    /// Try again on or after this day.
    WaitUntilDay {
        /// From which day on.
        on: Date,
    },
    /// Follow the public notices.
    FollowNotices,
    /// Prove who you are.
    VerifyIdentity,
    /// Ask the institution for credit.
    Apply,
    /// Improve what the institution looked at; the advice is given with each reason.
    ImproveRecord {
        /// What it looked at.
        reasons: Vec<DeclineReason>,
    },
    /// Bind a card.
    BindCard,
    /// Use another card.
    OtherCard,
    /// Settle what is open on the account.
    SettleDispute,
    /// Ask the people behind the service.
    Contact,
    /// Ask for a fresh quote.
    NewQuote,
    /// Read and agree to what is named.
    Agree {
        /// The document or purpose.
        what: String,
    },
    /// Deliver to another region.
    OtherRegion,
    /// Choose an amount within these bounds.
    AmountWithin {
        /// At least.
        minimum: Amount,
        /// At most.
        maximum: Amount,
    },
    /// Look at the state as it is now and decide again.
    LookAgain,
    /// Let another member of staff decide.
    AnotherPerson,
}

/// A business answer that is not yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Refusal {
    /// The institution paused its business, everywhere or in one region (R2).
    InstitutionSuspended {
        /// The institution's code.
        institution: String,
        /// The region's code.
        region: Option<String>,
        /// Expected end, where it is known.
        until: Option<Timestamp>,
    },
    /// The institution no longer makes new agreements (R3).
    InstitutionEnded {
        /// The institution's code.
        institution: String,
    },
    /// Part of the service is down for maintenance (R5, R6).
    Maintenance {
        /// Who is down: the mall, the platform, or an institution.
        party: String,
        /// What is down.
        capability: Capability,
        /// Expected end, where it is known.
        until: Option<Timestamp>,
    },
    /// A technical fault, not a judgement (R7).
    TemporaryFault {
        /// Who is down: the mall, the platform, or an institution.
        party: String,
        /// When to try again.
        retry_after: Timestamp,
    },
    /// This product is never financed (R8).
    ProductExcluded {
        /// The article number.
        sku: String,
    },
    /// This promotion is not financed (R8).
    PromotionExcluded {
        /// The article number.
        sku: String,
    },
    /// The terms with this seller do not cover instalments (R9).
    SellerExcluded {
        /// The seller's code.
        seller: String,
        /// The article number.
        sku: String,
    },
    /// The plan would cost the store more than its margin allows (R10).
    MarginExceeded {
        /// The article number.
        sku: String,
        /// What it would cost the store.
        cost: Amount,
        /// What the margin allows.
        allowed: Amount,
    },
    /// The financed amount is too small (R8).
    AmountBelowMinimum {
        /// The least that is allowed.
        minimum: Amount,
        /// How much is missing.
        gap: Amount,
        /// For how much goods must be added, of which a part is paid now.
        add: Amount,
    },
    /// The financed amount is too large.
    AmountAboveMaximum {
        /// The most that is allowed.
        maximum: Amount,
        /// How much is too much.
        excess: Amount,
        /// How much must be paid now, in all, so that it is not.
        pay_now: Amount,
    },
    /// The plan does not come in this number of instalments.
    CountNotOffered {
        /// The numbers of instalments on offer.
        counts: Vec<u16>,
    },
    /// The plan asks for more to be paid now (H19).
    DownPaymentTooSmall {
        /// The least that is allowed.
        minimum: Amount,
    },
    /// The law of the region does not allow it (R16).
    RegionLegal {
        /// The region's code.
        region: String,
    },
    /// The institution does not serve the region (R16).
    RegionCoverage {
        /// The institution's code.
        institution: String,
        /// The region's code.
        region: String,
    },
    /// The law's cap on the annual cost would be passed.
    CostAboveCap {
        /// The annual cost it would have.
        annual: Rate,
        /// The cap.
        cap: Rate,
    },
    /// The campaign is not running at this time (H5).
    CampaignOver {
        /// The campaign's code.
        campaign: String,
    },
    /// The campaign's budget is spent (H5).
    BudgetSpent {
        /// The campaign's code.
        campaign: String,
    },
    /// Nobody has asked this institution for credit yet.
    ApplicationRequired {
        /// The institution's code.
        institution: String,
    },
    /// The institution has not answered yet.
    ApplicationPending {
        /// The institution's code.
        institution: String,
    },
    /// The institution said no (R12–R15).
    CreditDeclined {
        /// The institution's code.
        institution: String,
        /// The principal reasons.
        reasons: Vec<DeclineReason>,
        /// The first day on which asking again makes sense.
        reapply_after: Date,
    },
    /// The approval's time is over.
    ApprovalExpired {
        /// The institution's code.
        institution: String,
        /// The last day.
        on: Date,
    },
    /// The purchase needs more than what is left of the limit (R21).
    LimitInsufficient {
        /// What is left of the limit.
        available: Amount,
        /// How much is missing.
        gap: Amount,
        /// How much must be paid now, in all, so that nothing is missing.
        pay_now: Amount,
        /// How much of the limit repayments would free.
        used: Amount,
    },
    /// Nothing is left of the limit (R21).
    LimitExhausted {
        /// The limit.
        limit: Amount,
        /// How much is missing.
        gap: Amount,
        /// How much of the limit repayments would free.
        used: Amount,
    },
    /// The shopper set a lower limit for themself (R28).
    OwnLimitReached {
        /// The limit.
        limit: Amount,
        /// How much is missing.
        gap: Amount,
        /// How much must be paid now, in all, so that nothing is missing.
        pay_now: Amount,
        /// How much of the limit repayments would free.
        used: Amount,
    },
    /// The account is frozen for new credit; repayment goes on (R24).
    AccountFrozen {
        /// Since when.
        since: Date,
    },
    /// A dispute is open; repayment goes on (R24).
    OpenDispute {
        /// The dispute's identifier.
        dispute: String,
    },
    /// Something is overdue.
    OverdueExists {
        /// How much.
        amount: Amount,
        /// For how many days.
        days: i64,
    },
    /// Identity was not proved yet (R43).
    IdentityRequired {
        /// Which step.
        step: String,
    },
    /// The proof of identity did not succeed (R44).
    IdentityFailed {
        /// Which step.
        step: String,
        /// How many tries are left today.
        tries_left: u8,
    },
    /// The identity document's time is over.
    IdentityExpired {
        /// The last day.
        on: Date,
    },
    /// Under the age of majority (H26, 民法典 17–20).
    Underage {
        /// The least that is allowed.
        minimum: u8,
    },
    /// A card is needed first (R47).
    CardRequired {
        /// The institution's code.
        institution: String,
    },
    /// The bank did not accept the card (R32).
    CardRejected {
        /// What the bank said.
        reason: String,
    },
    /// The card has debits to come and is the only one.
    CardInUse {
        /// How many agreements depend on it.
        agreements: u32,
    },
    /// The quote's time is over.
    QuoteExpired {
        /// When it ended.
        at: Timestamp,
    },
    /// What is being signed is not what was shown.
    QuoteChanged,
    /// The quote was used for a purchase already.
    QuoteUsed {
        /// The agreement's identifier.
        agreement: String,
    },
    /// A document was not read for as long as the law asks (金规〔2026〕2号).
    DocumentUnread {
        /// Which document.
        document: String,
        /// How many seconds are missing.
        seconds_left: u32,
    },
    /// A consent is missing.
    ConsentMissing {
        /// For which purpose.
        purpose: String,
    },
    /// The agreement is past or before the stage that this needs.
    WrongStage {
        /// Where it stands.
        stage: String,
        /// Where it would have to stand.
        needed: String,
    },
    /// The hold on the limit has run out.
    HoldExpired {
        /// When it ended.
        at: Timestamp,
    },
    /// More than what was confirmed and not yet captured.
    CaptureTooLarge {
        /// How much is left.
        left: Amount,
    },
    /// More is to be waived than what is open of it.
    WaiverTooLarge {
        /// What is to be waived.
        component: Component,
        /// How much of it is open.
        open: Amount,
    },
    /// Nothing is owed.
    NothingDue,
    /// Nothing of the agreement can be put off or let go as was asked: nothing falls due later, no penalty is open.
    NothingToArrange,
    /// More than can be taken.
    PaymentTooLarge {
        /// The most that is allowed.
        maximum: Amount,
    },
    /// A debit is under way or its outcome is not known yet (R37, H21).
    PaymentUnderWay {
        /// How much.
        amount: Amount,
        /// Since when.
        since: Timestamp,
    },
    /// No mandate for debits stands.
    MandateRequired,
    /// The settlement quote's time is over or the figures changed.
    SettlementChanged {
        /// How much.
        amount: Amount,
    },
    /// More than is left to return.
    RefundTooLarge {
        /// How much is left.
        left: Amount,
    },
    /// A return of this order is open already.
    ReturnOpen {
        /// Since when.
        since: Date,
    },
    /// No return of this order is open.
    ReturnNotOpen,
    /// The one who proposed may not approve.
    SamePerson,
    /// The proposal was decided or its time is over.
    ProposalClosed {
        /// How it stands.
        state: String,
    },
    /// What a proposal would change is not any more as it was when it was proposed.
    GroundChanged,
    /// Something is still owed (H8).
    OutstandingExists {
        /// How much.
        amount: Amount,
    },
    /// The command contradicts another that stands.
    AlreadyExists {
        /// What.
        what: What,
        /// Which one, where that tells more: a proof's number, a dispute's identifier.
        which: Option<String>,
    },
    /// The figures are outside what the rule allows.
    OutsideBounds {
        /// What.
        what: What,
        /// The least that is allowed.
        minimum: Amount,
        /// The most that is allowed.
        maximum: Amount,
    },
}

/// Why a decision was not made: a business answer, or a figure that left its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// A business answer that is not yes.
    Refused(Refusal),
    /// A fault: figures contradict each other or leave the range of 64 bits.
    OutOfRange(OutOfRange),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied::Refused(refusal)
    }
}

impl From<OutOfRange> for Denied {
    fn from(fault: OutOfRange) -> Denied {
        Denied::OutOfRange(fault)
    }
}
