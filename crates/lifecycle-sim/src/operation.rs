//! `Operation`: the kinds of API operations, the same for all clouds.

use std::fmt;

/// A kind of API operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Start instances.
    Start,
    /// Stop instances.
    Stop,
    /// Reboot instances.
    Reboot,
    /// Read named instances.
    Observe,
    /// Read a page of all instances.
    List,
    /// Read a job.
    Follow,
    /// Request a key or a token, or a step towards one, from an identity or metadata service.
    Identify,
    /// Any other operation, including operations that the cloud does not have.
    Other,
}

impl Operation {
    /// Reports whether the operation is a start, a stop or a reboot.
    pub fn is_action(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Reboot)
    }

    /// Returns the name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Observe => "observe",
            Self::List => "list",
            Self::Follow => "follow",
            Self::Identify => "identify",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
