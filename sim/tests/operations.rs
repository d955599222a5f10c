//! What staff do, seen from the outside: who may, who must, what it changes, and what stays on record.

use fenqi_app::checkout::offer;
use fenqi_app::operations::approve::{self, Decide, Outcome};
use fenqi_app::operations::arrange::{self, Arrange, Whom};
use fenqi_app::operations::backdate::{self, EnterPayment, TakeBack};
use fenqi_app::operations::budget::{self, SetBudget};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::operations::freeze::{self, Freeze, Unfreeze};
use fenqi_app::operations::limit::{self, LimitSet, SetLimit, SetOwnLimit};
use fenqi_app::operations::notice::{self, End, Publish};
use fenqi_app::operations::suspend::{self, SetPartnership};
use fenqi_app::operations::waive::{self, Waive};
use fenqi_app::operations::{dispute, standing, timeline, window};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::servicing;
use fenqi_app::verify::verify;
use fenqi_app::{Change, Denied};
use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::eligibility::Answer;
use fenqi_domain::id::{AgreementId, ProposalId};
use fenqi_domain::loan::Loan;
use fenqi_domain::market::PartnershipState;
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::payment::State;
use fenqi_domain::plan::{Campaign, Component};
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_domain::standing::FreezeReason;
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, staff, yuan};
use jiff::civil::Date;
use jiff::{SignedDuration, Span};

const WHY: &str = "asked by the owner of the desk";

fn day(days: i32) -> Date {
    OPENING.saturating_add(Span::new().days(days))
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Denied>) -> Refusal {
    match answer {
        Err(Denied::Refused(refusal)) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

async fn set_limit(shop: &Shop, who: &str, ann: &Buyer, to: i64) -> Result<Outcome<LimitSet>, Denied> {
    let command = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(to),
        reason: WHY.to_owned(),
    };
    let key = shop.key().unwrap();
    Ok(limit::set_limit(&shop.app, &staff(who), &key, command)
        .await?
        .reply())
}

async fn proposed(shop: &Shop, ann: &Buyer, to: i64) -> ProposalId {
    match set_limit(shop, "maker", ann, to).await.unwrap() {
        Outcome::NeedsSecondPerson(proposal) => proposal,
        Outcome::Done(done) => panic!("one person alone: {done:?}"),
    }
}

async fn line(shop: &Shop, ann: &Buyer) -> fenqi_domain::credit::Line {
    shop.app
        .store
        .line(ann.id, market::INSTITUTION)
        .await
        .unwrap()
        .unwrap()
        .line
}

async fn loan(shop: &Shop, ann: &Buyer, agreement: AgreementId) -> Loan {
    let file = shop
        .app
        .store
        .agreement(ann.id, agreement)
        .await
        .unwrap()
        .unwrap();
    servicing::fold(&file, shop.app.moment().today).unwrap()
}

fn decide(proposal: ProposalId) -> Decide {
    Decide {
        proposal,
        reason: WHY.to_owned(),
    }
}

async fn is_clean(shop: &Shop) {
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

async fn is_offered(shop: &Shop, ann: &Buyer, region: &str) -> Result<(), Vec<Refusal>> {
    let mut ask = shop.question(ann, yuan(1_200));
    ask.region = region.to_owned();
    let outcomes = offer::offer(&shop.app, &ann.actor(), &ask).await.unwrap();
    match &outcomes[0].answer {
        Answer::Offered(_) => Ok(()),
        Answer::Unavailable { refusals } => Err(refusals.clone()),
    }
}

#[tokio::test]
async fn a_large_change_of_a_limit_needs_another_person_who_carries_it_out() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let proposal = proposed(&shop, &ann, 30_000).await;
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000), "nothing yet");
    let key = shop.key().unwrap();
    let approved = approve::approve(&shop.app, &staff("checker"), &key, decide(proposal))
        .await
        .unwrap();
    assert!(matches!(approved, Change::Made(_)));
    assert_eq!(line(&shop, &ann).await.limit, yuan(30_000));
    // The same approval again is the same approval, and another one comes too late.
    let again = approve::approve(&shop.app, &staff("checker"), &key, decide(proposal))
        .await
        .unwrap();
    assert_eq!(again, Change::AlreadyMade(approved.reply()));
    let late = approve::approve(&shop.app, &staff("third"), &shop.key().unwrap(), decide(proposal)).await;
    assert_eq!(
        refused(late),
        Refusal::ProposalClosed {
            state: "approved".into()
        }
    );
    is_clean(&shop).await;
}

#[tokio::test]
async fn whoever_proposed_may_not_approve() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let proposal = proposed(&shop, &ann, 30_000).await;
    for verb in ["approve", "reject"] {
        let key = shop.key().unwrap();
        let answer = match verb {
            "approve" => approve::approve(&shop.app, &staff("maker"), &key, decide(proposal)).await,
            _ => approve::reject(&shop.app, &staff("maker"), &key, decide(proposal)).await,
        };
        assert_eq!(refused(answer), Refusal::SamePerson, "{verb}");
    }
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000));
}

#[tokio::test]
async fn a_proposal_is_rejected_or_runs_out() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let rejected = proposed(&shop, &ann, 30_000).await;
    let key = shop.key().unwrap();
    approve::reject(&shop.app, &staff("checker"), &key, decide(rejected))
        .await
        .unwrap();
    let forgotten = proposed(&shop, &ann, 40_000).await;
    shop.moves_to(day(4), 10);
    let late = approve::approve(
        &shop.app,
        &staff("checker"),
        &shop.key().unwrap(),
        decide(forgotten),
    )
    .await;
    assert_eq!(
        refused(late),
        Refusal::ProposalClosed {
            state: "expired".into()
        }
    );
    assert_eq!(approve::expire(&shop.app).await.unwrap(), 1);
    assert_eq!(
        approve::expire(&shop.app).await.unwrap(),
        0,
        "twice does nothing more"
    );
    let states: Vec<String> = approve::proposals(&shop.app, &staff("checker"))
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.state)
        .collect();
    assert_eq!(states, ["rejected", "expired"]);
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000));
}

#[tokio::test]
async fn every_command_of_staff_is_on_record_with_its_reason() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    set_limit(&shop, "kim", &ann, 13_000).await.unwrap();
    let records = shop.app.store.audit().await.unwrap();
    let opened = records.first().unwrap();
    assert_eq!(
        (opened.who.as_str(), opened.what.as_str()),
        ("staff:sim", "market.configure")
    );
    let last = records.last().unwrap();
    assert_eq!(
        (last.who.as_str(), last.what.as_str(), last.reason.as_str()),
        ("staff:kim", "limit.set", WHY)
    );
    assert!(last.detail.contains("1300000"), "{}", last.detail);
    // Without a reason nothing is done.
    let silent = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(14_000),
        reason: " ".to_owned(),
    };
    let answer = limit::set_limit(&shop.app, &staff("kim"), &shop.key().unwrap(), silent).await;
    assert!(matches!(answer, Err(Denied::Invalid(_))));
    assert_eq!(shop.app.store.audit().await.unwrap().len(), records.len());
}

#[tokio::test]
async fn staff_without_the_scope_are_told_that_it_does_not_exist() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let clerk = Actor::Staff {
        name: "clerk".to_owned(),
        scopes: vec![Scope::Offer, Scope::Care],
    };
    let command = SetLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: yuan(13_000),
        reason: WHY.to_owned(),
    };
    for actor in [clerk, ann.actor(), fenqi_sim::store(market::SELLER)] {
        let answer = limit::set_limit(&shop.app, &actor, &shop.key().unwrap(), command.clone()).await;
        assert_eq!(answer, Err(Denied::NotFound), "{actor:?}");
    }
}

#[tokio::test]
async fn an_institution_is_suspended_in_one_region_and_ended_everywhere_while_old_contracts_run_on() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let command = |region: Option<&str>| SetPartnership {
        institution: market::INSTITUTION.to_owned(),
        region: region.map(str::to_owned),
        category: None,
        from: None,
        until: None,
        reason: WHY.to_owned(),
    };
    let (app, boss) = (&shop.app, staff("boss"));
    suspend::suspend(app, &boss, &shop.key().unwrap(), command(Some("CN-44")))
        .await
        .unwrap();
    assert_eq!(is_offered(&shop, &ann, "CN-11").await, Ok(()));
    let refusals = is_offered(&shop, &ann, "CN-44").await.unwrap_err();
    assert!(matches!(&refusals[0], Refusal::InstitutionSuspended { region: Some(r), .. } if r == "CN-44"));
    suspend::resume(app, &boss, &shop.key().unwrap(), command(Some("CN-44")))
        .await
        .unwrap();
    assert_eq!(is_offered(&shop, &ann, "CN-44").await, Ok(()));

    let ended = suspend::end(app, &boss, &shop.key().unwrap(), command(None))
        .await
        .unwrap()
        .reply();
    assert!(
        ended
            .partnerships
            .iter()
            .any(|p| p.state == PartnershipState::Ended)
    );
    let refusals = is_offered(&shop, &ann, "CN-11").await.unwrap_err();
    assert!(matches!(&refusals[0], Refusal::InstitutionEnded { .. }));
    shop.passes_until(day(32)).await.unwrap();
    let paid = loan(&shop, &ann, agreement).await.rows[0]
        .paid()
        .unwrap()
        .total()
        .unwrap();
    assert_eq!(
        paid,
        Amount::from_minor(10_720),
        "the first instalment was debited all the same"
    );
    suspend::resume(app, &boss, &shop.key().unwrap(), command(None))
        .await
        .unwrap();
    assert_eq!(is_offered(&shop, &ann, "CN-11").await, Ok(()));
}

#[tokio::test]
async fn a_frozen_account_may_still_repay() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let command = Freeze {
        shopper: ann.id,
        why: FreezeReason::SuspectedMisuse,
        reason: WHY.to_owned(),
    };
    let key = shop.key().unwrap();
    freeze::freeze(&shop.app, &staff("kim"), &key, command.clone())
        .await
        .unwrap();
    let again = freeze::freeze(&shop.app, &staff("kim"), &key, command.clone())
        .await
        .unwrap();
    assert!(
        matches!(again, Change::AlreadyMade(_)),
        "the same key is the same freeze"
    );
    let twice = freeze::freeze(&shop.app, &staff("kim"), &shop.key().unwrap(), command).await;
    assert_eq!(
        refused(twice),
        Refusal::AlreadyExists {
            what: "freeze".into()
        }
    );
    let since = OPENING;
    assert_eq!(
        refused(shop.buys(&ann, yuan(500)).await),
        Refusal::AccountFrozen { since }
    );

    let paying = Pay {
        shopper: ann.id,
        payer: ann.id,
        agreements: vec![agreement],
        amount: yuan(50),
        card: ann.card,
    };
    let paid = pay::pay(&shop.app, &ann.actor(), &shop.key().unwrap(), paying)
        .await
        .unwrap()
        .reply();
    assert_eq!(paid.state, State::Succeeded);
    let lift = Unfreeze {
        shopper: ann.id,
        reason: WHY.to_owned(),
    };
    freeze::unfreeze(&shop.app, &staff("kim"), &shop.key().unwrap(), lift)
        .await
        .unwrap();
    shop.buys(&ann, yuan(500)).await.unwrap();
    is_clean(&shop).await;
}

#[tokio::test]
async fn an_open_dispute_stops_new_credit_until_it_is_settled() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let command = dispute::Open {
        shopper: ann.id,
        agreement,
        claim: "the fee is not what was shown".to_owned(),
    };
    let opened = dispute::open(&shop.app, &ann.actor(), &shop.key().unwrap(), command.clone()).await;
    let opened = opened.unwrap().reply();
    let id = opened.id.to_string();
    let twice = dispute::open(&shop.app, &ann.actor(), &shop.key().unwrap(), command).await;
    assert_eq!(
        refused(twice),
        Refusal::AlreadyExists {
            what: format!("dispute {id}")
        }
    );
    assert_eq!(
        refused(shop.buys(&ann, yuan(500)).await),
        Refusal::OpenDispute { dispute: id.clone() }
    );
    let stands = standing::standing(&shop.app, &ann.actor(), ann.id).await.unwrap();
    assert_eq!(stands.open_disputes, [id]);
    let settle = dispute::Settle {
        shopper: ann.id,
        dispute: opened.id,
        outcome: "the fee was shown; explained by phone".to_owned(),
    };
    dispute::settle(&shop.app, &staff("care"), &shop.key().unwrap(), settle)
        .await
        .unwrap();
    shop.buys(&ann, yuan(500)).await.unwrap();
    let told = dispute::disputes(&shop.app, &ann.actor(), ann.id).await.unwrap();
    assert!(told[0].settled.is_some());
    let bo = shop.bo().await.unwrap();
    let spied = dispute::disputes(&shop.app, &bo.actor(), ann.id).await;
    assert_eq!(spied, Err(Denied::NotFound));
}

#[tokio::test]
async fn a_limit_lowered_below_what_is_used_leaves_less_than_nothing_and_the_timeline_says_why() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    shop.buys(&ann, yuan(6_000)).await.unwrap();
    shop.confirms(&ann, yuan(1_000)).await.unwrap();
    let Outcome::Done(cut) = set_limit(&shop, "kim", &ann, 5_000).await.unwrap() else {
        panic!("7,000 is within one person's reach");
    };
    assert_eq!(
        cut.available,
        Amount::from_minor(-200_000),
        "5,000 less 6,000 used and 1,000 held"
    );
    let short = refused(shop.confirms(&ann, yuan(100)).await);
    assert_eq!(
        short,
        Refusal::LimitExhausted {
            limit: yuan(5_000),
            gap: yuan(2_100)
        }
    );
    shop.passes_until(day(32)).await.unwrap();

    let own = SetOwnLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: Some(yuan(4_000)),
    };
    limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), own.clone())
        .await
        .unwrap();
    set_limit(&shop, "kim", &ann, 9_000).await.unwrap();
    let told = timeline::timeline(&shop.app, &ann.actor(), ann.id, market::INSTITUTION)
        .await
        .unwrap();
    let steps: Vec<(&str, i64, i64)> = told
        .iter()
        .map(|m| (m.what.as_str(), m.amount.minor(), m.available.minor()))
        .collect();
    assert_eq!(
        steps,
        [
            ("granted", 1_200_000, 1_200_000),
            ("committed", -600_000, 600_000),
            ("commitment_released", 600_000, 1_200_000),
            ("disbursed", -600_000, 600_000),
            ("committed", -100_000, 500_000),
            ("lowered", -700_000, -200_000),
            ("commitment_released", 100_000, -100_000),
            ("principal_repaid", 50_000, -50_000),
            ("lowered", -100_000, -150_000),
            ("raised", 0, -150_000),
        ]
    );
    assert_eq!(
        told.last().unwrap().available,
        line(&shop, &ann).await.available().unwrap()
    );
    let lifted = SetOwnLimit { limit: None, ..own };
    limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), lifted)
        .await
        .unwrap();
    assert_eq!(line(&shop, &ann).await.available().unwrap(), yuan(9_000 - 5_500));
    is_clean(&shop).await;
}

#[tokio::test]
async fn an_own_limit_is_never_above_the_institutions() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let own = SetOwnLimit {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        limit: Some(yuan(12_001)),
    };
    let answer = limit::set_own_limit(&shop.app, &ann.actor(), &shop.key().unwrap(), own).await;
    assert!(matches!(refused(answer), Refusal::OutsideBounds { maximum, .. } if maximum == yuan(12_000)));
}

#[tokio::test]
async fn a_window_in_which_nobody_could_pay_excuses_its_days() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    let late = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let prompt = shop.buys(&bo, yuan(1_200)).await.unwrap();
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    // Due on 5 February; the platform takes no payment from the 4th to the 12th.
    shop.passes_until(day(30)).await.unwrap();
    let open = window::Open {
        code: "feb-outage".to_owned(),
        party: "platform".to_owned(),
        capabilities: vec![Capability::Repay],
        from: None,
        until: None,
        reason: WHY.to_owned(),
    };
    window::open(&shop.app, &staff("ops"), &shop.key().unwrap(), open)
        .await
        .unwrap();
    let paying = Pay {
        shopper: ann.id,
        payer: ann.id,
        agreements: vec![late],
        amount: yuan(10),
        card: ann.card,
    };
    let down = pay::pay(&shop.app, &ann.actor(), &shop.key().unwrap(), paying).await;
    assert!(matches!(refused(down), Refusal::Maintenance { .. }));
    shop.passes_until(day(38)).await.unwrap();
    let before = loan(&shop, &ann, late).await;
    assert!(
        before.outstanding().unwrap().penalty.is_positive(),
        "late by seven days"
    );
    let close = window::Close {
        code: "feb-outage".to_owned(),
        reason: WHY.to_owned(),
    };
    window::close(&shop.app, &staff("ops"), &shop.key().unwrap(), close)
        .await
        .unwrap();
    let after = loan(&shop, &ann, late).await;
    assert_eq!(after.outstanding().unwrap().penalty, Amount::ZERO);
    assert_eq!(after.days_past_due, 0);
    let file = shop.app.store.agreement(bo.id, prompt).await.unwrap().unwrap();
    let excused =
        |t: &&fenqi_domain::loan::Transaction| matches!(t.event, fenqi_domain::loan::Event::Excused { .. });
    assert_eq!(
        file.transactions.iter().filter(excused).count(),
        0,
        "he had paid, there was nothing to excuse"
    );
    is_clean(&shop).await;
    // Once is enough, and later days count again.
    let ran = fenqi_app::operations::excuse::run(&shop.app, day(38))
        .await
        .unwrap();
    assert_eq!(ran.seen, 0);
    shop.passes_until(day(50)).await.unwrap();
    assert!(
        loan(&shop, &ann, late)
            .await
            .outstanding()
            .unwrap()
            .penalty
            .is_positive()
    );
    is_clean(&shop).await;
}

#[tokio::test]
async fn an_arrangement_moves_due_dates_waives_penalties_and_tells_the_shopper() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(42)).await.unwrap();
    let before = loan(&shop, &ann, agreement).await;
    assert!(before.outstanding().unwrap().penalty.is_positive());
    let command = Arrange {
        whom: Whom::All {
            region: Some("CN".to_owned()),
            institution: Some(market::INSTITUTION.to_owned()),
        },
        defer_days: 30,
        waive_penalties: true,
        reason: "flood".to_owned(),
    };
    let key = shop.key().unwrap();
    let done = arrange::arrange(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap()
        .reply();
    assert_eq!(done.agreements, 1);
    assert_eq!(done.waived, before.outstanding().unwrap().penalty);
    let after = loan(&shop, &ann, agreement).await;
    assert_eq!(
        after.rows[0].due_on, before.rows[0].due_on,
        "what was due stays due"
    );
    let moved = before.rows[1].due_on.saturating_add(Span::new().days(30));
    assert_eq!(after.rows[1].due_on, moved);
    assert_eq!(after.outstanding().unwrap().penalty, Amount::ZERO);
    let again = arrange::arrange(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    assert_eq!(again, Change::AlreadyMade(done));
    assert_eq!(
        loan(&shop, &ann, agreement).await.rows[1].due_on,
        moved,
        "twice moves nothing twice"
    );
    let elsewhere = Arrange {
        whom: Whom::All {
            region: Some("CN-44".to_owned()),
            institution: None,
        },
        ..command
    };
    let none = arrange::arrange(&shop.app, &staff("care"), &shop.key().unwrap(), elsewhere).await;
    assert_eq!(none.unwrap().reply().agreements, 0);
    shop.works().await.unwrap();
    let told = shop.sandbox.messages_to(&format!("+86{}", ann.phone));
    assert!(told.iter().any(|m| m.text.contains("flood")), "{told:?}");
    is_clean(&shop).await;
}

#[tokio::test]
async fn a_waiver_takes_no_more_than_is_open_and_a_large_one_needs_two() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(11_000)).await.unwrap();
    let command = |component, amount| Waive {
        shopper: ann.id,
        agreement,
        component,
        amount: yuan(amount),
        reason: WHY.to_owned(),
    };
    let asked = |component, amount| {
        let command = command(component, amount);
        let key = shop.key().unwrap();
        let app = &shop.app;
        async move { waive::waive(app, &staff("care"), &key, command).await }
    };
    let nothing = asked(Component::Penalty, 10).await;
    assert_eq!(refused(nothing), Refusal::NothingDue);
    let Outcome::Done(done) = asked(Component::Fee, 100_000).await.unwrap().reply() else {
        panic!("the fee is 792.00 in all");
    };
    assert_eq!(done.amount, yuan(792));
    assert_eq!(
        loan(&shop, &ann, agreement).await.outstanding().unwrap().fee,
        Amount::ZERO
    );
    let Outcome::NeedsSecondPerson(proposal) = asked(Component::Principal, 10_500).await.unwrap().reply()
    else {
        panic!("10,500.00 is above one person's reach");
    };
    let key = shop.key().unwrap();
    approve::approve(&shop.app, &staff("checker"), &key, decide(proposal))
        .await
        .unwrap();
    assert_eq!(
        loan(&shop, &ann, agreement)
            .await
            .outstanding()
            .unwrap()
            .total()
            .unwrap(),
        yuan(500)
    );
    assert_eq!(
        line(&shop, &ann).await.used,
        yuan(500),
        "waived principal is free again"
    );
    is_clean(&shop).await;
    let back = TakeBack {
        shopper: ann.id,
        agreement,
        number: done.number,
        reason: WHY.to_owned(),
    };
    backdate::take_back(&shop.app, &staff("care"), &shop.key().unwrap(), back)
        .await
        .unwrap();
    assert!(
        loan(&shop, &ann, agreement)
            .await
            .outstanding()
            .unwrap()
            .fee
            .is_positive()
    );
    is_clean(&shop).await;
}

#[tokio::test]
async fn a_payment_entered_for_an_earlier_day_undoes_the_lateness_that_followed() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(50)).await.unwrap();
    let late = loan(&shop, &ann, agreement).await;
    assert!(late.outstanding().unwrap().penalty.is_positive());
    let command = EnterPayment {
        shopper: ann.id,
        agreement,
        amount: Amount::from_minor(10_720),
        on: day(31),
        proof: "TT-20250205-7".to_owned(),
        reason: WHY.to_owned(),
    };
    let key = shop.key().unwrap();
    let entered = backdate::enter_payment(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    assert_eq!(entered.clone().reply().payable, Amount::ZERO);
    let cured = loan(&shop, &ann, agreement).await;
    assert_eq!(
        (cured.days_past_due, cured.outstanding().unwrap().penalty),
        (0, Amount::ZERO)
    );
    is_clean(&shop).await;
    let again = backdate::enter_payment(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    assert_eq!(again, Change::AlreadyMade(entered.clone().reply()));
    let twice =
        backdate::enter_payment(&shop.app, &staff("care"), &shop.key().unwrap(), command.clone()).await;
    assert_eq!(
        refused(twice),
        Refusal::AlreadyExists {
            what: "proof TT-20250205-7".into()
        }
    );
    let early = EnterPayment {
        on: day(-1),
        proof: "TT-1".to_owned(),
        ..command
    };
    let answer = backdate::enter_payment(&shop.app, &staff("care"), &shop.key().unwrap(), early).await;
    assert!(
        matches!(answer, Err(Denied::Invalid(_))),
        "before anything was lent"
    );

    let back = TakeBack {
        shopper: ann.id,
        agreement,
        number: entered.reply().number,
        reason: WHY.to_owned(),
    };
    backdate::take_back(&shop.app, &staff("care"), &shop.key().unwrap(), back.clone())
        .await
        .unwrap();
    assert_eq!(
        loan(&shop, &ann, agreement).await.outstanding(),
        late.outstanding(),
        "as if it had never been"
    );
    let twice = backdate::take_back(&shop.app, &staff("care"), &shop.key().unwrap(), back).await;
    assert!(matches!(refused(twice), Refusal::AlreadyExists { .. }));
    is_clean(&shop).await;
}

#[tokio::test]
async fn what_a_channel_moved_is_not_taken_back_by_staff() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.passes_until(day(32)).await.unwrap();
    let back = TakeBack {
        shopper: ann.id,
        agreement,
        number: 2,
        reason: WHY.to_owned(),
    };
    let answer = backdate::take_back(&shop.app, &staff("care"), &shop.key().unwrap(), back).await;
    assert_eq!(answer, Err(Denied::NotFound));
}

#[tokio::test]
async fn a_version_of_a_plan_is_never_changed_and_a_withdrawn_plan_does_not_come_back() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let put = |items: Vec<Item>| {
        let command = Configure {
            items,
            reason: WHY.to_owned(),
        };
        let key = shop.key().unwrap();
        let app = &shop.app;
        async move { configure::configure(app, &staff("boss"), &key, command).await }
    };
    let same = put(vec![Item::Plan(Box::new(market::plan()))])
        .await
        .unwrap()
        .reply();
    assert_eq!(same.written, 0, "word for word what is there");
    let mut other = market::plan();
    other.count = 6;
    let answer = put(vec![Item::Plan(Box::new(other.clone()))]).await;
    assert!(matches!(refused(answer), Refusal::AlreadyExists { what } if what.contains("the next is 2")));
    other.version = 2;
    put(vec![Item::Plan(Box::new(other.clone()))]).await.unwrap();
    let seen = shop.app.configuration().await.unwrap();
    assert_eq!(seen.plans[market::PLAN].count, 6, "seen at once");
    put(vec![Item::WithdrawPlan(market::PLAN.to_owned())])
        .await
        .unwrap();
    let ask = shop.question(&ann, yuan(1_200));
    assert!(
        offer::offer(&shop.app, &ann.actor(), &ask)
            .await
            .unwrap()
            .is_empty()
    );
    other.version = 3;
    let answer = put(vec![Item::Plan(Box::new(other))]).await;
    assert!(matches!(answer, Err(Denied::Invalid(_))));
}

#[tokio::test]
async fn a_market_with_one_mistake_is_not_taken_at_all_and_each_mistake_is_named() {
    let shop = shop().await.unwrap();
    let mut plan = market::plan();
    (plan.code, plan.count) = ("new-plan".to_owned(), 61);
    plan.institution = "nobody".to_owned();
    let mut region = market::region("CN-31");
    region.annual_cap = Rate::ZERO;
    let command = Configure {
        items: vec![
            Item::Institution(market::institution()),
            Item::Plan(Box::new(plan)),
            Item::Region(region),
        ],
        reason: WHY.to_owned(),
    };
    let before = shop.app.store.generation().await.unwrap();
    let answer = configure::configure(&shop.app, &staff("boss"), &shop.key().unwrap(), command).await;
    let Err(Denied::Invalid(wrong)) = answer else {
        panic!("{answer:?}");
    };
    let fields: Vec<&str> = wrong.iter().map(|w| w.field.as_str()).collect();
    assert_eq!(
        fields,
        ["/items/1/count", "/items/1/institution", "/items/2/annual_cap"]
    );
    assert_eq!(shop.app.store.generation().await.unwrap(), before);
    assert!(
        !shop
            .app
            .configuration()
            .await
            .unwrap()
            .regions
            .contains_key("CN-31")
    );
}

#[tokio::test]
async fn a_campaigns_budget_is_opened_once_and_set_afterwards() {
    let shop = shop().await.unwrap();
    let now = shop.app.clock.now();
    let campaign = Campaign {
        code: "spring".to_owned(),
        seller: market::SELLER.to_owned(),
        from: now,
        until: now.checked_add(SignedDuration::from_hours(240)).unwrap(),
        budget: yuan(1_000),
    };
    let command = Configure {
        items: vec![Item::Campaign(campaign)],
        reason: WHY.to_owned(),
    };
    for _ in 0..2 {
        let key = shop.key().unwrap();
        configure::configure(&shop.app, &staff("boss"), &key, command.clone())
            .await
            .unwrap();
        let slices = shop.app.store.budget_slices("spring").await.unwrap();
        assert_eq!(slices.len(), 16);
        assert_eq!(slices.iter().map(|(_, left)| left).sum::<i64>(), 100_000);
    }
    let set = SetBudget {
        campaign: "spring".to_owned(),
        left: yuan(10),
        reason: WHY.to_owned(),
    };
    let done = budget::set_budget(&shop.app, &staff("boss"), &shop.key().unwrap(), set)
        .await
        .unwrap()
        .reply();
    assert_eq!((done.before, done.left), (yuan(1_000), yuan(10)));
    let slices = shop.app.store.budget_slices("spring").await.unwrap();
    assert_eq!(slices.iter().map(|(_, left)| left).sum::<i64>(), 1_000);
}

#[tokio::test]
async fn a_notice_is_seen_in_its_region_until_it_is_taken_down() {
    let shop = shop().await.unwrap();
    let publish = Publish {
        party: market::INSTITUTION.to_owned(),
        region: Some("CN-44".to_owned()),
        capabilities: vec![Capability::Confirm],
        title: ("暂停".to_owned(), "Paused".to_owned()),
        text: (
            "小付在广东暂停办理。".to_owned(),
            "Xiaofu pauses in Guangdong.".to_owned(),
        ),
        from: None,
        expected_recovery_at: None,
        reason: WHY.to_owned(),
    };
    let up = notice::publish(&shop.app, &staff("ops"), &shop.key().unwrap(), publish)
        .await
        .unwrap()
        .reply();
    assert_eq!(notice::notices(&shop.app, "CN-44").await.unwrap(), [up.clone()]);
    assert_eq!(notice::notices(&shop.app, "CN-11").await.unwrap(), []);
    let end = End {
        notice: up.id,
        reason: WHY.to_owned(),
    };
    notice::end(&shop.app, &staff("ops"), &shop.key().unwrap(), end.clone())
        .await
        .unwrap();
    assert_eq!(notice::notices(&shop.app, "CN-44").await.unwrap(), []);
    let twice = notice::end(&shop.app, &staff("ops"), &shop.key().unwrap(), end).await;
    assert_eq!(twice, Err(Denied::NotFound));
}
