//! Tests of the decisions about holds, groups, limits and maintenance.

use super::*;
use crate::record::Release;

#[test]
fn hold_of_a_group_wins_over_the_schedule_and_ends_by_itself() {
    let mut state = reached();
    state.apply(&hold("web", Wanted::Running, "19:00", "22:00"));
    assert_eq!(line(&rules(), Running, &state, at("20:00")), "held");
    assert_eq!(line(&rules(), Stopped, &state, at("20:00")), "start, held");
    assert_eq!(line(&rules(), Running, &state, at("22:00")), "stop");
    let decision = decide(&rules(), &[machine(Running)], &state, at("21:00"));
    assert_eq!(decision.next, Some(at("22:00")));
}

#[test]
fn hold_as_is_leaves_the_machine_alone() {
    let mut state = reached();
    state.apply(&hold("web", Wanted::AsIs, "19:00", "22:00"));
    assert_eq!(line(&rules(), Running, &state, at("20:00")), "held");
    assert_eq!(line(&rules(), Stopped, &state, at("20:00")), "held");
    assert_eq!(line(&rules(), Running, &state, at("22:00")), "stop");
}

#[test]
fn hold_of_a_machine_wins_over_the_hold_of_the_group() {
    let mut state = reached();
    state.apply(&hold("web", Wanted::Stopped, "10:00", "22:00"));
    state.apply(&hold(WEB_1, Wanted::Running, "09:00", "11:00"));
    assert_eq!(line(&rules(), Running, &state, at("10:30")), "held, held");
    assert_eq!(line(&rules(), Running, &state, at("11:00")), "stop, held");
}

#[test]
fn released_hold_is_an_edge() {
    let mut state = reached();
    state.apply(&hold("web", Wanted::Running, "19:00", "23:00"));
    state.apply(&Record::Release(Release {
        target: "web".to_owned(),
        by: "ops".to_owned(),
        at: at("21:30"),
    }));
    assert_eq!(line(&rules(), Running, &state, at("21:31")), "stop");
}

#[test]
fn changed_configuration_is_an_edge() {
    let mut state = store("12:00");
    // The group was wanted stopped in the morning, and the pass at noon saw no other wish.
    state.apply(&Record::Edge(Edge {
        group: "web".to_owned(),
        instance: None,
        wanted: Wanted::Stopped,
        edge: at("01:00"),
        progress: EdgeProgress::Reached,
        at: at("01:00"),
    }));
    assert_eq!(line(&rules(), Stopped, &state, at("12:05")), "start");
    let group = group_edge(&rules().groups[0], &state, at("12:05"));
    assert_eq!(group.at, at("12:00"));
}

/// A record as a newer or an older program writes the record.
fn record(json: serde_json::Value) -> Record {
    serde_json::from_value(json).unwrap()
}

/// A group that was wanted stopped in the night, and that the office hours want running since 08:00.
fn wanted_stopped_at_night() -> Record {
    Record::Edge(Edge {
        group: "web".to_owned(),
        instance: None,
        wanted: Wanted::Stopped,
        edge: at("01:00"),
        progress: EdgeProgress::Reached,
        at: at("01:00"),
    })
}

#[test]
fn pass_over_other_groups_does_not_hide_a_missed_edge() {
    let mut state = State::default();
    for (clock, group) in [("02:00", "web"), ("12:00", "db")] {
        state.apply(&record(serde_json::json!({
            "record": "pass", "at": at(clock), "by": group, "groups": [group], "instances": 1, "changes": 0,
        })));
    }
    state.apply(&wanted_stopped_at_night());
    // Nobody looked at the group since the night: the edge of the morning was missed by four hours.
    assert_eq!(
        line(&rules(), Stopped, &state, at("12:05")),
        "wait, drifted"
    );
}

#[test]
fn edge_of_a_changed_configuration_stays_an_edge_after_a_pass_that_died() {
    let mut state = store("12:00");
    state.apply(&wanted_stopped_at_night());
    let first = decide(&rules(), &[machine(Stopped)], &state, at("12:05"));
    assert_eq!(first.actions[0].action, ActionName::Start);
    // The process died after the record of the group, and before the request.
    for edge in first.edges {
        state.apply(&Record::Edge(edge));
    }
    assert_eq!(line(&rules(), Stopped, &state, at("12:10")), "start");
}

#[test]
fn machine_in_two_groups_runs_if_one_group_wants_it() {
    let mut rules = rules();
    let mut night = office();
    night.name = "night".to_owned();
    night.schedule.windows[0].to = time(23, 0, 0, 0);
    rules.groups.push(night);
    let mut both = machine(Running);
    both.groups.insert("night".to_owned());
    let state = store("19:59");
    let decision = decide(&rules, std::slice::from_ref(&both), &state, at("20:00"));
    assert!(decision.actions.is_empty(), "{decision:?}");
    let decision = decide(&rules, &[both], &state, at("23:00"));
    assert_eq!(decision.actions[0].action, ActionName::Stop);
    assert_eq!(decision.actions[0].group, "night");
}

#[test]
fn pass_with_too_many_changes_does_nothing_and_says_so_once() {
    let mut rules = rules();
    rules.max_changes = 2;
    let machines: Vec<_> = (0..3)
        .map(|n| SeenMachine {
            instance: format!("baidu/bj/i-{n}"),
            ..machine(Stopped)
        })
        .collect();
    let mut state = store("07:55");
    let decision = decide(&rules, &machines[..2], &state, at("08:00"));
    assert_eq!((decision.actions.len(), decision.problem), (2, None));

    let decision = decide(&rules, &machines, &state, at("08:00"));
    assert!(decision.actions.is_empty());
    let problem = decision.problem.unwrap();
    assert!(problem.contains("max_changes = 2"), "{problem}");
    assert!(problem.contains("lifecycle apply --max 3"), "{problem}");
    assert_eq!(decision.facts[0].kind, FactKind::CircuitBreaker);

    let mut blocked = pass(at("08:00"));
    blocked.problem = Some(problem);
    state.apply(&Record::Pass(blocked));
    let again = decide(&rules, &machines, &state, at("08:05"));
    assert!(again.problem.is_some() && again.facts.is_empty());
}

fn with_maintenance() -> Rules {
    let mut rules = rules();
    rules.maintenance.push(GroupMaintenance {
        group: "web".to_owned(),
        at: Maintenance {
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            weekday: Weekday::Friday,
            week: None,
            from: time(13, 0, 0, 0),
        },
    });
    rules
}

#[test]
fn maintenance_reboots_each_machine_once() {
    let rules = with_maintenance();
    let mut state = reached();
    assert_eq!(line(&rules, Running, &state, at("12:59")), "");
    let decision = decide(&rules, &[machine(Running)], &state, at("13:01"));
    let action = &decision.actions[0];
    assert_eq!(action.action, ActionName::Reboot);
    // From the record on, also without an outcome, there is no second reboot.
    state.apply(&Record::Edge(action.edge.clone()));
    assert_eq!(line(&rules, Running, &state, at("13:02")), "");
    let week_later = at("13:01") + SignedDuration::from_hours(24 * 7);
    assert_eq!(line(&rules, Running, &state, week_later), "reboot");
}

#[test]
fn maintenance_leaves_stopped_held_protected_and_late_machines_alone() {
    let rules = with_maintenance();
    assert_eq!(line(&rules, Starting, &reached(), at("13:01")), "wait");
    assert_eq!(line(&rules, Running, &reached(), at("15:01")), "");
    let mut held = reached();
    held.apply(&hold(WEB_1, Wanted::Running, "09:00", "18:00"));
    assert_eq!(line(&rules, Running, &held, at("13:01")), "held");
    let mut protected = machine(Running);
    protected.protected = Some("test".to_owned());
    let decision = decide(&rules, &[protected], &reached(), at("13:01"));
    assert!(decision.actions.is_empty());
}

#[test]
fn no_reboot_without_a_maintenance() {
    for seen in PowerState::ALL {
        for state in [
            State::default(),
            reached(),
            open(3, "09:00"),
            store("07:00"),
        ] {
            for hour in 0..24 {
                let now = at(&format!("{hour:02}:30"));
                let decision = decide(&rules_with(Manual::Correct), &[machine(*seen)], &state, now);
                let mut actions = decision.actions.iter();
                assert!(actions.all(|action| action.action != ActionName::Reboot));
            }
        }
    }
}

#[test]
fn clock_that_is_set_back_repeats_nothing() {
    let state = reached();
    assert_eq!(line(&rules(), Running, &state, at("08:00")), "");
    // Before the edge again: the group wants the machine stopped since yesterday evening, which is an
    // edge without a record, but too old.
    assert_eq!(
        line(&rules(), Running, &state, at("07:00")),
        "wait, drifted"
    );
}

#[test]
fn next_pass_is_at_the_next_edge() {
    let decision = decide(&rules(), &[machine(Running)], &reached(), at("12:00"));
    assert_eq!(decision.next, Some(at("20:00")));
    let decision = decide(
        &rules(),
        &[machine(Stopped)],
        &open(3, "12:00"),
        at("12:01"),
    );
    assert_eq!(decision.next, Some(at("12:04")));
}
