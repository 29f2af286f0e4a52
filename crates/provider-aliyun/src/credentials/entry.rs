//! One profile of a file: settings by name, whatever the format of the file is.

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

/// A profile's settings, and where it stands for people.
#[derive(Clone)]
pub(super) struct Entry {
    place: String,
    settings: HashMap<String, String>,
}

/// What a file calls the settings of a role whose names differ between files. The first name that
/// is there counts.
pub(super) struct RoleWords {
    pub(super) session_name: &'static [&'static str],
    pub(super) duration: &'static str,
}

impl Entry {
    pub(super) fn new(place: String, settings: HashMap<String, String>) -> Self {
        Self { place, settings }
    }

    /// Where it stands, such as `profile "prod" in ~/.aliyun/config.json`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A setting without white space at its ends; `None` when it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.settings.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// A setting without which the profile is of no use.
    pub(super) fn need(&self, name: &str) -> Result<&str, Fault> {
        self.text(name)
            .ok_or_else(|| self.fault(&format!("has no {name}: set it")))
    }

    /// A setting that a variable stands in for.
    pub(super) fn need_or(
        &self,
        name: &str,
        variables: &[&str],
        ctx: &ProviderContext<'_>,
    ) -> Result<String, Fault> {
        match ctx.first_variable(variables) {
            Some(value) if self.text(name).is_none() => Ok(value),
            _ => self.need(name).map(ToOwned::to_owned),
        }
    }

    /// The fault of this profile; `reason` reads after where it stands.
    pub(super) fn fault(&self, reason: &str) -> Fault {
        unusable(&self.place, reason)
    }

    /// The fault of a setting, such as `mode`, that has a value which is not among `supported`. Only
    /// a word is repeated: what is none does not belong there and may be anything.
    pub(super) fn unsupported(&self, setting: &str, supported: &str) -> Fault {
        let is_word = |text: &&str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            text.len() <= 24 && text.bytes().all(allowed)
        };
        let value = self.text(setting).filter(is_word).unwrap_or_default();
        self.fault(&format!(
            "has the {setting} {value:?}, which is not supported: use {supported}"
        ))
    }

    /// The profile's access key, with the session token where there is one.
    pub(super) fn key(&self, token: Option<&str>) -> Result<Credential, Fault> {
        let (id, secret) = (self.need("access_key_id")?, self.need("access_key_secret")?);
        Ok(match token {
            Some(token) => Credential::session(id, secret, token),
            None => Credential::keys(id, secret),
        })
    }

    /// The profile's key as an origin.
    pub(super) fn own(&self, key: Credential) -> Box<dyn CredentialSource> {
        Box::new(Own {
            grant: ResolvedCredential::new(key, &self.place),
        })
    }

    /// The profile's key, which ends, as an origin.
    pub(super) fn own_until(
        &self,
        key: Credential,
        expires: SystemTime,
    ) -> Box<dyn CredentialSource> {
        Box::new(Own {
            grant: ResolvedCredential::new(key, &self.place).with_expiry(expires),
        })
    }

    /// Another origin that the profile describes. Where that finds nothing, the profile is wrong.
    pub(super) fn through(&self, origin: impl CredentialSource) -> Box<dyn CredentialSource> {
        Box::new(Through {
            place: self.place.clone(),
            origin: Box::new(origin),
        })
    }

    /// The role with this ARN, and the profile's settings for it.
    pub(super) fn role(
        &self,
        arn: String,
        words: &RoleWords,
        config: &CredentialSourceConfig,
    ) -> Result<Role, Fault> {
        let session_name = words.session_name.iter().find_map(|name| self.text(name));
        Ok(Role::new(arn)
            .with(session_name, Role::with_session_name)
            .with(self.number(words.duration)?, Role::with_duration)
            .with(self.text("policy"), Role::with_policy)
            .with(self.text("external_id"), Role::with_external_id)
            .with(self.text("sts_region"), Role::with_sts_region)
            .with(self.network()?, Role::with_network)
            .with(self.endpoint("sts_endpoint")?, Role::with_endpoint)
            .configured(config))
    }

    /// A number of seconds; 0 is as good as none.
    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Fault> {
        let read = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| self.fault(&format!("has a {name} that is no number of seconds")))
        };
        let number = self.text(name).map(read).transpose()?;
        Ok(number.filter(|number| *number > 0))
    }

    /// A moment in seconds since 1970.
    pub(super) fn moment(&self, name: &str) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.text(name)?.parse().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    }

    fn network(&self) -> Result<Option<Network>, Fault> {
        match self.text("enable_vpc") {
            None => Ok(None),
            Some("true" | "True") => Ok(Some(Network::Vpc)),
            Some("false" | "False") => Ok(Some(Network::Public)),
            Some(_) => Err(self.fault("has an enable_vpc that is neither true nor false")),
        }
    }

    fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, Fault> {
        let read = |text: &str| {
            Endpoint::parse(text)
                .map_err(|error| self.fault(&format!("has no endpoint in {name}: {error}")))
        };
        self.text(name).map(read).transpose()
    }
}

/// Shows where it stands and nothing else: any setting may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.place).finish()
    }
}

/// A key that is there already.
#[derive(Debug)]
struct Own {
    grant: ResolvedCredential,
}

impl CredentialSource for Own {
    fn name(&self) -> String {
        self.grant.source.clone()
    }

    fn wants(&self) -> String {
        self.grant.source.clone()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::Done(self.grant.clone())
    }
}

/// An origin that a profile describes.
#[derive(Debug)]
struct Through {
    place: String,
    origin: Box<dyn CredentialSource>,
}

impl CredentialSource for Through {
    fn name(&self) -> String {
        format!("{}, {}", self.place, self.origin.name())
    }

    fn wants(&self) -> String {
        self.origin.wants()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let (place, by) = (self.place.clone(), self.place.clone());
        self.origin
            .begin(ctx)
            .or_else(ctx, move |why, _| {
                ExchangeStep::Failed(unusable(&place, &format!("leads nowhere: {why}")))
            })
            .and_then(ctx, move |grant, _| {
                ExchangeStep::Done(grant.with_source_prefix(&by))
            })
    }
}
