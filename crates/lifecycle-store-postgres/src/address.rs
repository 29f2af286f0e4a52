//! The connection text: a URL or `key=value` pairs as libpq reads them, with the secret parts hidden.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use lifecycle_core::{Scrubber, Secret};
use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Config, Host, SslMode};

/// The address of a database, its user and password, and the rules for TLS.
///
/// Accepts the two forms of libpq: `postgresql://user:password@host:5432/database?sslmode=verify-full` and
/// `host=… user=… password=… dbname=…`. `Debug` and `Display` show neither the password nor the text.
///
/// ```
/// use lifecycle_store_postgres::ConnectionText;
///
/// let text = "postgresql://lifecycle:s3cret@db.example.com/fleet";
/// let connection: ConnectionText = text.parse()?;
/// assert_eq!(connection.to_string(), "lifecycle@db.example.com:5432/fleet");
/// assert!(!format!("{connection:?}").contains("s3cret"));
/// # Ok::<(), lifecycle_store_postgres::InvalidConnection>(())
/// ```
#[derive(Clone)]
pub struct ConnectionText {
    pub(crate) config: Config,
    pub(crate) tls: TlsRule,
    /// Removes the password from messages.
    scrubber: Arc<Scrubber>,
}

/// The use of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsRule {
    /// No TLS.
    Off,
    /// TLS, with a check of the certificate and of the name of the server.
    Verified {
        /// A file with the certificates of the authorities, instead of the certificates of the system.
        roots: Option<PathBuf>,
    },
}

/// The reason why a text is not the address of a database. The message shows no part of the text but names of
/// parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConnection(String);

const FORM: &str = "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, or host=HOST user=USER password=PASSWORD dbname=DATABASE";

impl FromStr for ConnectionText {
    type Err = InvalidConnection;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidConnection(format!(
                "the connection text is empty: {FORM}"
            )));
        }
        let is_url = text.starts_with("postgresql://") || text.starts_with("postgres://");
        let (mode, roots, rest) = match is_url {
            true => split_url(text),
            false => split_pairs(text)?,
        };
        // The reason can repeat a part of the text, such as the password.
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            let known = reason.filter(|reason| reason.starts_with("unknown option"));
            InvalidConnection(match known {
                Some(reason) => format!("the connection text has an {reason}; {FORM}"),
                None => format!("the connection text is not readable: {FORM}"),
            })
        })?;
        if config.get_hosts().is_empty() {
            return Err(InvalidConnection(format!(
                "the connection text names no host: {FORM}"
            )));
        }
        if config.get_user().is_none_or(str::is_empty) {
            return Err(InvalidConnection(format!(
                "the connection text names no user: {FORM}"
            )));
        }
        let is_local = config.get_hosts().iter().all(is_local);
        let (ssl, tls) = tls_rule(mode.as_deref(), roots, is_local)?;
        config.ssl_mode(ssl);
        let scrubber = Arc::new(Scrubber::of_secrets(&password(&config)));
        Ok(Self {
            config,
            tls,
            scrubber,
        })
    }
}

impl ConnectionText {
    /// Replaces every secret in a message.
    pub(crate) fn scrub(&self, message: &str) -> String {
        self.scrubber.scrub_text(message).into_owned()
    }
}

/// Returns the password; `None` for a password that is also the name of the user or of the database: messages name both.
fn password(config: &Config) -> Option<Secret> {
    let password = String::from_utf8_lossy(config.get_password()?);
    let names = [config.get_user(), config.get_dbname()];
    (!names.contains(&Some(&*password))).then(|| Secret::new(password))
}

fn tls_rule(
    mode: Option<&str>,
    roots: Option<PathBuf>,
    is_local: bool,
) -> Result<(SslMode, TlsRule), InvalidConnection> {
    let verified = TlsRule::Verified { roots };
    match mode {
        // A name of the loopback interface has no certificate, and nobody between the two ends.
        None if is_local => Ok((SslMode::Disable, TlsRule::Off)),
        None => Ok((SslMode::Require, verified)),
        Some("disable") => Ok((SslMode::Disable, TlsRule::Off)),
        Some("prefer" | "allow") => Ok((SslMode::Prefer, verified)),
        Some("require" | "verify-ca" | "verify-full") => Ok((SslMode::Require, verified)),
        Some(_) => Err(InvalidConnection(
            "sslmode of the connection text is unknown: write disable, prefer, require or verify-full"
                .to_owned(),
        )),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Takes `sslmode` and `sslrootcert` out of the URL: tokio-postgres reads neither `verify-full` nor files.
fn split_url(text: &str) -> (Option<String>, Option<PathBuf>, String) {
    let Some((base, query)) = text.split_once('?') else {
        return (None, None, text.to_owned());
    };
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" => roots = Some(PathBuf::from(value)),
            _ => rest.push(pair),
        }
    }
    let rest = match rest.is_empty() {
        true => base.to_owned(),
        false => format!("{base}?{}", rest.join("&")),
    };
    (mode, roots, rest)
}

/// The value of `sslmode`, the file of `sslrootcert`, and the other parameters.
type Parts = (Option<String>, Option<PathBuf>, String);

/// Takes `sslmode` and `sslrootcert` out of `key=value` pairs.
fn split_pairs(text: &str) -> Result<Parts, InvalidConnection> {
    let (mut mode, mut roots, mut rest) = (None, None, String::new());
    let mut left = text.trim_start();
    while !left.is_empty() {
        let unreadable =
            || InvalidConnection(format!("the connection text is not readable: {FORM}"));
        let (name, after) = left.split_once('=').ok_or_else(unreadable)?;
        let (value, after) = pair_value(after.trim_start()).ok_or_else(unreadable)?;
        match name.trim() {
            "sslmode" => mode = Some(value),
            "sslrootcert" => roots = Some(PathBuf::from(value)),
            name => {
                let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                rest.push_str(&format!("{name}='{value}' "));
            }
        }
        left = after.trim_start();
    }
    Ok((mode, roots, rest))
}

/// Returns the value at the beginning of a text, without quotes, and the rest of the text.
fn pair_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut letters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            '\'' if quoted => return Some((value, &text[at + 1..])),
            letter if !quoted && letter.is_whitespace() => return Some((value, &text[at..])),
            letter => value.push(letter),
        }
    }
    (!quoted).then_some((value, ""))
}

impl fmt::Display for ConnectionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate();
        let hosts: Vec<String> = hosts
            .map(|(at, host)| {
                let port = ports.get(at).or(ports.first()).unwrap_or(&5432);
                match host {
                    Host::Tcp(name) => format!("{name}:{port}"),
                    #[cfg(unix)]
                    Host::Unix(path) => path.display().to_string(),
                }
            })
            .collect();
        write!(f, "{user}@{}/{database}", hosts.join(","))
    }
}

impl fmt::Debug for ConnectionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionText")
            .field(&self.to_string())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ConnectionText {
        text.parse().unwrap()
    }

    #[test]
    fn remote_host_without_sslmode_is_verified_and_a_local_host_has_no_tls() {
        for (text, encrypted) in [
            ("postgresql://u:p@db.example.com/f", true),
            ("postgresql://u:p@localhost/f", false),
            ("postgresql://u:p@127.0.0.1:5433/f", false),
            ("host=/run/postgresql user=u dbname=f", false),
            ("host=db.example.com user=u", true),
            ("postgresql://u:p@db.example.com/f?sslmode=disable", false),
            ("postgresql://u:p@localhost/f?sslmode=verify-full", true),
            ("host=localhost user=u sslmode = 'require'", true),
        ] {
            assert_eq!(read(text).tls != TlsRule::Off, encrypted, "{text}");
        }
        let roots = read("postgresql://u@db/f?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem");
        let expected = TlsRule::Verified {
            roots: Some("/etc/ca.pem".into()),
        };
        assert_eq!(roots.tls, expected);
    }

    #[test]
    fn values_with_quotes_and_backslashes_stay_as_they_are() {
        let connection =
            read(r"host=localhost user='a b' password='it\'s \\ x' sslmode=disable dbname=f");
        assert_eq!(connection.config.get_password(), Some(&br"it's \ x"[..]));
        assert_eq!(connection.to_string(), "a b@localhost:5432/f");
    }

    #[test]
    fn no_message_shows_the_text() {
        for text in [
            "",
            "hunter2hunter2",
            "postgresql://u:hunter2@/f",
            "postgresql://u:hunter2@db:port/f",
            "postgresql://:hunter2@db/f",
            "host=db user=u password='hunter2",
            "host=db user=u password=hunter2 port=x",
            "host=db user=u password=hunter2 nonsense=hunter2",
            "postgresql://u:hunter2@db/f?sslmode=hunter2",
        ] {
            let error = text.parse::<ConnectionText>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("write "), "{error}");
        }
        let connection = read("postgresql://u:hunt%2Fer2@db/f");
        let message = connection.scrub(r"hunt/er2, hunt%2Fer2, hunt%2fer2 and hunt\/er2");
        assert_eq!(message, "[secret], [secret], [secret] and [secret]");
        assert!(!format!("{connection:?} {connection}").contains("hunt"));
    }

    #[test]
    fn password_that_is_also_a_name_garbles_no_message() {
        let message = r#"no database "database" of user "postgres""#;
        for text in [
            "postgresql://postgres:postgres@db/f",
            "postgresql://u:database@db/database",
            "postgresql://u:a@db/f",
            "postgresql://u@db/f",
        ] {
            assert_eq!(read(text).scrub(message), message, "{text}");
        }
    }
}
