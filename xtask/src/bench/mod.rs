//! `cargo xtask bench`: the platform's workloads beside what else one could have, in one run on one machine.
//!
//! Every figure is taken in interleaved rounds, so that a machine that grows slow or fast meanwhile does so for all.
//! What is compared is the median of the rounds' ratios; each round's ratio is taken within that round.

mod arithmetic;
mod beside;
mod report;

use crate::options::Options;
use crate::postgres::Postgres;
use crate::shell::{self, Outcome};
use report::{Figure, Run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "\
Runs the workloads on both databases beside pgbench, plain SQLite, hand-written SQL and numeric packages.

Usage: cargo xtask bench [OPTIONS]

Options:
  --only NAMES    workloads with commas between them: confirm, repay, quote, day [default: all]
  --rounds N      interleaved rounds, at least 3 unless you only try [default: 3]
  --size N        purchases or repayments in a run [default: 100000]
  --agreements N  agreements in the smaller day run; the larger has twice as many [default: 100000]
  --due N         of which are due, and as many late [default: 3300]
  --seconds N     length of one pgbench run [default: 5]
  --fenqi FILE    this program instead of the release build
  --arithmetic    schedules, annual rates and lives of loans instead, beside numeric packages
  --write         writes docs/reference/performance.md, or performance-arithmetic.md
  -h, --help      this text

Example:
  cargo xtask bench --only confirm --rounds 1   # a quick look
  cargo xtask bench --arithmetic --rounds 3     # the rules alone
  cargo xtask bench --write                     # what stands in the docs
";

const PAGE: &str = "docs/reference/performance.md";
/// What the two sides of a comparison do, where one could think that they do the same.
const SIDES: &str = "
## What each side does

A repayment beside the platform's is one statement that inserts the payment under its key, lowers what is owed, and \
inserts two entries and an event. From a card, the platform commits the intent with its claim and its own number, calls \
the bank, and commits what it says: the loan is folded and written with its schedule, its transaction, its entries, two \
events, the line, and a message. A transfer that has arrived is one commit of the same, with its proof and a record for \
the audit.

A day by hand inserts for each loan that is due a bill, a debit, an entry, an event and a message, and for each that is \
late an entry, an event and a message, and raises the version of both, over rows of eight numbers. The platform issues \
as many bills, those that are due in ten days, each gathered over all agreements of its shopper, with a message. What is \
due today it books, with entry and event, moves the days on which the agreement is looked at again, begins the \
debit with a claim, a number and an event, calls the bank, and writes down, with another event, that the bank has it \
under way. Those who are late it reminds; a penalty is reckoned from the transactions whenever it is asked for, and not \
written daily. It then publishes all events in order, many to a row, and rolls the entries up. Both sides begin with a store that is \
filled, vacuumed and written; the platform's process starts anew, so that its caches are cold. Its store is filled with \
lives that the use cases and the day runs played and that were copied under other identifiers: `fenqi verify` finds no \
difference in it before the day and after it.
";
/// Purchases under way at a time in `fenqi bench`.
const OUTSTANDING: &str = "256";

/// What a run is done with.
struct Bench {
    fenqi: PathBuf,
    folder: PathBuf,
    postgres: Postgres,
    size: String,
    agreements: u64,
    due: String,
    seconds: String,
    stores: u32,
}

/// Runs the benches and prints the table.
pub fn run(arguments: &[String]) -> Outcome {
    let valued = [
        "--only",
        "--rounds",
        "--size",
        "--agreements",
        "--due",
        "--seconds",
        "--fenqi",
    ];
    let Some(options) = Options::read(arguments, &valued, &["--arithmetic", "--write"], HELP)? else {
        return Ok(());
    };
    if options.has("--arithmetic") {
        return arithmetic::run(&options, arguments);
    }
    let only = options.text("--only", "confirm,repay,quote,day");
    let rounds = options.number("--rounds", 3)?;
    let fenqi = program(&options)?;
    let postgres = Postgres::start()?;
    let folder = postgres.folder_beside("fenqi-bench")?;
    let mut bench = Bench {
        fenqi,
        folder,
        postgres,
        size: options.number("--size", 100_000)?.to_string(),
        agreements: options.number("--agreements", 100_000)?,
        due: options.number("--due", 3_300)?.to_string(),
        seconds: options.number("--seconds", 5)?.to_string(),
        stores: 0,
    };
    let mut run = Run::new(arguments.join(" "), rounds);
    let outcome = bench.rounds(&only, rounds, &mut run);
    // A folder that cannot be deleted is no reason to lose the figures.
    let _ = std::fs::remove_dir_all(&bench.folder);
    outcome?;
    let mut text = run.page("Performance", &report::Machine::look(&bench.postgres)?);
    text.push_str(SIDES);
    print!("{text}");
    if options.has("--write") {
        let path = shell::root().join(PAGE);
        std::fs::write(&path, text).map_err(|error| format!("could not write {PAGE}: {error}"))?;
    }
    Ok(())
}

/// The program that was named with `--fenqi`, or the release build.
pub fn program(options: &Options) -> Result<PathBuf, String> {
    options
        .value("--fenqi")
        .map_or_else(release_build, |named| Ok(PathBuf::from(named)))
}

fn release_build() -> Result<PathBuf, String> {
    shell::run(shell::cargo().args(["build", "--release", "--package", "fenqi-server"]))?;
    let metadata = shell::output(shell::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or("cargo names no target directory")?;
    Ok(Path::new(target).join("release/fenqi"))
}

impl Bench {
    fn rounds(&mut self, only: &str, rounds: u64, run: &mut Run) -> Outcome {
        let names: Vec<&str> = only.split(',').collect();
        if let Some(unknown) = names
            .iter()
            .find(|name| !["confirm", "repay", "quote", "day"].contains(*name))
        {
            return Err(format!(
                "there is no workload `{unknown}`; confirm, repay, quote and day are"
            ));
        }
        if names.contains(&"confirm") || names.contains(&"repay") {
            beside::pgbench_fill(&self.postgres)?;
        }
        for round in 1..=rounds {
            eprintln!("bench: round {round} of {rounds}");
            run.sync(beside::fdatasync_microseconds(&self.folder)?);
            for name in &names {
                match *name {
                    "confirm" => self.confirm(run)?,
                    "repay" => self.repay(run)?,
                    "quote" => self.quote(run)?,
                    _ => self.day(run)?,
                }
            }
        }
        Ok(())
    }

    fn confirm(&mut self, run: &mut Run) -> Outcome {
        let pgbench = run.take("pgbench", || {
            beside::pgbench_best(&self.postgres, &self.seconds, None)
        })?;
        let postgres = self.per_second(run, "confirm, PostgreSQL", Database::Postgres, "confirm", &[])?;
        let refused = ["--refused", "10"];
        let postgres_refused = self.per_second(
            run,
            "confirm, PostgreSQL, 10 % refused",
            Database::Postgres,
            "confirm",
            &refused,
        )?;
        let sqlite = self.per_second(run, "confirm, SQLite", Database::Sqlite, "confirm", &[])?;
        let sqlite_refused = self.per_second(
            run,
            "confirm, SQLite, 10 % refused",
            Database::Sqlite,
            "confirm",
            &refused,
        )?;
        let one_by_one = ["--one-by-one"];
        let plain = self.per_second(
            run,
            "the same, one transaction each, SQLite",
            Database::Sqlite,
            "confirm",
            &one_by_one,
        )?;
        run.ratio(
            "confirm, SQLite FULL",
            "pgbench TPC-B, best client count",
            sqlite / pgbench,
            4.0,
        );
        run.ratio(
            "confirm, SQLite FULL",
            "the same purchase, one transaction each",
            sqlite / plain,
            5.0,
        );
        run.ratio(
            "confirm, PostgreSQL",
            "pgbench, same PostgreSQL",
            postgres / pgbench,
            3.0,
        );
        run.ratio(
            "confirm, SQLite, 10 % refused",
            "none refused",
            sqlite_refused / sqlite,
            0.5,
        );
        run.ratio(
            "confirm, PostgreSQL, 10 % refused",
            "none refused",
            postgres_refused / postgres,
            0.5,
        );
        Ok(())
    }

    fn repay(&mut self, run: &mut Run) -> Outcome {
        let script = shell::root().join("bench/one-statement.sql");
        beside::repay_fill(&self.postgres)?;
        let statement = run.take("repayment by one prepared statement", || {
            beside::pgbench_best(&self.postgres, &self.seconds, Some(&script))
        })?;
        // From a card a repayment is two commits with the bank's answer between them; a transfer that has arrived is one,
        // as the statement beside it is.
        let ways = [
            ("card", "repay from a card (two commits)"),
            ("transfer", "repay by transfer (one commit)"),
        ];
        for (way, what) in ways {
            let beside = "one prepared PostgreSQL statement each, best client count";
            for (database, name) in [
                (Database::Sqlite, "SQLite FULL"),
                (Database::Postgres, "PostgreSQL"),
            ] {
                let label = format!("{what}, {}", database.name());
                let rate = self.per_second(run, &label, database, "repay", &["--by", way])?;
                run.ratio(&format!("{what}, {name}"), beside, rate / statement, 2.0);
            }
        }
        Ok(())
    }

    fn quote(&mut self, run: &mut Run) -> Outcome {
        let ours = self.per_second(run, "quote, one core", Database::Sqlite, "quote", &[])?;
        let packages = beside::numeric_packages()?;
        for (package, aim) in [("QuantLib-Python", 200.0), ("numpy-financial", 400.0)] {
            let theirs = packages.rate(package, "offers")?;
            run.figure(&format!("quote, {package}"), theirs);
            run.ratio("quote, one core", package, ours / theirs, aim);
        }
        Ok(())
    }

    fn day(&mut self, run: &mut Run) -> Outcome {
        for database in [Database::Sqlite, Database::Postgres] {
            let name = database.name();
            let (once, twice) = (
                self.agreements.to_string(),
                self.agreements.saturating_mul(2).to_string(),
            );
            let due = self.due.clone();
            let seconds = self.day_seconds(database, &once, &due)?;
            let seconds_of_twice = self.day_seconds(database, &twice, &due)?;
            let by_hand = match database {
                Database::Sqlite => beside::day_by_hand_sqlite(&self.folder, &once, &due)?,
                Database::Postgres => beside::day_by_hand_postgres(&self.postgres, &once, &due)?,
            };
            run.seconds(&format!("day, {name}"), seconds);
            run.seconds(&format!("day, {name}, twice the agreements"), seconds_of_twice);
            run.seconds(&format!("day by hand-written SQL, {name}"), by_hand);
            run.ratio_at_most(
                &format!("day run, {name}: time"),
                "hand-written set-based SQL",
                seconds / by_hand,
                4.0,
            );
            let beside = "the same due, half the agreements";
            run.ratio_at_most(
                &format!("day run, {name}: time"),
                beside,
                seconds_of_twice / seconds,
                1.2,
            );
        }
        Ok(())
    }

    fn day_seconds(&mut self, database: Database, agreements: &str, due: &str) -> Result<f64, String> {
        let url = self.fresh_store(database)?;
        let size = ["--agreements", agreements, "--due", due];
        let mut fill = self.workload(&url, "day", &size);
        shell::output(fill.arg("--fill"))?;
        if let Database::Postgres = database {
            // Both sides begin with tables that are vacuumed and written; SQLite's are when their process has ended.
            let name = url.rsplit('/').next().unwrap_or_default();
            beside::settle(&self.postgres, name)?;
        }
        let answer = last_line(&shell::output(&mut self.workload(&url, "day", &["--filled"]))?);
        remove_store(&url);
        figure(&answer?, "seconds")
    }

    /// One run of `fenqi bench` on a fresh store; its rate, kept under `label`.
    fn per_second(
        &mut self,
        run: &mut Run,
        label: &str,
        database: Database,
        workload: &str,
        more: &[&str],
    ) -> Result<f64, String> {
        let mut arguments = vec!["--size", ""];
        let size = self.size.clone();
        arguments[1] = &size;
        if workload == "confirm" || workload == "repay" {
            arguments.extend(["--outstanding", OUTSTANDING]);
        }
        arguments.extend(more);
        let idle = beside::Idle::begin()?;
        let answer = self.fenqi(database, workload, &arguments)?;
        let idle = idle.share()?;
        let rate = figure(&answer, "per_second")?;
        run.add(
            label,
            Figure {
                value: rate,
                idle: Some(idle),
                p99_ms: figure(&answer, "p99_ms").ok(),
                is_time: false,
            },
        );
        Ok(rate)
    }

    /// One run on a fresh store; what it printed.
    fn fenqi(&mut self, database: Database, workload: &str, arguments: &[&str]) -> Result<Value, String> {
        let url = self.fresh_store(database)?;
        let printed = shell::output(&mut self.workload(&url, workload, arguments))?;
        remove_store(&url);
        last_line(&printed)
    }

    fn fresh_store(&mut self, database: Database) -> Result<String, String> {
        self.stores += 1;
        match database {
            Database::Sqlite => {
                let path = self.folder.join(format!("store-{}.db", self.stores));
                Ok(format!("sqlite:{}", path.display()))
            }
            Database::Postgres => self.postgres.create_database(&format!("bench_{}", self.stores)),
        }
    }

    fn workload(&self, url: &str, workload: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.fenqi);
        command
            .args(["bench", workload, "--json", "--database", url])
            .args(arguments);
        command
    }
}

fn remove_store(url: &str) {
    if let Some(path) = url.strip_prefix("sqlite:") {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{path}{ending}"));
        }
    }
}

fn last_line(printed: &str) -> Result<Value, String> {
    let mut lines = printed.lines().rev();
    let last = lines
        .find(|line| line.starts_with('{'))
        .ok_or("fenqi bench printed no JSON")?;
    serde_json::from_str(last).map_err(|error| format!("fenqi bench printed bad JSON: {error}"))
}

/// Which database a workload runs on.
#[derive(Clone, Copy)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

fn figure(answer: &Value, name: &str) -> Result<f64, String> {
    let value = answer[name].as_f64().filter(|value| *value > 0.0);
    value.ok_or_else(|| format!("fenqi bench printed no `{name}` more than zero: {answer}"))
}
