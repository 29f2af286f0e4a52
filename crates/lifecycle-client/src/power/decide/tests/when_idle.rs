//! Rules for requests that wait for idle instances, and for views that can precede the action.

use super::*;

/// Returns an instance that has waited since the refusal of the action, `millis` milliseconds ago.
fn waits_since(millis: u64, fault: &Fault) -> TrackedInstance {
    let mut refusal = Refusal::now(fault.clone());
    refusal.at -= Duration::from_millis(millis);
    in_phase(Phase::AwaitsIdle(Some(refusal.into())))
}

/// Returns an instance that waits after a refusal, as it was seen last.
fn refused(fault: &Fault, last: Option<PowerState>) -> TrackedInstance {
    TrackedInstance {
        refused_before: Some(Refusal::now(fault.clone()).into()),
        last: last.map(observation),
        ..waits_since(0, fault)
    }
}

/// Returns an instance whose action was sent now.
fn sent_now(tracked: TrackedInstance) -> TrackedInstance {
    TrackedInstance {
        sent_at: Some(Instant::now()),
        ..tracked
    }
}

fn check(rules: Vec<Rule>) {
    for (options, tracked, fact, expected) in rules {
        let decision = name(&decide(&tracked, fact, &options));
        assert_eq!(decision, expected, "{fact:?} about {tracked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn view_contradicts_a_refusal_only_when_the_view_cannot_be_late() {
    let stop = when_idle(Stop);
    let wrong = leak(rejection(FaultKind::WrongState));
    let failed = leak(rejection(FaultKind::Failed));
    let unknown = leak(rejection(FaultKind::Unknown));
    let coded = leak(failed.clone().with_code("Internal"));
    let locked = leak(rejection(FaultKind::Locked));
    let rows: [(u64, &'static Fault, PowerState, &'static str); 16] = [
        (14_999, wrong, Stopped, "send again"),
        (15_000, wrong, Stopped, "unchanged"),
        (15_001, wrong, Stopped, "unchanged"),
        // The cloud gave no reason.
        (14_999, failed, Running, "send again"),
        (14_999, failed, Stopped, "send again"),
        (14_999, failed, Stopping, "send again"),
        (14_999, failed, Failed, "refused"),
        (14_999, unknown, Running, "send again"),
        (15_000, failed, Running, "refused"),
        (15_000, failed, Stopped, "unchanged"),
        (15_000, unknown, Running, "refused"),
        // A transition explains every refusal, however old.
        (20_000, failed, Starting, "send again"),
        (20_000, locked, Starting, "send again"),
        // The cloud gave a reason.
        (14_999, coded, Running, "refused"),
        (14_999, locked, Running, "refused"),
        (14_999, locked, Unknown, "refused"),
    ];
    check(
        rows.into_iter()
            .map(|(millis, fault, state, expected)| {
                let fact = rejected_and(fault, Some(state));
                (stop, waits_since(millis, fault), fact, expected)
            })
            .collect(),
    );
}

#[test]
fn instance_that_was_never_idle_ends_with_the_last_refusal() {
    let stop = when_idle(Stop);
    let no = leak(rejection(FaultKind::WrongState));
    let maybe = leak(no.clone().with_execution_status(ExecutionStatus::Unknown));
    let late = leak(Fault::new(FaultKind::Deadline, "too late"));
    let deadline = Fact::DeadlinePassed {
        sending_finished: true,
        outdated: None,
    };
    check(vec![
        (stop, refused(no, Some(Starting)), deadline, "refused"),
        (stop, refused(no, Some(Running)), deadline, "refused"),
        (stop, refused(no, None), deadline, "refused"),
        // The transition shows that the refused call had no effect.
        (stop, refused(maybe, Some(Starting)), deadline, "refused"),
        (stop, refused(maybe, Some(Running)), deadline, "uncertain"),
        (stop, refused(maybe, Some(Stopping)), deadline, "uncertain"),
        (stop, refused(maybe, None), deadline, "uncertain"),
        (
            stop,
            refused_since(1, false),
            Fact::NeverSent(late),
            "refused",
        ),
        (stop, refused(no, None), Fact::Cancelled, "refused"),
        (stop, refused(maybe, None), Fact::Cancelled, "uncertain"),
    ]);
}

#[test]
fn reason_of_an_action_that_was_never_sent_is_kept() {
    let fault = Fault::new(FaultKind::NotRecorded, "the disk is full");
    let decision = decide(&not_sent(), Fact::NeverSent(&fault), &waits(Start));
    let Decision::Close(Outcome::Skipped(skipped)) = decision else {
        panic!("{decision:?}");
    };
    assert_eq!(skipped.kind(), FaultKind::NotRecorded);
    assert_eq!(skipped.message(), "the disk is full");
}

#[test]
fn reboot_that_is_refused_after_its_acceptance_is_not_sent_again() {
    let no = leak(rejection(FaultKind::WrongState));
    let fact = Fact::Rejected(no);
    check(vec![(
        when_idle(Reboot),
        sent_now(accepted()),
        fact,
        "refused",
    )]);
}

#[test]
fn evidence_in_a_view_that_can_precede_the_reboot_does_not_count() {
    let reboot = waits(Reboot);
    let left = RunHistory::SeenLeaving;
    let lost_with_job = || TrackedInstance {
        job: batch_job(),
        ..answer_lost()
    };
    check(vec![
        (reboot, sent_now(was(left)), observed(Running), "ignore"),
        (
            reboot,
            sent_now(with_job(batch_job())),
            observed(Running),
            "ignore",
        ),
        (
            reboot,
            sent_now(with_job(own_job())),
            observed(Running),
            "reached: Job",
        ),
        (
            reboot,
            sent_now(restarted()),
            observed_started(Running, "later"),
            "reached: StartTimeChanged",
        ),
        // The reboot was executed, and its end is not seen yet.
        (
            reboot,
            sent_now(lost_and(left)),
            observed(Running),
            "accept",
        ),
        (
            reboot,
            sent_now(lost_with_job()),
            observed(Running),
            "accept",
        ),
    ]);
}

#[test]
fn forced_stop_that_fails_after_an_accepted_graceful_stop_keeps_the_acceptance() {
    let no = leak(rejection(FaultKind::Locked));
    let maybe = leak(no.clone().with_execution_status(ExecutionStatus::Unknown));
    let fact = Fact::Rejected(maybe);
    check(vec![(
        forces(),
        forced(accepted()),
        fact,
        "remember: NotForced",
    )]);
}

#[test]
fn instance_is_polled_after_decisions_that_leave_the_outcome_to_lookups() {
    for (options, tracked, fact, _) in rules() {
        let decision = decide(&tracked, fact, &options);
        let word = name(&decision);
        let is_polled = ["accept", "watch", "settle", "remember"]
            .iter()
            .any(|polled| word == *polled || word.starts_with(&format!("{polled}:")));
        assert_eq!(decision.needs_polling(), is_polled, "{word}");
    }
}
