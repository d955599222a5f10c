//! Who pays what, from which card, and where money goes back to.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_app::repayment::mandate::{self, ChangeMandate};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::preview;
use fenqi_app::repayment::refund::{self, Refund};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::verify::verify;
use fenqi_app::{Denied, Mistake, servicing};
use fenqi_domain::id::AgreementId;
use fenqi_domain::loan::Loan;
use fenqi_domain::money::Amount;
use fenqi_domain::returns::ReturnLine;
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, store, yuan};
use jiff::Span;
use jiff::civil::Date;

fn day(days: i32) -> Date {
    OPENING.saturating_add(Span::new().days(days))
}

/// What is on a card.
fn on(shop: &Shop, buyer: &Buyer) -> i64 {
    shop.sandbox.card(buyer.token).unwrap().balance.minor()
}

async fn pays(
    shop: &Shop,
    payer: &Buyer,
    of: &Buyer,
    agreements: &[AgreementId],
    amount: Amount,
) -> Result<(), Denied> {
    let command = Pay {
        shopper: of.id,
        payer: payer.id,
        agreements: agreements.to_vec(),
        amount,
        card: payer.card,
    };
    let paid = pay::pay(&shop.app, &payer.actor(), &shop.key()?, command).await?;
    assert_eq!(paid.reply().state.code(), "succeeded");
    Ok(())
}

async fn loan(shop: &Shop, of: &Buyer, id: AgreementId) -> Loan {
    let file = shop.app.store.agreement(of.id, id).await.unwrap().unwrap();
    servicing::fold(&file, shop.app.moment().today).unwrap()
}

async fn credit(shop: &Shop, of: &Buyer, id: AgreementId) -> Amount {
    loan(shop, of, id).await.credit_balance
}

/// Ann buys for 1,200, pays her first instalment of 107.20 and her second, Bo pays 10.00 of the third, and all of it goes
/// back before anything is paid out.
async fn returned(shop: &Shop) -> (Buyer, Buyer, AgreementId) {
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.passes_until(day(60)).await.unwrap();
    assert_eq!(on(shop, &ann), 5_000_000 - 2 * 10_720);
    pays(shop, &bo, &ann, &[id], yuan(10)).await.unwrap();
    assert_eq!(on(shop, &bo), 5_000_000 - 1_000);
    let all = Refund {
        shopper: ann.id,
        agreement: id,
        amount: yuan(1_200),
        with_paid_fees: true,
    };
    refund::refund(&shop.app, &store(market::SELLER), &shop.key().unwrap(), all)
        .await
        .unwrap();
    assert_eq!(
        credit(shop, &ann, id).await,
        Amount::from_minor(2 * 10_720 + 1_000)
    );
    (ann, bo, id)
}

// R53: what somebody else paid goes back to them, and not what Ann paid.
#[tokio::test]
async fn a_refund_goes_back_to_each_who_paid_what_they_paid() {
    let shop = shop().await.unwrap();
    let (ann, bo, id) = returned(&shop).await;
    shop.works().await.unwrap();
    assert_eq!(on(&shop, &bo), 5_000_000, "Bo has his ten back and no more");
    assert_eq!(on(&shop, &ann), 5_000_000, "and Ann what she paid");
    assert_eq!(credit(&shop, &ann, id).await, Amount::ZERO);
    shop.works().await.unwrap();
    assert_eq!(on(&shop, &ann), 5_000_000, "the next run pays nothing more");
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

#[tokio::test]
async fn a_card_that_takes_nothing_back_holds_back_no_other_and_its_part_waits() {
    let shop = shop().await.unwrap();
    let (ann, bo, id) = returned(&shop).await;
    let refuses = |code: Option<&str>| {
        let code = code.map(str::to_owned);
        shop.sandbox
            .change_card(bo.token, |card| card.refuses_with.clone_from(&code))
    };
    refuses(Some("account_closed")).unwrap();
    shop.works().await.unwrap();
    assert_eq!(on(&shop, &ann), 5_000_000, "Ann does not wait for Bo's bank");
    assert_eq!(on(&shop, &bo), 5_000_000 - 1_000);
    assert_eq!(
        credit(&shop, &ann, id).await,
        yuan(10),
        "nor does she get what is his"
    );
    refuses(None).unwrap();
    shop.passes_until(day(61)).await.unwrap();
    assert_eq!(on(&shop, &bo), 5_000_000);
    assert_eq!(credit(&shop, &ann, id).await, Amount::ZERO);
}

// R34: a choice that can be read in two ways is asked for again.
#[tokio::test]
async fn an_agreement_that_is_named_twice_is_named_as_such() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let other = shop.buys(&ann, yuan(500)).await.unwrap();
    let twice = [id, other, id];
    let named_twice = Mistake::NamedTwice {
        given: id.to_string(),
    };
    for amount in [yuan(1), yuan(4_000)] {
        let paid = pays(&shop, &ann, &ann, &twice, amount).await;
        assert!(wrong(paid, "/agreements", &named_twice));
        let shown = preview::preview(&shop.app, &ann.actor(), ann.id, &twice, amount).await;
        assert!(wrong(shown, "/agreements", &named_twice));
    }
    pays(&shop, &ann, &ann, &[other, id], yuan(1)).await.unwrap();
}

// H3: each thing goes back once, so that no more is refunded than what it cost.
#[tokio::test]
async fn a_thing_is_returned_once() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let phone = ReturnLine {
        sku: market::PHONE.to_owned(),
        quantity: 1,
    };
    let command = |lines: &[ReturnLine]| RequestReturn {
        shopper: ann.id,
        agreement: id,
        lines: lines.to_vec(),
    };
    let twice = command(&[phone.clone(), phone]);
    let shown = request_return::preview(&shop.app, &ann.actor(), &twice).await;
    let named_twice = Mistake::NamedTwice {
        given: market::PHONE.to_owned(),
    };
    assert!(wrong(shown, "/lines/0/sku", &named_twice));
    let asked = request_return::request_return(&shop.app, &ann.actor(), &shop.key().unwrap(), twice).await;
    assert!(wrong(asked, "/lines/0/sku", &named_twice));
}

// H3: an article that stands in two lines of a cart is one article, and its parts sum to the whole.
#[tokio::test]
async fn an_article_of_two_lines_is_returned_over_both() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let mut ask = shop.question(&ann, Amount::from_minor(80_000));
    let mut dearer = ask.lines[0].clone();
    ask.lines[0].quantity = 2;
    dearer.price = Amount::from_minor(40_001);
    ask.lines.push(dearer);
    let id = shop.confirms_cart(&ann, &ask).await.unwrap();
    shop.captures(&ann, id, None).await.unwrap();
    let wanted = |quantity| RequestReturn {
        shopper: ann.id,
        agreement: id,
        lines: vec![ReturnLine {
            sku: market::PHONE.to_owned(),
            quantity,
        }],
    };
    let shown = request_return::preview(&shop.app, &ann.actor(), &wanted(4)).await;
    assert!(wrong(shown, "/lines/0/quantity", &Mistake::count(4, 1, 3)));
    let key = shop.key().unwrap();
    let asked = request_return::request_return(&shop.app, &ann.actor(), &key, wanted(2)).await;
    assert_eq!(
        asked.unwrap().reply().amount,
        Amount::from_minor(80_001),
        "two thirds of 1,200.01"
    );
}

// R32: no more is taken at once than the mandate allows; the shopper is told once, and a higher mandate works at once.
#[tokio::test]
async fn no_debit_takes_more_than_its_mandate_allows() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let allows = async |maximum: Amount| {
        let change = ChangeMandate {
            shopper: ann.id,
            institution: market::INSTITUTION.to_owned(),
            card: Some(ann.card),
            maximum,
        };
        let key = shop.key().unwrap();
        mandate::mandate(&shop.app, &ann.actor(), &key, change)
            .await
            .unwrap();
    };
    allows(Amount::from_minor(10_719)).await;
    shop.passes_until(day(34)).await.unwrap();
    assert_eq!(on(&shop, &ann), 5_000_000, "107.20 is due and 107.19 allowed");
    let told = shop.sandbox.messages_to(&format!("+86{}", ann.phone));
    let told: Vec<_> = told.iter().filter(|m| m.text.contains("107.19")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains("107.20") && told[0].text.contains("2025-02-05"));
    allows(yuan(500)).await;
    shop.works().await.unwrap();
    assert!(
        on(&shop, &ann) <= 5_000_000 - 10_720,
        "taken on the next occasion"
    );
    assert!(
        loan(&shop, &ann, id)
            .await
            .payable()
            .unwrap()
            .total()
            .unwrap()
            .is_zero()
    );
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

// R48, R50: every due date has its reminders and its debit, whether or not an older instalment is late.
#[tokio::test]
async fn an_instalment_is_debited_on_its_day_though_an_older_one_is_late() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let id = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let mut card = shop.sandbox.card(ann.token).unwrap();
    card.balance = Amount::ZERO;
    shop.sandbox.put_card(ann.token, card.clone());
    // The first is due on 5 February; its debits are tried until the 25th, and again on 7 March.
    shop.passes_until(Date::constant(2025, 3, 4)).await.unwrap();
    card.balance = yuan(1_000);
    shop.sandbox.put_card(ann.token, card);
    shop.works().await.unwrap();
    assert_eq!(on(&shop, &ann), 100_000, "4 March is no day for a debit");
    shop.passes_until(Date::constant(2025, 3, 5)).await.unwrap();
    let loan = loan(&shop, &ann, id).await;
    assert_eq!(loan.payable().unwrap().total().unwrap(), Amount::ZERO);
    assert!(
        on(&shop, &ann) < 100_000 - 2 * 10_720,
        "both instalments, and what being late costs"
    );
    let told = shop.sandbox.messages_to(&format!("+86{}", ann.phone));
    let of_second = told
        .iter()
        .filter(|m| m.text.contains("一期") && m.text.contains("2025-03-05"));
    let days: Vec<Date> = of_second
        .filter_map(|m| m.at)
        .map(|at| shop.app.day_of(at))
        .collect();
    let ahead = [(2, 26), (3, 2), (3, 4)].map(|(month, day)| Date::constant(2025, month, day));
    assert_eq!(days, ahead);
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

/// Whether a command is answered with what is wrong in a field.
fn wrong<T>(answer: Result<T, Denied>, field: &str, mistake: &Mistake) -> bool {
    let Err(Denied::Invalid(wrong)) = answer else {
        return false;
    };
    wrong.iter().any(|w| w.field == field && w.mistake == *mistake)
}
