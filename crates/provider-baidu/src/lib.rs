#![doc = include_str!("../README.md")]
// The provider of Baidu AI Cloud BCC. The README is the documentation of the crate.

mod config;
pub mod credentials;
mod details;
mod fault;
mod filter;
mod regions;
mod sign;
mod wire;

use bytes::Bytes;
use credentials::{COMMAND_LINE, TERRAFORM};
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, Fault, FilterSupport, HttpResponse,
    InstanceId, ListPage, ListQuery, Observation, PageToken, Profile, Provider, Region,
    SigningContext, Support, UnsignedRequest,
};

pub use config::{Config, endpoint_from};

/// The limits and the options of BCC, according to the pages and tools of Baidu. Baidu publishes no
/// rate limits, so rates and polling are the defaults.
///
/// A reboot takes one instance per call; see [`Config::with_batch_reboot`].
pub const PROFILE: Profile = profile(BatchLimits::all(100).with_reboot(1));

/// [`PROFILE`] with the batch call for reboots.
const BATCH_REBOOT_PROFILE: Profile = profile(BatchLimits::all(100));

const fn profile(limits: BatchLimits) -> Profile {
    Profile::new("baidu", "Baidu AI Cloud BCC", limits)
        .with_support(Support::NONE.with_forced().with_release_billing())
        .with_filter_support(FilterSupport::ALL.with_instance_types(false))
        .with_env_vars(&[TERRAFORM, COMMAND_LINE])
}

/// Baidu AI Cloud Compute (BCC) in one region.
#[derive(Clone, Debug)]
pub struct Baidu {
    config: Config,
}

impl Baidu {
    /// Returns the provider for the region and the endpoint of `config`.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl Provider for Baidu {
    fn profile(&self) -> &Profile {
        match self.config.batch_reboot {
            true => &BATCH_REBOOT_PROFILE,
            false => &PROFILE,
        }
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        wire::act(action, ids, self.profile())
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(ids)
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::describe(ids)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        Ok(wire::list(query, page))
    }

    /// `None` for the host of a region, which has no such call; see [`Config::global`].
    fn regions(&self) -> Option<ApiCall<Vec<Region>>> {
        self.config.has_regions.then(regions::regions)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        sign::sign(self.config.endpoint(), request, key, context)
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
    use lifecycle_core::{ActionKind, EnvVarNames};

    use super::*;

    #[test]
    fn profile_has_the_documented_limits_and_options() {
        let baidu = Baidu::new(Config::new("bj").unwrap());
        let profile = baidu.profile();
        assert_eq!(profile.cloud, "baidu");
        for (kind, limit) in [
            (ActionKind::Start, 100),
            (ActionKind::Stop, 100),
            (ActionKind::Reboot, 1),
        ] {
            assert_eq!(profile.batch_limits.of(kind), limit);
        }
        assert_eq!(profile.batch_limits.observe, 100);
        assert_eq!(
            profile.support,
            Support::NONE.with_forced().with_release_billing(),
            "no initialisation of local disks"
        );
    }

    #[test]
    fn variables_of_terraform_take_precedence_over_variables_of_the_command_line() {
        let ids: Vec<_> = PROFILE.env_vars.iter().map(first_variable).collect();
        assert_eq!(ids, ["BAIDUCLOUD_ACCESS_KEY", "BCE_ACCESS_KEY_ID"]);
    }

    fn first_variable(variables: &EnvVarNames) -> &'static str {
        match variables {
            EnvVarNames::Keys { id, session, .. } => {
                assert!(session.is_some(), "{id} without a session token");
                id
            }
            token @ EnvVarNames::Token(_) => panic!("Baidu has no {token:?}"),
        }
    }
}
