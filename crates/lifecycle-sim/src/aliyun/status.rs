//! Alibaba's names for the state of an instance.

use lifecycle_core::ChargeType;

use super::{
    StoppedMode,
    switches::{RebootShows, Switches},
};
use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex},
    instance::InstanceSnapshot,
};

/// The status of an instance: exactly these five values are on the wire (vendor's source;
/// documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InstanceStatus {
    Pending,
    Starting,
    Running,
    Stopping,
    Stopped,
}

impl InstanceStatus {
    /// All values of the filter.
    pub(super) const ALL: [Self; 5] = [
        Self::Pending,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
        }
    }

    /// Converts the state of an instance into a status. Expired and recycled instances are
    /// `Stopped` (documented); a broken disk is invisible (inferred).
    pub(super) fn of(
        view: InstanceSnapshot,
        impairment: Option<Impairment>,
        switches: &Switches,
    ) -> Self {
        match view.state {
            SimulatedState::Creating => Self::Pending,
            SimulatedState::Starting => Self::Starting,
            SimulatedState::Running => Self::Running,
            SimulatedState::Stopping => Self::Stopping,
            SimulatedState::Stopped
            | SimulatedState::Changing
            | SimulatedState::Expired
            | SimulatedState::Recycled => Self::Stopped,
            SimulatedState::Rebooting => rebooting(view.progress, switches.reboot_shows),
            SimulatedState::Failed
                if impairment == Some(Impairment::FailsToBoot) && switches.failed_boot_hangs =>
            {
                Self::Starting
            }
            SimulatedState::Failed => Self::Stopped,
        }
    }
}

fn rebooting(progress: f64, shows: RebootShows) -> InstanceStatus {
    match shows {
        RebootShows::Starting => InstanceStatus::Starting,
        RebootShows::Stopping => InstanceStatus::Stopping,
        RebootShows::StoppingThenStarting if progress < 0.5 => InstanceStatus::Stopping,
        RebootShows::StoppingThenStarting => InstanceStatus::Starting,
    }
}

/// Returns the status that an observation shows.
pub(super) fn observed(cloud: &CloudState, index: InstanceIndex) -> InstanceStatus {
    let impairment = cloud.instance(index).impairment;
    InstanceStatus::of(cloud.observed(index), impairment, &cloud.switches.aliyun)
}

/// Returns the status that decides about an action.
pub(super) fn actual(cloud: &CloudState, index: InstanceIndex) -> InstanceStatus {
    let impairment = cloud.instance(index).impairment;
    InstanceStatus::of(cloud.actual(index), impairment, &cloud.switches.aliyun)
}

/// Returns the stopped mode that an observation shows.
pub(super) fn stopped_mode(
    cloud: &CloudState,
    index: InstanceIndex,
    status: InstanceStatus,
) -> &'static str {
    if status != InstanceStatus::Stopped {
        return "Not-applicable";
    }
    cloud
        .aliyun
        .stopped_modes
        .get(&index)
        .copied()
        .unwrap_or(StoppedMode::KeepCharging)
        .as_str()
}

/// Returns the reason of an operation lock: the documented values, `Recycling` with a capital
/// letter.
pub(super) fn lock_reason(impairment: Option<Impairment>) -> Option<&'static str> {
    match impairment? {
        Impairment::Locked => Some("security"),
        Impairment::Expired | Impairment::Arrears => Some("financial"),
        Impairment::Recycled => Some("Recycling"),
        _ => None,
    }
}

/// The values of the lock reason filter.
pub(super) const LOCK_REASONS: [&str; 5] = [
    "financial",
    "security",
    "Recycling",
    "dedicatedhostfinancial",
    "refunded",
];

/// Reports whether the instance is prepaid. Without a payment method, every eighth instance is, so that tests have both
/// kinds, and expired instances are.
pub(super) fn is_prepaid(cloud: &CloudState, index: InstanceIndex) -> bool {
    if let Some(charge_type) = cloud.details(index).charge_type() {
        return *charge_type == ChargeType::Prepaid;
    }
    let instance = cloud.instance(index);
    instance.number % 8 == 7 || instance.impairment == Some(Impairment::Expired)
}
