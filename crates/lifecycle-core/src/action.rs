//! Power actions and their options.

use std::{fmt, str::FromStr};

use crate::PowerState;

/// A power action with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Boots a stopped instance.
    Start(StartOptions),
    /// Shuts a running instance down.
    Stop(StopOptions),
    /// Shuts a running instance down and boots it again.
    Reboot(RebootOptions),
}

impl Action {
    /// Returns the kind of the action, without its options.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Start(_) => ActionKind::Start,
            Self::Stop(_) => ActionKind::Stop,
            Self::Reboot(_) => ActionKind::Reboot,
        }
    }

    /// Returns every action with every combination of options.
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

    /// Returns whether the request may be sent again if the result of the first attempt is unknown.
    ///
    /// This table decides about every repeated request. A request that the cloud did not execute
    /// may always be sent again ([`ExecutionStatus`](crate::ExecutionStatus)).
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
                "a second initialisation would erase the data that the first boot wrote",
            ),
            Self::Stop(_) => {
                Idempotency::Idempotent("an instance that already stops is not stopped twice")
            }
            Self::Reboot(_) => Idempotency::NotIdempotent(
                "a repeated request can reboot the instance a second time",
            ),
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

impl From<ActionKind> for Action {
    /// Returns the action with the default options.
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Start => StartOptions::default().into(),
            ActionKind::Stop => StopOptions::default().into(),
            ActionKind::Reboot => RebootOptions::default().into(),
        }
    }
}

impl fmt::Display for Action {
    /// Writes the verb and the options that differ from the default, such as
    /// `stop, forced, billing released`.
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

/// The answer to the question whether a request may be sent again if the result of the first
/// attempt is unknown, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// The request may be sent again.
    Idempotent(&'static str),
    /// The request must not be sent again. An observation shows the result.
    NotIdempotent(&'static str),
}

/// The three power actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionKind {
    /// Boots a stopped instance.
    Start,
    /// Shuts a running instance down.
    Stop,
    /// Shuts a running instance down and boots it again.
    Reboot,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[Self::Start, Self::Stop, Self::Reboot];

    /// Returns the state of an instance after the action succeeded.
    pub fn goal(self) -> PowerState {
        match self {
            Self::Start | Self::Reboot => PowerState::Running,
            Self::Stop => PowerState::Stopped,
        }
    }

    /// Returns whether an instance in `state` needs no request: the instance is at the goal, or
    /// changes to the goal already.
    ///
    /// Always false for a reboot: `Running` does not show that the instance rebooted.
    pub fn is_satisfied_by(self, state: PowerState) -> bool {
        self != Self::Reboot && (state == self.goal() || state.is_moving_to(self.goal()))
    }

    /// Returns the English verb, in lower case.
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

impl FromStr for ActionKind {
    type Err = ParseActionKindError;

    /// Reads the name that [`as_str`](Self::as_str) returns.
    fn from_str(name: &str) -> Result<Self, ParseActionKindError> {
        let mut kinds = Self::ALL.iter();
        let kind = kinds.find(|kind| kind.as_str() == name);
        kind.copied().ok_or(ParseActionKindError(()))
    }
}

/// A text is not the name of an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown action: write start, stop or reboot")]
pub struct ParseActionKindError(());

/// Options of a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// The treatment of local disks.
    pub local_disk: LocalDisk,
}

impl StartOptions {
    /// Sets the treatment of local disks.
    #[must_use]
    pub const fn with_local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.local_disk = local_disk;
        self
    }
}

/// The treatment of local disks at a start. A local disk is a disk of the host machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalDisk {
    /// Keeps the data.
    #[default]
    Keep,
    /// Restores the disks to a healthy state after a disk fault. **The data of the disks is lost.**
    ///
    /// Alibaba's `InitLocalDisk` of
    /// [StartInstance](https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-startinstance);
    /// the other clouds have no such option.
    Initialize,
}

/// Options of a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopOptions {
    /// The mode of the shutdown.
    pub mode: StopMode,
    /// The billing after the stop.
    pub billing: StopBilling,
}

impl StopOptions {
    /// Sets the mode of the shutdown.
    #[must_use]
    pub const fn with_mode(mut self, mode: StopMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the billing after the stop.
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
    /// The mode of the shutdown.
    pub mode: StopMode,
}

impl RebootOptions {
    /// Sets the mode of the shutdown.
    #[must_use]
    pub const fn with_mode(mut self, mode: StopMode) -> Self {
        self.mode = mode;
        self
    }
}

/// The mode of a shutdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopMode {
    /// The cloud asks the operating system to shut down.
    #[default]
    Graceful,
    /// The cloud cuts the power. Data that is not on disk is lost.
    Forced,
}

impl StopMode {
    /// Returns whether the cloud cuts the power.
    pub fn is_forced(self) -> bool {
        match self {
            Self::Graceful => false,
            Self::Forced => true,
        }
    }
}

/// The resources and the billing of an instance after a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopBilling {
    /// The instance keeps its compute resources and is billed as before.
    #[default]
    Keep,
    /// The instance releases its compute resources and costs less while it is stopped. A later
    /// start can fail because the cloud has no capacity, and a public address may change.
    ///
    /// Alibaba's `StoppedMode=StopCharging`
    /// ([StopInstance](https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-stopinstance)),
    /// Baidu's `stopWithNoCharge` ([stop](https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq)).
    Release,
}

impl StopBilling {
    /// Returns whether the instance releases its compute resources.
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
    fn action_is_satisfied_in_its_goal_state_and_while_changing_to_it() {
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
    fn name_of_a_kind_is_read_back_and_has_the_default_options() {
        for kind in ActionKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(Action::from(*kind).to_string(), kind.as_str());
        }
        let error = "Stop".parse::<ActionKind>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown action: write start, stop or reboot"
        );
    }

    #[test]
    fn only_starts_that_keep_disks_and_stops_may_be_repeated() {
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
