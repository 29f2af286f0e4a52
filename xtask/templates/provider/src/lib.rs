#![doc = include_str!("../README.md")]

mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, Credential, UnsignedRequest, Fault, InstanceId, EnvVarNames, BatchLimits, Observation, ListPage,
    PageToken, Profile, Provider, BatchAck, HttpResponse, SigningContext, Support,
};

pub use config::{Config, endpoint_from};

// What is the cloud called in references (`example/region/id`), and for people?
// How many instances does one call take: of each action, and of an observation?
// Can a stop be forced, and a reboot? Can a stop end billing? What it cannot do is refused unsent.
// Does the vendor publish rate limits (`with_rate_limits`), or how often to look (`with_polling`)?
// Which variables do the vendor's own tools read keys from, and which ones count first?

/// What the vendor's pages say about the cloud in numbers.
pub const PROFILE: Profile = Profile::new("example", "Example Cloud", BatchLimits::all(50))
    .with_support(Support::NONE.with_forced())
    .with_env_vars(&[EnvVarNames::Keys {
        id: "EXAMPLE_ACCESS_KEY_ID",
        secret: "EXAMPLE_ACCESS_KEY_SECRET",
        session: None,
    }]);

/// Example Cloud in one region.
#[derive(Clone, Debug)]
pub struct Example {
    config: Config,
}

impl Example {
    /// The cloud as `config` describes it.
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
        wire::observe(ids)
    }

    fn list(&self, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        Ok(wire::list(page))
    }

    // Does an action answer with a job? Then `follow` reads it; else leave it out.

    fn sign(
        &self,
        draft: &UnsignedRequest,
        key: &Credential,
        at: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        sign::sign(self.config.endpoint(), draft, key, at)
    }

    fn check(&self, reply: &HttpResponse) -> Result<(), Fault> {
        fault::check(reply)
    }

    fn request_id(&self, reply: &HttpResponse) -> Option<String> {
        fault::request_id(reply)
    }
}
