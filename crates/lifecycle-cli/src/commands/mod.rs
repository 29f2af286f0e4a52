//! Dispatch of the subcommands. Each subcommand has a file; the three power commands share a file.

mod completions;
mod credentials;
mod demo;
mod doctor;
mod history;
mod journal;
mod list;
mod man;
mod power;
mod resume;
mod simulate;
mod status;
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
        Command::Credentials(_) | Command::Doctor(_) | Command::History(_) if is_for_instances => {
            Err(output::instances_only(console.output))
        }
        Command::Start(args) => power::start(args, console).await,
        Command::Stop(args) => power::stop(args, console).await,
        Command::Reboot(args) => power::reboot(args, console).await,
        Command::Resume(args) => resume::run(args, console).await,
        Command::History(args) => history::run(args, console).await,
        Command::Status(args) => status::run(args, console).await,
        Command::Wait(args) => wait::run(args, console).await,
        Command::List(args) => list::run(args, console).await,
        Command::Credentials(args) => credentials::run(args, console).await,
        Command::Doctor(args) => doctor::run(args, console).await,
        Command::Demo => demo::run(console).await,
        Command::Simulate(args) => simulate::run(args, console).await,
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}
