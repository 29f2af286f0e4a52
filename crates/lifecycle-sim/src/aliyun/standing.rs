//! The vendor's words for the state of an instance.

use super::{
    StoppedMode,
    switches::{RebootShows, Switches},
};
use crate::{
    instance::{State, Trouble, View},
    site::{Index, Site},
};

/// The status of an instance: exactly these five are on the wire (vendor's source; documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Pending,
    Starting,
    Running,
    Stopping,
    Stopped,
}

impl Standing {
    /// All words of the filter.
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

    /// The status that a view of an instance comes down to. Expired, recycled and otherwise withheld
    /// instances are `Stopped` (documented); a broken disk shows nowhere (inferred).
    pub(super) fn of(view: View, trouble: Option<Trouble>, switches: &Switches) -> Self {
        match view.state {
            State::Creating => Self::Pending,
            State::Starting => Self::Starting,
            State::Running => Self::Running,
            State::Stopping => Self::Stopping,
            State::Stopped | State::Changing | State::Expired | State::Recycled => Self::Stopped,
            State::Rebooting => rebooting(view.progress, switches.reboot_shows),
            State::Failed if trouble == Some(Trouble::Broken) && switches.failed_boot_hangs => {
                Self::Starting
            }
            State::Failed => Self::Stopped,
        }
    }
}

fn rebooting(progress: f64, shows: RebootShows) -> Standing {
    match shows {
        RebootShows::Starting => Standing::Starting,
        RebootShows::Stopping => Standing::Stopping,
        RebootShows::StoppingThenStarting if progress < 0.5 => Standing::Stopping,
        RebootShows::StoppingThenStarting => Standing::Starting,
    }
}

/// The status that an observation shows.
pub(super) fn shown(site: &Site, index: Index) -> Standing {
    let trouble = site.instance(index).trouble;
    Standing::of(site.shown(index), trouble, &site.switches.aliyun)
}

/// The status that an action is judged by.
pub(super) fn real(site: &Site, index: Index) -> Standing {
    let trouble = site.instance(index).trouble;
    Standing::of(site.truth(index), trouble, &site.switches.aliyun)
}

/// What an observation says of a stopped instance's resources.
pub(super) fn stopped_mode(site: &Site, index: Index, standing: Standing) -> &'static str {
    if standing != Standing::Stopped {
        return "Not-applicable";
    }
    site.aliyun
        .stopped_modes
        .get(&index)
        .copied()
        .unwrap_or(StoppedMode::KeepCharging)
        .as_str()
}

/// Why operations on the instance are locked: the documented words, `Recycling` with a capital letter.
pub(super) fn lock_reason(trouble: Option<Trouble>) -> Option<&'static str> {
    match trouble? {
        Trouble::Locked => Some("security"),
        Trouble::Expired | Trouble::Arrears => Some("financial"),
        Trouble::Recycled => Some("Recycling"),
        _ => None,
    }
}

/// The words of the lock reason filter.
pub(super) const LOCK_REASONS: [&str; 5] = [
    "financial",
    "security",
    "Recycling",
    "dedicatedhostfinancial",
    "refunded",
];

/// Is it paid for by the month? Every eighth is, so that tests meet both kinds, and expired ones are.
pub(super) fn is_prepaid(site: &Site, index: Index) -> bool {
    let instance = site.instance(index);
    instance.number % 8 == 7 || instance.trouble == Some(Trouble::Expired)
}
