//! Tests of the simulated Alibaba's batch responses with random switches.

use super::*;
use crate::{ExecutionCounts, Switches, testing::move_clock_to};

#[test]
fn batch_rows_match_the_executed_operations_under_random_switches() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut cloud = cloud_state();
        cloud.switches = Switches::random(seed);
        let ids = fleet(&mut cloud, &mut rng);
        for round in 1..=15 {
            move_clock_to(&mut cloud, round * 7);
            let chosen: Vec<_> = (0..rng.usize(1..5))
                .map(|_| rng.choice(&ids).unwrap().as_str())
                .collect();
            one_call(
                &mut cloud,
                &mut rng,
                &chosen,
                &format!("seed {seed}, round {round}"),
            );
        }
    }
}

/// Creates instances in each state and with each impairment, and adds an unknown id.
fn fleet(cloud: &mut CloudState, rng: &mut fastrand::Rng) -> Vec<String> {
    let states = [
        Running,
        Stopped,
        SimulatedState::Starting,
        SimulatedState::Stopping,
    ];
    let mut ids = vec!["i-unknown".to_owned()];
    for impairment in Impairment::ALL.map(Some).into_iter().chain([None; 6]) {
        let state = *rng.choice(&states).unwrap();
        ids.push(add(cloud, state, impairment));
    }
    ids
}

fn one_call(cloud: &mut CloudState, rng: &mut fastrand::Rng, ids: &[&str], case: &str) {
    let action = *rng
        .choice(&["StartInstances", "StopInstances", "RebootInstances"])
        .unwrap();
    let optimization = *rng.choice(&["AllTogether", "SuccessFirst"]).unwrap();
    let is_dry = rng.u8(..4) == 0;
    let options = [
        ("BatchOptimization", optimization),
        ("DryRun", if is_dry { "true" } else { "false" }),
        ("ForceStop", *rng.choice(&["true", "false"]).unwrap()),
    ];
    let before = acts_on(cloud, ids);
    let (status, body) = batch(cloud, action, ids, &options);
    let done: Vec<_> = acts_on(cloud, ids)
        .into_iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    let rows = body["InstanceResponses"]["InstanceResponse"].as_array();
    let expected: Vec<_> = ids
        .iter()
        .map(|id| {
            let says_done = rows.into_iter().flatten().any(|row| {
                row["InstanceId"] == *id && row["Code"] == "200" && row["Message"] == "success"
            });
            u32::from(says_done)
        })
        .collect();
    assert_eq!(
        done, expected,
        "{case}: {action} {options:?}: {status} {body}"
    );
    assert!(!is_dry || done.iter().all(|done| *done == 0), "{case}");
}

fn acts_on(cloud: &CloudState, ids: &[&str]) -> Vec<u32> {
    ids.iter()
        .map(|id| match cloud.find(RegionScope::AllRegions, id) {
            Some(index) => {
                let ExecutionCounts {
                    starts,
                    stops,
                    reboots,
                    ..
                } = cloud.instance(index).executed;
                starts + stops + reboots
            }
            None => 0,
        })
        .collect()
}
