//! What holds under every setting.

use super::*;
use crate::{Executed, Switches, testing::at};

#[test]
fn rows_say_what_was_executed_under_every_setting() {
    for seed in 0..200 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut site = site();
        site.switches = Switches::random(seed);
        let ids = fleet(&mut site, &mut chance);
        for round in 1..=15 {
            at(&mut site, round * 7);
            let chosen: Vec<_> = (0..chance.usize(1..5))
                .map(|_| chance.choice(&ids).unwrap().as_str())
                .collect();
            one_call(
                &mut site,
                &mut chance,
                &chosen,
                &format!("seed {seed}, round {round}"),
            );
        }
    }
}

/// One instance per state and trouble, and one id that is unknown.
fn fleet(site: &mut Site, chance: &mut fastrand::Rng) -> Vec<String> {
    let states = [
        State::Running,
        State::Stopped,
        State::Starting,
        State::Stopping,
    ];
    let mut ids = vec!["i-unknown".to_owned()];
    for trouble in Trouble::ALL.map(Some).into_iter().chain([None; 6]) {
        let state = *chance.choice(&states).unwrap();
        ids.push(add(site, state, trouble));
    }
    ids
}

fn one_call(site: &mut Site, chance: &mut fastrand::Rng, ids: &[&str], case: &str) {
    let action = *chance
        .choice(&["StartInstances", "StopInstances", "RebootInstances"])
        .unwrap();
    let optimization = *chance.choice(&["AllTogether", "SuccessFirst"]).unwrap();
    let is_dry = chance.u8(..4) == 0;
    let options = [
        ("BatchOptimization", optimization),
        ("DryRun", if is_dry { "true" } else { "false" }),
        ("ForceStop", *chance.choice(&["true", "false"]).unwrap()),
    ];
    let before = acts_on(site, ids);
    let (status, body) = batch(site, action, ids, &options);
    let done: Vec<_> = acts_on(site, ids)
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

fn acts_on(site: &Site, ids: &[&str]) -> Vec<u32> {
    ids.iter()
        .map(|id| match site.find(Scope::Everywhere, id) {
            Some(index) => {
                let Executed {
                    starts,
                    stops,
                    reboots,
                    ..
                } = site.instance(index).executed;
                starts + stops + reboots
            }
            None => 0,
        })
        .collect()
}
