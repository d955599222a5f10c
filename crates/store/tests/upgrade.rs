//! A store whose schema does not fit this program is refused. That one which an older version left behind is carried over
//! is tested with what a scenario left, in `sim/tests/upgrade.rs`.

use fenqi_store::Sqlite;

#[tokio::test]
async fn a_store_whose_migration_was_edited_is_refused() {
    let store = Sqlite::temporary().unwrap();
    store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
    let operator = rusqlite::Connection::open(store.path()).unwrap();
    operator
        .execute("update migration set hash = 'other' where number = 1", [])
        .unwrap();
    let fault = store
        .migrate(jiff::Timestamp::UNIX_EPOCH)
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("0001_foundation was changed after it was applied"),
        "{fault}"
    );
}
