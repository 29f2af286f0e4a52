//! `SharedQueue`: the queue of the calls of one client whose permits come from a [`SharedRateLimit`].
//!
//! The queue leases a few permits at a time and reports the results of the calls in the background, so that no
//! call waits for a report. Without the `SharedRateLimit` the queue limits its calls alone, at a safe share.

mod state;

use std::{
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lifecycle_core::Rate;
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

pub(crate) use self::state::SharedPermit;
use self::state::{AHEAD, Feedback, Next, QueueState};
use crate::{
    call::rate_limit::RateLimiter,
    call::shared_keys::SharedKeys,
    call::shared_rate::{
        PermitRequest, RateChange, RateLimitScope, RejectedKey, SharedRate, SharedRateError,
        SharedRateLimit,
    },
    sync::lock,
};

/// A queue for the calls of one kind. Issues permits in order of arrival.
pub(crate) struct SharedQueue(Arc<Inner>);

struct Inner {
    limit: Arc<dyn SharedRateLimit>,
    scope: RateLimitScope,
    configured: Rate,
    keys: Arc<SharedKeys>,
    /// The number of this client among the sharers.
    sharer: u64,
    /// Held by the first call in the queue, the only call to lease permits.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    state: Mutex<QueueState>,
    /// Ends the delay before the next report.
    urgent: Notify,
    /// The task that returns to the shared bucket.
    rejoining: Mutex<Option<AbortHandle>>,
}

impl SharedQueue {
    pub(crate) fn new(
        limit: Arc<dyn SharedRateLimit>,
        scope: RateLimitScope,
        configured: Rate,
        keys: Arc<SharedKeys>,
        mut random: fastrand::Rng,
    ) -> Self {
        Self(Arc::new(Inner {
            limit,
            scope,
            configured,
            keys,
            sharer: random.u64(..),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            state: Mutex::new(QueueState::new(random)),
            urgent: Notify::new(),
            rejoining: Mutex::default(),
        }))
    }

    /// Waits until a call may be sent. Dropping the future leaves the queue, and keeps leased permits for
    /// the next call. The permits of a lease under way are lost with the answer: at worst the calls are slower for
    /// a moment.
    pub(crate) async fn acquire(&self) -> SharedPermit {
        let inner = &self.0;
        let _waiting = Waiting::new(inner);
        let _turn = inner.turn.lock().await;
        loop {
            let waiting = inner.waiting.load(Ordering::Relaxed);
            let next = lock(&inner.state).next(waiting, Instant::now());
            match next {
                Next::Use(permit) => return permit,
                Next::Sleep(until) => sleep_until(until).await,
                Next::Lease(permits) => inner.lease(permits).await,
                Next::Alone(limiter) => {
                    inner.ensure_rejoining();
                    return SharedPermit::Alone(limiter.acquire().await, limiter);
                }
            }
        }
    }

    /// Returns the present rate of all sharers, or of this client alone during a failure of the shared bucket; `None`
    /// before the first lease.
    pub(crate) fn per_second(&self) -> Option<f64> {
        lock(&self.0.state).per_second()
    }

    /// Records that the cloud accepted the call.
    pub(crate) fn succeeded(&self, permit: &SharedPermit) {
        match permit {
            SharedPermit::Alone(permit, limiter) => limiter.succeeded(*permit),
            SharedPermit::Leased { cuts, queued } => {
                if lock(&self.0.state).succeeded(*cuts, *queued) {
                    self.0.report_soon();
                }
            }
        }
    }

    /// Records that the cloud throttled the call, and the wait in the response.
    pub(crate) fn throttled(&self, permit: &SharedPermit, hint: Option<Duration>) {
        match permit {
            SharedPermit::Alone(permit, limiter) => limiter.throttled(*permit, hint),
            SharedPermit::Leased { cuts, .. } => {
                lock(&self.0.state).throttled(*cuts, hint, Instant::now());
                self.0.report_now();
            }
        }
    }

    /// Tells all sharers that the cloud rejected a key.
    pub(crate) fn reject_key(&self, key: RejectedKey) {
        lock(&self.0.state).feedback.rejected_keys.push(key);
        self.0.report_now();
    }
}

impl Inner {
    /// Leases permits. A failure replaces the shared bucket by a limiter of this client.
    async fn lease(self: &Arc<Self>, permits: u32) {
        match self.try_lease(permits).await {
            Ok(()) => {}
            Err(error) => self.limit_alone(&error),
        }
    }

    async fn try_lease(&self, permits: u32) -> Result<(), SharedRateError> {
        let (is_joined, version) = {
            let state = lock(&self.state);
            (state.is_joined(), state.version())
        };
        let leased = in_time(async {
            if !is_joined {
                self.limit.join(&self.scope, self.configured).await?;
            }
            let request = PermitRequest::new(self.sharer, permits, AHEAD);
            self.limit.lease(&self.scope, request).await
        });
        let mut lease = leased.await?;
        self.keys.update(std::mem::take(&mut lease.rejected_keys));
        lock(&self.state).leased(&lease, version, Instant::now());
        Ok(())
    }

    /// Limits the calls without the shared bucket, and looks for the shared bucket in the background.
    fn limit_alone(self: &Arc<Self>, error: &SharedRateError) {
        let mut state = lock(&self.state);
        if state.is_alone() {
            return;
        }
        let share = state.safe_share(self.configured);
        tracing::warn!(
            scope = %self.scope,
            per_second = share.per_second,
            error = %error,
            "shared rate limit lost: calls are limited by this program alone"
        );
        state.limit_alone(Arc::new(RateLimiter::capped(share)));
        drop(state);
        self.ensure_rejoining();
    }

    /// Starts the task that returns to the shared bucket, also if the task of another call ended with its runtime or by
    /// a panic.
    fn ensure_rejoining(self: &Arc<Self>) {
        let mut rejoining = lock(&self.rejoining);
        if rejoining.as_ref().is_none_or(AbortHandle::is_finished) {
            *rejoining = Some(tokio::spawn(rejoin(Arc::downgrade(self))).abort_handle());
        }
    }

    fn report_now(self: &Arc<Self>) {
        self.urgent.notify_one();
        self.report_soon();
    }

    /// Starts a task that reports the results of calls, if no task runs.
    fn report_soon(self: &Arc<Self>) {
        // A call can be dropped outside of a runtime. Then the report of the next call has its results.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if !std::mem::replace(&mut lock(&self.state).is_reporting, true) {
            runtime.spawn(report(Reporter {
                inner: Arc::clone(self),
                has_ended: false,
            }));
        }
    }

    async fn send(&self, feedback: &mut Feedback) -> Result<(), SharedRateError> {
        while let Some(key) = feedback.rejected_keys.last() {
            in_time(self.limit.reject_key(key)).await?;
            feedback.rejected_keys.pop();
        }
        if let Some(until) = feedback.closed_until.take() {
            let pause = until.saturating_duration_since(Instant::now());
            in_time(self.limit.close(&self.scope, pause)).await?;
        }
        if let Some(seen) = feedback.seen.filter(|_| feedback.unused > 0) {
            in_time(
                self.limit
                    .give_back(&self.scope, feedback.unused, seen.cuts),
            )
            .await?;
        }
        match feedback.seen {
            Some(seen) => self.adapt(seen, feedback).await,
            None => Ok(()),
        }
    }

    /// Changes the rate by the results of the calls. After a change by another sharer the results are applied
    /// to the new rate; results from before another sharer's cut say nothing about the new rate.
    async fn adapt(&self, seen: SharedRate, feedback: &Feedback) -> Result<(), SharedRateError> {
        let mut current = seen;
        for _ in 0..TRIES {
            if current.cuts != seen.cuts {
                break;
            }
            let Some(rate) = feedback.apply(current.rate) else {
                break;
            };
            let change = RateChange::new(current.version, rate, feedback.is_throttled);
            let changed = in_time(self.limit.adapt(&self.scope, change)).await?;
            lock(&self.state).see(changed.now);
            if changed.applied {
                break;
            }
            current = changed.now;
        }
        Ok(())
    }
}

/// The task that reports. The queue starts another task after a panic, and after the end of the runtime.
struct Reporter {
    inner: Arc<Inner>,
    /// The task has ended by itself, and the queue knows.
    has_ended: bool,
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if !self.has_ended {
            lock(&self.inner.state).is_reporting = false;
        }
    }
}

/// Reports the results of calls until there are none.
async fn report(mut reporter: Reporter) {
    let inner = Arc::clone(&reporter.inner);
    loop {
        // Many results make one report.
        let _ = timeout(REPORT_DELAY, inner.urgent.notified()).await;
        let feedback = {
            let mut state = lock(&inner.state);
            // Without the shared bucket, results and rejected keys are reported after the failure.
            let feedback = match state.is_alone() {
                true => None,
                false => state.take_feedback(Instant::now()),
            };
            // Under the same lock: a result of now either is in the feedback, or starts another task.
            state.is_reporting = feedback.is_some();
            feedback
        };
        let Some(mut feedback) = feedback else {
            reporter.has_ended = true;
            return;
        };
        if let Err(error) = inner.send(&mut feedback).await {
            lock(&inner.state)
                .feedback
                .rejected_keys
                .append(&mut feedback.rejected_keys);
            inner.limit_alone(&error);
        }
    }
}

/// Returns to the shared bucket as soon as the bucket answers. Ends with the client.
async fn rejoin(queue: Weak<Inner>) {
    let mut wait = Duration::from_secs(1);
    loop {
        sleep(wait).await;
        wait = (2 * wait).min(LONGEST_REJOIN_WAIT);
        let Some(inner) = queue.upgrade() else {
            return;
        };
        if inner.try_lease(0).await.is_ok() {
            lock(&inner.state).limit_together();
            tracing::info!(scope = %inner.scope, "shared rate limit found again");
            inner.report_now();
            return;
        }
    }
}

/// Waits for an answer of the `SharedRateLimit`, for a limited time.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, SharedRateError>>,
) -> Result<T, SharedRateError> {
    match timeout(TIME_LIMIT, answer).await {
        Ok(result) => result,
        Err(_) => {
            let limit = TIME_LIMIT.as_secs();
            Err(SharedRateError::new(format!("no answer within {limit} s")))
        }
    }
}

/// A call in the queue. The last call to leave the queue has leased permits returned.
struct Waiting<'q>(&'q Arc<Inner>);

impl<'q> Waiting<'q> {
    fn new(queue: &'q Arc<Inner>) -> Self {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let is_last = self.0.waiting.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && lock(&self.0.state).has_permits() {
            self.0.report_soon();
        }
    }
}

impl fmt::Debug for SharedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedQueue")
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}

/// The time for which results are collected before a report.
const REPORT_DELAY: Duration = Duration::from_millis(250);

/// The time limit of one question to the `SharedRateLimit`. A server behind a dead network never answers.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The longest time between two attempts to return to the shared bucket.
const LONGEST_REJOIN_WAIT: Duration = Duration::from_secs(10);

/// The number of attempts to change a rate that other sharers change at the same time.
const TRIES: u32 = 5;

#[cfg(test)]
mod tests;
