//! Alibaba Cloud ECS in the table of clouds: the data, and the functions that build the provider
//! and the credential sources.

use super::entry::{CloudData, CloudRegions, KeyScope};
#[cfg(feature = "config")]
use crate::config::schema::{CloudSettings, CloudSource, SourceKind, optional};

pub(super) const ENTRY: CloudData = CloudData {
    name: "aliyun",
    aliases: &["alibaba", "alibabacloud", "alicloud", "ali"],
    empty_list_note: Some(
        "a RAM user or role without permission gets an empty list, too: check the permissions of the key",
    ),
    regions: CloudRegions::Many {
        variables: &["ALIBABA_CLOUD_REGION_ID", "ALICLOUD_REGION"],
        default: "cn-hangzhou",
    },
    key_scope: KeyScope::Account,
    #[cfg(feature = "config")]
    settings: CloudSettings {
        account: &[
            optional("identity_endpoint"),
            optional("metadata_endpoint"),
            optional("network"),
        ],
        sources: &[
            CloudSource::new(SourceKind::Variables, &[optional("session")]),
            CloudSource::new(SourceKind::Metadata, &[optional("role")]),
            CloudSource::new(SourceKind::Oidc, &[]),
            CloudSource::new(SourceKind::Uri, &[]),
            CloudSource::new(
                SourceKind::AssumeRole,
                &[optional("session_name"), optional("external_id")],
            ),
        ],
    },
};

#[cfg(feature = "aliyun")]
pub(super) mod driver {
    #[cfg(feature = "config")]
    use lifecycle_core::{
        CredentialSource, CredentialSourceConfig, credential_source::CredentialSourceChain,
    };
    #[cfg(feature = "config")]
    use provider_aliyun::credentials::{
        AssumeRole, CredentialsUri, EcsRamRole, OidcVariables, Role,
    };
    use provider_aliyun::{Aliyun, Config, Network, PROFILE, credentials, endpoint_from};

    use crate::cloud::{
        EndpointNetwork,
        driver::{BuiltProvider, CloudDriver, LocationSettings, RegionsFrom},
    };
    #[cfg(feature = "config")]
    use crate::config::{CredentialConfig, RoleConfig};

    pub(in crate::cloud) const DRIVER: CloudDriver = CloudDriver {
        profile: &PROFILE,
        build,
        endpoint_from,
        sources: Some(credentials::sources),
        files: credentials::files,
        #[cfg(feature = "config")]
        env_sources: None,
        #[cfg(feature = "config")]
        exchange_source,
        regions: RegionsFrom::Provider,
        project: None,
    };

    fn build(input: &LocationSettings<'_>) -> Result<BuiltProvider, String> {
        let network = match input.network {
            EndpointNetwork::Vpc => Network::Vpc,
            EndpointNetwork::Public => Network::Public,
        };
        let mut config = Config::new(input.region)
            .map_err(|error| error.to_string())?
            .with_network(network);
        if let Some(endpoint) = &input.endpoint {
            config = config.with_endpoint(endpoint.clone());
        }
        let endpoint = config.endpoint().clone();
        Ok(BuiltProvider::new(Aliyun::new(config), endpoint))
    }

    #[cfg(feature = "config")]
    fn exchange_source(
        source: &CredentialConfig,
        base: CredentialSourceChain,
        config: &CredentialSourceConfig,
    ) -> Option<Box<dyn CredentialSource>> {
        Some(match source {
            CredentialConfig::Metadata { role } => {
                let mut source = EcsRamRole::new().with_config(config.clone());
                if let Some(role) = role {
                    source = source.with_role(role);
                }
                Box::new(source)
            }
            CredentialConfig::Oidc => Box::new(OidcVariables::new().with_config(config.clone())),
            CredentialConfig::Uri { uri } => Box::new(CredentialsUri::new(uri)),
            CredentialConfig::AssumeRole(role) => {
                Box::new(AssumeRole::new(Box::new(base), assumed(role, config)))
            }
            _ => return None,
        })
    }

    #[cfg(feature = "config")]
    fn assumed(asked: &RoleConfig, config: &CredentialSourceConfig) -> Role {
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
        role
    }
}
