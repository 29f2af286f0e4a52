//! The arguments of the command line: one struct for each subcommand.

mod connection;
mod instances;
mod journal;
mod locations;
mod metrics;
mod power;
mod query;
mod schedule;
mod select;
mod shell;
mod simulate;
mod state;
mod store;
mod table;
mod watch;

use clap::{Parser, Subcommand};

pub(crate) use self::{
    connection::ConnectionArgs,
    instances::{InstanceArg, InstanceArgs, is_instance_id},
    journal::{HistoryArgs, ResumeArgs},
    locations::{LocationArg, LocationsArgs},
    metrics::{ExporterArgs, MetricsArgs},
    power::{RebootArgs, RequestArgs, StartArgs, StopArgs},
    query::{ListArgs, StatusArgs, WaitArgs},
    schedule::{
        ApplyArgs, ControllerArgs, HoldArgs, HoldsArgs, PlanArgs, ReleaseArgs, RunArgs, StoreArgs,
    },
    select::{ConfirmArgs, FilterArgs},
    shell::{CompletionsArgs, ManArgs, Shell},
    simulate::{DemoArgs, SimulateArgs},
    store::{ControllersArgs, DatabaseArgs, ManageStore, ManageStoreArgs},
    table::TableArgs,
    watch::WatchArgs,
};
use crate::{console::Console, exit, key_sources};

/// Start, stop, reboot, watch and list instances (virtual machines) in four clouds.
#[derive(Debug, Parser)]
#[command(
    name = "lifecycle",
    version,
    max_term_width = 80,
    after_help = exit::HELP,
    after_long_help = format!("{}\n\n{}", key_sources::help(), exit::HELP),
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) console: Console,
}

/// The subcommand and its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start stopped instances
    #[command(after_help = exit::HELP)]
    Start(StartArgs),
    /// Stop running instances
    #[command(after_help = exit::HELP)]
    Stop(StopArgs),
    /// Reboot running instances, each at most once
    #[command(after_help = exit::HELP)]
    Reboot(RebootArgs),
    /// Finish a request that was recorded with --journal and did not end
    ///
    /// Prints the whole report. Looks at instances whose call has no answer. Starts and stops are sent again
    /// where that is safe, a reboot never. Instances that were never sent are sent. A finished request is
    /// printed again, and nothing is sent.
    #[command(after_help = exit::HELP)]
    Resume(ResumeArgs),
    /// Show who did what to which instance, from the file of --journal or the store of the configuration file
    #[command(after_help = exit::HELP)]
    History(HistoryArgs),
    /// Show the state that each group should have, and the next changes of its schedule
    ///
    /// Reads schedules, kept groups and maintenance from the configuration file. Calls no cloud, except with
    /// --look.
    #[command(after_help = exit::HELP)]
    Plan(PlanArgs),
    /// Start and stop machines as their schedules want it now, once; for cron and timers
    ///
    /// Running it again changes nothing. The journal keeps two such commands from acting at the same time. In a
    /// database, the command acts on the groups that no other controller has.
    #[command(after_help = exit::SCHEDULE_HELP)]
    Apply(ApplyArgs),
    /// Keep the schedules until Ctrl-C or SIGTERM
    ///
    /// Acts at each change of a schedule, and looks at all machines every few minutes (resync). Several such
    /// processes with the same database divide the groups.
    #[command(after_help = exit::SCHEDULE_HELP)]
    Run(RunArgs),
    /// Serve metrics about machines for Prometheus until Ctrl-C; changes nothing
    ///
    /// Looks at the regions in intervals, and serves the states of the machines and the counters of the calls
    /// under /metrics. New machines appear and deleted ones vanish. lifecycle run --metrics shows the machines of
    /// kept groups, with the state that their schedule wants.
    #[command(after_help = exit::EXPORTER_HELP)]
    Exporter(ExporterArgs),
    /// Keep a group or a machine in a state until a time, whatever its schedule says
    #[command(after_help = exit::HELP)]
    Hold(HoldArgs),
    /// End a hold before its time
    #[command(after_help = exit::HELP)]
    Release(ReleaseArgs),
    /// Show the holds
    #[command(name = "holds", after_help = exit::HELP)]
    ListHolds(HoldsArgs),
    /// Show the controllers that share a database, and their groups
    #[command(after_help = exit::HELP)]
    Controllers(ControllersArgs),
    /// Manage the database that several controllers share
    Store(ManageStoreArgs),
    /// Show the states of instances
    #[command(after_help = exit::HELP)]
    Status(StatusArgs),
    /// Wait until instances are running or stopped; changes nothing
    #[command(after_help = exit::HELP)]
    Wait(WaitArgs),
    /// List the instances of regions or accounts
    #[command(after_help = exit::HELP)]
    List(ListArgs),
    /// Show which keys are used, where they were found and when they expire; shows no secrets
    #[command(after_help = exit::HELP)]
    Credentials(LocationsArgs),
    /// Check configuration, network, clock, keys and permissions; changes nothing
    #[command(after_help = exit::HELP)]
    Doctor(LocationsArgs),
    /// Start 60 simulated instances in four clouds; needs no key and no network
    ///
    /// The clouds are simulated inside this process, and their time runs 15 times as fast as real
    /// time. Requests, signatures, polling and rate limits are the same as with real clouds.
    #[command(after_help = exit::HELP)]
    Demo(DemoArgs),
    /// Serve four simulated clouds over HTTP until Ctrl-C
    ///
    /// The first line on standard output is one JSON object with url, access_key, secret_key,
    /// project_id (for Huawei) and instances (their references).
    #[command(after_help = exit::HELP)]
    Simulate(Box<SimulateArgs>),
    /// Print the script that completes command lines in a shell
    ///
    /// bash: add to ~/.bashrc:  source <(lifecycle completions bash)
    /// zsh: add to ~/.zshrc:  source <(lifecycle completions zsh)
    /// fish: lifecycle completions fish > ~/.config/fish/completions/lifecycle.fish
    /// PowerShell: add to $PROFILE:  lifecycle completions powershell | Out-String | Invoke-Expression
    ///
    /// Groups, accounts and regions are completed from the configuration file.
    #[command(after_help = exit::HELP, verbatim_doc_comment)]
    Completions(CompletionsArgs),
    /// Print a manual page: lifecycle man stop > lifecycle-stop.1
    #[command(after_help = exit::HELP)]
    Man(ManArgs),
}

impl Command {
    /// Returns true if the simulated time of the command has no speed limit.
    pub(crate) fn is_at_full_speed(&self) -> bool {
        matches!(self, Self::Demo(args) if args.schedule)
    }

    /// Tells whether the command uses simulated clouds inside this process.
    pub(crate) fn is_simulated(&self) -> bool {
        match self {
            Self::Start(args) => args.request.connection.sim,
            Self::Stop(args) => args.request.connection.sim,
            Self::Reboot(args) => args.request.connection.sim,
            Self::Resume(args) => args.connection.sim,
            Self::Status(args) => args.connection.sim,
            Self::Wait(args) => args.connection.sim,
            Self::List(args) => args.connection.sim,
            Self::Credentials(args) | Self::Doctor(args) => args.connection.sim,
            Self::Plan(args) => args.controller.connection.sim,
            Self::Apply(args) => args.controller.connection.sim,
            Self::Run(args) => args.controller.connection.sim,
            Self::Exporter(args) => args.connection.sim,
            Self::Hold(_) | Self::Release(_) | Self::ListHolds(_) => false,
            Self::Controllers(_) | Self::Store(_) => false,
            Self::Demo(_) => true,
            Self::History(_) | Self::Simulate(_) | Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::simulated_time::SPEED;

    #[test]
    fn help_of_simulated_commands_names_the_speed() {
        let mut args = Args::command();
        for command in ["demo", "start"] {
            let command = args.find_subcommand_mut(command).unwrap();
            let help = command.render_long_help().to_string();
            let words: Vec<&str> = help.split_whitespace().collect();
            let speed = format!("{SPEED} times as fast");
            assert!(words.join(" ").contains(&speed), "{help}");
        }
    }

    #[test]
    fn command_line_definition_passes_the_checks_of_clap() {
        Args::command().debug_assert();
    }
}
