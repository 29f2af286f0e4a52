//! Runs seeds on all cores, and says which ones break a promise and how to run those again.
//!
//! - `simulate [--seeds N] [--from M]` runs many seeds,
//! - `simulate --seed N` shows one,
//! - `simulate --exhaustive` places one and two faults everywhere in small runs,
//! - `simulate --placement P` shows one of these.

use std::{env, process::ExitCode};

use lifecycle_conformance::{Extent, Placement, Scenario, exhaust, simulate, simulate_all};

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

/// Whether every promise was kept.
fn run(arguments: &[String]) -> Result<bool, String> {
    let mut arguments = arguments.iter();
    let (mut from, mut seeds) = (0, 2_000);
    while let Some(argument) = arguments.next() {
        let value = arguments.as_slice().first().map_or("", String::as_str);
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{argument} takes a number"))
        };
        match argument.as_str() {
            "--exhaustive" => return Ok(place_everywhere()),
            "--placement" => return Ok(show(&value.parse::<Placement>()?.scenario())),
            "--seed" => return Ok(show(&Scenario::draw(number()?))),
            "--seeds" => seeds = number()?,
            "--from" => from = number()?,
            other => return Err(format!("{other} is not known here")),
        }
        arguments.next();
    }
    Ok(run_seeds(from, seeds))
}

/// Runs one scenario, and shows what it is, what was called and what is wrong with it.
fn show(scenario: &Scenario) -> bool {
    println!("{scenario:#?}");
    let verdict = match simulate(scenario) {
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
            .fault
            .map_or(String::new(), |mishap| format!("{mishap:?}"));
        let (at, name, ids) = (call.at.as_secs_f64(), call.name, call.ids);
        println!("{at:9.3} s {name:32} {ids:5} ids {status:>4} {mishap}");
    }
    for violation in &verdict.violations {
        println!("{violation}");
    }
    println!("{} broken promises", verdict.violations.len());
    verdict.violations.is_empty()
}

fn run_seeds(from: u64, count: u64) -> bool {
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

fn place_everywhere() -> bool {
    let all = exhaust(Extent::Everywhere);
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
