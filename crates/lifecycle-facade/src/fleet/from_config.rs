//! Turns the accounts and groups of a read configuration file into accounts and selectors of a fleet.

use std::num::NonZeroUsize;

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, RateLimits,
    credential_source::{CredentialSourceChain, EnvCredentialSource},
};

use super::{Account, CredentialSettings, FleetBuilder, FleetError, Protection, Selector};
use crate::{
    cloud::Cloud,
    config::{AccountConfig, Config, CredentialConfig, GroupSelection, PaceConfig},
};

impl FleetBuilder {
    /// Adds the accounts of a configuration file, and sets the destinations of plain HTTP.
    ///
    /// Leaves out accounts of clouds that this build was not compiled with: no reference can name
    /// such an account. The other [defaults](Config::defaults) are for the transport and for
    /// requests, and are applied by the caller.
    ///
    /// # Errors
    /// [`FleetError::Account`] for a credential source that the cloud does not have.
    pub fn with_config(mut self, config: &Config) -> Result<Self, FleetError> {
        for (name, account) in &config.accounts {
            let Ok(cloud) = account.cloud.in_this_build() else {
                continue;
            };
            let account = Account::from_config(cloud, account);
            let account = account.map_err(|problem| FleetError::Account {
                name: name.clone(),
                problem,
            })?;
            self = self.account(name, account)?;
        }
        if let Some(plain_http) = config.defaults.plain_http {
            self = self.plain_http(plain_http);
        }
        let mut protection = Protection::default();
        protection.names.clone_from(&config.defaults.protect);
        if let Some(key) = &config.defaults.protect_tag {
            protection = protection.with_tag(key);
        }
        self = self.protection(protection);
        Ok(self)
    }
}

impl Selector {
    /// Returns the selector of a group in the configuration file.
    ///
    /// # Errors
    /// [`FleetError::InvalidReference`] for an invalid location.
    pub fn from_config(selection: &GroupSelection) -> Result<Self, FleetError> {
        let locations = selection.locations.iter();
        let mut selector = Self::new();
        selector.locations = locations
            .map(|entry| entry.text.parse())
            .collect::<Result<_, _>>()?;
        selector.filter = selection.filter.clone();
        selector.exclude.clone_from(&selection.exclude);
        selector.max = selection.max.map(NonZeroUsize::get);
        Ok(selector)
    }
}

impl Account {
    fn from_config(cloud: Cloud, config: &AccountConfig) -> Result<Self, String> {
        let credentials = config.credentials.clone();
        // Reports an unsupported source now instead of at the first use of the key.
        sources(cloud, &credentials, &CredentialSourceConfig::default())?;
        let mut account = Self::new(cloud);
        account.region.clone_from(&config.region);
        account.endpoint.clone_from(&config.endpoint);
        account
            .identity_endpoint
            .clone_from(&config.identity_endpoint);
        account
            .metadata_endpoint
            .clone_from(&config.metadata_endpoint);
        account.project.clone_from(&config.project);
        account
            .enterprise_project
            .clone_from(&config.enterprise_project);
        account.batch_reboot = config.batch_reboot.unwrap_or_default();
        account.network = config.network.unwrap_or_default();
        account.rate_limits = rate_limits(cloud, config.pace);
        account.profile = match &credentials {
            CredentialConfig::Default { profile } | CredentialConfig::File { profile } => {
                profile.clone()
            }
            _ => None,
        };
        if credentials != CredentialConfig::default() {
            account.credentials = CredentialSettings::sources(move |config| {
                sources(cloud, &credentials, config).unwrap_or_default()
            });
        }
        Ok(account)
    }
}

/// Returns the cloud's rate limits with the rates of `config`. Bursts do not change.
fn rate_limits(cloud: Cloud, config: PaceConfig) -> Option<RateLimits> {
    if config == PaceConfig::default() {
        return None;
    }
    let mut limits = cloud.profile().rate_limits;
    if let Some(reads) = config.reads {
        limits.reads.per_second = reads;
    }
    if let Some(writes) = config.writes {
        limits.writes.per_second = writes;
    }
    Some(limits)
}

/// Returns the sources for the `credentials` of an account.
fn sources(
    cloud: Cloud,
    credentials: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<Vec<Box<dyn CredentialSource>>, String> {
    let files = |profile: &Option<String>| {
        let mut config = config.clone();
        config.profile.clone_from(profile);
        (cloud.driver().files)(&config)
    };
    Ok(match credentials {
        CredentialConfig::Default { profile: None } => cloud.sources(config),
        // Profiles are in files only, so a named profile excludes keys in variables.
        CredentialConfig::Default {
            profile: profile @ Some(_),
        }
        | CredentialConfig::File { profile } => files(profile),
        CredentialConfig::Environment => cloud.env_sources(config),
        CredentialConfig::AccessKeyVariables {
            id,
            secret,
            session,
        } => {
            let session = session.as_ref().map(|name| name.as_str().to_owned());
            vec![Box::new(EnvCredentialSource::keys(
                id.as_str(),
                secret.as_str(),
                session,
            ))]
        }
        CredentialConfig::TokenVariable { token } => {
            vec![Box::new(EnvCredentialSource::token(token.as_str()))]
        }
        exchange_source => {
            let base = match exchange_source.base() {
                Some(from) => sources(cloud, from, config)?,
                None => Vec::new(),
            };
            let base = CredentialSourceChain::new(base);
            let source = (cloud.driver().exchange_source)(exchange_source, base, config);
            vec![source.ok_or_else(|| format!("{cloud} has no such credential source"))?]
        }
    })
}
