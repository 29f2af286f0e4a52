//! Tests of the decisions: one machine through all rules. The groups have a file of their own.

mod groups;

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Weekday, time},
    tz::TimeZone,
};
use lifecycle_facade::PowerState::{self, Running, Starting, Stopped};

use super::*;
use crate::{
    record::{
        ActionRecord, Edge, EdgeProgress, Hold, OperationId, Pass, Record, Request,
        RequestOptionsRecord, Wanted,
    },
    schedule::{Days, Maintenance, Schedule, Window},
    state::{LastAction, State},
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
        groups: None,
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
