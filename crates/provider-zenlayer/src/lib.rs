#![doc = include_str!("../README.md")]

mod config;
pub mod credentials;
mod fault;
mod sign;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use lifecycle_core::{
    Action, Cadence, Call, Credential, Draft, Fault, InstanceId, KeyVariables, Limits, Observation,
    Page, PageToken, Profile, Provider, Receipt, Reply, Stamp, Support,
};

pub use config::{Config, endpoint_from};

/// What Zenlayer's pages and tools say about ZEC in numbers. Its rate limits could not be read, so
/// the pace is the default one.
pub const PROFILE: Profile = Profile::new("zenlayer", "Zenlayer ZEC", Limits::all(100))
    .with_support(Support::NONE.forced())
    // No closer together than Zenlayer's Terraform provider looks, and at last as seldom as its
    // command line advises.
    .with_cadence(
        Cadence::new(
            Duration::from_secs(5),
            Duration::from_secs(5),
            Duration::from_secs(30),
        )
        .with_pause(Duration::from_secs(12)),
    )
    .with_variables(&[
        // The command line's. There a token goes before a key pair.
        KeyVariables::Token("ZENLAYER_TOKEN"),
        KeyVariables::Keys {
            id: "ZENLAYER_ACCESS_KEY_ID",
            secret: "ZENLAYER_ACCESS_KEY_SECRET",
            session: None,
        },
        // The Terraform provider's.
        KeyVariables::Keys {
            id: "ZENLAYERCLOUD_ACCESS_KEY_ID",
            secret: "ZENLAYERCLOUD_ACCESS_KEY_PASSWORD",
            session: None,
        },
        // Those of the Go SDK's example.
        KeyVariables::Keys {
            id: "ZENLAYERCLOUD_SECRET_KEY_ID",
            secret: "ZENLAYERCLOUD_SECRET_KEY_PASSWORD",
            session: None,
        },
        // Those of an SDK for Rust that is not Zenlayer's own.
        KeyVariables::Keys {
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

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<Call<Receipt>, Fault> {
        wire::act(action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<Call<Vec<Observation>>, Fault> {
        wire::observe(&self.config, ids)
    }

    fn list(&self, page: Option<&PageToken>) -> Result<Call<Page>, Fault> {
        wire::list(&self.config, page)
    }

    fn sign(
        &self,
        draft: &Draft,
        key: &Credential,
        at: &Stamp,
    ) -> Result<http::Request<Bytes>, Fault> {
        sign::sign(self.config.endpoint(), draft, key, at)
    }

    fn check(&self, reply: &Reply) -> Result<(), Fault> {
        fault::check(reply)
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        fault::request_id(reply)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Verb;

    use super::*;

    #[test]
    fn the_profile_says_what_the_requests_do() {
        let zenlayer = Zenlayer::new(Config::new());
        let profile = zenlayer.profile();
        assert_eq!(profile.cloud, "zenlayer");
        for verb in [Verb::Start, Verb::Stop, Verb::Reboot] {
            assert_eq!(profile.limits.of(verb), 100);
        }
        assert_eq!(profile.limits.observe, 100);
        assert_eq!(
            profile.support,
            Support::NONE.forced(),
            "and nothing about billing or local disks"
        );
    }

    #[test]
    fn a_token_counts_before_keys_and_the_command_line_before_terraform() {
        let ids: Vec<_> = PROFILE.variables.iter().map(first_variable).collect();
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

    fn first_variable(variables: &KeyVariables) -> &'static str {
        match variables {
            KeyVariables::Token(token) => token,
            KeyVariables::Keys { id, session, .. } => {
                assert!(session.is_none(), "Zenlayer has no temporary keys");
                id
            }
        }
    }
}
