//! The states of simulated instances, and the impairments that block operations.

use std::fmt;

/// The state of a simulated instance, with the same names for all clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SimulatedState {
    /// The cloud creates the instance.
    Creating,
    /// The instance boots.
    Starting,
    /// The instance runs.
    Running,
    /// The instance shuts down.
    Stopping,
    /// The instance is off.
    Stopped,
    /// The instance shuts down and boots again.
    Rebooting,
    /// Another operation is in progress, such as a resize.
    Changing,
    /// The instance is off because the paid term is over.
    Expired,
    /// The instance is broken.
    Failed,
    /// The instance is in the recycle bin.
    Recycled,
}

impl SimulatedState {
    /// Returns the name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Rebooting => "rebooting",
            Self::Changing => "changing",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Recycled => "recycled",
        }
    }
}

impl fmt::Display for SimulatedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A condition that blocks or changes operations on an instance. An impairment lasts until
/// [`Simulator::set_impairment`](crate::Simulator::set_impairment) removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Impairment {
    /// The cloud still creates the instance. Shown as a separate state.
    Creating,
    /// Another operation is in progress. Shown as a separate state if the cloud has one.
    Changing,
    /// The paid term is over. Shown as a separate state if the cloud has one.
    Expired,
    /// The instance is in the recycle bin. Shown as a separate state if the cloud has one.
    Recycled,
    /// The disk of the instance is broken. Shown as a failed instance if the cloud has such a state.
    /// The name in a fleet specification is `failed`.
    BrokenDisk,
    /// The cloud has locked the instance for security reasons. The power state stays.
    Locked,
    /// The account has unpaid bills. The power state stays.
    Arrears,
    /// The cloud has no capacity to start the instance.
    NoStock,
    /// A start or reboot is accepted and fails later. The name in a fleet specification is `broken`.
    FailsToBoot,
    /// The guest ignores a graceful stop: the instance stays in `Stopping` for ever.
    Stubborn,
}

impl Impairment {
    /// All impairments.
    pub const ALL: [Self; 10] = [
        Self::Creating,
        Self::Changing,
        Self::Expired,
        Self::Recycled,
        Self::BrokenDisk,
        Self::Locked,
        Self::Arrears,
        Self::NoStock,
        Self::FailsToBoot,
        Self::Stubborn,
    ];

    /// Returns the name in a fleet specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Changing => "changing",
            Self::Expired => "expired",
            Self::Recycled => "recycled",
            Self::BrokenDisk => "failed",
            Self::Locked => "locked",
            Self::Arrears => "arrears",
            Self::NoStock => "no-stock",
            Self::FailsToBoot => "broken",
            Self::Stubborn => "stubborn",
        }
    }

    /// Returns the state that replaces the power state of the instance.
    pub(crate) fn state(self) -> Option<SimulatedState> {
        match self {
            Self::Creating => Some(SimulatedState::Creating),
            Self::Changing => Some(SimulatedState::Changing),
            Self::Expired => Some(SimulatedState::Expired),
            Self::Recycled => Some(SimulatedState::Recycled),
            Self::BrokenDisk => Some(SimulatedState::Failed),
            Self::Locked | Self::Arrears | Self::NoStock | Self::FailsToBoot | Self::Stubborn => {
                None
            }
        }
    }
}
