//! Runs seeds on all cores, and says which ones break a promise and how to run those again.
//!
//! `simulate [--seeds N] [--from M]`, or `simulate --seed N` to look at one.

use std::{env, process::ExitCode};

use lifecycle_conformance::{Scenario, simulate, simulate_all};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let passed = match value("--seed") {
        Some(seed) => show(seed),
        None => {
            let (from, count) = (value("--from"), value("--seeds"));
            run(from.unwrap_or(0), count.unwrap_or(2_000))
        }
    };
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one seed, and shows what was drawn, what was called and what is wrong with it.
fn show(seed: u64) -> bool {
    let scenario = Scenario::draw(seed);
    println!("{scenario:#?}");
    let verdict = match simulate(&scenario) {
        Ok(verdict) => verdict,
        Err(problem) => {
            println!("{problem}");
            return false;
        }
    };
    for call in verdict.ledger.calls() {
        let status = call
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        let mishap = call
            .mishap
            .map_or(String::new(), |mishap| format!("{mishap:?}"));
        let (at, name, ids) = (call.at.as_secs_f64(), call.name, call.ids);
        println!("{at:9.3} s {name:32} {ids:5} ids {status:>4} {mishap}");
    }
    for violation in &verdict.violations {
        println!("{violation}");
    }
    println!("seed {seed}: {} broken promises", verdict.violations.len());
    verdict.violations.is_empty()
}

fn run(from: u64, count: u64) -> bool {
    let seed = |number: usize| from + number as u64;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let tally = simulate_all(count, |number| Scenario::draw(seed(number)));
    for failure in &tally.failures {
        let seed = seed(failure.number);
        for problem in failure.problems.iter().take(3) {
            println!("seed {seed}: {problem}");
        }
        println!("  again: cargo xtask simulate --seed {seed}");
    }
    println!(
        "{} seeds, {} instances, {} calls, {} failed",
        tally.runs,
        tally.instances,
        tally.calls,
        tally.failures.len()
    );
    tally.failures.is_empty()
}
