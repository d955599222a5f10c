//! What is known of each refusal: its code, whether it passes, who can change it, and what would help.
//
// Long because: one match over every refusal keeps its remedies in one place, and the compiler finds the missing one.

use alloc::vec;
use alloc::vec::Vec;

use jiff::Timestamp;

use super::{Alternative, Refusal, What, WhoCanChange};
use crate::money::Amount;

impl Refusal {
    /// The stable code, in lower case with underscores.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::InstitutionSuspended { .. } => "institution_suspended",
            Refusal::InstitutionEnded { .. } => "institution_ended",
            Refusal::Maintenance { .. } => "maintenance",
            Refusal::TemporaryFault { .. } => "temporary_fault",
            Refusal::ProductExcluded { .. } => "product_excluded",
            Refusal::PromotionExcluded { .. } => "promotion_excluded",
            Refusal::SellerExcluded { .. } => "seller_excluded",
            Refusal::MarginExceeded { .. } => "margin_exceeded",
            Refusal::AmountBelowMinimum { .. } => "amount_below_minimum",
            Refusal::AmountAboveMaximum { .. } => "amount_above_maximum",
            Refusal::CountNotOffered { .. } => "count_not_offered",
            Refusal::DownPaymentTooSmall { .. } => "down_payment_too_small",
            Refusal::RegionLegal { .. } => "region_legal",
            Refusal::RegionCoverage { .. } => "region_coverage",
            Refusal::CostAboveCap { .. } => "cost_above_cap",
            Refusal::CampaignOver { .. } => "campaign_over",
            Refusal::BudgetSpent { .. } => "budget_spent",
            Refusal::ApplicationRequired { .. } => "application_required",
            Refusal::ApplicationPending { .. } => "application_pending",
            Refusal::CreditDeclined { .. } => "credit_declined",
            Refusal::ApprovalExpired { .. } => "approval_expired",
            Refusal::LimitInsufficient { .. } => "limit_insufficient",
            Refusal::LimitExhausted { .. } => "limit_exhausted",
            Refusal::OwnLimitReached { .. } => "own_limit_reached",
            Refusal::AccountFrozen { .. } => "account_frozen",
            Refusal::OpenDispute { .. } => "open_dispute",
            Refusal::OverdueExists { .. } => "overdue_exists",
            Refusal::IdentityRequired { .. } => "identity_required",
            Refusal::IdentityFailed { .. } => "identity_failed",
            Refusal::IdentityExpired { .. } => "identity_expired",
            Refusal::Underage { .. } => "underage",
            Refusal::CardRequired { .. } => "card_required",
            Refusal::CardRejected { .. } => "card_rejected",
            Refusal::CardInUse { .. } => "card_in_use",
            Refusal::QuoteExpired { .. } => "quote_expired",
            Refusal::QuoteChanged => "quote_changed",
            Refusal::QuoteUsed { .. } => "quote_used",
            Refusal::DocumentUnread { .. } => "document_unread",
            Refusal::ConsentMissing { .. } => "consent_missing",
            Refusal::WrongStage { .. } => "wrong_stage",
            Refusal::HoldExpired { .. } => "hold_expired",
            Refusal::CaptureTooLarge { .. } => "capture_too_large",
            Refusal::WaiverTooLarge { .. } => "waiver_too_large",
            Refusal::NothingDue => "nothing_due",
            Refusal::NothingToArrange => "nothing_to_arrange",
            Refusal::PaymentTooLarge { .. } => "payment_too_large",
            Refusal::PaymentUnderWay { .. } => "payment_under_way",
            Refusal::MandateRequired => "mandate_required",
            Refusal::SettlementChanged { .. } => "settlement_changed",
            Refusal::RefundTooLarge { .. } => "refund_too_large",
            Refusal::ReturnOpen { .. } => "return_open",
            Refusal::ReturnNotOpen => "return_not_open",
            Refusal::SamePerson => "same_person",
            Refusal::ProposalClosed { .. } => "proposal_closed",
            Refusal::GroundChanged => "ground_changed",
            Refusal::OutstandingExists { .. } => "outstanding_exists",
            Refusal::AlreadyExists { .. } => "already_exists",
            Refusal::OutsideBounds { .. } => "outside_bounds",
        }
    }

    /// Whether the reason is a passing one, so that it is not confused with a judgement (R7).
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Refusal::InstitutionSuspended { .. }
                | Refusal::Maintenance { .. }
                | Refusal::TemporaryFault { .. }
                | Refusal::ApplicationPending { .. }
                | Refusal::PaymentUnderWay { .. }
        )
    }

    /// When to try again, where that is an instant.
    pub fn retry_after(&self) -> Option<Timestamp> {
        match self {
            Refusal::InstitutionSuspended { until, .. } | Refusal::Maintenance { until, .. } => *until,
            Refusal::TemporaryFault { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// Who can make it go away.
    pub fn who_can_change(&self) -> WhoCanChange {
        use Refusal::*;
        match self {
            InstitutionSuspended { .. }
            | InstitutionEnded { .. }
            | RegionCoverage { .. }
            | CreditDeclined { .. } => WhoCanChange::Institution,
            Maintenance { .. } | TemporaryFault { .. } | AccountFrozen { .. } | AlreadyExists { .. } => {
                WhoCanChange::Platform
            }
            ProductExcluded { .. }
            | PromotionExcluded { .. }
            | SellerExcluded { .. }
            | MarginExceeded { .. }
            | CampaignOver { .. }
            | BudgetSpent { .. } => WhoCanChange::Store,
            RegionLegal { .. } | CostAboveCap { .. } | Underage { .. } => WhoCanChange::Law,
            ApplicationPending { .. } | PaymentUnderWay { .. } => WhoCanChange::Time,
            SamePerson
            | ProposalClosed { .. }
            | GroundChanged
            | WaiverTooLarge { .. }
            | OutsideBounds { .. } => WhoCanChange::Platform,
            _ => WhoCanChange::Shopper,
        }
    }

    // R11: every refusal names at least one way on
    /// What would help instead; never empty.
    pub fn alternatives(&self) -> Vec<Alternative> {
        use Refusal::*;
        match self {
            InstitutionSuspended { until, .. } => waiting(
                *until,
                vec![
                    Alternative::OtherPlan,
                    Alternative::OtherMethod,
                    Alternative::FollowNotices,
                ],
            ),
            InstitutionEnded { .. } => vec![Alternative::OtherPlan, Alternative::OtherMethod],
            Maintenance { until, .. } => {
                waiting(*until, vec![Alternative::FollowNotices, Alternative::OtherMethod])
            }
            TemporaryFault { retry_after, .. } => waiting(
                Some(*retry_after),
                vec![
                    Alternative::OtherPlan,
                    Alternative::OtherMethod,
                    Alternative::Contact,
                ],
            ),
            ProductExcluded { sku }
            | PromotionExcluded { sku }
            | SellerExcluded { sku, .. }
            | MarginExceeded { sku, .. } => {
                vec![
                    Alternative::RemoveLine { sku: sku.clone() },
                    Alternative::OtherMethod,
                ]
            }
            AmountBelowMinimum { add, .. } => {
                vec![
                    Alternative::RaiseAmount { amount: *add },
                    Alternative::OtherPlan,
                    Alternative::OtherMethod,
                ]
            }
            AmountAboveMaximum { pay_now, .. } => {
                vec![
                    Alternative::DownPayment { amount: *pay_now },
                    Alternative::OtherPlan,
                    Alternative::OtherMethod,
                ]
            }
            CountNotOffered { counts } => vec![Alternative::ChooseCount {
                counts: counts.clone(),
            }],
            DownPaymentTooSmall { minimum } => vec![
                Alternative::DownPayment { amount: *minimum },
                Alternative::OtherPlan,
            ],
            RegionLegal { .. } => vec![Alternative::OtherMethod, Alternative::OtherRegion],
            RegionCoverage { .. } => vec![
                Alternative::OtherPlan,
                Alternative::OtherRegion,
                Alternative::OtherMethod,
            ],
            CostAboveCap { .. } | CampaignOver { .. } | BudgetSpent { .. } => {
                vec![Alternative::OtherPlan, Alternative::OtherMethod]
            }
            ApplicationRequired { .. } => vec![Alternative::Apply, Alternative::OtherMethod],
            ApplicationPending { .. } => vec![
                Alternative::LookAgain,
                Alternative::OtherPlan,
                Alternative::OtherMethod,
            ],
            CreditDeclined {
                reasons,
                reapply_after,
                ..
            } => vec![
                Alternative::ImproveRecord {
                    reasons: reasons.clone(),
                },
                Alternative::WaitUntilDay { on: *reapply_after },
                Alternative::OtherPlan,
                Alternative::OtherMethod,
            ],
            ApprovalExpired { .. } => vec![Alternative::Apply, Alternative::OtherPlan],
            LimitInsufficient {
                gap, pay_now, used, ..
            } => with_pay_down(*gap, *used, vec![Alternative::DownPayment { amount: *pay_now }]),
            LimitExhausted { gap, used, .. } => with_pay_down(*gap, *used, Vec::new()),
            OwnLimitReached {
                gap, pay_now, used, ..
            } => {
                let down = Alternative::DownPayment { amount: *pay_now };
                with_pay_down(*gap, *used, vec![Alternative::OwnLimit, down])
            }
            AccountFrozen { .. } => vec![Alternative::Contact, Alternative::OtherMethod],
            OpenDispute { .. } => vec![Alternative::SettleDispute, Alternative::OtherMethod],
            OverdueExists { amount, .. } => vec![
                Alternative::PayOverdue { amount: *amount },
                Alternative::OtherMethod,
            ],
            IdentityRequired { .. } | IdentityFailed { .. } | IdentityExpired { .. } => {
                vec![
                    Alternative::VerifyIdentity,
                    Alternative::Contact,
                    Alternative::OtherMethod,
                ]
            }
            Underage { .. } => vec![Alternative::OtherMethod],
            CardRequired { .. } => vec![Alternative::BindCard],
            CardRejected { .. } => {
                vec![Alternative::OtherCard, Alternative::Contact]
            }
            CardInUse { .. } => vec![Alternative::BindCard],
            QuoteExpired { .. } | QuoteChanged | QuoteUsed { .. } => vec![Alternative::NewQuote],
            DocumentUnread { document, .. } => vec![Alternative::Agree {
                what: document.clone(),
            }],
            ConsentMissing { purpose } => vec![Alternative::Agree {
                what: purpose.clone(),
            }],
            WrongStage { .. } | ProposalClosed { .. } | GroundChanged | ReturnNotOpen => {
                vec![Alternative::LookAgain, Alternative::Contact]
            }
            HoldExpired { .. } => vec![Alternative::NewQuote, Alternative::OtherMethod],
            CaptureTooLarge { left } | RefundTooLarge { left } => within(*left),
            WaiverTooLarge { open, .. } => within(*open),
            AlreadyExists {
                what: What::Dispute, ..
            } => vec![Alternative::SettleDispute, Alternative::Contact],
            NothingToArrange => vec![Alternative::LookAgain, Alternative::Contact],
            NothingDue | ReturnOpen { .. } | AlreadyExists { .. } => {
                vec![Alternative::LookAgain]
            }
            PaymentTooLarge { maximum } => within(*maximum),
            PaymentUnderWay { .. } => vec![Alternative::LookAgain, Alternative::Contact],
            MandateRequired => vec![Alternative::OtherCard, Alternative::BindCard],
            SettlementChanged { .. } => vec![Alternative::LookAgain],
            SamePerson => vec![Alternative::AnotherPerson],
            OutstandingExists { amount } => vec![Alternative::PayDown { amount: *amount }],
            OutsideBounds { minimum, maximum, .. } => {
                vec![Alternative::AmountWithin {
                    minimum: *minimum,
                    maximum: *maximum,
                }]
            }
        }
    }
}

/// An amount of no more than this; if nothing is left, no amount would do.
fn within(maximum: Amount) -> Vec<Alternative> {
    if !maximum.is_positive() {
        return vec![Alternative::LookAgain, Alternative::Contact];
    }
    let minimum = Amount::from_minor(1);
    vec![Alternative::AmountWithin { minimum, maximum }]
}

/// What frees a limit, if so much of it is used by what can be repaid, and what does without.
fn with_pay_down(gap: Amount, used: Amount, others: Vec<Alternative>) -> Vec<Alternative> {
    let pay_down = (used >= gap).then_some(Alternative::PayDown { amount: gap });
    let always = [Alternative::OtherPlan, Alternative::OtherMethod];
    pay_down.into_iter().chain(others).chain(always).collect()
}

/// Waiting first, where it is known for how long, and then the rest.
fn waiting(until: Option<Timestamp>, rest: Vec<Alternative>) -> Vec<Alternative> {
    until
        .map(|at| Alternative::WaitUntil { at })
        .into_iter()
        .chain(rest)
        .collect()
}

/// Every code, in the order of the list; the texts are checked against it.
pub const CODES: [&str; 58] = [
    "institution_suspended",
    "institution_ended",
    "maintenance",
    "temporary_fault",
    "product_excluded",
    "promotion_excluded",
    "seller_excluded",
    "margin_exceeded",
    "amount_below_minimum",
    "amount_above_maximum",
    "count_not_offered",
    "down_payment_too_small",
    "region_legal",
    "region_coverage",
    "cost_above_cap",
    "campaign_over",
    "budget_spent",
    "application_required",
    "application_pending",
    "credit_declined",
    "approval_expired",
    "limit_insufficient",
    "limit_exhausted",
    "own_limit_reached",
    "account_frozen",
    "open_dispute",
    "overdue_exists",
    "identity_required",
    "identity_failed",
    "identity_expired",
    "underage",
    "card_required",
    "card_rejected",
    "card_in_use",
    "quote_expired",
    "quote_changed",
    "quote_used",
    "document_unread",
    "consent_missing",
    "wrong_stage",
    "hold_expired",
    "capture_too_large",
    "waiver_too_large",
    "nothing_due",
    "nothing_to_arrange",
    "payment_too_large",
    "payment_under_way",
    "mandate_required",
    "settlement_changed",
    "refund_too_large",
    "return_open",
    "return_not_open",
    "same_person",
    "proposal_closed",
    "ground_changed",
    "outstanding_exists",
    "already_exists",
    "outside_bounds",
];
