//! The command `lifecycle`: starts, stops, reboots, observes and lists virtual machines on four
//! clouds.
//!
//! This file takes the command line apart, picks the clock and gives the exit code; every command
//! has a file of its own in `commands`.

mod args;
mod commands;
mod console;
mod dry_run;
mod exit;
mod facts;
mod follow;
mod interrupt;
mod keys;
mod output;
mod progress;
mod row;
mod setup;
mod simulated;
mod simulated_time;
mod somewhere;

use std::{io, process::ExitCode};

use clap::Parser;
use tokio::runtime::Runtime;

use crate::{
    args::Args,
    console::Console,
    exit::{CommandError, Exit},
};

fn main() -> ExitCode {
    let exit = match Args::try_parse() {
        Ok(args) => run(&args),
        Err(error) => return exit::for_usage(&error),
    };
    exit.unwrap_or_else(|failure| failure.print()).into()
}

fn run(args: &Args) -> Result<Exit, CommandError> {
    let console = Console {
        in_simulated_time: args.command.is_simulated(),
        ..args.console
    };
    console.start_logging();
    let command = commands::run(&args.command, console);
    let finished = if console.in_simulated_time {
        simulated_time::block_on(command)
    } else {
        block_on(command)
    };
    finished
        .map_err(|error| CommandError::nothing_done(format!("the runtime cannot start: {error}")))?
}

fn block_on<F: Future>(command: F) -> io::Result<F::Output> {
    let runtime = Runtime::new()?;
    let output = runtime.block_on(command);
    // A look-up of a host name that hangs does not keep the command from ending.
    runtime.shutdown_background();
    Ok(output)
}
