//! Every refusal: a code of its own, evidence, and something that would help.
//
// Long because: one of each refusal stands here in the order of the list.

use std::collections::BTreeSet;

use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::{Alternative, CODES, Capability, DeclineReason, Refusal, What, WhoCanChange};
use jiff::Timestamp;
use jiff::civil::date;

/// One of each, in the order of the list.
fn every() -> Vec<Refusal> {
    use Refusal::*;
    let (text, one) = (|| "x".to_string(), Amount::from_minor(1));
    let (at, on) = (Timestamp::UNIX_EPOCH, date(2026, 11, 20));
    vec![
        InstitutionSuspended {
            institution: text(),
            region: None,
            until: Some(at),
        },
        InstitutionEnded { institution: text() },
        Maintenance {
            party: text(),
            capability: Capability::Offer,
            until: Some(at),
        },
        TemporaryFault {
            party: text(),
            retry_after: at,
        },
        ProductExcluded { sku: text() },
        PromotionExcluded { sku: text() },
        SellerExcluded {
            seller: text(),
            sku: text(),
        },
        MarginExceeded {
            sku: text(),
            cost: one,
            allowed: one,
        },
        AmountBelowMinimum {
            minimum: one,
            gap: one,
            add: one,
        },
        AmountAboveMaximum {
            maximum: one,
            excess: one,
            pay_now: one,
        },
        CountNotOffered { counts: vec![3] },
        DownPaymentTooSmall { minimum: one },
        RegionLegal { region: text() },
        RegionCoverage {
            institution: text(),
            region: text(),
        },
        CostAboveCap {
            annual: Rate::ONE,
            cap: Rate::ONE,
        },
        CampaignOver { campaign: text() },
        BudgetSpent { campaign: text() },
        ApplicationRequired { institution: text() },
        ApplicationPending { institution: text() },
        CreditDeclined {
            institution: text(),
            reasons: vec![DeclineReason::DebtTooHigh],
            reapply_after: on,
        },
        ApprovalExpired {
            institution: text(),
            on,
        },
        LimitInsufficient {
            available: one,
            gap: one,
            pay_now: one,
            used: one,
        },
        LimitExhausted {
            limit: one,
            gap: one,
            used: one,
        },
        OwnLimitReached {
            limit: one,
            gap: one,
            pay_now: one,
            used: one,
        },
        AccountFrozen { since: on },
        OpenDispute { dispute: text() },
        OverdueExists { amount: one, days: 1 },
        IdentityRequired { step: text() },
        IdentityFailed {
            step: text(),
            tries_left: 1,
        },
        IdentityExpired { on },
        Underage { minimum: 18 },
        CardRequired { institution: text() },
        CardRejected { reason: text() },
        CardInUse { agreements: 1 },
        QuoteExpired { at },
        QuoteChanged,
        QuoteUsed { agreement: text() },
        DocumentUnread {
            document: text(),
            seconds_left: 1,
        },
        ConsentMissing { purpose: text() },
        WrongStage {
            stage: text(),
            needed: text(),
        },
        HoldExpired { at },
        CaptureTooLarge { left: one },
        WaiverTooLarge {
            component: Component::Fee,
            open: one,
        },
        NothingDue,
        NothingToArrange,
        PaymentTooLarge { maximum: one },
        PaymentUnderWay {
            amount: one,
            since: at,
        },
        MandateRequired,
        SettlementChanged { amount: one },
        RefundTooLarge { left: one },
        ReturnOpen { since: on },
        ReturnNotOpen,
        SamePerson,
        ProposalClosed { state: text() },
        GroundChanged,
        OutstandingExists { amount: one },
        AlreadyExists {
            what: What::Card,
            which: None,
        },
        OutsideBounds {
            what: What::Amount,
            minimum: one,
            maximum: one,
        },
    ]
}

// R11: every refusal comes with at least one alternative
#[test]
fn every_refusal_has_a_code_of_its_own_and_something_that_would_help() {
    let every = every();
    let codes: Vec<&str> = every.iter().map(Refusal::code).collect();
    assert_eq!(codes, CODES, "one row for each, in the order of the list");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), CODES.len());
    for refusal in &every {
        assert!(!refusal.alternatives().is_empty(), "{refusal:?}");
    }
}

#[test]
fn the_stored_form_of_a_refusal_carries_its_code() {
    for refusal in every() {
        let stored = serde_json::to_string(&refusal).unwrap();
        let code = format!("\"code\":\"{}\"", refusal.code());
        assert!(stored.contains(&code), "{stored}");
        assert_eq!(serde_json::from_str::<Refusal>(&stored).unwrap(), refusal);
    }
}

#[test]
fn what_passes_by_itself_says_until_when_or_lets_one_look_again() {
    for refusal in every().into_iter().filter(Refusal::is_temporary) {
        let alternatives = refusal.alternatives();
        let waits = refusal
            .retry_after()
            .is_some_and(|at| alternatives.first() == Some(&Alternative::WaitUntil { at }));
        assert!(
            waits || alternatives.contains(&Alternative::LookAgain),
            "{refusal:?}"
        );
    }
}

#[test]
fn what_the_law_forbids_nobody_here_can_change() {
    for refusal in every() {
        let by_law = matches!(
            refusal,
            Refusal::RegionLegal { .. } | Refusal::CostAboveCap { .. } | Refusal::Underage { .. }
        );
        assert_eq!(
            refusal.who_can_change() == WhoCanChange::Law,
            by_law,
            "{refusal:?}"
        );
    }
}

#[test]
fn a_reason_of_a_lender_is_stored_under_its_code() {
    for reason in DeclineReason::ALL {
        assert_eq!(serde_json::json!(reason), reason.code());
    }
}
