//! The command `lifecycle`: starts, stops, reboots, watches and lists instances in four clouds.
//!
//! This file parses the command line, selects the clock and returns the exit code. Each subcommand
//! has its own file in `commands`.

mod args;
mod blocking;
mod check_result;
mod commands;
mod completion;
mod config_file;
mod console;
mod dry_run;
mod exit;
mod follow;
mod input;
mod interrupt;
mod key_sources;
mod locations;
mod metrics_server;
mod output;
mod progress;
mod progress_state;
mod row;
mod selection;
mod setup;
mod simulated;
mod simulated_time;
mod targets;
mod terminal;
mod usage;

use std::{io, process::ExitCode};

use clap::{CommandFactory, Parser};
use tokio::runtime::Runtime;

use crate::{
    args::Args,
    console::Console,
    exit::{CommandError, Exit},
};

fn main() -> ExitCode {
    completion::answer_script(Args::command);
    let exit = match Args::try_parse() {
        Ok(args) => run(&args),
        Err(error) => return usage::report(error),
    };
    exit.unwrap_or_else(|error| error.print()).into()
}

fn run(args: &Args) -> Result<Exit, CommandError> {
    let console = Console {
        simulated_time: args.command.is_simulated(),
        ..args.console
    };
    console.start_logging();
    let command = commands::run(&args.command, console);
    let result = if args.command.is_at_full_speed() {
        simulated_time::block_on_at_full_speed(command)
    } else if console.simulated_time {
        simulated_time::block_on(command)
    } else {
        block_on(command)
    };
    result
        .map_err(|error| CommandError::nothing_done(format!("the runtime cannot start: {error}")))?
}

fn block_on<F: Future>(command: F) -> io::Result<F::Output> {
    let runtime = Runtime::new()?;
    let output = runtime.block_on(command);
    // Host name lookups can hang, and must not delay the exit.
    runtime.shutdown_background();
    Ok(output)
}
