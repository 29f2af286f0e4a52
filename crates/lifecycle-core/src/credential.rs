//! Keys, and how they stay out of sight.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Fault, FaultKind};

/// A key with which requests are signed. Prints its public half only.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An access key, with a session token when it is temporary.
    Keys {
        /// The public half.
        id: String,
        /// The secret half.
        secret: Secret,
        /// The session token of a temporary key.
        session: Option<Secret>,
    },
    /// A token that is sent as it is.
    Token(Secret),
}

impl Credential {
    /// A permanent access key. White space around both halves, as copying leaves it, is dropped.
    pub fn keys(id: impl AsRef<str>, secret: impl AsRef<str>) -> Self {
        Self::Keys {
            id: id.as_ref().trim().to_owned(),
            secret: Secret::new(secret.as_ref().trim()),
            session: None,
        }
    }

    /// A temporary access key.
    pub fn session(id: impl AsRef<str>, secret: impl AsRef<str>, session: impl AsRef<str>) -> Self {
        Self::Keys {
            id: id.as_ref().trim().to_owned(),
            secret: Secret::new(secret.as_ref().trim()),
            session: Some(Secret::new(session.as_ref().trim())),
        }
    }

    /// A bearer token.
    pub fn token(token: impl AsRef<str>) -> Self {
        Self::Token(Secret::new(token.as_ref().trim()))
    }

    /// Whether all parts are the same.
    pub fn same_key(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let public_half = |key: &Self| match key {
            Self::Keys { id, .. } => Some(id.clone()),
            Self::Token(_) => None,
        };
        public_half(self) == public_half(other)
            && self
                .secrets()
                .map(Secret::expose)
                .eq(other.secrets().map(Secret::expose))
    }

    /// Every part that must not be seen, to scrub texts with.
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

/// A text that is never printed, and wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Only signing needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A header value; `Secret`s and signatures go through [`sensitive_header`].
///
/// # Errors
/// [`FaultKind::Credential`]: what comes from a key is the only part of a request that can hold
/// characters that no header can carry.
pub fn header(value: impl Into<String>) -> Result<HeaderValue, Fault> {
    HeaderValue::try_from(value.into()).map_err(|_| {
        Fault::new(
            FaultKind::Credential,
            "the key has characters that no header can carry",
        )
    })
}

/// A header value that HTTP clients keep out of their logs.
///
/// # Errors
/// Those of [`header`].
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
    fn debug_shows_no_secret() {
        let text = format!(
            "{:?} {:?}",
            Credential::session("id", "hidden-1", "hidden-2"),
            Credential::token("hidden-3")
        );
        assert!(text.contains("id"), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
}
