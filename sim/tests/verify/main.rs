//! The check of the whole store: a clean one is found clean, and whatever is spoilt in one is named.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "the helpers of tests may panic as tests do, and say what they skip"
)]

mod spoils;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fenqi_app::verify::{Difference, verify};
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;
use fenqi_sim::{Buyer, OPENING, Shop, shop, shop_in, shop_on, yuan};
use fenqi_store::{Postgres, PostgresOptions, create_schema, drop_schema};
use jiff::Span;
use jiff::civil::Date;

pub(crate) fn day(days: i32) -> Date {
    OPENING.saturating_add(Span::new().days(days))
}

/// A file that is gone at the end of its test.
pub(crate) struct File(pub PathBuf);

impl File {
    pub(crate) fn new() -> File {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fenqi-verify-{}-{count}.db", std::process::id());
        File(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock", "-lock"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}

/// Ann buys twice, once in two shipments; two instalments are debited.
pub(crate) async fn lives(shop: &Shop) -> (Buyer, AgreementId) {
    let ann = shop.ann().await.unwrap();
    let first = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let second = shop.confirms(&ann, yuan(2_000)).await.unwrap();
    shop.captures(&ann, second, Some(yuan(500))).await.unwrap();
    shop.works().await.unwrap();
    shop.passes_until(day(3)).await.unwrap();
    shop.captures(&ann, second, Some(yuan(700))).await.unwrap();
    shop.passes_until(day(65)).await.unwrap();
    shop.imports_statements(day(64)).await.unwrap();
    (ann, first)
}

async fn spoilt(sql: &[&str]) -> Vec<Difference> {
    let file = File::new();
    let shop = shop_in(&file.0).await.unwrap();
    let (_, first) = lives(&shop).await;
    assert_eq!(verify(&shop.app).await.unwrap(), [], "before");
    for statement in sql {
        let statement = statement.replace("FIRST", &format!("'{first}'"));
        assert_eq!(spoil(&file.0, &statement), 1, "{statement} spoils one row");
    }
    verify(&shop.app).await.unwrap()
}

fn spoil(file: &Path, sql: &str) -> usize {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    connection.execute(sql, []).unwrap()
}

pub(crate) fn names(found: &[Difference], what: &str, subject: &str) -> bool {
    found
        .iter()
        .any(|d| d.what == what && d.subject.contains(subject))
}

const ONE: &str = "where id = (select min(id) from entry where kind = 'fee_repaid' and agreement = FIRST)";

#[tokio::test]
async fn a_store_that_nobody_touched_verifies_clean() {
    let shop = shop().await.unwrap();
    assert_eq!(verify(&shop.app).await.unwrap(), [], "empty");
    let (ann, first) = lives(&shop).await;
    assert_eq!(verify(&shop.app).await.unwrap(), []);
    // A debit that fails leaves a loan late, with penalties to come.
    shop.sandbox.set_balance(ann.token, Amount::ZERO).unwrap();
    shop.passes_until(day(110)).await.unwrap();
    let file = shop.app.store.agreement(ann.id, first).await.unwrap().unwrap();
    let loan = fenqi_app::servicing::fold(&file, day(110)).unwrap();
    assert!(loan.days_past_due > 0 && loan.outstanding().unwrap().penalty.is_positive());
    assert_eq!(verify(&shop.app).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_life_on_postgresql_verifies_clean_and_gives_the_same_books() {
    let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
        println!("skipped: FENQI_TEST_POSTGRES names no server");
        return;
    };
    let schema = format!("sim_verify_{}", std::process::id());
    create_schema(&url, &schema).await.unwrap();
    let options = PostgresOptions::new(url.as_str()).in_schema(schema.as_str());
    let postgres = Postgres::connect(&options).await.unwrap();
    postgres.migrate(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let there = shop_on(Arc::new(postgres), 1).await.unwrap();
    lives(&there).await;
    let found = verify(&there.app).await.unwrap();
    let books = there.app.store.books().await.unwrap();
    drop(there);
    drop_schema(&url, &schema).await.unwrap();
    let here = shop().await.unwrap();
    lives(&here).await;
    assert_eq!(found, []);
    assert_eq!(books, here.app.store.books().await.unwrap());
}

#[tokio::test]
async fn a_wrong_posting_is_found() {
    let found = spoilt(&[&format!("update entry set amount = amount + 1 {ONE}")]).await;
    assert!(names(&found, "I19", "agr_"), "{found:?}");
    assert!(
        names(&found, "I19", "account receivable_fee/xiaofu in CNY by folds"),
        "{found:?}"
    );
    assert!(
        names(&found, "I19", "account cash in CNY by payments"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_missing_posting_is_found() {
    let found = spoilt(&[&format!("delete from entry {ONE}")]).await;
    let missing = found
        .iter()
        .find(|d| d.what == "I19" && d.subject.starts_with("agr_"))
        .unwrap();
    assert!(
        missing
            .expected
            .contains("fee_repaid 720 from receivable_fee/xiaofu to cash"),
        "{missing}"
    );
    assert_eq!(missing.found, "no such entry");
}

#[tokio::test]
async fn a_misdirected_posting_is_found() {
    let found = spoilt(&[&format!("update entry set credit = 'receivable_fee/other' {ONE}")]).await;
    assert!(names(&found, "I19", "agr_"), "{found:?}");
    assert!(
        names(&found, "I19", "account receivable_fee/other in CNY by postings"),
        "{found:?}"
    );
    let found = spoilt(&[&format!("update entry set credit = 'elsewhere' {ONE}")]).await;
    assert!(names(&found, "I1", "fee_repaid"), "{found:?}");
}

#[tokio::test]
async fn a_posting_on_another_agreement_is_found() {
    let to = "update entry set agreement = (select id from agreement where id <> FIRST limit 1)";
    let found = spoilt(&[&format!("{to} {ONE}")]).await;
    assert_eq!(
        found
            .iter()
            .filter(|d| d.what == "I19" && d.subject.starts_with("agr_"))
            .count(),
        2,
        "{found:?}"
    );
}

#[tokio::test]
async fn a_tampered_schedule_is_found() {
    let found =
        spoilt(&["update agreement set schedule = replace(schedule, '720', '719') where id = FIRST"]).await;
    assert!(names(&found, "I3", "schedule") && found.len() == 1, "{found:?}");
}

#[tokio::test]
async fn tampered_terms_are_found() {
    let found =
        spoilt(&["update agreement set terms = replace(terms, '72000000', '71000000') where id = FIRST"])
            .await;
    assert!(names(&found, "I3", "schedule"), "{found:?}");
    assert!(names(&found, "I19", "agr_"), "{found:?}");
}

#[tokio::test]
async fn a_tampered_limit_is_found() {
    let found = spoilt(&["update credit_line set credit_limit = credit_limit + 100"]).await;
    assert!(names(&found, "I2", "available") && found.len() == 1, "{found:?}");
    let found = spoilt(&["update credit_line set used = used - 100"]).await;
    assert!(names(&found, "I2", "used"), "{found:?}");
    let found = spoilt(&["update credit_line set held = held + 100"]).await;
    assert!(names(&found, "I2", "held"), "{found:?}");
}

#[tokio::test]
async fn a_tampered_event_is_found() {
    let one = "where aggregate = FIRST and kind = 'agreement.repaid' and sequence = (select min(sequence) from event where aggregate = FIRST and kind = 'agreement.repaid')";
    let found = spoilt(&[&format!("delete from event {one}")]).await;
    assert!(names(&found, "I8", "agr_"), "{found:?}");
    let found = spoilt(&[&format!("update event set kind = 'agreement.aged' {one}")]).await;
    assert!(names(&found, "I8", "agr_"), "{found:?}");
    let found = spoilt(&[&format!(
        "update event set detail = replace(detail, '10720', '10721') {one}"
    )])
    .await;
    assert!(names(&found, "I8", "event"), "{found:?}");
}

// R36: what fell due was on a bill, though nobody kept the message that said so.
#[tokio::test]
async fn an_instalment_that_fell_due_without_a_bill_is_found() {
    let found = spoilt(&[
        "delete from message where template = 'bill_issued' and made_at = (select min(made_at) from message where template = 'bill_issued')",
        "delete from bill where due_on = (select min(due_on) from bill)",
    ])
    .await;
    assert!(names(&found, "I3", "instalment 1 of"), "{found:?}");
}

#[tokio::test]
async fn a_tampered_feed_is_found() {
    let found = spoilt(&["delete from feed where position = 1"]).await;
    assert!(
        names(&found, "I8", "feed") && names(&found, "I8", "event"),
        "{found:?}"
    );
    let found = spoilt(&["update feed set position = 100000 where position = 1"]).await;
    assert!(names(&found, "I8", "feed"), "{found:?}");
    let first = "where position = 1";
    let twice = "json_replace(keys, '$[1]', json_extract(keys, '$[0]'))";
    let found = spoilt(&[&format!("update feed set keys = {twice} {first}")]).await;
    let places: Vec<&str> = found.iter().map(|d| d.expected.as_str()).collect();
    assert_eq!(places.len(), 2, "{found:?}");
    assert!(places.contains(&"one place in the feed") && places.contains(&"a place in the feed"));
    let found = spoilt(&[&format!(
        "update feed set keys = json_replace(keys, '$[0][2]', 99) {first}"
    )])
    .await;
    assert!(found.len() == 2 && names(&found, "I8", "event 99"), "{found:?}");
    let found = spoilt(&[&format!(
        "update feed set keys = json_remove(keys, '$[0]') {first}"
    )])
    .await;
    assert!(names(&found, "unreadable", "feed"), "{found:?}");
    let again = "insert into unpublished (shopper, aggregate, sequence, at) select shopper, aggregate, sequence, at from event limit 1";
    let found = spoilt(&[again]).await;
    assert!(
        found.len() == 1 && found[0].found == "to be published again",
        "{found:?}"
    );
}

#[tokio::test]
async fn a_tampered_transaction_is_found() {
    let found = spoilt(&[
        "update loan_transaction set detail = replace(detail, '10720', '10719') where agreement = FIRST and number = 2",
    ])
    .await;
    assert!(
        names(&found, "I8", "agr_") && names(&found, "I3", "schedule"),
        "{found:?}"
    );
    let found = spoilt(&["delete from loan_transaction where agreement = FIRST and number = 2"]).await;
    assert!(
        names(&found, "I19", "agr_") && names(&found, "I2", "used"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_tampered_stage_is_found() {
    let found = spoilt(&[
        "update agreement set stage_detail = replace(stage_detail, '\"amount\":120000', '\"amount\":110000') where id = FIRST",
    ])
    .await;
    assert!(names(&found, "I11", "captures"), "{found:?}");
    let found = spoilt(&["update agreement set stage = 'settled' where id = FIRST"]).await;
    assert!(names(&found, "I11", "stage"), "{found:?}");
}

#[tokio::test]
async fn a_claim_that_no_open_payment_holds_is_found() {
    let found = spoilt(&[
        "insert into payment_claim (shopper, agreement, payment) select shopper, FIRST, id from payment limit 1",
    ])
    .await;
    assert!(names(&found, "I5", "claim"), "{found:?}");
}

#[tokio::test]
async fn a_line_of_the_banks_statement_that_differs_is_found() {
    let one =
        "where reference = (select reference from statement_line order by booked_on, reference limit 1)";
    let found = spoilt(&[&format!("update statement_line set amount = amount + 1 {one}")]).await;
    assert!(
        names(&found, "I19", "statement line") && found.len() == 1,
        "{found:?}"
    );
    let found = spoilt(&[&format!("delete from statement_line {one}")]).await;
    assert!(names(&found, "I19", "payment pay_"), "{found:?}");
}

#[tokio::test]
async fn a_rolled_up_balance_that_the_entries_do_not_bear_is_found() {
    let found = spoilt(&[
        "update balance set debit = debit + 1 where account = 'cash' and day = (select min(day) from balance where account = 'cash')",
    ])
    .await;
    assert!(names(&found, "I19", "rolled-up"), "{found:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_and_the_rest_is_looked_at() {
    let found = spoilt(&["update agreement set terms = '{' where id = FIRST"]).await;
    assert!(names(&found, "unreadable", "shp_"), "{found:?}");
}
