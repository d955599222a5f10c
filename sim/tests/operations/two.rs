//! What one must not do alone: proposed by one, approved by another, once, and as things stand then. On both databases.

use std::sync::Arc;

use fenqi_app::operations::approve::{self, Done, Outcome};
use fenqi_app::operations::arrange::{self, Arrange, Whom};
use fenqi_app::operations::backdate::{self, EnterPayment};
use fenqi_app::operations::budget::{self, SetBudget};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::operations::waive::{self, Waive, Waived};
use fenqi_app::repayment::answer_return::{self, Answer, AnswerReturn};
use fenqi_app::repayment::refund::{self, Refund};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::{Change, Denied};
use fenqi_domain::actor::Actor;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Campaign, Component};
use fenqi_domain::refusal::{Alternative, Refusal, What};
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, shop_on, staff, yuan};
use fenqi_store::{Postgres, PostgresOptions, create_schema, drop_schema};
use jiff::SignedDuration;

use crate::{WHY, day, decide, is_clean, line, loan, proposal, proposed, refused, set_limit};

/// Each test on SQLite, and on PostgreSQL where there is a server.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(fenqi_sim::shop().await.unwrap()).await;
            })*
        }

        #[expect(clippy::disallowed_macros, reason = "a test without a server says that it is skipped")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
                    println!("skipped: FENQI_TEST_POSTGRES names no server");
                    return;
                };
                let schema = format!("two_{}", std::process::id());
                super::create_schema(&url, &schema).await.unwrap();
                super::$test(super::shop_there(&url, &schema).await).await;
                super::drop_schema(&url, &schema).await.unwrap();
            })*
        }
    };
}

on_both! {
    a_waiver_in_parts_meets_the_bound_as_the_whole_would,
    a_waiver_beyond_what_is_open_is_refused_with_what_is_open,
    the_penalties_of_an_arrangement_are_weighed_with_what_was_waived,
    a_limit_in_parts_meets_the_bound_as_the_whole_would,
    a_payment_by_hand_settles_nothing_until_another_person_looked,
    staff_give_back_no_more_of_a_sellers_money_than_one_may,
    whoever_proposed_approves_nothing,
    a_proposal_runs_out,
    of_two_who_approve_at_once_one_does,
    a_waiver_of_a_loan_that_was_settled_meanwhile_is_refused,
    a_limit_that_moved_meanwhile_is_not_set,
    more_money_for_a_campaign_is_added_to_what_is_left_then,
    what_concerns_money_is_configured_by_two,
    a_configuration_that_changed_meanwhile_is_not_put_back,
}

async fn shop_there(url: &str, schema: &str) -> Shop {
    let options = PostgresOptions::new(url).in_schema(schema);
    let postgres = Postgres::connect(&options).await.unwrap();
    postgres.migrate(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    shop_on(Arc::new(postgres), 1).await.unwrap()
}

/// Ann, with a limit of 60,000.00 and a loan of this many yuan.
async fn with_loan(shop: &Shop, price: i64) -> (Buyer, AgreementId) {
    let ann = shop.ann().await.unwrap();
    let raise = proposed(shop, &ann, 60_000).await;
    shop.approves(raise).await.unwrap();
    let agreement = shop.buys(&ann, yuan(price)).await.unwrap();
    (ann, agreement)
}

/// Staff of this name waive a part of the principal.
async fn waives(
    shop: &Shop,
    who: &str,
    (ann, agreement): (&Buyer, AgreementId),
    amount: i64,
) -> Result<Outcome<Waived>, Denied> {
    let command = Waive {
        shopper: ann.id,
        agreement,
        component: Component::Principal,
        amount: yuan(amount),
        reason: WHY.to_owned(),
    };
    let waived = waive::waive(&shop.app, &staff(who), &shop.key()?, command).await?;
    Ok(waived.reply())
}

async fn principal(shop: &Shop, (ann, agreement): (&Buyer, AgreementId)) -> Amount {
    loan(shop, ann, agreement).await.outstanding().unwrap().principal
}

async fn a_waiver_in_parts_meets_the_bound_as_the_whole_would(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let about = (&ann, agreement);
    assert!(matches!(
        waives(&shop, "one", about, 9_000).await,
        Ok(Outcome::Done(_))
    ));
    // Whoever asks: what counts is what was waived of the agreement.
    let second = proposal(waives(&shop, "two", about, 9_000).await);
    assert_eq!(principal(&shop, about).await, yuan(31_000), "nothing of it yet");
    let rest = waives(&shop, "one", about, 1_000).await;
    assert!(
        matches!(rest, Ok(Outcome::Done(_))),
        "10,000.00 in all is not above: {rest:?}"
    );
    let approved = shop.approves(second).await.unwrap().reply();
    assert!(matches!(approved.done, Some(Done::Waive(waived)) if waived.outstanding >= yuan(21_000)));
    proposal(waives(&shop, "one", about, 1).await);
    // After thirty days it is forgotten.
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(31)).await.unwrap();
    assert!(matches!(
        waives(&shop, "one", about, 9_000).await,
        Ok(Outcome::Done(_))
    ));
    assert_eq!(principal(&shop, about).await, yuan(12_000));
    is_clean(&shop).await;
}

async fn a_waiver_beyond_what_is_open_is_refused_with_what_is_open(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 11_000).await;
    let open = |open| Refusal::WaiverTooLarge {
        component: Component::Principal,
        open,
    };
    let beyond = refused(waives(&shop, "one", (&ann, agreement), 11_001).await);
    assert_eq!(beyond, open(yuan(11_000)));
    let most = Alternative::AmountWithin {
        minimum: Amount::from_minor(1),
        maximum: yuan(11_000),
    };
    assert_eq!(beyond.alternatives(), [most]);
    // Nothing of it is left, while fees are still owed.
    let all = proposal(waives(&shop, "one", (&ann, agreement), 11_000).await);
    shop.approves(all).await.unwrap();
    let nothing = refused(waives(&shop, "one", (&ann, agreement), 1).await);
    assert_eq!(nothing, open(Amount::ZERO));
    is_clean(&shop).await;
}

async fn the_penalties_of_an_arrangement_are_weighed_with_what_was_waived(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(42)).await.unwrap();
    let arranges = || {
        let command = Arrange {
            whom: Whom::Agreement {
                shopper: ann.id,
                agreement,
            },
            defer_days: 0,
            waive_penalties: true,
            reason: WHY.to_owned(),
        };
        let (app, key) = (&shop.app, shop.key().unwrap());
        async move {
            let arranged = arrange::arrange(app, &staff("one"), &key, command).await;
            arranged.map(Change::reply)
        }
    };
    let open = loan(&shop, &ann, agreement).await.outstanding().unwrap().penalty;
    assert!(open.is_positive());
    let all = waives(&shop, "one", (&ann, agreement), 10_000).await;
    assert!(matches!(all, Ok(Outcome::Done(_))));
    let arrangement = proposal(arranges().await);
    let still = loan(&shop, &ann, agreement).await.outstanding().unwrap().penalty;
    assert!(still.is_positive(), "nothing yet");
    let approved = shop.approves(arrangement).await.unwrap().reply();
    assert!(matches!(approved.done, Some(Done::Arrange(done)) if done.waived == still));
    assert_eq!(refused(arranges().await), Refusal::NothingToArrange);
    is_clean(&shop).await;
}

async fn a_limit_in_parts_meets_the_bound_as_the_whole_would(shop: Shop) {
    let ann = shop.ann().await.unwrap();
    let first = set_limit(&shop, "one", &ann, 20_000).await;
    assert!(matches!(first, Ok(Outcome::Done(_))));
    let second = proposal(set_limit(&shop, "one", &ann, 28_000).await);
    assert_eq!(line(&shop, &ann).await.limit, yuan(20_000));
    // What goes down is added up by itself.
    let lowered = set_limit(&shop, "one", &ann, 12_000).await;
    assert!(matches!(lowered, Ok(Outcome::Done(_))));
    proposal(set_limit(&shop, "one", &ann, 5_000).await);
    assert_eq!(refused(shop.approves(second).await), Refusal::GroundChanged);
    is_clean(&shop).await;
}

/// The finding by which this came to be: a friend's loan, settled by one person.
async fn a_payment_by_hand_settles_nothing_until_another_person_looked(shop: Shop) {
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(3_999)).await.unwrap();
    let command = |proof: &str| EnterPayment {
        shopper: ann.id,
        agreement,
        amount: yuan(3_999),
        on: OPENING,
        proof: proof.to_owned(),
        reason: "because a friend asked".to_owned(),
    };
    let enters = |proof: &str| {
        let (command, key) = (command(proof), shop.key().unwrap());
        let app = &shop.app;
        async move {
            let asked = backdate::enter_payment(app, &staff("maker"), &key, command).await;
            asked.map(Change::reply)
        }
    };
    let first = proposal(enters("TT-1").await);
    let same = proposal(enters("TT-1").await);
    assert_eq!(
        principal(&shop, (&ann, agreement)).await,
        yuan(3_999),
        "nothing yet"
    );
    let approved = shop.approves(first).await.unwrap().reply();
    assert!(matches!(approved.done, Some(Done::EnterPayment(_))));
    assert_eq!(principal(&shop, (&ann, agreement)).await, Amount::ZERO);
    // One transfer is entered once, however often it was proposed.
    let entered = Refusal::AlreadyExists {
        what: What::Proof,
        which: Some("TT-1".into()),
    };
    assert_eq!(refused(shop.approves(same).await), entered);
    let records = shop.app.store.audit().await.unwrap();
    let of_it = records.iter().find(|r| r.what == "loan.enter_payment").unwrap();
    assert_eq!(of_it.who, "staff:maker");
    assert_eq!(of_it.approved_by.as_deref(), Some("staff:checker"));
    is_clean(&shop).await;
}

async fn staff_give_back_no_more_of_a_sellers_money_than_one_may(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let gives = |actor: Actor, amount: i64| {
        let command = Refund {
            shopper: ann.id,
            agreement,
            amount: yuan(amount),
            with_paid_fees: false,
        };
        let (app, key) = (&shop.app, shop.key().unwrap());
        async move {
            let given = refund::refund(app, &actor, &key, command).await;
            given.map(Change::reply)
        }
    };
    let seller = || fenqi_sim::store(market::SELLER);
    assert!(matches!(gives(staff("one"), 6_000).await, Ok(Outcome::Done(_))));
    let second = proposal(gives(staff("two"), 6_000).await);
    assert_eq!(
        principal(&shop, (&ann, agreement)).await,
        yuan(34_000),
        "nothing yet"
    );
    let approved = shop.approves(second).await.unwrap().reply();
    assert!(matches!(approved.done, Some(Done::Refund(given)) if given.amount == yuan(6_000)));
    // What is the seller's own is given back by the seller.
    assert!(matches!(gives(seller(), 18_000).await, Ok(Outcome::Done(_))));
    let agreement = shop.buys(&ann, yuan(15_000)).await.unwrap();
    let asking = RequestReturn {
        shopper: ann.id,
        agreement,
        lines: Vec::new(),
    };
    request_return::request_return(&shop.app, &ann.actor(), &shop.key().unwrap(), asking)
        .await
        .unwrap();
    let answering = AnswerReturn {
        shopper: ann.id,
        agreement,
        answer: Answer::Accept { with_paid_fees: true },
    };
    let key = shop.key().unwrap();
    let answered = answer_return::answer_return(&shop.app, &staff("one"), &key, answering).await;
    let accepting = proposal(answered.map(Change::reply));
    shop.approves(accepting).await.unwrap();
    assert_eq!(principal(&shop, (&ann, agreement)).await, Amount::ZERO);
    let records = shop.app.store.audit().await.unwrap();
    let of_it = records.iter().find(|r| r.what == "answer_return").unwrap();
    assert_eq!(
        (of_it.who.as_str(), of_it.approved_by.as_deref()),
        ("staff:one", Some("staff:checker"))
    );
    is_clean(&shop).await;
}

async fn whoever_proposed_approves_nothing(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let waiver = proposal(waives(&shop, "maker", (&ann, agreement), 10_001).await);
    let raise = proposed(&shop, &ann, 90_000).await;
    let before = shop.app.store.audit().await.unwrap().len();
    for proposal in [waiver, raise] {
        let key = shop.key().unwrap();
        let answer = approve::approve(&shop.app, &staff("maker"), &key, decide(proposal)).await;
        assert_eq!(refused(answer), Refusal::SamePerson);
    }
    assert_eq!(shop.app.store.audit().await.unwrap().len(), before);
    assert_eq!(principal(&shop, (&ann, agreement)).await, yuan(40_000));
    assert_eq!(line(&shop, &ann).await.limit, yuan(60_000));
}

async fn a_proposal_runs_out(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let waiver = proposal(waives(&shop, "maker", (&ann, agreement), 10_001).await);
    shop.moves_to(day(4), 10);
    let expired = Refusal::ProposalClosed {
        state: "expired".into(),
    };
    assert_eq!(refused(shop.approves(waiver).await), expired);
    assert_eq!(approve::expire(&shop.app).await.unwrap(), 1);
    assert_eq!(refused(shop.approves(waiver).await), expired);
    assert_eq!(principal(&shop, (&ann, agreement)).await, yuan(40_000));
}

async fn of_two_who_approve_at_once_one_does(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let waiver = proposal(waives(&shop, "maker", (&ann, agreement), 10_001).await);
    let (one, two) = (shop.key().unwrap(), shop.key().unwrap());
    let (first, second) = (staff("first"), staff("second"));
    let (one, two) = tokio::join!(
        approve::approve(&shop.app, &first, &one, decide(waiver)),
        approve::approve(&shop.app, &second, &two, decide(waiver)),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    let approved = Refusal::ProposalClosed {
        state: "approved".into(),
    };
    assert_eq!(refused(if one.is_ok() { two } else { one }), approved);
    assert_eq!(principal(&shop, (&ann, agreement)).await, yuan(29_999), "once");
    is_clean(&shop).await;
}

async fn a_waiver_of_a_loan_that_was_settled_meanwhile_is_refused(shop: Shop) {
    let (ann, agreement) = with_loan(&shop, 20_000).await;
    let waiver = proposal(waives(&shop, "maker", (&ann, agreement), 20_000).await);
    let rest = proposal(waives(&shop, "maker", (&ann, agreement), 15_000).await);
    shop.approves(rest).await.unwrap();
    let open = |open| Refusal::WaiverTooLarge {
        component: Component::Principal,
        open,
    };
    assert_eq!(refused(shop.approves(waiver).await), open(yuan(5_000)));
    // It can still be rejected, and changes nothing.
    let key = shop.key().unwrap();
    approve::reject(&shop.app, &staff("checker"), &key, decide(waiver))
        .await
        .unwrap();
    assert_eq!(principal(&shop, (&ann, agreement)).await, yuan(5_000));
    is_clean(&shop).await;
}

async fn a_limit_that_moved_meanwhile_is_not_set(shop: Shop) {
    let ann = shop.ann().await.unwrap();
    let raise = proposed(&shop, &ann, 30_000).await;
    // The lender's cut came between: 30,000.00 would be more than was looked at.
    let cut = set_limit(&shop, "boss", &ann, 5_000).await;
    assert!(matches!(cut, Ok(Outcome::Done(_))));
    assert_eq!(refused(shop.approves(raise).await), Refusal::GroundChanged);
    assert_eq!(line(&shop, &ann).await.limit, yuan(5_000));
    is_clean(&shop).await;
}

async fn left(shop: &Shop) -> Amount {
    let slices = shop.app.store.budget_slices("spring").await.unwrap();
    Amount::sum(slices.iter().map(|(_, left)| Amount::from_minor(*left))).unwrap()
}

async fn more_money_for_a_campaign_is_added_to_what_is_left_then(shop: Shop) {
    let ann = shop.ann().await.unwrap();
    let now = shop.app.clock.now();
    let campaign = Campaign {
        code: "spring".to_owned(),
        seller: market::SELLER.to_owned(),
        from: now,
        until: now.checked_add(SignedDuration::from_hours(2_400)).unwrap(),
        budget: yuan(1_000),
    };
    let mut plan = market::plan();
    plan.version = 2;
    (plan.campaign, plan.borne_by_seller) = (Some("spring".to_owned()), Rate::ONE);
    shop.configures(vec![Item::Campaign(campaign), Item::Plan(Box::new(plan))])
        .await
        .unwrap();
    let sets = |to: i64| {
        let command = SetBudget {
            campaign: "spring".to_owned(),
            left: yuan(to),
            reason: WHY.to_owned(),
        };
        let (app, key) = (&shop.app, shop.key().unwrap());
        async move {
            let set = budget::set_budget(app, &staff("maker"), &key, command).await;
            set.map(Change::reply)
        }
    };
    let boundless = sets(99_999_999_999).await;
    let raise = proposal(sets(1_500).await);
    assert_eq!(left(&shop).await, yuan(1_000), "nothing yet");
    shop.buys(&ann, yuan(1_000)).await.unwrap();
    assert_eq!(left(&shop).await, yuan(928), "a fee of 72.00 was promised");
    let approved = shop.approves(raise).await.unwrap().reply();
    let Some(Done::RaiseBudget(done)) = approved.done else {
        panic!("{approved:?}");
    };
    assert_eq!(
        (done.before, done.left),
        (yuan(928), yuan(1_428)),
        "500.00 were looked at, and not what a purchase took meanwhile"
    );
    assert_eq!(left(&shop).await, yuan(1_428));
    proposal(boundless);
    // Less needs nobody.
    assert!(matches!(sets(100).await, Ok(Outcome::Done(_))));
    is_clean(&shop).await;
}

/// Staff of the name `maker` put one item.
async fn puts(shop: &Shop, item: Item) -> Result<Outcome<configure::Configured>, Denied> {
    let command = Configure {
        items: vec![item],
        reason: WHY.to_owned(),
    };
    let put = configure::configure(&shop.app, &staff("maker"), &shop.key()?, command).await?;
    Ok(put.reply())
}

async fn what_concerns_money_is_configured_by_two(shop: Shop) {
    let mut plan = market::plan();
    (plan.version, plan.borne_by_seller) = (2, Rate::ONE);
    let put = puts(&shop, Item::Plan(Box::new(plan.clone()))).await;
    assert!(
        matches!(put, Ok(Outcome::Done(_))),
        "nobody has an account yet: {put:?}"
    );
    shop.ann().await.unwrap();
    let configuration = shop.app.configuration().await.unwrap();
    (plan.version, plan.borne_by_seller) = (3, Rate::ZERO);
    let mut dearer = market::phone();
    dearer.price = yuan(4_999);
    let mut margin = market::phone();
    margin.margin_for_plans = Rate::from_bps(1);
    let mut region = market::region(market::REGION);
    region.annual_cap = Rate::from_bps(3_600);
    let mut rules = configuration.rules.clone();
    rules.second_person_above = yuan(1_000_000).minor();
    for item in [
        Item::Plan(Box::new(plan)),
        Item::Product(dearer.clone()),
        Item::Product(margin),
        Item::Region(region.clone()),
        Item::Rules(rules),
    ] {
        proposal(puts(&shop, item).await);
    }
    assert_eq!(
        shop.app.store.generation().await.unwrap(),
        configuration.generation
    );
    // Who stops selling, and names, need nobody else.
    (region.annual_cap, region.is_allowed) = (market::region(market::REGION).annual_cap, false);
    let mut barred = market::phone();
    (barred.is_financeable, barred.name_en) = (false, "A phone".to_owned());
    for item in [
        Item::Region(region),
        Item::Product(barred),
        Item::Institution(market::institution()),
        Item::WithdrawPlan(market::PLAN.to_owned()),
    ] {
        let put = puts(&shop, item).await;
        assert!(matches!(put, Ok(Outcome::Done(_))), "{put:?}");
    }
    is_clean(&shop).await;
}

async fn a_configuration_that_changed_meanwhile_is_not_put_back(shop: Shop) {
    shop.ann().await.unwrap();
    let mut region = market::region(market::REGION);
    region.annual_cap = Rate::from_bps(2_000);
    let raise = proposal(puts(&shop, Item::Region(region.clone())).await);
    // The law changes between; the proposal knew nothing of it.
    let mut forbidden = market::region(market::REGION);
    forbidden.is_allowed = false;
    puts(&shop, Item::Region(forbidden)).await.unwrap();
    assert_eq!(refused(shop.approves(raise).await), Refusal::GroundChanged);
    let stands = shop.app.configuration().await.unwrap().regions[market::REGION].clone();
    assert!(!stands.is_allowed);
    region.is_allowed = false;
    let anew = proposal(puts(&shop, Item::Region(region.clone())).await);
    let listed = approve::proposals(&shop.app, &staff("checker")).await.unwrap();
    let told = listed.iter().find(|p| p.id == anew).unwrap();
    assert_eq!(
        told.replaces.pointer("/0/annual_cap").unwrap(),
        &serde_json::json!(stands.annual_cap),
        "the one who approves sees what it replaces"
    );
    shop.approves(anew).await.unwrap();
    let seen = shop.app.configuration().await.unwrap();
    assert_eq!(seen.regions[market::REGION], region, "seen at once");
    is_clean(&shop).await;
}

#[tokio::test]
async fn one_person_alone_completes_nothing_that_needs_two() {
    let shop = shop().await.unwrap();
    let (ann, agreement) = with_loan(&shop, 40_000).await;
    let mut waived = 0;
    for amount in [9_000, 4_000, 900, 99, 2, 1, 1] {
        if let Ok(Outcome::Done(done)) = waives(&shop, "maker", (&ann, agreement), amount).await {
            waived += done.amount.minor();
        }
        for listed in approve::proposals(&shop.app, &staff("maker")).await.unwrap() {
            let key = shop.key().unwrap();
            let answer = approve::approve(&shop.app, &staff("maker"), &key, decide(listed.id)).await;
            assert!(matches!(answer, Err(Denied::Refused(_))), "{answer:?}");
        }
    }
    assert_eq!(waived, 1_000_000, "10,000.00, and not a fen more");
    is_clean(&shop).await;
}
