#![doc = include_str!("../README.md")]
// The provider of Alibaba Cloud ECS. The README is the documentation of the crate.

mod body;
mod config;
pub mod credentials;
mod details;
mod fault;
mod filter;
mod page;
mod regions;
mod sign;
mod wire;
mod xml;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, EnvVarNames, Fault, FilterSupport,
    HttpResponse, InstanceId, ListPage, ListQuery, Observation, PageToken, Profile, Provider,
    Region, SigningContext, Support, UnsignedRequest,
};

pub use config::{BatchMode, Config, Network, endpoint_from};

/// The limits and options of ECS, from Alibaba's pages and tools. Alibaba publishes no rate limits,
/// so rate limits and polling keep their defaults.
pub const PROFILE: Profile = Profile::new("aliyun", "Alibaba Cloud ECS", BatchLimits::all(100))
    .with_support(
        Support::NONE
            .with_forced()
            .with_release_billing()
            .with_initialize_local_disk(),
    )
    .with_filter_support(FilterSupport::ALL.with_private_ips(false))
    .with_env_vars(&[
        // SDKs.
        EnvVarNames::Keys {
            id: "ALIBABA_CLOUD_ACCESS_KEY_ID",
            secret: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            session: Some("ALIBABA_CLOUD_SECURITY_TOKEN"),
        },
        // Older versions of the command line.
        EnvVarNames::Keys {
            id: "ALIBABACLOUD_ACCESS_KEY_ID",
            secret: "ALIBABACLOUD_ACCESS_KEY_SECRET",
            session: Some("ALIBABACLOUD_SECURITY_TOKEN"),
        },
        EnvVarNames::Keys {
            id: "ALICLOUD_ACCESS_KEY_ID",
            secret: "ALICLOUD_ACCESS_KEY_SECRET",
            session: Some("ALICLOUD_SECURITY_TOKEN"),
        },
        // Terraform provider.
        EnvVarNames::Keys {
            id: "ALICLOUD_ACCESS_KEY",
            secret: "ALICLOUD_SECRET_KEY",
            session: Some("ALICLOUD_SECURITY_TOKEN"),
        },
    ]);

/// Alibaba Cloud Elastic Compute Service (ECS) in one region.
#[derive(Clone, Debug)]
pub struct Aliyun {
    config: Config,
}

impl Aliyun {
    /// Creates a provider from a configuration.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl Provider for Aliyun {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        wire::act(&self.config, action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(&self.config, ids, false)
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(&self.config, ids, true)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        Ok(wire::list(&self.config, query, page))
    }

    fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
        Some(regions::regions())
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        ctx: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        sign::sign(self.config.endpoint(), request, key, ctx)
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        fault::check(response)
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        fault::request_id(response)
    }
}
