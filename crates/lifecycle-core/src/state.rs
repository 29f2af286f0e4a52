//! `Observation`, and the types of its fields: `PowerState`, `Lock` and `StoppedBilling`.

use std::fmt;

use crate::{InstanceDetails, InstanceId};

/// The state of one instance at one moment, as the cloud reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The instance.
    pub instance: InstanceId,
    /// The state in the terms of this library.
    pub state: PowerState,
    /// The state in the terms of the cloud, unchanged.
    pub raw: String,
    /// The name that the owner gave to the instance; `None` if the cloud reports no name.
    pub name: Option<String>,
    /// The time of the last start in the format of the cloud; `None` if the cloud reports no time.
    /// Two different values prove that the instance started in between.
    pub started_at: Option<String>,
    /// The lock that keeps the owner from power actions; `None` if the cloud reports no lock.
    pub lock: Option<Lock>,
    /// The billing while the instance is stopped.
    pub stopped_billing: StoppedBilling,
    /// Tags, addresses, type and other facts; `None` if the request did not ask for the details.
    pub details: Option<Box<InstanceDetails>>,
}

impl Observation {
    /// Returns an observation with the state alone. `raw` is the state in the terms of the cloud.
    pub fn new(instance: InstanceId, state: PowerState, raw: impl Into<String>) -> Self {
        Self {
            instance,
            state,
            raw: raw.into(),
            name: None,
            started_at: None,
            lock: None,
            stopped_billing: StoppedBilling::Unknown,
            details: None,
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// Sets the time of the last start, in the format of the cloud.
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

    /// Sets the billing while the instance is stopped.
    #[must_use]
    pub fn with_stopped_billing(mut self, stopped_billing: StoppedBilling) -> Self {
        self.stopped_billing = stopped_billing;
        self
    }

    /// Sets the details.
    #[must_use]
    pub fn with_details(mut self, details: Option<InstanceDetails>) -> Self {
        self.details = details.map(Box::new);
        self
    }
}

/// The state of an instance. The states differ in the actions that are possible next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerState {
    /// The cloud creates the instance, which has not run yet.
    Creating,
    /// The instance boots.
    Starting,
    /// The instance runs.
    Running,
    /// The instance shuts down.
    Stopping,
    /// The instance is off.
    Stopped,
    /// The instance shuts down to boot again.
    Rebooting,
    /// Another temporary operation runs: resize, image, network, migration.
    Changing,
    /// The paid term has ended.
    Expired,
    /// The cloud reports an error of the instance.
    Failed,
    /// The instance is in the recycle bin, or moves to the recycle bin.
    Recycled,
    /// The instance is deleted, or the cloud deletes the instance.
    Deleted,
    /// The state is unknown to this library; see [`Observation::raw`].
    Unknown,
}

impl PowerState {
    /// All states, in the order of the enumeration.
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

    /// Returns `true` if the instance stays unusable: no power action and no waiting makes the instance run or
    /// stop.
    pub fn is_stuck(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Failed | Self::Recycled | Self::Deleted
        )
    }

    /// Returns whether an instance in this state changes to `goal` without a further request.
    pub fn is_moving_to(self, goal: Self) -> bool {
        match goal {
            Self::Running => matches!(self, Self::Starting | Self::Rebooting),
            Self::Stopped => self == Self::Stopping,
            _ => false,
        }
    }

    /// Returns the name of the state, in lower case.
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

/// The reason for which a cloud has locked an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// Security: no power action is possible until the cloud removes the lock.
    Security,
    /// Billing, such as arrears.
    Financial,
    /// The instance is in the recycle bin; see [`PowerState::Recycled`].
    Recycling,
    /// Another reason, in the terms of the cloud.
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

/// The billing of an instance while the instance is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoppedBilling {
    /// Billing continues as for a running instance.
    Billed,
    /// Compute resources are not billed.
    NotBilled,
    /// The cloud reports nothing about billing.
    #[default]
    Unknown,
}

impl StoppedBilling {
    /// Returns the name, in lower case with hyphens.
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

    #[test]
    fn state_is_stuck_if_no_action_and_no_waiting_helps() {
        let stuck: Vec<_> = PowerState::ALL
            .iter()
            .filter(|state| state.is_stuck())
            .map(|state| state.as_str())
            .collect();
        assert_eq!(stuck, ["expired", "failed", "recycled", "deleted"]);
    }

    #[test]
    fn states_and_kinds_of_billing_have_the_words_of_the_command() {
        let names: Vec<_> = PowerState::ALL.iter().map(|state| state.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "creating starting running stopping stopped rebooting changing expired failed recycled \
             deleted unknown"
        );
        for (billing, name) in [
            (StoppedBilling::Billed, "billed"),
            (StoppedBilling::NotBilled, "not-billed"),
            (StoppedBilling::Unknown, "unknown"),
        ] {
            assert_eq!(billing.as_str(), name);
        }
    }
}
