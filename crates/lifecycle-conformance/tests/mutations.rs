//! Tests that for each `Mutation`, a deliberate bug of the client, some random scenario reports the promise
//! that the bug breaks.

use std::thread;

use lifecycle_conformance::{Mutation, Scenario, simulate};

/// Returns the promise that the mutation breaks.
fn promise(mutation: Mutation) -> &'static str {
    match mutation {
        Mutation::RetriesReboots => "at most one execution",
        Mutation::DropsAnId => "one outcome per instance",
        Mutation::IgnoresTheDeadline => "requests end by their deadline",
        Mutation::UsesRefusedKeys => "no call with a refused key",
        Mutation::BisectsAfterAnyRejection => "bounded number of calls",
        Mutation::SplitsBatches => "fewest calls",
        Mutation::Forces => "only requested actions are executed",
        Mutation::PollsWithoutWaiters => "every call belongs to a request",
        Mutation::EmitsNoEvents => "events agree with the report",
        _ => "outcomes are true",
    }
}

#[test]
fn each_mutation_breaks_the_expected_promise_for_some_seed() {
    let unnoticed: Vec<Mutation> = thread::scope(|scope| {
        let searches =
            Mutation::ALL.map(|mutation| (mutation, scope.spawn(move || finds(mutation))));
        let missed = searches.into_iter().filter_map(|(mutation, search)| {
            let found = search.join().expect("a search ends");
            (!found).then_some(mutation)
        });
        missed.collect()
    });
    assert!(unnoticed.is_empty(), "no seed finds {unnoticed:?}");
}

/// Searches for the first seed that finds the mutation, and prints the seed.
fn finds(mutation: Mutation) -> bool {
    const SEEDS: u64 = 2_000;
    let broken_by = |seed| {
        let mut scenario = Scenario::from_seed(seed);
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
