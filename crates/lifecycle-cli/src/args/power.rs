//! Arguments of `start`, `stop` and `reboot`.

use std::{path::PathBuf, time::Duration};

use clap::{ValueEnum, ValueHint};
use lifecycle_facade::{
    FailureLimit, LocalDisk, StopBilling, StopMode, Waves,
    config::{failure_limit, time_limit, waves},
};

use super::{ConfirmArgs, ConnectionArgs, InstanceArgs, TableArgs};

/// The arguments of `start`.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) strict: StrictArg,

    /// Repair broken local disks (Alibaba only): ALL DATA ON THESE DISKS IS LOST
    #[arg(long)]
    init_local_disk: bool,

    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

impl StartArgs {
    pub(crate) fn local_disk(&self) -> LocalDisk {
        if self.init_local_disk {
            LocalDisk::Initialize
        } else {
            LocalDisk::Keep
        }
    }
}

/// The arguments of `stop`.
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) force: ForceArg,

    /// Stop gracefully, and force-stop instances that still run after this time, for example 90s.
    /// Data that was not written to disk is lost
    #[arg(long, value_name = "TIME", value_parser = time_limit, conflicts_with_all = ["force", "no_wait"])]
    pub(crate) force_after: Option<Duration>,

    #[command(flatten)]
    pub(crate) strict: StrictArg,

    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,

    /// Billing while stopped: keep or release the compute resources (Alibaba and Baidu)
    #[arg(long, value_enum, value_name = "MODE", default_value_t = BillingArg::Keep)]
    billing: BillingArg,

    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

impl StopArgs {
    pub(crate) fn billing(&self) -> StopBilling {
        match self.billing {
            BillingArg::Keep => StopBilling::Keep,
            BillingArg::Release => StopBilling::Release,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BillingArg {
    /// Keep the compute resources; billing does not change
    Keep,
    /// Release the compute resources; compute is not billed (Alibaba StopCharging, Baidu
    /// stopWithNoCharge). A later start can fail because there is no capacity, and the public IP address
    /// can change
    Release,
}

/// The arguments of `reboot`.
#[derive(Debug, clap::Args)]
pub(crate) struct RebootArgs {
    #[command(flatten)]
    pub(crate) force: ForceArg,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// The `--strict` flag of `start` and `stop`.
#[derive(Debug, clap::Args)]
pub(crate) struct StrictArg {
    /// Read the state first. Report an instance that is already in the requested state as refused,
    /// not as unchanged
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The `--force` flag of `stop` and `reboot`.
#[derive(Debug, clap::Args)]
pub(crate) struct ForceArg {
    /// Cut the power at once, without a shutdown of the system. Data that was not written to disk is lost
    #[arg(long)]
    force: bool,
}

impl ForceArg {
    pub(crate) fn mode(&self) -> StopMode {
        if self.force {
            StopMode::Forced
        } else {
            StopMode::Graceful
        }
    }
}

/// The arguments that all power commands share.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) instances: InstanceArgs,

    /// Wait until a running transition ends, for example a boot before a stop, and send the action then.
    /// Instances that are idle are sent at once
    #[arg(long)]
    pub(crate) when_idle: bool,

    /// Return as soon as the cloud accepts the action; do not wait for the result
    #[arg(long)]
    pub(crate) no_wait: bool,

    /// Work on this many instances at a time, for example 5 or 10%. The next wave starts when every
    /// instance of this wave has a result. --timeout applies to each wave
    #[arg(long, value_name = "SIZE", value_parser = waves, conflicts_with = "no_wait")]
    pub(crate) waves: Option<Waves>,

    /// Wait this long between the last result of a wave and the start of the next wave, for example 2m.
    /// --timeout does not include the pause
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) wave_pause: Option<Duration>,

    /// Start no further wave after this many instances without the requested result, for example 3 or 10% of
    /// all instances [default: 1]
    #[arg(long, value_name = "SIZE", value_parser = failure_limit)]
    pub(crate) stop_after: Option<FailureLimit>,

    /// Send nothing if there are more instances than this
    #[arg(long, value_name = "COUNT", value_parser = count_or_zero)]
    pub(crate) max: Option<usize>,

    /// Record every call in this file before the call is sent. After a crash, lifecycle resume FILE finishes
    /// the request
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,

    /// Show the actions that this command would send, and send none
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// Reads a count, which can be 0.
fn count_or_zero(text: &str) -> Result<usize, String> {
    let invalid = |_| format!("invalid count {text:?}: write a whole number, for example 20");
    text.parse().map_err(invalid)
}
