//! A PostgreSQL of our own, for one run: in a temporary folder, on a free port, with `fsync` on,
//! stopped and deleted when the run ends, however it ends.

use crate::shell::{self, Outcome};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "fenqi-postgres-";
const USER: &str = "fenqi";
const START_SECONDS_MAX: u64 = 60;

/// A running server; dropping it stops it and deletes its folder.
pub struct Postgres {
    server: Child,
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Creates a cluster and starts it. Installs PostgreSQL first if it is missing.
    pub fn start() -> Result<Self, String> {
        let programs = programs()?;
        delete_what_dead_runs_left();
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("could not create {folder:?}: {error}"))?;
        if shell::is_root() {
            shell::run(Command::new("chown").arg("postgres").arg(&folder))?;
        }
        let data = folder.join("data");
        let mut initdb = unprivileged(&programs.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            USER,
            "--pgdata",
        ]);
        shell::output(initdb.arg(&data))?;
        let port = free_port()?;
        let log = std::fs::File::create(folder.join("log"))
            .map_err(|error| format!("could not create the server's log: {error}"))?;
        let server = unprivileged(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(settings())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("could not start postgres: {error}"))?;
        let mut postgres = Self {
            server,
            folder,
            programs,
            port,
        };
        postgres.wait_until_ready()?;
        shell::run(postgres.client("createdb").arg(USER))?;
        Ok(postgres)
    }

    /// The address that the tests get as `FENQI_TEST_POSTGRES`.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{USER}", self.port)
    }

    /// A client program of this server's version (`psql`, `createdb`, `pgbench`), told where the server is.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", USER)
            .env("PGDATABASE", USER);
        command
    }

    /// Creates an empty database and answers its address.
    pub fn create_database(&self, name: &str) -> Result<String, String> {
        shell::output(self.client("createdb").arg(name))?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    /// Creates a folder on the disk that the server writes to, for what is to be compared with it.
    pub fn folder_beside(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self
            .folder
            .with_file_name(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("could not create {folder:?}: {error}"))?;
        Ok(folder)
    }

    fn wait_until_ready(&mut self) -> Outcome {
        let until = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            if shell::output(&mut self.client("pg_isready")).is_ok() {
                return Ok(());
            }
            let ended = self.server.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("postgres did not start: {}", log.trim()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast shutdown": it ends sessions and stops cleanly.
        let stopped = Command::new("kill")
            .args(["-INT", &self.server.id().to_string()])
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What differs from the defaults: room for many test connections, and what a bench on one small machine wants.
/// Durability (`fsync`, `full_page_writes`, `synchronous_commit`) stays as it is delivered: on.
fn settings() -> Vec<String> {
    [
        "max_connections=200",
        "shared_buffers=256MB",
        "max_wal_size=4GB",
        "jit=off",
        "fsync=on",
    ]
    .iter()
    .flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()])
    .collect()
}

/// A program run as somebody who is not root (PostgreSQL refuses root), and which dies with us,
/// so that a killed run leaves no server behind.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if shell::is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
        command.env("HOME", "/nonexistent");
    }
    command.arg("--").arg(program).current_dir("/");
    command
}

/// The folder of the newest PostgreSQL, after installing one if there is none.
fn programs() -> Result<PathBuf, String> {
    if let Some(folder) = installed() {
        return Ok(folder);
    }
    shell::install_packages(&["postgresql", "postgresql-client"])?;
    installed().ok_or_else(|| "PostgreSQL was installed, but initdb is not where Debian puts it".to_owned())
}

fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let debian = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path())))
        .filter(|(_, path)| path.join("bin/initdb").is_file())
        .max()
        .map(|(_, path)| path.join("bin"));
    debian.or_else(|| {
        let folder = shell::output(Command::new("pg_config").arg("--bindir")).ok()?;
        let folder = PathBuf::from(folder.trim());
        folder.join("initdb").is_file().then_some(folder)
    })
}

fn free_port() -> Result<u16, String> {
    let probe = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("no free port: {error}"))?;
    probe
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

/// A run that was killed could not delete its folder; the next one does.
fn delete_what_dead_runs_left() {
    for entry in std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.strip_prefix(FOLDER)) else {
            continue;
        };
        if !Path::new("/proc").join(process).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_answers_keeps_fsync_on_and_leaves_nothing_behind() {
        let postgres = Postgres::start().unwrap();
        let folder = postgres.folder.clone();
        let mut psql = postgres.client("psql");
        let answer = shell::output(psql.args(["-At", "-c", "show fsync"])).unwrap();
        assert_eq!(answer.trim(), "on");
        let process = postgres.server.id().to_string();
        drop(postgres);
        assert!(!folder.exists());
        assert!(!Path::new("/proc").join(process).exists());
    }
}
