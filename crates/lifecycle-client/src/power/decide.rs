//! The decision table of power requests: from a fact about an instance to the outcome or the next
//! step.
//!
//! [`decide`] is pure. The [`OutcomeTracker`](super::tracker::OutcomeTracker) records each fact in
//! the [`TrackedInstance`], calls `decide`, and carries the [`Decision`] out.

use lifecycle_core::{ActionKind, ExecutionStatus, Fault, FaultKind, Observation, PowerState};

use super::{
    ambiguity::{Ambiguity, AmbiguityReason},
    refusal::{Refusal, is_lasting, names_the_state},
    report::{Evidence, Outcome, Pending},
    tracked_instance::{Phase, TrackedInstance, is_ready},
    view_delay::LATEST_VIEW,
};
use crate::{
    call::attempt::no_time_left,
    observe::lookup::{fails_for_good, not_shown},
};

/// The options of a request that decide about outcomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecideOptions {
    /// The action; `None` for a request that only waits.
    pub(crate) kind: Option<ActionKind>,
    /// The state that the request asks for.
    pub(crate) goal: PowerState,
    /// The request waits for the goal; otherwise acceptance is the end.
    pub(crate) waits: bool,
    /// An instance that is already at the goal counts as refused.
    pub(crate) strict: bool,
    /// A graceful stop that takes too long is followed by a forced one.
    pub(crate) forces: bool,
    /// An instance in a transition is sent when the transition has ended.
    pub(crate) when_idle: bool,
    /// A repetition of the action does no harm.
    pub(crate) idempotent: bool,
}

impl DecideOptions {
    /// Returns whether an instance in `state` needs no action, or will not after the transition. A reboot
    /// needs an action in every state.
    pub(crate) fn leads_to_goal(&self, state: PowerState) -> bool {
        self.kind != Some(ActionKind::Reboot)
            && (state == self.goal || state.is_moving_to(self.goal))
    }

    /// Returns whether `state` is a transition that ends, and does not lead to the goal.
    pub(crate) fn awaits_end_of(&self, state: PowerState) -> bool {
        let is_transition = matches!(
            state,
            PowerState::Creating
                | PowerState::Starting
                | PowerState::Stopping
                | PowerState::Rebooting
                | PowerState::Changing
        );
        is_transition && !self.leads_to_goal(state)
    }
}

/// A fact about an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact<'f> {
    /// The cloud accepted the action.
    Accepted,
    /// The call ended without an answer about this instance.
    AnswerLost(&'f Fault),
    /// The cloud rejected the action, for a reason that no state of the instance explains.
    Rejected(&'f Fault),
    /// The cloud rejected a start or a stop, and a lookup followed; `None` when the lookup failed.
    RejectedAfterObserve(&'f Fault, Option<&'f Observation>),
    /// The cloud rejected the action, and no later lookup can show the instance.
    Unsettled(&'f Fault),
    /// A look before the action showed a transition, or failed.
    NotIdle,
    /// The action was not sent.
    NeverSent(&'f Fault),
    /// The cloud's job for the instance ended as failed.
    JobFailed(&'f Fault),
    /// A lookup returned the instance.
    Observed(&'f Observation),
    /// A lookup was answered without the instance.
    NotFound,
    /// A lookup failed.
    ObserveFailed(&'f Fault),
    /// The time to settle an ambiguity by lookups is over.
    AmbiguityExpired,
    /// The deadline of the request has passed.
    DeadlinePassed {
        /// No further call of the request can carry the action.
        sending_finished: bool,
        /// The reason to report if the last observed state is old.
        outdated: Option<&'f Pending>,
    },
    /// The caller cancelled the request.
    Cancelled,
}

/// The consequence of a fact.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    /// Nothing changes.
    Ignore,
    /// The cloud accepted the action: poll for the goal, or end where the request does not wait.
    Accept,
    /// Another action leads to the goal: poll as if the cloud had accepted the action.
    Watch,
    /// Poll for a limited time, to learn whether the action was executed.
    Settle(Ambiguity),
    /// Poll on, and report this reason if the goal is not reached in time.
    Remember(Pending),
    /// Look again, and send the action when the instance is idle.
    AwaitIdle,
    /// The same after a refusal, which is not final.
    SendAgain(Fault),
    /// The outcome is final.
    Close(Outcome),
}

impl Decision {
    /// Returns whether the instance needs polling after this decision.
    pub(crate) fn needs_polling(&self) -> bool {
        matches!(
            self,
            Self::Accept | Self::Watch | Self::Settle(_) | Self::Remember(_)
        )
    }
}

/// The number of lookups in a row without the instance that proves the instance gone.
const VANISHED_AFTER: u8 = 3;

/// Decides what `fact` means for an instance. The fact is already recorded in `tracked`.
pub(crate) fn decide(
    tracked: &TrackedInstance,
    fact: Fact<'_>,
    options: &DecideOptions,
) -> Decision {
    if !tracked.is_open() {
        return Decision::Ignore;
    }
    match fact {
        Fact::NotIdle => Decision::AwaitIdle,
        Fact::Accepted => Decision::Accept,
        // The accepted graceful stop before a forced one decides.
        Fact::AnswerLost(_) if tracked.forced && matches!(tracked.phase, Phase::Accepted) => {
            Decision::Ignore
        }
        Fact::NeverSent(fault) if tracked.forced => match fault.kind() {
            FaultKind::Deadline if matches!(tracked.phase, Phase::Accepted) => Decision::Ignore,
            _ => Decision::Remember(Pending::NotForced(fault.clone())),
        },
        Fact::AnswerLost(fault) => settle(fault, AmbiguityReason::AnswerLost),
        Fact::NeverSent(_) if tracked.refused_before.is_some() => {
            Decision::Close(never_idle(tracked, None, options))
        }
        Fact::NeverSent(fault) => Decision::Close(Outcome::Skipped(fault.clone())),
        Fact::Rejected(fault) => rejected(tracked, fault, options),
        Fact::Unsettled(fault) => {
            Decision::Close(AmbiguityReason::of_rejection(fault).outcome(fault))
        }
        Fact::RejectedAfterObserve(fault, seen) => {
            rejected_after_observe(tracked, fault, seen, options)
        }
        // A forced stop is meant for guest systems that ignore the graceful stop.
        Fact::JobFailed(fault) if options.forces => {
            Decision::Remember(Pending::JobFailed(fault.clone()))
        }
        Fact::JobFailed(fault) => give_up(tracked, Pending::JobFailed(fault.clone())),
        Fact::Observed(_) | Fact::NotFound | Fact::ObserveFailed(_)
            if matches!(tracked.phase, Phase::AwaitsIdle(_)) =>
        {
            Decision::Ignore
        }
        Fact::Observed(seen) => observed(tracked, seen, options),
        Fact::NotFound if options.kind.is_none() && tracked.last.is_none() => {
            Decision::Close(Outcome::Refused(not_shown()))
        }
        Fact::NotFound if tracked.not_found_in_a_row >= VANISHED_AFTER => {
            give_up(tracked, Pending::Vanished)
        }
        Fact::NotFound => Decision::Ignore,
        Fact::ObserveFailed(fault) if fails_for_good(fault.kind()) => {
            give_up(tracked, Pending::Unobservable(fault.clone()))
        }
        Fact::ObserveFailed(_) => Decision::Ignore,
        Fact::AmbiguityExpired => match &tracked.phase {
            // The answer to the forced stop decides.
            Phase::Ambiguous(_) if tracked.awaits_forced_stop() => Decision::Ignore,
            Phase::Ambiguous(ambiguity) => Decision::Close(ambiguity.outcome(&tracked.ready_views)),
            _ => Decision::Ignore,
        },
        Fact::DeadlinePassed {
            sending_finished,
            outdated,
        } => deadline_passed(tracked, sending_finished, outdated, options),
        Fact::Cancelled => cancelled(tracked),
    }
}

fn rejected(tracked: &TrackedInstance, fault: &Fault, options: &DecideOptions) -> Decision {
    let is_ambiguous = matches!(tracked.phase, Phase::Ambiguous(_));
    // The graceful stop was accepted before, and may still succeed.
    match tracked.forced {
        true if is_ambiguous && fault.maybe_executed() => settle(
            fault,
            match fault.kind() {
                FaultKind::Busy => AmbiguityReason::Busy,
                _ => AmbiguityReason::MaybePartlyExecuted,
            },
        ),
        true => Decision::Remember(Pending::NotForced(fault.clone())),
        false if may_reboot_later(tracked, fault, options) => Decision::SendAgain(fault.clone()),
        false => Decision::Close(Outcome::Refused(fault.clone())),
    }
}

/// Returns whether a refused reboot is sent again when the instance is idle. The refusal must prove that the
/// cloud executed nothing: the answer to the call itself, and not the result of a job.
fn may_reboot_later(tracked: &TrackedInstance, fault: &Fault, options: &DecideOptions) -> bool {
    options.when_idle
        && options.kind == Some(ActionKind::Reboot)
        && matches!(tracked.phase, Phase::NotSent)
        && tracked.sent_at.is_some()
        && !fault.maybe_executed()
        && names_the_state(fault.kind())
        && !is_lasting(fault.kind(), tracked.refused_before.as_deref())
}

/// Returns whether the cloud named the instance as failed, and left the reason out.
fn has_no_reason(fault: &Fault) -> bool {
    fault.code().is_none() && matches!(fault.kind(), FaultKind::Failed | FaultKind::Unknown)
}

/// Returns whether a rejected start or stop is sent again when the instance is idle: a look shows a
/// transition, or the cloud names one and the look may be late.
fn is_refused_for_now(
    tracked: &TrackedInstance,
    fault: &Fault,
    state: Option<PowerState>,
    options: &DecideOptions,
) -> bool {
    if !options.when_idle || (fault.maybe_executed() && !options.idempotent) {
        return false;
    }
    let is_view_early = match &tracked.phase {
        Phase::AwaitsIdle(Some(refusal)) => refusal.at.elapsed() < LATEST_VIEW,
        _ => true,
    };
    match state {
        Some(state) if options.awaits_end_of(state) => true,
        // The cloud gave no reason: later looks settle the question.
        Some(state) if !names_the_state(fault.kind()) => {
            let is_idle = is_ready(state, options.goal) || options.leads_to_goal(state);
            has_no_reason(fault) && is_view_early && is_idle
        }
        Some(state) if options.leads_to_goal(state) => is_view_early,
        Some(state) => {
            !state.is_stuck() && !is_lasting(fault.kind(), tracked.refused_before.as_deref())
        }
        None => names_the_state(fault.kind()),
    }
}

/// Decides about a rejection that can mean that the instance is already at the goal.
fn rejected_after_observe(
    tracked: &TrackedInstance,
    fault: &Fault,
    seen: Option<&Observation>,
    options: &DecideOptions,
) -> Decision {
    let state = seen.map(|seen| seen.state);
    if tracked.forced {
        return match state == Some(options.goal) {
            true => Decision::Close(Outcome::Reached(Evidence::Seen)),
            false => rejected(tracked, fault, options),
        };
    }
    // An earlier call may have moved the instance, and this call was refused because of that.
    let is_doubtful =
        tracked.maybe_executed_before && may_follow(tracked, state, fault.kind(), options);
    let doubtful = fault
        .clone()
        .with_execution_status(ExecutionStatus::Unknown);
    let fault = if is_doubtful { &doubtful } else { fault };
    if is_refused_for_now(tracked, fault, state, options) {
        return Decision::SendAgain(fault.clone());
    }
    // A job accepts instances before the job checks the instances.
    let was_accepted = matches!(tracked.phase, Phase::Accepted);
    // An instance that was not at the goal before has come there since.
    let before = tracked.before.as_deref();
    let was_looked_at = before.is_some_and(|before| !options.leads_to_goal(before.state));
    let certain = !fault.maybe_executed();
    let refused = Decision::Close(Outcome::Refused(fault.clone()));
    if options.strict && certain && !was_accepted {
        return refused;
    }
    let reason = match fault.kind() {
        FaultKind::Busy if is_doubtful => AmbiguityReason::Busy,
        _ => AmbiguityReason::of_rejection(fault),
    };
    let ambiguous = settle(fault, reason);
    let Some(state) = state else {
        return ambiguous;
    };
    let moving = state.is_moving_to(options.goal);
    if state == options.goal && was_looked_at {
        Decision::Close(Outcome::Reached(Evidence::Seen))
    } else if state == options.goal || (moving && !options.waits && !was_looked_at) {
        Decision::Close(unchanged(fault, options))
    } else if moving && (!was_looked_at || was_accepted) {
        Decision::Watch
    } else if moving
        || contradicts(state, fault, options)
        || may_have_failed_at_it(tracked, state, fault)
        || is_doubtful
    {
        ambiguous
    } else {
        refused
    }
}

/// Returns whether the state, and the kind of the refusal, can follow from an execution of the action. A broken
/// instance that was broken right after the call is none of its consequences. The view of a ready instance that the cloud
/// calls busy is late, and the action may be what the instance is busy with.
fn may_follow(
    tracked: &TrackedInstance,
    state: Option<PowerState>,
    refusal: FaultKind,
    options: &DecideOptions,
) -> bool {
    match state {
        None | Some(PowerState::Changing) => true,
        Some(PowerState::Failed) => tracked.state_after_rejection != Some(PowerState::Failed),
        Some(state) if is_ready(state, options.goal) => refusal == FaultKind::Busy,
        Some(state) => options.leads_to_goal(state),
    }
}

/// Returns whether a rejection says that the state forbids the action while the state shown allows
/// the action: one of the two is late.
fn contradicts(state: PowerState, fault: &Fault, options: &DecideOptions) -> bool {
    is_ready(state, options.goal)
        && (fault.kind() == FaultKind::WrongState || fault.maybe_executed())
}

/// Returns whether an instance that is now broken may have failed at an action that the cloud
/// rejected but executed.
fn may_have_failed_at_it(tracked: &TrackedInstance, state: PowerState, fault: &Fault) -> bool {
    let before = tracked.before.as_deref();
    state == PowerState::Failed
        && fault.maybe_executed()
        && before.is_none_or(|before| before.state != PowerState::Failed)
        && fault.kind() != FaultKind::Failed
}

fn observed(tracked: &TrackedInstance, seen: &Observation, options: &DecideOptions) -> Decision {
    let state = seen.state;
    let evidence = match options.kind {
        Some(ActionKind::Reboot) => tracked.reboot_evidence(seen),
        _ => (state == options.goal).then_some(Evidence::Seen),
    };
    let moved = match options.kind {
        Some(ActionKind::Reboot) => evidence.is_some(),
        _ => state.is_moving_to(options.goal),
    };
    let reached = evidence.filter(|evidence| {
        let is_late = matches!(evidence, Evidence::LeftAndReturned | Evidence::Job(_))
            && tracked.may_precede_action()
            && tracked.job.succeeded().is_none();
        state == options.goal && !is_late
    });
    match (&tracked.phase, reached) {
        // Another request reached the goal: the view has caught up with the rejection.
        (Phase::Ambiguous(Ambiguity { fault, reason, .. }), reached)
            if *reason == AmbiguityReason::StateContradictsRejection
                && (reached.is_some() || moved) =>
        {
            match reached.is_some() || !options.waits {
                true => Decision::Close(unchanged(fault, options)),
                false => Decision::Watch,
            }
        }
        (_, Some(evidence)) => Decision::Close(Outcome::Reached(evidence)),
        _ if state.is_stuck() && state != options.goal => {
            give_up(tracked, Pending::StuckState(state))
        }
        // The forced stop is accepted separately.
        (Phase::Ambiguous(_), None) if moved && tracked.forced => Decision::Watch,
        // The instance is seen at work: the lost answer was a yes.
        (Phase::Ambiguous(_), None) if moved => Decision::Accept,
        _ => Decision::Ignore,
    }
}

fn deadline_passed(
    tracked: &TrackedInstance,
    sending_finished: bool,
    outdated: Option<&Pending>,
    options: &DecideOptions,
) -> Decision {
    if let Phase::AwaitsIdle(_) = tracked.phase {
        return Decision::Close(never_idle(tracked, outdated, options));
    }
    if let Phase::NotSent = tracked.phase {
        return match sending_finished && !tracked.forced {
            true => Decision::Close(Outcome::Skipped(no_time_left())),
            false => Decision::Ignore,
        };
    }
    if let Some(confirmed) = confirmed_by_job(tracked) {
        return confirmed;
    }
    let state = tracked.last_state();
    let rebooted = options.kind == Some(ActionKind::Reboot);
    give_up(
        tracked,
        match (&tracked.setback, state) {
            (Some(setback), _) => Pending::clone(setback),
            (None, state) => match outdated {
                Some(outdated) => outdated.clone(),
                None if rebooted && state == Some(PowerState::Running) => Pending::Unconfirmed,
                None => Pending::Deadline(state),
            },
        },
    )
}

/// Returns the outcome of an instance that was not idle before the time limit.
fn never_idle(
    tracked: &TrackedInstance,
    outdated: Option<&Pending>,
    options: &DecideOptions,
) -> Outcome {
    let state = tracked.last_state();
    let still = match state {
        Some(state) => format!("the instance was still {state} at the time limit"),
        None => "no lookup showed the instance before the time limit".to_owned(),
    };
    let silence = outdated.and_then(Pending::fault);
    let silence = silence.map(|fault| format!("; no newer state: {}", fault.message()));
    let silence = silence.unwrap_or_default();
    let Some(Refusal { fault, .. }) = tracked.refused_before.as_deref() else {
        let message = format!("{still}, so nothing was sent{silence}");
        return Outcome::Skipped(Fault::new(FaultKind::Deadline, message));
    };
    let message = format!("{}; {still}{silence}", fault.message());
    let in_transition = state.is_some_and(|state| options.awaits_end_of(state));
    let with_state = fault.clone().with_message(message);
    match fault.maybe_executed() && !in_transition {
        true => Outcome::Uncertain(with_state),
        false => Outcome::Refused(with_state),
    }
}

fn cancelled(tracked: &TrackedInstance) -> Decision {
    let unsettled = |message: &str| Fault::new(FaultKind::Cancelled, message);
    match &tracked.phase {
        Phase::NotSent if tracked.sent_at.is_some() => Decision::Close(Outcome::Uncertain(
            unsettled("cancelled after the action was sent and before its result was known")
                .with_execution_status(ExecutionStatus::Unknown),
        )),
        Phase::AwaitsIdle(Some(refusal)) => {
            let reason = AmbiguityReason::of_rejection(&refusal.fault);
            Decision::Close(reason.outcome(&refusal.fault))
        }
        Phase::NotSent | Phase::AwaitsIdle(None) => Decision::Close(Outcome::Skipped(unsettled(
            "cancelled before the action was sent",
        ))),
        Phase::Ambiguous(ambiguity) => {
            let fault = &ambiguity.fault;
            let message = format!("{}; cancelled before the next lookup", fault.message());
            let fault = fault.clone().with_message(message);
            Decision::Close(unsettled_outcome(tracked, ambiguity.reason, &fault))
        }
        Phase::Accepted | Phase::Closed(_) => confirmed_by_job(tracked).unwrap_or_else(|| {
            let cancelled = || Pending::Cancelled(tracked.last_state());
            let setback = tracked.setback.as_deref().cloned();
            give_up(tracked, setback.unwrap_or_else(cancelled))
        }),
    }
}

/// Returns the outcome of an instance whose job succeeded, although no lookup has shown the goal.
fn confirmed_by_job(tracked: &TrackedInstance) -> Option<Decision> {
    let job = tracked.job.succeeded()?;
    Some(Decision::Close(Outcome::Reached(Evidence::Job(
        job.clone(),
    ))))
}

/// Ends an instance short of the goal: an accepted action is pending, an ambiguous action stays ambiguous.
fn give_up(tracked: &TrackedInstance, pending: Pending) -> Decision {
    match &tracked.phase {
        Phase::Accepted => Decision::Close(Outcome::Pending(pending)),
        Phase::Ambiguous(ambiguity) => {
            let outcome = unsettled_outcome(tracked, ambiguity.reason, &ambiguity.fault);
            Decision::Close(outcome)
        }
        Phase::NotSent | Phase::AwaitsIdle(_) | Phase::Closed(_) => Decision::Ignore,
    }
}

/// Returns the outcome of an ambiguous action that nothing settled. A rejected graceful stop says nothing
/// about the forced stop that followed.
fn unsettled_outcome(tracked: &TrackedInstance, reason: AmbiguityReason, fault: &Fault) -> Outcome {
    if !tracked.awaits_forced_stop() {
        return reason.outcome(fault);
    }
    let message = format!(
        "{}; the result of the force-stop that followed is not known",
        fault.message()
    );
    let fault = fault.clone().with_message(message);
    Outcome::Uncertain(fault.with_execution_status(ExecutionStatus::Unknown))
}

fn settle(fault: &Fault, reason: AmbiguityReason) -> Decision {
    Decision::Settle(Ambiguity::new(fault.clone(), reason))
}

/// Returns the outcome of an instance at the goal whose action the cloud rejected for that reason.
fn unchanged(fault: &Fault, options: &DecideOptions) -> Outcome {
    match options.strict {
        true => AmbiguityReason::of_rejection(fault).outcome(fault),
        false => Outcome::Unchanged,
    }
}

#[cfg(test)]
mod tests;
