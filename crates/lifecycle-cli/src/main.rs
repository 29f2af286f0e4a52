//! The command `lifecycle`: starts, stops, reboots, observes and lists virtual machines on four
//! clouds.
//!
//! This file takes the command line apart, picks the clock and gives the exit code; every command
//! has a file of its own in `commands`.

mod args;
mod commands;
mod connect;
mod console;
mod exit;
mod facts;
mod fast_motion;
mod follow;
mod interrupt;
mod keys;
mod output;
mod progress;
mod row;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::Args,
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
    args.console.start_logging();
    let command = commands::run(&args.command, args.console);
    let finished = if args.command.is_simulated() {
        fast_motion::block_on(command)
    } else {
        tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(command))
    };
    finished.map_err(|error| Failure::nothing_done(format!("the runtime cannot start: {error}")))?
}
