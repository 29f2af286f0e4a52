//! `Client`: the public handle on one cloud and region, and its builder.

mod execution;
mod list_request;
mod observe_request;
mod power_request;
mod request_span;
mod selection;
mod target;
mod wait_request;

use std::sync::Arc;

use lifecycle_core::{
    Action, Credential, PollingPolicy, PowerState, Profile, Provider, RateLimits, RebootOptions,
    Region, StartOptions, StopOptions,
};

#[cfg(feature = "mutations")]
use crate::mutation::Mutation;
use crate::{
    call::call_limit::RateLimitSharing,
    call::clock::{Clock, SystemClock},
    call::counters::CallCounts,
    call::credential::{CredentialProvider, StaticCredential},
    call::engine::{Engine, EngineConfig},
    call::key_health::AccessKeyRecord,
    call::policy::{RetryPolicy, Timeouts},
    call::shared_rate::SharedRateLimit,
    call::stats::{ClientLabels, ClientStats, StatsObserver},
    error::Error,
    mutation::Mutant,
    observe::observer::Observer,
    observe::regions::regions,
    transport::{Transport, plain_http::PlainHttp},
};

pub use list_request::ListRequest;
pub use observe_request::ObserveRequest;
pub use power_request::PowerRequest;
pub use selection::{SelectFuture, SelectInstances, SelectedInstances};
pub use target::{IntoInstances, Target, distinct_instances};
pub use wait_request::WaitRequest;

/// Starts, stops, reboots, observes and lists the instances of one cloud and region.
///
/// Cheap to clone: all clones share the rate limits, the retry budget, the clock skew and one poller.
/// Needs a tokio runtime with enabled time.
#[derive(Clone, Debug)]
pub struct Client {
    observer: Arc<Observer>,
}

impl Client {
    /// Returns a client with default settings that sends through `transport`.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Client;
    /// use lifecycle_sim::{Cloud, Simulator};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A real program takes the key from its environment, and sends through `HttpTransport`.
    /// let simulator = Simulator::builder().fleet("baidu/bj=1")?.build();
    /// let provider = provider_baidu::Baidu::new(provider_baidu::Config::new("bj")?);
    /// let key = simulator.credential(Cloud::Baidu);
    /// let client = Client::new(provider, key, simulator.transport());
    /// assert_eq!(client.profile().cloud, "baidu");
    /// # Ok(())
    /// # }
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(provider: impl Provider, credential: Credential, transport: impl Transport) -> Self {
        Self::builder(provider, StaticCredential::new(credential), transport).build()
    }

    /// Returns a builder with default settings.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{Client, StaticCredential};
    /// use lifecycle_sim::{Cloud, Simulator};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let simulator = Simulator::builder().fleet("baidu/bj=1")?.build();
    /// let provider = provider_baidu::Baidu::new(provider_baidu::Config::new("bj")?);
    /// let key = StaticCredential::new(simulator.credential(Cloud::Baidu));
    /// let client = Client::builder(provider, key, simulator.transport())
    ///     .clock(simulator.clock())
    ///     .concurrency(8)
    ///     .build();
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// # Ok(())
    /// # });
    /// ```
    pub fn builder(
        provider: impl Provider,
        credentials: impl CredentialProvider,
        transport: impl Transport,
    ) -> ClientBuilder {
        let provider_cloud = provider.profile().cloud;
        ClientBuilder {
            config: EngineConfig {
                rate_limits: provider.profile().rate_limits,
                polling: provider.profile().polling,
                provider: Arc::new(provider),
                credentials: Arc::new(credentials),
                transport: Arc::new(transport),
                clock: Arc::new(SystemClock),
                retry: RetryPolicy::default(),
                timeouts: Timeouts::default(),
                concurrency: 4,
                plain_http: PlainHttp::LoopbackOnly,
                access_keys: AccessKeyRecord::default(),
                labels: ClientLabels::new(provider_cloud, "", ""),
                stats_observer: None,
                shared_rate_limit: None,
                seed: None,
                mutant: Mutant::default(),
            },
        }
    }

    /// Performs an action on instances: the options of a start, a stop or a reboot, an [`Action`] that is
    /// known only at run time, or an [`ActionKind`](lifecycle_core::ActionKind) with the default options.
    /// Await the request for a [`Report`](crate::Report).
    ///
    /// The type of `action` selects the further options: only a request with [`StopOptions`] has
    /// [`billing`](PowerRequest::billing).
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    /// use lifecycle_core::ActionKind;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// // The name of the action is data, for example from a request to a service.
    /// let action: ActionKind = "start".parse()?;
    /// let report = client.act(action, &ids).wait(WaitTimeout::minutes(5)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn act<O: Into<Action>>(
        &self,
        action: O,
        instances: impl IntoInstances,
    ) -> PowerRequest<O> {
        PowerRequest::new(self.clone(), instances, action)
    }

    /// Starts stopped instances. Await the request for a [`Report`](crate::Report).
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start(&ids).wait(WaitTimeout::minutes(5)).await?;
    /// for row in &report {
    ///     println!("{}: {}", row.instance, row.outcome);
    /// }
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn start(&self, instances: impl IntoInstances) -> PowerRequest<StartOptions> {
        self.act(StartOptions::default(), instances)
    }

    /// Stops running instances, gracefully by default. Await the request for a
    /// [`Report`](crate::Report).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_client::WaitTimeout;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(WaitTimeout::minutes(5)).await?;
    /// // Instances that still run after two minutes are stopped by force.
    /// let stop = client.stop(&ids).force_after(Duration::from_secs(120));
    /// assert!(stop.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn stop(&self, instances: impl IntoInstances) -> PowerRequest<StopOptions> {
        self.act(StopOptions::default(), instances)
    }

    /// Reboots running instances, gracefully by default. Each instance is rebooted at most once,
    /// whatever the network does. Await the request for a [`Report`](crate::Report).
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{WaitTimeout, Waves};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// # client.start(&ids).wait(WaitTimeout::minutes(5)).await?;
    /// // One instance at a time. A failure ends the request.
    /// let reboot = client.reboot(&ids).waves(Waves::of(1));
    /// assert!(reboot.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn reboot(&self, instances: impl IntoInstances) -> PowerRequest<RebootOptions> {
        self.act(RebootOptions::default(), instances)
    }

    /// Waits until instances are in the state `goal`. Sends no action.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::WaitTimeout;
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// client.start(&ids).await?;
    /// let wait = client.wait(&ids, PowerState::Running).timeout(WaitTimeout::minutes(5));
    /// assert!(wait.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn wait(&self, instances: impl IntoInstances, goal: PowerState) -> WaitRequest {
        WaitRequest::new(self.clone(), instances, goal)
    }

    /// Reads the states of instances once.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// for status in client.observe(&ids).await? {
    ///     assert_eq!(status.result?.state, PowerState::Stopped);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn observe(&self, instances: impl IntoInstances) -> ObserveRequest {
        ObserveRequest::new(self.clone(), instances)
    }

    /// Reads all instances of the region, page by page.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let instances = client.list().await?;
    /// assert_eq!(instances.len(), ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn list(&self) -> ListRequest {
        ListRequest::new(self.clone(), Ok(()))
    }

    /// Reads the regions of the cloud; `None` if the cloud has no call for regions at this endpoint.
    ///
    /// # Errors
    /// [`Error::Call`] if the call failed after all retries.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// for region in client.regions().await?.unwrap_or_default() {
    ///     println!("{}", region.id);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn regions(&self) -> Result<Option<Vec<Region>>, Error> {
        regions(&self.observer.engine).await
    }

    /// Returns the limits and features of the cloud.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// println!("{} starts {} instances per call", client.profile().title, client.profile().batch_limits.start);
    /// # Ok(())
    /// # });
    /// ```
    pub fn profile(&self) -> &Profile {
        self.observer.engine.profile()
    }

    /// Returns the number of calls made so far by this client and its clones.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// client.start(&ids).await?;
    /// assert_eq!(client.calls().actions, 1, "one call for all instances");
    /// # Ok(())
    /// # });
    /// ```
    pub fn calls(&self) -> CallCounts {
        self.observer.engine.call_counts()
    }

    /// Returns the counters and gauges of this client and its clones: calls by operation and result, retries,
    /// waits, present rates, lookups, keys and outcomes. Calls no cloud.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// client.start(&ids).await?;
    /// let stats = client.stats();
    /// for operation in &stats.operations {
    ///     println!("{}: {} calls in {:?}", operation.operation, operation.calls(), operation.time);
    /// }
    /// assert_eq!(stats.outcomes[0].instances, 3);
    /// assert_eq!(stats.throttled(), 0);
    /// # Ok(())
    /// # });
    /// ```
    pub fn stats(&self) -> ClientStats {
        self.observer.stats()
    }
}

/// Builds a [`Client`].
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use lifecycle_client::{Client, PlainHttp, RetryPolicy, StaticCredential, Timeouts};
/// use lifecycle_core::{Credential, Rate, RateLimits};
///
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
/// # setup::run(async |client, _| {
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let simulator = lifecycle_sim::Simulator::builder().build();
/// # let transport = simulator.transport();
/// let provider = provider_baidu::Baidu::new(provider_baidu::Config::new("bj")?);
/// let key = StaticCredential::new(Credential::keys("id", "secret"));
/// let client = Client::builder(provider, key, transport)
///     .rate_limits(RateLimits::new(Rate::new(10.0, 20), Rate::new(5.0, 5)))
///     .retry(RetryPolicy::never())
///     .timeouts(Timeouts::default().with_attempt(Duration::from_secs(10)))
///     .concurrency(8)
///     .plain_http(PlainHttp::LoopbackOnly)
///     // For repeatable tests.
///     .clock(simulator.clock())
///     .seed(1)
///     .build();
/// # drop(client);
/// # Ok(())
/// # }
/// # Ok(())
/// # });
/// ```
#[derive(Debug)]
pub struct ClientBuilder {
    config: EngineConfig,
}

impl ClientBuilder {
    /// Takes the wall-clock time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.config.clock = Arc::new(clock);
        self
    }

    /// Sets the initial rate limits. The default comes from the provider. An infinite rate turns a
    /// rate limiter off.
    #[must_use]
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.config.rate_limits = limits;
        self
    }

    /// Sets the intervals of lookups. The default comes from the provider, and fits the times that the
    /// cloud needs for a boot. Simulated clouds in fast motion need shorter intervals.
    #[must_use]
    pub fn polling(mut self, policy: PollingPolicy) -> Self {
        self.config.polling = policy;
        self
    }

    /// Sets the rules for retries.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.config.retry = policy;
        self
    }

    /// Sets the time limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.timeouts = timeouts.finite();
        self
    }

    /// Sets the number of concurrent calls of one request; at least 1, by default 4.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.config.concurrency = calls.max(1);
        self
    }

    /// Sets the hosts that requests may reach without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.config.plain_http = plain_http;
        self
    }

    /// Shares the accepted and rejected access keys with the clients of other regions, so that a
    /// rejected key is used in no other region.
    #[must_use]
    pub fn access_keys(mut self, record: AccessKeyRecord) -> Self {
        self.config.access_keys = record;
        self
    }

    /// Sets the names of account and region for stats and spans. Both are empty by default; the cloud is the
    /// cloud of the provider.
    #[must_use]
    pub fn labels(mut self, account: impl Into<String>, region: impl Into<String>) -> Self {
        self.config.labels.account = account.into();
        self.config.labels.region = region.into();
        self
    }

    /// Passes each counted event to `observer`, for metrics.
    #[must_use]
    pub fn stats_observer(mut self, observer: impl StatsObserver) -> Self {
        self.config.stats_observer = Some(Arc::new(observer));
        self
    }

    /// Shares the rate limits and the rejected keys with the clients that have the same `limit` and `location`, also in other
    /// programs.
    ///
    /// `location` names the account and the location, such as `prod@aliyun/cn-hangzhou`. Clones of one client
    /// share the rate limits without this setting. An infinite rate is not shared.
    #[must_use]
    pub fn shared_rate_limit(
        mut self,
        limit: impl SharedRateLimit,
        location: impl Into<String>,
    ) -> Self {
        self.config.shared_rate_limit = Some(RateLimitSharing {
            limit: Arc::new(limit),
            location: location.into(),
        });
        self
    }

    /// Sets the seed of random numbers, for repeatable tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
        self
    }

    /// Makes a deliberate mistake. For tests of the engine, never for users.
    #[cfg(feature = "mutations")]
    #[doc(hidden)]
    #[must_use]
    pub fn mutation(mut self, mutation: Mutation) -> Self {
        self.config.mutant = Mutant(Some(mutation));
        self
    }

    /// Builds the client.
    pub fn build(self) -> Client {
        Client {
            observer: Arc::new(Observer::new(Engine::new(self.config))),
        }
    }
}
