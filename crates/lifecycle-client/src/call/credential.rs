//! The key of a call: the provider trait, the error, and the fixed key.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use lifecycle_core::{Credential, ExecutionStatus, Fault, FaultKind};

/// Gives the key for the next call. Asked before every attempt, so it should cache.
#[async_trait]
pub trait CredentialProvider: fmt::Debug + Send + Sync + 'static {
    /// The key to sign with now.
    ///
    /// # Errors
    /// [`CredentialError`] says what was looked for and what to do.
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError>;

    /// The cloud refused this key. `true` when it makes sense to ask for another one.
    fn invalidate(&self, key: &Credential) -> bool {
        let _ = key;
        false
    }

    /// Where the key comes from and how long it is good, as far as it is known without asking
    /// anybody.
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

    fn info(&self) -> CredentialInfo {
        (**self).info()
    }
}

/// Where a key comes from and how long it is good. Never a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialInfo {
    /// The kind of place, such as `environment`; empty when nothing was found yet.
    pub kind: String,
    /// The place itself, such as `profile "prod" in ~/.aliyun/config.json`.
    pub source: String,
    /// When the key ends, by this machine's clock; `None` when it has no known end.
    pub expires: Option<SystemTime>,
    /// From when on a new key is fetched.
    pub renews: Option<SystemTime>,
    /// What is wrong with how the key is kept, such as a file that others can read.
    pub warnings: Vec<String>,
}

/// There is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .fault.message())]
pub struct CredentialError {
    #[source]
    fault: Fault,
    is_absent: bool,
}

impl CredentialError {
    /// Nothing is set up. The text says what was looked for and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            is_absent: true,
            ..Fault::new(FaultKind::Credential, message).into()
        }
    }

    /// Whether nothing is set up, rather than something that cannot be used.
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// Why, as the fault of the call that needed the key. That call was never sent.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// Something is set up and cannot be used.
///
/// What a service says of a key, a role or a user is nothing about an instance: unless it is about
/// the way there, the fault becomes one of the credential.
impl From<Fault> for CredentialError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind() {
            kind @ (FaultKind::Throttled
            | FaultKind::Unavailable
            | FaultKind::Unreachable
            | FaultKind::NoAnswer
            | FaultKind::Unreadable
            | FaultKind::Deadline) => kind,
            _ => FaultKind::Credential,
        };
        Self {
            fault: fault
                .with_kind(kind)
                .with_execution_status(ExecutionStatus::NotExecuted),
            is_absent: false,
        }
    }
}

/// One key that never changes.
#[derive(Clone, Debug)]
pub struct StaticCredential(Arc<Credential>);

impl StaticCredential {
    /// This key for ever.
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
        CredentialInfo {
            kind: "program".to_owned(),
            source: "given by the program".to_owned(),
            ..CredentialInfo::default()
        }
    }
}
