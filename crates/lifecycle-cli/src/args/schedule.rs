//! Arguments of the commands that keep a schedule: `plan`, `apply`, `run`, `hold`, `release` and `holds`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{ValueEnum, ValueHint};
use jiff::Timestamp;
use lifecycle_controller::Wanted;

use super::{ConnectionArgs, MetricsArgs};
use crate::completion;

/// The journal of a controller.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ControllerArgs {
    /// The journal, instead of the journal of the configuration file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// Show the plan of this time, for example 2026-10-01T08:00:00+08:00 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,

    /// Show all changes of the next N days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: Option<u16>,

    /// Also look at the machines, and show what lifecycle apply would do now. Without this option no
    /// cloud is called
    #[arg(long, conflicts_with = "at")]
    pub(crate) look: bool,

    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// The arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// Show what would be done; send and record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do nothing if more machines than this number would be started and stopped, instead of
    /// max_changes of the configuration file
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,

    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// The journal, for commands that call no cloud.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StoreArgs {
    /// The journal, instead of the journal of the configuration file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,

    /// The configuration file [default: lifecycle/lifecycle.toml in the user's configuration folder]
    /// [env: LIFECYCLE_CONFIG]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// The state of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HoldState {
    /// The machines run
    Running,
    /// The machines are stopped
    Stopped,
    /// Nobody starts or stops the machines
    AsIs,
}

impl From<HoldState> for Wanted {
    fn from(state: HoldState) -> Self {
        match state {
            HoldState::Running => Self::Running,
            HoldState::Stopped => Self::Stopped,
            HoldState::AsIs => Self::AsIs,
        }
    }
}

/// The arguments of `hold`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldArgs {
    /// A group with a schedule, or the reference of one machine
    #[arg(value_name = "TARGET", add = completion::references())]
    pub(crate) target: String,

    /// The state until the end of the hold
    #[arg(value_enum, value_name = "STATE")]
    pub(crate) state: HoldState,

    /// The end: 22:00 or 2026-11-28T08:00 in the time zone of the group's schedule, a time with an offset
    /// (2026-11-28T08:00:00+08:00), or a time from now (2h)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: String,

    /// The reason, for other people and for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// The arguments of `release`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// The group or the reference of the hold
    #[arg(value_name = "TARGET", add = completion::references())]
    pub(crate) target: String,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// The arguments of `holds`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
