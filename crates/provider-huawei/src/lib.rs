#![doc = include_str!("../README.md")]
// The provider of Huawei Cloud ECS. The README is the documentation of the crate.

mod config;
pub mod credentials;
mod details;
mod fault;
mod filter;
mod identity;
mod job;
mod project;
mod regions;
mod sign;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, Fault, FilterSupport, HttpResponse,
    InstanceId, JobId, JobProgress, ListPage, ListQuery, Observation, PageToken, PollingPolicy,
    Profile, Provider, Rate, RateLimits, SigningContext, Support, UnsignedRequest,
};

pub use {
    config::{Config, ConfigError, endpoint_from},
    project::{PROJECT_VARIABLES, find_project_id},
    regions::find_regions,
};

/// The limits and options of ECS, from Huawei's pages and tools.
pub const PROFILE: Profile = Profile::new(
    "huawei",
    "Huawei Cloud ECS",
    BatchLimits::all(1000).with_observe(100),
)
.with_support(Support::NONE.with_forced())
.with_filter_support(FilterSupport::ALL.with_zones(false).with_instances(false))
// The gateway's default is 200 calls per second, but throttling messages name limits as low as 200
// calls in five minutes, and the pages allow power actions for 1000 servers per minute.
.with_rate_limits(RateLimits::new(Rate::new(10.0, 20), Rate::new(2.0, 5)))
// Not more often than Huawei's Terraform provider polls. Its authors saw power jobs take 15 to 35
// s.
.with_polling(
    PollingPolicy::new(
        Duration::from_secs(5),
        Duration::from_secs(5),
        Duration::from_secs(30),
    )
    .with_pause(Duration::from_secs(12)),
)
.with_env_vars(credentials::VARIABLES);

/// Huawei Cloud Elastic Cloud Server (ECS) in one project of one region.
#[derive(Clone, Debug)]
pub struct Huawei {
    config: Config,
}

impl Huawei {
    /// Creates a provider from a configuration.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

/// Returns the id in lower case if the id is a UUID: the hexadecimal digits of a UUID have no case.
pub(crate) fn canonical_id(id: &InstanceId) -> InstanceId {
    let text = id.as_str();
    let is_uuid = || {
        text.len() == 36
            && text.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) || !is_uuid() {
        return id.clone();
    }
    InstanceId::new(&text.to_ascii_lowercase()).unwrap_or_else(|_| id.clone())
}

impl Provider for Huawei {
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

    fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
        Some(job::follow(&self.config, job))
    }

    fn canonical_id(&self, id: &InstanceId) -> InstanceId {
        canonical_id(id)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        ctx: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        let project_id = Some(self.config.project_id());
        sign::sign(self.config.endpoint(), project_id, request, key, ctx)
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        fault::check(response)
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        fault::request_id(response)
    }
}

#[cfg(test)]
mod tests {
    use provider_testing::response;

    use super::*;

    #[test]
    fn request_id_of_a_response_is_in_a_header_or_in_the_body_of_an_error() {
        let huawei = Huawei::new(Config::new("cn-north-4", "0123456789abcdef").unwrap());
        let body = r#"{"error_code": "APIGW.0308", "error_msg": "m", "request_id": "r-1"}"#;
        let mut rejection = response(429, body);
        assert_eq!(huawei.request_id(&rejection).as_deref(), Some("r-1"));
        rejection
            .headers_mut()
            .insert("x-request-id", "r-2".parse().unwrap());
        assert_eq!(huawei.request_id(&rejection).as_deref(), Some("r-2"));
        assert_eq!(huawei.request_id(&response(200, body)), None);
    }

    #[test]
    fn profile_has_the_limits_of_the_pages() {
        assert_eq!(PROFILE.cloud, "huawei");
        assert_eq!(
            PROFILE.batch_limits,
            BatchLimits::all(1000).with_observe(100)
        );
        assert_eq!(PROFILE.support, Support::NONE.with_forced());
        let variables: Vec<String> = PROFILE
            .env_vars
            .iter()
            .map(|set| format!("{set:?}"))
            .collect();
        let order = [
            "HUAWEICLOUD_SDK_AK",
            "HW_ACCESS_KEY",
            "OS_ACCESS_KEY",
            "HW_AUTH_TOKEN",
        ];
        assert_eq!(variables.len(), order.len());
        for (set, first) in variables.iter().zip(order) {
            assert!(set.contains(first), "{set}");
        }
    }
}
