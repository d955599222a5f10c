//! The fixture itself: a shop in which somebody can buy.

use fenqi_domain::agreement::Stage;
use fenqi_domain::money::Amount;
use fenqi_sim::{OPENING, shop, yuan};

#[tokio::test]
async fn ann_buys_a_phone_and_the_first_instalment_is_debited() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    assert_ne!(ann.id, bo.id);
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let file = shop
        .app
        .store
        .agreement(ann.id, agreement)
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(file.agreement.stage, Stage::Active { .. }));
    let line = shop.app.store.line(ann.id, "xiaofu").await.unwrap().unwrap().line;
    assert_eq!(
        (line.limit, line.used, line.held),
        (yuan(12_000), yuan(1_200), Amount::ZERO)
    );
    shop.passes_until(OPENING.saturating_add(jiff::Span::new().days(40)))
        .await
        .unwrap();
    let left = shop.sandbox.card("tok_ann").unwrap().balance;
    assert_eq!(
        left,
        Amount::from_minor(5_000_000 - 10_720),
        "100.00 of principal and 7.20 of fee"
    );
}

#[tokio::test]
async fn decisions_of_one_instant_share_no_identifier() {
    let shop = shop().await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let mut moment = shop.app.moment();
        for _ in 0..20 {
            assert!(seen.insert(moment.ids.next_bits()), "after {}", seen.len());
        }
    }
}
