//! A fleet over simulated clouds, in memory.

use lifecycle_facade::{Credential, Fleet};
use lifecycle_sim::{Cloud, Simulator};

/// Simulated clouds with the machines of `spec`.
pub(crate) fn simulator(spec: &str) -> Simulator {
    Simulator::builder().seed(1).fleet(spec).unwrap().build()
}

/// A fleet of all clouds of this build, whose keys and times are the simulated ones.
pub(crate) fn fleet(simulator: &Simulator) -> Fleet {
    let simulator = simulator.clone();
    let variables = simulator.clone();
    Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .variables(move |name| {
            let cloud = match name {
                name if name.starts_with("BAIDUCLOUD_") => Cloud::Baidu,
                name if name.starts_with("ALIBABA_CLOUD_") => Cloud::Aliyun,
                name if name.starts_with("ZENLAYERCLOUD_ACCESS") => Cloud::Zenlayer,
                name if name.starts_with("HUAWEICLOUD_SDK_") => Cloud::Huawei,
                _ => return None,
            };
            let Credential::Keys { id, secret, .. } = variables.credential(cloud) else {
                return None;
            };
            match name {
                "HUAWEICLOUD_SDK_PROJECT_ID" => Some(variables.project_id()),
                name if name.ends_with("SESSION_TOKEN") || name.ends_with("SECURITY_TOKEN") => None,
                name if name.contains("SECRET") || name.ends_with("_SK") => {
                    Some(secret.expose().to_owned())
                }
                name if name.ends_with("PASSWORD") => Some(secret.expose().to_owned()),
                _ => Some(id),
            }
        })
        .build()
        .unwrap()
}
