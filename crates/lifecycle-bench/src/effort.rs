//! How much time goes into the figures.

use std::time::Duration;

/// How much time goes into the figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds, in each of which everything that is compared is measured once.
    pub(crate) rounds: usize,
    /// For one measurement of signatures in one round.
    pub(crate) signing: Duration,
    /// For one measurement of calls in one round.
    pub(crate) calling: Duration,
    /// Turns of a process before its memory is read.
    pub(crate) turns: u64,
}

impl Effort {
    /// Figures to trust, in a few minutes.
    pub(crate) const FULL: Self = Self {
        rounds: 15,
        signing: Duration::from_millis(60),
        calling: Duration::from_millis(300),
        turns: 10_000,
    };

    /// Figures to look at, in a few tenths of a second each.
    pub(crate) const QUICK: Self = Self {
        rounds: 5,
        signing: Duration::from_millis(20),
        calling: Duration::from_millis(50),
        turns: 500,
    };
}
