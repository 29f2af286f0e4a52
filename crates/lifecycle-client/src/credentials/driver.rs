//! `StepDriver`: the I/O of credential exchanges (HTTP requests, programs), with retries and time
//! limits.

use std::{
    fmt::Write as _,
    panic::resume_unwind,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_core::{
    ExchangeStep, Fault, FaultKind, HostEnvironment, HttpExchange, HttpResponse, ProviderContext,
    ResponseExt, ServiceKind, credential_source::unusable,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use tracing::{Instrument, Span};

use crate::{
    call::clock::{Clock, SystemClock},
    call::clock_skew::difference,
    call::credential::CredentialError,
    call::policy::RetryPolicy,
    call::sent_attempt::{CallNames, call_span, record_result},
    call::stats::ClientLabels,
    credentials::host::{RecordingHost, SystemHost},
    credentials::program::program_output,
    transport::{Transport, markers::BypassProxy, no_response, plain_http::PlainHttp},
};

/// Carries out [`ExchangeStep`]s: reads the host, sends requests, runs programs.
///
/// An exchange changes nothing at the cloud. So a temporary failure starts the exchange again: up to
/// three attempts, and for a busy service as many attempts as one minute allows. If a service rejects the time of a signature, the next attempt uses the
/// service's time.
#[derive(Clone, Debug)]
pub struct StepDriver {
    host: Arc<dyn HostEnvironment>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    plain_http: PlainHttp,
    /// The time in which an exchange with a busy service starts again.
    patience: Duration,
}

impl StepDriver {
    /// Returns a driver for this machine that sends through `transport`.
    pub fn new(transport: impl Transport) -> Self {
        Self {
            host: Arc::new(SystemHost),
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock),
            plain_http: PlainHttp::default(),
            patience: PATIENCE,
        }
    }

    /// Reads variables and files from `machine` instead of this machine.
    #[must_use]
    pub fn machine(mut self, machine: impl HostEnvironment) -> Self {
        self.host = Arc::new(machine);
        self
    }

    /// Takes the wall-clock time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the hosts that requests may reach without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Sets the time in which an exchange with a busy service starts again; one minute by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the current time of the clock.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the host with a record of the files with secrets.
    pub(super) fn recording_host(&self) -> Arc<RecordingHost> {
        Arc::new(RecordingHost::new(Arc::clone(&self.host)))
    }

    /// Carries out the exchange that starts with `begin`. A step can read files, so steps run on the
    /// threads for blocking calls.
    ///
    /// # Errors
    /// [`ResolveError`] if nothing is configured or a step fails.
    pub async fn resolve<T: Send + 'static>(
        &self,
        begin: impl Fn(&ProviderContext<'_>) -> ExchangeStep<T> + Send + Sync + 'static,
    ) -> Result<T, ResolveError> {
        let resolved = self.resolve_on(&self.host, begin, |_| {}).await;
        resolved.map(|resolved| resolved.value)
    }

    /// Carries out an exchange on another host, and returns the clock skew of the service, too.
    /// `on_retry` receives the fault of each failed attempt before the next attempt.
    pub(super) async fn resolve_on<T: Send + 'static>(
        &self,
        host: &Arc<dyn HostEnvironment>,
        begin: impl Fn(&ProviderContext<'_>) -> ExchangeStep<T> + Send + Sync + 'static,
        on_retry: impl Fn(&Fault) + Send + Sync,
    ) -> Result<WithClockSkew<T>, ResolveError> {
        let policy = RetryPolicy::default();
        let start = Instant::now();
        let begin = Arc::new(begin);
        let mut exchange = Exchange::new(self, host, 0);
        let mut attempt = 1;
        loop {
            let begin = Arc::clone(&begin);
            let fault = match exchange.run(move |ctx| begin(ctx)).await {
                Ok(value) => {
                    let ahead = exchange.ahead.unwrap_or_default();
                    return Ok(WithClockSkew { value, ahead });
                }
                Err(ResolveError::Failed(fault)) => fault,
                Err(error) => return Err(error),
            };
            let wait = backoff(&fault, &policy, attempt);
            let may_repeat = match fault.kind() {
                FaultKind::Throttled | FaultKind::Unavailable => {
                    start.elapsed() + wait < self.patience
                }
                _ => attempt < ATTEMPTS,
            };
            if !may_repeat {
                return Err(ResolveError::Failed(fault));
            }
            let learned = exchange.ahead.filter(|ahead| *ahead != exchange.offset);
            match (fault.kind(), learned) {
                (FaultKind::ClockSkew, Some(ahead)) => {
                    exchange = Exchange::new(self, host, ahead);
                }
                (kind, _) if is_temporary(kind) => {
                    on_retry(&fault);
                    sleep(wait).await;
                    exchange = Exchange::new(self, host, exchange.offset);
                }
                _ => return Err(ResolveError::Failed(fault)),
            }
            attempt += 1;
        }
    }

    async fn send(
        &self,
        mut request: http::Request<Bytes>,
        service: ServiceKind,
    ) -> Result<HttpResponse, Fault> {
        let limit = match service {
            ServiceKind::Identity => {
                self.plain_http.check(request.uri())?;
                IDENTITY_LIMIT
            }
            ServiceKind::Metadata => {
                request.extensions_mut().insert(BypassProxy);
                METADATA_LIMIT
            }
        };
        let uri = request.uri().clone();
        match timeout(limit, self.transport.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(error.to_fault()),
            Err(_) => Err(no_response(&uri, limit)),
        }
    }
}

/// The reason for which an exchange has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an exchange has no third way to end"
)]
pub enum ResolveError {
    /// No configuration was found. The text names what is missing.
    #[error("{0}")]
    NotConfigured(String),
    /// A configuration was found, but is unusable or was rejected.
    #[error("{}", .0.message())]
    Failed(Fault),
}

impl From<ResolveError> for CredentialError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NotConfigured(reason) => Self::not_configured(reason),
            ResolveError::Failed(fault) => fault.into(),
        }
    }
}

/// The result of an exchange.
pub(super) struct WithClockSkew<T> {
    pub(super) value: T,
    /// The number of seconds by which the clock of the service is ahead.
    pub(super) ahead: i64,
}

/// The default time in which an exchange with a busy service starts again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of attempts at an exchange, including the first attempt.
const ATTEMPTS: u32 = 3;

/// The time limit of an identity service for one response.
const IDENTITY_LIMIT: Duration = Duration::from_secs(10);

/// The time limit of the metadata service for one response. The vendors' tools wait 1 to 3 s. On a
/// machine without a metadata service, the user waits this long.
const METADATA_LIMIT: Duration = Duration::from_secs(2);

/// The time limit of one step, which can read files.
const FILE_LIMIT: Duration = Duration::from_secs(10);

/// Returns whether the next attempt may succeed.
fn is_temporary(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Throttled
            | FaultKind::Unavailable
            | FaultKind::Unreachable
            | FaultKind::NoAnswer
            | FaultKind::Unreadable
    )
}

/// Returns the wait before the next attempt: at most the cap of the policy, even if the service asks
/// for more.
fn backoff(fault: &Fault, policy: &RetryPolicy, attempt: u32) -> Duration {
    let jitter = policy.ceiling(attempt).mul_f64(fastrand::f64());
    fault
        .retry_after()
        .map_or(jitter, |hint| hint.saturating_add(jitter).min(policy.cap))
}

/// One attempt at an exchange, from the first step to the last.
struct Exchange<'a> {
    driver: &'a StepDriver,
    host: &'a Arc<dyn HostEnvironment>,
    /// The number of seconds to add to the clock when signing.
    offset: i64,
    /// The number of seconds by which the clock of the last service was ahead.
    ahead: Option<i64>,
}

impl<'a> Exchange<'a> {
    fn new(driver: &'a StepDriver, host: &'a Arc<dyn HostEnvironment>, offset: i64) -> Self {
        Self {
            driver,
            host,
            offset,
            ahead: None,
        }
    }

    /// Computes the next step on a thread for blocking calls: a step can read a file of a slow or dead
    /// network drive.
    async fn next<T: Send + 'static>(
        &self,
        step: impl FnOnce(&ProviderContext<'_>) -> ExchangeStep<T> + Send + 'static,
    ) -> ExchangeStep<T> {
        let signing = self.driver.clock.signing_context(self.offset);
        let host = Arc::clone(self.host);
        let step = spawn_blocking(move || step(&ProviderContext::new(&*host, signing)));
        match timeout(FILE_LIMIT, step).await {
            Ok(Ok(step)) => step,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => ExchangeStep::Failed(unusable("the search for a key", "was stopped")),
            },
            Err(_) => {
                let reason = format!("was not read within {} s", FILE_LIMIT.as_secs());
                ExchangeStep::Failed(unusable("a file with keys or settings", &reason))
            }
        }
    }

    async fn run<T: Send + 'static>(
        &mut self,
        begin: impl FnOnce(&ProviderContext<'_>) -> ExchangeStep<T> + Send + 'static,
    ) -> Result<T, ResolveError> {
        let mut step = self.next(begin).await;
        // Steps can lead back to themselves.
        for _ in 0..MAX_STEPS {
            step = match step {
                ExchangeStep::Done(value) => return Ok(value),
                ExchangeStep::NotConfigured(reason) => {
                    return Err(ResolveError::NotConfigured(reason));
                }
                ExchangeStep::Failed(fault) => return Err(ResolveError::Failed(fault)),
                ExchangeStep::Http(http) => {
                    let span = exchange_span(&http);
                    let result = self.driver.send(http.request.clone(), http.service);
                    let result = result.instrument(span.clone()).await;
                    self.record_clock(result.as_ref().ok());
                    let fault = result.as_ref().map(drop);
                    record_result(&span, result.as_ref().ok(), None, fault);
                    log(http.operation, &result);
                    let call = FailedCall::new(&http, &result);
                    match self.next(move |ctx| http.then(result, ctx)).await {
                        ExchangeStep::Failed(fault) => ExchangeStep::Failed(call.describe(fault)),
                        next => next,
                    }
                }
                ExchangeStep::Program(program) => {
                    let output = program_output(&program.command).await;
                    self.next(move |ctx| program.then(output, ctx)).await
                }
            };
        }
        let fault = unusable("the search for a key", "has too many steps");
        Err(ResolveError::Failed(fault))
    }

    fn record_clock(&mut self, response: Option<&HttpResponse>) {
        let date = response.and_then(ResponseExt::date);
        let ahead = date.and_then(|date| difference(date, self.driver.clock.now()));
        self.ahead = ahead.or(self.ahead);
    }
}

/// The facts about a call of an exchange that a fault has to name.
struct FailedCall {
    operation: &'static str,
    authority: String,
    host: String,
    /// `None` without a response.
    status: Option<u16>,
}

impl FailedCall {
    fn new<T>(http: &HttpExchange<T>, result: &Result<HttpResponse, Fault>) -> Self {
        // The path and the user of a configured URL may hold a secret.
        let uri = http.request.uri();
        let host = uri.host().unwrap_or_default();
        let port = uri.port().map(|port| format!(":{port}"));
        Self {
            operation: http.operation,
            authority: format!("{host}{}", port.unwrap_or_default()),
            host: host.to_owned(),
            status: result
                .as_ref()
                .ok()
                .map(|response| response.status().as_u16()),
        }
    }

    /// Adds operation, address, HTTP status and code to the message.
    fn describe(&self, fault: Fault) -> Fault {
        let Self {
            operation,
            authority,
            host,
            status,
        } = self;
        let mut text = match fault.message().contains(host) {
            true => format!("{operation}: "),
            false => format!("{operation} at {authority}: "),
        };
        if let Some(status) = status {
            let _ = write!(text, "HTTP {status}: ");
        }
        if let Some(code) = fault.code().filter(|code| !fault.message().contains(*code)) {
            let _ = write!(text, "{code}: ");
        }
        text.push_str(match fault.message() {
            "" => fault.kind().as_str(),
            message => message,
        });
        fault.with_message(text)
    }
}

/// Returns the span of one request of a search for a key.
fn exchange_span<T>(http: &HttpExchange<T>) -> Span {
    let service = match http.service {
        ServiceKind::Identity => "identity",
        ServiceKind::Metadata => "metadata",
    };
    let names = CallNames {
        operation: http.operation,
        service,
        labels: &ClientLabels::default(),
        number: 1,
    };
    call_span(&names, None, &http.request)
}

/// A number above the steps of every exchange.
const MAX_STEPS: usize = 64;

fn log(operation: &str, result: &Result<HttpResponse, Fault>) {
    match result {
        Ok(response) => tracing::debug!(
            operation,
            status = response.status().as_u16(),
            "asked for a key"
        ),
        Err(fault) => tracing::debug!(
            operation,
            kind = fault.kind().as_str(),
            "asked for a key without success"
        ),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lifecycle_core::FaultKind;

    use super::*;

    #[test]
    fn fault_of_a_call_names_host_and_port_and_no_user_of_the_address() {
        for (address, expected) in [
            (
                "http://ops:hunter2@id.example:8080/p?q",
                "Get at id.example:8080: late",
            ),
            ("http://ops:hunter2@id.example/", "Get at id.example: late"),
            ("https://[::1]:81/", "Get at [::1]:81: late"),
        ] {
            let request = http::Request::get(address).body(Bytes::new()).unwrap();
            let fault = Fault::new(FaultKind::Unavailable, "late");
            let step: ExchangeStep<()> =
                ExchangeStep::http("Get", ServiceKind::Identity, request, |_, _| {
                    ExchangeStep::Done(())
                });
            let ExchangeStep::Http(exchange) = step else {
                panic!("no request");
            };
            let call = FailedCall::new(&exchange, &Err(fault.clone()));
            assert_eq!(call.describe(fault).message(), expected);
        }
    }
}
