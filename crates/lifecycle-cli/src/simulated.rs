//! The simulator within this process, as the commands use it.

use lifecycle_facade::{Credential, EmptyHost, Fleet, FleetBuilder};
use lifecycle_sim::{BadFleet, Builder, Cloud, Simulator};

/// Settings of the fleet of `--sim`.
///
/// # Errors
/// When the simulator cannot be made.
pub(crate) fn fleet() -> Result<FleetBuilder, BadFleet> {
    Ok(simulated(&with_our_key(small_fleet()?).build()))
}

/// Settings of a fleet at the clouds of `simulator`.
pub(crate) fn simulated(simulator: &Simulator) -> FleetBuilder {
    Fleet::builder()
        .machine(EmptyHost)
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(key())
        .project(simulator.project_id())
}

/// The fleet of `--sim` and `simulate`: a few machines in each cloud, two of them with a trouble.
pub(crate) fn small_fleet() -> Result<Builder, BadFleet> {
    Simulator::builder().fleet(
        "baidu/bj=3,baidu/bj=2:running,baidu/bj=1:expired,\
         aliyun/cn-hangzhou=3,aliyun/cn-hangzhou=2:running,aliyun/cn-hangzhou=1:locked,\
         zenlayer/global=3,zenlayer/global=2:running,\
         huawei/cn-north-4=3,huawei/cn-north-4=2:running",
    )
}

/// The same key at all four clouds, so that one pair of variables is enough to try them.
pub(crate) fn with_our_key(simulator: Builder) -> Builder {
    Cloud::ALL.into_iter().fold(simulator, |simulator, cloud| {
        simulator.credential(cloud, &key())
    })
}

/// The public half of the key of all simulators.
pub(crate) const ACCESS_KEY: &str = "SIMULATEDKEY";
/// Its other half. It opens nothing but simulators.
pub(crate) const SECRET_KEY: &str = "simulated-secret-that-opens-nothing";

fn key() -> Credential {
    Credential::keys(ACCESS_KEY, SECRET_KEY)
}
