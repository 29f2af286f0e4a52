//! Runs scenarios and judges the results, alone or on all cores.

use lifecycle_sim::Ledger;

use crate::{
    fleet_scenario::{FleetScenario, simulate_fleet},
    judge::{Violation, judge},
    parallel::map_on_all_cores,
    run::run,
    scenario::Scenario,
};

/// The result of one simulated scenario.
#[derive(Debug)]
pub struct SimulationResult {
    /// All broken promises; empty for a correct client.
    pub violations: Vec<Violation>,
    /// The number of requested instances.
    pub instances: usize,
    /// The calls and actions that the cloud received and executed.
    pub ledger: Ledger,
}

/// Runs one scenario under paused time, and judges the result.
///
/// # Errors
/// A text if the run could not be set up, hung or panicked.
pub fn simulate(scenario: &Scenario) -> Result<SimulationResult, String> {
    let run = run(scenario)?;
    Ok(SimulationResult {
        violations: judge(scenario, &run),
        instances: run.requests.iter().map(|r| r.ids.len()).sum(),
        ledger: run.stage.simulator.ledger(),
    })
}

/// The totals of many runs.
#[derive(Debug, Default)]
pub struct SimulationTotals {
    /// The number of runs.
    pub runs: usize,
    /// The number of requested instances.
    pub instances: usize,
    /// The number of calls that the clouds received.
    pub calls: u64,
    /// The failed runs, in ascending order.
    pub failures: Vec<FailedRun>,
}

/// A run with a broken promise, or an unfinished run.
#[derive(Clone, Debug)]
pub struct FailedRun {
    /// The number of the run, from 0.
    pub number: usize,
    /// The problems, most informative first.
    pub problems: Vec<String>,
}

/// Runs `count` scenarios on all cores; `scenario` returns the scenario for a number from 0.
pub fn simulate_all(count: usize, scenario: impl Fn(usize) -> Scenario + Sync) -> SimulationTotals {
    total(count, |number| summarize(&scenario(number)))
}

/// Runs `count` scenarios of several clouds on all cores; `scenario` returns the scenario for a number from 0.
pub fn simulate_all_fleets(
    count: usize,
    scenario: impl Fn(usize) -> FleetScenario + Sync,
) -> SimulationTotals {
    total(count, |number| match simulate_fleet(&scenario(number)) {
        Ok(result) => RunSummary {
            instances: result.instances,
            calls: result.calls,
            problems: result
                .violations
                .iter()
                .map(|(cloud, violation)| format!("{cloud}: {violation}"))
                .collect(),
        },
        Err(problem) => RunSummary::failed(problem),
    })
}

fn total(count: usize, run: impl Fn(usize) -> RunSummary + Sync) -> SimulationTotals {
    let summaries = map_on_all_cores(count, run);
    let mut totals = SimulationTotals {
        runs: count,
        ..SimulationTotals::default()
    };
    for (number, summary) in summaries.into_iter().enumerate() {
        totals.instances += summary.instances;
        totals.calls += summary.calls;
        if !summary.problems.is_empty() {
            totals.failures.push(FailedRun {
                number,
                problems: summary.problems,
            });
        }
    }
    totals
}

/// The figures and problems of one run.
#[derive(Debug, Default)]
pub(crate) struct RunSummary {
    pub(crate) instances: usize,
    pub(crate) calls: u64,
    pub(crate) problems: Vec<String>,
}

impl RunSummary {
    fn failed(problem: String) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

pub(crate) fn summarize(scenario: &Scenario) -> RunSummary {
    match simulate(scenario) {
        Ok(result) => RunSummary {
            instances: result.instances,
            calls: result.ledger.total(),
            problems: result.violations.iter().map(ToString::to_string).collect(),
        },
        Err(problem) => RunSummary::failed(problem),
    }
}
