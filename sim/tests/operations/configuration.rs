//! The market: what staff put, change, pause and announce.

use fenqi_app::Denied;
use fenqi_app::checkout::offer;
use fenqi_app::configuration::Rules;
use fenqi_app::mistake::{Mistake, Thing};
use fenqi_app::operations::approve::Outcome;
use fenqi_app::operations::budget::{self, SetBudget};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::operations::limit::{self, SetLimit};
use fenqi_app::operations::notice::{self, End, Publish};
use fenqi_app::operations::suspend::{self, SetPartnership};
use fenqi_app::texts::{self, Language};
use fenqi_domain::market::PartnershipState;
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::Campaign;
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_sim::{market, shop, staff, yuan};
use jiff::SignedDuration;

use crate::{WHY, day, is_offered, loan};

// R2, R3, R4: paused in one region, ended everywhere, resumed; what runs is served on.
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
    suspend::suspend(app, &boss, &shop.key().unwrap(), command(Some("440000")))
        .await
        .unwrap();
    assert_eq!(is_offered(&shop, &ann, "110000").await, Ok(()));
    let refusals = is_offered(&shop, &ann, "440000").await.unwrap_err();
    assert!(matches!(&refusals[0], Refusal::InstitutionSuspended { region: Some(r), .. } if r == "440000"));
    suspend::resume(app, &boss, &shop.key().unwrap(), command(Some("440000")))
        .await
        .unwrap();
    assert_eq!(is_offered(&shop, &ann, "440000").await, Ok(()));

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
    let refusals = is_offered(&shop, &ann, "110000").await.unwrap_err();
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
    assert_eq!(is_offered(&shop, &ann, "110000").await, Ok(()));
}

// R26: versions are never changed, only followed by another.
#[tokio::test]
async fn a_version_of_a_plan_is_never_changed_and_a_withdrawn_plan_does_not_come_back() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    // Word for word what is there.
    shop.configures(vec![Item::Plan(Box::new(market::plan()))])
        .await
        .unwrap();
    assert_eq!(shop.app.store.proposals().await.unwrap().len(), 0);
    let mut other = market::plan();
    other.count = 6;
    let answer = shop.configures(vec![Item::Plan(Box::new(other.clone()))]).await;
    let next = Denied::invalid("/items/0/version", Mistake::count(1, 2, None));
    assert_eq!(answer, Err(next), "the next is 2");
    other.version = 2;
    shop.configures(vec![Item::Plan(Box::new(other.clone()))])
        .await
        .unwrap();
    let seen = shop.app.configuration().await.unwrap();
    assert_eq!(seen.plans[market::PLAN].count, 6, "seen at once");
    shop.configures(vec![Item::WithdrawPlan(market::PLAN.to_owned())])
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
    let answer = shop.configures(vec![Item::Plan(Box::new(other))]).await;
    assert!(matches!(answer, Err(Denied::Invalid(_))));
}

#[tokio::test]
async fn a_market_with_one_mistake_is_not_taken_at_all_and_each_mistake_is_named() {
    let shop = shop().await.unwrap();
    let mut plan = market::plan();
    (plan.code, plan.count) = ("new-plan".to_owned(), 61);
    plan.institution = "nobody".to_owned();
    let mut region = market::region("310000");
    region.annual_cap = Rate::ZERO;
    let mut rules = Rules::default();
    (rules.contact_hours, rules.second_person_above) = ((20, 8), -1);
    (rules.proposal_hours, rules.majority, rules.return_answer_days) = (0, 99, 0);
    let command = Configure {
        items: vec![
            Item::Institution(market::institution()),
            Item::Plan(Box::new(plan)),
            Item::Region(region),
            wrong_everywhere(),
            Item::Rules(rules),
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
        [
            "/items/1/count",
            "/items/1/institution",
            "/items/2/annual_cap",
            "/items/3/code",
            "/items/3/name_zh",
            "/items/3/name_en",
            "/items/3/code",
            "/items/3/contact",
            "/items/3/served_regions",
            "/items/4/contact_hours",
            "/items/4/second_person_above",
            "/items/4/proposal_hours",
            "/items/4/majority",
            "/items/4/return_answer_days",
        ]
    );
    for wrong in &wrong {
        for language in [Language::Zh, Language::En] {
            let told = texts::mistake(wrong, language);
            assert!(!told.says.contains('_') && !told.helps.contains('_'), "{told:?}");
        }
    }
    assert_eq!(shop.app.store.generation().await.unwrap(), before);
    assert!(
        !shop
            .app
            .configuration()
            .await
            .unwrap()
            .regions
            .contains_key("310000")
    );
}

// H5: a budget in 16 slices that sum to it.
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
    let done = budget::set_budget(&shop.app, &staff("boss"), &shop.key().unwrap(), set).await;
    let Outcome::Done(done) = done.unwrap().reply() else {
        panic!("less is set by one person");
    };
    assert_eq!((done.before, done.left), (yuan(1_000), yuan(10)));
    let slices = shop.app.store.budget_slices("spring").await.unwrap();
    assert_eq!(slices.iter().map(|(_, left)| left).sum::<i64>(), 1_000);
}

// R6: a notice is seen in its region, from its publication until it is taken down.
#[tokio::test]
async fn a_notice_is_seen_in_its_region_until_it_is_taken_down() {
    let shop = shop().await.unwrap();
    let publish = Publish {
        party: market::INSTITUTION.to_owned(),
        region: Some("440000".to_owned()),
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
    assert_eq!(
        notice::notices(&shop.app, "440000").await.unwrap(),
        std::slice::from_ref(&up)
    );
    assert_eq!(notice::notices(&shop.app, "110000").await.unwrap(), []);
    let end = End {
        notice: up.id,
        reason: WHY.to_owned(),
    };
    notice::end(&shop.app, &staff("ops"), &shop.key().unwrap(), end.clone())
        .await
        .unwrap();
    assert_eq!(notice::notices(&shop.app, "440000").await.unwrap(), []);
    let twice = notice::end(&shop.app, &staff("ops"), &shop.key().unwrap(), end).await;
    let unknown = Mistake::unknown(Thing::Notice, up.id);
    assert_eq!(twice, Err(Denied::invalid("/notice", unknown)));
}

// Staff are told what it is that does not exist; whoever may not see it is told nothing more than that.
#[tokio::test]
async fn staff_are_told_which_thing_there_is_not() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let app = &shop.app;
    let (kim, key) = (staff("kim"), || shop.key().unwrap());
    let nobody = || "nobody".to_owned();
    let pausing = |institution| SetPartnership {
        institution,
        region: None,
        category: None,
        from: None,
        until: None,
        reason: WHY.to_owned(),
    };
    let raising = SetBudget {
        campaign: nobody(),
        left: yuan(1),
        reason: WHY.to_owned(),
    };
    let limiting = SetLimit {
        shopper: ann.id,
        institution: nobody(),
        limit: yuan(1),
        reason: WHY.to_owned(),
    };
    let answers = [
        (
            bare(suspend::suspend(app, &kim, &key(), pausing(nobody())).await),
            "/institution",
            Thing::Institution,
        ),
        (
            bare(budget::set_budget(app, &kim, &key(), raising).await),
            "/campaign",
            Thing::Campaign,
        ),
        (
            bare(limit::set_limit(app, &kim, &key(), limiting).await),
            "/institution",
            Thing::Line,
        ),
    ];
    for (answer, field, expected) in answers {
        let Err(Denied::Invalid(wrong)) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].field, field);
        let is_named = matches!(&wrong[0].mistake, Mistake::NotKnown { thing, given, .. }
            if *thing == expected && given == "nobody");
        assert!(is_named, "{wrong:?}");
    }
    let by_ann = suspend::suspend(app, &ann.actor(), &key(), pausing(nobody())).await;
    assert_eq!(bare(by_ann), Err(Denied::NotFound));
    let own = limit::SetOwnLimit {
        shopper: ann.id,
        institution: nobody(),
        limit: None,
    };
    let by_ann = limit::set_own_limit(app, &ann.actor(), &key(), own).await;
    assert_eq!(bare(by_ann), Err(Denied::NotFound));
}

/// An institution of which nothing is as it must be.
fn wrong_everywhere() -> Item {
    let mut institution = market::institution();
    institution.code = "a /".to_owned();
    institution.name_zh = String::new();
    institution.name_en = " ".to_owned();
    institution.contact = String::new();
    institution.served_regions = Vec::new();
    Item::Institution(institution)
}

/// The answer without its reply.
fn bare<T>(answer: Result<T, Denied>) -> Result<(), Denied> {
    answer.map(|_| ())
}
