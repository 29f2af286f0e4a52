#![doc = include_str!("../README.md")]
// Random fault scenarios and the conformance suite. The README is the documentation of the crate.

mod draw; // draws scenarios from seeds
mod fleet_scenario; // scenarios of several clouds
mod judge; // compares a run with the client's promises
mod parallel; // work on all cores
mod placement; // exhaustive scenarios
mod refused_batch; // exhaustive scenarios of a refused batch of reboots
mod run; // runs a scenario
mod scenario; // a scenario, as data
mod scenario_run; // the record of a run
mod simulate; // runs and judges scenarios
pub mod suite; // the conformance suite
mod test_stage; // simulated cloud and client

pub use fleet_scenario::{FleetScenario, FleetSimulationResult, simulate_fleet};
pub use judge::Violation;
pub use placement::{ExhaustiveResult, PairScope, Placement, run_all_placements};
pub use refused_batch::{RefusedBatch, run_all_refused_batches};
pub use scenario::{
    ClientKey, ExternalChange, FaultPlan, Request, ResultForm, Scenario, ScheduledChange, Stride,
};
pub use simulate::{
    FailedRun, SimulationResult, SimulationTotals, simulate, simulate_all, simulate_all_fleets,
};

/// A deliberate mistake of the client.
pub use lifecycle_client::Mutation;
