//! `PowerOperation`: the requested action, the executed operation with its options, and counts of
//! executions.

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

/// The options of a call beside the form of the operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OperationOptions {
    /// The call asks for released billing of the stopped instance.
    pub(crate) releases_billing: bool,
    /// The call asks for initialised local disks.
    pub(crate) initialises_disks: bool,
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
    /// Stops of calls that asked for released billing; `stops` counts them, too.
    pub released_stops: u32,
    /// Starts of calls that asked for initialised local disks; `starts` counts them, too.
    pub initialised_starts: u32,
}

impl ExecutionCounts {
    pub(crate) fn count(&mut self, operation: PowerOperation, options: OperationOptions) {
        let is_stop = operation.target() == SimulatedState::Stopped;
        self.released_stops += u32::from(is_stop && options.releases_billing);
        let is_start = operation == PowerOperation::Start;
        self.initialised_starts += u32::from(is_start && options.initialises_disks);
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
