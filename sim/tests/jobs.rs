//! Jobs go on: whatever one of them stumbles over is told, and holds back nothing else.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::path::{Path, PathBuf};

use fenqi_app::Denied;
use fenqi_app::checkout::quote;
use fenqi_app::jobs::day::{self, DayReport};
use fenqi_app::jobs::{ask, bill};
use fenqi_app::repayment::bounce::{self, BankNotice, Heard, NoticeKind};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::verify::verify;
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_domain::actor::Actor;
use fenqi_domain::id::{AgreementId, PaymentId};
use fenqi_sim::{Buyer, OPENING, Shop, market, shop, shop_in, yuan};
use fenqi_store::tables::agenda::{self, Days, Task};
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::{Batch, CommitError, Guard};
use jiff::Span;
use jiff::civil::Date;

fn on(days: i64) -> Date {
    OPENING.saturating_add(Span::new().days(days))
}

/// A folder of a test's own, which is gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("fenqi-jobs-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn store(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn execute(file: &Path, sql: &str) -> usize {
    rusqlite::Connection::open(file)
        .unwrap()
        .execute(sql, [])
        .unwrap()
}

async fn runs(shop: &Shop) -> DayReport {
    day::run(&shop.app, shop.app.moment().today).await.unwrap()
}

/// What failed, as job and words.
fn failures(report: &DayReport) -> Vec<(&'static str, String)> {
    let jobs = report.jobs.iter();
    jobs.flat_map(|(job, done)| done.failed.iter().map(move |failed| (*job, failed.clone())))
        .collect()
}

async fn bills_of(shop: &Shop, shopper: fenqi_domain::id::ShopperId) -> usize {
    shop.app.store.bills(shopper).await.unwrap().len()
}

// F6: a notice about nothing of ours is parked and told, and everything else goes on.
#[tokio::test]
async fn a_notice_about_nothing_of_ours_stops_no_job() {
    let folder = Folder::new("notice");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    shop.buys(&ann, yuan(1_200)).await.unwrap();
    let channel = Actor::Job {
        name: "channel".to_owned(),
    };
    let mut moment = shop.app.moment();
    let unknown = BankNotice {
        notice: "n-1".to_owned(),
        number: PaymentId::new(&mut moment.ids).to_string(),
        what: NoticeKind::Failed {
            code: "insufficient_funds".to_owned(),
        },
    };
    let told = bounce::notice(&shop.app, &channel, unknown.clone()).await;
    let acknowledged = Ok(Heard::Parked(Denied::NotFound));
    assert_eq!(
        told, acknowledged,
        "it is acknowledged, and the bank stops repeating it"
    );
    // As if the process had ended between keeping and applying, and one that is no notice at all.
    assert_eq!(execute(&folder.store(), "update inbox set state = 'new'"), 1);
    let torn = "insert into inbox values ('bank', 'n-2', '{\"notice\":', 'new', 0)";
    assert_eq!(execute(&folder.store(), torn), 1);

    shop.moves_to(on(22), 9);
    let report = runs(&shop).await;
    let failed = failures(&report);
    let named = |part: &str| {
        failed
            .iter()
            .any(|(job, why)| *job == "payments" && why.contains(part))
    };
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(
        named("notice n-1: not found") && named("notice n-2: The content cannot be"),
        "{failed:?}"
    );
    assert_eq!(
        bills_of(&shop, ann.id).await,
        1,
        "the bill is issued all the same"
    );
    let parked = shop.app.store.parked_notices("bank").await.unwrap();
    assert_eq!(parked.len(), 2);
    let found = verify(&shop.app).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|d| (d.what.as_str(), d.subject.as_str()))
        .collect();
    assert_eq!(found, [("notice", "n-1"), ("notice", "n-2")]);
    assert!(
        runs(&shop).await.is_clean(),
        "it is told once, and then waits for somebody"
    );
    let told = bounce::notice(&shop.app, &channel, unknown).await;
    assert_eq!(told, acknowledged, "the same notice again changes nothing");
}

#[tokio::test]
async fn work_whose_day_cannot_be_read_holds_back_no_other() {
    let folder = Folder::new("work");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    shop.buys(&ann, yuan(1_200)).await.unwrap();
    shop.buys(&bo, yuan(1_200)).await.unwrap();
    // The sellers are paid, and the job that pays them has seen it: nothing but these two days is left to be looked at.
    shop.works().await.unwrap();
    shop.works().await.unwrap();
    let spoil = format!(
        "update agreement set bill_on = '2025-01-00', debit_on = '2025-01-00' where shopper = '{}'",
        ann.id
    );
    assert_eq!(execute(&folder.store(), &spoil), 1);
    shop.moves_to(on(22), 9);
    let failed = failures(&runs(&shop).await);
    let jobs: Vec<&str> = failed.iter().map(|(job, _)| *job).collect();
    assert_eq!(jobs, ["bill", "debit"], "{failed:?}");
    assert!(
        failed.iter().all(|(_, why)| why.contains("2025-01-00")),
        "{failed:?}"
    );
    assert_eq!(
        bills_of(&shop, bo.id).await,
        1,
        "Bo's bill is issued all the same"
    );
    assert_eq!(bills_of(&shop, ann.id).await, 0);
}

#[tokio::test]
async fn a_job_that_read_an_agreement_too_early_moves_no_day_of_it() {
    let shop = shop().await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let store = &shop.app.store;
    let read = || async { store.agreement(ann.id, agreement).await.unwrap().unwrap() };
    let early = read().await;
    shop.passes_until(on(35)).await.unwrap();
    let strikes = |file: &AgreementFile| {
        let mut batch = Batch::new(&ann.id.to_string());
        agenda::moved(&mut batch, &file.agreement, Task::Remind, None);
        store.commit(batch)
    };
    let late = read().await;
    assert_eq!(strikes(&early).await, Err(CommitError::Refused(Guard::Unchanged)));
    assert_eq!(read().await.days, late.days);
    strikes(&late).await.unwrap();
    let struck = Days {
        remind: None,
        ..late.days
    };
    assert_eq!((read().await.days, late.days.remind.is_some()), (struck, true));
    let due = store
        .agreements_due(Task::Remind, on(400), None, 10)
        .await
        .unwrap();
    assert_eq!(due.pieces, []);
    let due = store.agreements_due(Task::Age, on(400), None, 10).await.unwrap();
    let ages: Vec<_> = due.pieces.iter().map(|piece| Some(piece.due_on)).collect();
    assert_eq!(ages, [late.days.age]);
}

#[tokio::test]
async fn a_job_that_cannot_go_on_holds_back_no_other_job() {
    let folder = Folder::new("job");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    shop.buys(&ann, yuan(1_200)).await.unwrap();
    assert_eq!(
        execute(&folder.store(), "alter table inbox rename to elsewhere"),
        0
    );
    shop.moves_to(on(22), 9);
    let failed = failures(&runs(&shop).await);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0, "payments");
    assert_eq!(bills_of(&shop, ann.id).await, 1);
}

/// Copies the only agreement of a store for so many shoppers of whom nothing else is known.
fn copies(file: &Path, count: u32) -> usize {
    let columns = "purchase_order, reference, price, institution, seller, plan, plan_version, currency, principal, \
                   outstanding, held, stage, stage_detail, terms, schedule, lines, digest, booked_on, confirmed_at, \
                   version, expire_on, age_on, bill_on, debit_on, remind_on";
    let sql = format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
         insert into agreement (shopper, id, {columns}) \
         select 'shp_' || substr('{zeros}' || i, -26), id, {columns} from agreement, n",
        zeros = "0".repeat(26)
    );
    execute(file, &sql)
}

// The bills of one shopper may be issued in rounds that run side by side: each of them sees that a bill is missing.
#[tokio::test]
async fn a_bill_that_two_rounds_issue_is_told_once() {
    let folder = Folder::new("told");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    let first = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let rest = copies(&folder.store(), 130);
    shop.buys(&ann, yuan(1_300)).await.unwrap();
    // Ann's first agreement waits since the day before, and her second comes behind everybody who waits since then.
    let since = |condition: &str, day: Date| {
        execute(
            &folder.store(),
            &format!("update agreement set bill_on = '{day}' where {condition}"),
        )
    };
    let ids = [
        format!("id = '{first}' and shopper = '{}'", ann.id),
        format!("id <> '{first}'"),
    ];
    shop.moves_to(on(22), 9);
    assert_eq!(since("bill_on is not null", on(20)), rest + 2);
    assert_eq!(since(&ids[0], on(19)), 1);
    assert_eq!(since(&ids[1], on(21)), 1);
    let report = bill::run(&shop.app, on(22)).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let bills = shop.app.store.bills(ann.id).await.unwrap();
    assert_eq!(bills.len(), 1, "both are on one bill");
    let told = shop.app.store.messages(ann.id).await.unwrap();
    let told: Vec<_> = told.iter().filter(|m| m.template == "bill_issued").collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

// ADR 10: a key gives its reply for 30 days; a quote that ran out can be asked about for as long.
#[tokio::test]
async fn keys_and_quotes_are_forgotten_after_thirty_days() {
    let folder = Folder::new("forget");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bought = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let ask = shop.question(&ann, yuan(500));
    let left = quote::quote(&shop.app, &ann.actor(), ann.id, market::PLAN, &ask).await;
    let left = left.unwrap().quote.id;
    let count = |table: &str| {
        let store = rusqlite::Connection::open(folder.store()).unwrap();
        let sql = format!("select count(*) from {table}");
        store.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let keys = count("request");
    assert!(keys > 5);
    shop.passes_until(on(30)).await.unwrap();
    assert!(shop.app.store.quote(ann.id, left).await.unwrap().is_some());
    assert!(count("request") >= keys, "the machine's clock has not moved");
    let days = 31_i64 * 24 * 60 * 60 * 1_000_000;
    let older = format!("update request set made_at = made_at - {days}");
    assert!(execute(&folder.store(), &older) > 0);
    shop.passes_until(on(31)).await.unwrap();
    assert!(shop.app.store.quote(ann.id, left).await.unwrap().is_none());
    let file = shop.app.store.agreement(ann.id, bought).await.unwrap().unwrap();
    let kept = shop.app.store.quote(ann.id, file.agreement.quote).await.unwrap();
    assert!(kept.is_some(), "what became an agreement stays");
    assert_eq!((count("quote"), count("signature")), (1, 1));
    assert_eq!(count("request"), 0);
}

/// Pays one yuan for each of some agreements; the bank says that it is under way.
async fn pays_later(shop: &Shop, of: &Buyer, agreements: &[AgreementId]) {
    shop.sandbox
        .next("bank", Operation::Debit, Misbehaviour::Pending(Lasting::Asks(1)));
    let command = Pay {
        shopper: of.id,
        payer: of.id,
        agreements: agreements.to_vec(),
        amount: yuan(120),
        card: of.card,
    };
    let paid = pay::pay(&shop.app, &of.actor(), &shop.key().unwrap(), command).await;
    assert!(paid.unwrap().reply().state.is_open());
}

// I4: what the bank took is entered, whatever another payment of the same round met.
#[tokio::test]
async fn a_payment_whose_agreement_cannot_be_read_leaves_the_others_their_own() {
    let folder = Folder::new("shares");
    let shop = shop_in(&folder.store()).await.unwrap();
    let ann = shop.ann().await.unwrap();
    let bo = shop.bo().await.unwrap();
    let first = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let second = shop.buys(&ann, yuan(1_200)).await.unwrap();
    let bos = shop.buys(&bo, yuan(1_200)).await.unwrap();
    shop.moves_to(on(40), 9);
    pays_later(&shop, &ann, &[first, second]).await;
    pays_later(&shop, &bo, &[bos]).await;
    let spoil = format!("update agreement set terms = '{{}}' where id = '{first}'");
    assert_eq!(execute(&folder.store(), &spoil), 1);
    let mut failed = Vec::new();
    for hour in [10, 11, 12] {
        shop.moves_to(on(40), hour);
        failed.extend(ask::payments(&shop.app).await.unwrap().failed);
    }
    assert!(
        !failed.is_empty() && failed.iter().all(|why| why.contains(&ann.id.to_string())),
        "{failed:?}"
    );
    let file = shop.app.store.agreement(bo.id, bos).await.unwrap().unwrap();
    let loan = fenqi_app::servicing::fold(&file, on(40)).unwrap();
    let fell = loan.rows.first().unwrap().principal.paid;
    assert!(fell.is_positive(), "Bo's payment is entered all the same");
}

// Two rounds ask about the same application at once, as two processes do: the answer is written once, and neither of
// them is told to come again.
#[tokio::test]
async fn an_application_that_two_ask_about_at_once_is_answered_once() {
    let shop = shop().await.unwrap();
    let lost = Misbehaviour::LostReply;
    shop.sandbox.next(market::INSTITUTION, Operation::Assess, lost);
    let ann = shop.ann().await.unwrap();
    let known = shop.app.store.applications(ann.id).await.unwrap();
    assert_eq!(known.first().unwrap().state, "unknown");
    shop.moves_to(on(1), 9);
    let (one, other) = tokio::join!(
        ask::applications(&shop.app, on(1)),
        ask::applications(&shop.app, on(1))
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    // Whoever comes late finds nothing to ask about.
    assert!((1..=2).contains(&(one.acted + other.acted)));
    assert_eq!([one.failed, other.failed].concat(), [""; 0]);
    let limits = shop.app.store.limit_changes(ann.id).await.unwrap();
    assert_eq!(limits.len(), 1, "the limit is granted once");
}
