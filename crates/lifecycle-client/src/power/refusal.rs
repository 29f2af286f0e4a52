//! `Refusal`: a refused action that is sent again when the instance is idle.

use lifecycle_core::{Fault, FaultKind};
use tokio::time::Instant;

/// The last refusal of an action that waits for an idle instance.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    pub(crate) at: Instant,
    /// A later look showed a transition, which explains the refusal.
    pub(crate) explained: bool,
}

impl Refusal {
    pub(crate) fn now(fault: Fault) -> Self {
        Self {
            fault,
            at: Instant::now(),
            explained: false,
        }
    }
}

/// Returns whether a refusal of this kind says that the state of the instance forbids the action.
pub(crate) fn names_the_state(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::WrongState | FaultKind::Busy)
}
