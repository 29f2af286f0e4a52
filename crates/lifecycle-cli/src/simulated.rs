//! Simulated clouds inside this process (`--sim`), and a key that they accept.

use lifecycle_facade::{Credential, EmptyHost, Fleet, FleetBuilder};
use lifecycle_sim::{Cloud, ParseFleetError, Simulator, SimulatorBuilder};

/// Returns a builder of the fleet of `--sim`.
///
/// # Errors
/// The simulator rejects the description of the small fleet.
pub(crate) fn small_fleet_builder() -> Result<FleetBuilder, ParseFleetError> {
    Ok(fleet_builder(&with_key(small_fleet()?).build()))
}

/// Returns a builder of a fleet that calls the clouds of `simulator`.
pub(crate) fn fleet_builder(simulator: &Simulator) -> FleetBuilder {
    Fleet::builder()
        .machine(EmptyHost)
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(key())
        .project(simulator.project_id())
}

/// Returns the fleet of `--sim` and `simulate`: a few instances with names and tags in each cloud, with
/// an expired and a locked instance.
pub(crate) fn small_fleet() -> Result<SimulatorBuilder, ParseFleetError> {
    Simulator::builder().fleet(
        "baidu/bj=3;name=ci-#;tag:env=dev,\
         baidu/bj=2:running;name=web-#;tag:env=prod;public,\
         baidu/bj=1:expired;name=db-#;tag:env=prod;charge=prepaid,\
         aliyun/cn-hangzhou=3;name=ci-#;tag:env=dev,\
         aliyun/cn-hangzhou=2:running;name=web-#;tag:env=prod;public,\
         aliyun/cn-hangzhou=1:locked;name=db-#;tag:env=prod;charge=prepaid,\
         zenlayer/global=3;name=ci-#;tag:env=dev,\
         zenlayer/global=2:running;name=web-#;tag:env=prod;public,\
         huawei/cn-north-4=3;name=ci-#;tag:env=dev,\
         huawei/cn-north-4=2:running;name=web-#;tag:env=prod;public",
    )
}

/// Gives all four clouds the same key, so that one pair of variables is enough to try each.
pub(crate) fn with_key(simulator: SimulatorBuilder) -> SimulatorBuilder {
    Cloud::ALL.into_iter().fold(simulator, |simulator, cloud| {
        simulator.credential(cloud, &key())
    })
}

/// Access key id of all simulated clouds.
pub(crate) const ACCESS_KEY: &str = "SIMULATEDKEY";
/// Secret access key of all simulated clouds. No real cloud accepts this key.
pub(crate) const SECRET_KEY: &str = "simulated-secret-that-opens-nothing";

fn key() -> Credential {
    Credential::keys(ACCESS_KEY, SECRET_KEY)
}
