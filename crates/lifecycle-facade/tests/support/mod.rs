//! Helpers of the facade's tests: a fleet over simulated clouds, in memory.

use lifecycle_facade::{
    Credential, Fleet,
    lifecycle_core::{HostEnvironment, credential_source::FileCheck},
};
use lifecycle_sim::{Cloud, Simulator};

/// Returns simulated clouds with the instances of `spec`.
pub(crate) fn simulator(spec: &str) -> Simulator {
    Simulator::builder().seed(1).fleet(spec).unwrap().build()
}

/// Returns a fleet of all clouds of this build, with the keys and the clock of `simulator`.
pub(crate) fn fleet(simulator: &Simulator) -> Fleet {
    Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(SimulatedHost(simulator.clone()))
        .build()
        .unwrap()
}

/// A host with the newest key of each simulated cloud in variables.
#[derive(Debug)]
struct SimulatedHost(Simulator);

impl HostEnvironment for SimulatedHost {
    fn variable(&self, name: &str) -> Option<String> {
        if name == "HUAWEICLOUD_SDK_PROJECT_ID" {
            return Some(self.0.project_id());
        }
        let is_secret = ["_SECRET", "_SECRET_KEY", "_SK", "_PASSWORD"];
        let (cloud, _) = KEYS.iter().find(|(_, names)| names.contains(&name))?;
        let Credential::Keys { id, secret, .. } = self.0.credential(*cloud) else {
            return None;
        };
        let is_secret = is_secret.iter().any(|end| name.ends_with(end));
        Some(if is_secret {
            secret.expose().to_owned()
        } else {
            id
        })
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// The environment variables of each cloud's key.
const KEYS: [(Cloud, [&str; 2]); 4] = [
    (
        Cloud::Baidu,
        ["BAIDUCLOUD_ACCESS_KEY", "BAIDUCLOUD_SECRET_KEY"],
    ),
    (
        Cloud::Aliyun,
        [
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ],
    ),
    (
        Cloud::Zenlayer,
        [
            "ZENLAYERCLOUD_ACCESS_KEY_ID",
            "ZENLAYERCLOUD_ACCESS_KEY_PASSWORD",
        ],
    ),
    (Cloud::Huawei, ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]),
];
