//! Every way to price a plan, from the quote to the last fen.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::repayment::refund::{self, Refund};
use fenqi_app::repayment::settle::{self, Settle};
use fenqi_app::repayment::why::{self, Figure};
use fenqi_app::verify::verify;
use fenqi_domain::agreement::Stage;
use fenqi_domain::calendar::DayCount;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Rate;
use fenqi_domain::plan::Pricing;
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, staff, store, yuan};
use jiff::Span;

/// The market's plan is sold at this price from now on.
async fn priced(shop: &Shop, pricing: Pricing) {
    let mut plan = market::plan();
    (plan.version, plan.pricing) = (2, pricing);
    let command = Configure {
        items: vec![Item::Plan(Box::new(plan))],
        reason: "a new price".to_owned(),
    };
    configure::configure(&shop.app, &staff("boss"), &shop.key().unwrap(), command)
        .await
        .unwrap();
}

/// Ann pays two instalments by debit, gives a third of the goods back and asks why each figure is what it is.
async fn lived(shop: &Shop) -> (Buyer, AgreementId) {
    let ann = shop.ann().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let until = OPENING.saturating_add(Span::new().days(70));
    shop.passes_until(until).await.unwrap();
    let back = Refund {
        shopper: ann.id,
        agreement: id,
        amount: yuan(400),
        with_paid_fees: false,
    };
    refund::refund(&shop.app, &store(market::SELLER), &shop.key().unwrap(), back)
        .await
        .unwrap();
    for number in 1..=12 {
        let asked = Figure::Instalment {
            agreement: id,
            number,
        };
        let told = why::why(&shop.app, &ann.actor(), ann.id, asked).await.unwrap();
        assert!(!told[0].zh.is_empty() && !told[0].en.is_empty());
    }
    (ann, id)
}

// R51, R52, R53: whatever the price, a plan is quoted, billed, debited, refunded, explained and settled, and the books agree.
#[tokio::test]
async fn every_price_lives_from_quote_to_settlement() {
    let (annual, day_count) = (Rate::from_bps(860), DayCount::Actual365);
    for pricing in [
        Pricing::Annuity { annual, day_count },
        Pricing::EqualPrincipal { annual, day_count },
        Pricing::Balloon {
            annual,
            day_count,
            left: Rate::from_bps(3_000),
        },
        Pricing::Graduated {
            annual,
            day_count,
            growth: Rate::from_bps(500),
            every: 3,
        },
    ] {
        let shop = shop().await.unwrap();
        priced(&shop, pricing).await;
        let (ann, agreement) = lived(&shop).await;
        let quoted = settle::quote(&shop.app, &ann.actor(), ann.id, agreement)
            .await
            .unwrap();
        let command = Settle {
            shopper: ann.id,
            agreement,
            amount: quoted.total,
            card: ann.card,
        };
        settle::settle(&shop.app, &ann.actor(), &shop.key().unwrap(), command)
            .await
            .unwrap();
        let file = shop
            .app
            .store
            .agreement(ann.id, agreement)
            .await
            .unwrap()
            .unwrap();
        assert!(
            matches!(file.agreement.stage, Stage::Settled { .. }),
            "{pricing:?}: {:?}",
            file.agreement.stage
        );
        assert_eq!(verify(&shop.app).await.unwrap(), [], "{pricing:?}");
    }
}
