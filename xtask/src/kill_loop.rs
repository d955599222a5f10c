//! `cargo xtask kill-loop`: a purchase that was acknowledged is there, whenever the process was killed.
//!
//! Each round starts purchases that print a key when one is acknowledged, kills the process at a random moment,
//! and asks a new process whether every printed key is in the store. `fenqi verify` looks at each store before it is
//! left for a fresh one.

use crate::bench::{Database, program};
use crate::options::Options;
use crate::postgres::Postgres;
use crate::shell::{self, Outcome};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HELP: &str = "\
Kills purchases under way at random moments and looks for each that was acknowledged.

Usage: cargo xtask kill-loop [OPTIONS]

Options:
  --kills N      kills on each database [default: 200]
  --on NAMES     sqlite, postgres, or both with a comma between them [default: sqlite,postgres]
  --fresh N      a fresh store after so many kills, so that verifying stays quick [default: 20]
  --fenqi FILE   this program instead of the release build
  --seed N       the moments of an earlier run again
  -h, --help     this text

Example:
  cargo xtask kill-loop --kills 20 --on sqlite
";

/// When a process is killed, in milliseconds after its first acknowledged purchase.
const MOMENTS: (u64, u64) = (0, 400);

/// Each so-manieth kill counts from the start of the process instead, so that a store is also killed while it opens.
const FROM_START: u64 = 5;

/// How long the first purchase may take on a machine that has other things to do.
const FIRST_PURCHASE: Duration = Duration::from_secs(60);

/// What one database's kills came to.
#[derive(Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    /// Kills before anything was acknowledged show little; they are counted so that nobody is misled.
    idle_kills: u64,
}

/// Runs the kills and says what was lost.
pub fn run(arguments: &[String]) -> Outcome {
    let Some(options) = Options::read(
        arguments,
        &["--kills", "--on", "--fresh", "--fenqi", "--seed"],
        &[],
        HELP,
    )?
    else {
        return Ok(());
    };
    let kills = options.number("--kills", 200)?;
    let fresh = options.number("--fresh", 20)?;
    let databases = databases(&options.text("--on", "sqlite,postgres"))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| u64::from(since.subsec_nanos()) + 1);
    let seed = options.number("--seed", now)?;
    eprintln!("kill-loop: seed {seed}");
    let mut moments = Moments(seed);
    let fenqi = program(&options)?;
    let postgres = Postgres::start()?;
    let folder = postgres.folder_beside("fenqi-kills")?;
    let mut outcome = Ok(());
    for database in databases {
        let place = Place {
            fenqi: &fenqi,
            folder: &folder,
            postgres: &postgres,
            database,
        };
        match kill_all(&place, kills, fresh, &mut moments) {
            Ok(tally) => eprintln!(
                "kill-loop: {}: {} kills ({} before anything was acknowledged), {} purchases acknowledged, 0 lost",
                database.name(),
                tally.kills,
                tally.idle_kills,
                tally.acknowledged
            ),
            Err(reason) => {
                outcome = Err(format!("{}: {reason} (seed {seed})", database.name()));
                break;
            }
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

fn databases(names: &str) -> Result<Vec<Database>, String> {
    let database = |name| match name {
        "sqlite" => Ok(Database::Sqlite),
        "postgres" => Ok(Database::Postgres),
        other => Err(format!("there is no database `{other}`; sqlite and postgres are")),
    };
    names.split(',').map(database).collect()
}

/// Where purchases are made.
struct Place<'a> {
    fenqi: &'a Path,
    folder: &'a Path,
    postgres: &'a Postgres,
    database: Database,
}

impl Place<'_> {
    fn fresh_store(&self, number: u64) -> Result<String, String> {
        match self.database {
            Database::Sqlite => Ok(format!(
                "sqlite:{}",
                self.folder.join(format!("kills-{number}.db")).display()
            )),
            Database::Postgres => self.postgres.create_database(&format!("kills_{number}")),
        }
    }

    fn fenqi(&self, store: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.fenqi);
        command.args(arguments).args(["--database", store]);
        command
    }
}

fn kill_all(place: &Place<'_>, kills: u64, fresh: u64, moments: &mut Moments) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let mut store = String::new();
    for kill in 0..kills {
        if kill % fresh == 0 {
            store = place.fresh_store(kill)?;
            shell::output(&mut place.fenqi(&store, &["migrate"]))?;
        }
        let from_start = kill % FROM_START == 0;
        let keys = purchase_until_killed(place, &store, moments.next(), from_start)?;
        tally.kills += 1;
        tally.idle_kills += u64::from(keys.is_empty());
        tally.acknowledged += keys.len() as u64;
        check(place, &store, &keys).map_err(|reason| format!("kill {}: {reason}", kill + 1))?;
        if (kill + 1) % fresh == 0 || kill + 1 == kills {
            let verified = shell::output(&mut place.fenqi(&store, &["verify"]));
            verified.map_err(|reason| format!("after kill {}: {reason}", kill + 1))?;
            eprintln!(
                "kill-loop: {}: {} of {kills} kills",
                place.database.name(),
                kill + 1
            );
        }
    }
    if tally.acknowledged == 0 {
        return Err("nothing was ever acknowledged, so nothing was shown".to_owned());
    }
    Ok(tally)
}

/// Starts purchases, kills them `moment` after the first was acknowledged, or after the start, and returns the keys that
/// were acknowledged before.
fn purchase_until_killed(
    place: &Place<'_>,
    store: &str,
    moment: Duration,
    from_start: bool,
) -> Result<Vec<String>, String> {
    let mut command = place.fenqi(store, &["bench", "confirm", "--acknowledge"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("could not start fenqi: {error}"))?;
    let stream = child.stdout.take().ok_or("fenqi has no output")?;
    let (first, heard) = mpsc::channel();
    let reader = std::thread::spawn(move || complete_lines(stream, &first));
    if !from_start {
        // No word within the time, or an end of the process, shows below as what it is.
        let _ = heard.recv_timeout(FIRST_PURCHASE);
    }
    std::thread::sleep(moment);
    let early = child.try_wait().map_err(|error| error.to_string())?;
    // `kill` sends SIGKILL: the process can do nothing about it.
    let _ = child.kill();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if let Some(status) = early.filter(|status| !status.success()) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("fenqi ended by itself with {status}: {}", said.trim()));
    }
    reader
        .join()
        .map_err(|_| "the reader of fenqi's output ended badly".to_owned())
}

/// The lines that were printed whole; a line that was cut off was not acknowledged. The first is told when it comes.
fn complete_lines(stream: impl std::io::Read, first: &mpsc::Sender<()>) -> Vec<String> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        if line.ends_with('\n') && !line.trim().is_empty() {
            if lines.is_empty() {
                // Nobody listens where the moment counts from the start.
                let _ = first.send(());
            }
            lines.push(line.trim().to_owned());
        }
        line.clear();
    }
    lines
}

/// Asks a new process whether every acknowledged key is in the store.
fn check(place: &Place<'_>, store: &str, keys: &[String]) -> Outcome {
    let path: PathBuf = place.folder.join("acknowledged");
    let mut file = std::fs::File::create(&path).map_err(|error| error.to_string())?;
    for key in keys {
        writeln!(file, "{key}").map_err(|error| error.to_string())?;
    }
    drop(file);
    let path = path.to_string_lossy().into_owned();
    shell::output(&mut place.fenqi(store, &["bench", "confirm", "--check", &path])).map(drop)
}

/// Random moments from a seed, by xorshift.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let (least, most) = MOMENTS;
        Duration::from_millis(least + self.0 % (most - least + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_was_not_acknowledged() {
        let (first, heard) = mpsc::channel();
        assert_eq!(complete_lines("k1\nk2\nk3".as_bytes(), &first), ["k1", "k2"]);
        assert_eq!(heard.try_iter().count(), 1);
    }

    #[test]
    fn moments_stay_within_their_bounds_differ_and_repeat_by_seed() {
        let moments = |seed| {
            let mut moments = Moments(seed);
            (0..100).map(|_| moments.next().as_millis()).collect::<Vec<_>>()
        };
        assert!(moments(7).iter().all(|moment| (0..=400).contains(moment)));
        assert_eq!(moments(7), moments(7));
        assert_ne!(moments(7), moments(8));
    }

    #[test]
    fn an_unknown_database_is_refused() {
        assert!(databases("sqlite,oracle").err().unwrap().contains("oracle"));
        assert_eq!(databases("sqlite,postgres").unwrap().len(), 2);
    }
}
