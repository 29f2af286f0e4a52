//! Seeded simulation: whatever is drawn, no promise is broken.

use lifecycle_conformance::{Scenario, simulate_all};

/// Few enough for every run of the tests; `cargo xtask simulate --seeds N` runs more.
const SEEDS: usize = 2_000;

#[test]
fn no_seed_breaks_a_promise() {
    let tally = simulate_all(SEEDS, |seed| Scenario::draw(seed as u64));
    let failures: Vec<String> = tally
        .failures
        .iter()
        .map(|failure| {
            let (seed, problem) = (failure.number, &failure.problems[0]);
            format!("seed {seed}: {problem}\n  again: cargo xtask simulate --seed {seed}")
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
