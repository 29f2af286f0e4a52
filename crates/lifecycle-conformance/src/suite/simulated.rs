//! The simulated clouds as subjects.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_facade::{
    Client, Credential, EmptyHost, Fleet, InstanceId, Location, PowerState, Transport,
    TransportError, core::HttpResponse,
};
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, MemoryTransport, Operation,
    SimulatedState, Simulator,
};

use super::{
    Column, Condition, Deeds, Disturbance, Missing, Setting, SkewedClock, Subject, Target,
    run_apart,
};
use crate::draw::place;

/// Runs every case on the provider of `cloud` and its simulated cloud.
pub fn simulated(cloud: Cloud) -> Column {
    run_apart(cloud.as_str(), || Ok(Simulated::new(cloud)))
}

/// One cloud of a simulator of its own, with the provider that this library has for it.
#[derive(Debug)]
pub struct Simulated {
    simulator: Simulator,
    cloud: Cloud,
    shows_unknown_state: Arc<AtomicBool>,
}

impl Simulated {
    /// A simulator without instances. To be made within a tokio runtime.
    pub fn new(cloud: Cloud) -> Self {
        let simulator = Simulator::builder()
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
            .build();
        Self {
            simulator,
            cloud,
            shows_unknown_state: Arc::default(),
        }
    }

    fn reference(&self, id: &InstanceId) -> String {
        format!("{}/{id}", place(self.cloud))
    }

    fn credential(&self, setting: Setting) -> Credential {
        match (setting, self.simulator.credential(self.cloud)) {
            (Setting::WrongKey, Credential::Keys { id, .. }) => {
                Credential::keys(id, "not the secret")
            }
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
impl Subject for Simulated {
    async fn client(&self, setting: Setting) -> Result<Client, Missing> {
        let clock = self.simulator.clock();
        let fleet = Fleet::builder()
            .transport(Rewriting {
                inner: self.simulator.transport(),
                word: running_word(self.cloud),
                on: Arc::clone(&self.shows_unknown_state),
            })
            .machine(EmptyHost)
            .credential(self.credential(setting))
            .project(self.simulator.project_id())
            .tune(|client| client.seed(0));
        let fleet = match setting {
            Setting::ClockOff(seconds) => fleet.clock(SkewedClock::ahead(clock, seconds)),
            Setting::StaleSignatures => fleet.clock(SkewedClock::stale(clock)),
            Setting::Usual | Setting::WrongKey => fleet.clock(clock),
        };
        let place: Location = place(self.cloud).parse().map_err(missing)?;
        let fleet = fleet.build().map_err(missing)?;
        fleet.client(&place).await.map_err(missing)
    }

    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, Missing> {
        let before = self.known();
        let (place, word) = (place(self.cloud), word(condition));
        self.simulator
            .add(&format!("{place}={count}:{word}"))
            .map_err(missing)?;
        self.simulator
            .instances_at(self.cloud)
            .iter()
            .filter(|reference| !before.contains(*reference))
            .filter_map(|reference| reference.rsplit('/').next())
            .map(|id| InstanceId::new(id).map_err(missing))
            .collect()
    }

    fn strange_id(&self) -> Result<InstanceId, Missing> {
        let id = match self.cloud {
            Cloud::Baidu => "i-Ab12Cd34",
            Cloud::Aliyun => "i-bp1a2b3c4d5e6f7g8h9j",
            Cloud::Zenlayer => "1234567890123456789",
            Cloud::Huawei => "0f0f0f0f-1e1e-4d4d-8c8c-7b7b7b7b7b7b",
            _ => "i-strange",
        };
        InstanceId::new(id).map_err(missing)
    }

    fn disturb(&self, disturbance: Disturbance, target: Target) -> Result<(), Missing> {
        let mishap = match disturbance {
            Disturbance::UnknownState => {
                self.shows_unknown_state.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Disturbance::ThrottledWithHint => InjectedFault::Throttled {
                hint: Some(Disturbance::HINT),
            },
            Disturbance::ThrottledWithoutHint | Disturbance::ThrottledForEver => {
                InjectedFault::Throttled { hint: None }
            }
            Disturbance::LostAnswer => InjectedFault::Reset(FaultTiming::After),
            Disturbance::LostRequest => InjectedFault::Reset(FaultTiming::Before),
            Disturbance::NoConnection => InjectedFault::Unreachable,
            Disturbance::GarbledAnswer => InjectedFault::Garbage,
            Disturbance::HalfAnswer => InjectedFault::HalfBody,
            Disturbance::EmptyAnswer => InjectedFault::EmptyBody,
            Disturbance::ServerError => InjectedFault::ServerError {
                status: 502,
                body: ErrorBody::Html,
                when: FaultTiming::Before,
            },
        };
        let injection = FaultRule::new(mishap);
        let injection = match target {
            Target::Actions => injection.on_actions(),
            Target::Looks => injection.on(Operation::Observe),
        };
        self.simulator.inject(match disturbance {
            Disturbance::ThrottledForEver => injection.always(),
            _ => injection,
        });
        Ok(())
    }

    fn truth(&self, id: &InstanceId) -> Option<PowerState> {
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

    fn deeds(&self, id: &InstanceId) -> Option<Deeds> {
        let reference = self.reference(id);
        let acts = self.simulator.ledger().executed(&reference)?;
        Some(Deeds {
            starts: acts.starts,
            stops: acts.stops,
            reboots: acts.reboots,
            forced: acts.forced_stops + acts.forced_reboots,
        })
    }
}

fn missing(problem: impl std::fmt::Display) -> Missing {
    Missing::new(problem.to_string())
}

/// The simulator's word for a condition.
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
        Condition::Stubborn => "running+stubborn",
    }
}

/// The cloud's own word for a running instance.
fn running_word(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Zenlayer => "\"RUNNING\"",
        Cloud::Huawei => "\"ACTIVE\"",
        _ => "\"Running\"",
    }
}

/// Puts a state of which nobody has ever heard in the place of a word, once it is told to.
#[derive(Debug)]
struct Rewriting {
    inner: MemoryTransport,
    word: &'static str,
    on: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Rewriting {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let mut reply = self.inner.send(request).await?;
        if self.on.load(Ordering::Relaxed)
            && let Ok(text) = std::str::from_utf8(reply.body())
        {
            *reply.body_mut() = text.replace(self.word, "\"Levitating\"").into();
        }
        Ok(reply)
    }
}
