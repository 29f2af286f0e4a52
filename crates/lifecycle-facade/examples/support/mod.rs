//! A fleet of simulated clouds for the examples.

use std::error::Error;

use lifecycle_facade::{Credential, EmptyHost, Fleet};
use lifecycle_sim::{Cloud, Simulator};

/// Returns simulated clouds with the instances of `spec`, and a fleet of these clouds. A real program
/// has `Fleet::from_environment()` instead.
pub(crate) fn simulated_fleet(spec: &str) -> Result<(Simulator, Fleet), Box<dyn Error>> {
    let key = Credential::keys("id", "secret");
    let simulator = Simulator::builder().seed(1).fleet(spec)?;
    let simulator = Cloud::ALL
        .into_iter()
        .fold(simulator, |simulator, cloud| {
            simulator.credential(cloud, &key)
        })
        .build();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(key)
        .project(simulator.project_id())
        .build()?;
    Ok((simulator, fleet))
}
