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
mod fast_motion;
mod follow;
mod interrupt;
mod keys;
mod output;
mod progress;
mod row;
mod setup;
mod simulated;
mod somewhere;

use std::{io, process::ExitCode};

use clap::Parser;
use tokio::runtime::Runtime;

use crate::{
    args::Args,
    console::Console,
    exit::{Exit, Failure},
};

fn main() -> ExitCode {
    let exit = match Args::try_parse() {
        Ok(args) => run(&args),
        Err(error) => return exit::for_usage(&error),
    };
    exit.unwrap_or_else(|failure| failure.tell()).into()
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = Console {
        in_fast_motion: args.command.is_simulated(),
        ..args.console
    };
    console.start_logging();
    let command = commands::run(&args.command, console);
    let finished = if console.in_fast_motion {
        fast_motion::block_on(command)
    } else {
        block_on(command)
    };
    finished.map_err(|error| Failure::nothing_done(format!("the runtime cannot start: {error}")))?
}

fn block_on<F: Future>(command: F) -> io::Result<F::Output> {
    let runtime = Runtime::new()?;
    let output = runtime.block_on(command);
    // A look-up of a host name that hangs does not keep the command from ending.
    runtime.shutdown_background();
    Ok(output)
}
