#![doc = include_str!("../README.md")]

mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;

use bytes::Bytes;
use credentials::{COMMAND_LINE, TERRAFORM};
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, Fault, HttpResponse, InstanceId, ListPage,
    Observation, PageToken, Profile, Provider, SigningContext, Support, UnsignedRequest,
};

pub use config::{Config, endpoint_from};

/// What Baidu's pages and tools say about BCC in numbers. They name no rate limit, so the pace is
/// the default one, and so is the cadence.
pub const PROFILE: Profile = Profile::new("baidu", "Baidu AI Cloud BCC", BatchLimits::all(100))
    .with_support(Support::NONE.with_forced().with_release_billing())
    .with_env_vars(&[TERRAFORM, COMMAND_LINE]);

/// Baidu AI Cloud Compute (BCC) in one region.
#[derive(Clone, Debug)]
pub struct Baidu {
    config: Config,
}

impl Baidu {
    /// BCC as `config` describes it.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl Provider for Baidu {
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

#[cfg(test)]
mod tests {
    use lifecycle_core::{ActionKind, EnvVarNames};

    use super::*;

    #[test]
    fn the_profile_says_what_the_requests_do() {
        let baidu = Baidu::new(Config::new("bj").unwrap());
        let profile = baidu.profile();
        assert_eq!(profile.cloud, "baidu");
        for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
            assert_eq!(profile.batch_limits.of(verb), 100);
        }
        assert_eq!(profile.batch_limits.observe, 100);
        assert_eq!(
            profile.support,
            Support::NONE.with_forced().with_release_billing(),
            "and no initialising of local disks"
        );
    }

    #[test]
    fn the_terraform_providers_variables_count_before_the_command_lines() {
        let ids: Vec<_> = PROFILE.env_vars.iter().map(first_variable).collect();
        assert_eq!(ids, ["BAIDUCLOUD_ACCESS_KEY", "BCE_ACCESS_KEY_ID"]);
    }

    fn first_variable(variables: &EnvVarNames) -> &'static str {
        match variables {
            EnvVarNames::Keys { id, session, .. } => {
                assert!(session.is_some(), "{id} may be a temporary key");
                id
            }
            token @ EnvVarNames::Token(_) => panic!("Baidu has no {token:?}"),
        }
    }
}
