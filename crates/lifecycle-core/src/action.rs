//! What can be asked of an instance.

use std::fmt;

use crate::PowerState;

/// A power action with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Boot a stopped instance.
    Start(StartOptions),
    /// Shut a running instance down.
    Stop(StopOptions),
    /// Shut a running instance down and boot it again.
    Reboot(RebootOptions),
}

impl Action {
    /// The action without its options.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Start(_) => ActionKind::Start,
            Self::Stop(_) => ActionKind::Stop,
            Self::Reboot(_) => ActionKind::Reboot,
        }
    }

    /// Every action with every combination of options.
    pub fn all_variants() -> impl Iterator<Item = Self> {
        let modes = [StopMode::Graceful, StopMode::Forced];
        let starts = [LocalDisk::Keep, LocalDisk::Initialize]
            .map(|local_disk| Self::Start(StartOptions { local_disk }));
        let stops = modes.into_iter().flat_map(|mode| {
            [StopBilling::Keep, StopBilling::Release]
                .map(|billing| Self::Stop(StopOptions { mode, billing }))
        });
        let reboots = modes.map(|mode| Self::Reboot(RebootOptions { mode }));
        starts.into_iter().chain(stops).chain(reboots)
    }

    /// May the same request be sent again when nobody knows whether the first one was carried out?
    ///
    /// This is the one table that decides about repeats; a request that the cloud provably did
    /// not execute may be sent again whatever it says.
    pub fn idempotency(&self) -> Idempotency {
        match self {
            Self::Start(StartOptions {
                local_disk: LocalDisk::Keep,
            }) => Idempotency::Idempotent(
                "an instance that already starts or runs is not started twice",
            ),
            Self::Start(StartOptions {
                local_disk: LocalDisk::Initialize,
            }) => Idempotency::NotIdempotent(
                "a second initialisation would erase what the first boot has written",
            ),
            Self::Stop(_) => {
                Idempotency::Idempotent("an instance that already stops is not stopped twice")
            }
            Self::Reboot(_) => {
                Idempotency::NotIdempotent("a repeat can reboot the instance a second time")
            }
        }
    }
}

impl From<StartOptions> for Action {
    fn from(options: StartOptions) -> Self {
        Self::Start(options)
    }
}

impl From<StopOptions> for Action {
    fn from(options: StopOptions) -> Self {
        Self::Stop(options)
    }
}

impl From<RebootOptions> for Action {
    fn from(options: RebootOptions) -> Self {
        Self::Reboot(options)
    }
}

impl fmt::Display for Action {
    /// The verb and the options that were chosen, such as `stop, forced, billing released`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mode, billing, local_disk) = match self {
            Self::Start(start) => (None, None, Some(start.local_disk)),
            Self::Stop(stop) => (Some(stop.mode), Some(stop.billing), None),
            Self::Reboot(reboot) => (Some(reboot.mode), None, None),
        };
        write!(f, "{}", self.kind())?;
        if mode.is_some_and(StopMode::is_forced) {
            f.write_str(", forced")?;
        }
        if billing.is_some_and(StopBilling::is_release) {
            f.write_str(", billing released")?;
        }
        match local_disk {
            Some(LocalDisk::Initialize) => f.write_str(", local disks initialised"),
            _ => Ok(()),
        }
    }
}

/// Whether an unclear request may be sent again, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// A repeat does no harm.
    Idempotent(&'static str),
    /// A repeat may do harm: look instead.
    NotIdempotent(&'static str),
}

/// The three power actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionKind {
    /// Boot.
    Start,
    /// Shut down.
    Stop,
    /// Shut down and boot.
    Reboot,
}

impl ActionKind {
    /// The state in which an instance is when the action is done.
    pub fn goal(self) -> PowerState {
        match self {
            Self::Start | Self::Reboot => PowerState::Running,
            Self::Stop => PowerState::Stopped,
        }
    }

    /// Returns whether an instance in `state` needs no request: the instance is at the goal, or
    /// moves to the goal already.
    ///
    /// Always false for a reboot: a running instance has not rebooted yet.
    pub fn is_satisfied_by(self, state: PowerState) -> bool {
        self != Self::Reboot && (state == self.goal() || state.is_moving_to(self.goal()))
    }

    /// The English verb, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Options of a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// What happens to local disks.
    pub local_disk: LocalDisk,
}

impl StartOptions {
    /// Sets what happens to the local disks.
    #[must_use]
    pub const fn with_local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.local_disk = local_disk;
        self
    }
}

/// What a start does with the disks that live on the host itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalDisk {
    /// Nothing: the data stays.
    #[default]
    Keep,
    /// Restore the disks to a healthy state after a disk fault. **Their data is lost.**
    ///
    /// Alibaba's `InitLocalDisk`; no other cloud has it.
    Initialize,
}

/// Options of a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopOptions {
    /// How the running system is brought down.
    pub mode: StopMode,
    /// What happens to the bill.
    pub billing: StopBilling,
}

impl StopOptions {
    /// Sets how the running system is brought down.
    #[must_use]
    pub const fn with_mode(mut self, mode: StopMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what happens to the bill.
    #[must_use]
    pub const fn with_billing(mut self, billing: StopBilling) -> Self {
        self.billing = billing;
        self
    }
}

/// Options of a reboot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RebootOptions {
    /// How the running system is brought down.
    pub mode: StopMode,
}

impl RebootOptions {
    /// Sets how the running system is brought down.
    #[must_use]
    pub const fn with_mode(mut self, mode: StopMode) -> Self {
        self.mode = mode;
        self
    }
}

/// How a running system is brought down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopMode {
    /// The system is asked to shut down, and does so in its own time.
    #[default]
    Graceful,
    /// The power is cut. Data that was not written to disk is lost.
    Forced,
}

impl StopMode {
    /// The power is cut.
    pub fn is_forced(self) -> bool {
        match self {
            Self::Graceful => false,
            Self::Forced => true,
        }
    }
}

/// Whether a stopped instance keeps its place and its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopBilling {
    /// The instance keeps its resources and is billed as before.
    #[default]
    Keep,
    /// The instance gives its resources back and costs less while it is stopped. A later start can
    /// fail for lack of stock, and a public address may change.
    ///
    /// Alibaba's `StoppedMode=StopCharging`, Baidu's `stopWithNoCharge`.
    Release,
}

impl StopBilling {
    /// The instance gives its resources back.
    pub fn is_release(self) -> bool {
        match self {
            Self::Keep => false,
            Self::Release => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_is_satisfied_at_its_goal_and_on_the_way_there() {
        let satisfied = |kind: ActionKind| {
            let states = PowerState::ALL.iter();
            states
                .filter(|state| kind.is_satisfied_by(**state))
                .copied()
                .collect::<Vec<_>>()
        };
        assert_eq!(
            satisfied(ActionKind::Start),
            [
                PowerState::Starting,
                PowerState::Running,
                PowerState::Rebooting
            ]
        );
        assert_eq!(
            satisfied(ActionKind::Stop),
            [PowerState::Stopping, PowerState::Stopped]
        );
        assert_eq!(satisfied(ActionKind::Reboot), []);
    }

    #[test]
    fn each_cell_of_the_table_of_repeats() {
        let cells: Vec<(String, bool)> = Action::all_variants()
            .map(|action| {
                let is_safe = matches!(action.idempotency(), Idempotency::Idempotent(_));
                (action.to_string(), is_safe)
            })
            .collect();
        let expected = [
            ("start", true),
            ("start, local disks initialised", false),
            ("stop", true),
            ("stop, billing released", true),
            ("stop, forced", true),
            ("stop, forced, billing released", true),
            ("reboot", false),
            ("reboot, forced", false),
        ];
        assert_eq!(
            cells,
            expected.map(|(action, safe)| (action.to_owned(), safe))
        );
    }
}
