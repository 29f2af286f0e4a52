//! Test helper: a fake of the cloud, in memory, with tokio's clock. A template for a new provider.

use std::{
    collections::BTreeMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, header::RETRY_AFTER};
use lifecycle_conformance::suite::{
    CallFault, ClientSetup, CloudUnderTest, Condition, ExecutionCounts, FaultTarget, InstanceFacts,
    NotSupported, SkewedClock,
};
use lifecycle_core::{
    CredentialSourceConfig, HttpResponse, InstanceId, PowerState, SigningContext,
    encode::{hmac_sha256_hex, sha256_hex},
};
use lifecycle_facade::{CachedCredentials, Client, Clock, StepDriver, Transport, TransportError};
use provider_example::{Config, Example, PROFILE, credentials};
use provider_testing::{FakeHost, http_response, response, with_body};
use serde_json::{Value, json};
use tokio::time::Instant;

const KEY: &str = "key";
const SECRET: &str = "the secret of the fake";
const TEMPORARY_KEY: &str = "temporary-key";
const SESSION: &str = "the session token of the fake";

/// The cloud, with functions that change instances and inject faults.
#[derive(Clone, Debug)]
pub(crate) struct FakeCloud {
    state: Arc<Mutex<CloudState>>,
    clock: TestClock,
}

impl FakeCloud {
    /// Returns a cloud without instances. Requires a tokio runtime.
    pub(crate) fn new() -> Self {
        let clock = TestClock(Instant::now());
        Self {
            state: Arc::default(),
            clock,
        }
    }

    fn state(&self) -> MutexGuard<'_, CloudState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a response with the date of the cloud and a new request id.
    fn dated(&self, status: u16, body: impl ToString) -> HttpResponse {
        let mut state = self.state();
        state.requests += 1;
        let date = httpdate::fmt_http_date(self.clock.now());
        let request_id = format!("request-{}", state.requests);
        let fields = [("date", date), ("x-request-id", request_id)];
        let headers = fields.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), value.parse().ok()?))
        });
        http_response(status, headers.collect(), body.to_string())
    }

    fn respond(&self, request: &http::Request<Bytes>) -> (u16, Value) {
        if let Some(error) = self.verify(request) {
            return error;
        }
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        self.state().execute(request.uri(), &body)
    }

    /// Returns an error for an invalid signature.
    fn verify(&self, request: &http::Request<Bytes>) -> Option<(u16, Value)> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let date = header("x-date")?;
        let now = SigningContext::new(self.clock.now(), 0);
        // The text order of dates with a fixed width is the order of time.
        let earliest = SigningContext::from_unix(now.unix() - 300, 0).extended();
        let latest = SigningContext::from_unix(now.unix() + 300, 0).extended();
        if !(earliest.as_str()..=latest.as_str()).contains(&date) {
            return Some(error(401, "Expired"));
        }
        let target = request.uri().path_and_query()?;
        let (method, body) = (request.method(), sha256_hex(request.body()));
        let expected = |key: &str, session: &str| {
            let text = format!("{method}\n{target}\n{date}\n{session}\n{body}");
            let signature = hmac_sha256_hex(SECRET.as_bytes(), text.as_bytes());
            Some(format!("EXAMPLE {key}:{signature}"))
        };
        let authorization = header("authorization").map(str::to_owned);
        let is_valid = match header("x-session-token") {
            None => authorization == expected(KEY, ""),
            Some(SESSION) => authorization == expected(TEMPORARY_KEY, SESSION),
            Some(_) => false,
        };
        (!is_valid).then(|| error(401, "BadSignature"))
    }
}

fn error(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "code": code, "message": "refused" }))
}

#[async_trait(?Send)]
impl CloudUnderTest for FakeCloud {
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported> {
        let (key, secret, session) = match setup {
            ClientSetup::WrongKey => (KEY, "another secret", ""),
            ClientSetup::TemporaryKey => (TEMPORARY_KEY, SECRET, SESSION),
            _ => (KEY, SECRET, ""),
        };
        let config = Config::new("r1").map_err(|error| NotSupported::new(error.to_string()))?;
        // The key comes from the variables, as on the host of a user.
        let host = FakeHost::new(&[
            ("EXAMPLE_ACCESS_KEY_ID", key),
            ("EXAMPLE_ACCESS_KEY_SECRET", secret),
            ("EXAMPLE_SESSION_TOKEN", session),
        ]);
        let driver = StepDriver::new(self.clone())
            .clock(self.clock)
            .machine(host);
        let sources = credentials::sources(&CredentialSourceConfig::in_region("r1"));
        let keys = CachedCredentials::new(PROFILE.title, sources, driver);
        let client = Client::builder(Example::new(config), keys, self.clone()).seed(0);
        Ok(match setup {
            ClientSetup::ClockSkew(seconds) => {
                client.clock(SkewedClock::ahead(self.clock, seconds))
            }
            ClientSetup::ExpiredSignatures => client.clock(SkewedClock::always_expired(self.clock)),
            _ => client.clock(self.clock),
        }
        .build())
    }

    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, NotSupported> {
        let instance = FakeInstance::new(condition)?;
        let new = (0..count).map(|_| self.state().add(instance.clone()));
        new.collect()
    }

    async fn described_instance(
        &self,
        condition: Condition,
        facts: &InstanceFacts,
    ) -> Result<InstanceId, NotSupported> {
        if *facts != InstanceFacts::named(&facts.name) {
            return Err(NotSupported::new("the fake has names only, and no other facts"));
        }
        let instance = FakeInstance {
            name: facts.name.clone(),
            ..FakeInstance::new(condition)?
        };
        self.state().add(instance)
    }

    fn unknown_id(&self) -> Result<InstanceId, NotSupported> {
        InstanceId::new("vm-unknown").map_err(|error| NotSupported::new(error.to_string()))
    }

    fn inject(&self, fault: CallFault, target: FaultTarget) -> Result<(), NotSupported> {
        self.state().fault = Some((fault, target));
        Ok(())
    }

    fn actual_state(&self, id: &InstanceId) -> Option<PowerState> {
        Some(match self.state().instances.get(id.as_str())?.state() {
            "running" => PowerState::Running,
            "stopped" => PowerState::Stopped,
            "starting" => PowerState::Starting,
            "stopping" => PowerState::Stopping,
            "creating" => PowerState::Creating,
            "changing" => PowerState::Changing,
            "expired" => PowerState::Expired,
            "recycled" => PowerState::Recycled,
            "broken" => PowerState::Failed,
            _ => PowerState::Rebooting,
        })
    }

    fn executions(&self, id: &InstanceId) -> Option<ExecutionCounts> {
        Some(self.state().instances.get(id.as_str())?.counts)
    }

    fn state_word(&self, id: &InstanceId) -> Option<String> {
        Some(self.state().instances.get(id.as_str())?.state().to_owned())
    }

    fn sent_request_id(&self, request_id: &str) -> Option<bool> {
        let number = request_id.strip_prefix("request-");
        let number: Option<u64> = number.and_then(|number| number.parse().ok());
        Some(number.is_some_and(|number| number <= self.state().requests))
    }
}

#[async_trait]
impl Transport for FakeCloud {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let fault = self.state().fault_of(request.uri().path());
        match fault {
            Some(CallFault::NoConnection) => Err(TransportError::unsent("connection refused")),
            Some(CallFault::LostRequest) => Err(TransportError::unclear("connection reset")),
            Some(CallFault::ThrottledWithHint) => {
                let (status, body) = error(429, "TooFast");
                let mut response = self.dated(status, body);
                let hint = CallFault::HINT.as_secs().into();
                response.headers_mut().insert(RETRY_AFTER, hint);
                Ok(response)
            }
            Some(CallFault::ThrottledWithoutHint | CallFault::ThrottledForEver) => {
                let (status, body) = error(429, "TooFast");
                Ok(self.dated(status, body))
            }
            Some(CallFault::ServerError) => Ok(response(502, "<html>bad gateway</html>")),
            later => {
                let (status, body) = match (self.respond(&request), later) {
                    (_, Some(CallFault::InternalError)) => error(500, "InternalError"),
                    (answer, _) => answer,
                };
                damaged(self.dated(status, body), later).await
            }
        }
    }
}

/// Damages the response after the cloud has executed the request.
async fn damaged(
    response: HttpResponse,
    fault: Option<CallFault>,
) -> Result<HttpResponse, TransportError> {
    future::ready(()).await;
    let body = response.body();
    let body = match fault {
        Some(CallFault::LostAnswer) => return Err(TransportError::unclear("connection reset")),
        Some(CallFault::GarbledAnswer) => Bytes::from_static(b"\xff\xfe\x00"),
        Some(CallFault::HalfAnswer) => body.slice(..body.len() / 2),
        Some(CallFault::EmptyAnswer) => Bytes::new(),
        Some(CallFault::UnknownState) => {
            let text = String::from_utf8_lossy(body);
            let word = format!("{:?}", CallFault::STATE_WORD);
            text.replace("\"running\"", &word).into()
        }
        _ => return Ok(response),
    };
    Ok(with_body(&response, body))
}

#[derive(Debug, Default)]
struct CloudState {
    instances: BTreeMap<String, FakeInstance>,
    fault: Option<(CallFault, FaultTarget)>,
    /// The number of responses.
    requests: u64,
}

impl CloudState {
    fn add(&mut self, instance: FakeInstance) -> Result<InstanceId, NotSupported> {
        let id = format!("vm-{:05}", self.instances.len());
        self.instances.insert(id.clone(), instance);
        InstanceId::new(&id).map_err(|error| NotSupported::new(error.to_string()))
    }

    /// Returns the fault of a call to this path. Most faults end after one call.
    fn fault_of(&mut self, path: &str) -> Option<CallFault> {
        let (fault, target) = self.fault?;
        let is_observation = path.ends_with("/observe");
        let is_hit = match target {
            FaultTarget::Observations => is_observation,
            _ => !is_observation && path != "/v1/instances",
        };
        if !is_hit {
            return None;
        }
        let lasting = [CallFault::ThrottledForEver, CallFault::UnknownState];
        if !lasting.contains(&fault) {
            self.fault = None;
        }
        Some(fault)
    }

    fn execute(&mut self, uri: &http::Uri, body: &Value) -> (u16, Value) {
        let ids: Vec<String> = serde_json::from_value(body["ids"].clone()).unwrap_or_default();
        match uri.path().rsplit('/').next() {
            Some("observe") => {
                let known = ids.iter();
                let known = known.filter_map(|id| self.instances.get_key_value(id));
                (200, json!({ "instances": rows(known) }))
            }
            Some("instances") => self.page(uri.query().unwrap_or_default()),
            Some(action) => {
                let known = ["start", "stop", "reboot"];
                let action = known.into_iter().find(|known| *known == action);
                let is_forced = body["force"] == json!(true);
                let is_released = body["release"] == json!(true);
                let refused = ids.iter().filter_map(|id| {
                    let code = match (self.instances.get_mut(id), action) {
                        (Some(instance), Some(action)) => {
                            let result = instance.begin(action, is_forced);
                            let begun = u32::from(result.is_ok() && is_released);
                            instance.counts.released += begun;
                            result.err()?
                        }
                        _ => "NoSuchInstance",
                    };
                    Some(json!({ "id": id, "code": code }))
                });
                (200, json!({ "refused": refused.collect::<Vec<_>>() }))
            }
            None => error(404, "NoSuchOperation"),
        }
    }

    fn page(&self, query: &str) -> (u16, Value) {
        const ROWS: usize = 1_000;
        let from: usize = query
            .strip_prefix("page=")
            .map_or(0, |n| n.parse().unwrap_or(0));
        let rows = rows(self.instances.iter().skip(from).take(ROWS));
        let next = (from + ROWS < self.instances.len()).then(|| (from + ROWS).to_string());
        (200, json!({ "instances": rows, "next": next }))
    }
}

fn rows<'i>(instances: impl Iterator<Item = (&'i String, &'i FakeInstance)>) -> Vec<Value> {
    instances
        .map(|(id, instance)| {
            json!({ "id": id, "state": instance.state(), "name": instance.name })
        })
        .collect()
}

#[derive(Clone, Debug)]
struct FakeInstance {
    condition: Condition,
    name: String,
    is_running: bool,
    /// The last action, and the end of the action.
    transition: Option<(&'static str, Instant)>,
    counts: ExecutionCounts,
}

/// The duration of an action without force.
const TRANSITION: Duration = Duration::from_secs(20);

impl FakeInstance {
    fn new(condition: Condition) -> Result<Self, NotSupported> {
        let (is_running, transition) = match condition {
            Condition::Any
            | Condition::Stopped
            | Condition::Creating
            | Condition::Changing
            | Condition::Expired
            | Condition::Recycled
            | Condition::Failed
            | Condition::Locked
            | Condition::Unpaid
            | Condition::OutOfStock
            | Condition::FailsToBoot => (false, None),
            Condition::Running | Condition::IgnoresStop => (true, None),
            Condition::Starting => (false, Some("start")),
            Condition::Stopping => (true, Some("stop")),
            Condition::Rebooting => (true, Some("reboot")),
            _ => return Err(NotSupported::new("the fake has no such condition")),
        };
        Ok(Self {
            condition,
            name: String::new(),
            is_running,
            transition: transition.map(|action| (action, Instant::now() + TRANSITION)),
            counts: ExecutionCounts::default(),
        })
    }

    fn state(&self) -> &'static str {
        match self.condition {
            Condition::Creating => return "creating",
            Condition::Changing => return "changing",
            Condition::Expired => return "expired",
            Condition::Recycled => return "recycled",
            Condition::Failed => return "broken",
            _ => {}
        }
        match self.transition {
            Some((action, end)) if Instant::now() < end => match action {
                "start" => "starting",
                "stop" => "stopping",
                _ => "rebooting",
            },
            Some(("stop", _)) => "stopped",
            Some(_) if self.condition == Condition::FailsToBoot => "broken",
            Some(_) => "running",
            None if self.is_running => "running",
            None => "stopped",
        }
    }

    fn begin(&mut self, action: &'static str, is_forced: bool) -> Result<(), &'static str> {
        match (self.condition, action) {
            (Condition::Locked, _) => return Err("Locked"),
            (Condition::Unpaid | Condition::Expired, _) => return Err("Arrears"),
            (Condition::OutOfStock, "start") => return Err("NoCapacity"),
            _ => {}
        }
        match (action, self.state()) {
            ("start", "stopped") => self.counts.starts += 1,
            ("stop", "running") => self.counts.stops += 1,
            ("reboot", "running") => self.counts.reboots += 1,
            (_, "creating" | "changing") => return Err("Busy"),
            _ => return Err("WrongState"),
        }
        self.counts.forced += u32::from(is_forced);
        let duration = match (action, is_forced) {
            ("stop", false) if self.condition == Condition::IgnoresStop => 1_000 * TRANSITION,
            (_, true) => TRANSITION / 2,
            _ => TRANSITION,
        };
        self.transition = Some((action, Instant::now() + duration));
        Ok(())
    }
}

/// A wall clock with the speed of tokio's clock, paused or not.
#[derive(Clone, Copy, Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600) + self.0.elapsed()
    }
}
