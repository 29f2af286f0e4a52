//! Tests of the `OutcomeTracker`: queries, events, and the times to settle.

use std::sync::{Arc, Mutex};

use lifecycle_core::{Action, ActionKind, ExecutionStatus};

use super::*;
use crate::power::{options::PowerRequestOptions, report::Pending};

use ActionKind::{Reboot, Start, Stop};
use PowerState::{Failed, Running, Starting, Stopped, Stopping};

/// The events of a tracker, in words.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<String>>>);

impl Words {
    fn add(&self, event: &Event) {
        let word = match event {
            Event::Accepted {
                instance,
                request_id,
            } => format!(
                "{instance} accepted {}",
                request_id.as_deref().unwrap_or("-")
            ),
            Event::Forcing { instance } => format!("{instance} forcing"),
            Event::Unclear { instance, .. } => format!("{instance} unclear"),
            Event::State {
                instance,
                observation,
            } => format!("{instance} is {}", observation.raw),
            Event::Settled(row) => format!("{} {}", row.instance, row.outcome.as_str()),
            other => panic!("{other:?}"),
        };
        self.0.lock().unwrap().push(word);
    }

    fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

fn id(n: usize) -> InstanceId {
    InstanceId::new(&format!("i-{n}")).unwrap()
}

fn seen(n: usize, state: PowerState) -> Observation {
    Observation::new(id(n), state, state.as_str())
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no").with_request_id(Some("r-9"))
}

fn waits() -> PowerRequestOptions {
    PowerRequestOptions::default().with_wait(Duration::from_secs(600))
}

/// Returns the tracker of a request for `i-0`, `i-1` and `i-2`, and the events.
fn tracker(
    action: impl Into<Option<ActionKind>>,
    options: PowerRequestOptions,
) -> (OutcomeTracker, Words) {
    let action = action.into();
    let plan = Plan {
        action: action.map(Action::from),
        goal: action.map_or(Running, ActionKind::goal),
        ids: (0..3).map(id).collect(),
        options,
        resume: HashMap::new(),
    };
    let words = Words::default();
    let recorded = words.clone();
    let listener = Listener::new(move |event| recorded.add(&event));
    (
        OutcomeTracker::new(&plan, Some(listener), Mutant::default()),
        words,
    )
}

/// Returns the names of the outcomes; an open instance has the outcome of a cancelled request.
fn outcomes(mut tracker: OutcomeTracker) -> Vec<&'static str> {
    let rows = tracker.cancelled_report().into_iter();
    rows.map(|row| row.outcome.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn ambiguous_instances_are_settled_in_the_order_of_their_times() {
    let (mut tracker, words) = tracker(Start, waits());
    let lost = fault(FaultKind::NoAnswer);
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    for (n, seconds) in [(0, 30), (1, 10), (2, 20)] {
        tracker.answer_lost(&id(n), &lost, at(seconds));
    }
    assert_eq!(words.take(), ["i-0 unclear", "i-1 unclear", "i-2 unclear"]);
    for (instance, seconds, open) in [("i-1", 10, 2), ("i-2", 20, 1), ("i-0", 30, 0)] {
        assert_eq!(tracker.next_expiry(), Some(at(seconds)));
        tracker.expire(at(seconds) - Duration::from_millis(1));
        assert_eq!(words.take(), [""; 0]);
        tracker.expire(at(seconds));
        assert_eq!(words.take(), [format!("{instance} uncertain")]);
        assert_eq!(tracker.open(), open);
    }
    assert_eq!(tracker.next_expiry(), None);
}

#[test]
fn accepted_instance_is_polled_under_the_text_that_the_tracker_has() {
    let (mut waiting, _) = tracker(Start, waits());
    // Each call of `id` makes a text of its own, as each response does.
    let [first, second] = [id(0), id(0)].map(|id| waiting.accepted(&[id], None).remove(0));
    assert!(std::ptr::eq(first.as_str(), second.as_str()));
}

#[test]
fn instances_are_found_in_any_order() {
    let (mut waiting, _) = tracker(Start, waits());
    for order in [&[0, 1, 2][..], &[2, 1, 0], &[1, 2], &[2, 7, 0, 0], &[7]] {
        let ids: Vec<_> = order.iter().copied().map(id).collect();
        let known: Vec<_> = ids.iter().filter(|one| **one != id(7)).cloned().collect();
        assert_eq!(waiting.accepted(&ids, None), known);
    }
}

#[test]
fn accepted_instance_needs_polling_until_the_goal_if_the_request_waits() {
    let (mut waiting, words) = tracker(Start, waits());
    assert_eq!(waiting.accepted(&[id(0)], Some(&"r-1".into())), [id(0)]);
    assert_eq!(waiting.accepted(&[id(0)], Some(&"r-2".into())), [id(0)]);
    assert_eq!(waiting.accepted(&[id(7)], None), [], "not in the request");
    waiting.looked_up(&id(0), &ObserveResult::Found(seen(0, Running)));
    assert_eq!(waiting.accepted(&[id(0)], None), [], "at the goal");
    assert!(!waiting.is_open(&id(0)) && waiting.is_open(&id(1)));
    let expected = ["i-0 accepted r-1", "i-0 is running", "i-0 reached"];
    assert_eq!(words.take(), expected);

    let (mut short, words) = tracker(Start, PowerRequestOptions::default());
    assert_eq!(short.accepted(&[id(0)], None), []);
    assert_eq!(words.take(), ["i-0 accepted -", "i-0 accepted"]);
    assert_eq!(short.open(), 2);
}

#[test]
fn rejected_instance_needs_polling_while_lookups_can_change_the_outcome() {
    let no = fault(FaultKind::WrongState);
    let settle_by = Instant::now();
    for (state, expected, outcome) in [
        (Some(Running), false, "unchanged"),
        (Some(Stopping), false, "refused"),
        (Some(Starting), true, "pending"),
        (Some(Stopped), true, "refused"),
        (None, true, "refused"),
    ] {
        let (mut tracker, _) = tracker(Start, waits());
        let seen = state.map(|state| seen(0, state));
        let polled = tracker.rejected_after_observe(&id(0), &no, seen.as_ref(), settle_by);
        assert_eq!(polled, expected, "{state:?}");
        assert_eq!(outcomes(tracker)[0], outcome, "{state:?}");
    }
}

#[test]
fn instance_that_broke_after_the_first_rejection_is_uncertain() {
    for (first, expected) in [
        (Some(Failed), "refused"),
        (Some(Stopped), "uncertain"),
        (None, "uncertain"),
    ] {
        let (mut tracker, _) = tracker(Start, waits());
        tracker.maybe_executed_before(&[id(0)]);
        if let Some(first) = first {
            tracker.seen_after_rejection(&seen(0, first));
            tracker.seen_after_rejection(&seen(0, Failed));
        }
        let no = fault(FaultKind::WrongState);
        let broken = seen(0, Failed);
        tracker.rejected_after_observe(&id(0), &no, Some(&broken), Instant::now());
        assert_eq!(outcomes(tracker)[0], expected, "{first:?}");
    }
}

#[test]
fn lookup_of_a_closed_or_waiting_instance_changes_nothing() {
    let (mut tracker, words) = tracker(Stop, waits().with_when_idle(true));
    tracker.before(seen(0, Starting));
    tracker.not_idle(&id(0));
    tracker.rejected(&id(1), &fault(FaultKind::Locked));
    assert_eq!(words.take(), ["i-0 is starting", "i-1 refused"]);
    for n in [0, 1] {
        tracker.looked_up(&id(n), &ObserveResult::Found(seen(n, Stopped)));
    }
    assert_eq!(words.take(), [""; 0]);
    assert_eq!(tracker.waiting(), [id(0)]);
    let report = tracker.cancelled_report();
    let last: Vec<_> = report.into_iter().map(|row| row.last_seen).collect();
    assert_eq!(last, [Some(seen(0, Starting)), None, None]);
}

#[test]
fn state_is_an_event_when_the_word_of_the_cloud_changes() {
    let (mut tracker, words) = tracker(Start, waits());
    tracker.accepted(&[id(0)], None);
    words.take();
    for raw in ["PENDING", "PENDING", "BOOT", "BOOT", "PENDING"] {
        let seen = Observation::new(id(0), Starting, raw);
        tracker.looked_up(&id(0), &ObserveResult::Found(seen));
    }
    let expected = ["i-0 is PENDING", "i-0 is BOOT", "i-0 is PENDING"];
    assert_eq!(words.take(), expected);
}

#[test]
fn waiting_instance_is_sent_when_idle_and_may_be_refused_several_times() {
    let (mut tracker, _) = tracker(Stop, waits().with_when_idle(true));
    assert!(!tracker.has_waiting());
    tracker.not_idle(&id(0));
    tracker.not_idle(&id(2));
    assert!(tracker.has_waiting());
    assert_eq!(tracker.waiting(), [id(0), id(2)]);
    tracker.idle(&id(0));
    assert_eq!(tracker.waiting(), [id(2)]);
    assert!(!tracker.any_refused_before(&[id(0), id(1), id(2)]));

    let maybe = fault(FaultKind::WrongState).with_execution_status(ExecutionStatus::Unknown);
    let no = fault(FaultKind::WrongState);
    let starting = seen(0, Starting);
    for fault in [&maybe, &no] {
        tracker.rejected_after_observe(&id(0), fault, Some(&starting), Instant::now());
        assert_eq!(tracker.waiting(), [id(0), id(2)]);
        assert!(tracker.is_maybe_executed_before(&id(0)), "also later");
        tracker.idle(&id(0));
    }
    assert!(!tracker.is_maybe_executed_before(&id(2)));
    assert!(tracker.any_refused_before(&[id(1), id(0)]));
    assert!(!tracker.any_refused_before(&[id(1), id(2), id(7)]));
    assert_eq!(tracker.open(), 3);
}

#[test]
fn refusal_after_a_call_that_may_have_been_executed_is_uncertain_at_the_deadline() {
    for (maybe_executed, expected) in [(true, "i-1 uncertain"), (false, "i-1 refused")] {
        let (mut tracker, words) = tracker(Stop, waits().with_when_idle(true));
        if maybe_executed {
            tracker.maybe_executed_before(&[id(1)]);
        }
        let no = fault(FaultKind::WrongState);
        // The view can be late.
        tracker.rejected_after_observe(&id(1), &no, Some(&seen(1, Running)), Instant::now());
        tracker.deadline_passed(true, Duration::from_secs(60));
        let words = words.take();
        assert!(words.iter().any(|word| word == expected), "{words:?}");
    }
}

#[test]
fn refusal_that_no_look_can_settle_is_the_outcome() {
    for (kind, expected) in [
        (FaultKind::WrongState, "refused"),
        (FaultKind::Failed, "uncertain"),
    ] {
        let (mut tracker, words) = tracker(Stop, waits().with_when_idle(true));
        tracker.not_idle(&id(1));
        tracker.unsettled(&id(1), &fault(kind));
        assert_eq!(words.take(), [format!("i-1 {expected}")]);
    }
}

#[test]
fn instance_is_back_if_state_and_start_time_are_those_before_the_action() {
    let (mut tracker, _) = tracker(Reboot, waits());
    let started = |state, at: &str| seen(0, state).with_started_at(Some(at.to_owned()));
    assert!(!tracker.existed(&id(0)));
    assert!(!tracker.back_in_initial_state(&started(Running, "1")));
    tracker.before(started(Running, "1"));
    assert!(tracker.existed(&id(0)) && !tracker.existed(&id(1)));
    assert!(tracker.back_in_initial_state(&started(Running, "1")));
    assert!(!tracker.back_in_initial_state(&started(Running, "2")));
    assert!(!tracker.back_in_initial_state(&started(Stopping, "1")));
    assert!(!tracker.back_in_initial_state(&seen(0, Running)));
    let before = tracker.before_sending(&[id(1), id(0)]);
    let expected = [(id(1), None), (id(0), Some(started(Running, "1")))];
    assert_eq!(before, expected);
}

#[test]
fn only_open_instances_are_forced_and_only_once() {
    let stop = waits().with_force_after(Duration::from_secs(60));
    let (mut tracker, words) = tracker(Stop, stop);
    tracker.accepted(&[id(0), id(1), id(2)], None);
    tracker.looked_up(&id(0), &ObserveResult::Found(seen(0, Stopped)));
    words.take();
    assert!(!tracker.is_forced(&[id(0), id(1), id(2)]));
    assert_eq!(tracker.force(vec![id(0), id(1), id(7)]), [id(1)]);
    assert_eq!(tracker.force(vec![id(1), id(2)]), [id(2)]);
    assert_eq!(words.take(), ["i-1 forcing", "i-2 forcing"]);
    assert!(tracker.is_forced(&[id(0), id(1)]));
    assert!(!tracker.is_forced(&[id(0)]));
    // The forced stop is accepted separately.
    tracker.accepted(&[id(1)], Some(&"r-2".into()));
    assert_eq!(words.take(), ["i-1 accepted r-2"]);
}

#[tokio::test(start_paused = true)]
async fn answer_about_a_job_keeps_the_last_state_current() {
    let silence = Duration::from_secs(20);
    for (answered, expected) in [(true, "deadline"), (false, "state-outdated")] {
        let (mut tracker, _) = tracker(Start, waits());
        let ids: Vec<_> = (0..3).map(id).collect();
        tracker.accepted(&ids, None);
        tokio::time::advance(Duration::from_secs(60)).await;
        if answered {
            tracker.read_answered(&ids);
        }
        tracker.deadline_passed(true, silence);
        assert_eq!(tracker.open(), 0);
        for row in tracker.take_report() {
            let Outcome::Pending(pending) = &row.outcome else {
                panic!("{row}");
            };
            assert_eq!(pending.as_str(), expected);
        }
    }
}

#[test]
fn failed_read_is_the_reason_of_an_outdated_state_until_the_next_answer() {
    for (answered, outdated) in [(false, true), (true, false)] {
        let (mut tracker, _) = tracker(Start, waits());
        tracker.accepted(&[id(0)], None);
        tracker.read_failed(&[id(0)], &fault(FaultKind::Unreachable));
        if answered {
            tracker.looked_up(&id(0), &ObserveResult::NotFound);
        }
        tracker.deadline_passed(true, Duration::from_secs(60));
        let report = tracker.take_report();
        let outcome = &report.instances()[0].outcome;
        let is_outdated = matches!(outcome, Outcome::Pending(Pending::StateOutdated { .. }));
        assert_eq!(is_outdated, outdated, "{outcome}");
    }
}

#[test]
fn instance_in_a_call_stays_open_at_the_deadline() {
    let (mut tracker, _) = tracker(Start, waits());
    tracker.accepted(&[id(0)], None);
    tracker.deadline_passed(false, Duration::ZERO);
    assert_eq!(tracker.open(), 2);
    tracker.deadline_passed(true, Duration::ZERO);
    assert_eq!(tracker.open(), 0);
    assert_eq!(outcomes(tracker), ["pending", "skipped", "skipped"]);
}

#[tokio::test(start_paused = true)]
async fn batch_counts_as_sent_since_its_first_call_if_every_instance_was_sent() {
    let (mut tracker, _) = tracker(Reboot, waits());
    let sending = CallEvent::Sending {
        operation: "reboot",
    };
    let first = Instant::now();
    // The words of the test have no event of a call.
    tracker.events = None;
    tracker.call_event(&[id(0)], sending.clone());
    tokio::time::advance(Duration::from_secs(5)).await;
    tracker.call_event(&[id(1)], sending);
    assert_eq!(tracker.sent_at(&[id(1), id(0)]), Some(first));
    assert_eq!(tracker.sent_at(&[id(1)]), Some(Instant::now()));
    assert_eq!(tracker.sent_at(&[id(0), id(2)]), None);
    assert_eq!(tracker.sent_at(&[id(7)]), None);
}

#[test]
fn row_has_the_request_id_of_the_call_or_of_the_fault() {
    let (mut tracker, _) = tracker(Start, waits());
    tracker.accepted(&[id(0)], Some(&"r-1".into()));
    tracker.rejected(&id(1), &fault(FaultKind::Locked));
    tracker.answer_lost(&id(2), &fault(FaultKind::NoAnswer), Instant::now());
    let report = tracker.cancelled_report();
    let ids = report.instances().iter();
    let ids: Vec<_> = ids.map(|row| row.request_id.as_deref()).collect();
    assert_eq!(ids, [Some("r-1"), Some("r-9"), Some("r-9")]);
}

#[test]
fn refused_row_is_not_executed() {
    let (mut tracker, _) = tracker(Start, waits());
    tracker.rejected(&id(0), &fault(FaultKind::Failed));
    let report = tracker.cancelled_report();
    let outcome = &report.instances()[0].outcome;
    assert_eq!(outcome.as_str(), "refused");
    assert!(!outcome.fault().unwrap().maybe_executed());
}

#[test]
fn options_follow_from_the_plan() {
    let (waiting, _) = tracker(None, waits());
    assert_eq!(waiting.options().kind, None);
    assert_eq!(waiting.goal(), Running);
    let plain = PowerRequestOptions::default();
    let (stop, _) = tracker(Stop, plain.with_strict(true));
    let options = stop.options();
    assert!(options.strict && options.idempotent);
    assert!(!options.waits && !options.forces && !options.when_idle);
    assert_eq!(stop.goal(), Stopped);
    let forced = plain.with_force_after(Duration::from_secs(9));
    let (stop, _) = tracker(Stop, forced);
    assert!(stop.options().waits && stop.options().forces);
    let (reboot, _) = tracker(Reboot, plain);
    assert!(!reboot.options().idempotent);
}

#[tokio::test(start_paused = true)]
async fn look_that_decides_nothing_counts_as_a_view() {
    let is_unbroken = |record: fn(&mut OutcomeTracker, &Observation), state| {
        let (mut tracker, _) = tracker(Start, waits());
        tracker.sent(&[id(0)]);
        record(&mut tracker, &seen(0, state));
        tracker.instances[0].ready_views.is_unbroken()
    };
    for record in [OutcomeTracker::viewed, OutcomeTracker::seen_after_rejection] {
        assert!(is_unbroken(record, Stopped));
        assert!(!is_unbroken(record, Starting));
    }
}
