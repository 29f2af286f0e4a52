//! The state of a `SharedQueue`: leased permits, the last known rate, and results to report. Makes no calls.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use lifecycle_core::Rate;
use tokio::time::Instant;

use crate::call::{
    adaptive_rate::{AdaptiveRate, CALM_SUCCESSES},
    rate_limit::{MAX_HINT, Permit, RateLimiter},
    shared_rate::{PermitLease, RejectedKey, SharedRate},
};

pub(super) struct QueueState {
    /// The limiter of this client, during a failure of the shared bucket.
    alone: Option<Arc<RateLimiter>>,
    /// The last known rate; `None` before the first lease.
    seen: Option<SharedRate>,
    sharers: u32,
    /// Leased permits in the order of their times.
    permits: VecDeque<LeasedPermit>,
    /// Issues no permits before this time.
    closed_until: Instant,
    /// Leases no permits before this time, because the bucket is empty.
    lease_from: Instant,
    /// The last lease was empty.
    has_waited: bool,
    /// The permits used since the last lease.
    used: u32,
    leased_at: Instant,
    pub(super) feedback: Feedback,
    /// A task for reports runs.
    pub(super) is_reporting: bool,
    random: fastrand::Rng,
}

/// The permission to send one call now.
#[derive(Clone, Debug)]
pub(crate) enum SharedPermit {
    /// A permit of the shared bucket.
    Leased {
        /// The number of cuts of the rate before the lease.
        cuts: u64,
        /// The call had to wait for a token.
        queued: bool,
    },
    /// A permit of the limiter that replaces the shared bucket during a failure.
    Alone(Permit, Arc<RateLimiter>),
}

struct LeasedPermit {
    /// The time at which the token arrives.
    due: Instant,
    queued: bool,
    /// The number of cuts before the lease.
    cuts: u64,
}

/// The results of calls that the shared bucket does not have yet.
#[derive(Default)]
pub(super) struct Feedback {
    /// The rate to which the results belong.
    pub(super) seen: Option<SharedRate>,
    pub(super) successes: u32,
    /// The number of queued calls among the successes.
    pub(super) queued_successes: u32,
    pub(super) is_throttled: bool,
    pub(super) closed_until: Option<Instant>,
    pub(super) unused: u32,
    pub(super) rejected_keys: Vec<RejectedKey>,
}

/// The next step of the first call in the queue.
pub(super) enum Next {
    Use(SharedPermit),
    Sleep(Instant),
    /// Lease up to this number of permits.
    Lease(u32),
    /// Ask the limiter of this client.
    Alone(Arc<RateLimiter>),
}

impl QueueState {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        let now = Instant::now();
        Self {
            alone: None,
            seen: None,
            sharers: 1,
            permits: VecDeque::new(),
            closed_until: now,
            lease_from: now,
            has_waited: false,
            used: 0,
            leased_at: now,
            feedback: Feedback::default(),
            is_reporting: false,
            random,
        }
    }

    /// Returns the present rate; `None` before the first lease.
    pub(super) fn per_second(&self) -> Option<f64> {
        match &self.alone {
            Some(limiter) => limiter.per_second(),
            None => self.seen.map(|seen| seen.rate.per_second),
        }
    }

    /// Returns the next step of the first of `waiting` calls.
    pub(super) fn next(&mut self, waiting: u32, now: Instant) -> Next {
        if let Some(limiter) = &self.alone {
            return Next::Alone(Arc::clone(limiter));
        }
        if now < self.closed_until {
            return Next::Sleep(self.closed_until);
        }
        self.drop_expired(now);
        match self.permits.front() {
            Some(&LeasedPermit { due, queued, cuts }) if due <= now => {
                self.permits.pop_front();
                self.used = self.used.saturating_add(1);
                Next::Use(SharedPermit::Leased { cuts, queued })
            }
            Some(permit) => Next::Sleep(permit.due),
            None if now < self.lease_from => Next::Sleep(self.lease_from),
            None => Next::Lease(self.wanted(waiting, now)),
        }
    }

    /// Returns the number of permits to lease: enough for all waiting calls and for the calls of the next
    /// [`AHEAD`], but not more than the share of this client in that time.
    fn wanted(&self, waiting: u32, now: Instant) -> u32 {
        let Some(seen) = &self.seen else {
            return 1;
        };
        let ahead = AHEAD.as_secs_f64();
        let share = ahead * seen.rate.per_second / f64::from(self.sharers.max(1));
        let since = now.saturating_duration_since(self.leased_at);
        let recent = f64::from(self.used) * ahead / since.as_secs_f64().max(0.001);
        f64::from(waiting).max(recent).min(share).max(1.0) as u32
    }

    /// Returns the version of the present rate; `None` before the first lease.
    pub(super) fn version(&self) -> Option<u64> {
        self.seen.map(|seen| seen.version)
    }

    /// Records a lease. `known` is the version of the rate at the time of the request for the lease: a
    /// lower version in the response is that of a new bucket, because the store has lost the bucket.
    pub(super) fn leased(&mut self, lease: &PermitLease, known: Option<u64>, now: Instant) {
        if known.is_some_and(|known| lease.rate.version < known) {
            self.forget_results();
            self.seen = None;
        }
        self.see(lease.rate);
        self.sharers = lease.sharers.max(1);
        self.closed_until = self.closed_until.max(now + lease.closed_for.min(MAX_HINT));
        self.used = 0;
        self.leased_at = now;
        let per_second = lease.rate.rate.per_second.max(0.01);
        let arrival = |number: f64| {
            let missing = (number - lease.tokens).max(0.0);
            Duration::from_secs_f64((missing / per_second).min(MAX_HINT.as_secs_f64()))
        };
        for number in 1..=lease.permits {
            let wait = arrival(f64::from(number));
            self.permits.push_back(LeasedPermit {
                due: now + wait,
                queued: self.has_waited || !wait.is_zero(),
                cuts: lease.rate.cuts,
            });
        }
        self.has_waited = lease.permits == 0;
        if lease.permits == 0 && now >= self.closed_until {
            // The time at which a token can be leased in advance. Several sharers wait for this token, so the
            // times of their next leases are spread over a few tokens.
            let wait = arrival(1.0).saturating_sub(AHEAD);
            let spread = f64::from(self.sharers - 1) * self.random.f64() / per_second;
            let spread = Duration::from_secs_f64(spread).min(AHEAD.max(wait));
            self.lease_from = now + (wait + spread).max(Duration::from_millis(1));
        }
    }

    /// Records the rate of the shared bucket.
    pub(super) fn see(&mut self, rate: SharedRate) {
        if let Some(known) = self.seen {
            if known.version > rate.version {
                return;
            }
            if known.cuts != rate.cuts {
                self.forget_results();
            }
        }
        self.seen = Some(rate);
    }

    /// Removes the results from before a cut, or of a lost bucket: the results say nothing about the new rate, and the
    /// new bucket is empty.
    fn forget_results(&mut self) {
        self.feedback.unused = 0;
        self.feedback.successes = 0;
        self.feedback.queued_successes = 0;
        self.feedback.is_throttled = false;
    }

    /// Records the success of a call with a permit from after this number of cuts. Returns whether there is
    /// something to report.
    pub(super) fn succeeded(&mut self, cuts: u64, queued: bool) -> bool {
        let Some(seen) = self.seen.filter(|seen| seen.cuts == cuts) else {
            return false;
        };
        if self.feedback.is_throttled {
            return false;
        }
        self.feedback.successes = self.feedback.successes.saturating_add(1);
        if queued {
            self.feedback.queued_successes = self.feedback.queued_successes.saturating_add(1);
        }
        self.feedback.apply(seen.rate).is_some()
    }

    /// Records a throttled call.
    pub(super) fn throttled(&mut self, cuts: u64, hint: Option<Duration>, now: Instant) {
        if let Some(hint) = hint {
            let until = now + hint.min(MAX_HINT);
            self.closed_until = self.closed_until.max(until);
            self.feedback.closed_until = self.feedback.closed_until.max(Some(until));
        }
        if self.seen.is_some_and(|seen| seen.cuts == cuts) {
            self.feedback.is_throttled = true;
            self.permits.clear();
        }
    }

    /// Returns the results to report; `None` without results.
    pub(super) fn take_feedback(&mut self, now: Instant) -> Option<Feedback> {
        self.drop_expired(now);
        let rejected = !self.feedback.rejected_keys.is_empty();
        let paused = self.feedback.closed_until.is_some();
        let changed = |seen: SharedRate| self.feedback.apply(seen.rate).is_some();
        let is_due =
            rejected || paused || self.feedback.unused > 0 || self.seen.is_some_and(changed);
        if !is_due && self.permits.is_empty() {
            return None;
        }
        let mut feedback = std::mem::take(&mut self.feedback);
        feedback.seen = self.seen;
        Some(feedback)
    }

    /// Returns permits that no call has used in time.
    fn drop_expired(&mut self, now: Instant) {
        let is_expired = |permit: &LeasedPermit| now >= permit.due + AHEAD;
        while let Some(permit) = self.permits.front().filter(|permit| is_expired(permit)) {
            if self.seen.is_some_and(|seen| seen.cuts == permit.cuts) {
                self.feedback.unused += 1;
            }
            self.permits.pop_front();
        }
    }

    pub(super) fn has_permits(&self) -> bool {
        !self.permits.is_empty()
    }

    pub(super) fn is_joined(&self) -> bool {
        self.seen.is_some() && self.alone.is_none()
    }

    pub(super) fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// Returns the rate of this client during a failure of the shared bucket: the last known rate, divided by the
    /// number of sharers. Without a last known rate, a tenth of the configured rate.
    pub(super) fn safe_share(&self, configured: Rate) -> Rate {
        let share = match &self.seen {
            Some(seen) => seen.rate.per_second / f64::from(self.sharers),
            None => configured.per_second / UNKNOWN_SHARERS,
        };
        Rate::new(share, 1)
    }

    /// Limits the calls with the limiter of this client.
    pub(super) fn limit_alone(&mut self, limiter: Arc<RateLimiter>) {
        let rejected_keys = std::mem::take(&mut self.feedback.rejected_keys);
        self.feedback = Feedback {
            rejected_keys,
            ..Feedback::default()
        };
        self.permits.clear();
        self.alone = Some(limiter);
    }

    /// Limits the calls with the shared bucket again.
    pub(super) fn limit_together(&mut self) {
        self.alone = None;
    }
}

impl Feedback {
    /// Returns the rate after the results; `None` if the results change nothing.
    pub(super) fn apply(&self, rate: AdaptiveRate) -> Option<AdaptiveRate> {
        let counts = rate.successes_since_cut < CALM_SUCCESSES && self.successes > 0;
        if !counts && self.queued_successes == 0 && !self.is_throttled {
            return None;
        }
        let mut next = rate;
        for _ in 0..self.successes {
            next.count_success();
        }
        for _ in 0..self.queued_successes {
            next.climb_by_one_call();
        }
        if self.is_throttled {
            next.cut();
        }
        Some(next)
    }
}

/// The number of sharers to expect before the first lease.
const UNKNOWN_SHARERS: f64 = 10.0;

/// The time for which permits are leased in advance. Within this time a client sends at the rate of before a
/// cut by another sharer.
pub(super) const AHEAD: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
