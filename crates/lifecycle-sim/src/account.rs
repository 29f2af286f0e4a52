//! The account of a simulated cloud: the project and the keys.

use crate::Cloud;

/// The account of one cloud.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The project of all Huawei instances; 32 hexadecimal digits.
    pub(crate) project_id: String,
    keys: Vec<Key>,
}

/// An access key or a bearer token.
#[derive(Clone)]
pub(crate) struct Key {
    /// The access key id, or the token.
    pub(crate) id: String,
    /// The secret access key; empty for a token.
    pub(crate) secret: String,
    /// The session token of a temporary key.
    pub(crate) session: Option<String>,
    /// Marks a bearer token.
    pub(crate) is_token: bool,
    /// The number of calls until the key is revoked, or `None` for no limit.
    calls_left: Option<u64>,
    /// The expiry in seconds since 1970. The account's own keys have none.
    expires_at: Option<i64>,
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// A permanent access key.
    Permanent,
    /// An access key with a session token.
    Temporary,
    /// A bearer token. Zenlayer and Huawei accept tokens.
    Token,
}

impl Key {
    pub(crate) fn pair(id: String, secret: String, session: Option<String>) -> Self {
        Self {
            id,
            secret,
            session,
            is_token: false,
            calls_left: None,
            expires_at: None,
        }
    }

    pub(crate) fn token(token: String) -> Self {
        Self {
            id: token,
            secret: String::new(),
            session: None,
            is_token: true,
            calls_left: None,
            expires_at: None,
        }
    }

    /// Generates a random key.
    pub(crate) fn generate(cloud: Cloud, kind: KeyKind, rng: &mut fastrand::Rng) -> Self {
        let id = format!("SIM{}{:016X}", cloud.as_str().to_uppercase(), rng.u64(..));
        let secret = format!("simsecret{:032x}", rng.u128(..));
        match kind {
            KeyKind::Permanent => Self::pair(id, secret, None),
            KeyKind::Temporary => {
                let session = format!("simsession{:032x}", rng.u128(..));
                Self::pair(id, secret, Some(session))
            }
            KeyKind::Token => Self::token(format!("simtoken{:032x}", rng.u128(..))),
        }
    }

    /// Returns the key with this expiry, in seconds since 1970.
    pub(crate) fn with_expiry(mut self, end: i64) -> Self {
        self.expires_at = Some(end);
        self
    }

    /// Reports whether the key is expired at `now`, in seconds since 1970.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// Reports whether the cloud refuses every call with the key.
    pub(crate) fn is_revoked(&self) -> bool {
        self.calls_left == Some(0)
    }

    /// Reports whether the session token belongs to the key. A permanent key has none.
    pub(crate) fn matches_session(&self, session: Option<&str>) -> bool {
        self.session.as_deref() == session
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Account {
    pub(crate) fn new(project_id: String, first: Key) -> Self {
        Self {
            project_id,
            keys: vec![first],
        }
    }

    /// Returns the access key with this id. A revoked key counts, too.
    pub(crate) fn key(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| !key.is_token && key.id == id)
    }

    /// Returns the key of this bearer token. A revoked token counts, too.
    pub(crate) fn token(&self, token: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.is_token && key.id == token)
    }

    /// Returns the newest of the account's own keys. Keys from identity services do not count.
    pub(crate) fn newest_permanent_key(&self) -> Option<&Key> {
        self.keys.iter().rfind(|key| key.expires_at.is_none())
    }

    pub(crate) fn add(&mut self, key: Key) {
        self.keys
            .retain(|known| known.id != key.id || known.is_token != key.is_token);
        self.keys.push(key);
    }

    /// Removes the keys that expired a day or more before `now`.
    pub(crate) fn remove_expired(&mut self, now: i64) {
        self.keys
            .retain(|key| !key.is_expired(now.saturating_sub(DAY)));
    }

    /// Revokes all keys after this number of further calls.
    pub(crate) fn revoke_after(&mut self, calls: u64) {
        for key in &mut self.keys {
            key.calls_left = Some(calls);
        }
    }

    /// Counts a call that was accepted with this key.
    pub(crate) fn count_call(&mut self, id: &str) {
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.calls_left = key.calls_left.map(|left| left.saturating_sub(1));
        }
    }
}

/// A day in seconds.
const DAY: i64 = 86_400;
