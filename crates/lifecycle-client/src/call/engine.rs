//! The engine: the only path of calls to a cloud, with attempts and safe retries.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use lifecycle_core::{ApiCall, Fault, PollingPolicy, Profile, Provider, RateLimits};

use crate::{
    call::attempt::{AttemptRunner, Corrections},
    call::call_limit::{CallLimits, RateLimitSharing},
    call::clock::Clock,
    call::clock_skew::ClockSkew,
    call::context::{CallContext, CallError, CallOutput},
    call::counters::CallCounts,
    call::credential::CredentialProvider,
    call::event::CallEvent,
    call::key_health::{AccessKeyRecord, KeyHealth},
    call::policy::{RetryPolicy, Timeouts},
    call::retry::{RetryBudget, retry_loop},
    call::shared_rate::LimitedCalls,
    call::stats::{ClientLabels, ClientStats, StatsCollector, StatsObserver},
    mutation::Mutant,
    sync::lock,
    transport::{Transport, plain_http::PlainHttp},
};

/// Calls one cloud with one key. Shared by all clones of a client.
pub(crate) struct Engine {
    attempts: AttemptRunner,
    retry: RetryPolicy,
    retry_budget: RetryBudget,
    random: Mutex<fastrand::Rng>,
    pub(crate) polling: PollingPolicy,
    pub(crate) timeouts: Timeouts,
    /// The number of concurrent calls of one request.
    pub(crate) concurrency: usize,
}

/// The settings of an [`Engine`].
#[derive(Debug)]
pub(crate) struct EngineConfig {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) polling: PollingPolicy,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) concurrency: usize,
    pub(crate) plain_http: PlainHttp,
    pub(crate) access_keys: AccessKeyRecord,
    pub(crate) labels: ClientLabels,
    pub(crate) stats_observer: Option<Arc<dyn StatsObserver>>,
    pub(crate) shared_rate_limit: Option<RateLimitSharing>,
    /// Makes random numbers repeatable.
    pub(crate) seed: Option<u64>,
    pub(crate) mutant: Mutant,
}

impl Engine {
    pub(crate) fn new(config: EngineConfig) -> Self {
        let random = config
            .seed
            .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let limits = CallLimits::new(
            config.rate_limits,
            config.shared_rate_limit,
            config.provider.profile().cloud,
            config.seed,
        );
        Self {
            attempts: AttemptRunner {
                provider: config.provider,
                credentials: config.credentials,
                transport: config.transport,
                clock: config.clock,
                plain_http: config.plain_http,
                timeout: config.timeouts.attempt,
                limits,
                key_health: KeyHealth::sharing(config.access_keys),
                clock_skew: ClockSkew::default(),
                stats: StatsCollector::new(config.labels, config.stats_observer),
                mutant: config.mutant,
            },
            retry_budget: RetryBudget::new(config.retry.budget),
            retry: config.retry,
            random: Mutex::new(random),
            polling: config.polling,
            timeouts: config.timeouts,
            concurrency: config.concurrency,
        }
    }

    /// Sends `call`, and retries the call if a retry is useful and harmless.
    pub(crate) async fn execute<T>(
        &self,
        call: &ApiCall<T>,
        ctx: &CallContext<'_>,
    ) -> Result<CallOutput<T>, CallError> {
        let operation = call.request.operation;
        let corrections = &Corrections::default();
        retry_loop(
            |number| async move {
                let result = self.attempts.run(call, ctx, corrections, number).await;
                result.inspect_err(|error| log(operation, ctx, number, &error.fault))
            },
            ctx,
            &self.retry,
            &self.retry_budget,
            || self.random_fraction(),
            |fault, next, wait| {
                self.attempts.stats.retry(operation, fault.kind());
                let event = CallEvent::new(operation, next, wait, fault);
                ctx.observer.on_event(event);
            },
        )
        .await
    }

    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.attempts.provider
    }

    pub(crate) fn profile(&self) -> &Profile {
        self.provider().profile()
    }

    pub(crate) fn mutant(&self) -> Mutant {
        self.attempts.mutant
    }

    /// Returns the calls made so far.
    pub(crate) fn call_counts(&self) -> CallCounts {
        self.attempts.stats.calls()
    }

    /// Returns the collector of stats.
    pub(crate) fn collector(&self) -> &StatsCollector {
        &self.attempts.stats
    }

    /// Returns the stats so far, without the number of polled instances.
    pub(crate) fn stats(&self) -> ClientStats {
        let attempts = &self.attempts;
        let kinds = [LimitedCalls::Reads, LimitedCalls::Writes];
        let rates = kinds.map(|calls| attempts.limits.of(calls).per_second());
        let keys = attempts.credentials.info();
        ClientStats {
            keys_found: keys.keys_found,
            failed_key_searches: keys.failed_searches,
            ..attempts.stats.snapshot(rates)
        }
    }

    /// Returns a random number from 0 up to 1, evenly distributed.
    pub(crate) fn random_fraction(&self) -> f64 {
        lock(&self.random).f64()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("provider", &self.attempts.provider)
            .field("credentials", &self.attempts.credentials)
            .field("transport", &self.attempts.transport)
            .finish_non_exhaustive()
    }
}

fn log(operation: &str, ctx: &CallContext<'_>, attempt: u32, fault: &Fault) {
    tracing::debug!(
        operation,
        instances = ctx.instances,
        attempt,
        kind = fault.kind().as_str(),
        code = fault.code(),
        request_id = fault.request_id(),
        "call failed"
    );
}
