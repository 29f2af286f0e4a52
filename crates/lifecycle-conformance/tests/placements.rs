//! Tests that every action on every cloud keeps the promises with every fault at every call, and
//! with a second fault soon after.

use lifecycle_conformance::{PairScope, run_all_placements, run_all_refused_batches};

/// The number of calls with pairs of faults in each test run;
/// `cargo xtask simulate --exhaustive` places pairs at all calls.
const FIRST: usize = 4;

#[test]
fn small_runs_with_placed_faults_keep_all_promises() {
    let all = run_all_placements(PairScope::FirstCalls(FIRST));
    println!(
        "{} runs with one fault, {} with two",
        all.runs_with_one_fault, all.runs_with_two_faults
    );
    let failures: Vec<String> = all
        .failures
        .iter()
        .map(|(placement, problems)| {
            format!(
                "{}\n  repeat with: cargo xtask simulate --placement {placement}",
                problems[0]
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The length of the patterns of views in each test run; `cargo xtask simulate --exhaustive` runs longer
/// patterns.
const VIEWS: u32 = 3;

#[test]
fn refused_batches_of_reboots_keep_all_promises() {
    let (runs, failures) = run_all_refused_batches(VIEWS);
    println!("{runs} refused batches of reboots");
    let failures: Vec<String> = failures
        .iter()
        .map(|(case, problems)| {
            format!(
                "{}\n  repeat with: cargo xtask simulate --placement {case}",
                problems[0]
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
