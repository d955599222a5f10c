//! Running loans: outages, arrangements, waivers and corrections.

use fenqi_app::mistake::{Mistake, Thing};
use fenqi_app::operations::approve::{self, Done, Outcome};
use fenqi_app::operations::arrange::{self, Arrange, Arranged, Whom};
use fenqi_app::operations::backdate::{self, EnterPayment, TakeBack};
use fenqi_app::operations::waive::{self, Waive};
use fenqi_app::operations::window;
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::{Change, Denied};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::{Capability, Refusal};
use fenqi_sim::{market, shop, staff, yuan};
use jiff::Span;

use crate::{WHY, day, decide, is_clean, line, loan, proposal, refused};

// R5, R29, R39: no late fee comes of days on which nobody could pay; due dates stay.
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

// R36, H9, H10: due dates move by 30 days, penalties are let go, and the shopper is told why.
#[tokio::test]
async fn an_arrangement_moves_due_dates_waives_penalties_and_tells_the_shopper() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(42)).await.unwrap();
    let before = loan(&shop, &ann, agreement).await;
    assert!(before.outstanding().unwrap().penalty.is_positive());
    let boss = staff("boss");
    let command = Arrange {
        whom: Whom::All {
            region: Some("000000".to_owned()),
            institution: Some(market::INSTITUTION.to_owned()),
        },
        defer_days: 30,
        waive_penalties: true,
        reason: "flood".to_owned(),
    };
    let key = shop.key().unwrap();
    let asked = arrange::arrange(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    let waiting = proposal(Ok(asked.clone().reply()));
    let untouched = loan(&shop, &ann, agreement).await;
    assert_eq!(untouched.outstanding(), before.outstanding(), "nothing yet");
    let approving = shop.key().unwrap();
    let approve = || approve::approve(&shop.app, &boss, &approving, decide(waiting));
    let approved = approve().await.unwrap().reply();
    let Some(Done::Arrange(done)) = approved.done.clone() else {
        panic!("{approved:?}");
    };
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
    assert_eq!(again, Change::AlreadyMade(asked.reply()));
    assert_eq!(approve().await.unwrap(), Change::AlreadyMade(approved));
    assert_eq!(
        loan(&shop, &ann, agreement).await.rows[1].due_on,
        moved,
        "twice moves nothing twice"
    );
    let elsewhere = Arrange {
        whom: Whom::All {
            region: Some("440000".to_owned()),
            institution: None,
        },
        waive_penalties: false,
        ..command
    };
    let none = arrange::arrange(&shop.app, &staff("care"), &shop.key().unwrap(), elsewhere).await;
    assert_eq!(none.unwrap().reply(), Outcome::Done(Arranged::default()));
    shop.works().await.unwrap();
    let told = shop.sandbox.messages_to(&format!("+86{}", ann.phone));
    assert!(told.iter().any(|m| m.text.contains("flood")), "{told:?}");
    is_clean(&shop).await;
}

// R39: a waiver lets what is open go, and can be taken back.
#[tokio::test]
async fn a_waiver_lets_go_what_is_open_and_a_large_one_needs_two() {
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
    let Outcome::Done(done) = asked(Component::Fee, 792).await.unwrap().reply() else {
        panic!("the fee is 792.00 in all");
    };
    assert_eq!(done.amount, yuan(792));
    assert_eq!(
        loan(&shop, &ann, agreement).await.outstanding().unwrap().fee,
        Amount::ZERO
    );
    let large = asked(Component::Principal, 10_500).await;
    shop.approves(proposal(large.map(Change::reply))).await.unwrap();
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

// R53: a transfer that arrived on the due date undoes the lateness that was seen since.
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
    let asked = backdate::enter_payment(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    let waiting = proposal(Ok(asked.clone().reply()));
    let Some(Done::EnterPayment(entered)) = shop.approves(waiting).await.unwrap().reply().done else {
        panic!("not entered");
    };
    assert_eq!(entered.payable, Amount::ZERO);
    let cured = loan(&shop, &ann, agreement).await;
    assert_eq!(
        (cured.days_past_due, cured.outstanding().unwrap().penalty),
        (0, Amount::ZERO)
    );
    is_clean(&shop).await;
    let again = backdate::enter_payment(&shop.app, &staff("care"), &key, command.clone())
        .await
        .unwrap();
    assert_eq!(again, Change::AlreadyMade(asked.reply()));
    let twice =
        backdate::enter_payment(&shop.app, &staff("care"), &shop.key().unwrap(), command.clone()).await;
    assert!(
        matches!(refused(twice), Refusal::AlreadyExists { which, .. } if which.as_deref() == Some("TT-20250205-7"))
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
        number: entered.number,
        reason: WHY.to_owned(),
    };
    let asked = backdate::take_back(&shop.app, &staff("care"), &shop.key().unwrap(), back.clone()).await;
    let waiting = proposal(asked.map(Change::reply));
    shop.approves(waiting).await.unwrap();
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
    let unknown = Mistake::unknown(Thing::Entry, 2);
    assert_eq!(answer, Err(Denied::invalid("/number", unknown)));
}
