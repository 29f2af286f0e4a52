//! One profile or section of a credentials file: settings by name, independent of the file format.

use std::{
    collections::HashMap,
    fmt,
    time::{Duration, SystemTime},
};

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault,
    ProviderContext, ResolvedCredential, credential_source::unusable,
};

use super::role::Role;
use crate::config::Network;

/// The settings of a profile, and the location of the profile for messages.
#[derive(Clone)]
pub(super) struct ProfileSection {
    location: String,
    settings: HashMap<String, String>,
}

/// Names of those role settings that differ between file formats. The first name that is set
/// counts.
pub(super) struct RoleSettingNames {
    pub(super) session_name: &'static [&'static str],
    pub(super) duration: &'static str,
}

impl ProfileSection {
    pub(super) fn new(location: String, settings: HashMap<String, String>) -> Self {
        Self { location, settings }
    }

    /// Returns the location, such as `profile "prod" in ~/.aliyun/config.json`.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// Returns a setting without surrounding white space; `None` when the setting is empty.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let value = self.settings.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Returns a setting, or a fault when the setting is empty.
    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.setting(name)
            .ok_or_else(|| self.fault(&format!("has no {name}: set {name}")))
    }

    /// Returns a required setting, with a fallback to environment variables.
    pub(super) fn required_or_env(
        &self,
        name: &str,
        variables: &[&str],
        ctx: &ProviderContext<'_>,
    ) -> Result<String, Fault> {
        match ctx.first_variable(variables) {
            Some(value) if self.setting(name).is_none() => Ok(value),
            _ => self.required(name).map(ToOwned::to_owned),
        }
    }

    /// Returns a fault of this profile; `reason` continues the sentence after the location.
    pub(super) fn fault(&self, reason: &str) -> Fault {
        unusable(&self.location, reason)
    }

    /// Returns the fault of a setting, such as `mode`, whose value is not among `supported`. The
    /// message repeats the value only if the value is a plain word: any other text may be a secret.
    pub(super) fn unsupported(&self, setting: &str, supported: &str) -> Fault {
        let is_word = |text: &&str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            text.len() <= 24 && text.bytes().all(allowed)
        };
        let value = self.setting(setting).filter(is_word).unwrap_or_default();
        self.fault(&format!(
            "has the {setting} {value:?}, which is not supported: use {supported}"
        ))
    }

    /// Returns the access key of the profile, with a session token if `token` is given.
    pub(super) fn access_key(&self, token: Option<&str>) -> Result<Credential, Fault> {
        let id = self.required("access_key_id")?;
        let secret = self.required("access_key_secret")?;
        Ok(match token {
            Some(token) => Credential::session(id, secret, token),
            None => Credential::keys(id, secret),
        })
    }

    /// Returns a source that resolves to `key`.
    pub(super) fn static_source(&self, key: Credential) -> Box<dyn CredentialSource> {
        Box::new(StaticKey(ResolvedCredential::new(key, &self.location)))
    }

    /// Returns a source that resolves to `key`, which expires at `expires`.
    pub(super) fn expiring_source(
        &self,
        key: Credential,
        expires: SystemTime,
    ) -> Box<dyn CredentialSource> {
        let resolved = ResolvedCredential::new(key, &self.location).with_expiry(expires);
        Box::new(StaticKey(resolved))
    }

    /// Returns `source` as the source of this profile. A source without a key is a fault of the
    /// profile then.
    pub(super) fn delegate_to(&self, source: impl CredentialSource) -> Box<dyn CredentialSource> {
        Box::new(Delegate {
            location: self.location.clone(),
            source: Box::new(source),
        })
    }

    /// Returns the role with this ARN and the role settings of the profile.
    pub(super) fn role(
        &self,
        arn: String,
        names: &RoleSettingNames,
        config: &CredentialSourceConfig,
    ) -> Result<Role, Fault> {
        let mut session_names = names.session_name.iter();
        let session_name = session_names.find_map(|name| self.setting(name));
        Ok(Role::new(arn)
            .with_optional(session_name, Role::with_session_name)
            .with_optional(self.seconds(names.duration)?, Role::with_duration)
            .with_optional(self.setting("policy"), Role::with_policy)
            .with_optional(self.setting("external_id"), Role::with_external_id)
            .with_optional(self.setting("sts_region"), Role::with_sts_region)
            .with_optional(self.network()?, Role::with_network)
            .with_optional(self.endpoint("sts_endpoint")?, Role::with_endpoint)
            .with_config(config))
    }

    /// Returns a number of seconds; `None` for 0.
    fn seconds(&self, name: &str) -> Result<Option<u32>, Fault> {
        let parse = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| self.fault(&format!("has an invalid {name}: use a number of seconds")))
        };
        let seconds = self.setting(name).map(parse).transpose()?;
        Ok(seconds.filter(|seconds| *seconds > 0))
    }

    /// Returns a time that the profile holds as seconds since 1970.
    pub(super) fn time(&self, name: &str) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.setting(name)?.parse().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    }

    fn network(&self) -> Result<Option<Network>, Fault> {
        match self.setting("enable_vpc") {
            None => Ok(None),
            Some("true" | "True") => Ok(Some(Network::Vpc)),
            Some("false" | "False") => Ok(Some(Network::Public)),
            Some(_) => Err(self.fault("has an invalid enable_vpc: use true or false")),
        }
    }

    fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, Fault> {
        let parse = |text: &str| {
            Endpoint::parse(text)
                .map_err(|error| self.fault(&format!("has an invalid {name}: {error}")))
        };
        self.setting(name).map(parse).transpose()
    }
}

/// Shows the location only: any setting may be a secret.
impl fmt::Debug for ProfileSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProfileSection")
            .field(&self.location)
            .finish()
    }
}

/// A key that needs no exchange.
#[derive(Debug)]
struct StaticKey(ResolvedCredential);

impl CredentialSource for StaticKey {
    fn name(&self) -> String {
        self.0.source.clone()
    }

    fn requirements(&self) -> String {
        self.0.source.clone()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::Done(self.0.clone())
    }
}

/// A source that a profile describes.
#[derive(Debug)]
struct Delegate {
    location: String,
    source: Box<dyn CredentialSource>,
}

impl CredentialSource for Delegate {
    fn name(&self) -> String {
        format!("{}, {}", self.location, self.source.name())
    }

    fn requirements(&self) -> String {
        self.source.requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let (location, prefix) = (self.location.clone(), self.location.clone());
        self.source
            .begin(ctx)
            .or_else(ctx, move |reason, _| {
                let reason = format!("has no usable key: {reason}");
                ExchangeStep::Failed(unusable(&location, &reason))
            })
            .and_then(ctx, move |resolved, _| {
                ExchangeStep::Done(resolved.with_source_prefix(&prefix))
            })
    }
}
