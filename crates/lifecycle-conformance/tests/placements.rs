//! Every action on every cloud, with every fault at every call, and a second one soon after.

use lifecycle_conformance::{Extent, exhaust};

/// How many calls two faults are placed among with every run of the tests;
/// `cargo xtask simulate --exhaustive` places them everywhere.
const FIRST: usize = 4;

#[test]
fn no_placement_of_faults_breaks_a_promise() {
    let all = exhaust(Extent::First(FIRST));
    println!(
        "{} runs with one fault, {} with two",
        all.singles, all.pairs
    );
    let failures: Vec<String> = all
        .failures
        .iter()
        .map(|(placement, problems)| {
            format!(
                "{}\n  again: cargo xtask simulate --placement {placement}",
                problems[0]
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
