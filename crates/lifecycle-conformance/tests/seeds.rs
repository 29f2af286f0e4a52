//! Seeded simulation: whatever is drawn, no promise is broken.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use lifecycle_conformance::{Scenario, simulate};

/// Few enough for every run of the tests; `cargo xtask simulate --seeds N` runs more.
const SEEDS: u64 = 2_000;

#[test]
fn no_seed_breaks_a_promise() {
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let failures: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| run_seeds(&next)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn run_seeds(next: &AtomicU64) -> Vec<String> {
    let mut failures = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= SEEDS {
            return failures;
        }
        let problem = match simulate(Scenario::draw(seed)) {
            Ok(verdict) => verdict.violations.first().map(ToString::to_string),
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            failures.push(format!(
                "seed {seed}: {problem}\n  again: cargo run -p lifecycle-conformance --bin simulate -- --seed {seed}"
            ));
        }
    }
}
