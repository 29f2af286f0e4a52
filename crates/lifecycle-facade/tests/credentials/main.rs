//! Tests of all credential sources: variables and files of a fake host, and simulated identity
//! services. This file holds the shared helpers.
#![cfg(all(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]

mod accounts;
#[cfg(feature = "config")]
mod from_config;
mod lifetime;
mod sources;
mod threads;

use lifecycle_facade::{Credential, Fleet, FleetBuilder, lifecycle_core::HostEnvironment};
use lifecycle_sim::{Cloud, Identity, Metadata, Role, Simulator};
use provider_testing::FakeHost;

const FLEET: &str = "baidu/bj=2,aliyun/cn-hangzhou=2,zenlayer/global=2,huawei/cn-north-4=2";

/// The ID of a key that every simulated cloud accepts.
pub(crate) const KEY_ID: &str = "FAKEID";
/// The secret of the key `KEY_ID`.
pub(crate) const KEY_SECRET: &str = "fake-secret";
/// A token that the simulated Zenlayer accepts instead of a key.
pub(crate) const BEARER_TOKEN: &str = "fake.bearer.token";
/// The role at Alibaba.
pub(crate) const ROLE_ARN: &str = "acs:ram::1001:role/night";
/// A role at Alibaba that is assumed with the key of another role. Requires the external id `patch`.
pub(crate) const CHAINED_ROLE_ARN: &str = "acs:ram::1001:role/further";
/// The OIDC provider at Alibaba that issued `OIDC_ID_TOKEN`.
pub(crate) const OIDC_PROVIDER_ARN: &str = "acs:ram::1001:oidc-provider/ci";
/// The agency (委托) at Huawei.
pub(crate) const HUAWEI_AGENCY: &str = "iam::1001:agency:night";
/// An OIDC identity token, which STS and IAM exchange for a key.
pub(crate) const OIDC_ID_TOKEN: &str = "an.identity.token";

pub(crate) fn simulator() -> Simulator {
    let aliyun = Identity::new()
        .role(Role::new(ROLE_ARN))
        .role(Role::new(CHAINED_ROLE_ARN).external_id("patch"))
        .id_token(OIDC_PROVIDER_ARN, OIDC_ID_TOKEN)
        .metadata(Metadata::Role("web".into()));
    let baidu = Identity::new().role(Role::new("1001/night"));
    let huawei = Identity::new()
        .role(Role::new(HUAWEI_AGENCY))
        .id_token("iam::1001:identityProvider:ci", OIDC_ID_TOKEN)
        .id_token("ci", OIDC_ID_TOKEN)
        .user("ops", "pass word", "company")
        .metadata(Metadata::Role("web".into()));
    let builder = Cloud::ALL
        .into_iter()
        .fold(Simulator::builder(), |builder, cloud| {
            builder.credential(cloud, &Credential::keys(KEY_ID, KEY_SECRET))
        });
    builder
        .credential(Cloud::Zenlayer, &Credential::token(BEARER_TOKEN))
        .identity(Cloud::Aliyun, aliyun)
        .identity(Cloud::Baidu, baidu)
        .identity(Cloud::Huawei, huawei)
        .fleet(FLEET)
        .unwrap()
        .build()
}

/// Returns a host with variables and files.
pub(crate) fn fake_host(variables: &[(&str, &str)], files: &[(&str, String)]) -> FakeHost {
    let files = files.iter().map(|(path, text)| (*path, text.as_str()));
    let texts: Vec<_> = variables.iter().copied().chain(files).collect();
    FakeHost::new(&texts)
}

/// Returns a fleet builder that sends to `simulator` in memory, and finds keys on `host`.
pub(crate) fn fleet_builder(simulator: &Simulator, host: impl HostEnvironment) -> FleetBuilder {
    Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(host)
}

/// Returns the path and the text of the configuration file of Alibaba's command line tool, with
/// `fields` in profile `prod`. Profile `base` is the source profile of chained roles.
pub(crate) fn aliyun_config(fields: &str) -> (&'static str, String) {
    let text = format!(
        r#"{{"current": "prod", "profiles": [
            {{"name": "base", "mode": "AK", "access_key_id": "{KEY_ID}", "access_key_secret": "{KEY_SECRET}"}},
            {{"name": "prod", "region_id": "cn-hangzhou", {fields}}}], "meta_path": ""}}"#
    );
    ("~/.aliyun/config.json", text)
}
