#![doc = include_str!("../README.md")]

mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, EnvVarNames, Fault, HttpResponse,
    InstanceId, ListPage, Observation, PageToken, PollingPolicy, Profile, Provider, SigningContext,
    Support, UnsignedRequest,
};

pub use config::{Config, endpoint_from};

/// What Zenlayer's pages and tools say about ZEC in numbers. Its rate limits could not be read, so
/// the pace is the default one.
pub const PROFILE: Profile = Profile::new("zenlayer", "Zenlayer ZEC", BatchLimits::all(100))
    .with_support(Support::NONE.with_forced())
    // No closer together than Zenlayer's Terraform provider looks, and at last as seldom as its
    // command line advises.
    .with_polling(
        PollingPolicy::new(
            Duration::from_secs(5),
            Duration::from_secs(5),
            Duration::from_secs(30),
        )
        .with_pause(Duration::from_secs(12)),
    )
    .with_env_vars(&[
        // The command line's. There a token goes before a key pair.
        EnvVarNames::Token("ZENLAYER_TOKEN"),
        EnvVarNames::Keys {
            id: "ZENLAYER_ACCESS_KEY_ID",
            secret: "ZENLAYER_ACCESS_KEY_SECRET",
            session: None,
        },
        // The Terraform provider's.
        EnvVarNames::Keys {
            id: "ZENLAYERCLOUD_ACCESS_KEY_ID",
            secret: "ZENLAYERCLOUD_ACCESS_KEY_PASSWORD",
            session: None,
        },
        // Those of the Go SDK's example.
        EnvVarNames::Keys {
            id: "ZENLAYERCLOUD_SECRET_KEY_ID",
            secret: "ZENLAYERCLOUD_SECRET_KEY_PASSWORD",
            session: None,
        },
        // Those of an SDK for Rust that is not Zenlayer's own.
        EnvVarNames::Keys {
            id: "ZENLAYER_CLOUD_ACCESS_KEY_ID",
            secret: "ZENLAYER_CLOUD_ACCESS_KEY_PASSWORD",
            session: None,
        },
    ]);

/// Zenlayer Elastic Compute (ZEC). One endpoint serves all regions.
#[derive(Clone, Debug)]
pub struct Zenlayer {
    config: Config,
}

impl Zenlayer {
    /// ZEC as `config` describes it.
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

    fn list(&self, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        wire::list(&self.config, page)
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
    use lifecycle_core::ActionKind;

    use super::*;

    #[test]
    fn the_profile_says_what_the_requests_do() {
        let zenlayer = Zenlayer::new(Config::new());
        let profile = zenlayer.profile();
        assert_eq!(profile.cloud, "zenlayer");
        for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
            assert_eq!(profile.batch_limits.of(verb), 100);
        }
        assert_eq!(profile.batch_limits.observe, 100);
        assert_eq!(
            profile.support,
            Support::NONE.with_forced(),
            "and nothing about billing or local disks"
        );
    }

    #[test]
    fn a_token_counts_before_keys_and_the_command_line_before_terraform() {
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
