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
