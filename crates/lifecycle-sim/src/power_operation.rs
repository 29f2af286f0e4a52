//! `PowerOperation`: the requested action, the executed operation, and counts of executions.

use crate::{Operation, SimulatedState};

/// A power operation that a cloud executes on an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerOperation {
    /// A boot.
    Start,
    /// A graceful stop.
    Stop,
    /// A stop by power-off.
    ForcedStop,
    /// A graceful reboot.
    Reboot,
    /// A reboot by power-off.
    ForcedReboot,
}

impl PowerOperation {
    /// Returns the state after the operation.
    pub(crate) fn target(self) -> SimulatedState {
        match self {
            Self::Start | Self::Reboot | Self::ForcedReboot => SimulatedState::Running,
            Self::Stop | Self::ForcedStop => SimulatedState::Stopped,
        }
    }

    /// Returns the state during the operation.
    pub(crate) fn transitional(self) -> SimulatedState {
        match self {
            Self::Start => SimulatedState::Starting,
            Self::Stop | Self::ForcedStop => SimulatedState::Stopping,
            Self::Reboot | Self::ForcedReboot => SimulatedState::Rebooting,
        }
    }

    pub(crate) fn is_boot(self) -> bool {
        self.target() == SimulatedState::Running
    }
}

/// The action that a call requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Start,
    Stop,
    Reboot,
}

impl ActionKind {
    /// Returns the operation that executes the action. A start has no forced form.
    pub(crate) fn operation(self, forced: bool) -> PowerOperation {
        match (self, forced) {
            (Self::Start, _) => PowerOperation::Start,
            (Self::Stop, false) => PowerOperation::Stop,
            (Self::Stop, true) => PowerOperation::ForcedStop,
            (Self::Reboot, false) => PowerOperation::Reboot,
            (Self::Reboot, true) => PowerOperation::ForcedReboot,
        }
    }
}

impl From<ActionKind> for Operation {
    fn from(action: ActionKind) -> Self {
        match action {
            ActionKind::Start => Self::Start,
            ActionKind::Stop => Self::Stop,
            ActionKind::Reboot => Self::Reboot,
        }
    }
}

/// Counts of the operations that were executed on an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutionCounts {
    /// Boots, without reboots.
    pub starts: u32,
    /// Stops, graceful and forced.
    pub stops: u32,
    /// Forced stops; `stops` counts them, too.
    pub forced_stops: u32,
    /// Reboots, graceful and forced.
    pub reboots: u32,
    /// Forced reboots; `reboots` counts them, too.
    pub forced_reboots: u32,
}

impl ExecutionCounts {
    pub(crate) fn count(&mut self, operation: PowerOperation) {
        match operation {
            PowerOperation::Start => self.starts += 1,
            PowerOperation::Stop => self.stops += 1,
            PowerOperation::ForcedStop => {
                self.stops += 1;
                self.forced_stops += 1;
            }
            PowerOperation::Reboot => self.reboots += 1,
            PowerOperation::ForcedReboot => {
                self.reboots += 1;
                self.forced_reboots += 1;
            }
        }
    }
}
