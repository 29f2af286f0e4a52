//! How fast a client calls: a token bucket whose rate follows what the cloud takes.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lifecycle_core::Rate;
use tokio::time::{Instant, sleep_until};

/// A shared queue for calls of one kind. It grants a call or makes it wait, in order of arrival.
///
/// The rate rises by addition while calls succeed, and falls by multiplication when the cloud
/// says that it is too much.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Whose turn it is. Only the one in front looks at the bucket, so nobody is overtaken.
    turn: tokio::sync::Mutex<()>,
    bucket: Option<Mutex<Bucket>>,
}

impl Pacer {
    pub(crate) fn new(rate: Rate) -> Self {
        let bucket = rate
            .per_second
            .is_finite()
            .then(|| Mutex::new(Bucket::new(rate, Instant::now())));
        Self {
            turn: tokio::sync::Mutex::new(()),
            bucket,
        }
    }

    /// Waits until a call may be sent. Dropping the future gives up the place in the queue and
    /// takes nothing.
    pub(crate) async fn acquire(&self) {
        let Some(bucket) = &self.bucket else { return };
        let _turn = self.turn.lock().await;
        loop {
            let ready = lock(bucket).take(Instant::now());
            match ready {
                Ok(()) => return,
                Err(at) => sleep_until(at).await,
            }
        }
    }

    /// The cloud took a call.
    pub(crate) fn succeeded(&self) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).speed_up(Instant::now());
        }
    }

    /// The cloud refused a call as too much, and asked for this wait where it gave a hint.
    pub(crate) fn throttled(&self, hint: Option<Duration>) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).slow_down(Instant::now(), hint);
        }
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    // No code panics while it holds the lock; if it did, the numbers would still be sound.
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    burst: f64,
    rate: f64,
    /// What a second of success adds to the rate, in calls a second.
    step: f64,
    floor: f64,
    filled: Instant,
    /// Nothing is granted before this.
    closed_until: Instant,
    /// Refusals of calls that were already on their way must not slow down twice.
    deaf_until: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let per_second = rate.per_second.max(0.01);
        Self {
            tokens: f64::from(rate.burst.max(1)),
            burst: f64::from(rate.burst.max(1)),
            rate: per_second,
            step: per_second / 20.0,
            floor: per_second.min(0.5),
            filled: now,
            closed_until: now,
            deaf_until: now,
        }
    }

    /// Takes a token, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.closed_until {
            return Err(self.closed_until);
        }
        self.fill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let missing = Duration::from_secs_f64((1.0 - self.tokens) / self.rate);
        // Rounding must not make the queue ask again in the same instant.
        Err(now + missing.max(Duration::from_millis(1)))
    }

    fn fill(&mut self, now: Instant) {
        let from = self.filled.max(self.closed_until);
        let elapsed = now.saturating_duration_since(from).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate).min(self.burst);
        self.filled = now;
    }

    fn speed_up(&mut self, now: Instant) {
        self.fill(now);
        // One step for as many successes as a second brings at the present rate.
        self.rate += self.step / self.rate.max(1.0);
    }

    fn slow_down(&mut self, now: Instant, hint: Option<Duration>) {
        if let Some(hint) = hint {
            self.closed_until = self.closed_until.max(now + hint.min(MAX_HINT));
        }
        if now < self.deaf_until {
            return;
        }
        self.fill(now);
        self.tokens = 0.0;
        self.rate = (self.rate / 2.0).max(self.floor);
        self.deaf_until = now + Duration::from_secs(1);
    }
}

/// A hint longer than this is taken for nonsense, and obeyed this far.
const MAX_HINT: Duration = Duration::from_secs(300);

/// Repeats that clones of a client may still make. Successes pay it back, so that a healthy cloud
/// is retried freely and a broken one is left alone.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    balance: Mutex<f64>,
    limit: f64,
}

impl RetryBudget {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            balance: Mutex::new(f64::from(limit)),
            limit: f64::from(limit),
        }
    }

    /// Takes one repeat from the budget; `false` when it is spent.
    pub(crate) fn withdraw(&self) -> bool {
        let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = *balance >= 1.0;
        if granted {
            *balance -= 1.0;
        }
        granted
    }

    /// A success: pays a fifth of a repeat back.
    pub(crate) fn deposit(&self) {
        let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        *balance = (*balance + 0.2).min(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn grants_the_burst_at_once_and_the_rest_at_the_rate() {
        let pacer = Pacer::new(Rate::new(10.0, 5));
        let start = Instant::now();
        let mut granted = Vec::new();
        for _ in 0..8 {
            pacer.acquire().await;
            granted.push(start.elapsed().as_millis());
        }
        assert_eq!(granted[..5], [0; 5]);
        for (n, at) in granted[5..].iter().enumerate() {
            let due = 100 * (n as u128 + 1);
            assert!((due..=due + 2).contains(at), "{granted:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_hundred_tasks_share_one_rate_in_order() {
        let pacer = Arc::new(Pacer::new(Rate::new(100.0, 1)));
        let start = Instant::now();
        let tasks: Vec<_> = (0..500)
            .map(|_| {
                let pacer = Arc::clone(&pacer);
                tokio::spawn(async move {
                    pacer.acquire().await;
                    start.elapsed()
                })
            })
            .collect();
        let mut last = Duration::ZERO;
        for task in tasks {
            let at = task.await.unwrap();
            assert!(at >= last, "a later task was granted first");
            last = at;
        }
        assert!(last >= Duration::from_millis(4_980), "{last:?}");
        assert!(last <= Duration::from_millis(6_000), "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_closes_the_queue_and_one_burst_of_refusals_counts_once() {
        let pacer = Pacer::new(Rate::new(10.0, 10));
        let start = Instant::now();
        for _ in 0..5 {
            pacer.throttled(Some(Duration::from_secs(7)));
        }
        pacer.acquire().await;
        let first = start.elapsed();
        assert!(first >= Duration::from_secs(7), "{first:?}");
        pacer.acquire().await;
        // Half of ten a second, not a thirty-second of it.
        let gap = start.elapsed() - first;
        assert!((190..=210).contains(&gap.as_millis()), "{gap:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn success_makes_it_faster_again() {
        let pacer = Pacer::new(Rate::new(10.0, 1));
        pacer.throttled(None);
        pacer.acquire().await;
        for _ in 0..200 {
            pacer.succeeded();
        }
        let start = Instant::now();
        for _ in 0..10 {
            pacer.acquire().await;
        }
        assert!(start.elapsed() < Duration::from_millis(1_000));
    }

    #[test]
    fn the_retry_budget_runs_out_and_is_paid_back() {
        let budget = RetryBudget::new(2);
        assert!(budget.withdraw());
        assert!(budget.withdraw());
        assert!(!budget.withdraw());
        for _ in 0..5 {
            budget.deposit();
        }
        assert!(budget.withdraw());
        assert!(!budget.withdraw());
    }
}
