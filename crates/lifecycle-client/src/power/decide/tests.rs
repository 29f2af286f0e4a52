//! Tests of the decision table of power requests: one row for each rule.

use std::time::Duration;

use lifecycle_core::{ExecutionStatus, InstanceId, JobId};
use tokio::time::Instant;

use super::*;
use crate::power::tracked_instance::{JobEvidence, RunHistory};

use ActionKind::{Reboot, Start, Stop};
use PowerState::{Changing, Failed, Rebooting, Running, Starting, Stopped, Stopping, Unknown};

mod when_idle;

/// One row of the table: a request, an instance of the request, a fact, and the decision.
type Rule = (DecideOptions, TrackedInstance, Fact<'static>, &'static str);

#[rustfmt::skip]
fn rules() -> Vec<Rule> {
    let polls = waits(Start);
    let no = leak(rejection(FaultKind::WrongState));
    let maybe = leak(no.clone().with_execution_status(ExecutionStatus::Unknown));
    let locked = leak(rejection(FaultKind::Locked));
    let busy = leak(rejection(FaultKind::Busy));
    let maybe_busy = leak(busy.clone().with_execution_status(ExecutionStatus::Unknown));
    let lost = leak(Fault::new(FaultKind::NoAnswer, "no answer"));
    let late = leak(Fault::new(FaultKind::Deadline, "too late"));
    let blind = leak(Fault::new(FaultKind::Permission, "may not look"));
    let deadline = Fact::DeadlinePassed { sending_finished: true, outdated: None };
    let old = Pending::StateOutdated { last: None, age: None, fault: lost.clone() };
    let unseen_deadline = Fact::DeadlinePassed { sending_finished: true, outdated: Some(leak(old)) };
    let busy_sending = Fact::DeadlinePassed { sending_finished: false, outdated: None };
    vec![
        // The cloud's answer to the action.
        (polls, not_sent(), Fact::Accepted, "accept"),
        (polls, contradicted(), Fact::Accepted, "accept"),
        (polls, not_sent(), Fact::AnswerLost(lost), "settle: AnswerLost"),
        (polls, accepted(), Fact::AnswerLost(lost), "settle: AnswerLost"),
        (polls, not_sent(), Fact::Rejected(locked), "refused"),
        (polls, not_sent(), Fact::NeverSent(late), "skipped"),
        // A rejection that an instance at the goal explains.
        (polls, not_sent(), rejected_and(no, None), "settle: StateContradictsRejection"),
        (polls, not_sent(), rejected_and(maybe, None), "settle: MaybePartlyExecuted"),
        (polls, not_sent(), rejected_and(no, Some(Running)), "unchanged"),
        (polls, looked_at(Stopped), rejected_and(no, Some(Running)), "reached: Seen"),
        (polls, not_sent(), rejected_and(no, Some(Starting)), "watch"),
        (accepts(Start), not_sent(), rejected_and(no, Some(Starting)), "unchanged"),
        (polls, looked_at(Stopped), rejected_and(no, Some(Starting)), "settle: StateContradictsRejection"),
        (polls, not_sent(), rejected_and(no, Some(Stopped)), "settle: StateContradictsRejection"),
        (polls, not_sent(), rejected_and(maybe, Some(Stopped)), "settle: MaybePartlyExecuted"),
        (polls, not_sent(), rejected_and(locked, Some(Stopped)), "refused"),
        (polls, not_sent(), rejected_and(no, Some(Stopping)), "refused"),
        (polls, not_sent(), rejected_and(no, Some(Failed)), "refused"),
        (polls, not_sent(), rejected_and(maybe, Some(Failed)), "settle: MaybePartlyExecuted"),
        (polls, looked_at(Stopped), rejected_and(maybe, Some(Failed)), "settle: MaybePartlyExecuted"),
        // An earlier call may have been executed.
        (polls, sent_again(), rejected_and(no, Some(Failed)), "settle: MaybePartlyExecuted"),
        (polls, sent_again(), rejected_and(no, Some(Stopping)), "refused"),
        (polls, sent_again(), rejected_and(locked, Some(Unknown)), "refused"),
        (polls, broken_when_sent_again(), rejected_and(no, Some(Failed)), "refused"),
        (polls, sent_again(), rejected_and(locked, None), "settle: MaybePartlyExecuted"),
        (polls, sent_again(), rejected_and(locked, Some(Stopped)), "refused"),
        (polls, not_sent(), rejected_and(busy, Some(Stopped)), "refused"),
        (polls, sent_again(), rejected_and(busy, Some(Stopped)), "settle: Busy"),
        (polls, sent_again(), rejected_and(locked, Some(Starting)), "watch"),
        (polls, sent_again(), rejected_and(no, Some(Running)), "unchanged"),
        (strict(Start), sent_again(), rejected_and(no, Some(Running)), "uncertain"),
        (when_idle(Start), sent_again(), rejected_and(no, Some(Failed)), "settle: MaybePartlyExecuted"),
        (when_idle(Start), sent_again(), rejected_and(no, Some(Stopping)), "send again"),
        (when_idle(Start), sent_again(), rejected_and(no, None), "send again, maybe executed"),
        (waits(Stop), not_sent(), rejected_and(no, Some(Stopped)), "unchanged"),
        (waits(Stop), not_sent(), rejected_and(no, Some(Stopping)), "watch"),
        // A job accepts instances before the job checks the instances.
        (polls, accepted(), rejected_and(no, Some(Starting)), "watch"),
        // A strict request counts an instance at the goal as refused.
        (strict(Start), not_sent(), rejected_and(no, Some(Running)), "refused"),
        (strict(Start), not_sent(), rejected_and(no, None), "refused"),
        (strict(Start), not_sent(), rejected_and(maybe, Some(Running)), "uncertain"),
        (strict(Start), accepted(), rejected_and(no, Some(Running)), "refused"),
        // A request that waits for idle instances.
        (when_idle(Stop), not_sent(), Fact::NotIdle, "await idle"),
        (when_idle(Stop), not_sent(), rejected_and(no, Some(Starting)), "send again"),
        (when_idle(Stop), not_sent(), rejected_and(maybe, Some(Starting)), "send again, maybe executed"),
        (when_idle(Stop), not_sent(), rejected_and(no, Some(Running)), "send again"),
        (when_idle(Stop), not_sent(), rejected_and(no, Some(Stopped)), "send again"),
        (when_idle(Stop), not_sent(), rejected_and(no, Some(Failed)), "refused"),
        (when_idle(Stop), not_sent(), rejected_and(locked, Some(Running)), "refused"),
        (once(when_idle(Start)), sent(), rejected_and(maybe, Some(Stopping)), "refused"),
        (when_idle(Reboot), sent(), Fact::Rejected(no), "send again"),
        (when_idle(Reboot), sent(), Fact::Rejected(maybe), "refused"),
        (when_idle(Reboot), sent(), Fact::Rejected(locked), "refused"),
        (when_idle(Reboot), not_sent(), Fact::Rejected(no), "refused"),
        (when_idle(Reboot), accepted(), Fact::Rejected(no), "refused"),
        (when_idle(Reboot), sent(), Fact::AnswerLost(lost), "settle: AnswerLost"),
        // A refusal that lasts longer than a view can be late is final, unless a transition was seen.
        (when_idle(Start), refused_since(15, false), rejected_and(no, Some(Stopped)), "settle: StateContradictsRejection"),
        (when_idle(Start), refused_since(14, false), rejected_and(no, Some(Stopped)), "send again"),
        (when_idle(Start), refused_since(15, true), rejected_and(no, Some(Stopped)), "send again"),
        (when_idle(Start), refused_since(15, false), rejected_and(busy, Some(Stopped)), "send again"),
        (when_idle(Start), refused_since(15, false), rejected_and(no, Some(Stopping)), "send again"),
        (when_idle(Reboot), refused_since(15, false), Fact::Rejected(no), "refused"),
        (when_idle(Reboot), refused_since(14, false), Fact::Rejected(no), "send again"),
        (when_idle(Reboot), refused_since(15, false), Fact::Rejected(busy), "send again"),
        // No later lookup can show the instance.
        (when_idle(Stop), awaits_idle(), Fact::Unsettled(no), "refused"),
        (when_idle(Stop), awaits_idle(), Fact::Unsettled(maybe), "uncertain"),
        (when_idle(Stop), awaits_idle(), observed(Stopped), "ignore"),
        (when_idle(Stop), awaits_idle(), Fact::NotFound, "ignore"),
        (when_idle(Stop), awaits_idle(), Fact::Cancelled, "skipped"),
        (when_idle(Stop), awaits_idle(), busy_sending, "skipped"),
        // Lookups of an accepted start or stop.
        (polls, accepted(), observed(Running), "reached: Seen"),
        (polls, accepted(), observed(Starting), "ignore"),
        (polls, accepted(), observed(Stopped), "ignore"),
        (polls, accepted(), observed(Unknown), "ignore"),
        (polls, accepted(), observed(Failed), "pending: StuckState"),
        (waits(Stop), accepted(), observed(Stopped), "reached: Seen"),
        (waits(Stop), accepted(), observed(Rebooting), "ignore"),
        // Lookups that settle a lost answer.
        (polls, answer_lost(), observed(Running), "reached: Seen"),
        (polls, answer_lost(), observed(Starting), "accept"),
        (polls, answer_lost(), observed(Stopped), "ignore"),
        (polls, answer_lost(), observed(Failed), "uncertain"),
        (polls, answer_lost(), Fact::AmbiguityExpired, "uncertain"),
        // Lookups that settle a rejection which the state contradicts.
        (polls, contradicted(), observed(Running), "unchanged"),
        (polls, contradicted(), observed(Starting), "watch"),
        (accepts(Start), contradicted(), observed(Starting), "unchanged"),
        (strict(Start), contradicted(), observed(Running), "refused"),
        (polls, contradicted(), observed(Stopped), "ignore"),
        (polls, contradicted(), Fact::AmbiguityExpired, "refused"),
        // Lookups that settle a rejected batch of which a part may have been executed.
        (polls, partly(), observed(Running), "reached: Seen"),
        (polls, partly(), observed(Starting), "accept"),
        (polls, partly(), Fact::AmbiguityExpired, "uncertain"),
        (polls, partly_unchanged(), Fact::AmbiguityExpired, "refused"),
        (polls, partly_unchanged(), deadline, "uncertain"),
        // A reboot needs evidence: running alone proves nothing.
        (waits(Reboot), accepted(), observed(Running), "ignore"),
        (waits(Reboot), was(RunHistory::SeenRunning(Instant::now())), observed(Running), "ignore"),
        (waits(Reboot), was(RunHistory::SeenLeaving), observed(Rebooting), "ignore"),
        (waits(Reboot), was(RunHistory::SeenLeaving), observed(Running), "reached: LeftAndReturned"),
        (waits(Reboot), restarted(), observed(Running), "ignore"),
        (waits(Reboot), restarted(), observed_started(Running, "later"), "reached: StartTimeChanged"),
        (waits(Reboot), restarted(), observed_started(Starting, "later"), "ignore"),
        (waits(Reboot), with_job(batch_job()), observed(Running), "reached: Job"),
        (waits(Reboot), answer_lost(), observed(Running), "ignore"),
        (waits(Reboot), lost_and(RunHistory::SeenLeaving), observed(Rebooting), "accept"),
        (waits(Reboot), answer_lost(), observed(Rebooting), "ignore"),
        (waits(Reboot), accepted(), observed(Failed), "pending: StuckState"),
        // A forced stop that follows a graceful one.
        (forces(), forced(accepted()), Fact::AnswerLost(lost), "ignore"),
        (forces(), forced(accepted()), Fact::NeverSent(late), "ignore"),
        (forces(), forced(accepted()), Fact::NeverSent(lost), "remember: NotForced"),
        (forces(), forced(accepted()), Fact::Rejected(locked), "remember: NotForced"),
        (forces(), forced(accepted()), rejected_and(no, Some(Stopped)), "reached: Seen"),
        (forces(), forced(accepted()), rejected_and(no, Some(Running)), "remember: NotForced"),
        (forces(), forced(accepted()), rejected_and(no, None), "remember: NotForced"),
        (forces(), forced(accepted()), Fact::Accepted, "accept"),
        (forces(), forced(answer_lost()), observed(Stopping), "watch"),
        // The graceful stop was rejected against the state seen, and its forced stop may be executed.
        (forces(), forced(contradicted()), Fact::AmbiguityExpired, "ignore"),
        (forces(), forced(contradicted()), Fact::Accepted, "accept"),
        (forces(), forced(contradicted()), Fact::AnswerLost(lost), "settle: AnswerLost"),
        (forces(), forced(contradicted()), Fact::NeverSent(late), "remember: NotForced"),
        (forces(), forced(contradicted()), rejected_and(no, Some(Running)), "remember: NotForced"),
        (forces(), forced(contradicted()), rejected_and(maybe, Some(Running)), "settle: MaybePartlyExecuted"),
        (forces(), forced(contradicted()), rejected_and(maybe_busy, Some(Running)), "settle: Busy"),
        (forces(), forced(contradicted()), deadline, "uncertain"),
        (forces(), forced(contradicted()), Fact::Cancelled, "uncertain"),
        (forces(), not_forced(contradicted()), Fact::AmbiguityExpired, "refused"),
        (forces(), not_forced(contradicted()), deadline, "refused"),
        (forces(), not_forced(contradicted()), Fact::Cancelled, "refused"),
        (forces(), hurt(Pending::NotForced(locked.clone())), deadline, "pending: NotForced"),
        // Jobs.
        (waits(Stop), accepted(), Fact::JobFailed(no), "pending: JobFailed"),
        (waits(Stop), answer_lost(), Fact::JobFailed(no), "uncertain"),
        (forces(), accepted(), Fact::JobFailed(no), "remember: JobFailed"),
        (waits(Stop), with_job(own_job()), deadline, "reached: Job"),
        (waits(Stop), with_job(batch_job()), deadline, "pending: Deadline"),
        // Instances that lookups no longer return.
        (waits_only(), unseen(accepted(), 1), Fact::NotFound, "refused"),
        (waits_only(), unseen(seen(Running), 1), Fact::NotFound, "ignore"),
        (polls, unseen(accepted(), 2), Fact::NotFound, "ignore"),
        (polls, unseen(accepted(), 3), Fact::NotFound, "pending: Vanished"),
        (polls, unseen(answer_lost(), 3), Fact::NotFound, "uncertain"),
        (polls, unseen(contradicted(), 3), Fact::NotFound, "refused"),
        // Lookups that fail.
        (polls, accepted(), Fact::ObserveFailed(lost), "ignore"),
        (polls, accepted(), Fact::ObserveFailed(blind), "pending: Unobservable"),
        (polls, answer_lost(), Fact::ObserveFailed(blind), "uncertain"),
        // The time limit.
        (polls, not_sent(), busy_sending, "ignore"),
        (polls, not_sent(), deadline, "skipped"),
        (polls, accepted(), deadline, "pending: Deadline"),
        (polls, seen(Changing), deadline, "pending: Deadline"),
        (waits(Reboot), seen(Running), deadline, "pending: Unconfirmed"),
        (waits(Reboot), seen(Rebooting), deadline, "pending: Deadline"),
        // The time limit, after lookups that failed.
        (polls, accepted(), unseen_deadline, "pending: StateOutdated"),
        (waits(Reboot), seen(Running), unseen_deadline, "pending: StateOutdated"),
        (polls, not_sent(), unseen_deadline, "skipped"),
        (waits(Stop), with_job(own_job()), unseen_deadline, "reached: Job"),
        (forces(), hurt(Pending::NotForced(locked.clone())), unseen_deadline, "pending: NotForced"),
        (polls, answer_lost(), deadline, "uncertain"),
        (polls, contradicted(), deadline, "refused"),
        (polls, accepted(), Fact::AmbiguityExpired, "ignore"),
        // The caller cancels the request.
        (polls, not_sent(), Fact::Cancelled, "skipped"),
        (polls, sent(), Fact::Cancelled, "uncertain"),
        (polls, answer_lost(), Fact::Cancelled, "uncertain"),
        (polls, partly(), Fact::Cancelled, "uncertain"),
        (polls, contradicted(), Fact::Cancelled, "refused"),
        (polls, accepted(), Fact::Cancelled, "pending: Cancelled"),
        (waits_only(), seen(Starting), Fact::Cancelled, "pending: Cancelled"),
        (waits(Stop), with_job(own_job()), Fact::Cancelled, "reached: Job"),
        (waits(Stop), with_job(batch_job()), Fact::Cancelled, "pending: Cancelled"),
        (forces(), hurt(Pending::NotForced(locked.clone())), Fact::Cancelled, "pending: NotForced"),
    ]
}

#[test]
fn fact_about_tracked_instance_leads_to_decision_of_the_table() {
    for (row, (options, tracked, fact, expected)) in rules().into_iter().enumerate() {
        let decision = name(&decide(&tracked, fact, &options));
        assert_eq!(
            decision, expected,
            "row {row}: {fact:?} about {tracked:?} with {options:?}"
        );
    }
}

#[test]
fn closed_instance_stays_closed_whatever_the_fact() {
    for (options, mut tracked, fact, _) in rules() {
        tracked.phase = Phase::Closed(Outcome::Accepted);
        assert_eq!(
            name(&decide(&tracked, fact, &options)),
            "ignore",
            "{fact:?}"
        );
    }
}

#[test]
fn running_instance_never_proves_a_reboot_without_evidence() {
    for (_, tracked, _, _) in rules() {
        let no_evidence = tracked.job == JobEvidence::None && !tracked.has_left();
        let seen = tracked.before.is_none() && tracked.is_open() && no_evidence;
        if seen && !is_contradicted(&tracked) {
            let decision = name(&decide(&tracked, observed(Running), &waits(Reboot)));
            assert_eq!(decision, "ignore", "{tracked:?}");
        }
    }
}

fn is_contradicted(tracked: &TrackedInstance) -> bool {
    let Phase::Ambiguous(ambiguity) = &tracked.phase else {
        return false;
    };
    ambiguity.reason == AmbiguityReason::StateContradictsRejection
}

/// Returns the decision in the words of the table.
fn name(decision: &Decision) -> String {
    match decision {
        Decision::Ignore => "ignore".to_owned(),
        Decision::Accept => "accept".to_owned(),
        Decision::Watch => "watch".to_owned(),
        Decision::Settle(ambiguity) => format!("settle: {:?}", ambiguity.reason),
        Decision::Remember(pending) => format!("remember: {}", variant(pending)),
        Decision::AwaitIdle => "await idle".to_owned(),
        Decision::SendAgain(fault) if fault.maybe_executed() => {
            "send again, maybe executed".to_owned()
        }
        Decision::SendAgain(_) => "send again".to_owned(),
        Decision::Close(Outcome::Reached(evidence)) => format!("reached: {}", variant(evidence)),
        Decision::Close(Outcome::Pending(pending)) => format!("pending: {}", variant(pending)),
        Decision::Close(outcome) => outcome.as_str().to_owned(),
    }
}

fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn waits(kind: ActionKind) -> DecideOptions {
    DecideOptions {
        kind: Some(kind),
        goal: kind.goal(),
        waits: true,
        strict: false,
        forces: false,
        when_idle: false,
        idempotent: kind != Reboot,
    }
}

fn when_idle(kind: ActionKind) -> DecideOptions {
    DecideOptions {
        when_idle: true,
        ..waits(kind)
    }
}

/// Returns the options of an action that must not be repeated.
fn once(options: DecideOptions) -> DecideOptions {
    DecideOptions {
        idempotent: false,
        ..options
    }
}

fn awaits_idle() -> TrackedInstance {
    in_phase(Phase::AwaitsIdle(None))
}

/// Returns an instance whose action the cloud refused so many seconds ago, and that was sent again now.
fn refused_since(seconds: u64, explained: bool) -> TrackedInstance {
    let mut refusal = Refusal::now(rejection(FaultKind::WrongState));
    refusal.since -= Duration::from_secs(seconds);
    refusal.explained = explained;
    TrackedInstance {
        refused_before: Some(refusal.into()),
        ..sent()
    }
}

fn accepts(kind: ActionKind) -> DecideOptions {
    DecideOptions {
        waits: false,
        ..waits(kind)
    }
}

fn strict(kind: ActionKind) -> DecideOptions {
    DecideOptions {
        strict: true,
        ..waits(kind)
    }
}

fn forces() -> DecideOptions {
    DecideOptions {
        forces: true,
        ..waits(Stop)
    }
}

fn waits_only() -> DecideOptions {
    DecideOptions {
        kind: None,
        ..waits(Start)
    }
}

fn in_phase(phase: Phase) -> TrackedInstance {
    TrackedInstance::new(id(), phase, Instant::now())
}

fn not_sent() -> TrackedInstance {
    in_phase(Phase::NotSent)
}

fn sent_again() -> TrackedInstance {
    TrackedInstance {
        maybe_executed_before: true,
        ..not_sent()
    }
}

fn broken_when_sent_again() -> TrackedInstance {
    TrackedInstance {
        state_after_rejection: Some(Failed),
        ..sent_again()
    }
}

fn sent() -> TrackedInstance {
    TrackedInstance {
        sent_at: Some(Instant::now()),
        ..not_sent()
    }
}

fn accepted() -> TrackedInstance {
    in_phase(Phase::Accepted)
}

fn ambiguous(reason: AmbiguityReason) -> TrackedInstance {
    let fault = rejection(FaultKind::WrongState);
    in_phase(Phase::Ambiguous(Ambiguity::new(fault, reason)))
}

fn answer_lost() -> TrackedInstance {
    ambiguous(AmbiguityReason::AnswerLost)
}

fn contradicted() -> TrackedInstance {
    ambiguous(AmbiguityReason::StateContradictsRejection)
}

fn partly() -> TrackedInstance {
    ambiguous(AmbiguityReason::MaybePartlyExecuted)
}

fn partly_unchanged() -> TrackedInstance {
    let mut tracked = partly();
    tracked.record_observed(&observation(Stopped), Running);
    tracked
}

fn looked_at(state: PowerState) -> TrackedInstance {
    let mut tracked = not_sent();
    tracked.record_before(observation(state));
    tracked
}

fn seen(state: PowerState) -> TrackedInstance {
    TrackedInstance {
        last: Some(observation(state)),
        ..accepted()
    }
}

fn was(run_history: RunHistory) -> TrackedInstance {
    TrackedInstance {
        run_history,
        ..accepted()
    }
}

fn lost_and(run_history: RunHistory) -> TrackedInstance {
    TrackedInstance {
        run_history,
        ..answer_lost()
    }
}

/// An instance that triage saw running since a known time.
fn restarted() -> TrackedInstance {
    let mut before = observation(Running);
    before.started_at = Some("earlier".to_owned());
    TrackedInstance {
        before: Some(before.into()),
        ..accepted()
    }
}

fn with_job(job: JobEvidence) -> TrackedInstance {
    TrackedInstance { job, ..accepted() }
}

fn own_job() -> JobEvidence {
    JobEvidence::Succeeded(job().into())
}

fn batch_job() -> JobEvidence {
    JobEvidence::BatchSucceeded(job().into())
}

fn forced(tracked: TrackedInstance) -> TrackedInstance {
    TrackedInstance {
        forced: true,
        ..tracked
    }
}

fn hurt(setback: Pending) -> TrackedInstance {
    TrackedInstance {
        setback: Some(setback.into()),
        ..forced(accepted())
    }
}

/// Returns an instance whose forced stop was refused.
fn not_forced(tracked: TrackedInstance) -> TrackedInstance {
    TrackedInstance {
        setback: Some(Pending::NotForced(rejection(FaultKind::Locked)).into()),
        ..forced(tracked)
    }
}

fn unseen(tracked: TrackedInstance, not_found_in_a_row: u8) -> TrackedInstance {
    TrackedInstance {
        not_found_in_a_row,
        ..tracked
    }
}

fn rejected_and(fault: &'static Fault, seen: Option<PowerState>) -> Fact<'static> {
    Fact::RejectedAfterObserve(fault, seen.map(|state| leak(observation(state))))
}

fn observed(state: PowerState) -> Fact<'static> {
    Fact::Observed(leak(observation(state)))
}

fn observed_started(state: PowerState, started_at: &str) -> Fact<'static> {
    let mut seen = observation(state);
    seen.started_at = Some(started_at.to_owned());
    Fact::Observed(leak(seen))
}

fn observation(state: PowerState) -> Observation {
    Observation::new(id(), state, state.as_str())
}

fn rejection(kind: FaultKind) -> Fault {
    Fault::new(kind, "no").with_execution_status(ExecutionStatus::NotExecuted)
}

fn id() -> InstanceId {
    InstanceId::new("i-1").unwrap()
}

fn job() -> JobId {
    JobId::new("j").unwrap()
}

/// Lives as long as the test program, so that rows can borrow.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
