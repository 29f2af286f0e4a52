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
