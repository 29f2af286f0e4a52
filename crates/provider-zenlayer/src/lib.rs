#![doc = include_str!("../README.md")]
// The provider of Zenlayer ZEC. The README is the documentation of the crate.

mod config;
pub mod credentials;
mod details;
mod fault;
mod filter;
mod sign;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, EnvVarNames, Fault, FilterSupport,
    HttpResponse, InstanceId, ListPage, ListQuery, Observation, PageToken, PollingPolicy, Profile,
    Provider, SigningContext, Support, UnsignedRequest,
};

pub use config::{Config, endpoint_from};

/// The limits and the options of ZEC, according to the documentation and tools of Zenlayer. Zenlayer
/// publishes no rate limits, so the default rates apply.
pub const PROFILE: Profile = Profile::new("zenlayer", "Zenlayer ZEC", BatchLimits::all(100))
    .with_support(Support::NONE.with_forced())
    .with_filter_support(
        FilterSupport::ALL
            .with_instance_types(false)
            .with_private_ips(false),
    )
    // The shortest interval comes from the Terraform provider, the longest from `zeno`, the command line
    // tool of Zenlayer.
    .with_polling(
        PollingPolicy::new(
            Duration::from_secs(5),
            Duration::from_secs(5),
            Duration::from_secs(30),
        )
        .with_pause(Duration::from_secs(12)),
    )
    .with_env_vars(&[
        // `zeno`, where a token takes precedence over a key pair.
        EnvVarNames::Token("ZENLAYER_TOKEN"),
        EnvVarNames::Keys {
            id: "ZENLAYER_ACCESS_KEY_ID",
            secret: "ZENLAYER_ACCESS_KEY_SECRET",
            session: None,
        },
        // The Terraform provider.
        EnvVarNames::Keys {
            id: "ZENLAYERCLOUD_ACCESS_KEY_ID",
            secret: "ZENLAYERCLOUD_ACCESS_KEY_PASSWORD",
            session: None,
        },
        // The example of the Go SDK.
        EnvVarNames::Keys {
            id: "ZENLAYERCLOUD_SECRET_KEY_ID",
            secret: "ZENLAYERCLOUD_SECRET_KEY_PASSWORD",
            session: None,
        },
        // An SDK for Rust of another author.
        EnvVarNames::Keys {
            id: "ZENLAYER_CLOUD_ACCESS_KEY_ID",
            secret: "ZENLAYER_CLOUD_ACCESS_KEY_PASSWORD",
            session: None,
        },
    ]);

/// Zenlayer Elastic Compute (ZEC) in all regions.
#[derive(Clone, Debug)]
pub struct Zenlayer {
    config: Config,
}

impl Zenlayer {
    /// Returns the provider for the endpoint and the resource group of `config`.
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl Provider for Zenlayer {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        wire::act(action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::observe(&self.config, ids)
    }

    fn describe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        wire::describe(&self.config, ids)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        wire::list(&self.config, query, page)
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
    use lifecycle_core::{ActionKind, FaultKind};
    use provider_testing::response;

    use super::*;

    #[test]
    fn profile_has_the_documented_limits_and_options() {
        let zenlayer = Zenlayer::new(Config::new());
        let profile = zenlayer.profile();
        assert_eq!(profile.cloud, "zenlayer");
        for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
            assert_eq!(profile.batch_limits.of(kind), 100);
        }
        assert_eq!(profile.batch_limits.observe, 100);
        assert_eq!(
            profile.support,
            Support::NONE.with_forced(),
            "no options for billing or local disks"
        );
    }

    #[test]
    fn token_takes_precedence_over_keys_and_the_command_line_over_terraform() {
        let ids: Vec<_> = PROFILE.env_vars.iter().map(first_variable).collect();
        assert_eq!(
            ids,
            [
                "ZENLAYER_TOKEN",
                "ZENLAYER_ACCESS_KEY_ID",
                "ZENLAYERCLOUD_ACCESS_KEY_ID",
                "ZENLAYERCLOUD_SECRET_KEY_ID",
                "ZENLAYER_CLOUD_ACCESS_KEY_ID"
            ]
        );
    }

    #[test]
    fn response_of_zec_is_checked_and_has_a_request_id() {
        let zenlayer = Zenlayer::new(Config::new());
        let denied = r#"{"requestId": "T1", "code": "OPERATION_DENIED_INSTANCE_RECYCLED"}"#;
        let denied = response(403, denied);
        let fault = zenlayer.check(&denied).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::WrongState);
        assert_eq!(zenlayer.request_id(&denied).as_deref(), Some("T1"));

        let accepted = r#"{"requestId": "T2", "response": {"requestId": "T2"}}"#;
        let accepted = response(200, accepted);
        assert_eq!(zenlayer.check(&accepted), Ok(()));
        assert_eq!(zenlayer.request_id(&accepted).as_deref(), Some("T2"));
        assert_eq!(zenlayer.request_id(&response(200, "{}")), None);
    }

    fn first_variable(variables: &EnvVarNames) -> &'static str {
        match variables {
            EnvVarNames::Token(token) => token,
            EnvVarNames::Keys { id, session, .. } => {
                assert!(session.is_none(), "Zenlayer has no temporary keys");
                id
            }
        }
    }
}
