#![doc = include_str!("../README.md")]

mod draw;
mod judge;
mod parallel;
mod placement;
mod refused_batch;
mod run;
mod scenario;
mod scenario_run;
mod simulate;
pub mod suite;
mod test_stage;

pub use judge::Violation;
pub use placement::{ExhaustiveResult, PairScope, Placement, run_all_placements};
pub use refused_batch::{RefusedBatch, run_all_refused_batches};
pub use scenario::{
    ClientKey, ExternalChange, FaultPlan, Request, ResultForm, Scenario, ScheduledChange, Stride,
};
pub use simulate::{FailedRun, SimulationResult, SimulationTotals, simulate, simulate_all};

/// A deliberate mistake of the client.
pub use lifecycle_client::Mutation;
