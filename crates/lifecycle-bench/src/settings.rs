//! Settings of the benchmarks: the number and the length of measurement rounds.

use std::time::Duration;

/// The number and the length of measurement rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BenchSettings {
    /// Rounds for signatures.
    pub(crate) signing: Schedule,
    /// Rounds for calls and iterations.
    pub(crate) calling: Schedule,
    /// Iterations of a process before its memory is read.
    pub(crate) iterations: u64,
    /// Numbers of instances that are started at once, from few to many.
    pub(crate) fleets: [usize; 2],
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
    /// Returns the settings for figures to publish: a few minutes.
    pub(crate) const FULL: Self = Self {
        signing: Schedule::new(151, 5),
        calling: Schedule::new(25, 200),
        iterations: 10_000,
        fleets: [10_000, 100_000],
    };

    /// Returns the settings for a quick look: a few tenths of a second per figure.
    pub(crate) const QUICK: Self = Self {
        signing: Schedule::new(31, 3),
        calling: Schedule::new(5, 40),
        iterations: 500,
        fleets: [1_000, 10_000],
    };
}
