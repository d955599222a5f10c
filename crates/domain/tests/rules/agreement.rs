//! A purchase from its confirmation to its end.

use fenqi_domain::agreement::{
    Agreement, Case, Confirm, Confirmed, Ending, Funding, Released, Stage, confirm,
};
use fenqi_domain::change::Change;
use fenqi_domain::consent::{Consent, Document, DocumentRead};
use fenqi_domain::eligibility::Known;
use fenqi_domain::id::{AgreementId, Ids, OrderId, ShopperId};
use fenqi_domain::market::{PartnershipState, Window};
use fenqi_domain::money::Amount;
use fenqi_domain::quote::Quote;
use fenqi_domain::refusal::{Capability, Denied, Refusal};
use fenqi_domain::standing::{Account, FreezeReason};
use jiff::Timestamp;
use jiff::civil::date;

use crate::market::{
    Market, TODAY, ann, consents, document, flat, hours, market, now, quote, read_for, yuan,
};

/// Ann about to confirm a phone for 3,999 over 12 instalments, with nothing in her way.
struct Scene {
    market: Market,
    quote: Quote,
    used_by: Option<AgreementId>,
    known: Known,
    consents: Vec<Consent>,
    documents: Vec<Document>,
    digest: String,
    reads: Vec<DocumentRead>,
    now: Timestamp,
}

fn scene() -> Scene {
    Scene {
        market: market(),
        quote: quote(&flat("xiaofu", 12, "7.2"), yuan(3_999)),
        used_by: None,
        known: ann(yuan(5_000)),
        consents: consents(),
        documents: vec![document()],
        digest: "digest".to_string(),
        reads: vec![read_for(10)],
        now: now(),
    }
}

impl Scene {
    fn confirm(&self) -> Result<Confirmed, Denied> {
        let case = Case {
            today: TODAY,
            quote: &self.quote,
            used_by: self.used_by,
            shopper: ShopperId::from_bits(1),
            known: &self.known,
            consents: &self.consents,
            documents: &self.documents.iter().collect::<Vec<_>>(),
            institution: self.market.institutions.first(),
            region: &self.market.region,
            windows: &self.market.windows,
            outages: &self.market.outages,
            campaigns: &self.market.campaigns,
        };
        let command = Confirm {
            digest: self.digest.clone(),
            order: OrderId::from_bits(5),
            reads: self.reads.clone(),
        };
        confirm(&case, &command, self.now, &mut Ids::new(self.now, 1))
    }
}

type Spoil = (&'static str, fn(&mut Scene));

fn refusal<T: std::fmt::Debug>(result: Result<T, Denied>) -> Refusal {
    match result {
        Err(Denied::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn agreement() -> Agreement {
    scene().confirm().unwrap().agreement
}

fn made<T: std::fmt::Debug>(change: Change<T>) -> T {
    match change {
        Change::Made(made) => made,
        Change::AlreadyMade => panic!("nothing was made"),
    }
}

// H17: the whole amount is held at confirmation and becomes use at capture
#[test]
fn a_confirmed_purchase_holds_the_limit_and_carries_what_was_signed() {
    let confirmed = scene().confirm().unwrap();
    let agreement = &confirmed.agreement;
    assert_eq!(agreement.held(), yuan(3_999));
    assert_eq!(confirmed.hold.line.held, yuan(3_999));
    assert_eq!(confirmed.hold.change.available, yuan(1_001));
    assert_eq!(agreement.terms, scene().quote.terms);
    assert_eq!(agreement.digest, "digest");
    assert_eq!(
        agreement.stage,
        Stage::Confirmed {
            held: yuan(3_999),
            expires_at: hours(7 * 24)
        }
    );
    assert_eq!(confirmed.from_budget, None);
    assert_eq!(
        scene().confirm().unwrap(),
        confirmed,
        "the same case decides the same"
    );
}

// R46: confirm is refused for a used, expired or changed quote, an unread document and a missing consent
#[test]
fn every_reason_against_a_confirmation_has_its_own_answer() {
    let changes: [Spoil; 21] = [
        ("quote_used", |s| s.used_by = Some(AgreementId::from_bits(1))),
        ("quote_expired", |s| s.now = hours(1)),
        ("quote_changed", |s| s.digest.push('x')),
        ("region_legal", |s| s.market.region.is_allowed = false),
        ("institution_ended", |s| {
            s.market.institutions[0].partnerships[0].state = PartnershipState::RunOff;
        }),
        ("institution_suspended", |s| {
            s.market.institutions[0].partnerships[0].state = PartnershipState::Suspended;
        }),
        ("region_coverage", |s| {
            s.market.institutions[0].served_regions.clear();
        }),
        ("maintenance", |s| {
            s.market.windows.push(Window {
                code: "w".to_string(),
                party: "mall".to_string(),
                capabilities: vec![Capability::Confirm],
                from: hours(-1),
                until: None,
            });
        }),
        ("account_frozen", |s| {
            s.known.standing.account = Account::Frozen {
                since: TODAY,
                why: FreezeReason::Overdue,
            };
        }),
        ("identity_required", |s| s.known.identity.photograph = None),
        ("identity_expired", |s| {
            s.known.identity.valid_until = Some(date(2026, 11, 19));
        }),
        ("underage", |s| s.known.identity.age = Some(17)),
        ("application_required", |s| s.known.applications.clear()),
        ("consent_missing", |s| s.consents.clear()),
        ("consent_missing", |s| {
            s.consents.truncate(1);
        }),
        ("document_unread", |s| s.reads = vec![read_for(9)]),
        ("document_unread", |s| s.documents[0].version = 2),
        ("card_required", |s| s.known.has_card = false),
        ("cost_above_cap", |s| {
            s.market.region.annual_cap = fenqi_domain::money::Rate::from_bps(1_300);
        }),
        ("campaign_over", |s| s.quote.campaign = Some("past".to_string())),
        ("limit_insufficient", |s| s.known = ann(yuan(3_998))),
    ];
    for (code, change) in changes {
        let mut scene = scene();
        change(&mut scene);
        assert_eq!(refusal(scene.confirm()).code(), code);
    }
    assert!(scene().confirm().is_ok());
}

#[test]
fn an_institution_that_is_unknown_makes_no_agreements() {
    let mut scene = scene();
    scene.market.institutions.clear();
    assert_eq!(refusal(scene.confirm()).code(), "institution_ended");
}

// H5: the budget is asked for the seller's share again at confirmation, and answers budget_spent
#[test]
fn a_campaign_whose_budget_ran_out_between_quote_and_confirmation_refuses() {
    let mut plan = flat("xiaofu", 6, "4.5");
    plan.borne_by_seller = fenqi_domain::money::Rate::ONE;
    plan.campaign = Some("double-11".to_string());
    let mut scene = scene();
    scene.quote = quote(&plan, yuan(3_999));
    scene.market = market().with_campaign(yuan(180));
    let taken = scene.confirm().unwrap().from_budget.unwrap();
    assert_eq!(
        (taken.campaign.as_str(), taken.amount.minor()),
        ("double-11", 17_996)
    );
    scene.market = market().with_campaign(yuan(179));
    assert_eq!(
        refusal(scene.confirm()),
        Refusal::BudgetSpent {
            campaign: "double-11".to_string()
        }
    );
}

#[test]
fn a_plan_without_a_card_needs_neither_card_nor_debit() {
    let mut plan = flat("xiaofu", 12, "7.2");
    plan.needs_card = false;
    let mut scene = scene();
    scene.quote = quote(&plan, yuan(3_999));
    scene.known.has_card = false;
    scene.consents.truncate(1);
    assert!(scene.confirm().is_ok());
}

// H18: goods are captured as they ship, in parts, never more than what is held
#[test]
fn goods_are_captured_as_they_ship() {
    let first = agreement().capture(yuan(3_000), TODAY, now()).unwrap();
    assert_eq!((first.number, first.amount), (1, yuan(3_000)));
    assert_eq!(first.agreement.held(), yuan(999));
    assert_eq!(first.agreement.version, 2);
    let again = first.agreement.clone();
    assert_eq!(
        refusal(again.capture(yuan(1_000), TODAY, now())),
        Refusal::CaptureTooLarge { left: yuan(999) }
    );
    let second = first.agreement.capture(yuan(999), TODAY, now()).unwrap();
    assert_eq!(second.number, 2);
    assert_eq!(second.agreement.captures().len(), 2);
    assert_eq!(
        refusal(second.agreement.capture(yuan(1), TODAY, now())),
        Refusal::CaptureTooLarge { left: Amount::ZERO }
    );
    for wrong in [Amount::ZERO, yuan(-1)] {
        assert_eq!(
            refusal(agreement().capture(wrong, TODAY, now())).code(),
            "outside_bounds"
        );
    }
}

#[test]
fn nothing_is_captured_after_the_hold_ran_out() {
    let end = hours(7 * 24);
    assert_eq!(
        refusal(agreement().capture(yuan(1), TODAY, end)),
        Refusal::HoldExpired { at: end }
    );
    assert_eq!(agreement().expire(hours(7 * 24 - 1)), Change::AlreadyMade);
    let expired = made(agreement().expire(end));
    assert_eq!(expired.amount, yuan(3_999));
    assert_eq!(
        expired.agreement.stage,
        Stage::Cancelled {
            at: end,
            why: Ending::Expired
        }
    );
    assert_eq!(expired.agreement.clone().expire(end), Change::AlreadyMade);
    assert_eq!(
        refusal(expired.agreement.capture(yuan(1), TODAY, end)).code(),
        "wrong_stage"
    );
    // What shipped stays lent when the rest runs out.
    let part = agreement().capture(yuan(3_000), TODAY, now()).unwrap().agreement;
    let rest = made(part.expire(end));
    assert_eq!((rest.amount, rest.agreement.stage.code()), (yuan(999), "active"));
}

#[test]
fn a_cancellation_lets_go_of_what_did_not_ship_and_of_nothing_twice() {
    let cancel = |a: Agreement| a.cancel(Ending::Cancelled, now());
    let whole: Released = made(cancel(agreement()).unwrap());
    assert_eq!(
        (whole.amount, whole.agreement.stage.code()),
        (yuan(3_999), "cancelled")
    );
    assert_eq!(cancel(whole.agreement), Ok(Change::AlreadyMade));
    let part = agreement().capture(yuan(3_000), TODAY, now()).unwrap().agreement;
    let rest = made(cancel(part).unwrap());
    assert_eq!((rest.amount, rest.agreement.held()), (yuan(999), Amount::ZERO));
    assert_eq!(cancel(rest.agreement).unwrap_err().code(), "wrong_stage");
}

// H27: each capture's money waits, is asked for, and is paid or declined, whatever order the notices come in
#[test]
fn notices_about_funding_end_the_same_in_any_order() {
    let captured = || agreement().capture(yuan(3_999), TODAY, now()).unwrap().agreement;
    let asked = |a: Agreement| a.funding_asked(1, now());
    let funded = |a: Agreement| a.funded(1, "F-1", now());
    let declined = |a: Agreement| a.funding_declined(1, "closed", now());
    let apply =
        |a: Agreement, step: &dyn Fn(Agreement) -> Result<Change<Agreement>, Refusal>| match step(a.clone())
            .unwrap()
        {
            Change::Made(next) => next,
            Change::AlreadyMade => a,
        };
    type Step<'a> = &'a dyn Fn(Agreement) -> Result<Change<Agreement>, Refusal>;
    let (a, f, d): (Step<'_>, Step<'_>, Step<'_>) = (&asked, &funded, &declined);
    for order in [[a, f, d], [a, d, f], [f, a, d], [f, d, a], [d, a, f], [d, f, a]] {
        let mut end = order.iter().fold(captured(), |state, step| apply(state, step));
        end = order.iter().fold(end, |state, step| apply(state, step));
        assert_eq!(
            end.captures()[0].funding,
            Funding::Funded {
                reference: "F-1".to_string(),
                at: now()
            }
        );
    }
    assert_eq!(
        captured().funded(2, "F", now()).unwrap_err().code(),
        "wrong_stage"
    );
    assert_eq!(
        agreement().funded(1, "F", now()).unwrap_err().code(),
        "wrong_stage"
    );
}

#[test]
fn an_agreement_settles_once_and_only_when_everything_is_captured() {
    let running = agreement().capture(yuan(3_999), TODAY, now()).unwrap().agreement;
    let settled = made(running.clone().settle(date(2027, 1, 5)).unwrap());
    assert!(matches!(settled.stage, Stage::Settled { early: true, .. }));
    assert_eq!(settled.clone().settle(TODAY), Ok(Change::AlreadyMade));
    let last = *running.terms.due_dates.last().unwrap();
    let on_time = made(running.settle(last).unwrap());
    assert!(matches!(on_time.stage, Stage::Settled { early: false, .. }));
    assert!(agreement().settle(TODAY).is_err(), "nothing was lent yet");
    let part = agreement().capture(yuan(1), TODAY, now()).unwrap().agreement;
    assert!(part.settle(TODAY).is_err(), "goods are still to ship");
}
