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

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, time::Duration};

    use clap::Parser;
    use tokio::{runtime::Builder, time::timeout};

    use super::*;
    use crate::args::Args;

    /// The only thread for blocking calls is busy, so a command that reads a file there does not end.
    #[test]
    fn no_command_reads_a_file_on_a_thread_of_the_runtime() {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (release, released) = channel();
        runtime.spawn_blocking(move || released.recv());
        for line in [
            "list baidu/bj --config none",
            "status web --config none",
            "stop web --config none",
            "wait web --config none",
            "credentials --config none",
            "doctor --config none",
            "plan --config none",
            "apply --config none",
            "run --config none",
            "exporter --config none",
            "resume --config none",
            "resume none",
            "history --config none",
            "history web --config none",
            "history none baidu/bj/i-1",
            "hold web stopped --until 2h --why test --config none",
            "release web --config none",
            "holds --config none",
            "holds --journal none",
            "controllers --config none",
            "store check --config none",
        ] {
            let words = ["lifecycle"].into_iter().chain(line.split(' '));
            let args = Args::try_parse_from(words).unwrap();
            let result = runtime.block_on(async {
                let command = run(&args.command, args.console);
                timeout(Duration::from_millis(50), command).await.ok()
            });
            assert!(result.is_none(), "{line}: {result:?}");
        }
        release.send(()).unwrap();
    }
}
