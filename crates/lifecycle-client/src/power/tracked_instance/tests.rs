//! Tests of the evidence about one instance: views, jobs, start times, refusals.

use std::time::Duration;

use lifecycle_core::{Fault, FaultKind};
use tokio::time::advance;

use super::*;
use crate::power::ambiguity::AmbiguityReason;
use lifecycle_core::StoppedBilling;

use PowerState::{Changing, Failed, Rebooting, Running, Starting, Stopped, Stopping, Unknown};

fn id() -> InstanceId {
    InstanceId::new("i-1").unwrap()
}

fn seen(state: PowerState) -> Observation {
    Observation::new(id(), state, "raw")
}

fn started(state: PowerState, at: &str) -> Observation {
    seen(state).with_started_at(Some(at.to_owned()))
}

fn tracked() -> TrackedInstance {
    TrackedInstance::new(id(), Phase::Accepted, Instant::now())
}

fn job() -> JobId {
    JobId::new("job-1").unwrap()
}

fn ambiguous() -> Ambiguity {
    let fault = Fault::new(FaultKind::NoAnswer, "no answer");
    Ambiguity::new(fault, AmbiguityReason::MaybePartlyExecuted)
}

/// Views of an instance: the state, and the number of seconds after the action.
type Views = &'static [(u64, PowerState)];

/// Returns whether these views prove that the instance left the running state. The phase is that of
/// the instance during all views.
async fn has_left(phase: Phase, before: Option<PowerState>, views: Views) -> bool {
    let mut tracked = tracked();
    if let Some(before) = before {
        tracked.record_before(seen(before));
    }
    tracked.phase = phase;
    let sent_at = Instant::now();
    tracked.sent_at = Some(sent_at);
    for (second, state) in views {
        advance(Duration::from_secs(*second) - sent_at.elapsed()).await;
        tracked.record_observed(&seen(*state), Running);
    }
    tracked.has_left()
}

#[tokio::test(start_paused = true)]
async fn instance_leaves_the_running_state_only_in_a_view_that_proves_it() {
    for state in [Rebooting, Stopping, Stopped, Starting] {
        let views = |seconds: [u64; 2]| -> Views {
            Box::leak(Box::new([(seconds[0], Running), (seconds[1], state)]))
        };
        // The state before, the seconds of a running view and of another view; left, for an accepted
        // and for an ambiguous action.
        for (before, seconds, accepted, ambiguous) in [
            (Some(Running), [1, 2], true, false),
            (Some(Running), [1, 14], true, false),
            (Some(Running), [1, 15], true, true),
            (Some(Starting), [1, 2], false, false),
            (Some(Starting), [1, 15], false, false),
            (Some(Starting), [1, 16], true, true),
            (Some(Starting), [9, 23], false, false),
            (Some(Starting), [9, 24], true, true),
            (Some(Stopped), [1, 2], false, false),
            (None, [1, 2], false, false),
            (None, [1, 16], true, true),
        ] {
            let row = format!("{before:?}, then running and {state} at {seconds:?}");
            let found = has_left(Phase::Accepted, before, views(seconds)).await;
            assert_eq!(found, accepted, "accepted, {row}");
            let found = has_left(Phase::Ambiguous(self::ambiguous()), before, views(seconds));
            assert_eq!(found.await, ambiguous, "ambiguous, {row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn order_of_views_decides_about_leaving_the_running_state() {
    let rows: [(Option<PowerState>, Views, bool); 7] = [
        (Some(Running), &[(20, Rebooting), (21, Running)], true),
        (
            Some(Running),
            &[(20, Changing), (21, Failed), (22, Unknown)],
            false,
        ),
        (Some(Running), &[], false),
        // Never seen running: a boot.
        (None, &[(20, Rebooting), (40, Stopped)], false),
        (Some(Starting), &[(20, Starting), (40, Running)], false),
        // A late view of the boot after a view of the end of the boot.
        (
            Some(Starting),
            &[(20, Running), (22, Starting), (34, Starting), (36, Running)],
            false,
        ),
        (
            Some(Starting),
            &[(20, Running), (22, Starting), (36, Rebooting)],
            true,
        ),
    ];
    for (before, views, expected) in rows {
        for phase in [Phase::Accepted, Phase::Ambiguous(ambiguous())] {
            let row = format!("{before:?}, {views:?}, {phase:?}");
            assert_eq!(has_left(phase, before, views).await, expected, "{row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn view_that_can_precede_a_later_send_is_no_proof() {
    let mut tracked = tracked();
    tracked.record_before(seen(Running));
    tracked.phase = Phase::Ambiguous(ambiguous());
    advance(Duration::from_secs(60)).await;
    tracked.sent_at = Some(Instant::now());
    advance(Duration::from_secs(14)).await;
    tracked.record_observed(&seen(Rebooting), Running);
    assert!(!tracked.has_left());
    advance(Duration::from_secs(1)).await;
    tracked.record_observed(&seen(Rebooting), Running);
    assert!(tracked.has_left());
}

#[test]
fn observation_before_the_action_is_the_last_one_too() {
    let mut tracked = tracked();
    assert_eq!(tracked.last_state(), None);
    tracked.record_before(seen(Running));
    assert_eq!(tracked.last_state(), Some(Running));
    assert_eq!(tracked.before.as_deref(), Some(&seen(Running)));
}

#[test]
fn lookup_resets_the_number_of_lookups_without_the_instance() {
    let mut tracked = tracked();
    tracked.not_found_in_a_row = 2;
    tracked.record_observed(&seen(Running), Running);
    assert_eq!(tracked.not_found_in_a_row, 0);
}

#[test]
fn success_of_a_job_is_weakened_by_another_state_than_the_goal() {
    let mut tracked = tracked();
    tracked.job = JobEvidence::Succeeded(job().into());
    tracked.record_observed(&seen(Running), Running);
    assert_eq!(tracked.job, JobEvidence::Succeeded(job().into()));
    assert_eq!(tracked.job.succeeded(), Some(&job()));

    tracked.record_observed(&seen(Rebooting), Running);
    assert_eq!(tracked.job, JobEvidence::BatchSucceeded(job().into()));
    assert_eq!(tracked.job.succeeded(), None);
    assert_eq!(tracked.job.id(), Some(&job()));
    assert_eq!(JobEvidence::None.id(), None);
}

#[test]
fn last_lookup_decides_about_an_ambiguous_action_that_had_no_effect() {
    let mut tracked = tracked();
    tracked.phase = Phase::Ambiguous(ambiguous());
    let mut outcome_after = |state| {
        tracked.record_observed(&seen(state), Stopped);
        match &tracked.phase {
            Phase::Ambiguous(ambiguity) => ambiguity.outcome(&ReadyViews::default()),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(outcome_after(Running), Outcome::Refused(_)));
    assert!(matches!(outcome_after(Stopping), Outcome::Uncertain(_)));
    assert!(matches!(outcome_after(Running), Outcome::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn view_that_can_precede_the_action_does_not_prove_that_nothing_was_executed() {
    let mut tracked = tracked();
    tracked.phase = Phase::Ambiguous(ambiguous());
    tracked.sent_at = Some(Instant::now());
    for (seconds, expected) in [(3, "uncertain"), (20, "refused")] {
        advance(Duration::from_secs(seconds)).await;
        tracked.record_observed(&seen(Running), Stopped);
        let Phase::Ambiguous(ambiguity) = &tracked.phase else {
            panic!("{:?}", tracked.phase);
        };
        assert_eq!(
            ambiguity.outcome(&ReadyViews::default()).as_str(),
            expected,
            "after {seconds} s"
        );
    }
}

#[test]
fn lost_answer_stays_uncertain_although_the_instance_did_not_change() {
    let mut ambiguity = ambiguous();
    ambiguity.reason = AmbiguityReason::AnswerLost;
    ambiguity.unchanged_since_sent = true;
    assert!(matches!(
        ambiguity.outcome(&ReadyViews::default()),
        Outcome::Uncertain(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn busy_instance_is_refused_only_after_an_unbroken_series_of_ready_views() {
    let mut ambiguity = ambiguous();
    ambiguity.reason = AmbiguityReason::Busy;
    for (is_sent, is_ready_now, expected) in [
        (true, true, "refused"),
        (true, false, "uncertain"),
        (false, true, "uncertain"),
    ] {
        let mut views = ReadyViews::default();
        if is_sent {
            views.sent();
        }
        ambiguity.unchanged_since_sent = is_ready_now;
        assert_eq!(ambiguity.outcome(&views).as_str(), expected);
    }
}

#[test]
fn changed_start_time_proves_a_reboot_of_an_instance_that_was_running() {
    let evidence = |before: Option<Observation>, now: &Observation| {
        let mut tracked = tracked();
        tracked.before = before.map(Box::new);
        tracked.reboot_evidence(now)
    };
    let later = started(Running, "later");
    let changed = Some(Evidence::StartTimeChanged);
    assert_eq!(evidence(Some(started(Running, "first")), &later), changed);
    assert_eq!(evidence(Some(started(Running, "later")), &later), None);
    assert_eq!(evidence(Some(started(Stopped, "first")), &later), None);
    assert_eq!(evidence(Some(seen(Running)), &later), None);
    // A late view of an earlier boot has the start time of that boot.
    let booting = started(Starting, "later");
    assert_eq!(evidence(Some(started(Running, "first")), &booting), None);
    assert_eq!(
        evidence(Some(started(Running, "first")), &seen(Running)),
        None
    );
    assert_eq!(evidence(None, &later), None);
}

#[test]
fn job_is_better_evidence_of_a_reboot_than_the_states() {
    let mut tracked = tracked();
    assert_eq!(tracked.reboot_evidence(&seen(Running)), None);
    tracked.run_history = RunHistory::SeenLeaving;
    let evidence = tracked.reboot_evidence(&seen(Running));
    assert_eq!(evidence, Some(Evidence::LeftAndReturned));
    tracked.job = JobEvidence::BatchSucceeded(job().into());
    let evidence = tracked.reboot_evidence(&seen(Running));
    assert_eq!(evidence, Some(Evidence::Job(job())));
}

#[tokio::test(start_paused = true)]
async fn view_can_precede_the_action_for_fifteen_seconds() {
    let mut tracked = tracked();
    assert!(!tracked.may_precede_action(), "the action was not sent");
    tracked.sent_at = Some(Instant::now());
    advance(Duration::from_millis(14_999)).await;
    assert!(tracked.may_precede_action());
    advance(Duration::from_millis(1)).await;
    assert!(!tracked.may_precede_action());
}

#[test]
fn instance_is_ready_for_an_action_in_the_opposite_state_only() {
    for state in PowerState::ALL {
        assert_eq!(is_ready(*state, Running), *state == Stopped, "{state}");
        assert_eq!(is_ready(*state, Stopped), *state == Running, "{state}");
        assert!(!is_ready(*state, Rebooting), "{state}");
    }
}

#[test]
fn report_of_a_stop_has_the_billing_of_a_stopped_instance_only() {
    let billing = |kind, state| {
        let seen = seen(state).with_stopped_billing(StoppedBilling::NotBilled);
        instance_report(kind, id(), Outcome::Unchanged, Some(seen), None).billing
    };
    let stop = Some(ActionKind::Stop);
    assert_eq!(billing(stop, Stopped), Some(StoppedBilling::NotBilled));
    assert_eq!(billing(stop, Stopping), Some(StoppedBilling::Unknown));
    assert_eq!(billing(Some(ActionKind::Start), Stopped), None);
    assert_eq!(billing(None, Stopped), None);
    let unseen = instance_report(stop, id(), Outcome::Unchanged, None, None);
    assert_eq!(unseen.billing, Some(StoppedBilling::Unknown));
}

#[test]
fn views_before_the_action_are_evidence_only_of_an_instance_that_runs_on() {
    for (state, expected) in [
        (Running, RunHistory::SeenLeaving),
        (Starting, RunHistory::NotSeenRunning),
    ] {
        let mut tracked = TrackedInstance::new(id(), Phase::NotSent, Instant::now());
        tracked.last = Some(seen(state));
        tracked.run_history = RunHistory::SeenLeaving;
        tracked.await_idle(true);
        assert_eq!(tracked.run_history, expected, "{state}");
        assert!(tracked.awaits_idle());
    }
}

#[test]
fn transition_explains_a_refusal_permanently() {
    let mut tracked = tracked();
    tracked.forget_call(Refusal::now(Fault::new(FaultKind::WrongState, "no")));
    let explained = |tracked: &TrackedInstance| match &tracked.phase {
        Phase::AwaitsIdle(Some(refusal)) => {
            let before = tracked.refused_before.as_ref().unwrap();
            assert_eq!(refusal.explained, before.explained);
            refusal.explained
        }
        other => panic!("{other:?}"),
    };
    assert!(!explained(&tracked));
    for in_transition in [false, true, false] {
        tracked.await_idle(in_transition);
    }
    assert!(explained(&tracked));
}

#[tokio::test(start_paused = true)]
async fn refusals_count_from_the_first_since_the_last_transition() {
    let refusal = || Refusal::now(Fault::new(FaultKind::WrongState, "no"));
    let since = |tracked: &TrackedInstance| tracked.refused_before.as_ref().unwrap().since;
    let mut tracked = tracked();
    tracked.record_before(seen(Running));
    tracked.job = JobEvidence::Succeeded(job().into());
    tracked.sent_at = Some(Instant::now());
    tracked.request_id = Some("r-1".into());
    tracked.setback = Some(Pending::Vanished.into());
    let first = Instant::now();
    tracked.forget_call(refusal());
    assert_eq!(tracked.job, JobEvidence::None);
    assert_eq!(tracked.run_history, RunHistory::NotSeenRunning);
    assert!(tracked.before.is_none() && tracked.sent_at.is_none());
    assert!(tracked.request_id.is_none() && tracked.setback.is_none());
    advance(Duration::from_secs(5)).await;
    tracked.forget_call(refusal());
    assert_eq!(since(&tracked), first);
    tracked.await_idle(true);
    advance(Duration::from_secs(5)).await;
    tracked.forget_call(refusal());
    assert_eq!(since(&tracked), Instant::now());
}

#[test]
fn instance_takes_at_most_344_bytes_without_its_heap() {
    let bytes = size_of::<TrackedInstance>();
    assert!(bytes <= 344, "{bytes} bytes");
}
