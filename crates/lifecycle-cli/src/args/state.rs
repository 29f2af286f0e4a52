//! The states that `--for` can name.

use clap::ValueEnum;
use lifecycle_facade::PowerState;

/// A state that instances reach by a power action.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum StateArg {
    Running,
    Stopped,
}

impl StateArg {
    pub(super) fn state(self) -> PowerState {
        match self {
            Self::Running => PowerState::Running,
            Self::Stopped => PowerState::Stopped,
        }
    }
}
