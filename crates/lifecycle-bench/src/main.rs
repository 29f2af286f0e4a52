//! `bench`: benchmarks of the library: cost compared with the lowest possible cost, behaviour at
//! scale, and behaviour under faults.

mod answers;
mod baseline;
mod calls;
mod curve;
mod delay;
mod floor;
mod machine;
mod memory;
mod reboots;
mod record;
mod rounds;
mod scale;
mod server;
mod settings;
mod sign;
mod simulated;
mod table;
mod throttle;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use lifecycle_bench::Outcome;

use crate::{
    memory::MemoryProbe,
    settings::BenchSettings,
    table::{Form, Table},
};

/// Measure lifecycle on this machine. See docs/benchmarks.md for what the figures mean.
#[derive(Debug, Parser)]
struct Arguments {
    /// Spend a few tenths of a second on each figure.
    #[arg(long)]
    quick: bool,
    /// Measure one part alone.
    #[arg(long)]
    only: Option<Part>,
    /// Print Markdown, for docs/benchmarks.md.
    #[arg(long)]
    markdown: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Sign,
    Calls,
    Memory,
    Scale,
    Pace,
    Delay,
    Reboots,
}

/// The role of this program when the program runs itself.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Role {
    #[command(hide = true)]
    Serve,
    #[command(hide = true)]
    Probe(MemoryProbe),
    #[command(hide = true)]
    ScaleProbe(scale::Probe),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Serve) => server::serve(),
        Some(Role::Probe(probe)) => probe.run(),
        Some(Role::ScaleProbe(probe)) => probe.run(),
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
    fn measure(&self) -> Outcome<()> {
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

type Measure = fn(&BenchSettings) -> Outcome<Table>;

const MEASUREMENTS: [(Part, Measure); 8] = [
    (Part::Sign, sign::measure),
    (Part::Calls, calls::measure_calls),
    (Part::Calls, calls::measure_iterations),
    (Part::Memory, memory::measure),
    (Part::Scale, scale::measure),
    (Part::Pace, throttle::measure),
    (Part::Delay, delay::measure),
    (Part::Reboots, reboots::measure),
];
