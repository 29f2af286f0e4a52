//! The client: one cloud, one key, one pace, shared by all its clones.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use lifecycle_core::{
    Credential, Fault, FaultKind, InstanceId, PowerState, Profile, Provider, RateLimits,
    RebootOptions, StartOptions, StopOptions, is_loopback,
};

#[cfg(feature = "mutations")]
use crate::mutation::Mutation;
use crate::{
    call::clock::{Clock, SystemClock},
    call::clock_skew::ClockSkew,
    call::engine::CallKind,
    call::key_health::KeyHealth,
    call::policy::{RetryPolicy, Timeouts},
    call::rate_limit::{RateLimiter, RetryBudget},
    credentials::{CredentialProvider, StaticCredential},
    error::Error,
    mutation::Mutant,
    observe::list::ListRequest,
    observe::lookup::BatchReadSupport,
    observe::poller::Poller,
    observe::request::ObserveRequest,
    power::request::{PowerRequest, WaitRequest},
    transport::Transport,
};

/// Starts, stops, reboots, observes and lists the instances of one cloud and region.
///
/// Cheap to clone; clones share the pace, the retry budget, the learned clock offset and one
/// poller. Must be used within a tokio runtime with time enabled.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

impl Client {
    /// A client with default settings that sends through `transport`.
    pub fn new(provider: impl Provider, credential: Credential, transport: impl Transport) -> Self {
        Self::builder(provider, StaticCredential::new(credential), transport).build()
    }

    /// A client with settings.
    pub fn builder(
        provider: impl Provider,
        credentials: impl CredentialProvider,
        transport: impl Transport,
    ) -> ClientBuilder {
        ClientBuilder {
            pace: provider.profile().rate_limits,
            provider: Arc::new(provider),
            credentials: Arc::new(credentials),
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            concurrency: 4,
            plain_http: PlainHttp::LoopbackOnly,
            seed: None,
            mutant: Mutant::default(),
        }
    }

    /// Boots stopped instances. Await the result for a [`Report`](crate::Report).
    pub fn start<I>(&self, ids: I) -> PowerRequest<'_, StartOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceId>,
        Error: From<<I::Item as TryInto<InstanceId>>::Error>,
    {
        PowerRequest::new(&self.inner, collect(ids))
    }

    /// Shuts running instances down, gracefully unless told otherwise. Await the result for a
    /// [`Report`](crate::Report).
    pub fn stop<I>(&self, ids: I) -> PowerRequest<'_, StopOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceId>,
        Error: From<<I::Item as TryInto<InstanceId>>::Error>,
    {
        PowerRequest::new(&self.inner, collect(ids))
    }

    /// Shuts running instances down and boots them again, gracefully unless told otherwise. Each
    /// is rebooted at most once, whatever the network does. Await the result for a
    /// [`Report`](crate::Report).
    pub fn reboot<I>(&self, ids: I) -> PowerRequest<'_, RebootOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceId>,
        Error: From<<I::Item as TryInto<InstanceId>>::Error>,
    {
        PowerRequest::new(&self.inner, collect(ids))
    }

    /// Waits until instances are in `goal`, without changing anything.
    pub fn wait<I>(&self, ids: I, goal: PowerState) -> WaitRequest<'_>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceId>,
        Error: From<<I::Item as TryInto<InstanceId>>::Error>,
    {
        WaitRequest::new(&self.inner, collect(ids), goal)
    }

    /// Reads the states of instances once.
    pub fn observe<I>(&self, ids: I) -> ObserveRequest<'_>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceId>,
        Error: From<<I::Item as TryInto<InstanceId>>::Error>,
    {
        ObserveRequest::new(&self.inner, collect(ids))
    }

    /// Reads all instances of the region, page by page.
    pub fn list(&self) -> ListRequest<'_> {
        ListRequest::new(&self.inner)
    }

    /// What is known of the cloud as data.
    pub fn profile(&self) -> &Profile {
        self.inner.provider.profile()
    }

    /// The calls made so far by this client and its clones.
    pub fn calls(&self) -> CallCounts {
        self.inner.calls.snapshot()
    }
}

/// Takes ids as people have them, and folds duplicates.
fn collect<I>(ids: I) -> Result<Vec<InstanceId>, Error>
where
    I: IntoIterator,
    I::Item: TryInto<InstanceId>,
    Error: From<<I::Item as TryInto<InstanceId>>::Error>,
{
    let mut seen = std::collections::HashSet::new();
    let mut unique = Vec::new();
    for id in ids {
        let id = id.try_into()?;
        if seen.insert(id.clone()) {
            unique.push(id);
        }
    }
    Ok(unique)
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    provider: Arc<dyn Provider>,
    credentials: Arc<dyn CredentialProvider>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    pace: RateLimits,
    retry: RetryPolicy,
    timeouts: Timeouts,
    concurrency: usize,
    plain_http: PlainHttp,
    seed: Option<u64>,
    mutant: Mutant,
}

impl ClientBuilder {
    /// Takes wall-clock time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts with this pace instead of the provider's. An infinite rate turns pacing off.
    #[must_use]
    pub fn pace(mut self, pace: RateLimits) -> Self {
        self.pace = pace;
        self
    }

    /// Repeats by this policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Uses these deadlines.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts.finite();
        self
    }

    /// Has at most so many calls of one request under way at a time; at least 1, 4 by default.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Where requests may go without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Draws jitter from this seed, for tests that must repeat exactly.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes this mistake on purpose. For the tests of the engine itself, never for users.
    #[cfg(feature = "mutations")]
    #[doc(hidden)]
    #[must_use]
    pub fn mutation(mut self, mutation: Mutation) -> Self {
        self.mutant = Mutant(Some(mutation));
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        let chance = self
            .seed
            .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Client {
            inner: Arc::new(Inner {
                reads: RateLimiter::new(self.pace.reads),
                writes: RateLimiter::new(self.pace.writes),
                retry_budget: RetryBudget::new(self.retry.budget),
                provider: self.provider,
                credentials: self.credentials,
                transport: self.transport,
                clock: self.clock,
                retry: self.retry,
                timeouts: self.timeouts,
                concurrency: self.concurrency,
                plain_http: self.plain_http,
                chance: Mutex::new(chance),
                mutant: self.mutant,
                trust: KeyHealth::default(),
                skew: ClockSkew::default(),
                batch_reads: BatchReadSupport::default(),
                poller: Poller::default(),
                calls: CallCounters::default(),
            }),
        }
    }
}

/// Where requests may go without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainHttp {
    /// To this machine only.
    #[default]
    LoopbackOnly,
    /// Anywhere. Everybody on the way can read the answers and repeat the requests.
    Anywhere,
}

/// Calls made, by purpose. Every attempt counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallCounts {
    /// Power actions.
    pub actions: u64,
    /// Observations.
    pub observations: u64,
    /// Pages of lists.
    pub pages: u64,
    /// Looks at jobs.
    pub jobs: u64,
    /// Of all of these, how many were repeats.
    pub repeats: u64,
}

impl CallCounts {
    /// All calls.
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

/// What all clones of a client share.
pub(crate) struct Inner {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) concurrency: usize,
    pub(crate) plain_http: PlainHttp,
    reads: RateLimiter,
    writes: RateLimiter,
    pub(crate) retry_budget: RetryBudget,
    chance: Mutex<fastrand::Rng>,
    pub(crate) mutant: Mutant,
    pub(crate) trust: KeyHealth,
    pub(crate) skew: ClockSkew,
    pub(crate) batch_reads: BatchReadSupport,
    pub(crate) poller: Poller,
    pub(crate) calls: CallCounters,
}

impl Inner {
    pub(crate) fn pacer(&self, purpose: CallKind) -> &RateLimiter {
        match purpose {
            CallKind::Act(_) => &self.writes,
            CallKind::Observe | CallKind::List | CallKind::Follow => &self.reads,
        }
    }

    /// A number from 0 up to 1, drawn evenly.
    pub(crate) fn chance(&self) -> f64 {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance.f64()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.provider)
            .field("credentials", &self.credentials)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// Refuses to send anything readable over a network.
pub(crate) fn admit_address(uri: &http::Uri, plain_http: PlainHttp) -> Result<(), Fault> {
    let encrypted = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    if encrypted || plain_http == PlainHttp::Anywhere || is_loopback(uri.host().unwrap_or_default())
    {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Unsupported,
        format!(
            "plain HTTP to {} is not allowed: use https, or allow plain HTTP explicitly",
            uri.host().unwrap_or_default()
        ),
    ))
}

#[derive(Debug, Default)]
pub(crate) struct CallCounters {
    actions: AtomicU64,
    observations: AtomicU64,
    pages: AtomicU64,
    jobs: AtomicU64,
    pub(crate) repeats: AtomicU64,
}

impl CallCounters {
    pub(crate) fn count(&self, purpose: CallKind) {
        let counter = match purpose {
            CallKind::Act(_) => &self.actions,
            CallKind::Observe => &self.observations,
            CallKind::List => &self.pages,
            CallKind::Follow => &self.jobs,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn snapshot(&self) -> CallCounts {
        CallCounts {
            actions: self.actions.load(Ordering::Relaxed),
            observations: self.observations.load(Ordering::Relaxed),
            pages: self.pages.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            repeats: self.repeats.load(Ordering::Relaxed),
        }
    }
}
