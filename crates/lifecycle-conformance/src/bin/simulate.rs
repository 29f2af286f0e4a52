//! Runs seeds until one breaks a promise.
//!
//! `simulate [--seed N | --seeds N [--from N]]`

use std::{env, process::ExitCode};

use lifecycle_conformance::{Scenario, simulate};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let (from, count) = match value("--seed") {
        Some(seed) => (seed, 1),
        None => (
            value("--from").unwrap_or(0),
            value("--seeds").unwrap_or(2_000),
        ),
    };
    let mut failed = 0_u64;
    let (mut instances, mut calls) = (0, 0);
    for seed in from..from + count {
        let scenario = Scenario::draw(seed);
        if count == 1 {
            println!("{scenario:#?}");
        }
        let problems: Vec<String> = match simulate(scenario) {
            Ok(verdict) => {
                instances += verdict.instances;
                calls += verdict.calls;
                verdict.violations.iter().map(ToString::to_string).collect()
            }
            Err(problem) => vec![problem],
        };
        if problems.is_empty() {
            continue;
        }
        failed += 1;
        for problem in problems.iter().take(3) {
            println!("seed {seed}: {problem}");
        }
        println!("  again: cargo run -p lifecycle-conformance --bin simulate -- --seed {seed}");
    }
    println!(
        "{count} seeds, {instances} instances, {calls} calls, {} passed, {failed} failed",
        count - failed
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
