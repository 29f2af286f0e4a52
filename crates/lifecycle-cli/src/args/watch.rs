//! Arguments of `status --watch`.

use std::time::Duration;

use lifecycle_facade::config::time_limit;

use super::state::StateArg;

/// The options of a repeated look.
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// Look again and again, and mark changes, until Ctrl-C. A terminal shows the current states; other
    /// output has one row for each change
    #[arg(long)]
    pub(crate) watch: bool,

    /// With --watch: end with exit code 0 as soon as all instances are in this state
    #[arg(long = "for", value_enum, value_name = "STATE", requires = "watch")]
    pub(super) goal: Option<StateArg>,

    /// With --watch: the time between two looks [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = interval, requires = "watch")]
    pub(crate) interval: Option<Duration>,
}

impl WatchArgs {
    pub(crate) fn goal(&self) -> Option<lifecycle_facade::PowerState> {
        self.goal.map(StateArg::state)
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    time_limit(text)
}
