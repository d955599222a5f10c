//! Reaching the server: its address, the encryption of the way, and the settings we insist on.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::task::JoinSet;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::Fault;

/// How a server is reached, with the schema to work in.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    tls: MakeRustlsConnect,
    schema: Option<String>,
    is_read_only: bool,
}

/// A connection with the task that serves it; the task ends when this is dropped.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) serving: JoinSet<Result<(), tokio_postgres::Error>>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    Read,
    /// Schemas and migrations, which may take longer.
    Schema,
}

/// How long a lock is waited for, and how long a process that stopped within a transaction may hold
/// its locks: together they bound how long it can hold up another (below two seconds).
pub(super) const PATIENCE_MS: u64 = 500;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Address {
    /// Reads a connection URL. `sslmode` may be `disable`, `prefer` (the default), `require`, or
    /// `verify-full`, which needs `sslrootcert=FILE`; `require` with a root certificate verifies too.
    pub(super) fn parse(url: &str, schema: Option<String>) -> Result<Self, Fault> {
        let wrong = |what: String| Fault::Unsafe(format!("the database's address: {what}"));
        let (plain, mode, root) = without_verification(url).map_err(wrong)?;
        let mut config: Config = plain
            .parse()
            .map_err(|error: tokio_postgres::Error| wrong(wrong_part(&error)))?;
        if mode.as_deref() == Some("verify-full") {
            if root.is_none() {
                return Err(wrong("sslmode=verify-full needs sslrootcert=FILE".to_owned()));
            }
            config.ssl_mode(SslMode::Require);
        }
        config.application_name("fenqi").connect_timeout(CONNECT_TIMEOUT);
        let tls = tls(root.as_deref()).map_err(wrong)?;
        if let Some(schema) = &schema {
            check_name(schema)?;
        }
        Ok(Self {
            config,
            tls,
            schema,
            is_read_only: false,
        })
    }

    /// The same for connections that only read, if so wanted.
    pub(super) fn only_reading(mut self, is_read_only: bool) -> Self {
        self.is_read_only = is_read_only;
        self
    }

    /// Connects and settles what the connection is for. Errors: [`Fault::Unavailable`].
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connected, Fault> {
        let connected = self.connect_bare().await?;
        connected
            .client
            .batch_execute(&self.settings(purpose))
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(connected)
    }

    /// Connects and leaves all settings as the server has them.
    pub(super) async fn connect_bare(&self) -> Result<Connected, Fault> {
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| unavailable(&error))?;
        let mut serving = JoinSet::new();
        serving.spawn(connection);
        Ok(Connected { client, serving })
    }

    fn settings(&self, purpose: Purpose) -> String {
        let mut text = String::from("set jit = off; ");
        if let Some(schema) = &self.schema {
            text.push_str(&format!("set search_path to \"{schema}\"; "));
        }
        if self.is_read_only {
            text.push_str("set default_transaction_read_only = on; ");
        }
        if purpose == Purpose::Schema {
            return text;
        }
        // A plan made while a table was small must still be right when it is large: our statements
        // find their rows by a key.
        text.push_str(
            "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; \
             set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off; ",
        );
        if purpose == Purpose::Write {
            text.push_str(&format!(
                "set synchronous_commit = on; set lock_timeout = {PATIENCE_MS}; \
                 set idle_in_transaction_session_timeout = {PATIENCE_MS}; "
            ));
        }
        text
    }

    /// Whether the server keeps what it has acknowledged. Errors: [`Fault::Unsafe`] with the setting.
    pub(super) async fn check_durability(&self) -> Result<(), Fault> {
        let connected = self.connect_bare().await?;
        let query = "select name, setting from pg_settings \
                     where name in ('fsync', 'full_page_writes', 'synchronous_commit')";
        let rows = connected
            .client
            .query(query, &[])
            .await
            .map_err(|error| unavailable(&error))?;
        let settings: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        keeps_what_it_acknowledged(&settings)
    }
}

/// Which part of an address is wrong, and how one is written. The parser names the part and never what stands in it, which
/// may be a password.
fn wrong_part(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let part = cause.as_deref().and_then(|cause| {
        let named = cause.strip_prefix("invalid value for option `")?;
        named.strip_suffix('`')
    });
    let wrong = match part {
        Some("port") => "the port is no number from 1 to 65535".to_owned(),
        Some(part) => format!("the {part} cannot be read"),
        None if cause
            .as_deref()
            .is_some_and(|cause| cause.starts_with("unknown option")) =>
        {
            "an option behind the ? is none that there is".to_owned()
        }
        None => "cannot be read".to_owned(),
    };
    format!(
        "{wrong}; write postgres://USER@HOST:PORT/NAME, with %40 for @, %3A for : and %2F for / in a part"
    )
}

/// The address in a URL without its password, put together from its parts.
pub(super) fn shown(url: &str) -> Result<String, Fault> {
    // The parser's own words may repeat a part of what it could not read.
    let unreadable = || Fault::Unsafe("the database's address cannot be read".to_owned());
    let (plain, mode, root) = without_verification(url).map_err(|_| unreadable())?;
    let config: Config = plain.parse().map_err(|_| unreadable())?;
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(place, host)| {
            let name = match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(path) => path.display().to_string().replace('/', "%2F"),
            };
            match ports.get(place).or(ports.first()) {
                Some(port) => format!("{name}:{port}"),
                None => name,
            }
        })
        .collect();
    let user = config
        .get_user()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let name = config.get_dbname().unwrap_or_default();
    let mode = mode.or(match config.get_ssl_mode() {
        SslMode::Disable => Some("disable".to_owned()),
        SslMode::Require => Some("require".to_owned()),
        _ => None,
    });
    let mut rest: Vec<String> = Vec::new();
    rest.extend(mode.map(|mode| format!("sslmode={mode}")));
    rest.extend(root.map(|file| format!("sslrootcert={file}")));
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("?{}", rest.join("&"))
    };
    Ok(format!("postgres://{user}{}/{name}{rest}", hosts.join(",")))
}

fn keeps_what_it_acknowledged(settings: &[(String, String)]) -> Result<(), Fault> {
    match settings.iter().find(|(_, setting)| setting == "off") {
        None => Ok(()),
        Some((name, _)) => Err(Fault::Unsafe(format!(
            "the server has {name} = off; acknowledged writes would be lost in a crash, set it to on"
        ))),
    }
}

/// Whether this may be the name of a schema of ours. Errors: [`Fault::Schema`].
pub(super) fn check_name(schema: &str) -> Result<(), Fault> {
    let is_plain = schema
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain && !schema.is_empty() && schema.len() <= 63 {
        return Ok(());
    }
    let what = format!("the schema name {schema:?}: up to 63 of a-z, 0-9 and _ are allowed");
    Err(Fault::Schema(what))
}

pub(super) fn unavailable(error: &tokio_postgres::Error) -> Fault {
    use std::error::Error as _;
    // The error's own words leave out the cause, which is the part that helps.
    let cause = error
        .source()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    Fault::Unavailable(format!("{error}{cause}"))
}

type Verification = (String, Option<String>, Option<String>);

/// Takes from a URL what the client library does not know: `sslmode=verify-full` and `sslrootcert`.
fn without_verification(url: &str) -> Result<Verification, String> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None, None));
    };
    let (mut kept, mut mode, mut root) = (Vec::new(), None, None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) => root = Some(percent_decoded(file)),
            Some(("sslmode", "verify-full")) => mode = Some("verify-full".to_owned()),
            Some(("sslmode", "verify-ca" | "allow")) => {
                return Err("sslmode may be disable, prefer, require or verify-full".to_owned());
            }
            _ => kept.push(pair),
        }
    }
    let plain = if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", kept.join("&"))
    };
    Ok((plain, mode, root))
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or("").as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                bytes.push(code);
                bytes.extend(rest.as_bytes());
            }
            _ => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tls(root: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = match root {
        Some(file) => {
            let wrong = |error: &dyn std::fmt::Display| format!("sslrootcert {file}: {error}");
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// What `sslmode=prefer` and `require` mean without a root certificate, as in every PostgreSQL client:
/// the way is encrypted, and who is at its end is not verified.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str, setting: &str) -> (String, String) {
        (name.to_owned(), setting.to_owned())
    }

    #[test]
    fn a_server_that_forgets_what_it_acknowledged_is_refused() {
        let names = ["fsync", "full_page_writes", "synchronous_commit"];
        let good: Vec<_> = names.iter().map(|name| setting(name, "on")).collect();
        assert_eq!(keeps_what_it_acknowledged(&good), Ok(()));
        for name in names {
            let mut bad = good.clone();
            bad.iter_mut()
                .filter(|one| one.0 == name)
                .for_each(|one| one.1 = "off".to_owned());
            let fault = keeps_what_it_acknowledged(&bad).unwrap_err().to_string();
            assert!(fault.contains(&format!("the server has {name} = off")), "{fault}");
        }
    }

    #[test]
    fn a_wrong_address_names_the_part_and_repeats_nothing() {
        for (url, part) in [
            ("postgres://u:secret@h:99999/x", "the port is no number"),
            ("postgres://u:secret@h:secret/x", "the port is no number"),
            ("postgres://u:secret@[h/x", "the host cannot be read"),
            ("postgres://u:secret@h/x?secret=1", "an option behind the ?"),
            (
                "postgres://u:secret@h/x?connect_timeout=secret",
                "the connect_timeout cannot be read",
            ),
        ] {
            let Err(fault) = Address::parse(url, None) else {
                panic!("{url} was read");
            };
            let fault = fault.to_string();
            assert!(
                fault.contains(part) && fault.contains("postgres://USER@HOST:PORT/NAME"),
                "{url}: {fault}"
            );
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn a_process_that_stops_holds_up_another_for_less_than_two_seconds() {
        // The server ends its session after the patience, and whoever waits has tried at most twice more.
        const { assert!(PATIENCE_MS * 3 < 2_000) };
        let address = Address::parse("postgres://u@h/d", Some("s1".to_owned())).unwrap();
        let settings = address.settings(Purpose::Write);
        for expected in [
            "set lock_timeout = 500",
            "set idle_in_transaction_session_timeout = 500",
            "set synchronous_commit = on",
            "set jit = off",
            "set search_path to \"s1\"",
        ] {
            assert!(settings.contains(expected), "{settings}");
        }
    }

    #[test]
    fn the_address_honours_the_modes_of_encryption() {
        let mode = |url: &str| Address::parse(url, None).map(|address| address.config.get_ssl_mode());
        assert_eq!(mode("postgres://u@h/d").unwrap(), SslMode::Prefer);
        assert_eq!(
            mode("postgres://u@h/d?sslmode=disable").unwrap(),
            SslMode::Disable
        );
        assert_eq!(
            mode("postgres://u@h/d?sslmode=require&connect_timeout=2").unwrap(),
            SslMode::Require
        );
        let fault = mode("postgres://u@h/d?sslmode=verify-full")
            .unwrap_err()
            .to_string();
        assert!(fault.contains("needs sslrootcert=FILE"), "{fault}");
        let fault = mode("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch.pem")
            .unwrap_err()
            .to_string();
        assert!(fault.contains("sslrootcert /no/such.pem"), "{fault}");
        assert!(mode("postgres://u@h/d?sslmode=verify-ca").is_err());
    }

    #[test]
    fn a_schema_has_a_plain_name() {
        assert!(check_name("fenqi_test_1").is_ok());
        for bad in ["", "a b", "Ann", "a\"; drop schema b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
