//! Test helper: a fake of the cloud, in memory, with tokio's clock. A template for a new provider.

use std::{
    collections::BTreeMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use lifecycle_conformance::suite::{
    CallFault, ClientSetup, CloudUnderTest, Condition, ExecutionCounts, FaultTarget, NotSupported,
    SkewedClock,
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
        let text = format!("{method}\n{target}\n{date}\n{body}");
        let signature = hmac_sha256_hex(SECRET.as_bytes(), text.as_bytes());
        let expected = format!("EXAMPLE {KEY}:{signature}");
        (header("authorization") != Some(&expected)).then(|| error(401, "BadSignature"))
    }
}

fn error(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "code": code, "message": "refused" }))
}

#[async_trait(?Send)]
impl CloudUnderTest for FakeCloud {
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported> {
        let secret = match setup {
            ClientSetup::WrongKey => "another secret",
            ClientSetup::ClockSkew(_) => return Err(NotSupported::new("the fake sends no date")),
            _ => SECRET,
        };
        let config = Config::new("r1").map_err(|error| NotSupported::new(error.to_string()))?;
        // The key comes from the variables, as on the host of a user.
        let host = FakeHost::new(&[
            ("EXAMPLE_ACCESS_KEY_ID", KEY),
            ("EXAMPLE_ACCESS_KEY_SECRET", secret),
        ]);
        let driver = StepDriver::new(self.clone())
            .clock(self.clock)
            .machine(host);
        let sources = credentials::sources(&CredentialSourceConfig::in_region("r1"));
        let keys = CachedCredentials::new(PROFILE.title, sources, driver);
        let client = Client::builder(Example::new(config), keys, self.clone()).seed(0);
        Ok(match setup {
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
        let (is_running, transition) = match condition {
            Condition::Any | Condition::Stopped => (false, None),
            Condition::Running | Condition::IgnoresStop => (true, None),
            Condition::Starting => (false, Some("start")),
            Condition::Stopping => (true, Some("stop")),
            Condition::Rebooting => (true, Some("reboot")),
            _ => return Err(NotSupported::new("the fake has no such condition")),
        };
        let mut state = self.state();
        let instance = FakeInstance {
            is_running,
            transition: transition.map(|action| (action, Instant::now() + TRANSITION)),
            ignores_graceful_stop: condition == Condition::IgnoresStop,
            counts: ExecutionCounts::default(),
        };
        let first = state.instances.len();
        let names = (first..first + count).map(|number| format!("vm-{number:05}"));
        names
            .map(|name| {
                state.instances.insert(name.clone(), instance.clone());
                InstanceId::new(&name).map_err(|error| NotSupported::new(error.to_string()))
            })
            .collect()
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
            _ => PowerState::Rebooting,
        })
    }

    fn executions(&self, id: &InstanceId) -> Option<ExecutionCounts> {
        Some(self.state().instances.get(id.as_str())?.counts)
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
                let hint = CallFault::HINT.as_secs().into();
                let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, hint)]);
                let (status, body) = error(429, "TooFast");
                Ok(http_response(status, headers, body.to_string()))
            }
            Some(CallFault::ThrottledWithoutHint | CallFault::ThrottledForEver) => {
                let (status, body) = error(429, "TooFast");
                Ok(response(status, &body))
            }
            Some(CallFault::ServerError) => Ok(response(502, "<html>bad gateway</html>")),
            later => {
                let (status, body) = self.respond(&request);
                damaged(response(status, &body), later).await
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
            text.replace("\"running\"", "\"levitating\"").into()
        }
        _ => return Ok(response),
    };
    Ok(with_body(&response, body))
}

#[derive(Debug, Default)]
struct CloudState {
    instances: BTreeMap<String, FakeInstance>,
    fault: Option<(CallFault, FaultTarget)>,
}

impl CloudState {
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
                let refused = ids.iter().filter_map(|id| {
                    let code = match (self.instances.get_mut(id), action) {
                        (Some(instance), Some(action)) => instance.begin(action, is_forced).err()?,
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
        .map(|(id, instance)| json!({ "id": id, "state": instance.state() }))
        .collect()
}

#[derive(Clone, Debug)]
struct FakeInstance {
    is_running: bool,
    /// The last action, and the end of the action.
    transition: Option<(&'static str, Instant)>,
    ignores_graceful_stop: bool,
    counts: ExecutionCounts,
}

/// The duration of an action without force.
const TRANSITION: Duration = Duration::from_secs(20);

impl FakeInstance {
    fn state(&self) -> &'static str {
        match self.transition {
            Some((action, end)) if Instant::now() < end => match action {
                "start" => "starting",
                "stop" => "stopping",
                _ => "rebooting",
            },
            Some(("stop", _)) => "stopped",
            Some(_) => "running",
            None if self.is_running => "running",
            None => "stopped",
        }
    }

    fn begin(&mut self, action: &'static str, is_forced: bool) -> Result<(), &'static str> {
        match (action, self.state()) {
            ("start", "stopped") => self.counts.starts += 1,
            ("stop", "running") => self.counts.stops += 1,
            ("reboot", "running") => self.counts.reboots += 1,
            (_, "running" | "stopped") => return Err("WrongState"),
            _ => return Err("Busy"),
        }
        self.counts.forced += u32::from(is_forced);
        let duration = match (action, is_forced) {
            ("stop", false) if self.ignores_graceful_stop => 1_000 * TRANSITION,
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
