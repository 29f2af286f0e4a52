//! Observations before sending: the decision which instances are sent in a batch, alone, or not at
//! all.

use lifecycle_core::{Action, ActionKind, Fault, FaultKind, InstanceId, Observation, PowerState};

use super::{
    batch::ActionBatch, idle_step::IdleStep, rejection::reject_after_observe, runner::RequestRunner,
};
use crate::observe::lookup::ObserveResult;

/// The way in which an instance is sent.
enum SendDecision {
    /// In a batch with others.
    Together,
    /// In a call of its own.
    Alone,
    /// Not sent: the cloud would reject the instance, or the request asks for a refusal.
    Refused(Fault),
    /// Not sent: a strict request cannot read the state.
    Skipped(Fault),
}

/// Observes instances, and returns the batches to send. An instance that is not sent has an outcome
/// afterwards, or waits for the end of a transition.
pub(crate) async fn triage(
    runner: &RequestRunner<'_>,
    action: &Action,
    ids: Vec<InstanceId>,
) -> Vec<ActionBatch> {
    let results = runner.observe_once(&ids).await;
    let (mut together, mut alone, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    {
        let mut tracker = runner.tracker();
        let options = tracker.options();
        let age = runner.started.elapsed();
        for id in ids {
            // The time limit of the request can end during the look.
            if !tracker.is_open(&id) {
                continue;
            }
            let result = results.get(&id);
            if let Some(ObserveResult::Found(seen)) = result {
                tracker.before(seen.clone());
            }
            if options.when_idle {
                match tracker.idle_step(&id, result, age) {
                    IdleStep::Send => tracker.idle(&id),
                    IdleStep::Wait => {
                        tracker.not_idle(&id);
                        continue;
                    }
                    IdleStep::Settle(fault) => {
                        settled.push((id, fault));
                        continue;
                    }
                    IdleStep::Unobservable(fault) => {
                        tracker.unsettled(&id, &fault);
                        continue;
                    }
                }
            }
            match decide(action.kind(), options.strict, result) {
                SendDecision::Together => together.push(id),
                SendDecision::Alone => alone.push(id),
                SendDecision::Refused(fault) => tracker.rejected(&id, &fault),
                SendDecision::Skipped(fault) => tracker.never_sent(&id, &fault),
            }
        }
    }
    for (id, fault) in settled {
        let seen = results.get(&id).and_then(ObserveResult::found);
        reject_after_observe(runner, &id, &fault, seen);
    }
    runner.notify();
    let singles = alone.into_iter().map(|id| ActionBatch::new(vec![id]));
    let mut batches = runner.batches(&together, action);
    batches.extend(singles);
    batches
}

fn decide(kind: ActionKind, strict: bool, result: Option<&ObserveResult>) -> SendDecision {
    match (kind, result) {
        (ActionKind::Reboot, Some(ObserveResult::Found(before))) => decide_reboot(before),
        // A reboot does not depend on the lookup.
        (ActionKind::Reboot, Some(ObserveResult::Failed(_)) | None) => SendDecision::Together,
        (_, Some(ObserveResult::Found(before))) if strict && kind.is_satisfied_by(before.state) => {
            SendDecision::Refused(nothing_sent(before.state))
        }
        (_, Some(ObserveResult::Found(_))) => SendDecision::Together,
        (_, Some(ObserveResult::Failed(fault))) if strict => SendDecision::Skipped(fault.clone()),
        (_, Some(ObserveResult::Failed(_))) => SendDecision::Together,
        (_, Some(ObserveResult::NotFound) | None) => SendDecision::Alone,
    }
}

/// Decides about a reboot. A batch of reboots that is rejected because of one instance is a risk: the
/// cloud may have rebooted the others, and a reboot must not be sent twice. So a stopped instance is
/// not sent, and an instance that is not plainly running goes out alone.
fn decide_reboot(before: &Observation) -> SendDecision {
    match before.state {
        PowerState::Running if before.lock.is_none() => SendDecision::Together,
        state if state == PowerState::Stopped || state.is_stuck() => {
            SendDecision::Refused(nothing_sent(state))
        }
        _ => SendDecision::Alone,
    }
}

fn nothing_sent(state: PowerState) -> Fault {
    let message = format!("the instance is {state}; nothing was sent");
    Fault::new(FaultKind::WrongState, message)
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Lock;

    use super::*;

    use ActionKind::{Reboot, Start, Stop};
    use PowerState::{Expired, Failed, Rebooting, Running, Starting, Stopped, Stopping, Unknown};

    fn found(state: PowerState) -> Option<ObserveResult> {
        let id = InstanceId::new("i-1").unwrap();
        let seen = Observation::new(id, state, state.as_str());
        Some(ObserveResult::Found(seen))
    }

    fn locked(state: PowerState) -> Option<ObserveResult> {
        let mut result = found(state);
        if let Some(ObserveResult::Found(seen)) = &mut result {
            seen.lock = Some(Lock::Financial);
        }
        result
    }

    #[test]
    fn look_decides_in_which_call_an_instance_is_sent() {
        let blind = || Some(ObserveResult::Failed(Fault::new(FaultKind::NoAnswer, "no")));
        let absent = || Some(ObserveResult::NotFound);
        for (kind, strict, result, expected) in [
            (Start, false, found(Stopped), "together"),
            (Start, false, found(Running), "together"),
            (Start, true, found(Stopped), "together"),
            (Start, true, found(Running), "refused"),
            (Start, true, found(Starting), "refused"),
            (Stop, true, found(Running), "together"),
            (Stop, true, found(Stopping), "refused"),
            (Start, false, blind(), "together"),
            (Start, true, blind(), "skipped"),
            (Start, true, absent(), "alone"),
            (Start, false, absent(), "alone"),
            (Start, false, None, "alone"),
            // A rejected batch of reboots is a risk.
            (Reboot, false, found(Running), "together"),
            (Reboot, false, locked(Running), "alone"),
            (Reboot, false, found(Starting), "alone"),
            (Reboot, false, found(Rebooting), "alone"),
            (Reboot, false, found(Unknown), "alone"),
            (Reboot, false, found(Stopped), "refused"),
            (Reboot, false, found(Failed), "refused"),
            (Reboot, false, found(Expired), "refused"),
            (Reboot, true, blind(), "together"),
            (Reboot, false, None, "together"),
            (Reboot, false, absent(), "alone"),
        ] {
            let decision = match decide(kind, strict, result.as_ref()) {
                SendDecision::Together => "together",
                SendDecision::Alone => "alone",
                SendDecision::Refused(fault) => {
                    assert_eq!(fault.kind(), FaultKind::WrongState);
                    "refused"
                }
                SendDecision::Skipped(_) => "skipped",
            };
            assert_eq!(decision, expected, "{kind}, strict: {strict}, {result:?}");
        }
    }
}
