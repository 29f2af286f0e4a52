//! `CredentialSource`: a source of keys, as pure steps. The client does the I/O.

mod chain;
mod env;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, Unit};

use crate::{Credential, Endpoint, ExchangeStep, Fault, FaultKind, HttpResponse, ProviderContext};

pub use crate::host::{EmptyHost, FileCheck, HostEnvironment};
pub use chain::CredentialSourceChain;
pub use env::{EnvCredentialSource, not_set};

/// One source of a key: variables, a file, a metadata service, an exchange of keys.
///
/// A source has no I/O: [`begin`](Self::begin) reads the [`ProviderContext`] and returns the next
/// request or program as an [`ExchangeStep`].
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the name for operators, such as `environment` or `ECS RAM role`.
    fn name(&self) -> String;

    /// Returns the settings that the source requires, as a fragment for a list, such as
    /// `A_KEY_ID and A_KEY_SECRET` or `~/.cloud/config.json`.
    fn requirements(&self) -> String;

    /// Returns the first step of the exchange that ends with a key.
    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential>;
}

impl CredentialSource for Box<dyn CredentialSource> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn requirements(&self) -> String {
        (**self).requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        (**self).begin(ctx)
    }
}

/// A key with its source and its expiry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResolvedCredential {
    /// The key.
    pub credential: Credential,
    /// The place of the key, for operators, such as `profile "prod" in ~/.aliyun/config.json`. Never
    /// a secret.
    pub source: String,
    /// The expiry by the clock of the issuer; `None` if the expiry is unknown.
    pub expires: Option<SystemTime>,
    /// The time before the expiry at which a new key should be fetched; `None` for the default of the
    /// client.
    pub renewal: Option<Duration>,
}

impl ResolvedCredential {
    /// Returns a key from `source` with an unknown expiry.
    pub fn new(credential: Credential, source: impl Into<String>) -> Self {
        Self {
            credential,
            source: source.into(),
            expires: None,
            renewal: None,
        }
    }

    /// Sets the expiry.
    #[must_use]
    pub fn with_expiry(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Sets the time before the expiry at which a new key should be fetched.
    #[must_use]
    pub fn with_renewal(mut self, ahead: Duration) -> Self {
        self.renewal = Some(ahead);
        self
    }

    /// Puts the source of the key that was exchanged in front of the source, with a comma.
    #[must_use]
    pub fn with_source_prefix(mut self, prefix: &str) -> Self {
        self.source = format!("{prefix}, {}", self.source);
        self
    }
}

/// Settings of the sources of a cloud, which override the settings of the vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialSourceConfig {
    /// The region of the instances.
    pub region: Option<String>,
    /// The profile in the files of the vendor; `None` for the profile that the files name.
    pub profile: Option<String>,
    /// The endpoint of the identity service (STS, IAM); `None` for the default host.
    pub identity: Option<Endpoint>,
    /// The endpoint of the metadata service of the machine; `None` for the fixed address.
    pub metadata: Option<Endpoint>,
}

impl CredentialSourceConfig {
    /// Returns the settings for this region, with the defaults of the tools of the vendor.
    pub fn in_region(region: impl Into<String>) -> Self {
        Self {
            region: Some(region.into()),
            ..Self::default()
        }
    }

    /// Sets the region of the instances.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the profile in the files of the vendor.
    #[must_use]
    pub fn with_profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Sets the endpoint of the identity service.
    #[must_use]
    pub fn with_identity(mut self, endpoint: Endpoint) -> Self {
        self.identity = Some(endpoint);
        self
    }

    /// Sets the endpoint of the metadata service.
    #[must_use]
    pub fn with_metadata(mut self, endpoint: Endpoint) -> Self {
        self.metadata = Some(endpoint);
        self
    }
}

/// Returns the fault of a setting that exists and cannot be used. `setting` is a file, a variable or
/// a profile, and `reason` is a fragment that follows the setting.
pub fn unusable(setting: &str, reason: &str) -> Fault {
    Fault::new(FaultKind::Credential, format!("{setting} {reason}"))
}

/// Returns the fault of an identity service, without the body of a response without a code. A proxy
/// may have sent such a response, which may quote the secrets of the request.
pub fn without_excerpt(fault: Fault) -> Fault {
    match fault.code() {
        Some(_) => fault,
        None => fault.with_message("the response is not in the format of the cloud"),
    }
}

/// Reads the expiry of a key in a response, such as `2026-11-22T08:00:00Z`.
///
/// # Errors
/// [`FaultKind::Unreadable`] for an invalid time, because a key with an unknown expiry would be used
/// for too long. The fault quotes the time only, because the response holds the key.
pub fn read_expiry(text: &str, response: &HttpResponse) -> Result<SystemTime, Fault> {
    read_time(text).ok_or_else(|| {
        let message = format!("the response cannot be read (invalid time {text:?})");
        Fault::new(FaultKind::Unreadable, message).with_status(response.status().as_u16())
    })
}

/// Reads a time in RFC 3339 format, such as `2026-11-22T08:00:00Z`; `None` for an invalid time.
pub fn read_time(text: &str) -> Option<SystemTime> {
    text.trim().parse::<Timestamp>().ok().map(SystemTime::from)
}

/// Returns a time for operators, such as `2026-11-22T08:00:00Z`. Works for every time: the expiry of a
/// key comes from outside, and can be before 1970.
pub fn display_time(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).and_then(|time| time.round(Unit::Second));
    time.map_or_else(
        |_| "a time outside of the calendar".to_owned(),
        |time| time.to_string(),
    )
}

#[cfg(test)]
mod tests;
