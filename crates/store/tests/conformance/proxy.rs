//! A way to the server that breaks at the worst moment: when a commit is on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use fenqi_store::PostgresOptions;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_postgres::config::Host;

/// Where the way breaks, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The commit does not reach the server.
    BeforeCommit,
    /// The server has committed, and its answer does not come back.
    BeforeReply,
    /// The commit reaches the server when that has lost its patience with the transaction.
    TooLate,
}

/// A proxy in front of the server of a ground.
pub struct Proxy {
    armed: Arc<AtomicU8>,
    pub options: PostgresOptions,
    _serving: JoinSet<()>,
}

const NOTHING: u8 = 0;
const BEFORE_COMMIT: u8 = 1;
const BEFORE_REPLY: u8 = 2;
const TOO_LATE: u8 = 3;

impl Proxy {
    pub async fn before(options: &PostgresOptions) -> Proxy {
        let server: tokio_postgres::Config = options.url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let password = server
            .get_password()
            .map(|password| format!(":{}", String::from_utf8_lossy(password)));
        let url = format!(
            "postgres://{}{}@127.0.0.1:{}/{}?sslmode=disable",
            server.get_user().unwrap(),
            password.unwrap_or_default(),
            listener.local_addr().unwrap().port(),
            server.get_dbname().unwrap_or("postgres"),
        );
        let armed = Arc::new(AtomicU8::new(NOTHING));
        let mut serving = JoinSet::new();
        let way = Arc::clone(&armed);
        serving.spawn(async move {
            let mut ways = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (server, armed) = (server.clone(), Arc::clone(&way));
                ways.spawn(async move {
                    let port = server.get_ports().first().copied().unwrap_or(5432);
                    match &server.get_hosts()[0] {
                        Host::Tcp(host) => {
                            carry(
                                client,
                                TcpStream::connect((host.as_str(), port)).await.unwrap(),
                                &armed,
                            )
                            .await;
                        }
                        Host::Unix(folder) => {
                            let socket = folder.join(format!(".s.PGSQL.{port}"));
                            carry(client, UnixStream::connect(socket).await.unwrap(), &armed).await;
                        }
                    }
                });
            }
        });
        let options = PostgresOptions {
            url,
            ..options.clone()
        };
        Proxy {
            armed,
            options,
            _serving: serving,
        }
    }

    /// The next commit breaks the way.
    pub fn arm(&self, cut: Cut) {
        let armed = match cut {
            Cut::BeforeCommit => BEFORE_COMMIT,
            Cut::BeforeReply => BEFORE_REPLY,
            Cut::TooLate => TOO_LATE,
        };
        self.armed.store(armed, Ordering::SeqCst);
    }
}

/// Carries bytes both ways until one side ends or the way breaks.
async fn carry(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin, armed: &AtomicU8) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_committing = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                if contains(&up[..count], b"commit\0") {
                    let cut = armed.swap(NOTHING, Ordering::SeqCst);
                    if cut == BEFORE_COMMIT {
                        return;
                    }
                    if cut == TOO_LATE {
                        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
                    }
                    is_committing |= cut == BEFORE_REPLY;
                }
                if server.write_all(&up[..count]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                if is_committing {
                    if contains(&down[..count], b"COMMIT\0") {
                        return;
                    }
                    continue;
                }
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
