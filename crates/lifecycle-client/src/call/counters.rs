//! Counters of calls by purpose.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::call::context::CallKind;

/// Calls made by a client and its clones, by purpose. Every attempt counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallCounts {
    /// Power actions.
    pub actions: u64,
    /// Observations of instance states.
    pub observations: u64,
    /// Pages of lists.
    pub pages: u64,
    /// Reads of the progress of jobs.
    pub jobs: u64,
    /// Retries among all of these calls.
    pub repeats: u64,
}

impl CallCounts {
    /// Returns the number of all calls.
    pub fn total(&self) -> u64 {
        self.actions + self.observations + self.pages + self.jobs
    }
}

impl std::ops::AddAssign for CallCounts {
    fn add_assign(&mut self, other: Self) {
        self.actions += other.actions;
        self.observations += other.observations;
        self.pages += other.pages;
        self.jobs += other.jobs;
        self.repeats += other.repeats;
    }
}

/// The counters behind [`CallCounts`].
#[derive(Debug, Default)]
pub(crate) struct CallCounters {
    actions: AtomicU64,
    observations: AtomicU64,
    pages: AtomicU64,
    jobs: AtomicU64,
    repeats: AtomicU64,
}

impl CallCounters {
    /// Counts an attempt.
    pub(crate) fn count(&self, kind: CallKind) {
        let counter = match kind {
            CallKind::Act(_) => &self.actions,
            CallKind::Observe => &self.observations,
            CallKind::List => &self.pages,
            CallKind::Follow => &self.jobs,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a retry, in addition to its attempt.
    pub(crate) fn count_repeat(&self) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> CallCounts {
        CallCounts {
            actions: self.actions.load(Ordering::Relaxed),
            observations: self.observations.load(Ordering::Relaxed),
            pages: self.pages.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            repeats: self.repeats.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Idempotency;

    use super::*;

    /// Returns counts with `n` of each kind, at different decimal places.
    fn counts(n: u64) -> CallCounts {
        CallCounts {
            actions: n,
            observations: 10 * n,
            pages: 100 * n,
            jobs: 1_000 * n,
            repeats: 10_000 * n,
        }
    }

    #[test]
    fn total_has_each_call_once_and_no_repeat() {
        assert_eq!(counts(2).total(), 2_222);
    }

    #[test]
    fn sum_adds_each_kind_to_its_own() {
        let mut sum = counts(2);
        sum += counts(3);
        assert_eq!(sum, counts(5));
    }

    #[test]
    fn call_is_counted_by_its_purpose() {
        let counters = CallCounters::default();
        let act = CallKind::Act(Idempotency::NotIdempotent("reboots again"));
        let kinds = [act, CallKind::Observe, CallKind::List, CallKind::Follow];
        for (times, kind) in (1..).zip(kinds) {
            for _ in 0..times {
                counters.count(kind);
            }
        }
        counters.count_repeat();
        let expected = CallCounts {
            actions: 1,
            observations: 2,
            pages: 3,
            jobs: 4,
            repeats: 1,
        };
        assert_eq!(counters.snapshot(), expected);
    }
}
