//! The time that goes into the figures.

use std::time::Duration;

/// The time that goes into the figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MeasurementTime {
    /// Rounds for signatures.
    pub(crate) signing: Schedule,
    /// Rounds for calls and turns.
    pub(crate) calling: Schedule,
    /// Turns of a process before its memory is read.
    pub(crate) turns: u64,
    /// Numbers of instances that are started at once, from few to many.
    pub(crate) fleets: [usize; 2],
}

/// Many short rounds, because other work on a machine comes and goes.
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

impl MeasurementTime {
    /// Returns the settings for figures to publish: a few minutes.
    pub(crate) const FULL: Self = Self {
        signing: Schedule::new(151, 5),
        calling: Schedule::new(25, 200),
        turns: 10_000,
        fleets: [10_000, 100_000],
    };

    /// Returns the settings for a quick look: a few tenths of a second per figure.
    pub(crate) const QUICK: Self = Self {
        signing: Schedule::new(31, 3),
        calling: Schedule::new(5, 40),
        turns: 500,
        fleets: [1_000, 10_000],
    };
}
