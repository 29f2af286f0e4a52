//! `CloudDriver`: the functions of a cloud. A build without the feature of the cloud has no driver.

use std::sync::Arc;

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
/// [`CloudData`](super::CloudData).
#[derive(Debug)]
pub(crate) struct CloudDriver {
    pub(crate) profile: &'static Profile,
    pub(crate) build: BuildProvider,
    /// Reads the endpoint of a region from the settings of the cloud's own tools.
    pub(crate) endpoint_from: EndpointFn,
    /// All credential sources of the cloud's own tools, in order of precedence; `None` if the variables of the
    /// profile are all.
    pub(crate) sources: Option<SourceFn>,
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

/// Builds the provider of a location, or says why the region is invalid. Sends nothing.
pub type BuildProvider = fn(&LocationSettings<'_>) -> Result<BuiltProvider, String>;

/// Reads the endpoint of a region from the variables and files of the cloud's own tools; `None` if they set no
/// endpoint.
pub type EndpointFn = fn(&str, &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault>;

/// Returns credential sources for a region.
pub type SourceFn = fn(&CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>>;

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

/// The settings of a location, for the provider of the location.
#[derive(Debug)]
#[non_exhaustive]
pub struct LocationSettings<'a> {
    /// The region, in lower case.
    pub region: &'a str,
    /// An endpoint instead of the endpoint of the region, such as the endpoint of a simulator.
    pub endpoint: Option<Endpoint>,
    /// The network over which the cloud is reached.
    pub network: EndpointNetwork,
    /// The project; `None` on clouds without projects, and before the look-up, when nothing is sent.
    pub project: Option<&'a str>,
    /// The enterprise project of the account.
    pub enterprise_project: Option<&'a str>,
    /// Reboots several instances in one call.
    pub batch_reboot: bool,
}

/// The provider of a location, and the endpoint of the calls.
#[derive(Debug)]
pub struct BuiltProvider {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) endpoint: Endpoint,
}

impl BuiltProvider {
    /// Returns a provider that calls `endpoint`.
    pub fn new(provider: impl Provider, endpoint: Endpoint) -> Self {
        Self {
            provider: Arc::new(provider),
            endpoint,
        }
    }
}
