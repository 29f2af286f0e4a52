//! Accounts: what belongs to one customer of one cloud.

use std::{fmt, sync::Arc};

use lifecycle_client::CredentialProvider;
use lifecycle_core::{CredentialSource, CredentialSourceConfig, Endpoint, RateLimits};

use super::Cloud;

/// One account at one cloud, with everything that may differ from account to account.
///
/// Given a name with [`FleetBuilder::account`](crate::FleetBuilder::account), it is meant by
/// references such as `name@cloud/region/instance`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Account {
    /// The cloud.
    pub cloud: Cloud,
    /// The region that is meant where none is named.
    pub region: Option<String>,
    /// The profile of the files of the cloud's own tools, instead of the one that they name.
    pub profile: Option<String>,
    /// Where the calls go, instead of the region's own host.
    pub endpoint: Option<Endpoint>,
    /// Where the cloud's identity service (STS, IAM) is, instead of its own host.
    pub identity_endpoint: Option<Endpoint>,
    /// Where this machine's metadata service is, instead of its fixed address.
    pub metadata_endpoint: Option<Endpoint>,
    /// The project of Huawei's servers, instead of the one that its own tools would take.
    pub project: Option<String>,
    /// The enterprise project to which Huawei's lists are limited.
    pub enterprise_project: Option<String>,
    /// Over which network Alibaba is reached.
    pub network: EndpointNetwork,
    /// How fast to call at first, instead of the cloud's usual pace.
    pub pace: Option<RateLimits>,
    /// Where keys come from.
    pub keys: CredentialSettings,
}

impl Account {
    /// An account that has everything as the cloud's own tools have it.
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
            network: EndpointNetwork::default(),
            pace: None,
            keys: CredentialSettings::default(),
        }
    }
}

/// Over which network a cloud is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointNetwork {
    /// The internet.
    #[default]
    Public,
    /// The inside of a VPC in the same region. Alibaba has hosts for it.
    Vpc,
}

/// Where the keys of an account come from.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum CredentialSettings {
    /// Wherever the cloud's own tools find them.
    #[default]
    Default,
    /// The first of these origins that has one. The function is told of a region: the first one that
    /// is used, since the regions of an account share a key (those of Huawei do not).
    CredentialSourceFactory(Arc<CredentialSourceFactory>),
    /// A source of the caller's own.
    Source(Arc<dyn CredentialProvider>),
}

/// Makes origins for a region.
pub type CredentialSourceFactory =
    dyn Fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> + Send + Sync;

impl CredentialSettings {
    /// The first of these origins that has a key.
    pub fn sources(
        origins: impl Fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::CredentialSourceFactory(Arc::new(origins))
    }

    /// A source of the caller's own.
    pub fn source(source: impl CredentialProvider) -> Self {
        Self::Source(Arc::new(source))
    }
}

impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::CredentialSourceFactory(_) => f.write_str("Origins"),
            Self::Source(source) => f.debug_tuple("Source").field(source).finish(),
        }
    }
}
