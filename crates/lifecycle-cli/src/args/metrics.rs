//! Arguments of `exporter`, and the address of `run --metrics`.

use std::{net::SocketAddr, time::Duration};

use lifecycle_facade::config::time_limit;

use super::{ConnectionArgs, FilterArgs, LocationArg, simulate::address};
use crate::completion;

/// The address of the metrics of a controller.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct MetricsArgs {
    /// Serve metrics for Prometheus on this address, for example 127.0.0.1:9641, under /metrics
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) metrics: Option<SocketAddr>,
}

/// The help of `--timeout`, which limits the whole command elsewhere.
const REFRESH_LIMIT: &str = "Time limit of a refresh, for example 30s; at most the interval, or 1m for a shorter interval [default: 10m]";

/// The arguments of `exporter`.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("fail_empty", |arg| arg.hide(true)),
    mut_arg("timeout", |arg| arg.help(REFRESH_LIMIT)),
)]
pub(crate) struct ExporterArgs {
    /// Regions, for example baidu/bj, or names of accounts in the configuration file; aliyun/* for all
    /// regions. Default: all accounts in the configuration file
    #[arg(value_name = "CLOUD/REGION", add = completion::locations())]
    pub(crate) locations: Vec<LocationArg>,

    /// Address and port of the metrics; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9641", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// The time between two refreshes; at least 1s. A scrape never calls a cloud
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    pub(crate) interval: Duration,

    /// The most machines with series of their own. The numbers of machines by state count all machines
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) max_machines: usize,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

fn interval(text: &str) -> Result<Duration, String> {
    match time_limit(text)? {
        interval if interval >= Duration::from_secs(1) => Ok(interval),
        _ => Err("the shortest interval is 1s".to_owned()),
    }
}
