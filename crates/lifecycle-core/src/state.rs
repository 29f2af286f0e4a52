//! What can be seen of an instance.

use std::fmt;

use crate::InstanceId;

/// One instance as its cloud showed it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The instance.
    pub instance: InstanceId,
    /// Its state in the words of this library.
    pub state: PowerState,
    /// Its state in the cloud's own words, never changed.
    pub raw: String,
    /// The name that its owner gave it.
    pub name: Option<String>,
    /// The time of its last start in the cloud's own format, where it shows one. Two different
    /// values prove that it was started in between.
    pub started_at: Option<String>,
    /// Why its owner may not operate it.
    pub lock: Option<Lock>,
    /// What it costs while it is stopped, where the cloud says so.
    pub stopped_billing: StoppedBilling,
}

impl Observation {
    /// An observation with nothing but the state.
    pub fn new(instance: InstanceId, state: PowerState, raw: impl Into<String>) -> Self {
        Self {
            instance,
            state,
            raw: raw.into(),
            name: None,
            started_at: None,
            lock: None,
            stopped_billing: StoppedBilling::Unknown,
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// Sets the time of the last start, in the cloud's own format.
    #[must_use]
    pub fn with_started_at(mut self, started_at: Option<String>) -> Self {
        self.started_at = started_at;
        self
    }

    /// Sets the lock.
    #[must_use]
    pub fn with_lock(mut self, lock: Option<Lock>) -> Self {
        self.lock = lock;
        self
    }

    /// Sets what the instance costs while it is stopped.
    #[must_use]
    pub fn with_stopped_billing(mut self, stopped_billing: StoppedBilling) -> Self {
        self.stopped_billing = stopped_billing;
        self
    }
}

/// The state of an instance, cut by what can be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerState {
    /// Being made; it has not run yet.
    Creating,
    /// On its way to running.
    Starting,
    /// Up.
    Running,
    /// On its way to stopped.
    Stopping,
    /// Down.
    Stopped,
    /// Going down to come up again.
    Rebooting,
    /// Some other work is under way (resize, image, network, migration); it will pass.
    Changing,
    /// The paid term is over.
    Expired,
    /// Broken, by the cloud's own word.
    Failed,
    /// In the recycle bin, or on the way into it.
    Recycled,
    /// Deleted, or being deleted.
    Deleted,
    /// A word that this library does not know; [`Observation::raw`] has it.
    Unknown,
}

impl PowerState {
    /// All states, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Creating,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Rebooting,
        Self::Changing,
        Self::Expired,
        Self::Failed,
        Self::Recycled,
        Self::Deleted,
        Self::Unknown,
    ];

    /// No power action and no waiting leads out of this state.
    pub fn is_stuck(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Failed | Self::Recycled | Self::Deleted
        )
    }

    /// Returns whether an instance in this state moves to `goal` without a further request.
    pub fn is_moving_to(self, goal: Self) -> bool {
        match goal {
            Self::Running => matches!(self, Self::Starting | Self::Rebooting),
            Self::Stopped => self == Self::Stopping,
            _ => false,
        }
    }

    /// The name of the state, in lower case.
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
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A lock that a cloud holds on an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// Locked for security reasons: no power action works until the cloud lifts it.
    Security,
    /// Locked because of the bill.
    Financial,
    /// Locked because it is in the recycle bin.
    Recycling,
    /// Locked for a reason in the cloud's own words.
    Other(String),
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Security => "security",
            Self::Financial => "financial",
            Self::Recycling => "recycling",
            Self::Other(reason) => reason,
        })
    }
}

/// What an instance costs while it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoppedBilling {
    /// It is billed as if it ran.
    Billed,
    /// Compute is not billed.
    NotBilled,
    /// The cloud does not say.
    #[default]
    Unknown,
}

impl StoppedBilling {
    /// The name, in lower case with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::NotBilled => "not-billed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_moving_only_to_the_goal_it_reaches_without_a_request() {
        let moving: Vec<_> = PowerState::ALL
            .iter()
            .flat_map(|state| PowerState::ALL.iter().map(move |goal| (*state, *goal)))
            .filter(|(state, goal)| state.is_moving_to(*goal))
            .collect();
        assert_eq!(
            moving,
            [
                (PowerState::Starting, PowerState::Running),
                (PowerState::Stopping, PowerState::Stopped),
                (PowerState::Rebooting, PowerState::Running),
            ]
        );
    }
}
