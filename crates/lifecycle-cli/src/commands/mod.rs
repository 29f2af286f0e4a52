//! Dispatch of the subcommands. Each subcommand has a file; the three power commands share a file.

mod apply;
mod completions;
mod controller;
mod credentials;
#[cfg(feature = "postgres")]
mod database;
mod demo;
mod demo_schedule;
mod doctor;
mod exporter;
mod history;
mod hold;
mod journal;
mod list;
mod man;
mod plan;
mod power;
mod resume;
mod simulate;
mod status;
mod store;
mod wait;
mod watch;

use crate::{
    args::Command,
    console::{Console, Format},
    exit::{CommandError, Exit},
    output,
};

/// Runs `command`.
///
/// # Errors
/// If the command fails before there is a result for any instance. Failures of single instances are
/// rows of the output.
pub(crate) async fn run(command: &Command, console: Console) -> Result<Exit, CommandError> {
    let is_for_instances = matches!(console.output, Format::Csv | Format::Ids);
    match command {
        Command::Credentials(_)
        | Command::Doctor(_)
        | Command::History(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Run(_)
        | Command::Exporter(_)
        | Command::Hold(_)
        | Command::Release(_)
        | Command::ListHolds(_)
        | Command::Controllers(_)
        | Command::Store(_)
            if is_for_instances =>
        {
            Err(output::instances_only(console.output))
        }
        Command::Start(args) => power::start(args, console).await,
        Command::Stop(args) => power::stop(args, console).await,
        Command::Reboot(args) => power::reboot(args, console).await,
        Command::Resume(args) => resume::run(args, console).await,
        Command::History(args) => history::run(args, console).await,
        Command::Plan(args) => plan::run(args, console).await,
        Command::Apply(args) => apply::apply(args, console).await,
        Command::Run(args) => apply::run(args, console).await,
        Command::Exporter(args) => exporter::run(args, console).await,
        Command::Hold(args) => hold::hold(args, console).await,
        Command::Release(args) => hold::release(args, console).await,
        Command::ListHolds(args) => hold::holds(args, console).await,
        Command::Controllers(args) => store::controllers(args, console).await,
        Command::Store(args) => store::run(args, console).await,
        Command::Status(args) => status::run(args, console).await,
        Command::Wait(args) => wait::run(args, console).await,
        Command::List(args) => list::run(args, console).await,
        Command::Credentials(args) => credentials::run(args, console).await,
        Command::Doctor(args) => doctor::run(args, console).await,
        Command::Demo(args) if args.schedule => demo_schedule::run(console).await,
        Command::Demo(_) => demo::run(console).await,
        Command::Simulate(args) => simulate::run(args, console).await,
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}
