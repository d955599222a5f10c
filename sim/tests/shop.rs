//! The fixture itself: a shop in which somebody can buy, and a shop of one's own.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_domain::agreement::Stage;
use fenqi_domain::money::Amount;
use fenqi_server::data::{Files, load};
use fenqi_server::story::{Place, offers_on_first, play_in};
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

/// What is played of a catalogue of one's own; nothing if no article may be financed.
async fn shown(rows: &str) -> Option<String> {
    let header = "sku,name_zh,name_en,category,seller,price,promotion,financeable,margin";
    let mut files = Files::embedded();
    files.replace(
        "catalogue.csv",
        "mine.csv",
        format!("{header}\n{rows}").into_bytes(),
    );
    let data = load(&files).unwrap();
    let story = offers_on_first(&data)?;
    let played = play_in(&data, "ann.txt", &story, &Place::Sqlite).await.unwrap();
    assert_eq!(played.troubles, [""; 0]);
    Some(played.text)
}

#[tokio::test]
async fn a_catalogue_of_ones_own_is_what_is_offered() {
    let bench = "77.1,长凳,Bench,home,spruce,1500.00,none,no,8";
    let lamp = "88,灯,Lamp,home,spruce,1234.00,none,yes,8";
    let text = shown(&format!("{bench}\n{lamp}\n")).await.unwrap();
    assert!(text.contains("ann asks for offers on 1 88, in 310000"), "{text}");
    assert!(text.contains("1234.00 in all"), "{text}");
    assert!(!text.contains("PH-1001"), "{text}");
    assert_eq!(shown(bench).await, None);
    let dotted = shown(&bench.replace(",no,", ",yes,")).await.unwrap();
    assert!(dotted.contains("1500.00 in all"), "{dotted}");
}
