//! Runs random or exhaustive fault scenarios on all cores, checks the promises of the client, and
//! prints the command that repeats each failed scenario. The program behind `cargo xtask simulate`.
//!
//! - `simulate [--seeds N] [--from M]` runs many seeds,
//! - `simulate --seed N` shows the run of a seed,
//! - `--several-clouds` before these options makes requests to several clouds,
//! - `simulate --exhaustive` places one and two faults at all calls of small runs, and runs a refused
//!   batch of reboots with all patterns of views,
//! - `simulate --placement P` shows the run of a placement, or of a refused batch.

use std::{env, process::ExitCode};

use lifecycle_conformance::{
    FleetScenario, PairScope, Placement, RefusedBatch, Scenario, run_all_placements,
    run_all_refused_batches, simulate, simulate_all, simulate_all_fleets, simulate_fleet,
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

/// Returns true if every run finished and kept all promises.
fn run(arguments: &[String]) -> Result<bool, String> {
    let (several_clouds, arguments) = match arguments {
        [first, rest @ ..] if first == "--several-clouds" => (true, rest),
        all => (false, all),
    };
    let mut arguments = arguments.iter();
    let (mut first_seed, mut seeds) = (0, 2_000);
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
            "--seed" if several_clouds => {
                return Ok(show_fleet(&FleetScenario::from_seed(number()?)));
            }
            "--seed" => return Ok(show(&Scenario::from_seed(number()?))),
            "--seeds" => seeds = number()?,
            "--from" => first_seed = number()?,
            other => return Err(format!("unknown argument {other}")),
        }
        arguments.next();
    }
    Ok(run_seeds(first_seed, seeds, several_clouds))
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
        let fault = call
            .fault
            .map_or(String::new(), |fault| format!("{fault:?}"));
        let (at, name, id_count) = (call.at.as_secs_f64(), call.name, call.id_count);
        println!("{at:9.3} s {name:32} {id_count:5} ids {status:>4} {fault}");
    }
    for violation in &result.violations {
        println!("{violation}");
    }
    println!("{} violations", result.violations.len());
    result.violations.is_empty()
}

/// Runs one scenario of several clouds, and prints the scenario and all broken promises.
fn show_fleet(scenario: &FleetScenario) -> bool {
    println!("{scenario:#?}");
    let violations = match simulate_fleet(scenario) {
        Ok(result) => result.violations,
        Err(problem) => {
            println!("{problem}");
            return false;
        }
    };
    for (cloud, violation) in &violations {
        println!("{cloud}: {violation}");
    }
    println!("{} violations", violations.len());
    violations.is_empty()
}

fn run_seeds(first_seed: u64, count: u64, several_clouds: bool) -> bool {
    let seed = |number: usize| first_seed + number as u64;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let (totals, again) = match several_clouds {
        true => {
            let scenario = |number| FleetScenario::from_seed(seed(number));
            (
                simulate_all_fleets(count, scenario),
                "--several-clouds --seed",
            )
        }
        false => {
            let scenario = |number| Scenario::from_seed(seed(number));
            (simulate_all(count, scenario), "--seed")
        }
    };
    for failure in &totals.failures {
        let seed = seed(failure.number);
        for problem in failure.problems.iter().take(3) {
            println!("seed {seed}: {problem}");
        }
        println!("  repeat with: cargo xtask simulate {again} {seed}");
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
    // The second fault is placed at every call, not only near the first fault.
    let all = run_all_placements(PairScope::AllCalls);
    for (placement, problems) in &all.failures {
        println!("{}", problems[0]);
        println!("  repeat with: cargo xtask simulate --placement {placement}");
    }
    println!(
        "{} runs with one fault, {} with two, {} failed",
        all.runs_with_one_fault,
        all.runs_with_two_faults,
        all.failures.len()
    );
    all.failures.is_empty()
}

fn run_refused_batches() -> bool {
    const VIEWS: u32 = 6;
    let (runs, failures) = run_all_refused_batches(VIEWS);
    for (case, problems) in &failures {
        println!("{}", problems[0]);
        println!("  repeat with: cargo xtask simulate --placement {case}");
    }
    println!(
        "{runs} refused batches of reboots, {} failed",
        failures.len()
    );
    failures.is_empty()
}
