//! `CallLimits`: the rate limits of the calls of a client, of this client alone or shared with other clients.

use std::{sync::Arc, time::Duration};

use lifecycle_core::{Credential, Fault, Rate, RateLimits};
use tokio::time::Instant;

use crate::call::{
    rate_limit::{Permit, RateLimiter, SHORTEST_WAIT},
    shared_keys::SharedKeys,
    shared_queue::{SharedPermit, SharedQueue},
    shared_rate::{LimitedCalls, RateLimitScope, SharedRateLimit},
};

/// The rate limits of a client.
#[derive(Debug)]
pub(crate) struct CallLimits {
    reads: CallLimit,
    writes: CallLimit,
    /// The keys that the cloud rejected for any sharer; `None` without sharers.
    shared_keys: Option<Arc<SharedKeys>>,
}

/// The setting of a shared rate limit.
#[derive(Clone, Debug)]
pub(crate) struct RateLimitSharing {
    pub(crate) limit: Arc<dyn SharedRateLimit>,
    /// The account and the location, the same for all sharers.
    pub(crate) location: String,
}

impl CallLimits {
    /// Returns the limits of a client of `cloud`. An infinite rate is not shared.
    pub(crate) fn new(
        rates: RateLimits,
        sharing: Option<RateLimitSharing>,
        cloud: &'static str,
        seed: Option<u64>,
    ) -> Self {
        let Some(sharing) = sharing else {
            return Self {
                reads: CallLimit::Own(RateLimiter::new(rates.reads)),
                writes: CallLimit::Own(RateLimiter::new(rates.writes)),
                shared_keys: None,
            };
        };
        let mut random = seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let keys = Arc::new(SharedKeys::new(cloud));
        let mut limit = |rate: Rate, calls| match rate.per_second.is_finite() {
            false => CallLimit::Own(RateLimiter::new(rate)),
            true => {
                let (limit, location) = (Arc::clone(&sharing.limit), sharing.location.clone());
                let scope = RateLimitScope { location, calls };
                let queue = SharedQueue::new(limit, scope, rate, Arc::clone(&keys), random.fork());
                CallLimit::Shared(queue)
            }
        };
        Self {
            reads: limit(rates.reads, LimitedCalls::Reads),
            writes: limit(rates.writes, LimitedCalls::Writes),
            shared_keys: Some(keys),
        }
    }

    /// Returns the limit of one kind of calls.
    pub(crate) fn of(&self, calls: LimitedCalls) -> &CallLimit {
        match calls {
            LimitedCalls::Reads => &self.reads,
            LimitedCalls::Writes => &self.writes,
        }
    }

    /// Returns the fault of the rejection if the cloud has rejected `key` for a sharer.
    pub(crate) fn check_key(&self, key: &Arc<Credential>) -> Result<(), Fault> {
        match &self.shared_keys {
            Some(keys) => keys.check(key),
            None => Ok(()),
        }
    }

    /// Tells all sharers that the cloud rejected `key`.
    pub(crate) fn reject_key(&self, key: &Arc<Credential>, fault: &Fault) {
        let Some(keys) = &self.shared_keys else {
            return;
        };
        let shared = [&self.reads, &self.writes]
            .into_iter()
            .find_map(CallLimit::shared);
        if let (Some(queue), Some(rejected)) = (shared, keys.record(key, fault)) {
            queue.reject_key(rejected);
        }
    }
}

/// The rate limit of the calls of one kind.
#[derive(Debug)]
pub(crate) enum CallLimit {
    /// The limit of one client and its clones.
    Own(RateLimiter),
    /// The limit of several clients.
    Shared(SharedQueue),
}

/// The permission to send one call now. The caller returns the permit with the response.
#[derive(Clone, Debug)]
pub(crate) enum CallPermit {
    Own(Permit),
    /// A permit, and the time in the queue.
    Shared(SharedPermit, Duration),
}

impl CallPermit {
    /// Returns the time in the queue; `None` for a call that went straight through.
    pub(crate) fn waited(&self) -> Option<Duration> {
        match self {
            Self::Own(permit) => permit.waited(),
            Self::Shared(_, waited) => Some(*waited).filter(|waited| *waited >= SHORTEST_WAIT),
        }
    }
}

impl CallLimit {
    /// Waits until a call may be sent.
    pub(crate) async fn acquire(&self) -> CallPermit {
        match self {
            Self::Own(limiter) => CallPermit::Own(limiter.acquire().await),
            // Boxed, so that the future of a client without a shared limit stays small.
            Self::Shared(queue) => {
                let begin = Instant::now();
                let permit = Box::pin(queue.acquire()).await;
                CallPermit::Shared(permit, begin.elapsed())
            }
        }
    }

    /// Records that the cloud accepted the call.
    pub(crate) fn succeeded(&self, permit: &CallPermit) {
        match (self, permit) {
            (Self::Own(limiter), CallPermit::Own(permit)) => limiter.succeeded(*permit),
            (Self::Shared(queue), CallPermit::Shared(permit, _)) => queue.succeeded(permit),
            _ => {}
        }
    }

    /// Records that the cloud throttled the call, and the wait in the response.
    pub(crate) fn throttled(&self, permit: &CallPermit, hint: Option<Duration>) {
        match (self, permit) {
            (Self::Own(limiter), CallPermit::Own(permit)) => limiter.throttled(*permit, hint),
            (Self::Shared(queue), CallPermit::Shared(permit, _)) => queue.throttled(permit, hint),
            _ => {}
        }
    }

    /// Returns the present rate in calls per second; `None` without a limit, and before the first lease of a shared
    /// limit.
    pub(crate) fn per_second(&self) -> Option<f64> {
        match self {
            Self::Own(limiter) => limiter.per_second(),
            Self::Shared(queue) => queue.per_second(),
        }
    }

    fn shared(&self) -> Option<&SharedQueue> {
        match self {
            Self::Own(_) => None,
            Self::Shared(queue) => Some(queue),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::FaultKind;
    use tokio::time::sleep;

    use super::*;
    use crate::call::in_memory_rate::InMemoryRateLimit;

    const SECOND: Duration = Duration::from_secs(1);

    /// Returns the limits of two clients: ten reads a second, and no limit of writes.
    fn limits(sharing: Option<&InMemoryRateLimit>) -> [CallLimits; 2] {
        let rates = RateLimits::new(Rate::new(10.0, 1), Rate::new(f64::INFINITY, 1));
        [1, 2].map(|seed| {
            let sharing = sharing.map(|limit| RateLimitSharing {
                limit: Arc::new(limit.clone()),
                location: "prod@toy/north".to_owned(),
            });
            CallLimits::new(rates, sharing, "toy", Some(seed))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_key_is_known_to_the_sharers_and_to_no_other_client() {
        let key = Arc::new(Credential::keys("id", "wrong"));
        let fault = Fault::new(FaultKind::Credential, "no").with_code("NotFound");
        for (is_shared, memory) in [true, false].map(|it| (it, InMemoryRateLimit::default())) {
            let [one, other] = limits(is_shared.then_some(&memory));
            one.of(LimitedCalls::Reads).acquire().await;
            one.reject_key(&key, &fault);
            sleep(SECOND).await;
            other.check_key(&key).unwrap();
            other.of(LimitedCalls::Reads).acquire().await;
            let found = other.check_key(&key).err();
            let code = found.as_ref().and_then(Fault::code);
            assert_eq!(code, is_shared.then_some("NotFound"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn results_of_calls_change_the_rate_of_every_sharer_or_of_one_client() {
        for (is_shared, memory) in [true, false].map(|it| (it, InMemoryRateLimit::default())) {
            let [one, other] = limits(is_shared.then_some(&memory));
            let [one, other] = [&one, &other].map(|limits| limits.of(LimitedCalls::Reads));
            let per_second = async || {
                sleep(SECOND).await;
                other.acquire().await;
                [one, other].map(|limit| limit.per_second().unwrap())
            };
            assert_eq!(one.per_second(), (!is_shared).then_some(10.0));
            let permit = one.acquire().await;
            assert_eq!(permit.waited(), None);
            one.throttled(&permit, None);
            let rates = per_second().await;
            assert_eq!(rates, [5.0, if is_shared { 5.0 } else { 10.0 }]);
            for _ in 0..20 {
                let permit = one.acquire().await;
                one.succeeded(&permit);
            }
            let [raised, seen] = per_second().await;
            assert!(raised > 5.0, "{raised}");
            assert_eq!(seen, if is_shared { raised } else { 10.0 });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn wait_for_a_shared_permit_is_measured_and_an_infinite_rate_is_not_shared() {
        let memory = InMemoryRateLimit::default();
        let [one, _] = limits(Some(&memory));
        let reads = one.of(LimitedCalls::Reads);
        assert_eq!(reads.acquire().await.waited(), None);
        let waited = reads.acquire().await.waited().unwrap();
        assert_eq!(waited.as_millis(), 100);
        assert!(reads.shared().is_some());
        let writes = one.of(LimitedCalls::Writes);
        assert_eq!(writes.per_second(), None);
        assert!(writes.shared().is_none());
        for _ in 0..100 {
            assert_eq!(writes.acquire().await.waited(), None);
        }
    }
}
