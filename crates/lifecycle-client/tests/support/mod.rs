//! Helpers of the client's tests: a provider with a plain-text protocol, and a transport with
//! scripted responses.
//!
//! `POST /start`, `/stop`, `/reboot` and `/observe` carry ids separated by spaces; `GET /list` and
//! `GET /job` carry a page or a job. A response is a status, an optional `kind` header with the kind of
//! the fault, and text lines.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{Client, Clock, Report, Timeouts, Transport, TransportError};
use lifecycle_core::{
    Action, ApiCall, BatchAck, BatchLimits, Credential, ExecutionStatus, Fault, FaultKind,
    HttpResponse, InstanceId, JobId, JobProgress, JobStatus, ListPage, ListQuery, NextPage,
    Observation, PageToken, PollingPolicy, PowerState, Profile, Provider, Rate, RateLimits,
    ResponseExt, SigningContext, Support, UnsignedRequest,
};
use tokio::time::Instant;

/// One call as the transport received the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentCall {
    /// `start`, `observe`, …
    pub(crate) operation: String,
    pub(crate) ids: Vec<String>,
    /// The time since the creation of the transport.
    pub(crate) at: Duration,
    /// Key and time of the signature.
    pub(crate) signature: String,
}

/// The scripted result of a call.
pub(crate) enum CallResult {
    /// A response.
    Response(HttpResponse),
    /// No connection: the request was not sent.
    ConnectionRefused,
    /// The connection breaks after the request was sent.
    ConnectionBroken,
    /// No response at all.
    NoAnswer,
}

/// A function from each call to its result.
type Script = Box<dyn FnMut(&SentCall) -> CallResult + Send>;

/// A transport whose responses come from a script.
#[derive(Clone)]
pub(crate) struct ScriptedCloud {
    script: Arc<Mutex<Script>>,
    log: Arc<Mutex<Vec<SentCall>>>,
    since: Instant,
    /// The time of an action until its response.
    action_latency: Duration,
}

impl ScriptedCloud {
    pub(crate) fn new(script: impl FnMut(&SentCall) -> CallResult + Send + 'static) -> Self {
        Self {
            script: Arc::new(Mutex::new(Box::new(script))),
            log: Arc::default(),
            since: Instant::now(),
            action_latency: Duration::ZERO,
        }
    }

    /// Returns the same cloud with this time until the response to an action.
    pub(crate) fn with_action_latency(mut self, latency: Duration) -> Self {
        self.action_latency = latency;
        self
    }

    /// Returns all calls.
    pub(crate) fn log(&self) -> Vec<SentCall> {
        self.log.lock().unwrap().clone()
    }

    /// Returns the calls of one operation.
    pub(crate) fn calls(&self, operation: &str) -> Vec<SentCall> {
        let mut log = self.log();
        log.retain(|sent| sent.operation == operation);
        log
    }

    /// Returns a client of the cloud.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|builder| builder)
    }

    /// Returns a client of the cloud with changed settings.
    pub(crate) fn client_with(
        &self,
        configure: impl FnOnce(lifecycle_client::ClientBuilder) -> lifecycle_client::ClientBuilder,
    ) -> Client {
        configure(self.builder(Toy::default())).build()
    }

    /// Returns a client of a cloud with this many instances per call.
    pub(crate) fn client_in_batches_of(&self, limit: usize) -> Client {
        self.builder(Toy::in_batches_of(limit)).build()
    }

    fn builder(&self, toy: Toy) -> lifecycle_client::ClientBuilder {
        let key = lifecycle_client::StaticCredential::new(Credential::keys("id", "s3cret"));
        Client::builder(toy, key, self.clone())
            .clock(FixedClock)
            .seed(1)
    }
}

impl fmt::Debug for ScriptedCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedCloud")
    }
}

#[async_trait]
impl Transport for ScriptedCloud {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let text = String::from_utf8(request.body().to_vec()).unwrap();
        let sent = SentCall {
            operation: request.uri().path()[1..].to_owned(),
            ids: text.split_whitespace().map(Into::into).collect(),
            at: self.since.elapsed(),
            signature: request.headers()["signature"].to_str().unwrap().to_owned(),
        };
        self.log.lock().unwrap().push(sent.clone());
        let result = (self.script.lock().unwrap())(&sent);
        if ["start", "stop", "reboot"].contains(&sent.operation.as_str()) {
            tokio::time::sleep(self.action_latency).await;
        }
        match result {
            CallResult::Response(response) => Ok(response),
            CallResult::ConnectionRefused => Err(TransportError::unsent("no connection")),
            CallResult::ConnectionBroken => Err(TransportError::unclear("the connection broke")),
            CallResult::NoAnswer => std::future::pending().await,
        }
    }
}

/// A clock that always shows [`NOW`].
#[derive(Debug)]
pub(crate) struct FixedClock;

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600;

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

/// A successful response.
pub(crate) fn ok(body: impl Into<String>) -> CallResult {
    answer(200, &[], body)
}

/// A rejection of this kind.
pub(crate) fn fault(kind: FaultKind) -> CallResult {
    answer(400, &[("kind", kind.as_str())], "no")
}

/// A failure after which the cloud may have executed the call.
pub(crate) fn server_error() -> CallResult {
    answer(503, &[], "try later")
}

pub(crate) fn answer(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl Into<String>,
) -> CallResult {
    CallResult::Response(provider_testing::http_response(
        status,
        headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<http::HeaderMap>(),
        Bytes::from(body.into()),
    ))
}

/// Answers an observation with the same state for all instances.
pub(crate) fn all_in_state(sent: &SentCall, state: &str) -> CallResult {
    let lines: Vec<String> = sent.ids.iter().map(|id| format!("{id} {state}")).collect();
    ok(lines.join("\n"))
}

/// Returns the outcomes of a report, by name.
pub(crate) fn outcomes(report: &Report) -> Vec<&'static str> {
    let rows = report.instances().iter();
    rows.map(|row| row.outcome.as_str()).collect()
}

pub(crate) fn ids(count: usize) -> Vec<InstanceId> {
    (0..count).map(id).collect()
}

pub(crate) fn id(n: usize) -> InstanceId {
    InstanceId::new(&format!("i-{n}")).unwrap()
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn quick_timeouts() -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.attempt = seconds(5);
    timeouts
}

/// The provider of an imaginary cloud. Requests and responses are plain text.
#[derive(Debug)]
pub(crate) struct Toy {
    profile: Profile,
    endpoint: &'static str,
}

impl Default for Toy {
    fn default() -> Self {
        Self::at("https://toy.example")
    }
}

impl Toy {
    /// Returns a cloud with this many instances per call.
    pub(crate) fn in_batches_of(limit: usize) -> Self {
        let mut toy = Self::default();
        toy.profile.batch_limits = BatchLimits::all(limit);
        toy
    }

    pub(crate) fn at(endpoint: &'static str) -> Self {
        let unlimited = Rate::new(f64::INFINITY, 1);
        Self {
            endpoint,
            profile: Profile::new("toy", "Toy Cloud", BatchLimits::all(10))
                .with_support(Support::NONE.with_forced())
                .with_rate_limits(RateLimits::new(unlimited, unlimited))
                .with_polling(PollingPolicy::new(seconds(2), seconds(3), seconds(15))),
        }
    }
}

impl Provider for Toy {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        let operation = match action {
            Action::Stop(stop) if stop.mode.is_forced() => "force-stop",
            _ => action.kind().as_str(),
        };
        Ok(ApiCall::new(text_request(operation, &join(ids)), read_ack))
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        Ok(ApiCall::new(
            text_request("observe", &join(ids)),
            |response| Ok(rows(&text(response))),
        ))
    }

    fn list(&self, _: &ListQuery, page: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        let page = page.map_or("first", PageToken::as_str);
        Ok(ApiCall::new(text_request("list", page), |response| {
            let text = text(response);
            let (next, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let next = match next {
                "last" => NextPage::End,
                token => NextPage::Named(PageToken::new(token)),
            };
            Ok(ListPage::new(rows(rest)).with_next(next))
        }))
    }

    /// Ids are written in lower case.
    fn canonical_id(&self, id: &InstanceId) -> InstanceId {
        InstanceId::new(&id.as_str().to_ascii_lowercase()).unwrap()
    }

    fn follow(&self, job: &JobId) -> Option<ApiCall<JobProgress>> {
        Some(ApiCall::new(
            text_request("job", job.as_str()),
            read_progress,
        ))
    }

    fn sign(
        &self,
        unsigned: &UnsignedRequest,
        key: &Credential,
        at: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        let Credential::Keys { id, .. } = key else {
            return Err(Fault::new(FaultKind::Credential, "not a key"));
        };
        Ok(http::Request::builder()
            .uri(format!("{}{}", self.endpoint, unsigned.path))
            .header("signature", format!("{id}@{}", at.unix()))
            .body(unsigned.body.clone())
            .unwrap())
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        if response.status().is_success() {
            return Ok(());
        }
        let kind = response.header("kind").and_then(kind);
        let kind = kind.unwrap_or(FaultKind::from_status(response.status().as_u16()));
        let named = text(response)
            .split_whitespace()
            .filter(|word| word.starts_with("i-"))
            .filter_map(|word| InstanceId::new(word).ok())
            .collect();
        let fault = Fault::new(kind, text(response))
            .with_status(response.status().as_u16())
            .with_instances(named)
            .with_retry_after(response.retry_after());
        let fault = match response.header("code") {
            Some(code) => fault.with_code(code),
            None => fault,
        };
        Err(match response.header("effect") {
            Some("none") => fault.with_execution_status(ExecutionStatus::NotExecuted),
            _ => fault,
        })
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        response.header("request-id").map(Into::into)
    }
}

fn text_request(operation: &'static str, body: &str) -> UnsignedRequest {
    UnsignedRequest::new(operation, http::Method::POST, format!("/{operation}"))
        .with_body(body.to_owned())
}

fn join(ids: &[InstanceId]) -> String {
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    ids.join(" ")
}

fn text(response: &HttpResponse) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

/// Reads an acknowledgement: `ok` (all accepted), `unlisted` (accepted, without a list of the refused
/// instances), `except i-1 i-2` (i-1 and i-2 refused), `perhaps i-1` (i-1 failed and may have been
/// executed), `each i-1=ok i-2=no`, or `job j-1`.
fn read_ack(response: &HttpResponse) -> Result<BatchAck, Fault> {
    let text = text(response);
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let id = |text: &str| InstanceId::new(text).unwrap();
    let no = || Fault::new(FaultKind::WrongState, "no");
    Ok(match word {
        "ok" => BatchAck::All,
        "unlisted" => BatchAck::Unlisted,
        "perhaps" => BatchAck::Except(
            rest.split(' ')
                .map(|i| (id(i), Fault::new(FaultKind::Failed, "half way")))
                .collect(),
        ),
        "except" => BatchAck::Except(rest.split(' ').map(|i| (id(i), no())).collect()),
        "each" => {
            let (accepted, refused): (Vec<&str>, Vec<&str>) =
                rest.split(' ').partition(|row| row.ends_with("=ok"));
            let bare = |row: &&str| id(row.split_once('=').unwrap().0);
            BatchAck::Each {
                accepted: accepted.iter().map(bare).collect(),
                refused: refused.iter().map(|row| (bare(row), no())).collect(),
            }
        }
        "job" => BatchAck::Job(JobId::new(rest).unwrap()),
        _ => return Err(response.unreadable("not an acknowledgement")),
    })
}

/// Reads the progress of a job: the first line for the whole job, then a line for each instance. The
/// words are `running`, `ok`, `odd` (an unknown status) and the kinds of faults.
fn read_progress(response: &HttpResponse) -> Result<JobProgress, Fault> {
    let status = |word: &str| match word {
        "running" => JobStatus::Running,
        "ok" => JobStatus::Succeeded,
        "odd" => JobStatus::Unknown,
        other => JobStatus::Failed(Fault::new(kind(other).unwrap(), "the job failed")),
    };
    let text = text(response);
    let mut lines = text.lines();
    let overall = status(lines.next().unwrap());
    let parts = lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(id, word)| (InstanceId::new(id).unwrap(), status(word)))
        .collect();
    Ok(JobProgress::new(overall).with_parts(parts))
}

/// Reads the rows of an observation, one in each line: `i-1 running [start time]`.
fn rows(text: &str) -> Vec<Observation> {
    text.lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let mut row = Observation::new(
                InstanceId::new(words[0]).unwrap(),
                state(words[1]),
                words[1],
            );
            row.started_at = words.get(2).map(|word| (*word).to_owned());
            row
        })
        .collect()
}

fn state(word: &str) -> PowerState {
    [
        PowerState::Starting,
        PowerState::Running,
        PowerState::Stopping,
        PowerState::Stopped,
        PowerState::Rebooting,
        PowerState::Failed,
        PowerState::Changing,
    ]
    .into_iter()
    .find(|state| state.as_str() == word)
    .unwrap_or(PowerState::Unknown)
}

fn kind(word: &str) -> Option<FaultKind> {
    [
        FaultKind::Invalid,
        FaultKind::Unsupported,
        FaultKind::NotFound,
        FaultKind::WrongState,
        FaultKind::Busy,
        FaultKind::Capacity,
        FaultKind::Permission,
        FaultKind::Credential,
        FaultKind::ClockSkew,
        FaultKind::Throttled,
        FaultKind::Unavailable,
        FaultKind::Failed,
        FaultKind::Certificate,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == word)
}
