//! Carries out the steps of an exchange: asks, runs, repeats, keeps time.

use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_core::{
    ExchangeStep, Fault, FaultKind, HostEnvironment, HttpResponse, ProviderContext, ResponseExt,
    ServiceKind, credential_source::unusable,
};
use tokio::time::{sleep, timeout};

use crate::{
    call::clock::{Clock, SystemClock},
    call::clock_skew::difference,
    call::credential::CredentialError,
    call::policy::RetryPolicy,
    credentials::host::{RecordingHost, SystemHost},
    transport::{Transport, bypass_proxy::BypassProxy, no_response, plain_http::PlainHttp},
};

/// Carries out [`ExchangeStep`]s: reads this machine, sends requests, runs programs.
///
/// What failed for a passing reason is begun anew, three times at most: asking for a key changes
/// nothing at a cloud. When a service refuses a signature for its time, its own time is used.
#[derive(Clone, Debug)]
pub struct StepDriver {
    machine: Arc<dyn HostEnvironment>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    plain_http: PlainHttp,
}

impl StepDriver {
    /// Sends through `transport`, and reads this machine.
    pub fn new(transport: impl Transport) -> Self {
        Self {
            machine: Arc::new(SystemHost),
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock),
            plain_http: PlainHttp::default(),
        }
    }

    /// Reads variables and files here instead.
    #[must_use]
    pub fn machine(mut self, machine: impl HostEnvironment) -> Self {
        self.machine = Arc::new(machine);
        self
    }

    /// Takes wall-clock time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where requests to services may go without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// The wall clock by which it works.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Its machine, with a memory of its own.
    pub(super) fn recording_host(&self) -> RecordingHost {
        RecordingHost::new(Arc::clone(&self.machine))
    }

    /// Goes from `begin` to the end.
    ///
    /// # Errors
    /// [`ResolveError`] says whether nothing was set up, or what failed.
    pub async fn resolve<T: 'static>(
        &self,
        begin: impl Fn(&ProviderContext<'_>) -> ExchangeStep<T> + Send + Sync,
    ) -> Result<T, ResolveError> {
        let found = self.resolve_on(&*self.machine, begin).await;
        found.map(|dated| dated.value)
    }

    /// Like [`resolve`](Self::resolve) on another machine, with what was learned of the service's
    /// clock.
    pub(super) async fn resolve_on<T: 'static>(
        &self,
        machine: &dyn HostEnvironment,
        begin: impl Fn(&ProviderContext<'_>) -> ExchangeStep<T> + Send + Sync,
    ) -> Result<WithClockSkew<T>, ResolveError> {
        let policy = RetryPolicy::default();
        let mut run = OneRun::new(self, machine, 0);
        let mut attempt = 1;
        loop {
            let fault = match run.finish(begin(&run.surroundings())).await {
                Ok(value) => {
                    let ahead = run.ahead.unwrap_or_default();
                    return Ok(WithClockSkew { value, ahead });
                }
                Err(ResolveError::Failed(fault)) if attempt < ATTEMPTS => fault,
                Err(unresolved) => return Err(unresolved),
            };
            let learned = run.ahead.filter(|ahead| *ahead != run.offset);
            match (fault.kind(), learned) {
                (FaultKind::ClockSkew, Some(ahead)) => run = OneRun::new(self, machine, ahead),
                (kind, _) if is_passing(kind) => {
                    sleep(wait(&fault, &policy, attempt)).await;
                    run = OneRun::new(self, machine, run.offset);
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
                SERVICE_LIMIT
            }
            ServiceKind::Metadata => {
                request.extensions_mut().insert(BypassProxy);
                METADATA_LIMIT
            }
        };
        match timeout(limit, self.transport.send(request)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(error.to_fault()),
            Err(_) => Err(no_response(limit)),
        }
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "a step ends in no third way")]
pub enum ResolveError {
    /// Nothing is set up; the text says what was looked for.
    #[error("{0}")]
    Absent(String),
    /// Something is set up and cannot be used, or somebody refused.
    #[error("{}", .0.message())]
    Failed(Fault),
}

impl From<ResolveError> for CredentialError {
    fn from(unresolved: ResolveError) -> Self {
        match unresolved {
            ResolveError::Absent(why) => Self::new(why),
            ResolveError::Failed(fault) => fault.into(),
        }
    }
}

/// A result, and by how many seconds the clock of who gave it is ahead.
pub(super) struct WithClockSkew<T> {
    pub(super) value: T,
    pub(super) ahead: i64,
}

/// Attempts at an exchange, the first one included.
const ATTEMPTS: u32 = 3;

/// For one answer of a service.
const SERVICE_LIMIT: Duration = Duration::from_secs(10);

/// For one answer of the machine's own metadata service. The vendors' tools wait 1 to 3 s, and on a
/// machine that has none this is all that a user notices.
const METADATA_LIMIT: Duration = Duration::from_secs(2);

/// For a program that a profile names. It may ask a person something.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

/// What may be gone at the next attempt.
fn is_passing(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Throttled
            | FaultKind::Unavailable
            | FaultKind::Unreachable
            | FaultKind::NoAnswer
            | FaultKind::Unreadable
    )
}

/// A hint of the service is followed up to the longest wait of the policy; nobody waits longer for
/// a key.
fn wait(fault: &Fault, policy: &RetryPolicy, attempt: u32) -> Duration {
    let jitter = policy.ceiling(attempt).mul_f64(fastrand::f64());
    fault
        .retry_after()
        .map_or(jitter, |hint| hint.saturating_add(jitter).min(policy.cap))
}

/// One run from the first step to the last.
struct OneRun<'a> {
    resolver: &'a StepDriver,
    machine: &'a dyn HostEnvironment,
    /// Seconds added to the clock when signing.
    offset: i64,
    /// Seconds by which the last answer's clock was ahead.
    ahead: Option<i64>,
}

impl<'a> OneRun<'a> {
    fn new(resolver: &'a StepDriver, machine: &'a dyn HostEnvironment, offset: i64) -> Self {
        Self {
            resolver,
            machine,
            offset,
            ahead: None,
        }
    }

    fn surroundings(&self) -> ProviderContext<'a> {
        let stamp = self.resolver.clock.signing_context(self.offset);
        ProviderContext::new(self.machine, stamp)
    }

    async fn finish<T: 'static>(&mut self, mut step: ExchangeStep<T>) -> Result<T, ResolveError> {
        // A step that leads back to itself would go on for ever.
        for _ in 0..MOST_STEPS {
            step = match step {
                ExchangeStep::Done(value) => return Ok(value),
                ExchangeStep::NotConfigured(why) => return Err(ResolveError::Absent(why)),
                ExchangeStep::Failed(fault) => return Err(ResolveError::Failed(fault)),
                ExchangeStep::Http(ask) => {
                    let reply = self.resolver.send(ask.request.clone(), ask.service).await;
                    self.learn(reply.as_ref().ok());
                    log(ask.operation, &reply);
                    ask.then(reply, &self.surroundings())
                }
                ExchangeStep::Program(run) => {
                    let output = output_of(run.command.clone()).await;
                    run.then(output, &self.surroundings())
                }
            };
        }
        let fault = unusable("the search for a key", "comes to no end");
        Err(ResolveError::Failed(fault))
    }

    fn learn(&mut self, reply: Option<&HttpResponse>) {
        let date = reply.and_then(ResponseExt::date);
        let ahead = date.and_then(|date| difference(date, self.resolver.clock.now()));
        self.ahead = ahead.or(self.ahead);
    }
}

/// More than any chain of a cloud asks.
const MOST_STEPS: usize = 64;

fn log(operation: &str, reply: &Result<HttpResponse, Fault>) {
    match reply {
        Ok(reply) => tracing::debug!(
            operation,
            status = reply.status().as_u16(),
            "asked for a key"
        ),
        Err(fault) => tracing::debug!(
            operation,
            kind = fault.kind().as_str(),
            "asked for a key in vain"
        ),
    }
}

/// The standard output of a program. What it writes to standard error goes nowhere: it may quote
/// secrets.
async fn output_of(command: Vec<String>) -> Result<String, Fault> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(unusable("the command of the profile", "is empty"));
    };
    let failed = |reason: String| unusable(&format!("the program {program:?}"), &reason);
    let command = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PROGRAM_LIMIT, command)
        .await
        .map_err(|_| failed(format!("gave no key within {} s", PROGRAM_LIMIT.as_secs())))?
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("wrote something that is no text".into()))
}
