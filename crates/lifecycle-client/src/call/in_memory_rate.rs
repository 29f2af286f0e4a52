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
    use crate::call::shared_rate::LimitedCalls;

    #[tokio::test(start_paused = true)]
    async fn rejected_keys_are_few_and_can_be_forgotten() {
        let limit = InMemoryRateLimit::default();
        let scope = RateLimitScope {
            location: "toy".to_owned(),
            calls: LimitedCalls::Reads,
        };
        limit.join(&scope, Rate::new(1.0, 1)).await.unwrap();
        let key = |number: usize| RejectedKey {
            digest: number.to_string(),
            code: None,
        };
        for number in [0, 0].into_iter().chain(0..=MAX_REJECTED_KEYS) {
            limit.reject_key(&key(number)).await.unwrap();
        }
        let request = PermitRequest::new(1, 0, Duration::ZERO);
        let lease = limit.lease(&scope, request).await.unwrap();
        assert_eq!(lease.rejected_keys.len(), MAX_REJECTED_KEYS);
        assert_eq!(lease.rejected_keys.last(), Some(&key(MAX_REJECTED_KEYS)));
        assert_eq!(limit.forget_rejected_keys(), MAX_REJECTED_KEYS);
        let lease = limit.lease(&scope, request).await.unwrap();
        assert_eq!(lease.rejected_keys, []);
    }
}
