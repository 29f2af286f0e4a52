//! Tests of the decisions: one machine through all rules, then groups, holds, limits and maintenance.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Weekday, time},
    tz::TimeZone,
};
use lifecycle_facade::PowerState::{self, Running, Starting, Stopped};

use super::*;
use crate::{
    record::{
        ActionRecord, Hold, OperationId, Pass, Record, Release, Request, RequestOptionsRecord,
    },
    schedule::{Days, Window},
    state::LastAction,
};

const WEB_1: &str = "baidu/bj/i-1";

/// Friday, 27 November 2026 in Shanghai; the office is open from 08:00 to 20:00.
fn at(clock: &str) -> Timestamp {
    format!("2026-11-27T{clock}:00+08:00").parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn office() -> KeptGroup {
    let mut schedule = Schedule::new(TimeZone::get("Asia/Shanghai").unwrap());
    schedule.windows = vec![Window::new(
        Days::WORKDAYS,
        time(8, 0, 0, 0),
        time(20, 0, 0, 0),
    )];
    KeptGroup {
        name: "web".to_owned(),
        schedule_name: "office".to_owned(),
        schedule,
        manual: Manual::UntilNextChange,
    }
}

fn rules() -> Rules {
    Rules {
        groups: vec![office()],
        ..Rules::default()
    }
}

fn rules_with(manual: Manual) -> Rules {
    let mut rules = rules();
    rules.groups[0].manual = manual;
    rules
}

fn machine(state: PowerState) -> SeenMachine {
    SeenMachine {
        instance: WEB_1.to_owned(),
        groups: BTreeSet::from(["web".to_owned()]),
        state: Ok(state),
        protected: None,
    }
}

/// A store with a pass at `clock` that changed nothing.
fn store(clock: &str) -> State {
    let mut state = State::default();
    state.apply(&Record::Pass(pass(at(clock))));
    state
}

fn pass(at: Timestamp) -> Pass {
    Pass {
        at,
        by: "test".to_owned(),
        instances: 1,
        changes: 0,
        problem: None,
    }
}

fn edge(clock: &str, wanted: Wanted, progress: EdgeProgress, recorded: Timestamp) -> Record {
    Record::Edge(Edge {
        group: "web".to_owned(),
        instance: Some(WEB_1.to_owned()),
        wanted,
        edge: at(clock),
        progress,
        at: recorded,
    })
}

/// A store in which the machine reached the state of the morning.
fn reached() -> State {
    let mut state = store("09:00");
    state.apply(&edge(
        "08:00",
        Wanted::Running,
        EdgeProgress::Reached,
        at("08:02"),
    ));
    state
}

fn open(failures: u32, last: &str) -> State {
    let mut state = store(last);
    let progress = EdgeProgress::Open {
        failures,
        last_action: Some(at(last)),
    };
    state.apply(&edge("08:00", Wanted::Running, progress, at(last)));
    state
}

fn hold(target: &str, wanted: Wanted, from: &str, until: &str) -> Record {
    Record::Hold(Hold {
        target: target.to_owned(),
        state: wanted,
        until: at(until),
        why: "release evening".to_owned(),
        by: "ops".to_owned(),
        at: at(from),
    })
}

/// Returns the decision in one line: the action, or the reason to wait, and the kinds of the facts.
fn line(rules: &Rules, seen: PowerState, state: &State, now: Timestamp) -> String {
    let decision = decide(rules, &[machine(seen)], state, now);
    let mut words: Vec<String> = Vec::new();
    for action in &decision.actions {
        words.push(action.action.as_str().to_owned());
    }
    for waiting in &decision.waiting {
        words.push(match waiting.until {
            Some(until) => format!("wait {}", until.duration_since(now).as_mins()),
            None => "wait".to_owned(),
        });
    }
    for fact in &decision.facts {
        words.push(fact.kind.as_str().to_owned());
    }
    words.join(", ")
}

#[test]
fn decision_follows_from_wanted_seen_and_progress() {
    let drifted = |since: &str| {
        let mut state = reached();
        let progress = EdgeProgress::Drifted {
            state: "stopped".to_owned(),
        };
        state.apply(&edge("08:00", Wanted::Running, progress, at(since)));
        state
    };
    let given_up = || {
        let mut state = reached();
        let why = "test".to_owned();
        let progress = EdgeProgress::GivenUp { why };
        state.apply(&edge("08:00", Wanted::Running, progress, at("08:30")));
        state
    };
    let correct = || rules_with(Manual::Correct);
    let leave_for = || rules_with(Manual::LeaveFor(minutes(120)));
    for (name, rules, seen, state, now, expected) in [
        // A new edge.
        (
            "new edge",
            rules(),
            Stopped,
            store("07:55"),
            "08:00",
            "start",
        ),
        ("already so", rules(), Running, store("07:55"), "08:00", ""),
        (
            "new edge down",
            rules(),
            Running,
            store("19:55"),
            "20:00",
            "stop",
        ),
        (
            "on the way",
            rules(),
            Starting,
            store("07:55"),
            "08:01",
            "wait",
        ),
        (
            "expired",
            rules(),
            PowerState::Expired,
            store("07:55"),
            "08:01",
            "wait",
        ),
        // Failed attempts.
        (
            "retry early",
            rules(),
            Stopped,
            open(1, "08:00"),
            "08:00",
            "wait 1",
        ),
        (
            "retry due",
            rules(),
            Stopped,
            open(1, "08:00"),
            "08:01",
            "start",
        ),
        (
            "third",
            rules(),
            Stopped,
            open(3, "08:10"),
            "08:12",
            "wait 2",
        ),
        (
            "sixth",
            rules(),
            Stopped,
            open(6, "09:00"),
            "09:29",
            "wait 1",
        ),
        (
            "late",
            rules(),
            Stopped,
            open(40, "19:00"),
            "19:30",
            "start",
        ),
        (
            "window over",
            rules(),
            Stopped,
            open(4, "19:50"),
            "20:00",
            "given-up",
        ),
        // After a crash between record and call: as after a failure.
        (
            "crash",
            rules(),
            Stopped,
            open(0, "08:00"),
            "08:00",
            "wait 1",
        ),
        // Drift.
        (
            "drift",
            rules(),
            Stopped,
            reached(),
            "12:00",
            "wait, drifted",
        ),
        (
            "drift corrected",
            correct(),
            Stopped,
            reached(),
            "12:00",
            "start, drifted",
        ),
        (
            "drift left",
            leave_for(),
            Stopped,
            reached(),
            "12:00",
            "wait 120, drifted",
        ),
        (
            "known drift",
            rules(),
            Stopped,
            drifted("09:00"),
            "12:00",
            "wait",
        ),
        (
            "leave over",
            leave_for(),
            Stopped,
            drifted("10:00"),
            "12:00",
            "start",
        ),
        (
            "leave not over",
            leave_for(),
            Stopped,
            drifted("10:01"),
            "12:00",
            "wait 1",
        ),
        (
            "drift and back",
            rules(),
            Running,
            drifted("09:00"),
            "12:00",
            "",
        ),
        (
            "drift ends with the edge",
            rules(),
            Running,
            drifted("09:00"),
            "20:00",
            "stop",
        ),
        ("given up", rules(), Stopped, given_up(), "12:00", "wait"),
        // A missed edge, and a store without records.
        (
            "missed by less",
            rules(),
            Stopped,
            store("07:00"),
            "10:00",
            "start",
        ),
        (
            "missed by more",
            rules(),
            Stopped,
            store("07:00"),
            "10:01",
            "wait, drifted",
        ),
        (
            "missed, correct",
            correct(),
            Stopped,
            store("07:00"),
            "10:01",
            "start, drifted",
        ),
        (
            "lost, near",
            rules(),
            Stopped,
            State::default(),
            "09:00",
            "start",
        ),
        (
            "lost, far",
            rules(),
            Stopped,
            State::default(),
            "12:00",
            "wait, drifted",
        ),
        (
            "lost, correct",
            correct(),
            Stopped,
            State::default(),
            "12:00",
            "wait",
        ),
        (
            "lost, so already",
            correct(),
            Running,
            State::default(),
            "12:00",
            "",
        ),
    ] {
        assert_eq!(line(&rules, seen, &state, at(now)), expected, "{name}");
    }
}

#[test]
fn second_pass_after_a_lost_store_corrects() {
    let rules = rules_with(Manual::Correct);
    let mut state = State::default();
    let first = decide(&rules, &[machine(Stopped)], &state, at("12:00"));
    assert!(first.actions.is_empty());
    for edge in first.edges {
        state.apply(&Record::Edge(edge));
    }
    state.apply(&Record::Pass(pass(at("12:00"))));
    assert_eq!(line(&rules, Stopped, &state, at("12:05")), "start, drifted");
}

#[test]
fn retry_delays_grow_to_half_an_hour() {
    let delays = [0, 1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|n| retry_delay(n).as_mins());
    assert_eq!(delays, [1, 1, 2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn action_records_the_attempt_before_the_call_and_counts_the_failure_after() {
    let decision = decide(
        &rules(),
        &[machine(Stopped)],
        &open(2, "08:00"),
        at("08:05"),
    );
    let action = &decision.actions[0];
    let attempt = |failures, last: &str| EdgeProgress::Open {
        failures,
        last_action: Some(at(last)),
    };
    assert_eq!(action.edge.progress, attempt(2, "08:05"));
    assert_eq!(
        action.settled(false, at("08:07")).progress,
        attempt(3, "08:05")
    );
    assert_eq!(
        action.settled(true, at("08:07")).progress,
        EdgeProgress::Reached
    );
    assert_eq!(
        action.why,
        "schedule office: running since 2026-11-27 08:00 +08:00"
    );
}

#[test]
fn drift_is_reported_once() {
    let mut state = reached();
    let first = decide(&rules(), &[machine(Stopped)], &state, at("12:00"));
    assert_eq!(first.facts.len(), 1);
    assert!(
        first.facts[0].message.contains("somebody else"),
        "{first:?}"
    );
    for edge in first.edges {
        state.apply(&Record::Edge(edge));
    }
    assert_eq!(line(&rules(), Stopped, &state, at("12:05")), "wait");
}

#[test]
fn given_up_edge_is_reported_once() {
    let mut state = open(4, "19:50");
    // The machine changes its state now, so that the new edge cannot be reached at once.
    let first = decide(&rules(), &[machine(Starting)], &state, at("20:00"));
    assert_eq!(first.facts[0].kind, FactKind::GivenUp);
    for edge in first.edges {
        state.apply(&Record::Edge(edge));
    }
    assert_eq!(line(&rules(), Starting, &state, at("20:05")), "wait");
    assert_eq!(line(&rules(), Running, &state, at("20:10")), "stop");
}

#[test]
fn machine_is_not_stopped_right_after_its_start() {
    let mut state = store("19:59");
    let last = LastAction {
        operation: OperationId("1".to_owned()),
        action: ActionRecord::Start {
            initialize_local_disk: false,
        },
        at: at("19:55"),
        outcome: Some("reached".to_owned()),
    };
    state.last_actions.insert(WEB_1.to_owned(), last);
    assert_eq!(line(&rules(), Running, &state, at("20:00")), "wait 5");
    assert_eq!(line(&rules(), Running, &state, at("20:05")), "stop");
}

#[test]
fn protected_machine_is_started_and_never_stopped() {
    let mut protected = machine(Running);
    protected.protected = Some("the instance has the tag keep".to_owned());
    let decision = decide(&rules(), &[protected.clone()], &store("19:55"), at("20:00"));
    assert!(decision.actions.is_empty());
    assert!(
        decision.waiting[0].why.starts_with("protected: "),
        "{decision:?}"
    );
    protected.state = Ok(Stopped);
    let decision = decide(&rules(), &[protected], &store("07:55"), at("08:00"));
    assert_eq!(decision.actions[0].action, ActionName::Start);
}

#[test]
fn machine_that_cannot_be_seen_is_left_alone() {
    let mut unseen = machine(Stopped);
    unseen.state = Err("not found".to_owned());
    let decision = decide(&rules(), &[unseen], &store("07:55"), at("08:00"));
    assert!(decision.actions.is_empty() && decision.edges.len() == 1);
    assert_eq!(decision.waiting[0].why, "not found");
}

#[test]
fn machine_of_an_open_request_is_left_alone() {
    let mut state = store("07:55");
    state.apply(&Record::Request(Request {
        operation: OperationId("1".to_owned()),
        at: at("07:56"),
        by: "test".to_owned(),
        why: "command".to_owned(),
        action: ActionRecord::Reboot { forced: false },
        options: RequestOptionsRecord::default(),
        waves: None,
        selected_by: None,
        left_alone: Vec::new(),
        instances: vec![WEB_1.to_owned()],
    }));
    assert_eq!(line(&rules(), Stopped, &state, at("08:00")), "wait");
}

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
    assert_eq!(line(&rules(), Running, &state, at("10:30")), "held");
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
    assert_eq!(line(&rules, Running, &held, at("13:01")), "");
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
