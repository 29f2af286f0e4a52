//! `Credential` and `Secret`: keys and tokens, without output of secrets.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Fault, FaultKind};

/// A key that signs requests. The output of `Debug` has the key id only.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An access key. A temporary key has a session token.
    Keys {
        /// The access key id, which is not secret.
        id: String,
        /// The secret access key.
        secret: Secret,
        /// The session token of a temporary key.
        session: Option<Secret>,
    },
    /// A bearer token.
    Token(Secret),
}

impl Credential {
    /// Returns a permanent access key. White space around the texts is dropped.
    pub fn keys(id: impl AsRef<str>, secret: impl AsRef<str>) -> Self {
        Self::Keys {
            id: id.as_ref().trim().to_owned(),
            secret: Secret::new(secret.as_ref().trim()),
            session: None,
        }
    }

    /// Returns a temporary access key. White space around the texts is dropped.
    pub fn session(id: impl AsRef<str>, secret: impl AsRef<str>, session: impl AsRef<str>) -> Self {
        Self::Keys {
            id: id.as_ref().trim().to_owned(),
            secret: Secret::new(secret.as_ref().trim()),
            session: Some(Secret::new(session.as_ref().trim())),
        }
    }

    /// Returns a bearer token. White space around the text is dropped.
    pub fn token(token: impl AsRef<str>) -> Self {
        Self::Token(Secret::new(token.as_ref().trim()))
    }

    /// Returns whether all parts of both keys are equal.
    pub fn same_key(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let key_id = |key: &Self| match key {
            Self::Keys { id, .. } => Some(id.clone()),
            Self::Token(_) => None,
        };
        key_id(self) == key_id(other)
            && self
                .secrets()
                .map(Secret::expose)
                .eq(other.secrets().map(Secret::expose))
    }

    /// Returns every secret part of the key, so that a text can be searched for secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::Keys {
                secret, session, ..
            } => (secret, session.as_ref()),
            Self::Token(token) => (token, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys {
                id,
                secret,
                session,
            } => f
                .debug_struct("Keys")
                .field("id", id)
                .field("secret", secret)
                .field("session", session)
                .finish(),
            Self::Token(token) => f.debug_tuple("Token").field(token).finish(),
        }
    }
}

/// A secret text. The output of `Debug` hides the text, and dropping wipes the text from memory.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Returns a secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns the text, which only signing needs.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Returns a header value. For secrets and signatures, use [`sensitive_header`].
///
/// # Errors
/// [`FaultKind::Credential`] for characters that are not allowed in a header. Only a key can have
/// invalid characters; the other parts of a request are checked before.
pub fn header(value: impl Into<String>) -> Result<HeaderValue, Fault> {
    HeaderValue::try_from(value.into()).map_err(|_| {
        Fault::new(
            FaultKind::Credential,
            "the key has characters that are not allowed in a header",
        )
    })
}

/// Returns a header value that HTTP clients do not log.
///
/// # Errors
/// [`FaultKind::Credential`] for characters that are not allowed in a header.
pub fn sensitive_header(value: impl Into<String>) -> Result<HeaderValue, Fault> {
    let mut value = header(value)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_key_has_no_secret() {
        let text = format!(
            "{:?} {:?}",
            Credential::session("id", "hidden-1", "hidden-2"),
            Credential::token("hidden-3")
        );
        assert!(text.contains("id"), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn keys_are_the_same_only_if_all_parts_are_equal() {
        let keys = [
            Credential::keys("id", "secret"),
            Credential::keys("id", "other"),
            Credential::keys("id-2", "secret"),
            Credential::session("id", "secret", "session"),
            Credential::session("id", "secret", "other"),
            Credential::token("secret"),
            Credential::token("other"),
        ];
        for (row, key) in keys.iter().enumerate() {
            assert!(key.same_key(key), "{row}");
            for (column, other) in keys.iter().enumerate() {
                // A copy has another address in memory.
                let found = key.same_key(&other.clone());
                assert_eq!(found, row == column, "{row} {column}");
            }
        }
        let spaced = Credential::session(" id\n", "\tsecret ", " session\n");
        assert!(spaced.same_key(&keys[3]));
    }

    #[test]
    fn header_of_a_key_is_sensitive_on_request_and_rejects_a_line_break() {
        let plain = header("value").unwrap();
        assert!(plain == "value" && !plain.is_sensitive());
        let sensitive = sensitive_header("value").unwrap();
        assert!(sensitive == "value" && sensitive.is_sensitive());
        for invalid in [header("a\nb"), sensitive_header("a\nb")] {
            let fault = invalid.unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Credential);
            assert!(!fault.message().contains("a\nb"), "{fault}");
        }
    }
}
