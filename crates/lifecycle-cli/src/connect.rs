//! From the command line to a fleet: the real clouds, or the simulator within this process.

use std::time::Duration;

use lifecycle_facade::{Credential, Fleet, FleetBuilder, Timeouts};
use lifecycle_sim::{BadFleet, Builder, Cloud, Simulator};

use crate::{args::Connection, exit::Failure};

/// A fleet as the command line asks for it. No cloud is called yet.
///
/// # Errors
/// When the simulator or the HTTP client cannot be set up.
pub(crate) fn fleet(connection: &Connection) -> Result<Fleet, Failure> {
    let settings = if connection.sim {
        let simulator = small_fleet().map_err(|bad| Failure::nothing_done(bad.to_string()))?;
        simulated(&with_our_key(simulator).build())
    } else {
        match &connection.endpoint {
            Some(endpoint) => Fleet::builder().endpoint(endpoint.clone()),
            None => Fleet::builder(),
        }
    };
    Ok(within(connection.timeout, settings).build()?)
}

/// Bounds requests that do not wait. Waiting takes its bound with the request.
fn within(timeout: Duration, settings: FleetBuilder) -> FleetBuilder {
    settings.tune(move |client| {
        let mut timeouts = Timeouts::default();
        timeouts.request = timeout;
        client.timeouts(timeouts)
    })
}

/// Settings of a fleet at the clouds of `simulator`.
pub(crate) fn simulated(simulator: &Simulator) -> FleetBuilder {
    Fleet::builder()
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
