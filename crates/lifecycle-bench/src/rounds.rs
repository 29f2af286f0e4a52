//! Measures several items in turn, in many rounds, so that background load affects all items
//! equally.

use std::{hint::black_box, time::Duration};

use tokio::time::Instant;

/// The costs of `N` items, measured one after the other in each of several rounds.
///
/// A cost is in seconds per piece of work: lower is better.
#[derive(Clone, Debug)]
pub(crate) struct Rounds<const N: usize> {
    rounds: Vec<[f64; N]>,
}

impl<const N: usize> Rounds<N> {
    /// Creates the costs from at least one round.
    pub(crate) fn new(rounds: Vec<[f64; N]>) -> Self {
        Self { rounds }
    }

    /// Returns the undisturbed cost of an item: the lowest cost of all rounds.
    pub(crate) fn best(&self, item: usize) -> f64 {
        let costs = self.rounds.iter().map(|round| round[item]);
        costs.fold(f64::INFINITY, f64::min)
    }

    /// Returns the ratio of two items: the median over the rounds, each of which has measured both
    /// items under the same conditions.
    pub(crate) fn ratio(&self, item: usize, other: usize) -> f64 {
        let ratios = self.rounds.iter().map(|round| round[item] / round[other]);
        median(ratios.collect())
    }
}

/// Returns the median, or NaN without values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (below, above) = values.split_at(values.len() / 2);
    match (below.last(), above.first()) {
        (Some(lower), Some(upper)) if below.len() == above.len() => f64::midpoint(*lower, *upper),
        (_, Some(middle)) => *middle,
        _ => f64::NAN,
    }
}

/// Returns the seconds for one run of `work`, which is repeated for about `span`.
pub(crate) fn cost<T>(span: Duration, mut work: impl FnMut() -> T) -> f64 {
    // The clock is read once per batch, so that reading the clock does not count.
    const BATCH: u32 = 32;
    let (begin, mut runs) = (Instant::now(), 0);
    loop {
        for _ in 0..BATCH {
            black_box(work());
        }
        runs += BATCH;
        let elapsed = begin.elapsed();
        if elapsed >= span {
            return elapsed.as_secs_f64() / f64::from(runs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_cost_is_the_lowest_and_ratio_is_the_median() {
        let rounds = Rounds::new(vec![[1.0, 2.0], [4.0, 2.0], [3.0, 30.0]]);
        assert_eq!(rounds.best(0), 1.0);
        assert_eq!(rounds.best(1), 2.0);
        assert_eq!(rounds.ratio(0, 1), 0.5);
        assert_eq!(rounds.ratio(1, 0), 2.0);
    }

    #[test]
    fn median_of_an_even_number_of_values_is_between_two_values() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn cost_is_the_time_of_one_run() {
        let mut runs = 0;
        let pause = Duration::from_micros(500);
        let seconds = cost(Duration::from_millis(30), || {
            runs += 1;
            std::thread::sleep(pause);
        });
        assert!(runs >= 32, "{runs}");
        assert!(seconds >= pause.as_secs_f64(), "{seconds}");
    }
}
