//! What runs beside the platform's workloads.

use crate::postgres::Postgres;
use crate::shell::{self, Outcome};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const CLIENTS: [&str; 3] = ["8", "32", "64"];
const SCALE: &str = "20";
const SYNCS: usize = 200;

/// Fills pgbench's tables once.
pub fn pgbench_fill(postgres: &Postgres) -> Outcome {
    shell::output(postgres.client("pgbench").args(["-i", "-q", "-s", SCALE])).map(drop)
}

/// The best rate of pgbench over the numbers of clients, on its own transaction or on a script.
pub fn pgbench_best(postgres: &Postgres, seconds: &str, script: Option<&Path>) -> Result<f64, String> {
    let mut best = 0.0_f64;
    for clients in CLIENTS {
        let mut pgbench = postgres.client("pgbench");
        pgbench.args(["-M", "prepared", "-n", "-j", "2", "-c", clients, "-T", seconds]);
        if let Some(script) = script {
            pgbench.arg("-f").arg(script);
        }
        let rate = pgbench_rate(&shell::output(&mut pgbench)?)?;
        best = best.max(rate);
    }
    Ok(best)
}

fn pgbench_rate(printed: &str) -> Result<f64, String> {
    let line = printed.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|rate| rate.parse().ok());
    rate.ok_or_else(|| format!("pgbench printed no rate: {printed}"))
}

/// The median cost of one fdatasync after a write of 4 KiB, in microseconds.
pub fn fdatasync_microseconds(folder: &Path) -> Result<f64, String> {
    let path = folder.join("sync");
    let costs = (|| {
        let mut file = std::fs::File::create(&path)?;
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
        let mut costs = Vec::new();
        for number in 0..SYNCS {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&[u8::try_from(number % 251).unwrap_or(0); 4096])?;
            let since = Instant::now();
            file.sync_data()?;
            costs.push(since.elapsed());
        }
        std::fs::remove_file(&path)?;
        Ok::<_, std::io::Error>(costs)
    })();
    let mut costs = costs.map_err(|error| format!("could not measure fdatasync: {error}"))?;
    costs.sort();
    costs
        .get(SYNCS / 2)
        .map(|cost| cost.as_secs_f64() * 1e6)
        .ok_or_else(|| "nothing was measured".to_owned())
}

/// The machine's idle time since it was begun.
pub struct Idle {
    idle: u64,
    all: u64,
}

impl Idle {
    /// Begins to look.
    pub fn begin() -> Result<Self, String> {
        let text = std::fs::read_to_string("/proc/stat")
            .map_err(|error| format!("could not read /proc/stat: {error}"))?;
        Self::of(&text).ok_or_else(|| "/proc/stat has no first line of figures".to_owned())
    }

    fn of(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let figures: Vec<u64> = line
            .split_whitespace()
            .filter_map(|figure| figure.parse().ok())
            .collect();
        // The fourth figure is idle time and the fifth is waiting for a disk; guests are counted in the first.
        let idle = figures.get(3)? + figures.get(4)?;
        Some(Self {
            idle,
            all: figures.iter().take(8).sum(),
        })
    }

    /// The share of the time since then that was idle.
    pub fn share(&self) -> Result<f64, String> {
        let now = Self::begin()?;
        let (idle, all) = (
            now.idle.saturating_sub(self.idle),
            now.all.saturating_sub(self.all),
        );
        // Ticks of a hundredth of a second fit a float exactly for as long as a machine lives.
        Ok(f64::from(u32::try_from(idle).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(all.max(1)).unwrap_or(u32::MAX)))
    }
}

/// What two numeric packages of PyPI do in a second of processor time.
pub struct Packages(serde_json::Value);

impl Packages {
    /// How many of a kind one of them does.
    pub fn rate(&self, package: &str, kind: &str) -> Result<f64, String> {
        let name = match package {
            "QuantLib-Python" => "quantlib",
            _ => "numpy_financial",
        };
        let rate = self.0[name][kind].as_f64();
        rate.ok_or_else(|| format!("bench/quote.py printed no `{kind}` of `{name}`"))
    }
}

/// Runs `bench/quote.py` in an environment of its own below `target`.
pub fn numeric_packages() -> Result<Packages, String> {
    let root = shell::root();
    let environment = root.join("target/bench-python");
    let python = environment.join("bin/python");
    if !python.is_file() {
        eprintln!("bench: installing QuantLib and numpy-financial with pip");
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut pip = Command::new(&python);
        shell::run(pip.args([
            "-m",
            "pip",
            "install",
            "-q",
            "numpy",
            "numpy-financial",
            "QuantLib",
        ]))?;
    }
    let printed = shell::output(Command::new(&python).arg(root.join("bench/quote.py")))?;
    let answer = serde_json::from_str(&printed);
    let answer = answer.map_err(|error| format!("bench/quote.py printed no JSON: {error}"))?;
    Ok(Packages(answer))
}

/// Brings a database that was just filled to rest: vacuumed, with statistics, and with all of it written.
pub fn settle(postgres: &Postgres, database: &str) -> Outcome {
    let mut psql = postgres.client("psql");
    psql.args(["-q", "-d", database, "-c", "vacuum analyze", "-c", "checkpoint"]);
    shell::output(&mut psql).map(drop)
}

/// The day run as hand-written set-based SQL on PostgreSQL, in seconds.
pub fn day_by_hand_postgres(postgres: &Postgres, agreements: &str, due: &str) -> Result<f64, String> {
    let mut psql = postgres.client("psql");
    let size = [format!("agreements={agreements}"), format!("due={due}")];
    psql.args(["-q", "-v", "ON_ERROR_STOP=1"]);
    for setting in &size {
        psql.args(["-v", setting]);
    }
    let folder = shell::root().join("bench");
    shell::output(psql.arg("-f").arg(folder.join("day-fill.sql")))?;
    settle(postgres, "fenqi")?;
    // What it takes to start psql and to connect is no part of the day.
    let mut started = postgres.client("psql");
    let since = Instant::now();
    shell::output(started.args(["-q", "-1", "-c", ""]))?;
    let start = since.elapsed();
    let mut psql = postgres.client("psql");
    let since = Instant::now();
    shell::output(
        psql.args(["-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(folder.join("day-run.sql")),
    )?;
    Ok(since.elapsed().saturating_sub(start).as_secs_f64())
}

/// Fills the tables of `bench/one-statement.sql`.
pub fn repay_fill(postgres: &Postgres) -> Outcome {
    let script = shell::root().join("bench/repay-fill.sql");
    let mut psql = postgres.client("psql");
    shell::output(psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(script)).map(drop)
}

/// The same on SQLite at `synchronous=FULL`, through Python's own SQLite.
pub fn day_by_hand_sqlite(folder: &Path, agreements: &str, due: &str) -> Result<f64, String> {
    let script = shell::root().join("bench/day.py");
    let store = folder.join("day-by-hand.db");
    let printed = shell::output(
        Command::new("python3")
            .arg(script)
            .arg(store)
            .args([agreements, due]),
    )?;
    printed
        .trim()
        .parse()
        .map_err(|_| format!("bench/day.py printed no seconds: {printed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_pgbench_is_read_and_its_absence_is_an_error() {
        let printed = "number of clients: 8\ntps = 5402.102334 (without initial connection time)\n";
        assert!((pgbench_rate(printed).unwrap() - 5_402.102_334).abs() < 1e-6);
        assert!(pgbench_rate("connection refused").is_err());
    }

    #[test]
    fn idle_time_counts_waiting_for_the_disk_too() {
        let idle = Idle::of("cpu  100 0 50 700 50 0 0 0 30 0\ncpu0 …").unwrap();
        assert_eq!((idle.idle, idle.all), (750, 900));
    }

    #[test]
    fn an_fdatasync_costs_something() {
        assert!(fdatasync_microseconds(&std::env::temp_dir()).unwrap() > 0.0);
    }
}
