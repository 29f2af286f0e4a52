//! `CloudUnderTest` for the simulated clouds.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_facade::{
    ActionKind, Client, Clock, Credential, EmptyHost, Fleet, InstanceId, Location, PowerState,
    Provider, StaticCredential, Transport, TransportError, lifecycle_core::HttpResponse,
};
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, IgnoredFilters, InjectedFault, InstanceTemplate,
    KeyKind, MemoryTransport, Operation, SimulatedState, Simulator,
};

use super::{
    CallFault, ClientSetup, CloudUnderTest, Column, Condition, ExecutionCounts, FaultTarget,
    InstanceFacts, NotSupported, SkewedClock, run_in_paused_time,
};
use crate::draw::location;

/// Runs every case on the provider of `cloud` and the simulated cloud.
pub fn run_simulated(cloud: Cloud) -> Column {
    run_in_paused_time(cloud.as_str(), || Ok(SimulatedCloud::new(cloud)))
}

/// One cloud of a separate simulator, with the cloud's provider.
#[derive(Debug)]
pub struct SimulatedCloud {
    simulator: Simulator,
    cloud: Cloud,
    provider: Option<Arc<dyn Provider>>,
    shows_unknown_state: Arc<AtomicBool>,
    sent: SentResponses,
}

/// The texts of the newest responses.
type SentResponses = Arc<Mutex<VecDeque<String>>>;

impl SimulatedCloud {
    /// Creates a simulator without instances. Requires a tokio runtime.
    pub fn new(cloud: Cloud) -> Self {
        let simulator = Simulator::builder()
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
            .build();
        Self {
            simulator,
            cloud,
            provider: None,
            shows_unknown_state: Arc::default(),
            sent: Arc::default(),
        }
    }

    /// Replaces the provider of the cloud.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Returns the project of all Huawei instances.
    pub fn project_id(&self) -> String {
        self.simulator.project_id()
    }

    fn transport(&self) -> WatchedTransport {
        WatchedTransport {
            inner: self.simulator.transport(),
            running: self.word(SimulatedState::Running).unwrap_or_default(),
            shows_unknown_state: Arc::clone(&self.shows_unknown_state),
            sent: Arc::clone(&self.sent),
        }
    }

    fn clock(&self, setup: ClientSetup) -> Arc<dyn Clock> {
        let clock = self.simulator.clock();
        match setup {
            ClientSetup::ClockSkew(seconds) => Arc::new(SkewedClock::ahead(clock, seconds)),
            ClientSetup::ExpiredSignatures => Arc::new(SkewedClock::always_expired(clock)),
            ClientSetup::Valid | ClientSetup::TemporaryKey | ClientSetup::WrongKey => {
                Arc::new(clock)
            }
        }
    }

    /// Returns the cloud's word for a running and for a stopped instance.
    fn word(&self, state: SimulatedState) -> Option<&'static str> {
        Some(match (self.cloud, state) {
            (Cloud::Zenlayer, SimulatedState::Running) => "RUNNING",
            (Cloud::Zenlayer, SimulatedState::Stopped) => "STOPPED",
            (Cloud::Huawei, SimulatedState::Running) => "ACTIVE",
            (Cloud::Huawei, SimulatedState::Stopped) => "SHUTOFF",
            (_, SimulatedState::Running) => "Running",
            (_, SimulatedState::Stopped) => "Stopped",
            _ => return None,
        })
    }

    fn reference(&self, id: &InstanceId) -> String {
        format!("{}/{id}", location(self.cloud))
    }

    fn credential(&self, setup: ClientSetup) -> Credential {
        match (setup, self.simulator.credential(self.cloud)) {
            (ClientSetup::WrongKey, Credential::Keys { id, .. }) => {
                Credential::keys(id, "not the secret")
            }
            (ClientSetup::TemporaryKey, _) => self.simulator.issue(self.cloud, KeyKind::Temporary),
            (_, credential) => credential,
        }
    }

    fn known(&self) -> HashSet<String> {
        self.simulator
            .instances_at(self.cloud)
            .into_iter()
            .collect()
    }
}

#[async_trait(?Send)]
impl CloudUnderTest for SimulatedCloud {
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported> {
        if self.cloud == Cloud::Zenlayer && setup == ClientSetup::TemporaryKey {
            return Err(NotSupported::new("Zenlayer ZEC has no temporary keys"));
        }
        if let Some(provider) = &self.provider {
            let key = StaticCredential::new(self.credential(setup));
            return Ok(Client::builder(Arc::clone(provider), key, self.transport())
                .seed(0)
                .clock(self.clock(setup))
                .build());
        }
        let fleet = Fleet::builder()
            .transport(self.transport())
            .clock(self.clock(setup))
            .machine(EmptyHost)
            .credential(self.credential(setup))
            .project(self.simulator.project_id())
            .configure_client(|client| client.seed(0));
        let location: Location = location(self.cloud).parse().map_err(not_supported)?;
        let fleet = fleet.build().map_err(not_supported)?;
        fleet.client(&location).await.map_err(not_supported)
    }

    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, NotSupported> {
        let before = self.known();
        let (location, word) = (location(self.cloud), word(condition));
        self.simulator
            .add(&format!("{location}={count}:{word}"))
            .map_err(not_supported)?;
        self.simulator
            .instances_at(self.cloud)
            .iter()
            .filter(|reference| !before.contains(*reference))
            .filter_map(|reference| reference.rsplit('/').next())
            .map(|id| InstanceId::new(id).map_err(not_supported))
            .collect()
    }

    async fn described_instance(
        &self,
        condition: Condition,
        facts: &InstanceFacts,
    ) -> Result<InstanceId, NotSupported> {
        let before = self.known();
        let spec = format!("{}=1:{}", location(self.cloud), word(condition));
        self.simulator
            .add_instances(&spec, template(facts))
            .map_err(not_supported)?;
        let all = self.simulator.instances_at(self.cloud);
        let mut new = all.iter().filter(|reference| !before.contains(*reference));
        let id = new
            .next()
            .and_then(|reference| reference.rsplit('/').next());
        InstanceId::new(id.unwrap_or_default()).map_err(not_supported)
    }

    fn ignore_filters(&self) -> Result<(), NotSupported> {
        self.simulator.switches(|switches| {
            switches.baidu.ignored_filters = IgnoredFilters::All;
            switches.aliyun.ignored_filters = IgnoredFilters::All;
            switches.zenlayer.ignored_filters = IgnoredFilters::All;
            switches.huawei.ignored_filters = IgnoredFilters::All;
        });
        Ok(())
    }

    fn unknown_id(&self) -> Result<InstanceId, NotSupported> {
        let id = match self.cloud {
            Cloud::Baidu => "i-Ab12Cd34",
            Cloud::Aliyun => "i-bp1a2b3c4d5e6f7g8h9j",
            Cloud::Zenlayer => "1234567890123456789",
            Cloud::Huawei => "0f0f0f0f-1e1e-4d4d-8c8c-7b7b7b7b7b7b",
            _ => "i-unknown",
        };
        InstanceId::new(id).map_err(not_supported)
    }

    fn inject(&self, fault: CallFault, target: FaultTarget) -> Result<(), NotSupported> {
        let injected = match fault {
            CallFault::UnknownState => {
                self.shows_unknown_state.store(true, Ordering::Relaxed);
                return Ok(());
            }
            CallFault::ThrottledWithHint => InjectedFault::Throttled {
                hint: Some(CallFault::HINT),
            },
            CallFault::ThrottledWithoutHint | CallFault::ThrottledForEver => {
                InjectedFault::Throttled { hint: None }
            }
            CallFault::LostAnswer => InjectedFault::Reset(FaultTiming::After),
            CallFault::LostRequest => InjectedFault::Reset(FaultTiming::Before),
            CallFault::NoConnection => InjectedFault::Unreachable,
            CallFault::GarbledAnswer => InjectedFault::Garbage,
            CallFault::HalfAnswer => InjectedFault::HalfBody,
            CallFault::EmptyAnswer => InjectedFault::EmptyBody,
            CallFault::InternalError => InjectedFault::ServerError {
                status: 500,
                body: ErrorBody::Json,
                when: FaultTiming::After,
            },
            CallFault::ServerError => InjectedFault::ServerError {
                status: 502,
                body: ErrorBody::Html,
                when: FaultTiming::Before,
            },
        };
        let rule = FaultRule::new(injected);
        let rule = match target {
            FaultTarget::Actions => rule.on_actions(),
            FaultTarget::Observations => rule.on(Operation::Observe),
        };
        self.simulator.inject(match fault {
            CallFault::ThrottledForEver => rule.always(),
            _ => rule,
        });
        Ok(())
    }

    fn actual_state(&self, id: &InstanceId) -> Option<PowerState> {
        let state = self.simulator.state_of(&self.reference(id))?;
        Some(match state {
            SimulatedState::Creating => PowerState::Creating,
            SimulatedState::Starting => PowerState::Starting,
            SimulatedState::Running => PowerState::Running,
            SimulatedState::Stopping => PowerState::Stopping,
            SimulatedState::Stopped => PowerState::Stopped,
            SimulatedState::Rebooting => PowerState::Rebooting,
            SimulatedState::Changing => PowerState::Changing,
            SimulatedState::Expired => PowerState::Expired,
            SimulatedState::Failed => PowerState::Failed,
            SimulatedState::Recycled => PowerState::Recycled,
            _ => return None,
        })
    }

    fn executions(&self, id: &InstanceId) -> Option<ExecutionCounts> {
        let reference = self.reference(id);
        let counts = self.simulator.ledger().executed(&reference)?;
        Some(ExecutionCounts {
            starts: counts.starts,
            stops: counts.stops,
            reboots: counts.reboots,
            forced: counts.forced_stops + counts.forced_reboots,
            released: counts.released_stops,
            initialised: counts.initialised_starts,
        })
    }

    fn state_word(&self, id: &InstanceId) -> Option<String> {
        let state = self.simulator.state_of(&self.reference(id))?;
        self.word(state).map(str::to_owned)
    }

    fn check_reason(&self, _: ActionKind, condition: Condition) -> Result<(), NotSupported> {
        let has_no_error = matches!(
            condition,
            Condition::Locked | Condition::Unpaid | Condition::OutOfStock
        );
        match self.cloud {
            Cloud::Baidu if has_no_error => Err(NotSupported::new(
                "Baidu AI Cloud BCC documents no error for a lock, arrears and missing capacity",
            )),
            Cloud::Zenlayer => Err(NotSupported::new(
                "Zenlayer ZEC lists refused instances without a reason",
            )),
            _ => Ok(()),
        }
    }

    fn sent_request_id(&self, request_id: &str) -> Option<bool> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        Some(sent.iter().any(|text| text.contains(request_id)))
    }
}

fn template(facts: &InstanceFacts) -> InstanceTemplate {
    let mut template = InstanceTemplate::new().name(&facts.name);
    for (key, value) in &facts.tags {
        template = template.tag(key, value);
    }
    if let Some(zone) = &facts.zone {
        template = template.zone(zone);
    }
    if let Some(instance_type) = &facts.instance_type {
        template = template.instance_type(instance_type);
    }
    if let Some(address) = &facts.private_ip {
        template = template.private_ip(address);
    }
    if let Some(address) = &facts.public_ip {
        template = template.public_ip(address);
    }
    template
}

fn not_supported(problem: impl std::fmt::Display) -> NotSupported {
    NotSupported::new(problem.to_string())
}

/// Returns the simulator's word for a condition.
fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Any | Condition::Stopped => "stopped",
        Condition::Running => "running",
        Condition::Starting => "starting",
        Condition::Stopping => "stopping",
        Condition::Rebooting => "rebooting",
        Condition::Creating => "creating",
        Condition::Changing => "changing",
        Condition::Expired => "expired",
        Condition::Recycled => "recycled",
        Condition::Failed => "failed",
        Condition::Locked => "stopped+locked",
        Condition::Unpaid => "stopped+arrears",
        Condition::OutOfStock => "stopped+no-stock",
        Condition::FailsToBoot => "stopped+broken",
        Condition::IgnoresStop => "running+stubborn",
    }
}

/// The transport to the simulated cloud. Records the texts of short responses, and shows an
/// undocumented state for running instances on request.
#[derive(Debug)]
struct WatchedTransport {
    inner: MemoryTransport,
    /// The cloud's word for a running instance.
    running: &'static str,
    shows_unknown_state: Arc<AtomicBool>,
    sent: SentResponses,
}

/// The number of recorded responses.
const RECORDED: usize = 16;

/// The length of a recorded body. A response with a request id of an action is shorter.
const LONGEST_RECORDED: usize = 4_096;

impl WatchedTransport {
    fn record(&self, response: &HttpResponse) {
        let values = response.headers().values();
        let mut text: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        if response.body().len() <= LONGEST_RECORDED {
            text.extend(std::str::from_utf8(response.body()));
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == RECORDED {
            sent.pop_front();
        }
        sent.push_back(text.join("\n"));
    }
}

#[async_trait]
impl Transport for WatchedTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let mut response = self.inner.send(request).await?;
        self.record(&response);
        if self.shows_unknown_state.load(Ordering::Relaxed)
            && let Ok(text) = std::str::from_utf8(response.body())
        {
            let quoted = |word: &str| format!("\"{word}\"");
            *response.body_mut() = text
                .replace(&quoted(self.running), &quoted(CallFault::STATE_WORD))
                .into();
        }
        Ok(response)
    }
}
