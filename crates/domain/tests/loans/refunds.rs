//! Refunds case by case: what goes back, to whom, and what the seller gets back of its share.

use fenqi_domain::loan::{Event, PostingKind, postings};
use fenqi_domain::money::{AMOUNT_MAX, Amount, Rate};
use fenqi_domain::plan::{Component, RefundStrategy, Terms};
use fenqi_domain::refund;
use fenqi_domain::refusal::Refusal;
use jiff::civil::Date;

use crate::terms::*;

/// A refund, last first.
fn back(amount: Amount, with_paid_fees: bool) -> Event {
    Event::Refunded {
        amount,
        strategy: RefundStrategy::LastFirst,
        with_paid_fees,
    }
}

/// What was posted of a kind by a day.
fn posted(terms: &Terms, life: &Life, on: Date, kind: PostingKind) -> Amount {
    let all = postings(terms, &life.0, on).unwrap();
    Amount::sum(all.iter().filter(|p| p.kind == kind).map(|p| p.amount)).unwrap()
}

#[test]
fn fees_that_were_paid_go_back_only_if_asked() {
    let terms = phone();
    let paid = Life::captured(&terms).paid_instalments(fen(107_20), 3);
    let kept = paid.clone().then(due(3), back(yuan(400), false));
    assert!(kept.fold(&terms, due(3)).credit_balance.is_zero());
    let life = paid.then(due(3), back(yuan(400), true));
    let loan = life.fold(&terms, due(3));
    assert_eq!(loan.credit_balance, fen(7_20), "21.60 × 400 / 1,200");
    assert_eq!(posted(&terms, &life, due(3), PostingKind::FeeReturned), fen(7_20));
    let after = life.fold(&terms, due(4));
    assert!(after.credit_balance.is_zero());
    assert_eq!(
        after.payable().unwrap().total().unwrap(),
        yuan(100),
        "and meets what falls due next"
    );
}

#[test]
fn the_sellers_share_of_what_goes_back_is_given_back() {
    let mut terms = phone();
    terms.borne_by_seller = Rate::ONE;
    let paid = Life::captured(&terms).paid_instalments(yuan(100), 3);
    let life = paid.then(due(3), back(yuan(400), true));
    let loan = life.fold(&terms, due(12));
    let shares: Vec<i64> = loan.rows.iter().map(|r| r.subsidy.minor()).collect();
    assert_eq!(shares[..8], [7_20; 8]);
    assert_eq!(shares[8..], [0; 4]);
    let charged = posted(&terms, &life, due(12), PostingKind::SubsidyCharged);
    assert_eq!(charged, fen(8 * 7_20));
    let returned = posted(&terms, &life, due(12), PostingKind::SubsidyReturned);
    assert_eq!(returned, fen(7_20), "of the 21.60 that were charged");
}

#[test]
fn a_full_return_gives_back_everything_that_was_paid() {
    let terms = phone();
    let life = Life::captured(&terms)
        .paid_instalments(fen(107_20), 3)
        .then(after(due(3), 4), back(yuan(1200), true));
    let loan = life.fold(&terms, after(due(3), 4));
    assert!(loan.is_settled().unwrap());
    assert_eq!(loan.credit_balance, fen(3 * 107_20));
    assert_eq!(loan.settled_on().unwrap(), Some(after(due(3), 4)));
}

#[test]
fn two_returns_that_are_everything_give_back_what_one_return_of_everything_does() {
    let terms = phone();
    let paid = || Life::captured(&terms).paid_instalments(fen(107_20), 3);
    let on = after(due(3), 4);
    let once = paid().then(on, back(yuan(1200), true));
    // Of the first nothing was given back; the second leaves no goods that the kept fee could be for.
    let twice = paid()
        .then(after(due(3), 2), back(yuan(400), false))
        .then(on, back(yuan(800), true));
    assert_eq!(
        twice.fold(&terms, on).credit_balance,
        once.fold(&terms, on).credit_balance
    );
    let returned = |life: &Life| posted(&terms, life, on, PostingKind::FeeReturned);
    assert_eq!(returned(&twice), returned(&once));
}

#[test]
fn fees_that_are_owed_fall_away_with_the_goods() {
    let terms = phone();
    let late = after(due(1), 10);
    let life = Life::captured(&terms).then(late, back(yuan(1200), true));
    let loan = life.fold(&terms, late);
    assert_eq!(
        open(&loan)[0],
        [0, 0, 0, 54],
        "only the penalty for the days is left"
    );
    assert_eq!(posted(&terms, &life, late, PostingKind::FeeCancelled), fen(7_20));
}

#[test]
fn what_is_more_than_was_owed_meets_what_is_due_and_is_then_owed_to_the_payer() {
    let terms = phone();
    let life = Life::captured(&terms)
        .paid(due(1), fen(1_000_00))
        .then(due(2), back(yuan(600), false));
    let loan = life.fold(&terms, due(2));
    assert!(loan.is_settled().unwrap());
    // 892.80 paid 8 and a part of the last instalments ahead; what was still open was 207.20 and the fee of the second.
    let surplus = posted(&terms, &life, due(2), PostingKind::RefundedToCredit);
    let used = posted(&terms, &life, due(2), PostingKind::CreditApplied);
    assert_eq!(surplus, fen(392_80));
    assert_eq!(used, fen(7_20));
    assert_eq!(loan.credit_balance, fen(392_80 - 7_20));
}

#[test]
fn what_was_waived_is_the_institutions_again_and_not_the_payers() {
    // Of 12 × (100.00 + 7.20) the first is paid, and ten hundreds of the others are waived: the last is open.
    let terms = phone();
    let waived = Event::Waived {
        component: Component::Principal,
        amount: yuan(1_000),
    };
    let life = Life::captured(&terms)
        .paid(due(1), fen(107_20))
        .then(due(1), waived);
    let all = life.clone().then(due(1), back(yuan(1_200), true));
    let loan = all.fold(&terms, due(1));
    assert_eq!(loan.credit_balance, fen(107_20), "what was paid, and no more");
    assert!(loan.is_settled().unwrap(), "no fee is earned for what went back");
    let posted_of = |life: &Life, kind| posted(&terms, life, due(1), kind);
    assert_eq!(posted_of(&all, PostingKind::PrincipalRefunded), yuan(100));
    assert_eq!(posted_of(&all, PostingKind::WaivedRecovered), yuan(1_000));
    assert_eq!(posted_of(&all, PostingKind::RefundedToCredit), yuan(100));
    let parts = life
        .then(due(1), back(yuan(500), true))
        .then(due(1), back(yuan(700), true));
    assert_eq!(parts.fold(&terms, due(1)).credit_balance, fen(107_20));
}

#[test]
fn no_more_goes_back_than_was_lent() {
    let terms = phone();
    let life = Life::captured(&terms).then(due(1), back(yuan(400), false));
    let loan = life.fold(&terms, due(1));
    assert_eq!(refund::check(&loan, yuan(800)), Ok(()));
    for amount in [yuan(800).plus(fen(1)).unwrap(), Amount::ZERO, fen(-1)] {
        let refusal = Refusal::RefundTooLarge { left: yuan(800) };
        assert_eq!(refund::check(&loan, amount), Err(refusal));
    }
}

// H3: the shopper sees beforehand which instalments a return changes.
#[test]
fn a_preview_names_the_instalments_that_change() {
    let terms = phone();
    let life = Life::captured(&terms).paid_instalments(fen(107_20), 3);
    let shown = refund::preview(&terms, &life.0, yuan(250), false, after(due(3), 2)).unwrap();
    let changed: Vec<u16> = shown.changed_rows().map(|(before, _)| before.number).collect();
    assert_eq!(changed, [10, 11, 12]);
    assert_eq!(shown.cancelled.principal, yuan(250));
    assert_eq!(shown.cancelled.fee, fen(7_20 + 7_20 + 3_60));
    assert_eq!(shown.paid.total().unwrap(), Amount::ZERO);
}

#[test]
fn a_loan_before_its_capture_owes_nothing_and_is_not_settled() {
    let terms = phone();
    let loan = Life::captured(&terms).fold(&terms, after(signed(), -1));
    assert_eq!(loan.outstanding().unwrap().total().unwrap(), Amount::ZERO);
    assert!(!loan.is_settled().unwrap());
    assert_eq!(loan.rows.len(), 12);
}

#[test]
fn the_largest_amount_that_is_taken_stays_within_range() {
    let mut terms = terms(flat("36"), fen(AMOUNT_MAX), 60);
    terms.conventions.settlement = fenqi_domain::plan::Settlement::Actuarial;
    let life = Life::captured(&terms).paid(due(1), fen(AMOUNT_MAX / 3));
    let loan = life.fold(&terms, due(90));
    assert!(loan.days_past_due > 0);
    assert!(loan.outstanding().unwrap().total().unwrap() > fen(AMOUNT_MAX / 2));
    let payoff = fenqi_domain::settlement::payoff(&terms, &life.0, due(30)).unwrap();
    assert!(payoff.total.is_positive());
}
