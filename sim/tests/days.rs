//! Skipped and caught-up days give equal books (§3.20 of the design): what dates alone decide does not depend on when the
//! day run comes. Debits and messages belong to their day, so nobody here has given a mandate.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_app::jobs::day;
use fenqi_app::repayment::answer_return::{self, Answer, AnswerReturn};
use fenqi_app::repayment::mandate::{self, ChangeMandate};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::verify::verify;
use fenqi_domain::bill::Bill;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, store, yuan};
use fenqi_store::tables::books::BookLine;
use jiff::Span;
use jiff::civil::Date;

/// What somebody does on a day, counted from the opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Pays this much of what is due, in minor units.
    Pays(i64),
    /// Sends everything back, and the seller agrees.
    Returns,
}

/// A life: deeds with their days, ascending.
struct Life {
    name: &'static str,
    deeds: &'static [(i64, Deed)],
}

/// Instalments of 107.20 fall due on the fifth of each month, from day 31 on.
const LIVES: [Life; 3] = [
    Life {
        name: "paid on time by hand",
        deeds: &[
            (31, Deed::Pays(10_720)),
            (59, Deed::Pays(10_720)),
            (90, Deed::Pays(10_720)),
        ],
    },
    Life {
        name: "late, paid in part, then cured",
        deeds: &[(71, Deed::Pays(5_000)), (100, Deed::Pays(16_500))],
    },
    Life {
        name: "returned after one was paid",
        deeds: &[(31, Deed::Pays(10_720)), (45, Deed::Returns)],
    },
];

/// The days after a purchase and after a return of [`LIVES`]: the institution pays the seller, or a credit balance is paid
/// out. Money that moves outside belongs to its day and is not made up, so every pattern runs on these.
const OUTSIDE: [i64; 2] = [1, 46];

/// Days on which a life is looked at: a due date, a month's beginning and the day after, the day on which grace ends, and
/// days on which nothing happens.
const ENDS: [i64; 6] = [151, 55, 56, 35, 117, 142];

fn on(day: i64) -> Date {
    OPENING.saturating_add(Span::new().days(day))
}

/// Books and bills as they are compared, one line each, without identifiers: each life has one agreement.
type Books = Vec<String>;

async fn books(shop: &Shop, ann: &Buyer) -> Books {
    let lines = shop.app.store.books().await.unwrap();
    let entry = |l: BookLine| {
        let BookLine {
            effective_on,
            debit,
            credit,
            kind,
            amount,
            ..
        } = l;
        format!("{effective_on} {debit} {credit} {kind} {amount}")
    };
    let mut told: Books = lines.into_iter().map(entry).collect();
    for stored in shop.app.store.bills(ann.id).await.unwrap() {
        let bill: Bill = stored.detail().unwrap();
        let lines = bill
            .lines
            .iter()
            .map(|l| (l.instalment, l.parts, l.paid, l.less_before));
        let lines: Vec<_> = lines.collect();
        let (issued_on, due_on) = (bill.issued_on, bill.due_on);
        told.push(format!(
            "bill of {due_on}, issued {issued_on}: {:?} {lines:?}",
            stored.money
        ));
    }
    told
}

/// Buys without a mandate.
async fn begins(shop: &Shop) -> (Buyer, AgreementId) {
    let ann = shop.ann().await.unwrap();
    let revoked = ChangeMandate {
        shopper: ann.id,
        institution: market::INSTITUTION.to_owned(),
        card: None,
        maximum: Amount::ZERO,
    };
    mandate::mandate(&shop.app, &ann.actor(), &shop.key().unwrap(), revoked)
        .await
        .unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    (ann, agreement)
}

async fn does(shop: &Shop, ann: &Buyer, agreement: AgreementId, deed: Deed) {
    let key = shop.key().unwrap();
    match deed {
        Deed::Pays(minor) => {
            let command = Pay {
                shopper: ann.id,
                payer: ann.id,
                agreements: vec![agreement],
                amount: Amount::from_minor(minor),
                card: ann.card,
            };
            pay::pay(&shop.app, &ann.actor(), &key, command).await.unwrap();
        }
        Deed::Returns => {
            let command = RequestReturn {
                shopper: ann.id,
                agreement,
                lines: Vec::new(),
            };
            request_return::request_return(&shop.app, &ann.actor(), &key, command)
                .await
                .unwrap();
            let command = AnswerReturn {
                shopper: ann.id,
                agreement,
                answer: Answer::Accept { with_paid_fees: true },
            };
            let key = shop.key().unwrap();
            answer_return::answer_return(&shop.app, &store(market::SELLER), &key, command)
                .await
                .unwrap();
        }
    }
}

/// Lives a life up to a day with the day run only on the days that `runs` names, on those of [`OUTSIDE`], and on the last.
/// The books at the end, and again after a second run.
async fn lived(life: &Life, end: i64, runs: impl Fn(i64) -> bool) -> (Books, Books) {
    let shop = shop().await.unwrap();
    let (ann, agreement) = begins(&shop).await;
    for number in 1..=end {
        shop.moves_to(on(number), 9);
        if runs(number) || OUTSIDE.contains(&number) || number == end {
            shop.works().await.unwrap();
        }
        let deeds = life.deeds.iter().filter(|(day, _)| *day == number);
        for (_, deed) in deeds {
            does(&shop, &ann, agreement, *deed).await;
        }
    }
    let once = books(&shop, &ann).await;
    let again = day::run(&shop.app, on(end)).await.unwrap();
    assert!(again.is_clean(), "{again:?}");
    assert_eq!(verify(&shop.app).await.unwrap(), [], "{}", life.name);
    (once, books(&shop, &ann).await)
}

/// Compares, and shows only the lines that differ.
fn same(daily: &Books, other: &Books, what: &str) {
    let missing: Vec<_> = daily.iter().filter(|line| !other.contains(line)).collect();
    let extra: Vec<_> = other.iter().filter(|line| !daily.contains(line)).collect();
    assert!(daily == other, "{what}: missing {missing:?}, extra {extra:?}");
}

/// SplitMix64, so that a failing pattern can be named by its seed.
fn drawn(seed: u64, day: i64) -> u64 {
    let step = u64::try_from(day).unwrap().wrapping_add(seed << 32);
    let mut x = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[tokio::test]
async fn the_day_run_only_at_the_end_books_what_daily_runs_book_and_a_second_run_books_nothing() {
    for life in &LIVES {
        for end in ENDS {
            let name = format!("{} until day {end}", life.name);
            let (daily, again) = lived(life, end, |_| true).await;
            let bills = daily.iter().filter(|line| line.starts_with("bill")).count();
            assert!(daily.len() > 6 && bills > 0, "{name}: {daily:?}");
            same(&daily, &again, &format!("{name}: run twice"));
            let (at_end, again) = lived(life, end, |_| false).await;
            same(&daily, &at_end, &format!("{name}: only at the end"));
            same(&at_end, &again, &format!("{name}: run twice at the end"));
        }
    }
}

#[tokio::test]
async fn twenty_patterns_of_skipped_days_give_equal_books() {
    for life in &LIVES {
        for (end, seeds) in [(151, 1..=10), (56, 11..=15), (117, 16..=20)] {
            let (daily, _) = lived(life, end, |_| true).await;
            for seed in seeds {
                // From a run every second day to one in a month.
                let rarity = [2, 5, 12, 30][usize::try_from(seed % 4).unwrap()];
                let (gaps, _) = lived(life, end, |day| drawn(seed, day).is_multiple_of(rarity)).await;
                same(
                    &daily,
                    &gaps,
                    &format!("{} until day {end}: pattern {seed}", life.name),
                );
            }
        }
    }
}

#[tokio::test]
async fn different_lives_have_different_books() {
    let mut seen = Vec::new();
    for life in &LIVES {
        let (books, _) = lived(life, ENDS[0], |_| false).await;
        assert!(!seen.contains(&books), "{}", life.name);
        seen.push(books);
    }
}
