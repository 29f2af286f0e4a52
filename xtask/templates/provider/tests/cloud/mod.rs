//! A stand-in for the cloud: the other side of the wire, in memory, on tokio's clock.

use std::{
    collections::BTreeMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_conformance::suite::{
    Condition, ExecutionCounts, CallFault, NotSupported, ClientSetup, SkewedClock, CloudUnderTest, FaultTarget,
};
use provider_testing::http_response;
use lifecycle_core::{
    InstanceId, Machine as Computer, CredentialSourceConfig, PowerState, HttpResponse, SigningContext,
    encode::{hmac_sha256_hex, sha256_hex},
    origin::FileCheck,
};
use lifecycle_facade::{CachedCredentials, Client, Clock, StepDriver, Transport, TransportError};
use provider_example::{Config, Example, PROFILE, credentials};
use serde_json::{Value, json};
use tokio::time::Instant;

const KEY: &str = "key";
const SECRET: &str = "the secret of the stand-in";

/// The cloud and the means to bring its instances into a condition.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    cloud: Arc<Mutex<Cloud>>,
    clock: TestClock,
}

impl StandIn {
    /// A cloud without instances. To be made within a tokio runtime.
    pub(crate) fn new() -> Self {
        let clock = TestClock(Instant::now());
        Self {
            cloud: Arc::default(),
            clock,
        }
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &http::Request<Bytes>) -> (u16, Value) {
        if let Some(refusal) = self.turned_away(request) {
            return refusal;
        }
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        self.cloud().perform(request.uri(), &body)
    }

    fn turned_away(&self, request: &http::Request<Bytes>) -> Option<(u16, Value)> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let date = header("x-date")?;
        let now = SigningContext::new(self.clock.now(), 0);
        // Fixed-width dates sort as text, so the window can be told without reading them.
        let earliest = SigningContext::from_unix(now.unix() - 300, 0).extended();
        let latest = SigningContext::from_unix(now.unix() + 300, 0).extended();
        if !(earliest.as_str()..=latest.as_str()).contains(&date) {
            return Some(refusal(401, "Expired"));
        }
        let target = request.uri().path_and_query()?;
        let (method, body) = (request.method(), sha256_hex(request.body()));
        let text = format!("{method}\n{target}\n{date}\n{body}");
        let signature = hmac_sha256_hex(SECRET.as_bytes(), text.as_bytes());
        let expected = format!("EXAMPLE {KEY}:{signature}");
        (header("authorization") != Some(&expected)).then(|| refusal(401, "BadSignature"))
    }
}

fn refusal(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "code": code, "message": "refused" }))
}

#[async_trait(?Send)]
impl CloudUnderTest for StandIn {
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported> {
        let secret = match setup {
            ClientSetup::WrongKey => "another secret",
            ClientSetup::ClockSkew(_) => return Err(NotSupported::new("the stand-in sends no date")),
            _ => SECRET,
        };
        let config = Config::new("r1").map_err(|error| NotSupported::new(error.to_string()))?;
        // Keys come from where a user has them.
        let resolver = StepDriver::new(self.clone())
            .clock(self.clock)
            .machine(Desk { secret });
        let origins = credentials::sources(&CredentialSourceConfig::in_region("r1"));
        let keys = CachedCredentials::new(PROFILE.title, origins, resolver);
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
        let (runs, motion) = match condition {
            Condition::Any | Condition::Stopped => (false, None),
            Condition::Running | Condition::IgnoresStop => (true, None),
            Condition::Starting => (false, Some("start")),
            Condition::Stopping => (true, Some("stop")),
            Condition::Rebooting => (true, Some("reboot")),
            _ => return Err(NotSupported::new("the stand-in has no such condition")),
        };
        let mut cloud = self.cloud();
        let machine = Machine {
            runs,
            motion: motion.map(|what| (what, Instant::now() + SPAN)),
            deaf: condition == Condition::IgnoresStop,
            counts: ExecutionCounts::default(),
        };
        let first = cloud.machines.len();
        let names = (first..first + count).map(|number| format!("vm-{number:05}"));
        names
            .map(|name| {
                cloud.machines.insert(name.clone(), machine.clone());
                InstanceId::new(&name).map_err(|error| NotSupported::new(error.to_string()))
            })
            .collect()
    }

    fn unknown_id(&self) -> Result<InstanceId, NotSupported> {
        InstanceId::new("vm-strange").map_err(|error| NotSupported::new(error.to_string()))
    }

    fn inject(&self, fault: CallFault, target: FaultTarget) -> Result<(), NotSupported> {
        self.cloud().fault = Some((fault, target));
        Ok(())
    }

    fn actual_state(&self, id: &InstanceId) -> Option<PowerState> {
        Some(match self.cloud().machines.get(id.as_str())?.state() {
            "running" => PowerState::Running,
            "stopped" => PowerState::Stopped,
            "starting" => PowerState::Starting,
            "stopping" => PowerState::Stopping,
            _ => PowerState::Rebooting,
        })
    }

    fn executions(&self, id: &InstanceId) -> Option<ExecutionCounts> {
        Some(self.cloud().machines.get(id.as_str())?.counts)
    }
}

/// The computer of a user who has set the key up.
#[derive(Debug)]
struct Desk {
    secret: &'static str,
}

impl Computer for Desk {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "EXAMPLE_ACCESS_KEY_ID" => Some(KEY.to_owned()),
            "EXAMPLE_ACCESS_KEY_SECRET" => Some(self.secret.to_owned()),
            _ => None,
        }
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(None)
    }
}

#[async_trait]
impl Transport for StandIn {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let fault = self.cloud().strikes(request.uri().path());
        match fault {
            Some(CallFault::NoConnection) => Err(TransportError::unsent("connection refused")),
            Some(CallFault::LostRequest) => Err(TransportError::unclear("connection reset")),
            Some(CallFault::ThrottledWithHint) => {
                let mut reply = reply(refusal(429, "TooFast"));
                let hint = CallFault::HINT.as_secs();
                reply.headers().insert("retry-after", hint.into());
                Ok(reply)
            }
            Some(CallFault::ThrottledWithoutHint | CallFault::ThrottledForEver) => {
                Ok(reply(refusal(429, "TooFast")))
            }
            Some(CallFault::ServerError) => Ok(http_response(502, http::HeaderMap::new(), Bytes::from_static(b"<html>bad gateway</html>"))),
            after => self.spoiled(reply(self.answer(&request)), after).await,
        }
    }
}

impl StandIn {
    /// The answer after the cloud has acted, and what becomes of it on the way.
    async fn spoiled(
        &self,
        mut reply: HttpResponse,
        fault: Option<CallFault>,
    ) -> Result<HttpResponse, TransportError> {
        future::ready(()).await;
        match fault {
            Some(CallFault::LostAnswer) => {
                return Err(TransportError::unclear("connection reset"));
            }
            Some(CallFault::GarbledAnswer) => reply.body() = Bytes::from_static(b"\xff\xfe\x00"),
            Some(CallFault::HalfAnswer) => reply.body().truncate(reply.body().len() / 2),
            Some(CallFault::EmptyAnswer) => reply.body().clear(),
            Some(CallFault::UnknownState) => {
                let text = String::from_utf8_lossy(reply.body());
                reply.body() = text.replace("\"running\"", "\"levitating\"").into();
            }
            _ => {}
        }
        Ok(reply)
    }
}

fn reply((status, body): (u16, Value)) -> HttpResponse {
    http_response(status, http::HeaderMap::new(), body.to_string().into())
}

#[derive(Debug, Default)]
struct Cloud {
    machines: BTreeMap<String, Machine>,
    fault: Option<(CallFault, FaultTarget)>,
}

impl Cloud {
    /// What strikes a call to this path; most things strike once.
    fn strikes(&mut self, path: &str) -> Option<CallFault> {
        let (fault, target) = self.fault?;
        let looks = path.ends_with("/observe");
        let hit = match target {
            FaultTarget::Observations => looks,
            _ => !looks && path != "/v1/instances",
        };
        if !hit {
            return None;
        }
        let lasting = [CallFault::ThrottledForEver, CallFault::UnknownState];
        if !lasting.contains(&fault) {
            self.fault = None;
        }
        Some(fault)
    }

    fn perform(&mut self, uri: &http::Uri, body: &Value) -> (u16, Value) {
        let ids: Vec<String> = serde_json::from_value(body["ids"].clone()).unwrap_or_default();
        match uri.path().rsplit('/').next() {
            Some("observe") => {
                let known = ids.iter().filter_map(|id| self.machines.get_key_value(id));
                (200, json!({ "instances": rows(known) }))
            }
            Some("instances") => self.page(uri.query().unwrap_or_default()),
            Some(what) => {
                let what = ["start", "stop", "reboot"].into_iter().find(|w| *w == what);
                let force = body["force"] == json!(true);
                let refused = ids.iter().filter_map(|id| {
                    let code = match (self.machines.get_mut(id), what) {
                        (Some(machine), Some(what)) => machine.begin(what, force).err()?,
                        _ => "NoSuchInstance",
                    };
                    Some(json!({ "id": id, "code": code }))
                });
                (200, json!({ "refused": refused.collect::<Vec<_>>() }))
            }
            None => refusal(404, "NoSuchOperation"),
        }
    }

    fn page(&self, query: &str) -> (u16, Value) {
        const ROWS: usize = 1_000;
        let from: usize = query
            .strip_prefix("page=")
            .map_or(0, |n| n.parse().unwrap_or(0));
        let rows = rows(self.machines.iter().skip(from).take(ROWS));
        let next = (from + ROWS < self.machines.len()).then(|| (from + ROWS).to_string());
        (200, json!({ "instances": rows, "next": next }))
    }
}

fn rows<'m>(machines: impl Iterator<Item = (&'m String, &'m Machine)>) -> Vec<Value> {
    machines
        .map(|(id, machine)| json!({ "id": id, "state": machine.state() }))
        .collect()
}

#[derive(Clone, Debug)]
struct Machine {
    runs: bool,
    motion: Option<(&'static str, Instant)>,
    /// It ignores a graceful stop.
    deaf: bool,
    counts: ExecutionCounts,
}

/// How long everything takes that is not forced.
const SPAN: Duration = Duration::from_secs(20);

impl Machine {
    fn state(&self) -> &'static str {
        match self.motion {
            Some((what, due)) if Instant::now() < due => match what {
                "start" => "starting",
                "stop" => "stopping",
                _ => "rebooting",
            },
            Some(("stop", _)) => "stopped",
            Some(_) => "running",
            None if self.runs => "running",
            None => "stopped",
        }
    }

    fn begin(&mut self, what: &'static str, force: bool) -> Result<(), &'static str> {
        match (what, self.state()) {
            ("start", "stopped") => self.counts.starts += 1,
            ("stop", "running") => self.counts.stops += 1,
            ("reboot", "running") => self.counts.reboots += 1,
            (_, "running" | "stopped") => return Err("WrongState"),
            _ => return Err("Busy"),
        }
        self.counts.forced += u32::from(force);
        let span = match (what, force) {
            ("stop", false) if self.deaf => 1_000 * SPAN,
            (_, true) => SPAN / 2,
            _ => SPAN,
        };
        self.motion = Some((what, Instant::now() + span));
        Ok(())
    }
}

/// A wall clock that runs with tokio's, paused or not.
#[derive(Clone, Copy, Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600) + self.0.elapsed()
    }
}
