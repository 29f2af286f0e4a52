//! Tests that random fault scenarios keep every promise, also for the seeds that once broke a
//! promise.

use lifecycle_conformance::{FleetScenario, Mutation, Scenario, simulate_all, simulate_all_fleets};

/// The number of seeds in each test run; `cargo xtask simulate --seeds N` runs more.
const SEEDS: usize = 2_000;

/// The number of seeds for requests to several clouds; `cargo xtask simulate --several-clouds --seeds N` runs more.
const FLEET_SEEDS: usize = 100;

/// Seeds that once broke a promise, with the reason.
///
/// Each new option of the draw changes the scenario of a seed. So a seed is a random case today; the tests of the client and the
/// placements of refused batches keep the reasons.
const BROKEN_ONCE: [(u64, &str); 37] = [
    (
        20_052_712,
        "a refused batch of reboots was executed, and lookups were throttled",
    ),
    (
        604_592,
        "a job failed because of the job of an earlier attempt",
    ),
    (
        20_016_268,
        "a job failed because of the job of an earlier attempt",
    ),
    (
        20_073_872,
        "a job failed because of the job of an earlier attempt",
    ),
    (20_011_916, "the body with the failed instances was lost"),
    (
        20_062_362,
        "a request was dropped before the response with the refusal of the key",
    ),
    (
        1_015_743,
        "a start was seen to be accepted after its job was accepted",
    ),
    (
        7_014_701,
        "a stop was seen to be accepted after the forced stop was sent",
    ),
    (20_096_231, "a run was reported as a hang"),
    (
        70_066_145,
        "the rejection of a graceful stop became final while its forced stop was sent",
    ),
    (
        70_060_660,
        "the call with a key that the cloud had rotated counted as a needless call",
    ),
    (
        110_005_493,
        "a late view of the state before a stop counted as proof that the stop was not executed",
    ),
    (
        90_024_144,
        "a list with conditions began again at the first instance, and counted as endless",
    ),
    (
        120_024_609,
        "a late view of a boot before the reboot counted as evidence of the reboot",
    ),
    (
        110_011_550,
        "a batch without a list was accepted, and every lookup failed",
    ),
    (
        110_015_564,
        "a reboot was sent shortly before the time limit, and its response came too late",
    ),
    (
        140_001_859,
        "a rejected batch was executed, the key was revoked, and the request that waits for idle instances told a refusal",
    ),
    (140_010_982, "the same at another cloud, with a late view"),
    (
        140_004_237,
        "the time limit of waves was counted for duplicate ids",
    ),
    (
        140_027_146,
        "a lasting refusal was asked for after each look until the time limit",
    ),
    (
        140_053_669,
        "an instance of an accepted batch without a list vanished before the first lookup",
    ),
    (
        160_006_227,
        "a rejected batch was executed, the boot failed, and the last refusal of the start counted as proof",
    ),
    (
        170_040_077,
        "a look before the action ended after the time limit, and its state was told after the outcome",
    ),
    (
        190_011_323,
        "an instance was deleted during a list, and the error of the list counted as needless",
    ),
    (
        180_026_540,
        "forced stops went out again to instances that had stopped while a refused batch was bisected",
    ),
    (
        200_026_938,
        "forced stops were refused, and bisected down to single instances, while views were late",
    ),
    (
        200_056_590,
        "instances began to match the filter during a list, and the complete list was an error",
    ),
    (
        200_144_231,
        "a refused and executed start was sent again after a failed boot, and the second refusal was told",
    ),
    (
        210_259_323,
        "an instance vanished after a refused and executed reboot, and the refusal was told",
    ),
    (
        230_060_384,
        "a batch was refused and executed, a boot failed, and the instance was shown as stopped and refused as busy",
    ),
    (230_349_229, "the same in a request with waves"),
    (
        230_146_468,
        "the rest of a refused forced batch was bisected while views were late",
    ),
    (
        230_291_993,
        "the rest of a refused forced batch was sent after each late view",
    ),
    (
        230_012_074,
        "the calls of unknown instances, which a strict stop sends alone, were not in the judge's bound",
    ),
    (
        230_498_962,
        "the same with an instance that no lookup showed",
    ),
    (
        250_291_721,
        "a stop was refused and executed, sent again when idle, and the second refusal was told",
    ),
    (
        270_117_003,
        "forced stops in smaller batches than the stop counted as too many calls",
    ),
];

#[test]
fn drawn_scenarios_keep_all_promises() {
    keep_all_promises(SEEDS, |number| number as u64);
}

#[test]
fn scenarios_that_once_broke_a_promise_keep_all_promises() {
    for (seed, reason) in BROKEN_ONCE {
        println!("seed {seed}: {reason}");
    }
    keep_all_promises(BROKEN_ONCE.len(), |number| BROKEN_ONCE[number].0);
}

#[test]
fn requests_to_several_clouds_keep_all_promises() {
    let totals = simulate_all_fleets(FLEET_SEEDS, |number| {
        FleetScenario::from_seed(number as u64)
    });
    assert!(totals.failures.is_empty(), "{:#?}", totals.failures);
}

#[test]
fn lost_instance_of_a_request_to_several_clouds_is_found() {
    let totals = simulate_all_fleets(10, |number| {
        let mut scenario = FleetScenario::from_seed(number as u64);
        scenario.clouds[0].mutation = Some(Mutation::DropsAnId);
        scenario
    });
    let mut problems = totals.failures.iter().flat_map(|run| &run.problems);
    assert!(
        problems.any(|problem| problem.contains("one outcome per instance")),
        "{:#?}",
        totals.failures
    );
}

#[test]
fn seed_of_the_executed_refused_batch_reboots_in_batches() {
    assert!(Scenario::from_seed(20_052_712).batch_reboot);
}

fn keep_all_promises(count: usize, seed: impl Fn(usize) -> u64 + Sync) {
    let totals = simulate_all(count, |number| Scenario::from_seed(seed(number)));
    let failures: Vec<String> = totals
        .failures
        .iter()
        .map(|failure| {
            let (seed, problem) = (seed(failure.number), &failure.problems[0]);
            format!("seed {seed}: {problem}\n  repeat with: cargo xtask simulate --seed {seed}")
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
