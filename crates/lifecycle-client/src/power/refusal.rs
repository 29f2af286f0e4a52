//! `Refusal`: a refused action that is sent again when the instance is idle.

use lifecycle_core::Fault;
use tokio::time::Instant;

/// The last refusal of an action that waits for an idle instance.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    pub(crate) at: Instant,
}

impl Refusal {
    pub(crate) fn now(fault: Fault) -> Self {
        Self {
            fault,
            at: Instant::now(),
        }
    }
}
