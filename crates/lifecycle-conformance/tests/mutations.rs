//! The judge is not blind: for every mistake that the engine can be told to make, a seed finds it.

use std::thread;

use lifecycle_conformance::{Mutation, Scenario, simulate};

/// Which broken promise gives a flaw away.
fn promise(mutation: Mutation) -> &'static str {
    match mutation {
        Mutation::RepeatsReboots => "at most once",
        Mutation::DropsAnId => "one outcome per instance",
        Mutation::IgnoresTheDeadline => "no hangs",
        Mutation::UsesRefusedKeys => "no call with a refused key",
        Mutation::HalvesOnAnything => "no storms",
        Mutation::SplitsBatches => "fewest calls",
        Mutation::Forces => "what is not asked for never happens",
        Mutation::LooksForNobody => "nothing is sent for nobody",
        Mutation::KeepsSilent => "events agree with the report",
        _ => "outcomes are true",
    }
}

#[test]
fn every_flaw_is_found_by_a_seed() {
    let unnoticed: Vec<Mutation> = thread::scope(|scope| {
        let searches =
            Mutation::ALL.map(|mutation| (mutation, scope.spawn(move || is_found(mutation))));
        let missed = searches.into_iter().filter_map(|(mutation, search)| {
            let found = search.join().expect("a search ends");
            (!found).then_some(mutation)
        });
        missed.collect()
    });
    assert!(unnoticed.is_empty(), "nobody noticed {unnoticed:?}");
}

/// Looks for the first seed that finds the flaw, and prints it.
fn is_found(mutation: Mutation) -> bool {
    const SEEDS: u64 = 2_000;
    let broken_by = |seed| {
        let mut scenario = Scenario::draw(seed);
        scenario.mutation = Some(mutation);
        let violations = simulate(&scenario).ok()?.violations;
        let found = violations
            .into_iter()
            .find(|v| v.promise == promise(mutation))?;
        Some((seed, found))
    };
    match (0..SEEDS).find_map(broken_by) {
        Some((seed, found)) => println!("{mutation:?}: seed {seed} finds that {found}"),
        None => return false,
    }
    true
}
