//! Looking before sending: which instances go together, which alone, and which not at all.

use lifecycle_core::{Action, ActionKind, Fault, FaultKind, InstanceId, Observation, PowerState};

use crate::{observe::lookup::ObserveResult, power::run::RequestRunner};

/// How an instance is sent.
enum SendDecision {
    /// In a batch with others.
    Together,
    /// In a call of its own.
    Alone,
    /// Not at all: it would be refused, or is to be.
    Refused(Fault),
    /// Not at all: what has to be known of it cannot be read.
    Skipped(Fault),
}

impl RequestRunner<'_> {
    /// Looks at instances and sorts them into calls. What need not or cannot be sent has its
    /// outcome afterwards.
    pub(crate) async fn triage(
        &self,
        action: &Action,
        ids: Vec<InstanceId>,
    ) -> Vec<Vec<InstanceId>> {
        let results = self.look(&ids).await;
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        {
            let mut tracker = self.tracker();
            for id in ids {
                let result = results.get(&id);
                if let Some(ObserveResult::Found(seen)) = result {
                    tracker.before(seen.clone());
                }
                match place(action.kind(), result) {
                    SendDecision::Together => together.push(id),
                    SendDecision::Alone => alone.push(id),
                    SendDecision::Refused(fault) => tracker.rejected(&id, &fault),
                    SendDecision::Skipped(fault) => tracker.never_sent(&id, &fault),
                }
            }
        }
        let singles = alone.into_iter().map(|id| vec![id]);
        let mut batches = self.batches(&together, action);
        batches.extend(singles);
        batches
    }
}

fn place(verb: ActionKind, result: Option<&ObserveResult>) -> SendDecision {
    match (verb, result) {
        (ActionKind::Reboot, Some(ObserveResult::Found(before))) => place_reboot(before),
        // Nobody could look; then it is as good as any other.
        (ActionKind::Reboot, Some(ObserveResult::Failed(_)) | None) => SendDecision::Together,
        (_, Some(ObserveResult::Found(before))) if verb.is_satisfied_by(before.state) => {
            SendDecision::Refused(nothing_sent(before.state))
        }
        (_, Some(ObserveResult::Found(_))) => SendDecision::Together,
        (_, Some(ObserveResult::Failed(fault))) => SendDecision::Skipped(fault.clone()),
        (_, Some(ObserveResult::NotFound) | None) => SendDecision::Alone,
    }
}

/// A batch of reboots that is refused because of one instance is a risk that need not be taken:
/// nobody knows whether every cloud leaves the others alone then, and a reboot must not be sent
/// twice. So one that is down is kept back, and one that is not plainly running goes out alone.
fn place_reboot(before: &Observation) -> SendDecision {
    match before.state {
        PowerState::Running if before.lock.is_none() => SendDecision::Together,
        state if state == PowerState::Stopped || state.is_stuck() => {
            SendDecision::Refused(nothing_sent(state))
        }
        _ => SendDecision::Alone,
    }
}

fn nothing_sent(state: PowerState) -> Fault {
    Fault::new(
        FaultKind::WrongState,
        format!("it is {state}; nothing was sent"),
    )
}
