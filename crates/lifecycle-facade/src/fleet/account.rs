//! `Account`: the settings of one account at one cloud.

use std::{fmt, sync::Arc};

use lifecycle_client::CredentialProvider;
use lifecycle_core::{CredentialSource, CredentialSourceConfig, Endpoint, RateLimits};

use crate::cloud::{Cloud, EndpointNetwork};

/// An account at a cloud, with the settings that can differ between accounts.
///
/// [`FleetBuilder::account`](crate::FleetBuilder::account) gives the account a name, for references
/// such as `name@cloud/region/instance`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Account {
    /// The cloud.
    pub cloud: Cloud,
    /// The region of requests without a region.
    pub region: Option<String>,
    /// The profile in the files of the cloud's own tools, instead of the profile that the files
    /// select.
    pub profile: Option<String>,
    /// The endpoint of the compute service, instead of the endpoint of the region.
    pub endpoint: Option<Endpoint>,
    /// The endpoint of the cloud's identity service (STS, IAM), instead of the service's own host.
    pub identity_endpoint: Option<Endpoint>,
    /// The endpoint of the metadata service, instead of the fixed address of the service.
    pub metadata_endpoint: Option<Endpoint>,
    /// The project, instead of the project that the cloud's own tools would use. Ignored on clouds
    /// without projects.
    pub project: Option<String>,
    /// The enterprise project that limits lists. Ignored on clouds without enterprise projects.
    pub enterprise_project: Option<String>,
    /// Reboots several instances in one call instead of one call each. Ignored on clouds where this
    /// is no choice. Baidu does not document the call.
    pub batch_reboot: bool,
    /// The network over which the cloud is reached.
    pub network: EndpointNetwork,
    /// The rate limits at the start, instead of the limits of the cloud's profile.
    pub rate_limits: Option<RateLimits>,
    /// The source of the keys.
    pub credentials: CredentialSettings,
}

impl Account {
    /// Returns an account with the settings of the cloud's own tools.
    pub fn new(cloud: Cloud) -> Self {
        Self {
            cloud,
            region: None,
            profile: None,
            endpoint: None,
            identity_endpoint: None,
            metadata_endpoint: None,
            project: None,
            enterprise_project: None,
            batch_reboot: false,
            network: EndpointNetwork::default(),
            rate_limits: None,
            credentials: CredentialSettings::default(),
        }
    }
}

/// The source of the keys of an account.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum CredentialSettings {
    /// The credential sources of the cloud's own tools.
    #[default]
    Default,
    /// The first of these credential sources with a key. The regions of an account share a key on
    /// most clouds; the factory then gets the first region in use.
    Sources(Arc<CredentialSourceFactory>),
    /// The caller's own provider.
    Provider(Arc<dyn CredentialProvider>),
}

/// Builds the credential sources for a region.
pub type CredentialSourceFactory =
    dyn Fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> + Send + Sync;

impl CredentialSettings {
    /// Uses the first of these credential sources with a key.
    pub fn sources(
        factory: impl Fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::Sources(Arc::new(factory))
    }

    /// Uses the caller's own provider.
    pub fn provider(provider: impl CredentialProvider) -> Self {
        Self::Provider(Arc::new(provider))
    }
}

impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Sources(_) => f.write_str("Sources(..)"),
            Self::Provider(provider) => f.debug_tuple("Provider").field(provider).finish(),
        }
    }
}
