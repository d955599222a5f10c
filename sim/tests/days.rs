//! Skipped and caught-up days give equal books (§3.20 of the design): what dates alone decide does not depend on when the
//! day run comes. Debits and messages belong to their day, so nobody here has given a mandate.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use fenqi_app::jobs::day;
use fenqi_app::repayment::answer_return::{self, Answer, AnswerReturn};
use fenqi_app::repayment::mandate::{self, ChangeMandate};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::verify::verify;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, store, yuan};
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

/// The last day of every life, a due date: penalty interest accrues by formula and is booked when the loan is next touched,
/// at the latest on its next due date.
const END: i64 = 151;

fn on(day: i64) -> Date {
    OPENING.saturating_add(Span::new().days(day))
}

/// Books as they are compared, without the agreement's identifier: each life has one agreement.
type Books = Vec<(String, String, String, String, i64)>;

async fn books(shop: &Shop) -> Books {
    let lines = shop.app.store.books().await.unwrap();
    lines
        .into_iter()
        .map(|l| (l.effective_on, l.debit, l.credit, l.kind, l.amount))
        .collect()
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

/// Lives a life with the day run only on the days that `runs` names, on those of [`OUTSIDE`], and on the last. The books at the end, and again
/// after a second run.
async fn lived(life: &Life, runs: impl Fn(i64) -> bool) -> (Books, Books) {
    let shop = shop().await.unwrap();
    let (ann, agreement) = begins(&shop).await;
    for number in 1..=END {
        shop.moves_to(on(number), 9);
        if runs(number) || OUTSIDE.contains(&number) || number == END {
            shop.works().await.unwrap();
        }
        let deeds = life.deeds.iter().filter(|(day, _)| *day == number);
        for (_, deed) in deeds {
            does(&shop, &ann, agreement, *deed).await;
        }
    }
    let once = books(&shop).await;
    let again = day::run(&shop.app, on(END)).await.unwrap();
    assert!(again.is_clean(), "{again:?}");
    assert_eq!(verify(&shop.app).await.unwrap(), [], "{}", life.name);
    (once, books(&shop).await)
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
        let (daily, again) = lived(life, |_| true).await;
        assert!(daily.len() > 6, "{}: {daily:?}", life.name);
        same(&daily, &again, &format!("{}: run twice", life.name));
        let (at_end, again) = lived(life, |_| false).await;
        same(&daily, &at_end, &format!("{}: only at the end", life.name));
        same(&at_end, &again, &format!("{}: run twice at the end", life.name));
    }
}

#[tokio::test]
async fn twenty_patterns_of_skipped_days_give_equal_books() {
    for life in &LIVES {
        let (daily, _) = lived(life, |_| true).await;
        for seed in 1..=20 {
            // From a run every second day to one in a month.
            let rarity = [2, 5, 12, 30][usize::try_from(seed % 4).unwrap()];
            let (gaps, _) = lived(life, |day| drawn(seed, day).is_multiple_of(rarity)).await;
            same(&daily, &gaps, &format!("{}: pattern {seed}", life.name));
        }
    }
}

#[tokio::test]
async fn different_lives_have_different_books() {
    let mut seen = Vec::new();
    for life in &LIVES {
        let (books, _) = lived(life, |_| false).await;
        assert!(!seen.contains(&books), "{}", life.name);
        seen.push(books);
    }
}
