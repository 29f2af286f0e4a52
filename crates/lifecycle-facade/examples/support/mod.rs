//! A fleet of simulated clouds for the examples.

use lifecycle_facade::Fleet;
use lifecycle_sim::{ParseFleetError, Simulator};

/// Returns simulated clouds with the instances of `spec`, and a fleet of these clouds. A real program
/// has `Fleet::from_environment()` instead.
pub(crate) fn simulated_fleet(spec: &str) -> Result<(Simulator, Fleet), ParseFleetError> {
    let simulator = Simulator::builder().seed(1).fleet(spec)?.build();
    let fleet = Fleet::simulated(&simulator);
    Ok((simulator, fleet))
}
