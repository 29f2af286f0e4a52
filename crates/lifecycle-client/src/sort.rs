//! Looking before sending: which instances go together, which alone, and which not at all.

use lifecycle_core::{Action, ActionKind, Fault, FaultKind, InstanceId, Observation, PowerState};

use crate::{look::Sight, run::Run};

/// How an instance is sent.
enum Place {
    /// In a batch with others.
    Together,
    /// In a call of its own.
    Alone,
    /// Not at all: it would be refused, or is to be.
    Refused(Fault),
    /// Not at all: what has to be known of it cannot be read.
    Skipped(Fault),
}

impl Run<'_> {
    /// Looks at instances and sorts them into calls. What need not or cannot be sent has its
    /// outcome afterwards.
    pub(crate) async fn sort(&self, action: &Action, ids: Vec<InstanceId>) -> Vec<Vec<InstanceId>> {
        let sights = self.look(&ids).await;
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        {
            let mut book = self.book();
            for id in ids {
                let sight = sights.get(&id);
                if let Some(Sight::Seen(seen)) = sight {
                    book.before(seen.clone());
                }
                match place(action.kind(), sight) {
                    Place::Together => together.push(id),
                    Place::Alone => alone.push(id),
                    Place::Refused(fault) => book.refused(&id, fault),
                    Place::Skipped(fault) => book.skipped(&id, fault),
                }
            }
        }
        let singles = alone.into_iter().map(|id| vec![id]);
        let mut batches = self.batches(&together, action);
        batches.extend(singles);
        batches
    }
}

fn place(verb: ActionKind, sight: Option<&Sight>) -> Place {
    match (verb, sight) {
        (ActionKind::Reboot, Some(Sight::Seen(before))) => place_reboot(before),
        // Nobody could look; then it is as good as any other.
        (ActionKind::Reboot, Some(Sight::Missed(_)) | None) => Place::Together,
        (_, Some(Sight::Seen(before))) if is_so_already(verb, before.state) => {
            Place::Refused(nothing_sent(before.state))
        }
        (_, Some(Sight::Seen(_))) => Place::Together,
        (_, Some(Sight::Missed(fault))) => Place::Skipped(fault.clone()),
        (_, Some(Sight::Absent) | None) => Place::Alone,
    }
}

/// A batch of reboots that is refused because of one instance is a risk that need not be taken:
/// nobody knows whether every cloud leaves the others alone then, and a reboot must not be sent
/// twice. So one that is down is kept back, and one that is not plainly running goes out alone.
fn place_reboot(before: &Observation) -> Place {
    match before.state {
        PowerState::Running if before.lock.is_none() => Place::Together,
        state if state == PowerState::Stopped || state.is_stuck() => {
            Place::Refused(nothing_sent(state))
        }
        _ => Place::Alone,
    }
}

/// At the goal of a start or a stop, or on the way to it.
pub(crate) fn is_so_already(verb: ActionKind, state: PowerState) -> bool {
    state == verb.goal() || is_on_the_way(verb.goal(), state)
}

/// On the way to the goal, so that nobody needs to ask for it again.
pub(crate) fn is_on_the_way(goal: PowerState, state: PowerState) -> bool {
    match goal {
        PowerState::Running => matches!(state, PowerState::Starting | PowerState::Rebooting),
        PowerState::Stopped => state == PowerState::Stopping,
        _ => false,
    }
}

fn nothing_sent(state: PowerState) -> Fault {
    Fault::new(
        FaultKind::WrongState,
        format!("it is {state}; nothing was sent"),
    )
}
