//! Many runs on all cores.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
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
    let results = on_all_cores(count, |number| judged(&scenario(number)));
    let mut tally = Tally {
        runs: count,
        ..Tally::default()
    };
    for (number, result) in results.into_iter().enumerate() {
        tally.instances += result.instances;
        tally.calls += result.calls;
        if !result.problems.is_empty() {
            tally.failures.push(Failure {
                number,
                problems: result.problems,
            });
        }
    }
    tally
}

/// The numbers of one run, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) instances: usize,
    pub(crate) calls: u64,
    pub(crate) problems: Vec<String>,
}

pub(crate) fn judged(scenario: &Scenario) -> Judged {
    match simulate(scenario) {
        Ok(verdict) => Judged {
            instances: verdict.instances,
            calls: verdict.ledger.total(),
            problems: verdict.violations.iter().map(ToString::to_string).collect(),
        },
        Err(problem) => Judged {
            problems: vec![problem],
            ..Judged::default()
        },
    }
}

/// The results of `work` for the numbers from 0, in their order.
pub(crate) fn on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    let labour = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let result = work(number);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((number, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(labour);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
