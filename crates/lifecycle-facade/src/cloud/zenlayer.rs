//! Zenlayer Elastic Compute (ZEC) in the table of clouds: the data, and the functions that build the
//! provider and the credential sources.

use super::entry::{CloudData, CloudRegions, KeyScope};
#[cfg(feature = "config")]
use crate::config::schema::{CloudSettings, CloudSource, SourceKind, optional};

pub(super) const ENTRY: CloudData = CloudData {
    name: "zenlayer",
    aliases: &["zenlayercloud", "zen", "zec"],
    empty_list_note: None,
    regions: CloudRegions::One("global"),
    key_scope: KeyScope::Account,
    #[cfg(feature = "config")]
    settings: CloudSettings {
        account: &[],
        sources: &[CloudSource::new(
            SourceKind::Variables,
            &[optional("token")],
        )],
    },
};

#[cfg(feature = "zenlayer")]
pub(super) mod driver {
    use provider_zenlayer::{Config, PROFILE, Zenlayer, credentials, endpoint_from};

    use crate::cloud::driver::{BuiltProvider, CloudDriver, LocationSettings, RegionsFrom};

    pub(in crate::cloud) const DRIVER: CloudDriver = CloudDriver {
        profile: &PROFILE,
        build,
        endpoint_from,
        sources: Some(credentials::sources),
        files: credentials::files,
        #[cfg(feature = "config")]
        env_sources: None,
        #[cfg(feature = "config")]
        exchange_source: |_, _, _| None,
        regions: RegionsFrom::Provider,
        project: None,
    };

    #[expect(
        clippy::unnecessary_wraps,
        reason = "other clouds have invalid regions"
    )]
    fn build(input: &LocationSettings<'_>) -> Result<BuiltProvider, String> {
        let mut config = Config::new();
        if let Some(endpoint) = &input.endpoint {
            config = config.with_endpoint(endpoint.clone());
        }
        let endpoint = config.endpoint().clone();
        Ok(BuiltProvider::new(Zenlayer::new(config), endpoint))
    }
}
