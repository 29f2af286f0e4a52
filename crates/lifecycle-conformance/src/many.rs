//! Many runs on all cores.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use crate::{Scenario, run::simulate};

/// What became of many runs.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many runs there were.
    pub runs: usize,
    /// How many instances were asked for.
    pub instances: usize,
    /// How many calls the clouds received.
    pub calls: u64,
    /// What failed, in order.
    pub failures: Vec<Failure>,
}

/// A run that broke a promise, or could not be finished.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its number among the runs.
    pub number: usize,
    /// What was broken; the first one says most.
    pub problems: Vec<String>,
}

/// Runs `count` scenarios on all cores; `scenario` gives the one with a number from 0.
pub fn simulate_all(count: usize, scenario: impl Fn(usize) -> Scenario + Sync) -> Tally {
    let next = AtomicUsize::new(0);
    let (instances, calls) = (AtomicUsize::new(0), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let problems: Vec<String> = match simulate(&scenario(number)) {
                Ok(verdict) => {
                    instances.fetch_add(verdict.instances, Ordering::Relaxed);
                    calls.fetch_add(verdict.ledger.total(), Ordering::Relaxed);
                    verdict.violations.iter().map(ToString::to_string).collect()
                }
                Err(problem) => vec![problem],
            };
            if !problems.is_empty() {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(Failure { number, problems });
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|failure| failure.number);
    Tally {
        runs: count,
        instances: instances.into_inner(),
        calls: calls.into_inner(),
        failures,
    }
}
