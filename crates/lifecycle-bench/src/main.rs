//! `bench`: benchmarks of the library: cost compared with the lowest possible cost, behaviour at
//! scale, and behaviour under faults.

// The measurements: one module for each part.
mod calls;
mod check;
mod controller;
mod delay;
mod fleet;
mod journal;
mod memory;
mod pace;
mod postgres;
mod reboots;
mod scale;
mod selection;
mod sign;
mod threads;
mod throttle;

// Work of the measurements: requests, the lowest possible cost, and simulated clouds.
mod answers;
mod baseline;
mod count;
mod floor;
mod record;
mod server;
mod simulated;
mod typed;
mod workload;

// Settings and results.
mod curve;
mod machine;
mod probe;
mod rounds;
mod settings;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use lifecycle_bench::BenchResult;

use crate::{
    memory::MemoryProbe,
    settings::BenchSettings,
    table::{Form, Table},
};

/// Measure lifecycle on this machine. See docs/benchmarks.md for what the figures mean.
#[derive(Debug, Parser)]
struct Arguments {
    /// Spend a few tenths of a second on each figure, with less precise results.
    #[arg(long)]
    quick: bool,
    /// Measure one part alone.
    #[arg(long)]
    only: Option<Part>,
    /// Print Markdown, for docs/benchmarks.md.
    #[arg(long)]
    markdown: bool,
    /// Count instructions with valgrind, and fail where there are more than 10 % more than recorded.
    #[arg(long, conflicts_with_all = ["quick", "only", "record"])]
    check: bool,
    /// Count instructions with valgrind, and record the counts for --check.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    record: bool,
    #[command(subcommand)]
    child: Option<ChildProcess>,
}

/// The parts of the benchmarks. Each part has a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Sign,
    Calls,
    Threads,
    Memory,
    Scale,
    Fleet,
    Selection,
    Throttle,
    Pace,
    Delay,
    Reboots,
    Journal,
    Controller,
    Postgres,
}

/// The work of this program when a benchmark starts the program as a child process.
#[derive(Clone, Copy, Debug, Subcommand)]
enum ChildProcess {
    #[command(hide = true)]
    Serve,
    #[command(hide = true)]
    Probe(MemoryProbe),
    #[command(hide = true)]
    Count(count::CountedWork),
    #[command(hide = true)]
    ScaleProbe(scale::Probe),
    #[command(hide = true)]
    FleetProbe(fleet::Probe),
    #[command(hide = true)]
    SelectionProbe(selection::Probe),
    #[command(hide = true)]
    ControllerProbe(controller::Probe),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.child {
        Some(ChildProcess::Serve) => server::serve(),
        Some(ChildProcess::Probe(probe)) => probe.run(),
        Some(ChildProcess::Count(counted)) => counted.run(),
        Some(ChildProcess::ScaleProbe(probe)) => probe.run(),
        Some(ChildProcess::FleetProbe(probe)) => probe.run(),
        Some(ChildProcess::SelectionProbe(probe)) => probe.run(),
        Some(ChildProcess::ControllerProbe(probe)) => probe.run(),
        None => arguments.measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn measure(&self) -> BenchResult<()> {
        if self.check {
            return check::check(self.form());
        }
        if self.record {
            return check::record();
        }
        let settings = if self.quick {
            BenchSettings::QUICK
        } else {
            BenchSettings::FULL
        };
        println!("{}", machine::facts());
        for (part, measure) in MEASUREMENTS {
            if self.only.is_none_or(|only| only == part) {
                println!("\n{}", measure(&settings)?.text(self.form()).trim_end());
            }
        }
        Ok(())
    }

    fn form(&self) -> Form {
        if self.markdown {
            Form::Markdown
        } else {
            Form::Terminal
        }
    }
}

type Measure = fn(&BenchSettings) -> BenchResult<Table>;

const MEASUREMENTS: [(Part, Measure); 16] = [
    (Part::Sign, sign::measure),
    (Part::Calls, calls::measure_calls),
    (Part::Calls, calls::measure_iterations),
    (Part::Threads, threads::measure),
    (Part::Memory, memory::measure),
    (Part::Scale, scale::measure),
    (Part::Fleet, fleet::measure),
    (Part::Selection, selection::measure),
    (Part::Throttle, throttle::measure),
    (Part::Pace, pace::measure_controllers),
    (Part::Pace, pace::measure_buckets),
    (Part::Delay, delay::measure),
    (Part::Reboots, reboots::measure),
    (Part::Journal, journal::measure),
    (Part::Controller, controller::measure),
    (Part::Postgres, postgres::measure),
];
