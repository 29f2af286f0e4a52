//! Keys of all kinds, from the variables and files of a user's host, against simulated identity
//! services.
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

use std::collections::HashMap;

use lifecycle_facade::{
    Credential, Fleet, FleetBuilder,
    core::{HostEnvironment, credential_source::FileCheck},
};
use lifecycle_sim::{Cloud, Identity, Metadata, Role, Simulator};

const FLEET: &str = "baidu/bj=2,aliyun/cn-hangzhou=2,zenlayer/global=2,huawei/cn-north-4=2";

/// The ID of a key that every simulated cloud accepts.
pub(crate) const ID: &str = "FAKEID";
pub(crate) const SECRET: &str = "fake-secret";
pub(crate) const TOKEN: &str = "fake.bearer.token";
pub(crate) const ARN: &str = "acs:ram::1001:role/night";
pub(crate) const FURTHER: &str = "acs:ram::1001:role/further";
pub(crate) const OIDC: &str = "acs:ram::1001:oidc-provider/ci";
pub(crate) const AGENCY: &str = "iam::1001:agency:night";
pub(crate) const ID_TOKEN: &str = "an.identity.token";

pub(crate) fn simulator() -> Simulator {
    let aliyun = Identity::new()
        .role(Role::new(ARN))
        .role(Role::new(FURTHER).external_id("patch"))
        .id_token(OIDC, ID_TOKEN)
        .metadata(Metadata::Role("web".into()));
    let baidu = Identity::new().role(Role::new("1001/night"));
    let huawei = Identity::new()
        .role(Role::new(AGENCY))
        .id_token("iam::1001:identityProvider:ci", ID_TOKEN)
        .id_token("ci", ID_TOKEN)
        .user("ops", "pass word", "company")
        .metadata(Metadata::Role("web".into()));
    let builder = Cloud::ALL
        .into_iter()
        .fold(Simulator::builder(), |builder, cloud| {
            builder.credential(cloud, &Credential::keys(ID, SECRET))
        });
    builder
        .credential(Cloud::Zenlayer, &Credential::token(TOKEN))
        .identity(Cloud::Aliyun, aliyun)
        .identity(Cloud::Baidu, baidu)
        .identity(Cloud::Huawei, huawei)
        .fleet(FLEET)
        .unwrap()
        .build()
}

/// A host with variables and files.
#[derive(Debug)]
pub(crate) struct Toy {
    variables: HashMap<String, String>,
    files: HashMap<String, String>,
}

impl Toy {
    pub(crate) fn new(variables: &[(&str, &str)], files: &[(&str, String)]) -> Self {
        let owned = |text: &str| text.to_owned();
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            files: files
                .iter()
                .map(|(path, text)| (owned(path), text.clone()))
                .collect(),
        }
    }
}

impl HostEnvironment for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(self.files.get(path).cloned())
    }
}

/// Returns the builder of a fleet in memory, with keys from `machine`.
pub(crate) fn in_memory(simulator: &Simulator, machine: impl HostEnvironment) -> FleetBuilder {
    Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(machine)
}

/// Returns the path and the text of a file of Alibaba's command line, with `fields` in profile `prod`.
pub(crate) fn aliyun_config(fields: &str) -> (&'static str, String) {
    let text = format!(
        r#"{{"current": "prod", "profiles": [
            {{"name": "base", "mode": "AK", "access_key_id": "{ID}", "access_key_secret": "{SECRET}"}},
            {{"name": "prod", "region_id": "cn-hangzhou", {fields}}}], "meta_path": ""}}"#
    );
    ("~/.aliyun/config.json", text)
}
