//! What leaves the platform, and what is kept of people.

use fenqi_app::Denied;
use fenqi_app::checkout::name_contact::{NameContact, name_contact};
use fenqi_app::jobs::publish;
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::Refusal;
use fenqi_sim::shop;
use fenqi_store::tables::feed::{self, Waiting};
use fenqi_store::{Batch, CommitError, Guard};

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

#[tokio::test]
async fn an_event_is_published_once_whoever_else_takes_himself_for_the_publisher() {
    let shop = shop().await.unwrap();
    shop.ann().await.unwrap();
    let store = &shop.app.store;
    let events = store.unpublished(&Waiting::FIRST, 1_000).await.unwrap();
    let keys: Vec<_> = events.iter().map(|event| event.key.clone()).collect();
    let publishes = |position| {
        let mut batch = Batch::new(publish::FEED);
        feed::published(&mut batch, publish::FEED, position, &events);
        store.commit(batch)
    };
    publishes(1).await.unwrap();
    let refused = Err(CommitError::Refused(Guard::Unchanged));
    assert_eq!(publishes(1).await, refused, "the position is taken");
    let behind = store.feed_last(publish::FEED).await.unwrap() + 1;
    assert_eq!(publishes(behind).await, refused, "the events are published");
    let published = store.feed_after(publish::FEED, 0, 1_000).await.unwrap();
    let published: Vec<_> = published.into_iter().map(|event| event.key).collect();
    assert!(!events.is_empty() && published == keys);
    // A page may end anywhere within a row.
    let rest = store.feed_after(publish::FEED, 2, 1).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].position, &rest[0].key), (3, &keys[2]));
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
