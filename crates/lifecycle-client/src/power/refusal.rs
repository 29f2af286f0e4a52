//! `Refusal`: a refused action that is sent again when the instance is idle.

use lifecycle_core::{Fault, FaultKind};
use tokio::time::Instant;

use super::view_delay::LATEST_VIEW;

/// The last refusal of an action that waits for an idle instance.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    pub(crate) at: Instant,
    /// The time of the first refusal since the last look that showed a transition.
    pub(crate) since: Instant,
    /// A later look showed a transition, which explains the refusal.
    pub(crate) explained: bool,
}

impl Refusal {
    pub(crate) fn now(fault: Fault) -> Self {
        let now = Instant::now();
        Self {
            fault,
            at: now,
            since: now,
            explained: false,
        }
    }
}

/// Returns whether the last of several refusals stands: the cloud still says that the state forbids the action,
/// and every look since the first refusal, also the latest possible one, showed no transition. A busy instance is not
/// meant: a task of the instance can take longer than that, and need not show in the state.
pub(crate) fn is_lasting(kind: FaultKind, before: Option<&Refusal>) -> bool {
    kind == FaultKind::WrongState
        && before.is_some_and(|before| !before.explained && before.since.elapsed() >= LATEST_VIEW)
}

/// Returns whether a refusal of this kind says that the state of the instance forbids the action.
pub(crate) fn names_the_state(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::WrongState | FaultKind::Busy)
}
