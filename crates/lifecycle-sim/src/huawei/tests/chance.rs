//! What holds under every setting.

use super::*;
use crate::{Switches, testing::at};

#[test]
fn jobs_say_what_was_executed_under_every_setting() {
    for seed in 0..200 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut site = site();
        site.switches = Switches::random(seed);
        let ids = fleet(&mut site, &mut chance);
        for round in 1..=15 {
            at(&mut site, round * 1_000);
            let mut chosen: Vec<_> = ids.iter().map(String::as_str).collect();
            chance.shuffle(&mut chosen);
            chosen.truncate(chance.usize(1..4));
            let case = format!("seed {seed}, round {round}");
            one_call(&mut site, &mut chance, &chosen, round * 1_000, &case);
        }
    }
}

/// One server per trouble, some without, and one id that is unknown.
fn fleet(site: &mut Site, chance: &mut fastrand::Rng) -> Vec<String> {
    let mut ids = vec!["unknown".to_owned()];
    for trouble in Trouble::ALL.map(Some).into_iter().chain([None; 6]) {
        let state = *chance.choice(&[State::Running, State::Stopped]).unwrap();
        ids.push(add(site, state, trouble));
    }
    ids
}

fn one_call(site: &mut Site, chance: &mut fastrand::Rng, ids: &[&str], now: u64, case: &str) {
    let kind = *chance.choice(&["SOFT", "HARD"]).unwrap();
    let before: Vec<_> = ids.iter().map(|id| state_and_acts(site, id)).collect();
    let answer = match chance.u8(..3) {
        0 => start(site, ids),
        1 => stop(site, ids, kind),
        _ => reboot(site, ids, kind),
    };
    let done: Vec<_> = ids
        .iter()
        .zip(&before)
        .map(|(id, (_, before))| state_and_acts(site, id).1 - before)
        .collect();
    if answer.1.get("job_id").is_none() {
        assert!(answer.0 >= 400, "{case}: {answer:?}");
        assert!(done.iter().all(|done| *done == 0), "{case}: {answer:?}");
        return;
    }
    at(site, now + 999);
    let job = job(site, &job_id(&answer));
    let parts: Vec<_> = match job["entities"]["sub_jobs"].as_array() {
        Some(parts) => parts.iter().map(|part| (part, &part["entities"])).collect(),
        None => vec![(&job, &job["entities"])],
    };
    assert_eq!(parts.len(), ids.len(), "{case}: {job}");
    for (((part, entities), id), done) in parts.into_iter().zip(ids).zip(done) {
        assert_eq!(entities["server_id"], *id, "{case}: {job}");
        let (state, executed) = state_and_acts(site, id);
        let succeeded = part["status"] == "SUCCESS";
        let settled = matches!(state, Some(State::Running | State::Stopped));
        assert!(!succeeded || settled, "{case}: {state:?} {job}");
        assert!(done <= 1 && executed >= done, "{case}: {job}");
        // What was begun and did not succeed is broken, or still on its way.
        let on_its_way = matches!(state, Some(State::Failed | State::Stopping));
        assert!(
            done == 0 || succeeded || on_its_way,
            "{case}: {state:?} {job}"
        );
    }
}

fn state_and_acts(site: &Site, id: &str) -> (Option<State>, u32) {
    match site.find(Scope::Everywhere, id) {
        Some(index) => {
            let executed = site.instance(index).executed;
            let acts = executed.starts + executed.stops + executed.reboots;
            (Some(site.truth(index).state), acts)
        }
        None => (None, 0),
    }
}
