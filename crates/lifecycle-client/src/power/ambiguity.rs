//! `Ambiguity`: an action whose execution only later lookups can show.

use lifecycle_core::Fault;

use super::{ready_views::ReadyViews, report::Outcome};

/// An action with an unknown execution status.
#[derive(Clone, Debug)]
pub(crate) struct Ambiguity {
    pub(crate) fault: Fault,
    pub(crate) reason: AmbiguityReason,
    /// The last lookup since then showed the instance ready for the action, so the action had no effect.
    pub(crate) unchanged_since_sent: bool,
}

impl Ambiguity {
    pub(crate) fn new(fault: Fault, reason: AmbiguityReason) -> Self {
        Self {
            fault,
            reason,
            unchanged_since_sent: false,
        }
    }

    /// Returns the outcome when lookups did not settle the question in time.
    pub(crate) fn outcome(&self, views: &ReadyViews) -> Outcome {
        let is_unmoved = match self.reason {
            AmbiguityReason::MaybePartlyExecuted => self.unchanged_since_sent,
            AmbiguityReason::Busy => self.unchanged_since_sent && views.is_unbroken(),
            AmbiguityReason::AnswerLost | AmbiguityReason::StateContradictsRejection => false,
        };
        match is_unmoved {
            true => Outcome::Refused(self.fault.clone()),
            false => self.reason.outcome(&self.fault),
        }
    }
}

/// The reason for which an action is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AmbiguityReason {
    /// The answer was lost.
    AnswerLost,
    /// The cloud rejected the action because of a state, and lookups show another state: the view may
    /// lag.
    StateContradictsRejection,
    /// The cloud rejected a batch, and may have executed a part of the batch.
    MaybePartlyExecuted,
    /// The cloud calls the instance busy after a call that may have been executed. Some clouds show a broken
    /// instance as ready, so the last view alone proves nothing.
    Busy,
}

impl AmbiguityReason {
    pub(crate) fn of_rejection(rejection: &Fault) -> Self {
        match rejection.maybe_executed() {
            true => Self::MaybePartlyExecuted,
            false => Self::StateContradictsRejection,
        }
    }

    /// Returns the outcome when nothing is known beyond the fault.
    pub(crate) fn outcome(self, fault: &Fault) -> Outcome {
        match self {
            Self::AnswerLost | Self::MaybePartlyExecuted | Self::Busy => {
                Outcome::Uncertain(fault.clone())
            }
            Self::StateContradictsRejection => Outcome::Refused(fault.clone()),
        }
    }
}
