//! Arguments of `status`, `wait` and `list`.

use lifecycle_facade::PowerState;

use super::{
    ConnectionArgs, FilterArgs, InstanceArgs, LocationArg, TableArgs, WatchArgs, state::StateArg,
};
use crate::completion;

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) instances: InstanceArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// The arguments of `wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) instances: InstanceArgs,

    /// The state to wait for
    #[arg(long = "for", value_enum, value_name = "STATE", default_value_t = StateArg::Running)]
    goal: StateArg,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

impl WaitArgs {
    pub(crate) fn state(&self) -> PowerState {
        self.goal.state()
    }
}

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Regions, for example baidu/bj, aliyun/cn-hangzhou, huawei/cn-north-4 or zenlayer/global, or
    /// names of accounts in the configuration file; aliyun/* for all regions. Default: all accounts in
    /// the configuration file
    #[arg(value_name = "CLOUD/REGION", add = completion::locations())]
    pub(crate) locations: Vec<LocationArg>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}
