//! What leaves the platform, and what is kept of people.

use fenqi_app::Denied;
use fenqi_app::checkout::name_contact::{NameContact, name_contact};
use fenqi_app::jobs::publish;
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::Refusal;
use fenqi_sim::shop;

#[tokio::test]
async fn every_event_reaches_the_feed_once_and_the_positions_have_no_gaps() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    shop.buys(&ann, Amount::from_minor(120_000)).await.unwrap();
    publish::run(&shop.app, "one").await.unwrap();
    publish::run(&shop.app, "one").await.unwrap();
    let feed = shop.app.store.feed_after(publish::FEED, 0, 1_000).await.unwrap();
    assert!(feed.iter().any(|event| event.kind == "agreement.captured"));
    let positions: Vec<i64> = feed.iter().map(|event| event.position).collect();
    assert_eq!(
        positions,
        (1..=i64::try_from(feed.len()).unwrap()).collect::<Vec<_>>()
    );
    let mut events: Vec<_> = feed.iter().map(|e| &e.key).collect();
    events.sort();
    events.dedup();
    assert_eq!(events.len(), feed.len(), "each once");
}

// H1: without the contact's own consent nothing is kept.
#[tokio::test]
async fn a_contact_is_kept_only_if_they_agreed_themselves() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let mut contact = NameContact {
        name: Pii::new("李父".into()),
        phone: Pii::new("139 0000 0000".into()),
        relation: "parent".into(),
        has_agreed: false,
    };
    let denied = name_contact(&shop.app, &ann.actor(), ann.id, &contact)
        .await
        .unwrap_err();
    assert_eq!(
        denied,
        Denied::from(Refusal::ConsentMissing {
            purpose: "contact".into()
        })
    );
    contact.has_agreed = true;
    name_contact(&shop.app, &ann.actor(), ann.id, &contact)
        .await
        .unwrap();
    contact.phone = Pii::new("12".into());
    let denied = name_contact(&shop.app, &ann.actor(), ann.id, &contact)
        .await
        .unwrap_err();
    assert!(matches!(denied, Denied::Invalid(_)), "{denied}");
}
