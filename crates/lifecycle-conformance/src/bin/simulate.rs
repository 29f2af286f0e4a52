//! Runs seeds on all cores, and lists failed seeds with the command for another run.
//!
//! - `simulate [--seeds N] [--from M]` runs many seeds,
//! - `simulate --seed N` shows the run of a seed,
//! - `simulate --exhaustive` places one and two faults at all calls of small runs, and runs a refused
//!   batch of reboots with all patterns of views,
//! - `simulate --placement P` shows the run of a placement, or of a refused batch.

use std::{env, process::ExitCode};

use lifecycle_conformance::{
    PairScope, Placement, RefusedBatch, Scenario, run_all_placements, run_all_refused_batches,
    simulate, simulate_all,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// Returns true if no promise was broken.
fn run(arguments: &[String]) -> Result<bool, String> {
    let mut arguments = arguments.iter();
    let (mut from, mut seeds) = (0, 2_000);
    while let Some(argument) = arguments.next() {
        let value = arguments.as_slice().first().map_or("", String::as_str);
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--exhaustive" => return Ok(run_placements() & run_refused_batches()),
            "--placement" => return Ok(show(&placed(value)?)),
            "--seed" => return Ok(show(&Scenario::draw(number()?))),
            "--seeds" => seeds = number()?,
            "--from" => from = number()?,
            other => return Err(format!("unknown argument {other}")),
        }
        arguments.next();
    }
    Ok(run_seeds(from, seeds))
}

/// Parses a placement or a refused batch.
fn placed(text: &str) -> Result<Scenario, String> {
    match text.parse::<RefusedBatch>() {
        Ok(refused) => Ok(refused.scenario()),
        Err(_) => Ok(text.parse::<Placement>()?.scenario()),
    }
}

/// Runs one scenario, and prints the scenario, all calls and all broken promises.
fn show(scenario: &Scenario) -> bool {
    println!("{scenario:#?}");
    let result = match simulate(scenario) {
        Ok(result) => result,
        Err(problem) => {
            println!("{problem}");
            return false;
        }
    };
    for call in result.ledger.calls() {
        let status = call
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        let mishap = call
            .fault
            .map_or(String::new(), |mishap| format!("{mishap:?}"));
        let (at, name, ids) = (call.at.as_secs_f64(), call.name, call.ids);
        println!("{at:9.3} s {name:32} {ids:5} ids {status:>4} {mishap}");
    }
    for violation in &result.violations {
        println!("{violation}");
    }
    println!("{} broken promises", result.violations.len());
    result.violations.is_empty()
}

fn run_seeds(from: u64, count: u64) -> bool {
    let seed = |number: usize| from + number as u64;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let totals = simulate_all(count, |number| Scenario::draw(seed(number)));
    for failure in &totals.failures {
        let seed = seed(failure.number);
        for problem in failure.problems.iter().take(3) {
            println!("seed {seed}: {problem}");
        }
        println!("  again: cargo xtask simulate --seed {seed}");
    }
    println!(
        "{} seeds, {} instances, {} calls, {} failed",
        totals.runs,
        totals.instances,
        totals.calls,
        totals.failures.len()
    );
    totals.failures.is_empty()
}

fn run_placements() -> bool {
    let all = run_all_placements(PairScope::AllCalls);
    for (placement, problems) in &all.failures {
        println!("{}", problems[0]);
        println!("  again: cargo xtask simulate --placement {placement}");
    }
    println!(
        "{} runs with one fault, {} with two, {} failed",
        all.singles,
        all.pairs,
        all.failures.len()
    );
    all.failures.is_empty()
}

fn run_refused_batches() -> bool {
    const VIEWS: u32 = 6;
    let (runs, failures) = run_all_refused_batches(VIEWS);
    for (case, problems) in &failures {
        println!("{}", problems[0]);
        println!("  again: cargo xtask simulate --placement {case}");
    }
    println!(
        "{runs} refused batches of reboots, {} failed",
        failures.len()
    );
    failures.is_empty()
}
