//! The schema's migrations: one tree of texts for both databases, forward only, locked by hash.
//!
//! A line that begins with `-- sqlite:` or `-- postgres:` is for that database alone, and the rest of
//! the line is SQL. All else is for both.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_lc_rs::digest;

use crate::fault::Fault;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place in the order, from 1.
    pub number: i64,
    /// Its name, as in the file's.
    pub name: &'static str,
    /// The text for both databases.
    pub text: &'static str,
}

/// All migrations in order. A new one is a new file under `schema/` and a new line here.
pub static MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "foundation",
    text: include_str!("../schema/0001_foundation.sql"),
}];

/// Which database a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL and what speaks its dialect.
    Postgres,
}

/// A migration as a store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its place in the order.
    pub number: i64,
    /// The hash of the text that was applied, in hex.
    pub hash: String,
}

/// What a database remembers of its migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It has no table of them.
    None,
    /// It has a table of that name which is not ours.
    OfAnother,
    /// These, in order.
    Ours(Vec<Applied>),
}

/// What a database holds when it is opened: what it remembers, and the names of its tables, views and indexes.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) memory: Memory,
    pub(crate) names: BTreeSet<String>,
    /// Whether all that is in it should be ours, as in a file of our own.
    pub(crate) is_own: bool,
}

/// The table in which a store remembers its migrations; made before anything else.
pub(crate) const MEMORY: &str = "create table if not exists migration (number bigint primary key, \
     name text not null, hash text not null, applied_at text not null)";
pub(crate) const RECALL: &str = "select number, hash from migration order by number";
pub(crate) const REMEMBER: &str =
    "insert into migration (number, name, hash, applied_at) values ($1, $2, $3, $4)";

impl Migration {
    /// The SHA-256 of the text, in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.text.as_bytes());
        digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// What is executed on the database of this dialect.
    #[must_use]
    pub fn text_for(&self, dialect: Dialect) -> String {
        let mut text = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            let words = line.trim_start();
            let own = match dialect {
                Dialect::Sqlite => words.strip_prefix("-- sqlite:"),
                Dialect::Postgres => words.strip_prefix("-- postgres:"),
            };
            match own {
                Some(sql) => text.push_str(sql.trim_start()),
                None if words.starts_with("--") => {}
                None if dialect == Dialect::Postgres => text.push_str(&compared_by_bytes(line)),
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// A column's line with `collate "C"` after its type if that is text.
///
/// SQLite compares text byte by byte, and a PostgreSQL database by the language it was made for;
/// both must give the same order, so that the books are the same.
fn compared_by_bytes(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (column, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_name = !column.is_empty()
        && column
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
    if !is_name || kind.trim_end_matches(',') != "text" {
        return line.to_owned();
    }
    let name_ends = line
        .find(column)
        .map_or(0, |start| start.saturating_add(column.len()));
    let (name, rest) = line.split_at_checked(name_ends).unwrap_or((line, ""));
    format!("{name}{}", rest.replacen(" text", " text collate \"C\"", 1))
}

/// The migrations that a store which has applied `applied` still needs, in order.
///
/// Errors: [`Fault::Schema`] when the store is newer than this program, or when the text of an
/// applied migration is not the text this program has.
pub fn missing(all: &'static [Migration], applied: &[Applied]) -> Result<&'static [Migration], Fault> {
    for (position, done) in applied.iter().enumerate() {
        let Some(known) = all.get(position).filter(|known| known.number == done.number) else {
            let newest = all.last().map_or(0, |migration| migration.number);
            return Err(Fault::Schema(format!(
                "the store has migration {}, this program knows migrations up to {newest}; use a newer program",
                done.number
            )));
        };
        if known.hash() != done.hash {
            return Err(Fault::Schema(format!(
                "another build of fenqi made this store, with another migration {:04}_{} (hash {} there, {} here); \
                 nothing was changed. Open it with the build that made it, or make a new store with this one",
                known.number,
                known.name,
                done.hash.get(..8).unwrap_or(&done.hash),
                known.hash().get(..8).unwrap_or_default()
            )));
        }
    }
    Ok(all.get(applied.len()..).unwrap_or(&[]))
}

/// The migrations that a database still needs, if it is a store of ours and whole.
///
/// Errors: as [`missing`], and [`Fault::Schema`] for a database of another program, and for a store that lacks what its
/// migrations made or has what none that it remembers made.
pub(crate) fn needed(
    all: &'static [Migration],
    dialect: Dialect,
    found: &Found,
) -> Result<&'static [Migration], Fault> {
    let ours = made_by(all, dialect);
    let own = found.names.intersection(&ours).next();
    let applied = match (&found.memory, own, found.names.first()) {
        (Memory::OfAnother, ..) => {
            return Err(not_ours("its table `migration` has other columns than ours"));
        }
        (Memory::None, None, Some(other)) if found.is_own => {
            return Err(not_ours(&format!("it holds `{other}` of another program")));
        }
        (Memory::None, ..) => [].as_slice(),
        (Memory::Ours(applied), ..) => applied,
    };
    let missing = missing(all, applied)?;
    let made = made_by(all.get(..applied.len()).unwrap_or(all), dialect);
    if let Some(lost) = made.iter().find(|name| !found.names.contains(*name)) {
        return Err(Fault::Schema(format!(
            "`{lost}` is missing from the store, though a migration that it remembers made it; restore the store from a \
             backup"
        )));
    }
    if let Some(early) = ours.difference(&made).find(|name| found.names.contains(*name)) {
        return Err(Fault::Schema(format!(
            "the store holds `{early}` and does not remember the migration that makes it; its table `migration` was \
             emptied or lost. Restore the store from a backup, or name an empty one"
        )));
    }
    Ok(missing)
}

fn not_ours(why: &str) -> Fault {
    Fault::Schema(format!(
        "this is no store of fenqi: {why}; nothing was changed. Name another file or database"
    ))
}

/// The names of the tables, views and indexes that are there after these migrations.
fn made_by(migrations: &[Migration], dialect: Dialect) -> BTreeSet<String> {
    let texts = migrations.iter().map(|migration| migration.text_for(dialect));
    let mut names = BTreeSet::new();
    for line in texts.collect::<String>().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = |word: &str| word.trim_end_matches(['(', ';']).to_owned();
        match words.as_slice() {
            ["create", "table" | "view" | "index", made, ..] | ["create", "unique", "index", made, ..] => {
                names.insert(name(made));
            }
            ["drop", "table" | "view" | "index", gone, ..] => {
                names.remove(&name(gone));
            }
            _ => {}
        }
    }
    names
}

/// Whether a database is a store that has everything which this program needs.
///
/// Errors: as [`needed`], and [`Fault::Schema`] with the first migration that it lacks.
pub(crate) fn is_current(dialect: Dialect, found: &Found) -> Result<(), Fault> {
    match needed(MIGRATIONS, dialect, found)?.first() {
        None => Ok(()),
        Some(first) => Err(Fault::Schema(format!(
            "migration {:04}_{} is missing; run `fenqi migrate`",
            first.number, first.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TWO: &[Migration] = &[
        Migration {
            number: 1,
            name: "one",
            text: "create table a (id text primary key);",
        },
        Migration {
            number: 2,
            name: "two",
            text: "create table b (id bigint primary key);",
        },
    ];

    fn applied(migration: &Migration) -> Applied {
        Applied {
            number: migration.number,
            hash: migration.hash(),
        }
    }

    #[test]
    fn a_line_with_a_mark_is_for_its_database_alone() {
        let migration = Migration {
            number: 1,
            name: "x",
            text: "-- words\ncreate table t (\n    text_of text not null,\n  -- sqlite: n blob\n  -- postgres: n bytea\n);",
        };
        assert_eq!(
            migration.text_for(Dialect::Sqlite),
            "\ncreate table t (\n    text_of text not null,\nn blob\n\n);\n"
        );
        assert_eq!(
            migration.text_for(Dialect::Postgres),
            "\ncreate table t (\n    text_of text collate \"C\" not null,\n\nn bytea\n);\n"
        );
    }

    #[test]
    fn a_store_needs_what_it_has_not_applied() {
        assert_eq!(missing(TWO, &[]).unwrap().len(), 2);
        assert_eq!(missing(TWO, &[applied(&TWO[0])]).unwrap()[0].name, "two");
        assert!(
            missing(TWO, &[applied(&TWO[0]), applied(&TWO[1])])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_changed_text_of_an_applied_migration_is_refused() {
        let changed = Applied {
            number: 1,
            hash: "00".repeat(32),
        };
        let fault = missing(TWO, &[changed]).unwrap_err().to_string();
        assert!(
            fault.contains("another migration 0001_one") && fault.contains("the build that made it"),
            "{fault}"
        );
    }

    fn found(memory: Memory, names: &[&str]) -> Found {
        Found {
            memory,
            names: names.iter().map(ToString::to_string).collect(),
            is_own: true,
        }
    }

    #[test]
    fn what_a_migration_made_must_be_there_and_nothing_of_one_that_is_not_remembered() {
        let both = || Memory::Ours(TWO.iter().map(applied).collect());
        assert_eq!(
            needed(TWO, Dialect::Sqlite, &found(both(), &["a", "b"]))
                .unwrap()
                .len(),
            0
        );
        let lost = needed(TWO, Dialect::Sqlite, &found(both(), &["a"]))
            .unwrap_err()
            .to_string();
        assert!(
            lost.contains("`b` is missing") && lost.contains("restore"),
            "{lost}"
        );
        let one = Memory::Ours(vec![applied(&TWO[0])]);
        assert_eq!(
            needed(TWO, Dialect::Sqlite, &found(one, &["a"])).unwrap()[0].name,
            "two"
        );
        for memory in [Memory::None, Memory::Ours(Vec::new())] {
            let told = needed(TWO, Dialect::Sqlite, &found(memory, &["a", "b"]))
                .unwrap_err()
                .to_string();
            assert!(told.contains("does not remember the migration"), "{told}");
        }
    }

    #[test]
    fn a_database_of_another_program_is_named_as_one() {
        assert_eq!(
            needed(TWO, Dialect::Sqlite, &found(Memory::None, &[]))
                .unwrap()
                .len(),
            2
        );
        let told = needed(TWO, Dialect::Sqlite, &found(Memory::None, &["customers"]))
            .unwrap_err()
            .to_string();
        assert!(told.contains("no store of fenqi: it holds `customers`"), "{told}");
        let told = needed(TWO, Dialect::Sqlite, &found(Memory::OfAnother, &["migration"]))
            .unwrap_err()
            .to_string();
        assert!(told.contains("other columns than ours"), "{told}");
        let beside = Found {
            is_own: false,
            ..found(Memory::None, &["customers"])
        };
        assert_eq!(
            needed(TWO, Dialect::Sqlite, &beside).unwrap().len(),
            2,
            "a database may be shared"
        );
    }

    #[test]
    fn every_table_of_the_schema_is_known_by_name() {
        let names = made_by(MIGRATIONS, Dialect::Postgres);
        assert_eq!(names, made_by(MIGRATIONS, Dialect::Sqlite));
        assert!(
            ["bill", "agreement", "installment"]
                .iter()
                .all(|name| names.contains(*name)),
            "{names:?}"
        );
        assert!(
            names
                .iter()
                .all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')),
            "{names:?}"
        );
    }

    #[test]
    fn a_store_that_is_newer_than_the_program_is_refused() {
        let newer = Applied {
            number: 3,
            hash: String::new(),
        };
        let fault = missing(TWO, &[applied(&TWO[0]), applied(&TWO[1]), newer])
            .unwrap_err()
            .to_string();
        assert!(
            fault.contains("knows migrations up to 2; use a newer program"),
            "{fault}"
        );
    }

    #[test]
    fn the_migrations_are_numbered_without_gaps() {
        for (position, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.number, position, "{}", migration.name);
        }
    }

    #[test]
    fn a_released_migration_is_never_edited() {
        let released = include_str!("../schema/released.txt");
        for line in released
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let (file, hash) = line.split_once(' ').unwrap();
            let found = MIGRATIONS
                .iter()
                .find(|migration| format!("{:04}_{}.sql", migration.number, migration.name) == file)
                .unwrap_or_else(|| panic!("{file} was released and is gone"));
            assert_eq!(
                found.hash(),
                hash,
                "{file} was released; write a new migration instead"
            );
        }
    }
}
