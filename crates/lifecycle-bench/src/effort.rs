//! How much time goes into the figures.

use std::time::Duration;

/// How much time goes into the figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// For signatures.
    pub(crate) signing: Schedule,
    /// For calls and turns.
    pub(crate) calling: Schedule,
    /// Turns of a process before its memory is read.
    pub(crate) turns: u64,
    /// How many instances are started at once, from few to many.
    pub(crate) fleets: [usize; 2],
}

/// Many short rounds, because whatever else a machine does comes and goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Rounds, in each of which everything that is compared is measured once.
    pub(crate) rounds: u32,
    /// For each of the measurements of one round.
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

impl Effort {
    /// Figures to trust, in a few minutes.
    pub(crate) const FULL: Self = Self {
        signing: Schedule::new(151, 5),
        calling: Schedule::new(25, 200),
        turns: 10_000,
        fleets: [10_000, 100_000],
    };

    /// Figures to look at, in a few tenths of a second each.
    pub(crate) const QUICK: Self = Self {
        signing: Schedule::new(31, 3),
        calling: Schedule::new(5, 40),
        turns: 500,
        fleets: [1_000, 10_000],
    };
}
