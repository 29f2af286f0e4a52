//! From a configuration file to accounts.

#[cfg(any(feature = "baidu", feature = "aliyun", feature = "huawei"))]
use lifecycle_core::credential_source::CredentialSourceChain;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, RateLimits, credential_source::EnvCredentialSource,
};

use super::{Account, Cloud, CredentialSettings, EndpointNetwork, FleetBuilder, FleetError};
use crate::config::{AccountConfig, Config, CredentialConfig, NetworkConfig, PaceConfig};

impl FleetBuilder {
    /// With the accounts of a configuration file, and its rule for plain HTTP.
    ///
    /// Its other defaults are about requests and about the transport: who makes these takes them
    /// from [`Config::defaults`].
    ///
    /// # Errors
    /// [`FleetError::Account`] names an account whose cloud has no such source of keys. Accounts of
    /// clouds that this build does not know are left out: no reference can name them.
    pub fn configured(mut self, config: &Config) -> Result<Self, FleetError> {
        for (name, account) in &config.accounts {
            let Ok(cloud) = account.cloud.in_this_build() else {
                continue;
            };
            let account = Account::configured(cloud, account);
            let account = account.map_err(|problem| FleetError::Account {
                name: name.clone(),
                problem,
            })?;
            self = self.account(name, account)?;
        }
        if let Some(plain_http) = config.defaults.plain_http {
            self = self.plain_http(plain_http);
        }
        Ok(self)
    }
}

impl Account {
    fn configured(cloud: Cloud, config: &AccountConfig) -> Result<Self, String> {
        // What a cloud does not have is said here, and not when the key is needed.
        source(
            cloud,
            &config.credentials,
            &CredentialSourceConfig::default(),
        )?;
        let credentials = config.credentials.clone();
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
        account.network = match config.network {
            Some(NetworkConfig::Vpc) => EndpointNetwork::Vpc,
            _ => EndpointNetwork::Public,
        };
        account.pace = pace(cloud, config.pace);
        account.profile = match &credentials {
            CredentialConfig::Default { profile } | CredentialConfig::File { profile } => {
                profile.clone()
            }
            _ => None,
        };
        if credentials != CredentialConfig::default() {
            account.keys = CredentialSettings::sources(move |config| {
                source(cloud, &credentials, config).unwrap_or_default()
            });
        }
        Ok(account)
    }
}

/// The cloud's own pace with other rates; bursts stay as they are.
fn pace(cloud: Cloud, config: PaceConfig) -> Option<RateLimits> {
    if config == PaceConfig::default() {
        return None;
    }
    let mut pace = cloud.profile().rate_limits;
    if let Some(reads) = config.reads {
        pace.reads.per_second = reads;
    }
    if let Some(writes) = config.writes {
        pace.writes.per_second = writes;
    }
    Some(pace)
}

type CredentialSourceFactory = Vec<Box<dyn CredentialSource>>;

/// Where keys come from by a source of the configuration file.
fn source(
    cloud: Cloud,
    source: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<CredentialSourceFactory, String> {
    let with_profile = |profile: &Option<String>| {
        let mut config = config.clone();
        config.profile.clone_from(profile);
        config
    };
    Ok(match source {
        CredentialConfig::Default { profile: None } => cloud.sources(config),
        // A profile is a thing of files, and who names one does not mean a key in a variable.
        CredentialConfig::Default {
            profile: profile @ Some(_),
        }
        | CredentialConfig::File { profile } => cloud.files(&with_profile(profile)),
        CredentialConfig::Environment => cloud.variables(config),
        CredentialConfig::EnvVarNames {
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
        other => vec![exchange(cloud, other, config)?],
    })
}

/// Where somebody has to be asked.
fn exchange(
    cloud: Cloud,
    source: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<Box<dyn CredentialSource>, String> {
    // Zenlayer has nobody to be asked.
    let _ = (source, config);
    match cloud {
        #[cfg(feature = "baidu")]
        Cloud::Baidu => baidu(source, config),
        #[cfg(feature = "aliyun")]
        Cloud::Aliyun => aliyun(source, config),
        #[cfg(feature = "zenlayer")]
        Cloud::Zenlayer => Err(not_here(cloud)),
        #[cfg(feature = "huawei")]
        Cloud::Huawei => huawei(source, config),
    }
}

fn not_here(cloud: Cloud) -> String {
    format!("{cloud} has no such source of keys")
}

/// The keys with which others are asked for.
#[cfg(any(feature = "baidu", feature = "aliyun", feature = "huawei"))]
fn base(
    cloud: Cloud,
    from: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<CredentialSourceChain, String> {
    Ok(CredentialSourceChain::new(source(cloud, from, config)?))
}

#[cfg(feature = "baidu")]
fn baidu(
    source: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<Box<dyn CredentialSource>, String> {
    use crate::config::RoleConfig;
    use provider_baidu::credentials::{AssumeRole, SessionToken};

    match source {
        CredentialConfig::SessionToken { duration, from } => {
            let mut token = SessionToken::new(base(Cloud::Baidu, from, config)?);
            if let Some(duration) = duration {
                token = token.with_duration(*duration);
            }
            if let Some(endpoint) = &config.identity {
                token = token.with_identity(endpoint.clone());
            }
            Ok(Box::new(token))
        }
        CredentialConfig::AssumeRole(RoleConfig {
            role,
            account_id: Some(account_id),
            duration,
            from,
            ..
        }) => {
            let base = base(Cloud::Baidu, from, config)?;
            let mut role = AssumeRole::new(base, account_id, role);
            if let Some(duration) = duration {
                role = role.with_duration(*duration);
            }
            if let Some(endpoint) = &config.identity {
                role = role.with_identity(endpoint.clone());
            }
            Ok(Box::new(role))
        }
        _ => Err(not_here(Cloud::Baidu)),
    }
}

#[cfg(feature = "aliyun")]
fn aliyun(
    source: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<Box<dyn CredentialSource>, String> {
    use provider_aliyun::credentials::{
        AssumeRole, CredentialsUri, EcsRamRole, OidcVariables, Role,
    };

    Ok(match source {
        CredentialConfig::Metadata { role } => {
            let mut origin = EcsRamRole::new().with_config(config.clone());
            if let Some(role) = role {
                origin = origin.with_role(role);
            }
            Box::new(origin)
        }
        CredentialConfig::Oidc => Box::new(OidcVariables::new().with_config(config.clone())),
        CredentialConfig::Uri { uri } => Box::new(CredentialsUri::new(uri)),
        CredentialConfig::AssumeRole(asked) => {
            let mut role = Role::new(&asked.role);
            if let Some(name) = &asked.session_name {
                role = role.with_session_name(name);
            }
            if let Some(id) = &asked.external_id {
                role = role.with_external_id(id);
            }
            if let Some(duration) = asked.duration {
                role = role.with_duration(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX));
            }
            if let Some(endpoint) = &config.identity {
                role = role.with_endpoint(endpoint.clone());
            }
            let base = base(Cloud::Aliyun, &asked.from, config)?;
            Box::new(AssumeRole::new(Box::new(base), role))
        }
        _ => return Err(not_here(Cloud::Aliyun)),
    })
}

#[cfg(feature = "huawei")]
fn huawei(
    source: &CredentialConfig,
    config: &CredentialSourceConfig,
) -> Result<Box<dyn CredentialSource>, String> {
    use crate::config::RoleConfig;
    use provider_huawei::credentials::{AssumeAgency, EcsAgency, OidcAgency, PasswordVariable};

    Ok(match source {
        CredentialConfig::Metadata { .. } => Box::new(EcsAgency::new().with_config(config.clone())),
        CredentialConfig::Oidc => Box::new(OidcAgency::new().with_config(config.clone())),
        CredentialConfig::Password {
            user,
            domain,
            password_variable,
        } => Box::new(
            PasswordVariable::new(user, domain, password_variable.as_str())
                .with_config(config.clone()),
        ),
        CredentialConfig::AssumeRole(RoleConfig {
            role,
            domain: Some(domain),
            duration,
            from,
            ..
        }) => {
            let base = base(Cloud::Huawei, from, config)?;
            let mut agency = AssumeAgency::new(base, role, domain).with_config(config.clone());
            if let Some(duration) = duration {
                agency = agency.with_duration(*duration);
            }
            Box::new(agency)
        }
        _ => return Err(not_here(Cloud::Huawei)),
    })
}
