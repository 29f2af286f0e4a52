//! `InMemoryRateLimit`: the shared rate limit of the clients of one process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_core::Rate;
use tokio::time::Instant;

use crate::{
    call::rate_limit::Bucket,
    call::shared_rate::{
        PermitLease, PermitRequest, RateChange, RateChanged, RateLimitScope, RejectedKey,
        SharedRate, SharedRateError, SharedRateLimit,
    },
    sync::lock,
};

/// Shares the rate limits of several clients of one process. Cheap to clone: all clones share the buckets.
///
/// Needed only by clients that call the same account and location, but are not clones of one client: for
/// example the clients of two fleets, or of two providers.
///
/// # Examples
/// ```
/// use lifecycle_client::{Client, InMemoryRateLimit, StaticCredential};
/// use lifecycle_core::Credential;
///
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
/// # setup::run(async |client, _| {
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let simulator = lifecycle_sim::Simulator::builder().build();
/// let limit = InMemoryRateLimit::default();
/// let client = |limit: &InMemoryRateLimit| -> Result<Client, Box<dyn std::error::Error>> {
///     let provider = provider_baidu::Baidu::new(provider_baidu::Config::new("bj")?);
///     let key = StaticCredential::new(Credential::keys("id", "secret"));
///     let builder = Client::builder(provider, key, simulator.transport());
///     Ok(builder.shared_rate_limit(limit.clone(), "baidu/bj").build())
/// };
/// let (one, other) = (client(&limit)?, client(&limit)?);
/// # drop((one, other));
/// # Ok(())
/// # }
/// # Ok(())
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemoryRateLimit(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<RateLimitScope, SharedBucket>,
    rejected_keys: Vec<RejectedKey>,
}

#[derive(Debug)]
struct SharedBucket {
    bucket: Bucket,
    configured: Rate,
    version: u64,
    cuts: u64,
    /// The time of the last lease of each client.
    sharers: HashMap<u64, Instant>,
}

/// The maximum number of rejected keys. Session keys change several times a day, and a key of long ago is used no more.
const MAX_REJECTED_KEYS: usize = 100;

/// The time for which a client without leases counts as a sharer.
const SHARER_EXPIRY: Duration = Duration::from_secs(60);

impl SharedBucket {
    fn new(configured: Rate) -> Self {
        Self {
            bucket: Bucket::new(configured, Instant::now()),
            configured,
            version: 0,
            cuts: 0,
            sharers: HashMap::new(),
        }
    }

    /// Begins with another rate. The numbers grow on, so that no sharer takes the old rate for the new one.
    fn begin_anew(&mut self, configured: Rate) {
        *self = Self {
            version: self.version + 1,
            cuts: self.cuts + 1,
            ..Self::new(configured)
        };
    }

    fn rate(&self) -> SharedRate {
        SharedRate {
            rate: self.bucket.rate,
            version: self.version,
            cuts: self.cuts,
        }
    }

    fn lease(&mut self, request: PermitRequest, rejected_keys: &[RejectedKey]) -> PermitLease {
        let now = Instant::now();
        self.sharers.insert(request.sharer, now);
        self.sharers
            .retain(|_, seen| now.saturating_duration_since(*seen) < SHARER_EXPIRY);
        let permits = self.bucket.reserve(request.permits, request.ahead, now);
        PermitLease {
            permits,
            tokens: self.bucket.tokens + f64::from(permits),
            closed_for: self.bucket.closed_for(now),
            rate: self.rate(),
            sharers: self.sharers.len() as u32,
            rejected_keys: rejected_keys.to_vec(),
        }
    }

    fn adapt(&mut self, change: RateChange) -> RateChanged {
        let applied = change.seen == self.version;
        if applied {
            let now = Instant::now();
            self.bucket.set_rate(change.rate, change.is_cut, now);
            self.version += 1;
            self.cuts += u64::from(change.is_cut);
        }
        RateChanged {
            applied,
            now: self.rate(),
        }
    }
}

impl State {
    fn bucket(&mut self, scope: &RateLimitScope) -> Result<&mut SharedBucket, SharedRateError> {
        let bucket = self.buckets.get_mut(scope);
        bucket.ok_or_else(|| SharedRateError::new(format!("no bucket of {scope}: join first")))
    }
}

impl InMemoryRateLimit {
    /// Forgets the rejected keys, and returns their number. Needed after the cloud has enabled a rejected key again without a
    /// change of the key. A client that knows of the rejection still does not use the key: build a new client.
    pub fn forget_rejected_keys(&self) -> usize {
        std::mem::take(&mut lock(&self.0).rejected_keys).len()
    }
}

#[async_trait]
impl SharedRateLimit for InMemoryRateLimit {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        let buckets = &mut lock(&self.0).buckets;
        match buckets.get_mut(scope) {
            Some(bucket) if bucket.configured == configured => {}
            Some(bucket) => bucket.begin_anew(configured),
            None => {
                buckets.insert(scope.clone(), SharedBucket::new(configured));
            }
        }
        Ok(())
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        let mut state = lock(&self.0);
        let keys = state.rejected_keys.clone();
        Ok(state.bucket(scope)?.lease(request, &keys))
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        Ok(lock(&self.0).bucket(scope)?.adapt(change))
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        let mut state = lock(&self.0);
        state.bucket(scope)?.bucket.close(pause, Instant::now());
        Ok(())
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        let mut state = lock(&self.0);
        let bucket = state.bucket(scope)?;
        if bucket.cuts == cuts {
            bucket.bucket.give_back(permits, Instant::now());
        }
        Ok(())
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        let keys = &mut lock(&self.0).rejected_keys;
        if !keys.iter().any(|known| known.digest == key.digest) {
            keys.push(key.clone());
            if keys.len() > MAX_REJECTED_KEYS {
                keys.remove(0);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Rate;

    use super::*;
    use crate::call::{adaptive_rate::AdaptiveRate, shared_rate::LimitedCalls};

    fn scope() -> RateLimitScope {
        RateLimitScope {
            location: "toy".to_owned(),
            calls: LimitedCalls::Reads,
        }
    }

    async fn joined(configured: Rate) -> InMemoryRateLimit {
        let limit = InMemoryRateLimit::default();
        limit.join(&scope(), configured).await.unwrap();
        limit
    }

    /// Leases up to this number of permits, and none in advance.
    async fn lease(limit: &InMemoryRateLimit, sharer: u64, permits: u32) -> PermitLease {
        let request = PermitRequest::new(sharer, permits, Duration::ZERO);
        limit.lease(&scope(), request).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn lease_shows_the_tokens_before_the_lease_and_the_sharers_of_a_minute() {
        let limit = joined(Rate::new(10.0, 5)).await;
        let first = lease(&limit, 1, 2).await;
        assert_eq!((first.permits, first.tokens, first.sharers), (2, 5.0, 1));
        let second = lease(&limit, 2, 9).await;
        assert_eq!((second.permits, second.tokens, second.sharers), (3, 3.0, 2));
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert_eq!(lease(&limit, 2, 0).await.sharers, 2);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(lease(&limit, 2, 0).await.sharers, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn change_is_applied_only_to_the_version_that_the_sharer_has_seen() {
        let limit = joined(Rate::new(10.0, 5)).await;
        let change = async |seen, per_second, is_cut| {
            let change = RateChange::new(seen, AdaptiveRate::new(per_second), is_cut);
            let changed = limit.adapt(&scope(), change).await.unwrap();
            let SharedRate {
                rate,
                version,
                cuts,
            } = changed.now;
            (changed.applied, rate.per_second, version, cuts)
        };
        assert_eq!(change(0, 11.0, false).await, (true, 11.0, 1, 0));
        assert_eq!(change(0, 12.0, false).await, (false, 11.0, 1, 0));
        assert_eq!(change(1, 5.0, true).await, (true, 5.0, 2, 1));
        assert_eq!(change(2, 4.0, true).await, (true, 4.0, 3, 2));
        assert_eq!(lease(&limit, 1, 5).await.permits, 0, "a cut empties");
        // The numbers of another configuration follow the numbers so far.
        limit.join(&scope(), Rate::new(4.0, 5)).await.unwrap();
        let anew = lease(&limit, 1, 1).await;
        assert_eq!((anew.rate.version, anew.rate.cuts), (4, 3));
        assert_eq!((anew.permits, anew.rate.rate.per_second), (1, 4.0));
        limit.join(&scope(), Rate::new(4.0, 5)).await.unwrap();
        assert_eq!(lease(&limit, 1, 0).await.rate, anew.rate, "nothing new");
    }

    #[tokio::test(start_paused = true)]
    async fn permits_from_before_a_cut_are_not_given_back() {
        let limit = joined(Rate::new(10.0, 5)).await;
        assert_eq!(lease(&limit, 1, 5).await.permits, 5);
        limit.give_back(&scope(), 2, 0).await.unwrap();
        limit.give_back(&scope(), 2, 1).await.unwrap();
        assert_eq!(lease(&limit, 1, 5).await.permits, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn pause_is_shown_to_every_sharer_and_an_unknown_scope_is_an_error() {
        let limit = joined(Rate::new(10.0, 5)).await;
        let pause = Duration::from_secs(7);
        limit.close(&scope(), pause).await.unwrap();
        let closed = lease(&limit, 2, 1).await;
        assert_eq!((closed.permits, closed.closed_for), (0, pause));
        let unknown = RateLimitScope {
            calls: LimitedCalls::Writes,
            ..scope()
        };
        let error = limit.close(&unknown, pause).await.unwrap_err().to_string();
        assert!(error.contains("toy writes"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_keys_are_few_and_can_be_forgotten() {
        let limit = joined(Rate::new(1.0, 1)).await;
        let key = |number: usize| RejectedKey {
            digest: number.to_string(),
            code: None,
        };
        for number in [0, 0].into_iter().chain(0..=MAX_REJECTED_KEYS) {
            limit.reject_key(&key(number)).await.unwrap();
        }
        let rejected = lease(&limit, 1, 0).await.rejected_keys;
        assert_eq!(rejected.len(), MAX_REJECTED_KEYS);
        assert_eq!(rejected.first(), Some(&key(1)), "the oldest is forgotten");
        assert_eq!(rejected.last(), Some(&key(MAX_REJECTED_KEYS)));
        assert_eq!(limit.forget_rejected_keys(), MAX_REJECTED_KEYS);
        assert_eq!(lease(&limit, 1, 0).await.rejected_keys, []);
    }
}
