//! One attempt at a call: checks admission, signs, sends, and interprets the response.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_core::{
    ApiCall, Credential, ExecutionStatus, Fault, FaultKind, HttpResponse, Provider, ResponseExt,
    Scrubber,
};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use crate::{
    call::call_limit::{CallLimit, CallLimits, CallPermit},
    call::clock::Clock,
    call::clock_skew::ClockSkew,
    call::context::{CallContext, CallKind, CallOutput},
    call::credential::CredentialProvider,
    call::event::CallEvent,
    call::key_health::{FirstUse, KeyHealth},
    call::retry::AttemptError,
    call::sent_attempt::{CallNames, SentAttempt},
    call::shared_rate::LimitedCalls,
    call::stats::StatsCollector,
    mutation::{Mutant, Mutation},
    transport::{Transport, markers::OwnConnection, no_response, plain_http::PlainHttp},
};

/// Runs single attempts. Shared by all clones of a client.
pub(crate) struct AttemptRunner {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) plain_http: PlainHttp,
    /// The time for one attempt, from sending to the last byte of the response.
    pub(crate) timeout: Duration,
    pub(crate) limits: CallLimits,
    pub(crate) key_health: KeyHealth,
    pub(crate) clock_skew: ClockSkew,
    pub(crate) stats: StatsCollector,
    pub(crate) mutant: Mutant,
}

/// The causes of failure removed within one call. Each cause is removed at most once.
#[derive(Debug, Default)]
pub(crate) struct Corrections {
    clock: AtomicBool,
    key: AtomicBool,
}

impl AttemptRunner {
    /// Runs attempt number `number` at `call`.
    pub(crate) async fn run<T>(
        &self,
        call: &ApiCall<T>,
        ctx: &CallContext<'_>,
        corrections: &Corrections,
        number: u32,
    ) -> Result<CallOutput<T>, AttemptError> {
        let (fault, recovery) = {
            let unsent = |error: &AttemptError| {
                self.stats
                    .unsent(call.request.operation, error.fault.kind());
            };
            let admission = self.admit(ctx).await.inspect_err(unsent)?;
            let signed = Signed {
                at: self.clock.now(),
                offset: self.clock_skew.offset(),
            };
            let request = self.sign(call, ctx, &admission.key, signed);
            let request = request.inspect_err(unsent)?;
            let names = CallNames {
                operation: call.request.operation,
                service: self.provider.profile().title,
                labels: &self.stats.labels,
                number,
            };
            let attempt = SentAttempt::begin(&self.stats, ctx, &names, &request);
            let response = self.exchange(ctx, &admission.key, request, &attempt).await;
            let response =
                response.inspect_err(|error| attempt.end(None, None, Err(&error.fault)))?;
            let result = self.judge(call, ctx.kind, &response, &admission, signed);
            let limit = limited_calls(ctx.kind);
            self.stats
                .rate(limit, || self.call_limit(ctx.kind).per_second());
            match result {
                Ok(output) => {
                    attempt.end(Some(&response), output.request_id.as_deref(), Ok(()));
                    return Ok(output);
                }
                Err((fault, recovery)) => {
                    attempt.end(Some(&response), fault.request_id(), Err(&fault));
                    (fault, recovery)
                }
            }
        };
        let corrected = match recovery {
            Recovery::ClockLearned => !corrections.clock.swap(true, Ordering::Relaxed),
            Recovery::KeyRejected(key) => {
                !corrections.key.load(Ordering::Relaxed)
                    && self.replace(&key, ctx.deadline).await
                    && !corrections.key.swap(true, Ordering::Relaxed)
            }
            Recovery::None => false,
        };
        Err(AttemptError {
            corrected,
            // A proxy that rejects the caller passes nothing on.
            sent: fault.kind() != FaultKind::Proxy,
            ..fault.into()
        })
    }

    /// Waits for a usable key and for the rate limiter.
    async fn admit(&self, ctx: &CallContext<'_>) -> Result<Admission<'_>, AttemptError> {
        let admission = async {
            let mut key = self.usable_key().await?;
            let mut first_use_lock = self.key_health.first_use_lock(&key).await;
            let permit = self.acquire(ctx.kind).await;
            loop {
                // The key can be replaced or rejected while the call waits for its permit.
                let current = self.usable_key().await?;
                if current.same_key(&key) {
                    return Ok(Admission {
                        key: current,
                        permit,
                        _first_use_lock: first_use_lock,
                    });
                }
                drop(first_use_lock);
                first_use_lock = self.key_health.first_use_lock(&current).await;
                key = current;
            }
        };
        timeout_at(ctx.send_by, admission)
            .await
            .unwrap_or_else(|_| Err(self.late_admission().into()))
    }

    /// Waits for the rate limiter, and counts the wait.
    async fn acquire(&self, kind: CallKind) -> CallPermit {
        let permit = self.call_limit(kind).acquire().await;
        if let Some(waited) = permit.waited() {
            self.stats.waited(limited_calls(kind), waited);
        }
        permit
    }

    /// Returns the fault of a call whose time was over before it could be sent.
    fn late_admission(&self) -> Fault {
        let late = no_time_left();
        match self.credentials.search_fault() {
            Some(fault) => {
                let message = format!("{}; no key so far: {fault}", late.message());
                late.with_message(message)
            }
            None => late,
        }
    }

    /// Returns the current key. Asks the `CredentialProvider` once for another key if the cloud has
    /// rejected the current key.
    async fn usable_key(&self) -> Result<Arc<Credential>, AttemptError> {
        let key = self.current_key().await?;
        let Err(rejection) = self.check_key(&key) else {
            return Ok(key);
        };
        if !self.credentials.invalidate(&key) {
            return Err(AttemptError::answered(rejection));
        }
        let key = self.current_key().await?;
        self.check_key(&key).map_err(AttemptError::answered)?;
        Ok(key)
    }

    async fn current_key(&self) -> Result<Arc<Credential>, Fault> {
        let key = self.credentials.credential().await;
        key.map_err(|error| error.fault().clone())
    }

    fn check_key(&self, key: &Arc<Credential>) -> Result<(), Fault> {
        if self.mutant.is(Mutation::UsesRefusedKeys) {
            return Ok(());
        }
        self.key_health.check(key)?;
        self.limits.check_key(key)
    }

    /// Returns whether the `CredentialProvider` has another key than the rejected one.
    async fn replace(&self, rejected: &Credential, deadline: Instant) -> bool {
        if !self.credentials.invalidate(rejected) {
            return false;
        }
        let next = timeout_at(deadline, self.credentials.credential()).await;
        matches!(next, Ok(Ok(key)) if !key.same_key(rejected))
    }

    /// Signs the call, and checks that the request may be sent.
    fn sign<T>(
        &self,
        call: &ApiCall<T>,
        ctx: &CallContext<'_>,
        key: &Credential,
        signed: Signed,
    ) -> Result<http::Request<Bytes>, AttemptError> {
        if Instant::now() >= ctx.send_by {
            return Err(no_time_left().into());
        }
        let signing = self.clock.signing_context(signed.offset);
        let mut request = self.provider.sign(&call.request, key, &signing)?;
        for (name, value) in &call.request.headers {
            if !request.headers().contains_key(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        if !ctx.kind.is_idempotent() {
            request.extensions_mut().insert(OwnConnection);
        }
        self.plain_http.check(request.uri())?;
        Ok(request)
    }

    /// Sends a signed request, and returns the response without the secrets of the request. No fault of
    /// this function comes from the cloud.
    async fn exchange(
        &self,
        ctx: &CallContext<'_>,
        key: &Credential,
        request: http::Request<Bytes>,
        attempt: &SentAttempt<'_>,
    ) -> Result<HttpResponse, AttemptError> {
        ctx.observer.on_event(CallEvent::Sending {
            operation: attempt.operation,
        });
        let time_left = ctx.deadline.saturating_duration_since(Instant::now());
        let limit = self.timeout.min(time_left);
        let uri = request.uri().clone();
        let scrubber = Scrubber::new(&request, Some(key));
        let sending = timeout(limit, self.transport.send(request));
        match sending.instrument(attempt.span.clone()).await {
            Ok(Ok(mut response)) => {
                scrubber.scrub(&mut response);
                Ok(response)
            }
            Ok(Err(error)) => Err(match error.execution_status() {
                ExecutionStatus::NotExecuted => error.to_fault().into(),
                _ => AttemptError::answered(error.to_fault()),
            }),
            Err(_) => Err(AttemptError {
                timed_out: true,
                ..AttemptError::answered(no_response(&uri, limit))
            }),
        }
    }

    /// Reads the response, and records the consequences for rate limiter, key and clock.
    fn judge<T>(
        &self,
        call: &ApiCall<T>,
        kind: CallKind,
        response: &HttpResponse,
        admission: &Admission<'_>,
        signed: Signed,
    ) -> Result<CallOutput<T>, (Fault, Recovery)> {
        let Admission { key, permit, .. } = admission;
        let request_id = self.provider.request_id(response);
        let result = self
            .provider
            .check(response)
            .and_then(|()| call.read(response))
            .map_err(|fault| call.refined(fault));
        let fault = match result {
            Ok(value) => {
                self.call_limit(kind).succeeded(permit);
                self.key_health.confirm(key);
                self.clock_skew.confirm(response.date(), signed.at);
                return Ok(CallOutput {
                    value,
                    request_id: request_id.map(Into::into),
                    execution: ExecutionStatus::NotExecuted,
                });
            }
            Err(fault) if fault.request_id().is_none() => fault.with_request_id(request_id),
            Err(fault) => fault,
        };
        let mut recovery = Recovery::None;
        match fault.kind() {
            FaultKind::Throttled => {
                let hint = fault.retry_after();
                self.call_limit(kind).throttled(permit, hint);
            }
            FaultKind::Credential => {
                self.key_health.reject(key, &fault);
                self.limits.reject_key(key, &fault);
                recovery = Recovery::KeyRejected(Arc::clone(key));
            }
            FaultKind::ClockSkew => {
                let date = response.date();
                if self.clock_skew.learn(date, signed.at, signed.offset) {
                    recovery = Recovery::ClockLearned;
                }
            }
            FaultKind::Unavailable
            | FaultKind::Unreadable
            | FaultKind::Proxy
            | FaultKind::Unknown => {}
            // The cloud rejected the call after it had verified the signature.
            _ => self.key_health.confirm(key),
        }
        if fault.maybe_executed() {
            recovery = Recovery::None;
        }
        Err((fault, recovery))
    }

    fn call_limit(&self, kind: CallKind) -> &CallLimit {
        self.limits.of(limited_calls(kind))
    }
}

/// Returns the rate limit of calls of this kind.
fn limited_calls(kind: CallKind) -> LimitedCalls {
    match kind.is_read() {
        true => LimitedCalls::Reads,
        false => LimitedCalls::Writes,
    }
}

/// The permission to send one call now.
struct Admission<'a> {
    key: Arc<Credential>,
    permit: CallPermit,
    /// Held until the response is judged, if the cloud has never accepted the key.
    _first_use_lock: Option<FirstUse<'a>>,
}

/// The time of a signature.
#[derive(Clone, Copy)]
struct Signed {
    at: SystemTime,
    /// The number of seconds added to the local clock.
    offset: i64,
}

/// A reason to send a rejected call again at once. The cloud did not execute the call.
enum Recovery {
    None,
    /// The response shows the cloud's time: a new signature can succeed.
    ClockLearned,
    /// The cloud rejected this key: another key can succeed.
    KeyRejected(Arc<Credential>),
}

/// Returns the fault of a call for which no time is left. The text avoids the names of outcomes, because
/// scripts search rows for them.
pub(crate) fn no_time_left() -> Fault {
    Fault::new(FaultKind::Deadline, "the time limit passed before the call")
}
