//! Every statement of the platform, prepared on both databases.

use std::collections::HashSet;

use fenqi_store::tables::registry;
use fenqi_store::{Postgres, Sqlite, Statement};

use super::ground::Ground;

fn expected(statement: &Statement) -> (usize, usize) {
    (statement.params.len(), statement.columns.len())
}

#[test]
fn every_statement_has_a_name_of_its_own_and_begins_with_it() {
    let mut names = HashSet::new();
    for statement in registry() {
        assert!(names.insert(statement.name), "{} is there twice", statement.name);
        assert!(
            statement.sql.starts_with(&format!("-- {}\n", statement.name)),
            "{}",
            statement.name
        );
    }
    assert!(!names.is_empty());
}

#[test]
fn sqlite_sees_the_parameters_and_columns_that_each_statement_declares() {
    let store = Sqlite::temporary().unwrap();
    store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
    for statement in registry() {
        assert_eq!(
            store.counts(statement),
            Ok(expected(statement)),
            "{}",
            statement.name
        );
    }
}

#[tokio::test]
async fn postgres_sees_the_parameters_and_columns_that_each_statement_declares() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let store = Postgres::connect(ground.options()).await.unwrap();
    for statement in registry() {
        assert_eq!(
            store.counts(statement).await,
            Ok(expected(statement)),
            "{}",
            statement.name
        );
    }
    ground.clear().await;
}

#[tokio::test]
async fn postgres_takes_every_form_with_arrays_that_is_derived() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let store = Postgres::connect(ground.options()).await.unwrap();
    let mut with_arrays = HashSet::new();
    for statement in registry() {
        let (put, guard) = store.has_arrays(statement).await.unwrap();
        if put && guard {
            with_arrays.insert(statement.name);
        }
    }
    // What a purchase and a repayment write must never fall back to one statement each.
    for hot in [
        "request.insert",
        "generation.is",
        "credit_line.hold",
        "credit_line.move",
        "agreement.insert",
        "agreement.update",
        "order_reference.insert",
        "loan_transaction.insert",
        "entry.insert",
        "event.insert",
        "limit_change.insert",
        "work.put",
        "work.drop",
        "budget_slice.take",
    ] {
        assert!(with_arrays.contains(hot), "{hot}");
    }
    ground.clear().await;
}
