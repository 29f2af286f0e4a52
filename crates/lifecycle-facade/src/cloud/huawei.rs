//! Huawei Cloud ECS in the table of clouds: the data, and the functions that build the provider and
//! the credential sources.

use super::entry::{CloudData, CloudRegions, KeyScope};
#[cfg(feature = "config")]
use crate::config::schema::{CloudSettings, CloudSource, SourceKind, optional, required};

pub(super) const ENTRY: CloudData = CloudData {
    name: "huawei",
    // Open Telekom Cloud (otc) has the API of Huawei Cloud.
    aliases: &["huaweicloud", "hwcloud", "hwc", "hw", "otc"],
    empty_list_note: None,
    regions: CloudRegions::Many {
        variables: &["HW_REGION_NAME"],
        default: "cn-north-4",
    },
    // A token is valid in the region that issued the token.
    key_scope: KeyScope::Region,
    #[cfg(feature = "config")]
    settings: CloudSettings {
        account: &[
            optional("identity_endpoint"),
            optional("metadata_endpoint"),
            optional("project"),
            optional("enterprise_project"),
        ],
        sources: &[
            CloudSource::new(
                SourceKind::Variables,
                &[optional("session"), optional("token")],
            ),
            CloudSource::new(SourceKind::Metadata, &[]),
            CloudSource::new(SourceKind::Oidc, &[]),
            CloudSource::new(SourceKind::AssumeRole, &[required("domain")]),
            CloudSource::new(SourceKind::Password, &[]),
        ],
    },
};

#[cfg(feature = "huawei")]
pub(super) mod driver {
    #[cfg(feature = "config")]
    use lifecycle_core::{
        CredentialSource, CredentialSourceConfig, credential_source::CredentialSourceChain,
    };
    #[cfg(feature = "config")]
    use provider_huawei::credentials::{AssumeAgency, EcsAgency, OidcAgency, PasswordVariable};
    use provider_huawei::{
        Config, Huawei, PROFILE, PROJECT_VARIABLES, credentials, endpoint_from, find_project_id,
        find_regions,
    };

    use crate::cloud::driver::{
        BuiltProvider, CloudDriver, LocationSettings, ProjectLookup, RegionsFrom,
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
        env_sources: Some(credentials::variables),
        #[cfg(feature = "config")]
        exchange_source,
        regions: RegionsFrom::Identity(find_regions),
        project: Some(ProjectLookup {
            find: find_project_id,
            variables: PROJECT_VARIABLES,
        }),
    };

    fn build(input: &LocationSettings<'_>) -> Result<BuiltProvider, String> {
        // A client without a project only shows the plan of a request, and sends nothing.
        let project = input.project.unwrap_or("unknown");
        let mut config = Config::new(input.region, project).map_err(|error| error.to_string())?;
        if let Some(endpoint) = &input.endpoint {
            config = config.with_endpoint(endpoint.clone());
        }
        if let Some(id) = input.enterprise_project {
            config = config.with_enterprise_project(id);
        }
        let endpoint = config.endpoint().clone();
        Ok(BuiltProvider::new(Huawei::new(config), endpoint))
    }

    #[cfg(feature = "config")]
    fn exchange_source(
        source: &CredentialConfig,
        base: CredentialSourceChain,
        config: &CredentialSourceConfig,
    ) -> Option<Box<dyn CredentialSource>> {
        Some(match source {
            CredentialConfig::Metadata { .. } => {
                Box::new(EcsAgency::new().with_config(config.clone()))
            }
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
                ..
            }) => {
                let mut agency = AssumeAgency::new(base, role, domain).with_config(config.clone());
                if let Some(duration) = duration {
                    agency = agency.with_duration(*duration);
                }
                Box::new(agency)
            }
            _ => return None,
        })
    }
}
