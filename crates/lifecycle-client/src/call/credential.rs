//! The trait that supplies credentials, its error, and a provider of one fixed credential.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use lifecycle_core::{Credential, ExecutionStatus, Fault, FaultKind};

/// Supplies the key for the next call. The client asks before every attempt; a provider should
/// cache.
#[async_trait]
pub trait CredentialProvider: fmt::Debug + Send + Sync + 'static {
    /// Returns the key for an attempt that is sent now.
    ///
    /// # Errors
    /// [`CredentialError`] with the sources that were tried and a hint on what to do.
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError>;

    /// Records that the cloud rejected `key`. Returns whether [`credential`](Self::credential) may
    /// return another key afterwards.
    #[expect(unused_variables, reason = "the documentation names the key")]
    fn invalidate(&self, key: &Credential) -> bool {
        false
    }

    /// Returns the fault that delays the search for a key now; `None` without a search under way.
    fn search_fault(&self) -> Option<Fault> {
        None
    }

    /// Returns the source and the validity of the current key, without I/O.
    fn info(&self) -> CredentialInfo {
        CredentialInfo::default()
    }
}

#[async_trait]
impl<S: CredentialProvider + ?Sized> CredentialProvider for Arc<S> {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        (**self).credential().await
    }

    fn invalidate(&self, key: &Credential) -> bool {
        (**self).invalidate(key)
    }

    fn search_fault(&self) -> Option<Fault> {
        (**self).search_fault()
    }

    fn info(&self) -> CredentialInfo {
        (**self).info()
    }
}

/// The source and the validity of a key. Contains no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialInfo {
    /// The kind of source, such as `environment`, or `program` for a fixed key; empty before a key is
    /// found.
    pub kind: String,
    /// The exact source, such as `profile "prod" in ~/.aliyun/config.json`.
    pub source: String,
    /// The time of expiry by the clock of this machine; `None` for a permanent key.
    pub expires: Option<SystemTime>,
    /// The time from which a new key is fetched.
    pub renews: Option<SystemTime>,
    /// Problems with the storage of the key, such as a file readable by other users.
    pub warnings: Vec<String>,
    /// The number of keys obtained so far, including renewals; 0 for a fixed key.
    pub keys_found: u64,
    /// The number of searches for a key without success.
    pub failed_searches: u64,
}

impl CredentialInfo {
    /// Returns the info of a permanent key.
    pub fn new(kind: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            source: source.into(),
            ..Self::default()
        }
    }

    /// Sets the times of a temporary key: the expiry, and the start of the renewal.
    #[must_use]
    pub fn with_expiry(mut self, expires: SystemTime, renews: SystemTime) -> Self {
        self.expires = Some(expires);
        self.renews = Some(renews);
        self
    }

    /// Sets the problems with the storage of the key.
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// The reason why no key could be supplied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CredentialError {
    #[source]
    fault: Fault,
    is_not_configured: bool,
}

/// The message of the fault. Advice follows where the message cannot name the setting for the problem: certificates and
/// proxies.
impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.message())?;
        match self.fault.kind() {
            kind @ (FaultKind::Certificate | FaultKind::Proxy) => {
                write!(f, "; {}", kind.advice())
            }
            _ => Ok(()),
        }
    }
}

impl CredentialError {
    /// Returns the error for a missing configuration. The message names the sources that were tried
    /// and what to do.
    pub fn not_configured(message: impl Into<String>) -> Self {
        Self {
            is_not_configured: true,
            ..Fault::new(FaultKind::Credential, message).into()
        }
    }

    /// Returns `true` if no source is configured, and `false` if a configured source failed.
    pub fn is_not_configured(&self) -> bool {
        self.is_not_configured
    }

    /// Returns the fault to report for the call that needed the key. The call was not sent.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// Converts the fault of a configured source.
///
/// A fault about a key, a role or a user says nothing about an instance. So the kind becomes
/// [`FaultKind::Credential`], except for faults that say nothing about the key: transport, load,
/// deadline, and an unreadable response.
impl From<Fault> for CredentialError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind() {
            kind @ (FaultKind::Throttled
            | FaultKind::Unavailable
            | FaultKind::Unreachable
            | FaultKind::Certificate
            | FaultKind::Proxy
            | FaultKind::NoAnswer
            | FaultKind::Unreadable
            | FaultKind::Deadline) => kind,
            _ => FaultKind::Credential,
        };
        Self {
            fault: fault
                .with_kind(kind)
                .with_execution_status(ExecutionStatus::NotExecuted),
            is_not_configured: false,
        }
    }
}

/// Supplies one fixed key.
#[derive(Clone, Debug)]
pub struct StaticCredential(Arc<Credential>);

impl StaticCredential {
    /// Returns a provider of this key.
    pub fn new(credential: Credential) -> Self {
        Self(Arc::new(credential))
    }
}

#[async_trait]
impl CredentialProvider for StaticCredential {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        Ok(Arc::clone(&self.0))
    }

    fn info(&self) -> CredentialInfo {
        CredentialInfo::new("program", "given by the program")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A provider without any default answer.
    #[derive(Debug)]
    struct Searching;

    #[async_trait]
    impl CredentialProvider for Searching {
        async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
            Err(CredentialError::not_configured("no variable"))
        }

        fn invalidate(&self, _: &Credential) -> bool {
            true
        }

        fn search_fault(&self) -> Option<Fault> {
            Some(Fault::new(FaultKind::Throttled, "slow down"))
        }

        fn info(&self) -> CredentialInfo {
            CredentialInfo::new("profile", "a file")
        }
    }

    #[tokio::test]
    async fn shared_provider_answers_as_the_provider_inside() {
        let shared = Arc::new(Searching);
        let error = CredentialProvider::credential(&shared).await.unwrap_err();
        assert!(error.is_not_configured());
        assert_eq!(error.fault().message(), "no variable");
        let key = Credential::keys("id", "secret");
        assert!(CredentialProvider::invalidate(&shared, &key));
        let fault = CredentialProvider::search_fault(&shared).unwrap();
        assert_eq!(fault.message(), "slow down");
        assert_eq!(
            CredentialProvider::info(&shared),
            CredentialInfo::new("profile", "a file")
        );
    }

    #[tokio::test]
    async fn fixed_key_has_no_replacement_and_no_search() {
        let key = Credential::keys("id", "secret");
        let fixed = StaticCredential::new(key.clone());
        assert!(fixed.credential().await.unwrap().same_key(&key));
        assert!(!fixed.invalidate(&key), "there is no other key");
        assert_eq!(fixed.search_fault(), None);
        let info = fixed.info();
        assert_eq!((&*info.kind, info.expires), ("program", None));
        assert!(!info.source.is_empty());
    }

    #[test]
    fn advice_about_certificates_and_proxies_follows_the_message() {
        for kind in [FaultKind::Certificate, FaultKind::Proxy] {
            let error = CredentialError::from(Fault::new(kind, "no key"));
            assert_eq!(error.to_string(), format!("no key; {}", kind.advice()));
        }
        let error = CredentialError::from(Fault::new(FaultKind::Unreachable, "no key"));
        assert_eq!(error.to_string(), "no key");
    }

    #[test]
    fn setters_of_the_info_keep_the_other_fields() {
        let [renews, expires] = [1, 2].map(|n| SystemTime::UNIX_EPOCH + Duration::from_secs(n));
        let info = CredentialInfo::new("profile", "a file")
            .with_warnings(vec!["open to others".to_owned()])
            .with_expiry(expires, renews);
        assert_eq!((&*info.kind, &*info.source), ("profile", "a file"));
        assert_eq!((info.expires, info.renews), (Some(expires), Some(renews)));
        let warned = CredentialInfo::new("profile", "a file")
            .with_expiry(expires, renews)
            .with_warnings(vec!["open to others".to_owned()]);
        assert_eq!(warned, info);
        assert_eq!(warned.warnings, ["open to others"]);
    }
}
