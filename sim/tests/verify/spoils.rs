//! A table of what can be spoilt, each with the check that must name it. Every row is tried on the same store, which is
//! put back as it was in between.

use std::path::Path;

use fenqi_app::operations::configure::Item;
use fenqi_app::repayment::refund::{self, Refund};
use fenqi_app::repayment::request_return::{self, RequestReturn};
use fenqi_app::verify::verify;
use fenqi_domain::money::Rate;
use fenqi_domain::plan::Campaign;
use fenqi_sim::{Shop, market, shop_in, store, yuan};
use jiff::SignedDuration;

use crate::{File, day, lives, names};

/// What is done to the store, and by which check and subject it must be named.
struct Spoil(&'static str, &'static str, &'static str);

/// What was not found before, and what else one would try.
const SPOILS: &[Spoil] = &[
    // Events.
    Spoil(
        "update event set kind = 'payment.failed' where kind = 'payment.succeeded'",
        "I8",
        "pay_",
    ),
    Spoil(
        "update event set detail = '{}' where kind like 'payment.%'",
        "I8",
        "pay_",
    ),
    Spoil(
        "update event set detail = '{}' where kind = 'agreement.confirmed'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set kind = 'agreement.cancelled' where kind = 'agreement.aged'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set kind = 'agreement.blessed' where kind = 'agreement.aged'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set detail = '\"2025-01-01\"' where kind = 'agreement.aged'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set detail = json_set(detail, '$.amount', 1) where kind = 'payment.intended'",
        "I8",
        "pay_",
    ),
    Spoil(
        "update event set detail = json_set(detail, '$.held', 1) where kind = 'agreement.confirmed'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set detail = json_set(detail, '$.released', 1) where kind = 'agreement.expired'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set detail = json_set(detail, '$[0].amount', 1) where kind = 'agreement.funded'",
        "I8",
        "agr_",
    ),
    Spoil(
        "update event set detail = json_set(detail, '$.payment', (select id from payment order by id desc limit 1)) where kind = 'agreement.repaid'",
        "I4",
        "pay_",
    ),
    Spoil(
        "update event set kind = 'agreement.return_rejected' where kind = 'agreement.return_requested'",
        "I8",
        "agr_",
    ),
    Spoil("delete from event where kind = 'card.bound'", "I8", "crd_"),
    Spoil(
        "update event set kind = 'application.declined' where kind = 'application.approved'",
        "I11",
        "apl_",
    ),
    Spoil(
        "update event set detail = '{}' where kind = 'application.approved'",
        "I8",
        "apl_",
    ),
    Spoil(
        "delete from event where kind = 'identity.changed'",
        "I8",
        "identity_",
    ),
    Spoil("delete from agreement where id = FIRST", "I8", "events of agr_"),
    // Bills.
    Spoil("delete from bill", "I3", "bill of"),
    Spoil(
        "delete from bill where due_on = (select max(due_on) from bill)",
        "I10",
        "work bill",
    ),
    Spoil("update bill set amount = amount * 2", "I3", "bill"),
    Spoil(
        "update bill set detail = json_set(detail, '$.lines[0].parts.principal', 1)",
        "I3",
        "bill",
    ),
    Spoil(
        "update bill set detail = json_set(detail, '$.lines', json('[]')), amount = 0",
        "I3",
        "bill",
    ),
    Spoil(
        "insert into bill select shopper, substr(id, 1, length(id) - 1) || (case substr(id, -1) when '0' then '1' else '0' end), date(due_on, '+1 day'), issued_on, amount, currency, detail from bill",
        "I3",
        "bill",
    ),
    // Terms, digests, signatures, consents.
    Spoil(
        "update agreement set terms = json_set(terms, '$.conventions.late.annual_cap', 360000000)",
        "digest",
        "terms",
    ),
    Spoil(
        "update agreement set terms = json_set(terms, '$.conventions.refund', 'proportional')",
        "digest",
        "terms",
    ),
    Spoil(
        "update quote set detail = json_set(detail, '$.quote.terms.conventions.refund', 'proportional')",
        "digest",
        "quo_",
    ),
    Spoil("update quote set digest = '00'", "digest", "quo_"),
    Spoil(
        "update quote set detail = json_set(detail, '$.quote.digest', '00')",
        "digest",
        "quo_",
    ),
    Spoil("update agreement set digest = '00'", "digest", "agr_"),
    Spoil("update agreement set seller = 'another'", "digest", "seller"),
    Spoil("update agreement set plan_version = 7", "digest", "plan version"),
    Spoil(
        "update agreement set lines = json_set(lines, '$[0].quantity', 9)",
        "digest",
        "lines",
    ),
    Spoil("delete from quote", "digest", "agr_"),
    Spoil("delete from signature", "digest", "agr_"),
    Spoil("update signature set digest = '00'", "digest", "signature"),
    Spoil("update signature set detail = '[]'", "digest", "signature"),
    Spoil("delete from consent", "digest", "consents"),
    Spoil("update consent set text_hash = '00'", "digest", "consents"),
    // Work.
    Spoil("delete from work", "I10", "ret_"),
    Spoil("delete from work where kind = 'return'", "I10", "work return"),
    Spoil("update agreement set expire_on = null", "I10", "work expire"),
    Spoil("update agreement set age_on = null", "I10", "work age"),
    Spoil("update agreement set debit_on = null", "I10", "work debit"),
    Spoil("update agreement set remind_on = null", "I10", "work remind"),
    Spoil("update agreement set age_on = '2099-01-01'", "I10", "work age"),
    // Payments against the loans.
    Spoil(
        "update payment set detail = json_set(detail, '$.transactions', json('[]'))",
        "I4",
        "pay_",
    ),
    Spoil(
        "update payment set detail = json_set(detail, '$.payment.shares[0].amount', 1)",
        "I4",
        "pay_",
    ),
    Spoil(
        "update payment set detail = json_set(detail, '$.payment.state.state', 'sent')",
        "I8",
        "pay_",
    ),
    Spoil("delete from payment", "I4", "agr_"),
    // Refunds and returns.
    Spoil("delete from refund", "I12", "agr_"),
    Spoil("update refund set amount = amount + 1", "I12", "agr_"),
    Spoil("update goods_return set state = 'rejected'", "column", "ret_"),
    // Columns that repeat what a detail says.
    Spoil("update payment set state = 'failed'", "column", "pay_"),
    Spoil("update payment set amount = amount + 1", "column", "pay_"),
    Spoil("update payment set kind = 'payout'", "column", "pay_"),
    Spoil(
        "update loan_transaction set amount = amount + 1",
        "column",
        "agr_",
    ),
    Spoil("update loan_transaction set kind = 'waived'", "column", "agr_"),
    Spoil(
        "update agreement set principal = principal + 1",
        "column",
        "principal",
    ),
    Spoil("update agreement set currency = 'USD'", "column", "principal"),
    Spoil("update agreement set price = price + 1", "digest", "price"),
    Spoil(
        "update agreement set outstanding = outstanding + 1",
        "I2",
        "outstanding",
    ),
    Spoil("update agreement set held = held + 1", "I2", "held"),
    Spoil("update agreement set stage = 'cancelled'", "I11", "stage"),
    Spoil("update quote set institution = 'another'", "column", "quo_"),
    Spoil("update application set state = 'declined'", "column", "apl_"),
    Spoil("delete from order_reference", "column", "order"),
    Spoil(
        "update budget_slice set remaining = remaining + 1 where slice = 0",
        "budget",
        "campaign spring",
    ),
    // Accounts that are gone, and money in another currency.
    Spoil("delete from shopper", "unreadable", "shp_"),
    Spoil(
        "update entry set currency = 'USD' where debit = 'cash'",
        "I19",
        "account cash in USD by payments",
    ),
    Spoil(
        "update entry set currency = 'USD' where debit = 'cash'",
        "I19",
        "account cash in CNY by payments",
    ),
];

/// A life with everything in it that the table spoils: beside Ann's loans a return that waits, a refund, and a purchase
/// that took from a campaign's budget.
async fn lives_fully(shop: &Shop) -> fenqi_domain::id::AgreementId {
    let (ann, first) = lives(shop).await;
    // The bill of the next due date is issued, and its work struck.
    shop.passes_until(day(82)).await.unwrap();
    let returned = shop.buys(&ann, yuan(600)).await.unwrap();
    let command = Refund {
        shopper: ann.id,
        agreement: returned,
        amount: yuan(200),
        with_paid_fees: false,
    };
    let seller = store(market::SELLER);
    refund::refund(&shop.app, &seller, &shop.key().unwrap(), command)
        .await
        .unwrap();
    let another = shop.buys(&ann, yuan(500)).await.unwrap();
    let command = RequestReturn {
        shopper: ann.id,
        agreement: another,
        lines: Vec::new(),
    };
    request_return::request_return(&shop.app, &ann.actor(), &shop.key().unwrap(), command)
        .await
        .unwrap();
    let now = shop.app.clock.now();
    let campaign = Campaign {
        code: "spring".to_owned(),
        seller: market::SELLER.to_owned(),
        from: now,
        until: now.checked_add(SignedDuration::from_hours(240)).unwrap(),
        budget: yuan(1_000),
    };
    let mut plan = market::plan();
    plan.version = 2;
    plan.campaign = Some("spring".to_owned());
    plan.borne_by_seller = Rate::ONE;
    let items = vec![Item::Campaign(campaign), Item::Plan(Box::new(plan))];
    shop.configures(items).await.unwrap();
    let bo = shop.bo().await.unwrap();
    shop.buys(&bo, yuan(1_000)).await.unwrap();
    shop.works().await.unwrap();
    shop.passes_until(day(84)).await.unwrap();
    // One that waits for its goods.
    shop.confirms(&bo, yuan(300)).await.unwrap();
    first
}

/// Puts every table back as it is in the copy.
fn restore(connection: &rusqlite::Connection) {
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";
    let mut statement = connection.prepare(tables).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for table in tables {
        let table = table.unwrap();
        // What the database itself reckons out of other columns is not among these.
        let columns = "select group_concat(name, ', ') from pragma_table_info($1)";
        let columns: String = connection.query_row(columns, [&table], |row| row.get(0)).unwrap();
        let text = format!(
            "delete from main.{table}; insert into main.{table} ({columns}) select {columns} from pristine.{table};"
        );
        connection.execute_batch(&text).unwrap();
    }
}

fn beside(file: &Path) -> File {
    File(file.with_extension("pristine"))
}

#[tokio::test]
async fn whatever_is_spoilt_is_found_by_the_check_of_its_name() {
    let file = File::new();
    let shop = shop_in(&file.0).await.unwrap();
    let first = lives_fully(&shop).await;
    assert_eq!(verify(&shop.app).await.unwrap(), [], "before");
    let copy = beside(&file.0);
    let connection = rusqlite::Connection::open(&file.0).unwrap();
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    let path = copy.0.to_string_lossy().into_owned();
    connection.execute("vacuum into ?1", [&path]).unwrap();
    connection
        .execute("attach database ?1 as pristine", [&path])
        .unwrap();
    let mut missed = Vec::new();
    for Spoil(sql, what, subject) in SPOILS {
        let sql = sql.replace("FIRST", &format!("'{first}'"));
        let rows = connection.execute(&sql, []).unwrap();
        assert!(rows > 0, "{sql} spoils nothing");
        let found = verify(&shop.app).await.unwrap();
        if !names(&found, what, subject) {
            let told: Vec<String> = found.iter().take(4).map(ToString::to_string).collect();
            missed.push(format!("{sql}: {}", told.join("; ")));
        }
        restore(&connection);
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
    assert_eq!(verify(&shop.app).await.unwrap(), [], "put back");
}
