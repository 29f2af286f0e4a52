//! The judge is not blind: for every mistake that the engine can be told to make, a seed finds it.

use std::thread;

use lifecycle_conformance::{Flaw, Scenario, simulate};

/// Which broken promise gives a flaw away.
fn promise(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::RepeatsReboots => "at most once",
        Flaw::DropsAnId => "one outcome per instance",
        Flaw::IgnoresTheDeadline => "no hangs",
        Flaw::UsesRefusedKeys => "no call with a refused key",
        Flaw::HalvesOnAnything => "no storms",
        Flaw::SplitsBatches => "fewest calls",
        Flaw::Forces => "what is not asked for never happens",
        Flaw::LooksForNobody => "nothing is sent for nobody",
        Flaw::KeepsSilent => "events agree with the report",
        _ => "outcomes are true",
    }
}

#[test]
fn every_flaw_is_found_by_a_seed() {
    let unnoticed: Vec<Flaw> = thread::scope(|scope| {
        let searches = Flaw::ALL.map(|flaw| (flaw, scope.spawn(move || is_found(flaw))));
        let missed = searches.into_iter().filter_map(|(flaw, search)| {
            let found = search.join().expect("a search ends");
            (!found).then_some(flaw)
        });
        missed.collect()
    });
    assert!(unnoticed.is_empty(), "nobody noticed {unnoticed:?}");
}

/// Looks for the first seed that finds the flaw, and prints it.
fn is_found(flaw: Flaw) -> bool {
    const SEEDS: u64 = 2_000;
    let broken_by = |seed| {
        let mut scenario = Scenario::draw(seed);
        scenario.flaw = Some(flaw);
        let violations = simulate(&scenario).ok()?.violations;
        let found = violations
            .into_iter()
            .find(|v| v.promise == promise(flaw))?;
        Some((seed, found))
    };
    match (0..SEEDS).find_map(broken_by) {
        Some((seed, found)) => println!("{flaw:?}: seed {seed} finds that {found}"),
        None => return false,
    }
    true
}
