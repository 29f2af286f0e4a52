//! Tests of the simulated Huawei's jobs with random switches.

use super::*;
use crate::{Switches, testing::move_clock_to};

#[test]
fn jobs_match_the_executed_operations_under_random_switches() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut cloud = cloud_state();
        cloud.switches = Switches::random(seed);
        let ids = fleet(&mut cloud, &mut rng);
        for round in 1..=15 {
            move_clock_to(&mut cloud, round * 1_000);
            let mut chosen: Vec<_> = ids.iter().map(String::as_str).collect();
            rng.shuffle(&mut chosen);
            chosen.truncate(rng.usize(1..4));
            let case = format!("seed {seed}, round {round}");
            one_call(&mut cloud, &mut rng, &chosen, round * 1_000, &case);
        }
    }
}

/// Creates a server with each impairment and some without, and adds an unknown id.
fn fleet(cloud: &mut CloudState, rng: &mut fastrand::Rng) -> Vec<String> {
    let mut ids = vec!["unknown".to_owned()];
    for impairment in Impairment::ALL.map(Some).into_iter().chain([None; 6]) {
        let state = *rng.choice(&[Running, Stopped]).unwrap();
        ids.push(add(cloud, state, impairment));
    }
    ids
}

fn one_call(cloud: &mut CloudState, rng: &mut fastrand::Rng, ids: &[&str], now: u64, case: &str) {
    let kind = *rng.choice(&["SOFT", "HARD"]).unwrap();
    let before: Vec<_> = ids.iter().map(|id| state_and_acts(cloud, id)).collect();
    let response = match rng.u8(..3) {
        0 => start(cloud, ids),
        1 => stop(cloud, ids, kind),
        _ => reboot(cloud, ids, kind),
    };
    let done: Vec<_> = ids
        .iter()
        .zip(&before)
        .map(|(id, (_, before))| state_and_acts(cloud, id).1 - before)
        .collect();
    if response.1.get("job_id").is_none() {
        assert!(response.0 >= 400, "{case}: {response:?}");
        assert!(done.iter().all(|done| *done == 0), "{case}: {response:?}");
        return;
    }
    move_clock_to(cloud, now + 999);
    let job = job(cloud, &job_id(&response));
    let parts: Vec<_> = match job["entities"]["sub_jobs"].as_array() {
        Some(parts) => parts.iter().map(|part| (part, &part["entities"])).collect(),
        None => vec![(&job, &job["entities"])],
    };
    assert_eq!(parts.len(), ids.len(), "{case}: {job}");
    for (((part, entities), id), done) in parts.into_iter().zip(ids).zip(done) {
        assert_eq!(entities["server_id"], *id, "{case}: {job}");
        let (state, executed) = state_and_acts(cloud, id);
        let succeeded = part["status"] == "SUCCESS";
        let settled = matches!(state, Some(Running | Stopped));
        assert!(!succeeded || settled, "{case}: {state:?} {job}");
        assert!(done <= 1 && executed >= done, "{case}: {job}");
        // A server with an executed and unsuccessful operation is broken or still in transition.
        let on_its_way = matches!(
            state,
            Some(SimulatedState::Failed | SimulatedState::Stopping)
        );
        assert!(
            done == 0 || succeeded || on_its_way,
            "{case}: {state:?} {job}"
        );
    }
}

fn state_and_acts(cloud: &CloudState, id: &str) -> (Option<SimulatedState>, u32) {
    match cloud.find(RegionScope::AllRegions, id) {
        Some(index) => {
            let executed = cloud.instance(index).executed;
            let operations = executed.starts + executed.stops + executed.reboots;
            (Some(cloud.actual(index).state), operations)
        }
        None => (None, 0),
    }
}
