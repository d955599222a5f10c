//! The driver for SQLite: one file, one writing process, one fsync for all that arrived meanwhile.

mod checkpoint;
mod lock;
mod reader;
mod text;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::batch::Batch;
use crate::driver::{BoxFuture, Driver};
use crate::fault::{CommitError, Fault};
use crate::migrate::{self, Applied, Dialect, Found, MIGRATIONS, Memory, Migration};
use crate::queue::Entrance;
use crate::statement::{Query, Statement};
use crate::value::Row;
use checkpoint::Checkpointer;
use lock::Lock;
use reader::Asked;
use writer::Writer;

/// How a SQLite store is opened.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// How many connections read at one time; at least 1.
    pub readers: usize,
    /// How many batches share one fsync at most; 1 commits each by itself.
    pub group_max: usize,
    /// How many batches may wait before callers are told to try later; urgent ones are counted apart.
    pub queue_max: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 2,
            group_max: 256,
            queue_max: 16_384,
        }
    }
}

/// A store in a SQLite file.
pub struct Sqlite {
    path: PathBuf,
    questions: Option<mpsc::UnboundedSender<Asked>>,
    entrance: Option<Entrance>,
    threads: Vec<JoinHandle<()>>,
    is_temporary: bool,
    _lock: Option<Lock>,
}

/// Whether acknowledged writes must survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    Full,
    /// Only for a store that is deleted when it is closed.
    None,
}

/// How long a connection waits for a lock that another process holds (a backup, an operator's shell).
const BUSY_TIMEOUT: Duration = Duration::from_millis(2_000);

impl Sqlite {
    /// Opens the store at `path` for reading and writing, and makes the file if there is none.
    ///
    /// Errors: [`Fault::Held`] when another process writes to it, [`Fault::Unsafe`] when its settings
    /// would lose acknowledged writes, [`Fault::Unavailable`] when it cannot be opened.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, Fault> {
        Self::open_as(path, options, Durability::Full, false)
    }

    /// Opens the store at `path` for reading only, beside the process that writes to it.
    ///
    /// Errors: [`Fault::Unavailable`] when there is no such store. A commit answers [`Fault::Held`].
    pub fn open_to_read(path: &Path, options: SqliteOptions) -> Result<Self, Fault> {
        let mut store = Self::empty(path, false);
        store.start_readers(options.readers)?;
        Ok(store)
    }

    /// A store of its own in a temporary file, which is deleted when it is closed, and which does not
    /// wait for the disk. Errors: as [`Sqlite::open`].
    pub fn temporary() -> Result<Self, Fault> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "fenqi-{}-{}.db",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        // A process that was killed may have left a store of the same name.
        remove(&path);
        Self::open_as(&path, SqliteOptions::default(), Durability::None, true)
    }

    /// Applies the migrations that the store does not have, and names them. `at` is kept beside each.
    ///
    /// Errors: [`Fault::Schema`] when the store and this program do not fit.
    pub fn migrate(&self, at: jiff::Timestamp) -> Result<Vec<&'static str>, Fault> {
        if self.entrance.is_none() {
            return Err(self.held());
        }
        let mut connection = Connection::open(&self.path).map_err(|error| text::unavailable(&error))?;
        settle(&connection, Durability::Full)?;
        apply(&mut connection, MIGRATIONS, at)
    }

    /// Whether the store's schema is this program's. Nothing is written.
    ///
    /// Errors: [`Fault::Schema`] when it is not, with what to do.
    pub fn check_schema(&self) -> Result<(), Fault> {
        let failed = |error: rusqlite::Error| text::unavailable(&error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        migrate::is_current(Dialect::Sqlite, &found(&connection).map_err(failed)?)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many parameters and columns the database sees in a statement. Errors: when it cannot be prepared.
    pub fn counts(&self, statement: &'static Statement) -> Result<(usize, usize), Fault> {
        let connection = Connection::open(&self.path).map_err(|error| text::unavailable(&error))?;
        text::Prepared::new(&connection).counts(statement)
    }

    fn empty(path: &Path, is_temporary: bool) -> Self {
        Self {
            path: path.to_owned(),
            questions: None,
            entrance: None,
            threads: Vec::new(),
            is_temporary,
            _lock: None,
        }
    }

    fn open_as(
        path: &Path,
        options: SqliteOptions,
        durability: Durability,
        is_temporary: bool,
    ) -> Result<Self, Fault> {
        let lock = Lock::take(path)?;
        let mut store = Self::empty(path, is_temporary);
        store._lock = Some(lock);
        let mut connection = Connection::open(path).map_err(|error| text::unavailable(&error))?;
        settle(&connection, durability)?;
        let log_pages = Arc::new(AtomicUsize::new(0));
        let pages = Arc::clone(&log_pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, count| {
            pages.store(usize::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection
            .wal_hook(Some(hook))
            .map_err(|error| text::unavailable(&error))?;
        let (entrance, receiver) = Entrance::new(options.queue_max);
        let (checkpointer, wanted) = Checkpointer::new();
        let mover = Connection::open(path).map_err(|error| text::unavailable(&error))?;
        settle(&mover, durability)?;
        store.start("checkpoint", move || checkpoint::run(&mover, &wanted))?;
        let writer = Writer {
            connection,
            receiver,
            group_max: options.group_max.max(1),
            checkpointer,
            log_pages,
        };
        store.start("writer", move || writer.run())?;
        store.entrance = Some(entrance);
        store.start_readers(options.readers)?;
        Ok(store)
    }

    fn start_readers(&mut self, readers: usize) -> Result<(), Fault> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let questions = Arc::new(Mutex::new(receiver));
        let readers = readers.max(1);
        for _ in 0..readers {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection =
                Connection::open_with_flags(&self.path, flags).map_err(|error| text::unavailable(&error))?;
            connection
                .busy_timeout(BUSY_TIMEOUT)
                .map_err(|error| text::unavailable(&error))?;
            connection
                .execute_batch("pragma cache_size=-16384")
                .map_err(|error| text::unavailable(&error))?;
            let questions = Arc::clone(&questions);
            self.start("reader", move || reader::run(&connection, &questions, readers))?;
        }
        self.questions = Some(sender);
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "its handle is kept, and joined when the driver goes"
    )]
    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
        let thread = std::thread::Builder::new()
            .name(format!("sqlite {name}"))
            .spawn(work);
        self.threads
            .push(thread.map_err(|error| Fault::Unavailable(error.to_string()))?);
        Ok(())
    }

    fn held(&self) -> Fault {
        Fault::Held {
            path: lock::beside(&self.path, "lock").display().to_string(),
            by: None,
        }
    }
}

impl Driver for Sqlite {
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>> {
        Box::pin(async move {
            queries
                .iter()
                .try_for_each(|query| query.statement.accepts(&query.params))?;
            let stopped = || Fault::Unavailable("the readers have stopped".to_owned());
            let (reply, answer) = oneshot::channel();
            let questions = self.questions.as_ref().ok_or_else(stopped)?;
            questions.send(Asked { queries, reply }).map_err(|_| stopped())?;
            answer.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            match &self.entrance {
                Some(entrance) => entrance.commit(batch).await,
                None => Err(self.held().into()),
            }
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The threads end when nobody can ask them any more; what was accepted is finished first.
        self.entrance = None;
        self.questions = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
        if self.is_temporary {
            remove(&self.path);
        }
    }
}

/// Sets what keeps acknowledged writes, and reads it back: a file on a strange volume may not obey.
fn settle(connection: &Connection, durability: Durability) -> Result<(), Fault> {
    let text = match durability {
        Durability::Full => "pragma synchronous=full",
        Durability::None => "pragma synchronous=off",
    };
    let io = |error: rusqlite::Error| text::unavailable(&error);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(io)?;
    connection.set_prepared_statement_cache_capacity(16);
    let journal: String = connection
        .query_row("pragma journal_mode=wal", [], |row| row.get(0))
        .map_err(io)?;
    connection.execute_batch(text).map_err(io)?;
    // 32 MiB of pages: a commit that has split a page looks through all of them, so that more would cost more than it saves.
    connection
        .execute_batch("pragma wal_autocheckpoint=0; pragma temp_store=memory; pragma cache_size=-32768")
        .map_err(io)?;
    let synchronous: i64 = connection
        .query_row("pragma synchronous", [], |row| row.get(0))
        .map_err(io)?;
    lasting(&journal, synchronous, durability)
}

fn lasting(journal: &str, synchronous: i64, durability: Durability) -> Result<(), Fault> {
    if journal != "wal" {
        return Err(Fault::Unsafe(format!(
            "journal_mode is {journal} and not wal; the volume does not support the shared memory that SQLite needs"
        )));
    }
    if durability == Durability::Full && synchronous < 2 {
        return Err(Fault::Unsafe(format!(
            "synchronous is {synchronous}; acknowledged writes would be lost in a power cut, it must be 2 (FULL)"
        )));
    }
    Ok(())
}

/// What is in the file.
fn found(connection: &Connection) -> rusqlite::Result<Found> {
    let columns = "select count(*) from pragma_table_info('migration') where name in ('number', 'hash')";
    let columns: i64 = connection.query_row(columns, [], |row| row.get(0))?;
    let memory = match (connection.table_exists(None, "migration")?, columns) {
        (false, _) => Memory::None,
        (true, 2) => Memory::Ours(applied(connection)?),
        (true, _) => Memory::OfAnother,
    };
    let mut listed = connection.prepare("select name from sqlite_master where name not like 'sqlite_%'")?;
    let names = listed.query_map([], |row| row.get(0))?;
    Ok(Found {
        memory,
        names: names.collect::<rusqlite::Result<_>>()?,
        is_own: true,
    })
}

/// The migrations that a store remembers.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut recall = connection.prepare(migrate::RECALL)?;
    let rows = recall.query_map([], |row| {
        Ok(Applied {
            number: row.get(0)?,
            hash: row.get(1)?,
        })
    })?;
    rows.collect()
}

fn apply(
    connection: &mut Connection,
    all: &'static [Migration],
    at: jiff::Timestamp,
) -> Result<Vec<&'static str>, Fault> {
    let failed = |error: rusqlite::Error| Fault::Schema(text::words(&error));
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    let missing = migrate::needed(all, Dialect::Sqlite, &found(&transaction).map_err(failed)?)?;
    transaction.execute_batch(migrate::MEMORY).map_err(failed)?;
    for migration in missing {
        let failed = |error: rusqlite::Error| {
            Fault::Schema(format!(
                "migration {:04}_{}: {}",
                migration.number,
                migration.name,
                text::words(&error)
            ))
        };
        transaction
            .execute_batch(&migration.text_for(Dialect::Sqlite))
            .map_err(failed)?;
        let remember = text::with_question_marks(migrate::REMEMBER);
        let values = (migration.number, migration.name, migration.hash(), at.to_string());
        transaction.execute(&remember, values).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(missing.iter().map(|migration| migration.name).collect())
}

/// Removes a temporary store with what lies beside it; what is not there need not be removed.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
    let _ = std::fs::remove_file(lock::beside(path, "lock"));
    for ending in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_lose_acknowledged_writes_are_refused() {
        assert_eq!(lasting("wal", 2, Durability::Full), Ok(()));
        let fault = lasting("wal", 1, Durability::Full).unwrap_err().to_string();
        assert!(
            fault.starts_with("refusing to start") && fault.contains("must be 2"),
            "{fault}"
        );
        let fault = lasting("delete", 2, Durability::Full).unwrap_err().to_string();
        assert!(fault.contains("journal_mode is delete"), "{fault}");
    }

    #[test]
    fn a_second_writer_is_told_who_holds_the_store() {
        let store = Sqlite::temporary().unwrap();
        let Err(fault) = Sqlite::open(store.path(), SqliteOptions::default()) else {
            panic!("two writers on one store");
        };
        let pid = std::process::id();
        assert!(
            fault
                .to_string()
                .starts_with(&format!("process {pid} writes to this store")),
            "{fault}"
        );
    }

    #[tokio::test]
    async fn a_reader_beside_the_writer_reads_and_does_not_write() {
        static COUNT: Statement = Statement {
            name: "migration.count",
            sql: "-- migration.count\nselect count(*) from migration",
            params: &[],
            columns: &[crate::value::Kind::Int],
        };
        let store = Sqlite::temporary().unwrap();
        let first = store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(first.len(), MIGRATIONS.len());
        assert!(store.migrate(jiff::Timestamp::UNIX_EPOCH).unwrap().is_empty());
        let beside = Sqlite::open_to_read(store.path(), SqliteOptions::default()).unwrap();
        let rows = beside.read(vec![Query::new(&COUNT, vec![])]).await.unwrap();
        assert_eq!(
            usize::try_from(rows[0][0].int(0).unwrap()).unwrap(),
            MIGRATIONS.len()
        );
        let mut batch = Batch::new("a");
        batch.put(&COUNT, vec![]);
        assert!(matches!(
            beside.commit(batch).await,
            Err(CommitError::Fault(Fault::Held { .. }))
        ));
        assert!(matches!(
            beside.migrate(jiff::Timestamp::UNIX_EPOCH),
            Err(Fault::Held { .. })
        ));
    }
}
