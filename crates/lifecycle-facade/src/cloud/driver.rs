//! `CloudDriver`: the functions of a cloud. A build without the feature of the cloud has no driver.

use std::sync::Arc;

use lifecycle_client::{Client, ClientBuilder, CredentialProvider, Transport};
#[cfg(feature = "config")]
use lifecycle_core::credential_source::CredentialSourceChain;
use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, Profile,
    Provider, ProviderContext, Region,
};

use super::EndpointNetwork;
#[cfg(feature = "config")]
use crate::config::CredentialConfig;

/// The functions of one cloud. The fleet knows a cloud by this value and by the
/// [`CloudEntry`](super::CloudEntry).
#[derive(Debug)]
pub(crate) struct CloudDriver {
    pub(crate) profile: &'static Profile,
    /// Builds the client of a location, or says why the region is invalid. Sends nothing.
    pub(crate) build: fn(BuildInput<'_>) -> Result<ClientParts, String>,
    /// Reads the endpoint of a region from the settings of the cloud's own tools.
    pub(crate) endpoint_from: fn(&str, &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault>,
    /// All credential sources of the cloud's own tools, in order of precedence.
    pub(crate) sources: SourceFn,
    /// The sources of [`sources`](Self::sources) that read files.
    pub(crate) files: SourceFn,
    /// The sources of [`sources`](Self::sources) that read environment variables; `None` if the
    /// variables of the profile are all.
    #[cfg(feature = "config")]
    pub(crate) env_sources: Option<SourceFn>,
    /// Builds a source that exchanges a key or an identity for a temporary key at a service of the
    /// cloud; `None` if the cloud has no such source. The chain has the sources of the key that signs
    /// the call of the service.
    #[cfg(feature = "config")]
    pub(crate) exchange_source: fn(
        &CredentialConfig,
        CredentialSourceChain,
        &CredentialSourceConfig,
    ) -> Option<Box<dyn CredentialSource>>,
    /// The source of the list of regions.
    pub(crate) regions: RegionsFrom,
    /// The look-up of the project; `None` on a cloud without projects.
    pub(crate) project: Option<ProjectLookup>,
}

/// Returns credential sources for a region.
pub(crate) type SourceFn = fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>>;

/// The source of the list of regions of a cloud.
#[derive(Debug)]
#[allow(dead_code, reason = "a build with one cloud has one of the sources")]
pub(crate) enum RegionsFrom {
    /// A call to the endpoint of any region.
    Provider,
    /// A call to an endpoint of its own.
    Endpoint(fn() -> Endpoint),
    /// Exchanges with the identity service of the cloud.
    Identity(RegionLookup),
}

/// Reads the regions of a cloud from the identity service, with a key.
pub(crate) type RegionLookup =
    fn(&CredentialSourceConfig, &Credential, &ProviderContext<'_>) -> ExchangeStep<Vec<Region>>;

/// The look-up of the project of a key in a region.
#[derive(Debug)]
pub(crate) struct ProjectLookup {
    pub(crate) find:
        fn(&CredentialSourceConfig, &Credential, &ProviderContext<'_>) -> ExchangeStep<String>,
    /// The environment variables for the project ID, in order of precedence.
    pub(crate) variables: &'static [&'static str],
}

/// The settings of a location, and the parts that every client needs.
#[derive(Debug)]
#[allow(
    dead_code,
    reason = "a build with one cloud may read few of the settings"
)]
pub(crate) struct BuildInput<'a> {
    pub(crate) region: &'a str,
    /// An endpoint instead of the endpoint of the region.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) network: EndpointNetwork,
    /// The project; `None` before the look-up, when nothing is sent.
    pub(crate) project: Option<&'a str>,
    pub(crate) enterprise_project: Option<&'a str>,
    pub(crate) batch_reboot: bool,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) transport: Arc<dyn Transport>,
}

/// A client before the common settings, and the endpoint of the client.
#[derive(Debug)]
pub(crate) struct ClientParts {
    pub(crate) builder: ClientBuilder,
    pub(crate) endpoint: Endpoint,
}

impl BuildInput<'_> {
    /// Returns the builder of a client with this provider.
    pub(crate) fn finish(self, provider: impl Provider, endpoint: Endpoint) -> ClientParts {
        ClientParts {
            builder: Client::builder(provider, self.credentials, self.transport),
            endpoint,
        }
    }
}
