#![doc = include_str!("../README.md")]

mod body;
mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;
mod xml;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, EnvVarNames, Fault, HttpResponse,
    InstanceId, ListPage, Observation, PageToken, Profile, Provider, SigningContext, Support,
    UnsignedRequest,
};

pub use config::{Batch, Config, Network, endpoint_from};

/// What Alibaba's pages and tools say about ECS in numbers. They publish no rate limit, so the
/// pace is the default one, and so is the cadence.
pub const PROFILE: Profile = Profile::new("aliyun", "Alibaba Cloud ECS", BatchLimits::all(100))
    .with_support(
        Support::NONE
            .with_forced()
            .with_release_billing()
            .with_initialize_local_disk(),
    )
    .with_env_vars(&[
        // The SDKs'.
        EnvVarNames::Keys {
            id: "ALIBABA_CLOUD_ACCESS_KEY_ID",
            secret: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            session: Some("ALIBABA_CLOUD_SECURITY_TOKEN"),
        },
        // The command line's older ones.
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
        // The Terraform provider's.
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
    /// ECS as `config` describes it.
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
        wire::observe(&self.config, ids)
    }

    fn list(&self, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        Ok(wire::list(&self.config, page))
    }

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
