#![doc = include_str!("../README.md")]
// The provider of the cloud. The README is the documentation of the crate.

mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, EnvVarNames, Fault, FilterSupport,
    HttpResponse, InstanceId, ListPage, ListQuery, Observation, PageToken, Profile, Provider, Region,
    SigningContext, Support, UnsignedRequest,
};

pub use config::{Config, endpoint_from};

// What is the name of the cloud in references (`example/region/id`), and what is the title?
// How many instances can one call have: for each action, and for an observation?
// Which conditions of a list can the cloud apply (`with_filter_support`)?
// Does the cloud support a forced stop, a forced reboot, and a stop without billing? A request with an
// unsupported option is refused before a call.
// Does the vendor publish rate limits (`with_rate_limits`), or a polling interval (`with_polling`)?
// Which variables hold keys for the vendor's own tools, and in which order of precedence?

/// The limits and options of the cloud, from the vendor's pages.
pub const PROFILE: Profile = Profile::new("example", "Example Cloud", BatchLimits::all(50))
    .with_support(Support::NONE.with_forced().with_release_billing())
    .with_filter_support(FilterSupport::NONE.with_zones(true))
    .with_env_vars(&[EnvVarNames::Keys {
        id: "EXAMPLE_ACCESS_KEY_ID",
        secret: "EXAMPLE_ACCESS_KEY_SECRET",
        session: Some("EXAMPLE_SESSION_TOKEN"),
    }]);

/// Example Cloud in one region.
#[derive(Clone, Debug)]
pub struct Example {
    config: Config,
}

impl Example {
    /// Returns the provider with this configuration.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl Provider for Example {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        wire::act(action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(ids, false)
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(ids, true)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        wire::list(query, page)
    }

    fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
        Some(wire::regions())
    }

    // Does an action return a job? Then implement `follow`, else remove this line.

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        sign::sign(&self.config, request, key, context)
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        fault::check(response)
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        fault::request_id(response)
    }
}
