//! The conformance suite: cases that every provider must pass on any [`CloudUnderTest`].
//!
//! [`cases`] lists the suite. The [`Profile`](lifecycle_facade::Profile) of the client decides whether
//! a case applies. [`SimulatedCloud`] and [`LiveAccount`] implement [`CloudUnderTest`] for the
//! simulator and for named instances of a real account; third parties add implementations.

mod answers;
mod case;
mod cloud_under_test;
mod faults;
mod filters;
mod keys;
mod live;
mod matrix;
mod page;
mod power;
mod reads;
mod simulated;
mod skewed_clock;

pub use case::{Access, Case, CaseError, CaseResult, CaseStatus};
pub use cloud_under_test::{
    CallFault, ClientSetup, CloudUnderTest, Condition, ExecutionCounts, FaultTarget, InstanceFacts,
    NotSupported,
};
pub use live::{LiveAccount, LiveRunError, Permission};
pub use matrix::{Column, Matrix};
pub use page::page;
pub use simulated::{SimulatedCloud, run_simulated};
pub use skewed_clock::SkewedClock;

/// Returns all cases in the order of the matrix.
pub fn cases() -> Vec<Case> {
    [
        reads::cases(),
        filters::cases(),
        power::from_every_state(),
        power::on_impaired_instances(),
        power::in_batches(),
        power::past_the_deadline(),
        answers::cases(),
        faults::cases(),
        keys::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs each case on a new cloud under test and a new runtime with paused time.
///
/// `cloud` is called within the runtime of the case, so that clocks start there.
pub fn run_in_paused_time<S: CloudUnderTest>(
    name: impl Into<String>,
    cloud: impl Fn() -> Result<S, String>,
) -> Column {
    let statuses = cases()
        .iter()
        .map(|case| case.run_in_paused_time(&cloud))
        .collect();
    Column::new(name, statuses)
}

/// Runs the cases one after the other on the current runtime, each on a new cloud under test.
pub async fn run_sequentially<S: CloudUnderTest>(
    name: impl Into<String>,
    cloud: impl AsyncFn() -> S,
) -> Column {
    let mut statuses = Vec::new();
    for case in cases() {
        statuses.push(case.run(&cloud().await).await);
    }
    Column::new(name, statuses)
}
