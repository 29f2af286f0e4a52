//! Kills the Temporal server and its worker in the middle of reboots, and counts what the simulated clouds executed.
//!
//! `cargo xtask temporal` starts this program. Each round reboots all machines by workflows, kills the worker, the
//! server or both at a drawn moment, starts them again, and waits for the workflows to end. The reports are compared
//! with the ledger of the simulator.
//!
//! A control group runs beside: the usual activity, without a journal and with retries. Its second executions show that
//! the kills hit.

mod control;
mod judge;
mod processes;
mod stage;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use judge::RoundResults;
use stage::Stage;

/// Kill a Temporal server and its workers in the middle of reboots, and count the reboots
#[derive(Debug, Parser)]
struct Args {
    /// The program `temporal`
    #[arg(long)]
    temporal: PathBuf,
    /// The folder for the database, the journals and the logs; is emptied first
    #[arg(long)]
    folder: PathBuf,
    /// The number of rounds
    #[arg(long, default_value_t = 8)]
    rounds: u32,
    /// The seed of an earlier run
    #[arg(long)]
    seed: Option<u64>,
    /// Judge the control group instead: activities without a journal, with retries
    #[arg(long)]
    unfenced: bool,
    /// Be the worker of the control group, at this server, for this simulator
    #[arg(long, num_args = 2, hide = true)]
    control_worker: Option<Vec<String>>,
}

/// A round with all its waits ends within this time.
const ROUND: Duration = Duration::from_secs(150);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.control_worker {
        Some(parts) => control::worker(&parts[0], &parts[1]).await.map(|()| true),
        None => kill(&args).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("temporal: {error:#}");
            ExitCode::from(3)
        }
    }
}

async fn kill(args: &Args) -> anyhow::Result<bool> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("temporal: seed {seed}, rounds {}", args.rounds);
    let mut stage = Stage::new(&args.temporal, &args.folder, seed).await?;
    let mut results = RoundResults::new(args.unfenced);
    for number in 1..=args.rounds {
        match tokio::time::timeout(ROUND, stage.round(number)).await {
            Ok(round) => results.add(round?),
            Err(_) => {
                println!(
                    "broken: round {number} did not end within {ROUND:?}\n{}",
                    stage.logs()
                );
                return Ok(false);
            }
        }
    }
    results.print();
    if !results.holds() {
        println!("{}", stage.logs());
    }
    Ok(results.holds())
}
