//! The ledger against the loans: what is booked is what the fold says, however often one looks.

use std::collections::BTreeMap;

use fenqi_domain::id::AgreementId;
use fenqi_domain::ledger::{Account, Book, Entry, EntryKind, net, trial_balance};
use fenqi_domain::loan::{Event, Loan, Posting, PostingKind, postings};
use fenqi_domain::money::{Amount, Currency};
use jiff::civil::Date;
use proptest::prelude::*;

use crate::lives::any_case;
use crate::terms::*;

/// The books of one agreement.
pub fn book() -> Book {
    Book {
        agreement: AgreementId::from_bits(7),
        institution: "xiaofu".into(),
        seller: "orchid".into(),
        currency: Currency::Cny,
    }
}

/// The balance of an account, by its code.
pub fn balance(trial: &BTreeMap<(Currency, Account), Amount>, code: &str) -> Amount {
    let account = code.parse().unwrap();
    trial
        .get(&(Currency::Cny, account))
        .copied()
        .unwrap_or(Amount::ZERO)
}

/// The books show what the loan says.
fn check(entries: &[Entry], loan: &Loan) {
    let trial = trial_balance(entries).unwrap();
    assert_eq!(
        Amount::sum(trial.values().copied()).unwrap(),
        Amount::ZERO,
        "debits are credits"
    );
    let receivable = loan.receivable().unwrap();
    assert_eq!(
        balance(&trial, "receivable_principal/xiaofu"),
        receivable.principal
    );
    assert_eq!(balance(&trial, "receivable_interest/xiaofu"), receivable.interest);
    assert_eq!(balance(&trial, "receivable_fee/xiaofu"), receivable.fee);
    assert_eq!(balance(&trial, "receivable_penalty/xiaofu"), receivable.penalty);
    assert_eq!(
        balance(&trial, "credit_balances"),
        Amount::ZERO.minus(loan.credit_balance).unwrap()
    );
    assert_eq!(
        balance(&trial, "payable_seller/orchid"),
        loan.refunded.minus(loan.disbursed).unwrap()
    );
}

/// What is booked when each day of `days` looks at what changed since the one before.
fn booked_by_steps(terms: &fenqi_domain::plan::Terms, life: &Life, steps: &[(usize, Date)]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut before: Vec<Posting> = Vec::new();
    for (known, day) in steps {
        let now = postings(terms, &life.0[..*known], *day).unwrap();
        entries.extend(book().difference(&before, &now));
        before = now;
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    // I19: receivables, credit balances and what is owed to sellers are the sum of the folds.
    #[test]
    fn the_books_equal_the_fold((terms, life, as_of) in any_case()) {
        let entries: Vec<Entry> = postings(&terms, &life.0, as_of).unwrap().iter().map(|p| book().posted(p)).collect();
        check(&entries, &life.fold(&terms, as_of));
    }

    #[test]
    fn booking_by_steps_equals_booking_once((terms, life, as_of) in any_case(), cuts in prop::collection::vec(0..400i64, 0..5)) {
        let mut cuts: Vec<Date> = cuts.into_iter().map(|d| after(signed(), d)).filter(|d| *d < as_of).collect();
        cuts.sort_unstable();
        // Transactions become known one after the other while the days go by; a backdated one corrects what was booked.
        let mut steps: Vec<(usize, Date)> =
            cuts.iter().enumerate().map(|(i, day)| ((i + 1).min(life.0.len()), *day)).collect();
        steps.push((life.0.len(), as_of));
        let stepped = booked_by_steps(&terms, &life, &steps);
        let at_once = booked_by_steps(&terms, &life, &[(life.0.len(), as_of)]);
        check(&stepped, &life.fold(&terms, as_of));
        prop_assert_eq!(net(stepped), net(at_once));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn days_run_one_by_one_book_what_a_caught_up_day_books((terms, life, as_of) in any_case()) {
        let mut day = signed();
        let mut steps = Vec::new();
        while day < as_of {
            steps.push((life.0.len(), day));
            day = after(day, 1);
        }
        steps.push((life.0.len(), as_of));
        let mut daily = booked_by_steps(&terms, &life, &steps);
        let mut at_once = booked_by_steps(&terms, &life, &[(life.0.len(), as_of)]);
        daily.sort_unstable();
        at_once.sort_unstable();
        prop_assert_eq!(daily, at_once, "without any compensation");
    }
}

#[test]
fn a_backdated_payment_is_booked_on_its_day_and_corrects_what_came_after() {
    let terms = phone();
    let life = Life::captured(&terms);
    let today = after(due(1), 10);
    let before = postings(&terms, &life.0, today).unwrap();
    assert!(
        before
            .iter()
            .all(|p| p.kind != PostingKind::PenaltyCharged || p.effective_on < today)
    );
    // Grace ends the day after the due date, and a day's penalty is 5 fen; it was never owed.
    let life = life.paid(due(1), fen(107_20));
    let now = postings(&terms, &life.0, today).unwrap();
    let entries = book().difference(&before, &now);
    let told: Vec<(String, &str, i64)> = entries
        .iter()
        .map(|e| (e.effective_on().to_string(), e.kind().code(), e.amount().minor()))
        .collect();
    assert_eq!(
        told,
        [
            ("2026-02-05".into(), "principal_repaid", 100_00),
            ("2026-02-05".into(), "fee_repaid", 7_20),
            ("2026-02-06".into(), "not_penalty_charged", 5),
        ]
    );
    assert_eq!(entries[2].debit().to_string(), "income_penalty/xiaofu");
}

#[test]
fn a_credit_balance_passes_through_cash_and_leaves_it_as_it_was() {
    let terms = phone();
    let life = Life::captured(&terms).paid(due(1), fen(107_20)).then(
        after(due(1), 1),
        Event::Refunded {
            amount: yuan(1200),
            strategy: fenqi_domain::plan::RefundStrategy::LastFirst,
            with_paid_fees: true,
        },
    );
    let loan = life.fold(&terms, after(due(1), 1));
    assert!(loan.is_settled().unwrap());
    assert_eq!(loan.credit_balance, fen(107_20), "everything that was paid");
    let life = life.then(after(due(1), 3), Event::PaidOut { amount: fen(107_20) });
    let entries: Vec<Entry> = postings(&terms, &life.0, due(2))
        .unwrap()
        .iter()
        .map(|p| book().posted(p))
        .collect();
    let trial = trial_balance(&entries).unwrap();
    assert!(
        trial.values().all(|b| b.is_zero()),
        "as if it had never been: {trial:?}"
    );
}

#[test]
fn every_account_and_kind_reads_back_what_it_writes() {
    let codes = [
        "cash",
        "receivable_principal/x",
        "receivable_interest/x",
        "receivable_fee/x",
        "receivable_penalty/x",
        "income_interest/x",
        "income_fee/x",
        "income_penalty/x",
        "income_subsidy/x",
        "waived/x",
        "funding/x",
        "payable_seller/x",
        "subsidy_receivable/x",
        "credit_balances",
        "commitments/x",
        "commitments_contra/x",
    ];
    for code in codes {
        assert_eq!(code.parse::<Account>().unwrap().to_string(), code);
    }
    for wrong in ["", "cash/x", "receivable_fee", "receivable_fee/", "fees/x"] {
        assert!(wrong.parse::<Account>().is_err(), "{wrong}");
    }
    for kind in PostingKind::ALL {
        for kind in [EntryKind::Posted(*kind), EntryKind::Compensated(*kind)] {
            assert_eq!(kind.code().parse(), Ok(kind));
        }
    }
    for kind in [
        EntryKind::Committed,
        EntryKind::CommitmentReleased,
        EntryKind::Funded,
    ] {
        assert_eq!(kind.code().parse(), Ok(kind));
    }
    assert!("fee".parse::<EntryKind>().is_err());
}

#[test]
fn a_hold_and_its_release_leave_nothing_and_funding_pays_the_seller() {
    let book = book();
    let entries: Vec<Entry> = [
        book.committed(yuan(1200), signed()),
        book.commitment_released(yuan(1200), signed()),
        book.funded(yuan(1200), signed()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let trial = trial_balance(&entries).unwrap();
    assert_eq!(balance(&trial, "commitments/xiaofu"), Amount::ZERO);
    assert_eq!(balance(&trial, "commitments_contra/xiaofu"), Amount::ZERO);
    assert_eq!(balance(&trial, "payable_seller/orchid"), yuan(1200));
    assert_eq!(balance(&trial, "funding/xiaofu"), yuan(-1200));
    assert_eq!(
        book.committed(Amount::ZERO, signed()),
        None,
        "nothing is no entry"
    );
}
