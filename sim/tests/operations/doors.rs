//! The doors: what a store may not see or do for a shopper, and that what staff do for one is on record.

use fenqi_app::checkout::bind_card::{self, BindCard};
use fenqi_app::checkout::cancel::{self, Cancel};
use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::checkout::name_contact::{self, NameContact};
use fenqi_app::checkout::verify_identity::{self, Proof};
use fenqi_app::checkout::{agree, apply, offer, open_account, quote};
use fenqi_app::operations::dispute;
use fenqi_app::operations::freeze::{self, Freeze, Unfreeze};
use fenqi_app::operations::limit::{self, SetOwnLimit};
use fenqi_app::operations::{standing, timeline};
use fenqi_app::repayment::answer_return::{self, Answer, AnswerReturn};
use fenqi_app::repayment::mandate::{self, ChangeMandate};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::refund::{self, Refund};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::repayment::settle::{self, Settle};
use fenqi_app::repayment::why::{self, Figure};
use fenqi_app::repayment::{bills, certificate, preview};
use fenqi_app::{Change, Denied, Key};
use fenqi_domain::actor::Actor;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_domain::standing::FreezeReason;
use fenqi_sim::{Buyer, Shop, market, shop, staff, store, yuan};

use crate::{WHY, is_clean, line, refused};

/// What is known of an answer besides what was answered.
fn bare<T>(answer: Result<T, Denied>) -> Result<(), Denied> {
    answer.map(|_| ())
}

/// What a shopper can look at, each by its name.
async fn looks(shop: &Shop, actor: &Actor, ann: &Buyer, id: AgreementId) -> Vec<(&'static str, bool)> {
    let app = &shop.app;
    let ask = shop.question(ann, yuan(500));
    let goods = all_of(ann, id);
    let lender = market::INSTITUTION;
    let answers = [
        ("offer", bare(offer::offer(app, actor, &ask).await)),
        (
            "offers",
            bare(offer::offers(app, actor, std::slice::from_ref(&ask)).await),
        ),
        (
            "quote",
            bare(quote::quote(app, actor, ann.id, market::PLAN, &ask).await),
        ),
        ("standing", bare(standing::standing(app, actor, ann.id).await)),
        (
            "timeline",
            bare(timeline::timeline(app, actor, ann.id, lender).await),
        ),
        ("disputes", bare(dispute::disputes(app, actor, ann.id).await)),
        ("bills", bare(bills::bills(app, actor, ann.id).await)),
        ("agreement", bare(bills::agreement(app, actor, ann.id, id).await)),
        (
            "certificate",
            bare(certificate::certificate(app, actor, ann.id, id).await),
        ),
        ("payoff", bare(settle::quote(app, actor, ann.id, id).await)),
        (
            "why",
            bare(why::why(app, actor, ann.id, Figure::Payable { agreement: id }).await),
        ),
        (
            "preview",
            bare(preview::preview(app, actor, ann.id, &[], yuan(1)).await),
        ),
        (
            "a return",
            bare(request_return::preview(app, actor, &goods).await),
        ),
    ];
    let closed = |(name, answer)| (name, answer == Err(Denied::NotFound));
    answers.into_iter().map(closed).collect()
}

type Answers = Vec<(&'static str, Result<(), Denied>)>;

/// What a shopper can do at a checkout, each by its name.
async fn deeds_at_checkout(shop: &Shop, actor: &Actor, ann: &Buyer) -> Answers {
    let (app, shopper) = (&shop.app, ann.id);
    let key = || shop.key().unwrap();
    let lender = || market::INSTITUTION.to_owned();
    let binding = BindCard {
        shopper,
        token: ann.token.to_owned(),
        institutions: vec![lender()],
    };
    let contact = NameContact {
        name: Pii::new("李波".to_owned()),
        phone: Pii::new("13800000003".to_owned()),
        relation: "friend".to_owned(),
        has_agreed: true,
    };
    let income = apply::Apply {
        shopper,
        institution: lender(),
        income: yuan(12_000),
    };
    let own = SetOwnLimit {
        shopper,
        institution: lender(),
        limit: Some(yuan(9_000)),
    };
    let face = Proof::Face {
        session: "face-desk".to_owned(),
    };
    let reads = shop.reads().await.unwrap();
    let named = name_contact::name_contact(app, actor, shopper, &contact).await;
    let proved = verify_identity::verify_identity(app, actor, &key(), shopper, face).await;
    vec![
        ("agree", agree::agree(app, actor, shopper, "*", &reads).await),
        ("name_contact", named),
        ("verify_identity", bare(proved)),
        ("apply", bare(apply::apply(app, actor, &key(), income).await)),
        (
            "set_own_limit",
            bare(limit::set_own_limit(app, actor, &key(), own).await),
        ),
        (
            "bind_card",
            bare(bind_card::bind_card(app, actor, &key(), binding).await),
        ),
    ]
}

/// What a shopper can do about an agreement, each by its name.
async fn deeds_about(shop: &Shop, actor: &Actor, ann: &Buyer, id: AgreementId) -> Answers {
    let (app, shopper) = (&shop.app, ann.id);
    let key = || shop.key().unwrap();
    let paying = Pay {
        shopper,
        payer: shopper,
        agreements: vec![id],
        amount: yuan(1),
        card: ann.card,
    };
    let revoking = ChangeMandate {
        shopper,
        institution: market::INSTITUTION.to_owned(),
        card: None,
        maximum: Amount::ZERO,
    };
    let claim = dispute::Open {
        shopper,
        agreement: id,
        claim: WHY.to_owned(),
    };
    let asked = request_return::request_return(app, actor, &key(), all_of(ann, id)).await;
    let withdrawn = request_return::withdraw(app, actor, &key(), shopper, id).await;
    vec![
        ("request_return", bare(asked)),
        ("withdraw_return", bare(withdrawn)),
        ("pay", bare(pay::pay(app, actor, &key(), paying).await)),
        (
            "mandate",
            bare(mandate::mandate(app, actor, &key(), revoking).await),
        ),
        (
            "open_dispute",
            bare(dispute::open(app, actor, &key(), claim).await),
        ),
    ]
}

fn all_of(ann: &Buyer, agreement: AgreementId) -> RequestReturn {
    RequestReturn {
        shopper: ann.id,
        agreement,
        lines: Vec::new(),
    }
}

#[tokio::test]
async fn a_store_and_another_shopper_see_nothing_of_a_shopper_and_do_nothing_in_their_name() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    for actor in [store(market::SELLER), store("juniper"), bo.actor()] {
        for (name, is_closed) in looks(&shop, &actor, &ann, id).await {
            assert!(is_closed, "{name} is open to {actor:?}");
        }
        let mut deeds = deeds_at_checkout(&shop, &actor, &ann).await;
        deeds.extend(deeds_about(&shop, &actor, &ann, id).await);
        for (name, answer) in deeds {
            assert_eq!(answer, Err(Denied::NotFound), "{name} by {actor:?}");
        }
        let settling = Settle {
            shopper: ann.id,
            agreement: id,
            amount: yuan(1_200),
            card: ann.card,
        };
        let settled = settle::settle(&shop.app, &actor, &shop.key().unwrap(), settling).await;
        assert_eq!(bare(settled), Err(Denied::NotFound));
    }
    // In her own session every door is open, and about goods alone a store may ask.
    let own = looks(&shop, &ann.actor(), &ann, id).await;
    assert!(own.iter().all(|(_, is_closed)| !is_closed), "{own:?}");
    let ask = offer::Ask {
        shopper: None,
        ..shop.question(&ann, yuan(500))
    };
    offer::offer(&shop.app, &store(market::SELLER), &ask)
        .await
        .unwrap();
}

#[tokio::test]
async fn whose_a_phone_is_is_told_to_staff_alone() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let open = async |actor: Actor, phone| {
        let key = shop.key().unwrap();
        let opened = open_account::open_account(&shop.app, &actor, &key, phone).await;
        opened.map(Change::reply)
    };
    assert_eq!(
        refused(open(store(market::SELLER), ann.phone).await),
        Refusal::exists(What::Phone)
    );
    for phone in [ann.phone, "13800000009"] {
        assert_eq!(open(ann.actor(), phone).await, Err(Denied::NotFound));
    }
    assert_eq!(open(staff("kim"), ann.phone).await, Ok(ann.id));
    let new = open(store(market::SELLER), "13800000009").await.unwrap();
    assert_ne!(new, ann.id);
}

#[tokio::test]
async fn a_store_whose_answer_was_lost_gets_the_account_that_it_opened() {
    let shop = shop().await.unwrap();
    let key = shop.key().unwrap();
    let seller = store(market::SELLER);
    let open = async |key: &Key, phone| open_account::open_account(&shop.app, &seller, key, phone).await;
    let opened = open(&key, "13800000009").await.unwrap();
    let again = open(&key, "13800000009").await.unwrap();
    assert_eq!(again, Change::AlreadyMade(opened.reply()));
    assert_eq!(
        refused(open(&shop.key().unwrap(), "13800000009").await),
        Refusal::exists(What::Phone)
    );
    assert_eq!(open(&key, "13800000008").await, Err(Denied::KeyReused));
}

/// How many records there are, and the last as who and what.
async fn trail(shop: &Shop) -> (usize, String) {
    let records = shop.app.store.audit().await.unwrap();
    let last = records.last().map(|r| format!("{} {}", r.who, r.what));
    (records.len(), last.unwrap_or_default())
}

/// What a store can do about orders: one ships, one is cancelled, of one a part is refunded.
async fn deeds_of_a_store(shop: &Shop, actor: &Actor, ann: &Buyer, orders: [AgreementId; 3]) -> Answers {
    let (app, shopper) = (&shop.app, ann.id);
    let key = || shop.key().unwrap();
    let [shipped, cancelled, kept] = orders;
    let capturing = Capture {
        shopper,
        agreement: shipped,
        amount: None,
        is_final: false,
    };
    let same = key();
    let captured = capture::capture(app, actor, &same, capturing.clone()).await;
    let again = capture::capture(app, actor, &same, capturing).await.unwrap();
    assert!(matches!(again, Change::AlreadyMade(_)));
    let cancelling = Cancel {
        shopper,
        agreement: cancelled,
    };
    let refunding = Refund {
        shopper,
        agreement: kept,
        amount: yuan(100),
        with_paid_fees: false,
    };
    vec![
        ("capture", bare(captured)),
        (
            "cancel",
            bare(cancel::cancel(app, actor, &key(), cancelling).await),
        ),
        (
            "refund",
            bare(refund::refund(app, actor, &key(), refunding).await),
        ),
    ]
}

#[tokio::test]
async fn whatever_staff_do_for_a_shopper_or_a_store_is_on_record_once() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let (app, kim) = (&shop.app, staff("kim"));
    let (before, _) = trail(&shop).await;
    let shipped = shop.confirms(&ann, yuan(1_200)).await.unwrap();
    let cancelled = shop.confirms(&ann, yuan(500)).await.unwrap();
    let kept = shop.buys(&ann, yuan(700)).await.unwrap();
    assert_eq!(
        trail(&shop).await.0,
        before,
        "what shoppers and stores do is their own"
    );

    let mut done = deeds_of_a_store(&shop, &kim, &ann, [shipped, cancelled, kept]).await;
    done.extend(deeds_at_checkout(&shop, &kim, &ann).await);
    done.extend(deeds_about(&shop, &kim, &ann, shipped).await);
    let goods = all_of(&ann, shipped);
    let asked = request_return::request_return(app, &ann.actor(), &shop.key().unwrap(), goods).await;
    asked.unwrap();
    let answering = AnswerReturn {
        shopper: ann.id,
        agreement: shipped,
        answer: Answer::Accept { with_paid_fees: true },
    };
    let answered = answer_return::answer_return(app, &kim, &shop.key().unwrap(), answering).await;
    done.push(("answer_return", bare(answered)));
    let opened = open_account::open_account(app, &kim, &shop.key().unwrap(), "13800000009").await;
    done.push(("open_account", bare(opened)));

    // Commands of one instant have no order, so that the names are compared sorted.
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    let records = shop.app.store.audit().await.unwrap();
    let told = records.iter().filter(|r| r.who == "staff:kim");
    let made = done.iter().filter(|(_, answer)| answer.is_ok());
    assert_eq!(
        sorted(told.map(|r| r.what.clone()).collect()),
        sorted(made.map(|(name, _)| (*name).to_owned()).collect()),
        "each once"
    );
    // She has credit there and this card already; what was refused is not on record.
    let refused = done.iter().filter(|(_, answer)| answer.is_err());
    let refused: Vec<&str> = refused.map(|(name, _)| *name).collect();
    assert_eq!(refused, ["apply", "bind_card"]);
    assert!(
        records.iter().all(|r| !r.detail.contains("李波")),
        "names stay sealed"
    );
    is_clean(&shop).await;
}

#[tokio::test]
async fn a_command_with_a_reason_is_on_record_once_with_it() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let (before, _) = trail(&shop).await;
    let (app, kim) = (&shop.app, staff("kim"));
    let command = Freeze {
        shopper: ann.id,
        why: FreezeReason::SuspectedMisuse,
        reason: WHY.to_owned(),
    };
    freeze::freeze(app, &kim, &shop.key().unwrap(), command)
        .await
        .unwrap();
    let lift = Unfreeze {
        shopper: ann.id,
        reason: WHY.to_owned(),
    };
    freeze::unfreeze(app, &kim, &shop.key().unwrap(), lift)
        .await
        .unwrap();
    assert_eq!(trail(&shop).await.0, before + 2);
    let records = app.store.audit().await.unwrap();
    assert!(records.iter().skip(before).all(|r| r.reason == WHY));
    assert_eq!(line(&shop, &ann).await.limit, yuan(12_000));
}
