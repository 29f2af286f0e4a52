//! Settings of the benchmarks: the number and the length of measurement rounds.

use std::time::Duration;

/// The number and the length of measurement rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BenchSettings {
    /// Rounds for signatures.
    pub(crate) signing: Schedule,
    /// Rounds for calls and iterations.
    pub(crate) calls: Schedule,
    /// Iterations of a process before its memory is read.
    pub(crate) iterations: u64,
    /// The numbers of instances that are started at once, from few to many.
    pub(crate) fleet_sizes: [usize; 2],
    /// The numbers of instances in forty regions that are started at once, from few to many.
    pub(crate) region_fleet_sizes: [usize; 3],
    /// The time for which several controllers call a cloud with a limit.
    pub(crate) pace_span: Duration,
}

/// A number of short rounds: many short rounds even out other work on the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Rounds; each round measures every compared item once.
    pub(crate) rounds: u32,
    /// Time for each measurement of one round.
    pub(crate) span: Duration,
}

impl Schedule {
    const fn new(rounds: u32, milliseconds: u64) -> Self {
        Self {
            rounds,
            span: Duration::from_millis(milliseconds),
        }
    }
}

impl BenchSettings {
    /// Settings for published results: a few minutes.
    pub(crate) const FULL: Self = Self {
        signing: Schedule::new(151, 5),
        calls: Schedule::new(25, 200),
        iterations: 10_000,
        fleet_sizes: [10_000, 100_000],
        region_fleet_sizes: [10_000, 100_000, 1_000_000],
        pace_span: Duration::from_secs(60),
    };

    /// Settings for a quick run: a few tenths of a second per result.
    pub(crate) const QUICK: Self = Self {
        signing: Schedule::new(31, 3),
        calls: Schedule::new(5, 40),
        iterations: 500,
        fleet_sizes: [1_000, 10_000],
        region_fleet_sizes: [1_000, 10_000, 100_000],
        pace_span: Duration::from_secs(10),
    };
}
