//! `SharedRateLimit`: the rate limit of an account, shared by several clients or programs, and the record of
//! the keys that the cloud rejected.

use std::{error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use lifecycle_core::Rate;

use super::adaptive_rate::AdaptiveRate;

/// Stores the token buckets and the rejected keys that several clients share.
///
/// A cloud limits the calls of an account, and not of a program. Clients with the same `SharedRateLimit` take
/// their permits from one bucket for each [`RateLimitScope`], so that all of them together stay within the
/// limit. A `SharedRateLimit` stores and counts; the [`AdaptiveRate`] is computed by the client.
/// [`InMemoryRateLimit`](crate::InMemoryRateLimit) serves the clients of one process; a database serves
/// several processes. Set with [`ClientBuilder::shared_rate_limit`](crate::ClientBuilder::shared_rate_limit).
///
/// # Failures
/// Each function has a time limit of two seconds. After an error or a late answer, the client limits its calls
/// alone, at its share of the last known rate: the rate divided by the number of sharers. The client tries to
/// return in the background, at growing intervals of up to ten seconds. Rejected keys of other programs are unknown in
/// the meantime.
#[async_trait]
pub trait SharedRateLimit: fmt::Debug + Send + Sync + 'static {
    /// Creates the bucket of a scope. An existing bucket with the same configured rate keeps its state; a
    /// bucket with another configured rate begins anew. A client calls this function before the first lease,
    /// and after each failure.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError>;

    /// Takes permits from the bucket, and returns the state of the bucket. Never waits for tokens.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError>;

    /// Replaces the rate, unless another client has replaced the rate since `change.seen`. A cut also takes
    /// the tokens out of the bucket.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError>;

    /// Issues no permits for `pause`, because the cloud demanded a pause. An earlier, longer pause stays.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError>;

    /// Returns unused permits to the bucket, unless a cut has emptied the bucket since the lease. `cuts` is the number of
    /// cuts at the lease.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError>;

    /// Records a key that the cloud rejected. All later leases, of any scope, name the key.
    ///
    /// # Errors
    /// [`SharedRateError`] if the store cannot be reached.
    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError>;
}

#[async_trait]
impl<S: SharedRateLimit + ?Sized> SharedRateLimit for Arc<S> {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        (**self).join(scope, configured).await
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        (**self).lease(scope, request).await
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        (**self).adapt(scope, change).await
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        (**self).close(scope, pause).await
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        (**self).give_back(scope, permits, cuts).await
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        (**self).reject_key(key).await
    }
}

/// The calls that share one token bucket: the calls of one kind, of one account in one location.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RateLimitScope {
    /// The account and the location, such as `prod@aliyun/cn-hangzhou`. The same for all sharers.
    pub location: String,
    /// The kind of calls.
    pub calls: LimitedCalls,
}

/// Writes the location and the kind of calls, such as `prod@aliyun/cn-hangzhou reads`: a key for a database.
impl fmt::Display for RateLimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.location, self.calls.as_str())
    }
}

/// A kind of calls with a rate limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LimitedCalls {
    /// Calls that change nothing: observations, lists and reads of jobs.
    Reads,
    /// Calls that start, stop or reboot instances.
    Writes,
}

impl LimitedCalls {
    /// Returns `reads` or `writes`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }
}

/// A request for permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermitRequest {
    /// The random number of the client that asks. Each client counts as one sharer.
    pub sharer: u64,
    /// The highest number of permits.
    pub permits: u32,
    /// The time for which tokens may be taken in advance.
    pub ahead: Duration,
}

impl PermitRequest {
    /// Returns a request of a sharer for up to `permits` permits.
    pub fn new(sharer: u64, permits: u32, ahead: Duration) -> Self {
        Self {
            sharer,
            permits,
            ahead,
        }
    }
}

/// The answer to a [`PermitRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct PermitLease {
    /// The number of permits: the requested number, or the tokens in the bucket and the tokens of the time
    /// ahead, if these are fewer.
    pub permits: u32,
    /// The tokens in the bucket before the lease. Each permit beyond these tokens is valid from the time at
    /// which its token arrives.
    pub tokens: f64,
    /// The time until the end of the last [pause](SharedRateLimit::close); zero without a pause.
    pub closed_for: Duration,
    /// The rate.
    pub rate: SharedRate,
    /// The number of clients that took permits in the last minute, this client included.
    pub sharers: u32,
    /// All rejected keys.
    pub rejected_keys: Vec<RejectedKey>,
}

/// The rate of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedRate {
    /// The rate.
    pub rate: AdaptiveRate,
    /// The number of changes of the rate.
    pub version: u64,
    /// The number of cuts among the changes.
    pub cuts: u64,
}

/// A change of the rate of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateChange {
    /// The [version](SharedRate::version) that the client has changed.
    pub seen: u64,
    /// The new rate.
    pub rate: AdaptiveRate,
    /// The change is a cut, because the cloud throttled a call.
    pub is_cut: bool,
}

impl RateChange {
    /// Returns the change of the version `seen` to `rate`.
    pub fn new(seen: u64, rate: AdaptiveRate, is_cut: bool) -> Self {
        Self { seen, rate, is_cut }
    }
}

/// The answer to a [`RateChange`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateChanged {
    /// The bucket has the rate of the change. `false` if another client was faster.
    pub applied: bool,
    /// The rate of the bucket afterwards.
    pub now: SharedRate,
}

/// A key that the cloud rejected. Contains neither the key nor its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RejectedKey {
    /// A digest of the key id, made with the secret (HMAC-SHA256, 64 hexadecimal digits): the same for all
    /// programs with the same key, another one after a change of id, secret or session token. Like a
    /// signature, the digest shows neither key nor id.
    pub digest: String,
    /// The code in the answer of the cloud, such as `InvalidAccessKeyId.NotFound`.
    pub code: Option<String>,
}

/// The failure of a [`SharedRateLimit`].
#[derive(Debug)]
pub struct SharedRateError(Box<dyn error::Error + Send + Sync>);

impl SharedRateError {
    /// Returns the failure for a reason.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::SharedRateError;
    ///
    /// let error = SharedRateError::new("no connection to the database");
    /// assert_eq!(error.to_string(), "no connection to the database");
    /// ```
    pub fn new(reason: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for SharedRateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for SharedRateError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::call::in_memory_rate::InMemoryRateLimit;

    #[test]
    fn scope_has_the_kind_of_calls_in_its_text() {
        for (calls, expected) in [
            (LimitedCalls::Reads, "prod@toy/north reads"),
            (LimitedCalls::Writes, "prod@toy/north writes"),
        ] {
            let location = "prod@toy/north".to_owned();
            assert_eq!(RateLimitScope { location, calls }.to_string(), expected);
        }
    }

    #[test]
    fn error_has_the_causes_of_its_reason() {
        let error = SharedRateError::new("the server was killed");
        assert!(error.source().is_none());
        let cause = SharedRateError::new(std::io::Error::other(error));
        assert_eq!(cause.to_string(), "the server was killed");
        let cause = SharedRateError(Box::new(
            crate::TransportError::unsent("no store").with_source("refused"),
        ));
        assert_eq!(cause.source().unwrap().to_string(), "refused");
    }

    #[tokio::test(start_paused = true)]
    async fn limit_behind_an_arc_answers_as_the_limit_inside() {
        let limit = &Arc::new(InMemoryRateLimit::default());
        let scope = RateLimitScope {
            location: "toy".to_owned(),
            calls: LimitedCalls::Reads,
        };
        let lease = async |permits| {
            let request = PermitRequest::new(1, permits, Duration::ZERO);
            SharedRateLimit::lease(limit, &scope, request).await
        };
        lease(1).await.unwrap_err();
        SharedRateLimit::join(limit, &scope, Rate::new(10.0, 5))
            .await
            .unwrap();
        assert_eq!(lease(5).await.unwrap().permits, 5);
        SharedRateLimit::give_back(limit, &scope, 2, 0)
            .await
            .unwrap();
        let key = RejectedKey {
            digest: "digest".to_owned(),
            code: None,
        };
        SharedRateLimit::reject_key(limit, &key).await.unwrap();
        let found = lease(9).await.unwrap();
        assert_eq!((found.permits, found.rejected_keys), (2, vec![key]));
        let change = RateChange::new(0, AdaptiveRate::new(5.0), true);
        let changed = SharedRateLimit::adapt(limit, &scope, change).await.unwrap();
        assert_eq!((changed.applied, changed.now.version), (true, 1));
        let pause = Duration::from_secs(7);
        SharedRateLimit::close(limit, &scope, pause).await.unwrap();
        assert_eq!(lease(1).await.unwrap().closed_for, pause);
    }
}
