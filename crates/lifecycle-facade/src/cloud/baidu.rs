//! Baidu AI Cloud BCC in the table of clouds: the data, and the functions that build the provider and
//! the credential sources.

use super::entry::{CloudData, CloudRegions, KeyScope};
#[cfg(feature = "config")]
use crate::config::schema::{CloudSettings, CloudSource, SourceKind, optional, required};

pub(super) const ENTRY: CloudData = CloudData {
    name: "baidu",
    aliases: &["baiducloud", "baidubce", "bce", "bcc"],
    empty_list_note: None,
    regions: CloudRegions::Many {
        variables: &["BAIDUCLOUD_REGION", "BCE_REGION"],
        default: "bj",
    },
    key_scope: KeyScope::Account,
    #[cfg(feature = "config")]
    settings: CloudSettings {
        account: &[optional("identity_endpoint"), optional("batch_reboot")],
        sources: &[
            CloudSource::new(SourceKind::Variables, &[optional("session")]),
            CloudSource::new(SourceKind::AssumeRole, &[required("account_id")]),
            CloudSource::new(SourceKind::SessionToken, &[]),
        ],
    },
};

#[cfg(feature = "baidu")]
pub(super) mod driver {
    #[cfg(feature = "config")]
    use lifecycle_core::{
        CredentialSource, CredentialSourceConfig, credential_source::CredentialSourceChain,
    };
    #[cfg(feature = "config")]
    use provider_baidu::credentials::{AssumeRole, SessionToken};
    use provider_baidu::{Baidu, Config, PROFILE, credentials, endpoint_from};

    use crate::cloud::driver::{BuiltProvider, CloudDriver, LocationSettings, RegionsFrom};
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
        regions: RegionsFrom::Endpoint(|| Config::global().endpoint().clone()),
        project: None,
    };

    fn build(input: &LocationSettings<'_>) -> Result<BuiltProvider, String> {
        let mut config = Config::new(input.region).map_err(|error| error.to_string())?;
        if let Some(endpoint) = &input.endpoint {
            config = config.with_endpoint(endpoint.clone());
        }
        if input.batch_reboot {
            config = config.with_batch_reboot();
        }
        let endpoint = config.endpoint().clone();
        Ok(BuiltProvider::new(Baidu::new(config), endpoint))
    }

    #[cfg(feature = "config")]
    fn exchange_source(
        source: &CredentialConfig,
        base: CredentialSourceChain,
        config: &CredentialSourceConfig,
    ) -> Option<Box<dyn CredentialSource>> {
        match source {
            CredentialConfig::SessionToken { duration, .. } => {
                let mut token = SessionToken::new(base);
                if let Some(duration) = duration {
                    token = token.with_duration(*duration);
                }
                if let Some(endpoint) = &config.identity {
                    token = token.with_endpoint(endpoint.clone());
                }
                Some(Box::new(token))
            }
            CredentialConfig::AssumeRole(RoleConfig {
                role,
                account_id: Some(account_id),
                duration,
                ..
            }) => {
                let mut role = AssumeRole::new(base, account_id, role);
                if let Some(duration) = duration {
                    role = role.with_duration(*duration);
                }
                if let Some(endpoint) = &config.identity {
                    role = role.with_endpoint(endpoint.clone());
                }
                Some(Box::new(role))
            }
            _ => None,
        }
    }
}
