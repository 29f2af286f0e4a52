//! Tests that the scenarios of many seeds keep every promise.

use lifecycle_conformance::{Scenario, simulate_all};

/// The number of seeds in each test run; `cargo xtask simulate --seeds N` runs more.
const SEEDS: usize = 2_000;

#[test]
fn drawn_scenarios_keep_all_promises() {
    let totals = simulate_all(SEEDS, |seed| Scenario::from_seed(seed as u64));
    let failures: Vec<String> = totals
        .failures
        .iter()
        .map(|failure| {
            let (seed, problem) = (failure.number, &failure.problems[0]);
            format!("seed {seed}: {problem}\n  repeat with: cargo xtask simulate --seed {seed}")
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
